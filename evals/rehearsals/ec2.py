"""Security groups, network ACLs and route tables: lists of rules. Ids are EC2's own, so they are translated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evals.emulation import CallRefused, Emulation, NotEmulated, Supplement
from evals.rehearsals._spec import Ids, Item, Seeder, chosen, do
from tools.models import Call, Json
from tools.walk import texts

_GROUP = re.compile(r"^sg-[0-9a-z]+$")
_PERMISSION = (
    "IpProtocol",
    "FromPort",
    "ToPort",
    "IpRanges",
    "Ipv6Ranges",
    "UserIdGroupPairs",
    "PrefixListIds",
)
_ENTRY = (
    "RuleNumber",
    "Protocol",
    "RuleAction",
    "Egress",
    "CidrBlock",
    "Ipv6CidrBlock",
    "PortRange",
    "IcmpTypeCode",
)

_TARGETS = ("GatewayId", "NatGatewayId", "VpcPeeringConnectionId")
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_LAST_ENTRY = 32767  # the refusal of all else: it cannot be made or removed


def _rows(item: Item, path: str) -> list[Json]:
    return [dict(row) for row in item.get(path) or []]


def _network(emulation: Emulation, item: Item) -> tuple[str, dict[str, str]]:
    """The id of the item's VPC, and all ids so far: what one item refers to may be another item."""
    ids: dict[str, str] = emulation.memory.setdefault("ec2 ids", {})
    own = str(item.get("VpcId", default=item.fixed.get("VpcId", "")) or "vpc-of-the-rehearsal")
    if own not in ids:
        made = do(emulation, "ec2", "CreateVpc", item.region, CidrBlock="10.0.0.0/16")
        ids[own] = made["Vpc"]["VpcId"]
    return ids[own], ids


# -- security groups -------------------------------------------------------------------------------


def _make_group(emulation: Emulation, item: Item) -> Ids:
    vpc, ids = _network(emulation, item)
    rules = {path: _rows(item, path) for path in ("IpPermissions", "IpPermissionsEgress")}
    told = [item.every(path) for path in rules]
    others = {value for value in texts(told) if _GROUP.match(value)} - {item.id}
    for own in (item.id, *sorted(others)):
        if own in ids:
            continue
        made = do(
            emulation, "ec2", "CreateSecurityGroup", item.region,
            GroupName=item.name if own == item.id else own.replace("sg-", "group-"),
            Description=str(item.get("Description", default="of a rehearsal")), VpcId=vpc,
        )  # fmt: skip
        ids[own] = made["GroupId"]
    group = ids[item.id]
    if item.get("IpPermissionsEgress") is not None:
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        do(
            emulation, "ec2", "RevokeSecurityGroupEgress", item.region,
            GroupId=group, IpPermissions=everything,
        )  # fmt: skip
    for path, operation in (
        ("IpPermissions", "AuthorizeSecurityGroupIngress"),
        ("IpPermissionsEgress", "AuthorizeSecurityGroupEgress"),
    ):
        sent = [_permission(row, ids, emulation.account) for row in rules[path]]
        if sent:
            do(emulation, "ec2", operation, item.region, GroupId=group, IpPermissions=sent)
    return ids


def _permission(row: Json, ids: Ids, account: str) -> Json:
    sent = {key: value for key, value in chosen(row, *_PERMISSION).items() if value not in (None, [])}
    pairs = [dict(pair) for pair in sent.get("UserIdGroupPairs", [])]
    for pair in pairs:
        pair["GroupId"] = ids.get(pair.get("GroupId", ""), pair.get("GroupId", ""))
        pair.setdefault("UserId", account)
    return sent | ({"UserIdGroupPairs": pairs} if pairs else {})


def _read_group(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "ec2", "DescribeSecurityGroups", item.region, GroupIds=[ids[item.id]])
    group = shown["SecurityGroups"][0]
    return {
        path: sorted((one for row in group[path] for one in _single(row)), key=repr)
        for path in ("IpPermissions", "IpPermissionsEgress")
    }


def _single(row: Json) -> Iterator[Json]:
    """A permission as one row per source, for AWS may join or split them."""
    base = chosen(row, "IpProtocol", "FromPort", "ToPort")
    for key in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
        for source in row.get(key) or []:
            yield {**base, **{name: value for name, value in source.items() if value not in (None, "")}}


# -- network ACLs ----------------------------------------------------------------------------------


