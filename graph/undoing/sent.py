"""What earlier events sent, sent again. Pure. A recorded value that would not survive stops a call from being made."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from graph.undoing.after import Reversal, equal
from graph.undoing.anatomy import at, is_manner, is_name, leaves, named, opened, operation_of, spelled, verb
from graph.undoing.known import Known
from graph.undoing.moved import Moved
from graph.words import say, stamp
from tools.errors import BadInput
from tools.models import Call, ChangeEvent, Json
from tools.parameters import credentials, from_cloudtrail, members
from tools.setting_values import HIDDEN, as_value
from tools.walk import leaves as values_in


def as_sent(event: ChangeEvent, client: str, source: ChangeEvent) -> Reversal:
    """The earlier call once more. A password or secret that it may have held is in no record."""
    made = _made(event, client, operation_of(source), source.request, source)
    sent = {name for call in made.calls for name in call.parameters}
    hidden = tuple(name for name in credentials(client, operation_of(source)) if name not in sent)
    if made.outcome != "exact" or not hidden:
        return made
    return replace(
        made,
        outcome="partial",
        why=say("CloudTrail keeps no credential"),
        unknown=tuple(say("{name}, if it was set", name=name) for name in hidden),
    )


def _made(event: ChangeEvent, client: str, operation: str, request: Json, source: ChangeEvent) -> Reversal:
    try:
        sent = from_cloudtrail(client, operation, request)
    except BadInput as refused:
        return Reversal(
            outcome="partial",
            why=say("what was there before cannot be sent as it was recorded"),
            unknown=(str(refused),),
            rests_on=source,
        )
    return Reversal(
        outcome="exact",
        why=say("as {operation} set it at {time}", operation=source.operation, time=stamp(source.time)),
        calls=(Call(service=client, operation=operation, parameters=sent, region=event.region),),
        rests_on=source,
    )


def give_back(event: ChangeEvent, known: Known, client: str, fields: tuple[Moved, ...]) -> Reversal:
    """Fields of an update, each as it was last given before."""
    live = [one for one in fields if one.since == "standing"]
    cleared = _cleared(event)
    if fields and not live and not cleared:
        return _all_over(fields)
    overtaken = next((one for one in fields if one.since == "replaced"), None)
    if overtaken is not None:
        return Reversal(
            outcome="superseded", why=say("{name} was changed again", name=overtaken.name), by=overtaken.later
        )
    alike = [one for one in known.earlier(event) if one.operation == event.operation]
    unknown = [one.name for one in live if not one.before_known]
    told = [one for one in live if one.before_known]
    emptied: dict[_Path, Any] = {}
    for path in cleared:
        before = next((at(opened(one.request), path) for one in alike if _tells(one, path)), None)
        if before is None or as_value(before) == HIDDEN:
            unknown.append(spelled(path))
        elif before not in ("", []):
            emptied[path] = before
    if not told and not emptied:
        return Reversal(
            outcome="partial",
            why=say("no earlier event of 90 days tells the values before"),
            unknown=tuple(unknown) or (say("what {operation} replaced", operation=event.operation),),
        )
    sent, doubts = _base(event, known, alike, whole=not unknown)
    for one in told:
        _put(sent, one)
    for path, value in emptied.items():
        _set(sent, path, value)
    found = _made(event, client, operation_of(event), sent, event)
    unknown += doubts
    if found.outcome != "exact":
        return replace(found, unknown=(*unknown, *found.unknown))
    found = replace(found, calls=tuple(_at_once(call) for call in found.calls))
    if lost := [one.name for one in told if not _survives(one.before, found.calls)]:
        return Reversal(
            outcome="partial",
            why=say("what was there before cannot be sent as it was recorded"),
            unknown=(*unknown, *lost),
        )
    return replace(
        found,
        outcome="partial" if unknown else "exact",
        unknown=tuple(unknown),
        why=say("as earlier events set it"),
    )


_Path = tuple[str | int, ...]
_MERGES = ("Modify", "Change", "Configure", "Apply", "Reset")
"""These leave alone what they do not name. Of the others some replace the whole: Glue's UpdateJob, UpdateUserPool."""


_PATCHES = ("apigateway.",)


