"""Series with one value a period, and the noise in them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tools.models import Metric, Onset, Series, Window

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
Values = Sequence[float | None]


def made(values: Values, stat: str = "Sum", period: int = 60, end: datetime = NOW) -> Series:
    metric = Metric(namespace="N", name="n", dimensions=(), stat=stat, period=period)
    step = timedelta(seconds=period)
    start = end - len(values) * step
    points = tuple((start + n * step, float(v)) for n, v in enumerate(values) if v is not None)
    return Series(metric=metric, window=Window(start=start, end=end), points=points)


def minutes(found: Onset | None, length: int) -> tuple[float, float]:
    """Earliest and latest in points from the first."""
    assert found is not None
    start = NOW - timedelta(minutes=length)
    return (found.earliest - start) / timedelta(minutes=1), (found.latest - start) / timedelta(minutes=1)


def noise(seed: int, length: int, mean: float = 100, sigma: float = 5) -> list[float]:
    luck = random.Random(seed)
    return [luck.gauss(mean, sigma) for _ in range(length)]


def counts(seed: int, length: int, rate: float) -> list[float]:
    luck = random.Random(seed)
    found = []
    for _ in range(length):
        number, left = 0, luck.random()
        limit = math.exp(-rate)
        while left > limit:
            left *= luck.random()
            number += 1
        found.append(float(number))
    return found


def sparse(values: list[float]) -> Values:
    return [value or None for value in values]
