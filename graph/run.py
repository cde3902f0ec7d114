"""Runs the graph for the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from graph import session
from graph.build import Compiled, build
from graph.context import Context
from graph.door import Question, Resume, Steer, Update
from graph.model import check
from graph.models import Report, TimelineEvent, Trigger
from tools.errors import BadInput

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

_STEPS = 200
THREADS = 32


async def run(
    what: Trigger | Resume | Steer, thread: str, context: Context, saver: BaseCheckpointSaver[Any] | None
) -> AsyncIterator[Update]:
    """Stream one run; the session is closed at the end, however it ends."""
    await asyncio.to_thread(check, context.model)
    _make_room(asyncio.get_running_loop())
    graph = build(saver or InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": _STEPS}
    begin = await _begin(graph, config, what)
    try:
        async for mode, data in graph.astream(
            begin,
            config,
            context=context,
            stream_mode=["custom", "updates"],
            durability="sync",
        ):
            for update in _updates(str(mode), data):
                yield update
    finally:
        session.close(thread)


_roomy: WeakSet[asyncio.AbstractEventLoop] = WeakSet()


def _make_room(loop: asyncio.AbstractEventLoop) -> None:
    """Give the loop threads enough for several runs, once: nodes are plain functions and LangGraph runs them there."""
    if loop not in _roomy:
        _roomy.add(loop)
        loop.set_default_executor(ThreadPoolExecutor(max_workers=THREADS))


async def _begin(graph: Compiled, config: RunnableConfig, what: Trigger | Resume | Steer) -> Any:
    if isinstance(what, Trigger):
        return {"trigger": what.model_dump(mode="json")}
    if isinstance(what, Resume):
        return Command(resume=what.answer) if what.answer else None
    found = await graph.aget_state(config)
    if not found.values:
        raise BadInput("There is no such investigation to steer.")
    notes = [*(found.values.get("notes") or []), what.text]
    await graph.aupdate_state(config, {"notes": notes})
    return None


def _updates(mode: str, data: Any) -> list[Update]:
    if mode == "custom":
        return [TimelineEvent.model_validate(data)]
    found: list[Update] = []
    for node, written in data.items():
        if node == "__interrupt__":
            value = written[0].value
            found.append(Question(text=str(value["question"]), choices=tuple(value["choices"])))
        elif node == "report" and written:
            found.append(Report.model_validate(written["report"]))
    return found
