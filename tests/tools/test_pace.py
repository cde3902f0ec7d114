from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.made_series import Values, made
from tools.pace import pace


def steps(values: Values) -> list[float] | None:
    found = pace(made(values, stat="Maximum"))
    return None if found is None else [value for _, value in found.points]


def test_what_only_grows_or_only_shrinks_has_a_pace() -> None:
    assert steps([2.0 * n for n in range(40)]) == [2.0] * 39
    assert steps([900.0 - 3 * n for n in range(40)]) == [-3.0] * 39


def test_a_restart_is_no_pace_and_a_hole_shares_its_step() -> None:
    values: Values = [*(5.0 * n for n in range(30)), *(5.0 * n for n in range(30))]
    assert steps(values) == [5.0] * 58
    hole: Values = [*(4.0 * n for n in range(20)), None, None, *(4.0 * n for n in range(22, 40))]
    assert steps(hole) == [4.0] * 37


def test_what_goes_up_and_down_or_stands_still_has_none() -> None:
    assert steps([float(n % 7) for n in range(80)]) is None
    assert steps([5.0] * 80) is None
    assert (
        steps([*[5.0] * 40, *(5.0 + n for n in range(40))]) is None
    )  # it began to grow: that is the trouble
    assert steps([1.0, 2.0, 3.0]) is None


@given(st.lists(st.floats(1, 100), min_size=26, max_size=60))
def test_the_pace_adds_up_to_the_growth(by: list[float]) -> None:
    total = [sum(by[:n]) for n in range(len(by) + 1)]
    found = steps(total)
    assert found is not None
    assert abs(sum(found) - total[-1]) < 1e-6 * total[-1]
