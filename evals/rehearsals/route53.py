"""Hosted zones, as the event's record names what is in them."""

from __future__ import annotations

from dataclasses import replace

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay
from tools.models import Call, Json
from tools.parameters import from_cloudtrail


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
    if lay.event.operation == "ChangeResourceRecordSets" and not lay.before:
        sent = from_cloudtrail("route53", lay.event.operation, lay.event.request)["ChangeBatch"]["Changes"]
        gone = [{**one, "Action": "CREATE"} for one in sent if one["Action"] == "DELETE"]
        if gone:
            lay.do("route53", lay.event.operation, HostedZoneId=made, ChangeBatch={"Changes": gone})
    if lay.event.operation.startswith("Disassociate") and not lay.before:
        second = {"VPCRegion": lay.region, "VPCId": vpcs[1]}
        lay.do("route53", "AssociateVPCWithHostedZone", HostedZoneId=made, VPC=second)


def _one_by_one(emulation: Emulation, call: Call) -> Json:
    """moto looks whether a new record is there already before it deletes what the same batch deletes."""
    answer: Json = {}
    for one in call.parameters["ChangeBatch"]["Changes"]:
        part = {**call.parameters, "ChangeBatch": {**call.parameters["ChangeBatch"], "Changes": [one]}}
        answer = emulation.send(replace(call, parameters=part))
    return answer


GROUNDS = (
    Ground(
        service="route53",
        lay=_lay,
        untold=("ListReusableDelegationSets",),
        supplements={("route53", "ChangeResourceRecordSets"): _one_by_one},
    ),
)
