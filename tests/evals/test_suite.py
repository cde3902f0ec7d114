from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from evals.baselines import NOTHING, Guess
from evals.cases import find
from evals.score import Item, Score
from evals.suite import Outcome, SuiteResult, facts_of, open_world, run_suite
from evals.summary import render
from evals.truth import resolve
from tools.errors import BadInput
from tools.models import Call
from tools.parameters import validate

RIGHT = Outcome(
    case="alpha",
    seed=1,
    score=Score(items=(Item(name="verdict", ok=True, why="root_cause"),), onset_error=12.0),
    baseline=Guess(event="e", actor="dana", action="UpdateTable", time=datetime(2026, 2, 3, tzinfo=UTC)),
    baseline_right=True,
    revisions=1,
    calls=34,
    seconds=1.25,
)
WRONG = replace(
    RIGHT,
    case="beta",
    score=Score(items=(Item(name="verdict", ok=False, why="expected no_incident, got recovered"),)),
    false_claims=("why: says 3, true is 4",),
    baseline=NOTHING,
    baseline_right=False,
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
    assert "opsleuth right in 1 of 3, onset off by 12 s (median); false claims: 1" in text
    assert '"latest change wins" right in 2 of 3' in text
    assert "102 AWS calls" in text


def test_the_exit_code_tells_whether_the_floor_holds() -> None:
    assert result(RIGHT).exit_code() == 0
    assert result(RIGHT, BROKEN).exit_code() == 1
    assert result(RIGHT, BROKEN).exit_code(floor=0.5) == 0
    assert result(RIGHT, WRONG).exit_code(floor=0.5) == 1, "a false claim is never allowed"
    assert result().exit_code() == 1


def test_json_is_the_same_whatever_a_run_lasted() -> None:
    first = json.dumps(result(RIGHT, WRONG).as_json(), sort_keys=True)
    slower = json.dumps(result(replace(RIGHT, seconds=9.0), WRONG).as_json(), sort_keys=True)
    assert first == slower
    data: dict[str, Any] = json.loads(first)
    assert (data["runs"], data["right"], data["false_claims"]) == (2, 1, 1)
    assert data["outcomes"][0]["baseline"]["time"] == "2026-02-03T00:00:00+00:00"


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
    truth = resolve(case.truth, facts_of(world), case.name)
    assert (truth.actor is None) == (truth.cause is None or not truth.cause.event)
    if truth.cause is not None and truth.cause.event:
        assert world.ledger.event(truth.cause.event) is not None
    for call in (*truth.plan.apply, *truth.plan.rollback):
        made = Call(
            service=call.service, operation=call.operation, parameters={**call.optional, **call.parameters}
        )
        assert validate(made) == ()
    assert bool(truth.plan.apply) == bool(truth.plan.rollback)


def test_runs_side_by_side_say_what_runs_in_a_row_say() -> None:
    def told(processes: int) -> Any:
        return run_suite(seeds=(3, 4), only=["cloudtrail-denied"], processes=processes).as_json()

    apart = told(2)
    assert apart == told(1)
    assert [row["seed"] for row in apart["outcomes"]] == [3, 4]
    assert apart["right"] == 2
