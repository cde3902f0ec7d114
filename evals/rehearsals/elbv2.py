"""Target groups: their health check and attributes. The last part of the ARN is AWS's own, so it is translated."""

from __future__ import annotations

from evals.emulation import Emulation
from evals.rehearsals._spec import Ids, Item, Seeder, chosen, do
from tools.models import Json

_MEMBERS = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)


def _attributes(item: Item) -> dict[str, str]:
    """`Attributes` as a mapping or as AWS's list of Key and Value; a key has dots of its own."""
    held = item.get("Attributes")
    listed = (
        {one["Key"]: one["Value"] for one in held} if isinstance(held, list) else item.below("Attributes")
    )
    return {key: str(value) for key, value in listed.items()}


def _matcher(item: Item) -> Json | None:
    held = item.below("Matcher")
    return {key: str(value) for key, value in held.items()} or None


def _make(emulation: Emulation, item: Item) -> Ids:
    vpc = do(emulation, "ec2", "CreateVpc", item.region, CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    sent: Json = {name: item.get(name) for name in _MEMBERS if item.get(name) is not None}
    sent["Matcher"] = _matcher(item)
    made = do(
        emulation, "elbv2", "CreateTargetGroup", item.region,
        Name=item.name[:32], Protocol=item.get("Protocol", default="HTTP"), Port=int(item.get("Port", default=80)),
        VpcId=vpc, TargetType=item.get("TargetType", default="instance"), **sent,
    )  # fmt: skip
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    attributes = [{"Key": key, "Value": value} for key, value in _attributes(item).items()]
    if attributes:
        do(emulation, "elbv2", "ModifyTargetGroupAttributes", item.region,
           TargetGroupArn=arn, Attributes=attributes)  # fmt: skip
    return {item.arn: arn}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    arn = ids[item.arn]
    shown = do(emulation, "elbv2", "DescribeTargetGroups", item.region, TargetGroupArns=[arn])
    group = chosen(shown["TargetGroups"][0], *_MEMBERS)
    attributes = do(emulation, "elbv2", "DescribeTargetGroupAttributes", item.region, TargetGroupArn=arn)
    return {**group, "Attributes": {one["Key"]: one["Value"] for one in attributes["Attributes"]}}


SEEDERS = (
    Seeder(
        kind="target-group",
        service="elbv2",
        paths=(*_MEMBERS, "Matcher.*", "Attributes", "Attributes.*"),
        make=_make,
        read=_read,
    ),
)
