"""Sentences with what they claim, so that code can compare every number with evidence or a ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from graph.models import MetricFinding
from graph.words import number, say, spoken
from tools.models import ChangeEvent, Claim, LogPattern, Statement, Value, Window


def statement(
    message: str, /, *, evidence: Iterable[str] = (), claims: Iterable[Claim] = (), **values: object
) -> Statement:
    """A sentence from the message seam with its evidence (each id once, in order) and claims."""
    return Statement(
        text=spoken(message, values), evidence=tuple(dict.fromkeys(evidence)), claims=tuple(claims)
    )


def shown(value: float) -> tuple[str, float, float]:
    """How a measured number is printed: text, the number that text says, and the relative rounding it allows."""
    text = number(value)
    printed = float(text.replace(",", ""))
    tolerance = abs(printed - value) / abs(value) if value else 0.0
    return text, printed, round(tolerance + 1e-9, 6)


def _field(finding: MetricFinding) -> str:
    metric = finding.metric
    return f"{metric.namespace}/{metric.name}/{metric.stat}"


def rate_claim(finding: MetricFinding, *, since: bool) -> Claim:
    """The level of a metric before or since the onset: per second for Sum metrics, else the mean datapoint."""
    value = (finding.after if since else finding.before) or 0.0
    window = finding.since if since else finding.baseline
    _, printed, tolerance = shown(value)
    return Claim(
        kind="metric",
        subject=finding.resource,
        field=_field(finding),
        value=printed,
        start=window.start,
        end=window.end,
        how="rate" if finding.metric.stat == "Sum" else "mean",
        dimensions=finding.metric.dimensions,
        tolerance=tolerance,
    )


def total_claim(finding: MetricFinding) -> Claim:
    """The sum of a count since the onset."""
    return Claim(
        kind="metric",
        subject=finding.resource,
        field=_field(finding),
        value=finding.total or 0.0,
        start=finding.since.start,
        end=finding.since.end,
        how="sum",
        dimensions=finding.metric.dimensions,
    )


def event_claims(event: ChangeEvent) -> tuple[Claim, ...]:
    """Who did what, when and from where."""
    said: dict[str, Value] = {
        "action": event.action,
        "time": event.time.isoformat(),
        "region": event.region,
        "actor": event.actor.name,
        "actor_kind": event.actor.kind,
        "how": event.actor.how,
    }
    if event.actor.source_ip:
        said["source_ip"] = event.actor.source_ip
    if event.actor.mfa is not None:
        said["mfa"] = event.actor.mfa
    if session := _session(event):
        said["session"] = session
    if event.error_code:
        said["error_code"] = event.error_code
    return tuple(Claim(kind="event", subject=event.id, field=key, value=value) for key, value in said.items())


def _session(event: ChangeEvent) -> str:
    """The name of a role's session, where it tells more than the role."""
    actor = event.actor
    return actor.session if actor.kind == "role" and actor.session != actor.name else ""


def changed_claim(event: ChangeEvent, resource: str) -> Claim:
    """That this event changed this resource."""
    return Claim(kind="event", subject=event.id, field="resource", value=resource)


def holds_claim(event: ChangeEvent, value: Value) -> Claim:
    """That this event's record holds this value."""
    return Claim(kind="event", subject=event.id, field="holds", value=value)


def setting_claim(resource: str, path: str, value: Value, at: datetime) -> Claim:
    return Claim(kind="setting", subject=resource, field=path, value=value, start=at)


def log_claim(pattern: LogPattern, window: Window) -> Claim:
    return Claim(
        kind="log",
        subject=pattern.log_group,
        field=pattern.reason or pattern.error_code or pattern.template,
        value=pattern.after,
        start=window.start,
        end=window.end,
        how="count",
    )


def who(event: ChangeEvent) -> str:
    """The actor of an event in a few words: `IAM user ops-07 (console, MFA, 203.0.113.24)`."""
    actor = event.actor
    kinds = {
        "iam_user": say("IAM user {name}", name=actor.name),
        "identity_center_user": say(
            "{name} (IAM Identity Center, role {role})", name=actor.name, role=actor.role
        ),
        "role": say("role {name}", name=actor.role or actor.name),
        "root": say("the account's root user"),
        "aws_service": say("AWS service {name}", name=actor.name),
        "service_linked_role": say("AWS service {name}", name=actor.name),
        "cloudformation": say("CloudFormation, called by {name}", name=actor.name),
        "iac": say("{tool}, run by {name}", tool=actor.how.capitalize(), name=actor.name),
        "ci": say("CI job {name}", name=actor.name),
        "other_account": say("account {name}", name=actor.account or actor.name),
        "federated_user": say("federated user {name}", name=actor.name),
    }
    words = kinds.get(actor.kind, say("somebody who cannot be told from the event"))
    if session := _session(event):
        words += say(", session {session}", session=session)
    means = {"console": say("console"), "cli": say("command line"), "sdk": say("program")}
    details = [means.get(actor.how, ""), say("MFA") if actor.mfa else "", actor.source_ip]
    if actor.mfa is False and actor.how == "console":
        details[1] = say("no MFA")
    listed = ", ".join(item for item in details if item)
    return f"{words} ({listed})" if listed else words
