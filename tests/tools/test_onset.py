from __future__ import annotations

import math
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.made_series import NOW, Values, counts, made, minutes, noise, sparse
from tools.models import Onset, Window
from tools.onset import onset


def of(values: Values, bad: Any = "up", missing: Any = "zero", history: int = 0, **more: Any) -> Onset | None:
    hint = {"hint": more.pop("hint")} if "hint" in more else {}
    series = made(values, **more)
    start = series.window.start + history * timedelta(seconds=series.metric.period)
    return onset(series, Window(start=start, end=series.window.end), bad=bad, missing=missing, **hint)


def about(found: tuple[float, float]) -> tuple[int, int]:
    """The interval to the nearest point: what begins with a point may as well have begun moments earlier."""
    return round(found[0]), round(found[1])


def test_the_first_datapoint_of_an_error_metric_is_the_onset() -> None:
    found = of([None] * 40 + [3, 40, 41, 38, 44, 39])
    assert minutes(found, 46) == (40, 41)
    assert found is not None
    assert (found.shape, found.ended, found.normal, found.now) == ("step", None, 0, 39.5)
    assert found.confidence > 0.9


def test_an_episode_that_ended_says_when() -> None:
    found = of([None] * 60 + [30] * 40 + [None] * 100)
    assert about(minutes(found, 200)) == (60, 61)
    assert found is not None
    assert found.ended == NOW - timedelta(minutes=100)
    assert found.shape == "step"


@pytest.mark.parametrize(
    ("values", "bad", "shape"),
    [
        ([10.0] * 60 + [50.0] * 30, "up", "step"),
        ([10.0] * 60 + [n * 5.0 for n in range(4, 40)], "up", "ramp"),
        ([10.0] * 60 + [90.0, 95.0] + [10.0] * 30, "up", "spike"),
        ([60.0] * 60 + [0.0] * 30, "down", "silence"),
        ([60.0] * 60 + [20.0] * 30, "down", "step"),
        (([10.0] * 25 + [80.0] * 5) * 4, "up", "sawtooth"),
    ],
)
def test_shapes(values: Values, bad: str, shape: str) -> None:
    found = of(
        [v if v is None else v + n % 3 * 0.1 for n, v in enumerate(values)], bad, "unknown", stat="Average"
    )
    assert found is not None
    assert found.shape == shape


def test_nothing_asked_any_more_is_silence_where_a_fall_hurts() -> None:
    values: Values = [60.0 + n % 5 for n in range(80)] + [None] * 20
    found = of(values, "down", "idle")
    assert found is not None
    assert found.shape == "silence"
    when = minutes(found, 100)
    assert when is not None
    earliest, latest = when
    assert 79 <= earliest <= 80 < latest <= 81  # of 60 a minute those of some seconds are not missed
    assert of(values, "up", "idle") is None
    assert of(values, "down", "unknown") is None


def test_a_fall_bit_by_bit_began_earlier_than_one_at_once() -> None:
    normal: Values = [60.0 + n % 5 for n in range(80)]
    fading = minutes(of([*normal, 36.0, 20.0, 9.0, 4.0, *[0.0] * 20], "down", "idle"), 104)
    at_once = minutes(of([*normal, 36.0, *[0.0] * 23], "down", "idle"), 104)
    assert 78 <= fading[0] < 79.5 < fading[1] <= 81
    assert at_once == (80, 81)


def test_one_rare_failure_in_the_minute_before_a_flood_is_chance() -> None:
    calm = [float(n % 3 == 0) for n in range(80)]
    assert minutes(of([*calm, 2.0, 447.0, *[1070.0] * 20], history=70), 102) == (81, 82)
    earliest, latest = minutes(of([*calm, 30.0, 447.0, *[1070.0] * 20], history=70), 102)
    assert 79 < earliest <= 80.9 < latest < 82


def test_a_hole_before_the_first_bad_point_widens_the_interval() -> None:
    values: Values = [10.0 + n % 3 for n in range(60)] + [None] * 7 + [50.0 + n % 3 for n in range(20)]
    earliest, latest = minutes(of(values, "up", "unknown", stat="Average"), 87)
    assert 59.5 < earliest <= 60
    assert 67 <= latest <= 68


