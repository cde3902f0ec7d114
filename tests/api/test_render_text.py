from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from api.render.text import plain_text
from api.render.view import View, packed, started
from api.shelf import artefacts
from graph import Report
from graph.models import Impact, Step
from tools.models import Call, Statement

VERDICTS = ("proven", "likely", "not_yet", "not_found", "no_incident", "recovered")
FIRST = {
    "proven": "PROVEN  97 %",
    "likely": "LIKELY  81 %",
    "not_yet": "NOT YET",
    "not_found": "NOT PROVEN",
    "no_incident": "NO INCIDENT",
    "recovered": "RECOVERED",
}


def view(report: Report, tz: str = "Asia/Tokyo") -> View:
    return View(
        tz=tz, profile="prod-travel", short="7f3a", folder=Path("/data/7f3a"), files=tuple(artefacts(report))
    )


def commands_in(shown: str) -> list[str]:
    """The commands of a printed report as a shell would read them."""
    joined = re.sub(r" \\\n +", " ", shown)
    return [line.strip() for line in joined.splitlines() if line.strip().startswith(("aws ", "opsleuth "))]


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_lines_fit_the_terminal_but_for_what_is_copied(
    name: str, width: int, reports: dict[str, Report]
) -> None:
    shown = plain_text(reports[name], view(reports[name]), width)
    for line in shown.splitlines():
        copied = line.rstrip().endswith("\\") or line.strip().startswith(
            ("aws ", "--", "{", "/", "opsleuth ")
        )
        assert copied or cell_len(line) <= width


@pytest.mark.parametrize("name", VERDICTS)
def test_the_first_line_is_the_verdict_the_account_and_the_time(
    name: str, reports: dict[str, Report]
) -> None:
    first = plain_text(reports[name], view(reports[name]), 120).splitlines()[0]
    assert first.startswith(FIRST[name] + "   ")
    assert "111122223333 · eu-central-1 · 14 Mar 02:" in first
    assert re.search(r"JST \(17:\d\d UTC, 13 Mar\)$", first)


def test_sections_come_in_the_order_of_need(proven: Report) -> None:
    shown = plain_text(proven, view(proven), 100)
    order = [" BROKEN", " WHY", " DATA", " CALL", "DO THIS", "HOW SURE", "COULD NOT SEE", "NEVER AGAIN"]
    places = [shown.index(f"\n{name}") for name in order]
    assert places == sorted(places)


@pytest.mark.parametrize("name", VERDICTS)
def test_commands_are_whole_and_safe_to_copy(name: str, reports: dict[str, Report]) -> None:
    found = commands_in(plain_text(reports[name], view(reports[name]), 80))
    assert bool(found) == (reports[name].mitigation is not None)
    for command in found:
        words = shlex.split(command)
        assert not {"…", "<", ">", "{report}"} & set(command)
        if words[0] == "aws":
            assert words[words.index("--profile") + 1] == "prod-travel"
            assert words[words.index("--region") + 1] == "eu-central-1"
    if found:
        assert found[0].startswith("aws sts get-caller-identity")
        assert "--output text" in found[0]


def test_apply_sets_the_prior_value_and_the_way_back_the_bad_one(proven: Report) -> None:
    found = [
        command for command in commands_in(plain_text(proven, view(proven), 100)) if "update-table" in command
    ]
    assert [re.findall(r"MaxWriteRequestUnits=(\d+)", command) for command in found] == [["320"], ["3"]]
    assert all("MaxReadRequestUnits=500" in command for command in found)


def test_the_reports_own_id_is_filled_in(proven: Report) -> None:
    shown = plain_text(proven, view(proven), 100)
    assert "opsleuth check 7f3a" in shown
    assert "recovered, opsleuth 7f3a" in shown
    assert "{report}" not in shown


def test_steps_are_numbered_through_and_say_when_to_stop(proven: Report) -> None:
    shown = plain_text(proven, view(proven), 100)
    assert re.findall(r"^ (\d)  (.+)$", shown, re.MULTILINE) == [
        ("1", "Right account?"),
        ("2", "Still so?"),
        ("3", "Apply"),
        ("4", "Worked?"),
    ]
    assert shown.count("else stop") == 2
    assert "expect  111122223333; else stop" in shown


def test_numbers_of_the_plan_say_where_they_come_from(proven: Report) -> None:
    line = next(line for line in plain_text(proven, view(proven), 100).splitlines() if "320 ←" in line)
    assert line.rstrip().endswith("[F4 M6]")
    assert "2 Feb 18:30 JST (09:30 UTC)" in line


