"""EC2 Auto Scaling: groups, what they launch, what scales them, and why a launch failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import changes_of, moved
from tools.errors import BadInput, NotThere
from tools.kit import call, here, optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.services._spec import (
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "autoscaling.amazonaws.com"
_NAMED = "autoScalingGroupName/"
_MOST_ACTIVITIES = 50
_KEPT_REFRESHES = 3


# -- what an event touches ----------------------------------------------------------------------------


def _group(event: ChangeEvent) -> str:
    """Name of the group that an event is about; "" for the events of Application Auto Scaling."""
    told = text(event.request, "autoScalingGroupName")
    if told or text(event.request, "serviceNamespace"):
        return told
    tags = event.request.get("tags") or []
    tagged = next((text(tag, "resourceId") for tag in tags if isinstance(tag, dict)), "")
    return text(event.response, "activity", "autoScalingGroupName") or tagged


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The group, then the instances that the request names.

    A record tells the group's name and not the id within its ARN: the star stands for it, as in IAM policies.
    """
    name = _group(event)
    if not name:
        return ()
    ids = event.request.get("instanceIds") or []
    named = dict.fromkeys([*(ids if isinstance(ids, list) else []), text(event.request, "instanceId")])
    group = here(event, "autoscaling", f"autoScalingGroup:*:{_NAMED}{name}")
    return (group, *(here(event, "ec2", f"instance/{id}") for id in named if id))


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All groups with their instances: one list operation."""
    pages = reader.pages(
        "autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups", region=region, MaxRecords=100
    )
    for item in pages.items:
        yield _resource(plain(item), pages.evidence)


def _resource(config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(config["AutoScalingGroupARN"])
    return Resource(
        arn=config["AutoScalingGroupARN"],
        service="autoscaling",
        type="auto-scaling-group",
        name=config["AutoScalingGroupName"],
        account=parts.account,
        region=parts.region,
        config=config,
        tags={text(tag, "Key"): text(tag, "Value") for tag in config.get("Tags") or []},
        evidence=tuple(dict.fromkeys(id for id in evidence if id)),
    )


_MORE: tuple[tuple[str, str, str, str, Json], ...] = (
    # operation, member of the answer, key of the config, words for a gap, further parameters
    ("DescribePolicies", "ScalingPolicies", "Policies", "Scaling policies", {}),
    (
        "DescribeScheduledActions",
        "ScheduledUpdateGroupActions",
        "ScheduledActions",
        "Scheduled actions",
        {},
    ),
    ("DescribeLifecycleHooks", "LifecycleHooks", "LifecycleHooks", "Lifecycle hooks", {}),
    (
        "DescribeScalingActivities",
        "Activities",
        "Activities",
        "Scaling activities",
        {"MaxRecords": _MOST_ACTIVITIES},
    ),
    (
        "DescribeInstanceRefreshes",
        "InstanceRefreshes",
        "InstanceRefreshes",
        "Instance refreshes",
        {"MaxRecords": _KEPT_REFRESHES},
    ),
)


def describe(reader: Reader, arn: str) -> Resource | None:
    """A group as DescribeAutoScalingGroups tells it, with five keys more, each the items of its own describe:
    `Policies`, `ScheduledActions`, `LifecycleHooks`, `Activities` (newest first, 50 at most) and
    `InstanceRefreshes` (newest first). A key is missing where its read was refused.
    """
    region, name = arns.parse(arn).region, arn.rpartition(_NAMED)[2]
    try:
        answer = reader.ask(
            "autoscaling", "DescribeAutoScalingGroups", region=region, AutoScalingGroupNames=[name]
        )
    except NotThere:
        return None
    items = answer.data.get("AutoScalingGroups") or []
    if not items:
        return None
    config, evidence = plain(items[0]), [answer.evidence]
    for operation, member, key, what, more in _MORE:
        told = optional(
            reader, "autoscaling", operation, what, region=region, AutoScalingGroupName=name, **more
        )
        if told is not None:
            config[key] = plain(told.data).get(member) or []
            evidence.append(told.evidence)
    return _resource(config, evidence)


# "At 2026-03-13T16:58:02Z a user request explicitly set group desired capacity changing the desired capacity
# from 6 to 1." An activity says so of each step that led to it (EC2 Auto Scaling user guide).
_STEP = re.compile(
    r"At (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?:(?!\bAt \d{4}).)*?"
    r"changing the desired capacity from (\d+) to (\d+)",
    re.DOTALL,
)


def capacity_steps(activities: Iterable[Mapping[str, Any]]) -> tuple[tuple[datetime, int, int], ...]:
    """When the desired capacity changed, from what and to what, as the causes of activities tell; oldest first.

    Scaling policies set it with no CloudTrail event, so an earlier request does not tell what it was.
    """
    found = {
        (datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC), int(before), int(after))
        for one in activities
        for moment, before, after in _STEP.findall(text(one, "Cause"))
    }
    return tuple(sorted(found))


def versions(reader: Reader, resource: Resource) -> Iterator[tuple[str, datetime, Json, str]]:
    """What the desired capacity was around each of its steps of six weeks, by the group's scaling activities."""
    pages = reader.pages(
        "autoscaling",
        "DescribeScalingActivities",
        "Activities",
        region=resource.region,
        limit=2,
        AutoScalingGroupName=resource.name,
        MaxRecords=100,
    )
    evidence = pages.evidence[0] if pages.evidence else ""
    steps = capacity_steps(plain({"items": pages.items})["items"])
    for index, (moment, old, new) in enumerate(steps):
        # Steps at almost the same moment are told as one: which of them a request meant is not to be seen.
        if not index or moment - steps[index - 1][0] > 2 * _SLACK:
            yield "of the capacity before a scaling activity", moment - _SLACK, _shown(old), evidence
        if index + 1 == len(steps) or steps[index + 1][0] - moment > 2 * _SLACK:
            yield "of the capacity after a scaling activity", moment + _SLACK, _shown(new), evidence


_SLACK = timedelta(
    seconds=5
)  # the record of a request and the cause of an activity differ by a second or two


