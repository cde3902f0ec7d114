"""What a service of ECS emits (AWS/ECS, ECS/ContainerInsights)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from evals.world.ecs_stage import ServiceStage
from evals.world.flow import Flow
from evals.world.metrics import Emit, source
from evals.world.roster_task import Task
from evals.world.seed import mix
from evals.world.stage import setting
from evals.world.telemetry import Sample, Source, level
from evals.world.world import Thing, World

_OFF = ("disabled", None)


def sources(service: Thing, flow: Flow | None) -> Iterator[Source]:
    """The metrics of a service; none for one that serves nothing."""
    if flow is None:
        return
    stage = flow.stages[flow.stage(service.arn)]
    assert isinstance(stage, ServiceStage)
    world, cluster = stage.world, stage.world.things[service.fixed["cluster"]]
    held = {"ClusterName": cluster.name, "ServiceName": service.name}
    yield source(service, "AWS/ECS", "CPUUtilization", held, "Percent", _cpu(stage, flow))
    yield source(service, "AWS/ECS", "MemoryUtilization", held, "Percent", _memory(stage, flow))
    if all(value in _OFF for value in cluster.settings.steps["settings.containerInsights"].values):
        return

    def insight(name: str, unit: str, value: Callable[[int], Sample | None]) -> Source:
        def emit(minute: int) -> Sample | None:
            on = setting(cluster, "settings.containerInsights", minute * 60)
            return None if on in _OFF else value(minute)

        return source(service, "ECS/ContainerInsights", name, held, unit, emit)

    yield insight("DesiredTaskCount", "Count", lambda m: level(float(_desired(service, m))))
    yield insight("RunningTaskCount", "Count", lambda m: _count(stage, flow, m, "running"))
    yield insight("PendingTaskCount", "Count", lambda m: _count(stage, flow, m, "pending"))
    yield insight("DeploymentCount", "Count", lambda m: _deployments(stage, flow, m))
    cpu, memory = _cpu(stage, flow), _memory(stage, flow)
    yield insight("CpuUtilized", "None", lambda m: _of(cpu(m), _units(world, service, m) / 100))
    yield insight("MemoryUtilized", "Megabytes", lambda m: _of(memory(m), _mb(world, service, m) / 100))


def _desired(service: Thing, minute: int) -> int:
    return int(setting(service, "desiredCount", minute * 60 + 30) or 0)


def _disturbed(flow: Flow, minute: int) -> bool:
    return flow.disturbed_from is not None and minute >= flow.disturbed_from


def _count(stage: ServiceStage, flow: Flow, minute: int, what: str) -> Sample:
    if not _disturbed(flow, minute):
        return level(float(_desired(stage.thing, minute)) if what == "running" else 0.0)
    found = [float(getattr(stage.roster.seen(minute * 60 + at), what)) for at in (5, 25, 45)]
    mean = sum(found) / 3
    return Sample(1, mean, min(found), max(found), mean, max(found), max(found))


def _deployments(stage: ServiceStage, flow: Flow, minute: int) -> Sample:
    if not _disturbed(flow, minute):
        return level(1.0)
    return level(float(len(stage.roster.active(minute * 60 + 30))))


def _definition(world: World, service: Thing, minute: int) -> Thing:
    return world.things[str(setting(service, "taskDefinition", minute * 60 + 30))]


def _units(world: World, service: Thing, minute: int) -> float:
    thing = _definition(world, service, minute)
    return float(thing.at("cpu", thing.created) or 256) * max(1, _desired(service, minute))


def _mb(world: World, service: Thing, minute: int) -> float:
    thing = _definition(world, service, minute)
    return float(thing.at("memory", thing.created) or 512) * max(1, _desired(service, minute))


def _of(sample: Sample | None, factor: float) -> Sample | None:
    return None if sample is None else level(sample.total / sample.samples * factor)


def _cpu(stage: ServiceStage, flow: Flow) -> Emit:
    def emit(minute: int) -> Sample | None:
        gauges = flow.minute(minute).passages[stage.index].gauges
        running = _desired(stage.thing, minute)
        if _disturbed(flow, minute):
            running = stage.roster.seen(minute * 60 + 30).running
        if running <= 0:
            return None
        noise = mix(flow.demand.salt, minute, 41)
        busy = 100 * gauges.get("cpu", 0.0) * min(1.0, gauges.get("tasks", 0.0) / running)
        mean = min(100.0, busy * (0.985 + noise % 31 / 1000) + 0.6 + noise % 80 / 100)
        top = min(100.0, mean * 1.07 + 0.3)
        return Sample(running, mean * running, mean * 0.93, top, mean, top, top)

    return emit


def _memory(stage: ServiceStage, flow: Flow) -> Emit:
    def emit(minute: int) -> Sample | None:
        second, noise = minute * 60 + 30, mix(flow.demand.salt, minute, 43) % 100 / 100
        if not _disturbed(flow, minute):
            many = _desired(stage.thing, minute)
            share = 100 * _used(stage, str(setting(stage.thing, "taskDefinition", second)), second)
            found = [share + noise] * many
        else:
            stage.roster.advance(second)
            tasks = [one for one in stage.roster.tasks if one.running(second)]
            found = [min(100.0, 100 * _held(stage, one, second) + noise) for one in tasks]
        if not found:
            return None
        mean, top = sum(found) / len(found), max(found)
        return Sample(len(found), sum(found), min(found), top, mean, top, top)

    return emit


def _used(stage: ServiceStage, definition: str, second: float) -> float:
    """The part of its memory that a task of a revision uses, without a leak."""
    thing = stage.world.things[definition]
    memory = float(thing.at("memory", thing.created) or 512)
    needed: Any = stage.roster.plan.trait(definition, "_used_mb", second)
    return min(1.0, float(needed or 0.45 * memory) / memory)


def _held(stage: ServiceStage, task: Task, second: float) -> float:
    """What a task uses: it rises towards the whole when the task will be killed for it."""
    used = _used(stage, task.definition, second)
    if task.fate.exit_code != 137:
        return used
    span = min(task.fate.after, task.ends - task.started)
    low = min(used, 0.5)
    return min(1.0, low + (1.0 - low) * max(0.0, 1 - (task.ends - second) / span))
