"""EventBridge Pipes: from a source through a filter and an enrichment to a target.

`config` of a pipe is what DescribePipe tells. A pipe reads queues and streams by itself, through its role; nothing at
its source or target names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import touches_tagged
from tools.deliveries import last, meant, sent_again, task_of
from tools.errors import NotThere
from tools.evidence import canonical
from tools.kit import call, here, plain, record, relation, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)
from tools.setting_values import HIDDEN

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "pipes.amazonaws.com"
# Said at creation and never again: UpdatePipe refuses them.
_FIXED = frozenset(
    {
        "StartingPosition",
        "StartingPositionTimestamp",
        "QueueName",
        "VirtualHost",
        "TopicName",
        "ConsumerGroupID",
        "AdditionalBootstrapServers",
    }
)


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    told, name = text(event.response, "arn"), text(event.request, "name")
    if arns.is_arn(told):
        return (told,)
    return (here(event, "pipes", f"pipe/{name}"),) if name else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All pipes with source, enrichment, target and state: one list operation."""
    pages = reader.pages("pipes", "ListPipes", "Pipes", region=region, limit=20, Limit=100)
    for item in pages.items:
        yield _resource(item, pages.evidence)


def _resource(config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(config["Arn"])
    return Resource(
        arn=config["Arn"],
        service="pipes",
        type="pipe",
        name=config["Name"],
        account=parts.account,
        region=parts.region,
        config=plain(
            {key: value for key, value in config.items() if key not in ("Tags", "ResponseMetadata")}
        ),
        tags=dict(config.get("Tags") or {}),
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """One pipe as DescribePipe tells it; none of another account, for it is read by name."""
    parts = arns.parse(arn)
    if parts.account != reader.aws.account:
        return None
    try:
        answer = reader.ask("pipes", "DescribePipe", region=parts.region, Name=parts.name)
    except NotThere:
        return None
    return _resource({"Arn": arn, "Name": parts.name, **answer.data}, [answer.evidence])


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a pipe reads, what it asks on the way, where it delivers, as whom, and where its failures and logs go."""
    config, said_by = resource.config, "pipes:DescribePipe"
    for source in meant(text(config, "Source"), directory):
        yield Relation(
            source=source,
            target=resource.arn,
            kind="read by",
            provenance=f"{said_by} Source",
            evidence=resource.evidence,
        )
    for field, kind in (("Enrichment", "enriches with"), ("Target", "delivers to")):
        for target in meant(text(config, field), directory) if text(config, field) else ():
            yield relation(resource, target, kind, f"{said_by} {field}")
    yield from uses_key(resource, text(config, "KmsKeyIdentifier"), f"{said_by} KmsKeyIdentifier")
    if role := text(config, "RoleArn"):
        yield relation(resource, role, "runs as", f"{said_by} RoleArn")
    for name, parameters in (config.get("SourceParameters") or {}).items():
        if isinstance(parameters, Mapping) and (dead := text(parameters, "DeadLetterConfig", "Arn")):
            words = f"{said_by} SourceParameters.{name}.DeadLetterConfig"
            yield relation(resource, dead, "sends failures to", words)
    task = (config.get("TargetParameters") or {}).get("EcsTaskParameters") or {}
    yield from task_of(resource, task, f"{said_by} TargetParameters.EcsTaskParameters")
    if group := text(config, "LogConfiguration", "CloudwatchLogsLogDestination", "LogGroupArn"):
        yield relation(resource, group.removesuffix(":*"), "logs to", f"{said_by} LogConfiguration")


def log_groups(resource: Resource) -> tuple[str, ...]:
    arn = text(resource.config, "LogConfiguration", "CloudwatchLogsLogDestination", "LogGroupArn")
    name = arn.partition(":log-group:")[2].removesuffix(":*")
    return (name,) if name else ()


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("PipeName", "")
    return f"arn:{partition}:pipes:{region}:{account}:pipe/{name}" if name else ""


# -- settings ---------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("pipes", "DescribePipe", resource, Name=resource.name)


def _update(resource: Resource, **members: Any) -> tuple[Call, ...]:
    # UpdatePipe keeps the members that are not sent, but for the role, which it always wants.
    role = text(members, "RoleArn") or text(resource.config, "RoleArn")
    if not role:
        return ()
    return (call("pipes", "UpdatePipe", resource, Name=resource.name, **{**members, "RoleArn": role}),)


def _restore_state(resource: Resource, value: Value) -> tuple[Call, ...]:
    operation = "StopPipe" if value == "STOPPED" else "StartPipe"
    return (call("pipes", operation, resource, Name=resource.name),)


def _restore_member(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    return _update(resource, **{member: str(value)})


def _filters(value: Any) -> list[Json]:
    """Filters as DescribePipe tells them, from JSON text or a list, in either spelling."""
    try:
        found = json.loads(value) if isinstance(value, str) and value else value
    except ValueError:
        return []
    told = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    return [{"Pattern": text(one, "Pattern") or text(one, "pattern")} for one in told]


def _filters_shown(event: ChangeEvent, value: Value) -> Value:
    found = _filters(value)
    if any(one["Pattern"].startswith("HIDDEN_DUE_TO") for one in found):
        return HIDDEN
    return canonical(found) if found else ""


def _restore_filter(resource: Resource, value: Value) -> tuple[Call, ...]:
    filters = _filters(value)
    if bool(value) != bool(filters) or not all(one["Pattern"] for one in filters):
        return ()  # it cannot be read, so it cannot be sent
    return _update(resource, SourceParameters={"FilterCriteria": {"Filters": filters} if filters else {}})


def _restore_source(
    kind: str, member: str, number: bool, resource: Resource, value: Value
) -> tuple[Call, ...]:
    """The whole parameters of a kind of source with one changed: those left out would fall back to defaults."""
    held = (resource.config.get("SourceParameters") or {}).get(kind)
    kept = {key: item for key, item in (held or {}).items() if key not in _FIXED and item is not None}
    if value in (None, ""):
        kept.pop(member, None)
    elif member == "DeadLetterConfig":
        kept[member] = {"Arn": str(value)}
    else:
        kept[member] = whole(value) if number else str(value)
    return _update(resource, SourceParameters={kind: kept})


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _source_setting(
    kind: str, member: str, words: str, unit: str, default: Value, *effects: Effect
) -> Setting:
    inner = f"{member}.Arn" if member == "DeadLetterConfig" else member
    path = f"SourceParameters.{kind}.{inner}"
    sent = ".".join(_camel(part) for part in path.split("."))
    # Parameters of a kind of source are replaced as one: a member left out of them is set to its default.
    literal = "''" if default == "" else f"`{default}`"
    within = f"{sent.rpartition('.' + _camel(inner.partition('.')[0]))[0]}"
    return Setting(
        type="pipe",
        name=words,
        path=path,
        unit=unit,
        requests=dict.fromkeys(
            ("UpdatePipe", "CreatePipe"),
            sent
            if default is None
            else f"[{within}][?@].[{sent.removeprefix(within + '.')} || {literal}] | [0][0]",
        ),
        restore=partial(_restore_source, kind, member, isinstance(default, int)),
        read=_read,
        query=path,
        unset=default,
        echo="none",
        effects=effects,
        beside=("RoleArn",),
    )


def _silent(after: tuple[int, int] = (0, 1800)) -> tuple[Effect, ...]:
    return (
        Effect(metric="Invocations", direction="silent", after=after),
        Effect(metric="EventCount", direction="silent", after=after),
        Effect(metric="EventCount", direction="down", after=after),
        Effect(metric="role:backlog", direction="up", on="upstream", after=after),
        Effect(metric="role:demand", direction="silent", on="downstream", after=after),
        Effect(metric="role:demand", direction="down", on="downstream", after=after),
        Effect(metric="role:work", direction="silent", on="downstream", after=after),
        Effect(metric="role:work", direction="down", on="downstream", after=after),
    )


_FAILS = (
    Effect(metric="ExecutionFailed", direction="up", after=(0, 1800)),
    Effect(metric="TargetStageFailed", direction="up", after=(0, 1800)),
    *_silent()[3:],
)
_FILTERED = (
    *_silent()[1:3],
    *_silent()[4:],
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 1800), may=True),
)
_BATCH = (
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 3600), when="lowered"),
    Effect(metric="Invocations", direction="up", after=(0, 1800), when="lowered"),
    Effect(metric="role:latency", direction="up", on="downstream", after=(0, 1800), when="raised"),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 1800), when="raised"),
    Effect(metric="TargetStageFailed", direction="up", after=(0, 1800), when="raised"),
)
_WAITS = (
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 3600), when="raised"),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800), when="raised"),
)
_GIVES_UP = (
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 90_000), when="raised"),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 90_000), when="lowered"),
)
_STREAMS = ("KinesisStreamParameters", "DynamoDBStreamParameters")
_SOURCE_SETTINGS = (
    _source_setting("SqsQueueParameters", "BatchSize", "batch size", "messages", 10, *_BATCH),
    _source_setting(
        "SqsQueueParameters", "MaximumBatchingWindowInSeconds", "batching window", "seconds", 0, *_WAITS
    ),
    *(
        _source_setting(kind, member, words, unit, default, *effects)
        for kind in _STREAMS
        for member, words, unit, default, effects in (
            ("BatchSize", "batch size", "records", 100, _BATCH),
            ("MaximumBatchingWindowInSeconds", "batching window", "seconds", 0, _WAITS),
            ("MaximumRetryAttempts", "retries", "retries", -1, _GIVES_UP),
            ("MaximumRecordAgeInSeconds", "longest age of records", "seconds", -1, _GIVES_UP),
            (
                "ParallelizationFactor",
                "readers a shard",
                "readers",
                1,
                (
                    Effect(
                        metric="role:backlog", direction="up", on="upstream", after=(0, 3600), when="lowered"
                    ),
                    Effect(
                        metric="role:throttles",
                        direction="up",
                        on="downstream",
                        after=(0, 3600),
                        when="raised",
                    ),
                ),
            ),
            ("DeadLetterConfig", "dead-letter queue", "", "", ()),
        )
    ),
)

SETTINGS = (
    Setting(
        type="pipe",
        name="desired state",
        path="DesiredState",
        unit="",
        requests={
            "StopPipe": '`"STOPPED"`',
            "StartPipe": '`"RUNNING"`',
            "UpdatePipe": "desiredState",
            "CreatePipe": "desiredState || 'RUNNING'",
        },
        restore=_restore_state,
        read=_read,
        query="DesiredState",
        unset="RUNNING",
        echo="new",
        echo_path="desiredState",
        effects=_silent(),
    ),
    *(
        Setting(
            type="pipe",
            name=words,
            path=member,
            unit="",
            requests=dict.fromkeys(("UpdatePipe", "CreatePipe"), _camel(member)),
            restore=partial(_restore_member, member),
            read=_read,
            query=member,
            unset=unset,
            echo="none",
            effects=effects,
            beside=() if member == "RoleArn" else ("RoleArn",),
        )
        for member, words, unset, effects in (
            ("Target", "target", None, _FAILS),
            (
                "Enrichment",
                "enrichment",
                "",
                (*_FAILS, Effect(metric="EnrichmentStageFailed", direction="up", after=(0, 1800))),
            ),
            ("RoleArn", "role", None, _FAILS),
            ("KmsKeyIdentifier", "encryption key", "", _FAILS),
        )
    ),
    Setting(
        type="pipe",
        name="filter",
        path="SourceParameters.FilterCriteria.Filters",
        unit="",
        requests=dict.fromkeys(
            ("UpdatePipe", "CreatePipe"),
            "[sourceParameters][?type(@) == 'object' && contains(keys(@), 'filterCriteria')]"
            ".[filterCriteria.filters || ''] | [0][0]",
        ),
        restore=_restore_filter,
        read=_read,
        query="SourceParameters.FilterCriteria.Filters",
        unset="",
        echo="none",
        means=_filters_shown,
        effects=_FILTERED,
        beside=("RoleArn",),
    ),
    *_SOURCE_SETTINGS,
)

# -- changes ----------------------------------------------------------------------------------------


def _undo_delete(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """CreatePipe as it was made, when nothing but its state was changed since and CloudTrail shows it whole."""
    own = [one for one in earlier if _touches(one)[:1] == _touches(event)[:1]]
    made = last(own, ("CreatePipe", "UpdatePipe", "DeletePipe"), lambda one: True)
    if made is None or made.operation != "CreatePipe":
        return ()
    switched = last(own, ("CreatePipe", "StartPipe", "StopPipe"), lambda one: True)
    state = {"StartPipe": "RUNNING", "StopPipe": "STOPPED"}.get(switched.operation if switched else "")
    request = {**made.request, **({"desiredState": state} if state else {})}
    return sent_again("pipes", "CreatePipe", event, request)


_ARN = "arn:aws:pipes:eu-west-1:111122223333:pipe/orders-to-billing"
_NAME: Json = {"name": "orders-to-billing"}
_ROLE = "arn:aws:iam::111122223333:role/orders-pipe"
_DEAD = "arn:aws:sqs:eu-west-1:111122223333:orders-dead"
_PATTERN = '{"body": {"kind": ["order_placed"]}}'
_STREAM: Json = {
    "batchSize": 100,
    "deadLetterConfig": {"arn": _DEAD},
    "maximumBatchingWindowInSeconds": 5,
    "maximumRecordAgeInSeconds": 3600,
    "maximumRetryAttempts": 3,
    "parallelizationFactor": 2,
}
_UPDATE: Json = {
    **_NAME,
    "roleArn": _ROLE,
    "desiredState": "RUNNING",
    "kmsKeyIdentifier": "alias/orders",
    "enrichment": "arn:aws:lambda:eu-west-1:111122223333:function:order-details",
    "target": "arn:aws:states:eu-west-1:111122223333:stateMachine:billing",
    "sourceParameters": {
        "filterCriteria": {"filters": [{"pattern": _PATTERN}]},
        "sqsQueueParameters": {"batchSize": 1, "maximumBatchingWindowInSeconds": 60},
        "kinesisStreamParameters": _STREAM,
        "dynamoDBStreamParameters": _STREAM,
    },
}
_CREATE: Json = {
    **_UPDATE,
    "source": "arn:aws:sqs:eu-west-1:111122223333:orders-queue",
    "sourceParameters": {"sqsQueueParameters": {"batchSize": 10}},
}


def _answer(desired: str, current: str) -> Json:
    return {"arn": _ARN, **_NAME, "desiredState": desired, "currentState": current}


CHANGES = (
    Change(
        operation="StopPipe",
        touches=_touches,
        breaks="The pipe reads nothing any more: its source fills up, its target gets nothing.",
        example=record(_SOURCE, "StopPipe", _NAME, _answer("STOPPED", "STOPPING")),
    ),
    Change(
        operation="StartPipe",
        touches=_touches,
        breaks="The pipe reads again: what has piled up reaches its target at once.",
        example=record(_SOURCE, "StartPipe", _NAME, _answer("RUNNING", "STARTING")),
    ),
    Change(
        operation="UpdatePipe",
        touches=_touches,
        breaks="The pipe passes on less, in other batches, to somebody else, or fails.",
        example=record(_SOURCE, "UpdatePipe", _UPDATE, _answer("RUNNING", "UPDATING")),
    ),
    Change(
        operation="DeletePipe",
        touches=_touches,
        breaks="Nothing passes from its source to its target any more.",
        example=record(_SOURCE, "DeletePipe", _NAME, _answer("DELETED", "DELETING")),
        effects=_silent(),
        undo=_undo_delete,
        earlier=("CreatePipe", "UpdatePipe", "StartPipe", "StopPipe"),
    ),
    Change(
        operation="CreatePipe",
        touches=_touches,
        breaks="It takes messages from its source that others may have waited for.",
        example=record(_SOURCE, "CreatePipe", _CREATE, _answer("RUNNING", "CREATING")),
        effects=(
            Effect(metric="role:demand", direction="up", on="downstream", after=(0, 1800)),
            Effect(metric="role:backlog", direction="down", on="upstream", after=(0, 1800)),
        ),
    ),
    *(
        inert(operation, touches_tagged, record(_SOURCE, operation, {"resourceArn": _ARN, **more}))
        for operation, more in (
            ("TagResource", {"tags": {"team": "shop"}}),
            ("UntagResource", {"tagKeys": ["team"]}),
        )
    ),
)


def _metric(name: str, role: Role, bad: Any, unit: str, stat: str = "Sum") -> MetricSpec:
    # Pipes write a zero where nothing failed.
    return MetricSpec(
        type="pipe",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing="zero" if role in ("errors", "throttles") else "idle",
        unit=unit,
    )


SERVICE = Service(
    name="pipes",
    title="EventBridge Pipes",
    client="pipes",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="ListPipes", action="pipes:ListPipes", shows="which pipes read what and deliver where"
        ),
        Read(
            operation="DescribePipe",
            action="pipes:DescribePipe",
            shows="a pipe's state, filter, batches, role and dead-letter queue",
        ),
    ),
    types={"pipe": "container"},
    arns={"pipe": r"pipes:pipe/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/EventBridge/Pipes",
    dimensions=lambda resource: (("PipeName", resource.name),),
    owner=owner,
    metrics=(
        _metric("Invocations", "demand", "down", "runs"),
        _metric("EventCount", "work", "down", "events"),
        _metric("ExecutionFailed", "errors", "up", "failed runs"),
        _metric("ExecutionPartiallyFailed", "errors", "up", "partly failed runs"),
        _metric("ExecutionTimeout", "errors", "up", "runs out of time"),
        _metric("ExecutionThrottled", "throttles", "up", "throttled runs"),
        _metric("EnrichmentStageFailed", "errors", "up", "failed enrichments"),
        _metric("TargetStageFailed", "errors", "up", "failed deliveries"),
        _metric("Duration", "latency", "up", "ms", "p99"),
        _metric("EnrichmentStageDuration", "latency", "up", "ms", "p99"),
        _metric("TargetStageDuration", "latency", "up", "ms", "p99"),
        _metric("ConcurrentExecutions", "saturation", "", "concurrent runs", "Maximum"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=(
        Condition(
            key="pipe-failed",
            type="pipe",
            title="pipe that AWS could not start, stop or update",
            metrics=(),
            breaks="The pipe does not pass anything on, though it should.",
            relieve=(
                "Read why in the pipe's state reason: its role, its source or its target is out of reach.",
                "Start the pipe again when the reason is gone.",
            ),
            prevent=("Alarm on the age of the oldest message of the source.",),
            shown=lambda pipe: str(pipe.config.get("CurrentState", "")).endswith("_FAILED"),
        ),
        Condition(
            key="target-refused",
            type="pipe",
            title="target or enrichment refuses what the pipe sends",
            metrics=("ExecutionFailed", "TargetStageFailed", "EnrichmentStageFailed"),
            breaks="Messages are repeated; a stream stands still behind them, a queue sets them aside.",
            relieve=(
                "Compare the pipe's role, the target and the message's form with what they were.",
                "Switch the pipe's error log on with execution data, which tells the target's answer.",
            ),
            prevent=("Alarm on failed runs of the pipe, and give a stream's pipe a dead-letter queue.",),
        ),
        Condition(
            key="pipes-throttled",
            type="pipe",
            title="throttled pipe: the account's concurrent runs of pipes are used up",
            metrics=("ExecutionThrottled",),
            breaks="The source fills up faster than the pipe reads it.",
            relieve=("Raise batch sizes, or ask for more concurrent runs of pipes.",),
            prevent=("Alarm on throttled runs.",),
        ),
    ),
    signatures=(
        Signature(
            match=r"(?i)\"messageType\"\s*:\s*\"(target|enrichment)_?(stage|invocation)_?failed\"",
            code="TargetInvocationFailed",
            reason="",
            points_to="target-refused",
            says="the pipe's target or enrichment refused a message",
            own=True,
        ),
        Signature(
            match=r"(?i)\"messageType\"\s*:\s*\"execution_?throttled\"",
            code="ExecutionThrottled",
            reason="",
            points_to="pipes-throttled",
            says="the pipe was throttled",
            own=True,
        ),
    ),
    log_groups=log_groups,
    listed=False,
    listed_near=("queue", "function", "state-machine", "topic", "event-bus", "stream"),
)
