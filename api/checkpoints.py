"""Checkpoints of the graph in SQLite, and how far a run had come by them."""

from __future__ import annotations

import sqlite3
from asyncio import CancelledError
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from api.store_schema import BUSY_SECONDS
from graph import Report, TimelineEvent
from tools.errors import CannotInvestigate

_INTERRUPT, _ERROR = "__interrupt__", "__error__"


class Saver(AsyncSqliteSaver):
    """Forgets what a cancelled node had written so far.

    LangGraph saves it with the cancellation, and takes the node for finished on resume; its edges are not among
    those writes, so the run would end there, without a report and without a word.
    """

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        if not any(channel == _ERROR and isinstance(value, CancelledError) for channel, value in writes):
            await super().aput_writes(config, writes, task_id, task_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What the last checkpoint of a run holds. `asks`: the run stopped at a question."""

    timeline: tuple[TimelineEvent, ...] = ()
    report: Report | None = None
    asks: bool = False


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Saver]:
    """The saver of one data folder. Raises CannotInvestigate when the file cannot be used."""
    try:
        path.touch(mode=0o600)
        connection = await aiosqlite.connect(path, timeout=BUSY_SECONDS)
    except (OSError, sqlite3.Error) as error:
        raise CannotInvestigate(f"{path} cannot be used: {error}. Set OPSLEUTH_HOME to a folder.") from error
    try:
        saver = Saver(connection)
        await saver.setup()
        yield saver
    finally:
        await connection.close()


async def reached(saver: BaseCheckpointSaver[Any], thread: str) -> Reached | None:
    """How far the run came; None when it has no checkpoint yet.

    Nodes that had finished when the process died are never run again, so what they told but nobody heard
    is found here only: in the checkpoint, and in the writes of nodes whose siblings had not finished.
    """
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    found = await saver.aget_tuple(config)
    if found is None:
        return None
    values = found.checkpoint["channel_values"]
    timeline: dict[str, Any] = dict(values.get("timeline") or {})
    report = values.get("report")
    asks = False
    for _, channel, value in found.pending_writes or []:
        if channel == "timeline":
            timeline |= value
        elif channel == "report":
            report = value
        asks = asks or channel == _INTERRUPT
    return Reached(
        timeline=tuple(TimelineEvent.model_validate(event) for event in timeline.values()),
        report=Report.model_validate(report) if report else None,
        asks=asks,
    )
