"""Application Auto Scaling: between which bounds, by which policies and at which hours AWS scales a service, a table,
a function's alias, a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput
from tools.kit import call, here, optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    Read,
    Service,
    Setting,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_CLIENT = "application-autoscaling"
# CloudTrail's user guide shows the first, with "service": "application-autoscaling" in additionalEventData.
_SOURCES = ("autoscaling.amazonaws.com", "application-autoscaling.amazonaws.com")
_NAMESPACES = ("dynamodb", "ecs", "lambda", "rds", "elasticache")  # those whose things other files know
_MOST_ACTIVITIES = 20
_IDENTITY = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_PREFIX = "scalable-target/"


# -- names --------------------------------------------------------------------------------------------


def _small(name: str) -> str:
    return name[0].lower() + name[1:]


def scaled(namespace: str, id: str, region: str, account: str) -> str:
    """The ARN of what a scalable target scales; "" for what has none or is of a service that is not known here."""
    if arns.is_arn(id):
        return id
    if namespace == "elasticache" and id.startswith("replication-group/"):
        id = "replicationgroup:" + id.partition("/")[2]
    elif namespace == "cassandra":
        id = "/" + id
    elif namespace == "sagemaker":
        id = "/".join(id.split("/")[:2])
    elif namespace not in ("dynamodb", "ecs", "lambda", "rds", "elasticache", "ec2"):
        return ""
    return arns.build(namespace, region, account, id) if id else ""


def _by_rule(identity: Mapping[str, str], region: str, account: str) -> str:
    """A scalable target's ARN as this file spells it where AWS does not tell it: with names, not with an id."""
    named = "/".join(identity[key] for key in _IDENTITY)
    return arns.build(_CLIENT, region, account, f"{_PREFIX}{named}")


def _identity(resource: Resource) -> dict[str, str]:
    """Namespace, id and dimension, from the configuration or from an ARN by rule; {} when neither tells them."""
    told = {key: text(resource.config, key) for key in _IDENTITY}
    if all(told.values()):
        return told
    namespace, _, rest = arns.parse(resource.arn).resource.removeprefix(_PREFIX).partition("/")
    id, _, dimension = rest.rpartition("/")
    return dict(zip(_IDENTITY, (namespace, id, dimension), strict=True)) if id else {}


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The scalable target, then what it scales. () for the events of EC2 Auto Scaling."""
    identity = {key: text(event.request, _small(key)) for key in _IDENTITY}
    if not all(identity.values()):
        return ()
    told = text(event.response, "scalableTargetARN")
    own = told or here(event, _CLIENT, arns.parse(_by_rule(identity, event.region, event.account)).resource)
    other = scaled(identity["ServiceNamespace"], identity["ResourceId"], event.region, event.account)
    return (own, other) if other else (own,)


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Scalable targets of the services that other files know; AWS lists them by service only."""
    for namespace in _NAMESPACES:
        pages = reader.pages(
            _CLIENT, "DescribeScalableTargets", "ScalableTargets", region=region, ServiceNamespace=namespace
        )
        for item in pages.items:
            yield _resource(plain(item), region, reader.aws.account, pages.evidence)


def _resource(config: Json, region: str, account: str, evidence: Iterable[str]) -> Resource:
    # Answers of before 2023 have no ARN.
    arn = text(config, "ScalableTargetARN") or _by_rule(config, region, account)
    return Resource(
        arn=arn,
        service="applicationautoscaling",
        type="scalable-target",
        name=config["ResourceId"],
        account=account,
        region=region,
        config=config,
        evidence=tuple(dict.fromkeys(id for id in evidence if id)),
    )


_MORE: tuple[tuple[str, str, str, Json], ...] = (
    # operation, member of the answer and key of the config, words for a gap, further parameters
    ("DescribeScalingPolicies", "ScalingPolicies", "Scaling policies", {}),
    ("DescribeScheduledActions", "ScheduledActions", "Scheduled actions of scaling", {}),
    (
        "DescribeScalingActivities",
        "ScalingActivities",
        "Scaling activities",
        {"MaxResults": _MOST_ACTIVITIES},
    ),
)