def test_a_ramp_begins_somewhere_between_its_foot_and_where_it_stands_out() -> None:
    values: Values = [*noise(3, 60, 100, 2), *(100 + 3.0 * n for n in range(40))]
    earliest, latest = minutes(of(values, "up", "unknown", stat="Average"), 100)
    assert 57 <= earliest <= 61
    assert earliest < latest <= 66


@pytest.mark.parametrize("values", [[], [1], [5, 5], [1, 2, 3], [7] * 50, [0] * 50, [None] * 50])
@pytest.mark.parametrize("bad", ["up", "down", ""])
def test_nothing_is_found_where_nothing_happens(values: Values, bad: str) -> None:
    for missing in ("zero", "idle", "unknown"):
        assert of(values, bad, missing) is None


def test_a_few_single_errors_are_no_incident() -> None:
    assert of(sparse([1.0 if n % 37 == 0 else 0.0 for n in range(180)])) is None
    assert of([None] * 100 + [1] + [None] * 79) is None


def test_what_went_on_before_the_window_is_not_its_onset() -> None:
    values: Values = [10.0] * 30 + [70.0] * 10 + [10.0] * 60
    assert of(values, "up", "unknown", history=60, stat="Average") is None


def test_the_episode_still_going_on_is_preferred() -> None:
    values: Values = [0.0] * 30 + [50.0] * 30 + [0.0] * 60 + [45.0] * 10
    assert about(minutes(of(values), 130)) == (120, 121)


def test_a_threshold_makes_the_detection_finer_but_never_out_of_noise() -> None:
    values: Values = [*noise(1, 60, 100, 1), *noise(2, 30, 107, 1)]
    assert of(values, "up", "unknown", stat="Average") is None  # 7 % is below the least effect
    earliest, latest = minutes(of(values, "up", "unknown", stat="Average", hint=105.0), 90)
    assert 59 <= earliest <= 60 < latest < 62
    quiet: Values = [*noise(4, 120)]
    assert of(quiet, "up", "unknown", stat="Average", hint=101.0) is None


def day(place: int) -> float:
    return 200 * (1 + 0.6 * math.sin(2 * math.pi * place / 288))


def test_a_daily_rhythm_is_normal_and_a_step_on_it_is_found() -> None:
    luck = random.Random(5)
    length, history = 288 * 3 + 72, 288 * 3
    values: Values = [day(n) + luck.gauss(0, 4) for n in range(length)]
    assert of(values, "", "unknown", history=history, period=300, stat="Average") is None
    risen: Values = [v and v * (1.5 if n >= history + 30 else 1) for n, v in enumerate(values)]
    found = of(risen, "up", "unknown", history=history, period=300, stat="Average")
    assert found is not None
    start = NOW - timedelta(minutes=5 * length)
    began = start + timedelta(minutes=5 * (history + 30))
    assert began - timedelta(minutes=5) <= found.earliest <= began < found.latest
    assert found.latest - found.earliest <= timedelta(minutes=10)
    assert of(risen, "down", "unknown", history=history, period=300, stat="Average") is None


@pytest.mark.parametrize(("share", "begins"), [(0.15, 30), (0.86, 230), (1, 230)])
def test_a_day_with_a_little_less_of_everything_is_no_beginning(share: float, begins: int) -> None:
    """For 230 minutes 14 % less than on earlier days; in the last 30 of them another share is left."""
    luck, length, history = random.Random(5), 3 * 1440, 3 * 1440 - 240
    values: Values = [
        700
        * (1 + 0.2 * math.sin(2 * math.pi * n / 1440))
        * (0.86 if n >= length - 230 else 1)
        * (share if n >= length - 30 else 1)
        * luck.gauss(1, 0.01)
        for n in range(length)
    ]
    found = of(values, "down", "idle", history=history)
    assert about(minutes(found, length)) == (length - begins, length - begins + 1)


