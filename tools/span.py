"""Between which moments a level began to change, by what each of its periods shows. Pure, deterministic.

Every moment near where a change stands out is tried, for a change at once and for slower ones: what was measured before
it should be as likely as what is usual, what came after as likely as what came to be, and the period in which it began
shows some of both. The interval is the shortest that holds most of what is likely.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tools.baseline import regular

_HELD = 0.93  # of the likelihood lies in the interval
_LATER_YET = 0.005  # and hardly any after it: what happened after an interval is taken for no cause
_PARTS = 6  # a period is looked at in so many parts
_USUAL = 60  # periods before that say what is usual
_SINCE = 60  # periods since that say what came to be
_LATELY, _FOOT = 40, 8  # of these that do; the last of them may belong to a slow change
_EARLIER, _LATER = 12, 6  # periods around the first that stands out in which a change at once may have begun
_SLOWER, _SOON = 45, 3  # and a slow one
_RISES = (
    1.3,
    1.6,
    2.0,
    2.5,
    3.2,
    4.0,
    5.5,
    8.0,
    11.0,
    16.0,
    22.0,
    32.0,
    45.0,
    60.0,
)  # periods of slow changes
_FINE = 5  # periods from which it is the same in which part of the first one it began
_SLOW = 0.15  # of changes are slow
_VAGUE = 0.1  # slow changes go by no ruler
_STRANGE, _WILD = 0.005, 0.1  # of the values come from nowhere: while all is as usual, and since it is not
_LARGE = 50.0  # counts from which a Gaussian is as good

Slots = Sequence[float | None]  # one for each period, None where nothing was measured


@dataclass(frozen=True, slots=True)
class _Level:
    """What is measured while some part of a change has happened: mean and deviation; counts by chance."""

    mean: float
    spread: float
    counts: bool
    wide: float  # range of the values that come from nowhere
    strange: float  # share of these

    def log(self, value: float | None) -> float:
        """The logarithm of how likely a value is; 0 where nothing was measured."""
        if value is None:
            return 0.0
        likely = self._counted(value) if self.counts and self.mean < _LARGE else self._measured(value)
        return math.log((1 - self.strange) * likely + self.strange / self.wide)

    def _measured(self, value: float) -> float:
        far = (value - self.mean) / self.spread
        return math.exp(-0.5 * far * far) / (self.spread * 2.5066) if abs(far) < 30 else 0.0

    def _counted(self, value: float) -> float:
        """Poisson, or negative binomial where counts scatter more."""
        mean, number = max(self.mean, 1e-3), max(0.0, value)
        more = (self.spread**2 - mean) / mean**2
        if more < 1e-2:
            return math.exp(number * math.log(mean) - mean - math.lgamma(number + 1))
        size = 1 / more
        return math.exp(
            math.lgamma(number + size)
            - math.lgamma(size)
            - math.lgamma(number + 1)
            + size * math.log(size / (size + mean))
            + number * math.log(mean / (size + mean))
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """From one level to another."""

    before: _Level
    after: _Level

    def part(self, share: float, vague: float) -> _Level:
        """While so much of the change has happened, give or take `vague` of it."""
        share = min(1.0, max(0.0, share))
        one, other = self.before, self.after
        mean = one.mean + share * (other.mean - one.mean)
        spread = one.spread + share * (other.spread - one.spread)
        if one.counts:
            spread = max(spread, math.sqrt(mean))
        spread = math.hypot(spread, vague * (other.mean - one.mean))
        return _Level(mean, spread, one.counts, one.wide, other.strange)


def span(slots: Slots, first: int, last: int, counts: bool) -> tuple[float, float]:
    """When it began, in periods from the first slot: at the earliest, at the latest; at least one period apart.

    It stands out from slot `first` to slot `last`. `counts`: values are numbers of events.
    """
    begin, end = max(0, first - _USUAL), min(last + 1, first + _SINCE)
    near, place = slots[begin:end], first - begin
    counts = counts and not regular([value for value in near[:place] if value is not None])
    change, alike = _change(near, place, counts)
    chances = _chances(near, place, change, (1 - alike) / (1 + alike))
    early, late = _shortest(chances)
    return _whole_holes(near, early, late, begin)


def _change(slots: Slots, first: int, counts: bool) -> tuple[_Change, float]:
    """The levels before and after, and how much alike neighbours are before, 0 to 0.5."""
    known = [value for value in slots[:first] if value is not None]
    usual = known[:-_FOOT][-_LATELY:] if len(known) >= 3 * _FOOT else known[: max(8, 2 * len(known) // 3)]
    usual = usual or [slots[first] or 0.0]
    since = [value for value in slots[first:] if value is not None]
    middle = (
        statistics.fmean(usual) if counts and statistics.median(usual) < _LARGE else statistics.median(usual)
    )
    high = _came_to(since, middle, counts)
    gap = abs(high - middle)
    spread, scatter = _spread(usual, middle), _spread(since[1:], high) if len(since) >= 6 else 0.0
    if counts:
        middle, high = max(middle, 0.5 / (len(usual) + 1)), max(high, 0.0)
        spread, scatter = max(spread, math.sqrt(middle)), max(scatter, math.sqrt(high))
    else:
        spread = max(spread, 5e-3 * gap, 1e-9)
    if len(since) < 6:
        scatter = max(scatter, min(0.3 * gap, spread * max(1.0, abs(high / middle) if middle else 1.0)))
    scatter = max(scatter, 0.3 * spread, 0.02 * gap)
    wide = 4 * (gap + spread + scatter)
    return (
        _Change(_Level(middle, spread, counts, wide, _STRANGE), _Level(high, scatter, counts, wide, _WILD)),
        _alike(usual),
    )


def _came_to(since: Sequence[float], usual: float, counts: bool) -> float:
    """The level that it came to; that of the end where it goes on rising or falling."""
    sign = 1.0 if statistics.fmean(since) >= usual else -1.0
    if len(since) < 4:
        return sign * max(sign * value for value in since)
    third = max(2, len(since) // 3)
    rest, newest = since[1 : 1 + max(8, third)], since[-third:]
    low = counts and statistics.median(rest) < _LARGE
    level = statistics.fmean if low else statistics.median
    early, late = level(since[:third]), level(newest)
    return late if sign * (late - usual) > 1.3 * sign * (early - usual) else level(rest)


def _spread(values: Sequence[float], middle: float) -> float:
    return 1.4826 * statistics.median([abs(value - middle) for value in values]) if values else 0.0


def _alike(values: Sequence[float]) -> float:
    if len(values) < 10:
        return 0.0
    middle = statistics.fmean(values)
    apart = sorted(abs(value - middle) for value in values)[int(0.95 * len(values))]
    rest = [min(max(value - middle, -apart), apart) for value in values]
    power = math.fsum(one * one for one in rest)
    return (
        min(0.5, max(0.0, math.fsum(one * other for one, other in pairwise(rest)) / power)) if power else 0.0
    )


def _chances(slots: Slots, first: int, change: _Change, weight: float) -> list[float]:
    """For each part of each period how likely it began there; they sum up to 1."""
    size = len(slots)
    before = [0.0, *accumulate(change.before.log(value) for value in slots)]
    after = [0.0, *accumulate(change.after.log(value) for value in slots)]
    shares = [(n + 0.5) / _PARTS for n in range(_PARTS)]
    mixed = [change.part(1 - share, 0.29 / _PARTS) for share in shares]
    logs = [-math.inf] * (size * _PARTS)
    at_once = math.log((1 - _SLOW) / _PARTS)
    for place in range(max(0, first - _EARLIER), min(size, first + _LATER)):
        rest = before[place] + after[size] - after[place + 1]
        for part, level in enumerate(mixed):
            logs[place * _PARTS + part] = at_once + rest + level.log(slots[place])
    share_of = {rise: rise**-0.5 for rise in _RISES}  # the slower, the rarer
    slower = _SLOW / math.fsum(share_of.values()) / _PARTS
    for rise in _RISES:
        slow = math.log(slower * share_of[rise])
        few = _PARTS // 3 if rise < _FINE else _PARTS
        for part in range(0, _PARTS, few):
            gone = (part + few / 2) / _PARTS  # of the first period when it begins
            shares = [(1 - gone) ** 2 / 2, *(n - gone + 0.5 for n in range(1, math.ceil(rise + gone)))]
            levels = [change.part(share / rise, _VAGUE) for share in shares]
            for place in range(max(0, first - min(_SLOWER, math.ceil(rise))), min(size, first + _SOON)):
                over = min(size, place + len(levels))
                rest = before[place] + after[size] - after[over]
                likely = slow + rest + math.fsum(map(_Level.log, levels, slots[place:over]))
                for at in range(place * _PARTS + part, place * _PARTS + part + few):
                    logs[at] = _sum(logs[at], likely)
    most = max(logs)
    found = [math.exp(weight * (one - most)) for one in logs]
    total = math.fsum(found)
    return [one / total for one in found]


def _sum(one: float, other: float) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    high, low = max(one, other), min(one, other)
    return high + math.log1p(math.exp(low - high))


def _shortest(chances: Sequence[float]) -> tuple[int, int]:
    """The parts around the likeliest period that hold most of it, the end not included."""
    periods = [math.fsum(chances[n : n + _PARTS]) for n in range(0, len(chances), _PARTS)]
    best = periods.index(max(periods))
    early, late = best * _PARTS, (best + 1) * _PARTS
    held = periods[best]
    while held < _HELD and (early or late < len(chances)):
        left = chances[early - 1] if early else -1.0
        right = chances[late] if late < len(chances) else -1.0
        if left >= right:
            early -= 1
            held += left
        else:
            late += 1
            held += right
    while math.fsum(chances[late:]) > _LATER_YET:
        late += 1
    return early, late


def _whole_holes(slots: Slots, early: int, late: int, begin: int) -> tuple[float, float]:
    """A moment without a measurement is as good as its neighbours."""
    while early and slots[early // _PARTS] is None:
        early -= 1
    while late < len(slots) * _PARTS and slots[(late - 1) // _PARTS] is None:
        late += 1
    return begin + early / _PARTS, begin + late / _PARTS
