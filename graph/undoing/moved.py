"""What an event moved, field by field: before, after, and what became of it since. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from graph.undoing import deltas
from graph.undoing.anatomy import (
    at,
    is_manner,
    is_name,
    leaves,
    named,
    opened,
    spelled,
    verb,
    without,
)
from graph.undoing.known import Known
from graph.weighing.moves import is_document
from tools.catalogue import changed_alike, find, settings_in
from tools.history import HIDDEN, current, prior, requested, same, told_by
from tools.models import ChangeEvent, Json, PriorSource, Resource, Value
from tools.services._spec import Setting
from tools.setting_values import alike, as_value

Since = Literal["standing", "same", "back", "replaced"]
"""standing: still what the event made it. same: it was that before. back: it is again what it was before. replaced:
it is something else by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One field that an event set. Without a setting, `path` is the request's own."""

    resource: str
    name: str
    path: str
    before: Value
    before_known: bool
    after: Value
    after_known: bool
    since: Since
    setting: Setting | None = None
    sources: tuple[PriorSource, ...] = ()
    conflict: str = ""
    later: ChangeEvent | None = None  # the event that put it back or replaced it, where one is visible
    now: Value = None
    now_known: bool = False


def moved(event: ChangeEvent, known: Known) -> tuple[Moved, ...]:
    """Every field that the event's request sets. Settings of the service file first, then what no setting describes."""
    arns = known.touched(event)
    pairs = [
        (arn, setting) for arn in changed_alike(event) or arns[:1] for _, setting in settings_in(event, arn)
    ]
    own = [_of_setting(event, known, arn, setting) for arn, setting in pairs]
    return (*own, *_beyond(event, known, arns[0] if arns else "", [setting for _, setting in pairs]))


# -- settings --------------------------------------------------------------------------------------


def _of_setting(event: ChangeEvent, known: Known, arn: str, setting: Setting) -> Moved:
    resource = known.resource(arn)
    own = _own(event, known, arn)
    updates, told_in = known.updates.get(arn, ((), ()))
    step = known.step(event, arn, setting.path)
    what = prior(
        setting, resource, event, own, step, updates, told_in, known.versions, touched=lambda *_: True
    )
    _, after = requested(event, setting)
    told = after != HIDDEN and not setting.hidden
    before_known = what.known and what.value != HIDDEN and not setting.hidden
    shown = _now(resource, setting)
    since, later = _since(setting, what.value, before_known, after, told, what.superseded, shown)
    return Moved(
        resource=arn,
        name=setting.name,
        path=setting.path,
        before=what.value if before_known else None,
        before_known=before_known,
        after=after if told else None,
        after_known=told,
        since=since,
        setting=setting,
        sources=what.sources,
        conflict=what.conflict,
        later=later,
        now=shown[1],
        now_known=shown[0],
    )


def _own(event: ChangeEvent, known: Known, arn: str) -> tuple[ChangeEvent, ...]:
    """Changes of the resource. Of some only the answer knows the ARN, so equal requests by name count as well."""
    names = named(event)
    same_names = [
        one for one in known.same(event) if one.operation == event.operation and named(one) == names != {}
    ]
    return tuple({one.id: one for one in (*known.on(arn), *same_names)}.values())


def _now(resource: Resource, setting: Setting) -> tuple[bool, Value]:
    """The setting as described, when it was: nothing shown counts only where the file says what that means."""
    if not resource.config or setting.hidden:
        return False, None
    found = find(setting.path, resource.config)
    if found is None and setting.unset is None:
        return False, None
    value = current(resource, setting)
    return value != HIDDEN and not is_document(value), value


def _since(
    setting: Setting,
    before: Value,
    before_known: bool,
    after: Value,
    after_known: bool,
    later: tuple[ChangeEvent, ...],
    now: tuple[bool, Value],
) -> tuple[Since, ChangeEvent | None]:
    if before_known and after_known and same(before, after, setting):
        return "same", None
    others = [one for one in later if _value(one, setting) == HIDDEN or not _same_after(one, after, setting)]
    last = later[-1] if later else None
    seen, value = now
    if seen and after_known and same(value, after, setting):
        return "standing", None
    if seen and before_known and same(value, before, setting):
        return "back", last
    if last is not None and others:
        latest = _value(last, setting)
        if after_known and latest != HIDDEN and same(latest, after, setting):
            return ("replaced", last) if seen else ("standing", None)
        if before_known and latest != HIDDEN and same(latest, before, setting) and not seen:
            return "back", last
        return "replaced", last
    if seen and after_known:
        return "replaced", None  # by somebody whom no event shows
    return "standing", None


