from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.baselines import LOOKBACK, NOTHING, latest_change
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.models import Json
from tools.transport import WireAnswer, WireRequest

RED = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def event(name: str, minutes: float, **record: Any) -> Json:
    time = RED - timedelta(minutes=minutes)
    body = {
        "eventType": "AwsApiCall",
        "userIdentity": {"type": "IAMUser"},
        "userAgent": "aws-cli/2",
        **record,
    }
    return {
        "EventId": f"id-{name}",
        "EventName": name,
        "EventTime": time.timestamp(),
        "Username": "dana",
        "CloudTrailEvent": json.dumps(body),
    }


class Trail:
    """Answers LookupEvents with one event a page."""

    virtual = True

    def __init__(self, *events: Json, denied: bool = False) -> None:
        self.events, self.denied, self.asked = events, denied, list[Json]()

    def start(self) -> datetime:
        return RED

    def close(self) -> None: ...

    def send(self, request: WireRequest) -> WireAnswer:
        self.asked.append(request.parameters)
        page = int(request.parameters.get("NextToken", 0))
        body: Json = {"Events": self.events[page : page + 1]}
        if page + 1 < len(self.events):
            body["NextToken"] = str(page + 1)
        if self.denied:
            body = {"__type": "AccessDeniedException", "message": "no identity-based policy allows it"}
        headers = {"content-type": "application/x-amz-json-1.1"}
        return WireAnswer(
            status=400 if self.denied else 200,
            headers=headers,
            body=json.dumps(body).encode(),
            protocol=request.protocol,
        )


def aws(trail: Trail) -> Aws:
    place = Account(region="eu-west-1")
    return Aws(place, trail, VirtualClock(RED), Budget(Limits()), MemoryStore(), own_account="111122223333")


def test_the_newest_change_that_succeeded_is_blamed() -> None:
    trail = Trail(
        event("Refused", 1, errorCode="AccessDenied"),
        event("ByService", 2, userIdentity={"type": "AWSService"}),
        event("OnBehalf", 3, userIdentity={"type": "AssumedRole", "invokedBy": "x.amazonaws.com"}),
        event("CreateLogStream", 4, userAgent="Boto3/1 exec-env/AWS_Lambda_python3.13"),
        event("Rotated", 5, eventType="AwsServiceEvent"),
        event("UpdateTable", 6),
        event("TagResource", 7),
    )
    guess = latest_change(aws(trail), RED)
    assert (guess.event, guess.action, guess.actor) == ("id-UpdateTable", "UpdateTable", "dana")
    assert guess.time == RED - timedelta(minutes=6)


def test_only_changes_of_the_day_before_are_asked_for() -> None:
    trail = Trail(event("UpdateTable", 6))
    latest_change(aws(trail), RED)
    (asked,) = trail.asked
    assert asked["LookupAttributes"] == [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
    assert (asked["StartTime"], asked["EndTime"]) == (RED - LOOKBACK, RED)


def test_who_sees_nothing_blames_nobody() -> None:
    assert latest_change(aws(Trail()), RED) == NOTHING
    assert latest_change(aws(Trail(event("Refused", 1, errorCode="AccessDenied"))), RED) == NOTHING
    assert latest_change(aws(Trail(event("UpdateTable", 1), denied=True)), RED) == NOTHING
