"""Elastic Load Balancing: application and network load balancers, listeners, rules, target groups."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput, NotThere
from tools.kit import call, optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
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
    inert,
)
from tools.setting_values import ITS_ARN

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "elasticloadbalancing.amazonaws.com"
_LISTENER = re.compile(r":listener(?:-rule)?/((?:app|net|gwy)/[^/]+/[^/]+)/([^/]+)(?:/[^/]+)?$")
_TOKEN = ("Marker", "NextMarker")


# -- names --------------------------------------------------------------------------------------------


def balancer_of(arn: str) -> str:
    """The ARN of the load balancer of a listener or a rule; "" for anything else."""
    return _LISTENER.sub(r":loadbalancer/\1", arn) if _LISTENER.search(arn) else ""


def listener_of(rule: str) -> str:
    """The ARN of the listener that a rule belongs to."""
    return _LISTENER.sub(r":listener/\1/\2", rule)


def _above(arn: str) -> tuple[str, ...]:
    """A listener or rule and what it belongs to, nearest first."""
    found = (arn, listener_of(arn), balancer_of(arn))
    return tuple(dict.fromkeys(one for one in found if one))


def _touches(member: str, event: ChangeEvent) -> tuple[str, ...]:
    found = text(event.request, member)
    return _above(found) if found else ()


_touches_balancer = partial(_touches, "loadBalancerArn")
_touches_group = partial(_touches, "targetGroupArn")
_touches_listener = partial(_touches, "listenerArn")
_touches_rule = partial(_touches, "ruleArn")


def _made(response: str, member: str, event: ChangeEvent) -> tuple[str, ...]:
    """What a Create call made: only its answer tells the ARN."""
    items = event.response.get(response) or []
    return tuple(
        dict.fromkeys(arn for item in items for arn in _above(text(item, member)) if text(item, member))
    )


def _touches_new_listener(event: ChangeEvent) -> tuple[str, ...]:
    return _made("listeners", "listenerArn", event) or _touches_balancer(event)


def _touches_new_rule(event: ChangeEvent) -> tuple[str, ...]:
    return _made("rules", "ruleArn", event) or _touches_listener(event)


def _touches_priorities(event: ChangeEvent) -> tuple[str, ...]:
    rules = [text(one, "ruleArn") for one in event.request.get("rulePriorities") or []]
    found = [_above(rule) for rule in rules if rule]
    # The rules first, then what they belong to.
    return tuple(dict.fromkeys([*(one[0] for one in found), *(arn for one in found for arn in one[1:])]))


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    return tuple(str(arn) for arn in event.request.get("resourceArns") or [])


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All load balancers, then all target groups: two list operations."""
    at: dict[str, Any] = {"region": region, "token": _TOKEN, "PageSize": 400}
    balancers = reader.pages("elbv2", "DescribeLoadBalancers", "LoadBalancers", **at)
    for item in balancers.items:
        yield _resource(item["LoadBalancerArn"], plain(item), balancers.evidence)
    groups = reader.pages("elbv2", "DescribeTargetGroups", "TargetGroups", **at)
    for item in groups.items:
        yield _resource(item["TargetGroupArn"], plain(item), groups.evidence)


