"""What a template declares beside what is put back, and who stands behind CloudFormation's calls."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.drift import drift, stack_of
from graph.nodes.forensics import actor_behind
from tests.tools.fake_account import FakeAws
from tools.catalogue import settings_of
from tools.cloudtrail_events import parse
from tools.models import ChangeEvent, Json, Resource
from tools.services._spec import Setting

STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9"
NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)


def table(**tags: str) -> Resource:
    return Resource(
        arn="arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
        service="dynamodb",
        type="table",
        name="orders",
        account="111122223333",
        region="eu-west-1",
        config={"OnDemandThroughput": {"MaxWriteRequestUnits": 2}},
        tags=tags,
    )


def limit() -> Setting:
    return next(
        one for _, one in settings_of("table") if one.path == "OnDemandThroughput.MaxWriteRequestUnits"
    )


def account(declared: Any) -> FakeAws:
    body = {
        "Resources": {
            "Orders": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {"OnDemandThroughput": {"MaxWriteRequestUnits": declared}},
            }
        }
    }
    item = {
        "StackName": "shop",
        "StackId": STACK,
        "CreationTime": NOON,
        "StackStatus": "UPDATE_COMPLETE",
    }
    resource = {
        "LogicalResourceId": "Orders",
        "PhysicalResourceId": "orders",
        "ResourceType": "AWS::DynamoDB::Table",
        "LastUpdatedTimestamp": NOON,
        "ResourceStatus": "UPDATE_COMPLETE",
    }
    return FakeAws(
        {
            ("cloudformation", "DescribeStacks"): {"Stacks": [item]},
            ("cloudformation", "ListStackResources"): {"StackResourceSummaries": [resource]},
            ("cloudformation", "DescribeStackEvents"): {"StackEvents": []},
            ("cloudformation", "DescribeStackResourceDrifts"): {"StackResourceDrifts": []},
            ("cloudformation", "GetTemplate"): {"TemplateBody": json.dumps(body)},
        }
    )


MADE = {"aws:cloudformation:stack-id": STACK, "aws:cloudformation:stack-name": "shop"}


def test_the_last_live_value_is_right_and_the_template_is_mentioned() -> None:
    told = drift(account(300).reader(), table(**MADE), limit(), 250)
    assert told is not None
    assert "declares 300" in told.text
    assert "250 is put back" in told.text
    assert told.evidence


@pytest.mark.parametrize("declared", [250, {"Ref": "Limit"}])
def test_nothing_is_said_where_the_template_agrees_or_computes(declared: Any) -> None:
    assert drift(account(declared).reader(), table(**MADE), limit(), 250) is None


def test_a_resource_of_no_stack_is_not_asked_about() -> None:
    aws = account(300)
    assert drift(aws.reader(), table(team="shop"), limit(), 250) is None
    assert aws.asked == []


def test_a_stack_is_found_by_its_name_alone() -> None:
    assert stack_of(table(**{"aws:cloudformation:stack-name": "shop"})) == (
        "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop"
    )


def test_a_template_that_may_not_be_read_is_a_gap() -> None:
    aws = replace(account(300), denied=frozenset({"cloudformation:GetTemplate"}))
    reader = aws.reader()
    assert drift(reader, table(**MADE), limit(), 250) is None
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]


# -- who ran the operation ---------------------------------------------------------------------------


def record(name: str, source: str, minutes: int, request: Json, identity: Json, **more: Any) -> Json:
    return {
        "eventID": f"{name}-{minutes}",
        "eventTime": (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z"),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "readOnly": False,
        "userIdentity": identity,
        "requestParameters": request,
        "responseElements": None,
        **more,
    }


ROLE = "arn:aws:iam::111122223333:role/stack-hand"
HAND = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::111122223333:assumed-role/stack-hand/AWSCloudFormation",
    "accountId": "111122223333",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "userName": "stack-hand"}},
    "invokedBy": "cloudformation.amazonaws.com",
}
DANA = {
    "type": "IAMUser",
    "userName": "dana",
    "arn": "arn:aws:iam::111122223333:user/dana",
    "accountId": "111122223333",
}


def call() -> ChangeEvent:
    return parse(
        record(
            "UpdateTable",
            "dynamodb",
            0,
            {"tableName": "orders", "onDemandThroughput": {"maxWriteRequestUnits": 2}},
            HAND,
            sourceIPAddress="cloudformation.amazonaws.com",
            userAgent="cloudformation.amazonaws.com",
        )
    )


def run(minutes: int = -3) -> Json:
    return record(
        "UpdateStack",
        "cloudformation",
        minutes,
        {"stackName": "shop", "roleARN": ROLE},
        DANA,
        sourceIPAddress="203.0.113.7",
        userAgent="aws-cli/2.17 md/Botocore",
    )


def listed(*records: Json) -> FakeAws:
    items = [
        {"EventId": one["eventID"], "EventName": one["eventName"], "EventTime": NOON,
         "EventSource": one["eventSource"], "CloudTrailEvent": json.dumps(one)}
        for one in records
    ]  # fmt: skip
    return FakeAws({("cloudtrail", "LookupEvents"): {"Events": items}})


def test_the_actor_of_a_stacks_call_is_who_ran_the_stack() -> None:
    event = call()
    assert event.actor.name == "stack-hand"
    for others, aws in (((parse(run()),), FakeAws({})), ((), listed(run()))):
        told = actor_behind(aws.reader(), event, others)
        assert (told.actor.kind, told.actor.name, told.actor.source_ip) == (
            "cloudformation", "dana", "203.0.113.7",
        )  # fmt: skip
        assert told.actor.how == "cloudformation"


def test_without_an_operation_the_actor_stays() -> None:
    event = call()
    assert actor_behind(listed().reader(), event, ()).actor == event.actor


def test_who_acts_directly_is_not_asked_about() -> None:
    event = parse(record("UpdateTable", "dynamodb", 0, {"tableName": "orders"}, DANA))
    aws = listed(run())
    assert actor_behind(aws.reader(), event, ()) == event
    assert aws.asked == []
