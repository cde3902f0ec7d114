"""EC2's reads of instances and of what belongs to them, their profiles, and what Systems Manager knows of them."""

from __future__ import annotations

from datetime import timedelta

from evals.world.answers_vpc import Field, chosen, own_id, paged
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.deeds_ec2 import CODES
from evals.world.ec2_metrics import launched
from evals.world.hosts import PENDING, SIZES, Host
from evals.world.instance_stage import groups
from evals.world.world import Thing
from tools.models import Json

_STOPPING = timedelta(seconds=25)
_TAGGED = (
    "instance",
    "volume",
    "vpc",
    "subnet",
    "security-group",
    "route-table",
    "network-acl",
    "internet-gateway",
)


def state(ask: Ask, thing: Thing) -> str:
    """What State.Name answers: changes take some seconds."""
    held, host = str(thing.at("State.Name", ask.as_of)), Host(thing)
    since = host.since("State.Name", ask.as_of.timestamp())
    fresh = ask.as_of.timestamp() - since
    if held == "running":
        return "running" if host.running(ask.as_of.timestamp()) or fresh > PENDING else "pending"
    if fresh < _STOPPING.total_seconds():
        return "stopping" if held == "stopped" else "shutting-down"
    return held


def _groups(ask: Ask, thing: Thing) -> list[Json]:
    held = [ask.world.things[arn] for arn in groups(ask.world, thing, ask.as_of.timestamp())]
    return [{"GroupId": one.fixed["id"], "GroupName": one.name} for one in held]


def _subnet(ask: Ask, thing: Thing) -> str:
    return str(ask.world.things[thing.fixed["subnets"][0]].fixed["id"])


def _dns(ask: Ask, thing: Thing) -> str:
    return f"ip-{str(thing.fixed['address']).replace('.', '-')}.{ask.world.region}.compute.internal"


def _profile(ask: Ask, thing: Thing) -> str:
    return ask.world.iam_arn(f"instance-profile/{thing.fixed['profile']}")


_FILTERS: dict[str, Field] = {
    "instance-id": own_id,
    "instance-state-name": lambda ask, one: [state(ask, one)],
    "instance-type": lambda ask, one: [str(one.at("InstanceType", ask.as_of))],
    "subnet-id": lambda ask, one: [_subnet(ask, one)],
    "instance.group-id": lambda ask, one: [item["GroupId"] for item in _groups(ask, one)],
    "network-interface.group-id": lambda ask, one: [item["GroupId"] for item in _groups(ask, one)],
    "private-ip-address": lambda ask, one: [str(one.fixed["address"])],
    "private-dns-name": lambda ask, one: [_dns(ask, one)],
    "image-id": lambda ask, one: [str(one.fixed["image"])],
    "availability-zone": lambda ask, one: [str(one.fixed["zone"])],
    "iam-instance-profile.arn": lambda ask, one: [_profile(ask, one)],
    "tag-key": lambda ask, one: list(one.tags(ask.as_of)),
}


def _instances(ask: Ask) -> tuple[list[Thing], str | None]:
    return chosen(ask, "instance", "InstanceIds", "InvalidInstanceID.NotFound", _FILTERS)


@handles("ec2", "DescribeInstances")
def describe_instances(ask: Ask) -> Json:
    found, token = _instances(ask)
    shown = [
        {
            "ReservationId": one.fixed["reservation"],
            "OwnerId": ask.world.account,
            "Groups": [],
            "Instances": [_shown(ask, one)],
        }
        for one in found
    ]
    return paged({"Reservations": shown}, token)


