"""Investigations in SQLite: what was asked, every event in order, every report. Nothing is shown that is not stored.

One thread owns the one connection, so each method is one transaction and callers never wait for a lock of ours.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from api.records import STATUSES, Entry, EntryKind, Failure, Investigation, KeyReused, investigation_of
from api.store_schema import INVESTIGATION, prepare
from graph import Context, Question, Report, TimelineEvent, Trigger
from tools.clock import Clock
from tools.errors import BadInput, CannotInvestigate

T = TypeVar("T")


class Store:
    """All investigations of one data folder. Raises CannotInvestigate when the file cannot be used."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None

    async def open(self) -> None:
        def work() -> None:
            self._db = prepare(self._path)

        await self._thread(work)

    async def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            await self._thread(db.close)
            self._pool.shutdown()

    async def add(
        self, id: str, trigger: Trigger, context: Context, key: str = "", digest: str = ""
    ) -> tuple[Investigation, bool]:
        """A new queued investigation, or the one that `key` made before (False). Raises KeyReused."""

        def work(db: sqlite3.Connection) -> tuple[Investigation, bool]:
            if key:
                row = db.execute("SELECT id, digest FROM investigations WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    if row["digest"] != digest:
                        raise KeyReused(
                            "This Idempotency-Key came before with another request. Send a new key with a new request."
                        )
                    return _one(db, row["id"]), False
            now = self._now()
            db.execute(
                "INSERT INTO investigations (id, created, updated, trigger, context, key, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    id,
                    now,
                    now,
                    trigger.model_dump_json(),
                    context.model_dump_json(),
                    key or None,
                    digest,
                ),
            )
            return _one(db, id), True

        return await self._do(work)

    async def get(self, id: str) -> Investigation | None:
        return await self._do(lambda db: _find(db, "id = ?", id))

    async def newest(self) -> Investigation | None:
        return await self._do(lambda db: _find(db, "number = (SELECT max(number) FROM investigations)"))

    async def page(
        self, limit: int, before: int | None = None, status: str = "", verdict: str = ""
    ) -> list[Investigation]:
        """Newest first, older than number `before`."""
        wanted = {"number <": before, "status =": status or None, "verdict =": verdict or None}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} ?" for name in given) or "1"

        def work(db: sqlite3.Connection) -> list[Investigation]:
            query = f"{INVESTIGATION} WHERE {where} ORDER BY number DESC LIMIT ?"
            return [investigation_of(row) for row in db.execute(query, (*given.values(), limit))]

        return await self._do(work)

    async def counts(self) -> dict[str, int]:
        """How many investigations there are of each status."""

        def work(db: sqlite3.Connection) -> dict[str, int]:
            found = db.execute("SELECT status, count(*) FROM investigations GROUP BY status").fetchall()
            return dict.fromkeys(STATUSES, 0) | {str(row[0]): int(row[1]) for row in found}

        return await self._do(work)

    async def claim(self) -> Investigation | None:
        """The longest queued investigation, now running; None when nothing waits."""

        def work(db: sqlite3.Connection) -> Investigation | None:
            row = db.execute(
                "UPDATE investigations SET status = 'running', starts = starts + 1, updated = ? WHERE number ="
                " (SELECT min(number) FROM investigations WHERE status = 'queued') RETURNING id",
                (self._now(),),
            ).fetchone()
            return _one(db, row["id"]) if row else None

        return await self._do(work)

    async def requeue(self) -> int:
        """Queue again what a process that is gone was running. How many."""
        update = "UPDATE investigations SET status = 'queued', updated = ? WHERE status = 'running'"
        return await self._do(lambda db: db.execute(update, (self._now(),)).rowcount)

    async def tell(self, id: str, event: TimelineEvent) -> int | None:
        """The sequence number of an event that is new; None when its key is known."""
        return await self._do(lambda db: _append(db, id, event.key, "timeline", event.model_dump_json()))

    async def entries(self, id: str, after: int = 0, limit: int = 500) -> list[Entry]:
        def work(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(
                "SELECT sequence, kind, data FROM events WHERE investigation = ? AND sequence > ?"
                " ORDER BY sequence LIMIT ?",
                (id, after, limit),
            )
            return [Entry(sequence=row["sequence"], kind=row["kind"], data=row["data"]) for row in rows]

        return await self._do(work)

    async def put_report(self, id: str, report: Report, short: str) -> None:
        """Keep this revision; it replaces an earlier form of the same revision."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT OR REPLACE INTO reports (investigation, revision, report) VALUES (?, ?, ?)",
                (id, report.revision, report.model_dump_json()),
            )
            db.execute(
                "UPDATE investigations SET revision = ?, verdict = ?, report = ?, updated = ? WHERE id = ?",
                (report.revision, report.verdict, short, self._now(), id),
            )
            told = {"revision": report.revision, "verdict": report.verdict, "report": short}
            _append(
                db,
                id,
                f"report-{report.revision:03d}-{report.as_of.isoformat()}",
                "report",
                json.dumps(told),
            )

        await self._do(work)

    async def report(self, id: str, revision: int | None = None) -> Report | None:
        """One revision, or the newest."""

        def work(db: sqlite3.Connection) -> str | None:
            row = db.execute(
                "SELECT report FROM reports WHERE investigation = ? AND revision = coalesce(?,"
                " (SELECT max(revision) FROM reports WHERE investigation = ?))",
                (id, revision, id),
            ).fetchone()
            return None if row is None else str(row["report"])

        text = await self._do(work)
        return None if text is None else Report.model_validate_json(text)

    async def ask(self, id: str, question: Question) -> None:
        """Wait for an answer."""
        asked = json.dumps({"text": question.text, "choices": question.choices}, ensure_ascii=False)

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE investigations SET status = 'waiting', question = ?, answer = '', updated = ? WHERE id = ?",
                (asked, self._now(), id),
            )
            _append(db, id, f"question-{asked}", "question", asked)

        await self._do(work)

    async def answer(self, id: str, answer: str) -> bool:
        """Queue a waiting investigation with this answer; False when it does not wait."""
        update = (
            "UPDATE investigations SET status = 'queued', answer = ?, updated = ?"
            " WHERE id = ? AND status = 'waiting'"
        )
        return await self._do(lambda db: db.execute(update, (answer, self._now(), id)).rowcount == 1)

    async def end(self, id: str, error: Failure | None = None) -> bool:
        """Done, or failed with this error; False when it had ended before."""

        def work(db: sqlite3.Connection) -> bool:
            before = _one(db, id)
            if before.status in ("done", "failed"):
                return False
            status = "failed" if error else "done"
            told = {"kind": error.kind, "detail": error.detail} if error else None
            db.execute(
                "UPDATE investigations SET status = ?, error = ?, updated = ? WHERE id = ?",
                (status, json.dumps(told, ensure_ascii=False) if told else None, self._now(), id),
            )
            last = {
                "status": status,
                "verdict": before.verdict,
                "revision": before.revision,
                "error": told,
            }
            _append(db, id, "done", "done", json.dumps(last, ensure_ascii=False))
            return True

        return await self._do(work)

    def _now(self) -> str:
        return self._clock.now().isoformat()

    async def _thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except sqlite3.Error as error:
            raise CannotInvestigate(
                f"{self._path} cannot be used: {error}. Check the disk and the rights of its folder, "
                "or set OPSLEUTH_HOME to another one."
            ) from error

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        db = self._db
        if db is None:
            raise CannotInvestigate(f"{self._path} is closed: opsleuth serve is stopping.")

        def transaction() -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
            return result

        return await self._thread(transaction)


def _append(db: sqlite3.Connection, id: str, key: str, kind: EntryKind, data: str) -> int | None:
    row = db.execute(
        "INSERT OR IGNORE INTO events (investigation, sequence, key, kind, data) VALUES"
        " (?, 1 + (SELECT coalesce(max(sequence), 0) FROM events WHERE investigation = ?), ?, ?, ?)"
        " RETURNING sequence",
        (id, id, key, kind, data),
    ).fetchone()
    return None if row is None else int(row["sequence"])


def _one(db: sqlite3.Connection, id: str) -> Investigation:
    found = _find(db, "id = ?", id)
    if found is None:
        raise BadInput(f"There is no investigation {id}.")
    return found


def _find(db: sqlite3.Connection, where: str, *values: Any) -> Investigation | None:
    row = db.execute(f"{INVESTIGATION} WHERE {where}", values).fetchone()
    return None if row is None else investigation_of(row)
