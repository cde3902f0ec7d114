from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evals
from api.cli import main
from api.commands.eval_ import parse_seeds
from evals.results import SuiteResult


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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the command asks of the suite, which runs nothing."""
    found: list[object] = []

    def run_suite(*arguments: object) -> SuiteResult:
        found.extend(arguments[:7])  # the last one counts runs on a terminal
        return SuiteResult(outcomes=())

    monkeypatch.setattr(evals, "run_suite", run_suite)
    return found


def test_an_eval_below_its_floor_is_exit_code_1(
    asked: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--seeds", "1-3", "--case", "a", "--json", "--processes", "2"]) == 1
    assert json.loads(capsys.readouterr().out)["runs"] == 0
    assert asked == [None, (1, 2, 3), ("a",), 2, (), None, ""]


def test_processes_are_left_to_the_machine_and_unseen_may_be_repeated(
    asked: list[object], tmp_path: Path
) -> None:
    assert main(["eval", "--unseen", "text", "--unseen", "mechanism", "--out", str(tmp_path)]) == 1
    assert asked == [None, (1,), (), None, ("text", "mechanism"), tmp_path, ""]
    assert (tmp_path / "scoreboard.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "vary"),
    [
        (["--vary"], "all"),
        (["--vary", "--seeds", "1"], "all"),
        (["--vary", "noisy,removed"], "noisy,removed"),
    ],
)
def test_variants_are_all_or_some(asked: list[object], options: list[str], vary: str) -> None:
    assert main(["eval", *options]) == 1
    assert asked[-1] == vary


def test_first_scores_are_kept_once(
    asked: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--first-run", "--incidents", str(tmp_path)]) == 1
    assert "First scores kept: none" in capsys.readouterr().err
    assert json.loads((tmp_path / "first_runs.json").read_text(encoding="utf-8")) == {}


def test_comparing_runs_nothing(
    asked: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(SuiteResult(outcomes=()).as_json()), encoding="utf-8")
    assert main(["eval", "--compare", str(path), str(path)]) == 2
    assert "share no run" in capsys.readouterr().err
    path.write_text("{}", encoding="utf-8")
    assert main(["eval", "--compare", str(path), str(path)]) == 2
    assert asked == []
