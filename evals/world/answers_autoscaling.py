"""EC2 Auto Scaling's reads, and EC2's of launch templates; scaling activities are in `answers_events`."""

from __future__ import annotations

from typing import Any

from evals.world.answers_vpc import chosen, own_id, paged
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.fleet import SIZE, Member, roster_of
from evals.world.world import Thing
from tools.models import Json

_METRICS = (
    "GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances",
    "GroupStandbyInstances", "GroupTerminatingInstances", "GroupTotalInstances",
)  # fmt: skip


def _groups(ask: Ask) -> list[Thing]:
    return [one for one in ask.world.of("auto-scaling-group", ask.region) if one.created <= ask.as_of]


def _paged(ask: Ask, name: str, found: list[Any], size: int = 50) -> Json:
    page, following = ask.page(found, int(ask.take("MaxRecords") or size), ask.take("NextToken"))
    return {name: page} | ({"NextToken": following} if following else {})


def _template(group: Thing) -> Json:
    held = group.fixed["template"].fixed
    return {
        "LaunchTemplateId": held["id"],
        "LaunchTemplateName": held["label"],
        "Version": str(held["version"]),
    }


def _members(ask: Ask, group: Thing) -> list[Member]:
    second = ask.as_of.timestamp()
    return [
        one
        for one in roster_of(ask.world, group).members
        if one.thing.created <= ask.as_of and second < one.gone + 30
    ]


def _state(ask: Ask, one: Member) -> str:
    second = ask.as_of.timestamp()
    if second >= one.left:
        return "Terminating:Wait" if second < one.gone - 9 else "Terminating"
    return "InService" if second >= one.entered else "Pending"


def _member(ask: Ask, group: Thing, one: Member) -> Json:
    return {
        "InstanceId": one.thing.fixed["id"],
        "InstanceType": group.fixed["type"],
        "AvailabilityZone": one.thing.fixed["zone"],
        "LifecycleState": _state(ask, one),
        "LaunchTemplate": _template(group),
        "ProtectedFromScaleIn": False,
    }


@handles("autoscaling", "DescribeAutoScalingGroups")
def describe_auto_scaling_groups(ask: Ask) -> Json:
    """Names that do not exist are left out, as AWS does."""
    wanted = ask.take("AutoScalingGroupNames")
    if ask.take("Filters"):
        raise NotModelled("Filters")
    ask.take("IncludeInstances")
    found = [one for one in _groups(ask) if not wanted or one.name in wanted or one.arn in wanted]
    return _paged(ask, "AutoScalingGroups", [_group(ask, one) for one in found])


