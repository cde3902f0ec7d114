"""Runs a recorded case again with the opsleuth of today, and says whether it is right, wrong or stale."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from evals.folders import RECORDING, SNAPSHOT, TRUTH, is_recorded, unconfirmed
from evals.score import Score, score
from evals.snapshot import trigger_of
from evals.truth import load_template, resolve
from graph import Context, Report, stream
from graph.session import register
from tools.errors import BadInput
from tools.parameters import validate
from tools.transport import Transport

if TYPE_CHECKING:
    from evals.world.from_snapshot import SnapshotTransport

Status = Literal["right", "wrong", "stale", "unconfirmed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """One recorded case, investigated again.

    stale: today's opsleuth asked what neither recording nor snapshot holds (`misses`), so that its answer says
    nothing about it. unconfirmed: nobody has filled in truth.yaml.
    """

    case: str
    status: Status
    misses: tuple[str, ...]
    reports: tuple[Report, ...]
    score: Score | None = None


_opened: dict[str, list[SnapshotTransport]] = {}
"""What each run under way has open: its misses are counted there."""


def _open(text: str) -> Transport:
    from evals.world.from_snapshot import from_snapshot

    run, _, folder = text.partition(":")
    made = from_snapshot(Path(folder))
    _opened.setdefault(run, []).append(made)
    return made


def rerun(folder: Path) -> Rerun:
    """Investigate a recorded case again, offline. Raises BadInput and BadRecording for a folder that is none."""
    if not is_recorded(folder):
        raise BadInput(
            f"{folder} is no recorded case: it needs {RECORDING} and {SNAPSHOT}. Make one: opsleuth record"
        )
    run = f"rerun-{uuid.uuid4().hex}"
    register("rerun", _open)
    try:
        reports = asyncio.run(_reports(folder, run, Context(source=f"rerun:{run}:{folder}")))
    finally:
        opened = _opened.pop(run, [])
    misses = tuple(sorted(set().union(*(transport.coverage_misses for transport in opened))))
    found = Rerun(case=folder.resolve().name, status="stale", misses=misses, reports=reports)
    if misses:
        return found
    return _judged(found, folder)


def _judged(found: Rerun, folder: Path) -> Rerun:
    if unconfirmed(folder):
        return Rerun(case=found.case, status="unconfirmed", misses=(), reports=found.reports)
    truth = resolve(load_template(folder / TRUTH), {}, found.case)
    judged = score(found.reports, truth, validate)
    status: Status = "right" if judged.right else "wrong"
    return Rerun(case=found.case, status=status, misses=(), reports=found.reports, score=judged)


async def _reports(folder: Path, run: str, context: Context) -> tuple[Report, ...]:
    latest: dict[int, Report] = {}
    async for update in stream(trigger_of(folder), run, context):
        if isinstance(update, Report):
            latest[update.revision] = update
    return tuple(latest[number] for number in sorted(latest))
