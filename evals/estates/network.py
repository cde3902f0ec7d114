"""Networks: VPCs with their subnets, routes and gateways, security groups, load balancers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evals.estates.ground import Ground, Thing
from tools.models import Json

ZONES = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC with what hangs on it."""

    vpc: Thing
    public: tuple[Thing, ...]
    private: tuple[Thing, ...]
    route_public: Thing
    route_private: Thing

    @property
    def subnets(self) -> tuple[Thing, ...]:
        return (*self.public, *self.private)


def ec2(ground: Ground, kind: str, word: str, id_: str, name: str, region: str = "") -> Thing:
    arn = ground.arn("ec2", f"{word}/{id_}", region or None)
    return ground.add(kind, arn, name, region=region, id=id_)


def vpc(ground: Ground, name: str, number: int, zones: int = 2, nat: bool = True) -> Network:
    """A VPC 10.number/16 with public and private subnets, an internet gateway, and perhaps a NAT gateway."""
    block = f"10.{number}.0.0/16"
    made = ground.call("ec2", "CreateVpc", CidrBlock=block)["Vpc"]["VpcId"]
    thing = ec2(ground, "vpc", "vpc", made, name)
    gateway = ground.call("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
    ground.call("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=made)
    door = ec2(ground, "internet gateway", "internet-gateway", gateway, f"{name}-igw")
    ground.fact(door, "lies in", thing)
    public = tuple(_subnet(ground, thing, f"{name}-public-{zone}", zone, f"10.{number}.{place}.0/24")
                   for place, zone in enumerate(ZONES[:zones]))  # fmt: skip
    private = tuple(_subnet(ground, thing, f"{name}-private-{zone}", zone, f"10.{number}.{100 + place}.0/24")
                    for place, zone in enumerate(ZONES[:zones]))  # fmt: skip
    outward = routes(ground, thing, f"{name}-public", public)
    inward = routes(ground, thing, f"{name}-private", private)
    _route(ground, outward, door, GatewayId=gateway)
    if nat:
        _route(
            ground, inward, exit_ := nat_gateway(ground, f"{name}-nat", public[0]), NatGatewayId=exit_["id"]
        )
    return Network(thing, public, private, outward, inward)


def _subnet(ground: Ground, network: Thing, name: str, zone: str, block: str) -> Thing:
    made = ground.call(
        "ec2", "CreateSubnet",
        VpcId=network["id"], CidrBlock=block, AvailabilityZone=f"{ground.region}{zone}",
    )["Subnet"]["SubnetId"]  # fmt: skip
    thing = ec2(ground, "subnet", "subnet", made, name)
    ground.fact(thing, "lies in", network)
    return thing


def routes(ground: Ground, network: Thing, name: str, subnets: Sequence[Thing]) -> Thing:
    """A route table for these subnets."""
    made = ground.call("ec2", "CreateRouteTable", VpcId=network["id"])["RouteTable"]["RouteTableId"]
    thing = ec2(ground, "route table", "route-table", made, name)
    ground.fact(thing, "lies in", network)
    for subnet in subnets:
        ground.call("ec2", "AssociateRouteTable", RouteTableId=made, SubnetId=subnet["id"])
        ground.fact(subnet, "routes by", thing)
    return thing


def _route(ground: Ground, table: Thing, way: Thing, block: str = "0.0.0.0/0", **target: str) -> None:
    ground.call("ec2", "CreateRoute", RouteTableId=table["id"], DestinationCidrBlock=block, **target)
    ground.fact(table, "routes by", way)


def nat_gateway(ground: Ground, name: str, subnet: Thing) -> Thing:
    address = ground.call("ec2", "AllocateAddress", Domain="vpc")
    eip = ec2(ground, "elastic ip", "elastic-ip", address["AllocationId"], f"{name}-ip")
    made = ground.call("ec2", "CreateNatGateway", SubnetId=subnet["id"], AllocationId=address["AllocationId"])
    thing = ec2(ground, "nat gateway", "natgateway", made["NatGateway"]["NatGatewayId"], name)
    ground.fact(thing, "sits in", subnet)
    ground.fact(thing, "routes by", eip)
    return thing


def peering(ground: Ground, name: str, ours: Network, theirs: Network, block: str) -> Thing:
    """Two VPCs of the account joined, with a route from ours."""
    made = ground.call("ec2", "CreateVpcPeeringConnection",
                       VpcId=ours.vpc["id"], PeerVpcId=theirs.vpc["id"])["VpcPeeringConnection"]  # fmt: skip
    number = made["VpcPeeringConnectionId"]
    ground.call("ec2", "AcceptVpcPeeringConnection", VpcPeeringConnectionId=number)
    thing = ec2(ground, "vpc peering", "vpc-peering-connection", number, name)
    ground.fact(thing, "lies in", ours.vpc, theirs.vpc)
    _route(ground, ours.route_private, thing, block, VpcPeeringConnectionId=number)
    return thing


def endpoint(
    ground: Ground, name: str, network: Network, service: str, groups: Sequence[Thing] = ()
) -> Thing:
    """A gateway endpoint (s3, dynamodb) on the private routes, or an interface endpoint in the private subnets."""
    full = f"com.amazonaws.{ground.region}.{service}"
    gateway = service in ("s3", "dynamodb")
    more: Json = (
        {"VpcEndpointType": "Gateway", "RouteTableIds": [network.route_private["id"]]}
        if gateway
        else {
            "VpcEndpointType": "Interface",
            "SubnetIds": [one["id"] for one in network.private],
            "SecurityGroupIds": [one["id"] for one in groups],
        }
    )
    made = ground.call("ec2", "CreateVpcEndpoint", VpcId=network.vpc["id"], ServiceName=full, **more)
    thing = ec2(ground, "vpc endpoint", "vpc-endpoint", made["VpcEndpoint"]["VpcEndpointId"], name)
    ground.fact(thing, "lies in", network.vpc)
    if gateway:
        ground.fact(network.route_private, "routes by", thing)
    else:
        ground.fact(thing, "sits in", *network.private)
        ground.fact(thing, "is guarded by", *groups)
    return thing


def group(
    ground: Ground, name: str, network: Network, opens: Sequence[tuple[int, Thing | str]] = ()
) -> Thing:
    """A security group; `opens`: a port for another group or a CIDR."""
    made = ground.call("ec2", "CreateSecurityGroup", GroupName=name, Description=f"{name} access",
                       VpcId=network.vpc["id"])["GroupId"]  # fmt: skip
    thing = ec2(ground, "security group", "security-group", made, name)
    ground.fact(thing, "lies in", network.vpc)
    for port, source in opens:
        admit(ground, thing, port, source)
    return thing


def admit(ground: Ground, to: Thing, port: int, source: Thing | str) -> None:
    """Let a group or a CIDR in."""
    rule: Json = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    if isinstance(source, Thing):
        rule["UserIdGroupPairs"] = [{"GroupId": source["id"], "UserId": ground.account}]
        ground.fact(to, "names", source)
    else:
        rule["IpRanges"] = [{"CidrIp": source}]
    ground.call("ec2", "AuthorizeSecurityGroupIngress", GroupId=to["id"], IpPermissions=[rule])


def acl(ground: Ground, name: str, network: Network) -> Thing:
    """A network ACL that guards nothing yet."""
    made = ground.call("ec2", "CreateNetworkAcl", VpcId=network.vpc["id"])["NetworkAcl"]["NetworkAclId"]
    thing = ec2(ground, "network acl", "network-acl", made, name)
    ground.fact(thing, "lies in", network.vpc)
    return thing


# -- load balancers ------------------------------------------------------------------------------------


def balancer(
    ground: Ground, name: str, subnets: Sequence[Thing], groups: Sequence[Thing] = (),
    kind: str = "application", internal: bool = False, logs: Thing | None = None,
) -> Thing:  # fmt: skip
    made = ground.call(
        "elbv2", "CreateLoadBalancer",
        Name=name, Subnets=[one["id"] for one in subnets], Type=kind,
        Scheme="internal" if internal else "internet-facing",
        SecurityGroups=[one["id"] for one in groups] or None,
    )["LoadBalancers"][0]  # fmt: skip
    thing = ground.add("load balancer", made["LoadBalancerArn"], name,
                       host=made["DNSName"], zone=made["CanonicalHostedZoneId"])  # fmt: skip
    ground.fact(thing, "sits in", *subnets)
    ground.fact(thing, "is guarded by", *groups)
    if logs:
        rows = [{"Key": "access_logs.s3.enabled", "Value": "true"},
                {"Key": "access_logs.s3.bucket", "Value": logs.name}]  # fmt: skip
        ground.call("elbv2", "ModifyLoadBalancerAttributes", LoadBalancerArn=thing.arn, Attributes=rows)
        ground.fact(thing, "writes to", logs)
    return thing


def targets(
    ground: Ground, name: str, network: Network, kind: str = "ip", port: int = 8080,
    of: Sequence[Thing] = (),
) -> Thing:  # fmt: skip
    """A target group; `of` are instances or one function registered in it."""
    more: Json = {} if kind == "lambda" else {"Protocol": "HTTP", "Port": port, "VpcId": network.vpc["id"]}
    made = ground.call("elbv2", "CreateTargetGroup", Name=name, TargetType=kind, **more)["TargetGroups"][0]
    thing = ground.add("target group", made["TargetGroupArn"], name)
    if kind != "lambda":
        ground.fact(thing, "lies in", network.vpc)
    if of:
        rows = [{"Id": one.arn if kind == "lambda" else one["id"]} for one in of]
        ground.call("elbv2", "RegisterTargets", TargetGroupArn=thing.arn, Targets=rows)
        ground.fact(thing, "calls", *of)
    return thing


def listener(
    ground: Ground,
    of: Thing,
    to: Thing,
    port: int = 80,
    certificate: Thing | None = None,
    secure: str = "HTTPS",
) -> Thing:
    made = ground.call(
        "elbv2", "CreateListener",
        LoadBalancerArn=of.arn, Port=port, Protocol=secure if certificate else ("TCP" if secure == "TLS" else "HTTP"),
        Certificates=[{"CertificateArn": certificate.arn}] if certificate else None,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": to.arn}],
    )["Listeners"][0]  # fmt: skip
    thing = ground.part("listener", made["ListenerArn"], of, f"{of.name}:{port}")
    for one in ground.call("elbv2", "DescribeRules", ListenerArn=thing.arn)["Rules"]:
        ground.inside(one["RuleArn"], thing)
        ground.maybe(one["RuleArn"], "calls", to)
    ground.fact(thing, "calls", to)
    ground.fact(thing, "shows", certificate)
    return thing


def rule(ground: Ground, of: Thing, path: str, to: Thing, priority: int) -> Thing:
    made = ground.call(
        "elbv2", "CreateRule",
        ListenerArn=of.arn, Priority=priority, Conditions=[{"Field": "path-pattern", "Values": [path]}],
        Actions=[{"Type": "forward", "TargetGroupArn": to.arn}],
    )["Rules"][0]  # fmt: skip
    thing = ground.part("listener rule", made["RuleArn"], of, path)
    ground.fact(thing, "calls", to)
    return thing
