"""ECS on Fargate: clusters, task definitions by revision, services.

The scheduler is in `evals.world.roster`, the requests in `evals.world.ecs_stage`. Metrics, from the ECS
developer guide: AWS/ECS CPUUtilization and MemoryUtilization each minute per service, one value per running task, none
without tasks; ECS/ContainerInsights only while the cluster's setting containerInsights is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from evals.world import ecs_metrics
from evals.world.deeds_ecs import (
    change,
    change_cluster,
    change_scalable,
    create,
    create_cluster,
    follow_ups,
    register,
    tag,
)
from evals.world.deeds_sqs import url as queue_url
from evals.world.domains import domain
from evals.world.ecs_stage import ServiceStage
from evals.world.ecs_voice import TaskGroup, TaskVoice
from evals.world.flow import Flow
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.vpc import guards_of, place
from evals.world.lines import LogGroup
from evals.world.own_groups import own_group
from evals.world.telemetry import Source
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

_EXECUTION = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
]
_TABLE = ["dynamodb:PutItem", "dynamodb:GetItem"]


def _cluster(shop: Workshop, wish: Wish) -> Thing:
    thing = shop.add(shop.world.arn("ecs", f"cluster/{wish.name}"), wish)
    return shop.settle(thing, wish, {"settings.containerInsights": "disabled"})


# -- task definitions -----------------------------------------------------------------------------


def _definition(shop: Workshop, wish: Wish) -> Thing:
    """A revision; with `like` it has all of another revision that its own settings do not say otherwise."""
    world, seed, family = shop.world, shop.world.seed, wish.name
    like = shop.one(wish, "like", "task-definition")
    if like is not None:
        family = str(like.fixed["family"])
    first = seed.integer(f"revision:{family}", 12, 80)
    revision = int(wish.options.get("revision") or (like.fixed["revision"] + 1 if like else first))
    container = str(wish.options.get("container") or (like.fixed["container"] if like else family))
    arn = world.arn("ecs", f"task-definition/{family}:{revision}")
    if arn in world.things:
        raise BadInput(f"resources.{wish.id}: there are two revisions {revision} of {family}.")
    task, execution = _roles(shop, family, wish)
    fixed = {
        "family": family,
        "revision": revision,
        "container": container,
        "port": int(wish.options.get("port") or (like.fixed["port"] if like else 8080)),
        "boot": int(wish.options.get("boot_seconds") or (like.fixed["boot"] if like else 9)),
        "role": task.arn,
        "execution_role": execution.arn,
        "log_group": f"/ecs/{family}",
    }
    thing = shop.add(arn, replace(wish, name=f"{family}:{revision}"), fixed)
    prefix = f"containerDefinitions.{container}."
    registry = f"{world.account}.dkr.ecr.{world.region}.{domain(world.region)}"
    minor = seed.integer(f"version:{family}", 2, 30)
    defaults: dict[str, Any] = {
        "cpu": "512",
        "memory": "1024",
        f"{prefix}image": f"{registry}/{family}:1.{minor}.{revision % 10}",
    }
    if like is not None:
        held = {path: steps.at(like.created) for path, steps in like.settings.steps.items()}
        defaults |= {
            path: value
            for path, value in held.items()
            if not path.startswith(("_", "tags.")) and path != f"{prefix}image"
        }
    given = {_by_container(path, container): _text(path, value) for path, value in wish.settings.items()}
    for role in (task, execution):
        world.relate(arn, "runs as" if role is task else "started by", role.arn)
    return shop.settle(thing, replace(wish, settings=given), defaults)


def _by_container(path: str, container: str) -> str:
    """ "image" and "environment.X" are short for the one container's."""
    short = ("image", "environment.", "secrets.")
    return f"containerDefinitions.{container}.{path}" if path.startswith(short) else path


def _text(path: str, value: Any) -> Any:
    return str(value) if path in ("cpu", "memory") else value


def _roles(shop: Workshop, family: str, wish: Wish) -> tuple[Thing, Thing]:
    tasks = "ecs-tasks.amazonaws.com"
    task, execution = (
        shop.role(f"{family}-task", wish.created, tasks),
        shop.role(f"{family}-execution", wish.created, tasks),
    )
    if "Policies.start-tasks" not in execution.settings.steps:
        statement = {"Effect": "Allow", "Action": _EXECUTION, "Resource": "*"}
        execution.settings.set("Policies.start-tasks", execution.created, [statement])
    shop.made[f"{wish.id}_role"], shop.made[f"{wish.id}_execution_role"] = task, execution
    return task, execution


