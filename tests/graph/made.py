"""Hand-made facts: a small shop on several services, its metrics at rest, and changes as CloudTrail records them.

Relations come from the service files; every known metric of every resource is there and quiet until a test moves it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from graph.backtest import tried
from graph.facts import Facts, SettingStep
from graph.models import Incident, MetricFinding, Prevention, RootCause
from graph.prevent import proposals
from tools.catalogue import service_of, services, type_of
from tools.directory import KnownResources
from tools.log_lines import LogLine
from tools.models import (
    Actor,
    Alarm,
    ChangeEvent,
    Json,
    LogPattern,
    Metric,
    MetricStep,
    Onset,
    Relation,
    Resource,
    Window,
)
from tools.patterns import mine
from tools.services._spec import MetricSpec
from tools.topology import merge

ACCOUNT, REGION = "111122223333", "eu-central-1"
ONSET = datetime(2026, 4, 9, 10, 0, tzinfo=UTC)
AS_OF = ONSET + timedelta(minutes=40)
PERSON = Actor(
    kind="iam_user", name="ops-31", how="console", mfa=True, source_ip="203.0.113.24", account=ACCOUNT
)
PIPELINE = Actor(kind="role", name="deployer", how="sdk", role="deployer", session="run-7", account=ACCOUNT)


def arn(service: str, resource: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


TABLE = arn("dynamodb", "table/parcels")
WRITER = arn("lambda", "function:parcel-writer")
NOTIFIER = arn("lambda", "function:parcel-notifier")
MAPPING = arn("lambda", "event-source-mapping:5a1c0b52-3f6e-4a37-9c55-0b6f8f2f5a10")
ALIAS = f"{WRITER}:live"
QUEUE = arn("sqs", "parcel-events")
DEAD = arn("sqs", "parcel-events-dead")
API = arn("apigateway", "/restapis/p4r5c6e7l8", account="")
STAGE = f"{API}/stages/prod"
HTTP_API = arn("apigateway", "/apis/h7t6t5p4a3", account="")
HTTP_STAGE = f"{HTTP_API}/stages/prod"
ROLE = arn("iam", "role/parcel-writer-role", region="")
GROUP = arn("logs", "log-group:/aws/lambda/parcel-writer")
STRANGER = arn("lambda", "function:tax-report")
POLICY = arn("iam", "policy/parcels-write", region="")


def resource(where: str, name: str, config: Mapping[str, Any] | None = None, **tags: str) -> Resource:
    """A resource as its describe operation tells it; service and type follow from the ARN."""
    known = service_of(where)
    assert known is not None, where
    return Resource(
        arn=where,
        service=known.name,
        type=type_of(where),
        name=name,
        account=ACCOUNT,
        region="" if known.name == "iam" else REGION,
        config=dict(config or {}),
        tags=tags,
        evidence=(f"T{len(name)}",),
    )


def function(where: str, name: str, **config: Any) -> Resource:
    return resource(
        where,
        name,
        {
            "FunctionName": name,
            "FunctionArn": where,
            "Timeout": 30,
            "MemorySize": 512,
            "Handler": "app.handler",
            "Runtime": "python3.13",
            "Environment": {"Variables": {}, "Hidden": []},
            "ReservedConcurrentExecutions": None,
            **config,
        },
        team="parcels",
    )


def shop() -> tuple[Resource, ...]:
    """REST and HTTP API -> writer -> table and queue -> notifier; a dead-letter queue, and one that is apart."""
    dead = json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 5})
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{WRITER}/invocations"
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/parcel-events"
    return (
        resource(
            TABLE,
            "parcels",
            {
                "TableName": "parcels",
                "TableStatus": "ACTIVE",
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "OnDemandThroughput": {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 250},
                "ProvisionedThroughput": {"ReadCapacityUnits": 400, "WriteCapacityUnits": 200},
            },
            team="parcels",
        ),
        function(
            WRITER,
            "parcel-writer",
            Role=ROLE,
            Environment={"Variables": {"TABLE_NAME": "parcels", "QUEUE_URL": url}, "Hidden": ["API_KEY"]},
        ),
        function(NOTIFIER, "parcel-notifier"),
        resource(
            MAPPING,
            MAPPING.rsplit(":", 1)[1],
            {
                "EventSourceArn": QUEUE,
                "FunctionArn": NOTIFIER,
                "State": "Enabled",
                "Enabled": True,
                "BatchSize": 10,
            },
        ),
        resource(
            QUEUE,
            "parcel-events",
            {"QueueUrl": url, "VisibilityTimeout": "180", "RedrivePolicy": dead, "DelaySeconds": "0"},
        ),
        resource(DEAD, "parcel-events-dead", {"VisibilityTimeout": "30"}),
        resource(
            API,
            "parcels-rest",
            {
                "Id": "p4r5c6e7l8",
                "Methods": [{"path": "/parcels", "resourceId": "x1", "httpMethod": "POST", "uri": uri}],
                "Stages": [{"stageName": "prod", "methodSettings": {}}],
            },
        ),
        resource(HTTP_API, "parcels-http", {"Id": "h7t6t5p4a3", "Name": "parcels-http"}),
        resource(ROLE, "parcel-writer-role", {"RoleName": "parcel-writer-role", "Policies": []}),
        resource(GROUP, "/aws/lambda/parcel-writer"),
        function(STRANGER, "tax-report"),
    )


def changed(where: str, **config: Any) -> tuple[Resource, ...]:
    """The shop, one of its resources with another configuration: what is read after the change."""
    return tuple(
        replace(item, config={**item.config, **config}) if item.arn == where else item for item in shop()
    )


def related(resources: Iterable[Resource]) -> tuple[Relation, ...]:
    """Relations as the service files see them; the HTTP API's integration is added by hand."""
    known = KnownResources(resources)
    found = [one for item in known.of() for one in services()[item.service].relations(item, known)]
    if known.by_arn(HTTP_API) is not None:
        found.append(Relation(source=HTTP_API, target=WRITER, kind="invokes", provenance="GetIntegrations"))
    return merge(found)


