from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals.baselines import LOOKBACK, NAMES, NOTHING, Guess, Scene, changes, judged, latest, loudest, nearest
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
    found = changes(aws(trail), RED, ["eu-west-1"])
    assert [one.event for one in found] == ["id-UpdateTable", "id-TagResource"]
    guess = latest(Scene(changes=found))
    assert (guess.event, guess.action, guess.actor) == ("id-UpdateTable", "UpdateTable", "dana")
    assert guess.time == RED - timedelta(minutes=6)


def test_only_changes_of_the_day_before_are_asked_for() -> None:
    trail = Trail(event("UpdateTable", 6))
    changes(aws(trail), RED, ["eu-west-1", "eu-west-1"])
    (asked,) = trail.asked
    assert asked["LookupAttributes"] == [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
    assert (asked["StartTime"], asked["EndTime"]) == (RED - LOOKBACK, RED)


def test_who_sees_nothing_blames_nobody() -> None:
    assert changes(aws(Trail()), RED, ["eu-west-1"]) == ()
    assert changes(aws(Trail(event("Refused", 1, errorCode="AccessDenied"))), RED, ["eu-west-1"]) == ()
    assert changes(aws(Trail(event("UpdateTable", 1), denied=True)), RED, ["eu-west-1"]) == ()
    assert latest(Scene()) == nearest(Scene()) == loudest(Scene()) == NOTHING


def test_changes_of_two_regions_are_one_list() -> None:
    found = changes(
        aws(Trail(event("UpdateTable", 6), event("PutMetricAlarm", 9))), RED, ["eu-west-1", "us-east-1"]
    )
    assert [one.action for one in found] == ["UpdateTable", "UpdateTable", "PutMetricAlarm", "PutMetricAlarm"]


def guess(name: str, minutes: float) -> Guess:
    return Guess(event=name, action=name, time=RED - timedelta(minutes=minutes))


SCENE = Scene(
    changes=(guess("far", 1), guess("role", 5), guess("near", 20), guess("nearer", 40), guess("older", 60)),
    touched={
        "far": ("bucket",),
        "role": ("role",),
        "near": ("function",),
        "nearer": ("table",),
        "older": ("table",),
    },
    relations=frozenset({("function", "table"), ("function", "role"), ("api", "function")}),
    symptom="table",
    loud={"table": 2.0, "function": 9.0, "api": 50.0},
)
"""A table shows the symptom; its caller's metric jumps most among what was changed."""


def test_each_baseline_has_its_own_culprit() -> None:
    assert latest(SCENE).event == "far"
    assert nearest(SCENE).event == "nearer", "the newest of those on the symptom's own resource"
    assert loudest(SCENE).event == "near", "the api is louder, but nobody changed it"


def test_distance_counts_along_relations_in_both_directions() -> None:
    assert nearest(replace(SCENE, symptom="api")).event == "near"
    assert nearest(replace(SCENE, symptom="unknown")).event == "far", "nothing is near: the newest of all"


@pytest.mark.parametrize(
    ("true", "right"),
    [
        ("far", [1, 0, 0, 0.2]),
        ("nearer", [0, 1, 0, 0.2]),
        ("near", [0, 0, 1, 0.2]),
        ("older", [0, 0, 0, 0.2]),
        ("", [0, 0, 0, 0]),
    ],
)
def test_a_baseline_is_right_when_it_names_the_true_event(true: str, right: list[float]) -> None:
    found = judged(SCENE, true, innocent=False)
    assert [one.name for one in found] == list(NAMES)
    assert [one.right for one in found] == right


def test_where_nothing_is_to_blame_only_who_blames_nothing_is_right() -> None:
    assert [one.right for one in judged(SCENE, "", innocent=True)] == [0, 0, 0, 0]
    assert [one.right for one in judged(Scene(), "", innocent=True)] == [1, 1, 1, 1]
    assert [one.right for one in judged(Scene(), "near", innocent=False)] == [0, 0, 0, 0]
