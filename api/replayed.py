"""A recording answers only the questions of its own run. Tells which run that was when another is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graph.words import say
from tools.errors import BadInput, BadRecording, CannotInvestigate, NoCredentials, NotRecorded, OpsleuthError

if TYPE_CHECKING:
    from graph import Context, Report, Trigger

_SCHEME = "recording:"
_MOST = 3
"""So many unanswered reads may be a newer opsleuth; with a cause found they do no harm either way."""


class OtherRun(CannotInvestigate):
    """The recording is of another run than the one that was asked for."""


def other_run(error: OpsleuthError, trigger: Trigger | None, context: Context) -> OpsleuthError:
    """`error`, or in its place what to do when it only means that the recording is of another run."""
    settled = isinstance(error, BadInput | BadRecording | NoCredentials | OtherRun)
    if settled or not context.source.startswith(_SCHEME):
        return error
    if not isinstance(error, NotRecorded | CannotInvestigate):
        return error
    told = _own_run(trigger, context)
    if not told:
        return error
    return OtherRun(told if isinstance(error, NotRecorded) else f"{error} {told}")


def check_own(report: Report, context: Context) -> None:
    """Raise OtherRun when the report is built on nothing, for the recording held no answers to it."""
    if not context.source.startswith(_SCHEME) or report.verdict != "not_found":
        return
    # Gaps of a recorded simulated account have the same code, but nothing to record again.
    lost = sum(gap.code == "NotRecorded" and "opsleuth record" in gap.lift for gap in report.gaps)
    told = _own_run(report.trigger, context) if lost >= _MOST else ""
    if told:
        raise OtherRun(told)


def _own_run(trigger: Trigger | None, context: Context) -> str:
    """A sentence for who asked a recording something else; "" for who asked what it was made for."""
    path = Path(context.source.removeprefix(_SCHEME))
    alarms, region = _made_for(path)
    if trigger is not None and trigger.alarm in alarms and context.region in ("", region):
        return ""
    if len(alarms) == 1:
        (alarm,) = alarms
        return say(
            "This recording was made for alarm {alarm} in {region}; it answers only the questions of that run. "
            "Replay it with --alarm {alarm}, without --region.",
            alarm=alarm, region=region,
        )  # fmt: skip
    return say(
        "A recording answers only the questions of its own run. Replay it with the --alarm, --resource or "
        "--text that it was recorded with, without --region."
    )


def _made_for(path: Path) -> tuple[frozenset[str], str]:
    """The alarms that the recorded run asked for by name, and its region."""
    from tools.cassette import read

    cassette = read(path)
    names: set[str] = set()
    for item in cassette.interactions:
        if (item.service, item.operation) == ("cloudwatch", "DescribeAlarms") and isinstance(
            item.parameters, dict
        ):
            asked = item.parameters.get("AlarmNames")
            names |= {str(name) for name in asked} if isinstance(asked, list) else set()
    return frozenset(names), str(cassette.header.get("region", ""))
