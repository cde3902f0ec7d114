"""Every change that a service file gives an example of: exactly one outcome, valid calls, no value lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.undoing.anatomy import is_manner
from graph.undoing.known import Known
from graph.undoing.restore import OUTCOMES, Restoration, restoration
from tools import guard
from tools.catalogue import services
from tools.cloudtrail_events import parse
from tools.models import ChangeEvent, Json
from tools.parameters import operations, validate

_EXAMPLES = [
    (service.name, change.operation, record)
    for service in services().values()
    for change in service.changes
    for record in (change.example, *change.more_examples)
]
_SERVICES = sorted({name for name, *_ in _EXAMPLES})
_NAMES = ("id", "name", "arn", "number", "token", "port", "key", "version")


def other(value: Any, key: str = "") -> Any:
    """The same structure with other numbers and switches, names kept."""
    if isinstance(value, dict):
        return {name: other(inner, name) for name, inner in value.items()}
    if isinstance(value, list) or key.lower().endswith(_NAMES):
        return value
    if isinstance(value, bool):
        return not value
    return value + 7 if isinstance(value, int | float) else value


def flat(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from flat(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner)
    else:
        yield str(value).lower()


def differing(one: Any, two: Any) -> Iterator[str]:
    """Values of `one` that `two` holds otherwise."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in one:
            if not is_manner(key):
                yield from differing(one[key], two.get(key))
    elif one != two:
        yield str(one).lower()


def check(made: Restoration) -> None:
    """What holds of every verdict."""
    assert made.outcome in OUTCOMES
    assert made.why
    assert bool(made.unknown) == (made.outcome == "partial")
    assert bool(made.lost) == (made.outcome == "cannot be undone")
    assert made.nearest or made.outcome != "cannot be undone"
    assert made.calls or made.outcome != "exact"
    if made.outcome not in ("exact", "partial"):
        assert made.calls == made.back == ()
    for call in (*made.calls, *made.back):
        assert validate(call) == ()
        assert call.operation in operations(call.service)
        assert call.operation not in guard.READS.get(call.service, ())


def at(record: Json, days: float, id: str, request: Any = None) -> ChangeEvent:
    event = parse({**record, "eventID": id})
    moved = replace(event, time=event.time - timedelta(days=days))
    return moved if request is None else replace(moved, request=request)


@pytest.mark.parametrize("service", _SERVICES)
def test_every_example_has_one_outcome_and_valid_calls(service: str) -> None:
    for name, operation, record in _EXAMPLES:
        if name == service:
            event = at(record, 0, "e")
            made = restoration(event, Known(events=(event,)))
            check(made)
            assert made.outcome != "superseded", operation


@pytest.mark.parametrize("service", _SERVICES)
def test_a_refused_attempt_leaves_nothing_to_undo(service: str) -> None:
    for name, _, record in _EXAMPLES:
        if name == service:
            event = at({**record, "errorCode": "AccessDenied"}, 0, "e")
            made = restoration(event, Known(events=(event,)))
            check(made)
            assert made.outcome == "nothing to undo"


@pytest.mark.parametrize("service", _SERVICES)
def test_no_value_that_an_earlier_request_held_is_lost(service: str) -> None:
    for name, operation, record in _EXAMPLES:
        if name != service:
            continue
        before = at(record, 3, "before")
        event = replace(at(record, 0, "e", other(copy.deepcopy(before.request))), response={})
        made = restoration(event, Known(events=(before, event)))
        check(made)
        lost = set(differing(before.request, event.request))
        if made.outcome == "exact" and lost and operation.startswith(("Update", "Modify", "Set", "Put")):
            sent = {text for call in made.calls for text in flat(call.parameters)}
            inside = json.dumps([call.parameters for call in made.calls], default=str).lower()
            assert all(text in sent or text in inside for text in lost), (operation, lost, made.calls)


@pytest.mark.parametrize("service", _SERVICES)
def test_a_later_change_of_the_same_is_never_lost(service: str) -> None:
    for name, operation, record in _EXAMPLES:
        if name != service or not operation.startswith(("Update", "Modify", "Set", "Put")):
            continue
        before, after = at(record, 3, "before"), at(record, 0, "later")
        event = replace(at(record, 1, "e", other(copy.deepcopy(before.request))), response={})
        if not list(differing(before.request, event.request)):
            continue
        put_back = restoration(event, Known(events=(before, event, after)))
        check(put_back)
        assert put_back.outcome in ("nothing to undo", "superseded"), (operation, put_back)
        third = replace(after, request=other(copy.deepcopy(event.request)))
        overtaken = restoration(event, Known(events=(before, event, third)))
        check(overtaken)
        assert overtaken.calls == (), (operation, overtaken)


def test_the_examples_are_many() -> None:
    assert len(_EXAMPLES) >= 200
    assert len(_SERVICES) >= 13