# -- services -------------------------------------------------------------------------------------

_DEPLOYMENT = "deploymentConfiguration."


def _service(shop: Workshop, wish: Wish) -> Thing:
    world, name = shop.world, wish.name
    cluster = shop.one(wish, "cluster", "cluster")
    definition = shop.one(wish, "definition", "task-definition")
    if cluster is None or definition is None:
        raise BadInput(f"resources.{wish.id}.with must name a cluster and a task definition (definition).")
    groups = guards_of(shop, wish)
    fixed = {
        "cluster": cluster.arn,
        "family": definition.fixed["family"],
        "role": definition.fixed["role"],
        "container": definition.fixed["container"],
        "port": definition.fixed["port"],
        "groups": [],
        "needs": [],
        "names": {},
        "cpu_ms": wish.options.get("cpu_ms"),
        "health_path": wish.options.get("health_path"),
        "own_error": wish.options.get("own_error"),
        "own_group": not groups,
    }
    thing = shop.add(world.arn("ecs", f"service/{cluster.name}/{name}"), wish, fixed)
    world.relate(thing.arn, "runs in", cluster.arn)
    world.relate(thing.arn, "uses definition", definition.arn)
    world.relate(thing.arn, "runs as", definition.fixed["role"])
    world.relate(thing.arn, "started by", definition.fixed["execution_role"])
    place(shop, thing, groups or [own_group(shop, wish, f"{name}-tasks", {})])
    defaults = {
        "desiredCount": 3,
        "taskDefinition": definition.arn,
        _DEPLOYMENT + "maximumPercent": 200,
        _DEPLOYMENT + "minimumHealthyPercent": 100,
        _DEPLOYMENT + "deploymentCircuitBreaker.enable": False,
        _DEPLOYMENT + "deploymentCircuitBreaker.rollback": False,
        "healthCheckGracePeriodSeconds": 0,
        "enableExecuteCommand": False,
    }
    shop.settle(thing, wish, defaults)
    if wish.options.get("autoscaling"):
        _scalable(shop, thing, wish, dict(wish.options["autoscaling"]))
    return thing


def _scalable(shop: Workshop, service: Thing, wish: Wish, asked: dict[str, Any]) -> None:
    """The scalable target of a service with one target tracking policy."""
    world = shop.world
    code = world.seed.hex(f"scalable:{service.name}", 32)
    arn = world.arn("application-autoscaling", f"scalable-target/{code}")
    thing = shop.part(arn, "scalable-target", service.name, wish.created, {"service": service.arn})
    service.fixed["scalable_target"] = arn
    metric = (
        "ALBRequestCountPerTarget" if asked.get("metric") == "requests" else "ECSServiceAverageCPUUtilization"
    )
    shop.set(
        thing,
        MinCapacity=int(asked.get("min", 2)),
        MaxCapacity=int(asked.get("max", 10)),
        TargetValue=float(asked.get("target", 60)),
        PredefinedMetricType=metric,
    )
    shop.made[f"{wish.id}_scaling"] = thing
    world.relate(arn, "scales", service.arn)


def _link(shop: Workshop, service: Thing, target: Thing) -> None:
    """Name what the service calls in the environment of its revisions, and allow it."""
    from evals.world.kinds import kinds as all_kinds

    called = all_kinds()[target.kind].called if target.kind in all_kinds() else None
    if called is not None:
        called(shop, service, target)
        return
    world = shop.world
    kinds: tuple[str, ...] = ("uses",)
    if target.kind == "table":
        _knows(shop, service, "TABLE_NAME", target.name)
        shop.allow(service, "table-access", _TABLE, target)
        service.fixed["needs"].append(("dynamodb:PutItem", target.arn))
        kinds = ("writes", "reads", "uses")
    elif target.kind == "queue":
        url = queue_url(world, target)
        _knows(shop, service, "QUEUE_URL", url)
        shop.allow(service, "queue-access", ["sqs:SendMessage"], target)
        service.fixed["needs"].append(("sqs:SendMessage", target.arn))
        kinds = ("writes", "uses")
    elif host := target.fixed.get("host"):
        _knows(shop, service, _variable(target), str(host))
    else:
        return
    for one in kinds:
        world.relate(service.arn, one, target.arn)


def _variable(target: Thing) -> str:
    if target.kind.startswith("db-"):
        return "DB_HOST"
    return {"host": "PARTNER_HOST", "cache-cluster": "CACHE_HOST", "replication-group": "CACHE_HOST"}.get(
        target.kind, "TARGET_HOST"
    )


