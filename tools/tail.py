"""How rarely a value so extreme comes, by the values before it. Pure; no distribution is assumed for the bulk."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque

MOST = 8_000  # values remembered
_FEWEST = 20  # before that many values nothing is rare
_SHARE = 0.02  # of the values make a tail
_TAIL = 10  # but at least so many
_HEAVIEST = 0.7  # shape of the heaviest tail believed: mean finite, variance not
_RAREST = 30.0


class Tail:
    """The last values of one quantity, and how rare another one would be among them.

    Within the values seen the share of those at least as extreme counts. Beyond the outermost 2 % a generalised Pareto
    distribution is fitted to them (by probability-weighted moments), so that a quantity that bursts now and then
    makes the next burst no miracle.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._queue: deque[float] = deque()
        self._ordered: list[float] = []
        self._fits: dict[bool, tuple[float, float, float]] = {}
        self._since = 0
        self._size = 0  # of either tail

    def __len__(self) -> int:
        return len(self._ordered)

    def add(self, value: float) -> None:
        """Remember a value; the oldest is forgotten when there are too many."""
        self._queue.append(value)
        insort(self._ordered, value)
        if len(self._queue) > self._most:
            del self._ordered[bisect_left(self._ordered, self._queue.popleft())]
        else:
            count = len(self._queue)
            self._size = min(max(_TAIL, int(_SHARE * count)), count // 2)
        self._since += 1
        if self._since > self._size // 4:
            self._fits.clear()
            self._since = 0

    def rarity(self, value: float, least: float = 0.0) -> float:
        """Minus the logarithm (base 10) of the chance of a value so extreme, high or low, at most 30.

        0 while fewer than 20 values are known. `least`: the tail is taken to be at least so wide, in the values' unit;
        what differs by less is no event.
        """
        ordered = self._ordered
        count = len(ordered)
        if count < _FEWEST:
            return 0.0
        high = value >= ordered[count // 2]
        beyond = count - bisect_left(ordered, value) if high else bisect_right(ordered, value)
        if beyond >= self._size:
            return -math.log10((beyond + 1) / (count + 1))
        fit = self._fits.get(high)
        if fit is None:
            fit = self._fits[high] = self._fitted(high)
        edge, scale, shape = fit
        excess = max(0.0, value - edge if high else edge - value)
        scale = max(scale, least, 1e-12)
        far = excess / scale
        powers = math.log10(1 + shape * far) / shape if shape >= 1e-3 else far / math.log(10)
        return min(_RAREST, powers - math.log10(self._size / count))

    def _fitted(self, high: bool) -> tuple[float, float, float]:
        """Where the tail begins, its scale and its shape."""
        ordered, size = self._ordered, self._size
        if high:
            edge = ordered[-size - 1]
            excess = [value - edge for value in ordered[-size:]]
        else:
            edge = ordered[size]
            excess = [edge - value for value in reversed(ordered[:size])]
        mean = math.fsum(excess) / size
        floor = 1e-3 * (ordered[-1] - ordered[0])
        if mean <= 0:
            return edge, floor, 0.0
        weighted = math.fsum(one * (size - 1 - n) for n, one in enumerate(excess)) / (size * (size - 1))
        gap = mean - 2 * weighted
        shape = 2 - mean / gap if gap > 1e-12 * mean else _HEAVIEST
        shape = min(max(shape, 0.0), _HEAVIEST)
        return edge, max(mean * (1 - shape), floor), shape
