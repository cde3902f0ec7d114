from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.bootstrap import grouped, interval, paired, quantile, spread

VALUES = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.lists(st.floats(-100, 100, allow_nan=False), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


@given(VALUES)
def test_the_mean_is_of_all_runs_and_lies_inside_its_interval(values: dict[str, list[float]]) -> None:
    found = interval(values)
    assert found is not None
    runs = [value for row in values.values() for value in row]
    assert found.mean == pytest.approx(sum(runs) / len(runs))
    assert min(runs) - 1e-9 <= found.low <= found.high <= max(runs) + 1e-9
    assert found.cases == len(values)


def test_whole_cases_are_drawn_so_that_more_seeds_make_nothing_surer() -> None:
    few = interval({"a": [1.0], "b": [0.0], "c": [1.0]})
    many = interval({"a": [1.0] * 50, "b": [0.0] * 50, "c": [1.0] * 50})
    assert few is not None
    assert many is not None
    assert (few.mean, few.low, few.high) == pytest.approx((many.mean, many.low, many.high))
    assert (few.low, few.high) == (0.0, 1.0)


def test_the_same_values_give_the_same_interval_in_any_order() -> None:
    values = {"a": [1.0, 0.0], "b": [0.0], "c": [1.0, 1.0]}
    assert interval(values) == interval(dict(reversed(values.items())))


def test_many_cases_narrow_the_interval() -> None:
    found = interval({f"case{n}": [float(n % 2)] for n in range(100)})
    assert found is not None
    # the standard error of a share of one half over 100 cases is 5 %
    assert (found.low, found.high) == pytest.approx((0.4, 0.6), abs=0.02)


def test_one_case_has_no_spread_and_none_no_mean() -> None:
    one = interval({"a": [1.0, 0.0], "empty": []})
    assert one is not None
    assert (one.mean, one.low, one.high, one.cases) == (0.5, 0.5, 0.5, 1)
    assert interval({}) is None


def test_a_difference_that_is_the_same_in_every_case_is_certain() -> None:
    before = {"easy": [0.9], "hard": [0.1], "gone": [0.0]}
    after = {"easy": [1.0], "hard": [0.2], "new": [1.0]}
    found = paired(before, after)
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.cases == 2
    assert paired({"a": [1.0]}, {"b": [1.0]}) is None


def test_a_difference_of_one_case_alone_is_uncertain() -> None:
    found = paired({"a": [0.0], "b": [0.0], "c": [0.0]}, {"a": [1.0], "b": [0.0], "c": [0.0]})
    assert found is not None
    assert found.mean == pytest.approx(1 / 3)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 3.0), (0.9, 5.0), (0.2, 1.0), (0.21, 2.0), (0.0, 1.0), (1.0, 5.0)]
)
def test_a_quantile_is_the_value_that_so_many_do_not_exceed(share: float, value: float) -> None:
    assert quantile([5.0, 1.0, 4.0, 2.0, 3.0], share) == value
    assert quantile([], share) is None


def test_values_are_grouped_by_case() -> None:
    assert grouped([("a", 1.0), ("b", 2.0), ("a", 3.0)]) == {"a": [1.0, 3.0], "b": [2.0]}


def test_a_figure_of_sums_and_its_spread() -> None:
    found = spread({"a": (1.0, 2.0), "b": (3.0, 2.0), "c": (5.0, 4.0)}, lambda top, count: top / count)
    assert found.mean == 9 / 8
    assert found.low < found.mean < found.high
    assert found.cases == 3
    alone = spread({"a": (1.0, 2.0)}, lambda top, count: top / count)
    assert (alone.low, alone.mean, alone.high) == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="nothing"):
        spread({}, sum)
