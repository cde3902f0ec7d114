"""How CloudTrail records what is done to the network: lists are `items`, answers say `_return`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evals.world.seed import mix
from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def permission(world: World, rule: Json) -> Json:
    """A rule as one of `ipPermissions.items`."""
    low, high = _ports(rule)
    source = str(rule["from"])
    groups: Json = {}
    ranges: Json = {"items": [{"cidrIp": source}]}
    if source.startswith("arn:"):
        groups, ranges = (
            {"items": [{"groupId": world.things[source].fixed["id"], "userId": world.account}]},
            {},
        )
    return {
        "ipProtocol": rule["protocol"],
        "fromPort": low,
        "toPort": high,
        "groups": groups,
        "ipRanges": ranges,
        "ipv6Ranges": {},
        "prefixListIds": {},
    }


def rule_id(group: Thing, label: str) -> str:
    """The id of a security group's rule."""
    number = sum(map(ord, group.arn))
    return f"sgr-0{mix(number, *map(ord, label)):016x}"


def change_group(world: World, act: Act) -> Deed:
    """AuthorizeSecurityGroupIngress or RevokeSecurityGroupIngress."""
    group, label = act.thing, act.path.removeprefix("Ingress.")
    if act.after is None:
        name, rule = "RevokeSecurityGroupIngress", act.before
        answer = {"revokedSecurityGroupRuleSet": {"items": [_described(world, group, label, rule)]}}
    else:
        name, rule = "AuthorizeSecurityGroupIngress", act.after
        answer = {"securityGroupRuleSet": {"items": [_described(world, group, label, rule)]}}
    by_id = act.after is None and act.call != "permissions" and _console(world, act)
    request: Json = {"groupId": group.fixed["id"]}
    if by_id:  # the console revokes by the ids of rules
        request |= {
            "ipPermissions": {},
            "securityGroupRuleIds": {"items": [{"securityGroupRuleId": rule_id(group, label)}]},
        }
    else:
        request["ipPermissions"] = {"items": [permission(world, rule)]}
    return _deed(world, act, name, request, answer)


def _console(world: World, act: Act) -> bool:
    return bool(world.seed.integer(f"revoked by id:{act.thing.arn}", 0, 1))


def _described(world: World, group: Thing, label: str, rule: Json) -> Json:
    low, high = _ports(rule)
    source = str(rule["from"])
    shown: Json = {
        "groupOwnerId": world.account,
        "groupId": group.fixed["id"],
        "securityGroupRuleId": rule_id(group, label),
        "isEgress": False,
        "ipProtocol": rule["protocol"],
        "fromPort": low,
        "toPort": high,
    }
    if source.startswith("arn:"):
        shown["referencedGroupInfo"] = {"groupId": world.things[source].fixed["id"], "userId": world.account}
    else:
        shown["cidrIpv4"] = source
    return shown


def change_routes(world: World, act: Act) -> Deed:
    """CreateRoute, DeleteRoute or ReplaceRoute of the way to everywhere. A deletion does not tell where it led."""
    request: Json = {"routeTableId": act.thing.fixed["id"], "destinationCidrBlock": "0.0.0.0/0"}
    if act.after is None:
        return _deed(world, act, "DeleteRoute", request)
    way = {name[0].lower() + name[1:]: value for name, value in act.after.items()}
    return _deed(world, act, "CreateRoute" if act.before is None else "ReplaceRoute", request | way)


def change_acl(world: World, act: Act) -> Deed:
    """CreateNetworkAclEntry, ReplaceNetworkAclEntry or DeleteNetworkAclEntry."""
    number = int(act.path.removeprefix("Entries."))
    rule = act.after if act.after is not None else act.before
    request: Json = {
        "networkAclId": act.thing.fixed["id"],
        "ruleNumber": number,
        "egress": bool(rule.get("egress", False)),
    }
    if act.after is None:
        return _deed(world, act, "DeleteNetworkAclEntry", request)
    request |= {
        "aclProtocol": str(rule.get("protocol", "6")),
        "ruleAction": rule["action"],
        "cidrBlock": rule["cidr"],
    }
    if rule.get("port") is not None:
        low, high = _ports(rule)
        request["portRange"] = {"from": low, "to": high}
    name = "CreateNetworkAclEntry" if act.before is None else "ReplaceNetworkAclEntry"
    return _deed(world, act, name, request)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """CreateTags."""
    request = {
        "resourcesSet": {"items": [{"resourceId": thing.fixed["id"]}]},
        "tagSet": {"items": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    return Deed(source="ec2", name="CreateTags", request=request, response={"_return": True})


def _deed(world: World, act: Act, name: str, request: Json, answer: Json | None = None) -> Deed:
    made = world.seed.uuid(f"{name}:{act.thing.arn}:{act.moment.isoformat()}")
    return Deed(
        source="ec2",
        name=name,
        request=request,
        response={"requestId": made, "_return": True, **(answer or {})},
    )


def _ports(rule: Json) -> tuple[int, int]:
    held: Any = rule.get("port")
    if held is None:
        return 0, 65_535
    return (int(held), int(held)) if isinstance(held, int) else (int(held[0]), int(held[1]))