def _shown(capacity: int) -> Json:
    return {"AutoScalingGroups": [{"DesiredCapacity": capacity}]}


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a group launches, from which template and where; which target groups send it requests."""
    if resource.type != "auto-scaling-group":
        return
    config, said_by = resource.config, "autoscaling:DescribeAutoScalingGroups"
    for one in config.get("Instances") or []:
        if id := text(one, "InstanceId"):
            yield relation(resource, _ec2(resource, "instance", id), "launches", f"{said_by} Instances")
    for subnet in _subnets(config):
        target = _ec2(resource, "subnet", subnet)
        yield relation(resource, target, "in", f"{said_by} VPCZoneIdentifier")
    if template := text(specification(config), "LaunchTemplateId"):
        target = _ec2(resource, "launch-template", template)
        yield relation(resource, target, "uses template", f"{said_by} LaunchTemplate")
    for group in _target_groups(config):
        yield Relation(
            source=group,
            target=resource.arn,
            kind="targets",
            provenance=f"{said_by} TargetGroupARNs",
            evidence=resource.evidence,
        )
    for hook in config.get("LifecycleHooks") or []:
        if arns.is_arn(target := text(hook, "NotificationTargetARN")):
            said = "autoscaling:DescribeLifecycleHooks NotificationTargetARN"
            yield relation(resource, target, "notifies", said)


def _ec2(resource: Resource, type: str, id: str) -> str:
    return arns.build("ec2", resource.region, resource.account, f"{type}/{id}")


def _subnets(config: Mapping[str, Any]) -> list[str]:
    return [id for one in text(config, "VPCZoneIdentifier").split(",") if (id := one.strip())]


def _target_groups(config: Mapping[str, Any]) -> list[str]:
    """ARNs, as they were attached in either way."""
    found = [str(arn) for arn in config.get("TargetGroupARNs") or []]
    for one in config.get("TrafficSources") or []:
        if ":targetgroup/" in text(one, "Identifier"):
            found.append(text(one, "Identifier"))
    return list(dict.fromkeys(found))


def specification(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which launch template a group or a member of one uses: {LaunchTemplateId, LaunchTemplateName, Version}; {}
    with a launch configuration.
    """
    mixed = (config.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    return config.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification") or {}


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    """Never by rule: a metric tells a group's name, its ARN has an id as well. Known groups are matched by name."""
    return ""


# -- settings -----------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    names = [resource.name]
    return call("autoscaling", "DescribeAutoScalingGroups", resource, AutoScalingGroupNames=names)


def _update(resource: Resource, **members: Any) -> tuple[Call, ...]:
    # UpdateAutoScalingGroup leaves alone what is not sent (API reference).
    return (
        call(
            "autoscaling", "UpdateAutoScalingGroup", resource, AutoScalingGroupName=resource.name, **members
        ),
    )


def _restore_number(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return () if value is None else _update(resource, **{member: whole(value)})


def _restore_text(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _update(resource, **{member: str(value)}) if value else ()


def _restore_switch(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _update(resource, **{member: value}) if isinstance(value, bool) else ()


def _restore_template(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """The template by its id and version. Instances of another version are replaced, else they would stay."""
    named = {**specification(resource.config), member: str(value)}
    if value is None or not named.get("LaunchTemplateId") or not named.get("Version"):
        return ()
    # AWS shows id and name, and takes only one of them.
    sent = {key: str(named[key]) for key in ("LaunchTemplateId", "Version")}
    if resource.config.get("MixedInstancesPolicy"):
        made = _update(resource, MixedInstancesPolicy=_mixed(resource, sent, {}))
    else:
        made = _update(resource, LaunchTemplate=sent)
    return (*made, *_replaced(resource, sent["LaunchTemplateId"], sent["Version"]))


def _replaced(resource: Resource, template: str, version: str) -> tuple[Call, ...]:
    """An instance refresh when some instance is of another version; none while one goes on, for AWS refuses it."""
    going = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
    if any(text(one, "Status") in going for one in resource.config.get("InstanceRefreshes") or []):
        return ()
    launched = [one.get("LaunchTemplate") or {} for one in resource.config.get("Instances") or []]
    same = {(text(one, "LaunchTemplateId"), text(one, "Version")) for one in launched}
    if not same - {(template, version)}:
        return ()
    return (
        call(
            "autoscaling",
            "StartInstanceRefresh",
            resource,
            AutoScalingGroupName=resource.name,
            Preferences={"SkipMatching": True},
        ),
    )


def _mixed(resource: Resource, specification: Mapping[str, Any], distribution: Mapping[str, Any]) -> Json:
    """The mixed instances policy as it is, in the shape of a call, with some values replaced."""
    now: Json = resource.config.get("MixedInstancesPolicy") or {}
    template = dict(now.get("LaunchTemplate") or {})
    named = specification or template.get("LaunchTemplateSpecification") or {}
    template["LaunchTemplateSpecification"] = _by_id(named)
    if overrides := template.get("Overrides"):
        template["Overrides"] = [
            {
                **one,
                **(
                    {"LaunchTemplateSpecification": _by_id(one["LaunchTemplateSpecification"])}
                    if one.get("LaunchTemplateSpecification")
                    else {}
                ),
            }
            for one in overrides
        ]
    made: Json = {"LaunchTemplate": template}
    if spread := {**(now.get("InstancesDistribution") or {}), **distribution}:
        made["InstancesDistribution"] = spread
    return made


def _by_id(named: Mapping[str, Any]) -> Json:
    keys = (
        ("LaunchTemplateId", "Version")
        if named.get("LaunchTemplateId")
        else ("LaunchTemplateName", "Version")
    )
    return {key: str(named[key]) for key in keys if named.get(key)}


def _restore_spread(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """A share of on-demand instances, with the rest of the mixed instances policy as it is."""
    policy = resource.config.get("MixedInstancesPolicy")
    if value is None or not policy:
        return ()
    return _update(resource, MixedInstancesPolicy=_mixed(resource, {}, {member: whole(value)}))


_WRITERS = ("UpdateAutoScalingGroup", "CreateAutoScalingGroup")
_HOURS = 6 * 3600
_DAY = 24 * 3600
_FEWER = (
    Effect(metric="GroupInServiceInstances", direction="down", after=(0, 1800), may=True),
    Effect(metric="GroupTotalInstances", direction="down", after=(0, 1800), may=True),
    Effect(metric="CPUUtilization", direction="up", after=(0, _HOURS), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _HOURS)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, _HOURS)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, _HOURS)),
    # The instances that are left have more to do; what the group works off waits.
    Effect(metric="role:saturation", direction="up", on="downstream", after=(0, _HOURS)),
    Effect(metric="role:backlog", direction="up", on="downstream", after=(0, _HOURS)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, _HOURS)),
)
_MORE_INSTANCES = (
    Effect(metric="GroupInServiceInstances", direction="up", after=(0, 3600), may=True),
    # More instances open more connections.
    Effect(metric="role:saturation", direction="up", on="downstream", after=(0, 3600)),
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 3600)),
    Effect(metric="role:throttles", direction="up", on="downstream", after=(0, 3600)),
)
_OTHER_MACHINES = (
    Effect(metric="GroupInServiceInstances", direction="down", after=(0, _DAY), may=True),
    Effect(metric="GroupTerminatingInstances", direction="up", after=(0, _DAY), may=True),
    Effect(metric="GroupPendingInstances", direction="up", after=(0, _DAY), may=True),
    Effect(metric="CPUUtilization", direction="up", after=(0, _DAY), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _DAY)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, _DAY)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, _DAY)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, _DAY)),
)


