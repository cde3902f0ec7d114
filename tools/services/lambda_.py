"""Lambda: functions, their limits and versions, and the event source mappings that feed them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.arn import build
from tools.arn import parse as parse_arn
from tools.errors import BadInput, NotThere
from tools.kit import OFF, call, here, optional, record, reference, relation, text, uses, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.policies import document, listed
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "lambda.amazonaws.com"
_VERSIONS_A_PAGE = 50  # Lambda API reference, ListVersionsByFunction
# Rules and topics are not listed: the policy of what they call is where they are found.
_CALLER = re.compile(
    r"^arn:[\w-]+:(?:events:[\w-]+:\d{12}:rule/|sns:[\w-]+:\d{12}:|s3:::)[^*?/]+(?:/[^*?]+)?$"
)
_API = re.compile(r"^arn:[\w-]+:execute-api:([\w-]+):\d{12}:([a-z0-9]+)/")


def function_arn(event: ChangeEvent, name: str) -> str:
    """The unqualified function ARN for a name, name:qualifier, partial or full ARN, as callers send them."""
    found = re.search(r"(?:^|function:)([A-Za-z0-9_-]+)(?::[\w$-]+)?$", name)
    return here(event, "lambda", f"function:{found.group(1) if found else name}")


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "functionName") or text(event.response, "functionName")
    return (function_arn(event, name),) if name else ()


def _touches_alias(event: ChangeEvent) -> tuple[str, ...]:
    function = _touches(event)
    return tuple(f"{arn}:{text(event.request, 'name')}" for arn in function) + function


def _touches_mapping(event: ChangeEvent) -> tuple[str, ...]:
    # CloudTrail spells the identifier uUID.
    ids = [text(place, key) for place in (event.request, event.response) for key in ("uUID", "uuid")]
    uuid = next((id for id in ids if id), "")
    function = text(event.response, "functionArn") or text(event.request, "functionName")
    source = text(event.response, "eventSourceArn") or text(event.request, "eventSourceArn")
    found = [here(event, "lambda", f"event-source-mapping:{uuid}")] if uuid else []
    found += [function_arn(event, function)] if function else []
    return (*found, *([source] if source else []))


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resource")
    return (arn,) if arn else ()


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All functions with their configuration, then all event source mappings: two list operations."""
    functions = reader.pages(
        "lambda", "ListFunctions", "Functions", region=region, token=("Marker", "NextMarker"), limit=40
    )
    for config in functions.items:
        yield _function(config, region, functions.evidence)
    with reader.seeing("Event source mappings", "which queues and streams feed which functions"):
        mappings = reader.pages(
            "lambda",
            "ListEventSourceMappings",
            "EventSourceMappings",
            region=region,
            token=("Marker", "NextMarker"),
            limit=40,
        )
        for config in mappings.items:
            yield _mapping(config, region, reader.aws.account, mappings.evidence)


def _function(config: Json, region: str, evidence: tuple[str, ...]) -> Resource:
    arn = re.sub(r"(:function:[^:]+):.*$", r"\1", config["FunctionArn"])
    return Resource(
        arn=arn,
        service="lambda",
        type="function",
        name=config["FunctionName"],
        account=parse_arn(arn).account,
        region=region,
        config=_safe(config),
        evidence=evidence,
    )


def _mapping(config: Json, region: str, account: str, evidence: tuple[str, ...]) -> Resource:
    return Resource(
        arn=build("lambda", region, account, f"event-source-mapping:{config['UUID']}"),
        service="lambda",
        type="event-source-mapping",
        name=config["UUID"],
        account=account,
        region=region,
        config={
            **{
                key: value.isoformat() if hasattr(value, "isoformat") else value
                for key, value in config.items()
            },
            "Enabled": config.get("State") not in ("Disabled", "Disabling"),
        },
        evidence=evidence,
    )


def _safe(config: Json) -> Json:
    """The configuration with only those environment values that look like references; others by name."""
    variables: Mapping[str, str] = (config.get("Environment") or {}).get("Variables") or {}
    kept = {key: value for key, raw in sorted(variables.items()) if (value := reference(key, raw))}
    hidden = sorted(set(variables) - set(kept))
    return {**config, "Environment": {"Variables": kept, "Hidden": hidden}}


def describe(reader: Reader, arn: str) -> Resource | None:
    """A function with concurrency, policy, aliases and asynchronous settings; or one event source mapping."""
    parts = parse_arn(arn)
    if parts.type == "event-source-mapping":
        return _describe_mapping(reader, arn)
    name, _, qualifier = parts.name.partition(":")
    if qualifier:
        return _describe_alias(reader, arn, name, qualifier)
    at: dict[str, Any] = {"region": parts.region, "FunctionName": name}
    try:
        answer = reader.ask("lambda", "GetFunctionConfiguration", **at)
    except NotThere:
        return None
    found = _function(answer.data, parts.region, (answer.evidence,))
    config, evidence = dict(found.config), [answer.evidence]
    for operation, what, keep in _PARTS:
        if (part := optional(reader, "lambda", operation, what, **at)) is not None:
            config.update(keep(part.data))
            evidence.append(part.evidence)
    tags = optional(reader, "lambda", "ListTags", "Tags", region=parts.region, Resource=found.arn)
    return Resource(
        arn=found.arn,
        service="lambda",
        type="function",
        name=found.name,
        account=parts.account,
        region=parts.region,
        config=config,
        tags=dict(tags.data.get("Tags", {})) if tags else {},
        evidence=tuple(id for id in evidence if id),
    )


