"""How rare a value is: by rank inside of what was seen, by the tail's own weight beyond it."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.tail import Tail


def filled(values: list[float], most: int = 8_000) -> Tail:
    tail = Tail(most)
    for value in values:
        tail.add(value)
    return tail


def test_inside_of_what_was_seen_the_rank_counts() -> None:
    tail = filled([float(n) for n in range(999)])
    assert tail.rarity(899.0) == pytest.approx(-math.log10(101 / 1000))
    assert tail.rarity(99.0) == pytest.approx(-math.log10(101 / 1000))
    assert tail.rarity(499.0) == pytest.approx(-math.log10(501 / 1000))


def test_fewer_than_twenty_values_make_nothing_rare() -> None:
    assert filled([1.0] * 19).rarity(50.0) == 0.0
    assert filled([1.0] * 20).rarity(50.0) > 5


def test_what_always_was_is_not_rare() -> None:
    assert filled([7.0] * 500).rarity(7.0) == 0.0


def test_a_burst_is_less_rare_where_bursts_come() -> None:
    luck = random.Random(1)
    calm = filled([luck.gauss(0, 1) for _ in range(2_000)])
    bursty = filled(
        [luck.gauss(0, 1) if luck.random() > 0.03 else luck.paretovariate(1.2) for _ in range(2_000)]
    )
    assert calm.rarity(12.0) > 2 * bursty.rarity(12.0)
    assert calm.rarity(12.0) > 6


def test_a_difference_too_small_to_matter_is_not_rare() -> None:
    tail = filled([100.0] * 200)
    assert tail.rarity(100.05) == 30.0
    assert tail.rarity(100.05, least=0.1) < 1.6 < 5 < tail.rarity(101.0, least=0.1)


def test_what_is_long_ago_is_forgotten() -> None:
    tail = filled([1_000.0] * 100 + [float(n % 10) for n in range(100)], most=100)
    assert len(tail) == 100
    assert tail.rarity(1_000.0) > 5


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=120),
    st.floats(-1e7, 1e7),
    st.floats(0, 1e6),
)
def test_further_out_is_never_less_rare(values: list[float], value: float, more: float) -> None:
    tail, ordered = filled(values), sorted(values)
    found = tail.rarity(value)
    assert 0 <= found <= 30
    further = value + more if value >= ordered[len(ordered) // 2] else value - more
    assert tail.rarity(further) >= found - 1e-9
