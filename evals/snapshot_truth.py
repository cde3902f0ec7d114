"""The truth of a recorded case: a skeleton for a person to fill in, with what the report said as comments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

import yaml

from evals.folders import UNCONFIRMED
from graph.models import Mitigation, Report, RootCause, Verdict
from tools.models import Json

_HEAD = """\
# What a right report of this incident says. TO BE CONFIRMED by somebody who knows what happened.
#
# Lines that begin with "#? " are what the report said when this was recorded. That is a claim, not the truth:
# compare it with what you know, correct it, and remove the "#? " of what is so. Delete what nobody knows.
# Names, accounts and addresses are the replaced ones; the originals are beside this folder, on the machine that
# recorded it.
# Until the verdict is one of: {verdicts}
# the case counts as unconfirmed and is not scored.
verdict: {unconfirmed}
"""


def skeleton(report: Report) -> str:
    """The text of truth.yaml for a report that nobody has confirmed."""
    head = _HEAD.format(verdicts=", ".join(get_args(Verdict)), unconfirmed=UNCONFIRMED)
    said = yaml.safe_dump(_said(report), sort_keys=False, allow_unicode=True, width=110)
    headline = f"# The report's headline: {' '.join(report.headline.split())}"
    return "\n".join([head + headline, *(f"#? {line}" for line in said.splitlines()), ""])


def _said(report: Report) -> Json:
    """The report as a truth would put it."""
    cause = report.root_cause
    said: Json = {"verdict": str(report.verdict)}
    if cause is not None:
        said["cause"] = _cause(cause)
        if cause.actor is not None:
            actor = {"kind": cause.actor.kind, "name": cause.actor.name, "how": cause.actor.how}
            said["actor"] = actor | ({"source_ip": cause.actor.source_ip} if cause.actor.source_ip else {})
    if report.incident.onset is not None:
        said["onset"] = _middle(report.incident.onset.earliest, report.incident.onset.latest)
    gaps = list(dict.fromkeys(gap.code for gap in report.gaps if gap.code))
    if gaps:
        said["gaps"] = [{"code": code} for code in gaps]
    if report.mitigation is not None:
        said["plan"] = _plan(report.mitigation)
    said["prevention"] = list(dict.fromkeys(one.kind for one in report.prevention))
    return said


def _cause(cause: RootCause) -> Json:
    said: Json = {"kind": cause.kind, "resource": cause.resource}
    if cause.field:
        said["field"] = cause.field
    if cause.bad_value is not None:
        said["bad"] = cause.bad_value
    if cause.prior_known:
        said["prior"] = cause.prior_value
        said["sources"] = list(dict.fromkeys(source.kind for source in cause.prior_sources))
    if cause.event is not None:
        said["event"] = cause.event.id
    return said


def _plan(mitigation: Mitigation) -> Json:
    def calls(steps: Any) -> list[Json]:
        return [
            {"service": call.service, "operation": call.operation, "parameters": dict(call.parameters)}
            for step in steps
            for call in step.calls
        ]

    return {"apply": calls(mitigation.apply), "rollback": calls(mitigation.rollback)}


def _middle(earliest: datetime, latest: datetime) -> datetime:
    return (earliest + (latest - earliest) / 2).replace(microsecond=0)
