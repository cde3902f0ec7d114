"""Events to judge, with what came before and after them: made of the examples that the service files give.

Each example gives several: alone, changed from other values, taken away after it was given, put back, overtaken,
refused. Values change by botocore's own shapes; names stay, so that all events of one sample are of one thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any, Literal
from urllib.parse import unquote

from graph.undoing.after import OPPOSITES, REPLACES, TAKES_AWAY
from graph.undoing.anatomy import client_of, is_manner, named, opened, operation_of, payload, verb
from graph.undoing.known import Known
from tools.catalogue import services
from tools.cloudtrail_events import parse
from tools.errors import BadInput
from tools.evidence import canonical
from tools.models import Call, ChangeEvent, Json
from tools.parameters import allowed, from_cloudtrail, members, operations

Kind = Literal["alone", "changed", "taken", "put back", "overtaken", "refused"]
KINDS: tuple[Kind, ...] = ("alone", "changed", "taken", "put back", "overtaken", "refused")
_GIVES = ("Update", "Modify", "Set", "Put", "Replace", "Change", "Register", "Apply", "Configure")
_NAMES = (
    "id",
    "ids",
    "name",
    "names",
    "arn",
    "arns",
    "token",
    "version",
    "key",
    "type",
    "protocol",
    "principal",
)
_SWITCHES = ("status", "state", "statevalue", "mode", "action", "enabled", "configuration")
_TEXTS = ("description", "comment", "displayname", "prefix", "value", "statusreason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One event with its history. `before` and `after` are of the same thing, oldest first."""

    service: str  # name of the service file
    kind: Kind
    event: ChangeEvent
    before: tuple[ChangeEvent, ...] = ()
    after: tuple[ChangeEvent, ...] = ()

    @property
    def known(self) -> Known:
        """What is known when the event is judged: the events alone."""
        return Known(events=(*self.before, self.event, *self.after))


@cache
def samples() -> tuple[Sample, ...]:
    """All samples of all service files, in the files' order."""
    return tuple(
        one
        for name, service in services().items()
        for change in service.changes
        for number, record in enumerate((change.example, *change.more_examples))
        for one in _of(name, record, f"{name}-{change.operation}-{number}")
    )


def _of(service: str, record: Json, label: str) -> Iterator[Sample]:
    event = replace(parse({**record, "eventID": label}), error_code="")
    yield Sample(service=service, kind="alone", event=event)
    refused = replace(event, id=f"{label}-refused", error_code="AccessDenied", response={})
    yield Sample(service=service, kind="refused", event=refused)
    word, _ = verb(event.operation)
    if word in TAKES_AWAY:
        given = giver(service, event)
        if given is not None:
            yield Sample(service=service, kind="taken", event=replace(event, response={}), before=(given,))
    elif word in _GIVES:
        yield from _changed(service, event)


def _changed(service: str, event: ChangeEvent) -> Iterator[Sample]:
    request = other(event, 1)
    if request == event.request:
        return
    event = replace(event, response={})  # an answer may tell other values before than these
    before = _at(event, -3, "before", request)
    yield Sample(service=service, kind="changed", event=event, before=(before,))
    back = _at(event, 1, "back", request)
    yield Sample(service=service, kind="put back", event=event, before=(before,), after=(back,))
    third = other(event, 2)
    if third not in (event.request, request):
        again = _at(event, 1, "again", third)
        yield Sample(service=service, kind="overtaken", event=event, before=(before,), after=(again,))


def _at(event: ChangeEvent, days: int, label: str, request: Json) -> ChangeEvent:
    return replace(
        event,
        id=f"{event.id}-{label}",
        time=event.time + timedelta(days=days),
        request=request,
        response={},
        evidence=(),
    )


def giver(service: str, event: ChangeEvent) -> ChangeEvent | None:
    """The event that gave what this one takes away: of another example with this one's names, or of its own request."""
    word, noun = verb(event.operation)
    for other_word in OPPOSITES.get(word, ()):
        operation = other_word + noun
        example = next(
            (one.example for one in services()[service].changes if one.operation == operation), None
        )
        if example is not None:
            given = parse({**example, "eventID": f"{event.id}-given"})
            request = _renamed(given.request, named(event))
            made = replace(
                given, request=request, account=event.account, region=event.region, names=event.names
            )
        elif other_word in ("Put", "Create"):
            continue  # what it gave stands in no request
        else:
            made = replace(event, id=f"{event.id}-given", operation=operation, action=operation, response={})
        made = replace(made, time=event.time - timedelta(days=3), error_code="", evidence=())
        if _is_call(made):
            return made
    return None


def _renamed(request: Json, names: dict[str, str]) -> Json:
    """The request with its outermost names replaced by those of the same field."""
    return {
        key: names[key.lower()] if isinstance(value, str) and key.lower() in names else value
        for key, value in request.items()
    }


