"""What AWS says, as frozen dataclasses. Facts only: no opinion, no IO.

Times are aware UTC datetimes. `evidence` holds ids of `Evidence`. `Json` is raw AWS JSON and stays inside `tools`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Json = dict[str, Any]
Value = str | int | float | bool | None
"""A setting's value. None means "not set", which is a value too (see `Setting.unset`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time range, start included, end excluded."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def around(self, before: timedelta, after: timedelta = timedelta(0)) -> Window:
        return Window(start=self.start - before, end=self.end + after)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One observed fact: the answer to one request, or one item in it.

    `excerpt` is redacted JSON or text of at most 2 kB; `sha256` finds the whole answer in the evidence store.
    `time` is when the fact held (an event's time, a window's end), not when it was read.
    """

    id: str
    service: str
    operation: str
    parameters: Json
    region: str
    account: str
    time: datetime
    sha256: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be seen. Never the same as "nothing is there"."""

    what: str  # what was not seen, for people: "CloudTrail events"
    why: str  # the reason in one sentence
    would_show: str = ""  # what it would have shown
    lift: str = ""  # what to do about it, and who can
    statement: Json | None = (
        None  # an IAM statement to add, only when a missing identity permission is the reason
    )
    code: str = ""  # AccessDenied, Throttled, TooOld, NotDelivered, NotRecorded, BudgetSpent, NotEnabled, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One AWS API call as data: boto3 client name, operation (PascalCase), parameters. Plans are made of these.

    `account`: where it is to be made when that is not the account of the run.
    """

    service: str
    operation: str
    parameters: Json
    region: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """An AWS thing with an ARN. `config` holds what its describe operation says, as JSON values."""

    arn: str
    service: str  # name of the service file: dynamodb, lambda, ...
    type: str  # table, function, queue, api, stage, role, log-group, alarm, ...
    name: str
    account: str
    region: str
    config: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`source` calls, sends to or relies on `target`. Requests flow along it; failures travel back along it."""

    source: str  # ARN
    target: str  # ARN
    kind: str  # a verb: invokes, writes, reads, uses, triggers, runs as, logs to, watches
    provenance: (
        str  # operation and field that says so: "lambda:GetFunctionConfiguration Environment.TABLE_NAME"
    )
    confidence: float = 1.0
    evidence: tuple[str, ...] = ()


