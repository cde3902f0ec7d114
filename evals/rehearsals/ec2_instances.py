"""Instances, volumes, profiles and addresses; groups, tables and ACLs that the event names. Ids are EC2's own."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

from evals.emulation import Emulation, Supplement
from evals.rehearsals._ground import Ground, Lay, walked
from tools.models import Call, ChangeEvent, Json

_ID = re.compile(r"^(?:i|vol|sg|rtb|acl|eipalloc|subnet|igw|nat|lt|vpce?)-[0-9a-f]{8,}$")
_UNTOLD = (
    "DescribeVolumesModifications",
    "DescribeManagedPrefixLists",
    "DescribeVpcEndpointServices",
    "DescribeInstanceTypes",
    "GetConsoleOutput",
    "GetConsoleScreenshot",
)


def _named(lay: Lay, prefix: str) -> list[str]:
    """Ids of one kind that the event names, each once."""
    told = [one for one in lay.texts() if _ID.match(one) and one.startswith(f"{prefix}-")]
    return list(dict.fromkeys(told))


def _revoked(event: ChangeEvent, request: Json) -> Json:
    """The rules that were revoked, with the descriptions that only the answer tells."""
    told = {str(value) for key, value in walked(event.response) if key == "description" and value}
    if not event.operation.startswith("Revoke") or len(told) != 1:
        return request
    made: Json = copy.deepcopy(request)
    for _, value in walked(made):
        for pair in value.get("items") or [] if isinstance(value, dict) else []:
            if isinstance(pair, dict) and {"cidrIp", "groupId", "cidrIpv6"} & pair.keys():
                pair["description"] = next(iter(told))
    return made


def _lay(lay: Lay) -> None:
    vpc = lay.do("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = lay.do("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    for own in _named(lay, "vpc"):
        lay.known(own, vpc)
    for own in _named(lay, "subnet"):
        lay.known(own, subnet)
    for own in _named(lay, "i"):
        made = lay.do(
            "ec2", "RunInstances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t3.large",
            SubnetId=subnet,
        )["Instances"][0]  # fmt: skip
        lay.known(own, made["InstanceId"])
    _volumes(lay)
    _network(lay, vpc)
    arn = str(lay.told("arn", default=""))
    if ":instance-profile/" in arn:
        lay.do("iam", "CreateInstanceProfile", InstanceProfileName=arn.rsplit("/", 1)[-1])


def _volumes(lay: Lay) -> None:
    for own in _named(lay, "vol"):
        made = lay.do(
            "ec2", "CreateVolume", AvailabilityZone=f"{lay.region}a", Size=100, VolumeType="gp3", Iops=6000
        )
        lay.known(own, made["VolumeId"])
    for own in _named(lay, "lt"):
        if lay.event.operation != "CreateLaunchTemplate":
            made = lay.do(
                "ec2", "CreateLaunchTemplate", LaunchTemplateName="rehearsal",
                LaunchTemplateData={"InstanceType": "t3.large"},
            )["LaunchTemplate"]  # fmt: skip
            lay.known(own, made["LaunchTemplateId"])


def _network(lay: Lay, vpc: str) -> None:
    for own in _named(lay, "sg"):
        made = lay.do("ec2", "CreateSecurityGroup", GroupName=own[3:], Description="rehearsal", VpcId=vpc)
        lay.known(own, made["GroupId"])
    for own in _named(lay, "rtb"):
        lay.known(own, lay.do("ec2", "CreateRouteTable", VpcId=vpc)["RouteTable"]["RouteTableId"])
    for own in _named(lay, "acl"):
        lay.known(own, lay.do("ec2", "CreateNetworkAcl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"])
    for own in _named(lay, "eipalloc"):
        lay.known(own, lay.do("ec2", "AllocateAddress", Domain="vpc")["AllocationId"])
    for own in _named(lay, "igw"):
        gateway = lay.do("ec2", "CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
        lay.do("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
        lay.known(own, gateway)
    for own in _named(lay, "vpce") if lay.event.operation == "ModifyVpcEndpoint" else ():
        subnet = lay.do("ec2", "DescribeSubnets")["Subnets"][0]["SubnetId"]
        made = lay.do(
            "ec2", "CreateVpcEndpoint", VpcId=vpc, VpcEndpointType="Interface", SubnetIds=[subnet],
            ServiceName=f"com.amazonaws.{lay.region}.secretsmanager",
        )["VpcEndpoint"]  # fmt: skip
        lay.known(own, made["VpcEndpointId"])
    for own in _named(lay, "nat"):
        subnet = lay.do("ec2", "DescribeSubnets")["Subnets"][0]["SubnetId"]
        address = lay.do("ec2", "AllocateAddress", Domain="vpc")["AllocationId"]
        made = lay.do("ec2", "CreateNatGateway", SubnetId=subnet, AllocationId=address)
        lay.known(own, made["NatGateway"]["NatGatewayId"])


_SOURCES = {
    "IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "UserIdGroupPairs": "GroupId", "PrefixListIds": "PrefixListId",
}  # fmt: skip


def _revoke(emulation: Emulation, call: Call) -> Json:
    """Revoke: EC2 finds rules by protocol, ports and source, where moto wants the description too."""
    group = call.parameters.get("GroupId", "")
    side = "IpPermissionsEgress" if call.operation.endswith("Egress") else "IpPermissions"
    shown = emulation.call(
        Call(
            service="ec2",
            operation="DescribeSecurityGroups",
            parameters={"GroupIds": [group]},
            region=call.region,
        )
    )
    held = shown["SecurityGroups"][0][side]
    asked = copy.deepcopy(call.parameters.get("IpPermissions") or [])
    for permission in asked:
        for key, name in _SOURCES.items():
            for source in permission.get(key) or []:
                source |= _described(held, permission, key, name, source[name])
    if not asked:
        return emulation.send(call)
    return emulation.send(replace(call, parameters={**call.parameters, "IpPermissions": asked}))


def _described(held: list[Json], permission: Json, key: str, name: str, value: str) -> Json:
    for row in held:
        if all(row.get(one) == permission.get(one) for one in ("IpProtocol", "FromPort", "ToPort")):
            for source in row.get(key) or []:
                if source.get(name) == value and source.get("Description"):
                    return {"Description": source["Description"]}
    return {}


_PUT_RIGHT: dict[tuple[str, str], Supplement] = {
    ("ec2", f"RevokeSecurityGroup{side}"): _revoke for side in ("Ingress", "Egress")
}

GROUNDS = (
    Ground(
        service="ec2",
        lay=_lay,
        wrong={"CreateLaunchTemplateVersion.SourceVersion": "it forgets the source version"},
        untold=_UNTOLD,
        same=("StateReason", "StateTransitionReason"),
    ),
    Ground(
        service="vpc",
        lay=_lay,
        given=_revoked,
        supplements=_PUT_RIGHT,
        untold=_UNTOLD,
        same=("StateReason", "StateTransitionReason"),
    ),
)
