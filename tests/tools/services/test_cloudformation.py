"""CloudFormation: what a stack manages, how its last operation ended, and when an update can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current
from tools.models import Actor, Call, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services.cloudformation import SERVICE, describe, discover, relations

ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9"
NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
FIXED = "https://s3.eu-west-1.amazonaws.com/t/" + "0a1b2c3d" * 8 + ".json"
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function"


def event_of(resource: str, status: str, minutes: int, id: str = "") -> Json:
    return {
        "StackId": ID,
        "EventId": f"{resource}-{minutes}",
        "StackName": "shop",
        "LogicalResourceId": resource,
        "PhysicalResourceId": id or f"shop-{resource}",
        "ResourceStatus": status,
        "Timestamp": NOON - timedelta(minutes=minutes),
    }


def account(status: str = "UPDATE_COMPLETE", drift: str = "NOT_CHECKED") -> FakeAws:
    stack = {
        "StackId": ID,
        "StackName": "shop",
        "StackStatus": status,
        "CreationTime": NOON - timedelta(days=9),
        "DriftInformation": {"StackDriftStatus": drift},
        "Parameters": [
            {"ParameterKey": "Timeout", "ParameterValue": "30"},
            {"ParameterKey": "DbPassword", "ParameterValue": "hunter2"},
            {"ParameterKey": "Queue", "ParameterValue": "orders-queue"},
        ],
        "Tags": [{"Key": "team", "Value": "shop"}],
        "RoleARN": "arn:aws:iam::111122223333:role/stacks",
    }
    managed = [
        ("AWS::Lambda::Function", "shop-writer-1A2B", "UPDATE_COMPLETE"),
        ("AWS::Lambda::Function", "shop-gone-1A2B", "DELETE_COMPLETE"),
        ("AWS::SNS::Topic", "arn:aws:sns:eu-west-1:111122223333:shop", "CREATE_COMPLETE"),
        ("AWS::EC2::SecurityGroup", "sg-0a1b2c3d", "CREATE_COMPLETE"),
        ("AWS::ApiGateway::RestApi", "a1b2c3d4e5", "CREATE_COMPLETE"),
        ("Custom::Thing", "shop-writer-1A2B", "CREATE_COMPLETE"),
    ]
    events = [
        event_of("shop", "UPDATE_ROLLBACK_FAILED", 1, ID),
        event_of("Writer", "UPDATE_FAILED", 5),
        event_of("shop", "UPDATE_IN_PROGRESS", 9, ID),
        event_of("shop", "CREATE_COMPLETE", 900, ID),
    ]
    return FakeAws(
        {
            ("cloudformation", "DescribeStacks"): {"Stacks": [stack]},
            ("cloudformation", "ListStackResources"): {
                "StackResourceSummaries": [
                    {
                        "LogicalResourceId": f"R{number}",
                        "PhysicalResourceId": id,
                        "ResourceType": kind,
                        "ResourceStatus": state,
                        "LastUpdatedTimestamp": NOON,
                    }
                    for number, (kind, id, state) in enumerate(managed)
                ]
            },
            ("cloudformation", "DescribeStackEvents"): {"StackEvents": events},
            ("cloudformation", "DescribeStackResourceDrifts"): {"StackResourceDrifts": []},
        }
    )


def described(**how: str) -> Resource:
    found = describe(account(**how).reader(), ID)
    assert found is not None
    return found


def thing(arn: str, service: str, type: str, name: str, **config: str) -> Resource:
    return Resource(
        arn=arn,
        service=service,
        type=type,
        name=name,
        account="111122223333",
        region="eu-west-1",
        config=dict(config),
    )


# -- reading ----------------------------------------------------------------------------------------


def test_a_stack_shows_what_it_manages_and_its_last_operation_without_secrets() -> None:
    found = described()
    assert (found.name, found.tags, found.config["StackStatus"]) == (
        "shop",
        {"team": "shop"},
        "UPDATE_COMPLETE",
    )
    assert len(found.config["Resources"]) == 6
    assert [one["ResourceStatus"] for one in found.config["Events"]] == [
        "UPDATE_ROLLBACK_FAILED",
        "UPDATE_FAILED",
        "UPDATE_IN_PROGRESS",
    ]
    assert found.config["Parameters"] == [
        {"ParameterKey": "Timeout", "ParameterValue": "30"},
        {"ParameterKey": "DbPassword"},
        {"ParameterKey": "Queue", "ParameterValue": "orders-queue"},
    ]


@pytest.mark.parametrize(("drift", "asked"), [("DRIFTED", 1), ("IN_SYNC", 0)])
def test_drifts_are_read_where_there_are_some(drift: str, asked: int) -> None:
    fake = account(drift=drift)
    assert describe(fake.reader(), ID) is not None
    assert fake.asked.count(("cloudformation", "DescribeStackResourceDrifts")) == asked


def test_refused_parts_are_gaps() -> None:
    fake = account()
    fake.denied = frozenset({"cloudformation:ListStackResources", "cloudformation:DescribeStackEvents"})
    reader = fake.reader()
    found = describe(reader, ID)
    assert found is not None
    assert [gap.what for gap in reader.gaps] == ["Resources of a stack", "Events of a stack"]
    assert "Resources" not in found.config
    assert describe(FakeAws({}).reader(), ID) is None
    assert [one.arn for one in discover(account().reader(), "eu-west-1")] == [ID]


def test_relations_reach_what_is_known_by_name_id_or_arn() -> None:
    stack = described()
    writer = thing(f"{LAMBDA}:shop-writer-1A2B", "lambda", "function", "shop-writer-1A2B")
    gone = thing(f"{LAMBDA}:shop-gone-1A2B", "lambda", "function", "shop-gone-1A2B")
    group = thing(
        "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d", "vpc", "security-group", "db"
    )
    api = thing(
        "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5", "apigateway", "api", "shop", Id="a1b2c3d4e5"
    )
    told = list(relations(stack, KnownResources([stack, writer, gone, group, api])))
    assert {one.target for one in told if one.kind == "manages"} == {
        writer.arn,
        group.arn,
        api.arn,
        "arn:aws:sns:eu-west-1:111122223333:shop",
    }
    assert [one.target for one in told if one.kind == "runs as"] == ["arn:aws:iam::111122223333:role/stacks"]


def test_a_name_in_another_region_is_not_managed() -> None:
    stack = described()
    far = thing(
        f"{LAMBDA}:shop-writer-1A2B".replace("eu-west-1", "us-east-1"),
        "lambda",
        "function",
        "shop-writer-1A2B",
    )
    far = replace(far, region="us-east-1")
    assert far.arn not in {one.target for one in relations(stack, KnownResources([stack, far]))}


# -- states -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "drift", "holds"),
    [
        ("UPDATE_ROLLBACK_FAILED", "NOT_CHECKED", {"stack-rollback-failed"}),
        ("UPDATE_FAILED", "DRIFTED", {"stack-operation-failed", "stack-drifted"}),
        ("UPDATE_IN_PROGRESS", "IN_SYNC", {"stack-operation-running"}),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "IN_SYNC", {"stack-operation-running"}),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IN_SYNC", set()),
        ("UPDATE_COMPLETE", "NOT_CHECKED", set()),
        ("UPDATE_ROLLBACK_COMPLETE", "NOT_CHECKED", set()),
    ],
)
def test_states_of_a_stack_are_conditions(status: str, drift: str, holds: set[str]) -> None:
    stack = described(status=status, drift=drift)
    shown = {one.key for one in SERVICE.conditions if one.shown is not None and one.shown(stack)}
    assert shown == holds
    excluded = {one.key for one in SERVICE.conditions if one.excluded is not None and one.excluded(stack)}
    assert shown & excluded == set()
    for one in SERVICE.conditions:
        assert one.calls is not None
        assert all(validate(call) == () for call in one.calls(stack))


# -- events and ways back ---------------------------------------------------------------------------


def happened(operation: str, request: Json, response: Json | None = None, *, minutes: int = 0) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source="cloudformation.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="role", name="deploy", how="ci"),
        request=request,
        response=response or {},
    )


@pytest.mark.parametrize(
    ("request_", "response", "touched"),
    [
        ({"stackName": "shop"}, {"stackId": ID}, (ID,)),
        ({"stackName": ID}, {}, (ID,)),
        ({"stackName": "shop"}, {}, ("arn:aws:cloudformation:eu-west-1:111122223333:stack/shop",)),
        (
            {"changeSetName": "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/a/b"},
            {},
            ("arn:aws:cloudformation:eu-west-1:111122223333:changeSet/a/b",),
        ),
        ({}, {}, ()),
    ],
)
def test_an_event_touches_its_stack(request_: Json, response: Json, touched: tuple[str, ...]) -> None:
    event = happened("ExecuteChangeSet", request_, response)
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == touched


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    calls = change.undo(event, earlier)
    assert all(validate(one) == () for one in calls)
    return calls


def test_an_update_goes_back_to_a_template_that_cannot_have_changed() -> None:
    update = happened(
        "UpdateStack", {"stackName": "shop", "templateURL": "https://x/y.json"}, {"stackId": ID}
    )
    before: Json = {
        "stackName": "shop",
        "templateURL": FIXED,
        "capabilities": ["CAPABILITY_IAM"],
        "roleARN": "arn:aws:iam::111122223333:role/stacks",
    }
    made = happened("CreateStack", before, {"stackId": ID}, minutes=-99)
    (back,) = undo(update, made)
    assert (back.operation, back.parameters) == (
        "UpdateStack",
        {
            "StackName": ID,
            "TemplateURL": FIXED,
            "Capabilities": ["CAPABILITY_IAM"],
            "RoleARN": "arn:aws:iam::111122223333:role/stacks",
        },
    )
    assert undo(happened("ExecuteChangeSet", {"stackName": ID}), made) == (back,)


@pytest.mark.parametrize(
    "before",
    [
        {"stackName": "shop", "templateURL": "https://s3.eu-west-1.amazonaws.com/t/shop.json"},
        {"stackName": "shop", "templateURL": FIXED, "parameters": [{"parameterKey": "Timeout"}]},
        {"stackName": "billing", "templateURL": FIXED},
        {"stackName": "shop"},
    ],
)
def test_what_may_have_changed_or_is_hidden_gives_no_call(before: Json) -> None:
    update = happened("UpdateStack", {"stackName": "shop"}, {"stackId": ID})
    assert undo(update, happened("UpdateStack", before, minutes=-99)) == ()
    assert undo(update) == ()


def test_a_change_set_in_between_hides_the_template_before() -> None:
    update = happened("UpdateStack", {"stackName": "shop"}, {"stackId": ID})
    made = happened("CreateStack", {"stackName": "shop", "templateURL": FIXED}, minutes=-99)
    assert undo(update, happened("ExecuteChangeSet", {"stackName": ID}, minutes=-9), made) == ()


def test_termination_protection_goes_on_and_off() -> None:
    (setting,) = SERVICE.settings
    stack = described()
    assert current(stack, setting) is False
    (on,) = setting.restore(stack, True)
    assert on.parameters == {"StackName": ID, "EnableTerminationProtection": True}