def test_the_leader_shows_what_speaks_for_it_and_others_less(proven: Report) -> None:
    shown = plain_text(proven, view(proven), 100)
    sure = shown[shown.index("HOW SURE") : shown.index("COULD NOT SEE")]
    assert re.findall(r"^ ? ?(<?\d+) %", sure, re.MULTILINE) == ["97", "2", "<1"]
    assert sure.count(" + ") == 3
    assert "nothing speaks against it" in sure
    assert "Ruled out  hot partition — no: no key-range throttle" in sure
    assert "bookings-api ──invokes──▶ booking-writer ──writes──▶ bookings ◀── changed" in sure
    assert "6f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e  UpdateTable  2026-03-13T17:12:31Z" in sure


def test_not_yet_names_nobody_and_says_when_it_looks_again(reports: dict[str, Report]) -> None:
    report = reports["not_yet"]
    shown = plain_text(report, view(report), 100)
    assert "NEXT     Next look at 02:21:31 JST (17:21:31 UTC)." in shown
    assert "ops-31" not in shown
    assert " %  " not in shown
    assert "DO THIS" not in shown


def test_a_gap_shows_the_statement_on_one_line(proven: Report) -> None:
    shown = plain_text(proven, view(proven), 80)
    assert '{"Effect": "Allow", "Action": ["xray:GetTraceSummaries", "xray:GetServiceGraph"]' in shown
    assert "Would show the failing call path." in shown.replace("\n ", " ")


def test_unverified_sentences_are_never_printed_as_facts(proven: Report) -> None:
    rumour = Statement(text="A deploy happened before.")
    report = proven.model_copy(update={"unverified": (rumour,), "impact": Impact()})
    shown = plain_text(report, view(report), 100)
    assert shown.index("NOT VERIFIED") < shown.index("A deploy happened before.")
    assert "NOT VERIFIED" not in plain_text(proven, view(proven), 100)


def test_times_are_in_the_readers_zone_with_the_day_when_it_is_another(proven: Report) -> None:
    assert "At 02:12:31 JST (17:12:31 UTC) IAM user" in plain_text(proven, view(proven), 160)
    assert "At 17:12:31 UTC IAM user" in plain_text(proven, view(proven, "UTC"), 160)
    later = proven.model_copy(update={"as_of": proven.as_of + timedelta(days=2)})
    assert "At 14 Mar 02:12:31 JST (17:12:31 UTC)" in plain_text(later, view(later), 160)


def test_a_time_is_never_broken_over_two_lines(proven: Report) -> None:
    for width in range(60, 125):
        assert not re.search(
            r"\(\d\d:\d\d(:\d\d)?$|JST$", plain_text(proven, view(proven), width), re.MULTILINE
        )


def test_what_a_terminal_would_obey_is_taken_out(proven: Report) -> None:
    evil = Statement(text="\x1b]0;owned\x07\x1b[2Jwrites fail \u202egnp.exe")
    shown = plain_text(proven.model_copy(update={"why": evil}), view(proven), 100)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "writes fail" in shown


def test_a_call_that_no_command_can_carry_is_said_not_shown(proven: Report) -> None:
    assert proven.mitigation is not None
    wrong = Step(title="Apply", calls=(Call(service="dynamodb", operation="Nonsense", parameters={}),))
    plan = proven.mitigation.model_copy(update={"apply": (wrong,)})
    shown = plain_text(proven.model_copy(update={"mitigation": plan}), view(proven), 100)
    assert "# dynamodb" in shown
    assert "aws dynamodb nonsense" not in shown


@pytest.mark.parametrize(
    ("typed", "found", "printed"),
    [
        (".venv/bin/opsleuth", "/r/.venv/bin/opsleuth", ".venv/bin/opsleuth check 7f3a"),
        ("/r/bin/opsleuth", None, "/r/bin/opsleuth check 7f3a"),
        ("/my tools/opsleuth", None, "'/my tools/opsleuth' check 7f3a"),
        ("/r/bin/opsleuth", "/r/bin/opsleuth", "opsleuth check 7f3a"),
        ("/r/bin/pytest", None, "opsleuth check 7f3a"),
    ],
)
def test_the_check_is_printed_as_opsleuth_was_started(
    typed: str, found: str | None, printed: str, proven: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [typed, "demo"])
    monkeypatch.setattr("shutil.which", lambda _: found)
    lines = plain_text(proven, replace(view(proven), program=started()), 120).splitlines()
    assert printed in [line.strip() for line in lines]


def test_what_a_citation_is_is_said_once_where_there_is_evidence(proven: Report) -> None:
    assert plain_text(proven, view(proven), 120).count("are evidence:") == 1
    bare = proven.model_copy(update={"evidence": ()})
    assert "are evidence:" not in plain_text(bare, view(bare), 120)


def test_packing_keeps_every_argument() -> None:
    command = "aws x y \\\n    --one 1 \\\n    --two 'a b' \\\n    --three 3"
    for width in (10, 20, 30, 200):
        assert shlex.split(packed(command, width).replace("\\\n", "")) == shlex.split(
            command.replace("\\\n", "")
        )
    assert packed(command, 200) == "aws x y --one 1 --two 'a b' --three 3"
