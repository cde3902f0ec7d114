from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evals.compare import compare, compared
from evals.comparing import Item
from evals.results import Outcome, SuiteResult
from evals.score import Score
from tools.errors import BadInput


def outcome(case: str, seed: int = 1, *, cause: bool = True, plan: bool = True, calls: int = 50) -> Outcome:
    items = (
        Item(name="cause", ok=cause, why="so"),
        Item(name="plan", ok=plan, why="so"),
        Item(name="gaps", ok=True, why="none", asked=False),
    )
    score = Score(
        items=items,
        onset_error=4.0,
        stance="right" if cause else "wrong",
        predicted=0.9,
        harmful=int(not plan),
    )
    return Outcome(case=case, seed=seed, score=score, calls=calls)


def rows(*outcomes: Outcome) -> list[Any]:
    return list(json.loads(json.dumps(SuiteResult(outcomes=outcomes).as_json()))["outcomes"])


def test_each_run_tells_what_it_gained_and_lost() -> None:
    before = rows(outcome("a", cause=False), outcome("b"), outcome("c"))
    after = rows(outcome("a", plan=False), outcome("b", plan=False), outcome("c"))
    found = compared(before, after)
    assert [(one.case, one.better, one.worse) for one in found.changes] == [
        ("a", ("cause",), ("plan",)),
        ("b", (), ("plan",)),
    ]
    assert found.totals["cause"].mean == pytest.approx(1 / 3)
    assert found.totals["plan exact"].mean == pytest.approx(-2 / 3)
    assert found.totals["cause, silence at 0"].mean == pytest.approx(2 / 3)
    assert found.totals["harmful steps"].mean == pytest.approx(2 / 3)
    assert found.totals["Brier"].mean == pytest.approx((0.01 - 0.81) / 3)
    assert (found.totals["plan exact"].low, found.totals["plan exact"].high) == (-1.0, 0.0)
    assert "gaps" not in found.totals, "asked of nobody"


def test_only_runs_of_both_are_compared() -> None:
    found = compared(rows(outcome("a"), outcome("a", 2)), rows(outcome("a", 2, calls=60), outcome("b")))
    assert found.runs == 1
    assert (found.only_first, found.only_second) == (("a seed 1",), ("b seed 1",))
    assert found.totals["AWS calls"].mean == 10
    text = found.render()
    assert "no run got better or worse" in text
    assert "AWS calls" in text
    assert "+10.0" in text


def test_variants_are_runs_of_their_own_with_their_own_totals() -> None:
    fine, lost = (replace(outcome("a", cause=cause), variant="noisy") for cause in (True, False))
    before = json.loads(json.dumps(SuiteResult(outcomes=(outcome("a"),), varied=(fine,)).as_json()))
    after = json.loads(json.dumps(SuiteResult(outcomes=(outcome("a"),), varied=(lost,)).as_json()))
    found = compared(before["outcomes"] + before["varied"], after["outcomes"] + after["varied"])
    assert [(one.title, one.worse) for one in found.changes] == [("a seed 1, noisy", ("cause",))]
    assert (found.totals["cause"].mean, found.totals["cause, variants"].mean) == (0.0, -1.0)
    assert "a seed 1, noisy: worse: cause" in found.render()


def test_files_without_variants_are_compared_with_those_that_have_some(tmp_path: Path) -> None:
    row = json.loads(json.dumps(SuiteResult(outcomes=(outcome("a"),)).as_json()))
    del row["varied"], row["outcomes"][0]["variant"]
    (tmp_path / "old.json").write_text(json.dumps(row), encoding="utf-8")
    new = SuiteResult(outcomes=(outcome("a"),), varied=(replace(outcome("a"), variant="removed"),))
    (tmp_path / "new.json").write_text(json.dumps(new.as_json()), encoding="utf-8")
    found = compare(tmp_path / "old.json", tmp_path / "new.json")
    assert (found.runs, found.changes, found.only_second) == (1, (), ("a seed 1, removed",))


def test_a_run_that_gives_no_report_any_more_is_worse() -> None:
    broken = replace(outcome("a"), score=Score(items=()), error="CannotInvestigate: gone")
    (change,) = compared(rows(outcome("a")), rows(broken)).changes
    assert change.worse == ("cause", "plan", "gaps", "report")
    assert "a seed 1: worse: cause, plan, gaps, report" in compared(rows(outcome("a")), rows(broken)).render()


def test_results_are_read_from_files_and_folders(tmp_path: Path) -> None:
    text = json.dumps(SuiteResult(outcomes=(outcome("a"),)).as_json())
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    assert compare(tmp_path, tmp_path / "results.json").runs == 1


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 1}', '{"format": 2, "outcomes": []}', '{"format": 1, "outcomes": [{}]}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        compare(path, path)


def test_results_without_a_common_run_are_refused() -> None:
    with pytest.raises(BadInput, match="share no run"):
        compared(rows(outcome("a")), rows(outcome("b")))