_PARTS = (
    (
        "GetFunctionConcurrency",
        "Reserved concurrency",
        lambda data: {"ReservedConcurrentExecutions": data.get("ReservedConcurrentExecutions")},
    ),
    ("GetPolicy", "Resource policy", lambda data: {"Policy": document(data.get("Policy", "{}"))}),
    ("ListAliases", "Aliases", lambda data: {"Aliases": data.get("Aliases", [])}),
    (
        "GetFunctionEventInvokeConfig",
        "Asynchronous settings",
        lambda data: {
            "EventInvokeConfig": {
                key: data[key]
                for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
                if key in data
            }
        },
    ),
)


def _describe_alias(reader: Reader, arn: str, function: str, alias: str) -> Resource | None:
    parts = parse_arn(arn)
    try:
        answer = reader.ask("lambda", "GetAlias", region=parts.region, FunctionName=function, Name=alias)
    except NotThere:
        return None
    return Resource(
        arn=arn,
        service="lambda",
        type="alias",
        name=f"{function}:{alias}",
        account=parts.account,
        region=parts.region,
        config=answer.data,
        evidence=(answer.evidence,),
    )


def _describe_mapping(reader: Reader, arn: str) -> Resource | None:
    parts = parse_arn(arn)
    try:
        answer = reader.ask("lambda", "GetEventSourceMapping", region=parts.region, UUID=parts.name)
    except NotThere:
        return None
    return _mapping(answer.data, parts.region, parts.account, (answer.evidence,))


# -- relations -------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What feeds a function, what it uses, whom it runs as, where it logs and sends results."""
    if resource.type == "event-source-mapping":
        yield from _feeds(resource)
    elif resource.type == "function":
        yield from _uses(resource, directory)
        yield from _invoked(resource, directory)
        yield from _sends(resource)


def _feeds(mapping: Resource) -> Iterable[Relation]:
    source, target = text(mapping.config, "EventSourceArn"), text(mapping.config, "FunctionArn")
    if not source or not target:
        return
    # A stream's ARN lies below its table's: table/orders/stream/2026-01-01T00:00:00.000
    table = re.sub(r"(:table/[^/]+)/stream/.*$", r"\1", source)
    function = re.sub(r"(:function:[^:]+):.*$", r"\1", target)
    off = OFF if text(mapping.config, "State") in ("Disabled", "Disabling") else ""
    said_by = f"lambda:ListEventSourceMappings EventSourceArn{off}"
    yield Relation(
        source=table, target=function, kind="triggers", provenance=said_by, evidence=mapping.evidence
    )
    yield Relation(
        source=table, target=mapping.arn, kind="read by", provenance=said_by, evidence=mapping.evidence
    )
    yield relation(mapping, function, "feeds", f"lambda:ListEventSourceMappings FunctionArn{off}")
    if failed := text(mapping.config, "DestinationConfig", "OnFailure", "Destination"):
        yield Relation(
            source=function,
            target=failed,
            kind="sends failures to",
            provenance="lambda:ListEventSourceMappings DestinationConfig.OnFailure",
            evidence=mapping.evidence,
        )


def _uses(resource: Resource, directory: Directory) -> Iterable[Relation]:
    role = text(resource.config, "Role")
    variables = (resource.config.get("Environment") or {}).get("Variables", {})
    yield from uses(resource, variables, role, directory, "lambda:GetFunctionConfiguration Environment")
    if role:
        yield relation(resource, role, "runs as", "lambda:GetFunctionConfiguration Role")
    yield from uses_key(
        resource, text(resource.config, "KMSKeyArn"), "lambda:GetFunctionConfiguration KMSKeyArn"
    )
    network = resource.config.get("VpcConfig") or {}
    for key, kind, word in (
        ("SubnetIds", "in", "subnet"),
        ("SecurityGroupIds", "guarded by", "security-group"),
    ):
        for id in network.get(key) or []:
            target = build("ec2", resource.region, resource.account, f"{word}/{id}")
            yield relation(resource, target, kind, f"lambda:GetFunctionConfiguration VpcConfig.{key}")


