"""What a world has nothing of: empty lists and AWS's own "not found", in every protocol, and never a guess."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from evals.world import World, load_case, wire
from evals.world.presence import present
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import Denied, NotRecorded, NotThere, OpsleuthError, Refused
from tools.evidence import MemoryStore
from tools.guard_reads import READS
from tools.models import Json


@cache
def world() -> World:
    return load_case("dynamodb-max-write", 2)


def reader(made: World) -> Reader:
    clock, account = VirtualClock(made.start), Account(region=made.region)
    return Reader(Aws(account, made.transport(), clock, Budget(Limits(calls=9000)), MemoryStore()), "T")


def ask(service: str, operation: str, **parameters: Any) -> Json:
    return reader(world()).ask(service, operation, **parameters).data


def needs_nothing(service: str, operation: str) -> bool:
    shape = wire.operation_model(service, operation).input_shape
    return shape is None or not shape.required_members


def test_every_listed_read_that_needs_nothing_is_answered_in_shape_or_refused() -> None:
    """`wire.answer` compares each answer with AWS's model and fails the run when one does not fit."""
    one = reader(world())
    counted: Counter[str] = Counter()
    for service, operations in sorted(READS.items()):
        for operation in sorted(operations):
            if not needs_nothing(service, operation):
                continue
            try:
                one.ask(service, operation)
                counted["answered"] += 1
            except NotRecorded:
                counted["not known"] += 1
            except OpsleuthError:
                counted["refused"] += 1
    assert counted["answered"] > 230
    assert counted["not known"] < 140
    assert counted["refused"] < 25


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "name"),
    [
        (
            "ec2",
            "DescribeInstances",
            {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]},
            "Reservations",
        ),  # ec2
        ("rds", "DescribeDBInstances", {}, "DBInstances"),  # query
        ("eks", "ListClusters", {}, "clusters"),  # rest-json
        ("route53", "ListHostedZones", {}, "HostedZones"),  # rest-xml
        ("stepfunctions", "ListStateMachines", {"maxResults": 5}, "stateMachines"),  # json
        (
            "application-autoscaling",
            "DescribeScalableTargets",
            {"ServiceNamespace": "ecs"},
            "ScalableTargets",
        ),
        ("wafv2", "ListWebACLs", {"Scope": "REGIONAL"}, "WebACLs"),
        ("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["web"]}, "AutoScalingGroups"),
    ],
)
def test_lists_of_nothing_are_empty_in_every_protocol(
    service: str, operation: str, parameters: Json, name: str
) -> None:
    assert ask(service, operation, **parameters)[name] == []


def test_cloudfront_lists_nothing_in_its_own_way() -> None:
    held = ask("cloudfront", "ListDistributions")["DistributionList"]
    assert (held["Quantity"], held["IsTruncated"]) == (0, False)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("rds", "DescribeDBInstances", {"DBInstanceIdentifier": "orders"}, "DBInstanceNotFound"),
        ("ec2", "DescribeInstances", {"InstanceIds": ["i-0123456789abcdef0"]}, "InvalidInstanceID.NotFound"),
        ("eks", "DescribeCluster", {"name": "web"}, "ResourceNotFoundException"),
        ("ecs", "DescribeServices", {"cluster": "web", "services": ["api"]}, "ClusterNotFoundException"),
        ("ecs", "ListServices", {}, "ClusterNotFoundException"),
        ("elbv2", "DescribeTargetHealth", {"TargetGroupArn": "arn:aws:x:y:z:w:t/1"}, "TargetGroupNotFound"),
        ("elbv2", "DescribeListeners", {"LoadBalancerArn": "arn:aws:x:y:z:w:t/1"}, "LoadBalancerNotFound"),
        ("route53", "GetHostedZone", {"Id": "Z1"}, "NoSuchHostedZone"),
        ("kinesis", "DescribeStream", {"StreamName": "clicks"}, "ResourceNotFoundException"),
        (
            "stepfunctions",
            "DescribeStateMachine",
            {"stateMachineArn": "arn:aws:x:y:z:w:t"},
            "StateMachineDoesNotExist",
        ),
    ],
)
def test_what_is_asked_for_by_name_is_not_found(
    service: str, operation: str, parameters: Json, code: str
) -> None:
    with pytest.raises(NotThere) as refused:
        ask(service, operation, **parameters)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ec2", "DescribeRegions", {}),  # never empty
        ("rds", "DescribeDBEngineVersions", {}),
        ("iam", "ListUsers", {}),  # people act as users
        ("batch", "ListJobs", {}),  # AWS wants to know of which queue
        ("service-quotas", "ListServiceQuotas", {"ServiceCode": "lambda"}),
        ("ssm", "GetParameter", {"Name": "/aws/service/list"}),  # AWS's own
    ],
)
def test_empty_is_not_answered_where_it_may_be_wrong(service: str, operation: str, parameters: Json) -> None:
    with pytest.raises(NotRecorded):
        ask(service, operation, **parameters)


def test_the_keys_and_buckets_of_which_the_trail_tells_are_there() -> None:
    keys = {one["KeyArn"] for one in ask("kms", "ListKeys")["Keys"]}
    buckets = {one["Name"] for one in ask("s3", "ListBuckets")["Buckets"]}
    told = {name for made in world().trail.records for _, name in made.resources if ":kms:" in name}
    assert told
    assert told <= keys
    assert "media-uploads" in buckets


