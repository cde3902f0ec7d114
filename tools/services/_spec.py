"""What opsleuth knows of one AWS service. Each file beside this one exports one frozen `SERVICE`.

Data where AWS is regular, functions where it is not. Docs, the IAM policy, the guard's contract and the
tests are made from it. Directions of a `Relation`: `source` calls or feeds `target`; requests flow along it,
failures travel back, silence travels on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from tools.models import Call, ChangeEvent, Gap, Json, Relation, Resource, Value

if TYPE_CHECKING:
    from tools.aws import Reader

Role = Literal["demand", "errors", "throttles", "latency", "saturation", "backlog", "setting", "work"]
"""What a metric says: demand (asked for), work (done), errors, throttles (refused for a limit), latency,
saturation, backlog (waiting), setting (a configured value)."""

Missing = Literal["zero", "idle", "unknown"]
"""What no datapoint means. zero: counts of errors come only when there are some. idle: nothing was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """A metric worth reading for one resource type."""

    type: str  # resource type
    name: str
    stat: str
    role: Role
    bad: Literal["up", "down", ""]  # which direction hurts; "" for neither
    missing: Missing
    unit: str  # for people: "refused writes", "ms"
    period: int = 60
    namespace: str = ""  # where it differs from the service's: "ECS/ContainerInsights"
    where: Callable[[Resource], bool] | None = None  # which resources of the type have it; None: all
    end: float | None = (
        None  # where it can go no further: a store that is empty (0) or full (100), in its own unit
    )
    dimensions: Callable[[Resource], tuple[tuple[str, str], ...]] | None = (
        None  # where they differ from the service's, sorted by name
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change does to a metric, or with "role:errors" to every metric of that role."""

    metric: str  # or "alarm state" for an alarm itself: up goes to ALARM, silent never does
    direction: Literal["up", "down", "silent"]
    on: Literal["self", "upstream", "downstream"] = "self"  # upstream: those who call this resource
    after: tuple[int, int] = (0, 900)  # seconds from the change to the effect: at least, at most
    when: Literal["lowered", "raised", "removed", "any"] = "any"  # which move of the setting does it
    may: bool = False  # it is one way among others: a metric that stays still speaks not against the change


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A property of a resource that can be read, was changed, and can be written back."""

    type: str  # resource type
    name: str  # for people: "maximum write throughput"
    path: str  # in Resource.config: "OnDemandThroughput.MaxWriteRequestUnits"
    unit: str  # for people: "writes per second"
    requests: Mapping[
        str, str
    ]  # operation -> JMESPath in CloudTrail requestParameters; a literal (`null`, `false`)
    # says what the operation itself sets. Where one request sets several resources, each under its ARN, `{arn}` is
    # the resource's own (`setting_values.of_resource`). Read it with `catalogue.requested`.
    restore: Callable[[Resource, Value], tuple[Call, ...]]  # calls that set it to a value, all else kept
    read: Callable[[Resource], Call]  # the read that shows it
    query: str  # JMESPath on that read's answer: "Table.OnDemandThroughput.MaxWriteRequestUnits"
    unset: Value = None  # what `requests` or the read show for "none", as a value to set it back to: -1
    echo: Literal["old", "new", "unknown", "none"] = "unknown"  # what responseElements shows at `echo_path`
    echo_path: str = ""
    only_from: Mapping[str, Value] = field(default_factory=dict)
    """Operation -> the one value that it changes: of all others but the one that it sets, AWS refuses it."""
    metric: MetricSpec | None = None  # the setting as a metric of its own
    limits: str = ""  # the metric (Sum, per second) that this setting caps: "ConsumedWriteCapacityUnits"
    effects: tuple[Effect, ...] = ()
    ready: Mapping[str, Value] = field(
        default_factory=dict
    )  # JMESPath on the read -> value it must have to apply
    beside: tuple[str, ...] = ()  # JMESPaths on the read of values that `restore` sends too and must keep
    versioned: bool = False  # what `Service.versions` yields shows it at `query`
    replicated: str = (
        ""  # kind of relation to the other resources that have the same value by AWS's own doing
    )
    along: tuple[str, ...] = ()
    """Paths of settings of the resource that AWS itself moves to fit this one: a lower maximum lowers the count."""
    mind: str = ""  # for people: what putting it back does not bring back, or what has to follow by hand
    hidden: bool = False  # CloudTrail hides the value: who and when can be told, what cannot
    means: Callable[[ChangeEvent, Value], Value] | None = (
        None  # a requested value as the describe would show it: "web:42" is the ARN of a task definition
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A mutating operation: which resources it touches, what it can break. Settings name it in `requests`."""

    operation: str  # without version suffix: PutFunctionConcurrency
    touches: Callable[
        [ChangeEvent], tuple[str, ...]
    ]  # ARNs: the changed thing first, then what it belongs to
    breaks: str  # one sentence; "" with `inert`
    example: Json  # a whole CloudTrail record; the contract test runs it
    more_examples: tuple[Json, ...] = ()  # other records of it, for settings that no single request can hold
    effects: tuple[Effect, ...] = ()  # for what no setting describes
    inert: bool = False  # known to move no metric: tags, backups, alarms on others
    undo: Callable[[ChangeEvent, tuple[ChangeEvent, ...]], tuple[Call, ...]] | None = None
    """Reversal for what no setting describes: the event and earlier events on the resource, newest first ->
    calls, empty when the value before is unknown."""
    back: Callable[[tuple[Call, ...]], tuple[Call, ...]] | None = None
    """From the calls of `undo` to those that take them back, where the request itself cannot be sent again: ids that it
    names are gone."""
    earlier: tuple[str, ...] = ()  # operations whose earlier events `undo` reads; see `catalogue.replaced_by`
    renews: bool = (
        False  # who holds what it replaced must start anew to get the new: there is nothing to put back
    )
    follows: tuple[
        str, ...
    ] = ()  # operations of which a call of it by a role within minutes is but the carrying out
    asked: Callable[[ChangeEvent, Resource], bool] | None = (
        None  # whether one of `follows` must have been called for it: an event of it is missing where none is seen
    )
    keys: Callable[[Json], Mapping[str, tuple[str, ...]]] | None = None
    """From the parameters, in an event's or a call's spelling, to the IAM condition keys of the request that name the
    part of the resource it changes: a policy can then guard that part alone."""


def inert(operation: str, touches: Callable[[ChangeEvent], tuple[str, ...]], example: Json) -> Change:
    """A change known to move no metric: tags, backups, drafts."""
    return Change(operation=operation, touches=touches, breaks="", example=example, inert=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An error text that names its cause: a setting's path or a condition's key."""

    match: str  # regular expression on one log line
    code: str  # error code: ThrottlingException
    reason: str  # the reason within it: TableWriteMaxOnDemandThroughputExceeded
    points_to: str  # Setting.path or Condition.key
    says: str  # for people: "the table's maximum write throughput was exceeded"
    own: bool = False  # it tells of whoever wrote the line: it counts in log groups of this service only
    group: str = ""  # regular expression that such a log group's name must hold: "mysql"
    remote: bool = (
        False  # it tells of whom the writer called, when the line names a resource; else of the writer
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A state of a resource that breaks things without any change: a hot partition, an expired key."""

    key: str
    type: str
    title: str  # "hot partition: ..."
    metrics: tuple[str, ...]  # names that are up while it holds
    breaks: str
    relieve: tuple[str, ...]  # what to do, in sentences; there is no setting to put back
    prevent: tuple[str, ...]
    beside: tuple[str, ...] = ()  # names of metrics that move with it, as they do for other reasons too
    scheduled: bool = False  # only a job that began right before can bring it about: see `tools.jobs`
    calls: Callable[[Resource], tuple[Call, ...]] | None = None  # a safe first step, if there is one
    shown: Callable[[Resource], bool] | None = (
        None  # whether the resource's own description says that it holds
    )
    excluded: Callable[[Resource], bool] | None = None  # whether its configuration says that it cannot hold
    tells: tuple[str, ...] = ()  # JMESPaths on the configuration of what `shown` rests on: "NotAfter"
    takes: Callable[[Resource], Mapping[str, float]] | None = (
        None  # what all its parts take together, per second, by metric: it holds only where one of many parts is full
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A read operation that this service file uses."""

    operation: str
    action: str  # IAM action: "dynamodb:DescribeTable"
    shows: str  # what its answer is good for, so that a refusal can say what is missing


class Directory(Protocol):
    """The resources known so far; resolves what configurations mention."""

    def by_arn(self, arn: str) -> Resource | None: ...

    def named(self, name: str, *types: str) -> tuple[Resource, ...]:
        """Resources of these types (all when none given) with exactly this name."""
        ...

    def of(self, *types: str) -> tuple[Resource, ...]: ...

    def mentioned(self, text: str) -> tuple[Resource, ...]:
        """Resources that a value means: an ARN, a queue URL, an API's host, an exact name of 3 letters."""
        ...

    def measured(self, namespace: str, dimensions: Mapping[str, str], region: str) -> str:
        """ARN of the resource that a CloudWatch metric is about, or ""."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What only the map of a whole account shows: parts, places, whom an alarm tells. No incident is looked into
    along it, but where CloudTrail is closed a few parts that it names ("consists of") are read for their limits.

    `relations` is pure, as `Service.relations` is; so is `parts`: parts that have more of a name than their ARN.
    `discover` lists what `Service.discover` does not; `fill` reads of resources of the types `fills` what neither
    listing nor describing tells. `gather` reads many resources of the types `gathers` in few answers: those of the
    given ones that it could read, as `Service.describe` would give them. What it leaves out is described one by one,
    and so is all when it raises Refused.
    """

    relations: Callable[[Resource, Directory], Iterable[Relation]] = lambda resource, directory: ()
    parts: Callable[[Resource], Iterable[Resource]] = lambda resource: ()
    discover: Callable[[Reader, str], Iterable[Resource]] | None = None
    fill: Callable[[Reader, Resource], Resource] | None = None
    fills: tuple[str, ...] = ()
    gather: Callable[[Reader, Sequence[Resource]], Iterable[Resource]] | None = None
    gathers: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()  # types of which a listing and `fill` tell all that a map shows
    skips: tuple[str, ...] = ()  # optional reads of `Service.describe` that no map shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All we know of one AWS service.

    `discover` lists cheaply (one list operation, more pages); `describe` reads one resource whole. Both take
    a `Reader`, which turns refusals into gaps where the caller says so. `relations` is pure: configuration
    in, relations out, both directions welcome as long as one end is the resource.
    """

    name: str  # = file name without the trailing underscore
    title: str  # "DynamoDB"
    client: str  # boto3 client name
    event_sources: tuple[str, ...]
    reads: tuple[Read, ...]
    types: Mapping[str, Literal["container", "component", "other"]]  # resource type -> level
    arns: Mapping[
        str, str
    ]  # resource type -> regular expression for "<service>:<resource>" of its ARN, whole
    discover: Callable[[Reader, str], Iterable[Resource]]  # reader, region
    describe: Callable[[Reader, str], Resource | None]  # reader, ARN; None when it does not exist
    relations: Callable[[Resource, Directory], Iterable[Relation]]
    namespace: str = ""  # CloudWatch namespace: "AWS/DynamoDB"
    dimensions: Callable[[Resource], tuple[tuple[str, str], ...]] | None = (
        None  # of its metrics, sorted by name
    )
    owner: Callable[[Mapping[str, str], str, str, str], str] | None = None
    """Dimensions of a metric of `namespace`, partition, region, account -> ARN of its resource, or ""."""
    metrics: tuple[MetricSpec, ...] = ()
    settings: tuple[Setting, ...] = ()
    changes: tuple[Change, ...] = ()
    conditions: tuple[Condition, ...] = ()
    signatures: tuple[Signature, ...] = ()
    log_groups: Callable[[Resource], tuple[str, ...]] | None = (
        None  # names of its log groups, most useful first
    )
    unlogged: Callable[[Resource], Gap | None] | None = None
    """What cannot be seen because what runs on a resource logs nowhere that can be read; None where it does, or where
    that is not known."""
    global_region: bool = False  # its events are in the partition's global region only (IAM)
    listed: bool = True  # False: its resources are found where others name them, never by listing all
    listed_near: tuple[str, ...] = ()  # though not `listed`: types of a symptom whose neighbours it may hold
    listed_for: Callable[[Resource], bool] | None = None
    """Though not `listed`: whether a resource near the symptom, read whole, shows that its resources matter there."""
    versions: Callable[[Reader, Resource], Iterable[tuple[str, datetime, Json, str]]] | None = None
    """Published versions of a resource, which never change: name, when made, what the settings' `read` would answer of
    it, evidence. None that only stand for the newest state."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Host names that spell out an ARN: regular expression with `region` -> "<service>:<resource>" with its groups."""
    shared: tuple[str, ...] = ()
    """Types that an owner may let other accounts read, under ids or ARNs that name nothing of their own: read from the
    run's account when there is no way into the owner's."""
    renew: Callable[[Resource], tuple[Call, ...]] | None = None
    """Calls that start what runs on a resource anew, its configuration as it is."""
    outline: Outline | None = None  # for maps of whole accounts
    complete: tuple[str, ...] = ()  # types that a listing, or being named, tells enough of for the topology

    @property
    def namespaces(self) -> frozenset[str]:
        """Every CloudWatch namespace that its metrics are in."""
        own = {spec.namespace for spec in self.metrics} | {self.namespace}
        return frozenset(own - {""})

    def namespace_of(self, spec: MetricSpec) -> str:
        return spec.namespace or self.namespace

    def dimensions_of(self, spec: MetricSpec, resource: Resource) -> tuple[tuple[str, str], ...]:
        """Of one metric of a resource, sorted by name; none when it has no such metric."""
        own = spec.dimensions or self.dimensions
        return own(resource) if own is not None else ()
