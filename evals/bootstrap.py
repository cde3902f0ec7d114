"""Intervals by bootstrap over cases: runs of one case are alike, so whole cases are drawn, not runs.

Deterministic: the draws come from a fixed seed and the sorted names of the cases.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, fsum

DRAWS = 2000
LEVEL = 0.95
_SEED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over all runs, and where 95 % of the means of resampled cases lie. `cases`: how many were drawn."""

    mean: float
    low: float
    high: float
    cases: int


def grouped(rows: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    """(case, value) pairs as values by case."""
    found: dict[str, list[float]] = {}
    for case, value in rows:
        found.setdefault(case, []).append(value)
    return found


def interval(values: Mapping[str, Sequence[float]]) -> Interval | None:
    """The mean of all values and its interval. None without any value. One case only: the mean is all there is."""
    held = {case: list(row) for case, row in sorted(values.items()) if row}
    if not held:
        return None
    rows = [(sum(row), len(row)) for row in held.values()]
    low, high = _ends(_sorted_means([rows]) if len(rows) > 1 else [_mean(rows)])
    return Interval(mean=_mean(rows), low=low, high=high, cases=len(rows))


def paired(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]) -> Interval | None:
    """The difference after - before of the means over the cases that both hold; each draw takes both sides of a case.

    None when they share no case.
    """
    both = sorted(case for case in before if before[case] and after.get(case))
    if not both:
        return None
    first = [(sum(before[case]), len(before[case])) for case in both]
    second = [(sum(after[case]), len(after[case])) for case in both]
    low, high = _ends(_sorted_means([second, first]))
    return Interval(mean=_mean(second) - _mean(first), low=low, high=high, cases=len(both))


def spread(sums: Mapping[str, Sequence[float]], of: Callable[..., float]) -> Interval:
    """A figure that `of` makes of sums over all cases, and of those over resampled cases.

    `sums`: by case, as many as `of` takes. Raises ValueError without any case.
    """
    held = [row for _, row in sorted(sums.items())]
    if not held:
        raise ValueError("there is nothing to sum up")
    draw = random.Random(_SEED)
    drawn = (draw.choices(held, k=len(held)) for _ in range(DRAWS if len(held) > 1 else 1))
    low, high = _ends(sorted(of(*map(fsum, zip(*one, strict=True))) for one in drawn))
    return Interval(mean=of(*map(fsum, zip(*held, strict=True))), low=low, high=high, cases=len(held))


def _sorted_means(sides: Sequence[Sequence[tuple[float, int]]]) -> list[float]:
    """Means of one side, or differences of the first side and the second, over draws of cases."""
    draw = random.Random(_SEED)
    places = range(len(sides[0]))
    found = []
    for _ in range(DRAWS):
        drawn = draw.choices(places, k=len(places))
        means = [_mean([side[place] for place in drawn]) for side in sides]
        found.append(means[0] - sum(means[1:]))
    return sorted(found)


def _mean(rows: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in rows) / sum(count for _, count in rows)


def _ends(means: Sequence[float]) -> tuple[float, float]:
    cut = (1 - LEVEL) / 2
    return means[int(cut * (len(means) - 1))], means[round((1 - cut) * (len(means) - 1))]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the values do not exceed (nearest rank), or None without values."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, ceil(share * len(ranked)) - 1)]
