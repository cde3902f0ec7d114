"""What AWS makes by itself beside what people make, and what follows from all: read once, at the end.

Default security groups, main route tables and default network ACLs; the network interfaces and default parameter
groups of what was made; the network that a thing lies in because its subnets do.
"""

from __future__ import annotations

from evals.estates.doors import EDGE
from evals.estates.ground import Ground, Thing
from evals.estates.network import ec2
from tools.models import Json


def settle(ground: Ground) -> None:
    _networks(ground, ground.region)
    _networks(ground, EDGE)
    _interfaces(ground)
    _database_defaults(ground)
    _scaling(ground)
    for source, subnet in [
        (fact.source, fact.target) for fact in ground.facts.values() if fact.kind == "sits in"
    ]:
        for network in [
            one.target for one in ground.facts.values() if (one.source, one.kind) == (subnet, "lies in")
        ]:
            ground.maybe(source, "lies in", network)


def _seen(ground: Ground, kind: str, word: str, id_: str, name: str, region: str) -> tuple[Thing, bool]:
    """The thing, and whether it is new."""
    held = ground.things.get(ground.arn("ec2", f"{word}/{id_}", region))
    return (held, False) if held else (ec2(ground, kind, word, id_, name, region), True)


def _rows(ground: Ground, operation: str, member: str, region: str = "") -> list[Json]:
    return list(ground.call("ec2", operation, region)[member])


def _networks(ground: Ground, region: str) -> None:
    for row in _rows(ground, "DescribeVpcs", "Vpcs", region):
        _seen(ground, "vpc", "vpc", row["VpcId"], "default", region)
    for kind, word, operation, member, id_ in (
        ("subnet", "subnet", "DescribeSubnets", "Subnets", "SubnetId"),
        ("security group", "security-group", "DescribeSecurityGroups", "SecurityGroups", "GroupId"),
        ("route table", "route-table", "DescribeRouteTables", "RouteTables", "RouteTableId"),
        ("network acl", "network-acl", "DescribeNetworkAcls", "NetworkAcls", "NetworkAclId"),
    ):
        for row in _rows(ground, operation, member, region):
            thing, new = _seen(ground, kind, word, row[id_], "default", region)
            if new:
                ground.fact(thing, "lies in", ground.arn("ec2", f"vpc/{row['VpcId']}", region))
            if kind == "route table" and any(one.get("Main") for one in row.get("Associations", [])):
                _main_routes(ground, row["VpcId"], thing, region)
            for joined in row.get("Associations", []) if kind == "network acl" else []:
                ground.fact(ground.arn("ec2", f"subnet/{joined['SubnetId']}", region), "is guarded by", thing)


def _scaling(ground: Ground) -> None:
    """Alarms that target tracking makes, each on what it scales, and the targets and policies themselves."""
    owners: dict[str, Thing] = {}
    for space in ("dynamodb", "ecs"):
        for row in _scaled(ground, space, "DescribeScalableTargets", "ScalableTargets"):
            name = row["ResourceId"].rsplit("/", 1)[-1]
            owners[row["ResourceId"]] = next(
                one
                for one in ground.things.values()
                if one.name == name and one.kind in ("table", "ecs service")
            )
            if arn := row.get("ScalableTargetARN"):
                ground.inside(arn, owners[row["ResourceId"]])
        for row in _scaled(ground, space, "DescribeScalingPolicies", "ScalingPolicies"):
            ground.inside(row["PolicyARN"], owners[row["ResourceId"]])
    for row in ground.call("cloudwatch", "DescribeAlarms")["MetricAlarms"]:
        if row["AlarmArn"] not in ground.things:
            thing = ground.add("alarm", row["AlarmArn"], row["AlarmName"])
            values = {one["Value"] for one in row.get("Dimensions", [])}
            ground.fact(thing, "watches", *(one for one in owners.values() if one.name in values))
            for arn in row.get("AlarmActions", []):
                _policy_of(ground, arn, owners)
                ground.maybe(thing, "alerts", ground.wholes.get(arn))


def _policy_of(ground: Ground, arn: str, owners: dict[str, Thing]) -> None:
    """The policy that an action names: moto writes its ARN longer there than where it lists policies."""
    for id_, owner in owners.items():
        if f"/{id_}:policyName/" in arn:
            ground.inside(arn, owner)


def _scaled(ground: Ground, space: str, operation: str, member: str) -> list[Json]:
    return list(ground.call("application-autoscaling", operation, ServiceNamespace=space)[member])


def _main_routes(ground: Ground, network: str, table: Thing, region: str) -> None:
    """Subnets without a table of their own go by the main one."""
    own = {fact.source for fact in ground.facts.values() if fact.kind == "routes by"}
    for row in _rows(ground, "DescribeSubnets", "Subnets", region):
        arn = ground.arn("ec2", f"subnet/{row['SubnetId']}", region)
        if row["VpcId"] == network and arn not in own:
            ground.maybe(arn, "routes by", table)


def _interfaces(ground: Ground) -> None:
    """Every part of an interface's description is a fact; none of them has to be told."""
    for row in _rows(ground, "DescribeNetworkInterfaces", "NetworkInterfaces"):
        arn = ground.arn("ec2", f"network-interface/{row['NetworkInterfaceId']}")
        ground.maybe(arn, "sits in", ground.arn("ec2", f"subnet/{row['SubnetId']}"))
        ground.maybe(arn, "lies in", ground.arn("ec2", f"vpc/{row['VpcId']}"))
        for group in row.get("Groups", []):
            ground.maybe(arn, "is guarded by", ground.arn("ec2", f"security-group/{group['GroupId']}"))
        if holder := row.get("Attachment", {}).get("InstanceId"):
            ground.wholes[arn] = ground.arn("ec2", f"instance/{holder}")


def _database_defaults(ground: Ground) -> None:
    """Parameter and option groups that were not chosen, and what a member takes over from its cluster."""
    for row in ground.call("rds", "DescribeDBInstances")["DBInstances"]:
        own = row["DBInstanceArn"]
        for one in row.get("DBParameterGroups", []):
            ground.maybe(own, "is shaped by", ground.arn("rds", f"pg:{one['DBParameterGroupName']}"))
        for one in row.get("OptionGroupMemberships", []):
            ground.maybe(own, "is shaped by", ground.arn("rds", f"og:{one['OptionGroupName']}"))
        for one in row.get("VpcSecurityGroups", []):
            ground.maybe(
                own, "is guarded by", ground.arn("ec2", f"security-group/{one['VpcSecurityGroupId']}")
            )
        place = row.get("DBSubnetGroup") or {}
        if place:
            ground.maybe(own, "lies in", ground.arn("rds", f"subgrp:{place['DBSubnetGroupName']}"))
            ground.maybe(own, "lies in", ground.arn("ec2", f"vpc/{place['VpcId']}"))
        for one in place.get("Subnets", []):
            ground.maybe(own, "sits in", ground.arn("ec2", f"subnet/{one['SubnetIdentifier']}"))
        if row.get("KmsKeyId", "").startswith("arn:"):
            ground.maybe(own, "locks with", row["KmsKeyId"])
    for row in ground.call("rds", "DescribeDBClusters")["DBClusters"]:
        group = row.get("DBClusterParameterGroup")
        if group:
            ground.maybe(row["DBClusterArn"], "is shaped by", ground.arn("rds", f"cluster-pg:{group}"))
