"""EC2: instances, their EBS volumes, roles, metadata and logs of the CloudWatch agent; launch templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import agent_logs, middleware
from tools import arn as arns
from tools import network_rules as rules
from tools.change_kit import changes_of
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, relation, text, uses, uses_key, whole
from tools.models import Call, ChangeEvent, Gap, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Missing,
    Outline,
    Read,
    Role,
    Service,
    Setting,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "ec2.amazonaws.com"
_MOST_PEERS = 10  # instances that one may connect to
_NO_IOPS = ("gp2", "st1", "sc1", "standard")  # volume types whose speed follows from their size


# -- what an event touches --------------------------------------------------------------------------


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The instances that the request names, or that the answer tells of."""
    sent, answered = rules.body(event), rules.answer(event)
    ids = [text(sent, "instanceId") or text(sent, "InstanceId")]
    ids.append(text(answered, "iamInstanceProfileAssociation", "instanceId"))
    for place in (sent, answered):
        ids += [text(one, "instanceId") for one in rules.items(place.get("instancesSet"))]
    return tuple(here(event, "ec2", f"instance/{id}") for id in dict.fromkeys(ids) if id)


_WORDS = {
    "i": "instance",
    "vol": "volume",
    "sg": "security-group",
    "subnet": "subnet",
    "rtb": "route-table",
    "acl": "network-acl",
    "nat": "natgateway",
    "igw": "internet-gateway",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "lt": "launch-template",
    "eni": "network-interface",
}


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    """What a request tags, by the prefixes of its ids."""
    named = [text(one, "resourceId") for one in rules.items(event.request.get("resourcesSet"))]
    known = ((id, _WORDS.get(id.partition("-")[0], "")) for id in named)
    return tuple(here(event, "ec2", f"{word}/{id}") for id, word in known if word)


def _touches_volume(event: ChangeEvent) -> tuple[str, ...]:
    sent = rules.body(event)
    id = text(sent, "VolumeId") or text(sent, "volumeId")
    return (here(event, "ec2", f"volume/{id}"), *_touches(event)) if id else ()


def _touches_template(event: ChangeEvent) -> tuple[str, ...]:
    """The launch template; a request may name it by name alone, then only the answer tells its id."""
    sent, answered = rules.body(event), rules.answer(event)
    told = [answered.get(key) or {} for key in ("launchTemplate", "launchTemplateVersion")]
    ids = [text(sent, "LaunchTemplateId"), text(sent, "launchTemplateId")]
    ids += [text(one, "launchTemplateId") for one in told if isinstance(one, dict)]
    id = next((one for one in ids if one), "")
    return (here(event, "ec2", f"launch-template/{id}"),) if id else ()


def _touches_credits(event: ChangeEvent) -> tuple[str, ...]:
    return tuple(here(event, "ec2", f"instance/{id}") for id in _credits(event))


