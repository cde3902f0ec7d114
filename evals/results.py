"""What a suite's runs came to, as data: in memory, as JSON, and read back from JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.baselines import Baseline
from evals.calibration import Prediction
from evals.score import Score
from tools.errors import BadInput
from tools.models import Json

if TYPE_CHECKING:
    from evals.prevention_check import PreventionCheck
    from evals.story import Story
    from graph.models import Report

FORMAT = 1

_KEYS = {"case", "seed", "score", "right", "points", "false_claims", "calls", "error"}
_SCORE_KEYS = {"items", "predicted", "stance", "harmful", "onset_error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case with one seed. `error` is set when the run gave no report. `variant`: "" for the case as it is.

    `seconds`: of the investigation, opening the world and judging left out. `misses`: what the world could not answer.
    `story`: for the picture of a failure.
    """

    case: str
    seed: int
    score: Score
    false_claims: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    verdict: str = ""
    prevention: PreventionCheck | None = None  # None without a report
    rehearsal: str = ""  # ok, failed, not_rehearsable; "" without a report
    revisions: int = 0
    calls: int = 0
    misses: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""
    story: Story | None = None
    variant: str = ""
    quiet: bool = False  # the truth names no cause

    @property
    def title(self) -> str:
        """How people call this run."""
        return f"{self.case} seed {self.seed}" + (f", {self.variant}" if self.variant else "")

    @property
    def file_name(self) -> str:
        """Begins the names of this run's files."""
        return f"{self.case}-{self.seed}" + (f"-{self.variant}" if self.variant else "")

    @property
    def right(self) -> bool:
        return not self.error and self.score.right

    def as_json(self) -> Json:
        """Plain data, the same in every run: durations and pictures are left out."""
        kept = {one.name: getattr(self, one.name) for one in fields(self)}
        del kept["seconds"], kept["story"]
        row: Json = {**kept, "score": asdict(self.score)}
        row["baselines"] = [asdict(one) for one in self.baselines]
        row["prevention"] = asdict(self.prevention) if self.prevention else None
        for one in row["baselines"]:
            one["guess"]["time"] = _text(one["guess"]["time"])
        return {**row, "right": self.right, "points": self.score.points}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """One change case run without what opsleuth knows of that change. `named`: resource and event are right."""

    case: str
    seed: int
    how: str  # mechanism or text
    named: bool
    told: str = ""  # what the report said instead
    predicted: float | None = None  # see `evals.calibration`; None without a report


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """All outcomes, by case and seed. `first_runs`: see `evals.first_runs`.

    `varied` and `unseen`, when asked for: figures of the suite are those of `outcomes` alone, but false claims and
    harmful steps are counted in variants too. `whole`: all the cases that come with opsleuth, no others. `unconfirmed`:
    recorded cases that nobody has confirmed; they are not run.
    """

    outcomes: tuple[Outcome, ...]
    varied: tuple[Outcome, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    first_runs: Mapping[str, Json] | None = None
    whole: bool = True
    unconfirmed: tuple[str, ...] = ()

    @property
    def right(self) -> int:
        return sum(outcome.right for outcome in self.outcomes)

    @property
    def every(self) -> tuple[Outcome, ...]:
        """Those of cases as they are and of their variants."""
        return self.outcomes + self.varied

    @property
    def false_claims(self) -> int:
        return sum(len(outcome.false_claims) for outcome in self.every)

    @property
    def predictions(self) -> Mapping[str, tuple[Prediction, ...]]:
        """Those of runs that gave a report: of cases as they are, of variants, of what is unseen; then of all."""
        apart = {
            "as they are": _predictions(self.outcomes),
            "variants": _predictions(self.varied),
            "unseen": tuple(
                Prediction(case=one.case, said=one.predicted, right=one.named)
                for one in self.unseen
                if one.predicted is not None
            ),
        }
        held = {name: found for name, found in apart.items() if found}
        return (
            held if len(held) < 2 else {**held, "all": tuple(one for found in held.values() for one in found)}
        )

    @property
    def harmful(self) -> int:
        return sum(outcome.score.harmful for outcome in self.every)

    def passed(self, floor: float = 1.0) -> bool:
        """Whether at least this share of the runs is right, no claim anywhere is false and no step does harm.

        Runs of variants need the same share among themselves.
        """
        enough = bool(self.outcomes or self.unconfirmed) and self.right >= floor * len(self.outcomes)
        enough = enough and sum(one.right for one in self.varied) >= floor * len(self.varied)
        return enough and not self.false_claims and not self.harmful

    def exit_code(self, floor: float = 1.0) -> int:
        return 0 if self.passed(floor) else 1

    def as_json(self) -> Json:
        """Plain data, the same in every run: durations are left out."""
        from evals.figures import as_json as figures

        return {
            "format": FORMAT,
            "runs": len(self.outcomes),
            "right": self.right,
            "false_claims": self.false_claims,
            **figures(self),
            "unseen": [asdict(one) for one in self.unseen],
            "outcomes": [outcome.as_json() for outcome in self.outcomes],
            "varied": [outcome.as_json() for outcome in self.varied],
        }


def write_log(folder: Path, outcome: Outcome, reports: Sequence[Report]) -> Path:
    """CASE-SEED.json or CASE-SEED-VARIANT.json in `folder`, which exists: outcome, seconds, every revision."""
    place = folder / f"{outcome.file_name}.json"
    row = {**outcome.as_json(), "seconds": round(outcome.seconds, 3)}
    row["reports"] = [report.model_dump(mode="json") for report in reports]
    place.write_text(json.dumps(row, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return place


def _predictions(outcomes: Iterable[Outcome]) -> tuple[Prediction, ...]:
    return tuple(
        Prediction(case=one.case, said=one.score.predicted, right=one.score.stance == "right")
        for one in outcomes
        if one.score.predicted is not None
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def read_outcomes(path: Path) -> list[dict[str, Any]]:
    """The outcomes of a file that `opsleuth eval --json` or `--out` wrote, those of variants after the others.

    A folder means its results.json. Older files have no variants. Raises BadInput when it is no such file.
    """
    place = path / "results.json" if path.is_dir() else path
    if not place.is_file():
        raise BadInput(f"There is no {place}. Make it with: opsleuth eval --out FOLDER")
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{place} cannot be read as JSON: {error}") from error
    held = data if isinstance(data, dict) and data.get("format") == FORMAT else {}
    parts = (held.get("outcomes"), held.get("varied", []))
    rows = [row for part in parts if isinstance(part, list) for row in part]
    if not all(isinstance(part, list) for part in parts) or not all(_whole(row) for row in rows):
        raise BadInput(f"{place} is no result of `opsleuth eval --json` or `--out` in format {FORMAT}.")
    return [{"variant": "", **row} for row in rows]


def _whole(row: Any) -> bool:
    """Whether this is an outcome with all that two results are compared by."""
    if not isinstance(row, dict) or not row.keys() >= _KEYS:
        return False
    return isinstance(row["score"], dict) and row["score"].keys() >= _SCORE_KEYS