def _invoked(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Callers that the function's resource policy admits by a specific source ARN."""
    for statement in listed((resource.config.get("Policy") or {}).get("Statement")):
        for source in _sources(statement):
            found = _API.match(source)
            callers = (
                [
                    a.arn
                    for a in directory.of("api")
                    if a.region == found.group(1) and a.config.get("Id") == found.group(2)
                ]
                if found
                else [source]
                if directory.by_arn(source) is not None or _CALLER.match(source)
                else []
            )
            for caller in callers:
                yield Relation(
                    source=caller,
                    target=resource.arn,
                    kind="invokes",
                    provenance="lambda:GetPolicy Condition.SourceArn",
                    confidence=0.8,
                    evidence=resource.evidence,
                )


def _sources(statement: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for test in (statement.get("Condition") or {}).values():
        for key, value in test.items():
            if key.lower() == "aws:sourcearn":
                found.extend(str(item) for item in listed(value))
    return found


def _sends(resource: Resource) -> Iterable[Relation]:
    for group in (
        log_groups(resource) if resource.config else ()
    ):  # nothing was read of what is gone or refused
        target = build("logs", resource.region, resource.account, f"log-group:{group}")
        yield relation(resource, target, "logs to", "lambda:GetFunctionConfiguration LoggingConfig.LogGroup")
    if dead := text(resource.config, "DeadLetterConfig", "TargetArn"):
        said_by = "lambda:GetFunctionConfiguration DeadLetterConfig"
        yield relation(resource, dead, "sends failures to", said_by)
    destinations = (resource.config.get("EventInvokeConfig") or {}).get("DestinationConfig") or {}
    for which, kind in (("OnFailure", "sends failures to"), ("OnSuccess", "sends results to")):
        if target := text(destinations, which, "Destination"):
            said_by = f"lambda:GetFunctionEventInvokeConfig DestinationConfig.{which}"
            yield relation(resource, target, kind, said_by)


def log_groups(resource: Resource) -> tuple[str, ...]:
    if resource.type != "function":
        return ()
    return (text(resource.config, "LoggingConfig", "LogGroup") or f"/aws/lambda/{resource.name}",)


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    if name := dimensions.get("FunctionName", ""):
        return f"arn:{partition}:lambda:{region}:{account}:function:{name}"
    if uuid := dimensions.get("EventSourceMappingUUID", ""):
        return f"arn:{partition}:lambda:{region}:{account}:event-source-mapping:{uuid}"
    return ""


# -- settings --------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("lambda", "GetFunctionConfiguration", resource, FunctionName=resource.name)


def versions(reader: Reader, resource: Resource) -> Iterable[tuple[str, datetime, Json, str]]:
    """The published versions of a function. None when there are too many to list: the newest come last."""
    if resource.type != "function":
        return
    pages = reader.pages(
        "lambda",
        "ListVersionsByFunction",
        "Versions",
        region=resource.region,
        token=("Marker", "NextMarker"),
        limit=40,
        FunctionName=resource.name,
    )
    if not pages.complete:
        reader.missing(
            f"Versions of {resource.name}",
            f"there are more than {len(pages.items)}",
            "the values before the change",
            code="TooMuch",
        )
        return
    for number, item in enumerate(pages.items):
        if item["Version"] != "$LATEST":
            made = datetime.strptime(item["LastModified"], "%Y-%m-%dT%H:%M:%S.%f%z")
            yield item["Version"], made, item, pages.of(number, _VERSIONS_A_PAGE)


def _restore_member(member: str, number: bool, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    sent = whole(value) if number else str(value)
    return (
        call("lambda", "UpdateFunctionConfiguration", resource, FunctionName=resource.name, **{member: sent}),
    )


_IDLE: Mapping[str, Value] = {"State": "Active", "LastUpdateStatus": "Successful"}
_FAILS = (
    Effect(metric="Errors", direction="up", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800)),
)


def _configured(
    member: str, camel: str, name: str, unit: str, effects: tuple[Effect, ...], number: bool
) -> Setting:
    return Setting(
        type="function",
        name=name,
        path=member,
        unit=unit,
        requests=dict.fromkeys(("UpdateFunctionConfiguration", "CreateFunction"), camel),
        restore=partial(_restore_member, member, number),
        read=_read,
        query=member,
        echo="new",
        echo_path=camel,
        effects=effects,
        ready=_IDLE,
        versioned=True,
    )


def _restore_part(member: str, inner: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    sent = whole(value) if inner == "Size" and value is not None else value
    if sent is None and member != "DeadLetterConfig":
        return ()
    # An empty ARN takes the dead-letter queue away (API reference); nothing does it for the others.
    part = {member: {inner: "" if sent is None else sent}}
    return (call("lambda", "UpdateFunctionConfiguration", resource, FunctionName=resource.name, **part),)


def _part(
    member: str, inner: str, name: str, unit: str, effects: tuple[Effect, ...] = (), unset: Value = None
) -> Setting:
    """A setting inside of a member of the configuration."""
    camel = f"{member[0].lower()}{member[1:]}.{inner[0].lower()}{inner[1:]}"
    return Setting(
        type="function",
        name=name,
        path=f"{member}.{inner}",
        unit=unit,
        requests=dict.fromkeys(("UpdateFunctionConfiguration", "CreateFunction"), camel),
        restore=partial(_restore_part, member, inner),
        read=_read,
        query=f"{member}.{inner}",
        unset=unset,
        echo="new",
        echo_path=camel,
        effects=effects,
        ready=_IDLE,
        versioned=True,
    )


def _restore_layers(resource: Resource, value: Value) -> tuple[Call, ...]:
    layers = str(value).split(",") if value else []
    return (
        call("lambda", "UpdateFunctionConfiguration", resource, FunctionName=resource.name, Layers=layers),
    )


def _restore_concurrency(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None or value == -1:
        return (call("lambda", "DeleteFunctionConcurrency", resource, FunctionName=resource.name),)
    return (
        call(
            "lambda",
            "PutFunctionConcurrency",
            resource,
            FunctionName=resource.name,
            ReservedConcurrentExecutions=whole(value),
        ),
    )


def _restore_vpc(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    subnets, _, groups = str(value).partition(" ")
    vpc = {
        "SubnetIds": subnets.split(",") if subnets else [],
        "SecurityGroupIds": groups.split(",") if groups else [],
    }
    return (
        call("lambda", "UpdateFunctionConfiguration", resource, FunctionName=resource.name, VpcConfig=vpc),
    )


def _restore_alias(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    function, _, alias = parse_arn(resource.arn).name.partition(":")
    return (
        call(
            "lambda",
            "UpdateAlias",
            resource,
            FunctionName=function,
            Name=alias,
            FunctionVersion=str(value),
            RoutingConfig={"AdditionalVersionWeights": {}},
        ),
    )


def _read_alias(resource: Resource) -> Call:
    function, _, alias = parse_arn(resource.arn).name.partition(":")
    return call("lambda", "GetAlias", resource, FunctionName=function, Name=alias)


def _read_mapping(resource: Resource) -> Call:
    return call("lambda", "GetEventSourceMapping", resource, UUID=resource.name)


def _restore_mapping(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    sent = bool(value) if member == "Enabled" else whole(value)
    return (call("lambda", "UpdateEventSourceMapping", resource, UUID=resource.name, **{member: sent}),)


def _restore_scaling(resource: Resource, value: Value) -> tuple[Call, ...]:
    most = {} if value is None else {"MaximumConcurrency": whole(value)}
    return (call("lambda", "UpdateEventSourceMapping", resource, UUID=resource.name, ScalingConfig=most),)


_FILTERS = "to_string(FilterCriteria.Filters[].Pattern || `[]`)"


def _restore_filters(resource: Resource, value: Value) -> tuple[Call, ...]:
    """All filters at once, as a JSON list of their patterns; without any every record is handed over."""
    patterns = json.loads(str(value)) if value else []
    filters = {"Filters": [{"Pattern": one} for one in patterns]} if patterns else {}
    return (call("lambda", "UpdateEventSourceMapping", resource, UUID=resource.name, FilterCriteria=filters),)


def _restore_async(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # UpdateFunctionEventInvokeConfig keeps what is not sent; PutFunctionEventInvokeConfig would not.
    if value is None:
        return ()
    return (
        call(
            "lambda",
            "UpdateFunctionEventInvokeConfig",
            resource,
            FunctionName=resource.name,
            **{member: whole(value)},
        ),
    )


def _vpc_path(subnets: str, groups: str) -> str:
    return f"join(' ', [join(',', {subnets} || `[]`), join(',', {groups} || `[]`)])"


_VPC_SENT = f"vpcConfig && {_vpc_path('vpcConfig.subnetIds', 'vpcConfig.securityGroupIds')}"


def _restore_nothing(resource: Resource, value: Value) -> tuple[Call, ...]:
    """No call: the whole map is replaced and its values are in no event, so a person must put it back."""
    return ()


SETTINGS = (
    Setting(
        type="function",
        name="reserved concurrency",
        path="ReservedConcurrentExecutions",
        unit="concurrent executions",
        requests={
            "PutFunctionConcurrency": "reservedConcurrentExecutions",
            "DeleteFunctionConcurrency": "`null`",
        },
        restore=_restore_concurrency,
        read=lambda resource: call("lambda", "GetFunctionConcurrency", resource, FunctionName=resource.name),
        query="ReservedConcurrentExecutions",
        echo="new",
        echo_path="reservedConcurrentExecutions",
        limits="ConcurrentExecutions",
        effects=(
            Effect(metric="Throttles", direction="up", after=(0, 300), when="lowered"),
            Effect(metric="ConcurrentExecutions", direction="down", after=(0, 300), when="lowered"),
            Effect(metric="Invocations", direction="down", after=(0, 300), when="lowered"),
            Effect(metric="AsyncEventAge", direction="up", after=(0, 900), when="lowered"),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600), when="lowered"),
            Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800), when="lowered"),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600), when="lowered"),
        ),
    ),
    _configured(
        "Timeout",
        "timeout",
        "timeout",
        "seconds",
        (
            Effect(metric="Errors", direction="up", after=(0, 600), when="lowered"),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900), when="lowered"),
            Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 3600)),
        ),
        True,
    ),
    _configured(
        "MemorySize",
        "memorySize",
        "memory",
        "MB",
        (
            Effect(metric="Errors", direction="up", after=(0, 900), when="lowered"),
            Effect(metric="Duration", direction="up", after=(0, 900), when="lowered"),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900), when="lowered"),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900), when="lowered"),
        ),
        True,
    ),
    _configured("Handler", "handler", "handler", "", _FAILS, False),
    _configured("Runtime", "runtime", "runtime", "", _FAILS, False),
    _configured("Role", "role", "execution role", "", _FAILS, False),
    _part(
        "EphemeralStorage",
        "Size",
        "space in /tmp",
        "MB",
        (
            Effect(metric="Errors", direction="up", after=(0, 3600), when="lowered"),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600), when="lowered"),
        ),
        unset=512,
    ),
    # What is traced moves no metric; X-Ray shows the function's own calls no more.
    _part("TracingConfig", "Mode", "tracing", "", unset="PassThrough"),
    _part("DeadLetterConfig", "TargetArn", "dead-letter queue", ""),
    Setting(
        type="function",
        name="layers",
        path="join(',', Layers[].Arn || `[]`)",
        unit="",
        requests=dict.fromkeys(
            ("UpdateFunctionConfiguration", "CreateFunction"), "layers && join(',', layers)"
        ),
        restore=_restore_layers,
        read=_read,
        query="join(',', Layers[].Arn || `[]`)",
        unset="",
        echo="new",
        echo_path="layers && join(',', layers[].arn)",
        effects=_FAILS,
        ready=_IDLE,
        versioned=True,
    ),
    Setting(
        type="function",
        name="subnets and security groups",
        path="VpcConfig",
        unit="",
        requests={"UpdateFunctionConfiguration": _VPC_SENT},
        restore=_restore_vpc,
        read=_read,
        query=_vpc_path("VpcConfig.SubnetIds", "VpcConfig.SecurityGroupIds"),
        echo="new",
        echo_path=_VPC_SENT,
        versioned=True,
        effects=(*_FAILS, Effect(metric="Duration", direction="up", after=(0, 900))),
        ready=_IDLE,
    ),
    Setting(
        type="function",
        name="environment variables",
        path="Environment.Variables",
        unit="",
        requests={"UpdateFunctionConfiguration": "environment"},
        restore=_restore_nothing,
        read=_read,
        query="keys(Environment.Variables || `{}`)",
        effects=_FAILS,
        ready=_IDLE,
        hidden=True,
    ),
    Setting(
        type="alias",
        name="version behind the alias",
        path="FunctionVersion",
        unit="",
        requests=dict.fromkeys(("UpdateAlias", "CreateAlias"), "functionVersion"),
        restore=_restore_alias,
        read=_read_alias,
        query="FunctionVersion",
        echo="new",
        echo_path="functionVersion",
        effects=(*_FAILS, Effect(metric="Duration", direction="up", after=(0, 900))),
    ),
    Setting(
        type="event-source-mapping",
        name="polling",
        path="Enabled",
        unit="",
        requests={"UpdateEventSourceMapping": "enabled", "CreateEventSourceMapping": "enabled"},
        restore=partial(_restore_mapping, "Enabled"),
        read=_read_mapping,
        query="State == 'Enabled'",
        effects=(
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600), when="lowered"),
            Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800), when="lowered"),
        ),
    ),
    *(
        Setting(
            type="event-source-mapping",
            name=name,
            path=member,
            unit=unit,
            requests=dict.fromkeys(("UpdateEventSourceMapping", "CreateEventSourceMapping"), camel),
            restore=partial(_restore_mapping, member),
            read=_read_mapping,
            query=member,
            echo="new",
            echo_path=camel,
            effects=(
                Effect(metric="role:latency", direction="up", on="downstream", after=(0, 900), when="raised"),
                Effect(metric="role:errors", direction="up", on="downstream", after=(0, 900), when="raised"),
                Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800), when="lowered"),
            ),
        )
        for member, camel, name, unit in (
            ("BatchSize", "batchSize", "batch size", "records"),
            (
                "MaximumBatchingWindowInSeconds",
                "maximumBatchingWindowInSeconds",
                "batching window",
                "seconds",
            ),
            ("ParallelizationFactor", "parallelizationFactor", "batches of a shard at once", "batches"),
        )
    ),
    Setting(
        type="event-source-mapping",
        name="maximum concurrency",
        path="ScalingConfig.MaximumConcurrency",
        unit="concurrent executions",
        requests=dict.fromkeys(
            ("UpdateEventSourceMapping", "CreateEventSourceMapping"),
            "scalingConfig.[maximumConcurrency || `0`] | [0]",
        ),
        means=lambda _, value: value or None,  # an empty configuration takes the maximum away
        restore=_restore_scaling,
        read=_read_mapping,
        query="ScalingConfig.MaximumConcurrency",
        echo="new",
        echo_path="scalingConfig.maximumConcurrency",
        effects=(
            Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800), when="lowered"),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600), when="lowered"),
            *(
                Effect(metric=f"role:{role}", direction="up", on="downstream", after=(0, 900), when=when)
                for role in ("throttles", "errors", "latency")
                for when in ("raised", "removed")
            ),
        ),
    ),
    Setting(
        type="event-source-mapping",
        name="filters",
        path=_FILTERS,
        unit="",
        requests=dict.fromkeys(
            ("UpdateEventSourceMapping", "CreateEventSourceMapping"),
            "filterCriteria.[to_string(filters[].pattern || `[]`)] | [0]",
        ),
        restore=_restore_filters,
        read=_read_mapping,
        query=_FILTERS,
        unset="[]",
        # Records that no filter lets through are gone without a trace: nothing fails, nothing waits.
        effects=(
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600)),
        ),
    ),
    *(
        Setting(
            type="function",
            name=name,
            path=f"EventInvokeConfig.{member}",
            unit=unit,
            requests=dict.fromkeys(
                ("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"), camel
            ),
            restore=partial(_restore_async, member),
            read=lambda resource: call(
                "lambda", "GetFunctionEventInvokeConfig", resource, FunctionName=resource.name
            ),
            query=member,
            echo="new",
            echo_path=camel,
            effects=(Effect(metric="AsyncEventsDropped", direction="up", after=(0, 21600), when="lowered"),),
        )
        for member, camel, name, unit in (
            ("MaximumRetryAttempts", "maximumRetryAttempts", "asynchronous retries", "retries"),
            (
                "MaximumEventAgeInSeconds",
                "maximumEventAgeInSeconds",
                "maximum age of asynchronous events",
                "seconds",
            ),
        )
    ),
)


