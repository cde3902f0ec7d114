"""`opsleuth record`: a case folder from one command, instructions for what comes next, and nothing by halves."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml

from api.cli import main
from graph import Report

ROOT = Path(__file__).parents[2]
RECORDING = ROOT / "evals" / "incidents" / "dynamodb-max-write" / "recording.yaml"
ALARM = "orders-writes-throttled"
ASKED = ["record", "--alarm", ALARM, "--source", f"recording:{RECORDING}"]


def test_a_recording_becomes_a_scrubbed_case(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home / "case"
    assert main([*ASKED, "--out", str(folder), "--hide", "orders"]) == 0
    said = capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == [
        "recording.yaml",
        "snapshot.jsonl.gz",
        "trigger.yaml",
        "truth.yaml",
    ]
    assert (folder / "recording.yaml").stat().st_size <= 500_000
    trigger = yaml.safe_load((folder / "trigger.yaml").read_text())
    assert trigger == {"alarm": "hidden01-writes-throttled"}
    assert "#?   name: person-" in (folder / "truth.yaml").read_text()
    held = json.loads((home / "case.originals.json").read_text())["originals"]
    assert "ops-07" in held["name"]
    for part in (
        f"Recorded as a case in {folder}",
        "Fill in truth.yaml",
        f"opsleuth investigate --alarm 'hidden01-writes-throttled' --recording {folder}/recording.yaml",
        "never hand it on",
        "No whole series",
    ):
        assert part in said
    snapshot = gzip.decompress((folder / "snapshot.jsonl.gz").read_bytes()).decode()
    assert '"kind":"event"' in snapshot
    assert "ops-07" not in snapshot

    assert (
        main(["investigate", "--alarm", ALARM, "--recording", f"{folder}/recording.yaml", "--format", "json"])
        == 0
    )
    report = Report.model_validate_json(capsys.readouterr().out)
    assert report.root_cause is not None
    assert report.root_cause.actor is not None
    assert (report.root_cause.prior_value, report.root_cause.bad_value) == (250, 2)
    assert report.root_cause.actor.name.startswith("person-")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ([], "Missing option '--out'"),
        (["--out", "there"], "not empty"),
        (["--out", "no/case"], "does not exist"),
        (["--out", "case", "--now", "2026-01-01T00:00Z"], "their own time"),
        (["--out", "case", "--source", "moon:1"], "is not a source"),
        (["--out", "case", "--resource", "arn:aws:sqs:eu-west-1:111122223333:q"], "Only one of"),
    ],
)
def test_what_cannot_be_recorded_is_told_before_anything_is_read(
    more: list[str],
    says: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(home)
    (home / "there").mkdir()
    (home / "there" / "notes").write_text("mine")
    assert main([*ASKED, *more]) == 2
    assert says in capsys.readouterr().err
    assert sorted(path.name for path in home.iterdir() if not path.name.startswith(".")) == ["there"]


def test_a_refusal_to_write_is_told_and_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recording holds a real-looking account where no rule finds it, so the last look must."""
    import base64

    wrapped = base64.b64encode(("owner " + "7319" + "0456" + "2218" + " of all").encode()).decode()
    changed = home / "changed.yaml"
    changed.write_text(RECORDING.read_text().replace('"team": "shop"', f'"team": "{wrapped}"'))
    assert wrapped in changed.read_text()
    before = {path.name for path in home.iterdir()}
    asked = ["record", "--alarm", ALARM, "--source", f"recording:{changed}", "--out", str(home / "case")]
    assert main(asked) == 3
    error = capsys.readouterr().err
    assert "Nothing was written" in error
    assert "an account id inside base64" in error
    assert {path.name for path in home.iterdir() if not path.name.startswith(".")} - before == set()