def _shown(ask: Ask, thing: Thing) -> Json:
    now, host = state(ask, thing), Host(thing)
    kind = str(thing.at("InstanceType", ask.as_of))
    stopped = now in ("stopped", "stopping", "terminated", "shutting-down")
    since = host.since("State.Name", ask.as_of.timestamp())
    shown: Json = {
        "InstanceId": thing.fixed["id"],
        "ImageId": thing.fixed["image"],
        "InstanceType": kind,
        "KeyName": thing.fixed["key"],
        "LaunchTime": launched(host, ask.as_of),
        "State": {"Code": CODES[now], "Name": now},
        "StateTransitionReason": f"User initiated ({_gmt(since)})" if stopped else "",
        "Monitoring": {"State": thing.at("Monitoring.State", ask.as_of)},
        "Placement": {"AvailabilityZone": thing.fixed["zone"], "GroupName": "", "Tenancy": "default"},
        "PrivateDnsName": _dns(ask, thing),
        "PrivateIpAddress": thing.fixed["address"],
        "PublicDnsName": "",
        "SubnetId": _subnet(ask, thing),
        "VpcId": thing.fixed["vpc"],
        "Architecture": "x86_64",
        "Hypervisor": "xen",
        "VirtualizationType": "hvm",
        "RootDeviceType": "ebs",
        "RootDeviceName": "/dev/xvda",
        "EbsOptimized": True,
        "EnaSupport": True,
        "SourceDestCheck": True,
        "AmiLaunchIndex": 0,
        "CpuOptions": {"CoreCount": max(1, SIZES[kind].vcpus // 2), "ThreadsPerCore": 2},
        "IamInstanceProfile": {"Arn": _profile(ask, thing), "Id": thing.fixed["profile_id"]},
        "SecurityGroups": _groups(ask, thing),
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": _attached(ask, thing)}],
        "NetworkInterfaces": [_interface(ask, thing, inside=True)],
        "MetadataOptions": _metadata(ask, thing),
        "Tags": _tags(ask, thing),
    }
    if stopped:
        shown["StateReason"] = {
            "Code": "Client.UserInitiatedShutdown",
            "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
        }
    return shown


def _gmt(second: float) -> str:
    from evals.world.stage import moment

    return f"{moment(second):%Y-%m-%d %H:%M:%S} GMT"


def _metadata(ask: Ask, thing: Thing) -> Json:
    return {
        "State": "applied",
        "HttpTokens": thing.at("MetadataOptions.HttpTokens", ask.as_of),
        "HttpPutResponseHopLimit": thing.at("MetadataOptions.HttpPutResponseHopLimit", ask.as_of),
        "HttpEndpoint": thing.at("MetadataOptions.HttpEndpoint", ask.as_of),
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": "disabled",
    }


def _tags(ask: Ask, thing: Thing) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in sorted(thing.tags(ask.as_of).items())]


def _attached(ask: Ask, thing: Thing) -> Json:
    volume = ask.world.things[thing.fixed["volume"]]
    return {
        "VolumeId": volume.fixed["id"],
        "Status": "attached",
        "AttachTime": thing.created,
        "DeleteOnTermination": True,
    }


@handles("ec2", "DescribeInstanceStatus")
def describe_instance_status(ask: Ask) -> Json:
    """Running instances only, unless all are asked for."""
    every = bool(ask.take("IncludeAllInstances", False))
    found, token = _instances(ask)
    shown = [_status(ask, one) for one in found if every or state(ask, one) == "running"]
    return paged({"InstanceStatuses": shown}, token)


def _status(ask: Ask, thing: Thing) -> Json:
    now, failed = state(ask, thing), thing.at("_status_failed", ask.as_of)

    def check(word: str) -> Json:
        if now != "running":
            return {"Status": "not-applicable"}
        fine = failed != word
        detail = {"Name": "reachability", "Status": "passed" if fine else "failed"}
        return {"Status": "ok" if fine else "impaired", "Details": [detail]}

    return {
        "InstanceId": thing.fixed["id"],
        "AvailabilityZone": thing.fixed["zone"],
        "InstanceState": {"Code": CODES[now], "Name": now},
        "InstanceStatus": check("instance"),
        "SystemStatus": check("system"),
    }


def _instance(ask: Ask, code: str) -> Thing:
    found = next((one for one in ask.world.of("instance", ask.region) if one.fixed["id"] == code), None)
    if found is None:
        raise Refusal("InvalidInstanceID.NotFound", f"The instance ID '{code}' does not exist")
    return found


@handles("ec2", "DescribeInstanceAttribute")
def describe_instance_attribute(ask: Ask) -> Json:
    thing, name = _instance(ask, str(ask.need("InstanceId"))), str(ask.need("Attribute"))
    known: dict[str, Json] = {
        "instanceType": {"InstanceType": {"Value": thing.at("InstanceType", ask.as_of)}},
        "disableApiTermination": {
            "DisableApiTermination": {"Value": bool(thing.at("DisableApiTermination", ask.as_of))}
        },
        "groupSet": {"Groups": _groups(ask, thing)},
        "userData": {"UserData": {}},
        "ebsOptimized": {"EbsOptimized": {"Value": True}},
        "sourceDestCheck": {"SourceDestCheck": {"Value": True}},
        "rootDeviceName": {"RootDeviceName": {"Value": "/dev/xvda"}},
        "instanceInitiatedShutdownBehavior": {"InstanceInitiatedShutdownBehavior": {"Value": "stop"}},
    }
    if name not in known:
        raise NotModelled(f"attribute {name}")
    return {"InstanceId": thing.fixed["id"], **known[name]}


@handles("ec2", "DescribeTags")
def describe_tags(ask: Ask) -> Json:
    """Filters: resource-id, resource-type, key, value, tag:<key>."""
    filters: list[Json] = ask.take("Filters", [])
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 1000))
    rows = [
        {"ResourceId": thing.fixed["id"], "ResourceType": kind, "Key": key, "Value": value}
        for kind in _TAGGED
        for thing in ask.world.of(kind, ask.region)
        for key, value in sorted(thing.tags(ask.as_of).items())
    ]
    fields = {"resource-id": "ResourceId", "resource-type": "ResourceType", "key": "Key", "value": "Value"}
    for wanted in filters:
        name, values = str(wanted["Name"]), [str(one) for one in wanted["Values"]]
        if any("*" in one or "?" in one for one in values):
            raise NotModelled("wildcard in a filter")
        if name.startswith("tag:"):
            rows = [row for row in rows if row["Key"] == name[4:] and row["Value"] in values]
        elif name in fields:
            rows = [row for row in rows if row[fields[name]] in values]
        else:
            raise NotModelled(f"filter {name}")
    page, following = ask.page(rows, most, token)
    return paged({"Tags": page}, following)


