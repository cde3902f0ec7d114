"""ECS: services, the task definitions they run, and the clusters they run in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.evidence import plain as scrubbed
from tools.kit import call, here, optional, plain, record, reference, relation, text, uses, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.redact import redact
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "ecs.amazonaws.com"
_INSIGHTS = "ECS/ContainerInsights"
_MOST_CLUSTERS = 20
_MOST_EVENTS = 20
_MOST_STOPPED = 10
_AT_ONCE = 10  # DescribeServices takes at most ten
_STEADY = re.compile(r"has reached a steady state")


# -- names --------------------------------------------------------------------------------------------


def _cluster_name(named: str) -> str:
    """A cluster's name from its name or ARN; a call without one means "default" (ECS API reference)."""
    return named.rpartition("/")[2] or "default"


def _service_arn(event: ChangeEvent) -> str:
    told = text(event.response, "service", "serviceArn")
    if told:
        return told
    name = text(event.request, "service") or text(event.request, "serviceName")
    if arns.is_arn(name) or not name:
        return name
    return here(event, "ecs", f"service/{_cluster_name(text(event.request, 'cluster'))}/{name}")


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    found = _service_arn(event)
    return (found,) if found else ()


def _definition_arn(event: ChangeEvent, named: str) -> str:
    """The ARN of a task definition named as ARN or family:revision; "" for a family alone, whose newest
    revision the request does not tell.
    """
    if arns.is_arn(named) or not named:
        return named
    return here(event, "ecs", f"task-definition/{named}") if ":" in named else ""


def _touches_definition(event: ChangeEvent) -> tuple[str, ...]:
    told = text(event.response, "taskDefinition", "taskDefinitionArn")
    found = told or _definition_arn(event, text(event.request, "taskDefinition"))
    return (found,) if found else ()


def _touches_task(event: ChangeEvent) -> tuple[str, ...]:
    """The service that runs the stopped task, as the answer's `group` names it; else its cluster."""
    task: Mapping[str, Any] = event.response.get("task") or {}
    cluster = _cluster_name(text(task, "clusterArn") or text(event.request, "cluster"))
    kind, _, name = text(task, "group").partition(":")
    own = [here(event, "ecs", f"service/{cluster}/{name}")] if kind == "service" and name else []
    return (*own, here(event, "ecs", f"cluster/{cluster}"))


def _touches_cluster(event: ChangeEvent) -> tuple[str, ...]:
    told = text(event.response, "cluster", "clusterArn")
    named = text(event.request, "cluster") or text(event.request, "clusterName")
    return (told or here(event, "ecs", f"cluster/{_cluster_name(named)}"),)


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    found = text(event.request, "resourceArn")
    return (found,) if found else ()


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Services of all clusters as DescribeServices tells them; definitions are read where they are near."""
    clusters = reader.pages("ecs", "ListClusters", "clusterArns", region=region, token=_TOKEN, maxResults=100)
    if len(clusters.items) > _MOST_CLUSTERS:
        reader.missing(
            "Services of some clusters",
            f"{len(clusters.items)} clusters are there; the first {_MOST_CLUSTERS} were looked into.",
            "services of other clusters",
            code="BudgetSpent",
        )
    for cluster in sorted(clusters.items)[:_MOST_CLUSTERS]:
        listed = reader.pages(
            "ecs",
            "ListServices",
            "serviceArns",
            region=region,
            token=_TOKEN,
            cluster=cluster,
            maxResults=100,
        )
        for start in range(0, len(listed.items), _AT_ONCE):
            yield from _services(reader, region, cluster, listed.items[start : start + _AT_ONCE])


_TOKEN = ("nextToken", "nextToken")


def _services(reader: Reader, region: str, cluster: str, names: Sequence[str]) -> Iterable[Resource]:
    answer = reader.ask(
        "ecs", "DescribeServices", region=region, cluster=cluster, services=list(names), include=["TAGS"]
    )
    for item in answer.data.get("services") or []:
        yield _resource(item["serviceArn"], "service", _told(item), (answer.evidence,))


def _told(item: Mapping[str, Any]) -> Json:
    """A service as AWS tells it, with its newest messages only."""
    config = plain(item)
    config["events"] = (config.get("events") or [])[:_MOST_EVENTS]
    return config


def _resource(arn: str, type: str, config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="ecs",
        type=type,
        name=parts.resource.rpartition("/")[2],
        account=parts.account,
        region=parts.region,
        config=config,
        tags={text(tag, "key"): text(tag, "value") for tag in config.get("tags") or []},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A service, a task definition or a cluster as AWS describes it.

    A service has three keys more: `LogGroups`, names from its task definition; `ContainerInsights`, the
    setting of its cluster ("enabled", "enhanced", "disabled", "" when not visible); `StoppedTasks`, the newest
    of DescribeTasks, read only while it is not steady (ECS keeps them about an hour).
    """
    kind = arns.parse(arn).type
    if kind == "task-definition":
        return _describe_definition(reader, arn)
    return _describe_cluster(reader, arn) if kind == "cluster" else _describe_service(reader, arn)


