"""ElastiCache replication groups of Redis OSS and their parameter groups.

Physics (ElastiCache user guide, "Redis OSS specific parameters" and "Ensuring that you have enough memory"): a node has
the maxmemory of its type, less what reserved-memory-percent keeps beyond the usual 25 %. What is written beyond that
evicts other keys by maxmemory-policy; with noeviction the write is refused with "OOM command not allowed when used
memory > 'maxmemory'", and only what expires makes room. Reads go on. All these parameters take effect at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evals.world.deeds_elasticache import change_group, change_parameters, tag
from evals.world.domains import domain
from evals.world.flow import Flow, Load
from evals.world.happenings import Happening
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.vpc import blocked, guards_of, place
from evals.world.metrics import Emit, source
from evals.world.seed import mix
from evals.world.stage import Stage, setting, share_of
from evals.world.telemetry import Source, level
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

PORT = 6379
FULL, UNREACHABLE = "cache out of memory", "cache unreachable"
DEFAULTS = {"maxmemory-policy": "volatile-lru", "reserved-memory-percent": "25", "timeout": "0"}
MEMORY_MB = {
    "cache.t3.medium": 3164,
    "cache.m6g.large": 6533,
    "cache.m6g.xlarge": 13_244,
    "cache.r6g.large": 13_384,
}
"""maxmemory by node type (ElastiCache user guide, "Redis OSS node-type specific parameters"), in MiB."""
_POLICIES = ("volatile-lru", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "volatile-ttl", "allkeys-random",
             "volatile-random", "noeviction")  # fmt: skip
_CALLERS = ("function", "ecs-service", "instance")
_LAG = 3  # seconds until a parameter is in force
_CONNECT_MS = 5000
_SHORT = {
    "us-east-1": "use1", "us-east-2": "use2", "us-west-2": "usw2", "eu-west-1": "euw1", "eu-central-1": "euc1",
    "ap-northeast-1": "apne1", "ap-southeast-2": "apse2", "sa-east-1": "sae1",
}  # fmt: skip


def parameter(thing: Thing, name: str, second: float) -> str:
    """A parameter of the group that a replication group is set up by, or its default."""
    group = thing.fixed.get("parameter_group")
    held = setting(group, f"Parameters.{name}", second) if group is not None else None
    return str(DEFAULTS[name] if held is None else held)


class CacheStage(Stage):
    """Commands of requests. `writes`: share of the requests that write a key; others read."""

    reasons = (FULL, UNREACHABLE)
    physical = ("CacheNodeType",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.writes = float(self.uses.get("writes", 0.4))

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        if self.thing.fixed.get("parameter_group") is not None:
            yield self.thing.fixed["parameter_group"]
        for arn in self.thing.fixed["security_groups"]:
            yield self.world.things[arn]

    def room(self, second: float) -> float:
        """How much of maxmemory its keys would take, all of them kept; 1 and more is full."""
        reserved = float(parameter(self.thing, "reserved-memory-percent", second - _LAG))
        kind = str(self.at("CacheNodeType", second))
        first = MEMORY_MB[str(setting(self.thing, "CacheNodeType", self.thing.created.timestamp()))]
        return float(self.thing.fixed["used"]) * first / (MEMORY_MB[kind] * (100 - reserved) / 75)

    def _caller(self) -> Thing | None:
        before = [stage.thing for stage in self.flow.stages[: self.index] if stage.thing.kind in _CALLERS]
        return before[-1] if before else None

    def enter(self, load: Load) -> None:
        arrived, second = load.alive, load.second
        caller = self._caller()
        refused: dict[str, int] = {}
        if not load.calm and caller is not None and blocked(self.world, caller, self.thing, PORT, second - 2):
            load.end(self.index, UNREACHABLE, load.alive, load.ms + _CONNECT_MS)
        came = load.alive
        written, used = share_of(came, self.writes, second), self.room(second)
        beyond = share_of(written, 1 - float(self.thing.fixed["expires"]), second + 1) if used >= 1 else 0
        evicted = beyond
        if parameter(self.thing, "maxmemory-policy", second - _LAG) == "noeviction":
            refused[FULL] = load.end(self.index, FULL, beyond, load.ms * 0.5 + 1)
            evicted = 0
        self.close(
            load,
            arrived,
            refused,
            memory=100 * min(1.0, used),
            reading=(came - written) / load.seconds,
            writing=(written - sum(refused.values())) / load.seconds,
            evicting=evicted / load.seconds,
            expiring=(written - beyond) / load.seconds,
        )

    def text(self, reason: str) -> str:
        """What redis-py says."""
        if reason == FULL:
            return "redis.exceptions.ResponseError: OOM command not allowed when used memory > 'maxmemory'."
        return (
            f"redis.exceptions.TimeoutError: Timeout connecting to server {self.thing.fixed['host']}:{PORT}"
        )


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    kind = str(wish.settings.get("CacheNodeType") or "cache.m6g.large")
    if kind not in MEMORY_MB:
        raise BadInput(
            f"resources.{wish.id}: node type {kind} is not modelled. Known: {', '.join(MEMORY_MB)}."
        )
    group = shop.one(wish, "parameters", "cache-parameter-group")
    code = seed.letters(f"cache:{world.account}", 6, "abcdefghijklmnopqrstuvwxyz0123456789")
    place_name = _SHORT.get(world.region, "use1")
    tail = f"{place_name}.cache.{domain(world.region)}"
    fixed: dict[str, Any] = {
        "host": f"{name}.{code}.ng.0001.{tail}",
        "port": PORT,
        "parameter_group": group,
        "nodes": int(wish.options.get("nodes") or 2),
        "used": float(wish.options.get("used") or 0.55),
        "expires": float(wish.options.get("expires") or 0.35),
        "tail": f"{code}.0001.{tail}",
        "salt": seed.salt(f"cache:{name}"),
    }
    thing = shop.add(world.arn("elasticache", f"replicationgroup:{name}"), wish, fixed)
    place(shop, thing, guards_of(shop, wish))
    for number in range(1, fixed["nodes"] + 1):
        node = f"{name}-{number:03d}"
        about = {"group": thing, "number": number}
        part = shop.part(
            world.arn("elasticache", f"cluster:{node}"), "cache-cluster", node, wish.created, about
        )
        world.relate(part.arn, "member of", thing.arn)
        for member in (part, thing):
            named = group.arn if group else world.arn("elasticache", "parametergroup:default.redis7")
            world.relate(member.arn, "set up by", named)
        for arn in thing.fixed["subnets"]:
            world.relate(part.arn, "in", arn)
        for arn in thing.fixed["security_groups"]:
            world.relate(part.arn, "guarded by", arn)
    return shop.settle(
        thing, wish, {"CacheNodeType": kind, "SnapshotRetentionLimit": 1, "AutomaticFailover": True}
    )


def nodes(world: World, thing: Thing) -> list[Thing]:
    """The cache clusters of a replication group; the first one takes the writes."""
    return [one for one in world.of("cache-cluster", thing.region) if one.fixed["group"] is thing]


def _group(shop: Workshop, wish: Wish) -> Thing:
    thing = shop.add(shop.world.arn("elasticache", f"parametergroup:{wish.name}"), wish, {"family": "redis7"})
    for path, value in wish.settings.items():
        _kept(shop.world, thing, path, value)
    shop.settle(thing, wish)
    for path, steps in thing.settings.steps.items():
        if path.startswith("Parameters."):
            steps.values[:] = [None if value is None else str(value) for value in steps.values]
    return thing


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    if not path.startswith("Parameters."):
        return value
    name = path.removeprefix("Parameters.")
    if name not in DEFAULTS:
        raise BadInput(f'{thing.name}: parameter "{name}" is not modelled. Known: {", ".join(DEFAULTS)}.')
    if name == "maxmemory-policy" and value is not None and value not in _POLICIES:
        raise BadInput(f"{thing.name}: {value} is no maxmemory-policy. Known: {', '.join(_POLICIES)}.")
    return None if value is None else str(value)


def _told(world: World, group: Thing, until: datetime) -> None:
    """DescribeEvents tells of a parameter group that was changed, not of what in it."""
    for path, steps in group.settings.steps.items():
        for since, _ in steps.pairs():
            if path.startswith("Parameters.") and group.created < since <= until:
                text = f"Cache parameter group {group.name} was modified"
                world.happenings.append(Happening(since, "elasticache", group.arn, text))


def _metrics(group: Thing, flow: Flow | None) -> Iterator[Source]:
    """AWS/ElastiCache for each node, by CacheClusterId and also with CacheNodeId, every minute."""
    salt = int(group.fixed["salt"])
    for number in range(1, group.fixed["nodes"] + 1):
        name, first = f"{group.name}-{number:03d}", number == 1
        owner = Thing(
            group.arn.replace("replicationgroup:", "cluster:") + f"-{number:03d}", "", name, "", group.created
        )
        for held in ({"CacheClusterId": name}, {"CacheClusterId": name, "CacheNodeId": "0001"}):
            for metric, unit, emit in _values(_Node(group, flow, first, salt + number)):
                yield source(owner, "AWS/ElastiCache", metric, held, unit, emit)


@dataclass(frozen=True, slots=True)
class _Node:
    """What one node does in a minute. The first one of a group takes the commands."""

    group: Thing
    flow: Flow | None
    first: bool
    salt: int

    def rate(self, minute: int, name: str) -> float:
        if self.flow is None:
            return 0.0
        rows = self.flow.minute(minute)
        index = self.flow.stage(self.group.arn)
        return sum(one.passages[index].gauges.get(name, 0.0) * one.seconds for one in rows.slices)

    def total(self, name: str) -> Emit:
        return lambda minute: level(float(round(self.rate(minute, name)) if self.first else 0))

    def memory(self, minute: int) -> float:
        """Per cent of maxmemory."""
        if self.flow is None:
            return min(100.0, 100 * float(self.group.fixed["used"]))
        index = self.flow.stage(self.group.arn)
        found = [one.passages[index].gauges["memory"] for one in self.flow.minute(minute).slices]
        return sum(found) / len(found)

    def bytes(self, minute: int) -> float:
        kind = MEMORY_MB[str(setting(self.group, "CacheNodeType", minute * 60))]
        left = (100 - float(parameter(self.group, "reserved-memory-percent", minute * 60))) / 75
        return kind * 1024 * 1024 * left * self.memory(minute) / 100

    def busy(self, minute: int) -> float:
        """Per cent of the engine's thread."""
        if not self.first:
            return 0.4
        commands = (self.rate(minute, "reading") + self.rate(minute, "writing")) / 60
        return min(99.0, 0.4 + commands * 0.012) * self.swing(minute, 0.1, 81)

    def machine(self, minute: int) -> float:
        """Per cent of all of the machine's processors."""
        return 1.2 + (0.5 * self.busy(minute) if self.first else 0.3)

    def connections(self, minute: int) -> float:
        return (24 if self.first else 3) * self.swing(minute, 0.06, 83)

    def swing(self, minute: int, wide: float, number: int) -> float:
        return 1 + wide * (mix(self.salt, minute, number) % 2001 - 1000) / 1000


