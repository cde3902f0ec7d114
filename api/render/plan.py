"""DO THIS: the plan as numbered steps with complete commands. A person runs them; opsleuth never does."""

from __future__ import annotations

from rich.text import Text

from api.render.layout import Page
from api.render.view import View, commands, looks_in_vain
from graph.models import Mitigation, Report, Step
from graph.words import say

_COLUMN = 11


def plan(report: Report, view: View, page: Page) -> list[Text]:
    """The lines of the plan; none when the report has no plan."""
    todo = report.mitigation
    if todo is None:
        return []
    lines = _title(report, view, page, todo)
    number = 0
    for steps, stop in (
        (todo.prepare, True),
        (todo.pre_validate, True),
        (todo.apply, False),
        (todo.post_validate, False),
    ):
        for step in steps:
            number += 1
            lines += _step(report, view, page, step, str(number), stop=stop)
    for name, steps in (
        (say("Way back"), todo.rollback),
        (say("Stays red"), silencing(todo)),
        (say("Then"), todo.afterwards),
    ):
        for place, step in enumerate(steps):
            lines += _step(report, view, page, step, name if place == 0 else "", stop=False, column=_COLUMN)
    if report.incident.stays_red and not todo.stays_red:
        lines += page.row(
            say("Stays red"), view.words(report.incident.stays_red, report.as_of), column=_COLUMN
        )
    for place, item in enumerate(todo.mind):
        name = say("Mind") if place == 0 else ""
        lines += page.row(name, view.words(item.text, report.as_of), item.evidence, column=_COLUMN)
    return lines


def silencing(todo: Mitigation) -> tuple[Step, ...]:
    """The steps that silence a red alarm, each with what must have been seen first."""
    return tuple(_after_check(step, todo) for step in todo.stays_red)


def _after_check(step: Step, todo: Mitigation) -> Step:
    checks = [place for place, one in enumerate(todo.post_validate, 1) if one.command]
    if not checks or "RECOVERED" in step.note:
        return step
    place = len(todo.prepare) + len(todo.pre_validate) + len(todo.apply) + checks[-1]
    told = say("Once step {number} says RECOVERED:", number=place)
    return step.model_copy(update={"note": f"{step.note} {told}".strip()})


def remark(step: Step, view: View) -> str:
    """What stands in the place of a step's own command where it cannot work, or ""."""
    if looks_in_vain(step, view):
        return say("To look again needs a real account; this report is of a recording.")
    return ""


def _title(report: Report, view: View, page: Page, todo: Mitigation) -> list[Text]:
    head = Text(say("DO THIS"), style="bold")
    if todo.apply or todo.prepare or todo.pre_validate or todo.stays_red:
        head.append("   " + say("(you run it; opsleuth never does)"), style="dim")
    lines = [head]
    if todo.summary:
        lines += page.plain(view.words(todo.summary, report.as_of))
    for item in todo.advice:
        lines += page.row("•", view.words(item, report.as_of), column=2)
    return lines


def _step(
    report: Report, view: View, page: Page, step: Step, name: str, *, stop: bool, column: int = 3
) -> list[Text]:
    """A step under its number, or under its name where it has one (then the title need not repeat it)."""
    left, note = 1 + column, step.note
    stop = stop or is_stop(note)
    if is_stop(note):
        note = ""
    if name and step.title.casefold() == name.casefold():
        lines = page.row(name, view.words(note, report.as_of), column=column)
    else:
        lines = page.row(name, view.words(step.title, report.as_of), column=column, style="bold")
        lines += page.row("", view.words(note, report.as_of), column=column) if note else []
    for command in commands(step, view, report, page.width - left):
        lines += page.verbatim(command, indent=left, style="cyan")
    if remark(step, view):
        lines += page.row("", remark(step, view), indent=left, column=0, style="dim")
    if step.expect:
        told = view.words(", ".join(step.expect), report.as_of)
        if stop and not told.endswith(say("else stop")):
            told = say("{expected}; else stop", expected=told.rstrip("."))
        lines += page.row(say("expect"), told, indent=left, column=8, label_style="yellow")
    for item in step.provenance:
        words = view.words(item.text, report.as_of)
        lines += page.row("", words, item.evidence, indent=left, column=0, style="dim")
    return lines


def is_stop(note: str) -> bool:
    """Whether a step's note only says to stop when something else is seen."""
    return note.strip(" .").casefold() == say("else stop")
