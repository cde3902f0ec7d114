"""STS, CloudFormation, Config, X-Ray, Health and tagging."""

from __future__ import annotations

from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.permissions import caller
from evals.world.seed import Seed
from tools.models import Json

_TYPES = {
    "table": "dynamodb:table",
    "function": "lambda:function",
    "queue": "sqs:queue",
    "http-api": "apigateway:apis",
    "rest-api": "apigateway:restapis",
    "alarm": "cloudwatch:alarm",
    "log-group": "logs:log-group",
}


@handles("sts", "GetCallerIdentity")
def get_caller_identity(ask: Ask) -> Json:
    role = "AROA" + Seed(ask.world.seed.number).letters("reader", 16)
    return {"UserId": f"{role}:opsleuth", "Account": ask.world.account, "Arn": caller(ask.world)}


@handles("cloudformation", "ListStacks")
def list_stacks(ask: Ask) -> Json:
    ask.take("StackStatusFilter")
    return {"StackSummaries": []}


@handles("cloudformation", "DescribeStacks")
def describe_stacks(ask: Ask) -> Json:
    name = ask.take("StackName")
    if name is not None:
        raise Refusal("ValidationError", f"Stack with id {name} does not exist")
    return {"Stacks": []}


@handles("cloudformation", "DescribeStackResources")
def describe_stack_resources(ask: Ask) -> Json:
    name = ask.take("PhysicalResourceId") or ask.take("StackName")
    raise Refusal("ValidationError", f"Stack for {name} does not exist")


@handles("config", "DescribeConfigurationRecorders")
def describe_configuration_recorders(ask: Ask) -> Json:
    return {"ConfigurationRecorders": []}


@handles("config", "GetResourceConfigHistory")
def get_resource_config_history(ask: Ask) -> Json:
    for name in ("resourceType", "resourceId", "laterTime", "earlierTime", "limit", "chronologicalOrder"):
        ask.take(name)
    raise Refusal(
        "NoAvailableConfigurationRecorderException",
        "There is no configuration recorder available to provide the role.",
    )


@handles("health", "DescribeEvents")
def describe_events(ask: Ask) -> Json:
    ask.left.clear()
    raise Refusal(
        "SubscriptionRequiredException",
        "The AWS Health API requires a Business, Enterprise On-Ramp or Enterprise Support plan.",
    )


@handles("xray", "GetServiceGraph")
def get_service_graph(ask: Ask) -> Json:
    _no_traces(ask)
    start, end = ask.need("StartTime"), ask.need("EndTime")
    return {"StartTime": start, "EndTime": end, "Services": [], "ContainsOldGroupVersions": False}


@handles("xray", "GetTraceSummaries")
def get_trace_summaries(ask: Ask) -> Json:
    _no_traces(ask)
    ask.need("StartTime")
    ask.need("EndTime")
    for name in ("Sampling", "FilterExpression", "TimeRangeType"):
        ask.take(name)
    return {"TraceSummaries": [], "ApproximateTime": ask.as_of, "TracesProcessedCount": 0}


def _no_traces(ask: Ask) -> None:
    if ask.world.switches.tracing:
        raise NotModelled("traces")


@handles("resourcegroupstaggingapi", "GetResources")
def get_resources(ask: Ask) -> Json:
    filters: list[Json] = ask.take("TagFilters", [])
    types: list[str] = ask.take("ResourceTypeFilters", [])
    arns: list[str] = ask.take("ResourceARNList", [])
    size = int(ask.take("ResourcesPerPage", 50))
    token = ask.take("PaginationToken") or None
    found: list[Any] = []
    for thing in sorted(ask.world.things.values(), key=lambda one: one.arn):
        tags = thing.tags(ask.as_of)
        if thing.region != ask.region or not tags or thing.kind not in _TYPES:
            continue
        if (arns and thing.arn not in arns) or (types and not _typed(_TYPES[thing.kind], types)):
            continue
        if all(_tagged(tags, one) for one in filters):
            pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
            found.append({"ResourceARN": thing.arn, "Tags": pairs})
    page, following = ask.page(found, size, token)
    return {"ResourceTagMappingList": page, "PaginationToken": following or ""}


def _typed(kind: str, types: list[str]) -> bool:
    return any(wanted in (kind, kind.split(":", maxsplit=1)[0]) for wanted in types)


def _tagged(tags: dict[str, str], wanted: Json) -> bool:
    values = wanted.get("Values") or []
    return wanted["Key"] in tags and (not values or tags[wanted["Key"]] in values)
