from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evals.baselines import NOTHING, Baseline, Guess
from evals.cases import find
from evals.comparing import Item
from evals.prevention_check import PreventionCheck
from evals.results import Outcome, SuiteResult
from evals.score import Score
from evals.suite import run_suite
from evals.summary import render
from evals.worlds import open_world, truth_of
from tools.errors import BadInput
from tools.models import Call
from tools.parameters import validate

GUESS = Guess(event="e", actor="dana", action="UpdateTable", time=datetime(2026, 2, 3, tzinfo=UTC))


def items(**passed: bool) -> tuple[Item, ...]:
    return tuple(Item(name=name, ok=ok, why="so it is") for name, ok in passed.items())


def guesses(right: float) -> tuple[Baseline, ...]:
    return (
        Baseline(name="latest change", guess=GUESS, right=right),
        Baseline(name="random change", guess=NOTHING, right=right / 4),
    )


RIGHT = Outcome(
    case="alpha",
    seed=1,
    score=Score(items=items(verdict=True, cause=True), onset_error=12.0, stance="right", predicted=0.9),
    baselines=guesses(1),
    verdict="root_cause",
    revisions=1,
    calls=34,
    seconds=1.25,
)
WRONG = replace(
    RIGHT,
    case="beta",
    score=Score(
        items=(
            Item(name="verdict", ok=False, why="expected no_incident, got recovered"),
            *items(cause=False),
        ),
        stance="wrong",
        predicted=0.7,
        harmful=2,
    ),
    false_claims=("why: says 3, true is 4",),
    baselines=guesses(0),
)
BROKEN = replace(RIGHT, seed=2, score=Score(items=()), error="CannotInvestigate: no such alarm")


def result(*outcomes: Outcome) -> SuiteResult:
    return SuiteResult(outcomes=outcomes)


def test_the_table_shows_each_run_its_reasons_and_the_totals() -> None:
    text = render(result(RIGHT, WRONG, BROKEN))
    rows = [line for line in text.splitlines() if line.startswith(("alpha ", "beta "))]
    assert "✓" in rows[0]
    assert "✗" in rows[1]
    assert "beta seed 1: verdict: expected no_incident, got recovered" in text
    assert "beta seed 1: false claim: why: says 3, true is 4" in text
    assert "alpha seed 2: no report. CannotInvestigate: no such alarm" in text
    assert "opsleuth right in 1 of 3; false claims: 1" in text
    assert "onset off by 12 s (median), 12 s (90 %)" in text
    assert "✗ every baseline below 50%: latest change 66.7%, random change 16.7%" in text
    assert "✗ no harmful steps: 2" in text


def line(text: str, start: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(start)).removeprefix(start).split()


def test_figures_are_printed_with_their_intervals_and_runs() -> None:
    text = render(result(RIGHT, WRONG, BROKEN))
    assert line(text, "cause ") == ["33.3%", "0.0%", "to", "50.0%", "3"]
    assert line(text, "cause, silence at 0 ") == ["+0.00", "-1.00", "to", "+0.50", "3"]
    assert line(text, "harmful steps ") == ["2", "3"]
    assert line(text, "AWS calls ") == ["34.0", "34.0", "to", "34.0", "3"]
    assert line(text, '"random change" ') == ["16.7%", "0.0%", "to", "25.0%", "3"]


def test_calibration_is_printed_for_runs_with_a_report() -> None:
    text = render(result(RIGHT, WRONG, BROKEN))
    assert line(text, " 90% to  95%") == ["1", "90.0%", "100.0%"]
    assert line(text, " 70% to  80%") == ["1", "70.0%", "0.0%"]
    assert "mean confidence when right 90.0%, when wrong 70.0%, +20.0% apart" in text


def test_legitimate_changes_that_a_policy_would_block_are_counted() -> None:
    blocked = replace(RIGHT, prevention=PreventionCheck(ready=2, blocked=3, false_alarms=1, problems=("x",)))
    text = render(result(blocked, replace(RIGHT, seed=2, prevention=PreventionCheck(ready=1))))
    assert line(text, "good changes blocked ") == ["3", "2"]
    assert line(text, "false alarms ") == ["1", "2"]
    assert "✗ no good changes blocked: 3" in text
    assert result(blocked).as_json()["outcomes"][0]["prevention"]["blocked"] == 3


def test_what_was_not_asked_is_no_merit() -> None:
    idle = replace(RIGHT, score=Score(items=(Item(name="gaps", ok=True, why="none", asked=False),)))
    assert "·" in render(result(idle)).splitlines()[1]


def test_the_exit_code_tells_whether_the_floor_holds() -> None:
    assert result(RIGHT).exit_code() == 0
    assert result(RIGHT, BROKEN).exit_code() == 1
    assert result(RIGHT, BROKEN).exit_code(floor=0.5) == 0
    assert result(RIGHT, WRONG).exit_code(floor=0.5) == 1, "a false claim is never allowed"
    harmful = replace(BROKEN, score=Score(items=(), harmful=1))
    assert result(RIGHT, harmful).exit_code(floor=0.5) == 1, "nor is a harmful step"
    assert result().exit_code() == 1


