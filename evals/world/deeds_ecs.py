"""How CloudTrail records what is done to ECS, and what ECS and Application Auto Scaling do by themselves.

Response elements hold the new state, but `deployments` still lists the revision that is being replaced; times in them
are written out. Events of ECS list no resources.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evals.world import autoscaler, ecs_shown
from evals.world.ecs_stage import roster_of
from evals.world.happenings import Happening
from evals.world.identities import Identity
from evals.world.roster_task import NEVER
from evals.world.stage import moment as moment_of
from evals.world.trail import Deed, Record, long_stamp, record
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_BREAKER = "deploymentConfiguration.deploymentCircuitBreaker."
_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return long_stamp(value)
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    return [_written(one) for one in value] if isinstance(value, list) else value


def _deed(thing: Thing, kind: str, name: str, request: Json, response: Json | None) -> Deed:
    made = _written(response) if response is not None else None
    return Deed(
        source="ecs", name=name, request=request, response=made, listed=(), concerns=((kind, thing.arn),)
    )


def change(world: World, act: Act) -> Deed:
    """UpdateService: only what is changed is in the request."""
    service = act.thing
    cluster = str(service.fixed["cluster"]).rsplit("/", 1)[-1]
    request: Json = {"cluster": cluster, "service": service.name}
    for path, value in {act.path: act.after, **act.others}.items():
        if path == "taskDefinition":
            request["taskDefinition"] = ecs_shown.short(str(value))
        elif path == "forceNewDeployment":
            request["forceNewDeployment"] = True
        elif path.startswith("deploymentConfiguration."):
            request["deploymentConfiguration"] = _configuration(service, act.moment)
        elif not path.startswith("_"):
            request[path] = value
    shown = ecs_shown.described(world, service, act.moment)
    return _deed(service, "AWS::ECS::Service", "UpdateService", request, {"service": shown})


def _configuration(service: Thing, when: datetime) -> Json:
    held = ecs_shown.deployment_configuration(service, when)
    return {key: held[key] for key in ("deploymentCircuitBreaker", "maximumPercent", "minimumHealthyPercent")}


def create(world: World, service: Thing, moment: datetime) -> Deed:
    """CreateService."""
    request = {
        "cluster": str(service.fixed["cluster"]).rsplit("/", 1)[-1],
        "serviceName": service.name,
        "taskDefinition": ecs_shown.short(str(service.at("taskDefinition", moment))),
        "loadBalancers": ecs_shown.balanced(service),
        "desiredCount": service.at("desiredCount", moment),
        "launchType": "FARGATE",
        "networkConfiguration": ecs_shown.network(world, service),
        "deploymentConfiguration": _configuration(service, moment),
    }
    hidden = ("deployments", "events")
    shown = {
        key: one for key, one in ecs_shown.described(world, service, moment).items() if key not in hidden
    }
    fresh = {"runningCount": 0, "pendingCount": 0, "events": []}
    return _deed(service, "AWS::ECS::Service", "CreateService", request, {"service": shown | fresh})


def create_cluster(world: World, cluster: Thing, moment: datetime) -> Deed:
    """CreateCluster."""
    value = cluster.at("settings.containerInsights", moment)
    settings = [{"name": "containerInsights", "value": value}]
    shown = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "settings": settings,
        "activeServicesCount": 0,
    }
    request = {"clusterName": cluster.name, "settings": settings}
    return _deed(cluster, "AWS::ECS::Cluster", "CreateCluster", request, {"cluster": shown})


def change_cluster(world: World, act: Act) -> Deed:
    """UpdateClusterSettings."""
    settings = [{"name": act.path.removeprefix("settings."), "value": act.after}]
    shown = {
        "clusterArn": act.thing.arn,
        "clusterName": act.thing.name,
        "status": "ACTIVE",
        "settings": settings,
    }
    request = {"cluster": act.thing.name, "settings": settings}
    return _deed(act.thing, "AWS::ECS::Cluster", "UpdateClusterSettings", request, {"cluster": shown})


def register(world: World, definition: Thing, moment: datetime) -> Deed:
    """RegisterTaskDefinition: from here on the revision is there."""
    definition.fixed["registered"] = moment
    request = ecs_shown.definition_asked(world, definition)
    shown = ecs_shown.definition_shown(world, definition) | {"registeredAt": moment}
    return _deed(
        definition, "AWS::ECS::TaskDefinition", "RegisterTaskDefinition", request, {"taskDefinition": shown}
    )


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """TagResource."""
    request = {"resourceArn": thing.arn, "tags": ecs_shown.pairs(tags)}
    return _deed(thing, "AWS::ECS::Service", "TagResource", request, None)


# -- scalable targets -----------------------------------------------------------------------------


def resource_id(world: World, service: Thing) -> str:
    """service/cluster/name."""
    return service.arn.split(":", 5)[5]


def policy_name(service: Thing) -> str:
    return f"{service.name}-target-tracking"


def change_scalable(world: World, act: Act) -> Deed:
    """RegisterScalableTarget, or PutScalingPolicy for the value that is tracked."""
    target, service = act.thing, world.things[act.thing.fixed["service"]]
    held: Json = {
        "serviceNamespace": "ecs",
        "resourceId": resource_id(world, service),
        "scalableDimension": "ecs:service:DesiredCount",
    }
    if act.path == "TargetValue":
        metric = target.at("PredefinedMetricType", act.moment)
        tracked = {
            "targetValue": act.after,
            "predefinedMetricSpecification": {"predefinedMetricType": metric},
        }
        request = {
            "policyName": policy_name(service),
            **held,
            "policyType": "TargetTrackingScaling",
            "targetTrackingScalingPolicyConfiguration": tracked,
        }
        name = "PutScalingPolicy"
    else:
        moved = {act.path: act.after, **act.others}
        request = held | {path[0].lower() + path[1:]: value for path, value in moved.items()}
        name = "RegisterScalableTarget"
    return Deed(
        source="application-autoscaling",
        name=name,
        request=request,
        response=None,
        listed=(),
        concerns=(("AWS::ApplicationAutoScaling::ScalableTarget", target.arn),),
    )


# -- what AWS does itself -------------------------------------------------------------------------


def _linked(world: World, role: str, host: str, session: str) -> Identity:
    made = world.cast.role(
        role, session, host, host, path=f"aws-service-role/{host}/", how="service", kind="service_linked_role"
    )
    return replace(made, user=made.user | {"invokedBy": host})


def _recorded(world: World, key: str, second: float, who: Identity, deed: Deed) -> Record:
    when = moment_of(int(second))
    delay = world.seed.between(f"delivery:{key}", 120, 380)
    return record(world.seed, key, when, delay, world.region, world.account, who, deed)


def follow_ups(world: World, service: Thing, until: datetime) -> None:
    """What ECS and the autoscaler did: targets registered and deregistered, the count set, service events."""
    for flow in world.flows.values():
        if service.arn in flow.arns and flow.disturbed_from is not None:
            autoscaler.scale(world, service, flow, flow.disturbed_from * 60)
    roster = roster_of(world, service)
    roster.advance(until.timestamp())
    for at, text in roster.events:
        world.happenings.append(Happening(moment_of(at), "ecs", service.arn, text))
    for target in service.fixed["groups"]:
        _targets(world, service, target, until.timestamp())
    for number, one in enumerate(service.fixed.get("scalings", ())):
        if one.second <= until.timestamp():
            _scaled(world, service, number, one)


def _targets(world: World, service: Thing, group: str, until: float) -> None:
    roster = roster_of(world, service)
    who = _linked(world, "AWSServiceRoleForECS", "ecs.amazonaws.com", "ecs-service-scheduler")
    for task in roster.tasks:
        if task.health is None:
            continue
        request = {
            "targetGroupArn": group,
            "targets": [{"id": task.address, "port": roster.plan.port}],
        }
        for name, at in (("RegisterTargets", task.health.since), ("DeregisterTargets", task.deregistered)):
            if roster.begin < at < min(until, NEVER):
                deed = Deed(
                    source="elasticloadbalancing",
                    name=name,
                    request=request,
                    api_version="2015-12-01",
                    listed=(),
                    concerns=((_GROUP, group),),
                )
                world.trail.add(_recorded(world, f"{name}:{task.id}", at, who, deed))


def _why(world: World, service: Thing, one: autoscaler.Scaling) -> str:
    if one.alarm == autoscaler.MAXIMUM:
        return f"maximum capacity was set to {one.after}"
    code = world.seed.uuid(f"tracking:{service.name}:{one.alarm}")
    alarm = f"TargetTracking-{resource_id(world, service)}-{one.alarm}-{code}"
    return f"monitor alarm {alarm} in state ALARM triggered policy {policy_name(service)}"


def _scaled(world: World, service: Thing, number: int, one: autoscaler.Scaling) -> None:
    host = "ecs.application-autoscaling.amazonaws.com"
    role = "AWSServiceRoleForApplicationAutoScaling_ECSService"
    who = _linked(world, role, host, "AutoScaling-UpdateECSService")
    when = moment_of(int(one.second))
    request = {
        "cluster": service.fixed["cluster"],
        "service": service.arn,
        "desiredCount": one.after,
    }
    shown = {"service": ecs_shown.described(world, service, when) | {"events": []}}
    deed = _deed(service, "AWS::ECS::Service", "UpdateService", request, shown)
    made = _recorded(world, f"scaling:{service.name}:{number}", one.second, who, deed)
    world.trail.add(replace(made, arn=service.arn, field="desiredCount", before=one.before, after=one.after))
    details = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource_id(world, service),
        "ScalableDimension": "ecs:service:DesiredCount",
        "Cause": _why(world, service, one),
        "StatusMessage": f"Successfully set desired count to {one.after}. Change successfully fulfilled by ecs.",
    }
    world.happenings.append(
        Happening(
            when,
            "application-autoscaling",
            service.arn,
            f"Setting desired count to {one.after}.",
            "Successful",
            when + autoscaler.ended(one),
            details,
        )
    )
