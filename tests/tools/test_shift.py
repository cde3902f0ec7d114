from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.made_series import Values, counts, made, minutes, noise, sparse
from tools.models import Onset, Window
from tools.shift import changed, used_up


def halves(values: Values, bad: Any, missing: Any = "unknown", stat: str = "Average") -> Any:
    series = made(values, stat)
    middle = series.window.start + (series.window.end - series.window.start) / 2
    before, after = Window(start=series.window.start, end=middle), Window(start=middle, end=series.window.end)
    return changed(series, before, after, bad, missing=missing)


def test_changed_tells_direction_ratio_and_whether_it_hurts() -> None:
    up = halves([*noise(1, 30), *noise(2, 30, 200)], "up")
    assert (up.moved, up.direction, up.bad) == (True, "up", True)
    assert up.ratio == pytest.approx(2, rel=0.05)
    down = halves([*noise(1, 30), *noise(2, 30, 50)], "up")
    assert (down.moved, down.direction, down.bad) == (True, "down", False)
    assert down.z < -4
    zero = halves([None] * 30 + [5] * 30, "up", "zero", "Sum")
    assert (zero.moved, zero.ratio, zero.before, zero.after) == (True, None, 0, 5)
    assert halves([None] * 30 + [5] * 30, "up") is None


def test_noise_does_not_move() -> None:
    moved = [seed for seed in range(200) if halves(list(noise(seed, 60)), "up").moved]
    moved += [seed for seed in range(200) if halves(sparse(counts(seed, 60, 0.3)), "up", "zero", "Sum").moved]
    assert moved == []


# -- stores that run out -------------------------------------------------------------------------------


def ran_out(values: Values, end: float = 0.0, near: tuple[int, int] = (0, 10_000)) -> Onset | None:
    series = made(values, stat="Minimum")
    start = series.window.start
    window = Window(start=start + timedelta(minutes=near[0]), end=start + timedelta(minutes=near[1]))
    return used_up(series, end, window)


def test_a_store_that_creeps_to_its_end_is_used_up_when_it_gets_there() -> None:
    values = [max(0.0, 6 - 0.1 * n) for n in range(80)]
    found = ran_out(values)
    assert found is not None
    last = max(n for n, value in enumerate(values) if value > 1)
    assert minutes(found, 80) == (last, last + 2)
    assert (found.shape, found.now) == ("ramp", 0.0)
    assert ran_out([100 - value for value in values], end=100.0) is not None


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 60,  # it was empty all the time
        [80.0 - n for n in range(60)],  # something is left
        [*[40.0 - n for n in range(40)], *[0.0] * 10, *[9.0] * 10],  # it filled again
        [],
    ],
)
def test_what_never_was_full_is_not_empty_or_filled_again_is_not_used_up(values: Values) -> None:
    assert ran_out(values) is None


def test_only_about_the_moment_that_is_asked_for() -> None:
    values = [*[30.0 - n for n in range(30)], *[0.0] * 30]
    assert ran_out(values, near=(25, 35)) is not None
    assert ran_out(values, near=(40, 60)) is None
    assert ran_out(values, near=(0, 20)) is None


@given(st.lists(st.floats(0, 100), max_size=90), st.sampled_from([0.0, 100.0]))
def test_used_up_means_that_all_points_since_are_at_the_end(values: list[float], end: float) -> None:
    found = ran_out(values, end)
    if found is None:
        return
    series = made(values, stat="Minimum")
    assert found.earliest < found.latest
    assert all(abs(value - end) <= 1 for moment, value in series.points if moment > found.earliest)
    assert any(abs(value - end) > 1 for moment, value in series.points if moment <= found.earliest)
