"""PetShop: does the contribution test name the resource that fails, and nothing when nothing is wrong?

The scenario's metrics go through `graph.weighing.contribution`, which the graph itself asks. Recall is the expected one
when ties are broken by chance. Specificity is taken as the authors do: normal is cut at half of its rows and after each
further tenth, what comes after is looked at, and an empty answer is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.benchmarks import BenchResult
from evals.benchmarks.petshop_data import METRICS, SPLITS, Incident, Scenario, Table, Target, load
from evals.bootstrap import Interval, interval
from graph.weighing.contribution import Contribution, Gate, contributions

TOP = (1, 3)
_CURVE = tuple(
    Gate(usual=usual, share=share) for usual in (0.8, 0.9, 0.95, 0.98) for share in (0.3, 0.4, 0.5, 0.75)
)
_ANCHORS = (  # low traffic: published by the data's authors, or by their code over 20 hash seeds
    ("traversal, published", ".571", ".833", ".692", ".167 / 1.0"),
    ("traversal, mean of 20 hash seeds", ".571", ".675", ".619", ".167 / 1.0"),
    ("ranked correlation", ".429", ".750", ".577", "·"),
    ("CIRCA", ".357", ".417", ".385", "·"),
    ("highest anomaly score, no graph", ".429", ".000", ".231", "·"),
    ("uniform random node", ".024", ".024", ".024", "·"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one incident came to, by k: the expected recall of all resources, and of those that stand out."""

    incident: Incident
    ranked: dict[int, float]
    gated: dict[int, float]
    prior: dict[int, float]
    answered: bool


def run(path: Path) -> BenchResult:
    """Measure every scenario under `path`. Raises BadInput when there is none."""
    figures: dict[str, object] = {}
    texts = []
    for scenario in load(path):
        rows = measure(scenario, Gate())
        specific = specificity(scenario, Gate())
        curve = [(gate, measure(scenario, gate), specificity(scenario, gate)) for gate in _CURVE]
        figures[scenario.name] = _figures(rows, specific)
        texts.append(_text(path, scenario, rows, specific, curve))
    return BenchResult(name="petshop", figures=figures, text="\n".join(texts))


def measure(scenario: Scenario, gate: Gate) -> tuple[Row, ...]:
    """Every incident of a scenario."""
    return tuple(_row(scenario, incident, gate) for incident in scenario.incidents)


def specificity(scenario: Scenario, gate: Gate) -> dict[str, list[bool]]:
    """By metric, for each normal window of each target: was nothing named?"""
    found: dict[str, list[bool]] = {metric: [] for metric in METRICS}
    length = len(scenario.normal.moments)
    targets = sorted({one.target for one in scenario.incidents}, key=lambda one: (one.node, one.metric))
    for target in targets:
        for split in range(length // 2, length - 3, max(1, int(length * 0.1))):
            before, after = scenario.normal.cut(0, split), scenario.normal.cut(split, length)
            named = _named(_contributions(scenario, target, before, after, gate))
            found.setdefault(target.metric, []).append(not named)
    return found


def expected_recall(scores: Sequence[tuple[str, float]], truth: str, most: int) -> float:
    """The chance that `truth` is among the first `most` when equal scores are put in order by chance."""
    rounded = {name: round(score, 6) for name, score in scores}
    if truth not in rounded:
        return 0.0
    above = sum(score > rounded[truth] for score in rounded.values())
    tied = sum(score == rounded[truth] for score in rounded.values())
    return min(max(most - above, 0) / tied, 1.0)


def _contributions(
    scenario: Scenario, target: Target, before: Table, after: Table, gate: Gate
) -> tuple[Contribution, ...]:
    how = (target.metric, target.statistic)
    return contributions(before.loads(*how), after.loads(*how), scenario.depends_on, target.node, gate)


def _named(found: Iterable[Contribution]) -> list[tuple[str, float]]:
    return [(one.resource, one.own) for one in found if one.stands_out]


def _row(scenario: Scenario, incident: Incident, gate: Gate) -> Row:
    found = _contributions(scenario, incident.target, scenario.normal, incident.table, gate)
    everything = [(one.resource, one.own) for one in found]
    named = _named(found)
    others = Counter(one.cause for one in scenario.incidents if one is not incident)
    prior = [(name, float(count)) for name, count in others.items()]
    return Row(
        incident=incident,
        ranked={most: expected_recall(everything, incident.cause, most) for most in TOP},
        gated={most: expected_recall(named, incident.cause, most) for most in TOP},
        prior={most: expected_recall(prior, incident.cause, most) for most in TOP},
        answered=bool(named),
    )


_GROUPS: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    *((metric, lambda row, metric=metric: row.incident.target.metric == metric) for metric in METRICS),
    *((split, lambda row, split=split: row.incident.split == split) for split in SPLITS),
    ("all", lambda _row: True),
)


