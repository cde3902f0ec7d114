"""How sure a report may be: circumstances alone prove no change."""

from __future__ import annotations

import pytest

from graph.models import Hypothesis, TestResult
from graph.weighing.shown import most_shown
from graph.weights import MOST_BY_CIRCUMSTANCE, MOST_SHOWN, MOST_UNSEEN, PROVEN
from tools.models import Statement


def weighed(kind: str, **tests: float) -> Hypothesis:
    results = tuple(
        TestResult(test=name, weight=weight, statement=Statement(text=name)) for name, weight in tests.items()
    )
    return Hypothesis.model_validate({"id": "h", "kind": kind, "title": "", "tests": results})


@pytest.mark.parametrize("proof", ["dose", "logs", "condition", "traffic"])
def test_a_change_is_proven_by_more_than_time_and_place(proof: str) -> None:
    circumstances = {"time": 2.0, "topology": 2.0, "mechanism": 2.5, "source": 0.8, "companion": 0.8}
    assert most_shown(weighed("change", **circumstances)) == MOST_BY_CIRCUMSTANCE < PROVEN
    assert most_shown(weighed("change", **circumstances, **{proof: 1.5})) == MOST_SHOWN
    assert most_shown(weighed("change", **circumstances, **{proof: -1.5})) == MOST_BY_CIRCUMSTANCE


def test_what_is_no_change_is_told_by_what_is_seen_of_it() -> None:
    assert most_shown(weighed("condition", condition=3.0)) == MOST_SHOWN
    assert most_shown(weighed("setting", time=1.5)) == MOST_SHOWN
    assert most_shown(weighed("outside")) == MOST_UNSEEN
