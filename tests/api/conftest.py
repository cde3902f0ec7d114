"""Hand-made reports of every verdict, as a run would give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph import Context, session
from graph.models import (
    REPORT_ID,
    ChangedBy,
    Hypothesis,
    Impact,
    Incident,
    Mitigation,
    Prevention,
    Report,
    RootCause,
    ShownEvidence,
    Statistics,
    Step,
    TestResult,
    TimelineEvent,
    Topology,
    Trigger,
)
from tools.models import (
    Actor,
    Alarm,
    Call,
    Evidence,
    Gap,
    Metric,
    Onset,
    PriorSource,
    Relation,
    Resource,
    Statement,
)
from tools.transport import WireAnswer, WireRequest

ACCOUNT, REGION = "111122223333", "eu-central-1"
AT = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
CHANGED = datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/bookings"
WRITER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:booking-writer"
API = f"arn:aws:apigateway:{REGION}::/apis/a1b2c3d4e5"
METRIC = Metric(
    namespace="AWS/DynamoDB", name="WriteThrottleEvents", dimensions=(("TableName", "bookings"),), stat="Sum"
)
ALARM = Alarm(
    arn=f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:bookings-throttled",
    name="bookings-throttled",
    account=ACCOUNT,
    region=REGION,
    metric=METRIC,
    comparison="GreaterThanThreshold",
    threshold=0.0,
    evaluation_periods=5,
    datapoints_to_alarm=3,
    treat_missing="missing",
    state="ALARM",
    state_since=CHANGED + timedelta(minutes=3),
    state_reason="Threshold Crossed",
    updated=datetime(2025, 11, 2, tzinfo=UTC),
)
INCIDENT = Incident(
    account=ACCOUNT,
    region=REGION,
    alarm=ALARM,
    resource=TABLE,
    metric=METRIC,
    role="throttles",
    bad="up",
    onset=Onset(
        earliest=CHANGED,
        latest=CHANGED + timedelta(minutes=1),
        confidence=0.95,
        shape="step",
        normal=0.0,
        now=5640.0,
    ),
)
EVENT = "6f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e"
CAUSE = RootCause(
    kind="change",
    resource=TABLE,
    field="OnDemandThroughput.MaxWriteRequestUnits",
    field_name="maximum write throughput",
    unit="writes per second",
    bad_value=3,
    prior_known=True,
    prior_value=320,
    prior_sources=(
        PriorSource(
            kind="previous_event",
            value=320,
            time=datetime(2026, 2, 2, 9, 30, tzinfo=UTC),
            said_by="UpdateTable by deploy-role",
            evidence=("F4",),
        ),
    ),
    event=ChangedBy(id=EVENT, action="UpdateTable", operation="UpdateTable", time=CHANGED, region=REGION),
    earliest=CHANGED,
    latest=CHANGED,
    actor=Actor(kind="iam_user", name="ops-31", how="console", mfa=True, source_ip="203.0.113.24"),
    confidence=0.968,
    statement=Statement(text="ops-31 lowered it."),
)


def told(text: str, *evidence: str) -> Statement:
    return Statement(text=text, evidence=evidence)


def result(weight: float, text: str, *evidence: str) -> TestResult:
    return TestResult(test=text[:12], weight=weight, statement=told(text, *evidence))


def update(value: int) -> Call:
    limits = {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": value}
    return Call(
        service="dynamodb",
        operation="UpdateTable",
        parameters={"TableName": "bookings", "OnDemandThroughput": limits},
        region=REGION,
    )


PLAN = Mitigation(
    summary="Set the maximum write throughput of bookings back to 320.",
    prepare=(
        Step(
            title="Right account?",
            calls=(Call(service="sts", operation="GetCallerIdentity", parameters={}, region=REGION),),
            query="Account",
            expect=(ACCOUNT,),
            note="else stop",
        ),
    ),
    pre_validate=(
        Step(
            title="Still so?",
            calls=(
                Call(
                    service="dynamodb",
                    operation="DescribeTable",
                    parameters={"TableName": "bookings"},
                    region=REGION,
                ),
            ),
            query="Table.[TableStatus,OnDemandThroughput.MaxWriteRequestUnits,OnDemandThroughput.MaxReadRequestUnits]",
            expect=("TableStatus ACTIVE", "MaxWriteRequestUnits 3", "MaxReadRequestUnits 500"),
            note="else stop",
        ),
    ),
    apply=(
        Step(
            title="Apply",
            calls=(update(320),),
            provenance=(
                told("320 ← UpdateTable by deploy-role at 2026-02-02T09:30:00Z; metric 320 to 3", "F4", "M6"),
                told("MaxReadRequestUnits 500 unchanged ← DescribeTable", "T2"),
            ),
        ),
    ),
    post_validate=(
        Step(
            title="Worked?",
            command=f"opsleuth check {REPORT_ID}",
            expect=("no new datapoint of WriteThrottleEvents for 5 min",),
        ),
    ),
    rollback=(Step(title="Way back", calls=(update(3),), note="sets 3 again"),),
    stays_red=(
        Step(
            title="Stays red",
            calls=(
                Call(
                    service="cloudwatch",
                    operation="SetAlarmState",
                    parameters={
                        "AlarmName": "bookings-throttled",
                        "StateValue": "OK",
                        "StateReason": f"recovered, opsleuth {REPORT_ID}",
                    },
                    region=REGION,
                ),
            ),
            note="DynamoDB alarms ignore missing data. Once step 4 says RECOVERED:",
        ),
    ),
    mind=(told("Stack bookings-prod says 400, live was 320. Settle which is right.", "T7"),),
    ask="ops-31, or the owner of bookings (tag team=travel), before you apply: there may be a reason.",
)
PREVENTION = (
    Prevention(
        kind="block",
        title="UpdateTable on env=prod except deploy-role",
        why="A person in the console could lower the limit.",
        artefact_name="policy.json",
        artefact={"Version": "2012-10-17", "Statement": []},
        back_test="Would have blocked 1 of 1 bad and 0 of 3 good in 40 days.",
    ),
    Prevention(
        kind="notice",
        title="Alarm when the maximum falls below 320",
        why="The setting has a metric of its own.",
        artefact_name="alarm.json",
        artefact={"AlarmName": "bookings-max-write"},
        back_test="Would have fired at 2026-03-13T17:20:00Z; 0 false in 14 days.",
    ),
)
LEADER = Hypothesis(
    id="h1",
    kind="change",
    title="maximum write throughput of bookings lowered to 3 by ops-31",
    resource=TABLE,
    setting=CAUSE.field,
    event=EVENT,
    path=(TABLE, WRITER, API),
    probability=0.968,
    status="leading",
    tests=(
        result(2.0, "29 to 89 s before onset", "F1", "M4"),
        result(1.8, "the error text names this limit", "L2"),
        result(1.2, "3 per second is below the demand of 96 per second", "M3"),
    ),
)
SURGE = Hypothesis(
    id="h2",
    kind="traffic",
    title="traffic surge",
    probability=0.004,
    tests=(result(-2.2, "requests to bookings-api are unchanged (±6 %)", "M9"),),
)
UNSEEN = Hypothesis(id="h3", kind="outside", title="not visible to opsleuth", probability=0.02)
HOT = Hypothesis(
    id="h4",
    kind="condition",
    title="hot partition",
    status="ruled_out",
    tests=(result(-3.0, "no key-range throttle; all 5,640 per minute name the table's maximum", "M2"),),
)
TOPOLOGY = Topology(
    resources=(
        Resource(
            arn=TABLE, service="dynamodb", type="table", name="bookings", account=ACCOUNT, region=REGION
        ),
        Resource(
            arn=WRITER,
            service="lambda",
            type="function",
            name="booking-writer",
            account=ACCOUNT,
            region=REGION,
        ),
        Resource(
            arn=API, service="apigatewayv2", type="api", name="bookings-api", account=ACCOUNT, region=REGION
        ),
    ),
    relations=(
        Relation(source=WRITER, target=TABLE, kind="writes", provenance="TABLE_NAME"),
        Relation(source=API, target=WRITER, kind="invokes", provenance="integration"),
    ),
    cause=TABLE,
    symptom=TABLE,
    path=(TABLE, WRITER, API),
    touched=(TABLE, WRITER),
    at_risk=(API,),
)
XRAY = Gap(
    what="X-Ray traces",
    why="the identity policies of role audit allow no xray:GetTraceSummaries",
    would_show="The failing call path",
    lift="Add this statement to the role.",
    statement={
        "Effect": "Allow",
        "Action": ["xray:GetTraceSummaries", "xray:GetServiceGraph"],
        "Resource": "*",
    },
    code="AccessDenied",
)
SHOWN = ShownEvidence(
    evidence=Evidence(
        id="F1",
        service="cloudtrail",
        operation="LookupEvents",
        parameters={"MaxResults": 50},
        region=REGION,
        account=ACCOUNT,
        time=CHANGED,
        sha256="0" * 64,
        excerpt='{"eventName":"UpdateTable"}',
    ),
    link=f"https://{REGION}.console.aws.amazon.com/cloudtrailv2/home?region={REGION}",
)
PROVEN = Report(
    verdict="root_cause",
    headline="Proven",
    grade="proven",
    as_of=AT,
    trigger=Trigger(alarm="bookings-throttled"),
    incident=INCIDENT,
    broken=told(
        "POST /bookings fails: 98 % of writes to table bookings are refused since 2026-03-13T17:13:00Z.",
        "M4",
        "M5",
    ),
    why=told(
        "At 2026-03-13T17:12:31Z IAM user ops-31 (console, MFA, 203.0.113.24) lowered the maximum write "
        "throughput from 320 to 3 per second. Demand is 96 per second.",
        "F1",
        "F4",
        "M3",
        "M6",
    ),
    impact=Impact(
        statements=(),
        data_loss=told(
            "No queue on this path: about 152,000 writes failed. Lost unless the clients retry.", "M4", "T3"
        ),
    ),
    root_cause=CAUSE,
    findings=(told("The limit's own metric stepped from 320 to 3.", "M6"),),
    hypotheses=(LEADER, UNSEEN, SURGE, HOT),
    gaps=(XRAY,),
    mitigation=PLAN,
    prevention=PREVENTION,
    topology=TOPOLOGY,
    timeline=(
        TimelineEvent(
            key="000-intake-000", kind="observation", node="intake", text="alarm bookings-throttled"
        ),
        TimelineEvent(key="001-metrics-000", kind="finding", node="metrics", text="onset", time=CHANGED),
    ),
    evidence=(SHOWN,),
    statistics=Statistics(
        seconds=11.2, calls={"cloudtrail:LookupEvents": 14, "cloudwatch:GetMetricData": 20}
    ),
)


def made() -> dict[str, Report]:
    """One report of every verdict and grade."""
    likely = PROVEN.model_copy(
        update={
            "grade": "likely",
            "headline": "Likely",
            "root_cause": CAUSE.model_copy(update={"confidence": 0.81, "actor": None, "event": None}),
            "hypotheses": (LEADER.model_copy(update={"probability": 0.81}), UNSEEN, SURGE),
        }
    )
    bare = {
        "root_cause": None,
        "grade": "",
        "topology": TOPOLOGY.model_copy(update={"cause": "", "path": ()}),
    }
    not_yet = PROVEN.model_copy(
        update={
            **bare,
            "verdict": "not_yet",
            "headline": "Not yet",
            "as_of": CHANGED + timedelta(minutes=4),
            "next_look": CHANGED + timedelta(minutes=9),
            "why": told(
                "No change is visible yet that explains it: CloudTrail is complete only up to about "
                "2026-03-13T17:02:00Z. Nobody is named before that."
            ),
            "mitigation": None,
            "hypotheses": (UNSEEN,),
            "impact": Impact(),
        }
    )
    not_found = PROVEN.model_copy(
        update={
            **bare,
            "verdict": "not_found",
            "grade": "not_proven",
            "headline": "Not proven",
            "why": told("No cause is proven. The likeliest two: traffic surge; not visible to opsleuth."),
            "mitigation": None,
            "hypotheses": (
                SURGE.model_copy(
                    update={"probability": 0.44, "tests": (result(0.6, "requests rose by 40 %", "M9"),)}
                ),
                UNSEEN.model_copy(update={"probability": 0.4}),
                HOT,
            ),
        }
    )
    no_incident = PROVEN.model_copy(
        update={
            "verdict": "no_incident",
            "grade": "proven",
            "headline": "No incident",
            "broken": told("Nothing is broken: bookings serves as it did last week.", "M4"),
            "impact": Impact(),
            "why": told("At 2026-03-13T17:12:31Z ops-31 lowered the alarm's threshold from 50 to 1.", "F1"),
        }
    )
    recovered = PROVEN.model_copy(
        update={
            **bare,
            "verdict": "recovered",
            "headline": "Recovered",
            "broken": told("Writes were refused from 2026-03-13T11:05:00Z to 2026-03-13T11:31:00Z.", "M4"),
            "why": told(
                "A burst of traffic; over since 2026-03-13T11:31:00Z. The alarm is stale.", "M4", "M9"
            ),
            "mitigation": Mitigation(
                summary="Nothing to put back: the symptom is over.",
                prepare=PLAN.prepare,
                stays_red=PLAN.stays_red,
            ),
            "hypotheses": (SURGE.model_copy(update={"probability": 0.93, "tests": ()}),),
            "impact": Impact(),
        }
    )
    return {
        "proven": PROVEN,
        "likely": likely,
        "not_yet": not_yet,
        "not_found": not_found,
        "no_incident": no_incident,
        "recovered": recovered,
    }


@pytest.fixture
def reports() -> dict[str, Report]:
    return made()


@pytest.fixture
def proven() -> Report:
    return PROVEN


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder."""
    monkeypatch.setenv("OPSLEUTH_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


Answer = Callable[[str, dict[str, Any]], Any]


class Refusal(Exception):
    """What an account says instead of an answer."""

    def __init__(self, code: str, message: str = "no") -> None:
        super().__init__(code)
        self.code, self.message = code, message


class OneAccount:
    """A Transport over one function: "service:Operation" and parameters in; JSON, XML or `Refusal` out."""

    virtual = True
    region = REGION

    def __init__(self, answer: Answer, now: datetime = AT, account: str = ACCOUNT) -> None:
        self._answer, self._now, self._account = answer, now, account
        self.asked: list[str] = []

    def start(self) -> datetime | None:
        return self._now

    def send(self, request: WireRequest) -> WireAnswer:
        name = f"{request.service}:{request.operation}"
        self.asked.append(name)
        xml = request.protocol in ("query", "rest-xml")
        status = 200
        try:
            body = self._own(name) or self._answer(name, dict(request.parameters))
        except Refusal as refusal:
            status = 403
            body = {"__type": refusal.code, "message": refusal.message}
            if xml:
                error = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
                body = error if request.protocol == "rest-xml" else f"<ErrorResponse>{error}</ErrorResponse>"
        if request.protocol == "rest-xml" and body == {}:
            body = "<Answer/>"
        raw = body if isinstance(body, str) else json.dumps(body, default=lambda moment: moment.timestamp())
        headers = {"Content-Type": "text/xml" if xml else "application/x-amz-json-1.1"}
        return WireAnswer(status=status, headers=headers, body=raw.encode(), protocol=request.protocol)

    def _own(self, name: str) -> str:
        if name != "sts:GetCallerIdentity":
            return ""
        arn = f"arn:aws:sts::{self._account}:assumed-role/audit/me"
        inner = f"<Arn>{arn}</Arn><UserId>AROAEXAMPLE:me</UserId><Account>{self._account}</Account>"
        return (
            "<GetCallerIdentityResponse><GetCallerIdentityResult>"
            f"{inner}</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )

    def close(self) -> None:
        pass


@pytest.fixture
def open_account() -> Callable[..., tuple[Context, OneAccount]]:
    """`open_account(answer)`: a context whose source is an account made of one function."""

    def make(answer: Answer, **changes: Any) -> tuple[Context, OneAccount]:
        account = OneAccount(answer, **changes)
        session.register("one", lambda _: account)
        return Context(source="one:account", region=REGION), account

    return make


@pytest.fixture
def refusal() -> type[Refusal]:
    return Refusal
