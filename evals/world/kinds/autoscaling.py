"""Auto Scaling groups of EC2 instances behind a target group. The physics are in `evals.world.fleet`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evals.world.deeds_autoscaling import change, create, follow_ups, tag
from evals.world.ec2_metrics import Rows, of_instance
from evals.world.fleet import SIZE, FleetStage, Roster
from evals.world.flow import Flow, Minute
from evals.world.hosts import SIZES, Host
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.vpc import guards_of, identifier, network, place
from evals.world.lines import LogGroup
from evals.world.metrics import source
from evals.world.seed import mix
from evals.world.telemetry import Sample, Source, level
from evals.world.voices import PlainVoice
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    kind = str(wish.options.get("type") or seed.pick(f"type:{name}", ("m6i.large", "m5.large", "c6i.large")))
    if kind not in SIZES:
        raise BadInput(f"resources.{wish.id}.with.type: {kind} is not modelled. Known: {', '.join(SIZES)}.")
    code = seed.uuid(f"group:{name}")
    template = _template(shop, wish, kind)
    fixed: dict[str, Any] = {
        "type": kind,
        "cpu_ms": wish.options.get("cpu_ms"),
        "guarded_by": wish.options.get("guarded_by") or [],
        "collects": bool(wish.options.get("collects", True)),
        "own_error": str(wish.options.get("own_error") or ""),
        "ships_logs": bool(wish.options.get("ships_logs", True)),
        "port": int(wish.options.get("port") or 80),
        "groups": [],
        "template": template,
    }
    arn = world.arn("autoscaling", f"autoScalingGroup:{code}:autoScalingGroupName/{name}")
    thing = shop.add(arn, wish, fixed)
    place(shop, thing, guards_of(shop, wish))
    world.relate(arn, "uses template", template.arn)
    defaults = {"MinSize": 1, "MaxSize": 4, "DesiredCapacity": 2, "DefaultCooldown": 300, "HealthCheckType": "EC2",
                "HealthCheckGracePeriod": 300}  # fmt: skip
    shop.settle(thing, wish, defaults)
    low, high, wanted = (int(thing.at(path, thing.created) or 0) for path in SIZE)
    if not low <= wanted <= high:
        raise BadInput(f"resources.{wish.id}: MinSize, DesiredCapacity and MaxSize must rise in this order.")
    return thing


def _template(shop: Workshop, wish: Wish, kind: str) -> Thing:
    world = shop.world
    code = identifier(world.seed, "lt", wish.name)
    fixed = {
        "id": code,
        "label": wish.name,
        "type": kind,
        "version": world.seed.integer(f"lt:{wish.name}", 2, 30),
    }
    network(shop)
    return shop.part(
        world.arn("ec2", f"launch-template/{code}"), "launch-template", code, wish.created, fixed
    )


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    if path in SIZE and (not isinstance(value, int) or value < 0):
        raise BadInput(f"{path} of {thing.name} must be a number of instances, not {value!r}.")
    return value


class _Members(Rows):
    """One of the instances of a group: it has its share of the requests."""

    def __init__(self, thing: Thing, flow: Flow, stage: FleetStage) -> None:
        super().__init__(Host(thing), None)
        self.requests, self.fleet = flow, stage

    def gauge(self, minute: int, name: str, idle: float) -> float:
        if name != "cpu" or not self._serves(minute):
            return idle
        rows = self.requests.minute(minute).slices
        return sum(one.passages[self.fleet.index].gauges["cpu"] for one in rows) / len(rows)

    def _serves(self, minute: int) -> bool:
        second = minute * 60 + 30
        return any(one.thing is self.host.thing for one in self.fleet.roster.serving(second))

    def row(self, minute: int) -> Any:
        many = len(self.fleet.roster.serving(minute * 60 + 30)) or 1
        return _Share(self.requests.minute(minute), self.fleet.index, many if self._serves(minute) else 0)


@dataclass
class _Share:
    minute: Minute
    index: int
    many: int

    def seen(self, index: int) -> int:
        return self.minute.seen(self.index) // self.many if self.many else 0

    @property
    def alive(self) -> int:
        return self.minute.alive // self.many if self.many else 0


def _metrics(group: Thing, flow: Flow | None) -> Iterator[Source]:
    """AWS/AutoScaling if metrics are collected; AWS/EC2 of each instance, and of all together."""
    if flow is None:
        return
    stage = flow.stages[flow.stage(group.arn)]
    assert isinstance(stage, FleetStage)
    each: dict[str, list[Source]] = {}
    for member in stage.roster.members:
        read = _Members(member.thing, flow, stage)
        for one in of_instance(member.thing, None, read):
            each.setdefault(f"{one.namespace}/{one.name}", []).append(one)
            yield one
    held = {"AutoScalingGroupName": group.name}
    for name in ("CPUUtilization", "NetworkIn", "NetworkOut", "StatusCheckFailed"):
        parts = each.get(f"AWS/EC2/{name}", [])
        if parts:
            yield source(group, "AWS/EC2", name, held, parts[0].unit, _together(parts))
    if group.fixed["collects"]:
        yield from _sizes(group, stage.roster, held)


def _together(parts: list[Source]) -> Callable[[int], Sample | None]:
    def emit(minute: int) -> Sample | None:
        found = [sample for one in parts if (sample := one.emit(minute)) is not None]
        if not found:
            return None
        count, total = sum(one.samples for one in found), sum(one.total for one in found)
        mean = total / count
        low, high = min(one.low for one in found), max(one.high for one in found)
        return Sample(count, total, low, high, mean, high, high)

    return emit


def _sizes(group: Thing, roster: Roster, held: dict[str, str]) -> Iterator[Source]:
    def setting(path: str) -> Callable[[int], Sample]:
        from evals.world.stage import setting as at

        return lambda minute: level(float(at(group, path, minute * 60 + 30) or 0))

    def many(word: str) -> Callable[[int], Sample]:
        def emit(minute: int) -> Sample:
            second = minute * 60 + 30
            states = {
                "InService": sum(one.serves(second) for one in roster.members),
                "Pending": sum(
                    one.thing.created.timestamp() <= second < one.entered for one in roster.members
                ),
                "Terminating": sum(one.left <= second < one.gone for one in roster.members),
                "Standby": 0,
            }
            return level(float(sum(states.values()) if word == "Total" else states[word]))

        return emit

    for path in SIZE:
        yield source(group, "AWS/AutoScaling", f"Group{path}", held, "None", setting(path))
    for word in ("InService", "Pending", "Terminating", "Standby", "Total"):
        yield source(group, "AWS/AutoScaling", f"Group{word}Instances", held, "None", many(word))


@dataclass
class _Voice(PlainVoice):
    """The application on all instances, one stream for each."""

    group: Thing | None = None

    def stream(self, group: LogGroup, day: int, number: int) -> str:
        stage = self.flow.stages[self.stage]
        assert isinstance(stage, FleetStage)
        serving = stage.roster.serving(day * 86_400 + 43_200) or stage.roster.members
        return str(serving[mix(group.salt, number) % len(serving)].thing.fixed["id"])


def _logs(shop: Workshop, thing: Thing, flow: Flow) -> Iterable[LogGroup]:
    if thing.fixed["ships_logs"]:
        held = shop.log_group(thing, f"/app/{thing.name}", flow)
        stage = flow.stages[held["stage"]]
        assert isinstance(stage, FleetStage)
        for member in stage.roster.members:
            shop.world.relate(member.thing.arn, "logs to", held["arn"])
        own = thing.fixed["own_error"] or "ValidationError: field quantity must be positive"
        yield LogGroup(**held, voice=_Voice(flow=flow, stage=held["stage"], own_error=own, name=thing.name))


def _after(world: World, thing: Thing, until: datetime) -> None:
    follow_ups(world, thing, until)


KINDS = (
    Kind(
        name="auto-scaling-group",
        options={
            "type": "of its instances: m6i.large",
            "cpu_ms": "CPU time of one request; 0.3 of the traffic's duration by default",
            "guarded_by": "ids of security groups",
            "port": "on which its instances listen",
            "collects": "whether its size is a metric (true by default)",
            "ships_logs": "whether the log of its application is shipped (true by default)",
            "own_error": "what the code logs when a request of a user is wrong",
        },
        settings={
            "MinSize": "instances",
            "MaxSize": "instances; a desired capacity above it is lowered to it",
            "DesiredCapacity": "instances",
            "DefaultCooldown": "seconds",
            "HealthCheckType": "EC2 or ELB",
            "HealthCheckGracePeriod": "seconds",
        },
        innocent=(("DefaultCooldown", 240),),
        make=_make,
        stage=FleetStage,
        metrics=_metrics,
        logs=_logs,
        change=change,
        create=create,
        tag=tag,
        kept=_kept,
        after=_after,
    ),
)
