"""Percentiles of any rank from what a `Sample` knows: its smallest and largest value, p50, p90 and p99.

The values of one sample are taken to be spread evenly between these five points, so that the known percentiles come
out exactly and every other one lies on the straight line between its neighbours. Several samples are one mixture,
each weighing as much as it has values; the percentile is read off the mixture's own distribution, which is what
CloudWatch does with raw values. (The mean of percentiles is something else.)
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

_RANK = re.compile(r"p(100(?:\.0{1,10})?|\d{1,2}(?:\.\d{1,10})?)")
_RANKS = (0.0, 0.5, 0.9, 0.99, 1.0)


class Spread(Protocol):
    """What is known of the values of one emission."""

    @property
    def samples(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def p50(self) -> float: ...
    @property
    def p90(self) -> float: ...
    @property
    def p99(self) -> float: ...


def rank(stat: str) -> float | None:
    """0.95 for "p95", 0.999 for "p99.9"; None for what is no percentile."""
    match = _RANK.fullmatch(stat)
    return float(match.group(1)) / 100 if match else None


def _knots(row: Spread) -> list[float]:
    return list(accumulate((row.low, row.p50, row.p90, row.p99, row.high), max))


def _between(knots: Sequence[float], share: float) -> float:
    place = max(1, bisect_left(_RANKS, share))
    low, high = _RANKS[place - 1], _RANKS[place]
    return knots[place - 1] + (knots[place] - knots[place - 1]) * (share - low) / (high - low)


def _share(knots: Sequence[float], value: float, included: bool) -> float:
    """The share of values below `value`, or up to and with it."""
    place = (bisect_right if included else bisect_left)(knots, value)
    if place == 0:
        return 0.0
    if place == len(knots):
        return 1.0
    low, high = knots[place - 1], knots[place]
    return _RANKS[place - 1] + (_RANKS[place] - _RANKS[place - 1]) * (value - low) / (high - low)


def percentile(rows: Sequence[Spread], share: float) -> float:
    """The value that `share` of all values of these samples do not exceed. Samples without values count nothing."""
    held = [(row.samples, _knots(row)) for row in rows if row.samples > 0]
    if not held:
        return 0.0
    if len(held) == 1:
        return _between(held[0][1], share)
    total = sum(weight for weight, _ in held)

    def below(value: float, included: bool) -> float:
        return sum(weight * _share(knots, value, included) for weight, knots in held) / total

    values = sorted({value for _, knots in held for value in knots})
    first, last = 0, len(values) - 1
    while first < last:
        middle = (first + last) // 2
        if below(values[middle], True) >= share - 1e-12:
            last = middle
        else:
            first = middle + 1
    if first == 0:
        return values[0]
    start, end = below(values[first - 1], True), below(values[first], False)
    if share >= end or end <= start:
        return values[first]
    return values[first - 1] + (values[first] - values[first - 1]) * (share - start) / (end - start)