def describe(reader: Reader, arn: str) -> Resource | None:
    """A scalable target as DescribeScalableTargets tells it, with three keys more: `ScalingPolicies`,
    `ScheduledActions` and `ScalingActivities` (newest first, 20 at most), each the items of its own describe. A key is
    missing where its read was refused.
    """
    parts = arns.parse(arn)
    found = next((one for one in discover(reader, parts.region) if one.arn == arn), None)
    if found is None:
        return None
    config, evidence = dict(found.config), list(found.evidence)
    for operation, member, what, more in _MORE:
        told = optional(reader, _CLIENT, operation, what, region=parts.region, **_identity(found), **more)
        if told is not None:
            config[member] = plain(told.data).get(member) or []
            evidence.append(told.evidence)
    return _resource(config, parts.region, found.account, evidence)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a scalable target scales."""
    told = _identity(resource) if resource.type == "scalable-target" else {}
    if not told:
        return
    target = scaled(told["ServiceNamespace"], told["ResourceId"], resource.region, resource.account)
    if target:
        said_by = "application-autoscaling:DescribeScalableTargets ResourceId"
        yield relation(resource, target, "scales", said_by)


# -- settings -----------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    told = _identity(resource)
    return call(
        _CLIENT,
        "DescribeScalableTargets",
        resource,
        ServiceNamespace=told.get("ServiceNamespace", ""),
        ResourceIds=[told.get("ResourceId", "")],
        ScalableDimension=told.get("ScalableDimension", ""),
    )


def _restore(path: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """RegisterScalableTarget of an existing target changes only what is sent (API reference)."""
    told = _identity(resource)
    if value is None or not told:
        return ()
    head, _, part = path.partition(".")
    sent: Json = {head: {part: bool(value)} if part else whole(value)}
    return (call(_CLIENT, "RegisterScalableTarget", resource, **told, **sent),)


_DAY = 24 * 3600
_PEAK = 3 * _DAY  # what is missing shows at the next peak


def _on(place: Any, latest: int, *moves: tuple[str, Any], when: Any = "any") -> tuple[Effect, ...]:
    return tuple(
        Effect(metric=f"role:{role}", direction=direction, on=place, after=(0, latest), when=when)
        for role, direction in moves
    )


_SHORT: tuple[tuple[str, Any], ...] = (
    ("throttles", "up"),
    ("errors", "up"),
    ("latency", "up"),
    ("saturation", "up"),
    ("work", "down"),
)
_MUCH: tuple[tuple[str, Any], ...] = (("saturation", "up"), ("demand", "up"), ("throttles", "up"))
_BOUNDS = (
    # What is scaled lies downstream of its target, and so does what that calls; those who call it upstream.
    *_on("downstream", _PEAK, *_SHORT, ("backlog", "up"), ("demand", "down"), when="lowered"),
    *_on("upstream", _PEAK, *_SHORT, when="lowered"),
    *_on("downstream", _PEAK, *_MUCH, when="raised"),
)
_HELD = (
    *_on("downstream", _PEAK, *_SHORT, ("backlog", "up"), when="raised"),
    *_on("upstream", _PEAK, *_SHORT, when="raised"),
)
# Where the target itself is gone or not what the request names, the change is one of what was scaled.
_UNSCALED = (
    *_on("self", _PEAK, *_SHORT),
    *_on("upstream", _PEAK, *_SHORT),
    *_on("downstream", _PEAK, ("backlog", "up"), ("demand", "down"), *_MUCH),
)


def _setting(path: str, name: str, unit: str, effects: tuple[Effect, ...], **more: Any) -> Setting:
    return Setting(
        type="scalable-target",
        name=name,
        path=path,
        unit=unit,
        requests={"RegisterScalableTarget": ".".join(_small(word) for word in path.split("."))},
        restore=partial(_restore, path),
        read=_read,
        query=f"ScalableTargets[0].{path}",
        echo="none",
        effects=effects,
        **more,
    )


SETTINGS = (
    _setting("MaxCapacity", "maximum capacity of scaling", "", _BOUNDS),
    _setting("MinCapacity", "minimum capacity of scaling", "", _BOUNDS),
    *(
        _setting(f"SuspendedState.{member}", name, "", _HELD, unset=False)
        for member, name in (
            ("DynamicScalingOutSuspended", "suspension of scaling out"),
            ("DynamicScalingInSuspended", "suspension of scaling in"),
            ("ScheduledScalingSuspended", "suspension of scheduled scaling"),
        )
    ),
)

# -- undo ---------------------------------------------------------------------------------------------

_Earlier = tuple[ChangeEvent, ...]
_MAKES = {
    "policyName": ("PutScalingPolicy", "DeleteScalingPolicy"),
    "scheduledActionName": ("PutScheduledAction", "DeleteScheduledAction"),
}


def _same(event: ChangeEvent, earlier: _Earlier) -> Iterator[ChangeEvent]:
    """Earlier events of the same scalable target that had an effect, newest first."""
    keys = [_small(key) for key in _IDENTITY]
    for one in earlier:
        same = all(text(one.request, key) == text(event.request, key) for key in keys)
        if same and one.id != event.id and not one.error_code:
            yield one


def _again(event: ChangeEvent, operation: str, request: Json) -> tuple[Call, ...]:
    try:
        sent = from_cloudtrail(_CLIENT, operation, request)
    except BadInput:
        return ()
    return (Call(service=_CLIENT, operation=operation, parameters=sent, region=event.region),)


def _part_before(event: ChangeEvent, earlier: _Earlier, key: str, name: str) -> Json | None:
    """The request that made a policy or scheduled action as it was; {} when it is known to have been gone; None when
    nothing is known. A new request replaces the whole configuration of a policy; of an action only what it sends.
    """
    put, delete = _MAKES[key]
    request: Json = {}
    for one in _same(event, earlier):
        if one.operation == "DeregisterScalableTarget" or (
            one.operation == delete and text(one.request, key) == name
        ):
            return request
        if one.operation == put and text(one.request, key) == name:
            request = {**one.request, **request}
            if key == "policyName":
                break
    return request or None


def _undo_part(key: str, event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Put again what was deleted or overwritten; delete what is known not to have been there."""
    put, delete = _MAKES[key]
    name = text(event.request, key)
    before = _part_before(event, earlier, key, name) if name else None
    if before is None:
        return ()
    again = _again(event, put, before) if before and _whole(before) else ()
    if event.operation == delete:
        return again
    keys = [_small(one) for one in _IDENTITY]
    removal = _again(event, delete, {one: event.request.get(one) for one in (key, *keys)})
    if not before:
        return removal
    # What only the later request set goes by deleting the whole.
    added = key != "policyName" and set(event.request) - set(before)
    return (*removal, *again) if added and again else again


