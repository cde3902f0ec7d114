"""Parts of resources (stages, aliases, rules) that changes touch, or that hold a limit: read when forensics asks."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import timedelta

from graph.facts import Facts
from graph.former import LED_TO
from graph.parts import limited_parts
from graph.state import State, load_all
from graph.touching import touches
from tools.aws import Reader
from tools.catalogue import change_of, service_of, settings_of, type_of
from tools.models import ChangeEvent, Resource
from tools.topology import stub

MOST_PARTS = 6


def kept(facts: Facts, state: State) -> list[Resource]:
    """Resources that are known only because they led to the symptom, and parts that an earlier look read."""
    led = {one.source for one in facts.relations if one.kind == LED_TO}
    led |= {one.arn for one in load_all(Resource, state.get("parts"))}
    return [one for one in facts.resources if one.arn in led]


def changed_parts(
    reader: Reader, facts: Facts, events: Sequence[ChangeEvent], *, seen: bool
) -> list[Resource]:
    """Parts that changes name; where no change is visible, those that may hold a limit which somebody lowered."""
    return parts(reader, facts, events) if seen else limited(reader, facts)


def limited(reader: Reader, facts: Facts) -> list[Resource]:
    """The parts with limits of what lies on the symptom's path, its own first. For where no event can name them."""
    symptom = facts.incident.resource
    way = dict.fromkeys((symptom, *facts.downstream(symptom), *facts.upstream(symptom)))
    wanted = [part for arn in way for part in limited_parts(facts, arn) if facts.resource(part) is None]
    return [described_part(reader, arn, "the limits that are in force") for arn in wanted[:MOST_PARTS]]


def parts(reader: Reader, facts: Facts, events: Sequence[ChangeEvent]) -> list[Resource]:
    """The parts of known resources (stages, aliases, integrations) that changes near the onset touch, newest first.

    Topology knows only the wholes. What cannot be read stays as its ARN tells it.
    """
    begin = facts.began
    recent = [event for event in reversed(events) if event.time >= begin - timedelta(hours=facts.lookback)]
    touched = dict.fromkeys(arn for event in recent for arn in touches(event))
    changed = {arn for event in recent for arn in touches(event)[:1] if _breaks(event)}
    wanted = [arn for arn in touched if _is_unknown_part(facts, arn, changed)]
    return [described_part(reader, arn) for arn in wanted[:MOST_PARTS]]


def _breaks(event: ChangeEvent) -> bool:
    known = change_of(event)
    return known is not None and not known.inert and not event.error_code


def _is_unknown_part(facts: Facts, arn: str, changed: Container[str]) -> bool:
    """Whether an ARN names a part of a known resource, of a kind that has settings or that was changed as a whole."""
    unknown = facts.resource(arn) is None and facts.holder(arn) != arn
    return unknown and (arn in changed or bool(settings_of(type_of(arn))))


def described_part(reader: Reader, arn: str, shows: str = "what the change left behind") -> Resource:
    found, service = stub(arn, reader.aws.account), service_of(arn)
    if service is not None:
        with reader.seeing(f"{service.title}: {found.type} {found.name}", shows):
            found = service.describe(reader, arn) or found
    return found
