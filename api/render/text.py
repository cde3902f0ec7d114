"""A report on a terminal: what is broken, why, what to do, how sure. Colour is an extra."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

from api.render.layout import FIRM, Page, clean
from api.render.plan import plan
from api.render.view import (
    View,
    causes,
    chain_words,
    confidence,
    headline,
    label,
    other_account,
    percent,
    ranked,
    resource_name,
    says_next_look,
    standing,
)
from graph.models import Hypothesis, Prevention, Report, TestResult
from graph.words import say, stamp
from tools.models import Gap, Statement

WIDEST = 124
NARROWEST = 60
_FEW = 3  # tests shown for a hypothesis that does not lead
_MANY = 7


def text(report: Report, view: View, width: int) -> list[Text]:
    """The lines of a report, at most `width` cells wide but for commands, policies and ARNs, never cut."""
    page = Page(width=max(NARROWEST, min(width, WIDEST)))
    sections: tuple[Callable[[Report, View, Page], list[Text]], ...] = (
        _head,
        plan,
        _sure,
        _unseen,
        _never_again,
        _unverified,
        _foot,
    )
    lines: list[Text] = []
    for section in sections:
        made = section(report, view, page)
        if made and lines:
            lines.append(Text())
        lines += made
    return lines


def _head(report: Report, view: View, page: Page) -> list[Text]:
    word, style = label(report)
    sure = confidence(report)
    title = Text(word, style=style)
    if sure is not None:
        title.append(f"  {percent(sure)}", style=style)
    title.append("   ")
    place = say("account {account}", account=report.incident.account)
    place += f" · {report.incident.region} · {view.moment(report.as_of)}"
    if report.revision > 1:
        place += " · " + say("revision {number}", number=report.revision)
    if len(title.plain) + len(place) <= page.width:
        lines = [title.append(place.replace(FIRM, " "))]
    else:
        lines = [title, *page.plain(place)]
    told = headline(report)
    lines += page.plain(view.words(told, report.as_of), style="bold") if told else []
    symptom = {"no_incident": say("SERVICE"), "recovered": say("WAS")}.get(report.verdict, say("BROKEN"))
    lines += _statement(report, view, page, symptom, report.broken)
    for item in report.impact.statements:
        lines += _statement(report, view, page, "", item)
    lines += _statement(report, view, page, say("WHY"), report.why)
    if report.decider is not None:
        lines += _statement(report, view, page, say("DECIDES"), report.decider)
    for number, item in enumerate(report.contributing):
        lines += _statement(report, view, page, say("ALSO") if number == 0 else "", item)
    if report.impact.data_loss is not None:
        lines += _statement(report, view, page, say("DATA"), report.impact.data_loss)
    if report.mitigation is not None and report.mitigation.ask:
        lines += page.row(say("CALL"), view.words(report.mitigation.ask, report.as_of))
    if report.next_look is not None and not says_next_look(report):
        lines += page.row(
            say("NEXT"), say("Next look at {time}.", time=view.time(report.next_look, report.as_of))
        )
    return lines


def _statement(
    report: Report, view: View, page: Page, name: str, item: Statement, column: int = 9
) -> list[Text]:
    if not item.text:
        return []
    return page.row(name, view.words(item.text, report.as_of), item.evidence, column=column)


def _sure(report: Report, view: View, page: Page) -> list[Text]:
    ruled_out = ranked(report)[1]
    lines: list[Text] = []
    for item in report.findings if report.root_cause is None else ():
        lines += _statement(report, view, page, say("Seen") if not lines else "", item, column=11)
    for number, hypothesis in enumerate(standing(report)):
        lines += _hypothesis(
            report, view, page, hypothesis, leads=number == 0 or hypothesis.status == "leading"
        )
    for number, hypothesis in enumerate(ruled_out):
        lines += _ruled_out(report, view, page, hypothesis, say("Ruled out") if number == 0 else "")
    lines += _chain(report, page)
    for number, event in enumerate(one.event for one in causes(report) if one.event is not None):
        where = [event.region, *other_account(report, event)]
        line = f" {FIRM}".join((event.id, event.operation, stamp(event.time), *where))
        lines += page.row(say("Event") if number == 0 else "", clean(line), column=11)
    return [Text(say("HOW SURE"), style="bold"), *lines] if lines else []


def _hypothesis(report: Report, view: View, page: Page, item: Hypothesis, *, leads: bool) -> list[Text]:
    lines = page.row(
        percent(item.probability).rjust(4),
        view.words(item.title, report.as_of),
        column=6,
        style="bold" if leads else "",
    )
    most = _MANY if leads else _FEW
    speaking = sorted(
        (test for test in item.tests if abs(test.weight) >= 0.05), key=lambda test: -abs(test.weight)
    )
    for sign, tests in (
        ("+", [test for test in speaking if test.weight > 0]),
        ("−", [test for test in speaking if test.weight < 0]),
    ):
        for test in tests[:most]:
            lines += _test(report, view, page, sign, test)
        if len(tests) > most:
            lines += page.row(
                "",
                say("{sign} {count} more (--format md shows all)", sign=sign, count=len(tests) - most),
                column=6,
                style="dim",
            )
    if leads and report.root_cause is not None and speaking and all(test.weight > 0 for test in speaking):
        lines += page.row("", say("− nothing speaks against it"), column=6)
    return lines


def _test(report: Report, view: View, page: Page, sign: str, test: TestResult) -> list[Text]:
    told = view.words(test.statement.text, report.as_of)
    return page.row(
        sign, told, test.statement.evidence, indent=7, column=2, label_style="green" if sign == "+" else "red"
    )


def _ruled_out(report: Report, view: View, page: Page, item: Hypothesis, name: str) -> list[Text]:
    against = min(item.tests, key=lambda test: test.weight, default=None)
    told = view.words(item.title, report.as_of)
    if against is None or against.weight >= 0:
        return page.row(name, told, column=11)
    reason = view.words(against.statement.text, report.as_of)
    told = say("{claim} — no: {reason}", claim=told, reason=reason)
    return page.row(name, told, against.statement.evidence, column=11)


def _chain(report: Report, page: Page) -> list[Text]:
    told = chain_words(report)
    if not told:
        return []
    lines = page.row(say("Chain"), told, column=11)
    touched = [resource_name(report, arn) for arn in report.topology.touched]
    at_risk = [resource_name(report, arn) for arn in report.topology.at_risk]
    if touched:
        lines += page.row(say("Touched"), _some(touched), column=11)
    if at_risk:
        lines += page.row(say("At risk"), say("{names} (no sign yet)", names=_some(at_risk)), column=11)
    return lines


def _some(names: list[str], most: int = 8) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (say(" and {count} more", count=more) if more > 0 else "")


def _unseen(report: Report, view: View, page: Page) -> list[Text]:
    if not report.gaps:
        return []
    lines = [Text(say("COULD NOT SEE"), style="bold")]
    for gap in report.gaps:
        lines += page.row("", gap_words(gap, report, view), indent=1, column=0)
        if gap.statement is not None:
            lines += page.verbatim(_json(gap.statement), indent=3, style="cyan")
    return lines


def gap_words(gap: Gap, report: Report, view: View) -> str:
    """What was not seen, why, what it would have shown and how to lift it, as sentences."""
    parts = [f"{gap.what}: {gap.why}" if gap.why else gap.what]
    if gap.would_show:
        parts.append(say("Would show {what}", what=lower_first(gap.would_show)))
    if gap.lift:
        parts.append(gap.lift)
    return view.words(" ".join(sentence(part) for part in parts), report.as_of)


def sentence(part: str) -> str:
    """`part` with a capital, unless it begins with a name, and a full stop."""
    part = part.strip()
    first = part.split(" ", 1)[0]
    if first.isalpha() and first.islower():
        part = part[0].upper() + part[1:]
    return part if part.endswith((".", "!", "?", "。")) else part + "."


def lower_first(part: str) -> str:
    """`part` to go on within a sentence; names such as X-Ray or CloudTrail keep their capital."""
    first = part.split(" ", 1)[0]
    return part[0].lower() + part[1:] if first.isalpha() and first[1:].islower() else part


def measure_words(item: Prevention) -> str:
    """Why a measure is offered, what its back-test said, and what keeps it from being ready."""
    draft = say("Draft: {reason}", reason=item.draft) if item.draft else ""
    return " ".join(sentence(part) for part in (item.why, item.back_test, draft) if part)


def _never_again(report: Report, view: View, page: Page) -> list[Text]:
    lines = [Text(say("NEVER AGAIN"), style="bold")]
    kinds = {
        "block": say("Block"),
        "notice": say("Notice"),
        "slow": say("Slow"),
        "design": say("Design"),
        "practice": say("Practice"),
    }
    for number, item in enumerate(report.prevention):
        lines += page.row(kinds[item.kind], view.words(item.title, report.as_of))
        told = measure_words(item)
        if told:
            lines += page.row("", view.words(told, report.as_of), style="dim")
        name = view.files[number] if number < len(view.files) else clean(item.artefact_name)
        if name:
            lines += page.row("", f"{name} ▸", style="cyan")
    return lines


def _unverified(report: Report, view: View, page: Page) -> list[Text]:
    if not report.unverified:
        return []
    lines = [Text(say("NOT VERIFIED (not facts: no evidence bears these out)"), style="bold")]
    for item in report.unverified:
        lines += page.row("?", view.words(item.text, report.as_of), item.evidence, column=2)
    return lines


def _foot(report: Report, view: View, page: Page) -> list[Text]:
    if view.folder is None:
        told = say("[F1] and the like are evidence: --format md lists it.")
        return page.plain(told, style="dim") if report.evidence else []
    told = say("Report {id}, its evidence and the files ▸ lie in", id=view.short)
    lines = [*page.plain(told, style="dim"), *page.verbatim(str(view.folder), indent=1, style="dim")]
    if report.evidence:
        told = say("[F1] and the like are evidence: report.json there holds it, --format md lists it.")
        lines += page.plain(told, style="dim")
    return lines


def _json(statement: object) -> str:
    import json

    return json.dumps(statement, ensure_ascii=False)


def plain_text(report: Report, view: View, width: int = 100) -> str:
    """The report as plain text, for files and pipes."""
    return "\n".join(line.plain.rstrip() for line in text(report, view, width)) + "\n"
