"""Stretches of points that are not normal, and which of them matters. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tools.baseline import RUN_SIGMAS
from tools.crowds import crowd

_SINGLE_SIGMAS = 8.0
_STANDS_OUT = 3.0  # a lone spike must be this much higher than the next
JOIN = 3  # points of calm that do not end an episode
_NOTHING = 0.02  # of the next point
_HALF_AN_HOUR = 30  # points of a slight shift that is no part of what comes after it
_FLOOD = 8.0  # times the usual event
_FEW_EVENTS = 3  # fewer counted events than this are no incident


@dataclass(frozen=True, slots=True)
class Points:
    """Times, raw values and excess: how far towards the bad side, in units where normal noise has scale `sigma`."""

    times: Sequence[datetime]
    raw: Sequence[float]
    excess: Sequence[float]
    sigma: float
    limit: float  # excess beyond which a point counts in a run
    base: int  # points of the baseline
    logs: bool = False  # excess is of the logarithm


@dataclass(frozen=True, slots=True)
class Episode:
    """Points first..last (indices), those beyond the limit between them, the highest and the total excess."""

    first: int
    last: int
    count: int
    peak: float
    mass: float
    sustained: bool


def episodes(seen: Points, counts: bool, start: int = 0) -> list[Episode]:
    """Stretches of points beyond the limit that reach to point `start` or beyond, oldest first.

    A short calm, longer in a long stretch, does not end one. `counts`: values are numbers of events.
    """
    over = [place for place, value in enumerate(seen.excess) if value > seen.limit]
    groups: list[list[int]] = []
    for place in over:
        if groups and place - groups[-1][-1] - 1 <= max(JOIN, min(15, len(groups[-1]) // 3)):
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
    found = sorted(long + spike, key=lambda one: one.first)
    found = _with_crowd(seen, found, start) if counts and not seen.logs else found
    return [one for one in found if one.last >= start]


def _with_crowd(seen: Points, found: list[Episode], start: int) -> list[Episode]:
    """Single events that come much closer together than before are an episode too; one that is told grows by them."""
    hits = [place for place, value in enumerate(seen.excess) if value > 0]
    none_is_usual = min(seen.excess) >= 0
    where = crowd(hits, len(seen.excess), start) if none_is_usual else None
    if where is None:
        return found
    excess = [value for value in seen.excess[where[0] : where[1] + 1] if value > 0]
    near = [one for one in found if one.first <= where[1] and one.last >= where[0]]
    if any(one.mass > _FLOOD * math.fsum(excess) for one in found if one not in near):
        return found  # what else there is matters more
    if any(one.peak > _FLOOD * statistics.median(excess) for one in near):
        return found  # what it floods with later is another thing
    if any(teeth(one, near) for one in near):
        return found
    first, last = (
        min(where[0], *(one.first for one in near), len(seen.excess)),
        max(where[1], *(one.last for one in near), 0),
    )
    made = Episode(first, last, len(excess), max(excess), math.fsum(excess), True)
    return sorted([made, *(one for one in found if one not in near)], key=lambda one: one.first)


def _episode(seen: Points, group: Sequence[int]) -> Episode:
    needed, among = (3, 4) if len(seen.times) >= 12 else (2, 3)
    runs = [n for n in range(len(group) - needed + 1) if group[n + needed - 1] - group[n] < among]
    close = [n for n in range(len(group) - needed + 1) if group[n + needed - 1] - group[n] < 2 * among]
    group = group[close[0] :] if runs else group  # a blip shortly before is no part of it
    excess = [seen.excess[place] for place in group]
    return Episode(group[0], group[-1], len(group), max(excess), math.fsum(excess), bool(runs))


def that_matters(seen: Points, found: Sequence[Episode]) -> Episode | None:
    """The one still going on, else the largest."""
    if not found:
        return None
    largest = max(found, key=lambda one: (one.sustained, one.mass, -one.first))
    latest = found[-1]
    going_on = len(seen.times) - 1 - latest.last <= JOIN
    return latest if going_on and latest.sustained and latest.peak >= 0.2 * largest.peak else largest


def off_day(seen: Points, chosen: Episode) -> float:
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


def led_up(seen: Points, first: int, period: timedelta) -> int:
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


def teeth(chosen: Episode, found: Sequence[Episode]) -> list[Episode]:
    """At least three like episodes at regular distances, the chosen one among them."""
    like = [one for one in found if one.sustained and 0.5 <= one.peak / chosen.peak <= 2]
    if len(like) < 3:
        return []
    gaps = [(b.first - a.first) for a, b in pairwise(like)]
    middle = statistics.median(gaps)
    return like if all(abs(gap - middle) <= max(1.0, 0.25 * middle) for gap in gaps) else []
