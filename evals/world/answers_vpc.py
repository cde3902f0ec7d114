"""EC2's reads of the network. Filters are exact; those not listed here are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.deeds_vpc import permission, rule_id
from evals.world.world import Thing
from tools.models import Json

Field = Callable[[Ask, Thing], list[str]]


def _tags(ask: Ask, thing: Thing) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in sorted(thing.tags(ask.as_of).items())]


def chosen(
    ask: Ask, kind: str, id_parameter: str, code: str, filters: dict[str, Field], size: int = 1000
) -> tuple[list[Thing], str | None]:
    """The page of things of a kind that a request asks for, by ids and filters."""
    ids: list[str] = ask.take(id_parameter, [])
    things = [one for one in ask.world.of(kind, ask.region) if one.created <= ask.as_of]
    missing = [one for one in ids if one not in {thing.fixed["id"] for thing in things}]
    if missing:
        raise Refusal(code, f"The ID '{missing[0]}' does not exist", 400)
    found = [one for one in things if not ids or one.fixed["id"] in ids]
    for wanted in ask.take("Filters", []):
        found = [one for one in found if _passes(ask, one, wanted, filters)]
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", size))
    return ask.page(found, most, token)


def _passes(ask: Ask, thing: Thing, wanted: Json, filters: dict[str, Field]) -> bool:
    name, values = str(wanted["Name"]), [str(one) for one in wanted["Values"]]
    if any("*" in one or "?" in one for one in values):
        raise NotModelled("wildcard in a filter")
    if name.startswith("tag:"):
        return thing.tags(ask.as_of).get(name[4:]) in values
    if name == "vpc-id":
        return str(thing.fixed.get("vpc") or thing.fixed["id"]) in values
    if name not in filters:
        raise NotModelled(f"filter {name}")
    return bool(set(filters[name](ask, thing)) & set(values))


def own_id(ask: Ask, thing: Thing) -> list[str]:
    return [str(thing.fixed["id"])]


def paged(answer: Json, token: str | None) -> Json:
    return answer | ({"NextToken": token} if token else {})


def _permissions(ask: Ask, group: Thing) -> list[Json]:
    rules = group.settings.under("Ingress", ask.as_of)
    return [_pascal(permission(ask.world, rules[label])) for label in sorted(rules)]


def _pascal(item: Json) -> Json:
    groups = item["groups"].get("items", [])
    ranges = item["ipRanges"].get("items", [])
    return {
        "IpProtocol": item["ipProtocol"],
        "FromPort": item["fromPort"],
        "ToPort": item["toPort"],
        "UserIdGroupPairs": [{"GroupId": one["groupId"], "UserId": one["userId"]} for one in groups],
        "IpRanges": [{"CidrIp": one["cidrIp"]} for one in ranges],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
    }


_ANYWHERE = {
    "IpProtocol": "-1",
    "UserIdGroupPairs": [],
    "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    "Ipv6Ranges": [],
    "PrefixListIds": [],
}


@handles("ec2", "DescribeSecurityGroups")
def describe_security_groups(ask: Ask) -> Json:
    filters: dict[str, Field] = {
        "group-id": own_id,
        "group-name": lambda ask, one: [one.name],
        "ip-permission.group-id": lambda ask, one: [
            pair["GroupId"] for item in _permissions(ask, one) for pair in item["UserIdGroupPairs"]
        ],
    }
    found, token = chosen(ask, "security-group", "GroupIds", "InvalidGroup.NotFound", filters)
    shown = [
        {
            "GroupId": one.fixed["id"],
            "GroupName": one.name,
            "Description": one.fixed["description"],
            "OwnerId": ask.world.account,
            "VpcId": one.fixed["vpc"],
            "SecurityGroupArn": one.arn,
            "IpPermissions": _permissions(ask, one),
            "IpPermissionsEgress": [_ANYWHERE],
            "Tags": _tags(ask, one),
        }
        for one in found
    ]
    return paged({"SecurityGroups": shown}, token)


@handles("ec2", "DescribeSecurityGroupRules")
def describe_security_group_rules(ask: Ask) -> Json:
    wanted: list[Json] = ask.take("Filters", [])
    ids: list[str] = ask.take("SecurityGroupRuleIds", [])
    groups = {value for one in wanted if one["Name"] == "group-id" for value in one["Values"]}
    if any(one["Name"] != "group-id" for one in wanted):
        raise NotModelled("filter")
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 1000))
    found = [
        _rule(ask, group, label, rule)
        for group in ask.world.of("security-group", ask.region)
        if not groups or group.fixed["id"] in groups
        for label, rule in sorted(group.settings.under("Ingress", ask.as_of).items())
        if not ids or rule_id(group, label) in ids
    ]
    page, following = ask.page(found, most, token)
    return paged({"SecurityGroupRules": page}, following)


def _rule(ask: Ask, group: Thing, label: str, rule: Json) -> Json:
    shown = _pascal(permission(ask.world, rule))
    made: Json = {
        "SecurityGroupRuleId": rule_id(group, label),
        "GroupId": group.fixed["id"],
        "GroupOwnerId": ask.world.account,
        "IsEgress": False,
        "IpProtocol": shown["IpProtocol"],
        "FromPort": shown["FromPort"],
        "ToPort": shown["ToPort"],
        "Tags": [],
    }
    for pair in shown["UserIdGroupPairs"]:
        made["ReferencedGroupInfo"] = pair
    for block in shown["IpRanges"]:
        made["CidrIpv4"] = block["CidrIp"]
    return made


@handles("ec2", "DescribeVpcs")
def describe_vpcs(ask: Ask) -> Json:
    found, token = chosen(ask, "vpc", "VpcIds", "InvalidVpcID.NotFound", {"vpc-id": own_id})
    shown = [
        {
            "VpcId": one.fixed["id"],
            "CidrBlock": one.fixed["cidr"],
            "State": "available",
            "OwnerId": one.account,
            "IsDefault": False,
            "InstanceTenancy": "default",
            "Tags": _tags(ask, one),
        }
        for one in found
    ]
    return paged({"Vpcs": shown}, token)


@handles("ec2", "DescribeSubnets")
def describe_subnets(ask: Ask) -> Json:
    found, token = chosen(ask, "subnet", "SubnetIds", "InvalidSubnetID.NotFound", {"subnet-id": own_id})
    shown = [
        {
            "SubnetId": one.fixed["id"],
            "SubnetArn": one.arn,
            "VpcId": one.fixed["vpc"],
            "CidrBlock": one.fixed["cidr"],
            "AvailabilityZone": one.fixed["zone"],
            "State": "available",
            "OwnerId": one.account,
            "AvailableIpAddressCount": 230,
            "MapPublicIpOnLaunch": "public" in one.tags(ask.as_of).get("Name", ""),
            "Tags": _tags(ask, one),
        }
        for one in found
    ]
    return paged({"Subnets": shown}, token)


@handles("ec2", "DescribeRouteTables")
def describe_route_tables(ask: Ask) -> Json:
    filters: dict[str, Field] = {
        "route-table-id": own_id,
        "association.subnet-id": lambda ask, one: list(one.fixed["subnets"]),
        "association.route-table-id": own_id,
        "association.main": lambda ask, one: ["false"],
        "route.nat-gateway-id": lambda ask, one: [
            str((one.at("Routes.default", ask.as_of) or {}).get("NatGatewayId"))
        ],
    }
    found, token = chosen(ask, "route-table", "RouteTableIds", "InvalidRouteTableID.NotFound", filters)
    return paged({"RouteTables": [_table(ask, one) for one in found]}, token)


def _table(ask: Ask, table: Thing) -> Json:
    vpc = next(one for one in ask.world.of("vpc") if one.fixed["id"] == table.fixed["vpc"])
    routes: list[Json] = [
        {
            "DestinationCidrBlock": vpc.fixed["cidr"],
            "GatewayId": "local",
            "Origin": "CreateRouteTable",
            "State": "active",
        }
    ]
    way = table.at("Routes.default", ask.as_of)
    if way is not None:
        routes.append(
            {"DestinationCidrBlock": "0.0.0.0/0", **way, "Origin": "CreateRoute", "State": "active"}
        )
    return {
        "RouteTableId": table.fixed["id"],
        "VpcId": table.fixed["vpc"],
        "OwnerId": table.account,
        "Routes": routes,
        "PropagatingVgws": [],
        "Associations": [
            {
                "Main": False,
                "RouteTableAssociationId": f"rtbassoc-{subnet.removeprefix('subnet-')}",
                "RouteTableId": table.fixed["id"],
                "SubnetId": subnet,
                "AssociationState": {"State": "associated"},
            }
            for subnet in table.fixed["subnets"]
        ],
        "Tags": _tags(ask, table),
    }


@handles("ec2", "DescribeNetworkAcls")
def describe_network_acls(ask: Ask) -> Json:
    filters: dict[str, Field] = {"network-acl-id": own_id, "association.subnet-id": _subnets_of}
    found, token = chosen(ask, "network-acl", "NetworkAclIds", "InvalidNetworkAclID.NotFound", filters)
    return paged({"NetworkAcls": [_acl(ask, one) for one in found]}, token)


def _subnets_of(ask: Ask, acl: Thing) -> list[str]:
    return [str(one.fixed["id"]) for one in ask.world.of("subnet") if one.fixed["acl"] == acl.arn]


def _acl(ask: Ask, acl: Thing) -> Json:
    entries = [_entry(int(number), rule) for number, rule in acl.settings.under("Entries", ask.as_of).items()]
    outward = {
        "RuleNumber": 100,
        "Protocol": "-1",
        "RuleAction": "allow",
        "Egress": True,
        "CidrBlock": "0.0.0.0/0",
    }
    last = [
        {
            "RuleNumber": 32_767,
            "Protocol": "-1",
            "RuleAction": "deny",
            "Egress": egress,
            "CidrBlock": "0.0.0.0/0",
        }
        for egress in (False, True)
    ]
    return {
        "NetworkAclId": acl.fixed["id"],
        "VpcId": acl.fixed["vpc"],
        "OwnerId": acl.account,
        "IsDefault": False,
        "Entries": sorted([*entries, outward, *last], key=lambda one: (one["Egress"], one["RuleNumber"])),
        "Associations": [
            {
                "NetworkAclAssociationId": f"aclassoc-{one.removeprefix('subnet-')}",
                "NetworkAclId": acl.fixed["id"],
                "SubnetId": one,
            }
            for one in _subnets_of(ask, acl)
        ],
        "Tags": _tags(ask, acl),
    }


def _entry(number: int, rule: Json) -> Json:
    made: Json = {
        "RuleNumber": number,
        "Protocol": str(rule.get("protocol", "6")),
        "RuleAction": rule["action"],
        "Egress": bool(rule.get("egress", False)),
        "CidrBlock": rule["cidr"],
    }
    held: Any = rule.get("port")
    if held is not None:
        low, high = (held, held) if isinstance(held, int) else held
        made["PortRange"] = {"From": int(low), "To": int(high)}
    return made


@handles("ec2", "DescribeNatGateways")
def describe_nat_gateways(ask: Ask) -> Json:
    given = ask.take("Filter", [])
    if given:
        ask.left["Filters"] = given
    filters: dict[str, Field] = {
        "nat-gateway-id": own_id,
        "subnet-id": lambda ask, one: [str(one.fixed["subnet"])],
        "state": lambda ask, one: ["available"],
    }
    found, token = chosen(ask, "nat-gateway", "NatGatewayIds", "NatGatewayNotFound", filters)
    shown = [
        {
            "NatGatewayId": one.fixed["id"],
            "SubnetId": one.fixed["subnet"],
            "VpcId": one.fixed["vpc"],
            "State": "available",
            "ConnectivityType": "public",
            "CreateTime": one.created,
            "NatGatewayAddresses": [
                {"PublicIp": "198.51.100.24", "PrivateIp": "10.0.0.24", "IsPrimary": True}
            ],
            "Tags": _tags(ask, one),
        }
        for one in found
    ]
    return paged({"NatGateways": shown}, token)


@handles("ec2", "DescribeInternetGateways")
def describe_internet_gateways(ask: Ask) -> Json:
    filters: dict[str, Field] = {
        "internet-gateway-id": own_id,
        "attachment.vpc-id": lambda ask, one: [str(one.fixed["vpc"])],
    }
    found, token = chosen(
        ask, "internet-gateway", "InternetGatewayIds", "InvalidInternetGatewayID.NotFound", filters
    )
    shown = [
        {
            "InternetGatewayId": one.fixed["id"],
            "OwnerId": one.account,
            "Attachments": [{"State": "attached", "VpcId": one.fixed["vpc"]}],
            "Tags": _tags(ask, one),
        }
        for one in found
    ]
    return paged({"InternetGateways": shown}, token)


@handles("ec2", "DescribeVpcAttribute")
def describe_vpc_attribute(ask: Ask) -> Json:
    wanted, name = str(ask.need("VpcId")), str(ask.need("Attribute"))
    if not any(one.fixed["id"] == wanted for one in ask.world.of("vpc", ask.region)):
        raise Refusal("InvalidVpcID.NotFound", f"The vpc ID '{wanted}' does not exist", 400)
    if name not in ("enableDnsSupport", "enableDnsHostnames"):
        raise NotModelled(f"Attribute {name}")
    return {"VpcId": wanted, name[0].upper() + name[1:]: {"Value": True}}


@handles("ec2", "DescribeVpcEndpoints")
def describe_vpc_endpoints(ask: Ask) -> Json:
    found, token = chosen(ask, "vpc-endpoint", "VpcEndpointIds", "InvalidVpcEndpointId.NotFound", {})
    return paged({"VpcEndpoints": [{"VpcEndpointId": one.fixed["id"]} for one in found]}, token)
