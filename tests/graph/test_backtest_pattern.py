"""EventBridge patterns against events, by the examples of the user guide."""

from __future__ import annotations

from typing import Any

import pytest

from graph.backtest_pattern import as_event, matches
from graph.backtest_rules import CannotTry
from tests.graph.kinds import KINDS
from tests.graph.made import event
from tools.models import Json

EVENT: Json = {
    "source": "aws.dynamodb",
    "detail-type": "AWS API Call via CloudTrail",
    "account": "111122223333",
    "region": "eu-central-1",
    "detail": {
        "eventName": "UpdateTable",
        "readOnly": False,
        "requestParameters": {"tableName": "parcels", "units": 250, "tags": ["a", "b"], "nothing": None},
    },
}


def asked(**wanted: Any) -> Json:
    return {"detail": {"requestParameters": wanted}}


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ({}, True),
        ({"source": ["aws.dynamodb", "aws.s3"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"source": [{"prefix": "aws."}], "region": ["eu-central-1"]}, True),
        ({"detail": {"eventName": [{"suffix": "Table"}]}}, True),
        ({"detail": {"eventName": [{"wildcard": "Up*Ta*le"}]}}, True),
        ({"detail": {"eventName": [{"wildcard": "Up*x"}]}}, False),
        ({"detail": {"eventName": [{"equals-ignore-case": "updatetable"}]}}, True),
        ({"detail": {"eventName": [{"anything-but": ["DeleteTable"]}]}}, True),
        ({"detail": {"eventName": [{"anything-but": "UpdateTable"}]}}, False),
        ({"detail": {"eventName": [{"anything-but": {"prefix": "Up"}}]}}, False),
        ({"detail": {"eventName": [{"exists": True}], "errorCode": [{"exists": False}]}}, True),
        ({"detail": {"errorCode": [{"exists": True}]}}, False),
        ({"detail": {"errorCode": ["AccessDenied"]}}, False),
        ({"detail": {"readOnly": [False]}}, True),
        ({"detail": {"readOnly": [0]}}, False),
        (asked(units=[250.0]), True),
        (asked(units=["250"]), False),
        (asked(units=[{"numeric": ["<", 251]}]), True),
        (asked(units=[{"numeric": [">", 0, "<=", 249]}]), False),
        (asked(units=[{"numeric": ["=", 250]}]), True),
        (asked(tableName=[{"numeric": ["=", 250]}]), False),
        (asked(tags=["b", "z"]), True),
        (asked(tags=["z"]), False),
        (asked(nothing=[None]), True),
        (asked(tableName=[None]), False),
        (asked(inner={"deep": ["x"]}), False),
        ({"$or": [{"source": ["aws.s3"]}, {"region": ["eu-central-1"]}]}, True),
        ({"detail": {"$or": [{"eventName": ["X"]}, {"readOnly": [True]}]}}, False),
    ],
)
def test_patterns(pattern: Json, matched: bool) -> None:
    assert matches(pattern, EVENT) is matched


@pytest.mark.parametrize(
    "pattern",
    [
        {"time": ["2026-04-09T10:00:00Z"]},
        {"detail": {"userIdentity": {"type": ["Root"]}}},
        {"detail": {"eventName": [{"cidr": "10.0.0.0/8"}]}},
        {"detail": {"errorCode": [{"sounds-like": "x"}]}},
        {"detail": {"eventName": "UpdateTable"}},
        asked(units=[{"numeric": ["~", 1]}]),
        asked(units=[{"numeric": ["<"]}]),
        asked(units=[{"prefix": "a", "suffix": "b"}]),
    ],
)
def test_what_is_not_understood_cannot_be_tried(pattern: Json) -> None:
    with pytest.raises(CannotTry):
        matches(pattern, EVENT)


def test_a_change_becomes_the_event_that_eventbridge_makes_of_it() -> None:
    change = event("monitoring", "PutMetricAlarm", {"alarmName": "late"})
    made = as_event(change)
    assert (made["source"], made["detail-type"]) == ("aws.monitoring", "AWS API Call via CloudTrail")
    assert made["detail"]["requestParameters"] == {"alarmName": "late"}
    assert "errorCode" not in made["detail"]
    refused = as_event(event("sqs", "SetQueueAttributes", {}, error="AccessDenied"))
    assert refused["detail"]["errorCode"] == "AccessDenied"


def test_every_kind_of_change_matches_a_pattern_of_its_own_name_only() -> None:
    for name, kind in KINDS.items():
        pattern = {"detail": {"eventName": [kind.change.action], "eventSource": [kind.change.source]}}
        assert matches(pattern, as_event(kind.change)), name
        assert not matches({"detail": {"eventName": [kind.change.action + "x"]}}, as_event(kind.change)), name