def _base(
    event: ChangeEvent, known: Known, alike: list[ChangeEvent], *, whole: bool
) -> tuple[Json, list[str]]:
    """What the call sends besides the values before, and what may be lost by it.

    An operation that may replace the whole gets the whole earlier request, when that tells all that the event set: what
    is sent besides is there already, or was lost by the event. Otherwise the event's own request keeps its values.
    """
    if verb(event.operation)[0] in _MERGES or event.source.startswith(_PATCHES):
        return _kept_names(event), []
    if any(one.operation == event.operation and not equal(one, event) for one in known.later(event)):
        return _kept_names(event), [
            say("what later {operation} set, if each replaces the whole", operation=event.operation)
        ]
    if whole and alike and all(_tells(alike[0], path) for path in _set_paths(event)):
        return {**_without_manner(alike[0]), **_kept_names(event)}, []
    doubt = say("what {operation} left out, if it replaces the whole", operation=event.operation)
    return _without_manner(event), [doubt]


def _without_manner(event: ChangeEvent) -> Json:
    request = opened(event.request)
    return copy.deepcopy({key: value for key, value in request.items() if not is_manner(key)})


def _set_paths(event: ChangeEvent) -> list[_Path]:
    """Paths of all that the request sets, lists as a whole."""
    request = opened(event.request)
    found = (
        tuple(step for step in path if isinstance(step, str))
        for path in leaves(request)
        if not is_name(event, path) and not any(is_manner(str(step)) for step in path)
    )
    return [path for path in dict.fromkeys(found) if at(request, path) not in (None, {})]


def _cleared(event: ChangeEvent) -> list[_Path]:
    """What the request sets to nothing. S3 and EC2 record such members where nothing was sent."""
    if event.source.startswith(("s3.", "ec2.")):
        return []
    request = opened(event.request)
    return [path for path in _set_paths(event) if at(request, path) in ("", [])]


def _tells(one: ChangeEvent, path: _Path) -> bool:
    return at(opened(one.request), path) is not None


def _set(request: Json, path: _Path, value: Any) -> None:
    *way, last = [str(step) for step in path]
    place = request
    for step in way:
        place = place.setdefault(step, {})
    place[last] = value


def _at_once(call: Call) -> Call:
    """RDS and others keep a change for the next maintenance window unless told otherwise."""
    if "ApplyImmediately" in members(call.service, call.operation)[1]:
        return replace(call, parameters={**call.parameters, "ApplyImmediately": True})
    return call


def _survives(value: Any, calls: tuple[Call, ...]) -> bool:
    """Whether every text and number of a value is in the calls."""
    sent = {str(one).lower() for call in calls for one in _flat(call.parameters)}
    whole = " ".join(sent)
    return all(str(one).lower() in sent or str(one).lower() in whole for one in _flat(_unpacked(value)))


def _flat(value: Any) -> Iterable[Any]:
    return (one for one in values_in(value) if one not in (None, ""))


def _all_over(fields: tuple[Moved, ...]) -> Reversal:
    overtaken = next((one for one in fields if one.since == "replaced"), None)
    if overtaken is not None:
        return Reversal(outcome="superseded", why=say("it was changed again"), by=overtaken.later)
    back = next((one.later for one in fields if one.since == "back" and one.later is not None), None)
    why = (
        say("it was so before already")
        if all(one.since == "same" for one in fields)
        else say("it is back already")
    )
    return Reversal(outcome="nothing to undo", why=why, by=back)


def _kept_names(event: ChangeEvent) -> Json:
    """The request's names alone, where they stand in it."""
    names, request = named(event), opened(event.request)
    kept: Json = {key: value for key, value in request.items() if key.lower() in names}
    for path in leaves(request) if not kept else ():
        if is_name(event, path) and all(isinstance(step, str) for step in path):
            place = kept
            for step in path[:-1]:
                place = place.setdefault(str(step), {})
            place[str(path[-1])] = at(request, path)
    return kept


def _put(request: Json, one: Moved) -> None:
    """The value before at its place. `sources` hold it as JSON text where it is a structure."""
    *way, last = [step for step in one.path.split(".") if step]
    place = request
    if way and way[0].endswith(("Request", "Input")) and way[0] not in request:
        way = way[1:]  # the wrapper that `opened` takes off
    for step in way:
        place = place.setdefault(step, {})
    place[last] = _unpacked(one.before)


def _unpacked(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
