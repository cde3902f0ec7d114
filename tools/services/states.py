"""Step Functions: state machines, their published versions and aliases, activities and executions.

`config` of a state machine or a version is what DescribeStateMachine tells, `definition` as the text that AWS keeps;
of an alias, what DescribeStateMachineAlias tells. What executions carried is customers' data and is not read.

CloudTrail hides every definition: an event proves who and when. What it was before is found in published versions and
in old executions: each keeps the definition that it ran with (DescribeStateMachineForExecution, for 90 days; not for
express workflows, which keep no executions). Else only the template or repository that it was deployed from knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import touches_tagged
from tools.deliveries import meant, whom
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, relation, text, uses_key
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Missing,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "states.amazonaws.com"
_MOST_DEFINITIONS = 25  # of listed machines, one call each
_MOST_VERSIONS = 5
_MOST_EXECUTIONS = 16  # of which the definition is read, to find where it changed
_LISTED = 1000
_PAGES = 5  # a busy machine has many executions since the change
_QUEUE_URL = re.compile(r"^https://[^/]+/(\d{12})/([\w.-]+)$")


def machine_arn(arn: str) -> str:
    """The state machine of a version, an alias, an execution or itself."""
    arn = re.sub(r":(?:execution|express):([^:]+):.*$", r":stateMachine:\1", arn)
    return whom(re.sub(r":mapRun:([^:/]+).*$", r":stateMachine:\1", arn))


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    told = text(event.request, "stateMachineArn") or text(event.response, "stateMachineArn")
    name = text(event.request, "name")
    if arns.is_arn(told):
        return (machine_arn(told),)
    return (here(event, "states", f"stateMachine:{name}"),) if name else ()


def _touches_part(key: str, event: ChangeEvent) -> tuple[str, ...]:
    told = text(event.request, key) or text(event.response, key)
    return (told, machine_arn(told)) if arns.is_arn(told) else ()


_touches_alias = partial(_touches_part, "stateMachineAliasArn")
_touches_version = partial(_touches_part, "stateMachineVersionArn")


def _touches_execution(event: ChangeEvent) -> tuple[str, ...]:
    told = text(event.request, "executionArn")
    return (machine_arn(told), told) if arns.is_arn(told) else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All state machines; the first 25 with their definitions, one call each, which say what they call."""
    pages = reader.pages(
        "stepfunctions",
        "ListStateMachines",
        "stateMachines",
        region=region,
        token=("nextToken", "nextToken"),
        maxResults=_LISTED,
    )
    for item in pages.items[:_MOST_DEFINITIONS]:
        listed = _resource("state-machine", item["stateMachineArn"], item, pages.evidence)
        with reader.seeing(f"State machine {listed.name}", "what it calls"):
            listed = _described(reader, listed.arn) or listed
        yield listed
    for item in pages.items[_MOST_DEFINITIONS:]:
        yield _resource("state-machine", item["stateMachineArn"], item, pages.evidence)
    if len(pages.items) > _MOST_DEFINITIONS:
        why = f"there are {len(pages.items)} state machines; the definitions of the first {_MOST_DEFINITIONS} were read"
        reader.missing("Some definitions", why, "which state machines call what", code="BudgetSpent")


def _resource(
    type: str, arn: str, config: Json, evidence: Iterable[str], tags: dict[str, str] | None = None
) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="states",
        type=type,
        name=parts.name,
        account=parts.account,
        region=parts.region,
        config=plain({key: value for key, value in config.items() if key != "ResponseMetadata"}),
        tags=tags or {},
        evidence=tuple(id for id in evidence if id),
    )


def _type(arn: str) -> str:
    kind, _, name = arns.parse(arn).resource.partition(":")
    if kind != "stateMachine":
        return {"activity": "activity"}.get(kind, "execution")
    _, _, part = name.partition(":")
    return "state-machine-version" if part.isdigit() else "state-machine-alias" if part else "state-machine"


def _described(reader: Reader, arn: str) -> Resource | None:
    region = arns.parse(arn).region
    try:
        answer = reader.ask("stepfunctions", "DescribeStateMachine", region=region, stateMachineArn=arn)
    except NotThere:
        return None
    return _resource(_type(arn), arn, answer.data, [answer.evidence])


