"""Reversals of operations that no service file describes, from the events themselves: opposites, and what was sent
before. Pure. A recorded value that would not survive stops a call from being made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from graph.undoing.after import (
    GIVES,
    REPLACES,
    TAKES_AWAY,
    Reversal,
    equal,
    opposites,
    same_family,
    since_undone,
)
from graph.undoing.anatomy import client_of, overlap, verb
from graph.undoing.calls import has, opposite_call
from graph.undoing.deltas import adds_only, turned
from graph.undoing.known import Known
from graph.undoing.moved import Moved
from graph.undoing.opposites import give_again, no_way, take_away
from graph.undoing.sent import as_sent, give_back
from graph.words import say
from tools.models import ChangeEvent


def reverse(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> Reversal:
    """The reversal of one event by what CloudTrail alone tells."""
    word, noun = verb(event.operation)
    client = client_of(event)
    if not client:
        return no_way(
            event,
            say("boto3 knows no operation {name} of {source}", name=event.operation, source=event.source),
        )
    way = turned(event, known, client) if word in (*GIVES, *REPLACES) else None
    if way is not None and adds_only(event):
        return way
    if (undone := since_undone(event, known)) is not None:
        return undone
    if way is not None:
        return way
    if word in REPLACES and (before := _sent_before(event, known, client)) is not None:
        return before
    if word in (*REPLACES, *GIVES):
        return give_back(event, known, client, fields)
    if is_tagging(event):
        return _tags(event)
    if (names := _BY_NAME.get(event.operation)) is not None:
        return _by_name_of(event, client, names)
    for back in (*_MAKERS.get(event.operation, ()), *opposites(event.operation)):
        if has(client, back):
            turn = give_again if word in TAKES_AWAY else take_away
            return turn(event, known, client, word, noun, back)
    return no_way(event, "")


def _sent_before(event: ChangeEvent, known: Known, client: str) -> Reversal | None:
    """For operations that replace a whole: the whole that was sent before, or its removal."""
    word, noun = verb(event.operation)
    before = next(
        (one for one in known.earlier(event) if same_family(one, event) and overlap(one, event)), None
    )
    if before is None:
        return None
    if before.operation == event.operation:
        if equal(before, event):
            return Reversal(outcome="nothing to undo", why=say("it was so before already"), rests_on=before)
        return as_sent(event, client, before)
    if verb(before.operation)[0] == "Delete" and has(client, "Delete" + noun):
        return take_away(event, known, client, word, noun, "Delete" + noun)
    return None


# Operations whose way back has another name, in order. AWS keeps what they take away for a while.
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "ScheduleKeyDeletion": (
        "CancelKeyDeletion",
        "EnableKey",
    ),  # a key whose deletion is cancelled stays disabled
    "DeleteSecret": ("RestoreSecret",),
}


# What makes again what these take away, where the name does not tell it.
_MAKERS: Mapping[str, tuple[str, ...]] = {
    "DeleteAlarms": ("PutMetricAlarm",),
    "DeletePolicy": ("PutScalingPolicy",),
    "RemoveTargets": ("PutTargets",),
    "PutTargets": ("RemoveTargets",),
    "DeleteRouteResponse": ("CreateRouteResponse",),
}
_TAGS = re.compile(
    r"(?:Tag|Untag)[A-Z]|(?:Create|Delete|Add|Remove)Tags|(?:Add|Remove)Tags\w+|CreateOrUpdateTags$"
)


def is_tagging(event: ChangeEvent) -> bool:
    """Whether the operation sets or removes tags."""
    return _TAGS.match(event.operation) is not None


def _tags(event: ChangeEvent) -> Reversal:
    """Tags that a call sets take the place of older ones, of which the event says nothing."""
    return Reversal(
        outcome="partial",
        why=say("no event tells the tags before"),
        unknown=(say("the tags that {operation} set or removed, as they were", operation=event.operation),),
    )


def _by_name_of(event: ChangeEvent, client: str, way: tuple[str, ...]) -> Reversal:
    calls = tuple(call for call in (opposite_call(event, client, name) for name in way) if call is not None)
    forced = any(key.lower().startswith("force") and value for key, value in event.request.items())
    if forced or len(calls) != len(way):
        return no_way(event, "")
    return Reversal(
        outcome="exact", why=say("as long as AWS keeps it; after the waiting time it is gone"), calls=calls
    )
