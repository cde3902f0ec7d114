"""How restore plans of single events come out: by service and outcome, what is lost, and how they go on moto.

    .venv/bin/python -m evals.benchmarks.undo [PATH]

The events are made of the service files' examples (`evals.histories`); PATH adds CloudTrail records of your own: each
is judged alone, and among all records of its file. Every exact plan of the former is rehearsed. A plan whose parameter
moto forgets is "not rehearsable", never "ok"; all reasons are printed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evals.benchmarks import BenchResult
from evals.benchmarks.cloudtrail import files, records
from evals.histories import Sample, lost, lost_of, samples
from evals.undo_rehearsal import rehearse_undo
from graph.undoing.anatomy import client_of
from graph.undoing.known import Known
from graph.undoing.restore import OUTCOMES, restoration
from tools.cloudtrail import parse
from tools.errors import BadInput, OpsleuthError
from tools.models import ChangeEvent

_STATES = ("ok", "failed", "not_rehearsable")


@dataclass(slots=True)
class _Count:
    """What came of the events of one service."""

    events: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rehearsed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Whole:
    """What came of all of them."""

    by_service: dict[str, _Count] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def of(self, service: str) -> _Count:
        return self.by_service.setdefault(service, _Count())

    def total(self, outcome: str) -> int:
        return sum(one.outcomes[outcome] for one in self.by_service.values())

    def rehearsals(self, state: str) -> int:
        return sum(one.rehearsed[state] for one in self.by_service.values())


def run(path: Path | None = None, only: Iterable[str] = ()) -> BenchResult:
    """Judge and rehearse the generated events of all services, or of `only` these; records under `path` are judged.

    Raises BadInput when `path` cannot be read.
    """
    wanted = frozenset(only)
    told = _recorded(path) if path is not None else {}
    made = _generated([one for one in samples() if not wanted or one.service in wanted])
    whole = {"generated": made} | told
    return BenchResult(
        name="undo",
        figures={name: _figures(one) for name, one in whole.items()},
        text="\n\n".join(_text(_TITLES[name], one) for name, one in whole.items()),
        ok=not any(one.lost or one.failed or one.raised for one in whole.values()),
    )


_TITLES = {
    "generated": "generated events",
    "records": "records, each alone",
    "records_together": "records, each among those of its file",
}


def _generated(found: Iterable[Sample]) -> _Whole:
    whole = _Whole()
    for sample in found:
        made = restoration(sample.event, sample.known)
        count = whole.of(sample.service)
        count.events += 1
        count.outcomes[made.outcome] += 1
        if made.outcome != "exact":
            continue
        label = f"{sample.service} {sample.event.operation} ({sample.kind})"
        whole.lost += [f"{label}: {value}" for value in lost(sample, made.calls)]
        tried = rehearse_undo(sample, made)
        count.rehearsed[tried.status] += 1
        if tried.status == "failed":
            whole.failed += [f"{label}: {one[:200]}" for one in tried.problems[:1]]
        if tried.status == "not_rehearsable":
            whole.reasons[_kind(tried.problems[0])] += 1
    return whole


def _recorded(path: Path) -> dict[str, _Whole]:
    """Every change under `path`, twice."""
    alone, together = _Whole(), _Whole()
    for file in files(path):
        events = [event for event in map(parse, records(file)) if event.operation and not event.read_only]
        known = Known(events=tuple(events))
        for event in events:
            _judge(alone, event, Known(events=(event,)))
            _judge(together, event, known)
    if not any(one.events for one in alone.by_service.values()):
        raise BadInput(f"No CloudTrail record of a change was found in {path}.")
    return {"records": alone, "records_together": together}


def _judge(whole: _Whole, event: ChangeEvent, known: Known) -> None:
    count = whole.of(client_of(event) or event.source.partition(".")[0])
    count.events += 1
    label = f"{event.source} {event.operation} {event.id}"
    try:
        made = restoration(event, known)
    except _RAISED as error:
        whole.raised.append(f"{label}: {type(error).__name__}: {error}")
        return
    count.outcomes[made.outcome] += 1
    if made.outcome == "exact" and made.rests_on is not None:
        whole.lost += [f"{label}: {value}" for value in lost_of(event, made.rests_on, made.calls)]


_RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, OpsleuthError)


_KINDS: Mapping[str, str] = {
    r"^moto has no ": "moto has no such operation",
    r"^moto breaks on ": "moto breaks on it",
    r"which is not installed$": "moto needs a package that is not installed",
    r"^moto does not look at ": "moto forgets a parameter",
    r"^moto shows no difference": "moto shows no difference between before and after",
    r"^moto is wrong": "moto is known to be wrong there",
    r"^the ground cannot be laid": "what must be there before cannot be made",
    r"^the history cannot be played": "moto refuses the history",
    r"as recorded is not a complete call|cannot be made from the event": "the record holds no whole call",
}


def _kind(problem: str) -> str:
    return next((told for pattern, told in _KINDS.items() if re.search(pattern, problem)), problem[:80])


def _figures(whole: _Whole) -> dict[str, object]:
    return {
        "events": sum(one.events for one in whole.by_service.values()),
        "services": len(whole.by_service),
        "outcomes": {name: whole.total(name) for name in OUTCOMES},
        "lossy": len(whole.lost),
        "lost": whole.lost,
        "raised": whole.raised,
        "rehearsed": {name: whole.rehearsals(name) for name in _STATES},
        "failed": whole.failed,
        "not_rehearsable": dict(whole.reasons.most_common()),
        "by_service": {
            name: {"events": one.events, **one.outcomes, "rehearsed": dict(one.rehearsed)}
            for name, one in sorted(whole.by_service.items())
        },
    }


def _text(title: str, whole: _Whole) -> str:
    width = max((len(name) for name in whole.by_service), default=0)
    head = ("events", *OUTCOMES, "ok", "failed", "not rehearsable")
    lines = [
        f"undo, {title}: {sum(one.events for one in whole.by_service.values())} events of"
        f" {len(whole.by_service)} services, lossy {len(whole.lost)}, raised {len(whole.raised)}",
        f"  {'':{width}}  " + "  ".join(head),
    ]
    for name, one in (*sorted(whole.by_service.items()), ("all", _sum(whole))):
        cells = (
            one.events,
            *(one.outcomes[key] for key in OUTCOMES),
            *(one.rehearsed[key] for key in _STATES),
        )
        told = (f"{cell:>{len(label)}}" for cell, label in zip(cells, head, strict=True))
        lines.append(f"  {name:{width}}  " + "  ".join(told))
    lines += [f"  not rehearsable: {reason} x{count}" for reason, count in whole.reasons.most_common()]
    lines += [f"  FAILED {one}" for one in whole.failed]
    lines += [f"  LOST {one}" for one in whole.lost]
    lines += [f"  RAISED {one}" for one in whole.raised]
    return "\n".join(lines)


def _sum(whole: _Whole) -> _Count:
    total = _Count()
    for one in whole.by_service.values():
        total.events += one.events
        total.outcomes += one.outcomes
        total.rehearsed += one.rehearsed
    return total


if __name__ == "__main__":
    print(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None).text)
