"""What is listed only where something near the symptom hints at it: stacks, traces, configurations, quotas."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.tools.fake_account import Answer, FakeAws
from tools.catalogue import services
from tools.models import Json, Resource
from tools.topology import around

_AT = "eu-west-1:111122223333"
WRITER = f"arn:aws:lambda:{_AT}:function:writer"
NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)


def aws(*, tags: Json | None = None, tracing: str = "PassThrough", **variables: str) -> FakeAws:
    config = {
        "FunctionName": "writer",
        "FunctionArn": WRITER,
        "TracingConfig": {"Mode": tracing},
        "Environment": {"Variables": variables},
    }
    stack = {
        "StackName": "shop",
        "StackId": f"arn:aws:cloudformation:{_AT}:stack/shop/0a1b2c3d",
        "CreationTime": NOON,
        "StackStatus": "UPDATE_COMPLETE",
    }
    managed = {
        "LogicalResourceId": "Writer",
        "PhysicalResourceId": "writer",
        "ResourceType": "AWS::Lambda::Function",
        "LastUpdatedTimestamp": NOON,
        "ResourceStatus": "UPDATE_COMPLETE",
    }
    answers: dict[tuple[str, str], Answer] = {
        ("lambda", "ListFunctions"): {"Functions": [config]},
        ("lambda", "GetFunction"): {"Configuration": config, "Tags": tags or {}},
        ("lambda", "GetFunctionConfiguration"): config,
        ("lambda", "ListTags"): {"Tags": tags or {}},
        ("cloudformation", "DescribeStacks"): {"Stacks": [stack]},
        ("cloudformation", "ListStackResources"): {"StackResourceSummaries": [managed]},
        ("cloudformation", "DescribeStackEvents"): {"StackEvents": []},
        ("cloudformation", "DescribeStackResourceDrifts"): {"StackResourceDrifts": []},
        ("xray", "GetServiceGraph"): {"Services": []},
        ("appconfig", "ListApplications"): {"Items": []},
    }
    return FakeAws(answers)


def asked(account: FakeAws) -> set[str]:
    around(account.reader(), [WRITER])
    return {service for service, _ in account.asked}


def test_without_a_hint_none_of_them_is_listed() -> None:
    assert not asked(aws(TABLE_NAME="orders")) & {"cloudformation", "xray", "appconfig"}


@pytest.mark.parametrize(
    ("account", "listed"),
    [
        (aws(tags={"aws:cloudformation:stack-name": "shop"}), "cloudformation"),
        (aws(tracing="Active"), "xray"),
        (
            aws(AWS_APPCONFIG_EXTENSION_PREFETCH_LIST="/applications/a/environments/b/configurations/c"),
            "appconfig",
        ),
    ],
    ids=["cloudformation", "xray", "appconfig"],
)
def test_a_hint_lists_its_service_only(account: FakeAws, listed: str) -> None:
    assert asked(account) & {"cloudformation", "xray", "appconfig"} == {listed}


def test_the_stack_is_on_the_map_and_nothing_depends_on_it() -> None:
    found = around(aws(tags={"aws:cloudformation:stack-name": "shop"}).reader(), [WRITER])
    stack = f"arn:aws:cloudformation:{_AT}:stack/shop/0a1b2c3d"
    assert {(one.source, one.kind, one.target) for one in found.relations} >= {(stack, "manages", WRITER)}
    assert not [one for one in found.relations if one.target == stack]


def test_quotas_are_asked_for_where_the_symptom_shares_one() -> None:
    account = aws()
    around(account.reader(), [WRITER])
    assert ("service-quotas", "GetServiceQuota") in account.asked


@pytest.mark.parametrize(
    ("type", "config", "traced"),
    [
        ("function", {"TracingConfig": {"Mode": "Active"}}, True),
        ("function", {"TracingConfig": {"Mode": "PassThrough"}}, False),
        ("state-machine", {"tracingConfiguration": {"enabled": True}}, True),
        ("api", {"Stages": [{"stageName": "prod", "tracingEnabled": True}]}, True),
        ("api", {"Stages": [{"stageName": "prod"}]}, False),
        ("table", {}, False),
    ],
)
def test_who_takes_traces(type: str, config: Json, traced: bool) -> None:
    hinted = services()["xray"].listed_for
    assert hinted is not None
    resource = Resource(
        arn=WRITER, service="", type=type, name="x", account="", region="eu-west-1", config=config
    )
    assert hinted(resource) is traced
