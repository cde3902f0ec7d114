"""A suite's result as text: one line per case and seed, what failed and why, then the figures of the whole."""

from __future__ import annotations

from evals import varied
from evals.baselines import NAMES
from evals.bootstrap import Interval
from evals.calibration import SURE, Calibration
from evals.figures import Figure, baselines, brier, calibrations, checks, figures, onset_errors, total, unseen
from evals.results import Outcome, SuiteResult

SHORT = {
    "verdict": "verdict",
    "cause": "cause",
    "prior": "prior",
    "actor": "actor",
    "plan": "plan",
    "harmless": "harmless",
    "gaps": "gaps",
    "ruled out": "decoys",
    "onset": "onset",
    "prevention": "prevent",
    "revisions": "revs",
    "claims": "claims",
}
"""Name of an item -> how a column is headed."""

_WIDTH = 22


def render(result: SuiteResult) -> str:
    """The table, the reasons of what failed, and the figures. Ends with a newline."""
    width = max([len("case"), *(len(outcome.case) for outcome in result.outcomes)])
    head = [
        f"{'case':<{width}}",
        "seed",
        *SHORT.values(),
        *(name.split()[0] for name in NAMES),
        "calls",
        "seconds",
    ]
    lines = ["  ".join(head), *(_row(outcome, width) for outcome in result.outcomes), ""]
    lines += [*reasons(result), *_figures(result), *_calibration(result), *varied.lines(result)]
    lines += [*_unseen(result), *_checks(result)]
    return "\n".join([*lines, *_last(result)]) + "\n"


def mark(outcome: Outcome, name: str) -> str:
    """✓ passed, ✗ failed, · nothing was asked, – not reached."""
    found = next((one for one in outcome.score.items if one.name == name), None)
    if found is None:
        return "–"
    return ("✓" if found.asked else "·") if found.ok else "✗"


def guessed(outcome: Outcome, name: str) -> str:
    """✓ or ✗ for a baseline; a chance as a percentage; – when it was not asked."""
    found = next((one.right for one in outcome.baselines if one.name == name), None)
    if found is None:
        return "–"
    return {0.0: "✗", 1.0: "✓"}.get(found, f"{found:.0%}")


def _row(outcome: Outcome, width: int) -> str:
    cells = [f"{outcome.case:<{width}}", f"{outcome.seed:>4}"]
    cells += [f"{mark(outcome, name):^{len(short)}}" for name, short in SHORT.items()]
    cells += [f"{guessed(outcome, name):^{len(name.split()[0])}}" for name in NAMES]
    return "  ".join([*cells, f"{outcome.calls:>5}", f"{outcome.seconds:>7.1f}"])


def reasons(result: SuiteResult) -> list[str]:
    """One line for everything that failed; a last empty one when there is any."""
    lines = []
    for outcome in result.every:
        where = outcome.title
        if outcome.error:
            lines.append(f"{where}: no report. {outcome.error}")
            continue
        lines += [
            f"{where}: {item.name}: {item.why}" for item in outcome.score.failed if item.name != "claims"
        ]
        lines += [f"{where}: false claim: {sentence}" for sentence in outcome.false_claims]
        lines += [f"{where}: the world holds no answer for {miss}" for miss in outcome.misses]
    return [*lines, ""] if lines else []


def shown(figure: Figure) -> tuple[str, str]:
    """A figure's value and its interval as text; a total has no interval."""
    value = figure.value
    if figure.kind == "total":
        return str(total(figure)), ""
    form = {"share": "{:.1%}", "points": "{:+.2f}", "mean": "{:.1f}"}[figure.kind]
    spread = "" if value.cases < 2 else f"{form.format(value.low)} to {form.format(value.high)}"
    return form.format(value.mean), spread


def _figures(result: SuiteResult) -> list[str]:
    lines = [f"{'':<{_WIDTH}}  {'value':>7}  {'95 % over cases':<18}  runs"]
    for figure in (*figures(result.outcomes), *(_as_baseline(one) for one in baselines(result.outcomes))):
        value, spread = shown(figure)
        lines.append(f"{figure.name:<{_WIDTH}}  {value:>7}  {spread:<18}  {figure.runs:>4}")
    median, most = onset_errors(result.outcomes)
    if median is not None and most is not None:
        lines.append(f"onset off by {median:.0f} s (median), {most:.0f} s (90 %)")
    return [*lines, ""]


def _as_baseline(figure: Figure) -> Figure:
    return Figure(name=f'"{figure.name}"', kind=figure.kind, value=figure.value, runs=figure.runs)


def _calibration(result: SuiteResult) -> list[str]:
    lines = []
    for name, table in calibrations(result).items():
        lines.append(f"confidence   runs   mean  right   ({name})")
        lines += [
            f"{one.low:>4.0%} to {one.high:>4.0%} {one.runs:>4}  {one.said:>5.1%}  {one.right:>5.1%}"
            for one in table.bins
        ]
        lines += [*calibration_lines(table), ""]
    return lines


def calibration_lines(table: Calibration) -> list[str]:
    """Brier, log loss and the mean confidence right and wrong, as sentences."""
    right, wrong = (_share(value) for value in (table.when_right, table.when_wrong))
    gap = "" if table.gap is None else f", {table.gap:+.1%} apart"
    return [
        f"Brier {brier(table)}; log loss {table.log_loss:.4f}, best constant {table.constant_log_loss:.4f}",
        f"95 % of draws of cases: Brier {_range(table.brier_gain)} better than the best constant of the draw, "
        f"log loss {_range(table.log_loss_gain)}",
        f"mean confidence when right {right}, when wrong {wrong}{gap}; wrong with more than {SURE:.0%}: "
        f"{table.sure_and_wrong:.1%}",
        *_slope(table),
    ]


def _slope(table: Calibration) -> list[str]:
    if table.slope is None:
        return []
    way = "too modest" if table.slope > 1.1 else "too sure" if table.slope < 0.9 else "as it should be"
    return [f"log-odds fit best when multiplied by {table.slope:g}: confidence is {way}"]


def _range(of: Interval) -> str:
    return f"{of.low:+.4f} to {of.high:+.4f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _unseen(result: SuiteResult) -> list[str]:
    lines = [
        f"{one.case} seed {one.seed}: unseen {one.how}: {'✓' if one.named else '✗'} {one.told}"
        for one in result.unseen
    ]
    found = unseen(result)
    if found:
        told = ", ".join(f"{shown(one)[0]} ({one.name})" for one in found)
        lines.append(f"cause named without what is known of the change: {told}")
    return [*lines, ""] if lines else []


def _checks(result: SuiteResult) -> list[str]:
    signs = {True: "✓", False: "✗", None: "–"}
    return [f"{signs[one.ok]} {one.text}" for one in checks(result)]


def _last(result: SuiteResult) -> list[str]:
    said = f"opsleuth right in {result.right} of {len(result.outcomes)}"
    if result.varied:
        right = sum(one.right for one in result.varied)
        said += f", in variants in {right} of {len(result.varied)}"
    lines = [f"{said}; false claims: {result.false_claims}"]
    if result.unconfirmed:
        lines.append(f"not run, since nobody has filled in its truth.yaml: {', '.join(result.unconfirmed)}")
    return lines
