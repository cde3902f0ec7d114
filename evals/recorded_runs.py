"""Recorded cases in the suite: each is investigated again from its recording and snapshot, once."""

from __future__ import annotations

import time
from pathlib import Path

from evals.cases import Case
from evals.results import Outcome, write_log
from evals.score import Score
from evals.snapshot_case import Rerun, rerun
from graph import Report

SEED = 0
"""Recorded cases have no seed: this stands in its column."""


def run_recorded(case: Case, logs: Path | None = None) -> Outcome:
    """One recorded case as a run of the suite. Raises BadRecording for a recording that cannot be read."""
    began = time.perf_counter()
    found = rerun(case.folder)
    last = found.reports[-1] if found.reports else None
    outcome = Outcome(
        case=case.name,
        seed=SEED,
        score=found.score or Score(items=()),
        verdict=last.verdict if last else "",
        revisions=len(found.reports),
        calls=_calls(last),
        misses=found.misses,
        seconds=time.perf_counter() - began,
        error=_problem(found),
    )
    if logs is not None:
        write_log(logs, outcome, list(found.reports))
    return outcome


def _calls(last: Report | None) -> int:
    return sum(last.statistics.calls.values()) if last else 0


def _problem(found: Rerun) -> str:
    if found.status == "stale":
        asked = ", ".join(found.misses[:5]) + (" and more" if len(found.misses) > 5 else "")
        return f"the recording is stale: it does not hold {asked}. Record the case again while the account still can"
    return ""
