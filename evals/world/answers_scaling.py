"""Application Auto Scaling's reads of scalable targets and policies; activities are in `answers_events`."""

from __future__ import annotations

from typing import Any

from evals.world.asking import Ask, Refusal, handles
from evals.world.deeds_ecs import policy_name, resource_id
from evals.world.world import Thing
from tools.models import Json

_DIMENSION = "ecs:service:DesiredCount"
_SPACES = ("ecs", "dynamodb", "lambda", "rds", "ec2", "elasticache", "kafka", "sagemaker", "cassandra")


def _targets(ask: Ask) -> list[tuple[Thing, Thing]]:
    """(scalable target, service) of the namespace that is asked for."""
    space, dimension = str(ask.need("ServiceNamespace")), ask.take("ScalableDimension")
    if space not in _SPACES:
        raise Refusal("ValidationException", f"Unsupported service namespace: {space}")
    if space != "ecs" or dimension not in (None, _DIMENSION):
        return []
    return [
        (one, ask.world.things[one.fixed["service"]])
        for one in ask.world.of("scalable-target", ask.region)
        if one.created <= ask.as_of
    ]


def _paged(ask: Ask, name: str, found: list[Any]) -> Json:
    size, token = int(ask.take("MaxResults") or 50), ask.take("NextToken")
    page, following = ask.page(found, size, token)
    return {name: page} | ({"NextToken": following} if following else {})


@handles("application-autoscaling", "DescribeScalableTargets")
def describe_scalable_targets(ask: Ask) -> Json:
    wanted, found = ask.take("ResourceIds"), []
    suspended = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    for target, service in _targets(ask):
        name = resource_id(ask.world, service)
        if wanted and name not in wanted:
            continue
        host = "ecs.application-autoscaling.amazonaws.com"
        role = f"role/aws-service-role/{host}/AWSServiceRoleForApplicationAutoScaling_ECSService"
        found.append(
            {
                "ServiceNamespace": "ecs",
                "ResourceId": name,
                "ScalableDimension": _DIMENSION,
                "MinCapacity": target.at("MinCapacity", ask.as_of),
                "MaxCapacity": target.at("MaxCapacity", ask.as_of),
                "RoleARN": ask.world.iam_arn(role),
                "CreationTime": target.created,
                "SuspendedState": dict.fromkeys(suspended, False),
                "ScalableTargetARN": target.arn,
            }
        )
    return _paged(ask, "ScalableTargets", found)


@handles("application-autoscaling", "DescribeScalingPolicies")
def describe_scaling_policies(ask: Ask) -> Json:
    wanted, names, found = ask.take("ResourceId"), ask.take("PolicyNames"), []
    for target, service in _targets(ask):
        name, policy = resource_id(ask.world, service), policy_name(service)
        if (wanted and name != wanted) or (names and policy not in names):
            continue
        found.append(_policy(ask, target, service))
    return _paged(ask, "ScalingPolicies", found)


def _policy(ask: Ask, target: Thing, service: Thing) -> Json:
    world, name = ask.world, resource_id(ask.world, service)
    specification: Json = {"PredefinedMetricType": target.at("PredefinedMetricType", ask.as_of)}
    groups = service.fixed["groups"]
    if specification["PredefinedMetricType"] == "ALBRequestCountPerTarget" and groups:
        balancers = world.things[groups[0]].fixed["balancers"]
        place = balancers[0].split(":loadbalancer/", 1)[1] if balancers else ""
        specification["ResourceLabel"] = f"{place}/{groups[0].split(':', 5)[5]}"
    code = world.seed.uuid(f"policy:{service.name}")
    alarms = []
    for kind in ("AlarmHigh", "AlarmLow"):
        alarm = f"TargetTracking-{name}-{kind}-{world.seed.uuid(f'tracking:{service.name}:{kind}')}"
        alarms.append({"AlarmName": alarm, "AlarmARN": world.arn("cloudwatch", f"alarm:{alarm}")})
    return {
        "PolicyARN": world.arn(
            "autoscaling", f"scalingPolicy:{code}:resource/ecs/{name}:policyName/{policy_name(service)}"
        ),
        "PolicyName": policy_name(service),
        "ServiceNamespace": "ecs",
        "ResourceId": name,
        "ScalableDimension": _DIMENSION,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target.at("TargetValue", ask.as_of),
            "PredefinedMetricSpecification": specification,
            "DisableScaleIn": False,
        },
        "Alarms": alarms,
        "CreationTime": target.created,
    }


@handles("application-autoscaling", "DescribeScheduledActions")
def describe_scheduled_actions(ask: Ask) -> Json:
    _targets(ask)
    for name in ("ScheduledActionNames", "ResourceId"):
        ask.take(name)
    return _paged(ask, "ScheduledActions", [])
