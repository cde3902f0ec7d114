"""The grouping benchmark counts as loghub does, through the graph's own miner, and tells what it cannot read."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.benchmarks.grouping import grouping_accuracy, load, measure, mined, run
from evals.benchmarks.made_logs import Made, lines, systems
from tools.errors import BadInput


def written(folder: Path, system: str, made: Iterable[Made]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{system}_2k.log_structured.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["LineId", "Content", "EventId", "EventTemplate"])
        rows.writerows((number, one.text, one.event, "") for number, one in enumerate(made, 1))
    return path


def test_a_line_counts_only_when_its_whole_group_is_right() -> None:
    assert grouping_accuracy([1, 1, 2, 2], ["a", "a", "b", "b"]) == 1.0
    assert grouping_accuracy([1, 1, 1, 2], ["a", "a", "b", "b"]) == 0.0
    assert grouping_accuracy([1, 1, 2, 3], ["a", "a", "b", "b"]) == 0.5
    assert grouping_accuracy([1, 1, 1, 1], ["a", "a", "b", "b"]) == 0.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_accuracy_asks_each_line_for_its_companions(labels: list[tuple[int, int]]) -> None:
    groups, events = [one for one, _ in labels], [one for _, one in labels]

    def companions(of: list[int], place: int) -> set[int]:
        return {other for other, label in enumerate(of) if label == of[place]}

    right = sum(companions(groups, place) == companions(events, place) for place in range(len(labels)))
    assert grouping_accuracy(groups, events) == pytest.approx(right / len(labels))


@pytest.mark.parametrize("system", systems())
def test_invented_systems_are_grouped_with_the_one_configuration(system: str) -> None:
    made = list(lines(system, 1000))
    assert grouping_accuracy(mined(one.text for one in made), [one.event for one in made]) >= 0.95


def test_the_order_of_the_lines_makes_no_difference() -> None:
    texts = [one.text for one in lines("broker", 400)]

    def groups(given: list[str]) -> set[frozenset[str]]:
        numbers = mined(given)
        return {
            frozenset(text for text, number in zip(given, numbers, strict=True) if number == wanted)
            for wanted in numbers
        }

    shuffled = random.Random(3).sample(texts, len(texts))
    assert shuffled != texts
    assert groups(shuffled) == groups(texts)


def test_systems_are_found_in_folders_and_side_by_side(tmp_path: Path) -> None:
    written(tmp_path / "nested" / "Relay", "Relay", lines("relay", 200))
    written(tmp_path / "nested", "Logins", lines("logins", 300))
    assert [(one.name, len(one.texts)) for one in load(tmp_path)] == [("Logins", 300), ("Relay", 200)]
    result = run(tmp_path)
    assert result.figures["lines"] == 500
    assert result.figures["anchors"] == {
        "drain3": 0.703, "drain3 with four generic masks": 0.769, "Drain, tuned for each system": 0.865,
    }  # fmt: skip
    assert "2 systems, 500 lines" in result.text
    assert "not comparable" in result.text
    shown = {
        row.split()[0]: row.split()[1:] for row in result.text.splitlines() if row[:5] in ("Relay", "Login")
    }
    for system in load(tmp_path):
        row = measure(system)
        assert shown[row.name] == [
            str(row.lines), str(row.templates), str(row.found),
            f"{row.ours:.3f}", f"{row.plain:.3f}", f"{row.masked:.3f}",
        ]  # fmt: skip


def test_one_file_may_be_given(tmp_path: Path) -> None:
    (system,) = load(written(tmp_path, "Relay", lines("relay", 50)))
    assert (system.name, len(system.texts)) == ("Relay", 50)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("LineId,Text,EventId\n1,a,E1\n", "no column Content"),
        ("LineId,Content,EventId\n", "no line"),
        ("LineId,Content,EventId\n1,a\n", "line 2"),
    ],
)
def test_bad_files_are_told(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "Bad_2k.log_structured.csv").write_text(content)
    with pytest.raises(BadInput, match=said):
        run(tmp_path)


def test_empty_folders_missing_paths_and_doubles_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file of the form"):
        run(tmp_path)
    with pytest.raises(BadInput, match="nothing at"):
        run(tmp_path / "gone")
    written(tmp_path / "a", "Relay", lines("relay", 5))
    written(tmp_path / "b", "Relay", lines("relay", 5))
    with pytest.raises(BadInput, match="more than one file of Relay"):
        run(tmp_path)
