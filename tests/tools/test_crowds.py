from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tools.crowds import crowd


def test_the_stretch_where_rare_things_come_often_is_told() -> None:
    hits = [3, 60, 121, *range(200, 260, 4)]
    assert crowd(hits, 260) == (200, 256)
    assert crowd(hits, 260, start=250) == (200, 256)
    assert crowd(hits, 300, start=270) is None


def test_five_are_no_crowd_and_what_comes_all_the_time_is_none() -> None:
    assert crowd([100, 101, 102, 103, 104], 400) is None
    assert crowd(list(range(0, 400, 3)), 400) is None
    assert crowd([], 10) is None


def test_chance_makes_no_crowd() -> None:
    found = 0
    for seed in range(120):
        luck = random.Random(seed)
        size = (90, 300, 864)[seed % 3]
        found += crowd([n for n in range(size) if luck.random() < 0.03], size) is not None
    assert found <= 2


@given(st.lists(st.integers(0, 300), unique=True, max_size=40).map(sorted), st.integers(0, 300))
def test_it_begins_and_ends_with_a_hit(hits: list[int], start: int) -> None:
    found = crowd(hits, 301, start)
    if found is not None:
        assert found[0] in hits
        assert found[1] in hits
        assert start <= found[1]
