from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from api.shelf import artefact_name, artefacts, find, home, identity, keep
from graph import Context, Report
from graph.models import Statistics
from tools.errors import BadInput

CONTEXT = Context(profile="prod-travel", region="eu-central-1")


def test_a_kept_report_is_found_by_the_head_of_its_id(proven: Report, shelf: Path) -> None:
    kept = keep(proven, CONTEXT)
    found = find(kept.short)
    assert len(kept.short) == 4
    assert (found.report, found.context) == (proven, CONTEXT)
    assert find(identity(proven)).report == proven


def test_an_equal_report_is_the_same_one_whatever_it_cost(proven: Report, shelf: Path) -> None:
    again = proven.model_copy(update={"statistics": Statistics(seconds=99.0)})
    assert keep(proven, CONTEXT).short == keep(again, CONTEXT).short
    assert len(list((shelf / "reports").iterdir())) == 1


def test_another_report_is_another_one(reports: dict[str, Report], shelf: Path) -> None:
    shorts = [keep(report, CONTEXT).short for report in reports.values()]
    assert len(set(shorts)) == len(reports)
    for short, report in zip(shorts, reports.values(), strict=True):
        assert find(short).report == report


def test_an_id_that_means_two_reports_is_not_guessed(proven: Report, shelf: Path) -> None:
    first = keep(proven, CONTEXT)
    assert first.folder is not None
    twin = first.folder.with_name(first.folder.name[:6] + "0" * 10)
    twin.mkdir()
    (twin / "report.json").write_text((first.folder / "report.json").read_text())
    with pytest.raises(BadInput, match="Several reports begin with"):
        find(first.short)
    assert len(keep(proven, CONTEXT).short) == 7


@pytest.mark.parametrize("text", ["7f3", "xyz!", "../../etc", ""])
def test_what_is_no_id_is_told(text: str, shelf: Path) -> None:
    with pytest.raises(BadInput, match="is not the id of a report"):
        find(text)


def test_an_unknown_id_lists_the_newest(proven: Report, shelf: Path) -> None:
    kept = keep(proven, CONTEXT)
    other = "0000" if kept.short != "0000" else "1111"
    with pytest.raises(BadInput, match=f"Newest: {kept.short}"):
        find(other)


def test_a_spoilt_report_is_a_sentence(proven: Report, shelf: Path) -> None:
    kept = keep(proven, CONTEXT)
    assert kept.folder is not None
    (kept.folder / "report.json").write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        find(kept.short)


def test_artefacts_lie_beside_the_report_under_safe_names(proven: Report, shelf: Path) -> None:
    measure = proven.prevention[0].model_copy(
        update={"artefact_name": "../../policy.json", "artefact": "text"}
    )
    report = proven.model_copy(update={"prevention": (*proven.prevention, measure, proven.prevention[1])})
    folder = keep(report, CONTEXT).folder
    names = list(artefacts(report))
    assert folder is not None
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert names == ["policy.json", "alarm.json", "policy-2.json", "alarm-2.json"]
    assert {path.name for path in folder.iterdir()} == {*names, "report.json"}
    assert json.loads((folder / "alarm.json").read_text()) == {"AlarmName": "bookings-max-write"}


@pytest.mark.parametrize("wanted", ["", "...", "report.json", "/etc/passwd", "a b.json", "名前.json"])
def test_artefact_names_stay_in_their_folder(wanted: str) -> None:
    name = artefact_name({}, wanted)
    assert name not in ("", ".", "..", "report.json")
    assert Path(name).name == name


def test_the_data_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPSLEUTH_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home() == tmp_path / "opsleuth"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert home() == tmp_path / "me" / ".local" / "share" / "opsleuth"


def test_a_later_revision_is_a_report_of_its_own(proven: Report, shelf: Path) -> None:
    later = proven.model_copy(update={"revision": 2, "as_of": proven.as_of + timedelta(minutes=5)})
    assert keep(proven, CONTEXT).folder != keep(later, CONTEXT).folder
