"""Two plain detectors to compare with on NAB: a rolling median and deviation, and a Gaussian over a long window."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence

DAY = 288  # rows: a day of five minutes
_GAUSSIAN_ROWS, _GAUSSIAN_STEP = 6_400, 100
_CERTAIN = 1 - 5e-13  # published scores are rounded to twelve digits


def rolling_mad(values: Sequence[float], rows: int = DAY) -> list[float]:
    """Each value's distance from the median of the `rows` before it, in scaled median absolute deviations."""
    queue: deque[float] = deque()
    ordered: list[float] = []
    found = []
    for value in values:
        if len(queue) < rows:
            found.append(0.0)
        else:
            middle = _median(ordered)
            spread = 1.4826 * _median(sorted(abs(one - middle) for one in ordered))
            found.append(abs(value - middle) / max(spread, 1e-9))
            del ordered[bisect_left(ordered, queue.popleft())]
        queue.append(value)
        insort(ordered, value)
    return found


def windowed_gaussian(values: Sequence[float]) -> list[float]:
    """One less the Gaussian chance of each value, by the mean and deviation of up to 6,400 before it.

    The window slides by 100 rows. As NAB's detector of that name, whose published threshold is 1: see `certain`.
    """
    found = []
    window: list[float] = []
    waiting: list[float] = []
    total = squares = mean = 0.0
    deviation = 1.0
    for row, value in enumerate(values):
        chance = 0.5 * math.erfc(abs(value - mean) / deviation / math.sqrt(2)) if row else 1.0
        found.append(1 - chance)
        if len(window) < _GAUSSIAN_ROWS:
            window.append(value)
            # Relative to the first value, so that the squares keep their digits.
            total, squares = total + value - values[0], squares + (value - values[0]) ** 2
            shifted = total / len(window)
            mean = values[0] + shifted
            deviation = math.sqrt(max(0.0, squares / len(window) - shifted**2)) or 1e-6
            continue
        waiting.append(value)
        if len(waiting) == _GAUSSIAN_STEP:
            window = window[_GAUSSIAN_STEP:] + waiting
            waiting = []
            mean = math.fsum(window) / len(window)
            deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in window) / len(window)) or 1e-6
    return found


def certain(scores: Sequence[float]) -> list[int]:
    """The rows whose Gaussian score, rounded to twelve digits as published, is 1."""
    return [row for row, score in enumerate(scores) if score >= _CERTAIN]


def _median(ordered: Sequence[float]) -> float:
    return (ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2
