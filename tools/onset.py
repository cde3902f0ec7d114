"""When a metric went wrong. Pure, deterministic, robust statistics.

What stands out is found first (`episodes`), then between which moments it began (`span`): at least a period
apart, for a metric cannot tell a moment finer. Of a metric that only grows the pace is looked at. What is normal
comes from the points before the window; from the same time on earlier days when there are two days of them; else
from the calmer part of the window itself.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from tools.baseline import RUN_SIGMAS, TAIL, baseline, blips, quantile, rare, season
from tools.clock import ceil, floor
from tools.episodes import JOIN, Episode, Points, episodes, led_up, off_day, teeth, that_matters
from tools.metrics import fill_zero
from tools.models import Onset, OnsetShape, Series, Window
from tools.pace import pace
from tools.span import span

Bad = Literal["up", "down", ""]
Missing = Literal["zero", "idle", "unknown"]

_LOOKED = 80  # points before that say where exactly it began


def onset(
    series: Series,
    window: Window,
    *,
    bad: Bad,
    missing: Missing,
    hint: float | None = None,
    min_effect: float = 0.1,
) -> Onset | None:
    """The first bad moment of the episode that matters in `window`, or None when the metric is as ever.

    The episode that matters is the one still going on, else the largest. `series` may begin before
    `window`: the more, the better is normal known. `missing` says what an absent point is: zero (error
    counts), idle (nothing asked: bad when the metric should not fall, else ignored), unknown (ignored,
    widens the interval). `hint` is the alarm's threshold: it can only make the detection finer.
    `min_effect` is the least relative change.
    """
    sides: tuple[Bad, ...] = ("up", "down") if not bad else (bad,)
    found = [one for side in sides if (one := _onset(series, window, side, missing, hint, min_effect))]
    return max(found, key=lambda one: (one.confidence, one.earliest), default=None)


def _onset(
    series: Series, window: Window, side: Bad, missing: Missing, hint: float | None, min_effect: float
) -> Onset | None:
    counts = series.metric.stat in ("Sum", "SampleCount")
    if missing == "zero" or (missing == "idle" and side == "down"):
        series = fill_zero(series)
    if not counts and (paced := pace(series)) is not None:
        found = _onset_of(paced, window, side, None, min_effect, counts)
        return None if found is None else _by_level(found, series)
    return _onset_of(series, window, side, hint, min_effect, counts)


def _by_level(found: Onset, series: Series) -> Onset:
    """The onset of another pace, with what the metric itself showed."""
    before = [value for moment, value in series.points if moment < found.earliest]
    since = [value for moment, value in series.points if moment >= found.latest]
    return replace(
        found,
        normal=statistics.median(before) if before else None,
        now=statistics.median(since) if since else None,
    )


def _onset_of(
    series: Series, window: Window, side: Bad, hint: float | None, min_effect: float, counts: bool
) -> Onset | None:
    points = [(moment, value) for moment, value in series.points if moment < window.end]
    if len(points) < 4:
        return None
    seen = _measured(points, window, 1.0 if side == "up" else -1.0, counts, hint, min_effect)
    start = bisect_left(seen.times, window.start)
    found = episodes(seen, counts, start)
    chosen = that_matters(seen, found)
    if chosen is None:
        return None
    if off := off_day(seen, chosen):
        seen = replace(seen, excess=[value - off for value in seen.excess])
        found = episodes(seen, counts, start)
        chosen = that_matters(seen, found) or chosen
    return _told(seen, chosen, found, timedelta(seconds=series.metric.period), side, counts)


def _measured(
    points: Sequence[tuple[datetime, float]],
    window: Window,
    sign: float,
    counts: bool,
    hint: float | None,
    min_effect: float,
) -> Points:
    ratios = season(points, window, counts)
    times = [moment for moment, _ in points]
    raw = [value for _, value in points]
    if ratios is not None:
        first = len(points) - len(ratios)
        times, raw, values, least = times[first:], raw[first:], ratios, min_effect
    else:
        values, least = raw, 0.0
    base, trusted = baseline(times, values, window.start, sign)
    middle = statistics.median(base)
    excess = [sign * (value - middle) for value in values]
    calm = sorted(sign * (value - middle) for value in base)
    spread = (quantile(calm, 0.9) - quantile(calm, 0.1)) / 2.563
    sigma = max(1.4826 * statistics.median(map(abs, calm)), spread)
    if counts and ratios is None:
        sigma = max(sigma, math.sqrt(max(0.0, middle)))  # what counting alone scatters
    least = least or min_effect * abs(middle)
    limit = max(RUN_SIGMAS * sigma, least)
    if trusted and len(base) >= TAIL:
        limit = max(limit, quantile(calm, 0.98))
    elif sigma == 0:
        limit = max(limit, blips(excess))
    if counts and ratios is None:
        limit = max(limit, rare(base) - middle)
    if hint is not None and ratios is None:
        crossed = sign * (hint - middle)
        if crossed > max(2 * sigma, quantile(calm, 0.98)):
            limit = min(limit, crossed)
    return Points(times, raw, excess, sigma, limit, len(base), ratios is not None)


def _told(
    seen: Points,
    chosen: Episode,
    found: Sequence[Episode],
    period: timedelta,
    side: Bad,
    counts: bool,
) -> Onset:
    like = teeth(chosen, found)
    first = led_up(seen, (like[0] if like else chosen).first, period)
    last = chosen.last
    calm_after = len(seen.times) - 1 - last
    ended = seen.times[last] + period if calm_after >= (JOIN if period.total_seconds() < 300 else 2) else None
    before = [v for v, e in zip(seen.raw[:first], seen.excess[:first], strict=True) if e <= seen.limit][-60:]
    since = seen.raw[first : last + 1]
    normal, now = statistics.median(before) if before else None, statistics.median(since)
    shape = "sawtooth" if like else _shape(seen, first, chosen, ended, normal, now, period, side)
    earliest, latest = _interval(seen, first, like[0].last if like else last, period, side, counts)
    return Onset(
        earliest=earliest,
        latest=min(latest, ended or latest),
        confidence=_confidence(seen, chosen, first),
        shape=shape,
        ended=ended,
        normal=normal,
        now=now,
    )


def _interval(
    seen: Points, first: int, last: int, period: timedelta, side: Bad, counts: bool
) -> tuple[datetime, datetime]:
    """Between which moments it began, when point `first` is the first that stands out."""
    begin = seen.times[max(0, first - _LOOKED)]
    slots: list[float | None] = []
    stands_out = ends = 0
    for place in range(max(0, first - _LOOKED), last + 1):
        slot = round((seen.times[place] - begin) / period)
        slots += [None] * (slot - len(slots))
        if place == first:
            stands_out = slot
        ends = slot
        excess = seen.excess[place]
        slots[slot:] = [math.exp(excess if side == "up" else -excess) if seen.logs else seen.raw[place]]
    early, late = span(slots, stands_out, ends, counts and not seen.logs)
    # The first period that stands out is seen, all else is reckoned: it belongs to the interval, but for slow changes.
    early = min(early, stands_out - 1 if not counts and _grows(seen, first) else stands_out)
    if late >= stands_out - 1 and not _wholly(seen, first):
        late = max(late, stands_out + 1)
    return floor(begin + early * period, 1), ceil(begin + late * period, 1)


def _wholly(seen: Points, first: int) -> bool:
    """Whether the first period that stands out is as far out as the next ones: then it began with it, or before."""
    following = seen.excess[first + 1 : first + 4]
    return bool(following) and seen.excess[first] >= 0.9 * statistics.median(following)


def _grows(seen: Points, first: int) -> bool:
    """Whether it goes on growing: then the period before may have held some of it, too little to tell."""
    values = [max(value, 1e-9) for value in seen.excess[first : first + 4]]
    return len(values) == 4 and all(later > 1.2 * earlier for earlier, later in pairwise(values))


def _shape(
    seen: Points,
    first: int,
    chosen: Episode,
    ended: datetime | None,
    normal: float | None,
    now: float,
    period: timedelta,
    side: Bad,
) -> OnsetShape:
    if side == "down" and normal and abs(now) <= 0.02 * abs(normal):
        return "silence"
    if ended is not None and ended - seen.times[first] <= max(3 * period, timedelta(minutes=5)):
        return "spike"
    rising = seen.excess[first : chosen.last + 1]
    if len(rising) >= 6:
        plateau = statistics.median(sorted(rising)[-max(2, len(rising) // 3) :])
        smooth = [statistics.median(rising[max(0, n - 1) : n + 2]) for n in range(len(rising))]
        reached = next((n for n, value in enumerate(smooth) if value >= 0.8 * plateau), len(smooth))
        if reached >= max(4, 0.25 * len(rising)) and smooth[0] < 0.5 * plateau:
            return "ramp"
    return "step"


def _confidence(seen: Points, chosen: Episode, first: int) -> float:
    """Grows with the height over the noise, or with the number of events where there was none."""
    height = statistics.median(seen.excess[chosen.first : chosen.last + 1])
    if seen.sigma > 0:
        sure = 1 - math.exp(-max(0.0, height) / seen.sigma / 3)
    else:
        sure = (
            1 - math.exp(-chosen.mass / 10)
            if seen.limit == 0
            else 1 - math.exp(-3 * chosen.peak / seen.limit)
        )
    sure *= 1.0 if chosen.sustained else 0.6
    sure *= 1.0 if min(seen.base, first) >= 10 else 0.7
    return round(min(0.99, max(0.05, sure)), 2)
