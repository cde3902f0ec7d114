"""What a waiting person sees on stderr: one moving line, or with --timeline every event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api.render.layout import clean
from graph.words import localise, say

if TYPE_CHECKING:
    from rich.status import Status

    from graph import Report, TimelineEvent

_STYLES = {
    "gap": "yellow",
    "root_cause": "bold green",
    "ruled_out": "dim",
    "planning": "dim",
    "fetching": "dim",
}


class Progress:
    """Counts steps (one node in one round) and shows the newest event."""

    def __init__(
        self, timeline: bool, tz: str, console: Console | None = None, *, virtual: bool = False
    ) -> None:
        self._timeline = timeline
        self._tz = tz
        self._console = console or Console(stderr=True, highlight=False)
        self._virtual = virtual
        self._begun = perf_counter()
        self._steps: set[str] = set()
        self._status: Status | None = None

    def __enter__(self) -> Progress:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def event(self, event: TimelineEvent) -> None:
        self._steps.add(event.key.rpartition("-")[0] or event.key)
        told = clean(localise(event.text, self._tz, event.time))
        if self._timeline:
            cites = f" [{' '.join(event.evidence)}]" if event.evidence else ""
            line = Text(f" {event.node:<10} ", style="bold").append(told, style=_STYLES.get(event.kind, ""))
            self._console.print(line.append(cites, style="dim"), soft_wrap=True)
        elif self._status is not None:
            width = max(20, self._console.width - 20)
            self._status.update(Text(f"{event.node}: {told}"[:width]))

    def summary(self, report: Report) -> None:
        """The line of what the run took so far."""
        spent = report.statistics
        told = say(
            "… {steps} steps, {calls} AWS calls, {seconds} s",
            steps=len(self._steps),
            calls=sum(spent.calls.values()),
            # A replayed run's own seconds are those of its virtual clock: not what somebody waited.
            seconds=round(perf_counter() - self._begun if self._virtual else spent.seconds),
        )
        hint = "" if self._timeline else "   " + say("(--timeline shows them live)")
        self._console.print(Text(f" {told}{hint}", style="dim"), soft_wrap=True)

    def note(self, told: str) -> None:
        self._console.print(Text(f" {told}", style="dim"), soft_wrap=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing moves meanwhile, so that other output stays whole."""
        self._stop()
        yield
        self._start()

    def _start(self) -> None:
        if not self._timeline and self._console.is_terminal:
            self._status = self._console.status(say("looking"), spinner="dots")
            self._status.start()

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