def _group(ask: Ask, one: Thing) -> Json:
    subnets = [ask.world.things[arn] for arn in one.fixed["subnets"]]
    targets = list(one.fixed["groups"])
    shown: Json = {
        "AutoScalingGroupName": one.name,
        "AutoScalingGroupARN": one.arn,
        "LaunchTemplate": _template(one),
        **{path: one.at(path, ask.as_of) for path in SIZE},
        "DefaultCooldown": one.at("DefaultCooldown", ask.as_of),
        "AvailabilityZones": [subnet.fixed["zone"] for subnet in subnets],
        "LoadBalancerNames": [],
        "TargetGroupARNs": targets,
        "HealthCheckType": one.at("HealthCheckType", ask.as_of),
        "HealthCheckGracePeriod": one.at("HealthCheckGracePeriod", ask.as_of),
        "Instances": [
            _member(ask, one, member) | {"HealthStatus": "Healthy"} for member in _members(ask, one)
        ],
        "CreatedTime": one.created,
        "SuspendedProcesses": [],
        "VPCZoneIdentifier": ",".join(str(subnet.fixed["id"]) for subnet in subnets),
        "EnabledMetrics": [
            {"Metric": name, "Granularity": "1Minute"} for name in _METRICS if one.fixed["collects"]
        ],
        "Tags": _tags(ask, one),
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": False,
        "ServiceLinkedRoleARN": ask.world.iam_arn(
            "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        ),
        "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in targets],
    }
    return shown


def _tags(ask: Ask, one: Thing) -> list[Json]:
    return [
        {
            "ResourceId": one.name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": True,
        }
        for key, value in sorted(one.tags(ask.as_of).items())
    ]


@handles("autoscaling", "DescribeAutoScalingInstances")
def describe_auto_scaling_instances(ask: Ask) -> Json:
    wanted = ask.take("InstanceIds")
    found = [
        _member(ask, group, member) | {"AutoScalingGroupName": group.name, "HealthStatus": "HEALTHY"}
        for group in _groups(ask)
        for member in _members(ask, group)
        if not wanted or member.thing.fixed["id"] in wanted
    ]
    return _paged(ask, "AutoScalingInstances", found)


@handles("autoscaling", "DescribePolicies")
def describe_policies(ask: Ask) -> Json:
    """Groups of worlds have none: their size is set by people."""
    _known(ask, ask.take("AutoScalingGroupName"))
    for name in ("PolicyNames", "PolicyTypes"):
        ask.take(name)
    return _paged(ask, "ScalingPolicies", [])


@handles("autoscaling", "DescribeScheduledActions")
def describe_scheduled_actions(ask: Ask) -> Json:
    """None, as well."""
    _known(ask, ask.take("AutoScalingGroupName"))
    for name in ("ScheduledActionNames", "StartTime", "EndTime"):
        ask.take(name)
    return _paged(ask, "ScheduledUpdateGroupActions", [])


@handles("autoscaling", "DescribeInstanceRefreshes")
def describe_instance_refreshes(ask: Ask) -> Json:
    _known(ask, ask.need("AutoScalingGroupName"))
    ask.take("InstanceRefreshIds")
    return _paged(ask, "InstanceRefreshes", [])


@handles("autoscaling", "DescribeLifecycleHooks")
def describe_lifecycle_hooks(ask: Ask) -> Json:
    _known(ask, ask.need("AutoScalingGroupName"))
    ask.take("LifecycleHookNames")
    return {"LifecycleHooks": []}


@handles("autoscaling", "DescribeLoadBalancerTargetGroups")
def describe_load_balancer_target_groups(ask: Ask) -> Json:
    group = _known(ask, ask.need("AutoScalingGroupName"))
    assert group is not None
    found = [{"LoadBalancerTargetGroupARN": arn, "State": "InService"} for arn in group.fixed["groups"]]
    return _paged(ask, "LoadBalancerTargetGroups", found)


@handles("autoscaling", "DescribeTags")
def describe_tags(ask: Ask) -> Json:
    if ask.take("Filters"):
        raise NotModelled("Filters")
    return _paged(ask, "Tags", [pair for one in _groups(ask) for pair in _tags(ask, one)])


def _known(ask: Ask, name: Any) -> Thing | None:
    found = next((one for one in _groups(ask) if name in (one.name, one.arn)), None)
    if name and found is None:
        raise Refusal("ValidationError", f"AutoScalingGroup name not found - {name}")
    return found


@handles("ec2", "DescribeLaunchTemplates")
def describe_launch_templates(ask: Ask) -> Json:
    found, token = chosen(
        ask,
        "launch-template",
        "LaunchTemplateIds",
        "InvalidLaunchTemplateId.NotFound",
        {"template-id": own_id},
    )
    names = ask.take("LaunchTemplateNames")
    shown = [
        {
            "LaunchTemplateId": one.fixed["id"],
            "LaunchTemplateName": one.fixed["label"],
            "CreateTime": one.created,
            "CreatedBy": ask.world.iam_arn("root"),
            "DefaultVersionNumber": one.fixed["version"],
            "LatestVersionNumber": one.fixed["version"],
            "Tags": [],
        }
        for one in found
        if not names or one.fixed["label"] in names
    ]
    return paged({"LaunchTemplates": shown}, token)


@handles("ec2", "DescribeLaunchTemplateVersions")
def describe_launch_template_versions(ask: Ask) -> Json:
    """The version that is the default and the latest; others are not known here."""
    code, versions = ask.take("LaunchTemplateId"), ask.take("Versions")
    if code is None or not set(versions or ()) <= {"$Default", "$Latest"}:
        raise NotModelled("versions by number")
    found = next(
        (one for one in ask.world.of("launch-template", ask.region) if one.fixed["id"] == code), None
    )
    if found is None:
        raise Refusal("InvalidLaunchTemplateId.NotFound", f"The launch template {code} does not exist.")
    shown = {
        "LaunchTemplateId": found.fixed["id"],
        "LaunchTemplateName": found.fixed["label"],
        "VersionNumber": found.fixed["version"],
        "CreateTime": found.created,
        "CreatedBy": ask.world.iam_arn("root"),
        "DefaultVersion": True,
        "LaunchTemplateData": {"InstanceType": found.fixed["type"], "Monitoring": {"Enabled": True}},
    }
    page, following = ask.page([shown], int(ask.take("MaxResults", 200)), ask.take("NextToken"))
    return paged({"LaunchTemplateVersions": page}, following)