# -- events ------------------------------------------------------------------------------------------


def event(
    source: str,
    operation: str,
    request: Json,
    *,
    minutes: float = -1.0,
    id: str = "",
    actor: Actor = PERSON,
    response: Json | None = None,
    error: str = "",
) -> ChangeEvent:
    """A change `minutes` after the onset (negative: before it). Its evidence id is F and its own id."""
    own = id or f"{operation}-{minutes:g}"
    return ChangeEvent(
        id=own,
        time=ONSET + timedelta(minutes=minutes),
        source=f"{source}.amazonaws.com",
        action=operation,
        operation=operation,
        region="us-east-1" if source == "iam" else REGION,
        account=ACCOUNT,
        actor=actor,
        request=request,
        response=response or {},
        error_code=error,
        error_message="not allowed" if error else "",
        evidence=(f"F-{own}",),
    )


# -- metrics and logs --------------------------------------------------------------------------------


def spec(item: Resource, name: str) -> MetricSpec:
    return next(one for one in services()[item.service].metrics if one.type == item.type and one.name == name)


def measured(
    item: Resource, what: MetricSpec, before: float | None, after: float | None, *, end: datetime = AS_OF
) -> MetricFinding:
    """One metric around the onset: per second for Sum metrics. It moved when the two differ by half."""
    known = services()[item.service]
    assert known.dimensions is not None
    low, high = before or 0.0, after or 0.0
    moved = abs(high - low) > 0.5 * max(low, 1e-9)
    since = Window(start=ONSET, end=end)
    metric = Metric(
        namespace=known.namespace_of(what),
        name=what.name,
        dimensions=known.dimensions(item),
        stat=what.stat,
        period=what.period,
    )
    return MetricFinding(
        resource=item.arn,
        metric=metric,
        role=what.role,
        bad=what.bad,
        unit=what.unit,
        moved=moved,
        direction=("up" if high > low else "down") if moved else "",
        baseline=Window(start=ONSET - timedelta(hours=1), end=ONSET),
        since=since,
        before=before,
        after=after,
        total=high * since.seconds if what.stat == "Sum" else None,
        evidence=(f"M-{item.name}-{what.name}-{what.stat}",),
    )


_REST: Mapping[str, float] = {
    "demand": 20.0, "work": 20.0, "latency": 120.0, "saturation": 3.0, "backlog": 2.0, "errors": 0.0, "throttles": 0.0,
}  # fmt: skip


def at_rest(resources: Iterable[Resource]) -> list[MetricFinding]:
    """Every metric that the service files read, quiet."""
    found = []
    for item in resources:
        known = services()[item.service]
        if known.dimensions is None or not known.dimensions(item):
            continue
        for what in known.metrics:
            has = what.where is None or what.where(item)
            if what.type == item.type and what.role != "setting" and has:
                found.append(measured(item, what, _REST[what.role], _REST[what.role]))
    return found


