"""The value of a setting before a change: from several sources, cross-checked, never guessed.

What to trust, best first, and why: AWS's answer to the change itself, where it shows the value before; the
alarm's own history; the setting's metric, for it shows what was live; an earlier request, for it is only what
was asked; a published version, for the live thing may have moved on since. Two sources that agree outweigh
one that is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.cloudtrail_touch import touched_by
from tools.models import (
    AlarmUpdate,
    ChangeEvent,
    Gap,
    MetricStep,
    PriorKind,
    PriorSource,
    Resource,
    Value,
    Version,
)
from tools.services._spec import Setting
from tools.setting_values import HIDDEN, as_value, current, number, requested, same, search, show, whole

__all__ = ["HIDDEN", "Drift", "Prior", "current", "drift", "prior", "requested", "same"]

_TRUST: tuple[PriorKind, ...] = (
    "same_event",
    "alarm_history",
    "config_history",
    "metric",
    "previous_event",
    "version",
    "template",
)
_SLACK = timedelta(minutes=10)  # a setting's metric comes every five minutes and late


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The value before a change, with every source found, best first. Without sources it is unknown: see
    `gap`.
    """

    value: Value
    sources: tuple[PriorSource, ...]
    agreed: bool  # two sources or more, and all say the same
    conflict: str  # "" or a sentence: who says what, and which was taken and why
    gap: Gap | None
    superseded: tuple[ChangeEvent, ...] = ()  # later changes of the same setting, oldest first

    @property
    def known(self) -> bool:
        """Whether `value` is a fact; None as a value means "not set"."""
        return bool(self.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What a setting is now beside what the change made it."""

    now: Value
    bad: Value
    changed_again: bool
    by: ChangeEvent | None  # the newest later change of it, when one is visible


Touched = Callable[[ChangeEvent, Resource], bool]


def prior(
    setting: Setting,
    resource: Resource,
    change: ChangeEvent | None,
    earlier: Sequence[ChangeEvent],
    step: MetricStep | None,
    alarm_updates: Sequence[AlarmUpdate] = (),
    alarm_evidence: tuple[str, ...] = (),
    versions: Sequence[Version] = (),
    touched: Touched = touched_by,
) -> Prior:
    """The setting's value before `change`, or before `step` when no event is visible.

    `earlier` are events of any time and resource; only successful ones on this resource count. Events after
    the change that set the same setting come back as `superseded`. `versions` are of any resource.
    """
    own = sorted(
        (e for e in earlier if _counts(e, change) and touched(e, resource)), key=lambda e: (e.time, e.id)
    )
    moment = change.time if change else (step.earliest if step else None)
    bad = requested(change, setting)[1] if change else (step.after if step else None)
    sources: list[PriorSource] = []
    if change is not None:
        sources += _same_event(change, setting)
        sources += _versions(versions, setting, resource, change)
    sources += _alarm_history(alarm_updates, alarm_evidence, setting, moment, bad if change else None)
    fits, remark = _step_fits(step, change, bad, setting)
    fits = fits and not _set_between(own, step, change, setting)
    if step is not None and fits:
        sources.append(_of_step(step))
    if moment is not None:
        sources += _previous(own, setting, moment)
    if change is not None and change.operation in setting.only_from:
        sources = _only_from(change, setting, sources)
    like = current(resource, setting)
    sources = [_typed(source, like, setting) for source in sources]
    sources.sort(key=lambda source: _TRUST.index(source.kind))
    later = tuple(e for e in own if moment is not None and e.time > moment and requested(e, setting)[0])
    return _weighed(sources, setting, resource, change, remark, later if change else ())


def drift(
    setting: Setting,
    resource: Resource,
    change: ChangeEvent,
    later: Sequence[ChangeEvent] = (),
    touched: Touched = touched_by,
) -> Drift:
    """Whether the setting still is what `change` made it, by the resource's configuration as it was read."""
    now, bad = current(resource, setting), requested(change, setting)[1]
    after = [
        event
        for event in later
        if _counts(event, change)
        and event.time >= change.time
        and requested(event, setting)[0]
        and touched(event, resource)
    ]
    newest = max(after, key=lambda event: (event.time, event.id), default=None)
    known = bad != HIDDEN
    return Drift(now=now, bad=bad, changed_again=known and not same(now, bad, setting), by=newest)


# -- sources ---------------------------------------------------------------------------------------


def _counts(event: ChangeEvent, change: ChangeEvent | None) -> bool:
    return not event.error_code and not event.read_only and (change is None or event.id != change.id)


def _same_event(change: ChangeEvent, setting: Setting) -> list[PriorSource]:
    if setting.echo != "old" or not setting.echo_path or change.operation.startswith("Create"):
        return []
    value = as_value(search(setting.echo_path, change.response))
    asked = requested(change, setting)[1]
    # The value asked for in place of the old one: this answer was given after the change had been made.
    if value is None or value == HIDDEN or same(value, asked, setting):
        return []
    said = f"AWS's answer to this {change.operation}, which shows the value before"
    just_before = change.time - timedelta(seconds=1)
    return [
        PriorSource(kind="same_event", value=value, time=just_before, said_by=said, evidence=change.evidence)
    ]


def _previous(own: Sequence[ChangeEvent], setting: Setting, moment: datetime) -> list[PriorSource]:
    """The newest earlier event that set it, or that made the resource without it."""
    for event in reversed([e for e in own if e.time < moment]):
        present, value = requested(event, setting)
        created = event.operation.startswith("Create") and event.operation in setting.requests
        if not present and not created:
            continue
        if value == HIDDEN or (created and not present and setting.unset is None):
            return []  # set to something that is not shown, or to a default that no event tells
        return [
            PriorSource(
                kind="previous_event",
                value=value if present else setting.unset,
                time=event.time,
                said_by=told_by(event) + ("" if present else ", which did not set it"),
                evidence=event.evidence,
            )
        ]
    return []


def _only_from(change: ChangeEvent, setting: Setting, told: list[PriorSource]) -> list[PriorSource]:
    """What an operation itself tells that changes one certain value only, with those who agree.

    Where the newest source already shows what it sets, it changed nothing. Any other value is older than a change
    that is not visible.
    """
    value, set_to = setting.only_from[change.operation], requested(change, setting)[1]
    newest = max(told, key=lambda source: source.time, default=None)
    if newest is not None and same(newest.value, set_to, setting):
        return told
    said = f"this {change.operation}, which changes only what is {show(value)}"
    just_before = change.time - timedelta(seconds=1)
    own = PriorSource(
        kind="same_event", value=value, time=just_before, said_by=said, evidence=change.evidence
    )
    return [own, *(source for source in told if same(source.value, value, setting))]


def told_by(event: ChangeEvent) -> str:
    return f"{event.operation} by {event.actor.name}, {event.time:%Y-%m-%dT%H:%M:%SZ}"


def _step_fits(
    step: MetricStep | None, change: ChangeEvent | None, bad: Value, setting: Setting
) -> tuple[bool, str]:
    """Whether a step of the setting's metric is this change's, and a remark when it contradicts it."""
    if step is None or change is None:
        return step is not None, ""
    if not step.earliest - _SLACK <= change.time <= step.latest + _SLACK:
        return False, f"The metric {step.metric.name} stepped at another time than this change."
    if bad not in (None, HIDDEN) and not same(step.after, bad, setting):
        return (
            True,
            f"The metric {step.metric.name} went to {show(step.after)}, the change asked for {show(bad)}.",
        )
    return True, ""


def _set_between(
    own: Sequence[ChangeEvent], step: MetricStep | None, change: ChangeEvent | None, setting: Setting
) -> bool:
    """Another visible event set it after the metric last showed the old value: that value was before *that* event."""
    if step is None or change is None:
        return False
    return any(step.earliest <= one.time < change.time and requested(one, setting)[0] for one in own)


def _of_step(step: MetricStep) -> PriorSource:
    return PriorSource(
        kind="metric",
        value=whole(step.before),
        time=step.earliest,
        said_by=f"metric {step.metric.name}",
        evidence=step.evidence,
    )


def _alarm_history(
    updates: Sequence[AlarmUpdate],
    evidence: tuple[str, ...],
    setting: Setting,
    moment: datetime | None,
    bad: Value,
) -> list[PriorSource]:
    """The alarm's configuration before the update that the change made.

    Event times are cut to the second, so the change's own update is later than its event; a clock a moment
    off is met by leaving out an update just before that shows the bad value already.
    """
    kept = sorted(updates, key=lambda update: update.time)
    before = [update for update in kept if moment is None or update.time < moment]
    if moment is None and before:  # no event: what held before the newest update that changed it
        newest = _of_alarm(before[-1], setting)
        while before and same(_of_alarm(before[-1], setting), newest, setting):
            before.pop()
    elif (
        before and moment is not None and moment - before[-1].time < timedelta(minutes=1) and bad is not None
    ):
        shown = _of_alarm(before[-1], setting)
        before = before[:-1] if same(shown, bad, setting) else before
    if not before or before[-1].kind == "Delete":
        return []
    value = _of_alarm(before[-1], setting)
    if value is None:
        return []
    at = before[-1].time
    said = f"the alarm's own history, {at:%Y-%m-%dT%H:%M:%SZ}"
    return [PriorSource(kind="alarm_history", value=value, time=at, said_by=said, evidence=evidence)]


def _of_alarm(update: AlarmUpdate, setting: Setting) -> Value:
    found = as_value(search(setting.path, update.config))
    if found is None and setting.path.lower() == "threshold":
        return update.threshold
    return found


_SHORT = 20


def _versions(
    versions: Sequence[Version], setting: Setting, resource: Resource, change: ChangeEvent
) -> list[PriorSource]:
    """The newest version and the newest item of AWS Config before the change; others tell what happened since."""
    own = [
        one
        for one in versions
        if one.resource == resource.arn and one.made < change.time and setting.path in one.values
    ]
    if setting.hidden:
        return []
    newest = {one.kind: one for one in sorted(own, key=lambda one: one.made)}
    return [
        PriorSource(
            kind=kind,
            value=one.values[setting.path],
            time=one.made,
            said_by=f"AWS Config's item of {resource.name}, captured {one.made:%Y-%m-%dT%H:%M:%SZ}"
            if kind == "config_history"
            else f"{_called(one)} of {resource.name}, made {one.made:%Y-%m-%dT%H:%M:%SZ}",
            evidence=one.evidence,
        )
        for kind, one in newest.items()
    ]


def _called(version: Version) -> str:
    """By its number; an id that only machines tell apart is left to the evidence."""
    return f"version {version.name}" if len(version.name) <= _SHORT else "the version"


# -- weighing --------------------------------------------------------------------------------------


def _weighed(
    sources: list[PriorSource],
    setting: Setting,
    resource: Resource,
    change: ChangeEvent | None,
    remark: str,
    later: tuple[ChangeEvent, ...],
) -> Prior:
    if not sources:
        return Prior(
            value=None,
            sources=(),
            agreed=False,
            conflict=remark,
            gap=_unknown(setting, resource, change),
            superseded=later,
        )
    if change is not None and same(sources[0].value, requested(change, setting)[1], setting):
        remark = f"{remark} It was {show(sources[0].value)} before this change already.".strip()
    best = sources[0]
    backers = [source for source in sources if same(source.value, best.value, setting)]
    for source in sources[1:]:
        others = [other for other in sources if same(other.value, source.value, setting)]
        if len(backers) == 1 and len(others) > 1:
            best, backers = others[0], others
    against = [source for source in sources if source not in backers]
    return Prior(
        value=best.value,
        sources=(*backers, *against),
        agreed=len(backers) > 1 and not against,
        conflict=" ".join(part for part in (_conflict(best, backers, against), remark) if part),
        gap=None,
        superseded=later,
    )


def _conflict(best: PriorSource, backers: list[PriorSource], against: list[PriorSource]) -> str:
    if not against:
        return ""
    said = "; ".join(f"{source.said_by}: {show(source.value)}" for source in (*backers, *against))
    why = {
        "same_event": "AWS's answer at the moment of the change is taken",
        "alarm_history": "the alarm's own record is taken",
        "metric": "the metric is taken, for it shows what was live",
        "previous_event": "the last request is taken",
    }.get(best.kind, "the first is taken")
    if len(backers) > 1:
        why = f"{show(best.value)} is taken, which {len(backers)} sources say"
    return f"The sources differ: {said}. Of these {why}; something between them is not visible."


def _unknown(setting: Setting, resource: Resource, change: ChangeEvent | None) -> Gap:
    hidden = change is not None and requested(change, setting)[1] == HIDDEN
    why = (
        "CloudTrail leaves such values out, and no version or template holds it"
        if hidden
        else "No earlier event of the last 90 days sets it, and no metric or version shows it"
    )
    return Gap(
        what=f"the {setting.name} of {resource.name} before the change",
        why=why,
        would_show="the exact value to restore",
        lift="Look into the template, the repository, AWS Config or a trail's bucket, or ask the owner.",
        code="PriorUnknown",
    )


def _typed(source: PriorSource, like: Value, setting: Setting) -> PriorSource:
    """The source's value in the type that the setting has now, so that it can be written back as it is."""
    value = source.value
    model = setting.unset if like is None or like == HIDDEN else like
    if isinstance(model, bool | int | float):
        value = number(value)
    elif isinstance(model, str) and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    elif model is None and setting.metric is not None:
        value = number(value)
    if value == source.value and type(value) is type(source.value):
        return source
    return PriorSource(
        kind=source.kind, value=value, time=source.time, said_by=source.said_by, evidence=source.evidence
    )
