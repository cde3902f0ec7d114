from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals.baselines import NOTHING, Baseline
from evals.comparing import Item
from evals.results import Outcome, SuiteResult, Unseen
from evals.score import Score
from evals.scoreboard import markdown, passed, write
from evals.scoreboard_html import page
from evals.story import Story
from tools.errors import BadInput

START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)
GOOD = Outcome(
    case="alpha",
    seed=1,
    score=Score(
        items=(Item(name="cause", ok=True, why="so"),), stance="right", predicted=0.97, onset_error=2.0
    ),
    baselines=(Baseline(name="latest change", guess=NOTHING, right=0.0),),
)
BAD = replace(
    GOOD,
    seed=2,
    score=Score(
        items=(Item(name="cause", ok=False, why="expected <a>, got b & c"),), stance="wrong", predicted=0.8
    ),
    story=Story(start=START, end=START + timedelta(hours=1), onset=START),
)
RESULT = SuiteResult(
    outcomes=(GOOD, BAD),
    unseen=(Unseen(case="alpha", seed=1, how="text", named=True, told="Proven"),),
    first_runs={
        "alpha": {"seeds": [1, 2], "cause": 0.5, "right": 0.5, "failed": {"cause": [2]}, "weights": "ab12"}
    },
)


class Page(HTMLParser):
    """The texts of a page by heading, every attribute, and which elements are open at the end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.values: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.values += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.values += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_whole_and_asks_for_nothing_from_outside() -> None:
    text = page(RESULT)
    found = Page(text)
    assert found.open == []
    assert not {name for name, _ in found.values} & {"src", "href", "srcset", "action"}
    assert "<script" not in text
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme:dark" in text


def test_the_page_tells_every_part() -> None:
    texts = [text.strip() for text in Page(page(RESULT)).texts]
    for heading in (
        "What must hold of the whole suite", "Figures", "Baselines", "Calibration: as they are", "Unseen mechanism",
        "First run of each case", "Cases", "Failures", "alpha seed 2", "cause: expected <a>, got b & c",
    ):  # fmt: skip
        assert heading in texts
    assert "1/2" in texts
    assert "alpha seed 1" not in texts, "it did not fail"


def test_the_markdown_tells_the_same_and_names_the_pictures() -> None:
    text = markdown(RESULT)
    assert "1 of 2 runs all right." in text
    assert "| cause | 50.0% |" in text
    assert "| latest change | 0.0% |" in text
    assert "| text | 100.0% |" in text
    assert "| alpha | 2 | 50% | 50% | ab12 |" in text
    assert "![Timeline of alpha seed 2](pictures/alpha-2.svg)" in text
    assert "| 80% to 90% | 1 | 80.0% | 0.0% |" in text


def test_nothing_failed_is_said() -> None:
    fine = SuiteResult(outcomes=(GOOD,))
    assert markdown(fine).endswith("## Failures\n\nNone.\n")
    assert "None." in page(fine)
    for heading in ("Unseen mechanism", "First run"):
        assert heading not in page(fine)
        assert heading not in markdown(fine)


def test_variants_have_a_table_and_their_failures_a_picture(tmp_path: Path) -> None:
    noisy = (replace(GOOD, variant="noisy"), replace(BAD, variant="noisy", false_claims=("says 3",)))
    some = SuiteResult(outcomes=(GOOD,), varied=(*noisy, replace(GOOD, variant="removed")))
    text = markdown(some)
    assert "1 of 1 runs all right." in text
    assert "| cause | 100.0% |  | 1 |" in text, "the suite's own figures know nothing of variants"
    assert "| noisy | 2 | 1 | 1 | 1 | 0 |" in text
    assert "| all variants | 3 | 2 | 2 | 1 | 0 |" in text
    assert "- ✗ no false claims: 1" in text
    assert "### alpha seed 2, noisy" in text
    assert {"Variants", "all variants", "alpha seed 2, noisy"} <= set(Page(page(some)).texts)
    write(some, tmp_path)
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["alpha-2-noisy.svg"]
    assert "Variants" not in markdown(RESULT)


def test_files_are_written_with_a_picture_of_each_failure(tmp_path: Path) -> None:
    written = write(RESULT, tmp_path / "new")
    assert [path.name for path in written] == ["scoreboard.html", "scoreboard.md", "results.json"]
    assert [path.name for path in (tmp_path / "new" / "pictures").iterdir()] == ["alpha-2.svg"]
    data = json.loads((tmp_path / "new" / "results.json").read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(RESULT.as_json()))
    assert "story" not in data["outcomes"][1]
    again = {path: path.read_bytes() for path in written}
    assert {path: path.read_bytes() for path in write(RESULT, tmp_path / "new")} == again


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be written"):
        write(RESULT, tmp_path / "file")


def test_a_case_counts_the_runs_that_were_asked() -> None:
    idle = replace(GOOD, score=Score(items=(Item(name="cause", ok=True, why="none", asked=False),)))
    assert passed([GOOD, BAD, idle], "cause") == "1/2"
    assert passed([idle], "cause") == "·"
    assert passed([replace(GOOD, score=Score(items=()))], "cause") == "0/1"
