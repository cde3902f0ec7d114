"""Application Load Balancers with a listener, its rules, and target groups.

A load balancer `calls` the target group that its default action forwards to, a target group the service, instance or
function that is registered with it. The physics are in `evals.world.elb_stages` and `evals.world.health`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evals.world import elb_metrics, elb_shown
from evals.world.deeds_elbv2 import change_balancer, change_group, change_listener, change_rule, create, tag
from evals.world.domains import domain
from evals.world.elb_stages import BalancerStage, GroupStage, weights
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.vpc import guards_of, network, place
from evals.world.own_groups import let_in, own_group
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

_SERVICE = "elasticloadbalancing"


def _balancer(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    code = seed.hex(f"balancer:{name}", 16)
    scheme = str(wish.options.get("scheme") or "internet-facing")
    inner = "internal-" if scheme == "internal" else ""
    number = seed.integer(f"dns:{name}", 10**8, 2 * 10**9)
    arn = world.arn(_SERVICE, f"loadbalancer/app/{name}/{code}")
    groups = guards_of(shop, wish)
    fixed = {
        "host": f"{inner}{name}-{number}.{world.region}.elb.{domain(world.region)}",
        "scheme": scheme,
        "path": wish.options.get("path"),
    }
    thing = shop.add(arn, wish, fixed)
    port = int(wish.options.get("port") or 443)
    open_ = {"clients": {"port": port, "from": "0.0.0.0/0"}}
    groups = groups or [own_group(shop, wish, f"{name}-lb", open_)]
    place(shop, thing, groups, "private" if scheme == "internal" else "public")
    listener = _listener(shop, thing, wish)
    fixed["listener"] = thing.fixed["listener"] = listener.arn
    return shop.settle(thing, wish, {"Attributes.idle_timeout.timeout_seconds": "60"})


def _listener(shop: Workshop, balancer: Thing, wish: Wish) -> Thing:
    world, seed = shop.world, shop.world.seed
    port = int(wish.options.get("port") or 443)
    code = seed.hex(f"listener:{balancer.name}:{port}", 16)
    arn = balancer.arn.replace(":loadbalancer/", ":listener/") + f"/{code}"
    fixed = {
        "balancer": balancer.arn,
        "certificate": _certificate(shop, balancer, wish),
        "default_rule": seed.hex(f"default rule:{balancer.name}", 16),
    }
    thing = shop.part(arn, "listener", f"{balancer.name}:{port}", wish.created, fixed)
    shop.set(thing, Port=port, Protocol="HTTP" if port == 80 else "HTTPS", DefaultActions=[])
    if port != 80:
        shop.set(thing, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
        for user in (arn, balancer.arn):
            world.relate(user, "uses certificate", str(fixed["certificate"]))
    world.relate(balancer.arn, "listens on", arn)
    shop.made[f"{wish.id}_listener"] = thing
    return thing


def _certificate(shop: Workshop, balancer: Thing, wish: Wish) -> str:
    """The certificate that the wish names, or one of its own that is always in order."""
    named = shop.one(wish, "certificate", "certificate")
    if named is not None:
        named.fixed["users"].append(balancer.arn)
        return named.arn
    world = shop.world
    return world.arn("acm", f"certificate/{world.seed.uuid(f'certificate:{balancer.name}')}")


def _forwards(world: World, balancer: Thing, listener: Thing, groups: list[str]) -> None:
    for arn in groups:
        group = world.things[arn]
        if balancer.arn not in group.fixed["balancers"]:
            group.fixed["balancers"].append(balancer.arn)
        world.relate(listener.arn, "forwards to", arn)
        world.relate(balancer.arn, "forwards to", arn)


def _link_balancer(shop: Workshop, balancer: Thing, group: Thing) -> None:
    if group.kind != "target-group":
        raise BadInput(f"{balancer.name} calls {group.name}, a {group.kind}; it must be a target-group.")
    listener = shop.world.things[balancer.fixed["listener"]]
    action = [{"Type": "forward", "TargetGroupArn": group.arn}]
    listener.settings.set("DefaultActions", listener.created, elb_shown.full(action))
    _forwards(shop.world, balancer, listener, [group.arn])
    for arn in group.fixed["services"]:
        let_in(shop, shop.world.things[arn], balancer, group.fixed["port"])


def _after_listener(world: World, listener: Thing, until: datetime) -> None:
    """What its actions ever forwarded to."""
    for path in ("DefaultActions", "Actions"):
        steps = listener.settings.steps.get(path)
        for actions in steps.values if steps else []:
            named = [arn for one in actions or [] if one["Type"] == "forward" for arn in weights(one)]
            balancer = world.things[listener.fixed["balancer"]]
            _forwards(world, balancer, listener, [arn for arn in named if arn in world.things])


def _group(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    arn = world.arn(_SERVICE, f"targetgroup/{name}/{seed.hex(f'group:{name}', 16)}")
    fixed: dict[str, Any] = {
        "port": int(wish.options.get("port") or 8080),
        "balancers": [],
        "targets": [],
        "services": [],
        "health_path": wish.options.get("health_path"),
    }
    fixed["vpc"] = network(shop)["vpc"].name
    thing = shop.add(arn, wish, fixed)
    defaults = {
        **elb_shown.CHECKS,
        "HealthCheckPath": "/healthz",
        "Matcher.HttpCode": "200",
        "TargetType": "ip",
        "Attributes.deregistration_delay.timeout_seconds": "300",
    }
    shop.settle(thing, wish, defaults)
    thing.fixed["health_path"] = thing.fixed["health_path"] or thing.at("HealthCheckPath", thing.created)
    for one in shop.many(wish, "targets"):
        _register(shop, thing, one)
    return thing


def _register(shop: Workshop, group: Thing, target: Thing) -> None:
    if target.arn not in group.fixed["targets"]:
        group.fixed["targets"].append(target.arn)
    group.fixed["port"] = int(target.fixed.get("port") or group.fixed["port"])
    kinds = {"instance": "instance", "function": "lambda"}
    group.settings.set("TargetType", group.created, kinds.get(target.kind, "ip"))
    shop.world.relate(group.arn, "targets", target.arn)


def _link_group(shop: Workshop, group: Thing, target: Thing) -> None:
    """Register what it calls."""
    if target.kind == "auto-scaling-group":  # its instances register themselves
        target.fixed["groups"].append(group.arn)
        group.fixed["port"] = target.fixed["port"]
        group.settings.set("TargetType", group.created, "instance")
        shop.world.relate(group.arn, "targets", target.arn)
        return
    if target.kind != "ecs-service":
        _register(shop, group, target)
        return
    target.fixed["groups"].append(group.arn)
    group.fixed["services"].append(target.arn)
    for arn in group.fixed["balancers"]:
        let_in(shop, target, shop.world.things[arn], target.fixed["port"])
    group.fixed["port"] = target.fixed["port"]
    target.fixed["health_path"] = target.fixed.get("health_path") or group.fixed["health_path"]
    shop.world.relate(group.arn, "targets", target.arn)


def _rule(shop: Workshop, wish: Wish) -> Thing:
    world = shop.world
    balancer, group = shop.one(wish, "of", "load-balancer"), shop.one(wish, "to", "target-group")
    if balancer is None:
        raise BadInput(f"resources.{wish.id}.with must name a load balancer (of).")
    listener = world.things[balancer.fixed["listener"]]
    code = world.seed.hex(f"rule:{listener.arn}:{wish.name}", 16)
    arn = listener.arn.replace(":listener/", ":listener-rule/") + f"/{code}"
    thing = shop.add(arn, wish, {"listener": listener.arn, "balancer": balancer.arn})
    defaults: dict[str, Any] = {"Priority": "10"}
    if wish.options.get("paths"):
        defaults["Conditions"] = [{"Field": "path-pattern", "Values": list(wish.options["paths"])}]
    if group is not None:
        defaults["Actions"] = [{"Type": "forward", "TargetGroupArn": group.arn}]
    shop.settle(thing, wish, defaults)
    for path in ("Conditions", "Actions"):
        thing.settings.set(
            path, thing.created, _kept(world, thing, path, thing.at(path, thing.created) or [])
        )
    world.relate(listener.arn, "has rule", arn)
    if group is not None:
        world.relate(listener.arn, "forwards to", group.arn)
        world.relate(balancer.arn, "forwards to", group.arn)
    _after_listener(world, thing, wish.created)
    return thing


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    """Actions and conditions in full; attributes and codes are texts."""
    if path in ("DefaultActions", "Actions") and isinstance(value, list):
        return elb_shown.full(value)
    if path == "Conditions" and isinstance(value, list):
        return [elb_shown.condition(one) for one in value]
    if path.startswith("Attributes.") or path in ("Matcher.HttpCode", "HealthCheckPort", "Priority"):
        return None if value is None else str(value)
    return value


def _no_listener(shop: Workshop, wish: Wish) -> Thing:
    raise BadInput(f"resources.{wish.id}: a load balancer named lb has its listener as lb_listener.")


KINDS = (
    Kind(
        name="load-balancer",
        options={
            "scheme": "internet-facing or internal",
            "port": "of its listener; 443 by default",
            "path": "of the requests, for rules",
            "certificate": "id of the certificate of its listener; one that never ends by default",
            "guarded_by": "ids of security groups; without any it has one of its own",
        },
        settings={"Attributes.": "an attribute, by its key: idle_timeout.timeout_seconds"},
        make=_balancer,
        link=_link_balancer,
        stage=BalancerStage,
        metrics=elb_metrics.balancer_sources,
        change=change_balancer,
        create=create,
        tag=tag,
        kept=_kept,
        dimensions=lambda one: {"id": elb_metrics.suffix(one)},
    ),
    Kind(
        name="listener",
        settings={
            "DefaultActions": "actions as DescribeListeners shows them",
            "Port": "",
            "Protocol": "",
            "SslPolicy": "",
        },
        make=_no_listener,
        change=change_listener,
        create=create,
        kept=_kept,
        after=_after_listener,
    ),
    Kind(
        name="listener-rule",
        options={"of": "id of the load balancer", "to": "id of a target group", "paths": "path patterns"},
        settings={
            "Priority": "a number",
            "Conditions": "as DescribeRules shows them",
            "Actions": "as DescribeRules",
        },
        make=_rule,
        change=change_rule,
        create=create,
        kept=_kept,
        after=_after_listener,
    ),
    Kind(
        name="target-group",
        options={
            "port": "on which targets listen; a service says its own",
            "targets": "ids of instances",
            "health_path": "the path on which the targets answer 200",
        },
        settings={
            **dict.fromkeys(elb_shown.CHECKS, "as DescribeTargetGroups shows it"),
            "Matcher.HttpCode": "codes of a healthy answer",
            "Attributes.": "an attribute, by its key: deregistration_delay.timeout_seconds",
            "targets.": "name of a registered target; null deregisters it",
            "_answers": "nature: the status with which its program answers requests of another one",
        },
        make=_group,
        link=_link_group,
        stage=GroupStage,
        metrics=elb_metrics.group_sources,
        change=change_group,
        create=create,
        tag=tag,
        kept=_kept,
        dimensions=lambda one: {
            "id": elb_metrics.suffix(one),
            "balancer": elb_metrics.suffix_of((one.fixed["balancers"] or [""])[0]),
        },
    ),
)
