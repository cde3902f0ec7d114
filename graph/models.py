"""What the facts mean: incident, hypotheses, plan, report. Pydantic, because all of it crosses a border as JSON.

Sentences hold times as `2026-03-13T17:12:31Z`; `graph.words.localise` prints them in the reader's zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.models import (
    Actor,
    Alarm,
    Call,
    Evidence,
    Gap,
    Json,
    Metric,
    Onset,
    PriorSource,
    Relation,
    Resource,
    Series,
    Statement,
    Value,
    Window,
)

REPORT_ID = "{report}"
"""Stands in texts where the report's own id belongs; renderers fill it in, so that equal runs give equal reports."""

Verdict = Literal["root_cause", "no_incident", "recovered", "not_yet", "not_found"]
CauseKind = Literal[
    "change",
    "setting",
    "condition",
    "traffic",
    "alarm_changed",
    "stale_alarm",
    "outside",
]
"""change: a CloudTrail event. setting: a setting changed, but no event is visible. condition: a state of a resource
without a change. traffic: more was asked for. alarm_changed: the alarm, not the service. stale_alarm: long over.
outside: not visible to opsleuth."""


EventKind = Literal[
    "planning",
    "fetching",
    "observation",
    "finding",
    "hypothesis",
    "ruled_out",
    "gap",
    "root_cause",
    "mitigation",
    "prevention",
    "user",
    "recovered",
    "done",
]


class Model(BaseModel):
    """Frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Trigger(Model):
    """What starts an investigation: one of alarm name, resource ARN or words."""

    alarm: str = Field("", description="Name or ARN of a CloudWatch alarm")
    resource: str = Field("", description="ARN of a resource that misbehaves")
    text: str = Field("", description="What is wrong, in words; English or Japanese")


class Incident(Model):
    """What we were asked to explain."""

    account: str
    region: str
    alarm: Alarm | None = None
    resource: str = Field(description="ARN of the resource that shows the symptom")
    metric: Metric | None = None
    role: str = ""  # role of the metric: errors, throttles, latency, ...
    bad: Literal["up", "down", ""] = "up"
    onset: Onset | None = None
    quiet_since: datetime | None = None  # the alarm is red, but its metric has been normal since then
    stays_red: str = ""  # why the alarm does not clear by itself
    recent: Series | None = None  # the newest datapoints of `metric`
    text: str = ""  # the words that started it


class MetricFinding(Model):
    """What one metric of one resource did around the onset."""

    resource: str
    metric: Metric
    role: str
    bad: Literal["up", "down", ""]
    unit: str
    moved: bool
    direction: Literal["up", "down", ""]
    used_up: bool = False  # it did not step: it crept to its end about when the symptom began
    baseline: Window
    since: Window  # from the onset to the last datapoint, or to the end of the symptom
    before: float | None = None  # over `baseline`: per second for Sum metrics, else the mean; None: no data
    after: float | None = None  # the same over `since`
    total: float | None = None  # sum over `since`, for Sum metrics
    onset: Onset | None = None
    evidence: tuple[str, ...] = ()


Harm = Literal["failures", "seconds"]
"""Failed requests, or the time that requests take."""


class MeasuredContribution(Model):
    """How much of the harm a resource adds itself, beyond its own normal and beyond what it waits for."""

    resource: str
    harm: Harm
    metric: Metric  # that shows its harm
    own: float  # failed requests, or seconds of all requests together, in a period
    excess: float  # the same with what it waits for
    stands_out: bool
    evidence: tuple[str, ...] = ()


class TestResult(Model):
    """One small test of a hypothesis: weight in log-odds (positive speaks for it) and a sentence."""

    __test__ = False  # not a pytest class

    test: str
    weight: float
    statement: Statement


class Hypothesis(Model):
    """A possible cause with what speaks for and against it."""

    id: str
    kind: CauseKind
    title: str
    resource: str = ""
    setting: str = ""  # Setting.path
    event: str = ""  # change event id
    condition: str = ""  # Condition.key
    path: tuple[str, ...] = ()  # ARNs from the cause to the symptom
    tests: tuple[TestResult, ...] = ()
    probability: float = 0.0
    status: Literal["leading", "possible", "ruled_out"] = "possible"

    @property
    def weight(self) -> float:
        return sum(item.weight for item in self.tests)


class ChangedBy(Model):
    """The change event of a root cause."""

    id: str
    action: str
    operation: str
    time: datetime
    region: str
    account: str = ""


class RootCause(Model):
    """The accepted hypothesis."""

    kind: CauseKind
    resource: str
    field: str = ""  # Setting.path or Condition.key
    field_name: str = ""  # for people
    unit: str = ""
    bad_value: Value = None
    prior_known: bool = False
    prior_value: Value = None
    prior_sources: tuple[PriorSource, ...] = ()
    prior_note: str = ""  # conflict between sources, or "prior value unknown" and what would show it
    event: ChangedBy | None = None
    earliest: datetime | None = None  # when, as an interval; the event's time when there is one
    latest: datetime | None = None
    actor: Actor | None = None
    confidence: float
    statement: Statement


class Step(Model):
    """One step of a plan, for a human to run."""

    title: str
    calls: tuple[Call, ...] = ()
    query: str = ""  # JMESPath for the CLI's --query
    command: str = ""  # when the step is not an AWS call: `opsleuth check {report}`
    expect: tuple[str, ...] = ()  # what must be seen; else stop
    provenance: tuple[Statement, ...] = ()  # where each number comes from
    note: str = ""


class Mitigation(Model):
    """The smallest reversal of the very cause. Empty `apply`: there is nothing to put back, `note` says what helps."""

    summary: str
    prepare: tuple[Step, ...] = ()
    pre_validate: tuple[Step, ...] = ()
    apply: tuple[Step, ...] = ()
    post_validate: tuple[Step, ...] = ()
    rollback: tuple[Step, ...] = ()
    stays_red: tuple[Step, ...] = ()
    afterwards: tuple[Step, ...] = ()  # optional, once the plan has worked: what it does not bring back
    mind: tuple[Statement, ...] = ()
    advice: tuple[str, ...] = ()  # what to do where no setting can be put back
    ask: str = ""  # whom to call before applying


class Prevention(Model):
    """One measure so that this class of incident cannot come back."""

    kind: Literal["block", "notice", "slow", "design", "practice"]
    title: str
    why: str
    artefact_name: str  # policy.json, alarm.json, ...
    artefact: Json | str
    back_test: str = ""  # what it would have done in the events at hand, window stated
    ready: bool = False  # the back-test passed: it can be used as it is
    draft: str = ""  # why it is not ready; "" for a note, which nothing can try


class Impact(Model):
    """What users suffer, in numbers of the account."""

    statements: tuple[Statement, ...] = ()
    data_loss: Statement | None = None


class TimelineEvent(Model):
    """One line of the run's story. `key` is (round, node, ordinal), the same in every re-run."""

    key: str
    kind: EventKind
    node: str
    text: str
    evidence: tuple[str, ...] = ()
    time: datetime | None = None  # when the told thing happened in the account, if it has a time


