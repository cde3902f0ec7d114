"""The scoreboard as files: Markdown, HTML, the results as JSON, and a picture of each failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from evals import varied
from evals.figures import baselines, by_case, calibrations, checks, figures, onset_errors, unseen
from evals.pictures import picture
from evals.results import Outcome, SuiteResult
from evals.scoreboard_html import page
from evals.summary import SHORT, calibration_lines, mark, reasons, shown
from tools.errors import BadInput


def write(result: SuiteResult, folder: Path) -> tuple[Path, ...]:
    """scoreboard.html, scoreboard.md, results.json and pictures/ in `folder`. Raises BadInput when it cannot."""
    texts = {"scoreboard.html": page(result), "scoreboard.md": markdown(result)}
    texts["results.json"] = json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n"
    drawn = {_name(one): picture(one.story, _title(one)) for one in result.every if one.story is not None}
    try:
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        for name, text in {**texts, **drawn}.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"The scoreboard cannot be written to {folder}: {error}") from error
    return tuple(folder / name for name in texts)


def _name(outcome: Outcome) -> str:
    return f"pictures/{outcome.file_name}.svg"


def _title(outcome: Outcome) -> str:
    return f"Timeline of {outcome.title}"


def markdown(result: SuiteResult) -> str:
    """Everything of the page; pictures by their files."""
    signs = {True: "✓", False: "✗", None: "–"}
    lines = ["# Scoreboard", "", f"{result.right} of {len(result.outcomes)} runs all right.", ""]
    lines += [f"- {signs[one.ok]} {one.text}" for one in checks(result)]
    found = [(one.name, *shown(one), str(one.runs)) for one in figures(result.outcomes)]
    lines += ["", "## Figures", "", *_table(("", "value", "95 % over cases", "runs"), found)]
    median, most = onset_errors(result.outcomes)
    if median is not None and most is not None:
        lines += ["", f"Onset off by {median:.0f} s (median), {most:.0f} s (90 %)."]
    bases = [(one.name, *shown(one), str(one.runs)) for one in baselines(result.outcomes)]
    lines += ["", "## Baselines", "", *_table(("", "cause named", "95 % over cases", "runs"), bases)]
    lines += [
        *_calibration(result),
        *_variants(result),
        *_unseen(result),
        *_first(result),
        *_cases(result),
        *_failures(result),
    ]
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def _calibration(result: SuiteResult) -> list[str]:
    lines = []
    for name, table in calibrations(result).items():
        rows = [
            (f"{one.low:.0%} to {one.high:.0%}", str(one.runs), f"{one.said:.1%}", f"{one.right:.1%}")
            for one in table.bins
        ]
        lines += ["", f"## Calibration: {name}", ""]
        lines += [*_table(("confidence", "runs", "mean", "right"), rows), ""]
        lines += [f"- {line}" for line in calibration_lines(table)]
    return lines


def _variants(result: SuiteResult) -> list[str]:
    rows = varied.cells(result)
    return ["", "## Variants", "", *_table(varied.HEADS, rows)] if rows else []


def _unseen(result: SuiteResult) -> list[str]:
    rows = [(one.name, *shown(one), str(one.runs)) for one in unseen(result)]
    return (
        ["", "## Unseen mechanism", "", *_table(("hidden", "cause named", "95 % over cases", "runs"), rows)]
        if rows
        else []
    )


def _first(result: SuiteResult) -> list[str]:
    rows = [
        (
            case,
            str(len(row["seeds"])),
            f"{row['cause']:.0%}",
            f"{row['right']:.0%}",
            str(row.get("weights", "")),
        )
        for case, row in sorted((result.first_runs or {}).items())
    ]
    return (
        ["", "## First runs", "", *_table(("case", "seeds", "cause", "all right", "weights"), rows)]
        if rows
        else []
    )


def _cases(result: SuiteResult) -> list[str]:
    rows = [
        (case, str(len(runs)), *(passed(runs, name) for name in SHORT))
        for case, runs in by_case(result.outcomes).items()
    ]
    return ["", "## Cases", "", *_table(("case", "runs", *SHORT.values()), rows)]


def passed(runs: Sequence[Outcome], name: str) -> str:
    """How many of a case's runs passed an item: "5/5"; · when it was asked of none."""
    marks = [mark(one, name) for one in runs]
    asked = [one for one in marks if one != "·"]
    return f"{asked.count('✓')}/{len(asked)}" if asked else "·"


def _failures(result: SuiteResult) -> list[str]:
    lines: list[str] = []
    for one in (one for one in result.every if not one.right):
        lines += ["", f"### {one.title}", ""]
        lines += [f"- {line}" for line in reasons(SuiteResult(outcomes=(one,))) if line]
        lines += ["", f"![{_title(one)}]({_name(one)})"] if one.story is not None else []
    return ["", "## Failures", *(lines or ["", "None."])]
