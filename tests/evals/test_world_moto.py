"""The same declared state, read from a world and from moto where moto is right: every field must agree.

moto's answers are an independent reading of AWS. Left out are, by operation, what no two accounts share (ids, times,
sizes, the hash of the code) and what moto 5.2.5 leaves out or adds, each with its reason.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws

from evals.world import World, load_case
from evals.world.world import Thing
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.models import Json

MOTO_ACCOUNT = "123456789012"
APART = {
    "table": {
        "CreationDateTime", "LastUpdateToPayPerRequestDateTime", "TableId", "ItemCount", "TableSizeBytes",  # by account
        "OnDemandThroughput",  # moto takes it and does not show it
        "DeletionProtectionEnabled",  # set by another call in a world's history
        "LocalSecondaryIndexes", "GlobalSecondaryIndexes",  # moto shows empty ones, AWS leaves them out
    },
    "function": {
        "RevisionId", "LastModified", "CodeSha256", "CodeSize", "LoggingConfig",
        "SnapStart", "Layers",  # moto shows them where there are none
    },
    "queue": {
        "CreatedTimestamp", "LastModifiedTimestamp", "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",  # by traffic
        "MaximumMessageSize",  # moto has the default of queues made since August 2025
    },
    "alarm": {
        "AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp",
        "StateValue", "StateReason", "StateReasonData",  # moto does not evaluate alarms
        "Metrics",  # moto shows an empty list
    },
    "role": {"CreateDate", "RoleId", "RoleLastUsed"},
}  # fmt: skip
TAKEN = (
    *(
        "AlarmName",
        "AlarmDescription",
        "ActionsEnabled",
        "OKActions",
        "AlarmActions",
        "InsufficientDataActions",
    ),
    *("MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic"),
    *("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData"),
)


@cache
def world() -> World:
    return load_case("dynamodb-max-write", 1)


def ask(service: str, operation: str, **parameters: Any) -> Json:
    made = world()
    aws = Aws(
        Account(region=made.region),
        made.transport(),
        VirtualClock(made.start),
        Budget(Limits()),
        MemoryStore(),
    )
    return Reader(aws, "T").ask(service, operation, **parameters).data


@pytest.fixture(autouse=True)
def _moto() -> Iterator[None]:
    with mock_aws():
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=world().region)  # type: ignore[call-overload]


def plain(value: Any) -> Any:
    """An answer of moto, of the world's account."""
    return json.loads(json.dumps(value, default=str).replace(MOTO_ACCOUNT, world().account))


def shared(value: Any, kind: str) -> Any:
    """What two accounts must have in common."""
    if isinstance(value, dict):
        return {
            name: shared(one, kind)
            for name, one in value.items()
            if name not in APART[kind] and name != "ResponseMetadata"
        }
    return value


def agree(ours: Json, theirs: Json, kind: str) -> None:
    left, right = shared(plain(ours), kind), shared(plain(theirs), kind)
    assert left == right
    assert len(left) >= 3


def things(kind: str) -> list[Thing]:
    return world().of(kind, "" if kind == "role" else world().region)


def make_role(name: str) -> Json:
    ours: Json = ask("iam", "GetRole", RoleName=name)["Role"]
    document = json.dumps(ours["AssumeRolePolicyDocument"])
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return ours


