"""Reads what the judgement of changes needs: events of a time, their history, configurations, demand, who relies on
what. Refusals become gaps of the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from graph.changes import effective
from graph.risk import by_hand
from graph.undoing.after import family
from graph.undoing.anatomy import named
from graph.undoing.known import Known, touched
from graph.undoing.restore import Restoration
from graph.words import say
from tools import topology
from tools.alarms import alarm
from tools.arn import is_arn
from tools.arn import parse as parse_arn
from tools.aws import Reader
from tools.catalogue import owner_arn, replaced_by, service_of, services, settings_in
from tools.cloudtrail import KEPT, Attribute, Found, clamp, event_names, lookup, resolve_people
from tools.config_history import recorded
from tools.errors import BadInput, CannotInvestigate
from tools.metrics import series, steps
from tools.models import AlarmUpdate, ChangeEvent, Metric, MetricStep, Resource, Version, Window
from tools.services._spec import MetricSpec
from tools.stacks import LONGEST, made_by_stack, operation_behind, run_by
from tools.versions import before as versions_before

MOST_RESOURCES = 20
"""Resources that are described, and whose history is asked by name."""
MOST_OPERATIONS = 24
"""Kinds of changes whose earlier events are asked by their name."""
PAGES = 100
READ_PAGES = 60
_WHOLE_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DEMAND = timedelta(hours=3)


@dataclass(slots=True)
class Look:
    """Events gathered so far, by id. One per account."""

    reader: Reader
    events: dict[str, ChangeEvent] = field(default_factory=dict)
    asked: set[tuple[str, str, str, datetime]] = field(default_factory=set)
    shut: set[str] = field(default_factory=set)  # regions whose trail is refused: not asked again

    def keep(self, found: Found) -> Found:
        for event in found.events:
            self.events.setdefault(event.id, event)
        return found

    def ask(self, attribute: tuple[Attribute, str], window: Window, region: str, pages: int) -> Found:
        """One question, once."""
        key = (*attribute, region, window.start)
        if key in self.asked or region in self.shut:
            return Found(events=(), complete=region not in self.shut, evidence=(), since=window.start)
        self.asked.add(key)
        found = lookup(self.reader, attribute=attribute, window=window, region=region, pages=pages)
        if not found.complete and len(found.evidence) < pages:
            self.shut.add(region)
        return self.keep(found)


def window_events(look: Look, window: Window, regions: Sequence[str]) -> tuple[ChangeEvent, ...]:
    """Every event of the window in these regions and in the partition's global region: changes first, reads after.

    Raises CannotInvestigate when CloudTrail answers in none of them.
    """
    reader = look.reader
    places = tuple(dict.fromkeys((*regions, reader.aws.global_region)))
    for region in places:
        found = look.ask(("ReadOnly", "false"), window, region, PAGES)
        if not found.complete and region not in look.shut:
            _cut(reader, "changes", region, clamp(window, reader.as_of).start, found)
    if set(places) <= look.shut:
        gap = next((one for one in reader.gaps if one.what == "CloudTrail events"), None)
        told = f"{gap.why.rstrip('.')}. {gap.lift}" if gap else say("CloudTrail does not answer.")
        raise CannotInvestigate(say("What was changed cannot be seen: {why}", why=told.strip()))
    for region in places:
        found = look.ask(("ReadOnly", "true"), window, region, READ_PAGES)
        if not found.complete and region not in look.shut:
            _cut(reader, "reads", region, clamp(window, reader.as_of).start, found)
    return tuple(look.events.values())


def _cut(reader: Reader, what: str, region: str, start: datetime, found: Found) -> None:
    reader.missing(
        what=say(
            "{what} in {region} before {since}",
            what=what,
            region=region,
            since=f"{found.since:%d %b %H:%M} UTC",
        ),
        why=say("the newest {count} were read", count=len(found.events)),
        would_show=say("{what} since {start}", what=what, start=f"{start:%d %b %H:%M} UTC"),
        lift=say("Ask for a shorter time."),
        code="Truncated",
    )


def find_event(look: Look, event_id: str, regions: Sequence[str]) -> ChangeEvent:
    """The event of this id, in these regions or the global one, 90 days back. Raises BadInput when there is none."""
    reader = look.reader
    wanted = event_id.strip()
    if not wanted or any(char.isspace() for char in wanted):
        raise BadInput(say('"{id}" is no event id. opsleuth changes prints them.', id=event_id))
    window = Window(start=reader.as_of - KEPT, end=reader.as_of + timedelta(minutes=1))
    places = tuple(dict.fromkeys((*regions, reader.aws.global_region)))
    for region in places:
        found = look.ask(("EventId", wanted), window, region, 1)
        for event in found.events:
            if event.id == wanted:
                return event
    if set(places) <= look.shut:
        gap = reader.gaps[-1]
        raise CannotInvestigate(
            say("The event cannot be read: {why}. {lift}", why=gap.why.rstrip("."), lift=gap.lift)
        )
    if not _WHOLE_ID.fullmatch(wanted):
        told = '"{id}" is no CloudTrail event id. Give the whole id, as opsleuth changes prints it: 36 characters.'
        raise BadInput(say(told, id=wanted))
    raise BadInput(
        say(
            'CloudTrail knows no event "{id}" in {places} in the last 90 days. Name its region with --region; '
            "the newest events take some minutes to appear.",
            id=wanted,
            places=" or ".join(places),
        )
    )


def around_event(look: Look, event: ChangeEvent) -> Known:
    """What is known around one event: what was there before, what came after, how it is now."""
    reader = look.reader
    history = Window(start=reader.as_of - KEPT, end=event.time)
    since = Window(start=event.time, end=reader.as_of)
    for window in (history, since):
        _history(look, [event], window)
    _operations(look, [event], event.time)
    return known(look, [event], demand=False)


def around_changes(look: Look, events: Iterable[ChangeEvent], window: Window) -> Known:
    """What is known around the changes of a window: as `around_event`, for the most telling of them."""
    told = effective(events)
    _operations(look, told, window.start)
    _history(look, told, Window(start=look.reader.as_of - KEPT, end=window.start))
    return known(look, told, demand=True)


def run_by_whom(look: Look, event: ChangeEvent) -> ChangeEvent:
    """An event that CloudFormation made, with whoever ran the stack operation as its actor, where one is seen."""
    if not made_by_stack(event):
        return event
    _operations(look, [event], event.time)
    found = operation_behind(event, look.events.values())
    if found is None:
        return event
    (found,) = with_people(look, [found])
    return run_by(event, found)


def _operations(look: Look, events: Sequence[ChangeEvent], until: datetime) -> None:
    """Stack operations of the hours before `until`, in the regions where one is missing behind an event."""
    seen = list(look.events.values())
    for region in dict.fromkeys(
        one.region for one in events if made_by_stack(one) and operation_behind(one, seen) is None
    ):
        window = Window(start=until - LONGEST, end=until)
        look.ask(("EventSource", "cloudformation.amazonaws.com"), window, region, 2)


MOST_PEOPLE = 5
"""Role sessions that are walked back to a person; each takes some lookups."""


def with_people(look: Look, events: Sequence[ChangeEvent]) -> tuple[ChangeEvent, ...]:
    """The events, those made by hand under a role with the person behind it where the history shows one."""
    unclear = [
        one for one in effective(events) if by_hand(one) and one.actor.kind in ("role", "other_account")
    ]
    found = {one.id: resolve_people(look.reader, one).actor for one in unclear[:MOST_PEOPLE]}
    return tuple(replace(one, actor=found[one.id]) if one.id in found else one for one in events)


def _history(look: Look, events: Sequence[ChangeEvent], window: Window) -> None:
    """Earlier or later events of the same things, by their names and by the kinds of changes that tell of them."""
    names: dict[tuple[str, str], None] = {}
    kinds: dict[tuple[str, str], None] = {}
    for event in events:
        own = [name for arn in touched(event)[:1] for name in (topology.stub(arn).name, arn)]
        own += list(named(event).values())[:2]
        names |= dict.fromkeys((name, event.region) for name in own if name)
        wanted = (*replaced_by(event), *(family(event.operation) if not replaced_by(event) else ()))
        kinds |= dict.fromkeys(
            (one, event.region) for each in sorted(set(wanted)) for one in event_names(each)
        )
    for name, region in list(names)[: 2 * MOST_RESOURCES]:
        look.ask(("ResourceName", name), window, region, 2)
    for name, region in list(kinds)[:MOST_OPERATIONS]:
        look.ask(("EventName", name), window, region, 2)


# -- configurations, demand, callers -----------------------------------------------------------------


def known(look: Look, events: Sequence[ChangeEvent], *, demand: bool) -> Known:
    """Everything that was read, for the pure part."""
    reader = look.reader
    arns = list(dict.fromkeys(arn for event in events for arn in touched(event)[:1] if is_arn(arn)))[
        :MOST_RESOURCES
    ]
    resources: dict[str, Resource] = {}
    gone: set[str] = set()
    for arn in arns:
        _describe(reader, arn, resources, gone)
    return Known(
        events=tuple(look.events.values()),
        resources=resources,
        gone=frozenset(gone),
        versions=_versions(reader, events, resources),
        demand=_demand(reader, events, resources) if demand else {},
        steps=_steps(reader, events, resources),
        updates=_updates(reader, resources),
        callers=_callers(reader, events) if demand else {},
        since=reader.as_of - KEPT,
    )


def _describe(reader: Reader, arn: str, resources: dict[str, Resource], gone: set[str]) -> None:
    service = service_of(arn)
    if service is None:
        return
    gaps = len(reader.gaps)
    with reader.seeing(say("{name} as it is now", name=arn), say("whether the change is still in force")):
        found = service.describe(reader, arn)
        if found is not None:
            resources[arn] = found
        elif len(reader.gaps) == gaps:
            gone.add(arn)


def _versions(
    reader: Reader, events: Sequence[ChangeEvent], resources: dict[str, Resource]
) -> tuple[Version, ...]:
    moments: dict[str, list[datetime]] = {}
    for event in events:
        for arn in touched(event)[:1]:
            if arn in resources and any(setting.versioned for _, setting in settings_in(event)):
                moments.setdefault(arn, []).append(event.time)
    made: list[Version] = []
    for arn in list(moments)[:4]:
        made.extend(versions_before(reader, resources[arn], moments[arn]))
    return tuple(made)


def recorded_items(look: Look, made: Restoration) -> tuple[Version, ...]:
    """AWS Config's items of what is not known of an event, where the recorder is on. Config holds years."""
    unknown = [one.setting for one in made.fields if one.setting is not None and not one.before_known]
    service = service_of(made.resource) if unknown else None
    if service is None:
        return ()
    stub = topology.stub(made.resource, look.reader.aws.account)
    return recorded(look.reader, stub, unknown, [made.event.time])


