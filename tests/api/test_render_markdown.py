from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.render.markdown import escape, markdown
from api.render.text import plain_text
from api.render.view import View, commands
from api.shelf import artefacts, unkept
from graph import Context, Report
from graph.models import Step
from tools.models import Statement


def view(report: Report) -> View:
    return View(tz="Asia/Tokyo", profile="prod-travel", short="7f3a", files=tuple(artefacts(report)))


@pytest.mark.parametrize("name", ["proven", "likely", "not_yet", "not_found", "no_incident", "recovered"])
def test_every_verdict_gives_a_whole_document(name: str, reports: dict[str, Report]) -> None:
    report = reports[name]
    made = markdown(report, view(report))
    assert made.startswith("# ")
    assert made.count("\n```") % 2 == 0
    assert "{report}" not in made
    assert ("## Do this" in made) == (report.mitigation is not None)
    assert "## Never again" in made


def test_artefacts_and_statements_can_be_copied_as_json(proven: Report) -> None:
    blocks = re.findall(r"```json\n(.*?)\n```", markdown(proven, view(proven)), re.DOTALL)
    assert [json.loads(block) for block in blocks] == [
        proven.gaps[0].statement,
        *(item.artefact for item in proven.prevention),
    ]


def test_evidence_is_listed_with_its_console_link(proven: Report) -> None:
    made = markdown(proven, view(proven))
    assert "- **F1** cloudtrail:LookupEvents eu-central-1 2026-03-13T17:12:31Z" in made
    assert "[console](https://eu-central-1.console.aws.amazon.com/" in made


def test_an_alarm_is_silenced_only_after_the_check_in_both_forms(proven: Report) -> None:
    assert proven.mitigation is not None
    (red,) = proven.mitigation.stays_red
    plan = proven.mitigation.model_copy(update={"stays_red": (red.model_copy(update={"note": "It stays."}),)})
    report = proven.model_copy(update={"mitigation": plan})
    for shown in (markdown(report, view(report)), plain_text(report, view(report), 120)):
        before, after = shown.split("Once step 4 says RECOVERED:")
        assert "set-alarm-state" not in before
        assert "set-alarm-state" in after


def test_the_chain_marks_what_was_changed(proven: Report) -> None:
    (line,) = [line for line in markdown(proven, view(proven)).splitlines() if line.startswith("Chain: ")]
    assert line.endswith("bookings ◀── changed")


@pytest.mark.parametrize("source", ["live", "recording:/data/x.yaml", "world:case?seed=1"])
def test_a_check_that_cannot_work_is_not_printed(source: str, proven: Report) -> None:
    kept = unkept(proven, Context(source=source))
    seen = View.of(kept, "UTC")
    recorded = source.startswith("recording:")
    for shown in (markdown(proven, seen), plain_text(proven, seen, 120)):
        assert ("needs a real account" in shown) == recorded
        assert ("opsleuth check" in shown) != recorded


def test_only_opsleuths_own_look_is_left_out_of_a_recordings_plan(proven: Report) -> None:
    step = Step(title="Move them back", command="aws sqs start-message-move-task")
    assert commands(step, View(replayed=True), proven) == ["aws sqs start-message-move-task"]


def test_what_speaks_for_the_leader_is_told_once_and_what_else_was_seen_has_a_name(proven: Report) -> None:
    told = proven.hypotheses[0].tests[0].statement
    other = Statement(text="somebody tried it before and was refused")
    report = proven.model_copy(update={"findings": (told, other)})
    shown = markdown(report, view(report))
    sure = shown.split("## How sure")[1].split("\n## ")[0]
    assert sure.count(escape(told.text)) == 1
    assert f"- **seen**: {other.text}" in sure


def test_evidence_that_nothing_cites_is_only_counted(proven: Report) -> None:
    (first, *_) = proven.evidence
    spare = first.model_copy(update={"evidence": replace(first.evidence, id="F999")})
    report = proven.model_copy(update={"evidence": (*proven.evidence, spare)})
    before, after = markdown(proven, view(proven)), markdown(report, view(report))
    assert "**F1** " in after
    assert "F999" not in after
    assert after != before
    assert re.search(r"\d+ more reads? (is|are) cited nowhere above", after)


def test_a_citation_names_each_evidence_once(proven: Report) -> None:
    why = Statement(text="So it is.", evidence=("F1", "F2", "F1"))
    report = proven.model_copy(update={"why": why})
    assert "So it is. (F1 F2)" in markdown(report, view(report))


@given(st.text())
def test_text_from_outside_makes_no_markup(text: str) -> None:
    left = re.sub(r"\\[\\`*\[\]<>|#_]", "", escape(text))
    assert not set("`*[]<>|#\n") & set(left)


def test_a_name_cannot_become_an_image_or_html(proven: Report) -> None:
    evil = Statement(text="![x](http://203.0.113.9/p.png) <script>alert(1)</script>")
    made = markdown(proven.model_copy(update={"why": evil}), view(proven))
    assert "![x]" not in made
    assert "<script>" not in made


def test_a_fence_holds_text_with_fences(proven: Report) -> None:
    measure = proven.prevention[0].model_copy(update={"artefact": "a\n```\nb", "artefact_name": "notes.md"})
    made = markdown(proven.model_copy(update={"prevention": (measure,)}), view(proven))
    assert "````\na\n```\nb\n````" in made