ActorKind = Literal[
    "iam_user",
    "identity_center_user",
    "role",
    "root",
    "aws_service",
    "service_linked_role",
    "cloudformation",
    "iac",
    "ci",
    "other_account",
    "federated_user",
    "unknown",
]
Means = Literal["console", "cli", "sdk", "cloudformation", "terraform", "pulumi", "ci", "service", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who caused an event, resolved as far as the event alone allows."""

    kind: ActorKind
    name: str  # the person or thing: user name, session name of a person, role name, service
    how: Means
    arn: str = ""
    account: str = ""
    mfa: bool | None = None  # None: the event does not say
    source_ip: str = ""
    user_agent: str = ""
    session: str = ""
    role: str = ""  # name of the assumed role
    role_arn: str = ""  # its ARN with its path, as the record's session issuer gives it
    access_key_id: str = ""
    source_identity: str = ""
    invoked_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent:
    """A CloudTrail record of a mutating call. `action` is eventName as recorded, `operation` without version suffix.

    `request` and `response` keep CloudTrail's own spelling (lowerCamel, EC2 lists as {"items": [...]}).
    A denied attempt has `error_code` and changed nothing.
    """

    id: str
    time: datetime
    source: str  # dynamodb.amazonaws.com
    action: str  # PutFunctionConcurrency20171031
    operation: str  # PutFunctionConcurrency
    region: str
    account: str
    actor: Actor
    request: Json
    response: Json
    error_code: str = ""
    error_message: str = ""
    read_only: bool = False
    event_type: str = "AwsApiCall"
    names: tuple[str, ...] = ()  # names and ARNs of resources[], as recorded
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One CloudWatch series: what, which statistic (Sum, Average, Maximum, p99), period in seconds."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]  # sorted by name
    stat: str
    period: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one metric, oldest first; a time is the start of its period. A missing point is absent, not 0."""

    metric: Metric
    window: Window
    points: tuple[tuple[datetime, float], ...]
    evidence: tuple[str, ...] = ()


AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTransition:
    time: datetime
    old: AlarmState
    new: AlarmState
    reason: str
    breaching: tuple[tuple[datetime, float], ...] = ()  # datapoints that CloudWatch names, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmUpdate:
    """One configuration change from the alarm's own history (kept 30 days)."""

    time: datetime
    kind: Literal["Create", "Update", "Delete"]
    threshold: float | None  # the value after the update
    config: Json  # the alarm after the update, as history shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A CloudWatch alarm on one metric, with its history, newest first."""

    arn: str
    name: str
    account: str
    region: str
    metric: Metric
    comparison: str  # GreaterThanThreshold, ...
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing: str  # missing, notBreaching, breaching, ignore
    state: AlarmState
    state_since: datetime
    state_reason: str
    updated: datetime  # AlarmConfigurationUpdatedTimestamp
    transitions: tuple[AlarmTransition, ...] = ()
    updates: tuple[AlarmUpdate, ...] = ()
    actions_enabled: bool = True
    expression: str = (
        ""  # metric math or composite rule; then `threshold` is not on `metric`, which stands behind it
    )
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPattern:
    """A template shared by many lines. Lines with another error code, reason or ARN are another pattern."""

    key: str  # stable id: hash of group, template, code, reason
    log_group: str
    template: str
    sample: str  # one whole redacted line
    before: int  # lines before onset, in `baseline`
    after: int  # lines since onset, in `window`
    first: datetime
    last: datetime
    error_code: str = ""
    reason: str = ""
    names: tuple[str, ...] = ()  # ARNs, table, queue, function and host names found in the lines
    operations: tuple[str, ...] = ()  # API operations named in the lines: PutItem
    evidence: tuple[str, ...] = ()
    read_before: float = 1.0  # which share of such lines `before` counts; below 1 when only a sample was read
    read_after: float = 1.0

    @property
    def is_new(self) -> bool:
        return self.before == 0


OnsetShape = Literal["step", "ramp", "spike", "sawtooth", "silence", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """When a symptom began, as an interval, and its shape. `ended` is set when the series is normal again."""

    earliest: datetime
    latest: datetime
    confidence: float
    shape: OnsetShape
    ended: datetime | None = None
    normal: float | None = None  # median before
    now: float | None = None  # median since onset


PriorKind = Literal[
    "same_event", "previous_event", "metric", "alarm_history", "version", "config_history", "template"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorSource:
    """One source that tells the value before a change."""

    kind: PriorKind
    value: Value
    time: datetime  # when it held or was set
    said_by: str  # "UpdateTable by deploy-role, 2 Feb" or "metric OnDemandMaxWriteRequestUnits"
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published version of a resource, which never changes: what its settings were at `made`."""

    resource: str  # ARN
    name: str  # "7"
    made: datetime
    values: dict[str, Value]  # by Setting.path
    evidence: tuple[str, ...] = ()
    kind: PriorKind = "version"  # or "config_history": an item of AWS Config


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStep:
    """A setting's own metric stepped: the change happened between `earliest` and `latest`."""

    metric: Metric
    before: float
    after: float
    earliest: datetime
    latest: datetime
    evidence: tuple[str, ...] = ()


ClaimKind = Literal["metric", "event", "setting", "alarm", "log", "relation", "quiet", "transition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One checkable statement, in the terms of the account, so that code can compare it with evidence or a ledger.

    kind        subject        field                         value and interval
    metric      resource ARN   "Namespace/Name/Stat"         aggregate (see `how`) over [start, end)
    event       event id       action, actor, source_ip, time, region, ...; holds: it has this value
    setting     resource ARN   path of the setting           value that held at `start`
    alarm       alarm ARN      threshold, state, ...         value at `start`
    log         log group      error code or reason          lines in [start, end)
    relation    source ARN     kind                          target ARN
    quiet       resource ARN   "changes"                     0 changes in [start, end)
    transition  alarm ARN      state entered                 at `start`
    """

    kind: ClaimKind
    subject: str
    field: str
    value: Value
    start: datetime | None = None
    end: datetime | None = None
    how: str = ""  # sum, rate, max, min, mean, median, last, count; onset, end: it lies within [start, end]
    dimensions: tuple[tuple[str, str], ...] = ()
    tolerance: float = 0.0  # relative, for rounded numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A sentence for people with what proves it. Numbers in `text` are those of `claims`."""

    text: str
    evidence: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
