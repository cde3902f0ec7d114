"""Elastic Load Balancing's reads: load balancers, listeners, rules, target groups, attributes, health, tags."""

from __future__ import annotations

from typing import Any

from evals.world import elb_shown
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.ecs_stage import roster_of
from evals.world.elb_stages import FixedTargets, services
from evals.world.health import PASSED, Verdict
from evals.world.world import Thing
from tools.models import Json

_GONE = {
    "load-balancer": ("LoadBalancerNotFound", "One or more load balancers not found"),
    "target-group": ("TargetGroupNotFound", "One or more target groups not found"),
    "listener": ("ListenerNotFound", "One or more listeners not found"),
    "listener-rule": ("RuleNotFound", "One or more rules not found"),
}


def _gone(kind: str) -> Refusal:
    return Refusal(*_GONE[kind])


def _there(ask: Ask, kind: str) -> list[Thing]:
    return [one for one in ask.world.of(kind, ask.region) if one.created <= ask.as_of]


def _named(ask: Ask, kind: str, arns: Any, names: Any = None) -> list[Thing]:
    """The resources that a request names, or all."""
    every = _there(ask, kind)
    found = [one for one in every if (not arns or one.arn in arns) and (not names or one.name in names)]
    if len(found) < len(arns or names or ()):
        raise _gone(kind)
    return found


def _one(ask: Ask, kind: str, arn: Any) -> Thing:
    return _named(ask, kind, [str(arn)])[0]


def _paged(ask: Ask, name: str, found: list[Any]) -> Json:
    size, token = int(ask.take("PageSize") or 400), ask.take("Marker")
    page, following = ask.page(found, size, token)
    return {name: page} | ({"NextMarker": following} if following else {})


@handles("elbv2", "DescribeLoadBalancers")
def describe_load_balancers(ask: Ask) -> Json:
    found = _named(ask, "load-balancer", ask.take("LoadBalancerArns"), ask.take("Names"))
    return _paged(ask, "LoadBalancers", [elb_shown.balancer(ask.world, one, ask.as_of) for one in found])


@handles("elbv2", "DescribeLoadBalancerAttributes")
def describe_load_balancer_attributes(ask: Ask) -> Json:
    return {
        "Attributes": elb_shown.attributes(_one(ask, "load-balancer", ask.need("LoadBalancerArn")), ask.as_of)
    }


