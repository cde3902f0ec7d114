"""EC2: what is read of an instance, what it hangs on, and how changes to it are put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current, prior, requested
from tools.models import Actor, Call, ChangeEvent, Json, Resource, Value
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.ec2 import SERVICE, describe, discover, owner, relations

AT = "eu-west-1:111122223333"
ID, VOLUME = "i-0a1b2c3d4e5f60718", "vol-0a"
INSTANCE = f"arn:aws:ec2:{AT}:instance/{ID}"
ROLE = "arn:aws:iam::111122223333:role/shop/web"
PROFILE = "arn:aws:iam::111122223333:instance-profile/shop/web"

ITEM: Json = {
    "InstanceId": ID,
    "InstanceType": "t3.large",
    "State": {"Code": 16, "Name": "running"},
    "LaunchTime": datetime(2026, 1, 2, tzinfo=UTC),
    "SubnetId": "subnet-0a",
    "VpcId": "vpc-0a",
    "SourceDestCheck": True,
    "SecurityGroups": [{"GroupId": "sg-0web", "GroupName": "web"}],
    "IamInstanceProfile": {"Arn": PROFILE, "Id": "AIPAEXAMPLEEXAMPLE07"},
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": VOLUME, "Status": "attached"}}],
    "NetworkInterfaces": [
        {"NetworkInterfaceId": "eni-0a", "Attachment": {"AttachTime": datetime(2026, 1, 2, tzinfo=UTC)}}
    ],
    "Tags": [{"Key": "Name", "Value": "web-1"}],
}


def instances(parameters: Json) -> Json:
    if "Filters" not in parameters:
        return {"Reservations": [{"OwnerId": "111122223333", "Instances": [ITEM]}]}
    assert parameters["Filters"] == [
        {"Name": "instance.group-id", "Values": ["sg-0tomcat"]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    return {"Reservations": [{"Instances": [{"InstanceId": "i-0tomcat"}, {"InstanceId": ID}]}]}


def groups(parameters: Json) -> Json:
    assert parameters["Filters"] == [{"Name": "ip-permission.group-id", "Values": ["sg-0web"]}]
    return {"SecurityGroups": [{"GroupId": "sg-0tomcat"}, {"GroupId": "sg-0web"}]}


ANSWERS: Mapping[tuple[str, str], Answer] = {
    ("ec2", "DescribeInstances"): instances,
    ("ec2", "DescribeSecurityGroups"): groups,
    ("ec2", "DescribeVolumes"): {
        "Volumes": [{"VolumeId": VOLUME, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125}]
    },
    ("iam", "GetInstanceProfile"): lambda parameters: {
        "InstanceProfile": {
            "Path": "/shop/",
            "InstanceProfileName": parameters["InstanceProfileName"],
            "InstanceProfileId": "AIPAEXAMPLEEXAMPLE07",
            "Arn": PROFILE,
            "CreateDate": datetime(2025, 1, 1, tzinfo=UTC),
            "Roles": [
                {
                    "Path": "/shop/",
                    "RoleName": "web",
                    "RoleId": "AROAEXAMPLEEXAMPLE07",
                    "Arn": ROLE,
                    "CreateDate": datetime(2025, 1, 1, tzinfo=UTC),
                }
            ],
        }
    },
    ("logs", "DescribeLogGroups"): {"logGroups": [{"logGroupName": "/shop/web-1/nginx"}]},
}


def read(of: str = INSTANCE, answers: Mapping[tuple[str, str], Answer] = ANSWERS) -> Resource:
    found = describe(FakeAws(answers).reader(), of)
    assert found is not None
    assert found.arn == of
    return found


def test_an_instance_tells_role_log_groups_and_what_it_may_connect_to() -> None:
    found = read()
    assert found.config["IamInstanceProfile"]["Roles"] == [ROLE]
    assert found.config["LogGroups"] == ["/shop/web-1/nginx"]
    assert (found.config["AdmittedBy"], found.config["MayConnectTo"]) == (["sg-0tomcat"], ["i-0tomcat"])
    assert found.config["NetworkInterfaces"][0]["Attachment"]["AttachTime"] == "2026-01-02T00:00:00+00:00"
    assert found.tags == {"Name": "web-1"}
    assert SERVICE.log_groups is not None
    assert SERVICE.log_groups(found) == ("/shop/web-1/nginx",)


def test_relations_lead_to_all_that_an_instance_hangs_on() -> None:
    found = read()
    database = Resource(
        arn=f"arn:aws:rds:{AT}:db:orders",
        service="rds",
        type="db-instance",
        name="orders",
        account="111122223333",
        region="eu-west-1",
        config={"VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-0db", "Status": "active"}]},
    )
    admits = Resource(
        arn=f"arn:aws:ec2:{AT}:security-group/sg-0db",
        service="vpc",
        type="security-group",
        name="sg-0db",
        account="111122223333",
        region="eu-west-1",
        config={"IpPermissions": [{"UserIdGroupPairs": [{"GroupId": "sg-0web"}]}]},
    )
    here = f"arn:aws:ec2:{AT}"
    related = {(one.kind, one.target) for one in relations(found, KnownResources([found, database, admits]))}
    assert related == {
        ("guarded by", f"{here}:security-group/sg-0web"),
        ("in", f"{here}:subnet/subnet-0a"),
        ("uses", f"{here}:volume/{VOLUME}"),
        ("uses", f"{here}:network-interface/eni-0a"),
        ("runs as", ROLE),
        ("logs to", f"arn:aws:logs:{AT}:log-group:/shop/web-1/nginx"),
        ("may connect to", f"{here}:instance/i-0tomcat"),
        ("may connect to", database.arn),
    }
    alone = {one.target for one in relations(found, KnownResources([found, database]))}
    assert database.arn not in alone  # nothing says that its group lets the instance in


def test_what_is_refused_is_a_gap_and_the_rest_is_there() -> None:
    account = FakeAws(
        ANSWERS,
        denied=frozenset({"iam:GetInstanceProfile", "logs:DescribeLogGroups", "ec2:DescribeSecurityGroups"}),
    )
    reader = account.reader()
    found = describe(reader, INSTANCE)
    assert found is not None
    assert found.config["IamInstanceProfile"] == ITEM["IamInstanceProfile"]
    assert found.config["LogGroups"] == []
    assert "Unlogged" not in found.config
    assert len(reader.gaps) == 3


def test_that_nothing_is_logged_is_told_only_when_all_groups_were_seen() -> None:
    silent: dict[tuple[str, str], Any] = {**ANSWERS, ("logs", "DescribeLogGroups"): {"logGroups": []}}
    found = describe(FakeAws(silent).reader(), INSTANCE)
    assert found is not None
    assert found.config["Unlogged"] is True
    logged = describe(FakeAws(ANSWERS).reader(), INSTANCE)
    assert logged is not None
    assert "Unlogged" not in logged.config


def test_what_is_gone_is_none() -> None:
    assert describe(FakeAws({}).reader(), INSTANCE) is None
    assert describe(FakeAws({}).reader(), f"arn:aws:ec2:{AT}:volume/vol-gone") is None


def test_a_listing_holds_all_instances() -> None:
    (found,) = discover(FakeAws(ANSWERS).reader(), "eu-west-1")
    assert (found.arn, found.config["InstanceType"]) == (INSTANCE, "t3.large")


@pytest.mark.parametrize(
    ("dimensions", "found"),
    [
        ({"InstanceId": ID}, INSTANCE),
        ({"InstanceId": ID, "path": "/", "fstype": "xfs", "device": "xvda1"}, INSTANCE),
        ({"VolumeId": VOLUME}, f"arn:aws:ec2:{AT}:volume/{VOLUME}"),
        ({"AutoScalingGroupName": "web"}, ""),
    ],
)
def test_a_metric_is_about_its_instance_or_volume(dimensions: dict[str, str], found: str) -> None:
    assert owner(dimensions, "aws", "eu-west-1", "111122223333") == found
    assert {"AWS/EC2", "AWS/EBS", "CWAgent"} == SERVICE.namespaces


# -- changes ----------------------------------------------------------------------------------------


def happened(
    operation: str, request: Json, response: Json | None = None, *, minutes: int = 0, error: str = ""
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=datetime(2026, 3, 13, 17, 0, tzinfo=UTC) - timedelta(minutes=minutes),
        source="ec2.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="unknown", name="", how="unknown"),
        request=request,
        response=response or {},
        error_code=error,
    )


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    known = catalogue.change_of(event)
    assert known is not None
    assert known.undo is not None
    calls = known.undo(event, earlier)
    assert [validate(one) for one in calls] == [()] * len(calls)
    return calls


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def test_only_those_that_ran_are_started_again() -> None:
    ids = ("i-1", "i-2")
    request = {"instancesSet": {"items": [{"instanceId": id} for id in ids]}}
    answer = {
        "instancesSet": {
            "items": [
                {"instanceId": "i-1", "previousState": {"code": 16, "name": "running"}},
                {"instanceId": "i-2", "previousState": {"code": 80, "name": "stopped"}},
            ]
        }
    }
    (call,) = undo(happened("StopInstances", request, answer))
    assert (call.operation, call.parameters) == ("StartInstances", {"InstanceIds": ["i-1"]})
    (call,) = undo(happened("StopInstances", request))
    assert call.parameters == {"InstanceIds": ["i-1", "i-2"]}


def test_tags_touch_what_their_ids_mean_and_move_nothing() -> None:
    items = [{"resourceId": one} for one in ("i-1", "sg-2", "snap-3")]
    event = happened("CreateTags", {"resourcesSet": {"items": items}, "tagSet": {"items": []}})
    known = catalogue.change_of(event)
    assert known is not None
    assert known.inert
    assert [one.rpartition(":")[2] for one in known.touches(event)] == ["instance/i-1", "security-group/sg-2"]


def profile(operation: str, association: str, name: str, *, minutes: int = 0) -> ChangeEvent:
    arn = f"arn:aws:iam::111122223333:instance-profile/{name}"
    made = {"associationId": association, "instanceId": ID, "iamInstanceProfile": {"arn": arn}, "state": "x"}
    request: Json = {"AssociationId": association}
    if operation != "DisassociateIamInstanceProfile":
        request |= {"InstanceId": ID, "IamInstanceProfile": {"Name": name}}
    return happened(
        operation,
        {f"{operation}Request": request},
        {f"{operation}Response": {"iamInstanceProfileAssociation": made}},
        minutes=minutes,
    )


def test_a_profile_taken_away_is_given_back_by_the_very_arn() -> None:
    event = profile("DisassociateIamInstanceProfile", "iip-assoc-1", "shop/web")
    (call,) = undo(event)
    assert (call.operation, call.parameters) == (
        "AssociateIamInstanceProfile",
        {"InstanceId": ID, "IamInstanceProfile": {"Arn": PROFILE}},
    )
    assert catalogue.change_of(event).touches(event) == (INSTANCE,)  # type: ignore[union-attr]


def test_a_replaced_profile_is_known_from_an_earlier_event_only() -> None:
    event = profile("ReplaceIamInstanceProfileAssociation", "iip-assoc-2", "other")
    assert undo(event) == ()
    (call,) = undo(event, profile("AssociateIamInstanceProfile", "iip-assoc-1", "shop/web", minutes=60))
    assert call.parameters == {"AssociationId": "iip-assoc-2", "IamInstanceProfile": {"Arn": PROFILE}}
    launched = happened(
        "RunInstances",
        {"iamInstanceProfile": {"name": "web"}},
        {"instancesSet": {"items": [{"instanceId": ID}]}},
        minutes=90,
    )
    (call,) = undo(event, launched)
    assert call.parameters["IamInstanceProfile"] == {"Name": "web"}


def test_an_associated_profile_is_taken_away() -> None:
    (call,) = undo(profile("AssociateIamInstanceProfile", "iip-assoc-1", "web"))
    assert (call.operation, call.parameters) == (
        "DisassociateIamInstanceProfile",
        {"AssociationId": "iip-assoc-1"},
    )


def test_security_groups_of_an_instance_go_back_to_those_of_its_launch() -> None:
    event = happened(
        "ModifyInstanceAttribute", {"instanceId": ID, "groupSet": {"items": [{"groupId": "sg-new"}]}}
    )
    launched = happened(
        "RunInstances",
        {},
        {
            "instancesSet": {
                "items": [
                    {"instanceId": "i-other", "groupSet": {"items": [{"groupId": "sg-other"}]}},
                    {"instanceId": ID, "groupSet": {"items": [{"groupId": "sg-1"}, {"groupId": "sg-2"}]}},
                ]
            }
        },
        minutes=60,
    )
    assert undo(event) == ()
    (call,) = undo(event, launched)
    assert call.parameters == {"InstanceId": ID, "Groups": ["sg-1", "sg-2"]}
    assert undo(happened("ModifyInstanceAttribute", {"instanceId": ID, "userData": "x"}), launched) == ()


# -- settings ---------------------------------------------------------------------------------------

METADATA: Json = {
    "ModifyInstanceMetadataOptionsRequest": {
        "InstanceId": ID,
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }
}


def test_tokens_go_back_with_the_endpoint_said() -> None:
    tokens, hops = setting("MetadataOptions.HttpTokens"), setting("MetadataOptions.HttpPutResponseHopLimit")
    event = happened("ModifyInstanceMetadataOptions", METADATA)
    found = read()
    assert requested(event, tokens) == (True, "required")
    assert requested(event, hops) == (True, 1)
    assert (current(found, tokens), current(found, hops)) == ("required", 1)
    (call,) = tokens.restore(found, "optional")
    assert call.parameters == {"InstanceId": ID, "HttpTokens": "optional", "HttpEndpoint": "enabled"}
    (call,) = hops.restore(found, 2)
    assert call.parameters == {"InstanceId": ID, "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}
    assert validate(call) == ()


def test_a_metadata_service_switched_off_is_switched_on() -> None:
    def asked(**options: Any) -> ChangeEvent:
        inner = {"InstanceId": ID, **options}
        return happened("ModifyInstanceMetadataOptions", {"ModifyInstanceMetadataOptionsRequest": inner})

    (call,) = undo(asked(HttpEndpoint="disabled"))
    assert call.parameters == {"InstanceId": ID, "HttpEndpoint": "enabled"}
    assert undo(asked(HttpEndpoint="enabled", HttpTokens="required")) == ()


def test_tokens_before_are_known_from_the_earlier_request() -> None:
    tokens = setting("MetadataOptions.HttpTokens")
    event = happened("ModifyInstanceMetadataOptions", METADATA)
    inner = {**METADATA["ModifyInstanceMetadataOptionsRequest"], "HttpTokens": "optional"}
    earlier = happened(
        "ModifyInstanceMetadataOptions", {"ModifyInstanceMetadataOptionsRequest": inner}, minutes=600
    )
    assert prior(tokens, read(), event, (earlier,), None).value == "optional"
    assert not prior(tokens, read(), event, (), None).known


def test_a_type_changes_while_the_instance_is_stopped() -> None:
    kind = setting("InstanceType")
    assert requested(
        happened("ModifyInstanceAttribute", {"instanceId": ID, "instanceType": {"value": "t3.nano"}}), kind
    ) == (
        True,
        "t3.nano",
    )
    running, stopped = read(), read(answers={**ANSWERS, ("ec2", "DescribeInstances"): _stopped})
    assert [one.operation for one in kind.restore(running, "t3.large")] == [
        "StopInstances",
        "ModifyInstanceAttribute",
        "StartInstances",
    ]
    assert [one.parameters for one in kind.restore(stopped, "t3.large")] == [
        {"InstanceId": ID, "InstanceType": {"Value": "t3.large"}}
    ]


def _stopped(parameters: Json) -> Json:
    found = instances(parameters)
    if "Filters" not in parameters:
        item = {**ITEM, "State": {"Code": 80, "Name": "stopped"}}
        found = {"Reservations": [{"Instances": [item]}]}
    return found


@pytest.mark.parametrize(
    ("path", "before", "call"),
    [
        ("VolumeType", "gp3", {"VolumeType": "gp3"}),
        ("Iops", 6000, {"Iops": 6000}),
        ("Throughput", 250, {"Throughput": 250}),
    ],
)
def test_the_answer_tells_what_a_volume_was(path: str, before: Value, call: Json) -> None:
    request = {
        "ModifyVolumeRequest": {"VolumeId": VOLUME, "VolumeType": "gp2", "Iops": 3000, "Throughput": 125}
    }
    original = {"originalVolumeType": "gp3", "originalIops": 6000, "originalThroughput": 250}
    event = happened(
        "ModifyVolume",
        request,
        {"ModifyVolumeResponse": {"volumeModification": {"volumeId": VOLUME, **original}}},
    )
    volume = read(f"arn:aws:ec2:{AT}:volume/{VOLUME}")
    found = prior(setting(path), volume, event, (), None)
    assert (found.value, found.sources[0].kind) == (before, "same_event")
    (made,) = setting(path).restore(volume, found.value)
    assert made.parameters == {"VolumeId": VOLUME, **call}


def test_a_volume_whose_speed_follows_its_size_takes_no_iops() -> None:
    answers = {
        **ANSWERS,
        ("ec2", "DescribeVolumes"): {"Volumes": [{"VolumeId": VOLUME, "VolumeType": "gp2", "Iops": 300}]},
    }
    volume = read(f"arn:aws:ec2:{AT}:volume/{VOLUME}", answers)
    assert setting("Iops").restore(volume, 300) == ()


@pytest.mark.parametrize(
    ("type", "config", "name", "has"),
    [
        ("instance", {"InstanceType": "t4g.small"}, "CPUCreditBalance", True),
        ("instance", {"InstanceType": "m6i.large"}, "CPUCreditBalance", False),
        ("volume", {"VolumeType": "gp2"}, "BurstBalance", True),
        ("volume", {"VolumeType": "gp3"}, "BurstBalance", False),
    ],
)
def test_credits_are_read_where_there_are_any(type: str, config: Any, name: str, has: bool) -> None:
    spec = next(one for one in SERVICE.metrics if (one.type, one.name) == (type, name))
    assert spec.where is not None
    found = Resource(
        arn=INSTANCE, service="ec2", type=type, name="x", account="", region="eu-west-1", config=config
    )
    assert spec.where(found) is has


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("Server.SpotInstanceTermination", ["spot-taken-back"]),
        ("Server.SpotInstanceShutdown", ["spot-taken-back"]),
        ("Client.InstanceInitiatedShutdown", ["shut-down-inside"]),
        ("Client.UserInitiatedShutdown", []),
        ("", []),
    ],
)
def test_why_an_instance_ended_is_told_by_its_state(code: str, keys: list[str]) -> None:
    ended = Resource(
        arn=INSTANCE,
        service="ec2",
        type="instance",
        name=ID,
        account="111122223333",
        region="eu-west-1",
        config={"StateReason": {"Code": code, "Message": "x"}},
    )
    assert [one.key for one in SERVICE.conditions if one.shown and one.shown(ended)] == keys


# -- volumes and launch templates ---------------------------------------------------------------------


def volume_of(**config: Any) -> Resource:
    told: Json = {"Volumes": [{"VolumeId": VOLUME, "VolumeType": "gp3", "Iops": 3000, **config}]}
    return read(f"arn:aws:ec2:{AT}:volume/{VOLUME}", {**ANSWERS, ("ec2", "DescribeVolumes"): told})


def test_a_volume_tells_who_uses_it_and_its_key() -> None:
    key = f"arn:aws:kms:{AT}:key/0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11"
    found = volume_of(KmsKeyId=key, Attachments=[{"InstanceId": ID, "Device": "/dev/xvda"}])
    told = {(one.kind, one.source, one.target) for one in relations(found, KnownResources([]))}
    assert told == {("uses", INSTANCE, found.arn), ("uses", found.arn, key)}


@pytest.mark.parametrize("kind", ["io1", "io2"])
def test_a_type_without_iops_of_its_own_gets_them_said(kind: str) -> None:
    (made,) = setting("VolumeType").restore(volume_of(Iops=4000), kind)
    assert made.parameters == {"VolumeId": VOLUME, "VolumeType": kind, "Iops": 4000}
    assert setting("VolumeType").restore(volume_of(Iops=0), kind) == ()


@pytest.mark.parametrize(("kind", "excluded"), [("gp2", False), ("st1", False), ("gp3", True), ("io2", True)])
def test_only_bursting_volumes_can_have_spent_their_burst(kind: str, excluded: bool) -> None:
    known = next(one for one in SERVICE.conditions if one.key == "burst-spent")
    assert known.excluded is not None
    assert known.excluded(volume_of(VolumeType=kind)) is excluded


TEMPLATE = f"arn:aws:ec2:{AT}:launch-template/lt-0a"


def test_a_launch_template_is_told_without_its_user_data() -> None:
    data = {"ImageId": "ami-0a", "UserData": "IyEvYmluL3No"}
    asked: dict[tuple[str, str], Answer] = {
        ("ec2", "DescribeLaunchTemplates"): {
            "LaunchTemplates": [
                {"LaunchTemplateId": "lt-0a", "DefaultVersionNumber": 41, "LatestVersionNumber": 42}
            ]
        },
        ("ec2", "DescribeLaunchTemplateVersions"): {
            "LaunchTemplateVersions": [{"VersionNumber": 42, "LaunchTemplateData": data}]
        },
    }
    found = read(TEMPLATE, asked)
    assert (found.type, found.config["DefaultVersionNumber"]) == ("launch-template", 41)
    assert found.config["Versions"] == [{"VersionNumber": 42, "LaunchTemplateData": {"ImageId": "ami-0a"}}]
    assert SERVICE.dimensions is not None
    assert SERVICE.dimensions(found) == ()
    (made,) = setting("DefaultVersionNumber").restore(found, 41)
    assert made.parameters == {"LaunchTemplateId": "lt-0a", "DefaultVersion": "41"}
    assert describe(FakeAws({}).reader(), TEMPLATE) is None


def test_the_default_version_before_is_in_an_earlier_request() -> None:
    def chosen(version: int, minutes: int) -> ChangeEvent:
        request = {"LaunchTemplateId": "lt-0a", "SetDefaultVersion": version}
        return happened("ModifyLaunchTemplate", {"ModifyLaunchTemplateRequest": request}, minutes=minutes)

    template = Resource(
        arn=TEMPLATE,
        service="ec2",
        type="launch-template",
        name="lt-0a",
        account="111122223333",
        region="eu-west-1",
        config={"DefaultVersionNumber": 42},
    )
    found = prior(setting("DefaultVersionNumber"), template, chosen(42, 0), (chosen(41, 900),), None)
    assert (found.value, found.known) == (41, True)


def test_a_new_version_is_followed_by_one_with_the_content_before() -> None:
    made = {"launchTemplateId": "lt-0a", "versionNumber": 42}
    event = happened(
        "CreateLaunchTemplateVersion",
        {"CreateLaunchTemplateVersionRequest": {"LaunchTemplateName": "web"}},
        {"CreateLaunchTemplateVersionResponse": {"launchTemplateVersion": made}},
    )
    assert catalogue.change_of(event).touches(event) == (TEMPLATE,)  # type: ignore[union-attr]
    (call,) = undo(event)
    assert call.parameters == {"LaunchTemplateId": "lt-0a", "SourceVersion": "41", "LaunchTemplateData": {}}
    assert undo(replace(event, response={})) == ()


def credits(kind: str, minutes: int) -> ChangeEvent:
    inner = {"InstanceCreditSpecification": {"InstanceId": ID, "CpuCredits": kind, "tag": 1}}
    request = {"ModifyInstanceCreditSpecificationRequest": inner}
    return happened("ModifyInstanceCreditSpecification", request, minutes=minutes)


def test_credits_go_back_to_what_an_earlier_request_says() -> None:
    event = credits("standard", 0)
    assert catalogue.change_of(event).touches(event) == (INSTANCE,)  # type: ignore[union-attr]
    (call,) = undo(event, credits("unlimited", 900))
    assert call.parameters == {
        "InstanceCreditSpecifications": [{"InstanceId": ID, "CpuCredits": "unlimited"}]
    }
    launched = happened(
        "RunInstances",
        {"creditSpecification": {"cpuCredits": "unlimited"}},
        {"instancesSet": {"items": [{"instanceId": ID}]}},
        minutes=9000,
    )
    assert undo(event, launched) == undo(event, credits("unlimited", 900))
    assert undo(event) == ()
