"""How a hypothesis moved its setting: from what, to what, told by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from graph.facts import Facts, SettingStep
from graph.models import Hypothesis
from tools.cloudtrail_touch import touched_by
from tools.history import HIDDEN, Prior, prior, requested, same
from tools.models import AlarmUpdate, ChangeEvent, MetricStep, Resource, Value
from tools.services._spec import Setting

Direction = Literal["lowered", "raised", "removed", "changed", "same", "unknown"]
"""changed: to another text, of which none is more or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One setting's move. `after` is the value that was set, as far as it is known."""

    setting: Setting
    after: Value
    after_known: bool
    prior: Prior
    direction: Direction


def event_of(facts: Facts, hypothesis: Hypothesis) -> ChangeEvent | None:
    """The change event of a hypothesis."""
    return (
        next((item for item in facts.changes if item.id == hypothesis.event), None)
        if hypothesis.event
        else None
    )


SLACK = timedelta(minutes=10)
"""A setting's metric comes every five minutes and may lag behind the change by as much."""


def step_of(facts: Facts, hypothesis: Hypothesis) -> SettingStep | None:
    """The step of the setting's own metric that is this hypothesis's: the one around its event, or without an event
    the last one that began before the symptom was in full."""
    steps = [
        item
        for item in facts.steps
        if item.resource == hypothesis.resource and item.setting == hypothesis.setting
    ]
    event = event_of(facts, hypothesis)
    if event is None:
        before = [one for one in steps if facts.onset is None or one.step.earliest <= facts.onset.latest]
        return (before or steps)[-1] if steps else None
    near = [one for one in steps if one.step.earliest - SLACK <= event.time <= one.step.latest + SLACK]
    return min(near, key=lambda one: _off(one.step, event.time), default=None)


def _off(step: MetricStep, moment: datetime) -> timedelta:
    """How far a moment lies outside a step's interval."""
    return max(step.earliest - moment, moment - step.latest, timedelta(0))


def move(facts: Facts, hypothesis: Hypothesis) -> Move | None:
    """The move of a hypothesis's setting, or None when it has no setting."""
    resource = facts.resource(hypothesis.resource)
    setting = facts.setting(hypothesis.resource, hypothesis.setting) if hypothesis.setting else None
    if resource is None or setting is None:
        return None
    event = event_of(facts, hypothesis)
    step = step_of(facts, hypothesis)
    stepped = step.step if step else None
    updates, told = _alarm_history(facts, resource)
    twins = facts.twins(resource.arn, setting)

    def touched(one: ChangeEvent, what: Resource) -> bool:
        return any(touched_by(one, same) for same in (what, *twins))

    before = prior(setting, resource, event, facts.changes, stepped, updates, told, facts.versions, touched)
    known, after = requested(event, setting) if event else (False, None)
    if event is not None and after == HIDDEN and not setting.hidden:
        after = _present(facts, resource, setting, event)
    if not known and step is not None:
        known, after = True, whole(step.step.after)
    if not known:
        after = facts.current(hypothesis.resource, hypothesis.setting)
        known = after is not None
    known = known and after != HIDDEN and not setting.hidden
    return Move(
        setting=setting,
        after=whole(after) if isinstance(after, float) else after,
        after_known=known,
        prior=before,
        direction=_direction(before, after, known, setting),
    )


def _present(facts: Facts, resource: Resource, setting: Setting, event: ChangeEvent) -> Value:
    """What CloudTrail hides and the configuration shows: the value that is there now, if no later event set another."""
    later = any(
        one.time > event.time
        and not one.error_code
        and requested(one, setting)[0]
        and touched_by(one, resource)
        for one in facts.changes
    )
    now = facts.current(resource.arn, setting.path)
    return HIDDEN if later or now is None else now


def untold(facts: Facts, event: ChangeEvent, resource: Resource) -> tuple[Setting, ...]:
    """Settings that the event's request holds and of which nothing tells whether and how they moved."""
    found = []
    for setting in facts.settings_of(resource):
        if requested(event, setting)[0]:
            guess = Hypothesis(
                id="", kind="change", title="", resource=resource.arn, setting=setting.path, event=event.id
            )
            what = move(facts, guess)
            if what is not None and what.direction == "unknown":
                found.append(setting)
    return tuple(found)


def _alarm_history(facts: Facts, resource: Resource) -> tuple[tuple[AlarmUpdate, ...], tuple[str, ...]]:
    alarm = facts.incident.alarm
    if alarm is None or alarm.arn != resource.arn:
        return (), ()
    return alarm.updates, alarm.evidence


def whole(value: float) -> Value:
    return int(value) if value == int(value) else value


def is_document(value: Value) -> bool:
    """Nothing for a sentence: policies and other documents."""
    return isinstance(value, str) and (len(value) > 80 or value.startswith(("{", "[")))


def is_unlimited(value: Value, setting: Setting) -> bool:
    """Whether the value says "no limit": not set at all, or AWS's -1. Other settings have a default when unset."""
    return value == -1 == setting.unset or (value is None and setting.unset in (None, -1))


def as_number(value: Value, setting: Setting) -> float | None:
    """A setting's value as a number; "no limit" counts as infinite, what is not set as its default."""
    if is_unlimited(value, setting):
        return float("inf")
    told = setting.unset if value is None else value
    try:
        return float(told) if told is not None else None
    except ValueError:
        return None


def _direction(before: Prior, after: Value, known: bool, setting: Setting) -> Direction:
    if not before.known or not known:
        return "unknown"
    if same(before.value, after, setting):
        return "same"
    old, new = as_number(before.value, setting), as_number(after, setting)
    if isinstance(before.value, str) and after in (None, ""):
        return "removed"
    if old is None or new is None:
        return "changed"
    if old == new:
        return "same"
    return "lowered" if new < old else "raised"
