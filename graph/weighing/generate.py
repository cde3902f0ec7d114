"""Which causes are possible at all. Generous: the tests do the sorting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from graph.facts import Facts
from graph.models import CauseKind, Hypothesis
from graph.undoing.after import OPPOSITES, REPLACES
from graph.undoing.anatomy import opened, things_in, verb
from graph.weighing.dose import below_demand
from graph.weighing.mechanism import together
from graph.weighing.moves import Move, as_number, is_document, move, step_of
from graph.weighing.season import job_of
from graph.weighing.witness import about
from graph.words import say
from tools.catalogue import change_of, changed_alike
from tools.cloudtrail import is_noise, touched_by
from tools.evidence import canonical
from tools.history import requested
from tools.models import ChangeEvent, Resource
from tools.services._spec import Setting

_NAMING = re.compile(r"(?:id|name|arn)s?$", re.IGNORECASE)
_MACHINES = frozenset({"role", "aws_service", "service_linked_role"})
CARRYING_OUT = timedelta(hours=1)
"""How long after it was asked for a rotation may take: its function runs up to 15 minutes for each of four steps."""
AFTER = timedelta(minutes=15)
"""Changes up to this long after the onset are listed, to be ruled out by their time."""


def hypotheses(facts: Facts) -> tuple[Hypothesis, ...]:
    """All possible causes that the facts suggest, "not visible to me" last. Ids are stable between runs."""
    found: list[Hypothesis] = []
    found.extend(_changes(facts))
    found.extend(_unseen_changes(facts, found))
    found.extend(_conditions(facts))
    found.extend(_traffic(facts))
    found.append(
        Hypothesis(id="outside", kind="outside", title=say("something that opsleuth cannot see"), resource="")
    )
    return tuple({item.id: item for item in found}.values())


def _changes(facts: Facts) -> Iterator[Hypothesis]:
    onset = facts.onset
    latest = (onset.latest if onset else facts.as_of) + AFTER
    oldest = facts.began - timedelta(hours=facts.lookback)
    superseded: set[tuple[str, str]] = set()
    for event in sorted(facts.changes, key=lambda item: (item.time, item.id), reverse=True):
        if event.error_code or event.read_only or is_noise(event) or not oldest <= event.time <= latest:
            continue
        if _carries_out(facts, event):
            continue
        for hypothesis in _of_event(facts, event):
            key = (hypothesis.resource, hypothesis.setting or f"event:{event.operation} {_object(event)}")
            before = onset is None or event.time <= onset.latest
            if before and key in superseded:
                continue
            if before:
                superseded.add(key)
            yield hypothesis


def _carries_out(facts: Facts, event: ChangeEvent) -> bool:
    """Whether a role's call only carries out what somebody asked for: the steps of a rotation."""
    known = change_of(event)
    if known is None or not known.follows or event.actor.kind not in _MACHINES:
        return False
    touched = set(known.touches(event)[:1])
    return any(
        one.operation in known.follows
        and event.time - CARRYING_OUT <= one.time <= event.time
        and not one.error_code
        and touched & set(_touches(one))
        for one in facts.changes
    )


def _object(event: ChangeEvent) -> str:
    """What the request names: a later call of the same kind replaces an earlier one only on the same thing.

    Calls that move nothing, such as tagging, replace nothing either: each is told, and ruled out.
    """
    known = change_of(event)
    if known is not None and known.inert:
        return event.id
    if verb(event.operation)[0] in _ITEM_BY_ITEM:
        return canonical(event.request)
    named = (
        f"{key}={value}"
        for key, value in sorted(event.request.items())
        if isinstance(value, str) and key.lower().endswith(("name", "arn", "id")) and key != "revisionId"
    )
    inside = (f"{key}={value}" for one in things_in(event.request) for key, value in one.items())
    return " ".join((*named, *inside))


_ITEM_BY_ITEM = frozenset(OPPOSITES) - {*REPLACES, "Start", "Stop"}
"""These give or take one thing of many, such as a rule, and leave what an earlier one gave or took as it is."""


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    found = change_of(event)
    return found.touches(event) if found else ()


