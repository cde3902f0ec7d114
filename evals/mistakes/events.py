"""What cannot be so in the events of a case.yaml."""

from __future__ import annotations

import re
from typing import Any

from evals.mistakes.sheet import Sheet, near, spelt
from evals.world.draft import OFFSET
from evals.world.kinds import kinds
from evals.world.kinds._kind import Kind
from evals.yaml_places import Where

_ALARM = ("Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData")
"""What an event may set of an alarm."""
_MISSING = ("missing", "ignore", "breaching", "notBreaching")


def setting(sheet: Sheet, where: Where, kind: str, path: str) -> None:
    """Add a mistake when a kind has no such setting."""
    known = kinds()[kind].settings
    if "$" in path or "{" in path:
        path = re.split(r"[{$]", path)[0]
        fits = any(one.startswith(path) or (one.endswith(".") and path.startswith(one)) for one in known)
    else:
        fits = any(path == one or (one.endswith(".") and path.startswith(one)) for one in known)
    if not fits:
        sheet.add(where, f'{sheet.name(where[:2])}: a {kind} has no setting "{path}".{spelt(path, known)}')


_NUMBER = re.compile(
    r"^(nature: )?(seconds|MB|GB|messages|days|tasks|a number|number of|requests |runs |writes |reads |share of|"
    r"memory |how (many|much|long)|free |CPU units|connections)"
)


def value(sheet: Sheet, where: Where, said: str, wanted: str, given: Any) -> None:
    """Add a mistake when a value that is written out is not of the form that a kind describes."""
    if given is None or (isinstance(given, str) and ("$" in given or "{" in given)):
        return
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if _NUMBER.match(wanted) and not number:
        sheet.add(where, f"{said} must be a number ({wanted.removeprefix('nature: ')}), not {given}.")
    elif wanted.startswith("true or false") and not isinstance(given, bool):
        sheet.add(where, f"{said} must be true or false, not {given}.")
    elif wanted.startswith(("nature: {", "{")) and not isinstance(given, dict):
        sheet.add(where, f"{said} must be a map: {wanted.removeprefix('nature: ')}; not {given}.")


def check(sheet: Sheet) -> None:
    """Add what is wrong with the events."""
    seen: dict[str, int] = {}
    for index, event in sheet.maps("events"):
        where: Where = ("events", index)
        name = str(event.get("id", index))
        if name in seen:
            sheet.add((*where, "id"), f'events.{name}: the id "{name}" is taken by another event.')
        seen.setdefault(name, int(index))
        if name in sheet.map("resources") or name in sheet.map("alarms"):
            sheet.add((*where, "id"), f'events.{name}: a resource or alarm has the id "{name}" too.')
        _moment(sheet, where, name, event)
        _who(sheet, where, name, event)
        _what(sheet, where, name, event)


def _moment(sheet: Sheet, where: Where, name: str, event: dict[str, Any]) -> None:
    at = event.get("at")
    if isinstance(at, str) and "$" not in at and "{" not in at and not OFFSET.match(at):
        text = f'events.{name}.at: "{at}" is no moment of a case; it looks like -39d, 0s, +5m or onset+15s.'
        sheet.add((*where, "at"), text)


def _who(sheet: Sheet, where: Where, name: str, event: dict[str, Any]) -> None:
    who, people = event.get("who"), sheet.map("people")
    if isinstance(who, str) and who and who not in people:
        text = f'events.{name}.who: "{who}" is none of the people.{spelt(who, people)}'
        sheet.add((*where, "who"), text)
    if event.get("denied") and not who:
        sheet.add((*where, "denied"), f"events.{name}: say with `who` whose attempt was denied.")


def _what(sheet: Sheet, where: Where, name: str, event: dict[str, Any]) -> None:
    verb = next((one for one in ("set", "create") if event.get(one)), "")
    if not verb:
        sheet.add(where, f"events.{name}: say with `set` or `create` which resource or alarm it is about.")
        return
    if event.get("set") and event.get("create"):
        sheet.add(
            (*where, "create"), f"events.{name}: either `set` or `create`, not both. Make two events of it."
        )
    target = str(event[verb])
    if verb == "set" and not (event.get("path") or event.get("also") or event.get("tag")):
        text = f"events.{name}: say what changes, with `path` and `to`, or with `tag`."
        sheet.add((*where, "set"), text + near("path", [one for one in event if one not in _KEYS]))
    if event.get("path") and "to" not in event:
        sheet.add((*where, "path"), f"events.{name}: `path` needs `to`. Write `to: null` when it is removed.")
    if target in sheet.map("alarms"):
        _alarm(sheet, where, name, event)
        return
    if target not in sheet.map("resources"):
        known = (*sheet.map("resources"), *sheet.map("alarms"))
        if not any(target.startswith(f"{one}_") for one in known):
            text = f'events.{name}.{verb}: there is no "{target}" in this case.{spelt(target, known)}'
            sheet.add((*where, verb), text)
        return
    kind = kinds().get(str(sheet.at("resources", target, "kind")))
    if kind is not None:
        check_kind(sheet, where, name, event, kind)


_KEYS = ("id", "at", "who", "set", "create", "to", "known_as", "denied", "delivery_minutes", "call")


def check_kind(sheet: Sheet, where: Where, name: str, event: dict[str, Any], kind: Kind) -> None:
    """Add what an event cannot do to a kind of resource."""
    who, path = event.get("who"), event.get("path")
    if isinstance(path, str) and path:
        _path = (*where, "path")
        before = len(sheet.found)
        setting(sheet, _path, kind.name, path)
        if who and path.startswith("_"):
            text = f"events.{name}: {path} is nature, which nobody does: leave out `who`."
            sheet.add((*where, "who"), text)
        elif who and kind.change is None and len(sheet.found) == before:
            sheet.add(_path, f"events.{name}: no call is known that changes a {kind.name}. Leave out `who`.")
        if path in kind.settings:
            value(sheet, (*where, "to"), f"events.{name}.to", kind.settings[path], event.get("to"))
    for one, given in sheet.map(*where, "also").items():
        setting(sheet, (*where, "also", one), kind.name, one)
        value(sheet, (*where, "also", one), f"events.{name}.also.{one}", kind.settings.get(one, ""), given)
    if event.get("tag") and kind.tag is None:
        sheet.add((*where, "tag"), f"events.{name}: tags of a {kind.name} are not modelled.")
    if event.get("create") and who and kind.create is None:
        can = ", ".join(sorted(one.name for one in kinds().values() if one.create is not None))
        text = f"events.{name}: no call is known that creates a {kind.name}. Known: alarm, {can}."
        sheet.add((*where, "create"), text)


def _alarm(sheet: Sheet, where: Where, name: str, event: dict[str, Any]) -> None:
    path = event.get("path")
    if isinstance(path, str) and path and path not in _ALARM:
        text = f'events.{name}: an alarm has no setting "{path}" that a case can change.{spelt(path, _ALARM)}'
        sheet.add((*where, "path"), text)
    to = event.get("to")
    if path == "TreatMissingData":
        if not (isinstance(to, str) and (to in _MISSING or to.startswith("$"))):
            sheet.add((*where, "to"), f"events.{name}.to must be one of {', '.join(_MISSING)}.")
    elif path in _ALARM:
        value(sheet, (*where, "to"), f"events.{name}.to", "a number", to)
    for one in ("also", "tag"):
        if event.get(one):
            sheet.add((*where, one), f"events.{name}: `{one}` is not read for an alarm.")
