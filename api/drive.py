"""Runs an investigation for a person: progress on stderr, each revision as it comes, the report kept."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from api.files import check_writable, write_whole
from api.progress import Progress
from api.render.view import View
from api.replayed import check_own, other_run
from api.shelf import Kept, keep, unkept
from graph import Question, Report, Resume, TimelineEvent, stream
from graph.words import local_time, say, zone
from tools.clock import LiveClock
from tools.errors import BadInput, CannotInvestigate, OpsleuthError

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from api.check import Judgement
    from graph import Context, Trigger

T = TypeVar("T")
_GRACE = 2.0


@dataclass(slots=True)
class Manner:
    """How to show a run."""

    form: str = "text"
    out: str = ""
    timeline: bool = False
    tz: str = "UTC"
    shown: Kept | None = field(default=None, init=False)


def drive(trigger: Trigger, context: Context, manner: Manner) -> Kept:
    """Investigate, print or write the report, and keep it. Raises what the door raises."""
    if manner.out:
        check_writable(Path(manner.out))
    return run_async(_drive(trigger, context, manner))


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end. Unlike asyncio.run, Ctrl-C does not wait for threads that sleep until the next look."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    try:
        result = loop.run_until_complete(task)
    except KeyboardInterrupt:
        _abandon(loop, task)
        raise
    except BaseException:
        _end(loop)
        raise
    _end(loop)
    return result


def _abandon(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> None:
    """Let the run put things in order (cursor, files), but not for long; threads are left behind."""
    task.cancel()
    loop.run_until_complete(asyncio.wait({task}, timeout=_GRACE))
    if task.done() and not task.cancelled():
        task.exception()  # looked at, so that asyncio does not complain of it
    loop.close()


def _end(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _drive(trigger: Trigger, context: Context, manner: Manner) -> Kept:
    thread, saver = uuid.uuid4().hex, _saver(context)
    what: Trigger | Resume = trigger
    virtual = context.source.startswith(("recording:", "world:"))
    with Progress(manner.timeline, manner.tz, virtual=virtual) as progress:
        while True:
            question: Question | None = None
            try:
                async for update in stream(what, thread, context, saver=saver):
                    if isinstance(update, TimelineEvent):
                        progress.event(update)
                    elif isinstance(update, Report):
                        _revision(update, context, manner, progress)
                    else:
                        question = update
            except OpsleuthError as error:
                raise other_run(error, trigger, context) from error
            if question is None:
                break
            with progress.paused():
                what = Resume(answer=_answer(question))
    if manner.shown is None:
        raise CannotInvestigate(
            say("The run ended without a report. Repeat it with --timeline to see how far it came.")
        )
    if manner.form != "text" and not manner.out:
        click.echo(rendered(manner.shown, manner), nl=False)
    return manner.shown


def _saver(context: Context) -> BaseCheckpointSaver[Any] | None:
    """Where a run waits for the answer to its question; one that asks none needs nothing."""
    if not context.interactive:
        return None
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver()


def _revision(report: Report, context: Context, manner: Manner, progress: Progress) -> None:
    """Show one revision: text at once, other forms when the last one is in (a pipe takes one document)."""
    check_own(report, context)
    if manner.shown is not None and manner.shown.report.without_statistics() == report.without_statistics():
        return
    again = manner.shown is not None and _still_not_yet(manner.shown.report, report)
    with progress.paused():
        manner.shown = _kept(report, context)
        progress.summary(report)
        if manner.out:
            write_whole(Path(manner.out), rendered(manner.shown, manner))
            click.echo(say("Report {id} is in {path}", id=manner.shown.short, path=manner.out), err=True)
        elif manner.form == "text" and not again:
            print_text(manner.shown, manner.tz)
        if again:
            progress.note(say("Looked again: still NOT YET."))
        if report.verdict == "not_yet" and report.next_look is not None and context.wait:
            progress.note(
                say(
                    "Waiting for the next look (Ctrl-C ends here; --no-wait never waits): {time}",
                    time=_when(report, manner),
                )
            )


def _still_not_yet(before: Report, report: Report) -> bool:
    return before.verdict == report.verdict == "not_yet" and before.revision == report.revision


def _kept(report: Report, context: Context) -> Kept:
    """The report on the shelf; where that is not possible it is shown all the same."""
    try:
        return keep(report, context)
    except BadInput as error:
        click.echo(say("{error} opsleuth check will not know this report.", error=error), err=True)
        return unkept(report, context)


def _when(report: Report, manner: Manner) -> str:
    return local_time(report.next_look or report.as_of, zone(manner.tz), report.as_of)


def rendered(kept: Kept, manner: Manner) -> str:
    """The report in the wanted form, as one text."""
    if manner.form == "json":
        return kept.report.model_copy(update={"id": kept.short}).model_dump_json(indent=2) + "\n"
    if manner.form == "md":
        from api.render.markdown import markdown

        return markdown(kept.report, View.of(kept, manner.tz))
    from api.render.text import plain_text

    return plain_text(kept.report, View.of(kept, manner.tz))


def print_text(kept: Kept, tz: str) -> None:
    """The report on stdout, as wide as the terminal, in colour where there is one."""
    from rich.console import Console

    from api.render.text import text

    console = Console(highlight=False)
    lines = text(kept.report, View.of(kept, tz), console.width if console.is_terminal else 100)
    if not console.is_terminal:
        sys.stdout.write("\n".join(line.plain.rstrip() for line in lines) + "\n")
        return
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_judgement(judgement: Judgement, kept: Kept, tz: str) -> None:
    """The answer of a check on stdout."""
    from rich.console import Console
    from rich.text import Text

    from api.render.layout import Page

    console = Console(highlight=False)
    view, as_of = View.of(kept, tz), LiveClock().now()
    style = {"RECOVERED": "bold green", "WORSE": "bold red", "CHANGED AGAIN": "bold red"}
    head = Text(say(judgement.word), style=style.get(judgement.word, "bold yellow"))
    page = Page(width=min(console.width, 124) if console.is_terminal else 100)
    lines = [head.append(f"   {say('report')} {view.short}", style="")]
    for sentence in judgement.lines:
        lines += page.plain(view.words(sentence, as_of))
    for line in lines:
        console.print(line, soft_wrap=True)


def _answer(question: Question) -> str:
    click.echo(question.text, err=True)
    for number, choice in enumerate(question.choices, 1):
        click.echo(f" {number}  {choice}", err=True)
    picked: int = click.prompt(say("Number"), type=click.IntRange(1, len(question.choices)), err=True)
    return question.choices[picked - 1]
