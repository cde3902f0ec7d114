"""Metrics that only ever grow, or only ever shrink: what tells is their pace. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from tools.models import Series

_FEWEST = 12  # steps in either half that make it a habit
_STEADY = 0.8  # of the steps go one way
_BACK = 0.03  # and hardly any the other: a restart, a cleaning up


def pace(series: Series) -> Series | None:
    """By how much it grows (or shrinks: below 0) in each period; None for a metric that goes up and down.

    A step the other way is a restart, and no pace. One over a hole is shared among its periods.
    """
    points = series.points
    steps = [later - earlier for (_, earlier), (_, later) in pairwise(points)]
    half = len(steps) // 2
    sign = next((one for one in (1, -1) if _goes(steps[:half], one) and _goes(steps[half:], one)), 0)
    if not sign:
        return None
    period = timedelta(seconds=series.metric.period)
    found = tuple(
        (at, step / max(1, round((at - before) / period)))
        for (before, _), (at, _), step in zip(points, points[1:], steps, strict=False)
        if step * sign >= 0
    )
    return replace(series, points=found)


def _goes(steps: Sequence[float], sign: int) -> bool:
    on, back = (sum(step * way > 0 for step in steps) for way in (sign, -sign))
    return len(steps) >= _FEWEST and on >= _STEADY * len(steps) and back <= max(1, _BACK * len(steps))
