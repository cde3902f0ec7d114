"""Where rare things come much closer together than elsewhere, by a scan over all stretches. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

_RARE = 0.2  # share of places elsewhere from which it is not rare
_FEWEST = 6
_MOST = 250  # more than that are not looked through
_CHANCE = 7.0  # logarithm of how much likelier a crowd must be than none; more among many


def crowd(hits: Sequence[int], size: int, start: int = 0) -> tuple[int, int] | None:
    """The first and the last hit of the densest stretch among `size` places, None where all may be chance.

    `hits`: places in order. The stretch reaches to `start` or beyond.
    """
    count = len(hits)
    if not _FEWEST <= count <= _MOST:
        return None
    best, found = _likely(count, size) + _CHANCE + math.log(count), None
    for one in range(count - _FEWEST + 1):
        for other in range(one + _FEWEST - 1, count):
            inside, wide = other - one + 1, hits[other] - hits[one] + 1
            rest = size - wide
            if hits[other] < start or rest < wide / 3 or count - inside > _RARE * rest:
                continue
            if 2 * (count - inside) * wide > inside * rest:
                continue
            likely = _likely(inside, wide) + _likely(count - inside, rest)
            if likely > best:
                best, found = likely, (hits[one], hits[other])
    return found


def _likely(hits: int, size: int) -> float:
    """The logarithm of how likely it is that so many places are hit, each with their share as its chance."""
    missed = size - hits
    return (hits * math.log(hits / size) if hits else 0.0) + (
        missed * math.log(missed / size) if missed else 0.0
    )