def _touched(facts: Facts, event: ChangeEvent) -> tuple[Resource, ...]:
    """The known resources that an event touches: the changed thing first; where that is not known, what the request
    itself names before what only its parts refer to, then the nearest to the symptom."""
    told = [found for arn in _touches(event) if (found := facts.resource(arn)) is not None]
    named = [item for item in facts.resources if item not in told and touched_by(event, item)]
    symptom = facts.incident.resource

    said = {value for value in opened(event.request).values() if isinstance(value, str)}

    def distance(item: Resource) -> tuple[bool, int, str]:
        ways = [way for way in (facts.path(symptom, item.arn), facts.path(item.arn, symptom)) if way]
        return not said & {item.arn, item.name}, min((len(way) for way in ways), default=99), item.arn

    return (*told, *sorted(named, key=distance))


def _of_event(facts: Facts, event: ChangeEvent) -> Iterator[Hypothesis]:
    """The settings that the event moved; the event as a whole where none is known to have moved."""
    touched = _touched(facts, event)
    found = (
        [one for resource in touched for one in _settings(facts, event, resource)] if not _made(event) else []
    )
    yield from _furthest(facts, event, found)
    if touched and not found:
        yield _whole_event(event, touched[0], _kind(facts, touched[0]))


def _made(event: ChangeEvent) -> bool:
    """Whether an event made what had nothing before, and what takes it away is known."""
    known = change_of(event)
    return event.operation.startswith("Create") and known is not None and known.undo is not None


def _furthest(facts: Facts, event: ChangeEvent, found: list[Hypothesis]) -> list[Hypothesis]:
    """Of a setting that one request gave to several resources, each its own value: the one that moved furthest.

    Where a rule is put first, those that make room for it move by little. They are one cause, and go back together.
    """
    alike = set(changed_alike(event))
    several = [one for one in found if one.resource in alike]
    return [
        one
        for one in found
        if one.resource not in alike
        or one is max((each for each in several if each.setting == one.setting), key=partial(_way, facts))
    ]


def _way(facts: Facts, hypothesis: Hypothesis) -> float:
    """How far a setting was moved; 0 where that is not known."""
    what = move(facts, hypothesis)
    if what is None or not what.prior.known or not what.after_known:
        return 0.0
    old, new = as_number(what.prior.value, what.setting), as_number(what.after, what.setting)
    return abs(new - old) if old is not None and new is not None else 0.0


def _kind(facts: Facts, resource: Resource) -> CauseKind:
    return "alarm_changed" if _is_the_alarm(facts, resource) else "change"


def _settings(facts: Facts, event: ChangeEvent, resource: Resource) -> Iterator[Hypothesis]:
    kind = _kind(facts, resource)
    made: list[tuple[Hypothesis, Move]] = []
    repeated: list[tuple[Hypothesis, Move]] = []
    for setting in facts.settings_of(resource):
        if not requested(event, setting)[0]:
            continue
        guess = Hypothesis(
            id=f"{kind}:{event.id}:{setting.path}",
            kind=kind,
            title="",
            resource=_nearest(facts, resource, setting).arn,
            setting=setting.path,
            event=event.id,
        )
        what = move(facts, guess)
        if what is not None:
            (repeated if what.direction == "same" else made).append((guess, what))
    if not made and _says_nothing_else(event, [what.setting for _, what in repeated]):
        made = repeated[:1]
    known = [pair for pair in made if pair[1].direction != "unknown"]
    # A request that repeats the whole configuration moves only what it is known to move.
    for guess, what in known or (made if len(made) == 1 else []):
        yield guess.model_copy(update={"title": _title(resource, what.setting, what)})


def _nearest(facts: Facts, resource: Resource, setting: Setting) -> Resource:
    """Where AWS keeps the same value on several: the one on which the symptom shows, else the one that was named."""
    symptom = facts.incident.resource
    twins = facts.twins(resource.arn, setting)
    if resource.arn == symptom or not twins:
        return resource
    here = [one for one in twins if one.region == facts.incident.region and one.account == resource.account]
    return next(iter([one for one in here if one.arn == symptom] or here), resource)


def _says_nothing_else(event: ChangeEvent, settings: list[Setting]) -> bool:
    """Whether a request sets these settings and, beside what it names, nothing more."""
    told = {setting.requests.get(event.operation, "").split(".", 1)[0] for setting in settings}
    return bool(settings) and all(key in told or _NAMING.search(key) for key in event.request)


def _whole_event(event: ChangeEvent, resource: Resource, kind: CauseKind) -> Hypothesis:
    return Hypothesis(
        id=f"{kind}:{event.id}",
        kind=kind,
        title=say(
            "{operation} on {kind} {name}", operation=event.operation, kind=resource.type, name=resource.name
        ),
        resource=resource.arn,
        event=event.id,
    )


