"""Instance profiles of IAM, and what Systems Manager knows of instances: its agent, commands that were run.

CloudTrail hides what a command ran; ListCommands shows it, for 30 days (Systems Manager user guide).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from evals.world.answers_ec2 import state
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.trail import Record
from evals.world.world import Thing
from tools.models import Json

_KEPT = timedelta(days=30)


def _profile(ask: Ask, thing: Thing) -> Json:
    role = ask.world.things[thing.fixed["role"]]
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    )
    trust += '"Action":"sts:AssumeRole"}]}'
    return {
        "Path": "/",
        "InstanceProfileName": thing.fixed["profile"],
        "InstanceProfileId": thing.fixed["profile_id"],
        "Arn": ask.world.iam_arn(f"instance-profile/{thing.fixed['profile']}"),
        "CreateDate": thing.created,
        "Roles": [
            {
                "Path": "/",
                "RoleName": role.name,
                "RoleId": "AROA" + ask.world.seed.letters(f"id:AROA:{role.name}", 16),
                "Arn": role.arn,
                "CreateDate": role.created,
                "AssumeRolePolicyDocument": trust,
            }
        ],
    }


@handles("iam", "GetInstanceProfile")
def get_instance_profile(ask: Ask) -> Json:
    name = str(ask.need("InstanceProfileName"))
    found = next((one for one in ask.world.of("instance") if one.fixed["profile"] == name), None)
    if found is None:
        raise Refusal("NoSuchEntity", f"Instance Profile {name} cannot be found.", 404)
    return {"InstanceProfile": _profile(ask, found)}


@handles("iam", "ListInstanceProfilesForRole")
def list_instance_profiles_for_role(ask: Ask) -> Json:
    name = str(ask.need("RoleName"))
    ask.take("MaxItems")
    if not any(role.name == name for role in ask.world.of("role")):
        raise Refusal("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    found = [one for one in ask.world.of("instance") if ask.world.things[one.fixed["role"]].name == name]
    return {"InstanceProfiles": [_profile(ask, one) for one in found], "IsTruncated": False}


@handles("ssm", "DescribeInstanceInformation")
def describe_instance_information(ask: Ask) -> Json:
    filters: list[Json] = ask.take("Filters", [])
    older: list[Json] = ask.take("InstanceInformationFilterList", [])
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 50))
    wanted: list[list[str]] = []
    for key, values, given in (("Key", "Values", filters), ("key", "valueSet", older)):
        for one in given:
            if one[key] != "InstanceIds":
                raise NotModelled(f"filter {one[key]}")
            wanted.append(list(one[values]))
    found = [_managed(ask, one) for one in ask.world.of("instance", ask.region) if one.created <= ask.as_of]
    for ids in wanted:
        found = [one for one in found if one["InstanceId"] in ids]
    page, following = ask.page(found, most, token)
    return {"InstanceInformationList": page} | ({"NextToken": following} if following else {})


def _managed(ask: Ask, thing: Thing) -> Json:
    online = state(ask, thing) == "running"
    return {
        "InstanceId": thing.fixed["id"],
        "PingStatus": "Online" if online else "ConnectionLost",
        "LastPingDateTime": ask.as_of.replace(second=0, microsecond=0),
        "AgentVersion": "3.3.1611.0",
        "IsLatestVersion": False,
        "PlatformType": "Linux",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance",
        "IPAddress": thing.fixed["address"],
        "ComputerName": f"ip-{str(thing.fixed['address']).replace('.', '-')}.{ask.world.region}.compute.internal",
        "SourceType": "AWS::EC2::Instance",
        "SourceId": thing.fixed["id"],
    }


_FILES = {
    "nginx": ("/etc/nginx/conf.d/app.conf", "systemctl reload nginx"),
    "tomcat": ("/opt/tomcat/bin/setenv.sh", "systemctl restart tomcat"),
    "mysql": ("/etc/my.cnf", ""),
}
_FORMS = {
    "tomcat.xmx_mb": "-Xmx{}m",
    "tomcat.maxThreads": 'maxThreads="{}"',
    "nginx.proxy_read_timeout": "proxy_read_timeout {}s",
}


def script(path: str, before: Any, after: Any) -> list[str]:
    """The commands that set a value in a file on a host."""
    setting = path.removeprefix("config.")
    program, _, name = setting.partition(".")
    file, then = _FILES.get(program, ("/etc/app.conf", ""))
    if setting == "tomcat.maxThreads":
        file = "/opt/tomcat/conf/server.xml"
    form = _FORMS.get(setting, f"{name} = {{}}")
    found = [f"sudo sed -i 's/{form.format(before)}/{form.format(after)}/' {file}"]
    if program == "mysql":
        then = f"mysql -e 'SET GLOBAL {name} = {after}'"
    return [*found, f"sudo {then}"] if then else found


def _commands(ask: Ask) -> list[tuple[Record, Json]]:
    """Commands that were sent, newest first."""
    found = []
    for made in ask.world.trail.records:
        sent = made.body["eventName"] == "SendCommand" and not made.body.get("errorCode")
        if sent and made.region == ask.region and ask.as_of - _KEPT <= made.time <= ask.as_of:
            found.append((made, made.body["responseElements"]["command"]))
    return found


@handles("ssm", "ListCommands")
def list_commands(ask: Ask) -> Json:
    code, instance, filters = ask.take("CommandId"), ask.take("InstanceId"), ask.take("Filters", [])
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 50))
    found = [
        _command(ask, made, sent)
        for made, sent in _commands(ask)
        if (not code or sent["commandId"] == code) and (not instance or instance in sent["instanceIds"])
    ]
    for wanted in filters:
        found = [one for one in found if _passes(one, str(wanted["key"]), str(wanted["value"]))]
    page, following = ask.page(found, most, token)
    return {"Commands": page} | ({"NextToken": following} if following else {})


def _passes(shown: Json, key: str, value: str) -> bool:
    if key in ("InvokedAfter", "InvokedBefore"):
        limit = datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(UTC)
        return bool(shown["RequestedDateTime"] > limit) == (key == "InvokedAfter")
    if key == "Status":
        return bool(shown["Status"] == value)
    if key == "DocumentName":
        return bool(shown["DocumentName"] == value)
    raise NotModelled(f"filter {key}")


def _command(ask: Ask, made: Record, sent: Json) -> Json:
    shown: Json = {
        "CommandId": sent["commandId"],
        "DocumentName": sent["documentName"],
        "DocumentVersion": sent["documentVersion"],
        "Comment": "",
        "ExpiresAfter": made.time + timedelta(hours=2),
        "InstanceIds": list(sent["instanceIds"]),
        "Targets": [],
        "RequestedDateTime": made.time,
        "Status": "Success",
        "StatusDetails": "Success",
        "OutputS3Region": ask.region,
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        "TargetCount": 1,
        "CompletedCount": 1,
        "ErrorCount": 0,
        "DeliveryTimedOutCount": 0,
        "TimeoutSeconds": 3600,
    }
    if made.field.startswith("config."):
        shown["Parameters"] = {"commands": script(made.field, made.before, made.after)}
    return shown


@handles("ssm", "ListCommandInvocations")
def list_command_invocations(ask: Ask) -> Json:
    code, instance = ask.take("CommandId"), ask.take("InstanceId")
    ask.take("Details")
    if ask.take("Filters"):
        raise NotModelled("filter")
    token, most = ask.take("NextToken"), int(ask.take("MaxResults", 50))
    found = [
        {
            "CommandId": sent["commandId"],
            "InstanceId": one,
            "InstanceName": "",
            "Comment": "",
            "DocumentName": sent["documentName"],
            "DocumentVersion": sent["documentVersion"],
            "RequestedDateTime": made.time,
            "Status": "Success",
            "StatusDetails": "Success",
        }
        for made, sent in _commands(ask)
        for one in sent["instanceIds"]
        if (not code or sent["commandId"] == code) and (not instance or one == instance)
    ]
    page, following = ask.page(found, most, token)
    return {"CommandInvocations": page} | ({"NextToken": following} if following else {})
