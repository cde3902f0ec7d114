"""Kinesis data streams.

Physics, from the developer guide: a shard takes 1,000 records and 1 MiB a second; what is more is refused and tried
again by the producer; a partition key belongs to one shard; a new number of shards takes a while and spreads the keys
evenly; on-demand streams have no limit that a case can reach. WriteProvisionedThroughputExceeded is sent with every
attempt, zeros too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from evals.world import readers
from evals.world.deeds_kinesis import change, create, tag
from evals.world.flow import Flow, Load, Minute
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.dynamodb import gate
from evals.world.metrics import Emit, count, source, spread
from evals.world.seed import mix
from evals.world.stage import Stage, setting
from evals.world.telemetry import Sample, Source, counted
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

FULL, HOT = "shard full", "shard of the key full"
_RECORDS, _BYTES = 1000, 1_048_576
_LEVEL = ("IncomingBytes", "IncomingRecords", "WriteProvisionedThroughputExceeded", "IteratorAgeMilliseconds")


def shards(stream: Thing, second: float) -> int:
    """How many open shards a stream has, resharding done."""
    return int(setting(stream, "OpenShardCount", second - stream.fixed["lag"]))


def first_shard(stream: Thing, second: float) -> int:
    """The number of the first open shard: each new number of shards makes shards with new numbers."""
    seen, first = 0, 0
    for since, value in stream.settings.steps["OpenShardCount"].pairs():
        if since.timestamp() > second - stream.fixed["lag"]:
            break
        if seen and value != seen:
            first += seen
        seen = int(value)
    return first


def shard_id(number: int) -> str:
    return f"shardId-{number:012d}"


class StreamStage(Stage):
    """One record per request, of `record_bytes`."""

    reasons = (FULL, HOT)
    physical = ("OpenShardCount", "StreamModeDetails.")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.bytes = int(self.uses.get("record_bytes", 900))

    def moments(self) -> Iterator[float]:
        yield from (second + self.thing.fixed["lag"] for second in super().moments())
        yield from super().moments()

    @property
    def per_shard(self) -> int:
        """Records that a shard takes in a second."""
        return max(1, min(_RECORDS, _BYTES // self.bytes))

    def _limited(self, second: float) -> bool:
        return bool(self.at("StreamModeDetails.StreamMode", second) != "ON_DEMAND")

    def hot_shard(self, second: float) -> int:
        """The place of the hot key's shard among the open ones."""
        key = self.flow.hot_key.name if self.flow.hot_key else ""
        return mix(*map(ord, key), 77) % shards(self.thing, second)

    def tight(self, second: int, wanted: int) -> bool:
        if not self._limited(second):
            return False
        fewest = min(shards(self.thing, second), shards(self.thing, second + 59))
        hot = self.flow.hot_key.at(second + 59) if self.flow.hot_key else 0.0
        busiest = wanted * (hot + (1 - hot) / fewest)
        return busiest > 42 * self.per_shard

    def enter(self, load: Load) -> None:
        arrived = load.alive
        refused: dict[str, int] = {}
        if not load.calm and self._limited(load.second):
            open_now = shards(self.thing, load.second)
            hot = min(load.hot, load.alive)
            even = load.alive - hot
            share = even // open_now
            if hot:  # its shard takes its part of the other keys too
                self._refuse(load, refused, hot + share, 1, HOT)
                self._refuse(load, refused, even - share, open_now - 1, FULL)
            else:
                self._refuse(load, refused, even, open_now, FULL)
        self.close(load, arrived, refused)

    def _refuse(self, load: Load, refused: dict[str, int], wanted: int, many: int, reason: str) -> None:
        if not many or not wanted:
            return
        attempts = self.flow.attempts
        let = gate(wanted, 1, self.per_shard * many, 0, attempts, load.seconds)
        if let.throttles:
            refused[reason] = refused.get(reason, 0) + let.throttles
            load.waits += let.throttles - let.failures * attempts
            slow = load.ms + attempts * self.flow.retry_ms
            hot = let.failures if reason == HOT else 0
            load.end(self.index, reason, let.failures, slow, hot=min(hot, load.hot))

    def text(self, reason: str) -> str:
        second = self.world.start.timestamp()
        number = first_shard(self.thing, second) + (self.hot_shard(second) if reason == HOT else 0)
        return (
            "An error occurred (ProvisionedThroughputExceededException) when calling the PutRecord operation "
            f"(reached max retries: {self.flow.attempts - 1}): Rate exceeded for shard {shard_id(number)} in stream "
            f"{self.thing.name} under account {self.world.account}."
        )


def _make(shop: Workshop, wish: Wish) -> Thing:
    seed = shop.world.seed
    fixed = {
        "lag": seed.integer(f"lag:{wish.name}", 28, 75),
        "named_by": seed.pick(f"named:{wish.name}", ("name", "arn")),
    }
    thing = shop.add(shop.world.arn("kinesis", f"stream/{wish.name}"), wish, fixed)
    usual = {"OpenShardCount": 2, "StreamModeDetails.StreamMode": "PROVISIONED", "RetentionPeriodHours": 24}
    return shop.settle(thing, wish, usual)


def _called(shop: Workshop, caller: Thing, stream: Thing) -> None:
    """What a program gets that writes into a stream."""
    if caller.kind == "function":
        caller.settings.set("Environment.STREAM_NAME", caller.created, stream.name)
        caller.fixed["names"]["STREAM_NAME"] = stream.name
    shop.allow(
        caller,
        caller.fixed.get("policy") or "stream-access",
        ["kinesis:PutRecord", "kinesis:PutRecords"],
        stream,
    )
    caller.fixed["needs"].append(("kinesis:PutRecord", stream.arn))
    for kind in ("writes", "uses", "sends to"):
        shop.world.relate(caller.arn, kind, stream.arn)


