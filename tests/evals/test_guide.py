from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.cli import main
from evals.guide import CASE, PAGE, SERVICES, filled, rows
from evals.world.casefile import LookSpec

_FILE = re.compile(r"`my-cases/([\w-]+)/(case|truth)\.yaml`:\n\n```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The worked examples of the guide as case folders."""
    for name, file, text in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        (place / f"{file}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_tables_say_what_cases_are_read_with() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page, "docs/cases.md is stale: run python -m evals.guide"
    known = SERVICES.read_text(encoding="utf-8")
    assert filled(known) == known, "docs/services.md is stale: run python -m evals.guide"
    assert "| DynamoDB |" in known
    assert "`ReservedConcurrentExecutions`: runs at the same time" in page
    assert "| `known_as` |" in page


def test_a_key_without_description_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"LookSpec: \['minutes'\]"):
        list(rows({("look", LookSpec): {"after": ""}}))
    assert {model.__name__ for _, model in CASE} >= {"CaseFile", "EventSpec", "Switches"}


def test_the_worked_examples_are_whole_short_and_sound(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = {
        one.name: sum(len(file.read_text().splitlines()) for file in one.iterdir())
        for one in folder.iterdir()
    }
    assert set(lines) == {"stage-throttled", "partner-down"}
    assert max(lines.values()) < 80
    assert main(["eval", "--validate", str(folder)]) == 0
    assert capsys.readouterr().out == "OK: 2 cases\n"


def test_the_worked_change_is_investigated_rightly(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--incidents", str(folder / "stage-throttled"), "--processes", "1"]) == 0
    assert "opsleuth right in 1 of 1; false claims: 0" in capsys.readouterr().out


def test_mistakes_are_exit_code_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = folder / "partner-down" / "case.yaml"
    place.write_text(place.read_text().replace("path: _down", "path: _donw"))
    assert main(["eval", "--validate", str(folder)]) == 2
    line = next(n for n, text in enumerate(place.read_text().splitlines(), 1) if "_donw" in text)
    assert capsys.readouterr().out.startswith(
        f'{place}:{line}: events.outage: a host has no setting "_donw".'
    )