def _metric(
    name: str, stat: str, role: Role, bad: Any, unit: str, *, missing: Any = "unknown", **more: Any
) -> MetricSpec:
    return MetricSpec(
        type="auto-scaling-group",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing=missing,
        unit=unit,
        where=None if more else partial(_collected, name),
        **more,
    )


def _collected(name: str, resource: Resource) -> bool:
    """Groups send their own metrics only where that was switched on, each for itself."""
    return name in {text(one, "Metric") for one in resource.config.get("EnabledMetrics") or []}


_SIZES = {
    name: _metric(name, "Maximum", "setting", "", unit)
    for name, unit in (
        ("GroupMaxSize", "instances at most"),
        ("GroupMinSize", "instances at least"),
        ("GroupDesiredCapacity", "instances wanted"),
    )
}


def _setting(
    path: str, name: str, unit: str, restore: Any, effects: tuple[Effect, ...], **more: Any
) -> Setting:
    requested = ".".join(word[0].lower() + word[1:] for word in path.split("."))
    return Setting(
        type="auto-scaling-group",
        name=name,
        path=path,
        unit=unit,
        requests={**dict.fromkeys(_WRITERS, requested), **more.pop("requests", {})},
        restore=restore,
        read=_read,
        query=f"AutoScalingGroups[0].{path}",
        echo="none",
        effects=effects,
        **more,
    )


_MIXED = "MixedInstancesPolicy"
_SPREAD = f"{_MIXED}.InstancesDistribution"
_BY_MIX = f"{_MIXED}.LaunchTemplate.LaunchTemplateSpecification"

# In this order a call that joins several of them is right, and so is one after the other when they are raised.
SETTINGS = (
    _setting(
        "MaxSize",
        "maximum size",
        "instances",
        partial(_restore_number, "MaxSize"),
        (*moved("lowered", _FEWER), *moved("raised", _MORE_INSTANCES)),
        metric=_SIZES["GroupMaxSize"],
        along=("DesiredCapacity",),  # which is kept within both (UpdateAutoScalingGroup)
    ),
    _setting(
        "MinSize",
        "minimum size",
        "instances",
        partial(_restore_number, "MinSize"),
        (*moved("lowered", _FEWER), *moved("raised", _MORE_INSTANCES)),
        metric=_SIZES["GroupMinSize"],
        along=("DesiredCapacity",),  # which is kept within both (UpdateAutoScalingGroup)
    ),
    _setting(
        "DesiredCapacity",
        "desired capacity",
        "instances",
        partial(_restore_number, "DesiredCapacity"),
        (*moved("lowered", _FEWER), *moved("raised", _MORE_INSTANCES)),
        metric=_SIZES["GroupDesiredCapacity"],
        requests={"SetDesiredCapacity": "desiredCapacity"},
        versioned=True,
    ),
    _setting(
        "LaunchTemplate.Version",
        "launch template version",
        "",
        partial(_restore_template, "Version"),
        _OTHER_MACHINES,
        beside=("AutoScalingGroups[0].LaunchTemplate.LaunchTemplateId",),
    ),
    _setting(
        "LaunchTemplate.LaunchTemplateId",
        "launch template",
        "",
        partial(_restore_template, "LaunchTemplateId"),
        _OTHER_MACHINES,
        beside=("AutoScalingGroups[0].LaunchTemplate.Version",),
    ),
    _setting(
        f"{_BY_MIX}.Version",
        "launch template version of mixed instances",
        "",
        partial(_restore_template, "Version"),
        _OTHER_MACHINES,
        beside=(f"AutoScalingGroups[0].{_MIXED}",),
    ),
    _setting(
        f"{_SPREAD}.OnDemandBaseCapacity",
        "least number of on-demand instances",
        "instances",
        partial(_restore_spread, "OnDemandBaseCapacity"),
        moved("lowered", _OTHER_MACHINES),
        beside=(f"AutoScalingGroups[0].{_MIXED}",),
    ),
    _setting(
        f"{_SPREAD}.OnDemandPercentageAboveBaseCapacity",
        "share of on-demand instances",
        "%",
        partial(_restore_spread, "OnDemandPercentageAboveBaseCapacity"),
        moved("lowered", _OTHER_MACHINES),
        beside=(f"AutoScalingGroups[0].{_MIXED}",),
    ),
    _setting(
        "LaunchConfigurationName",
        "launch configuration",
        "",
        partial(_restore_text, "LaunchConfigurationName"),
        _OTHER_MACHINES,
    ),
    _setting(
        "VPCZoneIdentifier",
        "subnets",
        "",
        partial(_restore_text, "VPCZoneIdentifier"),
        _OTHER_MACHINES,
    ),
    _setting(
        "HealthCheckType",
        "kind of health check",
        "",
        partial(_restore_text, "HealthCheckType"),
        _OTHER_MACHINES,
    ),
    _setting(
        "HealthCheckGracePeriod",
        "health check grace period",
        "seconds",
        partial(_restore_number, "HealthCheckGracePeriod"),
        # Instances that start slowly are replaced before they are up: others are launched all the time.
        moved(
            "lowered",
            (Effect(metric="GroupPendingInstances", direction="up", after=(0, _DAY)), *_OTHER_MACHINES),
        ),
    ),
    _setting(
        "DefaultInstanceWarmup",
        "default instance warm-up",
        "seconds",
        partial(_restore_number, "DefaultInstanceWarmup"),
        moved("raised", _FEWER),
        unset=-1,  # "to remove a value that you previously set, specify -1" (UpdateAutoScalingGroup)
    ),
    _setting(
        "DefaultCooldown",
        "default cooldown",
        "seconds",
        partial(_restore_number, "DefaultCooldown"),
        moved("raised", _FEWER),
    ),
    _setting(
        "MaxInstanceLifetime",
        "maximum lifetime of instances",
        "seconds",
        partial(_restore_number, "MaxInstanceLifetime"),
        moved("lowered", _OTHER_MACHINES),
        unset=0,  # "to clear a previously set value, specify a new value of 0" (UpdateAutoScalingGroup)
    ),
    # These break nothing by themselves.
    _setting(
        "NewInstancesProtectedFromScaleIn",
        "protection of new instances from scaling in",
        "",
        partial(_restore_switch, "NewInstancesProtectedFromScaleIn"),
        (),
        unset=False,
    ),
    _setting(
        "CapacityRebalance",
        "capacity rebalancing",
        "",
        partial(_restore_switch, "CapacityRebalance"),
        (),
        unset=False,
    ),
)

