"""Showing a run: what goes where, and when."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import api.drive
from api import options
from api.drive import Manner, drive, run_async
from graph import Context, Question, Report, Resume, TimelineEvent, Trigger
from tools.errors import BadInput, CannotInvestigate

savers: list[Any] = []
TRIGGER, CONTEXT = Trigger(alarm="bookings-throttled"), Context(profile="prod-travel")
EVENT = TimelineEvent(
    key="000-intake-000", kind="observation", node="intake", text="alarm red since 2026-03-13T17:15:00Z"
)
Playing = Callable[..., list[Any]]


@pytest.fixture
def playing(monkeypatch: pytest.MonkeyPatch, shelf: Path) -> Playing:
    """`playing([updates], [updates after a resume])`: a door that yields these; what it was asked is returned."""

    def make(*runs: list[Any]) -> list[Any]:
        asked: list[Any] = []
        savers.clear()

        async def stream(what: Any, thread: str, context: Context, *, saver: Any) -> AsyncIterator[Any]:
            asked.append(what)
            savers.append(saver)
            for update in runs[len(asked) - 1]:
                yield update

        monkeypatch.setattr(api.drive, "stream", stream)
        return asked

    return make


def test_text_goes_to_stdout_and_progress_to_stderr(
    playing: Playing, proven: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    playing([EVENT, proven])
    kept = drive(TRIGGER, CONTEXT, Manner(tz="Asia/Tokyo"))
    said = capsys.readouterr()
    assert said.out.startswith("PROVEN  97 %")
    assert f"opsleuth check {kept.short}" in said.out
    assert "--profile prod-travel" in said.out
    assert "… 1 steps, 34 AWS calls, 11 s" in said.err
    assert "intake" not in said.out + said.err


def test_the_timeline_is_told_live_on_stderr(
    playing: Playing, proven: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    playing([EVENT, proven])
    drive(TRIGGER, CONTEXT, Manner(form="json", timeline=True, tz="Asia/Tokyo"))
    said = capsys.readouterr()
    assert "intake" in said.err
    assert "02:15 JST (17:15 UTC)" in said.err
    assert json.loads(said.out)["verdict"] == "root_cause"


def test_each_revision_is_printed_but_a_pipe_gets_one_document(
    playing: Playing, reports: dict[str, Report], capsys: pytest.CaptureFixture[str]
) -> None:
    second = reports["proven"].model_copy(update={"revision": 2})
    playing([EVENT, reports["not_yet"], EVENT, second])
    drive(TRIGGER, CONTEXT, Manner())
    said = capsys.readouterr()
    assert said.out.index("NOT YET") < said.out.index("PROVEN  97 %")
    assert "revision 2" in said.out
    assert "Waiting for the next look" in said.err

    playing([EVENT, reports["not_yet"], EVENT, second])
    drive(TRIGGER, CONTEXT, Manner(form="json"))
    assert json.loads(capsys.readouterr().out)["revision"] == 2


def test_a_look_that_still_sees_nothing_is_one_line(
    playing: Playing, reports: dict[str, Report], capsys: pytest.CaptureFixture[str]
) -> None:
    first = reports["not_yet"]
    playing(
        [first, first.model_copy(update={"as_of": first.as_of + timedelta(minutes=5)}), reports["proven"]]
    )
    drive(TRIGGER, CONTEXT, Manner())
    said = capsys.readouterr()
    assert (said.out.count("NOT YET"), said.out.count("PROVEN  97 %")) == (1, 1)
    assert "still NOT YET" in said.err


def test_nothing_is_waited_for_when_asked_not_to(
    playing: Playing, reports: dict[str, Report], capsys: pytest.CaptureFixture[str]
) -> None:
    playing([reports["not_yet"]])
    drive(TRIGGER, Context(wait=False), Manner())
    assert "Waiting" not in capsys.readouterr().err


def test_an_equal_look_is_not_printed_twice(
    playing: Playing, proven: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    playing([proven, proven])
    drive(TRIGGER, CONTEXT, Manner())
    assert capsys.readouterr().out.count("PROVEN  97 %") == 1


@pytest.mark.parametrize(("form", "begins"), [("text", "PROVEN"), ("md", "# PROVEN"), ("json", "{")])
def test_a_file_gets_the_report_and_stdout_nothing(
    form: str,
    begins: str,
    playing: Playing,
    proven: Report,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    playing([proven])
    target = tmp_path / "report"
    kept = drive(TRIGGER, CONTEXT, Manner(form=form, out=str(target)))
    assert target.read_text(encoding="utf-8").startswith(begins)
    said = capsys.readouterr()
    assert said.out == ""
    assert f"Report {kept.short} is in {target}" in said.err


def test_json_is_the_report_with_its_id(
    playing: Playing, proven: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    playing([proven])
    kept = drive(TRIGGER, CONTEXT, Manner(form="json"))
    shown = Report.model_validate_json(capsys.readouterr().out)
    assert shown == proven.model_copy(update={"id": kept.short})


@pytest.mark.parametrize(
    ("wanted", "out", "made"),
    [
        (None, "", "text"),
        (None, "o.md", "md"),
        (None, "O.JSON", "json"),
        (None, "o.txt", "text"),
        ("text", "o.md", "text"),
        ("json", "", "json"),
    ],
)
def test_the_form_follows_the_ending_unless_it_is_named(wanted: str | None, out: str, made: str) -> None:
    assert options.form(wanted, out) == made


@pytest.mark.parametrize(
    ("region", "alarm", "resource", "there"),
    [
        ("", "", "arn:aws:sqs:eu-north-1:111122223333:jobs", "eu-north-1"),
        ("us-east-1", "", "arn:aws:sqs:eu-north-1:111122223333:jobs", "us-east-1"),
        ("", "arn:aws:cloudwatch:eu-north-1:111122223333:alarm:a", "", "eu-north-1"),
        ("", "a", "", ""),
    ],
)
def test_the_region_inside_an_arn_is_used(region: str, alarm: str, resource: str, there: str) -> None:
    assert options.place(region, alarm, resource) == there


def test_a_replay_tells_the_seconds_that_were_waited(
    playing: Playing, proven: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = proven.model_copy(
        update={"statistics": proven.statistics.model_copy(update={"seconds": 86_400.0})}
    )
    playing([EVENT, slow])
    drive(TRIGGER, Context(source="world:x"), Manner())
    assert "86400 s" not in capsys.readouterr().err
    playing([EVENT, slow])
    drive(TRIGGER, CONTEXT, Manner())
    assert "86400 s" in capsys.readouterr().err


def test_a_bad_place_is_told_before_anything_is_asked(playing: Playing, tmp_path: Path) -> None:
    asked = playing([])
    with pytest.raises(BadInput):
        drive(TRIGGER, CONTEXT, Manner(out=str(tmp_path / "no" / "where")))
    assert asked == []


def test_a_report_that_cannot_be_kept_is_shown_all_the_same(
    playing: Playing,
    proven: Report,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPSLEUTH_HOME", str(tmp_path / "file"))
    playing([proven])
    drive(TRIGGER, CONTEXT, Manner())
    said = capsys.readouterr()
    assert said.out.startswith("PROVEN  97 %")
    assert "Set OPSLEUTH_HOME to a folder. opsleuth check will not know this report." in said.err


def test_a_failed_run_leaves_no_file(playing: Playing, tmp_path: Path) -> None:
    playing([EVENT])
    target = tmp_path / "report.md"
    with pytest.raises(CannotInvestigate, match="without a report"):
        drive(TRIGGER, CONTEXT, Manner(form="md", out=str(target)))
    assert list(tmp_path.glob("report*")) == []


def test_a_question_is_asked_and_its_answer_resumes_the_run(
    playing: Playing, proven: Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("click.prompt", lambda *_, **__: 2)
    asked = playing([Question(text="Which one?", choices=("orders", "bookings"))], [proven])
    drive(TRIGGER, Context(interactive=True), Manner())
    assert asked == [TRIGGER, Resume(answer="bookings")]
    assert savers[0] is not None
    assert savers[0] is savers[1]
    assert " 2  bookings" in capsys.readouterr().err


def test_ctrl_c_does_not_wait_for_a_sleeping_thread() -> None:
    free = threading.Event()

    tidied: list[str] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        try:
            loop.call_soon(signal.raise_signal, signal.SIGINT)
            await loop.run_in_executor(None, free.wait, 60)
        finally:
            tidied.append("yes")

    try:
        with pytest.raises(KeyboardInterrupt):
            run_async(work())
        assert (tidied, free.is_set()) == (["yes"], False)
    finally:
        free.set()