def describe(reader: Reader, arn: str) -> Resource | None:
    """A state machine with tags, a version or an alias; of an execution or activity only what its ARN tells."""
    type, region = _type(arn), arns.parse(arn).region
    if type == "state-machine-alias":
        try:
            answer = reader.ask(
                "stepfunctions", "DescribeStateMachineAlias", region=region, stateMachineAliasArn=arn
            )
        except NotThere:
            return None
        return _resource(type, arn, answer.data, [answer.evidence])
    if type not in ("state-machine", "state-machine-version"):
        return _resource(type, arn, {}, [])
    found = _described(reader, arn)
    if found is None or type == "state-machine-version":
        return found
    tags = optional(reader, "stepfunctions", "ListTagsForResource", "Tags", region=region, resourceArn=arn)
    kept = {tag["key"]: tag.get("value", "") for tag in (tags.data.get("tags") or [])} if tags else {}
    return _resource(type, arn, found.config, found.evidence, kept)


def versions(reader: Reader, resource: Resource) -> Iterable[tuple[str, datetime, Json, str]]:
    """Definitions and roles of before: published versions, then those that old executions ran with."""
    if resource.type != "state-machine":
        return
    at: Json = {"region": resource.region}
    listed = optional(
        reader,
        "stepfunctions",
        "ListStateMachineVersions",
        "Published versions",
        **at,
        stateMachineArn=resource.arn,
        maxResults=_MOST_VERSIONS,
    )
    for item in (listed.data.get("stateMachineVersions") or [])[:_MOST_VERSIONS] if listed else []:
        arn = item["stateMachineVersionArn"]
        shown = optional(
            reader, "stepfunctions", "DescribeStateMachine", "A published version", **at, stateMachineArn=arn
        )
        if shown is not None and shown.data:
            yield arn.rpartition(":")[2], item["creationDate"], plain(shown.data), shown.evidence
    if resource.config.get("type") != "EXPRESS":
        yield from _of_executions(reader, resource)


def _of_executions(reader: Reader, resource: Resource) -> Iterator[tuple[str, datetime, Json, str]]:
    """What executions ran with, each state of the machine once."""
    once: dict[datetime, tuple[Json, str]] = {}
    with reader.seeing(f"Executions of {resource.name}", "the definition before a change"):
        newest = _executions(reader, resource, _PAGES)
        once = _states_of(reader, resource, newest)
        if len(once) == 1 and len(newest) == _PAGES * _LISTED:
            # All of so many began since the last change. When it made them fail, the last to succeed began before it.
            once |= _states_of(reader, resource, _executions(reader, resource, 1, statusFilter="SUCCEEDED"))
    for when, (shown, evidence) in sorted(once.items()):
        yield text(shown, "revisionId") or when.isoformat(), when, shown, evidence


def _executions(reader: Reader, resource: Resource, pages: int, **more: str) -> list[Json]:
    """Newest first."""
    listed = reader.pages(
        "stepfunctions",
        "ListExecutions",
        "executions",
        region=resource.region,
        token=("nextToken", "nextToken"),
        limit=pages,
        stateMachineArn=resource.arn,
        maxResults=_LISTED,
        **more,
    )
    return list(listed.items)


def _states_of(
    reader: Reader, resource: Resource, executions: list[Json]
) -> dict[datetime, tuple[Json, str]]:
    """The machine as these executions ran with it, by when it became so: halving finds where two neighbours differ."""
    found: dict[int, tuple[datetime, Json, str]] = {}

    def ran_with(number: int) -> datetime | None:
        if number not in found and len(found) < _MOST_EXECUTIONS:
            shown = optional(
                reader,
                "stepfunctions",
                "DescribeStateMachineForExecution",
                "What an execution ran with",
                region=resource.region,
                executionArn=executions[number]["executionArn"],
            )
            if shown is not None and shown.data:
                found[number] = (shown.data["updateDate"], plain(shown.data), shown.evidence)
        return found[number][0] if number in found else None

    todo = [(0, len(executions) - 1)] if executions else []
    while todo:
        newest, oldest = todo.pop(0)
        first, second = ran_with(newest), ran_with(oldest)
        if first is None or second is None or first == second or oldest - newest < 2:
            continue
        middle = (newest + oldest) // 2
        todo += [(newest, middle), (middle, oldest)]
    return {when: (shown, evidence) for when, shown, evidence in found.values()}


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a machine's states call, as whom it runs, where it logs; which versions an alias means."""
    config = resource.config
    if resource.type == "state-machine-alias":
        yield relation(resource, machine_arn(resource.arn), "belongs to", "states:DescribeStateMachineAlias")
    if resource.type not in ("state-machine", "state-machine-version"):
        return
    said_by = "states:DescribeStateMachine"
    if role := text(config, "roleArn"):
        yield relation(resource, role, "runs as", f"{said_by} roleArn")
    key = text(config, "encryptionConfiguration", "kmsKeyId")
    yield from uses_key(resource, key, f"{said_by} encryptionConfiguration")
    for group in _groups(resource):
        target = arns.build("logs", resource.region, resource.account, f"log-group:{group}")
        yield relation(resource, target, "logs to", f"{said_by} loggingConfiguration")
    for name, state in _states(_document(config.get("definition"))):
        for target, kind in _called(resource, state, directory):
            if target != resource.arn:
                yield relation(resource, target, kind, f"{said_by} definition.States.{name}")


