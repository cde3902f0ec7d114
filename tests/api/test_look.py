"""What a check reads, over an account made of one function."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.check import judge
from api.cli import main
from api.look import look
from api.shelf import Kept, keep
from graph import Context, Report
from tools.errors import CannotInvestigate

REGION, ACCOUNT = "eu-central-1", "111122223333"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/bookings"
AT = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)


def event(id: str, value: int, time: datetime, name: str = "ops-44") -> dict[str, Any]:
    record = {
        "eventVersion": "1.11",
        "eventID": id,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": "UpdateTable",
        "eventType": "AwsApiCall",
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2.31.0",
        "readOnly": False,
        "requestParameters": {"tableName": "bookings", "onDemandThroughput": {"maxWriteRequestUnits": value}},
        "responseElements": {},
        "userIdentity": {
            "type": "IAMUser",
            "userName": name,
            "accountId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        },
    }
    return {
        "EventId": id,
        "EventName": "UpdateTable",
        "EventTime": time,
        "EventSource": "dynamodb.amazonaws.com",
        "ReadOnly": "false",
        "Username": name,
        "Resources": [{"ResourceType": "AWS::DynamoDB::Table", "ResourceName": "bookings"}],
        "CloudTrailEvent": json.dumps(record),
    }


class Account:
    """The table, its alarm, its metric and its history, as they are set."""

    def __init__(self, refusal: type[Exception]) -> None:
        self.refusal = refusal
        self.maximum = 320
        self.state = "OK"
        self.throttles: dict[datetime, float] = {}
        self.events: list[dict[str, Any]] = []
        self.denied: set[str] = set()
        self.others: list[dict[str, Any]] = []  # further alarms that are red

    def __call__(self, name: str, parameters: dict[str, Any]) -> Any:
        if name in self.denied:
            who = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/audit/me is not authorized to perform: {name}"
            raise self.refusal("AccessDeniedException", who)
        table = {
            "TableName": "bookings",
            "TableStatus": "ACTIVE",
            "TableArn": TABLE,
            "OnDemandThroughput": {"MaxWriteRequestUnits": self.maximum, "MaxReadRequestUnits": 500},
        }
        alarm = {
            "AlarmName": "bookings-throttled",
            "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:bookings-throttled",
            "Namespace": "AWS/DynamoDB",
            "MetricName": "WriteThrottleEvents",
            "Statistic": "Sum",
            "Period": 60,
            "Threshold": 0.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "StateValue": self.state,
        }
        points = {"Timestamps": list(self.throttles), "Values": list(self.throttles.values())}
        answers: dict[str, Any] = {
            "dynamodb:DescribeTable": {"Table": table},
            "dynamodb:DescribeTimeToLive": {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
            "dynamodb:ListTagsOfResource": {"Tags": []},
            "cloudwatch:DescribeAlarms": {
                "MetricAlarms": self.others if parameters.get("StateValue") == "ALARM" else [alarm]
            },
            "cloudwatch:GetMetricData": {
                "MetricDataResults": [{"Id": "m0", "StatusCode": "Complete", **points}]
            },
            "cloudtrail:LookupEvents": {"Events": self.events},
        }
        if name not in answers:
            raise self.refusal("AccessDeniedException", "not expected")
        return answers[name]


@pytest.fixture
def account(refusal: type[Exception]) -> Account:
    return Account(refusal)


Look = Callable[[], Any]


@pytest.fixture
def check(account: Account, proven: Report, shelf: Path, open_account: Callable[..., Any]) -> Look:
    context, _ = open_account(account)
    kept = keep(proven, context)
    return lambda: judge(look(kept))


def test_a_repaired_table_has_recovered(account: Account, check: Look) -> None:
    account.throttles = {AT - timedelta(minutes=n): 5000.0 for n in range(9, 15)}
    found = check()
    assert found.word == "RECOVERED"
    assert any("maximum write throughput of bookings is 320" in line for line in found.lines)
    assert any("normal since 2026-03-13T17:33:00Z" in line for line in found.lines)


def test_a_repaired_table_nobody_writes_to_has_not(account: Account, check: Look, proven: Report) -> None:
    assert proven.incident.onset is not None
    begun = proven.incident.onset.earliest
    account.throttles = {begun - timedelta(minutes=n): 240.0 for n in range(1, 17)}
    found = check()
    assert found.word == "NOT YET"
    assert any("no traffic since" in line and "CapacityUnits is 0" in line for line in found.lines)


def test_an_unrepaired_one_has_not(account: Account, check: Look) -> None:
    account.maximum = 3
    account.throttles = {AT - timedelta(minutes=n): 5000.0 for n in range(3, 15)}
    account.state = "ALARM"
    found = check()
    assert found.word == "NOT YET"
    assert "still 3. The plan sets 320." in found.lines[0]


def test_the_bad_event_itself_is_no_new_change(account: Account, check: Look, proven: Report) -> None:
    assert proven.root_cause is not None
    assert proven.root_cause.event is not None
    account.maximum = 3
    account.events = [event(proven.root_cause.event.id, 3, proven.root_cause.event.time)]
    assert check().word == "NOT YET"


def test_who_changed_it_again_is_named(account: Account, check: Look) -> None:
    account.maximum = 40
    account.events = [
        event("e2", 40, AT - timedelta(minutes=4)),
        event("e1", 320, AT - timedelta(minutes=9), "ops-31"),
    ]
    found = check()
    assert found.word == "CHANGED AGAIN"
    assert any("UpdateTable by ops-44" in line and "event e2" in line for line in found.lines)


def test_a_trail_that_is_denied_costs_the_name_not_the_answer(account: Account, check: Look) -> None:
    account.denied = {"cloudtrail:LookupEvents"}
    assert check().word == "RECOVERED"
    account.maximum = 40
    assert "not visible" in " ".join(check().lines)


@pytest.mark.parametrize(
    "action", ["dynamodb:DescribeTable", "cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"]
)
def test_what_cannot_be_read_is_never_recovered(action: str, account: Account, check: Look) -> None:
    account.denied = {action}
    assert check().word == "NOT YET"


def alarm(name: str, since: datetime, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "booker"}],
        "StateValue": "ALARM",
        "StateTransitionedTimestamp": since,
        **more,
    }


@pytest.mark.parametrize(
    ("more", "hours", "word", "says"),
    [
        ({}, 0, "NOT YET", "Alarm booker-errors, of the blast radius, is in ALARM"),
        ({"TreatMissingData": "ignore"}, 0, "RECOVERED", "keep their state"),
        ({}, -48, "RECOVERED", "before this began"),
        ({"Dimensions": [{"Name": "FunctionName", "Value": "stranger"}]}, 0, "RECOVERED", ""),
    ],
    ids=["new", "keeps its state", "older", "elsewhere"],
)
def test_other_alarms_of_the_blast_radius_count(
    account: Account,
    proven: Report,
    shelf: Path,
    open_account: Callable[..., Any],
    more: dict[str, Any],
    hours: int,
    word: str,
    says: str,
) -> None:
    booker = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:booker"
    reached = proven.model_copy(
        update={"topology": proven.topology.model_copy(update={"touched": (booker,)})}
    )
    account.throttles = {AT - timedelta(minutes=n): 5000.0 for n in range(9, 15)}
    account.others = [alarm("booker-errors", AT + timedelta(hours=hours), **more)]
    context, _ = open_account(account)
    found = judge(look(keep(reached, context)))
    assert found.word == word
    told = [line for line in found.lines if "booker-errors" in line]
    assert bool(told) == bool(says)
    assert says in " ".join(told)


def test_another_account_is_refused(
    account: Account, proven: Report, shelf: Path, open_account: Callable[..., Any]
) -> None:
    context, asked = open_account(account, account="444455556666")
    with pytest.raises(CannotInvestigate, match="444455556666; the report is about 111122223333"):
        look(keep(proven, context))
    assert asked.asked == ["sts:GetCallerIdentity"]


def test_a_recording_cannot_be_asked_again(proven: Report, shelf: Path) -> None:
    kept: Kept = keep(proven, Context(source="recording:/somewhere.yaml"))
    with pytest.raises(CannotInvestigate, match="was made from a recording"):
        look(kept)


def test_the_command_prints_the_answer(
    account: Account,
    proven: Report,
    shelf: Path,
    open_account: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    context, _ = open_account(account)
    kept = keep(proven, context)
    assert main(["check", kept.short, "--tz", "Asia/Tokyo", "--watch"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"RECOVERED   report {kept.short}\n")
    assert "JST" in shown
