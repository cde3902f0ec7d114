"""AWS Health: closed without a support plan (the switch `health` opens it), else the world's health events.

Happenings of the service "health" have the event type code as `kind` and, in `details`, what DescribeEvents calls
service, eventTypeCategory, statusCode, region. The endpoint is in the partition's global region.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world import happenings
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.happenings import Happening
from tools.models import Json

_KEPT = timedelta(days=90)
_SIMPLE = {
    "eventTypeCodes": "eventTypeCode",
    "services": "service",
    "regions": "region",
    "eventTypeCategories": "eventTypeCategory",
    "eventStatusCodes": "statusCode",
    "eventArns": "arn",
}
_RANGES = {"startTimes": "startTime", "endTimes": "endTime", "lastUpdatedTimes": "lastUpdatedTime"}


def _open(ask: Ask) -> None:
    if not ask.world.switches.health:
        ask.left.clear()
        raise Refusal(
            "SubscriptionRequiredException",
            "The AWS Health API requires a Business, Enterprise On-Ramp or Enterprise Support plan.",
        )
    ask.only("locale", "en")


def _event(ask: Ask, one: Happening) -> Json:
    service = str(one.details.get("service", one.resource.split(":")[2])).upper()
    region = str(one.details.get("region", ask.world.region))
    code = ask.world.seed.hex(f"health:{one.time.isoformat()}:{one.kind}:{one.resource}", 32)
    over = one.ended is not None and one.ended <= ask.as_of
    event: Json = {
        "arn": f"arn:{ask.world.partition}:health:{region}::event/{service}/{one.kind}/{one.kind}_{code}",
        "service": service,
        "eventTypeCode": one.kind,
        "eventTypeCategory": one.details.get("eventTypeCategory", "issue"),
        "region": region,
        "startTime": one.time,
        "lastUpdatedTime": one.ended if over else one.time,
        "statusCode": "closed" if over else one.details.get("statusCode", "open"),
        "eventScopeCode": one.details.get("eventScopeCode", "ACCOUNT_SPECIFIC"),
    }
    if over:
        event["endTime"] = one.ended
    return event


def _events(ask: Ask) -> list[tuple[Json, Happening]]:
    found = happenings.of(ask.world.happenings, "health", ask.as_of - _KEPT, ask.as_of)
    return [(_event(ask, one), one) for one in found]


def _wanted(event: Json, one: Happening, asked: Json) -> bool:
    unknown = set(asked) - set(_SIMPLE) - set(_RANGES) - {"entityArns"}
    if unknown:
        raise NotModelled(", ".join(sorted(unknown)))
    if asked.get("entityArns") and one.resource not in asked["entityArns"]:
        return False
    return all(event[key] in asked[name] for name, key in _SIMPLE.items() if asked.get(name)) and all(
        any(_inside(event.get(key), span) for span in asked[name])
        for name, key in _RANGES.items()
        if asked.get(name)
    )


def _inside(moment: datetime | None, span: Json) -> bool:
    start, end = span.get("from"), span.get("to")
    return moment is not None and (start is None or moment >= start) and (end is None or moment <= end)


def _paged(ask: Ask, name: str, found: list[Any]) -> Json:
    page, following = ask.page(found, int(ask.take("maxResults", 100)), ask.take("nextToken"))
    answer: Json = {name: page}
    if following:
        answer["nextToken"] = following
    return answer


@handles("health", "DescribeEvents")
def describe_events(ask: Ask) -> Json:
    _open(ask)
    asked: Json = ask.take("filter") or {}
    return _paged(ask, "events", [event for event, one in _events(ask) if _wanted(event, one, asked)])


@handles("health", "DescribeEventDetails")
def describe_event_details(ask: Ask) -> Json:
    _open(ask)
    held = {str(event["arn"]): (event, one) for event, one in _events(ask)}
    good: list[Json] = []
    bad: list[Json] = []
    for arn in ask.need("eventArns"):
        if arn in held:
            event, one = held[arn]
            good.append({"event": event, "eventDescription": {"latestDescription": one.message}})
        else:
            said = "The event ARN is not valid or the event does not exist."
            bad.append({"eventArn": arn, "errorName": "InvalidParameterException", "errorMessage": said})
    return {"successfulSet": good, "failedSet": bad}


@handles("health", "DescribeAffectedEntities")
def describe_affected_entities(ask: Ask) -> Json:
    _open(ask)
    asked: Json = ask.need("filter")
    if set(asked) - {"eventArns", "entityArns"}:
        raise NotModelled(", ".join(sorted(asked)))
    found = [
        {
            "entityArn": f"{event['arn']}/entity",
            "eventArn": event["arn"],
            "entityValue": one.resource,
            "awsAccountId": ask.world.account,
            "lastUpdatedTime": event["lastUpdatedTime"],
            "statusCode": "UNIMPAIRED" if event["statusCode"] == "closed" else "IMPAIRED",
        }
        for event, one in _events(ask)
        if event["arn"] in asked["eventArns"] and one.resource
    ]
    return _paged(ask, "entities", found)


def _else(ask: Ask) -> Json:
    _open(ask)
    raise NotModelled("operation")


for _operation in (
    "DescribeAffectedEntitiesForOrganization",
    "DescribeEntityAggregates",
    "DescribeEventAggregates",
    "DescribeEventDetailsForOrganization",
    "DescribeEventTypes",
    "DescribeEventsForOrganization",
):
    handles("health", _operation)(_else)
