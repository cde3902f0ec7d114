"""When a metric went wrong. Pure, deterministic, robust statistics.

A metric cannot tell a moment finer than its period: the onset lies in the first bad period. What is
normal comes from the points before the window; from the same time on earlier days when there are two days
of them; else from the calmer part of the window itself.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from tools.baseline import RUN_SIGMAS, TAIL, baseline, blips, quantile, rare, season
from tools.metrics import fill_zero
from tools.models import Onset, OnsetShape, Series, Window
from tools.span import span

Bad = Literal["up", "down", ""]
Missing = Literal["zero", "idle", "unknown"]

_SINGLE_SIGMAS = 8.0
_STANDS_OUT = 3.0  # a lone spike must be this much higher than the next
_JOIN = 3  # points of calm that do not end an episode
_NOTHING = (
    0.02  # of the next point: trouble that began so late in its period that it left less is rarer than chance
)
_LOOKED = 80  # points before that say where exactly it began
_HALF_AN_HOUR = 30  # points of a slight shift that is no part of what comes after it
_FEW_EVENTS = 3  # fewer counted events than this are no incident


@dataclass(frozen=True, slots=True)
class _Points:
    """Times, raw values and excess: how far towards the bad side, in units where normal noise has scale `sigma`."""

    times: Sequence[datetime]
    raw: Sequence[float]
    excess: Sequence[float]
    sigma: float
    limit: float  # excess beyond which a point counts in a run
    base: int  # points of the baseline
    logs: bool = False  # excess is of the logarithm


@dataclass(frozen=True, slots=True)
class _Episode:
    """Points first..last (indices), those beyond the limit between them, the highest and the total excess."""

    first: int
    last: int
    count: int
    peak: float
    mass: float
    sustained: bool


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
    if missing == "zero" or (missing == "idle" and side == "down"):
        series = fill_zero(series)
    period = timedelta(seconds=series.metric.period)
    points = [(moment, value) for moment, value in series.points if moment < window.end]
    if len(points) < 4:
        return None
    counts = series.metric.stat in ("Sum", "SampleCount")
    seen = _measured(points, window, 1.0 if side == "up" else -1.0, counts, hint, min_effect)
    episodes = _episodes(seen, counts)
    start = bisect_left(seen.times, window.start)
    episodes = [one for one in episodes if one.last >= start]
    chosen = _chosen(seen, episodes)
    if chosen is None:
        return None
    if off := _off_day(seen, chosen):
        seen = replace(seen, excess=[value - off for value in seen.excess])
        episodes = [one for one in _episodes(seen, counts) if one.last >= start]
        chosen = _chosen(seen, episodes) or chosen
    return _told(seen, chosen, episodes, period, side, counts)


def _measured(
    points: Sequence[tuple[datetime, float]],
    window: Window,
    sign: float,
    counts: bool,
    hint: float | None,
    min_effect: float,
) -> _Points:
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
    return _Points(times, raw, excess, sigma, limit, len(base), ratios is not None)


# ---- when it was not normal


def _episodes(seen: _Points, counts: bool) -> list[_Episode]:
    """Stretches of points beyond the limit, oldest first. A short calm, longer in a long stretch, does not end one."""
    over = [place for place, value in enumerate(seen.excess) if value > seen.limit]
    groups: list[list[int]] = []
    for place in over:
        if groups and place - groups[-1][-1] - 1 <= max(_JOIN, min(15, len(groups[-1]) // 3)):
            groups[-1].append(place)
        else:
            groups.append([place])
    made = [_episode(seen, group) for group in groups]
    if counts:
        made = [one for one in made if one.mass >= _FEW_EVENTS]
    long = [one for one in made if one.sustained]
    short = sorted((one for one in made if not one.sustained), key=lambda one: -one.peak)
    if len(short) >= 2 and short[0].peak < _STANDS_OUT * short[1].peak:
        short = []
    usual = statistics.fmean(seen.raw) if counts else 0.0
    lone = max(
        _SINGLE_SIGMAS * seen.sigma, 2 * RUN_SIGMAS * math.sqrt(max(0.0, usual)) + _FEW_EVENTS * counts
    )
    spike = [one for one in short[:1] if one.peak > lone]
    return sorted(long + spike, key=lambda one: one.first)


def _episode(seen: _Points, group: Sequence[int]) -> _Episode:
    needed, among = (3, 4) if len(seen.times) >= 12 else (2, 3)
    runs = [n for n in range(len(group) - needed + 1) if group[n + needed - 1] - group[n] < among]
    close = [n for n in range(len(group) - needed + 1) if group[n + needed - 1] - group[n] < 2 * among]
    group = group[close[0] :] if runs else group  # a blip shortly before is no part of it
    excess = [seen.excess[place] for place in group]
    return _Episode(group[0], group[-1], len(group), max(excess), math.fsum(excess), bool(runs))


def _chosen(seen: _Points, episodes: Sequence[_Episode]) -> _Episode | None:
    if not episodes:
        return None
    largest = max(episodes, key=lambda one: (one.sustained, one.mass, -one.first))
    latest = episodes[-1]
    going_on = len(seen.times) - 1 - latest.last <= _JOIN
    return latest if going_on and latest.sustained and latest.peak >= 0.2 * largest.peak else largest


def _off_day(seen: _Points, chosen: _Episode) -> float:
    """How far the day lies off other days before the metric breaks away from it too; 0 where it is one episode.

    On weekends and holidays there is a little less or more of everything, for hours: that is no beginning.
    """
    little = 2 * seen.limit
    if not seen.logs or chosen.peak < 2 * little:
        return 0.0
    own = seen.excess[chosen.first : chosen.last + 1]
    breaks = next(
        (place for place in range(len(own) - 2) if statistics.median(own[place : place + 3]) > little), 0
    )
    return statistics.median(own[:breaks]) if breaks >= _HALF_AN_HOUR else 0.0


def _told(
    seen: _Points,
    chosen: _Episode,
    episodes: Sequence[_Episode],
    period: timedelta,
    side: Bad,
    counts: bool,
) -> Onset:
    teeth = _teeth(seen, chosen, episodes)
    first = _back(seen, (teeth[0] if teeth else chosen).first, period)
    last = chosen.last
    calm_after = len(seen.times) - 1 - last
    ended = (
        seen.times[last] + period if calm_after >= (_JOIN if period.total_seconds() < 300 else 2) else None
    )
    before = [v for v, e in zip(seen.raw[:first], seen.excess[:first], strict=True) if e <= seen.limit][-60:]
    since = seen.raw[first : last + 1]
    normal, now = statistics.median(before) if before else None, statistics.median(since)
    shape = "sawtooth" if teeth else _shape(seen, first, chosen, ended, normal, now, period, side)
    earliest, latest = _interval(seen, first, teeth[0].last if teeth else last, period, side, counts)
    return Onset(
        earliest=earliest,
        latest=min(latest, ended or latest),
        confidence=_confidence(seen, chosen, first),
        shape=shape,
        ended=ended,
        normal=normal,
        now=now,
    )


def _back(seen: _Points, first: int, period: timedelta) -> int:
    """The first of the elevated points that lead up to `first` without a break.

    A point that is next to nothing beside the one after it is chance: a trouble that began in its very last
    moment is rarer than that.
    """
    lower = min(seen.limit, max(2.5 * seen.sigma, 0.5 * seen.limit))
    while first and seen.times[first] - seen.times[first - 1] <= period:
        if seen.excess[first - 1] <= max(lower, _NOTHING * seen.excess[first]):
            break
        first -= 1
    return first


def _interval(
    seen: _Points, first: int, last: int, period: timedelta, side: Bad, counts: bool
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
    return begin + early * period, begin + late * period


def _teeth(seen: _Points, chosen: _Episode, episodes: Sequence[_Episode]) -> list[_Episode]:
    """At least three like episodes at regular distances, the chosen one among them."""
    like = [one for one in episodes if one.sustained and 0.5 <= one.peak / chosen.peak <= 2]
    if len(like) < 3:
        return []
    gaps = [(b.first - a.first) for a, b in pairwise(like)]
    middle = statistics.median(gaps)
    return like if all(abs(gap - middle) <= max(1.0, 0.25 * middle) for gap in gaps) else []


def _shape(
    seen: _Points,
    first: int,
    chosen: _Episode,
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


def _confidence(seen: _Points, chosen: _Episode, first: int) -> float:
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
