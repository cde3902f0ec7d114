from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evals.comparing import Item
from evals.figures import checks
from evals.first_runs import NAME, keep, place, read, weights
from evals.results import Outcome, SuiteResult
from evals.score import Score
from graph.weights import WEIGHTS
from tools.errors import BadInput


def outcome(case: str, seed: int, cause: bool) -> Outcome:
    return Outcome(case=case, seed=seed, score=Score(items=(Item(name="cause", ok=cause, why="so"),)))


FIRST = SuiteResult(outcomes=(outcome("a", 1, True), outcome("a", 2, False), outcome("b", 1, True)))


def test_the_first_score_is_kept_with_its_weights_and_without_a_date(tmp_path: Path) -> None:
    result, new = keep(FIRST, tmp_path)
    assert new == ("a", "b")
    assert result.first_runs == read(tmp_path / NAME)
    assert read(tmp_path / NAME)["a"] == {
        "seeds": [1, 2],
        "right": 0.5,
        "cause": 0.5,
        "false_claims": 0,
        "failed": {"cause": [2]},
        "weights": weights(WEIGHTS),
    }


def test_a_first_score_is_never_overwritten(tmp_path: Path) -> None:
    keep(FIRST, tmp_path)
    before = (tmp_path / NAME).read_bytes()
    better = SuiteResult(outcomes=tuple(outcome(one.case, one.seed, True) for one in FIRST.outcomes))
    assert keep(better, tmp_path)[1] == ()
    assert (tmp_path / NAME).read_bytes() == before
    more = replace(better, outcomes=(*better.outcomes, outcome("c", 1, False)))
    assert keep(more, tmp_path)[1] == ("c",)
    assert read(tmp_path / NAME)["a"]["cause"] == 0.5


def test_the_share_over_all_first_runs_is_a_check(tmp_path: Path) -> None:
    result, _ = keep(FIRST, tmp_path)
    (check,) = [one for one in checks(result) if "first run" in one.text]
    assert check.ok is True
    assert "2 cases" in check.text
    assert "66.7%" in check.text


def test_other_weights_have_another_name() -> None:
    assert weights({"a": 1.0, "b": 2.0}) == weights({"b": 2.0, "a": 1.0}) != weights({"a": 1.0, "b": 2.5})


def test_a_file_of_another_kind_is_refused_and_kept(tmp_path: Path) -> None:
    for text in ("", "[]", '{"a": 1}'):
        (tmp_path / NAME).write_text(text, encoding="utf-8")
        with pytest.raises(BadInput):
            keep(FIRST, tmp_path)
        assert (tmp_path / NAME).read_text(encoding="utf-8") == text


def test_built_in_cases_have_their_file_beside_them() -> None:
    assert place().name == NAME
    assert (place().parent / "incidents").is_dir()
    assert all(isinstance(row["seeds"], list) for row in json.loads(json.dumps(read(place()))).values())
