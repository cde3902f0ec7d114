"""How unusual a metric is at each point, by the points before it alone. Pure, deterministic, bounded memory.

The same series is looked at in several ways: its level and its jumps over short and long stretches, what it was at the
same time on earlier days, how much it scatters, how long it stood still. Each way learns from its own past how
rarely it speaks; the score is how much rarer than usual all of them together find the present.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from tools.models import Series, Window
from tools.tail import Tail

LIMIT = 5.0  # a score from which it is worth telling
REST = 72  # points after an alarm in which the next one is taken for the same episode

_STRETCHES = (1, 6, 36)  # points; and a day
_SCATTER = 24
_SEASON_MEAN = 12
_DAY = 86_400
_DAYS = 14
_NEAR = 2  # periods before and after that are the same time of day
_SAME = 10  # so many points of earlier days say what is usual at a time
_LEAST_DAY = 8  # periods of a day without which there is no shape of the day
_RARE = 1.5  # one in about 30: what is less rare does not count
_MOST = 4.0  # no single way decides
_USUAL = 2.0  # how much of the series' own mean score is taken off
_USUAL_POINTS = 3_000
_SMALL = 1e-3  # of the usual size: less is no change
_LEADS = 0.7  # of the highest score: what leads up to it belongs to it
_STILL = 0.6  # and of the limit
_PAUSE = 12  # points below that end it


@dataclass(frozen=True, slots=True)
class Unusual:
    """One point. `score`: powers of ten by which the present is rarer than what this series often does.

    `ways`: what stands out, by name, with how rare it is (at most 4 powers of ten beyond one in 30).
    """

    score: float
    ways: tuple[tuple[str, float], ...]


class _Mean:
    """The mean of the last `size` values, None before there are so many."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: deque[float] = deque(maxlen=size)
        self._sum = 0.0
        self._since = 0

    def add(self, value: float) -> float | None:
        full = len(self._values) == self.size
        self._sum += value - (self._values[0] if full else 0.0)
        self._values.append(value)
        self._since += 1
        if self._since >= min(self.size, 64):  # rounding must not add up
            self._sum, self._since = math.fsum(self._values), 0
        # Nine digits: sums of the same values in another order are the same.
        return float(f"{self._sum / self.size:.9g}") if len(self._values) == self.size else None

    def clear(self) -> None:
        self._values.clear()
        self._sum, self._since = 0.0, 0


class Watch:
    """A metric that is followed point by point. `period`: seconds between its points."""

    def __init__(self, period: int) -> None:
        self._period = max(1, period)
        self._day = max(1, round(_DAY / self._period))
        self._tails: dict[str, Tail] = {}
        self._levels = {size: _Mean(size) for size in sorted({*_STRETCHES, self._day})}
        self._before: dict[int, deque[float]] = {size: deque(maxlen=size + 1) for size in _STRETCHES}
        self._scatter = {size: _Mean(size) for size in sorted({_SCATTER, self._day})}
        self._season = _Mean(_SEASON_MEAN)
        self._known: dict[int, float] = {}
        self._ago = tuple(
            day * self._day + near for day in range(1, _DAYS + 1) for near in range(-_NEAR, _NEAR + 1)
        )
        self._last: float | None = None
        self._still = 0
        self._size = 0.0  # mean of the absolute values
        self._usual = 0.0  # mean of the scores
        self._count = 0

    def see(self, moment: datetime, value: float) -> Unusual:
        """Take in the next point, in the order of time, and say how unusual it is."""
        self._count += 1
        self._size += (abs(value) - self._size) / min(self._count, _USUAL_POINTS)
        ways = []
        for name, one in self._ways(int(moment.timestamp()), value):
            tail = self._tails.get(name)
            if tail is None:
                tail = self._tails[name] = Tail()
            rare = min(_MOST, tail.rarity(one, _SMALL * self._size) - _RARE)
            tail.add(one)
            if rare > 0:
                ways.append((name, rare))
        together = math.fsum(rare for _, rare in ways)
        score = together - _USUAL * self._usual
        self._usual += (together - self._usual) / min(self._count, _USUAL_POINTS)
        return Unusual(score, tuple(sorted(ways, key=lambda way: -way[1])))

    def _ways(self, at: int, value: float) -> Iterator[tuple[str, float]]:
        for size, level in self._levels.items():
            mean = level.add(value)
            if mean is None:
                continue
            yield f"level of {size}", mean
            if size in self._before:
                before = self._before[size]
                before.append(mean)
                if len(before) > size:
                    yield f"jump of {size}", mean - before[0]
        yield from self._seasonal(at, value)
        if self._last is not None:
            step = abs(value - self._last)
            self._still = self._still + 1 if step == 0 else 0
            for size, scatter in self._scatter.items():
                spread = scatter.add(step)
                if spread is not None:
                    yield f"scatter of {size}", spread
        self._last = value
        yield "standing still", float(self._still)

    def _seasonal(self, at: int, value: float) -> Iterator[tuple[str, float]]:
        """How far it is outside of, and from the middle of, what was at the same time on earlier days."""
        if self._day < _LEAST_DAY:
            return
        slot, known = at // self._period, self._known.get
        same = [one for ago in self._ago if (one := known(slot - ago)) is not None]
        same.sort()
        self._known[slot] = value
        if len(self._known) > _DAYS * self._day + 2 * _NEAR:
            del self._known[next(iter(self._known))]
        if len(same) < _SAME:
            self._season.clear()
            return
        yield "same time on other days", max(0.0, value - same[-1]) + min(0.0, value - same[0])
        mean = self._season.add(value - median(same))
        if mean is not None:
            yield f"same time on other days, mean of {_SEASON_MEAN}", mean


def unusual(series: Series) -> list[Unusual]:
    """Every point of a series, each judged by those before it."""
    watch = Watch(series.metric.period)
    return [watch.see(moment, value) for moment, value in series.points]


def alarms(scores: Sequence[float], limit: float = LIMIT, rest: int = REST, start: int = 0) -> list[int]:
    """The places, from `start`, at which a score reaches the limit, one for each episode."""
    found: list[int] = []
    for place in range(start, len(scores)):
        if scores[place] >= limit and (not found or place - found[-1] >= rest):
            found.append(place)
    return found


def struck(scores: Sequence[float], first: int, last: int, limit: float = LIMIT) -> int | None:
    """Looking back on the places `first` to `last`: where the most unusual of it began, None when nothing was."""
    best = max(range(first, last + 1), key=lambda place: scores[place], default=None)
    if best is None or scores[best] < limit:
        return None
    least = max(_STILL * limit, _LEADS * scores[best])
    begin = best
    for place in range(best - 1, first - 1, -1):
        if begin - place >= _PAUSE:
            break
        if scores[place] >= least:
            begin = place
    return begin


def began(series: Series, window: Window, limit: float = LIMIT) -> datetime | None:
    """The point of `window` at which the most unusual thing in it began. The series should begin long before it.

    For a metric with much restlessness of its own: what is rare for it counts, not what is large.
    """
    times = [moment for moment, _ in series.points]
    first, end = bisect_left(times, window.start), bisect_left(times, window.end)
    place = struck([one.score for one in unusual(series)], first, end - 1, limit)
    return None if place is None else times[place]
