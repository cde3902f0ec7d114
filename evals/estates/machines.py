"""Machines: instances and their disks, scaling groups, and the Kubernetes clusters made of them."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estates.ground import Ground, Thing
from evals.estates.network import ec2
from tools.models import Json


def kubernetes(
    ground: Ground, name: str, acts: Thing, subnets: Sequence[Thing], groups: Sequence[Thing], key: Thing
) -> Thing:
    """An EKS cluster. Its add-ons are answered by the table: moto has none."""
    made = ground.call(
        "eks", "CreateCluster",
        name=name, roleArn=acts.arn, version="1.31",
        resourcesVpcConfig={
            "subnetIds": [one["id"] for one in subnets], "securityGroupIds": [one["id"] for one in groups],
        },
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": key.arn}}],
    )["cluster"]  # fmt: skip
    thing = ground.add("eks cluster", made["arn"], name)
    ground.fact(thing, "acts as", acts)
    ground.fact(thing, "sits in", *subnets)
    ground.fact(thing, "is guarded by", *groups)
    ground.fact(thing, "locks with", key)
    _cluster_group(ground, thing, subnets)
    ground.table.put(ground.region, "eks", "ListAddons", {"clusterName": name}, {"addons": []})
    return thing


def _cluster_group(ground: Ground, of: Thing, subnets: Sequence[Thing]) -> None:
    """The security group that EKS makes for a cluster, and its network; moto tells neither."""
    from moto.eks.models import eks_backends

    network = ground.call("ec2", "DescribeSubnets", SubnetIds=[subnets[0]["id"]])["Subnets"][0]["VpcId"]
    name = f"eks-cluster-sg-{of.name}"
    made = ground.call("ec2", "CreateSecurityGroup", GroupName=name, Description="of EKS", VpcId=network)[
        "GroupId"
    ]
    group = ec2(ground, "security group", "security-group", made, name)
    ground.fact(group, "lies in", ground.arn("ec2", f"vpc/{network}"))
    held = eks_backends[ground.account][ground.region].clusters[of.name]
    held.resources_vpc_config |= {"vpcId": network, "clusterSecurityGroupId": made}
    ground.fact(of, "is guarded by", group)


def addon(ground: Ground, of: Thing, name: str, acts: Thing | None = None) -> Thing:
    number = f"{ground.draw.randrange(16**8):08x}-aaaa-bbbb-cccc-{ground.draw.randrange(16**12):012x}"
    arn = ground.arn("eks", f"addon/{of.name}/{name}/{number}")
    thing = ground.part("eks add-on", arn, of, name)
    shown = {"addonName": name, "clusterName": of.name, "status": "ACTIVE", "addonArn": arn,
             "addonVersion": "v1.2.3-eksbuild.1"}  # fmt: skip
    if acts:
        shown["serviceAccountRoleArn"] = acts.arn
        ground.fact(thing, "acts as", acts)
    names = {"clusterName": of.name}
    ground.table.more(ground.region, "eks", "ListAddons", names, "addons", name)
    ground.table.put(ground.region, "eks", "DescribeAddon", {**names, "addonName": name}, {"addon": shown})
    return thing


def nodes(ground: Ground, of: Thing, name: str, acts: Thing, subnets: Sequence[Thing]) -> Thing:
    made = ground.call(
        "eks", "CreateNodegroup",
        clusterName=of.name, nodegroupName=name, nodeRole=acts.arn, subnets=[one["id"] for one in subnets],
        scalingConfig={"minSize": 2, "maxSize": 6, "desiredSize": 3},
    )["nodegroup"]  # fmt: skip
    thing = ground.add("eks node group", made["nodegroupArn"], name)
    ground.fact(thing, "is part of", of)
    ground.fact(thing, "acts as", acts)
    ground.fact(thing, "sits in", *subnets)
    _machines(ground, of, thing, subnets)
    return thing


def _machines(ground: Ground, cluster: Thing, of: Thing, subnets: Sequence[Thing]) -> None:
    """The scaling group that EKS makes for a node group; moto names one and makes none."""
    from moto.eks.models import eks_backends

    name = f"eks-{of.name}-{ground.draw.randrange(16**8):08x}"
    template = launch_template(ground, f"eks-{cluster.name}-{of.name}", [], None)
    made = scaling_group(ground, name, template, subnets)
    held = eks_backends[ground.account][ground.region].clusters[cluster.name].nodegroups[of.name]
    held.resources = {"autoScalingGroups": [{"name": name}]}
    ground.fact(of, "runs on", made)


# -- machines --------------------------------------------------------------------------------------------


def instance(
    ground: Ground, name: str, subnet: Thing, groups: Sequence[Thing], carries: Thing | None = None
) -> Thing:
    made = ground.call(
        "ec2", "RunInstances",
        ImageId="ami-0abcdef1234567890", MinCount=1, MaxCount=1, InstanceType="t3.large", SubnetId=subnet["id"],
        SecurityGroupIds=[one["id"] for one in groups],
        IamInstanceProfile=carries and {"Arn": carries.arn},
    )["Instances"][0]  # fmt: skip
    thing = ec2(ground, "instance", "instance", made["InstanceId"], name)
    ground.fact(thing, "sits in", subnet)
    ground.fact(thing, "is guarded by", *groups)
    ground.fact(thing, "acts as", carries)
    shown = ground.call("ec2", "DescribeInstances", InstanceIds=[made["InstanceId"]])
    for row in shown["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]:
        disk = ec2(ground, "volume", "volume", row["Ebs"]["VolumeId"], f"{name}-root")
        ground.fact(thing, "takes from", disk)
    return thing


def volume(ground: Ground, name: str, on: Thing | None = None, encrypted: Thing | None = None) -> Thing:
    made = ground.call(
        "ec2", "CreateVolume",
        AvailabilityZone=f"{ground.region}a", Size=100, Encrypted=bool(encrypted),
        KmsKeyId=encrypted and encrypted.arn,
    )  # fmt: skip
    thing = ec2(ground, "volume", "volume", made["VolumeId"], name)
    ground.fact(thing, "locks with", encrypted)
    if on:
        ground.call("ec2", "AttachVolume", VolumeId=made["VolumeId"], InstanceId=on["id"], Device="/dev/sdf")
        ground.fact(on, "takes from", thing)
    return thing


def launch_template(ground: Ground, name: str, groups: Sequence[Thing], carries: Thing | None) -> Thing:
    shown: Json = {"ImageId": "ami-0abcdef1234567890", "InstanceType": "t3.medium"}
    if groups:
        shown["SecurityGroupIds"] = [one["id"] for one in groups]
    if carries:
        shown["IamInstanceProfile"] = {"Arn": carries.arn}
    made = ground.call("ec2", "CreateLaunchTemplate", LaunchTemplateName=name, LaunchTemplateData=shown)
    made = made["LaunchTemplate"]
    thing = ec2(ground, "launch template", "launch-template", made["LaunchTemplateId"], name)
    ground.fact(thing, "is guarded by", *groups)
    ground.fact(thing, "acts as", carries)
    return thing


def scaling_group(
    ground: Ground, name: str, template: Thing, subnets: Sequence[Thing], behind: Sequence[Thing] = (),
    tells: Thing | None = None,
) -> Thing:  # fmt: skip
    ground.call(
        "autoscaling", "CreateAutoScalingGroup",
        AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateId": template["id"], "Version": "$Latest"},
        MinSize=0, MaxSize=6, DesiredCapacity=0, VPCZoneIdentifier=",".join(one["id"] for one in subnets),
        TargetGroupARNs=[one.arn for one in behind] or None,
    )  # fmt: skip
    shown = ground.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
    thing = ground.add("scaling group", shown["AutoScalingGroups"][0]["AutoScalingGroupARN"], name)
    ground.fact(thing, "is shaped by", template)
    ground.fact(thing, "sits in", *subnets)
    for one in behind:
        ground.fact(one, "calls", thing)
    if tells:
        row = {"AutoScalingGroupName": name, "TopicARN": tells.arn,
               "NotificationType": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"}  # fmt: skip
        by = ("NotificationConfigurations", "AutoScalingGroupNames", "AutoScalingGroupName")
        ground.table.listed(ground.region, "autoscaling", "DescribeNotificationConfigurations", by, [row])
        ground.fact(thing, "alerts", tells)
    return thing


def scaling_policy(ground: Ground, of: Thing, name: str) -> Thing:
    ground.call(
        "autoscaling", "PutScalingPolicy",
        AutoScalingGroupName=of.name, PolicyName=name, PolicyType="SimpleScaling",
        AdjustmentType="ChangeInCapacity", ScalingAdjustment=1,
    )  # fmt: skip
    shown = ground.call("autoscaling", "DescribePolicies", AutoScalingGroupName=of.name)["ScalingPolicies"]
    return ground.part("scaling policy", shown[-1]["PolicyARN"], of, name)