def _mean(rows: Sequence[Row], value: Callable[[Row], float]) -> Interval | None:
    return interval({f"{row.incident.split} {row.incident.name}": [value(row)] for row in rows})


def _figures(rows: Sequence[Row], specific: dict[str, list[bool]]) -> dict[str, object]:
    found: dict[str, object] = {"incidents": len(rows)}
    for name, belongs in _GROUPS:
        group = [row for row in rows if belongs(row)]
        if not group:
            continue
        found[name] = {
            "incidents": len(group),
            **{f"top{k}": round(sum(row.ranked[k] for row in group) / len(group), 4) for k in TOP},
            **{f"gated_top{k}": round(sum(row.gated[k] for row in group) / len(group), 4) for k in TOP},
            **{f"prior_top{k}": round(sum(row.prior[k] for row in group) / len(group), 4) for k in TOP},
        }
    found["specificity"] = {name: round(sum(kept) / len(kept), 4) for name, kept in specific.items() if kept}
    return found


def _text(
    path: Path,
    scenario: Scenario,
    rows: Sequence[Row],
    specific: dict[str, list[bool]],
    curve: Sequence[tuple[Gate, Sequence[Row], dict[str, list[bool]]]],
) -> str:
    gate = Gate()
    lines = [
        f"PetShop, {scenario.name} ({path}): {len(rows)} incidents, {len(scenario.depends_on)} nodes, "
        f"{len(scenario.normal.moments)} normal periods",
        f"gate: usual {gate.usual:g}, share {gate.share:g}, chosen on the 8 train incidents of low_traffic",
        "",
        f"{'top-1 (95 % by bootstrap)':<34}{'n':>4}  {'without gate':<22}{'with gate':<22}{'prior':<8}top-3",
    ]
    for name, belongs in _GROUPS:
        group = [row for row in rows if belongs(row)]
        if group:
            lines.append(_line(name, group))
    lines += ["", f"{'specificity (nothing named in normal windows)':<46}" + _specific(specific), ""]
    lines.append(f"{'usual':>6}{'share':>7}   {'latency':>8}{'availability':>14}{'pooled':>8}   specificity")
    for point, measured, normal in curve:
        cells = [
            _share([row.gated[1] for row in measured if row.incident.target.metric == metric])
            for metric in METRICS
        ]
        pooled = _share([row.gated[1] for row in measured])
        lines.append(
            f"{point.usual:>6g}{point.share:>7g}   {cells[0]:>8}{cells[1]:>14}{pooled:>8}   {_specific(normal)}"
        )
    lines += [
        "",
        f"{'published, low_traffic, top-1':<36}{'latency':>8}{'avail.':>8}{'pooled':>8}  specificity",
    ]
    lines += [f"{name:<36}{a:>8}{b:>8}{c:>8}  {d}" for name, a, b, c, d in _ANCHORS]
    return "\n".join(lines) + "\n"


def _line(name: str, rows: Sequence[Row]) -> str:
    free, gated = (_mean(rows, lambda row: row.ranked[1]), _mean(rows, lambda row: row.gated[1]))
    prior = _share([row.prior[1] for row in rows])
    return (
        f"{name:<34}{len(rows):>4}  {_shown(free):<22}{_shown(gated):<22}{prior:<8}"
        f"{_share([row.ranked[3] for row in rows])}"
    )


def _shown(found: Interval | None) -> str:
    return f"{found.mean:.3f} ({found.low:.2f} to {found.high:.2f})" if found else "·"


def _share(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.3f}" if values else "·"


def _specific(found: dict[str, list[bool]]) -> str:
    return ", ".join(f"{name} {sum(kept)}/{len(kept)}" for name, kept in found.items() if kept)
