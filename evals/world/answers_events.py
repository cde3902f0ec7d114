"""What services tell of themselves: events of RDS and ElastiCache, stack events, scaling activities.

All come from `World.happenings`; a world without any answers the empty list that AWS gives. How long they are kept
is each API reference's own word: 14 days for RDS and ElastiCache, 90 for stacks, 6 weeks for scaling activities.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world import happenings
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.happenings import Happening
from tools.arn import parse
from tools.models import Json

_FORTNIGHT = timedelta(days=14)
_STACKS = timedelta(days=90)
_SIX_WEEKS = timedelta(weeks=6)
_SOURCES = {
    "db": "db-instance",
    "cluster": "db-cluster",
    "snapshot": "db-snapshot",
    "pg": "db-parameter-group",
}
_CACHES = {
    "replicationgroup": "replication-group",
    "cluster": "cache-cluster",
    "parametergroup": "cache-parameter-group",
}


def _found(
    ask: Ask, service: str, kept: timedelta, start: datetime | None, end: datetime | None
) -> list[Happening]:
    oldest = ask.as_of - kept
    found = happenings.of(
        ask.world.happenings, service, max(start or oldest, oldest), min(end or ask.as_of, ask.as_of)
    )
    return [one for one in found if parse(one.resource).region == ask.region]


def _window(ask: Ask) -> tuple[datetime, datetime]:
    """Start and end; without a start, the `Duration` minutes (60) before the end (API reference)."""
    start, end, minutes = ask.take("StartTime"), ask.take("EndTime"), ask.take("Duration")
    if start is not None and end is not None and start > end:
        raise Refusal("InvalidParameterCombination", "Start time must be before end time.")
    last = end or ask.as_of
    return start or last - timedelta(minutes=int(minutes or 60)), last


def _kind(arn: str, words: dict[str, str]) -> str:
    return words.get(arn.split(":", 6)[5], "")


def _sourced(ask: Ask, service: str, words: dict[str, str]) -> list[tuple[Happening, str, str]]:
    """(happening, source identifier, source type) in the window and for the source that are asked for."""
    name, kind = ask.take("SourceIdentifier"), ask.take("SourceType")
    if name and not kind:
        raise Refusal(
            "InvalidParameterCombination", "SourceType is required when SourceIdentifier is specified."
        )
    start, end = _window(ask)
    found = [
        (one, one.resource.rsplit(":", 1)[-1], _kind(one.resource, words))
        for one in _found(ask, service, _FORTNIGHT, start, end)
    ]
    found = [one for one in found if (not name or one[1] == name) and (not kind or one[2] == kind)]
    return sorted(found, key=lambda one: one[0].time)


def _paged(ask: Ask, found: list[Any], default: int = 100) -> Json:
    page, following = ask.page(found, int(ask.take("MaxRecords", default)), ask.take("Marker"))
    answer: Json = {"Events": page}
    if following:
        answer["Marker"] = following
    return answer


@handles("rds", "DescribeEvents")
def describe_rds_events(ask: Ask) -> Json:
    categories: list[str] = ask.take("EventCategories") or []
    if ask.take("Filters"):
        raise NotModelled("Filters")
    found = [
        {
            "SourceIdentifier": name,
            "SourceType": kind,
            "Message": one.message,
            "EventCategories": [one.kind] if one.kind else [],
            "Date": one.time,
            "SourceArn": one.resource,
        }
        for one, name, kind in _sourced(ask, "rds", _SOURCES)
        if not categories or one.kind in categories
    ]
    return _paged(ask, found)


@handles("elasticache", "DescribeEvents")
def describe_elasticache_events(ask: Ask) -> Json:
    found = [
        {"SourceIdentifier": name, "SourceType": kind, "Message": one.message, "Date": one.time}
        for one, name, kind in _sourced(ask, "elasticache", _CACHES)
    ]
    return _paged(ask, found)


@handles("cloudformation", "DescribeStackEvents")
def describe_stack_events(ask: Ask) -> Json:
    """Newest first. A happening's resource is the stack's ARN; `details` hold LogicalResourceId and the like."""
    name, token = ask.take("StackName"), ask.take("NextToken")
    every = _found(ask, "cloudformation", _STACKS, None, None)
    held = [one for one in every if name in (one.resource, _stack(one.resource))]
    if not held:
        raise Refusal("ValidationError", f"Stack [{name}] does not exist")
    page, following = ask.page([_stack_event(ask, one) for one in held], 100, token)
    answer: Json = {"StackEvents": page}
    if following:
        answer["NextToken"] = following
    return answer


def _stack(arn: str) -> str:
    return arn.split("/")[1] if "/" in arn else ""


def _stack_event(ask: Ask, one: Happening) -> Json:
    name = _stack(one.resource)
    event = {
        "StackId": one.resource,
        "EventId": ask.world.seed.uuid(f"stack-event:{one.resource}:{one.time.isoformat()}:{one.message}"),
        "StackName": name,
        "LogicalResourceId": name,
        "PhysicalResourceId": one.resource,
        "ResourceType": "AWS::CloudFormation::Stack",
        "Timestamp": one.time,
        "ResourceStatus": one.kind,
        **one.details,
    }
    if one.message:
        event["ResourceStatusReason"] = one.message
    return event


def _activity(ask: Ask, one: Happening) -> Json:
    code = ask.world.seed.uuid(f"activity:{one.resource}:{one.time.isoformat()}:{one.message}")
    shown: Json = {
        "ActivityId": code,
        "Description": one.message,
        "Cause": "",
        "StartTime": one.time,
        "StatusCode": one.kind or "Successful",
        **one.details,
    }
    if one.ended is not None and one.ended <= ask.as_of:
        shown["EndTime"] = one.ended
    return shown


@handles("autoscaling", "DescribeScalingActivities")
def describe_group_activities(ask: Ask) -> Json:
    """A happening's resource is the group's ARN, which ends with autoScalingGroupName/NAME."""
    name, codes = ask.take("AutoScalingGroupName"), ask.take("ActivityIds") or []
    ask.only("IncludeDeletedGroups", False)
    ask.only("IncludeManagedResources", False)
    if ask.take("Filters"):
        raise NotModelled("Filters")
    groups = {one.name for one in ask.world.of("auto-scaling-group", ask.region)}
    found = []
    for one in _found(ask, "autoscaling", _SIX_WEEKS, None, None):
        group = one.resource.rsplit("/", 1)[-1]
        groups.add(group)
        if name in (None, group, one.resource):
            made = {"AutoScalingGroupName": group, "AutoScalingGroupARN": one.resource, "Progress": 100}
            found.append(made | _activity(ask, one))
    if name and name not in groups and not found:
        raise Refusal("ValidationError", f"AutoScalingGroup name not found - {name}")
    shown = [one for one in found if not codes or one["ActivityId"] in codes]
    page, following = ask.page(shown, int(ask.take("MaxRecords", 100)), ask.take("NextToken"))
    answer: Json = {"Activities": page}
    if following:
        answer["NextToken"] = following
    return answer


@handles("application-autoscaling", "DescribeScalingActivities")
def describe_scaling_activities(ask: Ask) -> Json:
    """A happening's details hold ServiceNamespace, ResourceId and ScalableDimension."""
    space, resource = ask.need("ServiceNamespace"), ask.take("ResourceId")
    dimension = ask.take("ScalableDimension")
    ask.only("IncludeNotScaledActivities", False)
    found = [
        _activity(ask, one)
        for one in _found(ask, "application-autoscaling", _SIX_WEEKS, None, None)
        if one.details.get("ServiceNamespace") == space
        and resource in (None, one.details.get("ResourceId"))
        and dimension in (None, one.details.get("ScalableDimension"))
    ]
    page, following = ask.page(found, int(ask.take("MaxResults", 50)), ask.take("NextToken"))
    answer: Json = {"ScalingActivities": page}
    if following:
        answer["NextToken"] = following
    return answer
