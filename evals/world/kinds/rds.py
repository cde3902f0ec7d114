"""RDS instances and their parameter groups.

Physics: a server refuses connections beyond `max_connections` (MySQL: at once, "dynamic"; PostgreSQL: after a reboot,
"static"; RDS user guide, "Working with parameter groups"); connections needed are requests per second times the
seconds that each holds one (Little's law), and never fewer than the callers' pools keep; CPU time per request over the
class's vCPUs is the load, and waiting grows as load nears one; a security group that no longer admits drops new
connections, those that stand go on until the pool renews them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from evals.world.deeds_rds import change_instance, change_parameters, tag
from evals.world.domains import domain
from evals.world.ecs_stage import ServiceStage
from evals.world.flow import Flow, Load, Passage
from evals.world.happenings import Happening
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.secretsmanager import replaced
from evals.world.kinds.vpc import blocked, guards_of, network, place
from evals.world.lines import LogGroup
from evals.world.metrics import Emit, source
from evals.world.seed import mix
from evals.world.stage import Stage, setting, share_of
from evals.world.telemetry import Sample, Source, level
from evals.world.voices import DatabaseVoice
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

PORTS = {"mysql": 3306, "postgres": 5432}
_VCPUS = {"micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
_MEMORY_GB = {"micro": 1, "small": 2, "medium": 4, "large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128}
_CALLERS = ("function", "ecs-service", "instance")


def size(name: str) -> str:
    """The size in a class: db.r6g.large is large."""
    return name.rsplit(".", 1)[-1]


class DatabaseStage(Stage):
    """Queries of requests. `ms`, `cpu_ms`: time of one request here; `hold_ms`: how long it holds a connection."""

    reasons = ("too many connections", "connect timeout", "disk full", "login")
    physical = ("DBInstanceClass",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.cpu_ms = float(self.uses.get("cpu_ms", 4.0))
        self.hold_ms = float(self.uses.get("hold_ms", 0.0))
        self.pool = int(self.uses.get("pool", 12))
        self.connect_ms = int(self.uses.get("connect_ms", 5000))
        self.pool_life = float(self.uses.get("pool_life", 45.0))
        self._blocked_since: float | None = None
        self.kept = float(self.uses.get("kept_seconds", 10_800))

    @property
    def group(self) -> Thing | None:
        return self.world.things.get(str(self.thing.fixed.get("parameters") or ""))

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        if self.group is not None:
            yield self.group
        if self.secret is not None:
            yield self.secret
        for arn in self.thing.fixed.get("security_groups", ()):
            yield self.world.things[arn]
        for arn in self.thing.fixed.get("subnets", ())[:1]:
            yield self.world.things[self.world.things[arn].fixed["acl"]]

    def begin(self, second: int) -> None:
        self._blocked_since = None

    def caller(self) -> Thing | None:
        """What opens the connections: the nearest stage before this one that runs code."""
        before = [stage.thing for stage in self.flow.stages[: self.index] if stage.thing.kind in _CALLERS]
        return before[-1] if before else None

    def limit(self, second: float) -> int:
        """Connections that the server admits from applications."""
        memory = _MEMORY_GB.get(size(str(self.at("DBInstanceClass", second))), 16)
        otherwise = min(5000, memory * 112) if self.thing.fixed["engine"] == "postgres" else memory * 85
        if self.group is None:
            return otherwise
        if self.thing.fixed["engine"] == "postgres":
            second = float(self.at("_rebooted", second) or self.thing.created.timestamp())
        held = setting(self.group, "Parameters.max_connections", second - 4)
        return (int(held) if held is not None else otherwise) - 3

    @property
    def secret(self) -> Thing | None:
        """The secret that holds the password."""
        return self.world.things.get(str(self.thing.fixed.get("secret") or ""))

    def _stale(self, second: float) -> float:
        """The share of connections that would have to be made with a password that is no longer right."""
        since = replaced(self.secret, second) if self.secret is not None else None
        if since is None:
            return 0.0
        gone, holding = 1.0 - math.exp(-(second - since) / self.pool_life), 1.0
        caller = next(
            (one for one in reversed(self.flow.stages[: self.index]) if one.thing.kind in _CALLERS), None
        )
        if isinstance(caller, ServiceStage):  # tasks that started later have the new one
            up = caller.roster.seen(int(second)).up
            holding = sum(one.started < since for one in up) / len(up) if up else 0.0
        elif caller is not None and caller.thing.kind == "function":
            holding = max(0.0, 1.0 - (second - since) / self.kept)
        return gone * holding

    def needed(self, rate: float, ms: float, second: float) -> int:
        """Connections that the callers would hold."""
        busy = rate * (self.hold_ms or ms) / 1000.0
        return max(self.pool, math.ceil(busy * 1.25)) + int(self.at("_leaked", second) or 0)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        gauges: dict[str, float] = {}
        stale = 0.0
        rate = arrived / load.seconds
        if not load.calm:
            self._reach(load)
            stale = self._stale(load.second)
            load.end(self.index, "login", share_of(load.alive, stale, load.second), load.ms * 0.5 + 14)
            if self.at("_full", load.second):
                load.end(self.index, "disk full", load.alive, load.ms)
        vcpus = _VCPUS.get(size(str(self.at("DBInstanceClass", load.second))), 2)
        busy = load.alive / load.seconds * self.cpu_ms / 1000.0 / vcpus
        if not load.calm:
            load.ms += int(self.at("_slower_ms", load.second) or 0)
            load.ms += (
                round(self.cpu_ms * min(60.0, busy**3 / max(0.02, 1 - min(busy, 0.98)))) if busy > 0.5 else 0
            )
        wanted = self.needed(rate, load.ms, load.second)
        if not load.calm:
            wanted = round(self._connect(load, wanted) * (1.0 - stale))
        gauges |= {"connections": wanted, "cpu": min(100.0, 100.0 * busy + 2.0)}
        load.passages.append(Passage(arrived, arrived - load.alive, {}, gauges))

    def _connect(self, load: Load, wanted: int) -> int:
        """Turn away what the server does not admit; returns the connections that stand."""
        room = self.limit(load.second)
        if wanted > room:
            share = 1.0 - max(0, room) / wanted
            load.end(self.index, "too many connections", round(load.alive * share), load.ms * 0.4 + 3)
        if self._blocked_since is not None:
            gone = 1.0 - math.exp(-(load.second + load.seconds - self._blocked_since) / self.pool_life)
            return max(0, round(min(wanted, room) * (1.0 - gone)))
        return min(wanted, room)

    def _reach(self, load: Load) -> None:
        """Connections that stand go on; new ones are dropped until the caller gives up waiting."""
        caller = self.caller()
        port = PORTS.get(str(self.thing.fixed["engine"]), 5432)
        if caller is None or blocked(self.world, caller, self.thing, port, load.second - 2) is None:
            self._blocked_since = None
            return
        if self._blocked_since is None:
            self._blocked_since = float(load.second)
        gone = 1.0 - math.exp(-(load.second + load.seconds / 2 - self._blocked_since) / self.pool_life)
        load.end(self.index, "connect timeout", round(load.alive * gone), load.ms + self.connect_ms)

    def text(self, reason: str) -> str:
        engine, host = self.thing.fixed["engine"], self.thing.fixed["host"]
        port = PORTS.get(str(engine), 5432)
        if reason == "too many connections":
            if engine == "mysql":
                return "pymysql.err.OperationalError: (1040, 'Too many connections')"
            return (
                f'psycopg2.OperationalError: connection to server at "{host}", port {port} failed: FATAL:  remaining '
                "connection slots are reserved for roles with the SUPERUSER attribute"
            )
        if reason == "login" and engine == "mysql":
            address = (self.caller() or self.thing).fixed.get("address", "10.0.100.12")
            return (
                f"pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'{address}' "
                '(using password: YES)")'
            )
        if reason == "login":
            return (
                f'psycopg2.OperationalError: connection to server at "{host}", port {port} failed: FATAL:  password '
                'authentication failed for user "app"'
            )
        if reason == "disk full":
            return "psycopg2.errors.DiskFull: could not extend file: No space left on device"
        if engine == "mysql":
            return f"pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on '{host}' (timed out)\")"
        return f'psycopg2.OperationalError: connection to server at "{host}", port {port} failed: Connection timed out'


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    engine = str(wish.options.get("engine") or "postgres")
    suffix = domain(world.region)
    group = shop.one(wish, "parameters", "db-parameter-group")
    secret = shop.one(wish, "secret", "secret")
    fixed = {
        "engine": engine,
        "host": f"{name}.c{seed.letters(f'db:{world.account}', 11, 'abcdefghijklmnopqrstuvwxyz0123456789')}."
        f"{world.region}.rds.{suffix}",
        "resource_id": f"db-{seed.letters(f'db:{name}', 26)}",
        "parameters": group.arn if group else "",
        "secret": secret.arn if secret else "",
    }
    thing = shop.add(world.arn("rds", f"db:{name}"), wish, fixed)
    place(shop, thing, guards_of(shop, wish))
    family = "default.postgres16" if engine == "postgres" else "default.mysql8.0"
    world.relate(thing.arn, "set up by", group.arn if group else world.arn("rds", f"pg:{family}"))
    if group is not None:
        group.fixed["engine"] = engine
    return shop.settle(
        thing, wish, {"DBInstanceClass": "db.r6g.large", "AllocatedStorage": 100, "MultiAZ": True}
    )


def _parameters(shop: Workshop, wish: Wish) -> Thing:
    network(shop)
    thing = shop.add(shop.world.arn("rds", f"pg:{wish.name}"), wish, {"engine": "postgres"})
    shop.settle(thing, wish)
    for path in wish.settings:
        thing.settings.set(path, thing.created, _text(shop.world, thing, path, wish.settings[path]))
    return thing


def _text(world: World, thing: Thing, path: str, value: Any) -> Any:
    """Parameters are texts, also those that are numbers (RDS API reference, Parameter)."""
    return value if value is None else str(value)


def _updated(world: World, group: Thing, until: datetime) -> None:
    """RDS-EVENT-0037 of each parameter that was changed (RDS user guide, "DB parameter group events")."""
    method = "immediate" if group.fixed["engine"] == "mysql" else "pending-reboot"
    for path, steps in group.settings.steps.items():
        name = path.removeprefix("Parameters.")
        for since, value in steps.pairs():
            if name == path or value is None or not group.created < since <= until:
                continue
            text = f"Updated parameter {name} to {value} with apply method {method}"
            world.happenings.append(Happening(since, "rds", group.arn, text, "configuration change"))


def _metrics(instance: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/RDS by DBInstanceIdentifier, every minute."""
    held = {"DBInstanceIdentifier": instance.name}
    salt = sum(map(ord, instance.arn))

    def made(name: str, unit: str, emit: Emit) -> Source:
        return source(instance, "AWS/RDS", name, held, unit, emit)

    def steady(value: float, swing: float, number: int) -> Emit:
        return lambda minute: level(value * (1 + swing * (mix(salt, minute, number) % 2001 - 1000) / 1000))

    yield made("DatabaseConnections", "Count", _gauge(flow, instance, "connections", 4.0, salt))
    yield made("CPUUtilization", "Percent", _gauge(flow, instance, "cpu", 3.0, salt))
    yield made("FreeStorageSpace", "Bytes", _free(instance, salt))
    yield made("FreeableMemory", "Bytes", steady(5.1e9, 0.02, 41))
    yield made("ReadLatency", "Seconds", steady(0.0009, 0.2, 43))
    yield made("WriteLatency", "Seconds", steady(0.0021, 0.2, 44))
    yield made("DiskQueueDepth", "Count", steady(0.4, 0.5, 45))
    yield made("ReadIOPS", "Count/Second", _rate(flow, instance, 0.6))
    yield made("WriteIOPS", "Count/Second", _rate(flow, instance, 1.4))


