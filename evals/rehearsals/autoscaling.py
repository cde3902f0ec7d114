"""Auto Scaling groups: a group of two instances in two subnets, from a launch template."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    vpc = lay.do("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = []
    told = str(lay.told("vPCZoneIdentifier", default="")).split(",")
    for number, letter in enumerate("ab"):
        made = lay.do(
            "ec2", "CreateSubnet", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=f"{lay.region}{letter}",
        )["Subnet"]["SubnetId"]  # fmt: skip
        subnets.append(made)
        lay.known(told[number] if number < len(told) else "", made)
    template = lay.do(
        "ec2", "CreateLaunchTemplate", LaunchTemplateName="rehearsal",
        LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"},
    )["LaunchTemplate"]  # fmt: skip
    lay.known(lay.told("launchTemplateId"), template["LaunchTemplateId"])
    for own in sorted({one for one in lay.texts() if ":targetgroup/" in one}):
        made = lay.do(
            "elbv2", "CreateTargetGroup", Name=own.split("/")[1], Protocol="HTTP", Port=80, VpcId=vpc
        )
        lay.known(own, made["TargetGroups"][0]["TargetGroupArn"])
    for name in {str(one) for one in _names(lay)}:
        lay.do(
            "autoscaling", "CreateAutoScalingGroup", AutoScalingGroupName=name, MinSize=1, MaxSize=9,
            DesiredCapacity=2, VPCZoneIdentifier=",".join(subnets),
            LaunchTemplate={"LaunchTemplateName": "rehearsal", "Version": "$Default"},
        )  # fmt: skip
        if lay.event.operation == "DetachInstances":
            for own in _instances(lay):  # attached by the history
                one = lay.do("ec2", "RunInstances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
                lay.known(own, one["Instances"][0]["InstanceId"])
            continue
        group = lay.do("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
        ids = [one["InstanceId"] for one in group["AutoScalingGroups"][0]["Instances"]]
        for own, given in zip(_instances(lay), ids, strict=False):
            lay.known(own, given)


def _names(lay: Lay) -> list[str]:
    return [lay.told("autoScalingGroupName", default="rehearsal")]


def _instances(lay: Lay) -> list[str]:
    found = lay.told("instanceIds", default=[])
    return [str(one) for one in (found if isinstance(found, list) else [])]


GROUNDS = (Ground(service="autoscaling", lay=_lay, untold=("DescribeScalingActivities",)),)
