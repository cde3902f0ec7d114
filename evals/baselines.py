"""Simple ways to name a culprit, for comparison: what opsleuth must be better than."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import Refused
from tools.evidence import MemoryStore
from tools.models import Json

LOOKBACK = timedelta(hours=24)
_PAGES = 40  # 2,000 events


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What "latest change wins" blames: an event, or nothing when it sees none."""

    event: str = ""
    actor: str = ""
    action: str = ""
    time: datetime | None = None


NOTHING = Guess()


def latest_change(aws: Aws, before: datetime) -> Guess:
    """The newest successful change of the region in the 24 hours before `before` (the alarm's transition).

    Asks CloudTrail's LookupEvents with ReadOnly=false (50 a page, newest first) and takes the first one that
    succeeded. Raises nothing on a refusal: what cannot see blames nobody.
    """
    asked: Json = {
        "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        "StartTime": before - LOOKBACK,
        "EndTime": before,
        "MaxResults": 50,
    }
    for _ in range(_PAGES):
        try:
            answer = aws.ask("cloudtrail", "LookupEvents", aws.region, asked)
        except Refused:
            return NOTHING
        for item in answer.get("Events", []):
            record = json.loads(item["CloudTrailEvent"])
            if _by_somebody(record):
                return _guess(item)
        if not answer.get("NextToken"):
            return NOTHING
        asked["NextToken"] = answer["NextToken"]
    return NOTHING


def _by_somebody(record: Json) -> bool:
    """A call that succeeded and was not made by a service, or by a program that AWS runs to log."""
    who = record.get("userIdentity", {})
    by_aws = (
        who.get("type") == "AWSService" or "invokedBy" in who or "exec-env/" in record.get("userAgent", "")
    )
    return not record.get("errorCode") and record.get("eventType") == "AwsApiCall" and not by_aws


def _guess(item: Json) -> Guess:
    return Guess(
        event=item["EventId"],
        actor=item.get("Username", ""),
        action=item["EventName"],
        time=item["EventTime"].astimezone(UTC),
    )


def guess_for(world: Any) -> Guess:
    """The guess at the alarm of a world, through its own transport, when the investigation begins."""
    budget = Budget(Limits())
    place = Account(region=world.region)
    aws = Aws(
        place, world.transport(), VirtualClock(world.start), budget, MemoryStore(), own_account=world.account
    )
    try:
        return latest_change(aws, _went_red(aws, str(world.trigger.get("alarm", ""))) or world.start)
    finally:
        aws.close()


def _went_red(aws: Aws, alarm: str) -> datetime | None:
    """When the alarm's state last changed, by DescribeAlarms."""
    name = alarm.rpartition(":alarm:")[2]
    if not name:
        return None
    found = aws.ask("cloudwatch", "DescribeAlarms", aws.region, {"AlarmNames": [name]}).get(
        "MetricAlarms", []
    )
    return found[0]["StateTransitionedTimestamp"] if found else None
