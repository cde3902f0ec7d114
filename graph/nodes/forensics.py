"""CloudTrail changes near the resources: who, how, when, and the earlier ones that tell the value before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from langgraph.runtime import Runtime

from graph.changed_parts import changed_parts, described_part, kept
from graph.claims import who
from graph.context import Context
from graph.desk import Desk, desk
from graph.earlier_values import config_items, versions
from graph.facts import Facts
from graph.former import LED_TO, former
from graph.places import away
from graph.refuting import Question
from graph.state import State, Trail, dump_all, load
from graph.touching import touches
from graph.words import stamp
from tools.aws import Reader
from tools.catalogue import change_of, replaced_by, settings_in
from tools.cloudtrail import (
    Changes,
    changes,
    cited,
    complete_until,
    is_noise,
    joined,
    lookup,
    resolve_people,
    toucher,
)
from tools.models import ChangeEvent, Resource, Window
from tools.stacks import LONGEST, made_by_stack, operation_behind, run_by

NEAR = 8
MOST_PEOPLE = 5
"""At most this many role sessions are walked back to a person."""


def forensics(state: State, *, runtime: Runtime[Context]) -> Trail | dict[str, object]:
    """Read the changes of the window in the incident's and the global region, and the history of the near resources."""
    if "forensics" not in state["tasks"]:
        return {}
    with desk(state, runtime, "forensics") as work:
        facts = Facts.of(state)
        asked = load(Question, state["question"]).resources if state.get("question") else ()
        found = _read(work, facts, state["lookback"], asked)
        if found is None and facts.changes:
            return {**work.findings()}  # over budget: what an earlier look saw stays
        read = found
        facts, found = _led(work, facts, found)
        until = found.complete_until if found else complete_until(facts.as_of)
        reactions = [event for event in found.noise if settings_in(event)] if found else []
        near = _near(facts, (*found.events, *reactions)) if found else []
        refused = _near(facts, found.denied_attempts) if found else []
        runs = found.events if found else ()
        events = [_told(work, facts, event, runs) for event in near]
        attempts = [cited(work.reader, event) for event in refused]
        for event in attempts:
            work.tell(
                "observation",
                "{who} tried {operation} at {time_} and was refused ({code}): it changed nothing.",
                who=who(event), operation=event.operation, time_=stamp(event.time), code=event.error_code,
                evidence=event.evidence[:1], time=event.time,
            )  # fmt: skip
        return Trail(
            changes=dump_all(events),
            denied=dump_all(attempts),
            others=dump_all(_in_short(read, near)) if read else [],
            parts=dump_all(
                [*kept(facts, state), *changed_parts(work.reader, facts, events, seen=found is not None)]
            ),
            formerly=dump_all([one for one in facts.relations if one.kind == LED_TO]),
            aside=sorted(facts.aside),
            versions=dump_all(
                [*versions(work.reader, facts, events), *config_items(work.reader, facts, events)]
            ),
            histories=[one.arn for one in _own(facts, asked)[: NEAR + len(asked)]],
            trail_visible=found is not None,
            complete_until=until.isoformat(),
            **work.findings(),
        )


def _own(facts: Facts, asked: Sequence[str]) -> list[Resource]:
    """What lies in the run's own account and region: those first that a round is to decide by, then by distance."""
    order = [found for arn in asked if (found := facts.resource(arn)) is not None]
    order += [one for one in _by_distance(facts) if one not in order]
    return [one for one in order if away(facts, one) is None]


def _read(work: Desk, facts: Facts, lookback: int, asked: Sequence[str] = ()) -> Changes | None:
    begin = facts.began
    window = Window(start=begin - timedelta(hours=lookback), end=facts.as_of)
    regional, worldwide = _operations(facts)
    found: list[Changes] = []  # empty when CloudTrail refuses: `seeing` keeps the gap and goes on
    with work.reader.seeing("CloudTrail events", "who changed what and when, and the values set before"):
        found.append(
            changes(
                work.reader,
                resources=_own(facts, asked),
                window=window,
                operations=regional,
                global_operations=worldwide,
                touches=touches,
                replaces=replaced_by,
                near=NEAR + len(asked),
            )
        )
    hidden = any(gap.code.startswith(("AccessDenied", "Denied")) for gap in work.reader.gaps)
    if not found or (hidden and not found[0].events):
        return None
    return joined(found[0], list(_elsewhere(work, facts, window)))


def _led(work: Desk, facts: Facts, found: Changes | None) -> tuple[Facts, Changes | None]:
    """With what led to the symptom until it was changed, and the events that tell so."""
    if found is None:
        return facts, found
    led = former(work.reader, facts, found.events, lambda arn: described_part(work.reader, arn))
    known = {one.id for one in found.events}
    events = sorted(
        (*found.events, *(one for one in led.events if one.id not in known)),
        key=lambda one: (one.time, one.id),
    )
    return (
        replace(
            facts,
            resources=(*facts.resources, *led.resources),
            relations=(*facts.relations, *led.relations),
            aside=facts.aside | led.aside,
        ),
        replace(found, events=tuple(events)),
    )


MOST_PLACES = 4
"""At most so many other accounts and regions are asked what was changed there."""
FEWER_PAGES = 6
FEWER_NEAR = 4


