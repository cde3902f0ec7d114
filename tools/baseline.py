"""What is normal for a metric: by the points before, by the same time on earlier days, or by its calmer part. Pure."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate, pairwise

from tools.models import Window

RUN_SIGMAS = 3.0  # three of four points beyond it: noise alone does that about once in 10^7 points
TAIL = 50  # points from which the tail of a baseline says something
_HISTORY = 20  # points before the window that make a baseline
_DAY = 86_400
_OFTEN_ZERO = 0.1  # a series that is zero so often has no shape of the day that its scatter would not hide
_FEW = 10  # a count below it scatters by a third and more
_CLOCKWORK = 0.3  # variance over mean below which counts are no chance; that of chance is 1
_CLEAR = 6.0  # scatters by which the levels of two stretches differ clearly


def blips(excess: list[float]) -> float:
    """The second highest lone point of a metric that is nearly always the same: so high do harmless blips go."""
    alone = []
    for place, value in enumerate(excess):
        near = excess[max(0, place - 2) : place] + excess[place + 1 : place + 3]
        if value > 0 and sum(other > 0 for other in near) < 2:
            alone.append(value)
    return sorted(alone)[-2] if len(alone) >= 2 else 0.0


def rare(base: Sequence[float]) -> float:
    """What a small count exceeds rarely; 0 for one that is nearly always 0."""
    usual = statistics.fmean(sorted(base)[: max(1, int(0.95 * len(base)))])
    return usual + RUN_SIGMAS * math.sqrt(usual) + 1 if 0 < usual < 10 else 0.0


def regular(counts: Sequence[float]) -> bool:
    """Whether counts scatter much less than what comes by chance: a schedule makes them."""
    return len(counts) >= TAIL and statistics.pvariance(counts) < _CLOCKWORK * statistics.fmean(counts)


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def season(
    points: Sequence[tuple[datetime, float]], window: Window, counts: bool = False
) -> list[float] | None:
    """Log ratio of each point of the window and of the day before it to the same time on earlier days.

    None without two days of history, for a metric that is often zero and for small counts that come by chance: the
    ratio of two of those says nothing.
    """
    start = int(window.start.timestamp())
    stamped = [(int(moment.timestamp()), value) for moment, value in points]
    known = {at: value for at, value in stamped if at < start}
    if not known or start - min(known) < 2 * _DAY:
        return None
    typical = statistics.median(known.values())
    if (
        typical <= 0
        or min(known.values()) < 0
        or (counts and typical < _FEW and not regular(list(known.values())))
    ):
        return None
    if sum(value == 0 for value in known.values()) > _OFTEN_ZERO * len(known):
        return None
    step = min(later - earlier for (earlier, _), (later, _) in pairwise(stamped))
    days = range(1, min(14, (start - min(known)) // _DAY + 1) + 1)
    shifts = [day * _DAY + near * step for day in days for near in range(-2, 3)]
    soft = 0.05 * typical
    ratios = []
    for at, value in stamped:
        if at < start - _DAY:
            continue
        same = [known[at - shift] for shift in shifts if at - shift in known]
        expected = statistics.median(same) if same else typical
        ratios.append(math.log((max(0.0, value) + soft) / (expected + soft)))
    return ratios


def baseline(
    times: Sequence[datetime], values: Sequence[float], start: datetime, sign: float
) -> tuple[Sequence[float], bool]:
    """Normal values, and whether they are known to be free of the incident."""
    before = bisect_left(times, start)
    if before >= _HISTORY:
        return values[:before], True
    inside = _stretch(values)
    if inside is None:
        return _calm(values, sign)
    odd = values[inside.start : inside.stop]
    rest = [*values[: max(0, inside.start - inside.step)], *values[inside.stop + inside.step :]]
    return (rest if sign * statistics.fmean(rest) < sign * statistics.fmean(odd) else odd), True


def _calm(values: Sequence[float], sign: float) -> tuple[Sequence[float], bool]:
    """The calmer of two levels that take turns in stretches; else all values, untrusted."""
    ordered = sorted(values)
    sums = [0.0, *accumulate(ordered)]
    best, cut = 0.0, 0
    for place in range(1, len(ordered)):
        gap = (sums[-1] - sums[place]) / (len(ordered) - place) - sums[place] / place
        score = gap * gap * place * (len(ordered) - place)
        if score > best:
            best, cut = score, place
    if not cut or ordered[cut - 1] == ordered[cut]:
        return values, False
    low, high = ordered[:cut], ordered[cut:]
    inner = math.sqrt(
        (statistics.pvariance(low) * cut + statistics.pvariance(high) * len(high)) / len(ordered)
    )
    crossings = sum((one < ordered[cut]) != (other < ordered[cut]) for one, other in pairwise(values))
    by_chance = 2 * cut * len(high) / len(ordered)
    clear = statistics.fmean(high) - statistics.fmean(low) > _CLEAR * inner
    if not clear or crossings > 0.4 * by_chance or min(cut, len(high)) < 6:
        return values, False
    return (low if sign > 0 else high), True


def _stretch(values: Sequence[float]) -> range | None:
    """The stretch of points whose level differs most from the rest, if it does so clearly; step is its grain.

    Extremes are clipped, so that one spike is no level. Long series are looked at in up to 90 bins.
    """
    ordered = sorted(values)
    low, high = (
        (quantile(ordered, 0.02), quantile(ordered, 0.98))
        if len(values) >= TAIL
        else (ordered[0], ordered[-1])
    )
    clipped = [min(max(value, low), high) for value in values]
    grain = max(1, -(-len(values) // 90))
    sums = [0.0, *accumulate(math.fsum(clipped[n : n + grain]) for n in range(0, len(clipped), grain))]
    count, total, best, where = len(clipped), sums[-1], 0.0, None
    for one in range(len(sums) - 1):
        for other in range(one + 1, len(sums)):
            size = min(other * grain, count) - one * grain
            if size < 3 or count - size < 3 + 2 * grain * (grain > 1):
                continue
            gap = (sums[other] - sums[one]) / size - (total - sums[other] + sums[one]) / (count - size)
            score = gap * gap * size * (count - size) / count
            if score > best:
                best, where = score, range(one * grain, min(other * grain, count), grain)
    return where if where is not None and math.sqrt(best) > _scatter(clipped, where) * _CLEAR else None


def _scatter(values: Sequence[float], stretch: range) -> float:
    """The deviation around the two levels; more where neighbours are alike and tell less than they seem."""
    inside = statistics.fmean(values[stretch.start : stretch.stop])
    outside = statistics.fmean([*values[: stretch.start], *values[stretch.stop :]])
    residual = [v - (inside if stretch.start <= n < stretch.stop else outside) for n, v in enumerate(values)]
    power = math.fsum(value * value for value in residual)
    alike = math.fsum(one * other for one, other in pairwise(residual)) / power if power else 0.0
    alike = min(0.95, max(0.0, alike))
    return math.sqrt(power / len(values)) * math.sqrt((1 + alike) / (1 - alike))
