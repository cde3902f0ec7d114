"""How a report is to be shown, and the small readings of a report that all renderers share."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from api.render.layout import FIRM, clean
from graph.models import REPORT_ID, ChangedBy, Hypothesis, Report, RootCause, Step
from graph.words import local_time, localise, say, stamp, zone
from tools.errors import BadInput

if TYPE_CHECKING:
    from api.shelf import Kept
    from tools.models import Call, Resource


_TIME = re.compile(r"(?:\d{1,2} [A-Z][a-z]{2} )?\d\d:\d\d(?::\d\d)? (?:UTC|\S+ \(\d\d:\d\d(?::\d\d)? UTC\))")
_CONTINUED = " \\\n    "
"""Between the arguments of a command as `tools.parameters.to_cli` writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who reads: zone, the profile that commands name, the report's short id, and the folder of its files."""

    tz: str = "UTC"
    profile: str = ""
    short: str = REPORT_ID
    program: str = "opsleuth"  # as this reader starts it
    replayed: bool = False  # of a recording: nothing is there to look at again
    folder: Path | None = None
    files: tuple[str, ...] = ()  # names of the preventions' artefacts, in order

    @staticmethod
    def of(kept: Kept, tz: str) -> View:
        from api.shelf import artefacts

        return View(
            tz=tz,
            profile=kept.context.profile,
            short=kept.short,
            program=started(),
            replayed=kept.context.source.startswith("recording:"),
            folder=kept.folder,
            files=tuple(artefacts(kept.report)),
        )

    def words(self, text: str, reference: datetime) -> str:
        """A sentence as this reader sees it: own id and zone, no control characters."""
        return _TIME.sub(_firm, clean(localise(self.own(text), self.tz, reference)))

    def own(self, text: str) -> str:
        return text.replace(REPORT_ID, self.short)

    def moment(self, moment: datetime) -> str:
        """Day and minute in the reader's zone, with UTC beside and its day where that is another."""
        local, utc = moment.astimezone(zone(self.tz)), moment.astimezone(UTC)
        if local.utcoffset() == utc.utcoffset():
            return f"{utc:%-d %b %H:%M} UTC".replace(" ", FIRM)
        day = "" if local.date() == utc.date() else f", {utc:%-d %b}"
        return f"{local:%-d %b %H:%M} {local.tzname()} ({utc:%H:%M} UTC{day})".replace(" ", FIRM)

    def time(self, moment: datetime, reference: datetime | None = None) -> str:
        """A time in the reader's zone with UTC beside, in one piece (see `FIRM`)."""
        return local_time(moment, zone(self.tz), reference).replace(" ", FIRM)


def started() -> str:
    """How this opsleuth is started again: its name where the shell finds it, else the path that was typed."""
    typed = sys.argv[0] if sys.argv else ""
    if Path(typed).name != "opsleuth" or typed == shutil.which("opsleuth"):
        return "opsleuth"
    return shlex.quote(typed)


def _firm(found: re.Match[str]) -> str:
    """A time in one piece: it is never broken over two lines."""
    return found.group().replace(" ", FIRM)


def label(report: Report) -> tuple[str, str]:
    """The verdict in one or two capitalised words, and its style."""
    if report.verdict == "root_cause":
        return {
            "proven": (say("PROVEN"), "bold green"),
            "likely": (say("LIKELY"), "bold yellow"),
        }.get(report.grade, (say("NOT PROVEN"), "bold yellow"))
    return {
        "not_found": (say("NOT PROVEN"), "bold yellow"),
        "not_yet": (say("NOT YET"), "bold yellow"),
        "no_incident": (say("NO INCIDENT"), "bold green"),
        "recovered": (say("RECOVERED"), "bold green"),
    }[report.verdict]


def headline(report: Report) -> str:
    """The report's headline where it says more than the verdict's own words."""
    word = label(report)[0].casefold()
    return "" if report.headline.casefold().rstrip(".") in ("", word) else report.headline


def standing(report: Report) -> list[Hypothesis]:
    """The hypotheses to show: while the verdict is provisional none, for changes are withheld and shares mislead."""
    return [] if report.verdict == "not_yet" else ranked(report)[0]


def says_next_look(report: Report) -> bool:
    """Whether the report's own words tell when the next look is."""
    return report.next_look is None or stamp(report.next_look) in report.why.text


def causes(report: Report) -> tuple[RootCause, ...]:
    """All that the report takes for true causes, in the order in which they happened."""
    return tuple(one for one in (report.root_cause, *report.also) if one is not None)


def confidence(report: Report) -> float | None:
    """The displayed certainty: the root cause's, the least of several; none where the verdict names no cause."""
    return (
        min(one.confidence for one in found)
        if report.verdict == "root_cause" and (found := causes(report))
        else None
    )


