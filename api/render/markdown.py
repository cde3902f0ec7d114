"""A report as Markdown, whole: for a ticket, a chat or a post-mortem."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from api.render.layout import FIRM, clean
from api.render.plan import is_stop, remark, silencing
from api.render.text import gap_words, measure_words
from api.render.view import (
    View,
    causes,
    chain_words,
    commands,
    confidence,
    headline,
    label,
    other_account,
    percent,
    ranked,
    says_next_look,
    standing,
)
from graph.models import Hypothesis, Report, Step
from graph.words import say, stamp
from tools.models import Statement

_SPECIAL = re.compile(r"([\\`*\[\]<>|#])|(?<![A-Za-z0-9])(_)|(_)(?![A-Za-z0-9])")


def escape(text: str) -> str:
    """Text from outside as plain words: no markup, link, image or HTML comes of it."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(), clean(text).replace("\n", " "))


def markdown(report: Report, view: View) -> str:
    """The whole report with its artefacts and the evidence that it cites; `--format json` holds all that was read."""
    blocks = [
        *_head(report, view),
        *_plan(report, view),
        *_sure(report, view),
        *_unseen(report, view),
        *_never_again(report, view),
        *_unverified(report, view),
        *_timeline(report, view),
    ]
    blocks += [*_evidence(report, "\n".join(blocks)), *_cost(report)]
    return ("\n\n".join(blocks) + "\n").replace(FIRM, " ")


def _head(report: Report, view: View) -> list[str]:
    word, _ = label(report)
    sure = confidence(report)
    title = f"# {word}" + (f" {percent(sure)}" if sure is not None else "")
    title += f": {_words(report, view, headline(report))}" if headline(report) else ""
    where = [
        say("account {account}", account=report.incident.account),
        report.incident.region,
        view.moment(report.as_of),
        say("revision {number}", number=report.revision),
        say("report {id}", id=view.short),
    ]
    symptom = {"no_incident": say("Service"), "recovered": say("Was")}.get(report.verdict, say("Broken"))
    items = [(symptom, report.broken), *(("", item) for item in report.impact.statements)]
    items += [(say("Why"), report.why), *((say("Also"), item) for item in report.contributing)]
    if report.decider is not None:
        items.append((say("Decides"), report.decider))
    if report.impact.data_loss is not None:
        items.append((say("Data"), report.impact.data_loss))
    lines = [_bullet(report, view, item, name) for name, item in items if item.text]
    if report.mitigation is not None and report.mitigation.ask:
        lines.append(f"- **{say('Call')}**: {_words(report, view, report.mitigation.ask)}")
    if report.next_look is not None and not says_next_look(report):
        lines.append("- " + say("Next look at {time}.", time=view.time(report.next_look, report.as_of)))
    return [title, escape(" · ".join(where)), "\n".join(lines)]


def _plan(report: Report, view: View) -> list[str]:
    todo = report.mitigation
    if todo is None:
        return []
    blocks = [f"## {say('Do this')}", say("You run it; opsleuth never does.")]
    if todo.summary:
        blocks.append(_words(report, view, todo.summary))
    if todo.advice:
        blocks.append("\n".join(f"- {_words(report, view, item)}" for item in todo.advice))
    number = 0
    for steps in (todo.prepare, todo.pre_validate, todo.apply, todo.post_validate):
        for step in steps:
            number += 1
            blocks += _step(report, view, step, f"{number}.")
    for name, steps in (
        (say("Way back"), todo.rollback),
        (say("Stays red"), silencing(todo)),
        (say("Then"), todo.afterwards),
    ):
        for step in steps:
            blocks += _step(report, view, step, name)
    if report.incident.stays_red and not todo.stays_red:
        blocks.append(f"**{say('Stays red')}** {_words(report, view, report.incident.stays_red)}")
    if todo.mind:
        blocks.append("\n".join(_bullet(report, view, item, say("Mind")) for item in todo.mind))
    return blocks


def _step(report: Report, view: View, step: Step, prefix: str) -> list[str]:
    title = "" if step.title.casefold() == prefix.casefold() else f" {_words(report, view, step.title)}"
    blocks = [f"**{prefix}{title}**"]
    stops = is_stop(step.note)
    if step.note and not stops:
        blocks.append(_words(report, view, step.note))
    blocks += [_fence(command, "sh") for command in commands(step, view, report)]
    blocks += [remark(step, view)] if remark(step, view) else []
    expected = ", ".join(step.expect) + ("; " + say("else stop") if stops else "")
    notes = [f"- {say('expect')}: {_words(report, view, expected)}"] if step.expect else []
    notes += [_bullet(report, view, item) for item in step.provenance]
    return [*blocks, "\n".join(notes)] if notes else blocks


