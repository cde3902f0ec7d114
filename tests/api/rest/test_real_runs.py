"""The real graph behind the app: over a recording, over a world, interrupted and killed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest

from api.checkpoints import opened, reached
from api.service import Settings, serving
from api.store import Store
from graph import Context, Report, TimelineEvent, Trigger, stream
from tools.clock import LiveClock

pytestmark = pytest.mark.slow
ALARM = "orders-writes-throttled"


def context(source: str, home: Path) -> Context:
    return Context(source=source, data_dir=str(home))


@pytest.fixture(scope="module")
def undisturbed(recording: Path) -> tuple[list[TimelineEvent], Report]:
    """Events and report of a run that nothing disturbs."""

    async def main() -> tuple[list[TimelineEvent], Report]:
        updates = [
            item async for item in stream(Trigger(alarm=ALARM), "t", Context(source=f"recording:{recording}"))
        ]
        events = [item for item in updates if isinstance(item, TimelineEvent)]
        return events, next(item for item in reversed(updates) if isinstance(item, Report))

    return asyncio.run(main())


def by_key(found: list[tuple[int, str, Any]]) -> dict[str, Any]:
    return {data["key"]: data for _, event, data in found if event == "timeline"}


def expected(events: list[TimelineEvent]) -> dict[str, Any]:
    return {event.key: event.model_dump(mode="json") for event in events}


@pytest.mark.parametrize("heard", [1, 4, 6, 9, 12, 10_000])
def test_what_a_dead_process_did_not_get_to_store_is_taken_up(
    rest: Any, shelf: Path, recording: Path, undisturbed: tuple[list[TimelineEvent], Report], heard: int
) -> None:
    """The first process stores nothing of the updates it heard: the worst moment to die, as often as it can."""
    events, report = undisturbed
    given = context(f"recording:{recording}", shelf)

    async def die() -> None:
        store = Store(shelf / "runs.db", LiveClock())
        await store.open()
        found, _ = await store.add("a1", Trigger(alarm=ALARM), given)
        await store.claim()
        async with opened(shelf / "checkpoints.db") as saver:
            updates = stream(found.trigger, found.id, given, saver=saver)
            async with aclosing(cast("Any", updates)) as running:
                for _ in range(heard):
                    if await anext(running, None) is None:
                        break
        await store.close()

    async def go_on() -> None:
        async with rest(Settings().stream) as api:
            found = await api.until("a1", "done", "failed")
            assert found["error"] is None
            whole = await api.events("a1")
            assert [number for number, _, _ in whole] == list(range(1, len(events) + 3))
            assert by_key(whole) == expected(events)
            assert [event for _, event, _ in whole[-2:]] == ["report", "done"]
            read = Report.model_validate((await api.client.get("/investigations/a1/report")).json())
            assert (
                read.model_copy(update={"id": report.id}).without_statistics() == report.without_statistics()
            )

    shelf.mkdir(parents=True, exist_ok=True)
    asyncio.run(die())
    asyncio.run(go_on())


def test_a_killed_server_goes_on_where_it_was(
    process: Any, recording: Path, tmp_path: Path, undisturbed: tuple[list[TimelineEvent], Report]
) -> None:
    events, report = undisturbed
    server = process(tmp_path)
    server.start()
    body = {"trigger": {"alarm": ALARM}, "context": {"source": f"recording:{recording}"}}
    id = server.client.post("/investigations", json=body).json()["id"]
    seen = server.events(id, most=1)
    server.stop(signal.SIGKILL)
    for most in (4, 7):
        server.start()
        found = server.events(id, most=most)
        assert found[: len(seen)] == seen
        seen = found
        server.stop(signal.SIGKILL)
    server.start()
    whole = server.events(id)
    assert whole[: len(seen)] == seen
    assert [number for number, _, _ in whole] == list(range(1, len(events) + 3))
    assert by_key(whole) == expected(events)
    assert whole[-1][2] == {"status": "done", "verdict": "root_cause", "revision": 1, "error": None}
    read = Report.model_validate(server.client.get(f"/investigations/{id}/report").json())
    assert read.model_copy(update={"id": report.id}).without_statistics() == report.without_statistics()
    with sqlite3.connect(server.home / "runs.db") as db:
        assert db.execute("SELECT starts FROM investigations").fetchall() == [(4,)]
    db.close()


def test_a_stopping_server_says_goodbye_to_followers(process: Any, recording: Path, tmp_path: Path) -> None:
    server = process(tmp_path)
    server.start()
    body = {"trigger": {"alarm": ALARM}, "context": {"source": f"recording:{recording}"}}
    id = server.client.post("/investigations", json=body).json()["id"]
    with server.client.stream("GET", f"/investigations/{id}/timeline") as got:
        next(got.iter_lines())
        code, said = server.stop(signal.SIGTERM)
    assert code == 130
    assert "Stopped" in said
    assert "Traceback" not in said


@pytest.mark.skipif(find_spec("moto") is None, reason="worlds need opsleuth[evals]")
def test_a_world_is_investigated_to_the_end(rest: Any) -> None:
    async def main() -> None:
        async with rest(Settings().stream) as api:
            id = await api.start(ALARM, source="world:dynamodb-max-write?seed=1", region="ap-northeast-1")
            found = await api.until(id, "done", "failed")
            assert found["error"] is None
            assert found["verdict"] == "root_cause"
            report = Report.model_validate((await api.client.get(f"/investigations/{id}/report")).json())
            assert report.root_cause is not None
            assert (report.root_cause.bad_value, report.root_cause.prior_value) == (2, 250)
            assert by_key(await api.events(id)) == expected(list(report.timeline))

    asyncio.run(main())


@pytest.mark.skipif(find_spec("moto") is None, reason="worlds need opsleuth[evals]")
def test_a_question_outlives_the_process_that_asked_it(rest: Any) -> None:
    async def main() -> None:
        async with rest(Settings().stream) as api:
            body = {
                "trigger": {"text": "order-writer or invoice-writer fails"},
                "context": {"source": "world:dynamodb-max-write?seed=1", "region": "ap-northeast-1"},
            }
            id = (await api.client.post("/investigations", json=body)).json()["id"]
            asked = (await api.until(id, "waiting", "failed"))["question"]
            (choice,) = [one for one in asked["choices"] if "order-writer" in one]
        async with rest(Settings().stream) as api:
            assert (await api.client.get("/investigations/latest")).json()["question"] == asked
            got = await api.client.post(f"/investigations/{id}/answer", json={"answer": choice})
            assert got.status_code == 202
            found = await api.until(id, "done", "failed")
            assert found["error"] is None
            report = Report.model_validate((await api.client.get(f"/investigations/{id}/report")).json())
            assert report.incident.resource.endswith(":order-writer")
            kinds = [event for _, event, _ in await api.events(id)]
            assert (kinds.count("question"), kinds.count("done")) == (1, 1)

    asyncio.run(main())


def test_a_checkpoint_that_never_was_is_none(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path / "checkpoints.db") as saver:
            assert await reached(saver, "nobody") is None

    asyncio.run(main())


def test_a_failed_source_is_told_as_the_command_line_tells_it(rest: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("opsleuth: {}\n")

    async def main() -> None:
        async with rest(Settings().stream) as api:
            found = await api.until(await api.start(source=f"recording:{broken}"), "failed")
            assert found["error"]["kind"] == "BadRecording"
            unknown = await api.until(await api.start(source="world:nonsense?seed=1"), "failed")
            assert unknown["error"]["kind"] == "BadInput"

    asyncio.run(main())


def test_services_close_what_they_opened(shelf: Path) -> None:
    async def main() -> None:
        async with serving(Settings()):
            pass
        assert {path.name for path in shelf.iterdir()} == {"runs.db", "checkpoints.db", "serve.lock"}

    asyncio.run(main())
