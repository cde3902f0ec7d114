"""The score of a case the first time that it was ever run, kept beside the cases and never overwritten.

Cases written after the weights were frozen tell whether the weights carry over; once somebody has looked at a failure
and mended something, the case tells it no longer. Each row says with which weights it ran, and no date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from evals.cases import incidents
from evals.figures import by_case
from evals.results import Outcome, SuiteResult
from graph.weights import WEIGHTS
from tools.errors import BadInput
from tools.models import Json

NAME = "first_runs.json"


def place(folder: Path | None = None) -> Path:
    """The file for the cases in `folder`: in it, or beside the cases that come with opsleuth."""
    return folder / NAME if folder is not None else incidents().parent / NAME


def read(path: Path) -> dict[str, Json]:
    """Case -> first score; empty without the file. Raises BadInput when it is no such file."""
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(rows, dict) or not all(
        isinstance(row, dict) and "seeds" in row for row in rows.values()
    ):
        raise BadInput(f"{path} must map the name of each case to its first score.")
    return rows


def keep(result: SuiteResult, incidents: Path | None = None) -> tuple[SuiteResult, tuple[str, ...]]:
    """Add the cases that the file of `incidents` does not hold yet; those that it holds stay as they are.

    Returns the result with all first scores, and the names that are new. Raises BadInput when the file cannot be
    read or written.
    """
    path = place(incidents)
    held = read(path)
    new = {case: _row(runs) for case, runs in by_case(result.outcomes).items() if case not in held}
    try:
        path.write_text(json.dumps(held | new, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error}") from error
    return replace(result, first_runs=held | new), tuple(new)


def _row(outcomes: Sequence[Outcome]) -> Json:
    """Shares of all seeds of one case, and every item that failed with its seeds."""
    failed: dict[str, list[int]] = {}
    for one in outcomes:
        for item in one.score.failed:
            failed.setdefault(item.name, []).append(one.seed)
    return {
        "seeds": [one.seed for one in outcomes],
        "right": _share([one.right for one in outcomes]),
        "cause": _share([one.score.ok("cause") for one in outcomes]),
        "false_claims": sum(len(one.false_claims) for one in outcomes),
        "failed": failed,
        "weights": weights(WEIGHTS),
    }


def _share(passed: Sequence[bool]) -> float:
    return round(sum(passed) / len(passed), 4)


def weights(table: Mapping[str, float]) -> str:
    """A short name of a table of weights: the same table has the same name."""
    return hashlib.sha256(json.dumps(dict(table), sort_keys=True).encode()).hexdigest()[:12]
