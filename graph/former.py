"""What led to the symptom until it was changed: a record, an origin, a rule that names it no longer.

Such a thing is no neighbour by its present configuration. The requests of its earlier events, or of the one that
deleted, still name what it led to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from graph.facts import Facts
from graph.touching import things
from tools.aws import Reader
from tools.catalogue import change_of, replaced_by, service_of, type_of
from tools.cloudtrail import KEPT, event_names, is_noise, lookup
from tools.models import ChangeEvent, Relation, Resource, Window
from tools.walk import texts

LED_TO = "led to"
MOST_ASKED = 4
"""At most so many kinds of earlier events are asked for."""
_PAGES = 2
_ALIAS = "dualstack."  # Route 53's console puts it before the name of a load balancer


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """Resources that led to known ones, the relations as they were, the events that tell, oldest first."""

    resources: tuple[Resource, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[ChangeEvent, ...] = ()
    aside: frozenset[str] = frozenset()  # ids of changes of other things in these: another record of a zone


def former(
    reader: Reader, facts: Facts, events: Iterable[ChangeEvent], describe: Callable[[str], Resource]
) -> Former:
    """What was changed in the window, is not near by its configuration, and led to the symptom or its callers."""
    begin = (facts.onset.earliest if facts.onset else facts.as_of) - timedelta(hours=facts.lookback)
    symptom = facts.incident.resource
    aims = {symptom, *facts.upstream(symptom)}
    recent = [one for one in events if one.time >= begin and _stranger(facts, one)]
    if not recent:
        return Former()
    wanted = {_touched(one) for one in recent}
    earlier = [one for one in _earlier(reader, recent) if _touched(one) in wanted]
    told = {one.id: one for one in (*earlier, *recent)}
    found: dict[tuple[str, str], Relation] = {}
    for event in sorted(told.values(), key=lambda one: (one.time, one.id), reverse=True):
        for target in _named(facts, event, aims):
            found.setdefault((_touched(event), target), _led(event, target))
    sources = sorted({source for source, _ in found})
    led = {id(one): things(one) for one in told.values() if any(_named(facts, one, aims))}
    aside = {
        one.id
        for one in recent
        if things(one)
        and not any(things(one) & led[id(other)] for other in told.values() if id(other) in led)
    }
    return Former(
        resources=tuple(describe(arn) for arn in sources),
        relations=tuple(found[key] for key in sorted(found)),
        events=tuple(
            sorted(
                (one for one in told.values() if _touched(one) in sources and one.id not in aside),
                key=lambda one: (one.time, one.id),
            )
        ),
        aside=frozenset(one.id for one in recent if one.id in aside and _touched(one) in sources),
    )


def _touched(event: ChangeEvent) -> str:
    """The thing that an event changes."""
    known = change_of(event)
    return next(iter(known.touches(event)), "") if known is not None and not known.inert else ""


def _stranger(facts: Facts, event: ChangeEvent) -> bool:
    """Whether an event changes what is no neighbour, of a service whose things may lead to the symptom."""
    arn = _touched(event)
    service = service_of(arn) if arn else None
    if service is None or event.error_code or facts.resource(arn) is not None or facts.holder(arn) != arn:
        return False
    return type_of(facts.incident.resource) in service.listed_near


def _earlier(reader: Reader, recent: list[ChangeEvent]) -> Iterator[ChangeEvent]:
    """Events that tell what the recent ones replaced."""
    asked = dict.fromkeys((name, one.region) for one in reversed(recent) for name in replaced_by(one))
    history = Window(start=reader.as_of - KEPT, end=reader.as_of)
    for operation, region in list(asked)[:MOST_ASKED]:
        for name in event_names(operation):
            found = lookup(reader, attribute=("EventName", name), window=history, region=region, pages=_PAGES)
            yield from (
                one for one in found.events if not one.read_only and not one.error_code and not is_noise(one)
            )


def _named(facts: Facts, event: ChangeEvent, aims: set[str]) -> Iterator[str]:
    """ARNs of those of `aims` that an event's request names by an ARN or a host."""
    for text in texts(event.request):
        if "." in text or ":" in text:
            plain = text.lower().rstrip(".").removeprefix(_ALIAS) if not text.startswith("arn:") else text
            yield from (one.arn for one in facts.directory.mentioned(plain) if one.arn in aims)


def _led(event: ChangeEvent, target: str) -> Relation:
    return Relation(
        source=_touched(event),
        target=target,
        kind=LED_TO,
        provenance=f"cloudtrail:LookupEvents {event.operation}",
        confidence=0.9,
        evidence=event.evidence[:1],
    )
