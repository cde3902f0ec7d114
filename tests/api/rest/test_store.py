"""What is kept in SQLite, alone and by several at once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.records import Failure, KeyReused
from api.store import Store
from graph import Context, Question, Report, Trigger
from tools.clock import VirtualClock
from tools.errors import CannotInvestigate

TRIGGER = Trigger(alarm="errors")


@pytest.fixture
def stored(tmp_path: Path, proven: Report) -> Callable[[Callable[[Store], Awaitable[None]]], None]:
    """Runs a test over a store that is opened anew each time it is called."""

    def go(test: Callable[[Store], Awaitable[None]]) -> None:
        async def main() -> None:
            store = Store(tmp_path / "runs.db", VirtualClock(proven.as_of))
            await store.open()
            try:
                await test(store)
            finally:
                await store.close()

        asyncio.run(main())

    return go


async def add(store: Store, *ids: str) -> None:
    for id in ids:
        await store.add(id, TRIGGER, Context())


def test_everything_is_there_after_reopening(stored: Any, proven: Report, events: Any) -> None:
    context = Context(source="recording:/tmp/x.yaml", as_of=proven.as_of)
    later = proven.model_copy(update={"revision": 2, "verdict": "recovered"})
    question = Question(text="Which one?", choices=("a", "名前"))

    async def write(store: Store) -> None:
        await store.add("one", TRIGGER, context)
        assert [await store.tell("one", event) for event in events([1, 2, 1, 3])] == [1, 2, None, 3]
        await store.put_report("one", proven, "7f3a")
        await store.put_report("one", later, "8b10")
        await store.ask("one", question)
        await add(store, "two")
        await store.end("two", Failure(kind="BadRecording", detail="Record again."))

    async def read(store: Store) -> None:
        one, two = await store.get("one"), await store.get("two")
        assert one is not None
        assert two is not None
        assert (one.trigger, one.context, one.question) == (TRIGGER, context, question)
        assert (one.status, one.revision, one.verdict, one.report) == ("waiting", 2, "recovered", "8b10")
        assert two.error == Failure(kind="BadRecording", detail="Record again.")
        assert await store.report("one") == later
        assert await store.report("one", 1) == proven
        assert await store.report("one", 3) is None
        assert await store.report("two") is None
        found = await store.entries("one")
        assert [(entry.sequence, entry.kind) for entry in found] == [
            (1, "timeline"),
            (2, "timeline"),
            (3, "timeline"),
            (4, "report"),
            (5, "report"),
            (6, "question"),
        ]
        assert await store.entries("one", after=3, limit=2) == found[3:5]
        assert [entry.kind for entry in await store.entries("two")] == ["done"]

    stored(write)
    stored(read)


def test_the_queue_is_first_in_first_out(stored: Any) -> None:
    async def test(store: Store) -> None:
        await add(store, "a", "b", "c")
        assert [found.position for found in reversed(await store.page(9))] == [1, 2, 3]
        first = await store.claim()
        assert first is not None
        assert (first.id, first.status, first.starts, first.position) == ("a", "running", 1, None)
        assert [found.position for found in reversed(await store.page(9))] == [None, 1, 2]
        assert await store.requeue() == 1
        again = [
            found.id for found in [await store.claim(), await store.claim(), await store.claim()] if found
        ]
        assert again == ["a", "b", "c"]
        assert await store.claim() is None
        retaken = await store.get("a")
        assert retaken is not None
        assert retaken.starts == 2
        assert await store.counts() == {"queued": 0, "running": 3, "waiting": 0, "done": 0, "failed": 0}

    stored(test)


def test_claims_at_once_take_each_investigation_once(tmp_path: Path, proven: Report) -> None:
    async def main() -> None:
        stores = [Store(tmp_path / "runs.db", VirtualClock(proven.as_of)) for _ in range(3)]
        for store in stores:
            await store.open()
        ids = [f"i{number}" for number in range(12)]
        await asyncio.gather(*(add(stores[number % 3], id) for number, id in enumerate(ids)))
        taken = await asyncio.gather(*(stores[number % 3].claim() for number in range(15)))
        assert sorted(found.id for found in taken if found) == sorted(ids)
        for store in stores:
            await store.close()

    asyncio.run(main())


def test_writers_at_once_get_numbers_without_gap_or_double(
    tmp_path: Path, proven: Report, events: Any
) -> None:
    async def main() -> None:
        stores = [Store(tmp_path / "runs.db", VirtualClock(proven.as_of)) for _ in range(2)]
        for store in stores:
            await store.open()
        await add(stores[0], "a")
        told = await asyncio.gather(
            *(
                stores[number % 2].tell("a", event)
                for number, event in enumerate(events([*range(20), *range(20)]))
            )
        )
        assert sorted(number for number in told if number) == list(range(1, 21))
        assert [entry.sequence for entry in await stores[0].entries("a")] == list(range(1, 21))
        for store in stores:
            await store.close()

    asyncio.run(main())


def test_pages_are_newest_first_and_filtered(stored: Any, proven: Report) -> None:
    async def test(store: Store) -> None:
        await add(store, "a", "b", "c", "d")
        await store.put_report("b", proven, "7f3a")
        await store.end("b")
        await store.end("d", Failure(kind="Defect", detail="x"))
        whole = await store.page(9)
        assert [found.id for found in whole] == ["d", "c", "b", "a"]
        assert [found.id for found in await store.page(2, before=whole[1].number)] == ["b", "a"]
        assert [found.id for found in await store.page(9, status="queued")] == ["c", "a"]
        assert [found.id for found in await store.page(9, verdict="root_cause")] == ["b"]
        assert [found.id for found in await store.page(9, status="failed", verdict="root_cause")] == []
        newest = await store.newest()
        assert newest is not None
        assert newest.id == "d"

    stored(test)


def test_an_idempotency_key_makes_one_investigation(stored: Any) -> None:
    async def test(store: Store) -> None:
        made = await asyncio.gather(
            *(store.add(f"i{number}", TRIGGER, Context(), "key", "same") for number in range(5))
        )
        assert sorted(new for _, new in made) == [False, False, False, False, True]
        assert len({found.id for found, _ in made}) == 1
        with pytest.raises(KeyReused, match="Send a new key"):
            await store.add("other", TRIGGER, Context(), "key", "another")
        assert len(await store.page(9)) == 1
        await add(store, "x", "y")  # no key is no key, not a shared one
        assert len(await store.page(9)) == 3

    stored(test)


def test_an_answer_is_taken_once_and_only_when_asked(stored: Any) -> None:
    async def test(store: Store) -> None:
        await add(store, "a")
        assert not await store.answer("a", "x")
        await store.claim()
        await store.ask("a", Question(text="Which?", choices=("x", "y")))
        assert await store.answer("a", "x")
        assert not await store.answer("a", "y")
        found = await store.get("a")
        assert found is not None
        assert (found.status, found.answer) == ("queued", "x")

    stored(test)


def test_an_end_is_the_end(stored: Any) -> None:
    async def test(store: Store) -> None:
        await add(store, "a")
        assert await store.end("a", Failure(kind="Cancelled", detail="x"))
        assert not await store.end("a")
        found = await store.get("a")
        assert found is not None
        assert found.status == "failed"
        assert len(await store.entries("a")) == 1
        assert await store.claim() is None

    stored(test)


def test_a_later_look_of_the_same_revision_replaces_it(stored: Any, proven: Report) -> None:
    later = proven.model_copy(update={"as_of": proven.as_of + timedelta(minutes=5)})

    async def test(store: Store) -> None:
        await add(store, "a")
        for report in (proven, later, later):
            await store.put_report("a", report, "7f3a")
        assert await store.report("a") == later
        assert [entry.kind for entry in await store.entries("a")] == ["report", "report"]

    stored(test)


def test_the_file_is_private(stored: Any, tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await add(store, "a")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        assert modes == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}

    stored(test)


def test_a_file_of_a_newer_version_is_left_alone(stored: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "runs.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    async def test(store: Store) -> None:
        raise AssertionError("not reached")

    with pytest.raises(CannotInvestigate, match="made by a newer opsleuth"):
        stored(test)


def test_a_file_that_is_no_database_is_a_sentence(stored: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("this is no database at all" * 99)

    async def test(store: Store) -> None:
        raise AssertionError("not reached")

    with pytest.raises(CannotInvestigate, match="set OPSLEUTH_HOME to another one"):
        stored(test)
