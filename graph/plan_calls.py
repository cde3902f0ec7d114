"""The calls of a plan: restoring settings together, undoing an event, doing it again. Pure; all are validated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graph.undoing.after import family
from graph.undoing.identity import apart
from tools.catalogue import change_of, for_event
from tools.errors import BadInput
from tools.models import Call, ChangeEvent, Json, Resource, Value
from tools.parameters import from_cloudtrail, validate
from tools.services._spec import Setting


def set_all(resource: Resource, values: list[tuple[Setting, Value]]) -> tuple[Call, ...]:
    """Calls that set all of them, as few as can be. Each is made as if the others were set already."""
    config = resource.config
    for setting, value in values:
        config = _with(config, setting.path.split("."), value)
    after = replace(resource, config=config)
    made: list[Call] = []
    for setting, value in values:
        for call in placed(setting.restore(after, value), resource):
            joined = _joined(made[-1], call) if made else None
            made = [*made[:-1], joined] if joined is not None else [*made, call]
    return valid(made) if len(valid(made)) == len(made) else ()


def _with(config: Json, path: list[str], value: Value) -> Json:
    """`config` with one value set; unchanged where the path is no plain one or leads nowhere."""
    head, *rest = path
    inner = config.get(head)
    if not rest:
        return {**config, head: value} if head in config else config
    return {**config, head: _with(inner, rest, value)} if isinstance(inner, dict) else config


def _joined(one: Call, other: Call) -> Call | None:
    """Two calls of the same operation as one, when they contradict each other nowhere."""
    if (one.service, one.operation, one.region) != (other.service, other.operation, other.region):
        return None
    both = _union(one.parameters, other.parameters)
    return replace(one, parameters=both) if both is not None else None


def _union(one: Json, other: Json) -> Json | None:
    made = dict(one)
    for key, value in other.items():
        if key not in made or made[key] == value:
            made[key] = value
        elif isinstance(made[key], dict) and isinstance(value, dict):
            inner = _union(made[key], value)
            if inner is None:
                return None
            made[key] = inner
        else:
            return None
    return made


def _earlier(changes: Iterable[ChangeEvent], event: ChangeEvent) -> tuple[ChangeEvent, ...]:
    kin = family(event.operation)
    before = [
        item
        for item in changes
        if item.time < event.time
        and not item.error_code
        and not (item.source == event.source and item.operation in kin and apart(item, event))
    ]
    return tuple(sorted(before, key=lambda item: item.time, reverse=True))


def placed(calls: Iterable[Call], resource: Resource) -> tuple[Call, ...]:
    return tuple(call if call.region else replace(call, region=resource.region) for call in calls)


def valid(calls: Iterable[Call]) -> tuple[Call, ...]:
    """Calls that botocore's models accept; a call they reject is never shown."""
    return tuple(call for call in calls if not validate(call))


def again(event: ChangeEvent, undone: tuple[Call, ...]) -> tuple[Call, ...]:
    """The way back from an undo: the call that was made, as far as CloudTrail shows it whole."""
    found = for_event(event)
    if found is None:
        return ()
    if found[1].back is not None:
        return valid(found[1].back(undone))
    client = found[0].client
    try:
        sent = from_cloudtrail(client, event.operation, event.request)
    except BadInput:
        return ()
    return valid([Call(service=client, operation=event.operation, parameters=sent, region=event.region)])


def undo(event: ChangeEvent, changes: Iterable[ChangeEvent]) -> tuple[Call, ...]:
    """The reversal that the service file knows of an event that no setting describes: all of its calls, or none."""
    known = change_of(event)
    if known is None or known.undo is None:
        return ()
    calls = known.undo(event, _earlier(changes, event))
    return calls if len(valid(calls)) == len(calls) else ()