def _is_the_alarm(facts: Facts, resource: Resource) -> bool:
    return facts.incident.alarm is not None and facts.incident.alarm.arn == resource.arn


def _title(resource: Resource, setting: Setting, what: Move) -> str:
    shapes = {
        "lowered": "{setting} of {name} lowered to {value}",
        "raised": "{setting} of {name} raised to {value}",
        "removed": "{setting} of {name} removed",
    }
    shape = shapes.get(what.direction, "{setting} of {name} set to {value}")
    if isinstance(what.after, bool):
        shape = "{setting} of {name} switched on" if what.after else "{setting} of {name} switched off"
    elif not what.after_known or is_document(what.after):
        shape = "{setting} of {name} changed"
    return say(shape, setting=setting.name, name=resource.name, value=what.after)


def _unseen_changes(facts: Facts, found: list[Hypothesis]) -> Iterator[Hypothesis]:
    """Settings that changed though no event is visible: by the word of their own metric, of an error text, or because
    they now refuse what was served before.
    """
    seen = {(item.resource, item.setting) for item in found if item.setting}
    seen |= {(item.resource, what.setting.path) for item in found for what in together(facts, item)}
    for step in facts.steps:
        key = (step.resource, step.setting)
        if key not in seen:
            seen.add(key)
            yield from _setting_hypothesis(facts, *key)
    for resource in facts.resources:
        for setting in facts.settings_of(resource):
            key = (resource.arn, setting.path)
            if setting.limits and key not in seen and below_demand(facts, _guess(*key)):
                seen.add(key)
                yield from _setting_hypothesis(facts, *key)
    for pattern in facts.patterns:
        signature = facts.signature(pattern)
        if signature is None or not facts.louder(pattern):
            continue
        for resource in facts.resources:
            key = (resource.arn, signature.points_to)
            if key in seen or facts.setting(*key) is None or not about(facts, pattern, resource.arn):
                continue
            seen.add(key)
            yield from _setting_hypothesis(facts, *key)


def _setting_hypothesis(facts: Facts, arn: str, path: str) -> Iterator[Hypothesis]:
    resource, setting = facts.resource(arn), facts.setting(arn, path)
    if resource is None or setting is None:
        return
    made = _guess(arn, path)
    what = move(facts, made)
    if what is None:
        return
    title = _title(resource, setting, what)
    if step_of(facts, made) is None and below_demand(facts, made):
        shape = "{setting} of {name} is {value}, below the demand that was served before"
        title = say(shape, setting=setting.name, name=resource.name, value=what.after)
    elif step_of(facts, made) is None:  # only an error text names it: that it was moved is not told
        title = say("{setting} of {name}, reached or changed", setting=setting.name, name=resource.name)
    yield made.model_copy(update={"title": title})


def _guess(arn: str, path: str) -> Hypothesis:
    return Hypothesis(id=f"setting:{arn}:{path}", kind="setting", title="", resource=arn, setting=path)


def _conditions(facts: Facts) -> Iterator[Hypothesis]:
    for resource in facts.resources:
        for condition in facts.conditions_of(resource):
            if condition.excluded is not None and condition.excluded(resource):
                continue
            moved = [
                name for name in condition.metrics if (m := facts.metric(resource.arn, name)) and m.moved
            ]
            named = any(
                (found := facts.signature(pattern)) is not None
                and found.points_to == condition.key
                and facts.louder(pattern)
                and about(facts, pattern, resource.arn)
                for pattern in facts.patterns
            )
            if condition.scheduled:
                moved, named = moved if job_of(facts, resource.arn) is not None else [], False
            if moved or named or (condition.shown is not None and condition.shown(resource)):
                yield Hypothesis(
                    id=f"condition:{resource.arn}:{condition.key}",
                    kind="condition",
                    title=say("{title} on {name}", title=condition.title, name=resource.name),
                    resource=resource.arn,
                    condition=condition.key,
                )


def _traffic(facts: Facts) -> Iterator[Hypothesis]:
    entry = entry_point(facts)
    if entry:
        yield Hypothesis(
            id=f"traffic:{entry}",
            kind="traffic",
            title=say("more requests to {name} than before", name=facts.name(entry)),
            resource=entry,
        )


def entry_point(facts: Facts) -> str:
    """The resource furthest upstream of the symptom whose demand is measured: where traffic enters."""
    order = [facts.incident.resource, *facts.upstream(facts.incident.resource)]
    measured = [arn for arn in order if any(item.before is not None for item in facts.role(arn, "demand"))]
    return measured[-1] if measured else ""