def _make_acl(emulation: Emulation, item: Item) -> Ids:
    vpc, ids = _network(emulation, item)
    acl = do(emulation, "ec2", "CreateNetworkAcl", item.region, VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for row in _rows(item, "Entries"):
        entry = chosen(row, *_ENTRY)
        if int(entry["RuleNumber"]) < _LAST_ENTRY:
            entry["Protocol"] = str(entry["Protocol"])
            do(emulation, "ec2", "CreateNetworkAclEntry", item.region, NetworkAclId=acl, **entry)
    return {**ids, item.id: acl}


def _read_acl(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "ec2", "DescribeNetworkAcls", item.region, NetworkAclIds=[ids[item.id]])
    rows = [chosen(row, *_ENTRY) for row in shown["NetworkAcls"][0]["Entries"]]
    return {"Entries": [row for row in rows if row["RuleNumber"] < _LAST_ENTRY]}


def _delete_entry(emulation: Emulation, call: Call) -> Json:
    """DeleteNetworkAclEntry: EC2 refuses what is not there, where moto breaks."""
    asked = call.parameters
    shown = do(
        emulation, "ec2", "DescribeNetworkAcls", call.region, NetworkAclIds=[asked.get("NetworkAclId", "")]
    )
    rows = shown["NetworkAcls"][0]["Entries"]
    if not any((row["RuleNumber"], row["Egress"]) == (asked["RuleNumber"], asked["Egress"]) for row in rows):
        raise CallRefused("ec2:DeleteNetworkAclEntry is refused: InvalidNetworkAclEntry.NotFound")
    return emulation.send(call)


# -- route tables ----------------------------------------------------------------------------------


def _make_routes(emulation: Emulation, item: Item) -> Ids:
    vpc, ids = _network(emulation, item)
    table = do(emulation, "ec2", "CreateRouteTable", item.region, VpcId=vpc)["RouteTable"]["RouteTableId"]
    for own in _named_targets(item):
        if own not in ids:
            ids[own] = _target(emulation, item.region, vpc, own)
    for row in _rows(item, "Routes"):
        target = next((key for key in _TARGETS if row.get(key) and row[key] != "local"), "")
        if target:
            do(
                emulation, "ec2", "CreateRoute", item.region,
                RouteTableId=table, **chosen(row, *_DESTINATIONS), **{target: ids[row[target]]},
            )  # fmt: skip
        elif row.get("GatewayId") != "local":
            raise NotEmulated(f"a route of {item.name} leads to what cannot be made")
    return {**ids, item.id: table}


def _named_targets(item: Item) -> list[str]:
    rows = [row for held in item.every("Routes") for row in held]
    return [str(row[key]) for row in rows for key in _TARGETS if row.get(key, "local") != "local"]


def _target(emulation: Emulation, region: str, vpc: str, own: str) -> str:
    if own.startswith("igw-"):
        made = do(emulation, "ec2", "CreateInternetGateway", region)["InternetGateway"]["InternetGatewayId"]
        do(emulation, "ec2", "AttachInternetGateway", region, InternetGatewayId=made, VpcId=vpc)
        return str(made)
    if own.startswith("pcx-"):
        other = do(emulation, "ec2", "CreateVpc", region, CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
        made = do(emulation, "ec2", "CreateVpcPeeringConnection", region, VpcId=vpc, PeerVpcId=other)
        return str(made["VpcPeeringConnection"]["VpcPeeringConnectionId"])
    if own.startswith("nat-"):
        number = sum(1 for _ in do(emulation, "ec2", "DescribeSubnets", region)["Subnets"])
        cidr = f"10.0.{number % 250}.0/24"
        subnet = do(emulation, "ec2", "CreateSubnet", region, VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        made = do(emulation, "ec2", "CreateNatGateway", region, SubnetId=subnet, ConnectivityType="private")
        return str(made["NatGateway"]["NatGatewayId"])
    raise NotEmulated(f"no target such as {own} can be made")


def _read_routes(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "ec2", "DescribeRouteTables", item.region, RouteTableIds=[ids[item.id]])
    rows = [chosen(row, *_DESTINATIONS, *_TARGETS) for row in shown["RouteTables"][0]["Routes"]]
    return {"Routes": [row for row in rows if row.get("GatewayId") != "local"]}


_SUPPLEMENTS: dict[tuple[str, str], Supplement] = {("ec2", "DeleteNetworkAclEntry"): _delete_entry}

SEEDERS = (
    Seeder(
        kind="security-group",
        service="ec2",
        paths=("IpPermissions", "IpPermissionsEgress", "Description"),
        make=_make_group,
        read=_read_group,
    ),
    Seeder(
        kind="network-acl",
        service="ec2",
        paths=("Entries",),
        make=_make_acl,
        read=_read_acl,
        supplements=_SUPPLEMENTS,
    ),
    Seeder(kind="route-table", service="ec2", paths=("Routes",), make=_make_routes, read=_read_routes),
)
