"""A metric followed point by point: what is told of it, and that each point is judged by the past alone."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.models import Metric, Series, Window
from tools.unusual import LIMIT, Unusual, Watch, alarms, began, struck, unusual

START = datetime(2025, 3, 3, tzinfo=UTC)
DAY = 288


def series(values: list[float], period: int = 300) -> Series:
    metric = Metric(namespace="Shop", name="Orders", dimensions=(), stat="Average", period=period)
    step = timedelta(seconds=period)
    points = tuple((START + n * step, value) for n, value in enumerate(values))
    return Series(metric=metric, window=Window(start=START, end=START + len(values) * step), points=points)


def daily(days: int, seed: int = 1) -> list[float]:
    luck = random.Random(seed)
    return [50 + 30 * math.sin(2 * math.pi * n / DAY) + luck.gauss(0, 2) for n in range(days * DAY)]


def told(values: list[float]) -> list[int]:
    return alarms([one.score for one in unusual(series(values))], start=600)


def strongest(found: list[Unusual], place: int) -> list[str]:
    return [name for name, _ in found[place].ways]


def test_an_ordinary_week_is_told_at_most_once() -> None:
    assert all(len(told(daily(8, seed))) <= 1 for seed in range(1, 4))


def test_a_spike_is_told_at_once() -> None:
    values = daily(8)
    values[2_000] = 200.0
    assert 2_000 in told(values)
    assert {"level of 1", "jump of 1"} <= set(strongest(unusual(series(values)), 2_000))


def test_a_day_without_its_peak_is_told_though_the_level_is_an_everyday_one() -> None:
    values = daily(10)
    for n in range(7 * DAY + 20, 7 * DAY + 120):
        values[n] = 50.0 + (values[n] - 50) * 0.02  # the day's peak does not come
    found = told(values)
    assert any(7 * DAY + 20 <= place < 7 * DAY + 120 for place in found)
    first = next(place for place in found if place >= 7 * DAY + 20)
    assert any(name.startswith("same time") for name in strongest(unusual(series(values)), first))


def test_a_metric_that_stands_still_is_told() -> None:
    values = daily(8)
    for n in range(2_000, 2_100):
        values[n] = values[2_000]
    assert "standing still" in strongest(unusual(series(values)), 2_050)
    assert any(2_000 < place < 2_100 for place in told(values))


def test_a_constant_says_nothing_and_a_change_too_small_to_matter_neither() -> None:
    found = unusual(series([100.0] * 1_500 + [100.01] + [100.0] * 100))
    assert all(one.score < LIMIT for one in found)
    assert unusual(series([100.0] * 1_500 + [180.0]))[-1].score > LIMIT


@pytest.mark.parametrize("period", [60, 300, 3_600, 86_400])
def test_any_period_will_do(period: int) -> None:
    luck = random.Random(5)
    values = [10 + luck.gauss(0, 1) for _ in range(400)]
    scores = [one.score for one in unusual(series([*values, 60.0], period))]
    assert scores[-1] > 2 * max(scores[200:-1])
    assert len(alarms(scores, start=200)) <= 2  # the spike, and once by chance


def test_points_that_are_absent_are_passed_over() -> None:
    whole = series(daily(6))
    holed = tuple(point for n, point in enumerate(whole.points) if n % 7 and not 900 < n < 1_000)
    found = unusual(Series(metric=whole.metric, window=whole.window, points=holed))
    assert len(alarms([one.score for one in found], start=500)) <= 1


@settings(max_examples=25)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=80), st.integers(1, 79))
def test_what_comes_later_changes_nothing(values: list[float], cut: int) -> None:
    assert unusual(series(values))[:cut] == unusual(series(values[:cut]))


def test_a_watch_asked_point_by_point_says_the_same() -> None:
    given_series, watch = series(daily(3)), Watch(300)
    assert [watch.see(*point) for point in given_series.points] == unusual(given_series)


def test_one_alarm_for_each_episode() -> None:
    scores = [0.0, 6, 7, 0, 0, 6, 0, 0, 0, 0, 0, 5]
    assert alarms(scores, limit=5, rest=4) == [1, 5, 11]
    assert alarms(scores, limit=5, rest=5) == [1, 11]
    assert alarms(scores, limit=5, rest=5, start=2) == [2, 11]
    assert alarms(scores, limit=6.5, rest=5) == [2]
    assert alarms([], limit=1) == []


def test_looking_back_the_most_unusual_is_where_it_led_up_to() -> None:
    scores = [0.0] * 60
    scores[5], scores[30], scores[38], scores[40], scores[50] = 8, 7.1, 7.0, 10, 6
    assert struck(scores, 0, 59) == 30  # 38 and 30 are high enough and within twelve points of the next
    assert struck(scores, 33, 59) == 38
    assert struck(scores, 41, 59) == 50
    assert struck(scores, 51, 59) is None
    assert struck(scores, 41, 59, limit=7) is None
    assert struck([], 0, -1) is None


def test_a_small_move_of_a_calm_metric_is_found_before_a_larger_one_that_comes_daily() -> None:
    values = daily(9)
    values[2_300 : 2_300 + 40] = [value + 25 for value in values[2_300 : 2_300 + 40]]
    whole = series(values)
    at = whole.points[2_300][0]
    found = began(whole, Window(start=at - timedelta(hours=12), end=at + timedelta(hours=12)))
    assert found is not None
    assert abs(found - at) <= timedelta(minutes=15)
    calm = Window(start=at - timedelta(hours=40), end=at - timedelta(hours=16))
    assert began(whole, calm) is None