def _place(arn: str) -> tuple[str, str, str]:
    """Region, cluster and name of a service. ARNs of the old form do not tell the cluster: the default one."""
    parts = arns.parse(arn)
    cluster, _, name = parts.name.rpartition("/")
    return parts.region, cluster or "default", name


def _describe_service(reader: Reader, arn: str) -> Resource | None:
    region, cluster, name = _place(arn)
    try:
        found = next(iter(_services(reader, region, cluster, [name])), None)
    except NotThere:
        return None
    if found is None:
        return None
    config, evidence = dict(found.config), list(found.evidence)
    definition = _definition(reader, region, text(config, "taskDefinition"))
    if definition is not None:
        config["LogGroups"] = list(_groups(definition))
    config["ContainerInsights"] = _insights(reader, region, cluster, evidence)
    if not _steady(config):
        config["StoppedTasks"] = _stopped(reader, region, cluster, name, evidence)
    return _resource(found.arn, "service", config, evidence)


def _definition(reader: Reader, region: str, arn: str) -> Json | None:
    answer = optional(
        reader, "ecs", "DescribeTaskDefinition", "The task definition", region=region, taskDefinition=arn
    )
    return answer.data.get("taskDefinition") if answer else None


def _insights(reader: Reader, region: str, cluster: str, evidence: list[str]) -> str:
    answer = optional(
        reader,
        "ecs",
        "DescribeClusters",
        "Whether the cluster counts its tasks",
        region=region,
        clusters=[cluster],
        include=["SETTINGS"],
    )
    if answer is None:
        return ""
    evidence.append(answer.evidence)
    settings = [one for item in answer.data.get("clusters") or [] for one in item.get("settings") or []]
    return next((text(one, "value") for one in settings if one.get("name") == "containerInsights"), "")


def _steady(config: Mapping[str, Any]) -> bool:
    """As many tasks run as are wanted, and the one deployment is through."""
    deployments = config.get("deployments") or []
    through = all(one.get("rolloutState", "COMPLETED") == "COMPLETED" for one in deployments)
    missing = int(config.get("desiredCount") or 0) - int(config.get("runningCount") or 0)
    return through and len(deployments) <= 1 and missing <= 0


def _stopped(reader: Reader, region: str, cluster: str, name: str, evidence: list[str]) -> list[Json]:
    """Why the last tasks stopped: {taskArn, stopCode, stoppedReason, stoppedAt, containers}."""
    at = {"region": region, "cluster": cluster}
    what = "Tasks that stopped"
    listed = optional(reader, "ecs", "ListTasks", what, **at, serviceName=name, desiredStatus="STOPPED")
    tasks = (listed.data.get("taskArns") or [])[:_MOST_STOPPED] if listed else []
    answer = optional(reader, "ecs", "DescribeTasks", what, **at, tasks=tasks) if tasks else None
    if answer is None:
        return []
    evidence.append(answer.evidence)
    kept = ("taskArn", "taskDefinitionArn", "stopCode", "stoppedReason", "stoppedAt", "containers")
    found = [plain({key: task[key] for key in kept if key in task}) for task in answer.data.get("tasks", [])]
    return sorted(found, key=lambda task: (text(task, "stoppedAt"), text(task, "taskArn")), reverse=True)


def _describe_definition(reader: Reader, arn: str) -> Resource | None:
    try:
        answer = reader.ask(
            "ecs",
            "DescribeTaskDefinition",
            region=arns.parse(arn).region,
            taskDefinition=arn,
            include=["TAGS"],
        )
    except NotThere:
        return None
    # Commands, labels and log options may hold passwords, too.
    config = scrubbed({**answer.data["taskDefinition"], "tags": answer.data.get("tags") or []}, redact)
    config["containerDefinitions"] = [_safe(one) for one in config.get("containerDefinitions") or []]
    return _resource(arn, "task-definition", config, (answer.evidence,))


def _safe(container: Json) -> Json:
    """A container with only those values of variables that look like references; others by name."""
    variables = []
    for one in container.get("environment") or []:
        name = text(one, "name")
        value = reference(name, text(one, "value"))
        variables.append({"name": name, "value": value} if value else {"name": name})
    return {**container, "environment": variables}