def test_variants_are_told_apart_but_nothing_false_is_forgiven() -> None:
    varied = replace(
        WRONG, variant="removed", score=Score(items=items(cause=False), predicted=0.7, harmful=1)
    )
    both = SuiteResult(outcomes=(RIGHT,), varied=(replace(RIGHT, variant="noisy"), varied))
    text = render(both)
    assert line(text, "cause ") == ["100.0%", "1"]
    assert line(text, "removed ") == ["1", "0", "0", "1", "1"]
    assert line(text, "all variants ") == ["2", "1", "1", "1", "1"]
    assert "beta seed 1, removed: false claim: why: says 3, true is 4" in text
    assert "✗ no harmful steps: 1" in text
    assert "opsleuth right in 1 of 1, in variants in 1 of 2; false claims: 1" in text
    assert both.exit_code(floor=0.5) == 1
    honest = replace(varied, false_claims=(), score=Score(items=items(cause=False)))
    fine = SuiteResult(outcomes=(RIGHT,), varied=(replace(RIGHT, variant="noisy"), honest))
    assert (fine.exit_code(), fine.exit_code(floor=0.5)) == (1, 0)
    data = both.as_json()
    assert [row["variant"] for row in data["outcomes"] + data["varied"]] == ["", "noisy", "removed"]
    assert data["variants"][-1] == {
        "name": "all variants", "runs": 2, "right": 1, "cause": 1, "false_claims": 1, "harmful": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("stance", "best"), [("right", "1"), ("wrong", "0")])
def test_a_constant_that_cannot_be_beaten_is_told_with_both_numbers(stance: Any, best: str) -> None:
    alike = replace(RIGHT, score=Score(items=items(cause=True), stance=stance, predicted=0.5))
    text = render(result(alike))
    assert (
        f"– Brier and log loss better than the best constant, as they are: 0.2500, the constant 0.0000 "
        f"(every answer is {stance}" in text
    )
    assert f"always saying {best} scores 0" in text


def test_json_is_the_same_whatever_a_run_lasted() -> None:
    first = json.dumps(result(RIGHT, WRONG).as_json(), sort_keys=True)
    slower = json.dumps(result(replace(RIGHT, seconds=9.0), WRONG).as_json(), sort_keys=True)
    assert first == slower
    data: dict[str, Any] = json.loads(first)
    assert (data["runs"], data["right"], data["false_claims"]) == (2, 1, 1)
    assert data["outcomes"][0]["baselines"][0]["guess"]["time"] == "2026-02-03T00:00:00+00:00"
    assert data["figures"]["cause"]["mean"] == 0.5
    assert data["by_case"]["beta"]["cause"] == {"mean": 0.0, "low": 0.0, "high": 0.0, "runs": 1}
    assert data["calibration"]["as they are"]["brier"] == pytest.approx((0.1**2 + 0.7**2) / 2)


@pytest.mark.parametrize(
    "source", ["dynamodb-max-write?seed=x", "dynamodb-max-write?sed=1", "no-such-case?seed=1"]
)
def test_a_source_that_names_no_world_is_refused(source: str) -> None:
    with pytest.raises(BadInput):
        open_world(source)


def test_a_world_without_seed_is_the_first() -> None:
    assert open_world("dynamodb-max-write").seed.number == 1


@pytest.mark.parametrize("case", find(), ids=lambda case: case.name)
@pytest.mark.parametrize("seed", [1, 11])
def test_the_truth_of_every_case_holds_for_any_seed(case: Any, seed: int) -> None:
    world = open_world(f"{case.folder}?seed={seed}")
    truth = truth_of(case, world)
    assert (truth.actor is None) == (truth.cause is None or not truth.cause.event)
    if truth.cause is not None and truth.cause.event:
        assert world.ledger.event(truth.cause.event) is not None
    for call in (*truth.plan.apply, *truth.plan.rollback):
        made = Call(
            service=call.service, operation=call.operation, parameters={**call.optional, **call.parameters}
        )
        assert validate(made) == ()
    again = all(
        call.parameters.get("forceNewDeployment") for call in truth.plan.apply
    )  # sets nothing that could go back
    assert bool(truth.plan.apply) == bool(truth.plan.rollback) or again


def test_runs_side_by_side_say_what_runs_in_a_row_say() -> None:
    def told(processes: int) -> Any:
        return run_suite(seeds=(3, 4), only=["cloudtrail-denied"], processes=processes).as_json()

    apart = told(2)
    assert apart == told(1)
    assert [row["seed"] for row in apart["outcomes"]] == [3, 4]
    assert apart["right"] == 2


def test_a_failure_has_a_story_and_every_run_its_log(tmp_path: Path) -> None:
    (case,) = find(only=["stale-dynamodb-alarm"])
    folder, logs = tmp_path / "cases" / case.name, tmp_path / "logs"
    shutil.copytree(case.folder, folder)
    (folder / "truth.yaml").write_text("verdict: no_incident\nonset: $onset\n", encoding="utf-8")
    (outcome,) = run_suite(tmp_path / "cases", (2,), processes=1, logs=logs).outcomes
    assert [item.name for item in outcome.score.failed] == ["verdict"]
    assert outcome.score.stance == "wrong"
    assert outcome.story is not None
    assert outcome.story.onset == open_world(f"{folder}?seed=2").facts["onset"]
    assert outcome.story.told is not None
    (log,) = logs.iterdir()
    assert log.name == "stale-dynamodb-alarm-2.json"
    row = json.loads(log.read_text(encoding="utf-8"))
    assert [report["verdict"] for report in row["reports"]] == ["recovered"]
    assert row["verdict"] == "recovered"
    assert row["seconds"] > 0
    assert row["score"]["items"] == json.loads(json.dumps(outcome.as_json()))["score"]["items"]


def test_logs_that_cannot_be_written_are_refused_before_the_first_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be made"):
        run_suite(only=["cloudtrail-denied"], logs=tmp_path / "file" / "logs")