class ShownEvidence(Model):
    """Evidence as a report shows it."""

    evidence: Evidence
    link: str = ""  # AWS console


class Statistics(Model):
    """What the run cost. The only part of a report that may differ between two equal runs."""

    seconds: float = 0.0
    calls: dict[str, int] = Field(default_factory=dict)
    bytes: int = 0
    model: str = "none"
    tokens: int = 0
    model_usd: float = 0.0
    aws_usd: float = 0.0
    finished: datetime | None = None


class Topology(Model):
    """Resources and relations around the incident; `cause` and `symptom` are ARNs in it."""

    resources: tuple[Resource, ...] = ()
    relations: tuple[Relation, ...] = ()
    cause: str = ""
    symptom: str = ""
    path: tuple[str, ...] = ()  # ARNs from where users come in, over the symptom, to the cause
    touched: tuple[str, ...] = ()  # blast radius: shows the fault
    at_risk: tuple[str, ...] = ()  # reachable, shows nothing yet
    truncated: bool = False


class Report(Model):
    """The final account of one investigation. Versioned; `opsleuth schema` prints its JSON schema."""

    version: Literal[1] = 1
    id: str = REPORT_ID
    revision: int = 1
    verdict: Verdict
    headline: str
    grade: Literal["proven", "likely", "not_proven", ""] = ""
    as_of: datetime
    next_look: datetime | None = None
    complete_until: datetime | None = None  # up to when CloudTrail may be called complete
    trigger: Trigger
    incident: Incident
    broken: Statement  # what users see broken
    why: Statement
    decider: Statement | None = None  # where nothing is proven: the one read or question that would tell
    impact: Impact = Impact()
    root_cause: RootCause | None = None
    also: tuple[RootCause, ...] = ()  # further true causes at the same time, in order of time
    contributing: tuple[Statement, ...] = ()
    findings: tuple[Statement, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    gaps: tuple[Gap, ...] = ()
    mitigation: Mitigation | None = None
    prevention: Annotated[tuple[Prevention, ...], Field(min_length=1)]
    topology: Topology = Topology()
    timeline: tuple[TimelineEvent, ...] = ()
    evidence: tuple[ShownEvidence, ...] = ()
    unverified: tuple[Statement, ...] = ()
    statistics: Statistics = Statistics()

    def without_statistics(self) -> str:
        """Canonical JSON of all that two equal runs must share."""
        return self.model_copy(update={"statistics": Statistics()}).model_dump_json()
