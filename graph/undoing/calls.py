"""Opposite calls made of what an event names. Pure; every call is valid, or there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from graph.undoing.anatomy import opened, operation_of, verb
from graph.words import say
from tools.errors import BadInput
from tools.models import Call, ChangeEvent, Json
from tools.parameters import from_cloudtrail, members, operations, validate


def has(client: str, operation: str) -> bool:
    return operation in operations(client)


def opposite_call(event: ChangeEvent, client: str, back: str) -> Call | None:
    """The opposite call with what the event names; None when something required is not told."""
    sent: Json = {}
    required, optional = members(client, back)
    asked, answered = _sent(event, client), event.response
    for name in (*required, *optional):
        value = _by_name(asked, name)
        if value is None and name in required:
            value = _deep(answered, name)
        if value is None and name in required:
            return None
        if value is not None:
            sent[name] = value
    if not required:
        sent = _identified(event, back, optional, sent)
        if not sent:
            return None
    try:
        parameters = from_cloudtrail(client, back, sent)
    except BadInput:
        return None
    call = Call(service=client, operation=back, parameters=parameters, region=event.region)
    return call if not validate(call) else None


def _identified(event: ChangeEvent, back: str, optional: tuple[str, ...], sent: Json) -> Json:
    """What a call without required parameters must name: the id that the answer gave, else any name that is told.

    An address is let go by its association, a document's association by its own id: the request cannot know either.
    """
    _, noun = verb(back)
    own = {f"{noun}id".lower(), f"{noun}arn".lower(), "associationid"}
    for name in optional:
        if name.lower() in own and (value := _deep(event.response, name)) is not None:
            return {name: value}
    if any(_IDENTITY.search(name) for name in sent):
        return sent
    for name in optional:
        if _IDENTITY.search(name):
            for place in (event.request, event.response):
                if (value := _deep(place, name)) is not None:
                    return {**sent, name: value}
    return {}


_IDENTITY = re.compile(r"(?:Name|ARN|Arn|Id|Ids|Identifier|Url|Key)$")


def _sent(event: ChangeEvent, client: str) -> Json:
    """The request as it was sent, where it can be told; else as it was recorded."""
    try:
        return from_cloudtrail(client, operation_of(event), event.request)
    except BadInput:
        return opened(event.request)


def _by_name(request: Json, name: str) -> Any:
    wanted = name.lower()
    return next(
        (value for key, value in request.items() if key.lower() == wanted and value not in (None, "")), None
    )


def _deep(answer: Any, name: str) -> Any:
    """The one value of this name anywhere in an answer; None when there is none or several."""
    found = list(_named_in(answer, name.lower()))
    return found[0] if found and all(one == found[0] for one in found) else None


def _named_in(value: Any, name: str) -> Iterable[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.lower() == name and inner not in (None, "", {}, []):
                yield inner
            else:
                yield from _named_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _named_in(inner, name)


def missing(event: ChangeEvent, client: str, back: str) -> tuple[str, ...]:
    required, _ = members(client, back)
    asked = _sent(event, client)
    left = tuple(
        name for name in required if _by_name(asked, name) is None and _deep(event.response, name) is None
    )
    return left or (say("what {operation} removed or replaced", operation=event.operation),)


def left_open(client: str, back: str, call: Call) -> tuple[str, ...]:
    """What the opposite may set and this event does not tell."""
    _, optional = members(client, back)
    stems = {_stem(name) for name in call.parameters}
    return tuple(
        name
        for name in optional
        if name not in call.parameters
        and name not in _NO_VALUE
        and (_stem(name) == name or _stem(name) not in stems)
    )


def _stem(name: str) -> str:
    """`StreamARN` and `StreamName` name the same stream."""
    return re.sub(r"(?:Name|ARN|Arn|Id|Identifier)$", "", name)


_NO_VALUE = frozenset(
    {"DryRun", "ClientToken", "ClientRequestToken", "Force", "GroupName", "ExpectedBucketOwner"}
)