def _sure(report: Report, view: View) -> list[str]:
    blocks = [f"## {say('How sure')}"]
    listed = [*standing(report), *ranked(report)[1]]
    told = {test.statement.text for item in listed for test in item.tests if test.weight}
    if seen := [item for item in report.findings if item.text not in told]:
        blocks.append("\n".join(_bullet(report, view, item, say("seen")) for item in seen))
    for item in listed:
        share = say("ruled out") if item.status == "ruled_out" else percent(item.probability)
        lines = [f"**{escape(share)}** {_words(report, view, item.title)}", "", *_tests(report, view, item)]
        blocks.append("\n".join(lines).rstrip())
    if way := chain_words(report):
        blocks.append(f"{say('Chain')}: {escape(way)}")
    for event in (one.event for one in causes(report) if one.event is not None):
        where = " · ".join((event.region, *other_account(report, event)))
        blocks.append(f"{say('Event')}: `{event.id}` {escape(event.operation)} {stamp(event.time)} {where}")
    return blocks if len(blocks) > 1 else []


def _tests(report: Report, view: View, item: Hypothesis) -> list[str]:
    by_weight = sorted((test for test in item.tests if test.weight), key=lambda test: -test.weight)
    return [
        _bullet(report, view, test.statement, say("for") if test.weight > 0 else say("against"))
        for test in by_weight
    ]


def _unseen(report: Report, view: View) -> list[str]:
    if not report.gaps:
        return []
    blocks = [f"## {say('Could not see')}"]
    for gap in report.gaps:
        blocks.append("- " + escape(gap_words(gap, report, view)))
        if gap.statement is not None:
            blocks.append(_fence(json.dumps(gap.statement, indent=2, ensure_ascii=False), "json"))
    return blocks


def _never_again(report: Report, view: View) -> list[str]:
    blocks = [f"## {say('Never again')}"]
    for number, item in enumerate(report.prevention):
        name = view.files[number] if number < len(view.files) else item.artefact_name
        blocks.append(f"**{item.kind}: {_words(report, view, item.title)}**")
        told = measure_words(item)
        blocks += [_words(report, view, told)] if told else []
        whole = isinstance(item.artefact, str)
        body = str(item.artefact) if whole else json.dumps(item.artefact, indent=2, ensure_ascii=False)
        if body.strip():
            blocks.append(f"`{name}`\n\n{_fence(view.own(body), '' if whole else 'json')}")
    return blocks


def _unverified(report: Report, view: View) -> list[str]:
    if not report.unverified:
        return []
    lines = [_bullet(report, view, item) for item in report.unverified]
    return [f"## {say('Not verified')}", say("No evidence bears these sentences out."), "\n".join(lines)]


def _timeline(report: Report, view: View) -> list[str]:
    if not report.timeline:
        return []
    lines = [
        f"- {escape(item.node)}: {_words(report, view, item.text)}{_cites(item.evidence)}"
        for item in report.timeline
    ]
    return [f"## {say('Timeline')}", "\n".join(lines)]


def _evidence(report: Report, told: str) -> list[str]:
    """The evidence whose ids stand in `told`, and how much more was read."""
    if not report.evidence:
        return []
    cited = set(re.findall(r"[A-Z]\d+", told))
    lines = []
    for shown in report.evidence:
        item = shown.evidence
        if item.id not in cited:
            continue
        link = f" [{say('console')}]({shown.link})" if shown.link.startswith("https://") else ""
        asked = escape(json.dumps(item.parameters, ensure_ascii=False, sort_keys=True))
        lines.append(
            f"- **{item.id}** {item.service}:{item.operation} {item.region} {stamp(item.time)} {asked}{link}"
        )
    more = len(report.evidence) - len(lines)
    words = "{count} more reads are cited nowhere above; `--format json` lists them."
    one = "1 more read is cited nowhere above; `--format json` lists it."
    rest = [say(one if more == 1 else words, count=more)] if more else []
    return [f"## {say('Evidence')}", *(["\n".join(lines)] if lines else []), *rest]


def _cost(report: Report) -> list[str]:
    spent = report.statistics
    told = say(
        "{calls} AWS calls, {seconds} s, model {model} ({tokens} tokens, ${money}), AWS ${aws}.",
        calls=sum(spent.calls.values()),
        seconds=round(spent.seconds),
        model=spent.model,
        tokens=spent.tokens,
        money=f"{spent.model_usd:.2f}",
        aws=f"{spent.aws_usd:.2f}",
    )
    return [f"## {say('Cost')}", told]


def _words(report: Report, view: View, text: str) -> str:
    return escape(view.words(text, report.as_of))


def _bullet(report: Report, view: View, item: Statement, name: str = "") -> str:
    lead = f"**{name}**: " if name else ""
    return f"- {lead}{_words(report, view, item.text)}{_cites(item.evidence)}"


def _cites(ids: Iterable[str]) -> str:
    told = " ".join(dict.fromkeys(ids))
    return f" ({told})" if told else ""


def _fence(body: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}{language}\n{clean(body)}\n{mark}"