def _describe_cluster(reader: Reader, arn: str) -> Resource | None:
    try:
        answer = reader.ask(
            "ecs",
            "DescribeClusters",
            region=arns.parse(arn).region,
            clusters=[arn],
            include=["SETTINGS", "TAGS"],
        )
    except NotThere:
        return None
    found = answer.data.get("clusters") or []
    return _resource(arn, "cluster", plain(found[0]), (answer.evidence,)) if found else None


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Where a service runs, what brings requests to it, what guards it, what its tasks use and where they log."""
    if resource.type != "service" or not resource.config:
        return
    said_by = "ecs:DescribeServices"
    if cluster := text(resource.config, "clusterArn"):
        yield relation(resource, cluster, "runs in", f"{said_by} clusterArn")
    for balancer in resource.config.get("loadBalancers") or []:
        if group := text(balancer, "targetGroupArn"):
            yield Relation(
                source=group,
                target=resource.arn,
                kind="targets",
                provenance=f"{said_by} loadBalancers.targetGroupArn",
                evidence=resource.evidence,
            )
    yield from _network(resource)
    definition = text(resource.config, "taskDefinition")
    if definition:
        yield relation(resource, definition, "uses definition", f"{said_by} taskDefinition")
    yield from _defined(resource, directory.by_arn(definition), directory)


def _network(resource: Resource) -> Iterable[Relation]:
    network = (resource.config.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    said_by = "ecs:DescribeServices networkConfiguration.awsvpcConfiguration"
    for member, kind, type in (
        ("securityGroups", "guarded by", "security-group"),
        ("subnets", "in", "subnet"),
    ):
        for id in network.get(member) or []:
            target = arns.build("ec2", resource.region, resource.account, f"{type}/{id}")
            yield relation(resource, target, kind, f"{said_by}.{member}")


def _defined(resource: Resource, definition: Resource | None, directory: Directory) -> Iterable[Relation]:
    """What the service's task definition says: roles, log groups, secrets, and what variables name."""
    config = definition.config if definition else {}
    said_by = "ecs:DescribeTaskDefinition"
    groups = _groups(config) or tuple(resource.config.get("LogGroups") or ())
    for group in groups:
        target = arns.build("logs", resource.region, resource.account, f"log-group:{group}")
        yield relation(resource, target, "logs to", f"{said_by} logConfiguration")
    for member, kind in (("taskRoleArn", "runs as"), ("executionRoleArn", "started by")):
        if role := text(config, member):
            yield relation(resource, role, kind, f"{said_by} {member}")
    containers = config.get("containerDefinitions") or []
    variables = {
        text(one, "name"): value
        for container in containers
        for one in container.get("environment") or []
        if (value := text(one, "value"))
    }
    role = text(config, "taskRoleArn")
    yield from uses(resource, variables, role, directory, f"{said_by} environment")
    for target, name in _secrets(resource, containers):
        yield relation(resource, target, "uses", f"{said_by} secrets.{name}", 0.9)