@handles("elbv2", "DescribeListeners")
def describe_listeners(ask: Ask) -> Json:
    balancer, arns = ask.take("LoadBalancerArn"), ask.take("ListenerArns")
    if not balancer and not arns:
        raise Refusal("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
    if balancer:
        _one(ask, "load-balancer", balancer)
    found = [
        one for one in _named(ask, "listener", arns) if not balancer or one.fixed["balancer"] == balancer
    ]
    return _paged(ask, "Listeners", [elb_shown.listener(one, ask.as_of) for one in found])


@handles("elbv2", "DescribeListenerAttributes")
def describe_listener_attributes(ask: Ask) -> Json:
    _one(ask, "listener", ask.need("ListenerArn"))
    return {"Attributes": [{"Key": "routing.http.response.server.enabled", "Value": "true"}]}


@handles("elbv2", "DescribeRules")
def describe_rules(ask: Ask) -> Json:
    listener, arns = ask.take("ListenerArn"), ask.take("RuleArns")
    if not listener and not arns:
        raise Refusal("ValidationError", "You must specify either listener ARN or rule ARNs")
    shown: list[Json] = []
    for one in [_one(ask, "listener", listener)] if listener else _there(ask, "listener"):
        rules = [each for each in _there(ask, "listener-rule") if each.fixed["listener"] == one.arn]
        rules.sort(key=lambda each: int(each.at("Priority", ask.as_of)))
        shown += [elb_shown.rule(each, ask.as_of) for each in rules]
        shown.append(elb_shown.default_rule(one, ask.as_of))
    found = [one for one in shown if not arns or one["RuleArn"] in arns]
    if arns and len(found) < len(arns):
        raise _gone("listener-rule")
    return _paged(ask, "Rules", found)


@handles("elbv2", "DescribeTargetGroups")
def describe_target_groups(ask: Ask) -> Json:
    balancer = ask.take("LoadBalancerArn")
    if balancer:
        _one(ask, "load-balancer", balancer)
    found = _named(ask, "target-group", ask.take("TargetGroupArns"), ask.take("Names"))
    kept = [one for one in found if not balancer or balancer in one.fixed["balancers"]]
    return _paged(ask, "TargetGroups", [elb_shown.group(ask.world, one, ask.as_of) for one in kept])


@handles("elbv2", "DescribeTargetGroupAttributes")
def describe_target_group_attributes(ask: Ask) -> Json:
    return {
        "Attributes": elb_shown.attributes(_one(ask, "target-group", ask.need("TargetGroupArn")), ask.as_of)
    }


@handles("elbv2", "DescribeTargetHealth")
def describe_target_health(ask: Ask) -> Json:
    group, wanted = _one(ask, "target-group", ask.need("TargetGroupArn")), ask.take("Targets")
    if ask.take("Include"):
        raise NotModelled("Include")
    found = [*_of_services(ask, group), *_of_fixed(ask, group)]
    if wanted:
        ids = {str(one["Id"]) for one in wanted}
        found = [one for one in found if one["Target"]["Id"] in ids]
    return {"TargetHealthDescriptions": found}


def _of_services(ask: Ask, group: Thing) -> list[Json]:
    second, found = ask.as_of.timestamp(), []
    for service in services(ask.world, group):
        roster = roster_of(ask.world, service)
        roster.advance(second)
        for task in roster.tasks:
            if task.health is None or second < task.health.since or second >= task.stopped:
                continue
            draining = second >= task.deregistered
            state = "draining" if draining else task.health.state(second)
            target = {"Id": task.address, "Port": roster.plan.port, "AvailabilityZone": task.zone}
            found.append(_described(group, target, state, task.health.verdict(second)))
    return found


def _of_fixed(ask: Ask, group: Thing) -> list[Json]:
    second, fixed = ask.as_of.timestamp(), FixedTargets(ask.world, group)
    if group.at("TargetType", group.created) == "lambda":
        unused = ("unavailable", Verdict(False, "Target.HealthCheckDisabled", "Health checks are disabled"))
        return [_described(group, {"Id": one.arn}, *unused) for one in fixed.things()]
    fixed.begin(int(second) - 3600)
    return [
        _described(
            group,
            {"Id": str(one.fixed.get("id") or one.name), "Port": group.fixed["port"]},
            *fixed.state(one, second),
        )
        for one in fixed.registered(second)
    ]


def _described(group: Thing, target: Json, state: str, verdict: Verdict = PASSED) -> Json:
    health: Json = {"State": state}
    if not group.fixed["balancers"]:
        health = {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    elif state == "initial":
        health |= {
            "Reason": "Elb.InitialHealthChecking",
            "Description": "Initial health checks in progress",
        }
    elif state == "draining":
        health |= {
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }
    elif state != "healthy":
        health |= {"Reason": verdict.reason, "Description": verdict.said}
    shown = {"Target": target, "TargetHealth": health}
    return shown | ({"HealthCheckPort": str(target["Port"])} if "Port" in target else {})


@handles("elbv2", "DescribeTags")
def describe_tags(ask: Ask) -> Json:
    shown = []
    for arn in ask.need("ResourceArns"):
        found = ask.world.things.get(str(arn))
        if found is None:
            raise _gone("load-balancer" if ":loadbalancer/" in str(arn) else "target-group")
        pairs = [{"Key": key, "Value": value} for key, value in sorted(found.tags(ask.as_of).items())]
        shown.append({"ResourceArn": found.arn, "Tags": pairs})
    return {"TagDescriptions": shown}


@handles("elbv2", "DescribeListenerCertificates")
def describe_listener_certificates(ask: Ask) -> Json:
    listener = _one(ask, "listener", ask.need("ListenerArn"))
    held = [{"CertificateArn": listener.fixed["certificate"], "IsDefault": True}]
    return _paged(ask, "Certificates", held if listener.at("Protocol", ask.as_of) == "HTTPS" else [])
