"""Requests that do not say how a thing is to be, but what to add, remove or patch of it. Pure.

Two such requests set the same only where they name the same entries; the way back from adding is removing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from graph.undoing.after import Reversal, undone_by
from graph.undoing.anatomy import (
    at,
    client_of,
    is_manner,
    is_name,
    leaves,
    named,
    opened,
    operation_of,
    spelled,
)
from graph.undoing.known import Known
from graph.words import say
from tools.errors import BadInput
from tools.evidence import canonical
from tools.models import Call, ChangeEvent, Json
from tools.parameters import from_cloudtrail, members

_SIGN = re.compile(r"^(Add|Remove|Enable|Disable)(?=$|[A-Z])|To(Add|Remove)$", re.IGNORECASE)
_TURNED = {"add": "remove", "remove": "add", "enable": "disable", "disable": "enable"}
_KEYS = ("path", "parametername", "attributename", "optionname", "key", "name")
_VALUES = ("value", "values", "parametervalue", "attributevalue", "stringvalue")
_Path = tuple[str | int, ...]


def _sign(key: str) -> str:
    """ "add", "remove", "enable" or "disable" where a member says so: `AddRouteTableId`, `valuesToAdd`, `remove`."""
    found = _SIGN.search(key)
    if found is None or (found[1] and not (found[0] == key or key[len(found[0])].isupper())):
        return ""
    return str(found[1] or found[2]).lower()


def is_delta(event: ChangeEvent, path: _Path, value: Any) -> bool:
    """Whether the list at a path holds what to add or remove, and the operation takes the opposite as well."""
    if not isinstance(value, list | dict):
        return False
    steps = [step for step in path if isinstance(step, str)]
    signed = next((number for number, step in enumerate(steps) if _sign(step)), None)
    if signed is None:
        return False
    client = client_of(event)
    if signed > 0 or not client:
        return True
    try:
        required, optional = members(client, operation_of(event))
    except BadInput:
        return True
    if steps[0].lower().endswith(("request", "input")):
        return True
    other = _turned_key(steps[0]).lower().rstrip("s")
    return any(name.lower().startswith(other) for name in (*required, *optional))


def _entries(value: Any) -> dict[str, Any] | None:
    """Entries of a list by what they are called, where each gives one name a value; else None."""
    if not isinstance(value, list) or not value:
        return None
    found: dict[str, Any] = {}
    for item in value:
        if not isinstance(item, dict):
            return None
        small = {str(key).lower(): inner for key, inner in item.items()}
        record = small.get("resourcerecordset")
        if isinstance(record, dict):
            called = canonical([record.get(key) for key in ("name", "type", "setIdentifier")])
        else:
            key = next((key for key in _KEYS if key in small), "")
            if not key or not ({"op", *_VALUES} & small.keys()):
                return None
            called = canonical(small[key])
        found[called] = small
    return found


def tellers(event: ChangeEvent, events: Iterable[ChangeEvent], path: _Path, value: Any) -> list[ChangeEvent]:
    """Of earlier events that give the path a value, newest first: those that tell what `value` took the place of."""
    events = list(events)
    if is_delta(event, path, value):
        return []
    entries = _entries(value)
    if entries is None:
        return events
    for one in events:
        others = _entries(at(one.request, path))
        if others is None or entries.keys() & others.keys():
            alike = others is not None and entries.keys() == others.keys()
            return [one] if alike and _replaces(entries) and _replaces(others or {}) else []
    return []


def _replaces(entries: dict[str, Any]) -> bool:
    return all(str(one.get("op", "replace")).lower() == "replace" for one in entries.values())


def meeting(event: ChangeEvent, events: Iterable[ChangeEvent], path: _Path, value: Any) -> list[ChangeEvent]:
    """Of later events that give the path a value: those that say something of the same entries."""
    if is_delta(event, path, value):
        return []
    entries = _entries(value)
    if entries is None:
        return list(events)
    found = ((one, _entries(at(one.request, path))) for one in events)
    return [one for one, others in found if others is None or entries.keys() & others.keys()]


def turned(event: ChangeEvent, known: Known, client: str) -> Reversal | None:
    """The way back from adding and removing; None where the request does neither."""
    said = list(_deltas(event))
    if not said:
        manner = str(event.request.get("operationType", "")).lower()
        if manner not in _TURNED:
            return None
        return Reversal(
            outcome="partial",
            why=say("no event tells what was there before"),
            unknown=(say("what {operation} added or removed", operation=event.operation),),
        )
    wanted: list[tuple[_Path, list[Any]]] = []
    unsure: list[str] = []
    by: ChangeEvent | None = None
    for path, items in said:
        left = []
        for item in items:
            back = _last_said(known.later(event)[::-1], event, path, item)
            before = _last_said(known.earlier(event), event, path, item)
            if back is not None and back[0]:
                by = back[1]
            elif before is None or before[0]:
                left.append(item)
                unsure += [] if before is not None else [_told(item)]
        if left:
            wanted.append((path, left))
    if not wanted:
        return (
            undone_by(by)
            if by is not None
            else Reversal(outcome="nothing to undo", why=say("it was so before already"))
        )
    others = list(_others(event, [path for path, _ in said]))
    unknown = (*others, *(say("whether {item} was so before already", item=one) for one in unsure))
    try:
        sent = from_cloudtrail(client, operation_of(event), _request(event, wanted))
    except BadInput as refused:
        return Reversal(
            outcome="partial",
            why=say("what was there before cannot be sent as it was recorded"),
            unknown=(*unknown, str(refused)),
        )
    call = Call(service=client, operation=operation_of(event), parameters=sent, region=event.region)
    return Reversal(
        outcome="partial" if unknown else "exact",
        why=say("the opposite call"),
        calls=(call,),
        unknown=unknown,
    )


def adds_only(event: ChangeEvent) -> bool:
    """Whether a request sets nothing besides what it adds and removes."""
    return next(_others(event, [path for path, _ in _deltas(event)]), None) is None


def _deltas(event: ChangeEvent) -> Iterator[tuple[_Path, list[Any]]]:
    """Lists of what to add or remove, with their paths: EC2's lists are in "items"."""
    for path, items in _lists_in(opened(event.request), ()):
        if is_delta(event, path, items):
            yield path, items


