"""What each service emits for a flow of requests (the metrics pages of the services' own guides)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from evals.world.flow import Flow, Minute
from evals.world.seed import mix
from evals.world.telemetry import NEVER, Sample, Source, counted, level
from evals.world.world import Thing

Emit = Callable[[int], Sample | None]


def spread(mean: float, samples: int, noise: int) -> Sample:
    """Durations around `mean` with the long tail that services have."""
    tail = 2.2 + noise % 60 / 100
    return Sample(
        samples, mean * samples, mean * 0.62, mean * tail * 1.35, mean * 0.94, mean * 1.38, mean * tail
    )


def duration(flow: Flow, row: Minute, noise: int, extra: float = 0.0) -> Sample:
    """How long the requests of a minute took; failed ones waited for all their retries."""
    mean = row.busy_ms / row.requests + extra
    calm = spread(row.base_ms + extra, row.requests, noise)
    if not row.throttles:
        return calm
    slow = row.base_ms + extra + flow.attempts * flow.retry_ms
    share = row.failures / row.requests

    def at(place: float, quiet: float) -> float:
        return max(quiet, slow * (0.9 + 0.25 * place)) if place > 1 - share else quiet

    return Sample(
        row.requests,
        mean * row.requests,
        calm.low,
        max(calm.high, slow * 1.3),
        at(0.5, calm.p50),
        at(0.9, calm.p90),
        at(0.99, calm.p99),
    )


def _source(
    thing: Thing,
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    unit: str,
    emit: Emit,
    sparse: int | None = None,
) -> Source:
    delay = 62 + sum(map(ord, thing.arn)) % 40
    pairs = tuple(sorted(dimensions.items()))
    return Source(namespace, name, pairs, thing.arn, unit, emit, delay=delay, sparse=sparse)


def _sum(
    flow: Flow, value: Callable[[Minute], float], *, of: Callable[[Minute], float] | None = None
) -> Emit:
    """A count that is emitted once per `of` (0 included), or only when there is something (of=None)."""

    def emit(minute: int) -> Sample | None:
        row = flow.minute(minute)
        total = value(row)
        if of is None:
            return counted(total, total) if total else None
        samples = of(row)
        return counted(total, samples) if samples else None

    return emit


def lambda_metrics(function: Thing, flow: Flow) -> list[Source]:
    """AWS/Lambda: Errors is 0 when invoked, nothing is emitted when not invoked."""
    held = {"FunctionName": function.name}
    salt = flow.demand.salt

    def took(minute: int) -> Sample | None:
        row = flow.minute(minute)
        return duration(flow, row, mix(salt, minute, 21)) if row.requests else None

    def busy(minute: int) -> Sample | None:
        row = flow.minute(minute)
        if not row.requests:
            return None
        mean = row.busy_ms / 60_000  # Little's law: arrivals per second times seconds each
        top = float(max(1, round(mean * 1.6)))
        return Sample(row.requests, top * row.requests * 0.8, 1.0, top, max(1.0, mean), top, top)

    requests = lambda row: row.requests  # noqa: E731
    return [
        _source(function, "AWS/Lambda", "Invocations", held, "Count", _sum(flow, requests, of=requests)),
        _source(
            function, "AWS/Lambda", "Errors", held, "Count", _sum(flow, lambda row: row.failures, of=requests)
        ),
        _source(function, "AWS/Lambda", "Throttles", held, "Count", _sum(flow, lambda row: 0, of=requests)),
        _source(function, "AWS/Lambda", "Duration", held, "Milliseconds", took),
        _source(function, "AWS/Lambda", "ConcurrentExecutions", held, "Count", busy),
    ]


def api_metrics(api: Thing, flow: Flow, refused: int) -> list[Source]:
    """AWS/ApiGateway. HTTP APIs name their metrics 4xx and 5xx, by ApiId; REST APIs 4XXError, by ApiName.

    Each comes twice, for the whole API and by stage (developer guide, "metrics and dimensions"); an API here has one
    stage, so both are equal. `refused` of 10,000 requests end with a 4xx that the function itself answers.
    """
    rest = api.kind == "rest-api"
    whole = {"ApiName": api.name} if rest else {"ApiId": str(api.fixed["id"])}
    by_stage = whole | {"Stage": str(api.fixed["stage"])}
    return [one for held in (whole, by_stage) for one in _api_metrics(api, flow, refused, held)]


def _api_metrics(api: Thing, flow: Flow, refused: int, held: dict[str, str]) -> list[Source]:
    rest = api.kind == "rest-api"
    salt = flow.demand.salt
    extra = 4.0 + salt % 9

    def bad(row: Minute) -> float:
        return row.successes * refused // 10_000

    def slow(own: float) -> Emit:
        def emit(minute: int) -> Sample | None:
            row = flow.minute(minute)
            return duration(flow, row, mix(salt, minute, 23), own) if row.requests else None

        return emit

    requests = lambda row: row.requests  # noqa: E731
    names = ("5XXError", "4XXError") if rest else ("5xx", "4xx")
    return [
        _source(api, "AWS/ApiGateway", "Count", held, "Count", _sum(flow, requests, of=requests)),
        _source(
            api, "AWS/ApiGateway", names[0], held, "Count", _sum(flow, lambda row: row.failures, of=requests)
        ),
        _source(api, "AWS/ApiGateway", names[1], held, "Count", _sum(flow, bad, of=requests)),
        _source(api, "AWS/ApiGateway", "Latency", held, "Milliseconds", slow(extra)),
        _source(api, "AWS/ApiGateway", "IntegrationLatency", held, "Milliseconds", slow(extra / 2)),
    ]


def table_metrics(table: Thing, flow: Flow) -> list[Source]:
    """AWS/DynamoDB of a table that one flow writes to. Throttle metrics exist only while something is refused."""
    held = {"TableName": table.name}
    put = held | {"Operation": "PutItem"}
    get = held | {"Operation": "GetItem"}
    salt = flow.demand.salt
    sparse = NEVER if flow.disturbed_from is None else flow.disturbed_from

    def refused(name: str, dimensions: dict[str, str], value: Callable[[Minute], float]) -> Source:
        return _source(table, "AWS/DynamoDB", name, dimensions, "Count", _sum(flow, value), sparse=sparse)

    def consumed(units: float, served: Callable[[Minute], int]) -> Emit:
        def emit(minute: int) -> Sample | None:
            count = served(flow.minute(minute))
            return (
                Sample(count, count * units, units, units, units, units, units) if count and units else None
            )

        return emit

    def took(served: Callable[[Minute], int], mean: float) -> Emit:
        def emit(minute: int) -> Sample | None:
            count = served(flow.minute(minute))
            noise = mix(salt, minute, 25)
            return spread(mean + noise % 100 / 100, count, noise) if count else None

        return emit

    stored = lambda row: row.successes if row.seconds is not None else row.requests  # noqa: E731
    asked = lambda row: row.requests if flow.read_units else 0  # noqa: E731
    return [
        refused("WriteThrottleEvents", held, lambda row: row.throttles),
        refused("WriteMaxOnDemandThroughputThrottleEvents", held, lambda row: row.max_throttles),
        refused("WriteKeyRangeThroughputThrottleEvents", held, lambda row: row.key_throttles),
        refused("ThrottledRequests", put, lambda row: row.throttles),
        _source(
            table, "AWS/DynamoDB", "ConsumedWriteCapacityUnits", held, "Count", consumed(flow.units, stored)
        ),
        _source(
            table,
            "AWS/DynamoDB",
            "ConsumedReadCapacityUnits",
            held,
            "Count",
            consumed(flow.read_units, asked),
        ),
        _source(table, "AWS/DynamoDB", "SuccessfulRequestLatency", put, "Milliseconds", took(stored, 3.8)),
        _source(table, "AWS/DynamoDB", "SuccessfulRequestLatency", get, "Milliseconds", took(asked, 1.9)),
    ]


def limit_metrics(table: Thing, lag: int) -> list[Source]:
    """The table's own maxima and provisioned capacity, every 5 minutes. `lag`: seconds until a change takes effect."""
    names = {
        "OnDemandMaxReadRequestUnits": "OnDemandThroughput.MaxReadRequestUnits",
        "OnDemandMaxWriteRequestUnits": "OnDemandThroughput.MaxWriteRequestUnits",
        "ProvisionedReadCapacityUnits": "ProvisionedThroughput.ReadCapacityUnits",
        "ProvisionedWriteCapacityUnits": "ProvisionedThroughput.WriteCapacityUnits",
    }
    held = (("TableName", table.name),)
    return [
        Source(
            "AWS/DynamoDB",
            name,
            held,
            table.arn,
            "Count",
            _limit(table, path, lag),
            every=5,
            delay=150 + 7 * lag,
        )
        for name, path in names.items()
        if path in table.settings.steps
    ]