def _demand(
    reader: Reader, events: Sequence[ChangeEvent], resources: dict[str, Resource]
) -> dict[tuple[str, str], float]:
    """What was asked for in the three hours before each limit was changed: per second, or as a level."""
    found: dict[tuple[str, str], float] = {}
    for event in events:
        for _, setting in settings_in(event):
            arns = touched(event)[:1]
            if not setting.limits or not arns or (owner_arn(arns[0]), setting.limits) in found:
                continue
            owner = owner_arn(arns[0])
            metric = _metric(resources.get(owner) or topology.stub(owner), setting.limits)
            if metric is None:
                continue
            window = Window(start=event.time - _DEMAND, end=event.time)
            shown = series(reader, [metric], window, event.region).get(metric)
            if shown is not None and shown.points:
                values = [value for _, value in shown.points]
                level = sum(values) / window.seconds if metric.stat == "Sum" else sum(values) / len(values)
                found[(owner, setting.limits)] = level
    return found


def _steps(
    reader: Reader, events: Sequence[ChangeEvent], resources: dict[str, Resource]
) -> dict[tuple[str, str], tuple[MetricStep, ...]]:
    """Steps of the settings' own metrics around the events that set them: they show what was live before."""
    found: dict[tuple[str, str], tuple[MetricStep, ...]] = {}
    for event in events:
        for arn in touched(event)[:1]:
            resource = resources.get(arn)
            for _, setting in settings_in(event) if resource is not None else ():
                if setting.metric is None or resource is None:
                    continue
                if setting.metric.where is not None and not setting.metric.where(resource):
                    continue
                metric = _of_spec(resource, setting.metric)
                window = Window(start=event.time - _STEP, end=min(event.time + _STEP, reader.as_of))
                with reader.seeing(f"metric {setting.metric.name}", "what the setting was before"):
                    shown = series(reader, [metric], window, event.region).get(metric) if metric else None
                    told = steps(shown) if shown is not None else ()
                    own = tuple(replace(one, earliest=one.earliest - _TAKING_EFFECT) for one in told)
                    found[(arn, setting.path)] = (*found.get((arn, setting.path), ()), *own)
    return found


