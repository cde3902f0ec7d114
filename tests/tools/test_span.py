from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.made_series import counts, noise
from tools.span import span


def course(began: float, length: int, rise: float = 0.0) -> list[float]:
    """The share of a change in each period that began so many periods in, and took `rise` more."""
    found = []
    for place in range(length):
        moments = [place + (n + 0.5) / 20 - began for n in range(20)]
        found.append(math.fsum(min(1.0, one / rise) if rise else 1.0 for one in moments if one > 0) / 20)
    return found


def test_the_period_that_shows_some_of_both_is_the_interval() -> None:
    values = [100 + 60 * share for share in course(50.4, 80)]
    assert span(values, 50, 79, counts=False) == (50, 51)
    assert span(values, 51, 79, counts=False) == (50, 51)  # the first that stands out may be a later one
    assert span([0.0] * 40 + [3, 40, 41, 38, 44, 39], 40, 45, counts=True) == (40, 41)


def test_what_began_with_a_period_may_have_begun_moments_before() -> None:
    early, late = span([1.0] * 60 + [50.0] * 20, 60, 79, counts=False)
    assert (59.5 < early < 60, late) == (True, 61)


def test_a_hole_is_as_likely_as_its_neighbours() -> None:
    early, late = span([10.0, 11.0] * 30 + [None] * 7 + [50.0, 51.0] * 10, 67, 86, counts=False)
    assert 59.5 < early <= 60
    assert 67 <= late < 67.5


def test_more_noise_makes_it_wider() -> None:
    def wide(sigma: float) -> float:
        values = [a + 30 * share for a, share in zip(noise(4, 90, 100, sigma), course(60.5, 90), strict=True)]
        early, late = span(values, 60, 89, counts=False)
        assert early <= 60.5 <= late
        return late - early

    assert wide(0.5) == 1 < wide(12)


Made = Callable[[int, list[float]], list[float]]


def gauss(seed: int, shares: list[float]) -> list[float]:
    return [one + 30 * share for one, share in zip(noise(seed, len(shares), 100, 6), shares, strict=True)]


def errors(seed: int, shares: list[float]) -> list[float]:
    return [counts(seed * 1000 + n, 1, 0.02 + 0.8 * share)[0] for n, share in enumerate(shares)]


def requests(seed: int, shares: list[float]) -> list[float]:
    luck = random.Random(seed)
    return [max(0.0, round(luck.gauss(200 * (1 - share), 14))) for share in shares]


@pytest.mark.parametrize("make", [gauss, errors, requests])
@pytest.mark.parametrize("rise", [0.0, 12.0])
def test_it_holds_the_truth_as_often_as_it_says(make: Made, rise: float) -> None:
    luck, held, wide = random.Random(rise), 0, []
    for seed in range(60):
        began = 60 + luck.random()
        values = make(seed, course(began, 100, rise))
        first = next(n for n in range(61, 100) if values[n] != 0) if make is errors else 60 + round(rise / 3)
        early, late = span(values, first, 99, counts=make is not gauss)
        held += early <= began <= late
        wide.append(late - early)
    assert held >= (0.66 if rise else 0.9) * 60
    assert sum(wide) / 60 < (21 if make is errors else 12 if rise else 4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1e9), st.just(0.0)), min_size=1, max_size=120),
    st.data(),
    st.booleans(),
)
def test_any_values_give_an_interval_within_them(
    values: list[float | None], data: st.DataObject, counted: bool
) -> None:
    first = data.draw(st.integers(0, len(values) - 1))
    last = data.draw(st.integers(first, len(values) - 1))
    values[first] = values[first] or 1.0
    early, late = span(values, first, last, counted)
    assert 0 <= early <= late - 1 < late <= last + 1
