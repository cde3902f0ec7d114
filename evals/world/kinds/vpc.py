"""The network: a VPC with two private and two public subnets, route tables, ACL, NAT gateway, security groups.

Physics, from the VPC user guide: a security group drops what no rule admits, so that a client waits until it gives up
(a timeout, not a refusal); connections that stand already are tracked and go on, so new connections fail first; a
subnet's traffic to the internet needs a route that leads somewhere; network ACLs are looked at in the order of their
numbers and the first that fits decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any

from evals.world.admits import admits, guards
from evals.world.deeds_vpc import change_acl, change_group, change_routes, tag
from evals.world.kinds._kind import Kind, Wish
from evals.world.places import inside
from evals.world.seed import Seed
from evals.world.stage import moment
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

_AGE = timedelta(days=640)


def identifier(seed: Seed, prefix: str, key: str) -> str:
    """An id in EC2's long form: sg-0a1b2c3d4e5f60718."""
    return f"{prefix}-0{seed.hex(f'{prefix}:{key}', 16)}"


def network(shop: Workshop) -> dict[str, Thing]:
    """The world's network, made when it is first asked for: things by the words of `route-table.with.of` and others."""
    world = shop.world
    with inside(world, world.network_account):
        arn = _arn(world, "vpc", identifier(world.seed, "vpc", "main"))
        if arn not in world.things:
            _build(shop)
        held = world.things[arn]
    return {name: world.things[arn] for name, arn in held.fixed["parts"].items()}


def _arn(world: World, kind: str, name: str) -> str:
    names = {"nat-gateway": "natgateway"}
    return world.arn("ec2", f"{names.get(kind, kind)}/{name}")


def _part(shop: Workshop, kind: str, prefix: str, key: str, label: str, fixed: dict[str, Any]) -> Thing:
    world = shop.world
    name = identifier(world.seed, prefix, key)
    created = world.start - _AGE
    thing = shop.part(_arn(world, kind, name), kind, name, created, {"id": name, **fixed})
    thing.settings.set("tags.Name", created, label)
    return thing


def _build(shop: Workshop) -> None:
    world = shop.world
    second = world.seed.integer("cidr", 10, 90)
    vpc = _part(shop, "vpc", "vpc", "main", "main", {"cidr": f"10.{second}.0.0/16"})
    vpc_id = vpc.name
    acl = _part(shop, "network-acl", "acl", "main", "main", {"vpc": vpc_id})
    shop.set(acl, Entries__100={"action": "allow", "protocol": "-1", "cidr": "0.0.0.0/0", "egress": False})
    internet = _part(shop, "internet-gateway", "igw", "main", "main", {"vpc": vpc_id})
    parts: dict[str, Thing] = {"vpc": vpc, "acl": acl, "internet": internet}
    for place in ("public", "private"):
        for number, zone in enumerate("ac"):
            block = (0 if place == "public" else 100) + number
            subnet = _part(
                shop,
                "subnet",
                "subnet",
                f"{place}-{zone}",
                f"{place}-{zone}",
                {
                    "vpc": vpc_id,
                    "cidr": f"10.{second}.{block}.0/24",
                    "zone": f"{world.region}{zone}",
                    "acl": acl.arn,
                },
            )
            parts[f"{place}-{zone}"] = subnet
            world.relate(subnet.arn, "filtered by", acl.arn)
    parts["nat"] = nat = _part(shop, "nat-gateway", "nat", "main", "egress", {"vpc": vpc_id})
    nat.fixed["subnet"] = parts["public-a"].name
    world.relate(nat.arn, "in", parts["public-a"].arn)
    for place, way in (("public", {"GatewayId": internet.name}), ("private", {"NatGatewayId": nat.name})):
        table = _part(shop, "route-table", "rtb", place, place, {"vpc": vpc_id, "subnets": []})
        table.settings.set("Routes.default", table.created, way)
        parts[place] = table
        for zone in "ac":
            subnet = parts[f"{place}-{zone}"]
            subnet.fixed["table"] = table.arn
            table.fixed["subnets"].append(subnet.name)
            world.relate(subnet.arn, "routed by", table.arn)
    world.relate(parts["private"].arn, "routes to", nat.arn)
    vpc.fixed["parts"] = {name: thing.arn for name, thing in parts.items()}
    for name, thing in parts.items():
        if name != "vpc":
            world.relate(thing.arn, "in", vpc.arn)


def place(shop: Workshop, thing: Thing, groups: list[Thing], where: str = "private") -> None:
    """Put something into the two subnets of one kind, behind security groups."""
    parts = network(shop)
    subnets = [parts[f"{where}-{zone}"] for zone in "ac"]
    thing.fixed["subnets"] = [subnet.arn for subnet in subnets]
    thing.fixed["security_groups"] = [guard.arn for guard in groups]
    thing.fixed["vpc"] = parts["vpc"].name
    base = str(subnets[0].fixed["cidr"]).split("/")[0].rsplit(".", 1)[0]
    thing.fixed.setdefault("address", f"{base}.{shop.world.seed.integer(f'address:{thing.arn}', 10, 250)}")
    for subnet in subnets:
        shop.world.relate(thing.arn, "in", subnet.arn)
    for guard in groups:
        shop.world.relate(thing.arn, "guarded by", guard.arn)