def _values(node: _Node) -> Iterator[tuple[str, str, Emit]]:
    yield "EngineCPUUtilization", "Percent", lambda minute: level(round(node.busy(minute), 3))
    yield "CPUUtilization", "Percent", lambda minute: level(round(node.machine(minute), 3))
    yield "DatabaseMemoryUsagePercentage", "Percent", lambda minute: level(round(node.memory(minute), 4))
    yield "BytesUsedForCache", "Bytes", lambda minute: level(round(node.bytes(minute)))
    yield "CurrItems", "Count", lambda minute: level(float(round(node.bytes(minute) / 2350)))
    yield "CurrConnections", "Count", lambda minute: level(float(round(node.connections(minute))))
    yield "Evictions", "Count", node.total("evicting")
    yield "Reclaimed", "Count", node.total("expiring")
    yield "GetTypeCmds", "Count", node.total("reading")
    yield "SetTypeCmds", "Count", node.total("writing")
    if node.first:
        yield "CacheHits", "Count", lambda minute: level(float(round(0.86 * node.rate(minute, "reading"))))
        yield "CacheMisses", "Count", lambda minute: level(float(round(0.14 * node.rate(minute, "reading"))))
    else:
        lag = 0.0009
        yield "ReplicationLag", "Seconds", lambda minute: level(round(lag * node.swing(minute, 0.4, 85), 6))


KINDS = (
    Kind(
        name="replication-group",
        options={
            "parameters": "id of its cache-parameter-group; default.redis7 without",
            "guarded_by": "ids of security groups",
            "nodes": "cache clusters, 2 by default; the first one takes the writes",
            "used": "what its keys would take of maxmemory if all were kept: 0.55; 1 and more is full",
            "expires": "of a full one: share of writes for which keys that expire make room, 0.35",
        },
        settings={
            "CacheNodeType": "cache.m6g.large",
            "SnapshotRetentionLimit": "days",
            "AutomaticFailover": "true or false",
        },
        innocent=(("SnapshotRetentionLimit", 5),),
        make=_make,
        stage=CacheStage,
        metrics=_metrics,
        change=change_group,
        tag=tag,
        dimensions=lambda thing: {"node": f"{thing.name}-001"},
    ),
    Kind(
        name="cache-parameter-group",
        settings={"Parameters.": f"a parameter by its name: {', '.join(DEFAULTS)}"},
        make=_group,
        kept=_kept,
        change=change_parameters,
        tag=tag,
        after=_told,
    ),
)