def _is_call(event: ChangeEvent) -> bool:
    client = client_of(event)
    if not client or operation_of(event) not in operations(client):
        return False
    try:
        sent = from_cloudtrail(client, operation_of(event), event.request)
    except BadInput:
        return False
    return bool(sent) or not members(client, operation_of(event))[0]


# -- other values ------------------------------------------------------------------------------------


def other(event: ChangeEvent, step: int) -> Json:
    """The event's request with other numbers, switches, words of a closed list and free texts; names as they are."""
    client = client_of(event)
    closed = _closed(client, operation_of(event)) if client else {}
    request = opened(event.request)
    fixed = set(named(event)) | {
        key.lower() for key in (members(client, operation_of(event))[0] if client else ())
        if not isinstance(_of_key(request, key), bool | int | float)
        and key.lower() not in closed
    }  # fmt: skip
    changed = {
        key: value if key.lower() in fixed or is_manner(key) else _other(value, key, step, closed)
        for key, value in request.items()
    }
    if request is event.request:
        return changed
    wrapper = next(iter(event.request))
    return {wrapper: changed}


def _of_key(request: Json, key: str) -> Any:
    return next((value for name, value in request.items() if name.lower() == key.lower()), None)


def _other(value: Any, key: str, step: int, closed: dict[str, tuple[str, ...]]) -> Any:
    name = key.lower()
    if isinstance(value, dict):
        return {inner: _other(one, inner, step, closed) for inner, one in value.items()}
    if isinstance(value, list):
        if all(isinstance(one, dict) for one in value):
            return [_other(one, key, step, closed) for one in value]
        return value
    if name == "tag":  # the place in a list, as EC2 records one
        return value
    if isinstance(value, bool):
        return value ^ bool(step % 2)
    if isinstance(value, int | float):
        return value + step
    return _other_text(value, name, step, closed) if isinstance(value, str) else value


def _other_text(value: str, name: str, step: int, closed: dict[str, tuple[str, ...]]) -> str:
    words = closed.get(name, ())
    if value in words:
        if not name.endswith(_SWITCHES):
            return value
        return words[(words.index(value) + step) % len(words)]
    if value in ("true", "false"):
        return ("true", "false")[(value == "true") ^ (step % 2 == 0)]
    if value.isdecimal() and not name.endswith(_NAMES):
        return str(int(value) + step)
    if any(name.endswith(end) for end in _TEXTS) and not value.startswith(("arn:", "{", "[", "HIDDEN", "*")):
        return f"{value}-{step}"
    return value


@cache
def _closed(client: str, operation: str) -> dict[str, tuple[str, ...]]:
    """Words that botocore lists for members, by lower-case name; those that differ between places are left out."""
    found: dict[str, tuple[str, ...]] = {}
    clash: set[str] = set()
    for name, words in allowed(client, operation):
        if name.lower() in found and found[name.lower()] != words:
            clash.add(name.lower())
        found[name.lower()] = words
    return {name: words for name, words in found.items() if name not in clash}


def lost(sample: Sample, calls: Sequence[Call]) -> tuple[str, ...]:
    """Values that the history gave, that the event changed or took away, and that these calls do not hold."""
    if not sample.before:
        return ()
    changed = sample.event.request if sample.kind != "taken" else {}
    return _unsent(_differing(sample.before[-1].request, changed), calls)


def lost_of(event: ChangeEvent, given: ChangeEvent, calls: Sequence[Call]) -> tuple[str, ...]:
    """The same of any event and the earlier one that its plan rests on, which may have given more than was changed:
    of what an update or a removal names, that alone counts.
    """
    word, _ = verb(event.operation)
    if word in TAKES_AWAY:
        taken = payload(event) if given.operation != event.operation else {}
        return _unsent(_differing(taken or opened(given.request), {}), calls)
    before, after = opened(given.request), opened(event.request)
    if word not in REPLACES:
        before = {key: value for key, value in before.items() if key in after}
    return _unsent(_differing(before, after), calls)


def _unsent(values: Iterable[str], calls: Sequence[Call]) -> tuple[str, ...]:
    sent = canonical([call.parameters for call in calls]).lower()
    words = set(_WORD.findall(sent))
    return tuple(
        one
        for one in map(_plain, values)
        if one.lower() not in sent and not set(_WORD.findall(one.lower())) <= words
    )


_WORD = re.compile(r"[\w.+-]+")


def _plain(text: str) -> str:
    """As calls spell it: paths of EKS are recorded with %3A, times with Z."""
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+Z", text):
        return f"{text[:-1]}+00:00"
    return unquote(text)


def _differing(one: Any, other: Any) -> Iterator[str]:
    """Values of `one` that `other` holds otherwise."""
    if isinstance(one, dict):
        for key, inner in one.items():
            if not is_manner(key) and key != "tag":  # the place in a list, as EC2 records one
                yield from _differing(inner, other.get(key) if isinstance(other, dict) else None)
    elif isinstance(one, list):
        for inner in one if one != other else ():
            yield from _differing(inner, None)
    elif one != other and one not in (None, ""):
        yield str(one)