def percent(share: float) -> str:
    """A share of one, for people. Certainty is never claimed, and never denied."""
    if share < 0.005:
        return "<1 %"
    return f"{min(99, max(1, round(share * 100)))} %"


def ranked(report: Report) -> tuple[list[Hypothesis], list[Hypothesis]]:
    """The hypotheses that stand, most probable first, and those ruled out."""
    by_chance = sorted(report.hypotheses, key=lambda item: -item.probability)
    return (
        [item for item in by_chance if item.status != "ruled_out"],
        [item for item in by_chance if item.status == "ruled_out"],
    )


def resource_name(report: Report, arn: str) -> str:
    found = _resource(report, arn)
    return clean(found.name if found else re.split(r"[:/]", arn)[-1])


def chain(report: Report) -> list[tuple[str, str, str]]:
    """The way of the failing request as (arrow, resource name, ARN), caller first; the first arrow is empty.

    The report keeps the path from the cause to the symptom; requests run along relations.
    """
    path = list(dict.fromkeys(report.topology.path))  # a way that comes back is told up to there
    kinds = {(item.source, item.target): item.kind for item in report.topology.relations}
    forward = sum((a, b) in kinds for a, b in pairwise(path))
    backward = sum((b, a) in kinds for a, b in pairwise(path))
    if backward >= forward:
        path.reverse()
    made = [("", resource_name(report, arn), arn) for arn in path[:1]]
    for before, here in pairwise(path):
        if (before, here) in kinds:
            arrow = f"──{kinds[before, here]}──▶"
        elif (here, before) in kinds:
            arrow = f"◀──{kinds[here, before]}──"
        else:
            arrow = "─────"
        made.append((arrow, resource_name(report, here), here))
    return made


def mark(report: Report, arn: str) -> str:
    """What the chain says beside this resource: that it was changed, that it is the cause, or nothing."""
    here = [one for one in causes(report) if one.resource == arn]
    if not here:
        return ""
    if any(one.event is not None for one in here):
        return say("changed")
    return say("the cause") if len(causes(report)) == 1 else say("a cause")


def chain_words(report: Report) -> str:
    """The chain in one line, the cause marked; empty when there is no way to tell of."""
    links = chain(report)
    if len(links) < 2:
        return ""
    told = ""
    for number, (arrow, name, arn) in enumerate(links):
        told += f" {arrow}{FIRM}{name}" if arrow else name
        if beside := mark(report, arn):
            told += f" ◀──{FIRM}{beside}" if number == len(links) - 1 else f" ({beside})"
    return told


def other_account(report: Report, event: ChangedBy) -> tuple[str, ...]:
    """The account of an event, said only when it is not the report's."""
    same = event.account in ("", report.incident.account)
    return () if same else (say("account {account}", account=event.account),)


def command_of(step: Step, call: Call, view: View, report: Report) -> str:
    """One AWS call as a complete AWS CLI command with profile and region, continued with backslashes.

    A call that no command can carry becomes a shell comment that says so.
    """
    from tools.parameters import to_cli

    region = call.region or report.incident.region
    # A profile of the run's account must not reach what is another account's: the plan says what to put here.
    profile = f"account-{call.account}" if call.account else view.profile
    output = "text" if re.fullmatch(r"[\w.]+", step.query) else ""
    try:
        made = to_cli(call, profile=profile, region=region, query=step.query, output=output, multiline=True)
    except BadInput as error:
        return "# " + clean(str(error))
    made = view.own(made)
    if clean(made) != made:
        return "# " + say("A value holds control characters: take this step from --format json.")
    return made


def packed(command: str, width: int) -> str:
    """A continued command with as many arguments on a line as fit in `width`."""
    lines: list[str] = []
    for part in command.split(_CONTINUED):
        if lines and len(lines[-1]) + 1 + len(part) + 2 <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(f"  {part}" if lines else part)
    return " \\\n".join(lines)


def commands(step: Step, view: View, report: Report, width: int = 100) -> list[str]:
    """All commands of a step, ready to copy; opsleuth's own not where it cannot work."""
    command = re.sub("^opsleuth(?= )", lambda _: view.program, view.own(step.command))
    own = [clean(command)] if step.command and not looks_in_vain(step, view) else []
    return [packed(command_of(step, call, view, report), width) for call in step.calls] + own


def looks_in_vain(step: Step, view: View) -> bool:
    """Whether a step looks again with opsleuth at what is only a recording."""
    return view.replayed and step.command.startswith("opsleuth ")


def _resource(report: Report, arn: str) -> Resource | None:
    return next((item for item in report.topology.resources if item.arn == arn), None)