def _secrets(resource: Resource, containers: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """ARNs of the secrets and parameters that tasks are started with, and the variable each fills."""
    found: dict[str, str] = {}
    for container in containers:
        for one in container.get("secrets") or []:
            source = text(one, "valueFrom")
            if source.startswith("arn:"):
                # A secret's ARN may go on with ":json-key:version-stage:version-id".
                target = ":".join(source.split(":")[:7]) if ":secretsmanager:" in source else source
            else:
                target = arns.build(
                    "ssm", resource.region, resource.account, f"parameter/{source.lstrip('/')}"
                )
            if arns.is_arn(target):
                found.setdefault(target, text(one, "name"))
    return found.items()


def _groups(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Log groups of the containers, the essential ones first."""
    containers = sorted(
        definition.get("containerDefinitions") or [], key=lambda one: not one.get("essential", True)
    )
    found = [
        text(one, "logConfiguration", "options", "awslogs-group")
        for one in containers
        if text(one, "logConfiguration", "logDriver") == "awslogs"
    ]
    return tuple(dict.fromkeys(group for group in found if group))


def log_groups(resource: Resource) -> tuple[str, ...]:
    """Of a service; a task definition's are those of the services that run it."""
    return tuple(resource.config.get("LogGroups") or ()) if resource.type == "service" else ()


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    if resource.type == "cluster":
        return (("ClusterName", resource.name),)
    if resource.type != "service":
        return ()
    cluster = _cluster_name(text(resource.config, "clusterArn") or _place(resource.arn)[1])
    return (("ClusterName", cluster), ("ServiceName", resource.name))


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    cluster, name = dimensions.get("ClusterName", ""), dimensions.get("ServiceName", "")
    if not cluster:
        return ""
    resource = f"service/{cluster}/{name}" if name else f"cluster/{cluster}"
    return f"arn:{partition}:ecs:{region}:{account}:{resource}"


# -- settings -----------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    _, cluster, name = _place(resource.arn)
    return call("ecs", "DescribeServices", resource, cluster=cluster, services=[name])


def _update(resource: Resource, **members: Any) -> tuple[Call, ...]:
    # UpdateService leaves alone what is not sent (ECS API reference).
    _, cluster, name = _place(resource.arn)
    return (call("ecs", "UpdateService", resource, cluster=cluster, service=name, **members),)


def _renew(resource: Resource) -> tuple[Call, ...]:
    """Other tasks of the same definition: secrets are handed to a container when it starts (ECS developer guide)."""
    return _update(resource, forceNewDeployment=True) if resource.type == "service" else ()


def _restore_number(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return () if value is None else _update(resource, **{member: whole(value)})


def _restore_definition(resource: Resource, value: Value) -> tuple[Call, ...]:
    return _update(resource, taskDefinition=str(value)) if value else ()


def _restore_deployment(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """The other parts of the deployment configuration are sent along as they are."""
    if value is None:
        return ()
    kept = {
        key: inner
        for key, inner in (resource.config.get("deploymentConfiguration") or {}).items()
        if key in ("maximumPercent", "minimumHealthyPercent", "deploymentCircuitBreaker")
    }
    head, _, part = member.partition(".")
    if part:
        breaker = {"enable": False, "rollback": False, **(kept.get(head) or {})}
        return _update(
            resource, deploymentConfiguration={**kept, head: {**_switches(breaker), part: bool(value)}}
        )
    return _update(resource, deploymentConfiguration={**kept, head: whole(value)})


def _switches(breaker: Mapping[str, Any]) -> Json:
    return {key: bool(breaker[key]) for key in ("enable", "rollback")}


def _restore_network(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """The network configuration goes back whole: a part that is not sent would be lost."""
    network = (resource.config.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    whole_network = {
        "subnets": _list(network.get("subnets")),
        "securityGroups": _list(network.get("securityGroups")),
        "assignPublicIp": network.get("assignPublicIp") or "DISABLED",
    }
    if value is None or (member != "subnets" and not whole_network["subnets"]):
        return ()
    whole_network[member] = str(value) if member == "assignPublicIp" else _list(value)
    return _update(resource, networkConfiguration={"awsvpcConfiguration": whole_network})


def _list(value: Any) -> list[str]:
    """Ids from a list, or from a list written as JSON text."""
    found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    return [found] if isinstance(found, str) else [str(item) for item in found or []]


def _meant_definition(event: ChangeEvent, value: Value) -> Value:
    """Requests name family:revision or a family alone; the answer and the describe tell the ARN."""
    return (
        text(event.response, "service", "taskDefinition") or _definition_arn(event, str(value)) or str(value)
    )


_UPSTREAM_FAILS = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 1800)),
)
_FEWER = (
    Effect(metric="RunningTaskCount", direction="down", after=(0, 900)),
    *_UPSTREAM_FAILS,
)
_WRITERS = ("UpdateService", "CreateService")


def _setting(
    path: str,
    name: str,
    unit: str,
    restore: Callable[[Resource, Value], tuple[Call, ...]],
    effects: tuple[Effect, ...] = (),
    **more: Any,
) -> Setting:
    return Setting(
        type="service",
        name=name,
        path=path,
        unit=unit,
        requests=dict.fromkeys(_WRITERS, path),
        restore=restore,
        read=_read,
        query=f"services[0].{path}",
        effects=effects,
        ready={"services[0].status": "ACTIVE"},
        **more,
    )


def _insights_on(resource: Resource) -> bool:
    return text(resource.config, "ContainerInsights") in ("enabled", "enhanced")


_DESIRED = MetricSpec(
    type="service",
    name="DesiredTaskCount",
    stat="Average",
    role="setting",
    bad="",
    missing="unknown",
    unit="tasks wanted",
    namespace=_INSIGHTS,
    where=_insights_on,
)
_NETWORK = "networkConfiguration.awsvpcConfiguration"
_CUT_OFF = (
    Effect(metric="RunningTaskCount", direction="down", after=(30, 1800), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(30, 1800)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(30, 1800)),
    Effect(metric="role:work", direction="down", on="upstream", after=(30, 1800)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(30, 1800)),
)

SETTINGS = (
    _setting(
        "desiredCount",
        "desired number of tasks",
        "tasks",
        partial(_restore_number, "desiredCount"),
        (
            Effect(metric="RunningTaskCount", direction="down", after=(0, 600), when="lowered"),
            Effect(metric="CPUUtilization", direction="up", after=(0, 900), when="lowered", may=True),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600), when="lowered"),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900), when="lowered"),
            Effect(metric="role:work", direction="down", on="upstream", after=(0, 600), when="lowered"),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600), when="lowered"),
            Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 1800), when="lowered"),
            # More tasks open more connections and poll more.
            Effect(
                metric="role:saturation", direction="up", on="downstream", after=(30, 1800), when="raised"
            ),
        ),
        metric=_DESIRED,
        limits="RunningTaskCount",
    ),
    _setting(
        "taskDefinition",
        "task definition",
        "",
        _restore_definition,
        (
            Effect(metric="RunningTaskCount", direction="down", after=(30, 3600), may=True),
            Effect(metric="MemoryUtilization", direction="up", after=(30, 3600), may=True),
            Effect(metric="CPUUtilization", direction="up", after=(30, 3600), may=True),
            Effect(metric="role:errors", direction="up", on="upstream", after=(30, 3600)),
            Effect(metric="role:latency", direction="up", on="upstream", after=(30, 3600)),
            Effect(metric="role:work", direction="down", on="upstream", after=(30, 3600)),
            Effect(metric="role:errors", direction="up", on="downstream", after=(30, 3600)),
            Effect(metric="role:backlog", direction="up", on="downstream", after=(30, 3600)),
            Effect(metric="role:saturation", direction="up", on="downstream", after=(30, 3600)),
        ),
        # The answer to UpdateService lists the deployment that was in force beside the new one.
        echo="old",
        echo_path="service.deployments[?status=='ACTIVE'] | [0].taskDefinition",
        means=_meant_definition,
    ),
    _setting(
        "healthCheckGracePeriodSeconds",
        "health check grace period",
        "seconds",
        partial(_restore_number, "healthCheckGracePeriodSeconds"),
        # Tasks that start slowly are killed before they are up.
        (
            Effect(metric="RunningTaskCount", direction="down", after=(30, 3600), when="lowered"),
            Effect(metric="role:errors", direction="up", on="upstream", after=(30, 3600), when="lowered"),
            Effect(metric="role:work", direction="down", on="upstream", after=(30, 3600), when="lowered"),
        ),
        unset=0,
    ),
    _setting(
        "deploymentConfiguration.minimumHealthyPercent",
        "minimum healthy percent of a deployment",
        "%",
        partial(_restore_deployment, "minimumHealthyPercent"),
        (
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600), when="lowered"),
            Effect(metric="role:work", direction="down", on="upstream", after=(0, 3600), when="lowered"),
        ),
        beside=("services[0].deploymentConfiguration.maximumPercent",),
    ),
    _setting(
        "deploymentConfiguration.maximumPercent",
        "maximum percent of a deployment",
        "%",
        partial(_restore_deployment, "maximumPercent"),
        beside=("services[0].deploymentConfiguration.minimumHealthyPercent",),
    ),
    _setting(
        "deploymentConfiguration.deploymentCircuitBreaker.enable",
        "deployment circuit breaker",
        "",
        partial(_restore_deployment, "deploymentCircuitBreaker.enable"),
        unset=False,
        beside=("services[0].deploymentConfiguration.deploymentCircuitBreaker.rollback",),
    ),
    _setting(
        "deploymentConfiguration.deploymentCircuitBreaker.rollback",
        "rollback of failed deployments",
        "",
        partial(_restore_deployment, "deploymentCircuitBreaker.rollback"),
        unset=False,
        beside=("services[0].deploymentConfiguration.deploymentCircuitBreaker.enable",),
    ),
    *(
        _setting(
            f"{_NETWORK}.{member}",
            name,
            "",
            partial(_restore_network, member),
            _CUT_OFF,
            beside=tuple(f"services[0].{_NETWORK}.{other}" for other in _MEMBERS if other != member),
        )
        for _MEMBERS in (("securityGroups", "subnets", "assignPublicIp"),)
        for member, name in (
            ("securityGroups", "security groups"),
            ("subnets", "subnets"),
            ("assignPublicIp", "public addresses of tasks"),
        )
    ),
)


