"""Kinds of incidents over the services: what shows, what moved with it, and the one change that did it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from graph.facts import Facts
from tests.graph import made
from tests.graph.made import (
    ACCOUNT,
    ALIAS,
    API,
    AS_OF,
    DEAD,
    GROUP,
    HTTP_API,
    HTTP_STAGE,
    MAPPING,
    NOTIFIER,
    ONSET,
    PIPELINE,
    POLICY,
    QUEUE,
    REGION,
    STAGE,
    TABLE,
    WRITER,
    Moves,
    changed,
    event,
    pattern,
    resource,
    shop,
)
from tools.models import (
    AlarmTransition,
    AlarmUpdate,
    ChangeEvent,
    LogPattern,
    Relation,
    Resource,
    Series,
    Window,
)

QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/parcel-events"
INTEGRATION = f"{API}/resources/x1/methods/POST/integration"
LONG_AGO = -60.0 * 24 * 9
_FAILING = {(WRITER, "Errors"): (0.0, 8.0), (API, "5XXError"): (0.0, 8.0)}
_STOPPED = {
    (WRITER, "Throttles"): (0.0, 20.0),
    (WRITER, "Invocations"): (20.0, 0.0),
    (WRITER, "ConcurrentExecutions"): (3.0, 0.0),
    (API, "5XXError"): (0.0, 20.0),
}
_UNREACHED = {(API, "5XXError"): (0.0, 20.0), (WRITER, "Invocations"): (20.0, 0.0)}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One incident. `change` is its cause; `earlier` tells the value before; `resources` are as read afterwards."""

    symptom: tuple[str, str]
    moves: Moves
    change: ChangeEvent
    earlier: tuple[ChangeEvent, ...] = ()
    resources: tuple[Resource, ...] = field(default_factory=shop)
    patterns: tuple[LogPattern, ...] = ()
    relations: tuple[Relation, ...] = ()

    def facts(
        self, *, cause: bool = True, decoys: tuple[ChangeEvent, ...] | None = None, **more: Any
    ) -> Facts:
        """The facts of it, with the three decoys unless others are given."""
        changes = [*self.earlier, *([self.change] if cause else []), *(DECOYS if decoys is None else decoys)]
        given = {
            "patterns": self.patterns,
            "relations": (*made.related(self.resources), *self.relations),
            "resources": self.resources,
            **more,
        }
        return made.facts(self.symptom, self.moves, changes=changes, **given)


def configured(id: str = "true", minutes: float = -1.0, **sent: Any) -> ChangeEvent:
    """UpdateFunctionConfiguration of the writer, with what it sends."""
    return event(
        "lambda",
        "UpdateFunctionConfiguration",
        {"functionName": "parcel-writer", **sent},
        id=id,
        minutes=minutes,
        response=dict(sent),
        actor=PIPELINE if id == "old" else made.PERSON,
    )


LATER = configured("later", minutes=6, memorySize=1024)
INERT = event(
    "lambda", "TagResource", {"resource": WRITER, "tags": {"team": "parcels"}}, minutes=-0.2, id="inert"
)
APART = event("lambda", "UpdateFunctionCode", {"functionName": "tax-report"}, minutes=-0.5, id="apart")
DECOYS = (LATER, INERT, APART)
"""A change after the onset, one that moves no metric, and one on something that is not related."""


def _attributes(id: str, minutes: float, **sent: str) -> ChangeEvent:
    request = {"queueUrl": QUEUE_URL, "attributes": sent}
    actor = PIPELINE if id == "old" else made.PERSON
    return event("sqs", "SetQueueAttributes", request, id=id, minutes=minutes, actor=actor)


def _table(id: str, minutes: float, response: dict[str, Any] | None = None, **sent: Any) -> ChangeEvent:
    actor = PIPELINE if id == "old" else made.PERSON
    request = {"tableName": "parcels", **sent}
    return event("dynamodb", "UpdateTable", request, id=id, minutes=minutes, actor=actor, response=response)


def _rest_stage(**limits: str) -> ChangeEvent:
    patches = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": value} for name, value in limits.items()
    ]
    request = {
        "restApiId": "p4r5c6e7l8",
        "stageName": "prod",
        "updateStageInput": {"patchOperations": patches},
    }
    return event("apigateway", "UpdateStage", request, id="true", response={"stageName": "prod"})


