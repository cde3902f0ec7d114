"""What an exact plan must stand: nothing hidden is sent, and no event whose request is not told may have changed it.

Pure. Looks at the calls and at the events around; what it doubts is named, and the plan is exact no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from graph.undoing.after import family, same_place
from graph.undoing.anatomy import client_of, makes, operation_of, overlap, verb
from graph.undoing.identity import may_agree, same_subject
from graph.undoing.known import Known
from graph.words import say, stamp
from tools.errors import BadInput
from tools.masks import masked
from tools.models import Call, ChangeEvent
from tools.parameters import members


def unsendable(calls: Iterable[Call]) -> tuple[str, ...]:
    """Parameters that hold a mask in the place of a value, or a number that is none."""
    found = (name for call in calls for name, value in call.parameters.items() if _bad(value))
    return tuple(dict.fromkeys(found))


def _bad(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_bad(inner) for inner in (*value.keys(), *value.values()))
    if isinstance(value, list | tuple):
        return any(_bad(inner) for inner in value)
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, str) and masked(value)


def unreadable(event: ChangeEvent) -> bool:
    """Whether the record does not hold the request: CloudTrail leaves out what is too large, and some services all."""
    if event.request.get("omitted") is True and {"reason", "originalSize"} & event.request.keys():
        return True
    if event.request:
        return False
    client = client_of(event)
    if not client:
        return True
    try:
        return bool(members(client, operation_of(event))[0])
    except BadInput:
        return True


def unread_near(event: ChangeEvent, known: Known, since: datetime | None, seen_now: bool) -> tuple[str, ...]:
    """Events of the same family that may be about the same thing, though their requests do not tell, or do not prove
    that it is another.

    `since`: the time of the oldest evidence that the plan rests on; what came before it does not matter. `seen_now`:
    the present state was read, so nothing later is overlooked.
    """
    kin = family(event.operation)
    _, noun = verb(event.operation)
    earlier = () if makes(event) else known.before(event)
    near = [one for one in earlier if since is None or one.time >= since]
    near += [] if seen_now else known.after(event)
    kept = [
        one
        for one in near
        if one.id != event.id
        and same_place(one, event)
        and (one.operation in kin or (bool(noun) and verb(one.operation)[1] == noun))
    ]
    left_out = [one for one in kept if unreadable(one)]
    like = [
        one for one in kept if one not in left_out and one.time != since and _perhaps_same(one, event, known)
    ]
    return (
        *(say("what {operation} of {time} set: its request is not in the record",
              operation=one.operation, time=stamp(one.time)) for one in left_out),
        *(say("what {operation} of {time} set: it may be of the same thing",
              operation=one.operation, time=stamp(one.time)) for one in like),
    )  # fmt: skip


def _perhaps_same(one: ChangeEvent, event: ChangeEvent, known: Known) -> bool:
    """Whether two events set some of the same, and nothing tells for sure whether it was on the same thing."""
    if one.operation not in family(event.operation) or same_subject(one, event) or not overlap(one, event):
        return False
    touched, others = set(known.touched(event)), set(known.touched(one))
    if touched and others and not touched & others:
        return False
    return may_agree(one, event)
