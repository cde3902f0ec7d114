"""How CloudTrail records what is done to EC2 instances and on them.

EC2 writes lists as `items`; ModifyInstanceMetadataOptions and ModifyInstanceCreditSpecification nest their request in
their own name, in capitals. What is run on a host through Systems Manager is hidden: who and when can be seen, and that
it was AWS-RunShellScript.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evals.world.domains import domain
from evals.world.trail import Deed, long_stamp
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"


def change(world: World, act: Act) -> Deed:
    """The call that set a setting of an instance."""
    if act.path == "State.Name":
        return _state(world, act)
    if act.path.startswith("config."):
        return _session(world, act) if act.call == "StartSession" else _command(world, act)
    if act.path.startswith("MetadataOptions."):
        return _metadata(world, act)
    if act.path == "CreditSpecification.CpuCredits":
        return _credits(world, act)
    if act.path == "Monitoring.State":
        return _monitoring(world, act)
    return _attribute(world, act)


def _attribute(world: World, act: Act) -> Deed:
    request: Json = {"instanceId": act.thing.fixed["id"]}
    for path, value in {act.path: act.after, **act.others}.items():
        if path == "SecurityGroups":
            request["groupSet"] = {"items": [{"groupId": one} for one in value]}
        elif path in ("InstanceType", "DisableApiTermination", "EbsOptimized"):
            request[path[0].lower() + path[1:]] = {"value": value}
        else:
            raise ValueError(f"no call changes {path} of an instance together with others")
    return _deed(world, act, "ModifyInstanceAttribute", request, {"_return": True})


def _state(world: World, act: Act) -> Deed:
    wanted = str(act.after)
    name, current = {
        "stopped": ("StopInstances", "stopping"),
        "running": ("StartInstances", "pending"),
        "terminated": ("TerminateInstances", "shutting-down"),
    }[wanted]
    item = {"instanceId": act.thing.fixed["id"]}
    before = str(act.before or "running")
    request: Json = {"instancesSet": {"items": [item]}}
    if name == "StopInstances":
        request["force"] = False
    if act.call == "RebootInstances":
        return _deed(world, act, act.call, {"instancesSet": {"items": [item]}}, {"_return": True})
    answer = {
        "instancesSet": {
            "items": [
                item
                | {
                    "currentState": {"code": CODES[current], "name": current},
                    "previousState": {"code": CODES[before], "name": before},
                }
            ]
        }
    }
    return _deed(world, act, name, request, answer)


def _metadata(world: World, act: Act) -> Deed:
    thing, name = act.thing, "ModifyInstanceMetadataOptions"
    asked: Json = {"InstanceId": thing.fixed["id"]}
    for path, value in {act.path: act.after, **act.others}.items():
        asked[path.removeprefix("MetadataOptions.")] = value
    shown = {
        "state": "pending",
        "httpTokens": thing.at("MetadataOptions.HttpTokens", act.moment),
        "httpPutResponseHopLimit": thing.at("MetadataOptions.HttpPutResponseHopLimit", act.moment),
        "httpEndpoint": thing.at("MetadataOptions.HttpEndpoint", act.moment),
    }
    return _nested(
        world, act, name, asked, {"instanceId": thing.fixed["id"], "instanceMetadataOptions": shown}
    )


def _credits(world: World, act: Act) -> Deed:
    asked = {
        "InstanceCreditSpecification": {
            "InstanceId": act.thing.fixed["id"],
            "CpuCredits": act.after,
            "tag": 1,
        }
    }
    done = {"item": {"instanceId": act.thing.fixed["id"]}}
    return _nested(
        world,
        act,
        "ModifyInstanceCreditSpecification",
        asked,
        {"successfulInstanceCreditSpecificationSet": done, "unsuccessfulInstanceCreditSpecificationSet": ""},
    )


def _nested(world: World, act: Act, name: str, asked: Json, answer: Json) -> Deed:
    made = _request_id(world, act, name)
    return Deed(
        source="ec2",
        name=name,
        request={f"{name}Request": asked},
        response={f"{name}Response": {"xmlns": _XMLNS, "requestId": made, **answer}},
        listed=_listed(act.thing),
    )


def _monitoring(world: World, act: Act) -> Deed:
    on = act.after == "enabled"
    item = {"instanceId": act.thing.fixed["id"]}
    state = {"monitoring": {"state": "pending" if on else "disabling"}}
    return _deed(
        world,
        act,
        "MonitorInstances" if on else "UnmonitorInstances",
        {"instancesSet": {"items": [item]}},
        {"instancesSet": {"items": [item | state]}},
    )


# -- on the host, through Systems Manager ------------------------------------------------------------


def command_id(world: World, thing: Thing, path: str, moment: datetime) -> str:
    return world.seed.uuid(f"command:{thing.arn}:{path}:{moment.isoformat()}")


def _command(world: World, act: Act) -> Deed:
    ids = [act.thing.fixed["id"]]
    request = {
        "documentName": "AWS-RunShellScript",
        "instanceIds": ids,
        "interactive": False,
        "parameters": HIDDEN,
    }
    shown = {
        "alarmConfiguration": {"alarms": [], "ignorePollAlarmFailure": False},
        "clientName": "",
        "clientSourceId": "",
        "cloudWatchOutputConfig": {"cloudWatchLogGroupName": "", "cloudWatchOutputEnabled": False},
        "commandId": command_id(world, act.thing, act.path, act.moment),
        "comment": "",
        "completedCount": 0,
        "deliveryTimedOutCount": 0,
        "documentName": "AWS-RunShellScript",
        "documentVersion": "$DEFAULT",
        "errorCount": 0,
        "expiresAfter": long_stamp(act.moment + timedelta(hours=2)),
        "hasCancelCommandSignature": False,
        "hasSendCommandSignature": False,
        "instanceIds": ids,
        "interactive": False,
        "maxConcurrency": "50",
        "maxErrors": "0",
        "notificationConfig": {"notificationArn": "", "notificationEvents": [], "notificationType": ""},
        "outputS3BucketName": "",
        "outputS3KeyPrefix": "",
        "outputS3Region": world.region,
        "parameters": HIDDEN,
        "requestedDateTime": long_stamp(act.moment),
        "serviceRole": "",
        "status": "Pending",
        "statusDetails": "Pending",
        "targetCount": 1,
        "targets": [],
        "timeoutSeconds": 3600,
        "triggeredAlarms": [],
    }
    return Deed(source="ssm", name="SendCommand", request=request, response={"command": shown})


def _session(world: World, act: Act) -> Deed:
    """Somebody opens a shell on the host; what is typed there is in no trail."""
    code = command_id(world, act.thing, "", act.moment)[:17]
    session = f"{world.seed.letters(f'session:{code}', 8).lower()}-{code}"
    host = f"wss://ssmmessages.{world.region}.{domain(world.region)}/v1/data-channel/{session}"
    return Deed(
        source="ssm",
        name="StartSession",
        request={"target": act.thing.fixed["id"]},
        response={"sessionId": session, "tokenValue": HIDDEN, "streamUrl": f"{host}?role=publish_subscribe"},
    )


# -- the rest ---------------------------------------------------------------------------------------


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """RunInstances."""
    group_set = {"items": [{"groupId": one} for one in thing.at("SecurityGroups", moment) or []]}
    kind, subnet = thing.at("InstanceType", moment), world.things[thing.fixed["subnets"][0]].name
    request = {
        "instancesSet": {"items": [{"imageId": thing.fixed["image"], "minCount": 1, "maxCount": 1}]},
        "groupSet": group_set,
        "instanceType": kind,
        "blockDeviceMapping": {},
        "monitoring": {"enabled": thing.at("Monitoring.State", moment) == "enabled"},
        "subnetId": subnet,
        "disableApiTermination": False,
        "iamInstanceProfile": {"name": thing.fixed["profile"]},
    }
    shown = {
        "instanceId": thing.fixed["id"],
        "imageId": thing.fixed["image"],
        "instanceState": {"code": 0, "name": "pending"},
        "instanceType": kind,
        "subnetId": subnet,
        "vpcId": thing.fixed["vpc"],
        "privateIpAddress": thing.fixed["address"],
        "groupSet": group_set,
    }
    made = world.seed.uuid(f"RunInstances:{thing.arn}")
    response = {
        "requestId": made,
        "ownerId": world.account,
        "groupSet": {},
        "reservationId": thing.fixed["reservation"],
        "instancesSet": {"items": [shown]},
    }
    return Deed(source="ec2", name="RunInstances", request=request, response=response, listed=_listed(thing))


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """CreateTags."""
    request = {
        "resourcesSet": {"items": [{"resourceId": thing.fixed["id"]}]},
        "tagSet": {"items": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    return Deed(
        source="ec2", name="CreateTags", request=request, response={"_return": True}, listed=_listed(thing)
    )


def _listed(thing: Thing) -> tuple[tuple[str, str], ...]:
    return (("AWS::EC2::Instance", str(thing.fixed["id"])),)


def _request_id(world: World, act: Act, name: str) -> str:
    return world.seed.uuid(f"{name}:{act.thing.arn}:{act.moment.isoformat()}")


def _deed(world: World, act: Act, name: str, request: Json, answer: dict[str, Any]) -> Deed:
    response = {"requestId": _request_id(world, act, name), **answer}
    return Deed(source="ec2", name=name, request=request, response=response, listed=_listed(act.thing))