def test_what_the_world_has_is_seen_from_resources_settings_alarms_and_events() -> None:
    found = present(world())
    assert {"dynamodb", "lambda", "sqs", "apigateway", "sns", "kms", "s3"} <= found
    assert not found & {"elasticache", "stepfunctions", "eks"}


def test_health_is_closed_until_a_support_plan_opens_it() -> None:
    with pytest.raises(Refused) as refused:
        ask("health", "DescribeEvents")
    assert refused.value.code == "SubscriptionRequiredException"
    made = replace(world(), switches=world().switches.model_copy(update={"health": True}))
    assert reader(made).ask("health", "DescribeEvents").data["events"] == []


def test_a_member_account_sees_its_organization_and_nothing_else_of_it() -> None:
    held = ask("organizations", "DescribeOrganization")["Organization"]
    assert held["MasterAccountId"] != world().account
    with pytest.raises(Denied):
        ask("organizations", "ListAccounts")


def test_quotas_are_the_documented_defaults() -> None:
    quota = ask("service-quotas", "GetServiceQuota", ServiceCode="lambda", QuotaCode="L-B99A9384")["Quota"]
    assert (quota["QuotaName"], quota["Value"]) == ("Concurrent executions", 1000.0)


# -- tags and policies ------------------------------------------------------------------------------------------------


def test_tagged_resources_are_listed_by_type_and_tag_page_by_page() -> None:
    every = ask("resourcegroupstaggingapi", "GetResources")["ResourceTagMappingList"]
    arns = [one["ResourceARN"] for one in every]
    tagged = {thing.arn for thing in world().things.values() if thing.tags(world().start) and thing.region}
    assert set(arns) == tagged
    tables = ask("resourcegroupstaggingapi", "GetResources", ResourceTypeFilters=["dynamodb:table"])
    assert {one["ResourceARN"] for one in tables["ResourceTagMappingList"]} == {
        arn for arn in arns if ":dynamodb:" in arn
    }
    key, value = (every[0]["Tags"][0][name] for name in ("Key", "Value"))
    wanted = ask("resourcegroupstaggingapi", "GetResources", TagFilters=[{"Key": key, "Values": [value]}])
    expected = [one["ResourceARN"] for one in every if {"Key": key, "Value": value} in one["Tags"]]
    assert [one["ResourceARN"] for one in wanted["ResourceTagMappingList"]] == expected
    pages = reader(world()).pages(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        token=("PaginationToken", "PaginationToken"),
        ResourcesPerPage=5,
    )
    assert [one["ResourceARN"] for one in pages.items] == arns
    assert key in ask("resourcegroupstaggingapi", "GetTagKeys")["TagKeys"]
    assert value in ask("resourcegroupstaggingapi", "GetTagValues", Key=key)["TagValues"]


def simulate(policies: list[str], action: str, resource: str = "*", **more: Any) -> Json:
    role = next(
        thing for thing in world().of("role") if thing.name == f"{world().facts['function.name']}-role"
    )
    given: Json = {"PolicySourceArn": role.arn, "ActionNames": [action], "ResourceArns": [resource]} | more
    if policies:
        given["PolicyInputList"] = policies
    (result,) = ask("iam", "SimulatePrincipalPolicy", **given)["EvaluationResults"]
    return dict(result)


DENY = '{"Statement": {"Effect": "Deny", "Action": "dynamodb:Put*", "Resource": "*"}}'
MFA = (
    '{"Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*", '
    '"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}'
)
ALL_BUT = (
    '{"Statement": [{"Effect": "Allow", "NotAction": ["iam:*"], "NotResource": ["arn:aws:s3:::secret*"]}]}'
)


def test_policies_allow_deny_and_leave_out() -> None:
    table = world().facts["table.arn"]
    assert simulate([], "dynamodb:PutItem", table)["EvalDecision"] == "allowed"
    assert simulate([], "dynamodb:putitem", table)["EvalDecision"] == "allowed"
    assert simulate([], "dynamodb:PutItem", f"{table}-2")["EvalDecision"] == "implicitDeny"
    assert simulate([], "dynamodb:DeleteTable", table)["EvalDecision"] == "implicitDeny"
    assert simulate([DENY], "dynamodb:PutItem", table)["EvalDecision"] == "explicitDeny"
    assert simulate([DENY], "dynamodb:GetItem", table)["EvalDecision"] == "allowed"
    assert simulate([ALL_BUT], "s3:GetObject", "arn:aws:s3:::open/a")["EvalDecision"] == "allowed"
    assert simulate([ALL_BUT], "s3:GetObject", "arn:aws:s3:::secret/a")["EvalDecision"] == "implicitDeny"
    assert simulate([ALL_BUT], "iam:GetUser")["EvalDecision"] == "implicitDeny"


def test_conditions_are_judged_from_the_context_that_is_given() -> None:
    missing = simulate([MFA], "iam:GetUser")
    assert (missing["EvalDecision"], missing["MissingContextValues"]) == (
        "implicitDeny",
        ["aws:MultiFactorAuthPresent"],
    )
    for value, decision in (("true", "allowed"), ("false", "implicitDeny")):
        entry = {
            "ContextKeyName": "aws:MultiFactorAuthPresent",
            "ContextKeyValues": [value],
            "ContextKeyType": "boolean",
        }
        assert simulate([MFA], "iam:GetUser", ContextEntries=[entry])["EvalDecision"] == decision


def test_a_boundary_takes_away_what_it_does_not_allow() -> None:
    table = world().facts["table.arn"]
    boundary = '{"Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}'
    result = simulate([], "dynamodb:PutItem", table, PermissionsBoundaryPolicyInputList=[boundary])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
