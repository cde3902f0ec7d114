from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.calibration import EDGES, Calibration, Prediction, calibration


def of(*pairs: tuple[float, bool]) -> Calibration:
    found = calibration([Prediction(case="a", said=said, right=right) for said, right in pairs])
    assert found is not None
    return found


def test_brier_and_log_loss_are_those_of_the_textbook() -> None:
    found = of((0.9, True), (0.6, False))
    assert found.brier == pytest.approx((0.01 + 0.36) / 2)
    assert found.log_loss == pytest.approx((-log(0.9) - log(0.4)) / 2)
    assert (found.constant_brier, found.constant_log_loss) == pytest.approx((0.25, log(2)))
    assert (found.when_right, found.when_wrong) == (0.9, 0.6)
    assert found.gap == pytest.approx(0.3)
    assert found.beats_constant is True


def test_who_is_surer_when_wrong_is_worse_than_the_constant() -> None:
    found = of((0.6, True), (0.97, False))
    assert found.beats_constant is False
    assert found.gap == pytest.approx(-0.37)


def test_when_all_are_alike_there_is_nothing_to_beat() -> None:
    found = of((0.97, True), (0.9, True))
    assert (found.constant_brier, found.constant_log_loss) == (0, 0)
    assert found.beats_constant is None
    assert (found.gap, found.when_wrong) == (None, None)


def test_a_certainty_that_is_wrong_costs_much_but_not_infinitely_much() -> None:
    assert of((1.0, False)).log_loss == pytest.approx(-log(0.001))


def test_bins_hold_their_lower_edge_and_the_last_one_both() -> None:
    found = of((0.5, True), (0.69, False), (0.7, True), (1.0, True))
    assert [(one.low, one.high, one.runs) for one in found.bins] == [
        (0.5, 0.7, 2),
        (0.7, 0.8, 1),
        (0.95, 1.0, 1),
    ]
    assert found.bins[0].said == pytest.approx(0.595)
    assert found.bins[0].right == 0.5


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_every_prediction_is_in_one_bin(pairs: list[tuple[float, bool]]) -> None:
    found = of(*pairs)
    assert sum(one.runs for one in found.bins) == len(pairs) == found.runs
    assert sum(one.right * one.runs for one in found.bins) == pytest.approx(sum(right for _, right in pairs))
    assert all(one.low - 1e-9 <= one.said <= one.high + 1e-9 for one in found.bins), "but for rounding"
    assert (EDGES[0], EDGES[-1]) == (0, 1)


def test_without_predictions_there_is_no_calibration() -> None:
    assert calibration([]) is None


def test_better_than_the_constant_counts_only_when_it_is_so_in_most_draws_of_cases() -> None:
    pairs = [(f"case-{n}", 0.95 if n % 3 else 0.1, bool(n % 3)) for n in range(30)]
    clear = calibration([Prediction(case=case, said=said, right=right) for case, said, right in pairs])
    assert clear is not None
    assert clear.surely_beats_constant is True
    assert clear.brier_gain.mean == pytest.approx(clear.constant_brier - clear.brier)
    assert clear.log_loss_gain.mean == pytest.approx(clear.constant_log_loss - clear.log_loss)
    assert clear.brier_gain.low <= clear.brier_gain.mean <= clear.brier_gain.high
    lucky = calibration(
        [
            Prediction(case=case, said=0.9 if case == "case-1" else 0.66, right=right)
            for case, _, right in pairs
        ]
    )
    assert lucky is not None
    assert (lucky.beats_constant, lucky.surely_beats_constant) == (True, False)


def test_how_often_it_is_sure_and_wrong() -> None:
    assert of((0.9, False), (0.8, False), (0.97, True), (0.3, False)).sure_and_wrong == 0.25


def test_the_slope_tells_modest_from_too_sure() -> None:
    modest = of(*[(0.7, True)] * 19, (0.7, False), *[(0.3, False)] * 19, (0.3, True))
    bold = of(*[(0.99, True)] * 12, *[(0.99, False)] * 8)
    assert modest.slope is not None
    assert bold.slope is not None
    assert modest.slope > 2
    assert bold.slope < 0.2
    assert of((0.9, True)).slope is None
