"""Metrics by formula: what each service emits per minute, and CloudWatch's aggregation of it.

A source answers one emission as a `Sample`, or None when the service emits nothing. A sample of minute m becomes
visible `delay` seconds after its period has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from evals.world.percentiles import percentile, rank
from tools.models import Json

Dimensions = tuple[tuple[str, str], ...]


NEVER = 2**40
"""A minute that never comes: `Source.sparse` of what never happens."""


class Sample(NamedTuple):
    """One emission: how many values, their sum, smallest, largest and three percentiles."""

    samples: float
    total: float
    low: float
    high: float
    p50: float
    p90: float
    p99: float


def counted(total: float, samples: float = 1.0) -> Sample:
    """A count: `total` spread over `samples` values."""
    mean = total / samples if samples else 0.0
    top = 1.0 if total else 0.0
    return Sample(samples, total, 0.0 if total < samples else min(1.0, mean), max(top, mean), mean, top, top)


def level(value: float, samples: float = 1.0) -> Sample:
    """A gauge that stands at `value`."""
    return Sample(samples, value * samples, value, value, value, value, value)


@dataclass(frozen=True)
class Source:
    """One CloudWatch metric. `owner` is the ARN of the resource that emits it."""

    namespace: str
    name: str
    dimensions: Dimensions  # sorted by name
    owner: str
    unit: str
    emit: Callable[[int], Sample | None]  # epoch minute, a multiple of `every`
    every: int = 1  # minutes between emissions
    delay: int = 75  # seconds
    sparse: int | None = None  # emitted only when something happens: the first minute in which it may
    region: str = ""  # where it is, when not where the world is

    @property
    def key(self) -> tuple[str, str, Dimensions]:
        return self.namespace, self.name, self.dimensions

    def visible(self, minute: int, as_of: float) -> bool:
        return (minute + self.every) * 60 + self.delay <= as_of


STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")

_PLACES = {"SampleCount": 0, "Sum": 1, "Minimum": 2, "Maximum": 3, "p50": 4, "p90": 5, "p99": 6}


def statistic(samples: Iterable[Sample], stat: str) -> float | None:
    """One statistic (of STATISTICS, or a percentile "pNN.N") over a period's samples, or None without samples."""
    rows = list(samples)
    if not rows:
        return None
    if len(rows) == 1 and stat in _PLACES:
        return rows[0][_PLACES[stat]]
    count = sum(row.samples for row in rows)
    if stat == "SampleCount":
        return count
    if stat == "Sum":
        return sum(row.total for row in rows)
    if stat == "Average":
        return sum(row.total for row in rows) / count if count else 0.0
    if stat == "Minimum":
        return min(row.low for row in rows)
    if stat == "Maximum":
        return max(row.high for row in rows)
    share = rank(stat)
    if share is None:
        raise ValueError(f"no statistic: {stat}")
    return percentile(rows, share)


@dataclass
class Telemetry:
    """All metrics of a world, by namespace, name and exact dimensions."""

    sources: dict[tuple[str, str, Dimensions], Source] = field(default_factory=dict)

    def add(self, *sources: Source) -> None:
        for source in sources:
            if source.key in self.sources:
                raise ValueError(f"two sources for {source.key}")
            self.sources[source.key] = source

    def find(self, namespace: str, name: str, dimensions: Dimensions) -> Source | None:
        return self.sources.get((namespace, name, tuple(sorted(dimensions))))

    def points(
        self,
        source: Source,
        stat: str,
        period: int,
        start: float,
        end: float,
        as_of: float,
        anchored: bool = False,
    ) -> list[tuple[int, float]]:
        """(epoch second of the period's start, value), oldest first; periods with no sample are absent.

        Periods begin at multiples of the period, as GetMetricData gives them, or at the minute of `start` when
        `anchored`, as GetMetricStatistics does.
        """
        step = period // 60
        first = int(start // 60) if anchored else int(start // period) * step
        last = int(min(end, as_of) // 60) + (1 if min(end, as_of) % 60 else 0)
        if step == source.every and first % step == 0:
            return list(self._single(source, stat, range(first, last, step), as_of))
        found = []
        for begin in range(first, last, step):
            value = statistic(self._samples(source, begin, begin + step, as_of), stat)
            if value is not None:
                found.append((begin * 60, value))
        return found

    @staticmethod
    def _single(source: Source, stat: str, minutes: range, as_of: float) -> Iterator[tuple[int, float]]:
        """Points of periods that hold one emission each."""
        place = _PLACES.get(stat)
        for minute in minutes:
            if not source.visible(minute, as_of):
                return
            sample = source.emit(minute)
            if sample is None:
                continue
            value = sample[place] if place is not None else statistic((sample,), stat)
            if value is not None:
                yield minute * 60, value

    @staticmethod
    def _samples(source: Source, begin: int, end: int, as_of: float) -> list[Sample]:
        found = []
        minute = begin + (-begin) % source.every
        while minute < end:
            if not source.visible(minute, as_of):
                break
            sample = source.emit(minute)
            if sample is not None:
                found.append(sample)
            minute += source.every
        return found


def dimensions_of(given: Iterable[Json]) -> Dimensions:
    """The dimensions of a request, sorted by name."""
    return tuple(sorted((str(one["Name"]), str(one["Value"])) for one in given))
