"""DynamoDB tables.

Physics, from the developer guide: unused capacity of up to 300 seconds may be used first ("Burst and adaptive
capacity"); a partition serves at most 1,000 write units per second; a request is refused as a whole; in on-demand mode
a table has no limit below the account's unless maxima are set. The replicas of a global table keep billing mode,
maximum of writes and time to live in common, whichever of them a call named; the call's event is in that replica's
region ("Global tables: settings"). Replicated writes themselves are not modelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evals.world import metrics
from evals.world.deeds_dynamodb import change, create, tag
from evals.world.flow import Flow, Load, Minute
from evals.world.kinds._kind import Kind, Wish
from evals.world.metrics import Emit, count, source, sparse, spread
from evals.world.seed import mix
from evals.world.stage import Stage
from evals.world.telemetry import Sample, Source
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

BURST_SECONDS = 300
MAX_REASON = "TableWriteMaxOnDemandThroughputExceeded"
KEY_REASON = "TableWriteKeyRangeThroughputExceeded"
PROVISIONED_REASON = "TableWriteProvisionedThroughputExceeded"
_METRIC = {
    MAX_REASON: "WriteMaxOnDemandThroughputThrottleEvents",
    KEY_REASON: "WriteKeyRangeThroughputThrottleEvents",
    PROVISIONED_REASON: "WriteProvisionedThroughputThrottleEvents",
}
_TEXTS = {
    MAX_REASON: "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
    KEY_REASON: (
        "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your "
        "table or index so please try again shortly. If exceptions persist, check if you have a hot key: "
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
    ),
    PROVISIONED_REASON: (
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API."
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one gate let through in one slice."""

    successes: int
    failures: int
    throttles: int
    bucket: int