def http_stage(id: str, rate: float, burst: int, minutes: float = -1.0) -> ChangeEvent:
    limits = {"throttlingRateLimit": rate, "throttlingBurstLimit": burst}
    request = {"apiId": "h7t6t5p4a3", "stageName": "prod", "defaultRouteSettings": limits}
    actor = PIPELINE if id == "old" else made.PERSON
    response = {"stageName": "prod"}
    return event("apigateway", "UpdateStage", request, id=id, minutes=minutes, actor=actor, response=response)


def _lambda(operation: str, actor: Any = made.PERSON, minutes: float = -1.0, **sent: Any) -> ChangeEvent:
    return event("lambda", operation, sent, id="true", minutes=minutes, actor=actor)


def _role(operation: str, **sent: str) -> ChangeEvent:
    return event("iam", operation, {"roleName": "parcel-writer-role", **sent}, id="true", minutes=-1.5)


_MAPPING_ID = MAPPING.rsplit(":", 1)[1]
_REFUSED_LINE = (
    "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutItem operation: User: "
    f"arn:aws:sts::{ACCOUNT}:assumed-role/parcel-writer-role/parcel-writer is not authorized to perform: "
    f"dynamodb:PutItem on resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
)
_TIMED_OUT = "2026-04-09T10:02:11.034Z 5f2b8c1e-33aa-4b1c-9d2e-0a1b2c3d4e5f Task timed out after 3.00 seconds"
_HTTP_STAGE_NOW = resource(
    HTTP_STAGE, "prod", {"DefaultRouteSettings": {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}}
)