# -- changes ------------------------------------------------------------------------------------------

_AT = "eu-west-1:111122223333"
_WEB = f"arn:aws:ecs:{_AT}:service/shop/web"
_CLUSTER = f"arn:aws:ecs:{_AT}:cluster/shop"
_GROUP = f"arn:aws:elasticloadbalancing:{_AT}:targetgroup/web/73e2d6bc24d8a067"


def _definition_of(revision: int) -> str:
    return f"arn:aws:ecs:{_AT}:task-definition/web:{revision}"


def _answer(desired: int = 3, revision: int = 42, before: int = 41, **members: Any) -> Json:
    """The answer to CreateService, UpdateService and DeleteService: the service whole, in CloudTrail's shape."""
    deployments = [
        {
            "id": f"ecs-svc/{9223370500000000000 + number}",
            "status": status,
            "taskDefinition": _definition_of(number),
            "desiredCount": desired,
            "pendingCount": 0,
            "runningCount": desired if status == "ACTIVE" else 0,
            "failedTasks": 0,
            "createdAt": "Mar 13, 2026, 5:12:31 PM",
            "updatedAt": "Mar 13, 2026, 5:12:31 PM",
            "launchType": "FARGATE",
            "rolloutState": "IN_PROGRESS" if status == "PRIMARY" else "COMPLETED",
        }
        for number, status in dict(
            [(revision, "PRIMARY"), *({before: "ACTIVE"}.items() if before else ())]
        ).items()
    ]
    return {
        "service": {
            "serviceArn": _WEB,
            "serviceName": "web",
            "clusterArn": _CLUSTER,
            "loadBalancers": [{"targetGroupArn": _GROUP, "containerName": "web", "containerPort": 8080}],
            "serviceRegistries": [],
            "status": "ACTIVE",
            "desiredCount": desired,
            "runningCount": 3,
            "pendingCount": 0,
            "launchType": "FARGATE",
            "platformVersion": "LATEST",
            "taskDefinition": _definition_of(revision),
            "deploymentConfiguration": _DEPLOYMENT,
            "networkConfiguration": _NETWORKED,
            "healthCheckGracePeriodSeconds": 60,
            "schedulingStrategy": "REPLICA",
            "deployments": deployments,
            "events": [],
            "enableExecuteCommand": False,
            **members,
        }
    }