def _whole(request: Json) -> bool:
    """Whether a request makes a policy or an action by itself and does not only move a part of one."""
    configured = any(key.endswith("PolicyConfiguration") and value for key, value in request.items())
    return configured or bool(request.get("schedule") and request.get("scalableTargetAction"))


def _undo_deregister(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Register the target again, with its policies and actions, which went with it; nothing unless some are known."""
    request: Json = {}
    named: dict[tuple[str, str], None] = {}
    for one in _same(event, earlier):
        if one.operation == event.operation:
            break
        if one.operation == "RegisterScalableTarget":
            request = {**one.request, **request}
        for key in _MAKES:
            if name := text(one.request, key):
                named[key, name] = None
    if not {"minCapacity", "maxCapacity"} <= set(request):
        return ()
    parts: list[Call] = []
    for key, name in sorted(named):
        if before := _part_before(event, earlier, key, name):
            made = _again(event, _MAKES[key][0], before) if _whole(before) else ()
            if not made:
                return ()
            parts += made
    first = _again(event, "RegisterScalableTarget", request)
    return (*first, *parts) if first and parts else ()


# -- changes ------------------------------------------------------------------------------------------

_SERVICE_TARGET: Json = {
    "serviceNamespace": "ecs",
    "resourceId": "service/shop/web",
    "scalableDimension": "ecs:service:DesiredCount",
}
_TABLE_TARGET: Json = {
    "serviceNamespace": "dynamodb",
    "resourceId": "table/orders",
    "scalableDimension": "dynamodb:table:WriteCapacityUnits",
}
_TRACKING: Json = {
    **_SERVICE_TARGET,
    "policyName": "cpu-60",
    "policyType": "TargetTrackingScaling",
    "targetTrackingScalingPolicyConfiguration": {
        "targetValue": 60.0,
        "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "scaleOutCooldown": 60,
        "scaleInCooldown": 300,
    },
}
_NIGHTLY: Json = {
    **_SERVICE_TARGET,
    "scheduledActionName": "night",
    "schedule": "cron(0 20 * * ? *)",
    "scalableTargetAction": {"minCapacity": 0, "maxCapacity": 1},
}
_EXTRA: Json = {"additionalEventData": {"service": "application-autoscaling"}}
_ARN = "arn:aws:application-autoscaling:eu-west-1:111122223333:scalable-target/0ec5f64a1c7b4b0d9f3e2a1b0c9d8e7f6a5b"


def _change(
    operation: str,
    breaks: str,
    request: Json,
    effects: tuple[Effect, ...] = (),
    *,
    response: Json | None = None,
    undo: Any = None,
    earlier: tuple[str, ...] = (),
    more: tuple[Json, ...] = (),
) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example={**record(_SOURCES[0], operation, request, response), **_EXTRA},
        more_examples=tuple({**record(_SOURCES[0], operation, one, response), **_EXTRA} for one in more),
        effects=effects,
        undo=undo,
        earlier=earlier,
    )


_ALL = (
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DeleteScalingPolicy",
    "PutScheduledAction",
    "DeleteScheduledAction",
)

CHANGES = (
    _change(
        "RegisterScalableTarget",
        "Scaling stops at other bounds, or does not happen: too little at the next peak, or too much.",
        {**_SERVICE_TARGET, "minCapacity": 0, "maxCapacity": 2},
        response={"scalableTargetARN": _ARN},
        more=(
            {**_TABLE_TARGET, "minCapacity": 5, "maxCapacity": 100},
            {
                **_SERVICE_TARGET,
                "suspendedState": {
                    "dynamicScalingInSuspended": True,
                    "dynamicScalingOutSuspended": True,
                    "scheduledScalingSuspended": True,
                },
            },
        ),
    ),
    _change(
        "DeregisterScalableTarget",
        "Nothing scales it any more, and its policies and scheduled actions are gone: the next peak meets what is set.",
        _TABLE_TARGET,
        _UNSCALED,
        undo=_undo_deregister,
        earlier=_ALL,
    ),
    *(
        _change(
            operation,
            breaks,
            request,
            _UNSCALED,
            undo=partial(_undo_part, key),
            earlier=(*_MAKES[key], "DeregisterScalableTarget"),
        )
        for key, operation, breaks, request in (
            (
                "policyName",
                "PutScalingPolicy",
                "It follows its load otherwise: later, less, or not at all.",
                _TRACKING,
            ),
            (
                "policyName",
                "DeleteScalingPolicy",
                "It no longer follows its load; the next peak meets too little.",
                {**_SERVICE_TARGET, "policyName": "cpu-60"},
            ),
            (
                "scheduledActionName",
                "PutScheduledAction",
                "At its hour the action sets other bounds.",
                _NIGHTLY,
            ),
            (
                "scheduledActionName",
                "DeleteScheduledAction",
                "Bounds that the action would have set do not come.",
                {**_SERVICE_TARGET, "scheduledActionName": "night"},
            ),
        )
    ),
)

# -- what it says itself ------------------------------------------------------------------------------

_SET = re.compile(r"^Setting .+ to (\d+)\b")


def _failed(resource: Resource) -> bool:
    """Whether the newest scaling activity did not do what it should."""
    newest: Json = next(iter(resource.config.get("ScalingActivities") or []), {})
    return text(newest, "StatusCode") in ("Failed", "Unfulfilled")


def _at_maximum(resource: Resource) -> bool:
    """Whether the last thing that scaling did was to go to its maximum."""
    newest: Json = next(iter(resource.config.get("ScalingActivities") or []), {})
    most, least = resource.config.get("MaxCapacity"), resource.config.get("MinCapacity")
    found = _SET.match(text(newest, "Description"))
    return most != least and found is not None and int(found.group(1)) == most


CONDITIONS = (
    Condition(
        key="scaling-failed",
        type="scalable-target",
        title="scaling failed: what AWS tried to set was refused or did not come",
        metrics=(),
        breaks="The capacity stays what it was, however much is asked for.",
        relieve=(
            "Read the activity's status message: it names the quota, the missing room or the permission.",
            "Set the capacity by hand meanwhile, where that is possible.",
        ),
        prevent=(
            "Let EventBridge tell of failed scaling activities, and review quotas before planned peaks.",
        ),
        shown=_failed,
    ),
    Condition(
        key="scaling-at-its-maximum",
        type="scalable-target",
        title="scaling is at its maximum capacity",
        metrics=(),
        breaks="There is more to do than what scaling may set.",
        relieve=("Raise the maximum capacity, as far as quotas and what stands behind it allow.",),
        prevent=("Alarm on the capacity at its maximum, and review the bounds before planned peaks.",),
        shown=_at_maximum,
    ),
)

SERVICE = Service(
    name="applicationautoscaling",
    title="Application Auto Scaling",
    client=_CLIENT,
    event_sources=_SOURCES,
    reads=(
        Read(
            operation="DescribeScalableTargets",
            action="application-autoscaling:DescribeScalableTargets",
            shows="what is scaled by AWS, and between which bounds",
        ),
        Read(
            operation="DescribeScalingPolicies",
            action="application-autoscaling:DescribeScalingPolicies",
            shows="what makes scaling happen",
        ),
        Read(
            operation="DescribeScheduledActions",
            action="application-autoscaling:DescribeScheduledActions",
            shows="which bounds are set at which hour",
        ),
        Read(
            operation="DescribeScalingActivities",
            action="application-autoscaling:DescribeScalingActivities",
            shows="what scaling did, and why it failed",
        ),
    ),
    types={"scalable-target": "component"},
    arns={"scalable-target": r"application-autoscaling:scalable-target/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    listed=False,
    listed_near=(
        "scalable-target",
        "service",
        "table",
        "index",
        "function",
        "alias",
        "db-cluster",
        "replication-group",
        "load-balancer",
        "listener",
        "target-group",
    ),
)