def _knows(shop: Workshop, service: Thing, name: str, value: str) -> None:
    """All revisions name it, but those that say otherwise or nothing (null)."""
    service.fixed["names"][name] = value
    for one in shop.world.of("task-definition"):
        if one.fixed["family"] == service.fixed["family"]:
            path = f"containerDefinitions.{one.fixed['container']}.environment.{name}"
            if path not in one.settings.steps:
                one.settings.set(path, one.created, value)


def _metrics(service: Thing, flow: Flow | None) -> Iterable[Source]:
    return ecs_metrics.sources(service, flow)


def _logs(shop: Workshop, service: Thing, flow: Flow) -> Iterator[LogGroup]:
    world = shop.world
    definition = world.things[str(service.at("taskDefinition", service.created))]
    held = shop.log_group(service, str(definition.fixed["log_group"]), flow)
    for one in world.of("task-definition"):
        if one.fixed["family"] == service.fixed["family"]:
            world.relate(one.arn, "logs to", held["arn"])
    own = service.fixed.get("own_error") or "ValidationError: field quantity must be positive"
    voice = TaskVoice(
        flow=flow,
        stage=held["stage"],
        own_error=str(own),
        name=str(service.fixed["container"]),
        service=service,
    )
    yield TaskGroup(**held, voice=voice, tenants=tuple(service.fixed.get("tenants", ())))


def _after(world: World, service: Thing, until: datetime) -> None:
    for one in service.settings.steps["taskDefinition"].values:
        world.relate(service.arn, "uses definition", str(one))
    follow_ups(world, service, until)


KINDS = (
    Kind(
        name="cluster",
        settings={"settings.containerInsights": "enabled, enhanced or disabled"},
        make=_cluster,
        change=change_cluster,
        create=create_cluster,
        tag=tag,
    ),
    Kind(
        name="task-definition",
        options={
            "like": "id of the revision before",
            "revision": "its number",
            "container": "name of its container",
            "port": "port of its container",
            "boot_seconds": "from its start until it answers",
        },
        settings={
            "cpu": "CPU units of a task: 256, 512, 1024, ...",
            "memory": "MB of a task",
            "image": "short for the container's",
            "environment.": "short for the container's",
            "secrets.": "short for the container's: variable -> ARN of a secret",
            "containerDefinitions.": "<container>.image, .environment.<NAME>, .secrets.<NAME>",
            "_bug": "nature: {at: start, check or request, share, text, status}: what its code does wrong",
            "_pull": "nature: not-found, denied or timeout: why its image cannot be pulled",
            "_used_mb": "nature: memory that a task needs",
            "_leak_mb_per_hour": "nature: memory that a task loses",
        },
        make=_definition,
        create=register,
        tag=tag,
    ),
    Kind(
        name="ecs-service",
        options={
            "cluster": "id of its cluster",
            "definition": "id of the revision that it runs first",
            "cpu_ms": "CPU time of one request; half of the traffic's duration by default",
            "health_path": "the path on which its program answers 200",
            "own_error": "what the code logs when a request of a user is wrong",
            "guarded_by": "ids of security groups; without any it has one of its own",
            "autoscaling": "{min, max, target, metric: cpu or requests}",
        },
        settings={
            "desiredCount": "tasks",
            "taskDefinition": "ARN of a revision",
            _DEPLOYMENT: "maximumPercent, minimumHealthyPercent, deploymentCircuitBreaker.enable and .rollback",
            "healthCheckGracePeriodSeconds": "seconds",
            "enableExecuteCommand": "true or false",
            "forceNewDeployment": "anything: the tasks are replaced",
            "_slower": "nature: how many times longer a request takes",
            "_hung": "nature: the program takes requests and never answers",
            "_bug": "nature: as of a revision",
            "_used_mb": "nature: memory that a task needs",
            "_leak_mb_per_hour": "nature: memory that a task loses",
        },
        make=_service,
        link=_link,
        stage=ServiceStage,
        metrics=_metrics,
        logs=_logs,
        change=change,
        create=create,
        tag=tag,
        dimensions=lambda one: {"cluster": str(one.fixed["cluster"]).rsplit("/", 1)[-1]},
        after=_after,
    ),
    Kind(
        name="scalable-target",
        settings={"MinCapacity": "tasks", "MaxCapacity": "tasks", "TargetValue": "of the metric"},
        make=lambda shop, wish: _no_target(wish),
        change=change_scalable,
    ),
)


def _no_target(wish: Wish) -> Thing:
    raise BadInput(f"resources.{wish.id}: say `autoscaling` of the service instead.")
