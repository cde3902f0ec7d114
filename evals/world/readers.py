"""Event source mappings of streams: Lambda polls each shard and runs a function with a batch of records.

Physics, from the Lambda developer guide: each shard of a Kinesis stream is polled once a second, of a DynamoDB stream
four times a second; one run takes up to `BatchSize` records of one shard. What writes into the source is another flow
of the same world, whose rows give the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evals.world.metrics import source as metric
from evals.world.seed import mix
from evals.world.stage import Stage, setting
from evals.world.telemetry import Sample, Source
from evals.world.traffic import Demand
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.world.flow import Flow, Load
    from evals.world.kinds._kind import Wish
    from evals.world.workshop import Workshop
    from evals.world.world import Thing, World

_ACTIONS = {
    "stream": (
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:DescribeStreamSummary",
        "kinesis:ListShards",
    ),
    "table": (
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:DescribeStream",
        "dynamodb:ListStreams",
    ),
}
_POLLS = {"stream": 1, "table": 4}


@dataclass(frozen=True)
class Batches(Demand):
    """The runs that the records of a source make. `reader` knows where they come from."""

    reader: ReaderStage | None = None

    def expected(self, second: float) -> float:
        assert self.reader is not None
        return self.reader.expected(second)

    def minute(self, minute: int) -> int:
        assert self.reader is not None
        return self.reader.batches(minute)

    def seconds(self, minute: int) -> list[int]:
        base, rest = divmod(self.minute(minute), 60)
        return [base + ((second + 1) * rest // 60 - second * rest // 60) for second in range(60)]


class ReaderStage(Stage):
    """A mapping that reads a stream; the first stage of its flow."""

    reasons = ("not read",)
    physical = ("Enabled",)

    @property
    def origin(self) -> Thing:
        return self.world.things[self.thing.fixed["origin"]]

    def join(self, flow: Flow) -> None:
        super().join(flow)
        if flow.demand.rate:
            raise BadInput(
                f"traffic {flow.name}: per_second must be 0, for the records that are read set the pace."
            )
        flow.demand = Batches(0, flow.demand.anchor, flow.demand.salt, reader=self)

    def moments(self) -> Iterator[float]:
        yield from super().moments()
        for path, steps in self.origin.settings.steps.items():
            if path.startswith(("StreamSpecification.", "OpenShardCount")):
                yield from (since.timestamp() for since in steps.since if since > self.origin.created)

    def _written(self) -> tuple[Flow, int] | None:
        """The flow that writes into the source, and the stage there."""
        for flow in self.world.flows.values():
            for stage in flow.stages:
                if stage.thing is self.origin:
                    return flow, stage.index
        return None

    def _polls(self, second: float) -> int:
        shards = setting(self.origin, "OpenShardCount", second) or self.origin.fixed.get("partitions", 2)
        return int(shards) * _POLLS[self.origin.kind]

    def batches(self, minute: int) -> int:
        """Runs in a minute, were the source read."""
        found = self._written()
        records = found[0].minute(minute).passages[found[1]].served if found else 0
        size = int(setting(self.thing, "BatchSize", minute * 60) or 100)
        return max(-(-records // size), min(records, 60 * self._polls(minute * 60)))

    def expected(self, second: float) -> float:
        found = self._written()
        return min(found[0].demand.expected(second), float(self._polls(second))) if found else 0.0

    def reads(self, second: float) -> bool:
        """Whether the mapping is on, and the stream is still the one that it was made for."""
        if not setting(self.thing, "Enabled", second - 20):
            return False
        if self.origin.kind == "stream":
            return True
        return label(self.origin, second) == str(self.thing.fixed["label"])

    def tight(self, second: int, wanted: int) -> bool:
        return self.reads(second) != self.reads(second + 59)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if not load.calm and not self.reads(load.second):
            load.end(self.index, "not read", arrived, 0, unseen=True)
        self.close(load, arrived)


def label(table: Thing, second: float) -> str | None:
    """The label of a table's stream: when it was switched on; None while it is off (API reference, "StreamLabel")."""
    steps = table.settings.steps.get("StreamSpecification.StreamEnabled")
    found: str | None = None
    on = False
    for since, value in steps.pairs() if steps else ():
        if since.timestamp() > second:
            break
        if value and not on:
            found = since.strftime("%Y-%m-%dT%H:%M:%S.") + f"{mix(int(since.timestamp())) % 1000:03d}"
        on = bool(value)
    return found if on else None


def stream_arn(table: Thing, second: float) -> str | None:
    """The ARN of the stream that a table has or had last."""
    steps = table.settings.steps.get("StreamSpecification.StreamEnabled")
    marks = [
        second,
        *(since.timestamp() - 1 for since in (steps.since if steps else ()) if since.timestamp() <= second),
    ]
    found = next((one for one in (label(table, mark) for mark in sorted(marks, reverse=True)) if one), None)
    return f"{table.arn}/stream/{found}" if found else None


def mapping(shop: Workshop, origin: Thing, function: Thing, wish: Wish | None = None) -> Thing:
    """An event source mapping of a stream or a table's stream."""
    world = shop.world
    if origin.kind == "table" and label(origin, origin.created.timestamp()) is None:
        raise BadInput(f"{origin.name} needs the setting StreamSpecification.StreamEnabled: true to be read.")
    read = origin.arn if origin.kind == "stream" else stream_arn(origin, origin.created.timestamp())
    code = world.seed.uuid(f"mapping:{origin.name}:{function.name}")
    arn = world.arn("lambda", f"event-source-mapping:{code}")
    shop.allow(function, "stream-reader", list(_ACTIONS[origin.kind]), origin, str(read))
    for kind, source, target in (
        ("triggers", origin.arn, function.arn),
        ("read by", origin.arn, arn),
        ("feeds", arn, function.arn),
    ):
        world.relate(source, kind, target)
    fixed = {
        "source": read,
        "origin": origin.arn,
        "function": function.arn,
        "label": label(origin, origin.created.timestamp()) if origin.kind == "table" else "",
    }
    thing = shop.part(arn, "mapping", code, origin.created, fixed)
    return shop.set(thing, **({"Enabled": True, "BatchSize": 100} | dict(wish.settings if wish else {})))


def metrics(thing: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/Lambda IteratorAge of the function: how old the last record of a batch was when it was read."""
    if flow is None or not isinstance(flow.stages[0], ReaderStage) or len(flow.stages) < 2:
        return
    reader, function = flow.stages[0], flow.stages[1].thing

    def emit(minute: int) -> Sample | None:
        runs = flow.minute(minute).passages[0].served
        if not runs:
            return None
        mean = 180.0 + mix(flow.demand.salt, minute, 41) % 400
        return Sample(runs, mean * runs, 20.0, mean * 2.6, mean * 0.9, mean * 1.7, mean * 2.4)

    yield metric(function, "AWS/Lambda", "IteratorAge", {"FunctionName": function.name}, "Milliseconds", emit)
    assert reader.thing is thing


def stage(world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> Stage:
    """The stage of a mapping: a reader, or nothing where the queue before it already reads."""
    return ReaderStage(world, thing, uses) if "origin" in thing.fixed else Stage(world, thing, uses)
