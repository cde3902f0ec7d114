"""Target groups with their health check and attributes, and the order of a listener's rules.

The last part of the ARNs is AWS's own, so they are translated.
"""

from __future__ import annotations

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay
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


def _make_rule(emulation: Emulation, item: Item) -> Ids:
    """The rule on a listener of its own."""
    vpc = do(emulation, "ec2", "CreateVpc", item.region, CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = do(emulation, "ec2", "DescribeAvailabilityZones", item.region)["AvailabilityZones"]
    subnets = [
        do(emulation, "ec2", "CreateSubnet", item.region, VpcId=vpc, CidrBlock=f"10.0.{number}.0/24",
           AvailabilityZone=zone["ZoneName"])["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones[:2])  # not all regions have a zone b for everybody
    ]  # fmt: skip
    balancer = do(emulation, "elbv2", "CreateLoadBalancer", item.region, Name="rehearsal", Subnets=subnets)
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = do(
        emulation, "elbv2", "CreateListener", item.region, Protocol="HTTP", Port=80, DefaultActions=answer,
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
    )  # fmt: skip
    made = do(
        emulation, "elbv2", "CreateRule", item.region, ListenerArn=listener["Listeners"][0]["ListenerArn"],
        Priority=int(item.get("Priority")), Actions=answer,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
    )  # fmt: skip
    return {item.arn: made["Rules"][0]["RuleArn"]}


def _read_rule(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "elbv2", "DescribeRules", item.region, RuleArns=[ids[item.arn]])
    return chosen(shown["Rules"][0], "Priority")


SEEDERS = (
    Seeder(kind="listener-rule", service="elbv2", paths=("Priority",), make=_make_rule, read=_read_rule),
    Seeder(
        kind="target-group",
        service="elbv2",
        paths=(*_MEMBERS, "Matcher.*", "Attributes", "Attributes.*"),
        make=_make,
        read=_read,
    ),
)


def _lay(lay: Lay) -> None:
    """A load balancer in two subnets with a listener and a target group."""
    vpc = lay.do("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    lay.known(lay.told("vpcId"), vpc)
    subnets = [
        lay.do("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24",
               AvailabilityZone=zone["ZoneName"])["Subnet"]["SubnetId"]
        for number, zone in enumerate(lay.do("ec2", "DescribeAvailabilityZones")["AvailabilityZones"][:2])
    ]  # fmt: skip
    balancer = lay.do("elbv2", "CreateLoadBalancer", Name="rehearsal", Subnets=subnets)["LoadBalancers"][0]
    balancer_arn, operation = balancer["LoadBalancerArn"], lay.event.operation
    lay.known(_named_arn(lay, ":loadbalancer/"), balancer_arn)
    if operation != "CreateTargetGroup":
        group = lay.do("elbv2", "CreateTargetGroup", Name="rehearsal", Protocol="HTTP", Port=8080, VpcId=vpc)
        lay.known(_named_arn(lay, ":targetgroup/"), group["TargetGroups"][0]["TargetGroupArn"])
        action = {"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}
        if "Rule" in operation or "Certificates" in operation:
            made = lay.do(
                "elbv2", "CreateListener", LoadBalancerArn=balancer_arn, Port=80, Protocol="HTTP",
                DefaultActions=[action],
            )["Listeners"][0]  # fmt: skip
            lay.known(_named_arn(lay, ":listener/"), made["ListenerArn"])
    for own in sorted({one for one in lay.texts() if ":acm:" in one}):
        lay.known(own, lay.do("acm", "RequestCertificate", DomainName="example.com")["CertificateArn"])
    for own in sorted({one for one in lay.texts() if one.startswith("i-")}):
        reserved = lay.do("ec2", "RunInstances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
        lay.known(own, reserved["Instances"][0]["InstanceId"])


def _named_arn(lay: Lay, part: str) -> str:
    own = [one for one in lay.texts() if part in one]
    if own:
        return own[0]
    rule = [one for one in lay.texts() if ":listener-rule/" in one]
    if part == ":listener/" and rule:
        return rule[0].replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]
    return ""


GROUNDS = (
    Ground(
        service="elbv2",
        lay=_lay,
        wrong={"CreateRule.Conditions": "it shows conditions only as they were sent"},
        same=("LoadBalancerArns", "Order", "ForwardConfig"),
    ),
)
