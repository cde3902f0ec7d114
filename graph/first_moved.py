"""Which resource's metrics changed first, and which followed along relations. Pure.

Told only where the intervals are apart: a metric tells no moment finer than its period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from graph.claims import statement
from graph.facts import Facts
from graph.models import MetricFinding
from graph.words import say, stamp
from tools.clock import ceil, floor
from tools.models import Claim, Onset, Statement

_SURE = 0.8  # confidence of an onset that is told
_SHOWS_HARM = frozenset({"errors", "throttles", "latency"})
"""Other metrics move with demand and with what fails, each at its own pace: their order tells nothing."""
_MOST = 3  # followers that are told


@dataclass(frozen=True, slots=True)
class Moved:
    """A metric and when it began to move, by whole periods of it."""

    finding: MetricFinding
    earliest: datetime
    latest: datetime


def first_moved(facts: Facts) -> tuple[Moved, ...]:
    """The metric that had moved first, and those of other resources related to it that moved later, oldest first.

    One metric of each resource, its first. Those that moved at about the same time as the first are left out; empty
    when none is later.
    """
    first: dict[str, Moved] = {}
    for one in sorted(_moved(facts), key=lambda one: (one.latest, one.earliest, one.finding.metric.name)):
        first.setdefault(one.finding.resource, one)
    if not first:
        return ()
    lead, *others = first.values()
    later = [one for one in others if one.earliest >= lead.latest and _related(facts, lead, one)]
    return (lead, *sorted(later, key=lambda one: (one.earliest, one.finding.resource))) if later else ()


def told(facts: Facts) -> tuple[Statement, ...]:
    """That in a sentence, if there is anything to tell."""
    found = first_moved(facts)[: 1 + _MOST]
    if not found:
        return ()
    lead, *others = found
    listed = (say("{name} at {time}", name=_named(facts, one), time=stamp(one.earliest)) for one in others)
    return (
        statement(
            "{lead} changed at {time}, before {others}.",
            evidence=[id for one in found for id in one.finding.evidence],
            claims=[_claim(one) for one in found],
            lead=_named(facts, lead),
            time=stamp(lead.earliest),
            others=", ".join(listed),
        ),
    )


def _moved(facts: Facts) -> Iterator[Moved]:
    symptom = facts.incident
    for item in facts.metrics:
        same = (item.resource, item.metric) == (symptom.resource, symptom.metric)
        onset = facts.onset if same and facts.onset is not None else item.onset
        told = item.moved and not item.used_up and (same or item.role in _SHOWS_HARM)
        if told and onset is not None and _clear(onset):
            period = item.metric.period
            yield Moved(item, floor(onset.earliest, period), ceil(onset.latest, period))


def _clear(onset: Onset) -> bool:
    """A ramp or a sawtooth has no moment that others could be compared with."""
    return onset.confidence >= _SURE and onset.shape in ("step", "spike", "silence")


def _related(facts: Facts, one: Moved, other: Moved) -> bool:
    here, there = one.finding.resource, other.finding.resource
    return bool(facts.path(here, there) or facts.path(there, here))


def _named(facts: Facts, one: Moved) -> str:
    where = one.finding.resource
    return say(
        "{metric} of {kind} {name}",
        metric=one.finding.metric.name,
        kind=facts.kind_word(where),
        name=facts.name(where),
    )


def _claim(one: Moved) -> Claim:
    metric = one.finding.metric
    return Claim(
        kind="metric",
        subject=one.finding.resource,
        field=f"{metric.namespace}/{metric.name}/{metric.stat}",
        value=one.latest.isoformat(),
        start=one.earliest,
        end=one.latest,
        how="onset",
        dimensions=metric.dimensions,
    )
