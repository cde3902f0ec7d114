"""The parts of a recorded request: what it names, what it sets, what only says how. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tools.catalogue import for_event, services
from tools.errors import BadInput
from tools.evidence import canonical
from tools.models import ChangeEvent, Json
from tools.network_rules import grants
from tools.parameters import operations

_NAMES = re.compile(
    r"(?:^|[a-z_-])(?:id|ids|name|names|arn|arns|identifier|url|uri|alias|qualifier|attribute|egress|host|code)$"
    r"|cidrblock|cidr$|prefixlist|^(?:statementid|sid|user|role|group|bucket|table|cluster|service|key|resource|function"
    r"|rulenumber|servicenamespace|scalabledimension|tagkeys?|protocol|endpoint|principal|grantee|dimension|namespace|path|type)$|region$",
    re.IGNORECASE,
)
_MANNER = re.compile(
    r"^(?:applyImmediately|dryRun|client(?:Request)?Token|creatorRequestId|publish|force\w*|revisionId|noReboot|host"
    r"|callerReference|ifMatch|requestToken|idempotencyToken|skipFinalSnapshot|x-amz-.*|expected\w*|lockToken"
    r"|reason|waitFor\w*|bypass\w*|overwrite|allowMajorVersionUpgrade|scalingType|fullyQualifiedArn|xmlns|template)$",
    re.IGNORECASE,
)
_WRAPS = re.compile(r"(?:Request|Input)$")
_VERB = re.compile(r"^(?:Batch)?([A-Z][a-z]+)(.*)$")

# Prefix of eventSource where boto3's client has another name; of two, the first that has the operation.
_CLIENTS: Mapping[str, tuple[str, ...]] = {
    "monitoring": ("cloudwatch",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "autoscaling": ("autoscaling", "application-autoscaling", "autoscaling-plans"),
    "application-autoscaling": ("application-autoscaling",),
    "states": ("stepfunctions",),
    "elasticfilesystem": ("efs",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "email": ("sesv2", "ses"),
    "ses": ("sesv2", "ses"),
    "tagging": ("resourcegroupstaggingapi",),
    "cognito-idp": ("cognito-idp",),
    "wafv2": ("wafv2",),
    "waf": ("waf",),
    "elasticmapreduce": ("emr",),
    "es": ("opensearch", "es"),
    "kinesis": ("kinesis",),
    "sso": ("sso-admin", "sso"),
    "sso-directory": ("identitystore",),
    "kafka": ("kafka",),
    "mq": ("mq",),
    "bedrock": ("bedrock", "bedrock-agent"),
    "airflow": ("mwaa",),
    "access-analyzer": ("accessanalyzer",),
    "s3": ("s3", "s3control"),
    "rds": ("rds",),
    "aws-marketplace": ("marketplace-catalog",),
    "codestar-connections": ("codestar-connections",),
    "serverlessrepo": ("serverlessrepo",),
    "inspector2": ("inspector2",),
    "securityhub": ("securityhub",),
    "macie2": ("macie2",),
}
# Event names that are no operation's: CloudTrail's own words.
_OPERATIONS: Mapping[tuple[str, str], str] = {
    ("s3", "PutBucketLifecycle"): "PutBucketLifecycleConfiguration",
    ("s3", "DeleteBucketLifecycle"): "DeleteBucketLifecycle",
    ("s3", "PutBucketPublicAccessBlock"): "PutPublicAccessBlock",
    ("s3", "DeleteBucketPublicAccessBlock"): "DeletePublicAccessBlock",
    ("s3", "PutBucketNotification"): "PutBucketNotificationConfiguration",
    ("s3", "PutBucketReplication"): "PutBucketReplication",
}


def client_of(event: ChangeEvent, operation: str = "") -> str:
    """The boto3 client whose operation the event is, or "" when botocore has none of that name."""
    wanted = operation or operation_of(event)
    known = for_event(event) if not operation else None
    listed = [known[0].client] if known else []
    for client in dict.fromkeys((*listed, *clients_of_source(event.source))):
        try:
            if wanted in operations(client):
                return client
        except BadInput:
            continue
    return ""


def clients_of_source(source: str) -> tuple[str, ...]:
    """The boto3 clients that may have the operations of an event source, the likeliest first."""
    prefix = source.partition(".")[0]
    listed = [one.client for one in services().values() if source in one.event_sources]
    return tuple(dict.fromkeys((*listed, *_CLIENTS.get(prefix, (prefix,)))))


def operation_of(event: ChangeEvent) -> str:
    """The API operation that an event is; a few are recorded under another name."""
    prefix = event.source.partition(".")[0]
    return _OPERATIONS.get((prefix, event.operation), event.operation)


_MAKES = ("Create", "Run", "Import", "Allocate", "Copy", "Restore", "Launch")


def makes(event: ChangeEvent) -> bool:
    """Whether the operation makes something that was not there."""
    return event.operation.startswith(_MAKES)


def verb(operation: str) -> tuple[str, str]:
    """`DetachRolePolicy` -> ("Detach", "RolePolicy")."""
    found = _VERB.match(operation)
    return (found[1], found[2]) if found else (operation, "")


def opened(request: Json) -> Json:
    """The request without the wrapper that some services put around it."""
    if len(request) == 1:
        key, inner = next(iter(request.items()))
        if _WRAPS.search(key) and isinstance(inner, dict):
            return inner
    return request


def named(event: ChangeEvent) -> dict[str, str]:
    """What the request names, by lower-case field: ids, names, destinations. Some requests name things further in."""
    request = opened(event.request)
    own = _own_name(event.source, event.operation)
    found = _named_in(request, own)
    inner = (value for value in request.values() if isinstance(value, dict))
    return found or {key: text for value in inner for key, text in _named_in(value, own).items()}


@cache
def _own_name(source: str, operation: str) -> str:
    """The field by which a thing is named as its kind is called, in lower case, or "": `workGroup` of UpdateWorkGroup.
    Not what is a mere property of a thing, of which there is nothing to delete: UpdateProjectVisibility.
    """
    _, noun = verb(operation)
    for client in clients_of_source(source) if noun else ():
        try:
            if f"Delete{noun}" in operations(client):
                return noun.lower()
        except BadInput:
            continue
    return ""


def _named_in(request: Json, own: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in request.items():
        is_own = bool(own) and key.lower() == own
        if (is_own or _NAMES.search(key)) and isinstance(value, str | int) and str(value):
            found[key.lower()] = str(value)
        elif isinstance(value, dict) and (_NAMES.search(key) or ids_of_set(key, value)):
            found |= _items_named(key, value)
    return found


def ids_of_set(key: str, value: Json, *, whole: bool = True) -> str:
    """By which member each item of a set is named, or "": `instancesSet` is made of items with an `instanceId`. With
    `whole`, the items say nothing else.
    """
    items = value.get("items")
    stem = key[:-3].rstrip("s") if key.endswith("Set") else ""
    name = f"{stem}Id"
    if not stem or not isinstance(items, list) or not items:
        return ""
    named_so = all(isinstance(item, dict) and isinstance(item.get(name), str) for item in items)
    return name if named_so and not (whole and any(len(item) > 1 for item in items)) else ""


def is_name(event: ChangeEvent, path: tuple[str | int, ...]) -> bool:
    """Whether the value at a path of the request is one of its names."""
    keys = [step.lower() for step in path if isinstance(step, str)]
    if not keys:
        return False
    names = named(event)
    values = (at(request, path) for request in (event.request, opened(event.request)))
    if keys[-1] in names and any(str(value) == names[keys[-1]] for value in values):
        return True
    return any(key in names and names[key].startswith("[") for key in keys)


def _items_named(key: str, value: Json) -> dict[str, str]:
    items = value.get("items")
    return {key.lower(): canonical(items)} if isinstance(items, list) else {}


def payload(event: ChangeEvent) -> dict[str, Any]:
    """What the request sets: everything that neither names something nor only says how."""
    names = named(event)
    return {
        key: value
        for key, value in opened(event.request).items()
        if key.lower() not in names and not _MANNER.match(key) and value not in (None, "", {}, [])
    }


def is_manner(key: str) -> bool:
    return _MANNER.match(key) is not None


def overlap(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether what two requests set meets: in a field of both, and where it is a list in an item of both."""
    if _is_rules(one) and _is_rules(other):
        mine, its = grants(one), grants(other)
        return not mine or not its or bool(mine & its)
    first, second = payload(one), payload(other)
    if not first or not second:
        return True
    return any(_meet(first[key], second[key]) for key in first.keys() & second.keys())