def gate(wanted: int, units: int, cap: int, bucket: int, attempts: int, seconds: int = 1) -> Refusal:
    """`wanted` requests of `units` meet a cap (units per second) with a burst bucket; each is tried `attempts` times.

    The chance p that one attempt is refused solves wanted * (1 - p^attempts) = successes; the attempts made are
    successes / (1 - p). A request that fails was refused `attempts` times, so throttles are never fewer than that.
    """
    available = min(bucket, BURST_SECONDS * cap) + cap * seconds
    successes = min(wanted, available // units)
    failures = wanted - successes
    throttles = 0
    if failures:
        chance = (failures / wanted) ** (1 / attempts)
        retried = successes * chance / (1 - chance) if successes else failures * attempts
        throttles = max(failures * attempts, round(retried))
    return Refusal(successes, failures, throttles, min(available - successes * units, BURST_SECONDS * cap))


class TableStage(Stage):
    """Writes of `units` per request, reads of `read_units`."""

    reasons = (KEY_REASON, MAX_REASON, PROVISIONED_REASON)
    physical = ("OnDemandThroughput", "ProvisionedThroughput", "BillingMode")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.units = int(self.uses.get("units", 1))
        self.read_units = float(self.uses.get("read_units", 0.5))
        self.lag = int(thing.fixed["lag"])
        self._bucket = self._key_bucket = 0

    def limit(self, second: float) -> tuple[int | None, str]:
        """Write units per second that are enforced, and the reason of refusals."""
        second -= self.lag
        if self.at("BillingMode", second) == "PROVISIONED":
            return int(self.at("ProvisionedThroughput.WriteCapacityUnits", second) or 0), PROVISIONED_REASON
        cap = self.at("OnDemandThroughput.MaxWriteRequestUnits", second)
        return (None if cap is None or cap < 0 else int(cap)), MAX_REASON

    def moments(self) -> Iterator[float]:
        yield from (second + self.lag for second in super().moments())
        yield from super().moments()

    def begin(self, second: int) -> None:
        self._bucket = BURST_SECONDS * (self.limit(second)[0] or 0)
        self._key_bucket = BURST_SECONDS * (self.flow.hot_key.limit if self.flow.hot_key else 0)

    def tight(self, second: int, wanted: int) -> bool:
        if not self.units:
            return False
        hot = self.flow.hot_key
        if hot and wanted * hot.at(second + 59) * self.units > 30 * hot.limit:
            return True
        caps = [cap for cap in (self.limit(second)[0], self.limit(second + 59)[0]) if cap is not None]
        return any(wanted * self.units > 42 * cap or self._bucket < BURST_SECONDS * cap for cap in caps)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        refused: dict[str, int] = {}
        if not load.calm and self.units:
            self._hot(load, refused)
            self._whole(load, refused)
        self.close(load, arrived, refused)

    def _hot(self, load: Load, refused: dict[str, int]) -> None:
        key = self.flow.hot_key
        if key is None:
            return
        hot = min(load.hot, load.alive)
        let = gate(hot, self.units, key.limit, self._key_bucket, self.flow.attempts, load.seconds)
        self._key_bucket = let.bucket
        self._refuse(load, refused, let, KEY_REASON, hot=True)

    def _whole(self, load: Load, refused: dict[str, int]) -> None:
        cap, reason = self.limit(load.second)
        if cap is None:
            return
        let = gate(load.alive, self.units, cap, self._bucket, self.flow.attempts, load.seconds)
        self._bucket = let.bucket
        self._refuse(load, refused, let, reason, hot=False)

    def _refuse(self, load: Load, refused: dict[str, int], let: Refusal, reason: str, *, hot: bool) -> None:
        attempts = self.flow.attempts
        if let.throttles:
            refused[reason] = refused.get(reason, 0) + let.throttles
            load.waits += let.throttles - let.failures * attempts
            slow = load.ms + attempts * self.flow.retry_ms
            load.end(self.index, reason, let.failures, slow, hot=let.failures if hot else 0)

    def text(self, reason: str) -> str:
        return (
            f"An error occurred ({self.error_code(reason)}) when calling the PutItem operation "
            f"(reached max retries: {self.flow.attempts - 1}): {_TEXTS[reason]}"
        )

    def details(self, reason: str) -> str:
        """The throttling reasons that the exception carries."""
        return f'[{{"reason": "{reason}", "resource": "{self.thing.arn}"}}]'

    def error_code(self, reason: str) -> str:
        return (
            "ProvisionedThroughputExceededException"
            if reason == PROVISIONED_REASON
            else "ThrottlingException"
        )


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    fixed = {
        "id": seed.uuid(f"table:{name}"),
        "lag": seed.integer(f"lag:{name}", 5, 40),
        "named_by": seed.pick(f"named:{name}", ("name", "arn")),
        "listed_by": seed.pick("listed", ("arn", "name")),
    }
    thing = shop.add(world.arn("dynamodb", f"table/{name}"), wish, fixed)
    usual = {"BillingMode": "PAY_PER_REQUEST"}
    if wish.settings.get("StreamSpecification.StreamEnabled"):
        usual["StreamSpecification.StreamViewType"] = "NEW_AND_OLD_IMAGES"
    return shop.settle(thing, wish, usual)


_REPLICATED = ("BillingMode", "OnDemandThroughput.MaxWriteRequestUnits", "TimeToLive")


def _replica(shop: Workshop, wish: Wish) -> Thing:
    """The same table in another region: its name and what all replicas have in common are the first one's."""
    first = shop.one(wish, "of", "table")
    if first is None or first.region == shop.world.region:
        raise BadInput(f"resources.{wish.id} must name a table (with.of) and another region.")
    held = {path: first.at(path, first.created) for path in _REPLICATED}
    common = {path: value for path, value in held.items() if value is not None}
    named = replace(wish, kind="table", name=first.name, settings={**common, **wish.settings})
    thing = _make(shop, named)
    group = [first.arn, *first.fixed.get("replicas", ()), thing.arn]
    for arn in group:
        one = shop.world.things[arn]
        one.fixed |= {"replicas": [other for other in group if other != arn], "replicated": _REPLICATED}
        for other in one.fixed["replicas"]:
            shop.world.relate(arn, "replicates to", other)
    return thing


def _metrics(table: Thing, flow: Flow | None) -> Iterable[Source]:
    if flow is not None:
        yield from _of_flow(table, flow)
    yield from _limits(table)


def _of_flow(table: Thing, flow: Flow) -> list[Source]:
    """Throttle metrics exist only while something is refused."""
    held = {"TableName": table.name}
    put, get = held | {"Operation": "PutItem"}, held | {"Operation": "GetItem"}
    index, salt = flow.stage(table.arn), flow.demand.salt
    stage = flow.stages[index]
    assert isinstance(stage, TableStage)
    units, read_units = stage.units, stage.read_units

    def refused(name: str, dimensions: dict[str, str], reasons: tuple[str, ...]) -> Source:
        emit = count(flow, lambda row: sum(row.passages[index].refused.get(one, 0) for one in reasons))
        return source(table, "AWS/DynamoDB", name, dimensions, "Count", emit, sparse=sparse(flow))

    def stored(row: Minute) -> int:
        return row.passages[index].served if units else 0

    def asked(row: Minute) -> int:
        return row.passages[index].arrived if read_units else 0

    every = tuple(_METRIC)
    return [
        refused("WriteThrottleEvents", held, every),
        *(refused(name, held, (reason,)) for reason, name in _METRIC.items()),
        refused("ThrottledRequests", put, every),
        source(
            table, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", held, "Count", _used(flow, units, stored)
        ),
        source(
            table, "AWS/DynamoDB", "ConsumedReadCapacityUnits", held, "Count", _used(flow, read_units, asked)
        ),
        source(
            table,
            "AWS/DynamoDB",
            "SuccessfulRequestLatency",
            put,
            "Milliseconds",
            _fast(flow, salt, stored, 3.8),
        ),
        source(
            table,
            "AWS/DynamoDB",
            "SuccessfulRequestLatency",
            get,
            "Milliseconds",
            _fast(flow, salt, asked, 1.9),
        ),
    ]


def _used(flow: Flow, units: float, served: Any) -> Emit:
    def emit(minute: int) -> Sample | None:
        total = served(flow.minute(minute))
        return Sample(total, total * units, units, units, units, units, units) if total and units else None

    return emit


def _fast(flow: Flow, salt: int, served: Any, mean: float) -> Emit:
    def emit(minute: int) -> Sample | None:
        total = served(flow.minute(minute))
        noise = mix(salt, minute, 25)
        return spread(mean + noise % 100 / 100, total, noise) if total else None

    return emit


_LIMITS = {
    "OnDemandMaxReadRequestUnits": "OnDemandThroughput.MaxReadRequestUnits",
    "OnDemandMaxWriteRequestUnits": "OnDemandThroughput.MaxWriteRequestUnits",
    "ProvisionedReadCapacityUnits": "ProvisionedThroughput.ReadCapacityUnits",
    "ProvisionedWriteCapacityUnits": "ProvisionedThroughput.WriteCapacityUnits",
}


def _limits(table: Thing) -> Iterable[Source]:
    """The table's own maxima and provisioned capacity, every 5 minutes."""
    lag = int(table.fixed["lag"])
    held = (("TableName", table.name),)
    for name, path in _LIMITS.items():
        if path in table.settings.steps:
            emit = metrics.setting(table, path, lag)
            yield Source(
                "AWS/DynamoDB", name, held, table.arn, "Count", emit, every=5, delay=150 + 7 * lag
            )  # fmt: skip


_SETTINGS = {
    "BillingMode": "PAY_PER_REQUEST or PROVISIONED",
    "OnDemandThroughput.MaxWriteRequestUnits": "writes per second, -1 for no maximum",
    "OnDemandThroughput.MaxReadRequestUnits": "reads per second, -1 for no maximum",
    "ProvisionedThroughput.WriteCapacityUnits": "writes per second",
    "ProvisionedThroughput.ReadCapacityUnits": "reads per second",
    "DeletionProtectionEnabled": "true or false",
    "PointInTimeRecovery": "true or false",
    "TimeToLive": "name of the attribute",
    "StreamSpecification.StreamEnabled": "true or false; each time that it is switched on it is another stream",
    "StreamSpecification.StreamViewType": "NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES or KEYS_ONLY",
}

KINDS = (
    Kind(
        name="table",
        settings=_SETTINGS,
        innocent=(
            ("DeletionProtectionEnabled", True),
            ("PointInTimeRecovery", True),
            ("TimeToLive", "expires_at"),
        ),
        make=_make,
        stage=TableStage,
        metrics=_metrics,
        change=change,
        create=create,
        tag=tag,
    ),
    Kind(
        name="table-replica",
        options={"of": "id of the table in the world's own region"},
        settings=_SETTINGS,
        make=_replica,
        change=change,
        tag=tag,
    ),
)
