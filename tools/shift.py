"""Whether a metric moved, and whether what it measures was used up. Pure, deterministic, robust statistics."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from tools.metrics import fill_zero
from tools.models import Onset, Series, Window
from tools.onset import Bad, Missing

_AT_END = 1.0  # percent or credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Whether and how a metric moved from one window to another. Means, since sums of sparse metrics are rates."""

    before: float
    after: float
    ratio: float | None  # None when it was 0
    z: float  # signed, in standard errors of a robust scale, at most 99
    moved: bool
    direction: Literal["up", "down", ""]
    bad: bool  # moved to the side that hurts


def used_up(series: Series, end: float, near: Window) -> Onset | None:
    """When a store that was in use ran empty or full, for good, within `near`; None when it did not.

    Nothing steps then: the series creeps to its end, for hours perhaps, and stays there.
    """
    points = [(moment, value) for moment, value in series.points if moment < series.window.end]
    off = [index for index, (_, value) in enumerate(points) if abs(value - end) > _AT_END]
    if not off or off[-1] + 1 >= len(points):
        return None
    last, first = points[off[-1]][0], points[off[-1] + 1][0]
    if not near.start <= first < near.end:
        return None
    return Onset(
        earliest=last,
        latest=first + timedelta(seconds=series.metric.period),
        confidence=0.9,
        shape="ramp",
        normal=statistics.median([value for _, value in points[: off[-1] + 1]]),
        now=statistics.median([value for _, value in points[off[-1] + 1 :]]),
    )


def changed(
    series: Series,
    before: Window,
    after: Window,
    bad: Bad = "",
    *,
    missing: Missing = "unknown",
    min_effect: float = 0.2,
) -> Shift | None:
    """Whether the metric moved between two windows; None when one of them has no point."""
    if missing == "zero":
        series = fill_zero(series)
    old = [value for moment, value in series.points if moment in before]
    new = [value for moment, value in series.points if moment in after]
    if not old or not new:
        return None
    was, now = statistics.fmean(old), statistics.fmean(new)
    middle = statistics.median(old)
    spread = 1.4826 * statistics.median(abs(value - middle) for value in old)
    # Sparse metrics have no spread by median: then the plain deviation, and at least what counting scatters.
    spread = max(spread, statistics.pstdev(old) if spread == 0 else 0.0)
    if series.metric.stat in ("Sum", "SampleCount"):
        usual = (math.fsum(old) + math.fsum(new)) / (len(old) + len(new))
        spread = max(spread, math.sqrt(max(usual, 1 / len(old))))
    spread = max(spread, 1e-3 * abs(was), 1e-12)
    z = (now - was) / (spread * math.sqrt(1 / len(old) + 1 / len(new)))
    ratio = now / was if was else None
    moved = abs(z) > 4 and abs(now - was) > min_effect * abs(was)
    direction: Literal["up", "down", ""] = ("up" if now > was else "down") if moved else ""
    return Shift(
        before=was,
        after=now,
        ratio=ratio,
        z=max(-99.0, min(99.0, z)),
        moved=moved,
        direction=direction,
        bad=moved and direction == bad,
    )