@pytest.mark.parametrize("rate", [0.7, 2, 6])
def test_days_of_small_counts_do_not_drown_a_step(rate: float) -> None:
    history, length = 3 * 1440 - 60, 3 * 1440
    values: Values = [
        n + (500 if place >= length - 22 else 0) for place, n in enumerate(counts(1, length, rate))
    ]
    found = of(values, "up", "idle", history=history, hint=40)
    earliest, latest = minutes(found, length)
    assert length - 23 < earliest <= length - 22 < latest < length - 20.5
    calm: Values = counts(2, length, rate)
    assert of(calm, "up", "idle", history=history, hint=40) is None


@pytest.mark.parametrize("usual", [[1], [1, 2], [3]])
def test_the_silence_of_what_a_schedule_made_is_found(usual: list[float]) -> None:
    """Four missing quarters of an hour; as few as that of what comes by chance say nothing."""
    history, length = 96 * 3, 96 * 3 + 24
    values: Values = [usual[place % len(usual)] for place in range(length - 4)] + [None] * 4
    found = of(values, "down", "idle", history=history, period=900)
    assert found is not None
    assert (found.shape, found.now) == ("silence", 0)
    began = NOW - timedelta(minutes=60)
    assert (
        began - timedelta(minutes=6)
        <= found.earliest
        <= began
        < found.latest
        <= began + timedelta(minutes=15)
    )
    whole: Values = [usual[place % len(usual)] for place in range(length)]
    assert of(whole, "down", "idle", history=history, period=900) is None
    chance: Values = [*counts(3, length - 4, sum(usual) / len(usual)), None, None, None, None]
    assert of(chance, "down", "idle", history=history, period=900) is None


@pytest.mark.parametrize(
    ("kind", "missing", "stat"),
    [("normal", "unknown", "Average"), ("counts", "zero", "Sum"), ("rare", "zero", "Sum")],
)
def test_noise_alone_has_no_onset(kind: str, missing: str, stat: str) -> None:
    def make(seed: int) -> Values:
        return (
            list(noise(seed, 90))
            if kind == "normal"
            else sparse(counts(seed, 90, 4 if kind == "counts" else 0.05))
        )

    found = [seed for seed in range(300) if of(make(seed), "up", missing, stat=stat)]
    assert len(found) <= 3


@pytest.mark.parametrize(("bad", "sign"), [("up", 1), ("down", -1), ("", 1)])
def test_a_step_of_five_sigma_is_found_within_two_periods(bad: str, sign: int) -> None:
    hits, wide = 0, 0.0
    for seed in range(100):
        values: Values = [v + (25 * sign if n >= 70 else 0) for n, v in enumerate(noise(seed, 100))]
        found = of(values, bad, "unknown", stat="Average")
        if found is not None:
            earliest, latest = minutes(found, 100)
            hits += earliest <= 70 <= latest and abs((earliest + latest) / 2 - 70) <= 1.5
            wide += latest - earliest
    assert hits >= 95
    assert wide <= 2.4 * 100


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(20, 70), st.integers(-5000, 5000))
def test_a_shift_of_time_moves_the_onset_by_as_much(seed: int, place: int, by: int) -> None:
    values: Values = [v + (60 if n >= place else 0) for n, v in enumerate(noise(seed, 90))]
    shift = timedelta(minutes=by)
    one, other = (made(values, "Average", end=end) for end in (NOW, NOW + shift))
    first = onset(one, one.window, bad="up", missing="unknown")
    second = onset(other, other.window, bad="up", missing="unknown")
    assert first is not None
    assert second is not None
    assert (second.earliest, second.latest) == (first.earliest + shift, first.latest + shift)
    assert (second.shape, second.confidence) == (first.shape, first.confidence)


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=40), st.sampled_from(["up", "down", ""]))
def test_any_series_gives_a_sound_answer(values: Values, bad: str) -> None:
    for missing in ("zero", "idle", "unknown"):
        found = of(values, bad, missing)
        if found is not None:
            assert NOW - timedelta(minutes=len(values)) <= found.earliest < found.latest <= NOW
            assert found.ended is None or found.latest <= found.ended <= NOW
            assert 0 < found.confidence < 1
