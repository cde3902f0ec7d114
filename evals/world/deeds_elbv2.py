"""How CloudTrail records what is done to load balancers: the whole new state is in the response."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from evals.world import elb_shown
from evals.world.trail import Deed, long_stamp
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_TYPES = {
    "load-balancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "target-group": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "listener": "AWS::ElasticLoadBalancingV2::Listener",
    "listener-rule": "AWS::ElasticLoadBalancingV2::ListenerRule",
}


def _lower(value: Any) -> Any:
    """As CloudTrail writes it: keys with a small first letter, times written out."""
    if isinstance(value, dict):
        return {_small(key): _lower(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_lower(one) for one in value]
    return long_stamp(value) if isinstance(value, datetime) else value


def _small(key: str) -> str:
    return {"DNSName": "dNSName"}.get(key, key[:1].lower() + key[1:])


def _deed(thing: Thing, name: str, request: Json, response: Any) -> Deed:
    pair = ((_TYPES[thing.kind], thing.arn),)
    return Deed(
        source="elasticloadbalancing",
        name=name,
        request=request,
        response=_lower(response),
        api_version="2015-12-01",
        listed=pair,
        concerns=pair,
    )


def _attributes(act: Act, name: str, key: str) -> Deed:
    moved = {act.path: act.after, **act.others}
    asked = [{"key": path.removeprefix("Attributes."), "value": str(value)} for path, value in moved.items()]
    shown = {"Attributes": elb_shown.attributes(act.thing, act.moment)}
    return _deed(act.thing, name, {key: act.thing.arn, "attributes": asked}, shown)


def change_balancer(world: World, act: Act) -> Deed:
    """ModifyLoadBalancerAttributes."""
    if not act.path.startswith("Attributes."):
        raise ValueError(f"{act.path} of a load balancer is not modelled")
    return _attributes(act, "ModifyLoadBalancerAttributes", "loadBalancerArn")


def change_group(world: World, act: Act) -> Deed:
    """ModifyTargetGroup for health checks, ModifyTargetGroupAttributes, RegisterTargets, DeregisterTargets."""
    group = act.thing
    if act.path.startswith("Attributes."):
        return _attributes(act, "ModifyTargetGroupAttributes", "targetGroupArn")
    if act.path.startswith("targets."):
        name = act.path.removeprefix("targets.")
        found = next(
            (one for one in world.things.values() if one.arn in group.fixed["targets"] and one.name == name),
            None,
        )
        target = str(found.fixed.get("id") or found.name) if found is not None else name
        call = "DeregisterTargets" if act.after is None else "RegisterTargets"
        return _deed(group, call, {"targetGroupArn": group.arn, "targets": [{"id": target}]}, None)
    request: Json = {"targetGroupArn": group.arn}
    for path, value in {act.path: act.after, **act.others}.items():
        if path == "Matcher.HttpCode":
            request["matcher"] = {"httpCode": str(value)}
        else:
            request[_small(path)] = value
    return _deed(
        group, "ModifyTargetGroup", request, {"TargetGroups": [elb_shown.group(world, group, act.moment)]}
    )


def change_listener(world: World, act: Act) -> Deed:
    """ModifyListener."""
    moved = {act.path: act.after, **act.others}
    request = {"listenerArn": act.thing.arn} | {_small(path): _lower(value) for path, value in moved.items()}
    return _deed(
        act.thing, "ModifyListener", request, {"Listeners": [elb_shown.listener(act.thing, act.moment)]}
    )


def change_rule(world: World, act: Act) -> Deed:
    """ModifyRule, or SetRulePriorities."""
    shown = {"Rules": [elb_shown.rule(act.thing, act.moment)]}
    if act.path == "Priority":
        asked = [{"ruleArn": act.thing.arn, "priority": int(act.after)}]
        return _deed(act.thing, "SetRulePriorities", {"rulePriorities": asked}, shown)
    moved = {act.path: act.after, **act.others}
    request = {"ruleArn": act.thing.arn} | {_small(path): _lower(value) for path, value in moved.items()}
    return _deed(act.thing, "ModifyRule", request, shown)


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """CreateLoadBalancer, CreateTargetGroup, CreateListener, CreateRule."""
    if thing.kind == "load-balancer":
        shown = elb_shown.balancer(world, thing, moment) | {"State": {"Code": "provisioning"}}
        asked = ("securityGroups", "scheme", "type", "ipAddressType")
        request = {"name": thing.name} | {key: one for key, one in _lower(shown).items() if key in asked}
        request["subnets"] = [one["SubnetId"] for one in shown["AvailabilityZones"]]
        return _deed(thing, "CreateLoadBalancer", request, {"LoadBalancers": [shown]})
    if thing.kind == "target-group":
        shown = elb_shown.group(world, thing, moment) | {"LoadBalancerArns": []}
        left = ("targetGroupArn", "targetGroupName", "loadBalancerArns", "ipAddressType")
        request = {"name": thing.name} | {key: one for key, one in _lower(shown).items() if key not in left}
        return _deed(thing, "CreateTargetGroup", request, {"TargetGroups": [shown]})
    if thing.kind == "listener":
        shown = elb_shown.listener(thing, moment)
        request = {key: one for key, one in _lower(shown).items() if key != "listenerArn"}
        return _deed(thing, "CreateListener", request, {"Listeners": [shown]})
    shown = elb_shown.rule(thing, moment)
    request = {"listenerArn": thing.fixed["listener"], "priority": int(shown["Priority"])}
    request |= {key: _lower(shown[key[0].upper() + key[1:]]) for key in ("conditions", "actions")}
    return _deed(thing, "CreateRule", request, {"Rules": [shown]})


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """AddTags."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    return _deed(thing, "AddTags", {"resourceArns": [thing.arn], "tags": pairs}, None)