KINDS: dict[str, Kind] = {
    "reserved concurrency 0": Kind(
        symptom=(WRITER, "Throttles"),
        moves=_STOPPED,
        change=_lambda(
            "PutFunctionConcurrency", functionName="parcel-writer", reservedConcurrentExecutions=0
        ),
        resources=changed(WRITER, ReservedConcurrentExecutions=0),
    ),
    "reserved concurrency 0, seen at the door": Kind(
        symptom=(API, "5XXError"),
        moves=_STOPPED,
        change=_lambda(
            "PutFunctionConcurrency", functionName="parcel-writer", reservedConcurrentExecutions=0
        ),
        resources=changed(WRITER, ReservedConcurrentExecutions=0),
    ),
    "timeout lowered": Kind(
        symptom=(WRITER, "Errors"),
        moves=_FAILING,
        change=configured(timeout=3),
        earlier=(configured("old", LONG_AGO, timeout=30),),
        resources=changed(WRITER, Timeout=3),
        patterns=(pattern(_TIMED_OUT),),
    ),
    "timeout lowered, nothing in the logs, value before unknown": Kind(
        symptom=(WRITER, "Errors"),
        moves=_FAILING,
        change=configured(timeout=3),
        resources=changed(WRITER, Timeout=3),
    ),
    "memory lowered": Kind(
        symptom=(WRITER, "Duration"),
        moves={(WRITER, "Duration"): (120.0, 900.0), (API, "Latency"): (120.0, 900.0)},
        change=configured(memorySize=128),
        earlier=(configured("old", LONG_AGO, memorySize=512),),
        resources=changed(WRITER, MemorySize=128),
    ),
    "a whole configuration sent again": Kind(
        symptom=(WRITER, "Errors"),
        moves=_FAILING,
        change=configured(timeout=3, memorySize=512, handler="app.handler", runtime="python3.13"),
        resources=changed(WRITER, Timeout=3),
    ),
    "bad code": Kind(
        symptom=(WRITER, "Errors"),
        moves=_FAILING,
        change=_lambda("UpdateFunctionCode", PIPELINE, functionName="parcel-writer", publish=False),
    ),
    "alias to a bad version": Kind(
        symptom=(WRITER, "Errors"),
        moves=_FAILING,
        change=_lambda(
            "UpdateAlias", PIPELINE, functionName="parcel-writer", name="live", functionVersion="42"
        ),
        resources=(*shop(), resource(ALIAS, "parcel-writer:live", {"FunctionVersion": "42"})),
    ),
    "environment variable gone": Kind(
        symptom=(WRITER, "Errors"),
        moves=_FAILING,
        change=configured(environment={}),
        patterns=(pattern("[ERROR] KeyError: 'TABLE_NAME'"),),
    ),
    "invoke permission removed": Kind(
        symptom=(API, "5XXError"),
        moves=_UNREACHED,
        change=_lambda("RemovePermission", functionName="parcel-writer", statementId="api-invoke"),
    ),
    "event source mapping disabled": Kind(
        symptom=(QUEUE, "ApproximateAgeOfOldestMessage"),
        moves={
            (QUEUE, "ApproximateAgeOfOldestMessage"): (2.0, 1200.0),
            (QUEUE, "ApproximateNumberOfMessagesVisible"): (2.0, 40000.0),
            (NOTIFIER, "Invocations"): (20.0, 0.0),
        },
        change=_lambda("UpdateEventSourceMapping", minutes=-2, uUID=_MAPPING_ID, enabled=False),
        resources=changed(MAPPING, Enabled=False, State="Disabled"),
    ),
    "visibility timeout lowered": Kind(
        symptom=(DEAD, "ApproximateNumberOfMessagesVisible"),
        moves={
            (DEAD, "ApproximateNumberOfMessagesVisible"): (0.0, 300.0),
            (QUEUE, "NumberOfMessagesReceived"): (20.0, 60.0),
            (NOTIFIER, "Invocations"): (20.0, 60.0),
        },
        change=_attributes("true", -6, VisibilityTimeout="5"),
        earlier=(_attributes("old", LONG_AGO, VisibilityTimeout="180"),),
        resources=changed(QUEUE, VisibilityTimeout="5"),
    ),
    "queue policy refuses the sender": Kind(
        symptom=(WRITER, "Errors"),
        moves={**_FAILING, (QUEUE, "NumberOfMessagesSent"): (20.0, 0.0)},
        change=_attributes("true", -1, Policy='{"Version":"2012-10-17","Statement":[]}'),
    ),
    "queue deleted": Kind(
        symptom=(WRITER, "Errors"),
        moves={**_FAILING, (QUEUE, "NumberOfMessagesSent"): (20.0, 0.0)},
        change=event("sqs", "DeleteQueue", {"queueUrl": QUEUE_URL}, id="true", minutes=-0.5),
    ),
    "policy detached": Kind(
        symptom=(WRITER, "Errors"),
        moves={**_FAILING, (TABLE, "ConsumedWriteCapacityUnits"): (20.0, 0.0)},
        change=_role("DetachRolePolicy", policyArn=POLICY),
        patterns=(pattern(_REFUSED_LINE),),
    ),
    "inline policy rewritten, nothing in the logs": Kind(
        symptom=(API, "5XXError"),
        moves={**_FAILING, (TABLE, "ConsumedWriteCapacityUnits"): (20.0, 0.0)},
        change=_role("PutRolePolicy", policyName="own", policyDocument="{}"),
    ),
    "REST stage throttled": Kind(
        symptom=(API, "4XXError"),
        moves={(API, "4XXError"): (0.0, 19.0), (WRITER, "Invocations"): (20.0, 1.0)},
        change=_rest_stage(rateLimit="1"),
        resources=(
            *shop(),
            resource(STAGE, "prod", {"methodSettings": {"*/*": {"throttlingRateLimit": 1}}}),
        ),
    ),
    "HTTP stage throttled, both limits": Kind(
        symptom=(HTTP_API, "4xx"),
        moves={(HTTP_API, "4xx"): (0.0, 19.0), (WRITER, "Invocations"): (20.0, 1.0)},
        change=http_stage("true", 1, 1),
        earlier=(http_stage("old", 500, 200, LONG_AGO),),
        resources=(*shop(), _HTTP_STAGE_NOW),
    ),
    "bad deployment of an API": Kind(
        symptom=(API, "5XXError"),
        moves=_UNREACHED,
        change=event(
            "apigateway",
            "CreateDeployment",
            {"restApiId": "p4r5c6e7l8", "createDeploymentInput": {"stageName": "prod"}},
            id="true",
            actor=PIPELINE,
            response={"id": "d2"},
        ),
    ),
    "integration points elsewhere": Kind(
        symptom=(API, "5XXError"),
        moves=_UNREACHED,
        change=event(
            "apigateway",
            "PutIntegration",
            {
                "restApiId": "p4r5c6e7l8",
                "resourceId": "x1",
                "httpMethod": "POST",
                "putIntegrationInput": {"type": "HTTP_PROXY", "uri": "https://parcels.example.com"},
            },
            id="true",
        ),
        resources=(*shop(), resource(INTEGRATION, "x1", {"uri": "https://parcels.example.com"})),
    ),
    "provisioned capacity lowered": Kind(
        symptom=(TABLE, "WriteThrottleEvents"),
        moves={
            (TABLE, "WriteThrottleEvents"): (0.0, 18.0),
            (TABLE, "WriteProvisionedThroughputThrottleEvents"): (0.0, 18.0),
            (TABLE, "ConsumedWriteCapacityUnits"): (20.0, 2.0),
        },
        change=_table(
            "true",
            -3,
            {
                "tableDescription": {
                    "provisionedThroughput": {"readCapacityUnits": 400, "writeCapacityUnits": 200}
                }
            },
            provisionedThroughput={"readCapacityUnits": 400, "writeCapacityUnits": 2},
        ),
        resources=changed(TABLE, ProvisionedThroughput={"ReadCapacityUnits": 400, "WriteCapacityUnits": 2}),
    ),
    "stream switched off": Kind(
        symptom=(NOTIFIER, "Invocations"),
        moves={(NOTIFIER, "Invocations"): (20.0, 0.0)},
        change=_table("true", -3, streamSpecification={"streamEnabled": False}),
        earlier=(_table("old", LONG_AGO, streamSpecification={"streamEnabled": True}),),
        relations=(
            Relation(
                source=TABLE,
                target=NOTIFIER,
                kind="triggers",
                provenance="lambda:ListEventSourceMappings EventSourceArn",
            ),
        ),
    ),
    "table deleted": Kind(
        symptom=(WRITER, "Errors"),
        moves={**_FAILING, (TABLE, "ConsumedWriteCapacityUnits"): (20.0, 0.0)},
        change=event("dynamodb", "DeleteTable", {"tableName": "parcels"}, id="true", minutes=-0.5),
    ),
    "subscription filter deleted": Kind(
        symptom=(NOTIFIER, "Invocations"),
        moves={(NOTIFIER, "Invocations"): (20.0, 0.0)},
        change=event(
            "logs",
            "DeleteSubscriptionFilter",
            {"logGroupName": "/aws/lambda/parcel-writer", "filterName": "to-notifier"},
            id="true",
        ),
        relations=(
            Relation(
                source=GROUP,
                target=NOTIFIER,
                kind="sends to",
                provenance="logs:DescribeSubscriptionFilters destinationArn",
            ),
        ),
    ),
}


