"""Clusters: one with a node group."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay

_SHOWN = (
    "scalingConfig",
    "diskSize",
    "instanceTypes",
    "amiType",
    "capacityType",
    "labels",
    "taints",
    "version",
    "releaseVersion",
    "updateConfig",
    "tags",
)
_NODES = "arn:aws:iam::111122223333:role/nodes"


def _lay(lay: Lay) -> None:
    cluster = str(lay.told("clusterName", "name"))
    vpc = lay.do("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = lay.do("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    lay.do(
        "eks", "CreateCluster", name=cluster, roleArn=lay.role(), resourcesVpcConfig={"subnetIds": [subnet]}
    )
    lay.words |= {"name": cluster, "clusterName": cluster}
    for own in {one for one in lay.texts() if one.startswith("subnet-")}:
        lay.known(own, subnet)
    group = lay.told("nodegroupName")
    if group:
        lay.do(
            "eks", "CreateNodegroup", clusterName=cluster, nodegroupName=group, subnets=[subnet],
            nodeRole=str(lay.answered("nodeRole", default=lay.role(_NODES))),
            **{name: lay.answered(name) for name in _SHOWN},
        )  # fmt: skip


GROUNDS = (Ground(service="eks", lay=_lay),)