def _link(shop: Workshop, stream: Thing, function: Thing) -> None:
    made = readers.mapping(shop, stream, function)
    key = next((one for one, thing in shop.made.items() if thing is stream), stream.name)
    shop.made[f"{key}_mapping"] = made


def _metrics(stream: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/Kinesis by StreamName, and by shard where enhanced monitoring is on."""
    if flow is None:
        return
    index = flow.stage(stream.arn)
    stage = flow.stages[index]
    assert isinstance(stage, StreamStage)
    held = {"StreamName": stream.name}

    def served(row: Minute) -> int:
        return row.passages[index].served

    def throttled(row: Minute) -> int:
        return sum(row.passages[index].refused.values())

    def tried(row: Minute) -> int:
        return served(row) + throttled(row)

    def made(name: str, unit: str, emit: Emit) -> Source:
        return source(stream, "AWS/Kinesis", name, held, unit, emit)

    def nothing(row: Minute) -> int:
        return 0

    yield made("IncomingRecords", "Count", count(flow, served, of=served))
    yield made("IncomingBytes", "Bytes", _bytes(flow, stage, served))
    yield made("PutRecord.Success", "Count", count(flow, served, of=tried))
    yield made("PutRecord.Latency", "Milliseconds", _latency(flow, served))
    yield made("WriteProvisionedThroughputExceeded", "Count", count(flow, throttled, of=tried))
    if "mapping" in {
        one.kind for one in stage.world.things.values() if one.fixed.get("origin") == stream.arn
    }:
        yield made("ReadProvisionedThroughputExceeded", "Count", count(flow, nothing, of=served))
        yield made("GetRecords.Records", "Count", count(flow, served, of=served))
        yield made("GetRecords.IteratorAgeMilliseconds", "Milliseconds", _age(flow, served))
    if stream.at("EnhancedMonitoring", stage.world.start):
        yield from _by_shard(stream, flow, stage)


def _bytes(flow: Flow, stage: StreamStage, served: Callable[[Minute], int]) -> Emit:
    def emit(minute: int) -> Sample | None:
        many, size = served(flow.minute(minute)), float(stage.bytes)
        return (
            Sample(many, many * size, size * 0.7, size * 1.4, size, size * 1.2, size * 1.3) if many else None
        )

    return emit


def _latency(flow: Flow, served: Callable[[Minute], int]) -> Emit:
    def emit(minute: int) -> Sample | None:
        noise = mix(flow.demand.salt, minute, 43)
        many = served(flow.minute(minute))
        return spread(11 + noise % 300 / 100, many, noise) if many else None

    return emit


def _age(flow: Flow, served: Callable[[Minute], int]) -> Emit:
    def emit(minute: int) -> Sample | None:
        if not served(flow.minute(minute)):
            return None
        late = float(mix(flow.demand.salt, minute, 44) % 900)
        return Sample(60, late * 6, 0.0, late, 0.0, late * 0.4, late)

    return emit


def _by_shard(stream: Thing, flow: Flow, stage: StreamStage) -> Iterator[Source]:
    """The same by shard; only those that are open send."""
    last = first_shard(stream, 2**40) + int(stream.at("OpenShardCount", stage.world.start))
    for number in range(last):
        held = {"StreamName": stream.name, "ShardId": shard_id(number)}
        for name, taken in (("IncomingRecords", True), ("WriteProvisionedThroughputExceeded", False)):
            emit = _of_shard(flow, stage, number, taken)
            yield source(stream, "AWS/Kinesis", name, held, "Count", emit)
        emit = _bytes_of(_of_shard(flow, stage, number, True), stage.bytes)
        yield source(stream, "AWS/Kinesis", "IncomingBytes", held, "Bytes", emit)


def _of_shard(flow: Flow, stage: StreamStage, number: int, taken: bool) -> Emit:
    def emit(minute: int) -> Sample | None:
        second = minute * 60
        open_now, place = shards(stage.thing, second), number - first_shard(stage.thing, second)
        if not 0 <= place < open_now:
            return None
        passage, row = flow.minute(minute).passages[stage.index], flow.minute(minute)
        here = place == stage.hot_shard(second)
        refused = passage.refused.get(HOT, 0) if here else 0
        cold = open_now - 1 if passage.refused.get(HOT) else open_now
        refused += passage.refused.get(FULL, 0) // max(1, cold) if not (here and cold < open_now) else 0
        lost = sum(one.many for one in row.endings if one.stage == stage.index and one.reason == FULL)
        even = max(0, passage.arrived - row.hot) // open_now - lost // max(1, cold)
        even = max(0, min(even, passage.served // open_now))  # what a shard without the hot key takes
        share = passage.served - even * (open_now - 1) if here else even
        return counted(float(share if taken else refused), max(1, share + refused))

    return emit


def _bytes_of(records: Emit, size: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        found = records(minute)
        if found is None or not found.total:
            return None
        return Sample(found.total, found.total * size, size * 0.7, size * 1.4, size, size * 1.2, size * 1.3)

    return emit


KINDS = (
    Kind(
        name="stream",
        settings={
            "OpenShardCount": "shards; at most halved or doubled by one call",
            "StreamModeDetails.StreamMode": "PROVISIONED or ON_DEMAND",
            "RetentionPeriodHours": "hours",
            "EnhancedMonitoring": "list of shard-level metrics that are on: " + ", ".join(_LEVEL),
        },
        innocent=(("RetentionPeriodHours", 48),),
        make=_make,
        link=_link,
        stage=StreamStage,
        metrics=_metrics,
        change=change,
        create=create,
        tag=tag,
        called=_called,
    ),
)