def _meet(one: Any, other: Any) -> bool:
    first, second = list(_items(one)), list(_items(other))
    if first and second:
        return bool(set(first) & set(second))
    if isinstance(one, dict) and isinstance(other, dict):
        return bool(one.keys() & other.keys())
    return True


def _items(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value = value["items"]
    for item in value if isinstance(value, list) else ():
        yield from _single(item)


def _single(item: Any) -> Iterator[str]:
    """An item of a list; one that holds lists itself as what each inner item says, so that parts of it compare."""
    if not isinstance(item, dict):
        yield item if isinstance(item, str) else canonical(item)
        return
    plain = {
        key: value for key, value in item.items() if not isinstance(value, dict | list) and key not in _WORDS
    }
    inner = [(key, one) for key, value in item.items() for one in _listed(value)]
    if not inner:
        yield canonical({key: value for key, value in item.items() if key not in _WORDS} or item)
    for key, one in inner:
        yield canonical({**plain, key: _plain_words(one)})


_WORDS = ("description", "Description")
"""They tell what a thing is for, and make it no other thing."""


def _plain_words(one: Any) -> Any:
    return {key: value for key, value in one.items() if key not in _WORDS} if isinstance(one, dict) else one


def _listed(value: Any) -> list[Any]:
    found = value.get("items") if isinstance(value, dict) else value
    return found if isinstance(found, list) else []


def singles(event: ChangeEvent) -> tuple[str, frozenset[str]]:
    """The one list that a request sets, and its single items: rules, targets, members. ("", nothing) for others."""
    if _is_rules(event):
        return "rules", grants(event)
    lists = payload(event)
    if len(lists) != 1:
        return "", frozenset()
    ((name, value),) = lists.items()
    return name, frozenset(_items(value))


def _is_rules(event: ChangeEvent) -> bool:
    """Whether an event is on the rules of an EC2 security group, which requests write in several shapes."""
    return event.source == "ec2.amazonaws.com" and _RULES.match(event.operation) is not None


_RULES = re.compile(r"(?:Authorize|Revoke)SecurityGroup(?:Ingress|Egress)$")


def leaves(request: Json) -> Iterator[tuple[str | int, ...]]:
    """Paths of all values of a request; items of lists count as values."""
    yield from _leaves(request, ())


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict) and value and "Statement" not in value:  # a policy is one value
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list) and value:
        for number in range(len(value)):
            yield (*path, number)
    elif path:
        yield path


