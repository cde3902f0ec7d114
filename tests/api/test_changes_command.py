"""`opsleuth changes` and `opsleuth undo` as a reader meets them: times, errors, text, JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.changes import Wanted, show_changes
from api.cli import main
from api.spans import span
from evals import register
from graph import Context
from graph.undoing import door
from tools.errors import BadInput

CASE = "world:lambda-concurrency-cut?seed=1"
OTHER = "world:dynamodb-max-write?seed=2"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    register()
    seen = door.changes([Context(source=CASE)], timedelta(hours=24))
    from api.render.changes import changes_json

    return changes_json(seen)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("90 min", 5400),
        ("24h", 86_400),
        ("7D", 604_800),
        ("2w", 1_209_600),
        ("90d", 7_776_000),
    ],
)
def test_a_span_is_a_time_back(text: str, seconds: int) -> None:
    assert span(text, "UTC") == timedelta(seconds=seconds)


def test_a_moment_is_meant_in_the_readers_zone() -> None:
    assert span("2026-03-14T02:12", "Asia/Tokyo") == datetime(2026, 3, 13, 17, 12, tzinfo=UTC)
    assert span("2026-03-13T17:12Z", "Asia/Tokyo") == datetime(2026, 3, 13, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "24", "h", "-3h", "3y", "2026-13-40", "0h", "91d", "999999w"]
)
def test_what_is_no_time_is_said_with_what_to_write(text: str) -> None:
    with pytest.raises(BadInput, match=r"--since"):
        span(text, "UTC")


@given(st.integers(1, 90), st.sampled_from("mhd"))
def test_any_span_within_the_history_is_understood(count: int, unit: str) -> None:
    found = span(f"{count}{unit}", "UTC")
    assert isinstance(found, timedelta)
    assert timedelta(0) < found <= timedelta(days=90)


@given(st.text(max_size=12))
def test_other_texts_are_refused_or_times(text: str) -> None:
    try:
        found = span(text, "UTC")
    except BadInput:
        return
    assert isinstance(found, datetime | timedelta)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["changes", "--since", "soon", "--source", CASE], '--since "soon" is no time'),
        (["changes", "--until", "soon", "--source", CASE], '--until "soon" is no time'),
        (
            [
                "changes",
                "--since",
                "2h",
                "--until",
                "3000-01-01T00:00Z",
                "--near",
                "orders",
                "--source",
                CASE,
            ],
            "orders",
        ),
        (["changes", "--since", "1h", "--source", "moon"], '"moon" is no source'),
        (["changes", "--since", "2036-01-01T00:00Z", "--source", CASE], "Nothing lies between --since"),
        (["undo", "no such id", "--source", CASE], "is no event id"),
        (["undo", "6f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e", "--source", CASE], "knows no event"),
        (["undo", "6f0c2a7e", "--source", CASE], "Give the whole id"),
        (["undo"], "Missing argument"),
        (["changes", "--tz", "Mars/Base", "--source", CASE], "not a time zone"),
    ],
)
def test_what_cannot_be_understood_is_exit_2(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_a_trail_that_is_refused_is_exit_3(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["changes", "--source", "world:cloudtrail-denied?seed=1"]) == 3
    assert "cloudtrail:LookupEvents" in capsys.readouterr().err


def test_json_counts_every_event(told: dict[str, Any]) -> None:
    assert told["shown"] + sum(told["folded"].values()) == told["total"]
    assert told["shown"] == sum(len(one["events"]) for one in told["changes"])
    first = told["changes"][0]
    assert (first["operation"], first["how"], first["status"]) == (
        "PutFunctionConcurrency",
        "console",
        "in force",
    )
    assert first["fields"] == [
        {
            "name": "reserved concurrency",
            "before": "80 concurrent executions",
            "after": "0 concurrent executions",
        }
    ]
    assert [one["risk"] for one in told["changes"]] == sorted(
        (one["risk"] for one in told["changes"]), reverse=True
    )


def test_one_line_each_then_what_was_folded(
    home: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any]
) -> None:
    show_changes(Wanted(source=CASE, tz="Asia/Tokyo"), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    numbered = [line for line in lines if line[:3].strip().isdigit()]
    assert len(numbered) == len(told["changes"])
    whole = " ".join(" ".join(lines).split())
    assert "80 concurrent executions → 0 concurrent executions" in whole
    ids = [line for line in lines if line.startswith("     event ")]
    assert ids == [f"     event {one['events'][0]}" for one in told["changes"]]
    assert f"{told['folded']['reads']:,} reads" in whole
    assert any("CloudTrail is late" in line and "JST" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    show_changes(Wanted(source=CASE), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= width
    assert max(len(line) for line in lines) > width - 30


def test_undo_says_what_to_expect_before_and_after(
    home: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any]
) -> None:
    assert main(["undo", told["changes"][0]["events"][0], "--source", CASE]) == 0
    said = capsys.readouterr().out
    account, look, put, worked = (
        said.index(one) for one in ("Right account?", "Look first:", "Put it back:", "Worked?")
    )
    assert account < look < put < worked < said.index("Way back")
    assert re.search(r"expect \d{12}; else stop", said[account:look])
    assert "expect 0; else stop" in said[look:put]
    assert "expect 80\n" in said[worked:]
    assert max(len(line) for line in said[account:].splitlines()) <= 100


def test_undo_prints_the_command_and_the_way_back(
    home: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any]
) -> None:
    event = told["changes"][0]["events"][0]
    assert main(["undo", event, "--source", CASE, "--profile", "prod"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("EXACT: ")
    said = re.sub(r" \\\n\s+", " ", said)
    assert "You run it; opsleuth never does." in said
    put = (
        "aws lambda put-function-concurrency --function-name order-checkout --reserved-concurrent-executions"
    )
    region = "--profile prod --region ap-northeast-1"
    assert f"{put} 80 {region}" in said
    assert f"{put} 0 {region}" in said
    assert said.index(f"{put} 80") < said.index("Way back") < said.index(f"{put} 0")


def test_undo_as_json(home: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any]) -> None:
    assert main(["undo", told["changes"][0]["events"][0], "--source", CASE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"] == "exact"
    assert found["fields"][0]["before"] == 80
    assert found["calls"][0]["parameters"] == {
        "FunctionName": "order-checkout",
        "ReservedConcurrentExecutions": 80,
    }


def test_two_accounts_are_one_list() -> None:
    register()
    seen = door.changes([Context(source=CASE), Context(source=OTHER)], timedelta(hours=3))
    assert len(set(seen.accounts)) == 2
    assert {line.account for line in seen.listing.lines[:2]} == set(seen.accounts)
    assert seen.listing.shown + sum(seen.listing.folded.values()) == seen.listing.total


def test_both_spans_count_from_now_and_an_empty_time_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["changes", "--source", CASE, "--since", "3h", "--until", "2h", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    begin, end = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
    assert timedelta(minutes=59) <= end - begin <= timedelta(minutes=61)
    assert main(["changes", "--source", CASE, "--since", "1h", "--until", "2h"]) == 2
    assert "Nothing lies between --since" in capsys.readouterr().err


def spaces(home: Path, *rows: tuple[str, str]) -> None:
    folder = home / ".local" / "share" / "opsleuth"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spaces.toml").write_text(
        "".join(f'[{name}]\naccount = "{account}"\nregions = ["ap-northeast-1"]\n' for name, account in rows)
    )


def test_spaces_that_cannot_be_entered_are_gaps(
    home: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any]
) -> None:
    spaces(home, ("prod", told["accounts"][0]), ("billing", "999900001111"))
    assert main(["changes", "--space", "all", "--source", CASE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"] == told["total"]
    assert found["accounts"] == told["accounts"]
    (gap,) = [one for one in found["not_seen"] if "billing" in one["what"]]
    assert gap["what"] == "space billing, account 999900001111"
    assert told["accounts"][0] in gap["why"]


def test_one_space_is_one_account(
    home: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any]
) -> None:
    spaces(home, ("prod", told["accounts"][0]), ("billing", "999900001111"))
    assert main(["changes", "--space", "prod", "--source", CASE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["regions"] == ["ap-northeast-1", "us-east-1"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--space", "elsewhere"], 2, 'no space "elsewhere"'),
        (["--space", "all", "--profile", "prod"], 2, "--space says where to look"),
        (["--space", "billing"], 3, "not 999900001111"),
    ],
)
def test_spaces_that_are_not_there(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    spaces(home, ("billing", "999900001111"))
    assert main(["changes", "--source", CASE, *arguments]) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("command", [["changes"], ["undo", "11111111-2222-4333-8444-555555555555"]])
def test_a_region_that_there_is_not_is_refused(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--region", "eu-wst-1", "--source", CASE]) == 2
    assert "Did you mean eu-west-1?" in capsys.readouterr().err


def test_a_resource_that_nobody_knows_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/no-such-table"
    assert main(["changes", "--near", arn, "--source", CASE]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "neither AWS nor the events that were read know this resource" in said


def test_a_resource_that_is_known_is_no_gap(home: Path, told: dict[str, Any]) -> None:
    near = next(arn for line in told["changes"] for arn in line["resources"] if arn.startswith("arn:"))
    seen = door.changes([Context(source=CASE)], timedelta(hours=24), near=near)
    assert "NotThere" not in [gap.code for gap in seen.gaps]
    assert seen.listing.lines