_DEPLOYMENT: Json = {
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
}
_NETWORKED: Json = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
        "securityGroups": ["sg-0a1b2c3d4e5f60001"],
        "assignPublicIp": "DISABLED",
    }
}
_UPDATE: Json = {"cluster": "shop", "service": "web"}
_CREATE: Json = {
    "cluster": "shop",
    "serviceName": "web",
    "taskDefinition": "web:41",
    "desiredCount": 3,
    "launchType": "FARGATE",
    "loadBalancers": [{"targetGroupArn": _GROUP, "containerName": "web", "containerPort": 8080}],
    "networkConfiguration": _NETWORKED,
    "deploymentConfiguration": _DEPLOYMENT,
    "healthCheckGracePeriodSeconds": 60,
}
_REGISTERED: Json = {
    "family": "web",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "512",
    "memory": "1024",
    "taskRoleArn": "arn:aws:iam::111122223333:role/web-task",
    "executionRoleArn": "arn:aws:iam::111122223333:role/web-execution",
    "containerDefinitions": [
        {
            "name": "web",
            "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1.42.0",
            "essential": True,
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
            "environment": [{"name": "TABLE_NAME", "value": "orders"}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/ecs/web",
                    "awslogs-region": "eu-west-1",
                    "awslogs-stream-prefix": "web",
                },
            },
        }
    ],
}

# What CreateService takes of what the service's answers show. Members that AWS adds itself stay out.
_CREATES = (
    "serviceName",
    "taskDefinition",
    "loadBalancers",
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "deploymentConfiguration",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)