def guards_of(shop: Workshop, wish: Wish) -> list[Thing]:
    """The security groups that a wish names with `guarded_by`."""
    return shop.many(wish, "guarded_by", "security-group")


def blocked(world: World, source: Thing, target: Thing, port: int, second: float) -> Thing | None:
    """What drops a new connection from `source` to `port` of `target` at an epoch second; None when it passes."""
    if not admits(world, source, target, port, second):
        return guards(world, target)[0]
    return _filtered(world, source, target, port, second)


def _inside(world: World, source: Thing, cidr: str) -> bool:
    """Whether all addresses of the source lie in a block; what has no address comes from the internet."""
    blocks = [world.things[arn].fixed["cidr"] for arn in source.fixed.get("subnets", ())]
    return (
        all(IPv4Network(block).subnet_of(IPv4Network(cidr)) for block in blocks)
        if blocks
        else cidr == "0.0.0.0/0"
    )


def _filtered(world: World, source: Thing, target: Thing, port: int, second: float) -> Thing | None:
    """The network ACL of the target's subnet that denies it."""
    for arn in target.fixed.get("subnets", ())[:1]:
        acl = world.things[world.things[arn].fixed["acl"]]
        entries = sorted(
            (int(number), rule) for number, rule in acl.settings.under("Entries", moment(second)).items()
        )
        for _, rule in entries:
            low, high = ports(rule)
            if low <= port <= high and _inside(world, source, rule["cidr"]):
                return acl if rule["action"] == "deny" else None
        return acl
    return None


def no_way_out(world: World, source: Thing, second: float) -> Thing | None:
    """The route table that leads a source's traffic to the internet nowhere; None when there is a way, or no VPC."""
    for arn in source.fixed.get("subnets", ())[:1]:
        table = world.things[world.things[arn].fixed["table"]]
        if table.at("Routes.default", moment(second)) is None:
            return table
    return None


def ports(rule: Mapping[str, Any]) -> tuple[int, int]:
    """The ports of a rule, first and last."""
    held = rule.get("port")
    if held is None:
        return 0, 65_535
    return (int(held), int(held)) if isinstance(held, int) else (int(held[0]), int(held[1]))


def _group(shop: Workshop, wish: Wish) -> Thing:
    world = shop.world
    name = identifier(world.seed, "sg", wish.name)
    vpc = network(shop)["vpc"]
    fixed = {"id": name, "vpc": vpc.name, "description": str(wish.options.get("description") or wish.name)}
    thing = shop.add(world.arn("ec2", f"security-group/{name}"), wish, fixed)
    settings = {path: _rule(world, thing, path, value) for path, value in wish.settings.items()}
    for path, value in settings.items():
        thing.settings.set(path, thing.created, value)
    for key, value in wish.tags.items():
        thing.settings.set(f"tags.{key}", thing.created, value)
    world.relate(thing.arn, "in", vpc.arn)
    return thing


def _rule(world: World, group: Thing, path: str, value: Any) -> Any:
    """A rule of a security group with what it admits as an ARN or a block."""
    if value is None or not path.startswith("Ingress."):
        return value
    if not isinstance(value, dict) or "from" not in value:
        raise BadInput(
            f"{path} of a security group is a map: {{protocol: tcp, port: 5432, from: ID-OR-CIDR}}."
        )
    source = str(value["from"])
    if "/" in source and not source.startswith("arn:"):
        return {"protocol": "tcp", **value}
    found = world.things.get(source) or world.known.get(source)
    if found is None or found.kind != "security-group":
        raise BadInput(f'{path} names "{source}", which is no security group above it.')
    world.relate(found.arn, "may connect to", group.arn)
    return {"protocol": "tcp", **value, "from": found.arn}


_WORDS = {
    "route-table": {"private": "private", "public": "public"},
    "network-acl": {"": "acl"},
    "nat-gateway": {"": "nat"},
    "subnet": {name: name for name in ("private-a", "private-c", "public-a", "public-c")},
    "vpc": {"": "vpc"},
}


def _known(shop: Workshop, wish: Wish) -> Thing:
    """A part of the network under an id of the case."""
    words = _WORDS[wish.kind]
    which = str(wish.options.get("of") or ("private" if wish.kind == "route-table" else ""))
    if which not in words:
        raise BadInput(f"resources.{wish.id}.with.of must be one of: {', '.join(words)}.")
    return network(shop)[words[which]]


KINDS = (
    Kind(
        name="security-group",
        options={"description": "its description"},
        settings={"Ingress.": "{protocol, port, from}: a rule by a label of yours; null when it is revoked"},
        make=_group,
        kept=_rule,
        change=change_group,
        tag=tag,
    ),
    Kind(
        name="route-table",
        options={"of": "private or public"},
        settings={"Routes.default": "null when the way to the internet is deleted"},
        make=_known,
        change=change_routes,
        tag=tag,
    ),
    Kind(
        name="network-acl",
        settings={
            "Entries.": "{action, protocol, port, cidr, egress} by its number; null when it is deleted"
        },
        make=_known,
        change=change_acl,
        tag=tag,
    ),
    Kind(name="nat-gateway", make=_known, tag=tag),
    Kind(name="subnet", options={"of": "private-a, private-c, public-a or public-c"}, make=_known, tag=tag),
    Kind(name="vpc", make=_known, tag=tag),
)