_OWN = frozenset({"name", "type", "setIdentifier", "id", "key"})
"""By which a thing inside a request is itself: a record of a zone has a name and a type."""


def things_in(request: Json) -> Iterator[dict[str, str]]:
    """What each thing inside a request is called, the outer ones first: records, targets, rules. Not the request
    itself, and nothing that has no name of its own.
    """
    for _, value in sorted(request.items()):
        for inner in _mappings(value):
            names = {key: one for key, one in sorted(inner.items()) if key in _OWN and isinstance(one, str)}
            if names:
                yield names


def _mappings(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for _, inner in sorted(value.items()):
            yield from _mappings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _mappings(inner)


def without(request: Json, path: tuple[str | int, ...]) -> Json:
    """The request without one value."""
    made = _cut(request, path)
    return made if isinstance(made, dict) else {}


def _cut(value: Any, path: tuple[str | int, ...]) -> Any:
    head, *rest = path
    if isinstance(value, dict):
        if not rest:
            return {key: inner for key, inner in value.items() if key != head}
        return {key: _cut(inner, tuple(rest)) if key == head else inner for key, inner in value.items()}
    if isinstance(value, list):
        return [item for number, item in enumerate(value) if number != head]
    return value


def at(request: Json, path: tuple[str | int, ...]) -> Any:
    """The value at a path, or None."""
    value: Any = request
    for step in path:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def spelled(path: tuple[str | int, ...]) -> str:
    """A path for people: `onDemandThroughput.maxReadRequestUnits`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