_STEP = timedelta(hours=2)
_TAKING_EFFECT = timedelta(seconds=60)


def _updates(
    reader: Reader, resources: dict[str, Resource]
) -> dict[str, tuple[tuple[AlarmUpdate, ...], tuple[str, ...]]]:
    """The alarms' own histories of their configuration, 30 days back."""
    found: dict[str, tuple[tuple[AlarmUpdate, ...], tuple[str, ...]]] = {}
    for arn, resource in resources.items():
        if resource.type == "alarm":
            with reader.seeing(f"history of alarm {resource.name}", "what it was before"):
                one = alarm(reader, resource.name, resource.region)
                if one is not None:
                    found[arn] = (one.updates, one.evidence)
    return found


def _of_spec(resource: Resource, spec: MetricSpec) -> Metric | None:
    service = services().get(resource.service)
    if service is None or not service.dimensions_of(spec, resource):
        return None
    return Metric(
        namespace=service.namespace_of(spec),
        name=spec.name,
        dimensions=service.dimensions_of(spec, resource),
        stat=spec.stat,
        period=spec.period,
    )


def _metric(resource: Resource, name: str) -> Metric | None:
    service = services().get(resource.service)
    for spec in service.metrics if service is not None else ():
        if spec.name == name and spec.type == resource.type:
            found = _of_spec(resource, spec)
            return replace(found, period=max(spec.period, 300)) if found is not None else None
    return None


def _callers(reader: Reader, events: Sequence[ChangeEvent]) -> dict[str, int]:
    """How many resources rely on each that was changed by hand, near it."""
    wanted = [
        owner_arn(arn) for event in events if by_hand(event) for arn in touched(event)[:1] if is_arn(arn)
    ]
    start = [arn for arn in dict.fromkeys(wanted) if service_of(arn) is not None][:MOST_RESOURCES]
    if not start:
        return {}
    found = topology.around(reader, start, radius=2, most=100)
    return {arn: len(topology.upstream(found, arn)) for arn in start}


def near(reader: Reader, arn: str) -> frozenset[str]:
    """The resource with what it relies on and who relies on it, two relations far. Raises BadInput for no ARN."""
    parse_arn(arn)
    return frozenset({arn, *(one.arn for one in topology.around(reader, [arn], radius=2).resources)})
