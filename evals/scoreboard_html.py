"""The scoreboard as one page: light and dark, nothing loaded from outside, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from evals import varied
from evals.calibration import Calibration
from evals.figures import Figure, baselines, by_case, calibrations, checks, figures, onset_errors, unseen
from evals.pictures import picture
from evals.results import Outcome, SuiteResult
from evals.summary import SHORT, calibration_lines, mark, reasons, shown

_SIGNS = {True: ("✓", "good"), False: ("✗", "bad"), None: ("–", "soft")}


def page(result: SuiteResult) -> str:
    """The whole page."""
    parts = [
        _checks(result),
        _figures(result),
        _baselines(result),
        _calibration(result),
        _variants(result),
        _unseen(result),
        _first(result),
        _cases(result),
        _failures(result),
    ]
    runs = len(result.outcomes)
    lead = f"{result.right} of {runs} runs all right, over {len(by_case(result.outcomes))} cases."
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>opsleuth scoreboard</title><style>{_style()}</style></head><body><main>"
        f'<h1>opsleuth scoreboard</h1><p class="lead">{lead}</p>{"".join(parts)}</main></body></html>\n'
    )


def _style() -> str:
    return files("evals").joinpath("scoreboard.css").read_text(encoding="utf-8")


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """`head`: words, with ">" before those of columns that are numbers. Cells are HTML."""
    numbers = [one.startswith(">") for one in head]
    top = "".join(
        f'<th class="n">{escape(one[1:])}</th>' if number else f"<th>{escape(one)}</th>"
        for one, number in zip(head, numbers, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{cell}</td>' if number else f"<td>{cell}</td>"
            for cell, number in zip(row, numbers, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _checks(result: SuiteResult) -> str:
    rows = [
        f'<li><span class="{_SIGNS[one.ok][1]}">{_SIGNS[one.ok][0]}</span> {escape(one.text)}</li>'
        for one in checks(result)
    ]
    return _section("What must hold of the whole suite", f"<ul>{''.join(rows)}</ul>") if rows else ""


def _figures(result: SuiteResult) -> str:
    rows = [_row(one) for one in figures(result.outcomes)]
    median, most = onset_errors(result.outcomes)
    if median is not None and most is not None:
        rows.append(["onset off by", f"{median:.0f} s", f"90 % within {most:.0f} s", "", ""])
    note = '<p class="soft why">Intervals: bootstrap over cases. Silence at 0: +1 right, 0 nothing named, −1 wrong.</p>'
    return _section("Figures", note + _table(("", ">value", "95 %", "", ">runs"), rows))


def _row(figure: Figure) -> list[str]:
    value, spread = shown(figure)
    return [escape(figure.name), value, spread, _bar(figure), str(figure.runs)]


def _bar(figure: Figure) -> str:
    """The mean and its interval on a line from 0 to 1."""
    if figure.kind != "share":
        return ""
    of = figure.value
    left, width = 200 * of.low, 200 * (of.high - of.low)
    return (
        '<svg class="bar" viewBox="0 0 200 10" preserveAspectRatio="none">'
        '<rect class="all" width="200" height="10" rx="3"/>'
        f'<rect class="spread" x="{left:.1f}" width="{width:.1f}" height="10"/>'
        f'<rect class="mean" x="{max(0.0, 200 * of.mean - 1.5):.1f}" width="3" height="10"/></svg>'
    )


def _baselines(result: SuiteResult) -> str:
    rows = [_row(one) for one in baselines(result.outcomes)]
    return (
        _section("Baselines", _table(("names the cause", ">value", "95 %", "", ">runs"), rows))
        if rows
        else ""
    )


def _calibration(result: SuiteResult) -> str:
    return "".join(_calibrated(name, table) for name, table in calibrations(result).items())


def _calibrated(name: str, table: Calibration) -> str:
    rows = [
        [f"{one.low:.0%} to {one.high:.0%}", str(one.runs), f"{one.said:.1%}", f"{one.right:.1%}"]
        for one in table.bins
    ]
    said = "".join(f"<li>{escape(line)}</li>" for line in calibration_lines(table))
    left = _table(("confidence", ">runs", ">mean", ">right"), rows) + f'<ul class="why">{said}</ul>'
    return _section(
        f"Calibration: {name}", f'<div class="two"><div>{left}</div><div>{_reliability(table)}</div></div>'
    )


def _reliability(table: Calibration) -> str:
    """Share right over displayed confidence; on the dashed line the two agree. Areas grow with the runs."""
    spots = "".join(
        f'<circle cx="{30 + 200 * one.said:.1f}" cy="{210 - 200 * one.right:.1f}" '
        f'r="{3 + 9 * (one.runs / table.runs) ** 0.5:.1f}"><title>{one.runs} runs</title></circle>'
        for one in table.bins
    )
    return (
        '<svg class="rel" viewBox="0 0 240 240" role="img" aria-label="Share right over displayed confidence">'
        '<rect class="frame" x="30" y="10" width="200" height="200"/>'
        '<line class="ideal" x1="30" y1="210" x2="230" y2="10"/>'
        f'{spots}<text x="130" y="234" text-anchor="middle">displayed confidence</text><text x="30" y="222">0</text>'
        '<text x="230" y="222" text-anchor="end">1</text><text transform="translate(20 110) rotate(-90)" '
        'text-anchor="middle">share right</text></svg>'
    )


def _variants(result: SuiteResult) -> str:
    """Their runs count in none of the other figures."""
    rows = [[escape(name), *counts] for name, *counts in varied.cells(result)]
    return (
        _section("Variants", _table((varied.HEADS[0], *(f">{head}" for head in varied.HEADS[1:])), rows))
        if rows
        else ""
    )


def _unseen(result: SuiteResult) -> str:
    if not result.unseen:
        return ""
    runs = [
        [
            escape(one.case),
            str(one.seed),
            escape(one.how),
            '<span class="good">✓</span>' if one.named else '<span class="bad">✗</span>',
            f'<span class="wrap soft">{escape(one.told)}</span>',
        ]
        for one in result.unseen
    ]
    body = _table(("hidden", ">cause named", "95 %", "", ">runs"), [_row(one) for one in unseen(result)])
    return _section(
        "Unseen mechanism",
        body + "<br>" + _table(("case", ">seed", "hidden", "named", "the report says"), runs),
    )


def _first(result: SuiteResult) -> str:
    rows = [
        [
            escape(case),
            str(len(row["seeds"])),
            f"{row['cause']:.0%}",
            f"{row['right']:.0%}",
            escape(", ".join(row.get("failed", {})) or "–"),
            escape(str(row.get("weights", ""))),
        ]
        for case, row in sorted((result.first_runs or {}).items())
    ]
    head = ("case", ">seeds", ">cause", ">all right", "failed", "weights")
    return _section("First run of each case", _table(head, rows)) if rows else ""


def _cases(result: SuiteResult) -> str:
    head = "".join(f'<th class="c">{escape(short)}</th>' for short in SHORT.values())
    body = "".join(
        f'<tr><td>{escape(case)}</td><td class="n">{len(runs)}</td>{"".join(_cell(runs, name) for name in SHORT)}</tr>'
        for case, runs in by_case(result.outcomes).items()
    )
    top = f'<thead><tr><th>case</th><th class="n">runs</th>{head}</tr></thead>'
    return _section("Cases", f"<table>{top}<tbody>{body}</tbody></table>")


def _cell(runs: Sequence[Outcome], name: str) -> str:
    """How many of a case's runs passed an item."""
    asked = [one for one in (mark(run, name) for run in runs) if one != "·"]
    if not asked:
        return '<td class="c soft">·</td>'
    right = asked.count("✓")
    colour = "good" if right == len(asked) else "mid" if right else "bad"
    return f'<td class="c cell-{colour}">{right}/{len(asked)}</td>'


def _failures(result: SuiteResult) -> str:
    parts = []
    for one in (one for one in result.every if not one.right):
        prefix = f"{one.title}: "
        said = [line.removeprefix(prefix) for line in reasons(SuiteResult(outcomes=(one,))) if line]
        why = "".join(f"<li>{escape(line)}</li>" for line in said)
        drawn = picture(one.story, f"Timeline of {one.title}") if one.story else ""
        parts.append(f'<div class="fail"><h3>{escape(one.title)}</h3><ul class="why">{why}</ul>{drawn}</div>')
    return _section("Failures", "".join(parts) or "<p>None.</p>")
