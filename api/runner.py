"""Runs queued investigations in this process, a few at a time, and stores what they tell before anybody hears it.

The store is the queue: what a killed process left is found there at the next start and goes on from its checkpoint.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

from api.checkpoints import reached
from api.hub import Hub
from api.records import Failure, Investigation
from api.replayed import OtherRun, check_own, other_run
from api.shelf import keep
from api.sources import ready
from api.store import Store
from graph import Context, Question, Report, Resume, Steer, TimelineEvent, Trigger, Update
from tools.errors import OpsleuthError
from tools.redact import redact

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

LIMIT = 2
_log = logging.getLogger("opsleuth")


class Stream(Protocol):
    """`graph.stream`, or in a test a script of it."""

    def __call__(
        self,
        what: Trigger | Resume | Steer,
        thread: str,
        context: Context,
        *,
        saver: BaseCheckpointSaver[Any] | None = None,
    ) -> AsyncIterator[Update]: ...


class Runner(Protocol):
    """Gets stored investigations done, here or elsewhere."""

    async def submit(self, id: str) -> None:
        """The investigation is queued in the store: run it when there is room."""
        ...

    async def cancel(self, id: str) -> bool:
        """End the investigation as failed; False when it had ended before."""
        ...

    async def close(self) -> None:
        """Stop. What is unfinished goes on at the next start."""
        ...


class LocalRunner:
    """Tasks on this event loop, at most `limit` at once, oldest first."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        saver: BaseCheckpointSaver[Any],
        stream: Stream,
        limit: int = LIMIT,
    ) -> None:
        self._store = store
        self._hub = hub
        self._saver = saver
        self._stream = stream
        self._limit = limit
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._filling = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Take up what an earlier process left unfinished. Call once, before the first submit."""
        await self._store.requeue()
        await self._fill()

    async def submit(self, id: str) -> None:
        await self._fill()

    async def cancel(self, id: str) -> bool:
        failure = Failure(kind="Cancelled", detail="Somebody cancelled it. Start another one.")
        async with self._filling:
            task = self._tasks.get(id)
            if task is None:
                return await self._end(id, failure)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # what it tells last comes before its end
        return await self._end(id, failure)

    async def close(self) -> None:
        self._closed = True
        async with self._filling:
            tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fill(self) -> None:
        """Start queued investigations while there is room."""
        async with self._filling:
            while not self._closed and len(self._tasks) < self._limit:
                found = await self._store.claim()
                if found is None:
                    return
                self._tasks[found.id] = asyncio.create_task(self._run(found), name=found.id)

    async def _run(self, found: Investigation) -> None:
        try:
            await self._investigate(found)
        except asyncio.CancelledError:
            if self._closed:
                raise
        except OpsleuthError as error:
            told = other_run(error, found.trigger, found.context)
            await self._end(found.id, Failure(kind=_kind(told), detail=str(told)))
        except Exception as error:  # the edge of a run: a defect in one must not end the others
            await self._end(found.id, _defect(found.id, error))
        finally:
            if self._tasks.get(found.id) is asyncio.current_task():
                del self._tasks[found.id]
        await self._fill()

    async def _investigate(self, found: Investigation) -> None:
        ready(found.context)
        what = await self._take_up(found)
        question: Question | None = None
        stream = self._stream(what, found.id, found.context, saver=self._saver)
        async with aclosing(cast("AsyncGenerator[Update, None]", stream)) as updates:
            async for update in updates:
                if isinstance(update, Question):
                    question = update
                else:
                    await self._keep(found, update)
        if question is not None:  # only now: the answer may come at once, and then the graph must be free
            await self._store.ask(found.id, question)
            self._hub.ring(found.id)
        elif await self._store.report(found.id) is None:
            detail = "The run ended without a report. Start another one."
            await self._end(found.id, Failure(kind="CannotInvestigate", detail=detail))
        else:
            await self._end(found.id)

    async def _take_up(self, found: Investigation) -> Trigger | Resume:
        """What to ask of the graph; what an earlier start reached but did not get to store is stored now."""
        before = await reached(self._saver, found.id)
        if before is None:
            return found.trigger
        for event in before.timeline:
            await self._keep(found, event)
        if before.report is not None:
            await self._keep(found, before.report)
        return Resume(answer=found.answer if before.asks else "")

    async def _keep(self, found: Investigation, update: TimelineEvent | Report) -> None:
        """Store first, then wake those who follow."""
        if isinstance(update, TimelineEvent):
            await self._store.tell(found.id, update)
        else:
            await asyncio.to_thread(check_own, update, found.context)
            kept = await asyncio.to_thread(keep, update, found.context)
            await self._store.put_report(found.id, update, kept.short)
        self._hub.ring(found.id)

    async def _end(self, id: str, error: Failure | None = None) -> bool:
        ended = await self._store.end(id, error)
        self._hub.ring(id)
        return ended


def _kind(error: OpsleuthError) -> str:
    """The name in the documented tree of errors."""
    return "CannotInvestigate" if isinstance(error, OtherRun) else type(error).__name__


def _defect(id: str, error: Exception) -> Failure:
    """What a caller may know of a defect; where it happened goes to the log, secrets taken out."""
    _log.error("investigation %s: %s", id, redact("".join(traceback.format_exception(error))))
    detail = (
        f"A defect in opsleuth: {type(error).__name__}. The log of opsleuth serve says where it happened."
    )
    return Failure(kind="Defect", detail=detail)
