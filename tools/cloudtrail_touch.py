"""Which resources an event is about, by exact names and ARNs; which events are housekeeping. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from tools.arn import Arn, global_region, is_arn, parse
from tools.models import ChangeEvent, Resource

# Prefix of eventSource where it differs from the service in the ARN.
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "cloudwatch": ("monitoring",),
    "states": ("states",),
    "elasticfilesystem": ("elasticfilesystem", "efs"),
    "autoscaling": ("autoscaling", "application-autoscaling"),
    "application-autoscaling": ("autoscaling", "application-autoscaling"),
    "execute-api": ("apigateway",),
}
# A word of an ARN's resource part -> request fields that name such a thing. Others: see `_keys`.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "restapis": ("restapiid", "apiid"),
    "apis": ("apiid", "restapiid"),
    "stages": ("stagename",),
    "methods": ("httpmethod",),
    "routes": ("routeid",),
    "integrations": ("integrationid",),
    "resources": ("resourceid",),
    "authorizers": ("authorizerid",),
    "deployments": ("deploymentid",),
    "domainnames": ("domainname",),
    "event-source-mapping": ("uuid",),
    "log-group": ("loggroupname", "loggroupidentifier", "loggrouparn", "loggroup"),
    "userpool": ("userpoolid",),
    "distribution": ("id", "distributionid", "targetdistributionid"),
    "hostedzone": ("hostedzoneid", "id"),
    "secret": ("secretid",),
    "parameter": ("name", "names"),
    "key": ("keyid", "targetkeyid"),
    "stateMachine": ("statemachinearn",),
    "autoScalingGroup": ("autoscalinggroupname", "resourceid"),  # the latter in tags
    "rule": ("name", "rule", "rulename"),
    # RDS writes its short words of ARNs out in requests.
    "db": ("dbinstanceidentifier", "newdbinstanceidentifier", "sourcedbinstanceidentifier"),
    "pg": ("dbparametergroupname",),
    "parametergroup": ("cacheparametergroupname",),
    "cluster-pg": ("dbclusterparametergroupname",),
    "security-group": ("groupid", "groupname", "securitygroupid"),
    "cluster": (
        "cluster",
        "clustername",
        "clusterarn",
        "clusters",
        "clusteridentifier",
        "dbclusteridentifier",
        "cacheclusterid",
    ),
}
# Services whose ARNs have no type word: the whole resource part is the name.
_BARE: Mapping[str, tuple[str, ...]] = {
    "sqs": ("queueurl", "queuename"),
    "sns": ("topicarn", "topicname", "name"),
    "s3": ("bucketname", "bucket"),
}
# Services where "<arn>/..." is a part of the resource. In IAM and Logs it is another resource with a path.
_SLASH_PARTS = frozenset({"dynamodb", "s3", "apigateway", "ecs", "ecr", "elasticloadbalancing", "es"})

_FUNCTION = re.compile(
    r"^(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[A-Za-z0-9_-]{1,140})(?::[A-Za-z0-9_$-]+)?$"
)
_QUEUE_URL = re.compile(r"^https?://(?P<host>[^/]+)/(?P<account>\d{12})/(?P<name>[^/?]+)$")

# Things whose names are unique within a group only, which a request may leave out when it is the default one:
# word of the service and of its ARNs -> the field that names the group. ARNs: rule/BUS/NAME, schedule/GROUP/NAME.
_GROUPED: Mapping[tuple[str, str], str] = {
    ("events", "rule"): "eventbusname",
    ("scheduler", "schedule"): "groupname",
}
# ARNs that end with an id which requests do not name: api-destination/NAME/ID.
_WITH_ID = frozenset({("events", "api-destination"), ("events", "connection")})

_SECRET_END = re.compile(r"-[A-Za-z0-9]{6}$")

_IDS = frozenset({"id", "uuid", "apiid", "arn"})
_SCALED = frozenset({"servicenamespace", "resourceid", "scalabledimension"})
_BETWEEN = re.compile(r"[:/]")

_HOUSEKEEPING = frozenset(
    {
        "CreateLogStream",
        "UpdateInstanceInformation",
        "UpdateInstanceAssociationStatus",
        "PutInventory",
        "PutComplianceItems",
        "PutConfigurePackageResult",
        "SubmitTaskStateChange",
        "SubmitContainerStateChange",
        "SubmitAttachmentStateChanges",
        "RegisterContainerInstance",
        "StartSecretVersionDelete",
        "EndSecretVersionDelete",
        "SharedSnapshotVolumeCreated",
        "CreateControlChannel",
        "CreateDataChannel",
    }
)
_INTERFACES = frozenset(
    {"CreateNetworkInterface", "DeleteNetworkInterface", "CreateNetworkInterfacePermission"}
)


def is_noise(event: ChangeEvent) -> bool:
    """Whether the event is housekeeping: services taking roles, agents reporting, sign-ins.

    Reactions (application autoscaling's UpdateTable) are effects, not causes, yet they do set values:
    `tools.history` wants them, ranking does not. Service events about a rotation or a disabled mapping are no
    noise.
    """
    who = event.actor
    if event.event_type == "AwsConsoleSignIn":
        return True  # recorded with readOnly false, yet nothing is changed
    if event.operation in _HOUSEKEEPING or who.kind == "service_linked_role":
        return True
    if who.kind == "aws_service":
        return event.operation.startswith(("AssumeRole", "CreateGrant", "RetireGrant")) or event.read_only
    return who.how == "service" and (event.operation in _INTERFACES or event.operation == "CreateGrant")


def touched_by(event: ChangeEvent, resource: Resource) -> bool:
    """Whether the event names the resource: by ARN, or by name in a field of its service that holds such
    names.

    Whole values only, never a part of one: "orders" is not touched by an event on "orders-archive". Names
    count only in the resource's own account and region.
    """
    arn = _arn(resource.arn)
    values = _values(event)
    if any(_names_arn(value, resource.arn, arn) for _, value in values):
        return True
    answered = [value for key, value in _leaves(event.response) if key.endswith("arn")]
    fed = [value for key, value in _leaves(event.response) if key == "eventsourcearn"]
    own = event.source.split(".")[0] in _sources(arn, resource)
    if any(_names_arn(value, resource.arn, arn) for value in (answered if own else fed)):
        return True
    return _same_place(event, resource, arn) and _named(event, resource, arn, values)


def toucher(resources: Iterable[Resource]) -> Callable[[ChangeEvent], tuple[Resource, ...]]:
    """What `touched_by` says of many resources, without asking it of each: events -> the resources they name.

    Whatever touches a resource has its name, or the last word of its ARN, as a whole word somewhere.
    """
    by_word: dict[str, dict[str, Resource]] = {}
    for resource in resources:
        words = {resource.name, *_words(resource.arn)[-1:]}
        arn = _arn(resource.arn)
        if arn is not None:
            words |= {arn.name, arn.resource, arn.name.removesuffix(":*")}
        for word in words:
            by_word.setdefault(word, {})[resource.arn] = resource

    def touched(event: ChangeEvent) -> tuple[Resource, ...]:
        values = [value for _, value in (*_values(event), *_leaves(event.response))]
        found: dict[str, Resource] = {}
        for word in {part for value in values for part in (value, *_words(value))}:
            found |= by_word.get(word, {})
        return tuple(found[arn] for arn in sorted(found) if touched_by(event, found[arn]))

    return touched


def _words(value: str) -> list[str]:
    """The parts of an ARN, URL or path, and each tail of it that is a path: "/aws/lambda/f" in a log group's
    ARN.
    """
    parts = [part for part in _BETWEEN.split(value) if part not in ("", "*")]
    colon = [part for part in value.split(":") if part not in ("", "*")]
    return [*colon, *parts]


@lru_cache(maxsize=8192)
def _arn(text: str) -> Arn | None:
    return parse(text) if is_arn(text) else None


def _values(event: ChangeEvent) -> list[tuple[str, str]]:
    """Texts of the request with the field that holds each, and what the record lists ("" for the field)."""
    values = [("", name) for name in event.names]
    if event.operation.startswith("Create"):  # only the answer knows the id of what was made
        values += [("", value) for key, value in _leaves(event.response) if key in _IDS]
    return values + _leaves(event.request)


def _leaves(value: Any, key: str = "") -> list[tuple[str, str]]:
    return list(_walk(value, key))


def _walk(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every text in a request with the lower-case name of the field that holds it."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _walk(item, str(name).lower())
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item, key)


def _names_arn(value: str, wanted: str, arn: Arn | None) -> bool:
    """Whether `value` is the ARN or one of a part of it (an index, a version, a stream)."""
    if not value.startswith("arn:"):
        return False
    bare = wanted.removesuffix(":*")
    if arn is not None and arn.service == "secretsmanager" and _SECRET_END.sub("", value) == bare:
        return True  # a configuration named the secret without the end of its ARN
    if value == bare or value.startswith(bare + ":"):
        return True
    return arn is not None and arn.service in _SLASH_PARTS and value.startswith(bare + "/")


def _sources(arn: Arn | None, resource: Resource) -> tuple[str, ...]:
    service = arn.service if arn else resource.service
    return _SOURCES.get(service, (service,))


def _same_place(event: ChangeEvent, resource: Resource, arn: Arn | None) -> bool:
    account = (arn.account if arn else "") or resource.account
    region = (arn.region if arn else resource.region) or ""
    if account and event.account and account != event.account and account.isdigit():
        return False
    if not region:  # a global resource: its events lie in one region of the partition
        return not event.region or not resource.region or event.region in _homes(event, resource)
    return not event.region or event.region == region


def _homes(event: ChangeEvent, resource: Resource) -> tuple[str, str]:
    return (resource.region, global_region(event.region))


def _named(event: ChangeEvent, resource: Resource, arn: Arn | None, values: list[tuple[str, str]]) -> bool:
    source = event.source.split(".")[0]
    if source in _sources(arn, resource):
        if arn is not None and arn.service == "application-autoscaling":
            return _scales(resource, values)
        if arn is None:
            return any(_equal(value, resource.name, "", resource) for _, value in values)
        if (arn.service, arn.type) in _GROUPED and not _in_group(arn, values):
            return False
        return all(
            any(key in ("", *keys) and _equal(value, name, arn.service, resource) for key, value in values)
            for keys, name in _wanted(arn)
        )
    # A scaling target is named by type and name: {"serviceNamespace": "dynamodb", "resourceId":
    # "table/orders"}.
    if arn is None or "autoscaling" not in source:
        return False
    return ("resourceid", arn.resource) in values and ("servicenamespace", arn.service) in values


def _scales(target: Resource, values: list[tuple[str, str]]) -> bool:
    """Whether a request names a scalable target: its ARN is in no request, so by what it scales and how."""
    told = {key.lower(): value for key, value in target.config.items() if isinstance(value, str)}
    named = {key: value for key, value in values if key in _SCALED}
    return set(named) >= {"resourceid", "servicenamespace"} and all(
        told.get(key) == value for key, value in named.items()
    )


def _in_group(arn: Arn, values: list[tuple[str, str]]) -> bool:
    """Whether a request names the group of this thing, or none where the thing is in the default one."""
    field = _GROUPED[arn.service, arn.type]
    told = next((value for key, value in values if key == field), "") or "default"
    told = told.partition(":event-bus/")[2] or told  # a bus is named by name or by ARN
    return told == (arn.name.rpartition("/")[0] or "default")


def _wanted(arn: Arn) -> list[tuple[tuple[str, ...], str]]:
    """What an event has to name, all of it: for a stage both the API's id and the stage's name."""
    if arn.service in _BARE:
        return [(_BARE[arn.service], arn.resource)]
    if arn.service == "apigateway":
        words = [word for word in arn.resource.split("/") if word]
        pairs = list(zip(words[::2], words[1::2], strict=False))
        return [(_keys(kind), name) for kind, name in pairs]
    if arn.service == "eks":  # records call the cluster by its place in the path of the request
        cluster, _, inner = arn.name.partition("/")
        own = [(_keys(arn.type), inner.partition("/")[0])] if inner else []
        return [*own, (("name", "clustername"), cluster)]
    name = arn.name.removesuffix(":*")
    if arn.type == "autoScalingGroup":  # an id lies before the name
        name = name.rpartition("autoScalingGroupName/")[2]
    if (arn.service, arn.type) in _GROUPED:
        return [(_keys(arn.type), name.rpartition("/")[2])]
    if (arn.service, arn.type) in _WITH_ID:
        return [(_keys(arn.type), name.partition("/")[0])]
    if arn.service == "ecs" and arn.type in ("service", "task") and "/" in name:
        cluster, _, inner = name.partition("/")
        return [(_keys(arn.type), inner), (_keys("cluster"), cluster)]
    if arn.service == "wafv2":  # scope/kind/name/id
        return [(("id",), name.rpartition("/")[2])]
    if arn.service == "lambda" and arn.type == "function" and ":" in name:
        function, _, qualifier = name.partition(":")
        return [(_keys("function"), function), (("name", "qualifier", "functionversion"), qualifier)]
    return [(_keys(arn.type), name if arn.service != "iam" else name.rpartition("/")[2])]


def _keys(kind: str) -> tuple[str, ...]:
    """Request fields that may name a thing of this kind: tableName, alarmNames, dbInstanceIdentifier."""
    if kind in _FIELDS:
        return _FIELDS[kind]
    bare = kind.lower().replace("-", "")
    endings = ("name", "names", "id", "ids", "arn", "identifier", "")
    return ("name", *(bare + ending for ending in endings))


def _equal(value: str, name: str, service: str, resource: Resource) -> bool:
    if value == name:
        return True
    if service == "lambda":
        match = _FUNCTION.match(value)
        return match is not None and match["name"] == name and match["account"] in (None, resource.account)
    if service == "kms":  # an alias is named with its word
        return value == f"alias/{name}"
    if service == "ecs":  # clusters are named by name or by ARN in one and the same field
        return value.startswith("arn:") and value.rpartition("/")[2] == name
    if service == "ssm":  # a parameter's ARN leaves out the first slash of its name
        return value.lstrip("/") == name
    if service == "secretsmanager":  # and a secret's adds six random characters to it
        return value == _SECRET_END.sub("", name)
    if service == "sqs":
        match = _QUEUE_URL.match(value)
        return match is not None and match["name"] == name and match["account"] == resource.account
    return False