def _undo_delete(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The service as DeleteService's answer shows it, with as many tasks as it had while it was in use."""
    shown: Mapping[str, Any] = event.response.get("service") or {}
    desired = _desired_before(event, earlier)
    # Service Connect and volumes are told per deployment only, so such a service cannot be made again from this.
    beyond = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
    partial_answer = any(one.get(key) for one in shown.get("deployments") or [] for key in beyond)
    if not shown or desired is None or partial_answer:
        return ()
    kept = {key: shown[key] for key in _CREATES if shown.get(key) not in (None, [], {})}
    if kept.get("schedulingStrategy") != "DAEMON":
        kept["desiredCount"] = desired
    cluster = text(shown, "clusterArn") or text(event.request, "cluster")
    return (call("ecs", "CreateService", event, **({"cluster": cluster} if cluster else {}), **kept),)


def _desired_before(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> int | None:
    """The newest desired count above 0: who deletes a service sets it to 0 first, or forces the deletion."""
    own = [one for one in earlier if one.operation in _WRITERS and set(_touches(one)) & set(_touches(event))]
    for one in own:
        told = (one.response.get("service") or {}).get("desiredCount", one.request.get("desiredCount"))
        if isinstance(told, int) and told > 0:
            return told
    shown = (event.response.get("service") or {}).get("desiredCount")
    return shown if isinstance(shown, int) and shown > 0 else None


def _undo_settings(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Cluster settings as an earlier event's answer or request showed them."""
    changed = {text(one, "name") for one in event.request.get("settings") or []}
    for one in earlier:
        if set(_touches_cluster(one)) != set(_touches_cluster(event)) or not one.operation.endswith(
            ("Cluster", "ClusterSettings")
        ):
            continue
        settings = (one.response.get("cluster") or {}).get("settings") or one.request.get("settings") or []
        before = [
            {"name": text(s, "name"), "value": text(s, "value")}
            for s in settings
            if text(s, "name") in changed
        ]
        if {s["name"] for s in before} == changed and changed:
            cluster = text(event.request, "cluster") or "default"
            return (call("ecs", "UpdateClusterSettings", event, cluster=cluster, settings=before),)
    return ()


def _updated(request: Json, **answer: Any) -> Json:
    return record(_SOURCE, "UpdateService", {**_UPDATE, **request}, _answer(**answer))


_TASK = f"arn:aws:ecs:{_AT}:task/shop/0f1e2d3c4b5a69788796a5b4c3d2e1f0"
_SETTINGS: Json = {"cluster": "shop", "settings": [{"name": "containerInsights", "value": "disabled"}]}

CHANGES = (
    Change(
        operation="UpdateService",
        touches=_touches,
        breaks="Fewer tasks serve the requests, or new tasks do not start, answer wrongly or reach nothing.",
        example=_updated({"taskDefinition": _definition_of(42), "desiredCount": 0}, desired=0),
        more_examples=(
            _updated({"taskDefinition": "web:42", "forceNewDeployment": True}),
            _updated({"healthCheckGracePeriodSeconds": 0}, before=0, healthCheckGracePeriodSeconds=0),
            _updated(
                {
                    "deploymentConfiguration": {
                        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
                        "maximumPercent": 150,
                        "minimumHealthyPercent": 0,
                    }
                },
                before=0,
            ),
            _updated({"networkConfiguration": _NETWORKED}),
        ),
    ),
    Change(
        operation="DeleteService",
        touches=_touches,
        breaks="The service and its tasks are gone: nothing answers behind its target group any more.",
        example=record(
            _SOURCE,
            "DeleteService",
            {**_UPDATE, "force": True},
            _answer(before=0, status="DRAINING"),
        ),
        effects=(
            Effect(metric="RunningTaskCount", direction="silent", after=(0, 600)),
            Effect(metric="CPUUtilization", direction="silent", after=(0, 600)),
            *_UPSTREAM_FAILS,
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
            Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 1800)),
        ),
        undo=_undo_delete,
    ),
    Change(
        operation="StopTask",
        touches=_touches_task,
        breaks="One task less, until the service has started another.",
        example=record(
            _SOURCE,
            "StopTask",
            {"cluster": "shop", "task": _TASK, "reason": "restart"},
            {
                "task": {
                    "taskArn": _TASK,
                    "clusterArn": _CLUSTER,
                    "group": "service:web",
                    "lastStatus": "RUNNING",
                    "desiredStatus": "STOPPED",
                    "stopCode": "UserInitiated",
                    "stoppedReason": "restart",
                    "taskDefinitionArn": _definition_of(41),
                }
            },
        ),
        effects=(
            Effect(metric="RunningTaskCount", direction="down", after=(0, 300)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 300)),
            Effect(metric="role:work", direction="down", on="upstream", after=(0, 300)),
        ),
    ),
    Change(
        operation="DeregisterTaskDefinition",
        touches=_touches_definition,
        breaks="Services that run it go on; nothing new can be started from it.",
        example=record(
            _SOURCE,
            "DeregisterTaskDefinition",
            {"taskDefinition": "web:41"},
            {
                "taskDefinition": {
                    **_REGISTERED,
                    "taskDefinitionArn": _definition_of(41),
                    "revision": 41,
                    "status": "INACTIVE",
                }
            },
        ),
    ),
    Change(
        operation="UpdateClusterSettings",
        touches=_touches_cluster,
        breaks="Without Container Insights nothing counts tasks any more: alarms on such metrics get no data.",
        example=record(
            _SOURCE,
            "UpdateClusterSettings",
            _SETTINGS,
            {"cluster": {"clusterArn": _CLUSTER, "clusterName": "shop", "settings": _SETTINGS["settings"]}},
        ),
        effects=(Effect(metric="role:work", direction="silent", on="upstream", after=(0, 900)),),
        undo=_undo_settings,
    ),
    inert(
        "CreateService",
        _touches,
        record(_SOURCE, "CreateService", _CREATE, _answer(revision=41, before=0)),
    ),
    # A new revision does nothing until a service or a run uses it.
    inert(
        "RegisterTaskDefinition",
        _touches_definition,
        record(
            _SOURCE,
            "RegisterTaskDefinition",
            _REGISTERED,
            {
                "taskDefinition": {
                    **_REGISTERED,
                    "taskDefinitionArn": _definition_of(42),
                    "revision": 42,
                    "status": "ACTIVE",
                }
            },
        ),
    ),
    inert(
        "CreateCluster",
        _touches_cluster,
        record(
            _SOURCE,
            "CreateCluster",
            {"clusterName": "shop", "settings": [{"name": "containerInsights", "value": "enabled"}]},
            {
                "cluster": {
                    "clusterArn": _CLUSTER,
                    "clusterName": "shop",
                    "status": "ACTIVE",
                    "settings": [{"name": "containerInsights", "value": "enabled"}],
                }
            },
        ),
    ),
    inert(
        "TagResource",
        _touches_tagged,
        record(_SOURCE, "TagResource", {"resourceArn": _WEB, "tags": [{"key": "team", "value": "shop"}]}),
    ),
    inert(
        "UntagResource",
        _touches_tagged,
        record(_SOURCE, "UntagResource", {"resourceArn": _WEB, "tagKeys": ["team"]}),
    ),
)


# -- what ECS says itself -----------------------------------------------------------------------------

_NO_ROOM = (
    r"unable to place a task|RESOURCE:(CPU|MEMORY|ENI|PORTS|GPU)\b|Capacity is unavailable at this time"
    r"|reached the limit on the number of vCPUs"
)
_OUT_OF_MEMORY = r"OutOfMemoryError: Container killed due to memory usage"


def messages(resource: Resource) -> tuple[str, ...]:
    """What a service's own record complains of now: messages since it was last steady, reasons of its rollout
    and of stopped tasks; newest first.
    """
    config = resource.config
    told = [text(one, "message") for one in config.get("events") or []]
    found = list(takewhile(lambda message: not _STEADY.search(message), told))
    if _steady(config):
        return tuple(found)
    found += [text(one, "rolloutStateReason") for one in config.get("deployments") or []]
    for task in config.get("StoppedTasks") or []:
        found.append(text(task, "stoppedReason"))
        found += [text(one, "reason") for one in task.get("containers") or []]
    return tuple(dict.fromkeys(message for message in found if message))


def _says(pattern: str, resource: Resource) -> bool:
    return resource.type == "service" and any(re.search(pattern, one) for one in messages(resource))