def _credits(event: ChangeEvent) -> dict[str, str]:
    """Instance ids and what the request makes of their CPU credits: standard or unlimited."""
    sent = rules.body(event)
    listed = [sent.get(key) for key in ("InstanceCreditSpecification", "instanceCreditSpecificationSet")]
    found = [one for place in listed for one in rules.items(place) if isinstance(one, dict)]
    pairs = [
        (
            text(one, "InstanceId") or text(one, "instanceId"),
            text(one, "CpuCredits") or text(one, "cpuCredits"),
        )
        for one in found
    ]
    return {id: kind for id, kind in pairs if id}


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All instances as they are listed; `describe` adds role, log groups and what they may connect to."""
    pages = reader.pages("ec2", "DescribeInstances", "Reservations", region=region, MaxResults=1000)
    for reservation in pages.items:
        for item in reservation.get("Instances") or []:
            yield _instance(item, region, reservation.get("OwnerId") or reader.aws.account, pages.evidence)


def _instance(
    item: Mapping[str, Any], region: str, account: str, evidence: Iterable[str], **more: Any
) -> Resource:
    return _resource("instance", item["InstanceId"], {**plain(item), **more}, region, account, evidence)


def _resource(
    type: str, id: str, config: Json, region: str, account: str, evidence: Iterable[str]
) -> Resource:
    return Resource(
        arn=arns.build("ec2", region, account, f"{type}/{id}"),
        service="ec2",
        type=type,
        name=id,
        account=account,
        region=region,
        config=config,
        tags={tag["Key"]: tag["Value"] for tag in config.get("Tags") or []},
        evidence=tuple(dict.fromkeys(one for one in evidence if one)),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """An instance, a volume or a launch template whole.

    An instance also says `IamInstanceProfile.Roles` (ARNs), `LogGroups` (names; `Unlogged` when all were looked
    through and none is its own), `AdmittedBy` (security groups that
    let its own groups in) and `MayConnectTo` (ids of instances behind those). A launch template also says `Versions`,
    its default and its latest one (DescribeLaunchTemplateVersions, without user data).
    """
    parts = arns.parse(arn)
    if parts.type == "volume":
        return _describe_volume(reader, parts)
    if parts.type == "launch-template":
        return _describe_template(reader, parts)
    try:
        answer = reader.ask("ec2", "DescribeInstances", region=parts.region, InstanceIds=[parts.name])
    except NotThere:
        return None
    for reservation in answer.data.get("Reservations") or []:
        for item in reservation.get("Instances") or []:
            evidence = [answer.evidence]
            more = _profile(reader, item, evidence)
            more |= _peers(reader, parts.region, item, evidence)
            more |= _log_groups(reader, parts.region, item, evidence)
            return _instance(item, parts.region, parts.account, evidence, **more)
    return None


def _describe_volume(reader: Reader, parts: arns.Arn) -> Resource | None:
    try:
        answer = reader.ask("ec2", "DescribeVolumes", region=parts.region, VolumeIds=[parts.name])
    except NotThere:
        return None
    for item in answer.data.get("Volumes") or []:
        return _resource("volume", parts.name, plain(item), parts.region, parts.account, (answer.evidence,))
    return None


def _describe_template(reader: Reader, parts: arns.Arn) -> Resource | None:
    at: Json = {"region": parts.region}
    try:
        answer = reader.ask("ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[parts.name], **at)
    except NotThere:
        return None
    items, evidence = answer.data.get("LaunchTemplates") or [], [answer.evidence]
    if not items:
        return None
    config = plain(items[0])
    told = optional(
        reader,
        "ec2",
        "DescribeLaunchTemplateVersions",
        "Versions of the launch template",
        **at,
        LaunchTemplateId=parts.name,
        Versions=["$Default", "$Latest"],
    )
    if told is not None:
        evidence.append(told.evidence)
        config["Versions"] = [_version(one) for one in told.data.get("LaunchTemplateVersions") or []]
    return _resource("launch-template", parts.name, config, parts.region, parts.account, evidence)


def _version(item: Mapping[str, Any]) -> Json:
    """A version without its user data: a program, in which there may be passwords."""
    found = plain(item)
    found["LaunchTemplateData"] = {
        key: value for key, value in (found.get("LaunchTemplateData") or {}).items() if key != "UserData"
    }
    return found


def _profile(reader: Reader, item: Mapping[str, Any], evidence: list[str]) -> Json:
    """The instance profile with the ARNs of its roles (one at most, by IAM's limits)."""
    profile = dict(item.get("IamInstanceProfile") or {})
    if not (arn := text(profile, "Arn")):
        return {}
    name = arn.rpartition("/")[2]
    got = optional(reader, "iam", "GetInstanceProfile", "Role of the instance", InstanceProfileName=name)
    if got is None or not got.data:
        return {}
    evidence.append(got.evidence)
    roles = [str(role["Arn"]) for role in got.data["InstanceProfile"].get("Roles") or []]
    return {"IamInstanceProfile": {**profile, "Roles": roles}}


def _peers(reader: Reader, region: str, item: Mapping[str, Any], evidence: list[str]) -> Json:
    """Security groups that admit the instance's groups, and the running instances which those guard."""
    own = sorted(group_ids(item))
    found: Json = {}
    if not own:
        return found
    with reader.seeing("What the instance may connect to", "what it calls behind other security groups"):
        admitting = [{"Name": "ip-permission.group-id", "Values": own}]
        groups = reader.pages(
            "ec2", "DescribeSecurityGroups", "SecurityGroups", region=region, Filters=admitting
        )
        # A group that admits itself (the default one does) says nothing of who calls whom.
        found["AdmittedBy"] = sorted({str(one["GroupId"]) for one in groups.items} - set(own))
        if found["AdmittedBy"]:
            evidence.extend(groups.evidence)
            guarded = [
                {"Name": "instance.group-id", "Values": found["AdmittedBy"]},
                {"Name": "instance-state-name", "Values": ["running"]},
            ]
            pages = reader.pages("ec2", "DescribeInstances", "Reservations", region=region, Filters=guarded)
            ids = sorted(
                str(one["InstanceId"]) for reservation in pages.items for one in reservation["Instances"]
            )
            found["MayConnectTo"] = [id for id in ids if id != item["InstanceId"]][:_MOST_PEERS]
            evidence.extend(pages.evidence)
    return found


def _log_groups(reader: Reader, region: str, item: Mapping[str, Any], evidence: list[str]) -> Json:
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags") or []}
    names = [tags[key] for key in ("Name", "aws:autoscaling:groupName") if tags.get(key)]
    told: Json = {"LogGroups": []}
    gaps = len(reader.gaps)
    with reader.seeing("Log groups of the instance", "what its programs log by the CloudWatch agent"):
        found, seen = agent_logs.log_groups(reader, region, str(item["InstanceId"]), names)
        told["LogGroups"] = list(found)
        told |= {"Unlogged": True} if not found and len(reader.gaps) == gaps else {}
        evidence.extend(seen)
    return told


def unlogged(resource: Resource) -> Gap | None:
    """An instance that runs, and of which no log group holds anything."""
    config = resource.config
    if (
        resource.type != "instance"
        or not config.get("Unlogged")
        or text(config, "State", "Name") != "running"
    ):
        return None
    roles = [arns.parse(one).name for one in (config.get("IamInstanceProfile") or {}).get("Roles") or []]
    return agent_logs.gap(resource.name, resource.tags.get("Name", ""), roles)


def group_ids(config: Mapping[str, Any]) -> set[str]:
    """Ids of the security groups that guard a thing, in the shapes of EC2, RDS, Lambda, load balancers and ECS."""
    inside = config.get("VpcConfig") or config.get("vpcConfig") or {}
    awsvpc = (config.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    found = [
        *(config.get("SecurityGroups") or []),
        *(config.get("VpcSecurityGroups") or []),
        *(inside.get("SecurityGroupIds") or []),
        *(awsvpc.get("securityGroups") or []),
    ]
    ids = (
        text(one, "GroupId") or text(one, "VpcSecurityGroupId") if isinstance(one, dict) else one
        for one in found
    )
    return {str(id) for id in ids if id}


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What guards an instance, where it lies, whom it runs as, what it stores on and logs to, whom it may call; who
    uses a volume.
    """
    if resource.type == "volume":
        yield from _of_volume(resource)
    if resource.type != "instance":
        return
    config, said_by = resource.config, "ec2:DescribeInstances"
    for group in sorted(group_ids(config)):
        yield relation(
            resource, _near(resource, "security-group", group), "guarded by", f"{said_by} SecurityGroups"
        )
    if subnet := text(config, "SubnetId"):
        yield relation(resource, _near(resource, "subnet", subnet), "in", f"{said_by} SubnetId")
    for mapping in config.get("BlockDeviceMappings") or []:
        if volume := text(mapping, "Ebs", "VolumeId"):
            target = _near(resource, "volume", volume)
            yield relation(resource, target, "uses", f"{said_by} BlockDeviceMappings")
    for interface in config.get("NetworkInterfaces") or []:
        if id := text(interface, "NetworkInterfaceId"):
            target = _near(resource, "network-interface", id)
            yield relation(resource, target, "uses", f"{said_by} NetworkInterfaces")
    for role in (config.get("IamInstanceProfile") or {}).get("Roles") or []:
        yield relation(resource, role, "runs as", "iam:GetInstanceProfile Roles")
        yield from uses(resource, {}, role, directory, said_by)
    for group in config.get("LogGroups") or []:
        target = arns.build("logs", resource.region, resource.account, f"log-group:{group}")
        yield relation(resource, target, "logs to", "logs:DescribeLogStreams", 0.9)
    yield from _may_call(resource, directory)


def _of_volume(resource: Resource) -> Iterable[Relation]:
    for one in resource.config.get("Attachments") or []:
        if id := text(one, "InstanceId"):
            yield Relation(
                source=_near(resource, "instance", id),
                target=resource.arn,
                kind="uses",
                provenance="ec2:DescribeVolumes Attachments",
                evidence=resource.evidence,
            )
    yield from uses_key(resource, text(resource.config, "KmsKeyId"), "ec2:DescribeVolumes KmsKeyId")


def _near(resource: Resource, type: str, id: str) -> str:
    return arns.build("ec2", resource.region, resource.account, f"{type}/{id}")


_CALLED = ("instance", "db-instance", "db-cluster", "load-balancer", "function", "service")


def _may_call(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Things behind security groups that let the instance's own groups in: likely what it calls."""
    own = group_ids(resource.config)
    admitting = set(resource.config.get("AdmittedBy") or [])
    for group in directory.of("security-group"):
        if group.region == resource.region and _admits(group) & own and group.name not in own:
            admitting.add(group.name)
    said_by = "ec2:DescribeSecurityGroups IpPermissions"
    named = {_near(resource, "instance", id) for id in resource.config.get("MayConnectTo") or []}
    for other in directory.of(*_CALLED) if admitting else ():
        if other.region == resource.region and group_ids(other.config) & admitting:
            named.add(other.arn)
    for target in sorted(named - {resource.arn}):
        yield relation(resource, target, "may connect to", said_by, 0.6)


def _admits(group: Resource) -> set[str]:
    return {
        text(pair, "GroupId")
        for permission in group.config.get("IpPermissions") or []
        for pair in permission.get("UserIdGroupPairs") or []
    }


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    for key, word in (("VolumeId", "volume"), ("InstanceId", "instance")):
        if id := dimensions.get(key, ""):
            return f"arn:{partition}:ec2:{region}:{account}:{word}/{id}"
    return ""


# -- settings ---------------------------------------------------------------------------------------

# SDKs keep credentials of the metadata service until shortly before they expire, six hours at most.
_CREDENTIALS_LAST = 6 * 3600 + 900
_FAILS = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
)
_NO_METADATA = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _CREDENTIALS_LAST)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, _CREDENTIALS_LAST)),
)
_NO_TOKEN = (
    Effect(metric="MetadataNoTokenRejected", direction="up", after=(0, _CREDENTIALS_LAST)),
    *_NO_METADATA,
)
_SMALLER = (
    Effect(metric="CPUUtilization", direction="up", after=(0, 3600), may=True),
    Effect(metric="mem_used_percent", direction="up", after=(0, 3600), may=True),
    Effect(metric="CPUCreditBalance", direction="down", after=(0, 7200), may=True),
    *_FAILS,
)
# What is launched from now on is another machine; those that run stay as they are.
_OTHER_MACHINES = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3 * 24 * 3600)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 3 * 24 * 3600)),
    Effect(metric="role:saturation", direction="up", on="upstream", after=(0, 3 * 24 * 3600)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 3 * 24 * 3600)),
)
_SLOWER = (
    Effect(metric="VolumeQueueLength", direction="up", after=(0, 7200)),
    Effect(metric="VolumeIOPSExceededCheck", direction="up", after=(0, 7200), may=True),
    Effect(metric="VolumeThroughputExceededCheck", direction="up", after=(0, 7200), may=True),
    Effect(metric="BurstBalance", direction="down", after=(0, 14400), may=True),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 7200)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 7200)),
)


