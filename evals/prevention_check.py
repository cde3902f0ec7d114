"""Ready artefacts of a report, tried again on all that a world knows, not only on what the run saw.

Nothing of the graph's back-test is used: policies are judged by the world's own rules over every record, event patterns
are compared here, alarms run on the world's clockwork over its own metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from graph.models import Prevention, Report
from tools.cloudtrail_fields import operation_of
from tools.iam_names import action_of
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.alarms import AlarmClock
    from evals.world.trail import Record
    from evals.world.world import World

DAYS = 14
_SAME = timedelta(minutes=10)
"""How far apart the changed alarm and the present one may ring: their evaluation differs in missing data."""
_CLIENTS = {"monitoring": "cloudwatch"}
_SESSION = re.compile(r"^arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreventionCheck:
    """Counts over the ready artefacts of one report; `problems` says what each count above 0 is about."""

    ready: int = 0
    drafts: int = 0
    blocked: int = 0  # legitimate changes that a ready policy would have stopped
    false_alarms: int = 0  # times that a ready alarm would have fired in the days before
    missed: int = 0  # ready artefacts that neither stop the incident nor tell of it earlier
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not (self.blocked or self.false_alarms or self.missed)


def check(report: Report, world: World, bad: str = "", also: Sequence[str] = ()) -> PreventionCheck:
    """Try the ready artefacts of `report` again. `bad`: id of the harmful event; the one that is blamed when empty.

    `also`: ids of further harmful events. A measure is to stop or to tell of one of them all.
    """
    cause = report.root_cause
    event = bad or (cause.event.id if cause and cause.event else "")
    harmful = (event, *also)
    ready = [one for one in report.prevention if one.ready]
    blocked: list[str] = []
    missed: list[str] = []
    false: list[str] = []
    for measure in ready:
        if measure.artefact_name == "alarm.json":
            early, rung = _alarm(measure, report, world, event)
            false += [f"{measure.title}: fires at {at.isoformat()}" for at in rung]
            missed += [] if early else [f"{measure.title}: fires no earlier"]
        elif measure.artefact_name == "rule.json":
            known = [found for one in harmful if (found := world.trail.by_id.get(one)) is not None]
            if not any(_matches(_object(measure)["EventPattern"], _delivered(one)) for one in known):
                missed.append(f"{measure.title}: does not match the change")
        elif measure.kind != "practice":
            stopped = set(_denied(_object(measure), world))
            blocked += [f"{measure.title}: stops {one}" for one in sorted(stopped - set(harmful))]
            missed += [] if stopped & set(harmful) else [f"{measure.title}: lets the change through"]
    return PreventionCheck(
        ready=len(ready),
        drafts=sum(bool(one.draft) for one in report.prevention),
        blocked=len(blocked),
        false_alarms=len(false),
        missed=len(missed),
        problems=tuple(blocked + missed + false),
    )


def _object(measure: Prevention) -> Json:
    assert isinstance(measure.artefact, dict)
    return measure.artefact


# -- policies --------------------------------------------------------------------------------------


def _denied(policy: Json, world: World) -> Iterator[str]:
    """Ids of all changes of the world, refused ones left out, that the policy denies."""
    from evals.world.policies import judge, statements

    held = statements(policy)
    for made in world.trail.records:
        if made.read_only or made.body.get("errorCode"):
            continue
        who = _principal(made)
        if not who:
            continue
        body = made.body
        prefix = str(body["eventSource"]).split(".")[0]
        action = action_of(_CLIENTS.get(prefix, prefix), operation_of(str(body["eventName"])))
        context = {
            "aws:principalarn": [who],
            "aws:principalaccount": [str(body["recipientAccountId"])],
            "aws:requestedregion": [str(body["awsRegion"])],
        }
        if names := _record_names(body):
            context["route53:changeresourcerecordsetsnormalizedrecordnames"] = names
        touched = {made.arn, *(arn for _, arn in made.resources)} - {""} or {""}
        if any(judge([held], action, arn, context).decision == "explicitDeny" for arn in touched):
            yield made.id


def _record_names(body: Json) -> list[str]:
    """The names of DNS records that a request changes, as policies see them."""
    batch = (body.get("requestParameters") or {}).get("changeBatch") or {}
    return [one["resourceRecordSet"]["name"].lower().removesuffix(".") for one in batch.get("changes", [])]


def _principal(made: Record) -> str:
    """Who made a change, as aws:PrincipalArn; "" where policies of the account do not bind."""
    identity = made.body["userIdentity"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    arn = str(issuer.get("arn") or identity.get("arn") or "")
    match = _SESSION.match(arn)
    if match:
        arn = f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"
    if identity.get("type") == "AWSService" or "/aws-service-role/" in arn:
        return ""
    return arn if f":{made.body['recipientAccountId']}:" in arn else ""


# -- event patterns --------------------------------------------------------------------------------


def _delivered(made: Record) -> Json:
    kind = {"AwsApiCall": "AWS API Call", "AwsServiceEvent": "AWS Service Event"}
    body = made.body
    return {
        "source": f"aws.{str(body['eventSource']).split('.')[0]}",
        "detail-type": f"{kind.get(str(body['eventType']), '')} via CloudTrail",
        "account": body["recipientAccountId"],
        "region": body["awsRegion"],
        "detail": body,
    }


def _matches(pattern: Json, event: Any) -> bool:
    """Patterns of exact values only, which are all that opsleuth offers."""
    if not isinstance(event, dict):
        return False
    return all(
        _matches(wanted, event.get(key)) if isinstance(wanted, dict) else event.get(key) in wanted
        for key, wanted in pattern.items()
    )


# -- alarms ----------------------------------------------------------------------------------------


def _alarm(measure: Prevention, report: Report, world: World, event: str) -> tuple[bool, list[datetime]]:
    """Whether a new alarm rings in the incident before the one that was there, and when it rang in the days before."""
    artefact, own = _object(measure), report.incident.alarm
    present = world.alarms.get(own.name) if own is not None else None
    if present is not None and artefact["AlarmName"] == present.name:
        return _clears(artefact, report, world, present), []
    clock = _clock(artefact, world, present, world.start - timedelta(days=DAYS))
    rung = [state.time for state in clock.states(report.as_of) if state.value == "ALARM"]
    begin = _begin(report, world, event)
    ours = next((at for at in rung if at >= begin), None)
    yours = None
    if present is not None:
        states = present.states(report.as_of)
        yours = next((one.time for one in states if one.value == "ALARM" and one.time >= begin), None)
    early = ours is not None and (yours is None or ours < yours)
    return early, [at for at in rung if at < begin]


def _clears(artefact: Json, report: Report, world: World, present: AlarmClock) -> bool:
    """Whether the changed alarm rings when the present one last did, and is OK again at the look."""
    red = [state.time for state in present.states(report.as_of) if state.value == "ALARM"]
    if not red:
        return False
    clock = _clock(artefact, world, present, red[-1] - timedelta(days=1))
    rung = [state.time for state in clock.states(report.as_of) if state.value == "ALARM"]
    return any(abs(at - red[-1]) <= _SAME for at in rung) and clock.state(report.as_of).value == "OK"


def _begin(report: Report, world: World, event: str) -> datetime:
    known, cause = world.trail.by_id.get(event), report.root_cause
    if known is not None:
        return known.time
    if cause is not None and cause.earliest is not None:
        return cause.earliest
    return world.ledger.onset or report.as_of


def _clock(artefact: Json, world: World, present: AlarmClock | None, begin: datetime) -> AlarmClock:
    """The alarm that PutMetricAlarm would have made of `artefact` at `begin`."""
    from evals.world.alarms import AlarmClock
    from evals.world.steps import Settings

    settings = Settings()
    held = {"DatapointsToAlarm": artefact["EvaluationPeriods"], "TreatMissingData": "missing", **artefact}
    for name in (
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
    ):
        settings.set(name, begin, held[name])
    queries = tuple(artefact.get("Metrics") or ())
    dimensions = tuple(sorted((one["Name"], one["Value"]) for one in artefact.get("Dimensions") or []))
    namespace, metric = str(artefact.get("Namespace", "")), str(artefact.get("MetricName", ""))
    period = next((int(one["MetricStat"]["Period"]) for one in queries if "MetricStat" in one), 0)
    return AlarmClock(
        name=str(artefact["AlarmName"]),
        arn=world.arn("cloudwatch", f"alarm:{artefact['AlarmName']}"),
        region=world.region,
        namespace=namespace,
        metric=metric,
        dimensions=dimensions,
        stat=str(artefact.get("Statistic") or artefact.get("ExtendedStatistic") or ""),
        period=int(artefact.get("Period") or period),
        settings=settings,
        created=begin,
        initial="OK",
        initial_since=begin,
        begin=begin,
        source=world.telemetry.find(namespace, metric, dimensions) if metric else None,
        lag=present.lag if present is not None else 15,
        queries=queries,
        telemetry=world.telemetry,
    )
