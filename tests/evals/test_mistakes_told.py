"""Answers that can never come true and values that cannot be are told by --validate with their line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evals.cases import incidents
from evals.suite import run_suite
from evals.validate import validate

MODEL = incidents() / "lambda-timeout-cut"


def told(folder: Path, name: str, old: str, new: str) -> str:
    """What --validate says of the model case with one text exchanged in one file."""
    place = folder / "mine"
    place.mkdir(exist_ok=True)
    for file in ("case.yaml", "truth.yaml"):
        text = (MODEL / file).read_text()
        if file == name:
            assert re.search(old, text, re.M), old
            text = re.sub(old, lambda _: new, text, count=1, flags=re.M)
        (place / file).write_text(text)
    return validate(folder, seeds=(1,)).render()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (r"\$onset$", "17:13", "write $onset, or a time such as"),
        (r"event: \$change\.event_id", "event: change", "write $change.event_id"),
        (r"resource: \$function\.arn", "resource: function.arn", "write $function.arn"),
        (r"bad: \S+", "bad: $timeout.before", "nothing changed"),
        (r"prior: \S+", 'prior: "{timeout.before}"', "write ${timeout.before}"),
        (r"^verdict: root_cause", "verdict: not_found", "names nobody and nothing"),
        (r"^onset: ", "onset_within: -5\nonset: ", "seconds cannot be negative"),
        (r"^onset: ", "gaps: [{code: AccesDenied}]\nonset: ", 'Did you mean "AccessDenied"'),
    ],
)
def test_an_answer_that_cannot_come_true_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    said = told(tmp_path, "truth.yaml", old, new)
    assert words in said, said
    assert re.search(r"truth\.yaml:\d+: ", said)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (r"^traffic: \{", "traffic: {attempts: 0, ", "it must be at least 1"),
        (r"^traffic: \{", "traffic: {background: 30000, ", "it must be at most 10000"),
        (r"^look:", "region: eu-west-9\nlook:", "AWS has no region eu-west-9"),
        (r"^look:", 'switches: {deny: ["cloudtrail:LookupEventz"]}\nlook:', 'mean "cloudtrail:LookupEvents"'),
        (r"settings: \{", "settings: {Memory: 5, ", 'has no setting "Memory". Known: Vis'),
        (r'address: "[^"]+"', 'address: "999.1.1.1"', "is no IP address"),
    ],
)
def test_a_value_that_cannot_be_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    said = told(tmp_path, "case.yaml", old, new)
    assert words in said, said
    assert re.search(r"case\.yaml:\d+: ", said)


def test_a_broken_case_is_not_told_again_in_its_truth(tmp_path: Path) -> None:
    said = told(tmp_path, "case.yaml", r"^title:", "title: [")
    assert "case.yaml" in said
    assert "truth.yaml" not in said


def test_a_seed_that_cannot_be_built_spoils_no_other(tmp_path: Path) -> None:
    told(tmp_path, "truth.yaml", r"\$onset$", "$ended")
    seen: list[tuple[int, int]] = []
    found = run_suite(tmp_path, (1, 2), processes=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert all("$ended" in one.error and "--validate" in one.error for one in found.outcomes)
