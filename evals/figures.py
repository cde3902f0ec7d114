"""The figures of a suite: shares with bootstrap intervals over cases, calibration, and what must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from evals.baselines import NAMES
from evals.bootstrap import Interval, grouped, interval, quantile
from evals.calibration import SURE, Calibration, calibration
from evals.results import Outcome, SuiteResult
from evals.varied import variants
from tools.models import Json

Kind = Literal["share", "points", "mean", "total"]

CAUSE_FLOOR = 0.92
QUIET_FLOOR = 0.95
FIRST_RUN_FLOOR = 0.6
BASELINE_CEILING = 0.5
UNSEEN_AIMS = {"mechanism": 0.7, "text": 0.5}
GAP_FLOOR = 0.2
SURE_AND_WRONG_CEILING = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a suite. `runs`: those that it was asked of. share: 0 to 1; points: -1 to 1."""

    name: str
    kind: Kind
    value: Interval
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must hold of a whole suite. `ok` None: cannot be told from these runs."""

    text: str
    ok: bool | None


def _item(name: str) -> Callable[[Outcome], float | None]:
    """1 or 0 for runs whose truth asks for it. A run without report fails all that is asked of every run."""

    def value(outcome: Outcome) -> float | None:
        found = next((one for one in outcome.score.items if one.name == name), None)
        if found is None:
            return 0.0 if outcome.error else None
        return float(found.ok) if found.asked else None

    return value


def _named(part: str) -> Callable[[Outcome], float | None]:
    def value(outcome: Outcome) -> float | None:
        named: bool | None = getattr(outcome.score.named, part)
        return None if named is None else float(named)

    return value


FIGURES: Mapping[str, tuple[Kind, Callable[[Outcome], float | None]]] = {
    "all right": ("share", lambda one: float(one.right)),
    "cause": ("share", _item("cause")),
    "its resource": ("share", _named("resource")),
    "its field": ("share", _named("field")),
    "its event": ("share", _named("event")),
    "cause, silence at 0": ("points", lambda one: float(one.score.points)),
    "verdict": ("share", _item("verdict")),
    "actor": ("share", _item("actor")),
    "prior value": ("share", _item("prior")),
    "onset": ("share", _item("onset")),
    "gaps": ("share", _item("gaps")),
    "decoys ruled out": ("share", _item("ruled out")),
    "plan exact": ("share", _item("plan")),
    "plan rehearsed": ("share", lambda one: {"ok": 1.0, "failed": 0.0}.get(one.rehearsal)),
    "prevention": ("share", _item("prevention")),
    "revisions": ("share", _item("revisions")),
    "good changes blocked": ("total", lambda one: float(one.prevention.blocked) if one.prevention else None),
    "false alarms": ("total", lambda one: float(one.prevention.false_alarms) if one.prevention else None),
    "harmful steps": ("total", lambda one: float(one.score.harmful)),
    "false claims": ("total", lambda one: float(len(one.false_claims))),
    "AWS calls": ("mean", lambda one: float(one.calls)),
    "seconds": ("mean", lambda one: one.seconds),
}
"""Name -> how it is printed, and its value for one run; None where it is not asked."""


def figures(outcomes: Sequence[Outcome]) -> tuple[Figure, ...]:
    """All figures that any of these runs was asked for."""
    found = []
    for name, (kind, value) in FIGURES.items():
        rows = [(one.case, got) for one in outcomes if (got := value(one)) is not None]
        of = interval(grouped(rows))
        if of is not None:
            found.append(Figure(name=name, kind=kind, value=of, runs=len(rows)))
    return tuple(found)


def baselines(outcomes: Sequence[Outcome]) -> tuple[Figure, ...]:
    """The share in which each baseline names the cause."""
    found = []
    for name in NAMES:
        rows = [(one.case, base.right) for one in outcomes for base in one.baselines if base.name == name]
        of = interval(grouped(rows))
        if of is not None:
            found.append(Figure(name=name, kind="share", value=of, runs=len(rows)))
    return tuple(found)


def unseen(result: SuiteResult) -> tuple[Figure, ...]:
    """The share in which the cause is named without what is known of the change."""
    found = []
    for how in UNSEEN_AIMS:
        rows = [(one.case, float(one.named)) for one in result.unseen if one.how == how]
        of = interval(grouped(rows))
        if of is not None:
            found.append(Figure(name=how, kind="share", value=of, runs=len(rows)))
    return tuple(found)


def onset_errors(outcomes: Sequence[Outcome]) -> tuple[float | None, float | None]:
    """Median and 90th percentile of the seconds between the true onset and the interval told."""
    errors = [one.score.onset_error for one in outcomes if one.score.onset_error is not None]
    return quantile(errors, 0.5), quantile(errors, 0.9)


def total(figure: Figure) -> int:
    """The sum over all runs of a figure of kind "total"."""
    return round(figure.value.mean * figure.runs)


def checks(result: SuiteResult) -> tuple[Check, ...]:
    """What must hold of a whole suite, each in one sentence; nothing of a part of it or of other cases."""
    if not result.whole:
        return ()
    known = {one.name: one for one in figures(result.outcomes)}
    found = []
    if "cause" in known:
        cause = known["cause"].value.mean
        found.append(
            Check(text=f"cause right in at least {CAUSE_FLOOR:.0%}: {cause:.1%}", ok=cause >= CAUSE_FLOOR)
        )
    everywhere = {one.name: one for one in figures(result.every)}
    for name in ("false claims", "harmful steps", "good changes blocked"):
        if name in everywhere:
            count = total(everywhere[name])
            found.append(Check(text=f"no {name}: {count}", ok=count == 0))
    bases = baselines(result.outcomes)
    if bases:
        listed = ", ".join(f"{one.name} {one.value.mean:.1%}" for one in bases)
        low = all(one.value.mean < BASELINE_CEILING for one in bases)
        found.append(Check(text=f"every baseline below {BASELINE_CEILING:.0%}: {listed}", ok=low))
    found += _quiet(result)
    for name, table in calibrations(result).items():
        found += _calibrated(name, table)
    for one in unseen(result):
        aim = UNSEEN_AIMS[one.name]
        said = f"cause named with unseen {one.name} in at least {aim:.0%}: {one.value.mean:.1%} of {one.runs}"
        found.append(Check(text=said, ok=one.value.mean >= aim))
    return (*found, *_first(result))


def calibrations(result: SuiteResult) -> dict[str, Calibration]:
    """By the kind of runs: as they are, variants, unseen, all; those that there are."""
    tables = {name: calibration(found) for name, found in result.predictions.items()}
    return {name: table for name, table in tables.items() if table is not None}


def _quiet(result: SuiteResult) -> Iterator[Check]:
    """Runs of which the right answer names no cause."""
    asked = [one for one in result.outcomes if one.quiet]
    if asked:
        share = sum(one.score.stance == "right" for one in asked) / len(asked)
        said = f"right where there is no cause to name in at least {QUIET_FLOOR:.0%}: {share:.1%} of {len(asked)}"
        yield Check(text=said, ok=share >= QUIET_FLOOR)


def _calibrated(name: str, table: Calibration) -> Iterator[Check]:
    yield Check(
        text=f"Brier and log loss better than the best constant, {name}: {brier(table)}; "
        f"{table.log_loss:.4f}, the constant {table.constant_log_loss:.4f}",
        ok=table.surely_beats_constant,
    )
    if table.gap is not None:
        said = f"mean confidence right less wrong at least {GAP_FLOOR}, {name}: {table.gap:+.2f}"
        yield Check(text=said, ok=table.gap >= GAP_FLOOR)
    wrong = table.sure_and_wrong
    said = f"wrong with more than {SURE:.0%} in at most {SURE_AND_WRONG_CEILING:.0%}, {name}: {wrong:.1%}"
    yield Check(text=said, ok=wrong <= SURE_AND_WRONG_CEILING)


def brier(table: Calibration) -> str:
    """The Brier score beside that of the best constant."""
    said = f"{table.brier:.4f}, the constant {table.constant_brier:.4f}"
    if table.beats_constant is not None:
        return said
    alike, best = ("right", 1) if table.share_right else ("wrong", 0)
    return f"{said} (every answer is {alike}: always saying {best} scores 0, which only equal certainty could match)"


def _first(result: SuiteResult) -> tuple[Check, ...]:
    first = result.first_runs or {}
    runs = sum(len(row["seeds"]) for row in first.values())
    if not runs:
        return ()
    share = sum(row["cause"] * len(row["seeds"]) for row in first.values()) / runs
    said = (
        f"cause right at the first run of {len(first)} cases in at least {FIRST_RUN_FLOOR:.0%}: {share:.1%}"
    )
    return (Check(text=said, ok=share >= FIRST_RUN_FLOOR),)


def as_json(result: SuiteResult) -> Json:
    """Everything but seconds, for durations differ between equal runs."""
    outcomes = result.outcomes
    median, most = onset_errors(outcomes)
    return {
        "figures": _rows(one for one in figures(outcomes) if one.name != "seconds"),
        "onset_error_seconds": {"median": median, "p90": most},
        "by_case": {
            case: _rows(one for one in figures(rows) if one.name != "seconds")
            for case, rows in by_case(outcomes).items()
        },
        "baselines": _rows(baselines(outcomes)),
        "variants": [asdict(one) for one in variants(result)],
        "unseen_share": _rows(unseen(result)),
        "calibration": {
            name: {
                **asdict(table),
                "gap": table.gap,
                "beats_constant": table.beats_constant,
                "surely_beats_constant": table.surely_beats_constant,
            }
            for name, table in calibrations(result).items()
        },
        "checks": [asdict(one) for one in checks(result)],
        "first_runs": dict(result.first_runs or {}),
    }


def _rows(found: Iterable[Figure]) -> Json:
    rows: Json = {}
    for one in found:
        rows[one.name] = {
            "mean": one.value.mean,
            "low": one.value.low,
            "high": one.value.high,
            "runs": one.runs,
        }
    return rows


def by_case(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes of each case, in order."""
    found: dict[str, list[Outcome]] = {}
    for one in outcomes:
        found.setdefault(one.case, []).append(one)
    return found