CONDITIONS = (
    Condition(
        key="no-room-for-tasks",
        type="service",
        title="no room: tasks of the service could not be placed",
        metrics=(),
        breaks="The service runs fewer tasks than it wants: capacity, addresses or a quota of the account are used up.",
        relieve=(
            "Free what other services or tests hold, or add capacity where the service may run.",
            "Where a quota is named, ask for a higher one from Service Quotas; that takes time.",
        ),
        prevent=(
            "Alarm on running tasks below desired ones, and review quotas and free addresses before peaks.",
        ),
        shown=partial(_says, _NO_ROOM),
    ),
    Condition(
        key="memory-exhausted",
        type="service",
        title="out of memory: tasks reach their memory limit",
        metrics=("MemoryUtilization",),
        breaks="Tasks are killed and started again, and the requests in them fail.",
        relieve=(
            "Start the tasks anew to win time, and find what grows.",
            "Give the tasks more memory in a new revision of the task definition.",
        ),
        prevent=("Alarm on MemoryUtilization above 85 %, and watch its trend after each release.",),
        shown=partial(_says, _OUT_OF_MEMORY),
    ),
)

SIGNATURES = (
    Signature(
        match=r"CannotPullContainer(Error|ed)?\b|CannotPullImageManifestError",
        code="CannotPullContainerError",
        reason="",
        points_to="taskDefinition",
        says="the image that the task definition names could not be pulled",
    ),
    Signature(
        match=r"ResourceInitializationError: .*(find the specified secret|ResourceNotFound|invalid ssm parameters)",
        code="ResourceInitializationError",
        reason="",
        points_to="taskDefinition",
        says="a secret or parameter that the task definition names does not exist",
    ),
    Signature(
        match=_OUT_OF_MEMORY,
        code="OutOfMemoryError",
        reason="",
        points_to="taskDefinition",
        says="a container reached the memory that the task definition gives it",
    ),
    Signature(
        match=_NO_ROOM,
        code="",
        reason="",
        points_to="no-room-for-tasks",
        says="a task could not be placed",
    ),
)


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str, **more: Any) -> MetricSpec:
    return MetricSpec(
        type="service", name=name, stat=stat, role=role, bad=bad, missing="unknown", unit=unit, **more
    )


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a task definition says that no service runs: rules and workflows start its tasks."""
    if resource.type == "task-definition" and resource.config:
        used = {text(one.config, "taskDefinition") for one in directory.of("service")}
        if resource.arn not in used:
            yield from _defined(resource, resource, directory)


def clusters(reader: Reader, region: str) -> Iterable[Resource]:
    """All clusters, those without a service too."""
    found = reader.pages("ecs", "ListClusters", "clusterArns", region=region, token=_TOKEN, maxResults=100)
    for arn in found.items:
        yield _resource(str(arn), "cluster", {}, found.evidence)


SERVICE = Service(
    name="ecs",
    title="ECS",
    client="ecs",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListClusters", action="ecs:ListClusters", shows="which clusters exist"),
        Read(operation="ListServices", action="ecs:ListServices", shows="which services a cluster runs"),
        Read(
            operation="DescribeServices",
            action="ecs:DescribeServices",
            shows="a service's tasks, deployments, network and messages",
        ),
        Read(
            operation="DescribeTaskDefinition",
            action="ecs:DescribeTaskDefinition",
            shows="images, variables, roles and log groups of tasks",
        ),
        Read(
            operation="DescribeClusters",
            action="ecs:DescribeClusters",
            shows="whether Container Insights counts tasks",
        ),
        Read(operation="ListTasks", action="ecs:ListTasks", shows="which tasks stopped within the last hour"),
        Read(operation="DescribeTasks", action="ecs:DescribeTasks", shows="why tasks stopped"),
    ),
    types={"service": "container", "task-definition": "component", "cluster": "other"},
    arns={
        "service": r"ecs:service/[^/]+(/[^/]+)?",
        "task-definition": r"ecs:task-definition/[^/:]+:\d+",
        "cluster": r"ecs:cluster/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, discover=clusters),
    namespace="AWS/ECS",
    dimensions=dimensions,
    owner=owner,
    metrics=(
        _metric("CPUUtilization", "Average", "saturation", "up", "%"),
        _metric("MemoryUtilization", "Maximum", "saturation", "up", "%"),
        _metric(
            "RunningTaskCount",
            "Average",
            "work",
            "down",
            "running tasks",
            namespace=_INSIGHTS,
            where=_insights_on,
        ),
        _metric(
            "PendingTaskCount",
            "Average",
            "backlog",
            "up",
            "waiting tasks",
            namespace=_INSIGHTS,
            where=_insights_on,
        ),
        _DESIRED,
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    renew=_renew,
    listed=False,
    listed_near=(
        "load-balancer",
        "listener",
        "target-group",
        "cluster",
        "task-definition",
        "db-instance",
        "db-cluster",
        "replication-group",
        "cache-cluster",
        "stream",
        "delivery-stream",
        "bucket",
    ),
)