def _document(definition: Any) -> Json:
    try:
        found = json.loads(definition or "{}") if isinstance(definition, str) else definition
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _states(definition: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every state with its name, also within branches and maps."""
    states = definition.get("States") if isinstance(definition, Mapping) else None
    for name, state in states.items() if isinstance(states, Mapping) else ():
        if not isinstance(state, Mapping):
            continue
        yield str(name), state
        branches = state.get("Branches")
        for inner in (
            *(branches if isinstance(branches, list) else ()),
            state.get("Iterator"),
            state.get("ItemProcessor"),
        ):
            yield from _states(inner)


_NAMED: Mapping[str, tuple[str, str]] = {
    # Parameter of an API that names something: service and the begin of its ARN's resource.
    "FunctionName": ("lambda", "function:"),
    "TableName": ("dynamodb", "table/"),
    "StreamName": ("kinesis", "stream/"),
    "EventBusName": ("events", "event-bus/"),
    "DeliveryStreamName": ("firehose", "deliverystream/"),
    "Cluster": ("ecs", "cluster/"),
    "TaskDefinition": ("ecs", "task-definition/"),
}


def _called(resource: Resource, state: Mapping[str, Any], directory: Directory) -> Iterator[tuple[str, str]]:
    """ARNs that a task calls, each with how. What is only known while it runs is left out."""
    task = state.get("Resource")
    if not isinstance(task, str):
        return
    if arns.is_arn(task) and arns.parse(task).account:
        yield whom(task), "waits for" if ":activity:" in task else "invokes"
        return
    for key, value in _texts(state.get("Parameters") or state.get("Arguments") or {}):
        target = _target(resource, key, value, directory)
        if target:
            yield target, "invokes" if key in ("FunctionName", "StateMachineArn") else "uses"


def _target(resource: Resource, key: str, value: str, directory: Directory) -> str:
    if value.startswith(("$", "{%")):
        return ""
    if arns.is_arn(value):
        return whom(value) if arns.parse(value).account and ":iam:" not in value else ""
    if key == "QueueUrl" and (queue := _QUEUE_URL.match(value)):
        return arns.build("sqs", resource.region, queue.group(1), queue.group(2))
    if key == "ApiEndpoint":
        return next(meant(value, directory), "")
    if key in _NAMED and re.fullmatch(r"[\w.-]+(:[\w$-]+)?", value):
        service, head = _NAMED[key]
        return whom(arns.build(service, resource.region, resource.account, f"{head}{value}"))
    return ""


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a task's parameters with the name of its member. "X.$" is looked up while it runs."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not str(name).endswith(".$"):
                yield from _texts(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def _groups(resource: Resource) -> tuple[str, ...]:
    told = (resource.config.get("loggingConfiguration") or {}).get("destinations") or []
    found = (text(one, "cloudWatchLogsLogGroup", "logGroupArn") for one in told if isinstance(one, Mapping))
    return tuple(name for arn in found if (name := arn.partition(":log-group:")[2].removesuffix(":*")))


def log_groups(resource: Resource) -> tuple[str, ...]:
    return _groups(resource)


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    for key in ("StateMachineArn", "LambdaFunctionArn", "ActivityArn"):
        if arns.is_arn(arn := dimensions.get(key, "")):
            return whom(arn)
    return ""


# -- settings ---------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("stepfunctions", "DescribeStateMachine", resource, stateMachineArn=resource.arn)


def _read_alias(resource: Resource) -> Call:
    return call("stepfunctions", "DescribeStateMachineAlias", resource, stateMachineAliasArn=resource.arn)


def _update(resource: Resource, **members: Any) -> tuple[Call, ...]:
    # Members that are not sent are kept. Published versions and aliases are not touched by it.
    return (call("stepfunctions", "UpdateStateMachine", resource, stateMachineArn=resource.arn, **members),)


def _restore_definition(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not isinstance(value, str) or "States" not in _document(value):
        return ()  # hidden, or no definition
    return _update(resource, definition=value)


def _restore_role(resource: Resource, value: Value) -> tuple[Call, ...]:
    return _update(resource, roleArn=str(value)) if value else ()


def _restore_in(group: str, member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """One member of a group of settings; the group is replaced as one, and a role or definition has to come along."""
    role = text(resource.config, "roleArn")
    if value is None or not role:
        return ()
    return _update(resource, roleArn=role, **{group: {**(resource.config.get(group) or {}), member: value}})


def _restore_alias(resource: Resource, value: Value) -> tuple[Call, ...]:
    try:
        routes = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return ()
    if not isinstance(routes, list) or not routes:
        return ()
    sent = {"stateMachineAliasArn": resource.arn, "routingConfiguration": routes}
    return (call("stepfunctions", "UpdateStateMachineAlias", resource, **sent),)


_BREAKS = (
    Effect(metric="ExecutionsFailed", direction="up", after=(0, 90_000)),
    Effect(metric="ExecutionsTimedOut", direction="up", after=(0, 90_000), may=True),
    Effect(metric="ExecutionsSucceeded", direction="down", after=(0, 90_000)),
    Effect(metric="ExecutionsSucceeded", direction="silent", after=(0, 90_000)),
    Effect(metric="ExecutionTime", direction="up", after=(0, 90_000), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 90_000)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 90_000)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 90_000)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 90_000)),
)
_OTHER_CALLS = (
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 90_000), may=True),
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 90_000), may=True),
    Effect(metric="role:throttles", direction="up", on="downstream", after=(0, 90_000), may=True),
)
_SILENT = (
    Effect(metric="ExecutionsStarted", direction="silent", after=(0, 90_000)),
    Effect(metric="ExecutionsSucceeded", direction="silent", after=(0, 90_000)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 90_000)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 90_000)),
    Effect(metric="role:work", direction="silent", on="downstream", after=(0, 90_000)),
)


def _machine_setting(path: str, words: str, unset: Value, restore: Any, *effects: Effect) -> Setting:
    return Setting(
        type="state-machine",
        name=words,
        path=path,
        unit="",
        requests=dict.fromkeys(("UpdateStateMachine", "CreateStateMachine"), path),
        restore=restore,
        read=_read,
        query=path,
        unset=unset,
        echo="none",
        effects=effects,
        ready={"status": "ACTIVE"},
        beside=("roleArn",) if "." in path else (),
        versioned=path in ("definition", "roleArn"),
    )


SETTINGS = (
    _machine_setting("definition", "definition", None, _restore_definition, *_BREAKS, *_OTHER_CALLS),
    _machine_setting("roleArn", "role", None, _restore_role, *_BREAKS),
    # What is logged and traced moves no metric; that it went quiet in the logs is no failure.
    _machine_setting(
        "loggingConfiguration.level",
        "log level",
        "OFF",
        partial(_restore_in, "loggingConfiguration", "level"),
    ),
    _machine_setting(
        "tracingConfiguration.enabled",
        "tracing",
        False,
        partial(_restore_in, "tracingConfiguration", "enabled"),
    ),
    Setting(
        type="state-machine-alias",
        name="versions behind the alias",
        path="routingConfiguration",
        unit="",
        requests=dict.fromkeys(
            ("UpdateStateMachineAlias", "CreateStateMachineAlias"), "routingConfiguration"
        ),
        restore=_restore_alias,
        read=_read_alias,
        query="routingConfiguration",
        echo="none",
        effects=(*_BREAKS, *_OTHER_CALLS),
    ),
)

# -- changes ----------------------------------------------------------------------------------------

_MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:billing"
_ALIAS = f"{_MACHINE}:live"
_EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:billing:2026-03-13"
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_ROLE = "arn:aws:iam::111122223333:role/billing-machine"
_PARTS: Json = {
    "definition": _HIDDEN,
    "roleArn": _ROLE,
    "loggingConfiguration": {"level": "ERROR", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
}
_ROUTES: Json = {"routingConfiguration": [{"stateMachineVersionArn": f"{_MACHINE}:7", "weight": 100}]}
_DAY = "Mar 13, 2026, 5:12:31 PM"

CHANGES = (
    Change(
        operation="UpdateStateMachine",
        touches=_touches,
        breaks="New executions run another definition, or as a role that may do less; running ones keep what they had.",
        example=record(
            _SOURCE,
            "UpdateStateMachine",
            {"stateMachineArn": _MACHINE, **_PARTS},
            {"updateDate": _DAY, "revisionId": "5f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e"},
        ),
    ),
    Change(
        operation="UpdateStateMachineAlias",
        touches=_touches_alias,
        breaks="Callers of the alias get another version of the definition.",
        example=record(
            _SOURCE,
            "UpdateStateMachineAlias",
            {"stateMachineAliasArn": _ALIAS, **_ROUTES},
            {"updateDate": _DAY},
        ),
    ),
    Change(
        operation="DeleteStateMachine",
        touches=_touches,
        breaks="No execution can be started any more; running ones are stopped at their next state.",
        example=record(_SOURCE, "DeleteStateMachine", {"stateMachineArn": _MACHINE}),
        effects=_SILENT,
    ),
    Change(
        operation="DeleteStateMachineAlias",
        touches=_touches_alias,
        breaks="Callers of the alias fail.",
        example=record(_SOURCE, "DeleteStateMachineAlias", {"stateMachineAliasArn": _ALIAS}),
        effects=_SILENT,
    ),
    Change(
        operation="StopExecution",
        touches=_touches_execution,
        breaks="The running execution is aborted; what it had yet to do is not done.",
        example=record(_SOURCE, "StopExecution", {"executionArn": _EXECUTION}, {"stopDate": _DAY}),
        effects=(
            Effect(metric="ExecutionsAborted", direction="up", after=(0, 600)),
            Effect(metric="role:work", direction="down", on="downstream", after=(0, 3600)),
        ),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            (
                "CreateStateMachine",
                _touches,
                {"name": "billing", "type": "STANDARD", **_PARTS},
                {"stateMachineArn": _MACHINE, "creationDate": _DAY},
            ),
            (
                "CreateStateMachineAlias",
                _touches_alias,
                {"name": "live", **_ROUTES},
                {"stateMachineAliasArn": _ALIAS, "creationDate": _DAY},
            ),
            (
                "PublishStateMachineVersion",
                _touches,
                {"stateMachineArn": _MACHINE},
                {"stateMachineVersionArn": f"{_MACHINE}:7", "creationDate": _DAY},
            ),
            (
                "DeleteStateMachineVersion",
                _touches_version,
                {"stateMachineVersionArn": f"{_MACHINE}:6"},
                None,
            ),
            (
                "StartExecution",
                _touches,
                {"stateMachineArn": _MACHINE, "input": _HIDDEN},
                {"executionArn": _EXECUTION, "startDate": _DAY},
            ),
            ("RedriveExecution", _touches_execution, {"executionArn": _EXECUTION}, {"redriveDate": _DAY}),
            (
                "TagResource",
                touches_tagged,
                {"resourceArn": _MACHINE, "tags": [{"key": "team", "value": "shop"}]},
                None,
            ),
            ("UntagResource", touches_tagged, {"resourceArn": _MACHINE, "tagKeys": ["team"]}, None),
        )
    ),
)


def _metric(
    name: str, role: Role, bad: Any, unit: str, missing: Missing = "zero", stat: str = "Sum"
) -> MetricSpec:
    return MetricSpec(
        type="state-machine", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit
    )


SIGNATURES = (
    Signature(
        match=r"States\.Runtime\b|The JSONPath '.*' (specified|could not be found)|States\.(ParameterPathFailure"
        r"|ResultPathMatchFailure|NoChoiceMatched|IntrinsicFailure|QueryEvaluationError)",
        code="States.Runtime",
        reason="",
        points_to="definition",
        says="a state's definition does not fit its input",
    ),
    Signature(
        match=r"\bStates\.Timeout\b|\"type\"\s*:\s*\"(ExecutionTimedOut|TaskTimedOut)\"",
        code="States.Timeout",
        reason="",
        points_to="definition",
        says="a state or the whole execution ran into its timeout",
    ),
    Signature(
        match=r"(?i)Neither the global service principal states\.\S+, nor the regional one is authorized to assume the "
        r"provided role|states\.\S+ is not authorized to assume",
        code="AccessDeniedException",
        reason="",
        points_to="roleArn",
        says="Step Functions may not run as the state machine's role",
    ),
    Signature(
        match=r"\bStateMachineDoesNotExist\b|State Machine Does Not Exist",
        code="StateMachineDoesNotExist",
        reason="",
        points_to="DeleteStateMachine",
        says="the state machine does not exist",
    ),
    Signature(
        match=r"reached the maximum number of history events|\bExecutionHistoryLimit",
        code="States.ExceedHistoryLimit",
        reason="",
        points_to="history-limit",
        says="the execution reached the limit of its history",
    ),
    Signature(
        match=r"\bExecutionLimitExceeded\b",
        code="ExecutionLimitExceeded",
        reason="",
        points_to="executions-throttled",
        says="the account's limit of running executions is reached",
    ),
    Signature(
        match=r"\bStates\.DataLimitExceeded\b",
        code="States.DataLimitExceeded",
        reason="",
        points_to="payload-too-large",
        says="what a state passed on was larger than Step Functions allows",
    ),
)

CONDITIONS = (
    Condition(
        key="executions-throttled",
        type="state-machine",
        title="throttled executions: the account's rate of state transitions or its running executions are used up",
        metrics=("ExecutionThrottled",),
        breaks="Executions start or go on later than they should.",
        relieve=("Slow whoever starts most executions, and ask for a higher limit from Service Quotas.",),
        prevent=("Alarm on throttled executions.",),
    ),
    Condition(
        key="history-limit",
        type="state-machine",
        title="execution too long: it reached the limit of its history",
        metrics=("ExecutionsFailed",),
        breaks="The execution fails in the middle of its work.",
        relieve=("Split the work: start further executions from a map or before the limit is near.",),
        prevent=("Alarm on failed executions, and keep loops within an execution short.",),
    ),
    Condition(
        key="payload-too-large",
        type="state-machine",
        title="input or result too large for a state",
        metrics=("ExecutionsFailed",),
        breaks="Executions with large data fail, small ones work.",
        relieve=("Pass large data through a bucket, and only its place between states.",),
        prevent=("Alarm on failed executions, and bound what a task answers.",),
    ),
)

SERVICE = Service(
    name="states",
    title="Step Functions",
    client="stepfunctions",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="ListStateMachines",
            action="states:ListStateMachines",
            shows="which state machines exist",
        ),
        Read(
            operation="DescribeStateMachine",
            action="states:DescribeStateMachine",
            shows="a state machine's definition, role and logging",
        ),
        Read(
            operation="DescribeStateMachineAlias",
            action="states:DescribeStateMachineAlias",
            shows="which version callers of an alias get",
        ),
        Read(
            operation="ListStateMachineVersions",
            action="states:ListStateMachineVersions",
            shows="a state machine's definition before a change",
        ),
        Read(
            operation="ListExecutions",
            action="states:ListExecutions",
            shows="executions that keep the definition before a change",
        ),
        Read(
            operation="DescribeStateMachineForExecution",
            action="states:DescribeStateMachineForExecution",
            shows="the definition that an execution ran with",
        ),
        Read(
            operation="ListTagsForResource",
            action="states:ListTagsForResource",
            shows="who owns a state machine",
        ),
    ),
    types={
        "state-machine": "container",
        "state-machine-version": "component",
        "state-machine-alias": "component",
        "activity": "component",
        "execution": "other",
    },
    arns={
        "state-machine": r"states:stateMachine:[^:]+",
        "state-machine-version": r"states:stateMachine:[^:]+:\d+",
        "state-machine-alias": r"states:stateMachine:[^:]+:[^:]+",
        "activity": r"states:activity:[^:]+",
        "execution": r"states:(?:execution|express|mapRun):.+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/States",
    dimensions=lambda one: (("StateMachineArn", one.arn),) if one.type == "state-machine" else (),
    owner=owner,
    metrics=(
        _metric("ExecutionsStarted", "demand", "down", "executions started", "idle"),
        _metric("ExecutionsSucceeded", "work", "down", "executions done", "idle"),
        _metric("ExecutionsFailed", "errors", "up", "failed executions"),
        _metric("ExecutionsTimedOut", "errors", "up", "executions out of time"),
        _metric("ExecutionsAborted", "errors", "up", "aborted executions"),
        _metric("ExecutionThrottled", "throttles", "up", "throttled state transitions"),
        _metric("ExecutionTime", "latency", "up", "ms", "idle", "p99"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    listed=False,
    # It calls through its role, so nothing at what it calls names it.
    listed_near=("function", "queue", "topic", "task-definition"),
    versions=versions,
    complete=("execution", "activity", "state-machine-version"),
)
