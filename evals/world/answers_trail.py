"""CloudTrail LookupEvents: one attribute, 50 a page, newest first, 90 days, 2 per second (API reference)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.trail import Record
from tools.models import Json

_PAGE = 50
_PER_SECOND = 2


@handles("cloudtrail", "LookupEvents")
def lookup_events(ask: Ask) -> Json:
    _quota(ask)
    attributes: list[Json] = ask.take("LookupAttributes", [])
    if len(attributes) > 1:
        raise Refusal(
            "InvalidLookupAttributesException", "You can only specify one lookup attribute at a time."
        )
    if ask.take("EventCategory") not in (None,):
        raise NotModelled("EventCategory")
    start, end = ask.take("StartTime"), ask.take("EndTime")
    if start is not None and end is not None and start > end:
        raise Refusal("InvalidTimeRangeException", "Start time is after end time.")
    size = int(ask.take("MaxResults", _PAGE))
    if not 1 <= size <= _PAGE:
        raise Refusal("InvalidMaxResultsException", "The value for MaxResults must be between 1 and 50.")
    token = ask.take("NextToken")
    wanted = _match(attributes[0]) if attributes else None
    first = start.replace(microsecond=0) if start is not None else None  # event times are whole seconds
    found = [
        one
        for one in ask.world.trail.visible(ask.region, ask.as_of)
        if (first is None or one.time >= first)
        and (end is None or one.time <= end)
        and (wanted is None or wanted(one))
    ]
    page, following = ask.page(found, size, token)
    answer: Json = {"Events": [one.item() for one in page]}
    if following:
        answer["NextToken"] = following
    return answer


def _quota(ask: Ask) -> None:
    if not ask.world.switches.throttle:
        return
    calls = ask.session.calls.setdefault(f"LookupEvents {ask.region}", [])
    recent = [moment for moment in calls if ask.now - moment < timedelta(seconds=1)]
    if len(recent) >= _PER_SECOND:
        raise Refusal("ThrottlingException", "Rate exceeded")
    calls[:] = [*recent, ask.now]


def _match(attribute: Json) -> Callable[[Record], bool]:
    key, value = str(attribute["AttributeKey"]), str(attribute["AttributeValue"])
    tests: dict[str, Callable[[Record], bool]] = {
        "EventId": lambda one: one.id == value,
        "EventName": lambda one: one.body["eventName"] == value,
        "EventSource": lambda one: one.body["eventSource"] == value,
        "ReadOnly": lambda one: one.read_only == (value == "true"),
        "Username": lambda one: one.username == value,
        "AccessKeyId": lambda one: one.key == value,
        "ResourceType": lambda one: value in one.types,
        "ResourceName": lambda one: value in one.names,
    }
    if key not in tests:
        raise Refusal("InvalidLookupAttributesException", f"{key} is no lookup attribute.")
    return tests[key]
