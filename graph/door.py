"""The one door to the graph: command line, REST, evals and console all come through `stream`."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph.context import Context
from graph.models import Report, TimelineEvent, Trigger
from tools.errors import CannotInvestigate

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on with an interrupted or killed run. `answer` answers the question that it asked, if it asked one."""

    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """Something a human says while the run goes on."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The run waits for a choice; go on with `Resume(answer=...)`."""

    text: str
    choices: tuple[str, ...]


Update = TimelineEvent | Report | Question
"""What `stream` yields: events as they happen, a report for each revision (the last is final), or a question."""


async def stream(
    what: Trigger | Resume | Steer,
    thread: str,
    context: Context,
    *,
    saver: BaseCheckpointSaver[Any] | None = None,
) -> AsyncIterator[Update]:
    """Run or go on with investigation `thread`, yielding what happens.

    Raises CannotInvestigate, NoCredentials, BadRecording or BadInput with a sentence that says what to do. With a
    saver a killed run goes on by `Resume()` from its last checkpoint; without one it lives in memory.
    """
    from graph.run import run

    async for update in run(what, thread, context, saver):
        yield update


async def investigate(
    trigger: Trigger,
    context: Context,
    *,
    thread: str = "",
    saver: BaseCheckpointSaver[Any] | None = None,
    on_update: Callable[[Update], Awaitable[None] | None] | None = None,
) -> Report:
    """The final report of an investigation, all revisions waited for. `on_update` sees every event on the way."""
    report: Report | None = None
    async for update in stream(trigger, thread or uuid.uuid4().hex, context, saver=saver):
        if isinstance(update, Report):
            report = update
        if on_update is not None:
            waiting = on_update(update)
            if waiting is not None:
                await waiting
    if report is None:
        raise CannotInvestigate(
            "The run ended without a report: it waits for an answer. Name one resource or alarm."
        )
    return report
