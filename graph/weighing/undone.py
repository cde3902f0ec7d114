"""Undone: was it taken back before the symptom began, does it only take away what had just been added, or set what was
so already?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from graph.claims import statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.undoing.after import ACCEPTS_TWICE, OPPOSITES, TAKES_AWAY, said_before
from graph.undoing.anatomy import verb
from graph.weighing.moves import event_of
from graph.weights import WEIGHTS
from graph.words import stamp
from tools.evidence import canonical
from tools.models import ChangeEvent, Claim

_NEW = timedelta(hours=2)
"""What was there for less hardly anybody has come to need."""
_MAY_REPLACE = ACCEPTS_TWICE | {"Put", "Upload", "Import"}
"""Success does not say that the thing was not there before."""


def undone(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """For what gives or takes one thing of many (a rule, an entry, an attachment): values of settings tell it else."""
    event = event_of(facts, hypothesis)
    if event is None or hypothesis.setting or facts.onset is None or event.time > facts.onset.earliest:
        return
    again = said_before(event, facts.known)
    if again is not None:
        yield _told("sets only what had been set at {time} already", event, again, "dose.same_value")
        return
    word, _ = verb(event.operation)
    back = next(
        (one for one in _opposites(facts, event) if event.time < one.time <= facts.onset.earliest), None
    )
    if back is not None and word != "Delete":
        yield _told("was taken back at {time}, before the symptom began", event, back)
        return
    given = next((one for one in reversed(_opposites(facts, event)) if one.time < event.time), None)
    if word not in TAKES_AWAY or given is None or verb(given.operation)[0] in _MAY_REPLACE:
        return
    if event.time - given.time <= _NEW:
        yield _told("takes away only what had been added at {time}", event, given)


def _opposites(facts: Facts, event: ChangeEvent) -> list[ChangeEvent]:
    """Events that give what this one takes or take what it gives, oldest first."""
    word, noun = verb(event.operation)
    wanted = {other + noun for other in OPPOSITES.get(word, ())}
    found = [
        one
        for one in facts.changes
        if one.operation in wanted and not one.error_code and _same_thing(one, event)
    ]
    return sorted(found, key=lambda one: (one.time, one.id))


def _same_thing(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether all that the one who takes away says is in what the other one asked for or was told: ids of AWS's making
    stand in the answer only."""
    if (one.source, one.account, one.region) != (other.source, other.account, other.region):
        return False
    taken, given = (one, other) if verb(one.operation)[0] in TAKES_AWAY else (other, one)
    said = set(_pairs(taken.request))
    return bool(said) and said <= {*_pairs(given.request), *_pairs(given.response)}


def _pairs(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The values of a request with the names of their fields."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _pairs(one, str(name).lower())
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _pairs(one, key)
    elif value not in (None, ""):
        yield key, canonical(value)


def _told(message: str, event: ChangeEvent, other: ChangeEvent, key: str = "change.reverted") -> TestResult:
    said = statement(
        message,
        evidence=(*event.evidence[:1], *other.evidence[:1]),
        claims=[Claim(kind="event", subject=other.id, field="time", value=other.time.isoformat())],
        time=stamp(other.time),
    )
    return TestResult(test="reverted", weight=WEIGHTS[key], statement=said)