# -- undo ---------------------------------------------------------------------------------------------

_Earlier = tuple[ChangeEvent, ...]


def _known(event: ChangeEvent, earlier: _Earlier) -> Iterator[ChangeEvent]:
    """Earlier events of the same group that had an effect, newest first."""
    for one in earlier:
        if one.id != event.id and not one.error_code and _group(one) == _group(event):
            yield one


def _processes(event: ChangeEvent) -> set[str]:
    named = event.request.get("scalingProcesses") or []
    return {str(one) for one in named} or set(_PROCESSES)


_PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


def _undo_processes(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Resume what was suspended, or suspend what was resumed, but not what was so before."""
    opposite = {"SuspendProcesses": "ResumeProcesses", "ResumeProcesses": "SuspendProcesses"}
    wanted, settled = _processes(event), set[str]()
    for one in _known(event, earlier):
        if one.operation in opposite:
            new = _processes(one) - settled
            settled |= new
            if one.operation == event.operation:
                wanted -= new
    if not wanted or not _group(event):
        return ()
    names = [name for name in _PROCESSES if name in wanted] + sorted(wanted - set(_PROCESSES))
    return (
        call(
            "autoscaling",
            opposite[event.operation],
            event,
            AutoScalingGroupName=_group(event),
            ScalingProcesses=names,
        ),
    )


# What a request calls the thing, which call makes it and which removes it, and what a whole one must hold.
_PARTS: Mapping[str, tuple[str, str, tuple[tuple[str, ...], ...]]] = {
    "policyName": (
        "PutScalingPolicy",
        "DeletePolicy",
        (
            (
                "targetTrackingConfiguration",
                "stepAdjustments",
                "scalingAdjustment",
                "predictiveScalingConfiguration",
            ),
        ),
    ),
    "scheduledActionName": (
        "PutScheduledUpdateGroupAction",
        "DeleteScheduledAction",
        (("recurrence", "startTime", "time"), ("minSize", "maxSize", "desiredCapacity")),
    ),
    "lifecycleHookName": ("PutLifecycleHook", "DeleteLifecycleHook", (("lifecycleTransition",),)),
}


def _undo_part(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """A policy, scheduled action or hook as earlier requests made it: put again what was deleted or overwritten,
    delete what an earlier deletion says was not there. Nothing when that is not known.
    """
    key = next((one for one in _PARTS if text(event.request, one)), "")
    if not key:
        return ()
    put, delete, needed = _PARTS[key]
    request, gone = _as_put(event, earlier, key)
    removal = call(
        "autoscaling",
        delete,
        event,
        AutoScalingGroupName=_group(event),
        **{key[0].upper() + key[1:]: text(event.request, key)},
    )
    if gone:
        return (removal,) if event.operation == put else ()
    if not all(any(name in request for name in names) for names in needed):
        return ()
    try:
        sent = from_cloudtrail("autoscaling", put, request)
    except BadInput:
        return ()
    again = Call(service="autoscaling", operation=put, parameters=sent, region=event.region)
    # An update keeps what it does not send: what only the later request set goes by deleting the whole.
    added = event.operation == put and set(event.request) - set(request)
    return (removal, again) if added else (again,)


def _as_put(event: ChangeEvent, earlier: _Earlier, key: str) -> tuple[Json, bool]:
    """The request that makes the thing as it was before `event`, and whether it is known to have been gone."""
    put, delete, _ = _PARTS[key]
    request: Json = {}
    for one in _known(event, earlier):
        if text(one.request, key) != text(event.request, key):
            continue
        if one.operation == delete:
            return request, not request
        if one.operation == put:
            request = {**one.request, **request}
    return request, False


_ATTACHED = {
    "AttachLoadBalancerTargetGroups": ("DetachLoadBalancerTargetGroups", "targetGroupARNs"),
    "DetachLoadBalancerTargetGroups": ("AttachLoadBalancerTargetGroups", "targetGroupARNs"),
    "AttachTrafficSources": ("DetachTrafficSources", "trafficSources"),
    "DetachTrafficSources": ("AttachTrafficSources", "trafficSources"),
}


def _undo_attached(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Attach what was detached, detach what was attached."""
    opposite, key = _ATTACHED[event.operation]
    request = {name: event.request.get(name) for name in ("autoScalingGroupName", key)}
    try:
        sent = from_cloudtrail("autoscaling", opposite, request) if all(request.values()) else {}
    except BadInput:
        return ()
    return (
        (Call(service="autoscaling", operation=opposite, parameters=sent, region=event.region),)
        if sent
        else ()
    )


def _undo_standby(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Bring back those that were put on standby. The capacity follows by itself, as it did before."""
    ids = [str(id) for id in event.request.get("instanceIds") or []]
    if not ids or not _group(event):
        return ()
    return (call("autoscaling", "ExitStandby", event, AutoScalingGroupName=_group(event), InstanceIds=ids),)


def _undo_detached(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Attach detached instances again: they run on. Without the decrement others were launched in their place."""
    ids = [str(id) for id in event.request.get("instanceIds") or []]
    if not ids or not _group(event) or event.request.get("shouldDecrementDesiredCapacity") is not True:
        return ()
    return (
        call("autoscaling", "AttachInstances", event, AutoScalingGroupName=_group(event), InstanceIds=ids),
    )


def _undo_refresh(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """AWS rolls a refresh back only when it was started with the configuration that it should bring."""
    if not event.request.get("desiredConfiguration") or not _group(event):
        return ()
    return (call("autoscaling", "RollbackInstanceRefresh", event, AutoScalingGroupName=_group(event)),)


def _undo_metrics(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Collect again what the request switched off by name, by the minute: there is no other granularity."""
    names = [str(one) for one in event.request.get("metrics") or []]
    more: Json = {"Metrics": names} if names else {}
    if not names or not _group(event):
        return ()
    return (
        call(
            "autoscaling",
            "EnableMetricsCollection",
            event,
            AutoScalingGroupName=_group(event),
            Granularity="1Minute",
            **more,
        ),
    )


# -- changes ------------------------------------------------------------------------------------------

_WEB: Json = {"autoScalingGroupName": "web"}
_TEMPLATE = "lt-0a1b2c3d4e5f60718"
_TARGETS = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/73e2d6bc24d8a067"
_INSTANCES: Json = {**_WEB, "instanceIds": ["i-0a1b2c3d4e5f60718"]}
_UPDATE: Json = {
    **_WEB,
    "minSize": 1,
    "maxSize": 1,
    "desiredCapacity": 1,
    "launchTemplate": {"launchTemplateId": _TEMPLATE, "version": "42"},
    "vPCZoneIdentifier": "subnet-0a1b2c3d4e5f60001,subnet-0a1b2c3d4e5f60002",
    "healthCheckType": "ELB",
    "healthCheckGracePeriod": 300,
    "defaultCooldown": 300,
    "defaultInstanceWarmup": 120,
    "maxInstanceLifetime": 604800,
    "newInstancesProtectedFromScaleIn": False,
    "capacityRebalance": True,
}
_UPDATE_MIXED: Json = {
    **_WEB,
    "mixedInstancesPolicy": {
        "launchTemplate": {
            "launchTemplateSpecification": {"launchTemplateId": _TEMPLATE, "version": "42"},
            "overrides": [{"instanceType": "m6i.large"}, {"instanceType": "m6a.large"}],
        },
        "instancesDistribution": {
            "onDemandBaseCapacity": 2,
            "onDemandPercentageAboveBaseCapacity": 0,
            "spotAllocationStrategy": "price-capacity-optimized",
        },
    },
}
_TRACKING: Json = {
    **_WEB,
    "policyName": "cpu-60",
    "policyType": "TargetTrackingScaling",
    "targetTrackingConfiguration": {
        "predefinedMetricSpecification": {"predefinedMetricType": "ASGAverageCPUUtilization"},
        "targetValue": 60.0,
    },
}
_NIGHTLY: Json = {
    **_WEB,
    "scheduledActionName": "night",
    "recurrence": "0 20 * * *",
    "minSize": 1,
    "maxSize": 2,
    "desiredCapacity": 1,
}
_HOOK: Json = {
    **_WEB,
    "lifecycleHookName": "warm",
    "lifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
    "heartbeatTimeout": 3600,
    "defaultResult": "ABANDON",
}
_ACTIVITY: Json = {
    "activity": {
        "activityId": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11",
        "autoScalingGroupName": "web",
        "statusCode": "InProgress",
    }
}
_UNSCALED = (
    *_FEWER,
    Effect(metric="GroupInServiceInstances", direction="up", after=(0, _DAY), may=True),
)


def _later(effects: Iterable[Effect], latest: int = 3 * _DAY) -> tuple[Effect, ...]:
    """Effects that wait for the next peak, failure or hour of a plan."""
    return tuple(
        Effect(
            metric=one.metric,
            direction=one.direction,
            on=one.on,
            after=(0, latest),
            when=one.when,
            may=one.may,
        )
        for one in effects
    )


_change = changes_of(_SOURCE, _touches)

CHANGES = (
    _change(
        "UpdateAutoScalingGroup",
        "The group runs too few instances, or launches others than before.",
        _UPDATE,
        more=(_UPDATE_MIXED, {**_WEB, "launchConfigurationName": "web-2026-03"}),
    ),
    _change(
        "SetDesiredCapacity",
        "The group runs another number of instances.",
        {**_WEB, "desiredCapacity": 1, "honorCooldown": False},
    ),
    _change(
        "DeleteAutoScalingGroup",
        "All instances of the group are terminated; those who call them fail.",
        {**_WEB, "forceDelete": True},
        (*_FEWER, Effect(metric="CPUUtilization", direction="silent", after=(0, 1800), may=True)),
    ),
    *(
        _change(operation, breaks, {**_WEB, "scalingProcesses": processes}, effects, undo=_undo_processes)
        for operation, breaks, processes, effects in (
            (
                "SuspendProcesses",
                "The group no longer launches, replaces, registers or scales, whichever was suspended.",
                ["Launch", "ReplaceUnhealthy", "AlarmNotification"],
                _later(_FEWER, 7 * _DAY),
            ),
            (
                "ResumeProcesses",
                "The group again does what was suspended: it replaces or terminates instances.",
                ["Launch", "Terminate"],
                _OTHER_MACHINES,
            ),
        )
    ),
    *(
        _change(operation, breaks, request, effects, undo=_undo_part, response=response)
        for operation, breaks, request, effects, response in (
            (
                "PutScalingPolicy",
                "The group follows its load otherwise: later, less, or not at all.",
                _TRACKING,
                _later(_UNSCALED),
                {"policyARN": "arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:1:web", "alarms": []},
            ),
            (
                "DeletePolicy",
                "The group no longer follows its load; the next peak meets too few instances.",
                {**_WEB, "policyName": "cpu-60"},
                _later(_UNSCALED),
                None,
            ),
            (
                "PutScheduledUpdateGroupAction",
                "At its hour the action sets other sizes of the group.",
                _NIGHTLY,
                _later((*_FEWER, *_MORE_INSTANCES), 7 * _DAY),
                None,
            ),
            (
                "DeleteScheduledAction",
                "Sizes that the action would have set do not come.",
                {**_WEB, "scheduledActionName": "night"},
                _later((*_FEWER, *_MORE_INSTANCES), 7 * _DAY),
                None,
            ),
            (
                "PutLifecycleHook",
                "Instances wait for an answer to the hook before they serve, or are given up without it.",
                _HOOK,
                _later(_OTHER_MACHINES),
                None,
            ),
            (
                "DeleteLifecycleHook",
                "Instances serve before they are prepared, or go before they have finished.",
                {**_WEB, "lifecycleHookName": "warm"},
                _later(_OTHER_MACHINES),
                None,
            ),
        )
    ),
    _change(
        "StartInstanceRefresh",
        "All instances are replaced by new ones of the template as it is now.",
        {
            **_WEB,
            "strategy": "Rolling",
            "desiredConfiguration": {
                "launchTemplate": {"launchTemplateId": _TEMPLATE, "version": "42"},
            },
            "preferences": {"minHealthyPercentage": 90, "instanceWarmup": 120},
        },
        _OTHER_MACHINES,
        response={"instanceRefreshId": "08b91cf7-8fa6-48af-b6a6-d227f40f1b9b"},
        undo=_undo_refresh,
    ),
    _change(
        "RollbackInstanceRefresh",
        "Instances are replaced once more, by those of the configuration before.",
        _WEB,
        _OTHER_MACHINES,
        response={"instanceRefreshId": "08b91cf7-8fa6-48af-b6a6-d227f40f1b9b"},
    ),
    _change(
        "CancelInstanceRefresh",
        "Instances of two versions serve side by side.",
        _WEB,
        _OTHER_MACHINES,
        response={"instanceRefreshId": "08b91cf7-8fa6-48af-b6a6-d227f40f1b9b"},
    ),
    *(
        _change(operation, breaks, request, effects, undo=_undo_attached)
        for operation, breaks, request, effects in (
            (
                "DetachLoadBalancerTargetGroups",
                "The load balancer sends the group's instances no more requests.",
                {**_WEB, "targetGroupARNs": [_TARGETS]},
                (*_FEWER, Effect(metric="CPUUtilization", direction="down", after=(0, 3600), may=True)),
            ),
            (
                "AttachLoadBalancerTargetGroups",
                "The load balancer sends requests to the group's instances, ready or not.",
                {**_WEB, "targetGroupARNs": [_TARGETS]},
                _OTHER_MACHINES,
            ),
            (
                "DetachTrafficSources",
                "The load balancer sends the group's instances no more requests.",
                {**_WEB, "trafficSources": [{"identifier": _TARGETS, "type": "elbv2"}]},
                (*_FEWER, Effect(metric="CPUUtilization", direction="down", after=(0, 3600), may=True)),
            ),
            (
                "AttachTrafficSources",
                "The load balancer sends requests to the group's instances, ready or not.",
                {**_WEB, "trafficSources": [{"identifier": _TARGETS, "type": "elbv2"}]},
                _OTHER_MACHINES,
            ),
        )
    ),
    _change(
        "DetachInstances",
        "The instances run on, but take no more part in the group.",
        {**_INSTANCES, "shouldDecrementDesiredCapacity": True},
        _FEWER,
        undo=_undo_detached,
    ),
    _change(
        "EnterStandby",
        "The instances run on, but get no more requests until they leave standby.",
        {**_INSTANCES, "shouldDecrementDesiredCapacity": True},
        (*_FEWER, Effect(metric="GroupStandbyInstances", direction="up", after=(0, 900), may=True)),
        undo=_undo_standby,
    ),
    _change(
        "TerminateInstanceInAutoScalingGroup",
        "The instance is gone; until another is up the group has one less.",
        {"instanceId": "i-0a1b2c3d4e5f60718", "shouldDecrementDesiredCapacity": False},
        _FEWER,
        response=_ACTIVITY,
    ),
    _change(
        "SetInstanceHealth",
        "The group replaces an instance that is told to be unhealthy.",
        {**_WEB, "instanceId": "i-0a1b2c3d4e5f60718", "healthStatus": "Unhealthy"},
        _FEWER,
    ),
    _change(
        "ExecutePolicy",
        "The group scales by hand, whatever its load.",
        {**_WEB, "policyName": "add-two", "honorCooldown": False},
        (*_FEWER, *_MORE_INSTANCES),
    ),
    _change(
        "DisableMetricsCollection",
        "Nothing counts the group's instances any more: alarms on such metrics get no data.",
        {**_WEB, "metrics": ["GroupInServiceInstances", "GroupDesiredCapacity"]},
        (
            Effect(metric="GroupInServiceInstances", direction="silent", after=(0, 900)),
            Effect(metric="GroupDesiredCapacity", direction="silent", after=(0, 900)),
        ),
        undo=_undo_metrics,
    ),
    _change(
        "DeleteWarmPool",
        "New instances take their whole time to start.",
        {**_WEB, "forceDelete": False},
        _later(_FEWER),
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request))
        for operation, request in (
            ("CreateAutoScalingGroup", {**_UPDATE, "targetGroupARNs": [_TARGETS]}),
            ("AttachInstances", _INSTANCES),
            ("ExitStandby", _INSTANCES),
            ("SetInstanceProtection", {**_INSTANCES, "protectedFromScaleIn": True}),
            ("EnableMetricsCollection", {**_WEB, "granularity": "1Minute"}),
            ("PutWarmPool", {**_WEB, "minSize": 2, "poolState": "Stopped"}),
            (
                "PutNotificationConfiguration",
                {
                    **_WEB,
                    "topicARN": "arn:aws:sns:eu-west-1:111122223333:scaling",
                    "notificationTypes": ["autoscaling:EC2_INSTANCE_LAUNCH_ERROR"],
                },
            ),
            *(
                (
                    operation,
                    {
                        "tags": [
                            {
                                "resourceId": "web",
                                "resourceType": "auto-scaling-group",
                                "key": "team",
                                "value": "shop",
                                "propagateAtLaunch": True,
                            }
                        ]
                    },
                )
                for operation in ("CreateOrUpdateTags", "DeleteTags")
            ),
        )
    ),
)

# -- what the group says itself -----------------------------------------------------------------------

_NO_CAPACITY = (
    r"InsufficientInstanceCapacity|do(es)? not have sufficient \S+ capacity|UnfulfillableCapacity"
    r"|no Spot capacity available|capacity-not-available|InsufficientCapacityOnHost"
    r"|InsufficientReservedInstanceCapacity"
)
_QUOTA = (
    r"VcpuLimitExceeded|InstanceLimitExceeded|MaxSpotInstanceCountExceeded"
    r"|more vCPU capacity than your current vCPU limit|Max spot instance count exceeded"
    r"|You have (already )?requested more instances"
)
_NO_ADDRESS = (
    r"InsufficientFreeAddressesInSubnet|not enough free addresses in subnet|enough free IP addresses"
)
_BAD_TEMPLATE = (
    r"InvalidAMIID|image id '?\[?ami-[0-9a-f]+\]?'? (does not exist|is not)|AMI \S+ (is invalid|is disabled|is pending)"
    r"|security group '?sg-[0-9a-f]+'? does not exist|key pair '[^']*' does not exist"
    r"|Invalid IAM Instance Profile|Invalid(LaunchTemplate|BlockDevice|KeyPair)|[Ll]aunch template \S+ does not exist"
    r"|The specified launch template, with template ID|not authorized to use launch template"
    r"|[Rr]equested configuration is currently not supported|unsupported instance type"
)
_BAD_KEY = r"Client\.InvalidKMSKey|Client\.InternalError: Client error on launch"
_UNHEALTHY = (
    r"taken out of service in response to an? (ELB |EC2 |EBS |VPC_LATTICE |user )?(system )?(instance )?"
    r"(health[- ]check|status checks?)"
)
_OFTEN = 3  # replacements for bad health among the activities at hand that are more than one broken machine


def messages(resource: Resource) -> tuple[str, ...]:
    """What the group's activities complain of now: reasons of failed ones since the last that succeeded, then those of
    a failed instance refresh; newest first.
    """
    found: list[str] = []
    for one in resource.config.get("Activities") or []:
        status = text(one, "StatusCode")
        if status == "Successful" and "Launching" in text(one, "Description"):
            break
        if status in ("Failed", "Cancelled"):
            found.append(text(one, "StatusMessage"))
    refreshes = resource.config.get("InstanceRefreshes") or []
    if refreshes and text(refreshes[0], "Status") in ("Failed", "RollbackFailed"):
        found.append(text(refreshes[0], "StatusReason"))
    return tuple(dict.fromkeys(message for message in found if message))


def _says(pattern: str, resource: Resource) -> bool:
    return any(re.search(pattern, one) for one in messages(resource))


def _churns(resource: Resource) -> bool:
    """Whether the newest activities replace one instance after another for bad health."""
    causes = [text(one, "Cause") for one in (resource.config.get("Activities") or [])[: 4 * _OFTEN]]
    return sum(bool(re.search(_UNHEALTHY, cause)) for cause in causes) >= _OFTEN


def _suspended(resource: Resource) -> set[str]:
    return {text(one, "ProcessName") for one in resource.config.get("SuspendedProcesses") or []}


def _has_room(resource: Resource) -> bool:
    """Whether the group may still grow, or is of a fixed size and is not meant to."""
    wanted, most = resource.config.get("DesiredCapacity"), resource.config.get("MaxSize")
    if not isinstance(wanted, int) or not isinstance(most, int):
        return True
    return wanted < most or resource.config.get("MinSize") == most


CONDITIONS = (
    Condition(
        key="no-capacity-for-instances",
        type="auto-scaling-group",
        title="no capacity: AWS has no such instances free in these zones",
        metrics=(),
        breaks="Launches fail, so the group stays smaller than it wants to be. Nobody changed anything.",
        relieve=(
            "Allow further instance types or zones; on-demand where spot capacity is missing.",
            "Trying again later may work: capacity in a zone comes and goes.",
        ),
        prevent=(
            "Use a mixed instances policy over several types and zones; reserve capacity for what must start.",
        ),
        shown=partial(_says, _NO_CAPACITY),
    ),
    Condition(
        key="instance-quota-reached",
        type="auto-scaling-group",
        title="quota of the account reached: no more instances may be launched",
        metrics=(),
        breaks="Launches fail, so the group stays smaller than it wants to be.",
        relieve=("Ask for a higher quota from Service Quotas; free instances that nobody needs meanwhile.",),
        prevent=("Alarm on the use of the quota, and review it before planned peaks.",),
        shown=partial(_says, _QUOTA),
    ),
    Condition(
        key="subnet-addresses-used-up",
        type="auto-scaling-group",
        title="no free addresses in the group's subnets",
        metrics=(),
        breaks="Launches fail, so the group stays smaller than it wants to be.",
        relieve=("Add a subnet with free addresses to the group, or free addresses in its own.",),
        prevent=("Watch the free addresses of subnets (DescribeSubnets, AvailableIpAddressCount).",),
        shown=partial(_says, _NO_ADDRESS),
    ),
    Condition(
        key="launch-template-unusable",
        type="auto-scaling-group",
        title="what the launch template names does not exist or does not fit",
        metrics=(),
        breaks="Every launch fails: an image, group, key or profile that the template names is gone.",
        relieve=("Put back the version of the template that worked, or bring back what it names.",),
        prevent=("Try a new version of the template with one instance before the group uses it.",),
        shown=partial(_says, _BAD_TEMPLATE),
    ),
    Condition(
        key="disk-key-unusable",
        type="auto-scaling-group",
        title="launched instances end at once: their disk's key cannot be used",
        metrics=(),
        breaks="Auto Scaling's role may not use the key of the encrypted disks, or the key is disabled.",
        relieve=("Enable the key, and let AWSServiceRoleForAutoScaling use it by its policy or a grant.",),
        prevent=("Alarm on DisableKey, ScheduleKeyDeletion and PutKeyPolicy of keys of disks.",),
        shown=partial(_says, _BAD_KEY),
    ),
    Condition(
        key="instances-replaced-again-and-again",
        type="auto-scaling-group",
        title="instances fail their health check and are replaced, one after another",
        metrics=(),
        breaks="New instances do not become healthy, so capacity goes up and down.",
        relieve=(
            "Suspend ReplaceUnhealthy for the moment, so that one instance stays to be looked at.",
            "Compare the health check and its grace period with how long an instance takes to start.",
        ),
        prevent=("Alarm on UnHealthyHostCount of the target group, and on launches per hour.",),
        shown=_churns,
    ),
    Condition(
        key="group-at-its-maximum",
        type="auto-scaling-group",
        title="the group is at its maximum size",
        metrics=("CPUUtilization",),
        breaks="There is more to do than the group may launch instances for.",
        relieve=("Raise the maximum size, as far as quotas and what stands behind the group allow.",),
        prevent=("Alarm on GroupDesiredCapacity at GroupMaxSize, and review sizes before planned peaks.",),
        excluded=_has_room,
    ),
    Condition(
        key="scaling-suspended",
        type="auto-scaling-group",
        title="processes of the group are suspended",
        metrics=("CPUUtilization",),
        breaks="The group does not launch, replace or scale while its load grows.",
        relieve=("Resume the processes, unless somebody suspended them for a reason that still holds.",),
        prevent=("Tell by a Config rule or a schedule when a process stays suspended.",),
        excluded=lambda resource: (
            not _suspended(resource) & {"Launch", "AlarmNotification", "ReplaceUnhealthy"}
        ),
    ),
)

SIGNATURES = tuple(
    Signature(match=match, code=code, reason="", points_to=points_to, says=says)
    for match, code, points_to, says in (
        (
            _NO_CAPACITY,
            "InsufficientInstanceCapacity",
            "no-capacity-for-instances",
            "AWS has no such instances free in these zones",
        ),
        (
            _QUOTA,
            "VcpuLimitExceeded",
            "instance-quota-reached",
            "the account's quota of instances is reached",
        ),
        (
            _NO_ADDRESS,
            "InsufficientFreeAddressesInSubnet",
            "subnet-addresses-used-up",
            "a subnet has no free addresses",
        ),
    )
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """A group's scaling policies, and whom it tells of launches."""
    for policy in resource.config.get("Policies") or []:
        if arn := text(policy, "PolicyARN"):
            yield relation(resource, arn, "consists of", "autoscaling:DescribePolicies PolicyARN")
    for one in resource.config.get("Notifications") or []:
        said_by = "autoscaling:DescribeNotificationConfigurations TopicARN"
        yield relation(resource, text(one, "TopicARN"), "alerts", said_by)


def fill(reader: Reader, resource: Resource) -> Resource:
    """With whom it tells of launches."""
    told = reader.pages(
        "autoscaling",
        "DescribeNotificationConfigurations",
        "NotificationConfigurations",
        region=resource.region,
        AutoScalingGroupNames=[resource.name],
    )
    config = {**resource.config, "Notifications": [plain(one) for one in told.items]}
    return replace(resource, config=config, evidence=(*resource.evidence, *told.evidence))


SERVICE = Service(
    name="autoscaling",
    title="EC2 Auto Scaling",
    client="autoscaling",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="DescribeAutoScalingGroups",
            action="autoscaling:DescribeAutoScalingGroups",
            shows="sizes, launch template and instances of groups",
        ),
        Read(
            operation="DescribePolicies",
            action="autoscaling:DescribePolicies",
            shows="what makes a group grow and shrink",
        ),
        Read(
            operation="DescribeScheduledActions",
            action="autoscaling:DescribeScheduledActions",
            shows="which sizes a group gets at which hour",
        ),
        Read(
            operation="DescribeLifecycleHooks",
            action="autoscaling:DescribeLifecycleHooks",
            shows="what instances wait for before they serve or go",
        ),
        Read(
            operation="DescribeScalingActivities",
            action="autoscaling:DescribeScalingActivities",
            shows="why launches failed and what the desired capacity was",
        ),
        Read(
            operation="DescribeInstanceRefreshes",
            action="autoscaling:DescribeInstanceRefreshes",
            shows="whether instances are being replaced",
        ),
        Read(
            operation="DescribeNotificationConfigurations",
            action="autoscaling:DescribeNotificationConfigurations",
            shows="whom a group tells of launches",
        ),
    ),
    types={"auto-scaling-group": "container"},
    arns={"auto-scaling-group": r"autoscaling:autoScalingGroup:[^:]+:autoScalingGroupName/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, fill=fill, fills=("auto-scaling-group",)),
    namespace="AWS/AutoScaling",
    dimensions=lambda resource: (("AutoScalingGroupName", resource.name),),
    owner=owner,
    metrics=(
        *_SIZES.values(),
        _metric("GroupInServiceInstances", "Minimum", "work", "down", "instances in service"),
        _metric("GroupTotalInstances", "Minimum", "work", "", "instances"),
        _metric("GroupPendingInstances", "Maximum", "backlog", "up", "instances that start"),
        _metric("GroupTerminatingInstances", "Maximum", "saturation", "up", "instances that end"),
        _metric("GroupStandbyInstances", "Maximum", "saturation", "up", "instances on standby"),
        _metric("CPUUtilization", "Average", "saturation", "up", "%", namespace="AWS/EC2", period=300),
        _metric(
            "NetworkIn", "Sum", "demand", "down", "bytes in", namespace="AWS/EC2", period=300, missing="idle"
        ),
        _metric(
            "StatusCheckFailed", "Maximum", "errors", "up", "failed checks", namespace="AWS/EC2", period=60
        ),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    versions=versions,
    listed=False,
    listed_near=(
        "auto-scaling-group",
        "instance",
        "launch-template",
        "nodegroup",
        "eks-cluster",
        "load-balancer",
        "listener",
        "target-group",
        "db-instance",
        "db-cluster",
    ),
)
