"""Functions of metric math over the datapoints of one series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

Points: TypeAlias = dict[int, float]  # by epoch second of the period's start


def filled(points: Points, times: Sequence[int], how: str) -> Points:
    """FILL with REPEAT or LINEAR: gaps between known datapoints; REPEAT also goes on after the last one."""
    known = sorted(points)
    found = dict(points)
    for time in times:
        if time in points:
            continue
        before = max((one for one in known if one < time), default=None)
        after = min((one for one in known if one > time), default=None)
        if before is not None and how == "REPEAT":
            found[time] = points[before]
        elif before is not None and after is not None:
            found[time] = points[before] + (points[after] - points[before]) * (time - before) / (
                after - before
            )
    return {time: found[time] for time in sorted(found)}


def _steps(points: Points, rate: bool) -> Points:
    times = sorted(points)
    return {
        time: (points[time] - points[last]) / ((time - last) if rate else 1) for last, time in pairwise(times)
    }


def _running(points: Points) -> Points:
    total, found = 0.0, {}
    for time in sorted(points):
        total += points[time]
        found[time] = total
    return found


def _ceil(value: float) -> float:
    return float(-(-value // 1))


def _floor(value: float) -> float:
    return float(value // 1)


ONE: Mapping[str, Callable[[float], float]] = {"ABS": abs, "CEIL": _ceil, "FLOOR": _floor}


def _mapped(change: Callable[[float], float]) -> Callable[[Points], Points]:
    return lambda points: {time: change(value) for time, value in points.items()}


EACH: Mapping[str, Callable[[Points], Points]] = {
    "RATE": lambda points: _steps(points, True),
    "DIFF": lambda points: _steps(points, False),
    "RUNNING_SUM": _running,
    **{name: _mapped(change) for name, change in ONE.items()},
}