# -- changes ---------------------------------------------------------------------------------------


def _name(event: ChangeEvent) -> str:
    return parse_arn(_touches(event)[0]).name


def _undo_remove_permission(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    wanted = text(event.request, "statementId")
    for before in earlier:
        if before.operation == "AddPermission" and text(before.request, "statementId") == wanted:
            from tools.parameters import from_cloudtrail

            sent = {key: value for key, value in before.request.items() if key != "revisionId"}
            try:
                return (
                    call(
                        "lambda", "AddPermission", event, **from_cloudtrail("lambda", "AddPermission", sent)
                    ),
                )
            except BadInput:
                return ()
    return ()


def _undo_add_permission(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    statement = text(event.request, "statementId")
    if not statement:
        return ()
    return (call("lambda", "RemovePermission", event, FunctionName=_name(event), StatementId=statement),)


_ADD_REQUEST: Json = {
    "functionName": "order-writer",
    "statementId": "api-invoke",
    "action": "lambda:InvokeFunction",
    "principal": "apigateway.amazonaws.com",
    "sourceArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/*/*/orders",
}
_FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:order-writer"
_MAPPING_ID = "7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10"
_MAPPING: Json = {
    "uUID": _MAPPING_ID,
    "functionArn": _FUNCTION,
    "eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:orders-queue",
    "batchSize": 10,
    "stateTransitionReason": "USER_INITIATED",
}
_STATEMENT = json.dumps(
    {"Sid": "api-invoke", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": _FUNCTION}
)


def _configuration(**members: Any) -> Json:
    return {
        "functionName": "order-writer",
        "functionArn": _FUNCTION,
        "runtime": "python3.13",
        "role": "arn:aws:iam::111122223333:role/order-writer-role",
        "handler": "app.handler",
        "timeout": 30,
        "memorySize": 512,
        "version": "$LATEST",
        "environment": {},
        "lastUpdateStatus": "InProgress",
        **members,
    }


_SILENCED = (
    Effect(metric="Invocations", direction="silent", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800)),
)


def _cannot_run(function: Resource) -> bool:
    """Failed, or inactive for another reason than that nobody called it for weeks."""
    state, reason = text(function.config, "State"), text(function.config, "StateReasonCode")
    return state == "Failed" or (state == "Inactive" and reason not in ("", "Idle", "Restoring"))


CHANGES = (
    Change(
        operation="PutFunctionConcurrency",
        touches=_touches,
        breaks="Invocations above the reserved concurrency are throttled; at 0 the function does not run.",
        example=record(
            _SOURCE,
            "PutFunctionConcurrency20171031",
            {"functionName": "order-writer", "reservedConcurrentExecutions": 0},
            {"reservedConcurrentExecutions": 0},
        ),
    ),
    Change(
        operation="DeleteFunctionConcurrency",
        touches=_touches,
        breaks="The function shares the account's concurrency: it can starve, or be starved.",
        example=record(_SOURCE, "DeleteFunctionConcurrency20171031", {"functionName": "order-writer"}),
    ),
    Change(
        operation="UpdateFunctionConfiguration",
        touches=_touches,
        breaks="The function times out, runs out of memory, cannot start or cannot reach what it needs.",
        example=record(
            _SOURCE,
            "UpdateFunctionConfiguration20150331v2",
            {
                "functionName": "order-writer",
                "timeout": 3,
                "memorySize": 128,
                "handler": "app.handler",
                "runtime": "python3.13",
                "role": "arn:aws:iam::111122223333:role/order-writer-role",
                "vpcConfig": {"subnetIds": ["subnet-0a1"], "securityGroupIds": ["sg-0b2"]},
                "environment": {},
                "ephemeralStorage": {"size": 512},
                "tracingConfig": {"mode": "PassThrough"},
                "deadLetterConfig": {"targetArn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead"},
                "layers": ["arn:aws:lambda:eu-west-1:111122223333:layer:shop-common:7"],
            },
            _configuration(timeout=3, memorySize=128),
        ),
    ),
    Change(
        operation="UpdateFunctionCode",
        touches=_touches,
        breaks="New code runs in $LATEST at once: it may fail, be slow or answer differently.",
        example=record(
            _SOURCE,
            "UpdateFunctionCode20150331v2",
            {"functionName": "order-writer", "publish": False, "dryRun": False},
            _configuration(codeSha256="2cwQH2bXvZ6mK1Yj0x3gkS8F5vJb1m3w0oXb7e1dJ0E="),
        ),
        effects=(
            *_FAILS,
            Effect(metric="Duration", direction="up", after=(0, 900)),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900)),
            Effect(metric="role:errors", direction="up", on="downstream", after=(0, 900)),
        ),
    ),
    Change(
        operation="UpdateAlias",
        touches=_touches_alias,
        breaks="Callers of the alias get another version of the code.",
        example=record(
            _SOURCE,
            "UpdateAlias20150331",
            {"functionName": "order-writer", "name": "live", "functionVersion": "42"},
            {"aliasArn": f"{_FUNCTION}:live", "name": "live", "functionVersion": "42"},
        ),
    ),
    Change(
        operation="DeleteFunction",
        touches=_touches,
        breaks="Every invocation fails: the function does not exist any more.",
        example=record(_SOURCE, "DeleteFunction20150331", {"functionName": "order-writer"}),
        effects=_SILENCED,
    ),
    Change(
        operation="RemovePermission",
        touches=_touches,
        breaks="The caller that it allowed can no longer invoke the function; no function log tells.",
        example=record(
            _SOURCE,
            "RemovePermission20150331v2",
            {"functionName": "order-writer", "statementId": "api-invoke"},
        ),
        effects=_SILENCED,
        undo=_undo_remove_permission,
    ),
    Change(
        operation="AddPermission",
        touches=_touches,
        breaks="",
        example=record(_SOURCE, "AddPermission20150331v2", _ADD_REQUEST, {"statement": _STATEMENT}),
        inert=True,
        undo=_undo_add_permission,
    ),
    Change(
        operation="UpdateEventSourceMapping",
        touches=_touches_mapping,
        breaks="The function is fed no more, or faster or in larger batches than it can take.",
        example=record(
            _SOURCE,
            "UpdateEventSourceMapping20150331",
            {"uUID": _MAPPING_ID, "enabled": False, "batchSize": 10, "maximumBatchingWindowInSeconds": 0},
            {**_MAPPING, "state": "Disabling"},
        ),
        more_examples=(
            record(
                _SOURCE,
                "UpdateEventSourceMapping20150331",
                {
                    "uUID": _MAPPING_ID,
                    "scalingConfig": {"maximumConcurrency": 5},
                    "parallelizationFactor": 2,
                    "filterCriteria": {"filters": [{"pattern": '{"body":{"kind":["sale"]}}'}]},
                },
                {**_MAPPING, "state": "Updating"},
            ),
        ),
    ),
    Change(
        operation="DeleteEventSourceMapping",
        touches=_touches_mapping,
        breaks="Nothing feeds the function any more; the queue or stream fills up.",
        example=record(
            _SOURCE,
            "DeleteEventSourceMapping20150331",
            {"uUID": _MAPPING_ID},
            {**_MAPPING, "state": "Deleting"},
        ),
        effects=(
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
            Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800)),
        ),
    ),
    Change(
        operation="PutFunctionEventInvokeConfig",
        touches=_touches,
        breaks="Asynchronous events are dropped earlier or sent elsewhere.",
        example=record(
            _SOURCE,
            "PutFunctionEventInvokeConfig",
            {"functionName": "order-writer", "maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60},
            {"functionArn": _FUNCTION, "maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60},
        ),
    ),
    Change(
        operation="UpdateFunctionEventInvokeConfig",
        touches=_touches,
        breaks="Asynchronous events are dropped earlier or sent elsewhere.",
        example=record(
            _SOURCE,
            "UpdateFunctionEventInvokeConfig",
            {"functionName": "order-writer", "maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60},
            {"functionArn": _FUNCTION, "maximumRetryAttempts": 0},
        ),
    ),
    Change(
        operation="PutProvisionedConcurrencyConfig",
        touches=_touches,
        breaks="Fewer instances stand ready: requests meet cold starts; more of them take from the account's limit.",
        example=record(
            _SOURCE,
            "PutProvisionedConcurrencyConfig",
            {"functionName": "order-writer", "qualifier": "live", "provisionedConcurrentExecutions": 1},
            {"requestedProvisionedConcurrentExecutions": 1, "status": "IN_PROGRESS"},
        ),
        effects=(
            Effect(metric="Duration", direction="up", after=(0, 1800), may=True),
            Effect(metric="Throttles", direction="up", after=(0, 1800), may=True),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
        ),
    ),
    Change(
        operation="DeleteProvisionedConcurrencyConfig",
        touches=_touches,
        breaks="Requests meet cold starts again.",
        example=record(
            _SOURCE,
            "DeleteProvisionedConcurrencyConfig",
            {"functionName": "order-writer", "qualifier": "live"},
        ),
        effects=(
            Effect(metric="Duration", direction="up", after=(0, 1800)),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
        ),
    ),
    *(
        inert(operation, touches, record(_SOURCE, action, request, response))
        for operation, action, touches, request, response in (
            (
                "CreateFunction",
                "CreateFunction20150331",
                _touches,
                {
                    "functionName": "order-writer",
                    "timeout": 30,
                    "memorySize": 512,
                    "handler": "app.handler",
                    "runtime": "python3.13",
                    "role": "arn:aws:iam::111122223333:role/order-writer-role",
                },
                _configuration(),
            ),
            (
                "CreateEventSourceMapping",
                "CreateEventSourceMapping20150331",
                _touches_mapping,
                {
                    "eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:orders-queue",
                    "functionName": "order-writer",
                    "enabled": True,
                    "batchSize": 10,
                    "maximumBatchingWindowInSeconds": 0,
                },
                {**_MAPPING, "state": "Creating"},
            ),
            (
                "CreateAlias",
                "CreateAlias20150331",
                _touches_alias,
                {"functionName": "order-writer", "name": "live", "functionVersion": "41"},
                None,
            ),
            (
                "PublishVersion",
                "PublishVersion20150331",
                _touches,
                {"functionName": "order-writer"},
                _configuration(version="42"),
            ),
            (
                "TagResource",
                "TagResource20170331v2",
                _touches_tagged,
                {"resource": _FUNCTION, "tags": {"team": "shop"}},
                None,
            ),
            (
                "UntagResource",
                "UntagResource20170331v2",
                _touches_tagged,
                {"resource": _FUNCTION, "tagKeys": ["team"]},
                None,
            ),
        )
    ),
)


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str, missing: Any = "idle") -> MetricSpec:
    return MetricSpec(type="function", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit)


SIGNATURES = (
    Signature(
        match=r"Task timed out after \d+(\.\d+)? seconds",
        code="Sandbox.Timedout",
        reason="",
        points_to="Timeout",
        says="the function ran into its timeout",
    ),
    Signature(
        match=r"Runtime\.OutOfMemory|Runtime exited with error: signal: killed",
        code="Runtime.ExitError",
        reason="OutOfMemory",
        points_to="MemorySize",
        says="the function ran out of memory",
    ),
    Signature(
        match=r"ReservedFunctionConcurrent(Invocation|ExecutionS?)LimitExceeded",
        code="TooManyRequestsException",
        reason="ReservedFunctionConcurrentInvocationLimitExceeded",
        points_to="ReservedConcurrentExecutions",
        says="the function's reserved concurrency was used up",
    ),
    Signature(
        match=r"\bConcurrentInvocationLimitExceeded",
        code="TooManyRequestsException",
        reason="ConcurrentInvocationLimitExceeded",
        points_to="account-concurrency",
        says="the account's concurrency in this region was used up",
    ),
    Signature(
        match=r"Runtime\.(ImportModuleError|HandlerNotFound|UserCodeSyntaxError)",
        code="Runtime.ImportModuleError",
        reason="",
        points_to="Handler",
        says="the function's code could not be loaded",
    ),
    Signature(
        match=r"\[ERROR\] KeyError: '[A-Z][A-Z0-9_]+'",
        code="KeyError",
        reason="",
        points_to="Environment.Variables",
        says="an environment variable that the code needs is missing",
    ),
    Signature(
        match=r"No space left on device|\bENOSPC\b|\[Errno 28\]",
        code="ENOSPC",
        reason="/tmp",
        points_to="EphemeralStorage.Size",
        says="the function's space in /tmp was full",
        own=True,
    ),
    Signature(
        match=r"Lambda was unable to decrypt the environment variables",
        code="KMSAccessDeniedException",
        reason="",
        points_to="Role",
        says="the function may not use the key of its environment variables",
    ),
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """A function's aliases."""
    for alias in resource.config.get("Aliases") or []:
        if arn := text(alias, "AliasArn"):
            yield relation(resource, arn, "consists of", "lambda:ListAliases AliasArn")


def fill(reader: Reader, resource: Resource) -> Resource:
    """With its policy, aliases and destinations: listing tells all else that a map shows."""
    config, evidence = dict(resource.config), list(resource.evidence)
    for operation, what, keep in _PARTS:
        if operation == "GetFunctionConcurrency":
            continue
        part = optional(reader, "lambda", operation, what, region=resource.region, FunctionName=resource.name)
        if part is not None:
            config.update(keep(part.data))
            evidence.append(part.evidence)
    return replace(resource, config=config, evidence=tuple(id for id in evidence if id))


SERVICE = Service(
    name="lambda",
    title="Lambda",
    client="lambda",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="ListFunctions",
            action="lambda:ListFunctions",
            shows="functions, their variables and roles",
        ),
        Read(
            operation="ListEventSourceMappings",
            action="lambda:ListEventSourceMappings",
            shows="which queues and streams feed which functions",
        ),
        Read(
            operation="GetFunctionConfiguration",
            action="lambda:GetFunctionConfiguration",
            shows="a function's settings and status",
        ),
        Read(
            operation="GetFunctionConcurrency",
            action="lambda:GetFunctionConcurrency",
            shows="reserved concurrency",
        ),
        Read(operation="GetPolicy", action="lambda:GetPolicy", shows="who may invoke a function"),
        Read(operation="ListAliases", action="lambda:ListAliases", shows="which version callers get"),
        Read(operation="GetAlias", action="lambda:GetAlias", shows="which version callers of an alias get"),
        Read(
            operation="GetFunctionEventInvokeConfig",
            action="lambda:GetFunctionEventInvokeConfig",
            shows="asynchronous retries and destinations",
        ),
        Read(
            operation="GetEventSourceMapping",
            action="lambda:GetEventSourceMapping",
            shows="whether a mapping is enabled",
        ),
        Read(
            operation="ListVersionsByFunction",
            action="lambda:ListVersionsByFunction",
            shows="a function's settings before a change",
        ),
        Read(operation="ListTags", action="lambda:ListTags", shows="who owns a function"),
    ),
    types={"function": "container", "alias": "component", "event-source-mapping": "component"},
    arns={
        "function": r"lambda:function:[^:]+",
        "alias": r"lambda:function:[^:]+:[^:]+",
        "event-source-mapping": r"lambda:event-source-mapping:[^:]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, fill=fill, fills=("function",), listed=("function",)),
    namespace="AWS/Lambda",
    dimensions=lambda resource: (("FunctionName", resource.name),) if resource.type == "function" else (),
    owner=owner,
    metrics=(
        _metric("Invocations", "Sum", "demand", "down", "invocations"),
        _metric("Errors", "Sum", "errors", "up", "failed invocations"),
        _metric("Throttles", "Sum", "throttles", "up", "throttled invocations"),
        _metric("Duration", "p99", "latency", "up", "ms"),
        _metric("Duration", "Maximum", "latency", "up", "ms"),
        _metric("ConcurrentExecutions", "Maximum", "saturation", "up", "concurrent executions"),
        _metric("IteratorAge", "Maximum", "backlog", "up", "ms"),
        _metric("AsyncEventAge", "Maximum", "backlog", "up", "ms"),
        _metric("AsyncEventsDropped", "Sum", "errors", "up", "dropped events", "zero"),
        _metric("DeadLetterErrors", "Sum", "errors", "up", "events lost", "zero"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=(
        Condition(
            key="function-not-runnable",
            type="function",
            title="the function cannot run: Lambda could not make it ready",
            metrics=(),
            breaks="Every invocation fails before the code is reached.",
            relieve=(
                "Read StateReasonCode and StateReason of the function: a key, an image, a network interface or a "
                "permission is missing.",
                "Put that back, then send the configuration once more so that Lambda tries again.",
            ),
            prevent=("Alarm on Errors of the function; deploy by an alias with a roll-back on alarm.",),
            shown=_cannot_run,
        ),
        Condition(
            key="account-concurrency",
            type="function",
            title="account concurrency: all functions together reached the region's limit",
            metrics=("Throttles",),
            breaks="Functions without reserved concurrency are throttled together.",
            relieve=(
                "Reserve concurrency for the critical function, and slow the one that uses most.",
                "Request a higher limit of concurrent executions from Service Quotas.",
            ),
            prevent=("Alarm on account ConcurrentExecutions above 80 % of the limit.",),
            # A function with reserved concurrency neither uses nor waits for the account's unreserved part.
            excluded=lambda function: function.config.get("ReservedConcurrentExecutions") is not None,
        ),
    ),
    signatures=SIGNATURES,
    log_groups=log_groups,
    versions=versions,
    complete=("event-source-mapping",),
)