def _value(event: ChangeEvent, setting: Setting) -> Value:
    return requested(event, setting)[1]


def _same_after(event: ChangeEvent, after: Value, setting: Setting) -> bool:
    return same(_value(event, setting), after, setting)


# -- what no setting describes -----------------------------------------------------------------------


def _beyond(event: ChangeEvent, known: Known, arn: str, settings: list[Setting]) -> list[Moved]:
    """Fields of the request that are no name, no manner, and that no setting reads."""
    if not settings and known.touched(event) and not _sets(event):
        return []
    found: dict[str, Moved] = {}
    for path in leaves(event.request):
        if _is_told(event, path, settings) or at(event.request, path) in (None, "", {}, []):
            continue
        whole = tuple(step for step in path if isinstance(step, str))  # a list moves as one
        key = spelled(whole)
        if key not in found:
            found[key] = _of_field(event, known, arn, whole)
    return list(found.values())


_SETTING_VERBS = ("Update", "Modify", "Set", "Put", "Replace", "Change", "Configure", "Apply")


def _sets(event: ChangeEvent) -> bool:
    """Whether an operation is one that gives values to something that is there."""
    return event.operation.startswith(_SETTING_VERBS)


def _is_told(event: ChangeEvent, path: tuple[str | int, ...], settings: list[Setting]) -> bool:
    """Whether a value is a name, a manner, or read by one of the settings."""
    inner = [str(step) for step in path if isinstance(step, str)]
    if any(is_manner(step) for step in inner):
        return True
    if is_name(event, path):
        return True
    less = without(event.request, path)
    return any(_reads(event, setting, less) for setting in settings)


def _reads(event: ChangeEvent, setting: Setting, less: Json) -> bool:
    path = setting.requests.get(event.operation, "")
    return not path.startswith("`") and find(path, event.request) != find(path, less)


def _of_field(event: ChangeEvent, known: Known, arn: str, path: tuple[str | int, ...]) -> Moved:
    after = at(event.request, path)
    tellers = deltas.tellers(event, _tellers(event, known, path), path, after)
    before = at(tellers[0].request, path) if tellers else None
    later = deltas.meeting(
        event, (one for one in known.later(event) if _sets_same(one, event, path)), path, after
    )
    told, hidden = as_value(after) != HIDDEN, tellers and as_value(before) == HIDDEN
    before_known = bool(tellers) and not hidden
    source = _told_by(tellers[0], before) if before_known else None
    since, by = _since_plain(before, before_known, after, told, later, path)
    return Moved(
        resource=arn,
        name=spelled(path[1:] if len(path) > 1 and opened(event.request) is not event.request else path),
        path=spelled(path),
        before=as_value(before) if before_known else None,
        before_known=before_known,
        after=as_value(after) if told else None,
        after_known=told,
        since=since,
        sources=(source,) if source else (),
        later=by,
    )


def _tellers(event: ChangeEvent, known: Known, path: tuple[str | int, ...]) -> list[ChangeEvent]:
    """Earlier events that gave the field, newest first; none from before the thing was last taken away or made."""
    found: list[ChangeEvent] = []
    _, noun = verb(event.operation)
    for one in known.earlier(event):
        word, other = verb(one.operation)
        if other == noun and word in _BEGINS:
            break
        if _sets_same(one, event, path):
            found.append(one)
    return found


_BEGINS = frozenset({"Create", "Delete", "Remove", "Revoke", "Detach", "Disassociate", "Deregister"})


def _sets_same(one: ChangeEvent, event: ChangeEvent, path: tuple[str | int, ...]) -> bool:
    return one.operation == event.operation and one.id != event.id and at(one.request, path) is not None


def _since_plain(
    before: Any,
    before_known: bool,
    after: Any,
    told: bool,
    later: list[ChangeEvent],
    path: tuple[str | int, ...],
) -> tuple[Since, ChangeEvent | None]:
    if before_known and told and _alike(before, after):
        return "same", None
    if not later:
        return "standing", None
    latest = at(later[-1].request, path)
    if told and all(_alike(at(one.request, path), after) for one in later):
        return "standing", None
    if before_known and _alike(latest, before) and as_value(latest) != HIDDEN:
        return "back", later[-1]
    return ("standing", None) if told and _alike(latest, after) else ("replaced", later[-1])


def _alike(one: Any, other: Any) -> bool:
    return alike(as_value(one), as_value(other))


def _told_by(event: ChangeEvent, value: Any) -> PriorSource:
    return PriorSource(
        kind="previous_event",
        value=as_value(value),
        time=event.time,
        said_by=told_by(event),
        evidence=event.evidence,
    )
