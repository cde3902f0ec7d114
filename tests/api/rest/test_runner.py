"""Runs in this process: the limit, the queue, questions, failures, cancelling, and starting again."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from api.runner import LocalRunner
from api.service import Settings, serving
from graph import Question, Report, Resume, Trigger
from tools.errors import BadRecording, CannotInvestigate

WHICH = Question(text="Which one do you mean?", choices=("orders", "payments"))


def test_no_more_run_at_once_than_allowed(rest: Any, script: Any, proven: Report) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        story = script({"errors": [gate, proven]})
        async with rest(story, limit=2) as api:
            ids = [await api.start() for _ in range(5)]
            found = [(await api.client.get(f"/investigations/{id}")).json() for id in ids]
            assert [(one["status"], one["position"]) for one in found] == [
                ("running", None),
                ("running", None),
                ("queued", 1),
                ("queued", 2),
                ("queued", 3),
            ]
            gate.set()
            for id in ids:
                await api.until(id, "done")
            assert story.most == 2
            assert [thread for thread, _ in story.asked] == ids

    asyncio.run(main())


def test_a_question_waits_without_a_place_and_goes_on_with_the_answer(
    rest: Any, script: Any, events: Any, proven: Report
) -> None:
    async def main() -> None:
        story = script({"errors": [*events([1]), WHICH], "others": [proven]})
        async with rest(story, limit=1) as api:
            id = await api.start()
            found = await api.until(id, "waiting")
            assert found["question"] == {"text": WHICH.text, "choices": ["orders", "payments"]}
            await api.until(await api.start("others"), "done")

            wrong = await api.client.post(f"/investigations/{id}/answer", json={"answer": "refunds"})
            assert wrong.status_code == 422
            assert "orders, payments" in wrong.json()["detail"]
            story.steps["errors"] = [
                *events([1, 2]),
                proven,
            ]  # no checkpoint: the graph is asked from the start
            answers = [
                api.client.post(f"/investigations/{id}/answer", json={"answer": "orders"}) for _ in range(3)
            ]
            assert sorted([got.status_code for got in await asyncio.gather(*answers)]) == [202, 409, 409]
            done = await api.until(id, "done")
            assert done["question"] is None
            kinds = [event for _, event, _ in await api.events(id)]
            assert kinds == ["timeline", "question", "timeline", "report", "done"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CannotInvestigate("There is no alarm x. Check the name."), "CannotInvestigate"),
        (BadRecording("It cannot be read. Record again."), "BadRecording"),
    ],
)
def test_a_failure_is_a_sentence_and_the_next_one_runs(
    rest: Any, script: Any, events: Any, proven: Report, error: Exception, kind: str
) -> None:
    async def main() -> None:
        async with rest(script({"errors": [*events([1]), error], "others": [proven]}), limit=1) as api:
            id, other = await api.start(), await api.start("others")
            found = await api.until(id, "failed")
            assert found["error"] == {"kind": kind, "detail": str(error)}
            report = await api.client.get(f"/investigations/{id}/report")
            assert report.status_code == 409
            assert str(error) in report.json()["detail"]
            assert (await api.events(id))[-1][2]["error"] == found["error"]
            await api.until(other, "done")

    asyncio.run(main())


def test_a_defect_ends_its_own_run_and_tells_no_secret(
    rest: Any, script: Any, proven: Report, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    async def main() -> None:
        broken = RuntimeError(f'{{"SecretAccessKey": "{secret}"}}')
        async with rest(script({"errors": [broken], "others": [proven]}), limit=1) as api:
            found = await api.until(await api.start(), "failed")
            assert found["error"]["kind"] == "Defect"
            assert "RuntimeError" in found["error"]["detail"]
            assert secret not in str(found)
            await api.until(await api.start("others"), "done")

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert "RuntimeError" in caplog.text
    assert "[redacted]" in caplog.text
    assert secret not in caplog.text


def test_a_run_without_a_report_has_failed(rest: Any, script: Any, events: Any) -> None:
    async def main() -> None:
        async with rest(script({"errors": events([1])})) as api:
            found = await api.until(await api.start(), "failed")
            assert "without a report" in found["error"]["detail"]

    asyncio.run(main())


def test_cancelling_ends_what_runs_waits_or_is_queued(
    rest: Any, script: Any, events: Any, proven: Report
) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        story = script({"errors": [*events([1]), gate, proven], "asks": [WHICH], "others": [proven]})
        async with rest(story, limit=1) as api:
            asks = await api.start("asks")
            await api.until(asks, "waiting")
            runs, queued, other = await api.start(), await api.start(), await api.start("others")
            await api.events(runs, most=1)
            for id in (asks, queued, runs):
                got = await api.client.post(f"/investigations/{id}/cancel")
                assert (got.status_code, got.json()["status"]) == (202, "failed")
                assert (await api.client.post(f"/investigations/{id}/cancel")).status_code == 409
                assert [event for _, event, _ in await api.events(id)].count("done") == 1
            await api.until(other, "done")
            assert story.running == 0
            assert [event for _, event, _ in await api.events(runs)] == ["timeline", "done"]
            assert [thread for thread, _ in story.asked] == [asks, runs, other]

    asyncio.run(main())


def test_what_was_running_or_queued_goes_on_after_a_restart(
    rest: Any, script: Any, events: Any, proven: Report
) -> None:
    async def main() -> None:
        story = script({"errors": [*events(range(3)), asyncio.Event()], "asks": [WHICH]})
        async with rest(story, limit=2) as api:
            asks = await api.start("asks")
            await api.until(asks, "waiting")
            runs, second, queued = [await api.start() for _ in range(3)]
            await asyncio.gather(api.events(runs, most=3), api.events(second, most=3))
        assert story.running == 0

        again = script({"errors": [*events(range(5)), proven]})
        async with rest(again, limit=1) as api:
            assert await api.status(asks) == "waiting"
            for id in (runs, second, queued):
                await api.until(id, "done")
                whole = await api.events(id)
                assert [number for number, _, _ in whole] == [1, 2, 3, 4, 5, 6, 7]
                assert [data["text"] for _, event, data in whole if event == "timeline"] == [
                    f"event {number}" for number in range(5)
                ]
            assert [thread for thread, _ in again.asked] == [runs, second, queued]
            starts = [found.starts for found in reversed(await api.service.store.page(9, status="done"))]
            assert starts == [2, 2, 1]

    asyncio.run(main())


def test_two_processes_never_work_on_one_folder(shelf: Path, script: Any) -> None:
    async def main() -> None:
        async with serving(Settings(stream=script())):
            with pytest.raises(CannotInvestigate, match="Another opsleuth serve works on"):
                async with serving(Settings(stream=script())):
                    pass
        async with serving(Settings(stream=script())) as service:
            assert isinstance(service.runner, LocalRunner)

    asyncio.run(main())


def test_the_report_can_be_checked_from_the_command_line(rest: Any, script: Any, proven: Report) -> None:
    from api.shelf import find

    async def main() -> None:
        async with rest(script({"errors": [proven]})) as api:
            id = await api.start(profile="prod-travel")
            found = await api.until(id, "done")
            kept = find(found["report"])
            assert kept.report == proven
            assert kept.context.profile == "prod-travel"

    asyncio.run(main())


def test_the_graph_is_asked_with_the_trigger_and_without_a_checkpoint_never_resumed(
    rest: Any, script: Any, proven: Report
) -> None:
    async def main() -> None:
        story = script({"errors": [proven]})
        async with rest(story) as api:
            await api.until(await api.start(), "done")
        ((_, what),) = story.asked
        assert what == Trigger(alarm="errors")
        assert not isinstance(what, Resume)

    asyncio.run(main())