def _limit(table: Thing, path: str, lag: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        seen = []
        for step in range(5):
            moment = datetime.fromtimestamp((minute + step) * 60, UTC) - timedelta(seconds=lag)
            value = table.at(path, moment)
            if value is not None and value >= 0:
                seen.append(float(value))
        if not seen:
            return None
        mean = sum(seen) / len(seen)
        return Sample(len(seen), sum(seen), min(seen), max(seen), mean, max(seen), max(seen))

    return emit


def queue_metrics(queue: Thing, flow: Flow | None) -> list[Source]:
    """AWS/SQS. A dead-letter queue without a flow stands empty."""
    held = {"QueueName": queue.name}

    def sent(minute: int) -> Sample | None:
        return counted(float(flow.minute(minute).requests)) if flow else counted(0.0)

    def waiting(minute: int) -> Sample | None:
        return level(float(mix(flow.demand.salt, minute, 31) % 6) if flow else 0.0)

    def age(minute: int) -> Sample | None:
        return level(float(1 + mix(flow.demand.salt, minute, 33) % 4) if flow else 0.0)

    return [
        _source(queue, "AWS/SQS", "NumberOfMessagesSent", held, "Count", sent),
        _source(queue, "AWS/SQS", "NumberOfMessagesReceived", held, "Count", sent),
        _source(queue, "AWS/SQS", "NumberOfMessagesDeleted", held, "Count", sent),
        _source(queue, "AWS/SQS", "ApproximateNumberOfMessagesVisible", held, "Count", waiting),
        _source(queue, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", held, "Count", waiting),
        _source(queue, "AWS/SQS", "ApproximateAgeOfOldestMessage", held, "Seconds", age),
    ]