def _read(resource: Resource) -> Call:
    return call("ec2", "DescribeInstances", resource, InstanceIds=[resource.name])


def _read_volume(resource: Resource) -> Call:
    return call("ec2", "DescribeVolumes", resource, VolumeIds=[resource.name])


def _restore_type(resource: Resource, value: Value) -> tuple[Call, ...]:
    """The type changes only while the instance is stopped: a running one is stopped and started again."""
    if value is None:
        return ()
    ids = [resource.name]
    change = call(
        "ec2",
        "ModifyInstanceAttribute",
        resource,
        InstanceId=resource.name,
        InstanceType={"Value": str(value)},
    )
    if text(resource.config, "State", "Name") == "stopped":
        return (change,)
    return (
        call("ec2", "StopInstances", resource, InstanceIds=ids),
        change,
        call("ec2", "StartInstances", resource, InstanceIds=ids),
    )


def _restore_check(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not isinstance(value, bool):
        return ()
    return (
        call(
            "ec2",
            "ModifyInstanceAttribute",
            resource,
            InstanceId=resource.name,
            SourceDestCheck={"Value": value},
        ),
    )


def _restore_metadata(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    sent: Json = {name: whole(value) if name == "HttpPutResponseHopLimit" else str(value)}
    # AWS wants the endpoint said whenever tokens or hops are ("You must provide a value for HttpEndpoint").
    sent.setdefault("HttpEndpoint", text(resource.config, "MetadataOptions", "HttpEndpoint") or "enabled")
    return (call("ec2", "ModifyInstanceMetadataOptions", resource, InstanceId=resource.name, **sent),)


def _metadata(name: str, words: str, unit: str, effects: tuple[Effect, ...]) -> Setting:
    recorded = name[0].lower() + name[1:]
    return Setting(
        type="instance",
        name=words,
        path=f"MetadataOptions.{name}",
        unit=unit,
        requests={
            "ModifyInstanceMetadataOptions": f"ModifyInstanceMetadataOptionsRequest.{name} || {recorded}",
            "RunInstances": f"metadataOptions.{recorded}",
        },
        restore=partial(_restore_metadata, name),
        read=_read,
        query=f"Reservations[0].Instances[0].MetadataOptions.{name}",
        echo="new",
        effects=effects,
    )


def _restore_volume(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None or (name != "VolumeType" and text(resource.config, "VolumeType") in _NO_IOPS):
        return ()
    sent: Json = {name: str(value) if name == "VolumeType" else whole(value)}
    if value in ("io1", "io2"):  # these have no IOPS of their own: AWS wants them said (ModifyVolume)
        if not (iops := resource.config.get("Iops")):
            return ()
        sent["Iops"] = whole(iops)
    return (call("ec2", "ModifyVolume", resource, VolumeId=resource.name, **sent),)


def _restore_default(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    sent = {"LaunchTemplateId": resource.name, "DefaultVersion": str(whole(value))}
    return (call("ec2", "ModifyLaunchTemplate", resource, **sent),)


def _restore_attribute(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    return (
        call(
            "ec2", "ModifyInstanceAttribute", resource, InstanceId=resource.name, **{name: {"Value": value}}
        ),
    )


def _attribute(name: str, words: str) -> Setting:
    """An attribute that no DescribeInstances shows, and that moves no metric."""
    recorded = name[0].lower() + name[1:]
    return Setting(
        type="instance",
        name=words,
        path=name,
        unit="",
        requests={"ModifyInstanceAttribute": f"{recorded}.value", "RunInstances": recorded},
        restore=partial(_restore_attribute, name),
        read=lambda resource: call(
            "ec2", "DescribeInstanceAttribute", resource, InstanceId=resource.name, Attribute=recorded
        ),
        query=f"{name}.Value",
        echo="none",
    )


def _volume(name: str, words: str, unit: str, when: Any) -> Setting:
    return Setting(
        type="volume",
        name=words,
        path=name,
        unit=unit,
        requests={"ModifyVolume": f"ModifyVolumeRequest.{name} || {name[0].lower()}{name[1:]}"},
        restore=partial(_restore_volume, name),
        read=_read_volume,
        query=f"Volumes[0].{name}",
        echo="old",
        echo_path=f"ModifyVolumeResponse.volumeModification.original{name}",
        effects=tuple(replace(one, when=when) for one in _SLOWER),
    )


SETTINGS = (
    Setting(
        type="instance",
        name="instance type",
        path="InstanceType",
        unit="",
        requests={"ModifyInstanceAttribute": "instanceType.value", "RunInstances": "instanceType"},
        restore=_restore_type,
        read=_read,
        query="Reservations[0].Instances[0].InstanceType",
        echo="none",
        effects=_SMALLER,
    ),
    _metadata("HttpTokens", "tokens for metadata", "", _NO_TOKEN),
    _metadata(
        "HttpPutResponseHopLimit",
        "hops of a metadata token",
        "hops",
        tuple(replace(one, when="lowered") for one in _NO_METADATA),
    ),
    Setting(
        type="instance",
        name="source and destination check",
        path="SourceDestCheck",
        unit="",
        requests={"ModifyInstanceAttribute": "sourceDestCheck.value"},
        restore=_restore_check,
        read=_read,
        query="Reservations[0].Instances[0].SourceDestCheck",
        echo="none",
        effects=_FAILS,
    ),
    # These break nothing: that is worth knowing of a change right before an incident.
    _attribute("DisableApiTermination", "protection from termination"),
    _attribute("DisableApiStop", "protection from stopping"),
    _attribute("InstanceInitiatedShutdownBehavior", "what a shutdown from inside does"),
    _volume("VolumeType", "volume type", "", "any"),
    _volume("Iops", "provisioned IOPS", "operations per second", "lowered"),
    _volume("Throughput", "provisioned throughput", "MiB per second", "lowered"),
    Setting(
        type="launch-template",
        name="default version",
        path="DefaultVersionNumber",
        unit="",
        requests={
            "ModifyLaunchTemplate": "ModifyLaunchTemplateRequest.SetDefaultVersion || setDefaultVersion"
        },
        restore=_restore_default,
        read=lambda resource: call(
            "ec2", "DescribeLaunchTemplates", resource, LaunchTemplateIds=[resource.name]
        ),
        query="LaunchTemplates[0].DefaultVersionNumber",
        echo="new",
        effects=_OTHER_MACHINES,
    ),
)

# -- undo -------------------------------------------------------------------------------------------

_Earlier = tuple[ChangeEvent, ...]


def _ids(event: ChangeEvent) -> list[str]:
    return [arns.parse(arn).name for arn in _touches(event)]


def _start(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Start those that ran before: the answer says in which state each was."""
    was = {
        text(one, "instanceId"): text(one, "previousState", "name")
        for one in rules.items(event.response.get("instancesSet"))
    }
    ids = [id for id in _ids(event) if was.get(id, "running") in ("running", "pending")]
    return (call("ec2", "StartInstances", event, InstanceIds=ids),) if ids else ()


def _undo_groups(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The security groups that an earlier request gave the instance, or that it was launched with."""
    ids = _ids(event)
    if not _groups(event.request) or len(ids) != 1:
        return ()
    for before in earlier:
        if before.id == event.id or before.error_code:
            continue
        if groups := _groups_of(before, ids[0]):
            return (call("ec2", "ModifyInstanceAttribute", event, InstanceId=ids[0], Groups=groups),)
    return ()


def _undo_metadata(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Switch a metadata service on that the event switched off: there are these two states only."""
    ids, sent = _ids(event), rules.body(event)
    off = (text(sent, "HttpEndpoint") or text(sent, "httpEndpoint")) == "disabled"
    if not off or not ids:
        return ()
    return (call("ec2", event.operation, event, InstanceId=ids[0], HttpEndpoint="enabled"),)


def _groups(place: Mapping[str, Any]) -> list[str]:
    return [id for one in rules.items(place.get("groupSet")) if (id := text(one, "groupId"))]


def _groups_of(event: ChangeEvent, id: str) -> list[str]:
    if event.operation == "ModifyInstanceAttribute" and _ids(event) == [id]:
        return _groups(event.request)
    if event.operation == "RunInstances":
        for one in rules.items(event.response.get("instancesSet")):
            if text(one, "instanceId") == id:
                return _groups(one)
    return []


def _association(event: ChangeEvent) -> Mapping[str, Any]:
    found = rules.answer(event).get("iamInstanceProfileAssociation")
    return found if isinstance(found, dict) else {}


def _profile_of(event: ChangeEvent, id: str) -> Json:
    """The instance profile that an event gave the instance, as a call takes it; {} when it is not about that."""
    if id not in _ids(event):
        return {}
    if event.operation == "RunInstances":
        asked = event.request.get("iamInstanceProfile") or {}
        named = {"Arn": text(asked, "arn")} if text(asked, "arn") else {"Name": text(asked, "name")}
        return {key: value for key, value in named.items() if value}
    if event.operation not in ("AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"):
        return {}
    if arn := text(_association(event), "iamInstanceProfile", "arn"):
        return {"Arn": arn}
    asked = rules.body(event).get("IamInstanceProfile") or {}
    return {key: text(asked, key) for key in ("Arn", "Name") if text(asked, key)}


def _undo_profile(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Associate what was taken away, take away what was associated, put back what was replaced."""
    ids = _ids(event)
    association = text(_association(event), "associationId")
    if event.operation == "AssociateIamInstanceProfile":
        sent: Json = {"AssociationId": association}
        return (call("ec2", "DisassociateIamInstanceProfile", event, **sent),) if association else ()
    if event.operation == "DisassociateIamInstanceProfile":
        arn = text(_association(event), "iamInstanceProfile", "arn")
        sent = {"InstanceId": ids[0], "IamInstanceProfile": {"Arn": arn}} if ids and arn else {}
        return (call("ec2", "AssociateIamInstanceProfile", event, **sent),) if sent else ()
    known = (one for one in earlier if one.id != event.id and not one.error_code)
    before = next((found for one in known for id in ids if (found := _profile_of(one, id))), {})
    if not before or not association:
        return ()
    return (call("ec2", event.operation, event, AssociationId=association, IamInstanceProfile=before),)


def _undo_credits(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """CPU credits as an earlier request, or the launch, set them."""
    before: dict[str, str] = {}
    for one in earlier:
        if one.id == event.id or one.error_code:
            continue
        told = _credits(one)
        if one.operation == "RunInstances" and (
            kind := text(one.request, "creditSpecification", "cpuCredits")
        ):
            told = dict.fromkeys(_ids(one), kind)
        for id, kind in told.items():
            before.setdefault(id, kind)
    ids = list(_credits(event))
    if not ids or not all(before.get(id) for id in ids):
        return ()
    sent = [{"InstanceId": id, "CpuCredits": before[id]} for id in ids]
    return (call("ec2", event.operation, event, InstanceCreditSpecifications=sent),)


def _undo_version(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """A newer version with the content of the one before: what follows $Latest goes back by itself, none is lost."""
    made = rules.answer(event).get("launchTemplateVersion") or {}
    number, touched = made.get("versionNumber"), _touches_template(event)
    if not touched or not isinstance(number, int | str) or whole(number) < 2:
        return ()
    sent: Json = {
        "LaunchTemplateId": arns.parse(touched[0]).name,
        "SourceVersion": str(whole(number) - 1),
        "LaunchTemplateData": {},
    }
    return (call("ec2", "CreateLaunchTemplateVersion", event, **sent),)


# -- changes ----------------------------------------------------------------------------------------

_TEMPLATE = "lt-0a1b2c3d4e5f60718"

_INSTANCE = "i-0a1b2c3d4e5f60718"
_VOLUME = "vol-0a1b2c3d4e5f60718"
_PROFILE = "arn:aws:iam::111122223333:instance-profile/web"
_DONE: Json = {"requestId": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11", "_return": True}
_SET: Json = {"instancesSet": {"items": [{"instanceId": _INSTANCE}]}}

_TAGGED: Json = {
    "resourcesSet": {"items": [{"resourceId": _INSTANCE}]},
    "tagSet": {"items": [{"key": "team", "value": "shop"}]},
}


def _states(before: tuple[int, str], after: tuple[int, str]) -> Json:
    item = {
        "instanceId": _INSTANCE,
        "currentState": {"code": after[0], "name": after[1]},
        "previousState": {"code": before[0], "name": before[1]},
    }
    return {"requestId": _DONE["requestId"], "instancesSet": {"items": [item]}}


def _wrapped(operation: str, inner: Json, answer: bool = False) -> Json:
    word = "Response" if answer else "Request"
    more = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/"} if answer else {}
    return {f"{operation}{word}": {**more, **inner}}


def _profile_answer(operation: str, state: str) -> Json:
    association = {
        "associationId": "iip-assoc-0a1b2c3d4e5f60718",
        "instanceId": _INSTANCE,
        "iamInstanceProfile": {"arn": _PROFILE, "id": "AIPAEXAMPLEEXAMPLE07"},
        "state": state,
    }
    return _wrapped(operation, {"iamInstanceProfileAssociation": association}, answer=True)


_GONE = (
    Effect(metric="CPUUtilization", direction="silent", after=(0, 900), may=True),
    Effect(metric="CPUUtilization", direction="down", after=(0, 900), may=True),
    Effect(metric="NetworkIn", direction="silent", after=(0, 900), may=True),
    Effect(metric="NetworkIn", direction="down", after=(0, 900), may=True),
    Effect(metric="NetworkOut", direction="silent", after=(0, 900), may=True),
    Effect(metric="StatusCheckFailed", direction="silent", after=(0, 900), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:saturation", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 900)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
)
_NO_ROLE = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, _CREDENTIALS_LAST)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, _CREDENTIALS_LAST)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, _CREDENTIALS_LAST)),
)


_made = changes_of(_SOURCE, _touches)


def _change(
    operation: str,
    breaks: str,
    request: Json,
    response: Json,
    effects: tuple[Effect, ...] = (),
    **rest: Any,
) -> Change:
    return _made(operation, breaks, request, effects, response=response, **rest)


_ATTRIBUTE: Json = {"instanceId": _INSTANCE}
_METADATA: Json = {
    "InstanceId": _INSTANCE,
    "HttpTokens": "required",
    "HttpPutResponseHopLimit": 1,
    "HttpEndpoint": "enabled",
}
_MODIFICATION: Json = {
    "volumeId": _VOLUME,
    "modificationState": "modifying",
    "originalVolumeType": "gp3",
    "originalIops": 6000,
    "originalThroughput": 250,
    "originalSize": 100,
    "targetVolumeType": "gp3",
    "targetIops": 3000,
    "targetThroughput": 125,
    "targetSize": 100,
}

CHANGES = (
    _change(
        "StopInstances",
        "Whatever runs on the instance is gone until it is started; those who call it fail.",
        {**_SET, "force": False},
        _states((16, "running"), (64, "stopping")),
        _GONE,
        undo=_start,
    ),
    _change(
        "TerminateInstances",
        "The instance is gone for good, and with it the volumes that go with it.",
        _SET,
        _states((16, "running"), (32, "shutting-down")),
        _GONE,
    ),
    _change(
        "RebootInstances",
        "Whatever runs on the instance is away for some minutes, and starts cold.",
        _SET,
        _DONE,
        (*_FAILS, Effect(metric="StatusCheckFailed", direction="up", after=(0, 900), may=True)),
    ),
    _change(
        "StartInstances",
        "One more takes part: what it was stopped for begins again.",
        _SET,
        _states((80, "stopped"), (0, "pending")),
        (
            Effect(metric="role:demand", direction="up", on="downstream", after=(0, 1800)),
            Effect(metric="role:saturation", direction="up", on="downstream", after=(0, 1800)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
        ),
    ),
    _change(
        "ModifyInstanceAttribute",
        "The instance is another machine, guarded by other rules, or forwards no more.",
        {**_ATTRIBUTE, "instanceType": {"value": "t3.small"}},
        _DONE,
        _FAILS,
        undo=_undo_groups,
        earlier=("RunInstances",),
        more=(
            {**_ATTRIBUTE, "sourceDestCheck": {"value": True}},
            {**_ATTRIBUTE, "disableApiTermination": {"value": True}},
            {**_ATTRIBUTE, "disableApiStop": {"value": True}},
            {**_ATTRIBUTE, "instanceInitiatedShutdownBehavior": {"value": "stop"}},
            {**_ATTRIBUTE, "groupSet": {"items": [{"groupId": "sg-0a1b2c3d4e5f60718"}]}},
            {**_ATTRIBUTE, "userData": "<sensitiveDataRemoved>"},
        ),
    ),
    _change(
        "ModifyInstanceMetadataOptions",
        "Programs that ask for metadata without a token, or through too many hops, get no credentials.",
        _wrapped("ModifyInstanceMetadataOptions", _METADATA),
        _wrapped(
            "ModifyInstanceMetadataOptions",
            {
                "instanceId": _INSTANCE,
                "instanceMetadataOptions": {"state": "pending", "httpTokens": "required"},
            },
            answer=True,
        ),
        _NO_METADATA,
        undo=_undo_metadata,
    ),
    *(
        _change(
            operation,
            "Programs on the instance work with other permissions, or none, when their credentials run out.",
            _wrapped(operation, request),
            _profile_answer(operation, state),
            _NO_ROLE,
            undo=_undo_profile,
            earlier=("RunInstances",),
        )
        for operation, request, state in (
            (
                "AssociateIamInstanceProfile",
                {"InstanceId": _INSTANCE, "IamInstanceProfile": {"Name": "web"}},
                "associating",
            ),
            (
                "DisassociateIamInstanceProfile",
                {"AssociationId": "iip-assoc-0a1b2c3d4e5f60718"},
                "disassociating",
            ),
            (
                "ReplaceIamInstanceProfileAssociation",
                {"AssociationId": "iip-assoc-0f9e8d7c6b5a40312", "IamInstanceProfile": {"Name": "web"}},
                "associating",
            ),
        )
    ),
    _change(
        "ModifyVolume",
        "The volume is slower than what the instance asks of it. A larger size never goes back.",
        _wrapped("ModifyVolume", {"VolumeId": _VOLUME, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125}),
        _wrapped("ModifyVolume", {"volumeModification": _MODIFICATION}, answer=True),
        touches=_touches_volume,
    ),
    _change(
        "DetachVolume",
        "The instance loses the data on the volume.",
        {"volumeId": _VOLUME, "instanceId": _INSTANCE, "force": False},
        {
            "requestId": _DONE["requestId"],
            "volumeId": _VOLUME,
            "instanceId": _INSTANCE,
            "device": "/dev/sdf",
            "status": "detaching",
        },
        (
            Effect(metric="VolumeReadOps", direction="silent", after=(0, 900), may=True),
            Effect(metric="VolumeWriteOps", direction="silent", after=(0, 900), may=True),
            *_FAILS,
        ),
        touches=_touches_volume,
        undo=lambda event, earlier: (
            (
                call(
                    "ec2",
                    "AttachVolume",
                    event,
                    VolumeId=text(event.request, "volumeId"),
                    InstanceId=text(event.response, "instanceId"),
                    Device=text(event.response, "device"),
                ),
            )
            if text(event.response, "device") and text(event.response, "instanceId")
            else ()
        ),
    ),
    _change(
        "DeleteVolume",
        "The data on the volume is gone for good, but for its snapshots.",
        {"volumeId": _VOLUME},
        _DONE,
        _FAILS,
        touches=_touches_volume,
    ),
    _change(
        "ModifyInstanceCreditSpecification",
        "With standard credits the instance falls to its baseline of CPU when they are spent.",
        _wrapped(
            "ModifyInstanceCreditSpecification",
            {"InstanceCreditSpecification": {"InstanceId": _INSTANCE, "CpuCredits": "standard", "tag": 1}},
        ),
        _DONE,
        (
            Effect(metric="CPUCreditBalance", direction="down", after=(0, 86400), may=True),
            *(replace(one, after=(0, 86400)) for one in _FAILS),
        ),
        touches=_touches_credits,
        undo=_undo_credits,
        earlier=("RunInstances",),
    ),
    _change(
        "CreateLaunchTemplateVersion",
        "What follows the latest version launches other machines from now on.",
        _wrapped(
            "CreateLaunchTemplateVersion",
            {
                "LaunchTemplateId": _TEMPLATE,
                "SourceVersion": "41",
                "LaunchTemplateData": {"ImageId": "ami-0a1b2c3d4e5f60718"},
            },
        ),
        _wrapped(
            "CreateLaunchTemplateVersion",
            {
                "launchTemplateVersion": {
                    "launchTemplateId": _TEMPLATE,
                    "launchTemplateName": "web",
                    "versionNumber": 42,
                    "defaultVersion": False,
                }
            },
            answer=True,
        ),
        _OTHER_MACHINES,
        touches=_touches_template,
        undo=_undo_version,
    ),
    _change(
        "ModifyLaunchTemplate",
        "What follows the default version launches other machines from now on.",
        _wrapped("ModifyLaunchTemplate", {"LaunchTemplateId": _TEMPLATE, "SetDefaultVersion": 42}),
        _wrapped(
            "ModifyLaunchTemplate",
            {"launchTemplate": {"launchTemplateId": _TEMPLATE, "defaultVersionNumber": 42}},
            answer=True,
        ),
        touches=_touches_template,
    ),
    *(
        _change(
            operation,
            "What launches by it cannot launch any more; instances that run stay.",
            _wrapped(operation, {"LaunchTemplateId": _TEMPLATE, **more}),
            _DONE,
            _OTHER_MACHINES,
            touches=_touches_template,
        )
        for operation, more in (
            ("DeleteLaunchTemplate", {}),
            ("DeleteLaunchTemplateVersions", {"LaunchTemplateVersion": {"tag": 1, "content": "41"}}),
        )
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            (
                "RunInstances",
                _touches,
                {
                    "instancesSet": {"items": [{"imageId": "ami-0a1b2c3d", "minCount": 1, "maxCount": 1}]},
                    "instanceType": "t3.large",
                    "metadataOptions": {"httpTokens": "optional", "httpPutResponseHopLimit": 2},
                    "iamInstanceProfile": {"name": "web"},
                },
                {
                    "requestId": _DONE["requestId"],
                    "instancesSet": {
                        "items": [
                            {
                                "instanceId": _INSTANCE,
                                "instanceState": {"code": 0, "name": "pending"},
                                "groupSet": {"items": [{"groupId": "sg-0f9e8d7c6b5a40312"}]},
                            }
                        ]
                    },
                },
            ),
            (
                "CreateLaunchTemplate",
                _touches_template,
                _wrapped("CreateLaunchTemplate", {"LaunchTemplateName": "web", "LaunchTemplateData": {}}),
                _wrapped(
                    "CreateLaunchTemplate",
                    {"launchTemplate": {"launchTemplateId": _TEMPLATE, "latestVersionNumber": 1}},
                    answer=True,
                ),
            ),
            ("EnableVolumeIO", _touches_volume, {"volumeId": _VOLUME}, _DONE),
            ("MonitorInstances", _touches, _SET, _DONE),
            ("UnmonitorInstances", _touches, _SET, _DONE),
            ("CreateTags", _touches_tagged, _TAGGED, _DONE),
            ("DeleteTags", _touches_tagged, _TAGGED, _DONE),
            (
                "AttachVolume",
                _touches_volume,
                {"volumeId": _VOLUME, "instanceId": _INSTANCE, "device": "/dev/sdf"},
                {"requestId": _DONE["requestId"], "status": "attaching"},
            ),
        )
    ),
)

# -- metrics and states -----------------------------------------------------------------------------


def _bursts(resource: Resource) -> bool:
    return text(resource.config, "InstanceType").startswith("t")


def _metric(
    name: str, stat: str, role: Role, bad: Any, unit: str, missing: Missing = "unknown", **more: Any
) -> MetricSpec:
    # Basic monitoring gives a point in five minutes; status checks are made every minute.
    return MetricSpec(
        type=more.pop("type", "instance"),
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing=missing,
        unit=unit,
        period=more.pop("period", 300),
        **more,
    )


# The agent's series with no dimension but the instance are there when its `aggregation_dimensions` say so.
_agent = partial(_metric, period=60, namespace="CWAgent")
_volume_metric = partial(_metric, type="volume", namespace="AWS/EBS")
_SPENT = (
    "EBSIOBalance%",
    "EBSByteBalance%",
)  # of smaller instances, which burst to their maximum for a while

_CHECKS: tuple[tuple[str, Role, str], ...] = (
    ("VolumeIOPSExceededCheck", "throttles", "whether more operations were asked for than provisioned"),
    ("VolumeThroughputExceededCheck", "throttles", "whether more bytes were asked for than provisioned"),
    ("VolumeStalledIOCheck", "errors", "whether the volume did no operation that was asked for"),
)

METRICS = (
    _metric("CPUUtilization", "Average", "saturation", "up", "%"),
    _metric("NetworkIn", "Sum", "demand", "down", "bytes in", "idle"),
    _metric("NetworkOut", "Sum", "work", "down", "bytes out", "idle"),
    _metric("StatusCheckFailed", "Maximum", "errors", "up", "failed checks", period=60),
    _metric("StatusCheckFailed_Instance", "Maximum", "errors", "up", "failed checks", period=60),
    _metric("StatusCheckFailed_System", "Maximum", "errors", "up", "failed checks", period=60),
    _metric("CPUCreditBalance", "Minimum", "saturation", "down", "credits left", where=_bursts, end=0.0),
    _metric("MetadataNoToken", "Sum", "demand", "", "requests without a token", "zero"),
    _metric("MetadataNoTokenRejected", "Sum", "errors", "up", "refused requests without a token", "zero"),
    _agent("mem_used_percent", "Maximum", "saturation", "up", "% of the memory used"),
    _agent("disk_used_percent", "Maximum", "saturation", "up", "% of the disk used", end=100.0),
    _volume_metric("VolumeQueueLength", "Average", "backlog", "up", "waiting operations"),
    _volume_metric("VolumeReadOps", "Sum", "demand", "", "reads", "idle"),
    _volume_metric("VolumeWriteOps", "Sum", "demand", "", "writes", "idle"),
    *(
        _metric(name, "Minimum", "saturation", "down", "% of the instance's EBS burst left", end=0.0)
        for name in _SPENT
    ),
    _volume_metric("VolumeReadBytes", "Sum", "demand", "", "bytes read", "idle"),
    _volume_metric("VolumeWriteBytes", "Sum", "demand", "", "bytes written", "idle"),
    # Each tells 1 for a minute in which it was so; of volumes at Nitro instances.
    *(_volume_metric(name, "Maximum", role, "up", unit, "zero", period=60) for name, role, unit in _CHECKS),
    _volume_metric(
        "BurstBalance",
        "Minimum",
        "saturation",
        "down",
        "% of the burst left",
        period=60,
        end=0.0,
        where=lambda resource: text(resource.config, "VolumeType") in ("gp2", "st1", "sc1"),
    ),
)


def _ended(reason: str, resource: Resource) -> bool:
    """Whether EC2 gives this reason for the state of the instance (StateReason, code)."""
    return text(resource.config, "StateReason", "Code").startswith(reason)


CONDITIONS = (
    Condition(
        key="system-check-failed",
        type="instance",
        title="system check failed: the machine below the instance is broken",
        metrics=("StatusCheckFailed_System",),
        breaks="The instance is not reachable, or its hardware is failing. Nobody changed anything.",
        relieve=(
            "Stop and start the instance: it moves to other hardware. Data on instance store volumes is lost.",
            "See AWS Health for a notice about the hardware.",
        ),
        prevent=("Recover by alarm on StatusCheckFailed_System, or run it in an Auto Scaling group.",),
    ),
    Condition(
        key="instance-check-failed",
        type="instance",
        title="instance check failed: the operating system does not answer",
        metrics=("StatusCheckFailed_Instance",),
        breaks="The operating system hangs, ran out of memory, or did not come up again.",
        relieve=(
            "Read the console output before anything else: it is gone after a restart.",
            "Reboot the instance; if it does not come back, look at its disk from another instance.",
        ),
        prevent=("Alarm on StatusCheckFailed_Instance; watch memory and disk with the CloudWatch agent.",),
    ),
    Condition(
        key="spot-taken-back",
        type="instance",
        title="spot capacity taken back",
        metrics=(),
        breaks="EC2 needed the spare capacity itself and ended the instance two minutes after its notice.",
        relieve=("Start others in another zone or of another type; the same may be taken back again.",),
        prevent=("Spread spot instances over types and zones, and keep a share of them on demand.",),
        shown=partial(_ended, "Server.Spot"),
    ),
    Condition(
        key="shut-down-inside",
        type="instance",
        title="shut down from inside",
        metrics=(),
        breaks="The operating system was told to shut down: no call of EC2 did it, so CloudTrail has no event.",
        relieve=("Start the instance; look in its system log for who or what shut it down.",),
        prevent=("Keep shutdown to the few who need it; run it in an Auto Scaling group.",),
        shown=partial(_ended, "Client.InstanceInitiatedShutdown"),
    ),
    Condition(
        key="cpu-credits-spent",
        type="instance",
        title="CPU credits spent",
        metrics=("CPUCreditBalance",),
        breaks="The instance falls back to its baseline of CPU: everything on it takes longer.",
        relieve=("Switch its credits to unlimited, or move to a type that does not burst.",),
        prevent=("Alarm on CPUCreditBalance below an hour's use.",),
    ),
    Condition(
        key="scheduled-job",
        type="instance",
        title="a scheduled job takes the CPU",
        metrics=("CPUUtilization",),
        scheduled=True,
        breaks="What else runs on the machine gets too little CPU: requests wait until they are given up.",
        relieve=(
            "See how long the job still runs; lower its priority (renice) or end it once its owner agrees.",
            "Find out why it takes more than before: more data, a new version, two runs at once.",
        ),
        prevent=(
            "Move the job to another machine or to a quiet hour; run it with nice, or under a CPU quota of systemd.",
            "Alarm on CPUUtilization for longer than the job usually runs.",
        ),
    ),
    Condition(
        key="burst-spent",
        type="volume",
        title="burst credits of the volume spent",
        metrics=("BurstBalance",),
        beside=("VolumeQueueLength",),
        breaks="The volume falls back to the baseline of its size: reads and writes wait.",
        relieve=(
            "Change the volume to gp3 with the IOPS it needs: it stays online. A larger machine changes nothing.",
        ),
        prevent=("Use gp3 for new volumes; alarm on BurstBalance below 20 %.",),
        excluded=lambda resource: text(resource.config, "VolumeType") in ("gp3", "io1", "io2"),
    ),
    Condition(
        key="instance-burst-spent",
        type="instance",
        title="the instance's own burst of EBS spent",
        metrics=("EBSIOBalance%",),
        breaks="The instance falls back to the baseline of its size, whatever its volumes could do.",
        relieve=("Move to a larger instance: faster volumes change nothing.",),
        prevent=("Alarm on EBSIOBalance% and EBSByteBalance% below 20 %.",),
    ),
    Condition(
        key="volume-stalled",
        type="volume",
        title="the volume stands still",
        metrics=("VolumeStalledIOCheck",),
        breaks="AWS's storage does not answer: reads and writes hang. Nobody changed anything.",
        relieve=(
            "See AWS Health for a notice; fail over to another zone where there is one.",
            "When it lasts, make a volume from the newest snapshot in another zone.",
        ),
        prevent=("Alarm on VolumeStalledIOCheck, and keep what matters in more than one zone.",),
    ),
    *(
        Condition(
            key=f"volume-{word}-exceeded",
            type="volume",
            title=f"more {what} asked of the volume than it is provisioned for",
            metrics=(metric,),
            breaks="Reads and writes wait, and with them whatever runs on the instance.",
            relieve=(
                f"Find who asks for so much; raise the {raised} of the volume: it stays online.",
                "AWS allows few changes of a volume a day; the next may be refused for hours.",
            ),
            prevent=(f"Alarm on {metric}, and give volumes room above their daily peak.",),
        )
        for word, what, metric, raised in (
            ("iops", "operations", "VolumeIOPSExceededCheck", "IOPS"),
            ("throughput", "bytes", "VolumeThroughputExceededCheck", "throughput"),
        )
    ),
    *middleware.conditions("instance", memory=("mem_used_percent",), storage=("disk_used_percent",)),
)

_DIMENSIONS = {"instance": "InstanceId", "volume": "VolumeId"}


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The groups and the role that a launch template gives to instances, by the version that is its default."""
    versions = resource.config.get("Versions") or [] if resource.type == "launch-template" else []
    data = next((one.get("LaunchTemplateData") or {} for one in versions if one.get("DefaultVersion")), {})
    said_by = "ec2:DescribeLaunchTemplateVersions"
    interfaces = data.get("NetworkInterfaces") or []
    groups = [
        *(data.get("SecurityGroupIds") or []),
        *(id for one in interfaces for id in one.get("Groups") or []),
    ]
    for id in dict.fromkeys(groups):
        target = arns.build("ec2", resource.region, resource.account, f"security-group/{id}")
        yield relation(resource, target, "guarded by", f"{said_by} SecurityGroupIds")
    if arns.is_arn(profile := text(data, "IamInstanceProfile", "Arn")):
        yield relation(resource, profile, "runs as", f"{said_by} IamInstanceProfile")


SERVICE = Service(
    name="ec2",
    title="EC2",
    client="ec2",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="DescribeInstances",
            action="ec2:DescribeInstances",
            shows="which instances exist, what guards them and whom they run as",
        ),
        Read(operation="DescribeVolumes", action="ec2:DescribeVolumes", shows="how fast volumes may be"),
        Read(
            operation="DescribeLaunchTemplates",
            action="ec2:DescribeLaunchTemplates",
            shows="which version of a launch template is the default",
        ),
        Read(
            operation="DescribeLaunchTemplateVersions",
            action="ec2:DescribeLaunchTemplateVersions",
            shows="what instances are launched with",
        ),
        Read(
            operation="DescribeInstanceAttribute",
            action="ec2:DescribeInstanceAttribute",
            shows="what protects an instance from being stopped or terminated",
        ),
        Read(
            operation="DescribeSecurityGroups",
            action="ec2:DescribeSecurityGroups",
            shows="who may connect to whom",
        ),
    ),
    types={"instance": "container", "volume": "component", "launch-template": "other"},
    arns={
        "instance": r"ec2:instance/.+",
        "volume": r"ec2:volume/.+",
        "launch-template": r"ec2:launch-template/.+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline),
    namespace="AWS/EC2",
    dimensions=lambda resource: (
        ((_DIMENSIONS[resource.type], resource.name),) if resource.type in _DIMENSIONS else ()
    ),
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=middleware.SIGNATURES,
    log_groups=lambda resource: tuple(resource.config.get("LogGroups") or ()),
    unlogged=unlogged,
    listed=False,  # found where load balancers and routes name them, and near databases, which they call
    listed_near=("db-instance", "db-cluster", "replication-group", "cache-cluster"),
)
