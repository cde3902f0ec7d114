"""Metrics of EC2 instances, and of the CloudWatch agent on them.

EC2 user guide, "CloudWatch metrics that are available for your instances": basic monitoring publishes every 5 minutes,
detailed every minute; status checks every minute; CPU credits every 5 minutes; nothing while an instance is stopped.
MetadataNoTokenRejected appears only when a call without a token was refused. CloudWatch agent guide: without an agent
there is no memory and no disk metric; metrics of StatsD carry the dimension metric_type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from evals.world.flow import Flow, Minute
from evals.world.hosts import Host
from evals.world.instance_stage import InstanceStage
from evals.world.kinds import ebs
from evals.world.metrics import Emit, source, took
from evals.world.seed import mix
from evals.world.telemetry import Sample, Source, counted, level
from evals.world.world import Thing

Value = Callable[[int], float | None]


def of_instance(thing: Thing, flow: Flow | None, read: Rows | None = None) -> Iterable[Source]:
    """All metrics of one instance. `read`: where its minutes come from, when it is no stage of a flow itself."""
    host = Host(thing)
    read = read or Rows(host, flow)
    yield from _own(host, read)
    yield from ebs.sources(thing.fixed["root"], read)
    if thing.fixed["ships_logs"]:
        yield from _agent(host, read)


class Rows:
    """What one minute of an instance was; without a flow it does next to nothing."""

    def __init__(self, host: Host, flow: Flow | None) -> None:
        self.host = host
        self.flow = flow
        self.index = flow.stage(host.thing.arn) if flow else 0
        self.salt = int(host.thing.fixed["salt"])

    @property
    def stage(self) -> InstanceStage | None:
        found = self.flow.stages[self.index] if self.flow else None
        return found if isinstance(found, InstanceStage) else None

    def running(self, minute: int) -> bool:
        return self.host.running(minute * 60 + 30)

    def gauge(self, minute: int, name: str, idle: float) -> float:
        if self.flow is None:
            return idle
        rows = self.flow.minute(minute).slices
        return sum(one.passages[self.index].gauges.get(name, idle) for one in rows) / len(rows)

    def row(self, minute: int) -> Minute | None:
        return self.flow.minute(minute) if self.flow else None

    def noise(self, minute: int, salt: int) -> float:
        """From -1 to 1."""
        return (mix(self.salt, minute, salt) % 2001 - 1000) / 1000


def _own(host: Host, read: Rows) -> Iterator[Source]:
    thing, held = host.thing, {"InstanceId": str(host.thing.fixed["id"])}

    def cpu(minute: int) -> float:
        idle = 100 * (0.02 + host.cron(minute * 60))
        return min(100.0, max(0.3, read.gauge(minute, "cpu", idle) * (1 + 0.06 * read.noise(minute, 3))))

    def came(minute: int) -> float:
        row = read.row(minute)
        return 40_000 * (1 + 0.2 * read.noise(minute, 5)) + 1300 * (row.seen(read.index) if row else 0)

    def left(minute: int) -> float:
        row = read.row(minute)
        return 60_000 * (1 + 0.2 * read.noise(minute, 7)) + 3600 * (row.alive if row else 0)

    def made(name: str, unit: str, value: Value, every: int = 0) -> Source:
        step = every or (1 if "enabled" in thing.settings.steps["Monitoring.State"].values else 5)
        return source(thing, "AWS/EC2", name, held, unit, _gathered(read, value, step), every=step)

    yield made("CPUUtilization", "Percent", cpu)
    yield made("NetworkIn", "Bytes", came)
    yield made("NetworkOut", "Bytes", left)
    for name, words in (
        ("StatusCheckFailed", ("instance", "system")),
        ("StatusCheckFailed_Instance", ("instance",)),
        ("StatusCheckFailed_System", ("system",)),
    ):
        yield made(name, "Count", _failing(host, words), 1)
    if host.size(thing.created.timestamp()).earns:
        full = 0.9 * host.size(thing.created.timestamp()).most_credits
        yield made("CPUCreditBalance", "Count", lambda minute: read.gauge(minute, "credits", full), 5)
        yield made(
            "CPUCreditUsage", "Count", lambda minute: cpu(minute) / 100 * host.size(minute * 60).vcpus * 5, 5
        )
    yield from _tokens(host, held, read)


def _failing(host: Host, words: tuple[str, ...]) -> Value:
    return lambda minute: 1.0 if host.at("_status_failed", minute * 60 + 30) in words else 0.0


def _gathered(read: Rows, value: Value, every: int) -> Emit:
    """One emission of `every` minutes: a value for each minute in which the instance runs."""

    def emit(minute: int) -> Sample | None:
        found = [value(one) for one in range(minute, minute + every) if read.running(one)]
        seen = [one for one in found if one is not None]
        if not seen:
            return None
        mean = sum(seen) / len(seen)
        return Sample(len(seen), sum(seen), min(seen), max(seen), mean, max(seen), max(seen))

    return emit


def _tokens(host: Host, held: dict[str, str], read: Rows) -> Iterator[Source]:
    """Calls of the metadata service without a token, as old SDKs make them."""
    old = bool(host.thing.fixed["old_sdk"])

    def refused(minute: int) -> bool:
        return bool(host.at("MetadataOptions.HttpTokens", minute * 60) == "required")

    def asked(minute: int) -> Sample | None:
        many = 2 + mix(read.salt, minute, 9) % 3 if old and not refused(minute) else 0
        return counted(many, 5) if read.running(minute) else None

    def rejected(minute: int) -> Sample | None:
        if not old or not refused(minute) or not read.running(minute):
            return None
        return counted(6 + mix(read.salt, minute, 9) % 9, 5)

    thing = host.thing
    yield source(thing, "AWS/EC2", "MetadataNoToken", held, "Count", asked, every=5)
    steps = thing.settings.steps["MetadataOptions.HttpTokens"].since
    first = int(steps[1].timestamp()) // 60 if old and len(steps) > 1 else 2**40
    yield source(thing, "AWS/EC2", "MetadataNoTokenRejected", held, "Count", rejected, sparse=first, every=5)


def _agent(host: Host, read: Rows) -> Iterator[Source]:
    thing, held = host.thing, {"InstanceId": str(host.thing.fixed["id"])}
    place = {"path": "/", "device": "nvme0n1p1", "fstype": "xfs"}

    def standing(name: str, idle: float, wide: float) -> Emit:
        def emit(minute: int) -> Sample | None:
            value = read.gauge(minute, name, idle) * (1 + wide * read.noise(minute, 11))
            return level(min(100.0, value)) if read.running(minute) else None

        return emit

    def disk(minute: int) -> Sample | None:
        return level(round(100 * host.disk(minute * 60 + 30), 3)) if read.running(minute) else None

    yield source(thing, "CWAgent", "mem_used_percent", held, "Percent", standing("memory", 31.0, 0.004))
    yield source(thing, "CWAgent", "disk_used_percent", held | place, "Percent", disk)
    flow = read.flow
    if flow is None:
        return
    runs = thing.fixed["runs"]
    if "mysql" in runs:
        # A count, and the server admits no more than max_connections and one administrator.
        def open_(minute: int) -> Sample | None:
            most = int(host.at("config.mysql.max_connections", minute * 60)) + 1
            value = round(read.gauge(minute, "connections", 8.0) * (1 + 0.03 * read.noise(minute, 11)))
            return level(float(min(most, value))) if read.running(minute) else None

        kind = held | {"metric_type": "gauge"}
        yield source(thing, "CWAgent", "mysql_threads_connected", kind, "None", open_)
    if runs == ["mysql"]:
        return
    kind = held | {"metric_type": "counter"}

    def total(value: Callable[[Minute], float]) -> Emit:
        def emit(minute: int) -> Sample | None:
            return counted(value(flow.minute(minute))) if read.running(minute) else None

        return emit

    yield source(thing, "CWAgent", "http_requests", kind, "None", total(lambda row: row.seen(read.index)))
    yield source(thing, "CWAgent", "http_5xx", kind, "None", total(lambda row: failed(row, read.index)))
    timing = held | {"metric_type": "timing"}
    yield source(thing, "CWAgent", "http_request_ms", timing, "None", took(flow, read.index, 23))


def failed(row: Minute, index: int) -> int:
    """Requests that the first program here answered with a 5xx."""
    return sum(
        one.many
        for one in row.endings
        if one.stage >= index
        and not (one.stage == index and one.unseen)
        and one.status >= 500
        and one.reason != "own"
    )


def launched(host: Host, moment: datetime) -> datetime:
    """When an instance was last started."""
    starts = [one for one in host.steps("State.Name") if one <= moment.timestamp()]
    started = [one for one in starts if host.at("State.Name", one) == "running"]
    return datetime.fromtimestamp(max(started, default=host.thing.created.timestamp()), UTC)
