"""Where a node works: its reader, its voice in the timeline, and the slice it hands back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from langgraph.runtime import Runtime

from graph.context import Context
from graph.models import EventKind, TimelineEvent
from graph.session import session
from graph.state import Findings, State, dump, dump_all
from graph.words import spoken
from tools.aws import Aws, Reader
from tools.models import Gap


@dataclass(slots=True)
class Desk:
    """One node's work in one round."""

    node: str
    round: int
    reader: Reader
    context: Context
    writer: Any
    events: list[TimelineEvent] = field(default_factory=list)

    @property
    def aws(self) -> Aws:
        return self.reader.aws

    def tell(
        self,
        kind: EventKind,
        message: str,
        /,
        *,
        evidence: Iterable[str] = (),
        time: datetime | None = None,
        **values: object,
    ) -> None:
        """Say one thing in the timeline. Its key is the same in every re-run."""
        event = TimelineEvent(
            key=f"{self.round:03d}-{self.node}-{len(self.events):03d}",
            kind=kind,
            node=self.node,
            text=spoken(message, values),
            evidence=tuple(evidence),
            time=time,
        )
        self.events.append(event)
        self.writer(event.model_dump(mode="json"))

    def findings(self) -> Findings:
        """What every node hands back, last of all: its evidence, gaps (told now) and timeline."""
        gaps = _distinct(self.reader.gaps)
        for gap in gaps:
            self.tell("gap", "{what}: {why}", what=gap.what, why=gap.why)
        return Findings(
            evidence={item.id: dump(item) for item in self.reader.evidence},
            gaps={self.node: dump_all(gaps)},
            timeline={event.key: event.model_dump(mode="json") for event in self.events},
        )


_LETTERS = {
    "intake": "I",
    "planner": "P",
    "topology": "T",
    "forensics": "F",
    "logs": "L",
    "metrics": "M",
    "diagnosis": "D",
    "mitigation": "R",
    "prevention": "V",
    "report": "X",
}


def run_id(runtime: Runtime[Context]) -> str:
    """The id of this run: its thread."""
    info = runtime.execution_info
    return str(info.thread_id or info.run_id) if info is not None else "run"


@contextmanager
def desk(state: State, runtime: Runtime[Context], node: str) -> Iterator[Desk]:
    """Open the node's desk: evidence goes on where its last round ended, and looks end at the round's `as_of`."""
    context = runtime.context
    moment = state.get("as_of")
    as_of = datetime.fromisoformat(moment) if moment else None
    opened = session(run_id(runtime), context, as_of, state.get("trigger"))
    opened.aws.as_of = as_of or opened.start
    letter = _LETTERS[node]
    used = sum(1 for key in state.get("evidence") or {} if key.startswith(letter))
    work = Desk(
        node=node,
        round=state.get("round") or 0,
        reader=Reader(aws=opened.aws, letter=letter, first=used + 1),
        context=context,
        writer=runtime.stream_writer,
    )
    if state.get("incident") and not opened.aws.account:  # a resumed run, with a session of its own
        opened.aws.identify(Reader(aws=opened.aws, letter=letter))  # no new evidence: intake's stands
    yield work


def _distinct(gaps: Iterable[Gap]) -> list[Gap]:
    kept: dict[tuple[str, str, str], Gap] = {}
    for gap in gaps:
        kept.setdefault((gap.what, gap.why, gap.code), gap)
    return list(kept.values())
