from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.rates import ALPHA, Count, at_least, judged

HOUR = 3600.0


def one(before: int, after: int, seconds_before: float = HOUR, seconds_after: float = HOUR) -> Count:
    return Count(before=before, after=after, seconds_before=seconds_before, seconds_after=seconds_after)


def kind(*counts: Count) -> str:
    return judged(counts)[0].kind


@given(st.integers(0, 60), st.integers(0, 61), st.floats(0.001, 0.999))
def test_the_tail_is_the_sum_of_its_terms(total: int, count: int, share: float) -> None:
    terms = [math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(total + 1)]
    assert at_least(count, total, share) == pytest.approx(sum(terms[count:]), rel=1e-6, abs=1e-12)


def test_the_tail_of_large_counts_is_exact_enough() -> None:
    assert at_least(500_000, 1_000_000, 0.5) == pytest.approx(0.5, abs=1e-3)
    assert at_least(501_645, 1_000_000, 0.5) == pytest.approx(0.0005, rel=0.02)  # 3.29 scatters
    assert at_least(900_000, 1_000_000, 0.5) == 0.0


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (one(0, 10), "new"),
        (one(0, 1), "steady"),  # one line may come at any time
        (one(0, 1, 24 * HOUR, 600), "new"),
        (one(5, 40), "louder"),
        (one(40, 5), "quieter"),
        (one(40, 0), "gone"),
        (one(2, 0), "steady"),
        (one(1000, 1300), "steady"),  # surely more, but not by much
        (one(20, 20, HOUR, HOUR / 6), "louder"),
        (one(20, 20, HOUR / 6, HOUR), "quieter"),
        (one(0, 0), "steady"),
        (one(3, 9, 0.0, HOUR), "steady"),  # nothing was watched before
    ],
)
def test_counts_are_told_apart_by_the_time_watched(count: Count, wanted: str) -> None:
    assert kind(count) == wanted


def test_reading_one_line_of_25_watches_a_25th_of_the_time() -> None:
    # 1,000 lines before, of which 40 were read, and 250 since in half an hour: not one line more than usual.
    assert kind(one(40, 250, HOUR / 12.5, HOUR / 2)) == "steady"
    assert kind(one(40, 250, HOUR, HOUR / 2)) == "louder"


def test_one_of_many_needs_a_clearer_difference() -> None:
    alone, steady = one(1, 9), one(10, 10)
    assert kind(alone) == "louder"
    assert kind(alone, *[steady] * 40) == "steady"
    assert kind(one(1, 30), *[steady] * 40) == "louder"


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), min_size=1, max_size=12),
    st.floats(60, 1e5), st.floats(60, 1e5),
)  # fmt: skip
def test_verdicts_follow_the_counts(pairs: list[tuple[int, int]], before: float, after: float) -> None:
    counts = [one(*pair, before, after) for pair in pairs]
    found = judged(counts)
    mirrored = judged([one(b, a, after, before) for a, b in pairs])
    opposite = {"new": "gone", "louder": "quieter"}
    for count, verdict, back in zip(counts, found, mirrored, strict=True):
        assert 0.0 <= verdict.chance <= 1.0
        assert verdict.chance == pytest.approx(back.chance, abs=1e-9)
        if verdict.kind != "steady":
            assert verdict.chance < ALPHA
        if verdict.kind == "new":
            assert not count.before
            assert count.after
        if verdict.kind == "gone":
            assert not count.after
        if verdict.kind in opposite and count.before + count.after >= 3:
            assert back.kind in (opposite[verdict.kind], "gone", "quieter")
    order = random.Random(len(pairs)).sample(range(len(counts)), len(counts))
    assert judged([counts[place] for place in order]) == tuple(found[place] for place in order)


def test_equal_rates_are_seldom_called_different() -> None:
    luck = random.Random(7)

    def poisson(mean: float) -> int:
        total, gone = -1, 0.0
        while gone < mean:
            gone += luck.expovariate(1.0)
            total += 1
        return total

    wrong = 0
    for _ in range(200):
        means = [luck.choice((0.5, 2.0, 8.0, 30.0)) for _ in range(10)]
        counts = [one(poisson(mean), poisson(mean / 2), HOUR, HOUR / 2) for mean in means]
        wrong += any(verdict.kind != "steady" for verdict in judged(counts))
    assert wrong <= 200 * ALPHA
