from __future__ import annotations

import json

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evals
from api.cli import main
from api.commands.eval_ import parse_seeds
from evals.suite import SuiteResult


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1-5", (1, 2, 3, 4, 5)), ("7", (7,)), ("1,3, 2", (1, 3, 2)), ("1-3,2-4", (1, 2, 3, 4))],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=5))
def test_ranges_are_whole_and_each_seed_runs_once(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{low}-{low + more}" if more else str(low) for low, more in ranges)
    found = parse_seeds(text)
    assert set(found) == {seed for low, more in ranges for seed in range(low, low + more + 1)}
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "5-1", "1-99999999", "1 2", "٣"])
def test_other_texts_are_refused_not_guessed(text: str) -> None:
    with pytest.raises(click.UsageError, match="Write"):
        parse_seeds(text)


def test_an_eval_below_its_floor_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def run_suite(*arguments: object) -> SuiteResult:
        asked.extend(arguments)
        return SuiteResult(outcomes=())

    monkeypatch.setattr(evals, "run_suite", run_suite)
    assert main(["eval", "--seeds", "1-3", "--case", "a", "--json", "--processes", "2"]) == 1
    assert json.loads(capsys.readouterr().out)["runs"] == 0
    assert asked == [None, (1, 2, 3), ("a",), 2]
