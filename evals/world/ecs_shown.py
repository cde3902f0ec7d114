"""How ECS describes its resources, with times as datetimes; answers and CloudTrail's response elements use the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world.ecs_stage import roster_of
from evals.world.roster import Roster
from evals.world.roster_task import NEVER, Deployment
from evals.world.seed import mix
from evals.world.stage import moment
from evals.world.world import Thing, World
from tools.models import Json

_STEADY = 6 * 3600
_MOST = 100


def short(definition: str) -> str:
    """family:revision of an ARN."""
    return definition.rsplit("/", 1)[-1]


def ids(world: World, thing: Thing, what: str) -> list[str]:
    """Ids of the security groups or subnets of a resource."""
    return [str(world.things[arn].fixed["id"]) for arn in thing.fixed.get(what, ())]


def network(world: World, service: Thing) -> Json:
    shown = {
        "subnets": ids(world, service, "subnets"),
        "securityGroups": ids(world, service, "security_groups"),
        "assignPublicIp": "DISABLED",
    }
    return {"awsvpcConfiguration": shown}


def balanced(service: Thing) -> list[Json]:
    return [
        {
            "targetGroupArn": arn,
            "containerName": service.fixed["container"],
            "containerPort": service.fixed["port"],
        }
        for arn in service.fixed["groups"]
    ]


def deployment_configuration(service: Thing, when: datetime) -> Json:
    path = "deploymentConfiguration."
    return {
        "deploymentCircuitBreaker": {
            "enable": bool(service.at(path + "deploymentCircuitBreaker.enable", when)),
            "rollback": bool(service.at(path + "deploymentCircuitBreaker.rollback", when)),
        },
        "maximumPercent": service.at(path + "maximumPercent", when),
        "minimumHealthyPercent": service.at(path + "minimumHealthyPercent", when),
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def _reason(one: Deployment, state: str) -> str:
    said = {
        "COMPLETED": f"ECS deployment {one.id} completed.",
        "FAILED": "ECS deployment circuit breaker: tasks failed to start.",
        "IN_PROGRESS": f"ECS deployment {one.id} in progress.",
    }[state]
    if one.cause == "rollback" and state == "IN_PROGRESS":
        return f"ECS deployment circuit breaker: rolling back to deploymentId {one.id}."
    return said


def deployments(world: World, service: Thing, second: float) -> list[Json]:
    """As DescribeServices lists them, newest first."""
    roster = roster_of(world, service)
    found = []
    active = roster.active(second)
    for one in active:
        tasks = [task for task in roster.tasks if task.deployment == one.number and task.created <= second]
        running = sum(task.running(second) and second < task.stopping for task in tasks)
        pending = sum(second < min(task.started, task.stopping) for task in tasks)
        state = one.rollout(second)
        newest = one is active[0]
        found.append(
            {
                "id": one.id,
                "status": "PRIMARY" if newest else "ACTIVE",
                "taskDefinition": one.definition,
                "desiredCount": roster.plan.desired(second) if newest else running,
                "pendingCount": pending,
                "runningCount": running,
                "failedTasks": sum(
                    task.stopped <= second and task.stop_code != "ServiceSchedulerInitiated" for task in tasks
                ),
                "createdAt": moment(one.created),
                "updatedAt": moment(min(second, one.finished if one.finished < NEVER else second)),
                "launchType": "FARGATE",
                "platformVersion": "1.4.0",
                "platformFamily": "Linux",
                "networkConfiguration": network(world, service),
                "rolloutState": state,
                "rolloutStateReason": _reason(one, state),
            }
        )
    return found


def events(world: World, service: Thing, second: float) -> list[Json]:
    """The newest 100 service events, newest first. A steady service says so every six hours."""
    roster = roster_of(world, service)
    roster.advance(second)
    told = [(at, text) for at, text in roster.events if at <= second]
    phase = roster.plan.salt % _STEADY
    last = int(second) - (int(second) - phase) % _STEADY
    for step in range(_MOST):
        at = last - step * _STEADY
        if at > service.created.timestamp() and _steady(roster, at):
            told.append((float(at), f"(service {service.name}) has reached a steady state."))
    found = sorted(enumerate(told), key=lambda one: (one[1][0], one[0]), reverse=True)[:_MOST]
    return [
        {
            "id": world.seed.uuid(f"ecs-event:{service.arn}:{at}:{text}"),
            "createdAt": moment(at) + timedelta(milliseconds=mix(roster.plan.salt, int(at)) % 1000),
            "message": text,
        }
        for _, (at, text) in found
    ]


def _steady(roster: Roster, second: float) -> bool:
    if second < roster.begin:
        return True
    seen = roster.seen(second)
    return seen.healthy == roster.plan.desired(second) == seen.registered and not seen.pending


def described(world: World, service: Thing, when: datetime) -> Json:
    """A service as DescribeServices shows it."""
    second = when.timestamp()
    seen = roster_of(world, service).seen(second)
    path = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    shown: Json = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.fixed["cluster"],
        "loadBalancers": balanced(service),
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": service.at("desiredCount", when),
        "runningCount": seen.running,
        "pendingCount": seen.pending,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": service.at("taskDefinition", when),
        "deploymentConfiguration": deployment_configuration(service, when),
        "deployments": deployments(world, service, second),
        "roleArn": world.iam_arn(path),
        "events": events(world, service, second),
        "createdAt": service.created,
        "placementConstraints": [],
        "placementStrategy": [],
        "networkConfiguration": network(world, service),
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": world.iam_arn("role/deploy-role"),
        "enableECSManagedTags": True,
        "propagateTags": "NONE",
        "enableExecuteCommand": bool(service.at("enableExecuteCommand", when)),
    }
    if service.fixed["groups"]:
        shown["healthCheckGracePeriodSeconds"] = int(service.at("healthCheckGracePeriodSeconds", when) or 0)
    return shown


def container(world: World, definition: Thing) -> Json:
    """The container definition of a revision."""
    name, when = definition.fixed["container"], definition.created
    prefix = f"containerDefinitions.{name}"
    port = definition.fixed["port"]
    shown: Json = {
        "name": name,
        "image": definition.at(f"{prefix}.image", when),
        "cpu": 0,
        "portMappings": [{"containerPort": port, "hostPort": port, "protocol": "tcp"}],
        "essential": True,
        "environment": [
            {"name": key, "value": str(value)}
            for key, value in sorted(definition.settings.under(f"{prefix}.environment", when).items())
        ],
        "mountPoints": [],
        "volumesFrom": [],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": definition.fixed["log_group"],
                "awslogs-region": world.region,
                "awslogs-stream-prefix": "ecs",
            },
        },
        "systemControls": [],
    }
    secrets = definition.settings.under(f"{prefix}.secrets", when)
    if secrets:
        shown["secrets"] = [{"name": key, "valueFrom": str(value)} for key, value in sorted(secrets.items())]
    return shown


def definition_asked(world: World, definition: Thing) -> Json:
    """A revision as it is registered."""
    return {
        "family": definition.fixed["family"],
        "taskRoleArn": definition.fixed["role"],
        "executionRoleArn": definition.fixed["execution_role"],
        "networkMode": "awsvpc",
        "containerDefinitions": [container(world, definition)],
        "requiresCompatibilities": ["FARGATE"],
        "cpu": definition.at("cpu", definition.created),
        "memory": definition.at("memory", definition.created),
    }


def definition_shown(world: World, definition: Thing) -> Json:
    """A revision as DescribeTaskDefinition shows it."""
    return definition_asked(world, definition) | {
        "taskDefinitionArn": definition.arn,
        "revision": definition.fixed["revision"],
        "volumes": [],
        "status": "ACTIVE",
        "requiresAttributes": [
            {"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"},
            {"name": "ecs.capability.execution-role-awslogs"},
            {"name": "com.amazonaws.ecs.capability.task-iam-role"},
        ],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
        "registeredAt": definition.fixed.get("registered") or definition.created,
        "registeredBy": definition.fixed.get("registered_by") or world.iam_arn("role/deploy-role"),
    }


def cluster_shown(world: World, cluster: Thing, when: datetime, include: list[str]) -> Json:
    """A cluster as DescribeClusters shows it."""
    services = [one for one in world.of("ecs-service", cluster.region) if one.fixed["cluster"] == cluster.arn]
    seen = [roster_of(world, one).seen(when.timestamp()) for one in services if one.created <= when]
    shown: Json = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": sum(one.running for one in seen),
        "pendingTasksCount": sum(one.pending for one in seen),
        "activeServicesCount": len(seen),
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [],
    }
    if "SETTINGS" in include:
        value: Any = cluster.at("settings.containerInsights", when)
        shown["settings"] = [{"name": "containerInsights", "value": str(value)}]
    if "TAGS" in include:
        shown["tags"] = pairs(cluster.tags(when))
    return shown


def pairs(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]