def _lists_in(value: Any, path: _Path) -> Iterator[tuple[_Path, list[Any]]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lists_in(inner, (*path, str(key)))
    elif isinstance(value, list) and value:
        yield path, value


def _turned_key(key: str) -> str:
    sign = _sign(key)
    if not sign:
        return key
    other = _TURNED[sign]
    found = _SIGN.search(key)
    assert found is not None
    start, end = found.span(1) if found[1] else found.span(2)
    other = other.capitalize() if key[start].isupper() else other
    return key[:start] + other + key[end:]


def _turned_path(path: _Path) -> _Path:
    return tuple(_turned_key(step) if isinstance(step, str) else step for step in path)


def _last_said(
    events: Sequence[ChangeEvent], event: ChangeEvent, path: _Path, item: Any
) -> tuple[bool, ChangeEvent] | None:
    """The newest of events (newest first) that speaks of an item: whether it says the opposite, and the event."""
    for one in events:
        if one.operation != event.operation:
            continue
        for place, opposite in ((_turned_path(path), True), (path, False)):
            given = at(opened(one.request), place)
            if isinstance(given, list) and canonical(item) in {canonical(inner) for inner in given}:
                return opposite, one
    return None


def _others(event: ChangeEvent, deltas: list[_Path]) -> Iterator[str]:
    """What the request sets besides."""
    request = opened(event.request)
    for path in leaves(request):
        plain = tuple(step for step in path if isinstance(step, str))
        if plain in deltas or is_name(event, path) or any(is_manner(step) for step in plain):
            continue
        if plain[-1] not in ("attributeType", "attribute") and at(request, path) not in (None, "", {}, []):
            yield spelled(plain)


def _request(event: ChangeEvent, wanted: list[tuple[_Path, list[Any]]]) -> Json:
    names, request = named(event), opened(event.request)
    made: Json = {
        key: value
        for key, value in request.items()
        if key.lower() in names and not _sign(key) and not is_manner(key)
    }
    for path, items in wanted:
        *way, last = [str(step) for step in _turned_path(path)]
        place = made
        for step in way:
            place = place.setdefault(step, {})
        place[last] = items
    return made


def _told(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{key} {value}" for key, value in sorted(item.items()))
    return str(item)
