"""Hosted zones, as the event's record names what is in them."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay
from tools.models import Json


def _lay(lay: Lay) -> None:
    if lay.event.operation == "CreateHostedZone":
        return
    more: Json = {}
    if "VPC" in lay.event.operation:
        vpcs = [lay.do("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2)]
        lay.known(lay.told("vPCId"), vpcs[1])
        more = {
            "VPC": {"VPCRegion": lay.region, "VPCId": vpcs[0]},
            "HostedZoneConfig": {"PrivateZone": True, "Comment": ""},
        }
    names = [str(value).rstrip(".").split(".") for value in (lay.told("name", default="shop.example.com"),)]
    made = lay.do(
        "route53", "CreateHostedZone", Name=".".join(names[0][-2:]), CallerReference="rehearsal", **more
    )["HostedZone"]["Id"].rsplit("/", 1)[-1]
    own = str(lay.told("hostedZoneId", "id", "resourceId")).rsplit("/", 1)[-1]
    lay.known(own, made)


GROUNDS = (Ground(service="route53", lay=_lay, untold=("ListReusableDelegationSets",)),)
