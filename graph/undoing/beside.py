"""Other operations that set the same: a resize beside a modification, a schedule set on its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from graph.undoing.after import GIVES, REPLACES, family, same_place
from graph.undoing.anatomy import at, is_manner, is_name, leaves, named, opened, verb
from graph.undoing.known import Known
from graph.words import say, stamp
from tools.models import ChangeEvent

_PLAIN = frozenset(
    {"value", "key", "items", "tag", "description", "enabled", "status", "state", "type", "name"}
)
_UNTOLD = ("Rollback", "Revert", "Switch", "Failover", "Promote", "Swap", "Migrate")
_TOGGLES = ("Enable", "Disable", "Suspend", "Resume", "Activate", "Deactivate")
_WORD = re.compile(r"[A-Z]?[a-z]+")
_STEM = re.compile(r"(?:names?|ids?|arns?|identifiers?|url)$")


def set_beside(
    event: ChangeEvent, known: Known, since: datetime | None, *, seen_now: bool
) -> tuple[str, ...]:
    """Operations after the evidence of `since` that may have set what the event sets, on the same thing, though they
    have another name. `seen_now`: the present state was read, so what came later is not overlooked.
    """
    if verb(event.operation)[0] not in (*GIVES, *REPLACES):
        return ()
    near = [one for one in known.before(event) if since is not None and one.time >= since]
    near += [] if seen_now else known.after(event)
    kin = family(event.operation)
    return tuple(
        say("what {operation} of {time} set: it may be the same",
            operation=one.operation, time=stamp(one.time))
        for one in near
        if one.operation not in kin
        and "Tag" not in one.operation
        and same_place(one, event)
        and _of_it(one, event)
        and _sets_some(one, event)
    )  # fmt: skip


def _of_it(one: ChangeEvent, event: ChangeEvent) -> bool:
    """Whether another operation names the thing: its own name where the request tells it, else any."""
    names, others = named(event), named(one)
    if any(names[key] != others[key] for key in names.keys() & others.keys()):
        return False
    noun = verb(event.operation)[1].lower()
    stems = {key: _STEM.sub("", key) for key in names}
    own = [names[key] for key, stem in stems.items() if noun.endswith(stem)] or list(names.values())
    return bool({*others.values(), *_listed(one)} & set(own))


def _listed(event: ChangeEvent) -> Iterator[str]:
    """Names that a request gives in lists: `alarmNames`."""
    for value in opened(event.request).values():
        if isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))


def _sets_some(one: ChangeEvent, event: ChangeEvent) -> bool:
    fields, (word, noun) = _fields(event), verb(one.operation)
    if word in _UNTOLD or fields & _fields(one):
        return True
    if word not in _TOGGLES:
        return False
    thing = _words(verb(event.operation)[1])
    said = _words(noun) - thing
    return bool(said & {each for field in _spelled(event) for each in _words(field) - thing})


def _words(text: str) -> set[str]:
    return {word.lower().rstrip("s") for word in _WORD.findall(text)}


def _fields(event: ChangeEvent) -> set[str]:
    return {field.lower() for field in _spelled(event)}


def _spelled(event: ChangeEvent) -> set[str]:
    """The last word of each path that the request sets and that says something of its own."""
    request: dict[str, Any] = opened(event.request)
    found: set[str] = set()
    for path in leaves(request):
        steps = [step for step in path if isinstance(step, str)]
        if is_name(event, path) or any(is_manner(step) for step in steps) or at(request, path) in (None, {}):
            continue
        found |= {step for step in steps[-1:] if step.lower() not in _PLAIN}
    return found
