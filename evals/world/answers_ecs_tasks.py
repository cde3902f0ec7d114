"""ECS's reads of tasks: running ones, and stopped ones for about an hour after they stopped."""

from __future__ import annotations

from typing import Any

from evals.world import ecs_shown
from evals.world.answers_ecs import cluster_of
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.ecs_stage import roster_of
from evals.world.roster_task import NEVER, Task
from evals.world.stage import moment
from evals.world.world import Thing, World
from tools.models import Json

KEPT = 3600.0
"""Seconds that stopped tasks can be read (ECS API reference, "DescribeTasks": at least one hour)."""


def task_arn(service: Thing, task: Task) -> str:
    cluster = str(service.fixed["cluster"]).rsplit("/", 1)[-1]
    return str(service.fixed["cluster"]).split(":cluster/", 1)[0] + f":task/{cluster}/{task.id}"


def _tasks(ask: Ask, cluster: Thing) -> list[tuple[Thing, Task]]:
    """What can be read of a cluster's tasks."""
    second = ask.as_of.timestamp()
    found = []
    for service in ask.world.of("ecs-service", ask.region):
        if service.fixed["cluster"] == cluster.arn and service.created <= ask.as_of:
            roster = roster_of(ask.world, service)
            roster.advance(second)
            found += [(service, one) for one in roster.tasks if one.created <= second < one.stopped + KEPT]
    return found


@handles("ecs", "ListTasks")
def list_tasks(ask: Ask) -> Json:
    cluster, second = cluster_of(ask), ask.as_of.timestamp()
    service, family = ask.take("serviceName"), ask.take("family")
    wanted = ask.take("desiredStatus", "RUNNING")
    ask.only("launchType", "FARGATE")
    if ask.take("startedBy") or ask.take("containerInstance"):
        raise NotModelled("startedBy or containerInstance")
    names = {one.name for one in ask.world.of("ecs-service", ask.region)}
    if service and str(service).rsplit("/", 1)[-1] not in names:
        raise Refusal("ServiceNotFoundException", "Service not found.")
    found = [
        task_arn(held, one)
        for held, one in _tasks(ask, cluster)
        if (not service or held.name == str(service).rsplit("/", 1)[-1])
        and (not family or held.fixed["family"] == family)
        and _desired(one, second) == wanted
    ]
    size, token = min(int(ask.take("maxResults") or 100), 100), ask.take("nextToken")
    page, following = ask.page(sorted(found), size, token)
    return {"taskArns": page} | ({"nextToken": following} if following else {})


def _desired(task: Task, second: float) -> str:
    """desiredStatus."""
    return "STOPPED" if second >= task.stopping else "RUNNING"


@handles("ecs", "DescribeTasks")
def describe_tasks(ask: Ask) -> Json:
    cluster, names = cluster_of(ask), list(ask.need("tasks"))
    include = list(ask.take("include") or [])
    if not 0 < len(names) <= 100:
        raise Refusal("InvalidParameterException", "Tasks must have between 1 and 100 elements.")
    held = {one.id: (service, one) for service, one in _tasks(ask, cluster)}
    found, failures = [], []
    for name in names:
        code = str(name).rsplit("/", 1)[-1]
        if code not in held:
            arn = ask.world.arn("ecs", f"task/{cluster.name}/{code}")
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        service, task = held[code]
        shown = _shown(ask.world, service, task, ask.as_of.timestamp())
        if "TAGS" in include:
            shown["tags"] = []
        found.append(shown)
    return {"tasks": found, "failures": failures}


def _shown(world: World, service: Thing, task: Task, second: float) -> Json:
    definition = world.things[task.definition]
    roster = roster_of(world, service)
    shown: Json = {
        "taskArn": task_arn(service, task),
        "clusterArn": service.fixed["cluster"],
        "taskDefinitionArn": task.definition,
        "group": f"service:{service.name}",
        "startedBy": roster.deployments[task.deployment].id,
        "availabilityZone": task.zone,
        "connectivity": "CONNECTED" if task.started <= second else "DISCONNECTED",
        "cpu": definition.at("cpu", definition.created),
        "memory": definition.at("memory", definition.created),
        "createdAt": moment(task.created),
        "desiredStatus": _desired(task, second),
        "lastStatus": task.status(second),
        "healthStatus": "UNKNOWN",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "enableExecuteCommand": False,
        "attachments": [_interface(world, service, task, second)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "containers": [_container(service, definition, task, second)],
        "overrides": {"containerOverrides": [{"name": definition.fixed["container"]}]},
        "version": 3 + (task.started <= second) + 2 * (task.stopped <= second),
        "ephemeralStorage": {"sizeInGiB": 20},
    }
    times = {
        "pullStartedAt": task.pulling,
        "pullStoppedAt": task.pulled,
        "startedAt": task.started,
        "stoppingAt": task.stopping,
        "executionStoppedAt": task.stopped - 1 if task.stopped < NEVER else NEVER,
        "stoppedAt": task.stopped,
    }
    shown |= {name: moment(at) for name, at in times.items() if at <= second}
    if task.stopping <= second:
        shown |= {"stoppedReason": task.reason, "stopCode": task.stop_code}
    return shown


def _interface(world: World, service: Thing, task: Task, second: float) -> Json:
    subnets = ecs_shown.ids(world, service, "subnets")
    status = "DELETED" if task.stopped <= second else "ATTACHED"
    details = {
        "subnetId": subnets[task.number % len(subnets)],
        "networkInterfaceId": f"eni-0{world.seed.hex(f'eni:{task.id}', 16)}",
        "privateIPv4Address": task.address,
    }
    return {
        "id": world.seed.uuid(f"attachment:{task.id}"),
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def _container(service: Thing, definition: Thing, task: Task, second: float) -> Json:
    name = str(definition.fixed["container"])
    image = str(definition.at(f"containerDefinitions.{name}.image", definition.created))
    stopped = task.stopped <= second or task.ends <= second
    status = "STOPPED" if stopped else "RUNNING" if task.started <= second else "PENDING"
    shown: dict[str, Any] = {
        "containerArn": task_arn(service, task).replace(":task/", ":container/") + f"/{name}",
        "taskArn": task_arn(service, task),
        "name": name,
        "image": image,
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces": [{"attachmentId": task.id[:8], "privateIpv4Address": task.address}],
        "healthStatus": "UNKNOWN",
        "cpu": "0",
    }
    if task.started <= second:
        shown["runtimeId"] = f"{task.id}-{task.number * 7919 % 10**10:010d}"
    if stopped and task.exit_code is not None:
        shown["exitCode"] = task.exit_code
    if stopped and task.container:
        shown["reason"] = task.container
    if stopped and task.stop_code == "TaskFailedToStart" and task.reason.startswith("CannotPull"):
        shown["reason"] = task.reason
    return shown