def _interface(ask: Ask, thing: Thing, *, inside: bool) -> Json:
    shown: Json = {
        "NetworkInterfaceId": thing.fixed["interface"],
        "Description": "",
        "Groups": _groups(ask, thing),
        "InterfaceType": "interface",
        "OwnerId": ask.world.account,
        "PrivateDnsName": _dns(ask, thing),
        "PrivateIpAddress": thing.fixed["address"],
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": _subnet(ask, thing),
        "VpcId": thing.fixed["vpc"],
        "Attachment": {
            "AttachmentId": f"eni-attach-{str(thing.fixed['interface']).removeprefix('eni-')}",
            "AttachTime": thing.created,
            "DeleteOnTermination": True,
            "DeviceIndex": 0,
            "Status": "attached",
        },
    }
    if not inside:
        shown["Attachment"] |= {"InstanceId": thing.fixed["id"], "InstanceOwnerId": ask.world.account}
        shown |= {"AvailabilityZone": thing.fixed["zone"], "TagSet": [], "RequesterManaged": False}
    return shown


@handles("ec2", "DescribeNetworkInterfaces")
def describe_network_interfaces(ask: Ask) -> Json:
    """Those of instances, asked for by id or by instance; other services have some that worlds do not know."""
    ids: list[str] = ask.take("NetworkInterfaceIds", [])
    filters: list[Json] = ask.take("Filters", [])
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 1000))
    named = [one for one in filters if one["Name"] == "attachment.instance-id"]
    if len(named) != len(filters) or not (ids or named):
        raise NotModelled("network interfaces of all services")
    found = list(ask.world.of("instance", ask.region))
    if ids:
        known = {one.fixed["interface"] for one in found}
        if set(ids) - known:
            raise NotModelled("a network interface of another service")
        found = [one for one in found if one.fixed["interface"] in ids]
    for wanted in named:
        found = [one for one in found if one.fixed["id"] in wanted["Values"]]
    page, following = ask.page([_interface(ask, one, inside=False) for one in found], most, token)
    return paged({"NetworkInterfaces": page}, following)


@handles("ec2", "DescribeInstanceTypes")
def describe_instance_types(ask: Ask) -> Json:
    wanted: list[str] = ask.take("InstanceTypes", [])
    if not wanted or any(one not in SIZES for one in wanted):
        raise NotModelled("an instance type")
    ask.take("MaxResults")
    shown = [
        {
            "InstanceType": one,
            "CurrentGeneration": True,
            "BurstablePerformanceSupported": bool(SIZES[one].earns),
            "VCpuInfo": {"DefaultVCpus": SIZES[one].vcpus},
            "MemoryInfo": {"SizeInMiB": SIZES[one].memory_mb},
        }
        for one in wanted
    ]
    return {"InstanceTypes": shown}


@handles("ec2", "DescribeInstanceCreditSpecifications")
def describe_instance_credit_specifications(ask: Ask) -> Json:
    found, token = chosen(
        ask, "instance", "InstanceIds", "InvalidInstanceID.NotFound", {"instance-id": own_id}
    )
    shown = [
        {"InstanceId": one.fixed["id"], "CpuCredits": one.at("CreditSpecification.CpuCredits", ask.as_of)}
        for one in found
        if one.at("CreditSpecification.CpuCredits", ask.as_of)
    ]
    return paged({"InstanceCreditSpecifications": shown}, token)


@handles("ec2", "DescribeIamInstanceProfileAssociations")
def describe_iam_instance_profile_associations(ask: Ask) -> Json:
    filters: list[Json] = ask.take("Filters", [])
    if any(one["Name"] not in ("instance-id", "state") for one in filters):
        raise NotModelled("filter")
    ask.only("AssociationIds")
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 1000))
    found = [one for one in ask.world.of("instance", ask.region) if state(ask, one) != "terminated"]
    for wanted in filters:
        field = wanted["Name"]
        found = [
            one
            for one in found
            if (one.fixed["id"] if field == "instance-id" else "associated") in wanted["Values"]
        ]
    shown = [
        {
            "AssociationId": f"iip-assoc-{str(one.fixed['id']).removeprefix('i-')}",
            "InstanceId": one.fixed["id"],
            "IamInstanceProfile": {"Arn": _profile(ask, one), "Id": one.fixed["profile_id"]},
            "State": "associated",
        }
        for one in found
    ]
    page, following = ask.page(shown, most, token)
    return paged({"IamInstanceProfileAssociations": page}, following)