Moves = Mapping[tuple[str, str], tuple[float, float]]
"""(resource ARN, metric name) -> before, after."""


def metrics(resources: Iterable[Resource], moves: Moves) -> tuple[MetricFinding, ...]:
    """The metrics at rest but for those that `moves` names."""
    by_arn = {item.arn: item for item in resources}
    found = []
    for one in at_rest(by_arn.values()):
        key = (one.resource, one.metric.name)
        if key in moves:
            what = next(s for s in services()[by_arn[one.resource].service].metrics
                        if (s.name, s.stat) == (one.metric.name, one.metric.stat))  # fmt: skip
            one = measured(by_arn[one.resource], what, *moves[key])
        found.append(one)
    missing = set(moves) - {(one.resource, one.metric.name) for one in found}
    assert not missing, f"no such metric: {missing}"
    return tuple(found)


def pattern(
    text: str, *, after: int = 400, before: int = 0, group: str = "/aws/lambda/parcel-writer"
) -> LogPattern:
    """The pattern that log lines with this text make, counted as given."""
    (made,) = mine([LogLine(ONSET, text)], group, ONSET, ("L1",))
    return replace(made, before=before, after=after)


def step(
    where: str, path: str, metric: str, before: float, after: float, *, minutes: float = -5.0
) -> SettingStep:
    """A setting's own metric stepped in the five minutes from `minutes` after the onset."""
    start = ONSET + timedelta(minutes=minutes)
    own = Metric(namespace="AWS/DynamoDB", name=metric, dimensions=(), stat="Maximum", period=300)
    found = MetricStep(
        metric=own, before=before, after=after, earliest=start, latest=start + timedelta(minutes=5),
        evidence=("M-step",),
    )  # fmt: skip
    return SettingStep(resource=where, setting=path, step=found)


# -- the whole ---------------------------------------------------------------------------------------


def alarm(metric: Metric, name: str = "parcels-alarm", **changed: Any) -> Alarm:
    made = Alarm(
        arn=arn("cloudwatch", f"alarm:{name}"),
        name=name,
        account=ACCOUNT,
        region=REGION,
        metric=metric,
        comparison="GreaterThanThreshold",
        threshold=0.0,
        evaluation_periods=3,
        datapoints_to_alarm=2,
        treat_missing="missing",
        state="ALARM",
        state_since=ONSET + timedelta(minutes=3),
        state_reason="Threshold Crossed",
        updated=ONSET - timedelta(days=90),
        evidence=("I1",),
    )
    return replace(made, **changed)


def facts(
    symptom: tuple[str, str],
    moves: Moves,
    *,
    changes: Iterable[ChangeEvent] = (),
    resources: tuple[Resource, ...] | None = None,
    onset: Onset | None = None,
    **more: Any,
) -> Facts:
    """Facts of an incident whose symptom is (resource ARN, metric name); `moves` tells what moved."""
    here = shop() if resources is None else resources
    found = metrics(here, moves)
    shown = next(one for one in found if (one.resource, one.metric.name) == symptom)
    began = onset or Onset(earliest=ONSET, latest=ONSET + timedelta(minutes=1), confidence=0.95, shape="step")
    incident = Incident(
        account=ACCOUNT,
        region=REGION,
        alarm=alarm(shown.metric),
        resource=symptom[0],
        metric=shown.metric,
        role=shown.role,
        bad=shown.bad,
        onset=began,
    )
    ordered = sorted(changes, key=lambda item: (item.time, item.id))
    given: dict[str, Any] = {
        "lookback": 2,
        "complete_until": AS_OF - timedelta(minutes=15),
        "log_window": Window(start=ONSET, end=AS_OF),
        "relations": related(here),
        **more,
    }
    return Facts(
        incident=incident,
        as_of=AS_OF,
        resources=here,
        metrics=found,
        changes=tuple(one for one in ordered if not one.error_code),
        denied=tuple(one for one in ordered if one.error_code),
        **given,
    )


def preventions(facts: Facts, cause: RootCause | None) -> tuple[Prevention, ...]:
    """Measures for a cause, tried on the events at hand, without the history that alarms need besides."""
    return tried(facts, cause, proposals(facts, cause))
