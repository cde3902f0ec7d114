"""How metrics are read off the rows of a flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from evals.world.flow import Flow, Minute
from evals.world.seed import mix
from evals.world.telemetry import NEVER, Sample, Source, counted
from evals.world.world import Thing

Emit = Callable[[int], Sample | None]


def spread(mean: float, samples: int, noise: int) -> Sample:
    """Durations around `mean` with the long tail that services have."""
    tail = 2.2 + noise % 60 / 100
    return Sample(
        samples, mean * samples, mean * 0.62, mean * tail * 1.35, mean * 0.94, mean * 1.38, mean * tail
    )


def mixture(parts: Iterable[tuple[int, float, bool]], noise: int) -> Sample | None:
    """One sample of several groups of requests: (count, mean, whether all took the same time)."""
    points: list[tuple[float, float]] = []  # (value, weight)
    total = 0.0
    for count, mean, alike in parts:
        if count <= 0:
            continue
        total += count * mean
        one = spread(mean, count, noise)
        if alike:
            points += [(mean * 0.97, count * 0.5), (mean * 1.02, count * 0.5)]
        else:
            points += [
                (one.low, count * 0.05),
                (one.p50, count * 0.5),
                (one.p90, count * 0.38),
                (one.p99, count * 0.06),
                (one.high, count * 0.01),
            ]
    if not points:
        return None
    points.sort()
    samples = sum(weight for _, weight in points)
    return Sample(
        samples,
        total,
        points[0][0],
        points[-1][0],
        _quantile(points, samples, 0.5),
        _quantile(points, samples, 0.9),
        _quantile(points, samples, 0.99),
    )


def _quantile(points: list[tuple[float, float]], samples: float, place: float) -> float:
    reached = 0.0
    for value, weight in points:
        reached += weight
        if reached >= place * samples:
            return value
    return points[-1][0]


def duration(flow: Flow, row: Minute, stage: int, noise: int, extra: float = 0.0) -> Sample | None:
    """How long the requests took that a stage worked on; refused ones waited for all their retries."""
    seen = row.seen(stage)
    if not seen:
        return None
    if len(row.slices) == 1 and not row.waits and not row.endings:
        return spread(row.slices[0].ms + extra, seen, noise)
    parts: dict[tuple[int, bool], int] = {}
    for one in row.slices:
        slow = min(one.waits, one.alive)
        waited = round(one.waits * flow.retry_ms / slow) if slow else 0
        for count, mean, alike in ((one.alive - slow, one.ms, False), (slow, one.ms + waited, False)):
            parts[mean, alike] = parts.get((mean, alike), 0) + count
        for ending in one.endings:
            if ending.stage >= stage and not (ending.stage == stage and ending.unseen):
                parts[ending.ms, True] = parts.get((ending.ms, True), 0) + ending.many
    made = mixture(((count, mean + extra, alike) for (mean, alike), count in parts.items()), noise)
    exact = row.busy_ms(stage, flow.retry_ms) + extra * seen
    return made._replace(samples=float(seen), total=float(exact)) if made else None


def source(
    thing: Thing,
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    unit: str,
    emit: Emit,
    sparse: int | None = None,
    every: int = 1,
    region: str = "",
) -> Source:
    """A metric of a resource, published some 60 to 100 seconds after its minute."""
    delay = 62 + sum(map(ord, thing.arn)) % 40
    pairs = tuple(sorted(dimensions.items()))
    return Source(
        namespace, name, pairs, thing.arn, unit, emit, every=every, delay=delay, sparse=sparse, region=region
    )


def count(
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


def gauge(flow: Flow, stage: int, name: str, otherwise: float = 0.0) -> Emit:
    """A gauge of a stage: its mean over the minute, with the largest and smallest of the slices."""

    def emit(minute: int) -> Sample | None:
        row = flow.minute(minute)
        seen = [one.passages[stage].gauges.get(name, otherwise) for one in row.slices]
        mean = sum(seen) / len(seen)
        return Sample(1, mean, min(seen), max(seen), mean, max(seen), max(seen))

    return emit


def took(flow: Flow, stage: int, salt: int, extra: float = 0.0) -> Emit:
    """Durations at a stage."""

    def emit(minute: int) -> Sample | None:
        return duration(flow, flow.minute(minute), stage, mix(flow.demand.salt, minute, salt), extra)

    return emit


def sparse(flow: Flow) -> int:
    """The first minute in which a metric may exist that is emitted only when something is refused."""
    return NEVER if flow.disturbed_from is None else flow.disturbed_from


def setting(thing: Thing, path: str, lag: int, minutes: int = 5) -> Emit:
    """A setting as a metric of its own. `lag`: seconds until a change takes effect."""

    def emit(minute: int) -> Sample | None:
        seen = []
        for step in range(minutes):
            moment = datetime.fromtimestamp((minute + step) * 60, UTC) - timedelta(seconds=lag)
            value = thing.at(path, moment)
            if value is not None and value >= 0:
                seen.append(float(value))
        if not seen:
            return None
        mean = sum(seen) / len(seen)
        return Sample(len(seen), sum(seen), min(seen), max(seen), mean, max(seen), max(seen))

    return emit
