"""How near `tools.onset` comes to the beginning of made troubles, and how often it sees one where none is.

Asked as investigations ask: of a symptom's metric with three days before it, of a neighbour's with an hour. Series are
made by seed (`made_shapes`): all parameters were chosen on even seeds; odd ones are told. Needs no data.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from evals.benchmarks import BenchResult
from evals.benchmarks.made_shapes import SHAPES, Asked, made
from tools.models import Onset
from tools.onset import onset

SEEDS = 12
VIEWS = ("symptom", "neighbour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one question came to. Distances in periods; None where nothing was told or nothing began."""

    shape: str
    view: str
    trouble: bool
    answered: bool
    covered: bool = False  # the truth is in the interval
    off: float | None = None  # from the middle of the interval to the truth
    wide: float | None = None
    confidence: float | None = None
    named: str = ""  # the shape that it was taken for


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Several questions. `off` and `wide`: median and 90 % point, in periods."""

    asked: int
    answered: int
    covered: int
    off: tuple[float, float]
    wide: tuple[float, float]
    quiet: int
    false: int
    sure: float  # mean confidence of answers to trouble


def run(seeds: Sequence[int] = tuple(range(1, 2 * SEEDS, 2))) -> BenchResult:
    """Ask about every shape with each seed."""
    told = [judged(asked) for asked in made(seeds)]
    rows = {
        view: {shape: row(one for one in told if (one.shape, one.view) == (shape, view)) for shape in SHAPES}
        | {"all": row(one for one in told if one.view == view)}
        for view in VIEWS
    }
    return BenchResult(
        name="onset",
        figures={
            "seeds": list(seeds),
            "views": {view: {name: asdict(one) for name, one in part.items()} for view, part in rows.items()},
        },
        text=_text(seeds, rows),
    )


def judged(asked: Asked) -> Told:
    """The answer of `tools.onset` beside the truth."""
    found = onset(asked.series, asked.window, bad=asked.bad, missing=asked.missing, hint=asked.hint)
    trouble = asked.truth is not None
    if found is None or asked.truth is None:
        return Told(shape=asked.shape, view=asked.view, trouble=trouble, answered=found is not None)
    period = timedelta(seconds=asked.series.metric.period)
    return Told(
        shape=asked.shape,
        view=asked.view,
        trouble=trouble,
        answered=True,
        covered=found.earliest <= asked.truth <= found.latest,
        off=abs(_middle(found) - asked.truth.timestamp()) / period.total_seconds(),
        wide=(found.latest - found.earliest) / period,
        confidence=found.confidence,
        named=found.shape,
    )


def row(told: Iterable[Told]) -> Row:
    """All of them together."""
    every = list(told)
    trouble = [one for one in every if one.trouble]
    return Row(
        asked=len(trouble),
        answered=sum(one.answered for one in trouble),
        covered=sum(one.covered for one in trouble),
        off=_shares([one.off for one in trouble if one.off is not None]),
        wide=_shares([one.wide for one in trouble if one.wide is not None]),
        quiet=len(every) - len(trouble),
        false=sum(one.answered for one in every if not one.trouble),
        sure=round(
            statistics.fmean([one.confidence for one in trouble if one.confidence is not None] or [0.0]), 2
        ),
    )


def _middle(found: Onset) -> float:
    return (found.earliest.timestamp() + found.latest.timestamp()) / 2


def _shares(values: Sequence[float]) -> tuple[float, float]:
    """Median and 90 % point; 0 of nothing."""
    if not values:
        return 0.0, 0.0
    ordered = sorted(values)
    return (
        round(statistics.median(ordered), 2),
        round(ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))], 2),
    )


def _text(seeds: Sequence[int], rows: dict[str, dict[str, Row]]) -> str:
    lines = [
        f"Onset of made troubles, {len(seeds)} seeds, periods of 60 and 300 s; distances in periods: median, 90 %",
        "parameters were chosen on even seeds; answers count as covered when the interval holds the truth",
    ]
    for view, part in rows.items():
        lines += [
            "",
            f"{view:<12}{'answered':>10}{'covered':>10}{'off':>15}{'wide':>15}{'confidence':>12}{'false':>10}",
        ]
        for name, one in part.items():
            covered = f"{one.covered / one.answered:.0%}" if one.answered else "·"
            lines.append(
                f"  {name:<10}{f'{one.answered}/{one.asked}':>10}{covered:>10}{_pair(one.off):>15}"
                f"{_pair(one.wide):>15}{one.sure:>12.2f}{f'{one.false}/{one.quiet}':>10}"
            )
    return "\n".join(lines) + "\n"


def _pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.2f}, {pair[1]:.2f}"