def alarm_lowered(*, minutes: float = -10, former: float = 900.0, points: float = 400.0) -> Facts:
    """The writer's Duration is as ever; its alarm's threshold went from `former` to 300."""
    facts = made.facts((WRITER, "Duration"), {})
    alarm, metric = facts.incident.alarm, facts.incident.metric
    assert alarm is not None
    assert metric is not None
    put = event(
        "monitoring",
        "PutMetricAlarm",
        {"alarmName": alarm.name, "threshold": 300.0},
        id="true",
        minutes=minutes,
    )
    stricter = replace(
        alarm,
        threshold=300.0,
        transitions=(AlarmTransition(time=ONSET + timedelta(minutes=3), old="OK", new="ALARM", reason=""),),
        updates=(
            AlarmUpdate(
                time=ONSET - timedelta(days=60), kind="Create", threshold=former, config={"threshold": former}
            ),
            AlarmUpdate(time=put.time, kind="Update", threshold=300.0, config={"threshold": 300.0}),
        ),
    )
    series = Series(
        metric=metric,
        window=Window(start=ONSET, end=AS_OF),
        points=tuple((ONSET + timedelta(minutes=n), points) for n in range(40)),
    )
    incident = facts.incident.model_copy(update={"alarm": stricter, "recent": series, "onset": None})
    resources = (
        *facts.resources,
        resource(stricter.arn, alarm.name, {"AlarmName": alarm.name, "Threshold": 300.0}),
    )
    return replace(facts, incident=incident, resources=resources, changes=(put,))