def test_tables() -> None:
    dynamodb = client("dynamodb")
    assert len(things("table")) >= 4
    for thing in things("table"):
        ours = ask("dynamodb", "DescribeTable", TableName=thing.name)["Table"]
        given: Json = {name: ours[name] for name in ("TableName", "AttributeDefinitions", "KeySchema")}
        if "BillingModeSummary" in ours:
            given["BillingMode"] = "PAY_PER_REQUEST"
        else:
            units = ours["ProvisionedThroughput"]
            given["ProvisionedThroughput"] = {
                name: units[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")
            }
        tags = ask("dynamodb", "ListTagsOfResource", ResourceArn=thing.arn)["Tags"]
        dynamodb.create_table(**given, Tags=tags)
        theirs = dynamodb.describe_table(TableName=thing.name)["Table"]
        if "BillingModeSummary" not in ours:
            theirs.pop("BillingModeSummary", None)  # AWS shows it only for tables that were on demand once
        agree(ours, theirs, "table")
        held = dynamodb.list_tags_of_resource(ResourceArn=theirs["TableArn"])["Tags"]
        assert sorted(held, key=lambda one: str(one["Key"])) == tags
    assert ask("dynamodb", "ListTables")["TableNames"] == sorted(dynamodb.list_tables()["TableNames"])


def test_functions_and_their_roles() -> None:
    lambda_, iam = client("lambda"), client("iam")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...")
    for thing in things("function"):
        ours = ask("lambda", "GetFunctionConfiguration", FunctionName=thing.name)
        name = str(ours["Role"]).rsplit("/", maxsplit=1)[-1]
        agree(make_role(name), iam.get_role(RoleName=name)["Role"], "role")
        for policy in ask("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]:
            document = ask("iam", "GetRolePolicy", RoleName=name, PolicyName=policy)["PolicyDocument"]
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
            theirs = iam.get_role_policy(RoleName=name, PolicyName=policy)
            assert theirs["PolicyDocument"] == document
        assert (
            iam.list_role_policies(RoleName=name)["PolicyNames"]
            == ask("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]
        )
        taken = (
            "FunctionName",
            "Runtime",
            "Handler",
            "Timeout",
            "MemorySize",
            "Environment",
            "Architectures",
        )
        given = {key: ours[key] for key in taken if key in ours}
        role = f"arn:aws:iam::{MOTO_ACCOUNT}:role/{name}"
        tags = ask("lambda", "ListTags", Resource=thing.arn)["Tags"]
        made = lambda_.create_function(**given, Role=role, Code={"ZipFile": packed.getvalue()}, Tags=tags)
        agree(ours, lambda_.get_function_configuration(FunctionName=thing.name), "function")
        assert lambda_.list_tags(Resource=made["FunctionArn"])["Tags"] == tags
    listed = [one["FunctionName"] for one in lambda_.list_functions()["Functions"]]
    assert sorted(listed) == [one["FunctionName"] for one in ask("lambda", "ListFunctions")["Functions"]]


def test_queues() -> None:
    sqs = client("sqs")
    assert len(things("queue")) >= 3
    for thing in sorted(things("queue"), key=lambda one: "RedrivePolicy" in one.fixed):
        address = ask("sqs", "GetQueueUrl", QueueName=thing.name)["QueueUrl"]
        ours = ask("sqs", "GetQueueAttributes", QueueUrl=address, AttributeNames=["All"])["Attributes"]
        given = {name: ours[name] for name in ("VisibilityTimeout", "MessageRetentionPeriod")}
        if "RedrivePolicy" in ours:
            policy = ours["RedrivePolicy"].replace(world().account, MOTO_ACCOUNT)
            target = json.loads(policy)["deadLetterTargetArn"].rsplit(":", maxsplit=1)[-1]
            sqs.create_queue(
                QueueName=target, Attributes={"MessageRetentionPeriod": "1209600", "VisibilityTimeout": "180"}
            )
            given["RedrivePolicy"] = policy
        made = sqs.create_queue(QueueName=thing.name, Attributes=given)["QueueUrl"]
        assert plain(made) == address
        agree(ours, sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["All"])["Attributes"], "queue")


def test_alarms() -> None:
    cloudwatch = client("cloudwatch")
    ours = ask("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    assert len(ours) >= 5
    for one in ours:
        cloudwatch.put_metric_alarm(**{name: one[name] for name in TAKEN if name in one})
    theirs = {one["AlarmName"]: one for one in cloudwatch.describe_alarms()["MetricAlarms"]}
    for one in ours:
        agree(one, theirs[one["AlarmName"]], "alarm")