def _resource(
    arn: str, config: Json, evidence: Iterable[str], tags: Mapping[str, str] | None = None
) -> Resource:
    parts = arns.parse(arn)
    words = parts.resource.split("/")
    kind, name = {
        "loadbalancer": ("load-balancer", words[2] if len(words) > 2 else words[-1]),
        "targetgroup": ("target-group", words[1] if len(words) > 1 else words[-1]),
        "listener": ("listener", f"{words[2]}:{config.get('Port', '')}" if len(words) > 2 else words[-1]),
        "listener-rule": (
            "listener-rule",
            f"{words[2]} rule {words[-1]}" if len(words) > 2 else words[-1],
        ),
    }[words[0]]
    return Resource(
        arn=arn,
        service="elbv2",
        type=kind,
        name=name,
        account=parts.account,
        region=parts.region,
        config=config,
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A load balancer, listener, rule or target group as AWS describes it, with more keys:

    load balancer: `Attributes` (key -> value), `Listeners` (DescribeListeners), `TargetGroups` (ARNs);
    listener: `Rules` (DescribeRules); rule: `Taken` (priorities of the other rules of its listener);
    target group: `Attributes`, `TargetHealth` (TargetHealthDescriptions).
    """
    kind = arns.parse(arn).type
    found = _DESCRIBED.get(kind)
    return found(reader, arn) if found else None


class _Gathering:
    """One resource's config while several reads add to it."""

    def __init__(self, reader: Reader, arn: str) -> None:
        self.reader, self.arn, self.region = reader, arn, arns.parse(arn).region
        self.evidence: list[str] = []
        self.config: Json = {}

    def base(self, operation: str, items: str, **parameters: Any) -> bool:
        """The item of the describe itself. False when there is none."""
        try:
            answer = self.reader.ask("elbv2", operation, region=self.region, **parameters)
        except NotThere:
            return False
        found = answer.data.get(items) or []
        if not found:
            return False
        self.config = plain(found[0])
        self.evidence.append(answer.evidence)
        return True

    def more(self, operation: str, what: str, **parameters: Any) -> Json:
        """Another answer about it; {} when it is not visible, with a gap noted."""
        answer = optional(self.reader, "elbv2", operation, what, region=self.region, **parameters)
        if answer is None:
            return {}
        self.evidence.append(answer.evidence)
        return plain(answer.data)

    def attributes(self, operation: str, **parameters: Any) -> None:
        found = self.more(operation, "Attributes", **parameters).get("Attributes")
        if found is not None:
            self.config["Attributes"] = {text(one, "Key"): text(one, "Value") for one in found}

    def done(self) -> Resource:
        told = self.more("DescribeTags", "Tags", ResourceArns=[self.arn]).get("TagDescriptions") or []
        tags = {text(tag, "Key"): text(tag, "Value") for one in told for tag in one.get("Tags") or []}
        return _resource(self.arn, self.config, self.evidence, tags)


def _describe_balancer(reader: Reader, arn: str) -> Resource | None:
    found = _Gathering(reader, arn)
    if not found.base("DescribeLoadBalancers", "LoadBalancers", LoadBalancerArns=[arn]):
        return None
    found.attributes("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
    listeners = found.more("DescribeListeners", "Listeners", LoadBalancerArn=arn).get("Listeners")
    if listeners is not None:
        found.config["Listeners"] = listeners
    groups = found.more("DescribeTargetGroups", "Target groups", LoadBalancerArn=arn).get("TargetGroups")
    if groups is not None:
        found.config["TargetGroups"] = [text(one, "TargetGroupArn") for one in groups]
    return found.done()


def _describe_listener(reader: Reader, arn: str) -> Resource | None:
    found = _Gathering(reader, arn)
    if not found.base("DescribeListeners", "Listeners", ListenerArns=[arn]):
        return None
    rules = found.more("DescribeRules", "Rules", ListenerArn=arn).get("Rules")
    if rules is not None:
        found.config["Rules"] = rules
    return _resource(arn, found.config, found.evidence)


def _describe_rule(reader: Reader, arn: str) -> Resource | None:
    """The rule among all of its listener: no two of them may have the same priority."""
    at: dict[str, Any] = {"region": arns.parse(arn).region, "token": _TOKEN, "ListenerArn": listener_of(arn)}
    try:
        rules = reader.pages("elbv2", "DescribeRules", "Rules", **at)
    except NotThere:
        return None
    own = next((one for one in rules.items if text(one, "RuleArn") == arn), None)
    if own is None:
        return None
    taken = [text(one, "Priority") for one in rules.items if one is not own]
    config = {**plain(own), "Taken": [one for one in taken if one.isdigit()]}
    return _resource(arn, config, rules.evidence)


def _describe_group(reader: Reader, arn: str) -> Resource | None:
    found = _Gathering(reader, arn)
    if not found.base("DescribeTargetGroups", "TargetGroups", TargetGroupArns=[arn]):
        return None
    found.attributes("DescribeTargetGroupAttributes", TargetGroupArn=arn)
    health = found.more("DescribeTargetHealth", "Health of targets", TargetGroupArn=arn)
    if "TargetHealthDescriptions" in health:
        found.config["TargetHealth"] = health["TargetHealthDescriptions"]
    return found.done()


_DESCRIBED: Mapping[str, Callable[[Reader, str], Resource | None]] = {
    "loadbalancer": _describe_balancer,
    "listener": _describe_listener,
    "listener-rule": _describe_rule,
    "targetgroup": _describe_group,
}


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a balancer listens on and forwards to, what guards it, and which targets answer in the end."""
    if resource.type == "load-balancer":
        yield from _of_balancer(resource)
    elif resource.type == "listener":
        yield from _of_listener(resource)
    elif resource.type == "target-group":
        yield from _of_group(resource, directory)


def _of_balancer(resource: Resource) -> Iterable[Relation]:
    for listener in resource.config.get("Listeners") or []:
        if arn := text(listener, "ListenerArn"):
            yield relation(resource, arn, "listens on", "elasticloadbalancing:DescribeListeners")
    for group in resource.config.get("TargetGroups") or []:
        yield relation(resource, group, "forwards to", "elasticloadbalancing:DescribeTargetGroups")
    said_by = "elasticloadbalancing:DescribeLoadBalancers"
    for group in resource.config.get("SecurityGroups") or []:
        target = arns.build("ec2", resource.region, resource.account, f"security-group/{group}")
        yield relation(resource, target, "guarded by", f"{said_by} SecurityGroups")
    for zone in resource.config.get("AvailabilityZones") or []:
        if subnet := text(zone, "SubnetId"):
            target = arns.build("ec2", resource.region, resource.account, f"subnet/{subnet}")
            yield relation(resource, target, "in", f"{said_by} AvailabilityZones")


def _of_listener(resource: Resource) -> Iterable[Relation]:
    if balancer := balancer_of(resource.arn):
        yield Relation(
            source=balancer,
            target=resource.arn,
            kind="listens on",
            provenance="elasticloadbalancing:DescribeListeners LoadBalancerArn",
            evidence=resource.evidence,
        )
    said_by = "elasticloadbalancing:DescribeListeners DefaultActions"
    for group in forwarded(resource.config.get("DefaultActions") or []):
        yield relation(resource, group, "forwards to", said_by)
    for rule in resource.config.get("Rules") or []:
        for group in forwarded(rule.get("Actions") or []):
            yield relation(resource, group, "forwards to", "elasticloadbalancing:DescribeRules Actions")


def forwarded(actions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """ARNs of the target groups that actions forward to; a group of weight 0 gets nothing and is left out."""
    found: dict[str, None] = {}
    for action in actions:
        weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        if not weighted and (single := text(action, "TargetGroupArn")):
            found[single] = None
        for one in weighted:
            if (group := text(one, "TargetGroupArn")) and one.get("Weight", 1) != 0:
                found[group] = None
    return tuple(found)


def _of_group(resource: Resource, directory: Directory) -> Iterable[Relation]:
    for balancer in resource.config.get("LoadBalancerArns") or []:
        yield Relation(
            source=balancer,
            target=resource.arn,
            kind="forwards to",
            provenance="elasticloadbalancing:DescribeTargetGroups LoadBalancerArns",
            evidence=resource.evidence,
        )
    said_by = "elasticloadbalancing:DescribeTargetHealth Target.Id"
    seen: set[str] = set()
    for one in resource.config.get("TargetHealth") or []:
        target = _target(resource, text(one, "Target", "Id"), directory)
        if target and target not in seen:
            seen.add(target)
            yield relation(resource, target, "targets", said_by)


def _target(resource: Resource, id: str, directory: Directory) -> str:
    """The ARN behind a target's id: an instance, a function (without its version), another balancer. Addresses
    are told by what registered them, an ECS service for one.
    """
    if id.startswith("i-"):
        return arns.build("ec2", resource.region, resource.account, f"instance/{id}")
    if arns.is_arn(id):
        known = directory.mentioned(id)
        return known[0].arn if known else re.sub(r"(:function:[^:]+):[^:]+$", r"\1", id)
    return ""


# -- metrics ------------------------------------------------------------------------------------------


def _suffix(arn: str) -> str:
    """The part of an ARN that metrics name: app/web/50dc6c49, targetgroup/web/73e2d6bc."""
    resource = arns.parse(arn).resource
    return resource.removeprefix("loadbalancer/")


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Of a target group with its load balancer's; none while no balancer uses it, for then it has no metrics."""
    if resource.type == "load-balancer":
        return (("LoadBalancer", _suffix(resource.arn)),)
    balancers = resource.config.get("LoadBalancerArns") or []
    if resource.type != "target-group" or not balancers:
        return ()
    return (("LoadBalancer", _suffix(balancers[0])), ("TargetGroup", _suffix(resource.arn)))


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    """The target group where one is named, else the load balancer. Zones make no other resource."""
    place = f"arn:{partition}:elasticloadbalancing:{region}:{account}"
    if group := dimensions.get("TargetGroup", ""):
        return f"{place}:{group}"
    balancer = dimensions.get("LoadBalancer", "")
    return f"{place}:loadbalancer/{balancer}" if balancer else ""


def _is_network(resource: Resource) -> bool:
    balancers = resource.config.get("LoadBalancerArns") or [resource.arn]
    return ":loadbalancer/net/" in balancers[0]


def _is_application(resource: Resource) -> bool:
    balancers = resource.config.get("LoadBalancerArns") or [resource.arn]
    return ":loadbalancer/app/" in balancers[0]


def _metric(
    type: str, name: str, stat: str, role: Any, bad: Any, missing: Any, unit: str, *, net: bool = False
) -> MetricSpec:
    return MetricSpec(
        type=type,
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing=missing,
        unit=unit,
        namespace="AWS/NetworkELB" if net else "",
        where=_is_network if net else _is_application,
    )


_BALANCER: tuple[tuple[str, str, Any, Any, Any, str], ...] = (
    ("RequestCount", "Sum", "demand", "down", "idle", "requests"),
    ("HTTPCode_ELB_5XX_Count", "Sum", "errors", "up", "zero", "5XX answers of the load balancer"),
    ("HTTPCode_ELB_502_Count", "Sum", "errors", "up", "zero", "502 answers of the load balancer"),
    ("HTTPCode_ELB_503_Count", "Sum", "errors", "up", "zero", "503 answers of the load balancer"),
    ("HTTPCode_ELB_504_Count", "Sum", "errors", "up", "zero", "504 answers of the load balancer"),
    ("HTTPCode_ELB_4XX_Count", "Sum", "errors", "up", "zero", "4XX answers of the load balancer"),
    ("HTTPCode_Target_5XX_Count", "Sum", "errors", "up", "zero", "5XX answers of targets"),
    ("HTTPCode_Target_4XX_Count", "Sum", "errors", "up", "zero", "4XX answers of targets"),
    ("HTTPCode_Target_2XX_Count", "Sum", "work", "down", "idle", "2XX answers of targets"),
    ("TargetResponseTime", "p99", "latency", "up", "idle", "s"),
    ("TargetConnectionErrorCount", "Sum", "errors", "up", "zero", "failed connections to targets"),
    ("RejectedConnectionCount", "Sum", "throttles", "up", "zero", "rejected connections"),
    ("ClientTLSNegotiationErrorCount", "Sum", "errors", "up", "zero", "failed TLS handshakes"),
)
_GROUP: tuple[tuple[str, str, Any, Any, Any, str], ...] = (
    ("RequestCount", "Sum", "demand", "down", "idle", "requests"),
    ("HTTPCode_Target_5XX_Count", "Sum", "errors", "up", "zero", "5XX answers of targets"),
    ("HTTPCode_Target_4XX_Count", "Sum", "errors", "up", "zero", "4XX answers of targets"),
    ("TargetResponseTime", "p99", "latency", "up", "idle", "s"),
    ("TargetConnectionErrorCount", "Sum", "errors", "up", "zero", "failed connections to targets"),
    # A target group without registered targets reports neither count.
    ("UnHealthyHostCount", "Maximum", "errors", "up", "unknown", "unhealthy targets"),
    ("HealthyHostCount", "Minimum", "work", "down", "unknown", "healthy targets"),
)
METRICS = (
    *(_metric("load-balancer", *one) for one in _BALANCER),
    *(_metric("target-group", *one) for one in _GROUP),
    _metric("load-balancer", "NewFlowCount", "Sum", "demand", "down", "idle", "new flows", net=True),
    _metric("load-balancer", "TCP_ELB_Reset_Count", "Sum", "errors", "up", "zero", "resets", net=True),
    _metric("load-balancer", "TCP_Target_Reset_Count", "Sum", "errors", "up", "zero", "resets", net=True),
    _metric(
        "target-group",
        "UnHealthyHostCount",
        "Maximum",
        "errors",
        "up",
        "unknown",
        "unhealthy targets",
        net=True,
    ),
    _metric(
        "target-group", "HealthyHostCount", "Minimum", "work", "down", "unknown", "healthy targets", net=True
    ),
)


# -- settings -----------------------------------------------------------------------------------------


def _read_group(resource: Resource) -> Call:
    return call("elbv2", "DescribeTargetGroups", resource, TargetGroupArns=[resource.arn])


def _restore_check(path: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # ModifyTargetGroup leaves alone what is not sent (ELB API reference).
    if value in (None, ""):
        return ()
    sent: Any = str(value)
    if path in ("HealthCheckEnabled",):
        sent = bool(value)
    elif path.endswith(("Seconds", "Count")):
        sent = whole(value)
    head, _, inner = path.partition(".")
    return (
        call(
            "elbv2",
            "ModifyTargetGroup",
            resource,
            TargetGroupArn=resource.arn,
            **{head: {inner: sent} if inner else sent},
        ),
    )


def _camel(path: str) -> str:
    """AWS's spelling in CloudTrail: Matcher.HttpCode is matcher.httpCode."""
    return ".".join(word[0].lower() + word[1:] for word in path.split("."))


# Targets fail after the check's interval times its threshold: 20 seconds to 10 minutes by AWS's defaults.
_UNHEALTHY = (
    Effect(metric="UnHealthyHostCount", direction="up", after=(5, 1200)),
    Effect(metric="HealthyHostCount", direction="down", after=(5, 1200)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(5, 1200)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(5, 1200)),
    # ECS and Auto Scaling replace what fails its checks; what is left alone gets no requests.
    Effect(metric="role:work", direction="down", on="downstream", after=(30, 2400)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(5, 1200)),
)
_SLOW_TO_NOTICE = (
    Effect(metric="HTTPCode_Target_5XX_Count", direction="up", after=(0, 3600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600)),
)


def _when(effects: Iterable[Effect], when: Any) -> tuple[Effect, ...]:
    return tuple(replace(one, when=when) for one in effects)


def _check(path: str, name: str, unit: str, effects: tuple[Effect, ...]) -> Setting:
    return Setting(
        type="target-group",
        name=name,
        path=path,
        unit=unit,
        requests=dict.fromkeys(("ModifyTargetGroup", "CreateTargetGroup"), _camel(path)),
        restore=partial(_restore_check, path),
        read=_read_group,
        query=f"TargetGroups[0].{path}",
        echo="new",
        echo_path=f"targetGroups[0].{_camel(path)}",
        effects=effects,
    )


_SHORT, _STRICT = _when(_UNHEALTHY, "lowered"), _when(_UNHEALTHY, "raised")
_CHECKS = (
    _check("HealthCheckPath", "health check path", "", _UNHEALTHY),
    _check("HealthCheckPort", "health check port", "", _UNHEALTHY),
    _check("HealthCheckProtocol", "health check protocol", "", _UNHEALTHY),
    _check("Matcher.HttpCode", "codes of a healthy answer", "", _UNHEALTHY),
    _check("Matcher.GrpcCode", "gRPC codes of a healthy answer", "", _UNHEALTHY),
    _check("HealthCheckTimeoutSeconds", "health check timeout", "seconds", _SHORT),
    _check(
        "HealthCheckIntervalSeconds",
        "health check interval",
        "seconds",
        (*_SHORT, *_when(_SLOW_TO_NOTICE, "raised")),
    ),
    _check(
        "UnhealthyThresholdCount",
        "unhealthy threshold",
        "failed checks",
        (*_SHORT, *_when(_SLOW_TO_NOTICE, "raised")),
    ),
    _check("HealthyThresholdCount", "healthy threshold", "passed checks", _STRICT),
    _check("HealthCheckEnabled", "health checks", "", _SLOW_TO_NOTICE),
)


def _read_attributes(kind: str, resource: Resource) -> Call:
    return call("elbv2", f"Describe{kind}Attributes", resource, **{f"{kind}Arn": resource.arn})


def _restore_attribute(kind: str, key: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # The Modify...Attributes operations leave alone the attributes that are not sent (ELB API reference).
    if value in (None, ""):
        return ()
    sent = str(value).lower() if isinstance(value, bool) else str(value)
    attributes = [{"Key": key, "Value": sent}]
    return (
        call(
            "elbv2",
            f"Modify{kind}Attributes",
            resource,
            **{f"{kind}Arn": resource.arn, "Attributes": attributes},
        ),
    )


def _attribute(
    type: str, key: str, name: str, unit: str, default: Value, effects: tuple[Effect, ...]
) -> Setting:
    kind = "LoadBalancer" if type == "load-balancer" else "TargetGroup"
    return Setting(
        type=type,
        name=name,
        path=f'Attributes."{key}"',
        unit=unit,
        requests={f"Modify{kind}Attributes": f"attributes[?key=='{key}'] | [0].value"},
        restore=partial(_restore_attribute, kind, key),
        read=partial(_read_attributes, kind),
        query=f"Attributes[?Key=='{key}'] | [0].Value",
        unset=default,
        echo="new",
        echo_path=f"attributes[?key=='{key}'] | [0].value",
        effects=effects,
    )


def _restore_groups(resource: Resource, value: Value) -> tuple[Call, ...]:
    groups = _ids(value)
    if not groups:
        return ()
    return (
        call("elbv2", "SetSecurityGroups", resource, LoadBalancerArn=resource.arn, SecurityGroups=groups),
    )


def _restore_subnets(resource: Resource, value: Value) -> tuple[Call, ...]:
    subnets = _ids(value)
    # Fixed addresses belong to the subnets of a network load balancer: without them the call would change those.
    fixed = any(zone.get("LoadBalancerAddresses") for zone in resource.config.get("AvailabilityZones") or [])
    if not subnets or fixed:
        return ()
    return (call("elbv2", "SetSubnets", resource, LoadBalancerArn=resource.arn, Subnets=subnets),)


def _ids(value: Any) -> list[str]:
    """Ids from a list, or from a list written as JSON text, which is how a list is told as a value."""
    found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    if isinstance(found, list):
        return [str(one) for one in found]
    return [found] if isinstance(found, str) and found else []


def _read_balancer(resource: Resource) -> Call:
    return call("elbv2", "DescribeLoadBalancers", resource, LoadBalancerArns=[resource.arn])


_UNREACHABLE = (
    # Either clients do not reach the balancer, or it does not reach its targets.
    Effect(metric="RequestCount", direction="silent", after=(0, 900), may=True),
    Effect(metric="NewFlowCount", direction="silent", after=(0, 900), may=True),
    Effect(metric="HTTPCode_ELB_5XX_Count", direction="up", after=(0, 900), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 1200)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 1200)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
)
# A listener's own metrics are its load balancer's, which is upstream of it.
_ROUTED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:demand", direction="silent", on="upstream", after=(0, 600)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 600)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 600)),
    Effect(metric="role:saturation", direction="up", on="downstream", after=(0, 1800)),
    Effect(metric="role:latency", direction="up", on="downstream", after=(0, 1800)),
)
_CUT_SHORT = (
    Effect(metric="HTTPCode_ELB_5XX_Count", direction="up", after=(0, 900), when="lowered"),
    Effect(metric="HTTPCode_ELB_504_Count", direction="up", after=(0, 900), when="lowered", may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900), when="lowered"),
)
_FROM_TARGETS = (
    Effect(metric="HTTPCode_Target_5XX_Count", direction="up", after=(0, 1800), may=True),
    Effect(metric="TargetResponseTime", direction="up", after=(0, 1800), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
)


def _read_rule(resource: Resource) -> Call:
    return call("elbv2", "DescribeRules", resource, RuleArns=[resource.arn])


def _as_shown(event: ChangeEvent, value: Value) -> Value:
    """Requests tell a priority as a number, descriptions as text: "10", or "default"."""
    return str(value)


def _restore_priority(resource: Resource, value: Value) -> tuple[Call, ...]:
    """None for a number that another rule has by now, which AWS refuses, and for the default rule, which has none."""
    shown = str(value)
    if not shown.isdigit() or shown in (resource.config.get("Taken") or []):
        return ()
    pairs = [{"RuleArn": resource.arn, "Priority": int(shown)}]
    return (call("elbv2", "SetRulePriorities", resource, RulePriorities=pairs),)


SETTINGS = (
    *_CHECKS,
    Setting(
        type="listener-rule",
        name="priority",
        path="Priority",
        unit="",
        # Rules are tried from the lowest number up; one request may renumber several, each by its ARN.
        requests={
            "SetRulePriorities": f"rulePriorities[?ruleArn=='{ITS_ARN}'].priority | [0]",
            "CreateRule": "priority",
        },
        restore=_restore_priority,
        read=_read_rule,
        query="Rules[0].Priority",
        echo="new",
        echo_path=f"rules[?ruleArn=='{ITS_ARN}'].priority | [0]",
        effects=_ROUTED,
        means=_as_shown,
    ),
    *(
        _attribute("target-group", key, name, unit, default, effects)
        for key, name, unit, default, effects in (
            (
                "deregistration_delay.timeout_seconds",
                "deregistration delay",
                "seconds",
                300,
                _when(_FROM_TARGETS, "lowered"),
            ),
            ("slow_start.duration_seconds", "slow start", "seconds", 0, _when(_FROM_TARGETS, "lowered")),
            ("stickiness.enabled", "stickiness", "", False, _FROM_TARGETS),
            ("load_balancing.algorithm.type", "choice of target", "", None, _FROM_TARGETS),
        )
    ),
    *(
        _attribute("load-balancer", key, name, unit, default, effects)
        for key, name, unit, default, effects in (
            ("idle_timeout.timeout_seconds", "idle timeout", "seconds", 60, _CUT_SHORT),
            ("client_keep_alive.seconds", "client keep-alive", "seconds", 3600, ()),
            (
                "routing.http.drop_invalid_header_fields.enabled",
                "dropping of invalid headers",
                "",
                False,
                _FROM_TARGETS,
            ),
            (
                "routing.http.desync_mitigation_mode",
                "handling of requests that may be smuggled",
                "",
                "defensive",
                (
                    Effect(metric="HTTPCode_ELB_4XX_Count", direction="up", after=(0, 900)),
                    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
                ),
            ),
            ("load_balancing.cross_zone.enabled", "cross-zone load balancing", "", None, _FROM_TARGETS),
            ("deletion_protection.enabled", "deletion protection", "", False, ()),
        )
    ),
    Setting(
        type="load-balancer",
        name="security groups",
        path="SecurityGroups",
        unit="",
        requests=dict.fromkeys(("SetSecurityGroups", "CreateLoadBalancer"), "securityGroups"),
        restore=_restore_groups,
        read=_read_balancer,
        query="LoadBalancers[0].SecurityGroups",
        effects=_UNREACHABLE,
        ready={"LoadBalancers[0].State.Code": "active"},
    ),
    Setting(
        type="load-balancer",
        name="subnets",
        path="AvailabilityZones[].SubnetId",
        unit="",
        requests=dict.fromkeys(("SetSubnets", "CreateLoadBalancer"), "subnets"),
        restore=_restore_subnets,
        read=_read_balancer,
        query="LoadBalancers[0].AvailabilityZones[].SubnetId",
        effects=_UNREACHABLE,
        ready={"LoadBalancers[0].State.Code": "active"},
    ),
)


# -- reversals ----------------------------------------------------------------------------------------


def _converted(operation: str, event: ChangeEvent, members: Json) -> tuple[Call, ...]:
    """The call with members in CloudTrail's spelling; none when a value has no place in it."""
    try:
        sent = from_cloudtrail("elbv2", operation, members)
    except BadInput:
        return ()
    return (call("elbv2", operation, event, **sent),)


def _state_before(
    arn: str, key: str, items: str, made_by: tuple[str, ...], earlier: tuple[ChangeEvent, ...]
) -> Json:
    """The newest earlier answer that shows a listener or rule whole; {} when none does."""
    for event in earlier:
        for item in event.response.get(items) or [] if event.operation in made_by else []:
            if text(item, key) == arn:
                return dict(item)
    return {}


_LISTENERS = ("ModifyListener", "CreateListener")
_RULES = ("ModifyRule", "CreateRule", "SetRulePriorities")
_NEVER_SENT = ("listenerArn", "ruleArn", "loadBalancerArn", "isDefault", "priority", "tags")


def _undo_modify(
    operation: str, key: str, items: str, event: ChangeEvent, earlier: tuple[ChangeEvent, ...]
) -> tuple[Call, ...]:
    """The members that the event changed, as the newest earlier answer showed them. None when one is not told."""
    arn = text(event.request, key)
    before = _state_before(arn, key, items, _LISTENERS if items == "listeners" else _RULES, earlier)
    changed = [name for name in event.request if name != key]
    if "protocol" in changed:  # going back to TLS needs what TLS needs
        changed += [
            name for name in ("certificates", "sslPolicy") if before.get(name) and name not in changed
        ]
    if not before or any(before.get(name) is None for name in changed):
        return ()
    return _converted(operation, event, {key: arn, **{name: _tidy(before[name]) for name in changed}})


def _tidy(value: Any) -> Any:
    """Actions and conditions as a call takes them.

    Answers tell a condition's values twice, at the top and in a ...Config of its own; a call takes one of them.
    A forward without stickiness is answered with a ...StickinessConfig that a call takes as well.
    """
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if isinstance(value, Mapping):
        doubled = any(name.endswith("Config") for name in value) and "field" in value
        return {name: _tidy(inner) for name, inner in value.items() if not (doubled and name in ("values",))}
    return value


def _undo_delete_listener(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The listener as it was; none where it had, or may have had, rules or more certificates, gone with it."""
    listener = text(event.request, "listenerArn")
    before = _state_before(listener, "listenerArn", "listeners", _LISTENERS, earlier)
    whole_story = _state_before(listener, "listenerArn", "listeners", ("CreateListener",), earlier)
    if not before or not whole_story or _had_more(listener, earlier):
        return ()
    kept = {name: _tidy(value) for name, value in before.items() if name != "listenerArn" and value}
    return _converted("CreateListener", event, kept)


def _had_more(listener: str, earlier: tuple[ChangeEvent, ...]) -> bool:
    """Whether rules or certificates were added to the listener and are not known to have been taken off."""
    made = {
        text(item, "ruleArn")
        for one in earlier
        if one.operation == "CreateRule"
        for item in one.response.get("rules") or []
    }
    gone = {text(one.request, "ruleArn") for one in earlier if one.operation == "DeleteRule"}
    certificates = any(
        one.operation == "AddListenerCertificates" and text(one.request, "listenerArn") == listener
        for one in earlier
    )
    return certificates or any(listener_of(rule) == listener for rule in made - gone)


def _undo_delete_rule(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    rule = text(event.request, "ruleArn")
    before = _state_before(rule, "ruleArn", "rules", _RULES, earlier)
    if not before:
        return ()
    kept = {name: _tidy(value) for name, value in before.items() if name not in _NEVER_SENT and value}
    priority = text(before, "priority")
    if not priority.isdigit():
        return ()
    return _converted(
        "CreateRule", event, {"listenerArn": listener_of(rule), "priority": int(priority), **kept}
    )


def _undo_create_rule(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    made = [text(one, "ruleArn") for one in event.response.get("rules") or []]
    return tuple(call("elbv2", "DeleteRule", event, RuleArn=arn) for arn in made if arn)


def _undo_priorities(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The rules' priorities as earlier answers showed them; all of them or none."""
    pairs = []
    for one in event.request.get("rulePriorities") or []:
        rule = text(one, "ruleArn")
        priority = text(_state_before(rule, "ruleArn", "rules", _RULES, earlier), "priority")
        if not priority.isdigit():
            return ()
        pairs.append({"RuleArn": rule, "Priority": int(priority)})
    return (call("elbv2", "SetRulePriorities", event, RulePriorities=pairs),) if pairs else ()


def _undo_same(operation: str, event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The opposite operation takes the very same members."""
    return _converted(operation, event, event.request)


# -- changes ------------------------------------------------------------------------------------------

_AT = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
_WEB = f"{_AT}:loadbalancer/app/web/50dc6c495c0c9188"
_HTTP = f"{_AT}:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
_RULE = f"{_AT}:listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
_BLUE = f"{_AT}:targetgroup/web/73e2d6bc24d8a067"
_GREEN = f"{_AT}:targetgroup/web-next/943f017f100becff"
_CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"


def _forward(group: str) -> Json:
    """A forward action as answers show it: the group at the top and again in its configuration."""
    return {
        "type": "forward",
        "targetGroupArn": group,
        "order": 1,
        "forwardConfig": {
            "targetGroups": [{"targetGroupArn": group, "weight": 1}],
            "targetGroupStickinessConfig": {"enabled": False},
        },
    }


def _listener_answer(**members: Any) -> Json:
    listener = {
        "listenerArn": _HTTP,
        "loadBalancerArn": _WEB,
        "port": 443,
        "protocol": "HTTPS",
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificates": [{"certificateArn": _CERTIFICATE}],
        "defaultActions": [_forward(_BLUE)],
    }
    return {"listeners": [{**listener, **members}]}


def _rule_answer(**members: Any) -> Json:
    rule = {
        "ruleArn": _RULE,
        "priority": "10",
        "conditions": [
            {
                "field": "path-pattern",
                "values": ["/orders/*"],
                "pathPatternConfig": {"values": ["/orders/*"]},
            }
        ],
        "actions": [_forward(_BLUE)],
        "isDefault": False,
    }
    return {"rules": [{**rule, **members}]}


def _group_answer(**members: Any) -> Json:
    group = {
        "targetGroupArn": _BLUE,
        "targetGroupName": "web",
        "protocol": "HTTP",
        "protocolVersion": "HTTP1",
        "port": 8080,
        "vpcId": "vpc-0a1b2c3d4e5f60001",
        "targetType": "ip",
        "healthCheckEnabled": True,
        "healthCheckProtocol": "HTTP",
        "healthCheckPort": "traffic-port",
        "healthCheckPath": "/healthz",
        "healthCheckIntervalSeconds": 30,
        "healthCheckTimeoutSeconds": 5,
        "healthyThresholdCount": 5,
        "unhealthyThresholdCount": 2,
        "matcher": {"httpCode": "200"},
        "loadBalancerArns": [_WEB],
    }
    return {"targetGroups": [{**group, **members}]}


def _example(operation: str, request: Json, response: Json | None = None) -> Json:
    return record(_SOURCE, operation, request, response)


def _attributes(member: str, arn: str, *pairs: tuple[str, str]) -> Json:
    attributes = [{"key": key, "value": value} for key, value in pairs]
    operation = {"targetGroupArn": "ModifyTargetGroupAttributes"}.get(member, "ModifyLoadBalancerAttributes")
    return _example(operation, {member: arn, "attributes": attributes}, {"attributes": attributes})


_CHECKED: Json = {
    "healthCheckProtocol": "HTTP",
    "healthCheckPort": "8081",
    "healthCheckPath": "/healthz2",
    "healthCheckEnabled": True,
    "healthCheckIntervalSeconds": 10,
    "healthCheckTimeoutSeconds": 2,
    "healthyThresholdCount": 5,
    "unhealthyThresholdCount": 2,
    "matcher": {"httpCode": "200"},
}
_TARGETS: Json = {"targetGroupArn": _BLUE, "targets": [{"id": "i-0a1b2c3d4e5f60001", "port": 8080}]}

CHANGES = (
    Change(
        operation="ModifyTargetGroup",
        touches=_touches_group,
        breaks="Targets that work fail their health checks and get no requests, or broken ones go on getting them.",
        example=_example(
            "ModifyTargetGroup", {"targetGroupArn": _BLUE, **_CHECKED}, _group_answer(**_CHECKED)
        ),
        more_examples=(
            _example(
                "ModifyTargetGroup",
                {"targetGroupArn": _BLUE, "matcher": {"grpcCode": "0"}},
                _group_answer(protocolVersion="GRPC", matcher={"grpcCode": "0"}),
            ),
        ),
    ),
    Change(
        operation="ModifyTargetGroupAttributes",
        touches=_touches_group,
        breaks="Requests in flight are cut off, or are spread over the targets in another way.",
        example=_attributes(
            "targetGroupArn",
            _BLUE,
            ("deregistration_delay.timeout_seconds", "0"),
            ("slow_start.duration_seconds", "0"),
            ("stickiness.enabled", "true"),
            ("load_balancing.algorithm.type", "least_outstanding_requests"),
        ),
    ),
    Change(
        operation="ModifyLoadBalancerAttributes",
        touches=_touches_balancer,
        breaks="Slow answers are cut off with 504, or requests are refused that were let through.",
        example=_attributes(
            "loadBalancerArn",
            _WEB,
            ("idle_timeout.timeout_seconds", "5"),
            ("client_keep_alive.seconds", "60"),
            ("routing.http.drop_invalid_header_fields.enabled", "true"),
            ("routing.http.desync_mitigation_mode", "strictest"),
            ("load_balancing.cross_zone.enabled", "false"),
            ("deletion_protection.enabled", "false"),
        ),
    ),
    Change(
        operation="SetSecurityGroups",
        touches=_touches_balancer,
        breaks="Clients do not reach the load balancer, or it does not reach its targets.",
        example=_example(
            "SetSecurityGroups",
            {"loadBalancerArn": _WEB, "securityGroups": ["sg-0a1b2c3d4e5f60002"]},
            {"securityGroupIds": ["sg-0a1b2c3d4e5f60002"]},
        ),
    ),
    Change(
        operation="SetSubnets",
        touches=_touches_balancer,
        breaks="Targets in zones that the load balancer left get no requests; subnets without a route cut it off.",
        example=_example(
            "SetSubnets",
            {"loadBalancerArn": _WEB, "subnets": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"]},
            {
                "availabilityZones": [
                    {"zoneName": "eu-west-1a", "subnetId": "subnet-0a1b2c3d4e5f60001"},
                    {"zoneName": "eu-west-1b", "subnetId": "subnet-0a1b2c3d4e5f60002"},
                ]
            },
        ),
    ),
    Change(
        operation="ModifyListener",
        touches=_touches_listener,
        breaks="Requests go to other targets, get a fixed answer, or fail their TLS handshake.",
        example=_example(
            "ModifyListener",
            {"listenerArn": _HTTP, "defaultActions": [{"type": "forward", "targetGroupArn": _GREEN}]},
            _listener_answer(defaultActions=[_forward(_GREEN)]),
        ),
        effects=_ROUTED,
        undo=partial(_undo_modify, "ModifyListener", "listenerArn", "listeners"),
    ),
    Change(
        operation="ModifyRule",
        touches=_touches_rule,
        breaks="Requests that the rule means go elsewhere, or no longer match it.",
        example=_example(
            "ModifyRule",
            {"ruleArn": _RULE, "actions": [{"type": "forward", "targetGroupArn": _GREEN}]},
            _rule_answer(actions=[_forward(_GREEN)]),
        ),
        effects=_ROUTED,
        undo=partial(_undo_modify, "ModifyRule", "ruleArn", "rules"),
    ),
    Change(
        operation="SetRulePriorities",
        touches=_touches_priorities,
        breaks="Another rule comes first and takes the requests.",
        example=_example(
            "SetRulePriorities",
            {"rulePriorities": [{"ruleArn": _RULE, "priority": 90}]},
            _rule_answer(priority="90"),
        ),
        effects=_ROUTED,
        undo=_undo_priorities,
    ),
    Change(
        operation="CreateRule",
        touches=_touches_new_rule,
        breaks="The new rule takes requests that another rule or the default action answered.",
        example=_example(
            "CreateRule",
            {
                "listenerArn": _HTTP,
                "priority": 10,
                "conditions": [{"field": "path-pattern", "values": ["/orders/*"]}],
                "actions": [{"type": "forward", "targetGroupArn": _BLUE}],
            },
            _rule_answer(),
        ),
        effects=_ROUTED,
        undo=_undo_create_rule,
    ),
    Change(
        operation="DeleteRule",
        touches=_touches_rule,
        breaks="Requests that the rule meant fall to a later rule or to the default action.",
        example=_example("DeleteRule", {"ruleArn": _RULE}),
        effects=_ROUTED,
        undo=_undo_delete_rule,
    ),
    Change(
        operation="DeleteListener",
        touches=_touches_listener,
        breaks="Nothing answers on the listener's port any more; its rules are gone with it.",
        example=_example("DeleteListener", {"listenerArn": _HTTP}),
        effects=_ROUTED,
        undo=_undo_delete_listener,
    ),
    Change(
        operation="RemoveListenerCertificates",
        touches=_touches_listener,
        breaks="Clients that ask for the name of the certificate get another one and refuse it.",
        example=_example(
            "RemoveListenerCertificates",
            {"listenerArn": _HTTP, "certificates": [{"certificateArn": _CERTIFICATE}]},
        ),
        effects=_ROUTED,
        undo=partial(_undo_same, "AddListenerCertificates"),
    ),
    Change(
        operation="DeregisterTargets",
        touches=_touches_group,
        breaks="The targets get no requests any more; those that are left get more, or none is left.",
        example=_example("DeregisterTargets", _TARGETS),
        effects=(
            Effect(metric="HealthyHostCount", direction="down", after=(0, 900)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
            Effect(metric="role:saturation", direction="up", on="downstream", after=(0, 1800)),
        ),
        undo=partial(_undo_same, "RegisterTargets"),
    ),
    Change(
        operation="RegisterTargets",
        touches=_touches_group,
        breaks="Requests go to targets that may not be ready, or not be meant for them.",
        example=_example("RegisterTargets", _TARGETS),
        effects=(
            Effect(metric="UnHealthyHostCount", direction="up", after=(0, 1200), may=True),
            Effect(metric="HTTPCode_Target_5XX_Count", direction="up", after=(0, 1200), may=True),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1200)),
        ),
        undo=partial(_undo_same, "DeregisterTargets"),
    ),
    Change(
        operation="DeleteLoadBalancer",
        touches=_touches_balancer,
        breaks="Its name stops resolving and every request through it fails.",
        example=_example("DeleteLoadBalancer", {"loadBalancerArn": _WEB}),
        effects=_UNREACHABLE,
    ),
    inert(
        "AddListenerCertificates",
        _touches_listener,
        _example(
            "AddListenerCertificates",
            {"listenerArn": _HTTP, "certificates": [{"certificateArn": _CERTIFICATE}]},
            {"certificates": [{"certificateArn": _CERTIFICATE, "isDefault": False}]},
        ),
    ),
    inert(
        "CreateListener",
        _touches_new_listener,
        _example(
            "CreateListener",
            {
                "loadBalancerArn": _WEB,
                "port": 443,
                "protocol": "HTTPS",
                "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "certificates": [{"certificateArn": _CERTIFICATE}],
                "defaultActions": [{"type": "forward", "targetGroupArn": _BLUE}],
            },
            _listener_answer(),
        ),
    ),
    inert(
        "CreateTargetGroup",
        partial(_made, "targetGroups", "targetGroupArn"),
        _example(
            "CreateTargetGroup",
            {
                "name": "web",
                "protocol": "HTTP",
                "port": 8080,
                "vpcId": "vpc-0a1b2c3d4e5f60001",
                "targetType": "ip",
                "healthCheckPath": "/healthz",
            },
            _group_answer(loadBalancerArns=[]),
        ),
    ),
    inert(
        "CreateLoadBalancer",
        partial(_made, "loadBalancers", "loadBalancerArn"),
        _example(
            "CreateLoadBalancer",
            {
                "name": "web",
                "subnets": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
                "securityGroups": ["sg-0a1b2c3d4e5f60001"],
                "scheme": "internet-facing",
                "type": "application",
            },
            {"loadBalancers": [{"loadBalancerArn": _WEB, "loadBalancerName": "web", "type": "application"}]},
        ),
    ),
    # A target group can be deleted only while no listener or rule uses it (ELB API reference).
    inert("DeleteTargetGroup", _touches_group, _example("DeleteTargetGroup", {"targetGroupArn": _GREEN})),
    inert(
        "AddTags",
        _touches_tagged,
        _example("AddTags", {"resourceArns": [_WEB], "tags": [{"key": "team", "value": "shop"}]}),
    ),
    inert(
        "RemoveTags",
        _touches_tagged,
        _example("RemoveTags", {"resourceArns": [_WEB], "tagKeys": ["team"]}),
    ),
)

CONDITIONS = (
    Condition(
        key="unhealthy-targets",
        type="target-group",
        title="unhealthy targets: they fail their health checks",
        metrics=("UnHealthyHostCount",),
        breaks="Failing targets get no requests; where all fail, all get them again and clients see the errors.",
        relieve=(
            "Read the reason of each target's health, and the targets' own logs from the moment it turned.",
            "Do not restart or scale before it is clear whether the targets or their checks are wrong.",
        ),
        prevent=("Alarm on UnHealthyHostCount above 0, with a check that tests what requests need.",),
    ),
    Condition(
        key="connections-rejected",
        type="load-balancer",
        title="connections rejected: the load balancer is at its maximum number of connections",
        metrics=("RejectedConnectionCount",),
        breaks="New connections are refused although targets may have room.",
        relieve=("Slow the senders down; ask AWS for more capacity before a known peak.",),
        prevent=("Alarm on RejectedConnectionCount above 0, and reserve capacity for planned peaks.",),
    ),
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """In which network targets lie; where access logs are put."""
    said_by = "elasticloadbalancing:DescribeTargetGroups VpcId"
    if resource.type == "target-group" and (id := text(resource.config, "VpcId")):
        target = arns.build("ec2", resource.region, resource.account, f"vpc/{id}")
        yield relation(resource, target, "in", said_by)
    told = resource.config.get("Attributes") or {}
    for kind in ("access_logs", "connection_logs") if resource.type == "load-balancer" else ():
        if told.get(f"{kind}.s3.enabled") == "true" and (bucket := told.get(f"{kind}.s3.bucket")):
            target = f"arn:{arns.partition_of(resource.region)}:s3:::{bucket}"
            said_by = f"elasticloadbalancing:DescribeLoadBalancerAttributes {kind}.s3.bucket"
            yield relation(resource, target, "logs to", said_by)


SERVICE = Service(
    name="elbv2",
    title="Elastic Load Balancing",
    client="elbv2",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action=f"elasticloadbalancing:{operation}", shows=shows)
        for operation, shows in {
            "DescribeLoadBalancers": "which load balancers there are, their subnets and security groups",
            "DescribeTargetGroups": "health checks, and which balancer uses which target group",
            "DescribeLoadBalancerAttributes": "time-outs and handling of requests",
            "DescribeListeners": "ports, certificates and where requests go by default",
            "DescribeRules": "which requests go to which target group",
            "DescribeTargetGroupAttributes": "deregistration delay, stickiness and slow start",
            "DescribeTargetHealth": "which targets are healthy, and why others are not",
            "DescribeTags": "who owns a load balancer or target group",
        }.items()
    ),
    types={
        "load-balancer": "container",
        "target-group": "component",
        "listener": "component",
        "listener-rule": "component",
    },
    arns={
        "load-balancer": r"elasticloadbalancing:loadbalancer/(app|net|gwy)/[^/]+/[^/]+",
        "target-group": r"elasticloadbalancing:targetgroup/[^/]+/[^/]+",
        "listener": r"elasticloadbalancing:listener/(app|net|gwy)/[^/]+/[^/]+/[^/]+",
        "listener-rule": r"elasticloadbalancing:listener-rule/(app|net|gwy)/[^/]+/[^/]+/[^/]+/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline),
    namespace="AWS/ApplicationELB",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    listed=False,
    listed_near=("service", "task-definition", "cluster", "load-balancer", "listener", "target-group"),
)