def _gauge(flow: Flow | None, instance: Thing, name: str, otherwise: float, salt: int) -> Emit:
    if flow is None:
        return lambda minute: level(otherwise + mix(salt, minute, 47) % 3)
    index = flow.stage(instance.arn)

    def emit(minute: int) -> Sample | None:
        seen = [one.passages[index].gauges.get(name, otherwise) for one in flow.minute(minute).slices]
        mean = sum(seen) / len(seen)
        return Sample(1, mean, min(seen), max(seen), mean, max(seen), max(seen))

    return emit


def _rate(flow: Flow | None, instance: Thing, each: float) -> Emit:
    if flow is None:
        return lambda minute: level(1.0)
    index = flow.stage(instance.arn)
    return lambda minute: level(flow.minute(minute).passages[index].served * each / 60.0)


def _free(instance: Thing, salt: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        total = 1e9 * float(setting(instance, "AllocatedStorage", minute * 60) or 100)
        free = setting(instance, "_free_gb", minute * 60)
        if setting(instance, "_full", minute * 60):
            free = 0.0
        return level(
            total * 0.46 - mix(salt, minute // 60, 42) % 10_000_000 if free is None else 1e9 * float(free)
        )

    return emit


def _logs(shop: Workshop, instance: Thing, flow: Flow) -> Iterator[LogGroup]:
    if not instance.fixed.get("exports", True):
        return
    kind = "error" if instance.fixed["engine"] == "mysql" else "postgresql"
    held = shop.log_group(instance, f"/aws/rds/instance/{instance.name}/{kind}", flow)
    yield LogGroup(**held, voice=DatabaseVoice(instance=instance, flow=flow, stage=held["stage"]))


KINDS = (
    Kind(
        name="db-instance",
        options={
            "engine": "postgres or mysql",
            "guarded_by": "ids of security groups",
            "parameters": "id of its parameter group",
            "secret": "id of the secret that holds its password",
        },
        settings={
            "DBInstanceClass": "db.r6g.large",
            "AllocatedStorage": "GB",
            "MultiAZ": "true or false",
            "BackupRetentionPeriod": "days",
            "_rebooted": "nature: epoch second of the last reboot",
            "_slower_ms": "nature: how much longer queries take",
            "_leaked": "nature: connections that nobody gives back",
            "_full": "nature: true when the disk is full",
            "_free_gb": "nature: free storage",
        },
        innocent=(("BackupRetentionPeriod", 14),),
        make=_make,
        stage=DatabaseStage,
        metrics=_metrics,
        logs=_logs,
        change=change_instance,
        tag=tag,
    ),
    Kind(
        name="db-parameter-group",
        settings={"Parameters.": "a parameter by its name: Parameters.max_connections"},
        make=_parameters,
        kept=_text,
        change=change_parameters,
        tag=tag,
        after=_updated,
    ),
)