def _elsewhere(work: Desk, facts: Facts, window: Window) -> Iterator[Changes]:
    """What was changed of known resources in other accounts and regions, the nearest first; nothing else is kept."""
    places: dict[tuple[str, str], list[Resource]] = {}
    for resource in _by_distance(facts):
        if (place := away(facts, resource)) is not None:
            places.setdefault(place, []).append(resource)
    for (account, region), there in list(places.items())[:MOST_PLACES]:
        names = ", ".join(one.name for one in there[:FEWER_NEAR])
        what = f"CloudTrail events of account {account} in {region}"
        with work.reader.seeing(what, f"who changed {names}, and the values set before"):
            read = changes(
                work.reader.at(account, region),
                resources=there,
                window=window,
                touches=touches,
                replaces=replaced_by,
                pages=FEWER_PAGES,
                near=FEWER_NEAR,
                worldwide=False,
            )
            yield _of(read, there)


def _of(read: Changes, there: Sequence[Resource]) -> Changes:
    """Only what touches these resources: of other accounts nothing else is kept."""
    named = toucher(there)
    known = {one.arn for one in there}

    def near(events: Sequence[ChangeEvent]) -> tuple[ChangeEvent, ...]:
        return tuple(one for one in events if known & set(touches(one)) or named(one))

    return replace(
        read,
        events=near(read.events),
        denied_attempts=near(read.denied_attempts),
        noise=near(read.noise),
    )


MOST_OPERATIONS = 8


def _operations(facts: Facts) -> tuple[list[str], list[str]]:
    """Operations that set something on the symptom's resource or its alarm: asked by name, for events name resources
    unreliably (PutMetricAlarm lists none at all)."""
    alarm = [facts.incident.alarm.arn] if facts.incident.alarm else []
    regional: list[str] = []
    worldwide: list[str] = []
    for arn in (facts.incident.resource, *alarm):
        resource = facts.resource(arn)
        service = facts.service(resource) if resource else None
        if resource is not None and service is not None:
            names = [name for setting in facts.settings_of(resource) for name in setting.requests]
            (worldwide if service.global_region else regional).extend(names)
    return list(dict.fromkeys(regional))[:MOST_OPERATIONS], list(dict.fromkeys(worldwide))[:MOST_OPERATIONS]


def _by_distance(facts: Facts) -> list[Resource]:
    """The symptom first, then what it relies on, then who relies on it."""
    symptom = facts.incident.resource
    alarm = [facts.incident.alarm.arn] if facts.incident.alarm else []
    order = [symptom, *alarm, *facts.downstream(symptom), *facts.upstream(symptom)]
    order += [resource.arn for resource in facts.resources]
    found = (facts.resource(arn) for arn in dict.fromkeys(order))
    return [resource for resource in found if resource is not None]


def _near(facts: Facts, events: tuple[ChangeEvent, ...]) -> list[ChangeEvent]:
    """Events on a known resource, oldest first."""
    known, named = {resource.arn for resource in facts.resources}, toucher(facts.resources)
    kept = [event for event in events if known & set(touches(event)) or named(event)]
    return sorted(kept, key=lambda event: (event.time, event.id))


MOST_OTHERS = 150


def _in_short(found: Changes, kept: Sequence[ChangeEvent]) -> list[ChangeEvent]:
    """The newest other changes, with as much as a policy or an event pattern looks at. People's come first."""
    near = {event.id for event in kept}
    apart = [event for event in (*reversed(found.events), *reversed(found.noise)) if event.id not in near]
    return [
        replace(
            event,
            request={key: value for key, value in event.request.items() if isinstance(value, str | int)},
            response={},
            error_message="",
            evidence=(),
            actor=replace(event.actor, user_agent="", session="", access_key_id=""),
        )
        for event in apart[:MOST_OTHERS]
    ]


_FOLLOWED = frozenset({"role", "iam_user", "other_account"})


def _told(work: Desk, facts: Facts, event: ChangeEvent, others: Sequence[ChangeEvent]) -> ChangeEvent:
    """The event with evidence of its own, its actor followed to a person when it is near the onset.

    `others`: where the stack operation behind a call of CloudFormation may be.
    """
    if is_noise(event):
        return event
    own = cited(work.reader, event)
    begin = facts.onset.earliest if facts.onset else facts.as_of
    known = change_of(event)
    dull = known is not None and known.inert and event.actor.how != "console"
    if dull or not begin - timedelta(hours=24) <= event.time <= facts.as_of:
        return own
    with work.reader.seeing(f"CloudTrail events of account {event.account}", "who took the role"):
        own = actor_behind(work.reader.at(event.account), own, others)
    work.tell(
        "observation",
        "{time_}: {who} called {operation}.",
        time_=stamp(event.time), time=event.time, who=who(own), operation=event.operation, evidence=own.evidence[:1],
    )  # fmt: skip
    return own


def actor_behind(reader: Reader, event: ChangeEvent, others: Sequence[ChangeEvent]) -> ChangeEvent:
    """The event with the person behind its role; of a call that CloudFormation made, with whoever ran the operation.

    The operation is asked for where `others` do not hold it. Unchanged where the history shows nobody.
    """
    if event.actor.kind in _FOLLOWED:
        people = resolve_people(reader, event)
        return replace(event, actor=people.actor, evidence=(*event.evidence, *people.evidence))
    if not made_by_stack(event):
        return event
    operation = operation_behind(event, others) or _asked(reader, event)
    if operation is None:
        return event
    own = cited(reader, operation) if operation.evidence else operation
    return run_by(event, actor_behind(reader, own, ()))


def _asked(reader: Reader, event: ChangeEvent) -> ChangeEvent | None:
    found: list[ChangeEvent] = []
    with reader.seeing("stack operations", "who ran the stack operation"):
        window = Window(start=event.time - LONGEST, end=event.time)
        found += lookup(
            reader,
            attribute=("EventSource", "cloudformation.amazonaws.com"),
            window=window,
            region=event.region,
            pages=2,
        ).events
    return operation_behind(event, found)
