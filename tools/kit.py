"""Small helpers that the service files share: building ARNs and calls, optional reads, example events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools import arn as arns
from tools.errors import NotThere
from tools.evidence import canonical
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.policies import allowed

if TYPE_CHECKING:
    from tools.aws import Answer, Reader
    from tools.services._spec import Directory

_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api_?key|private|signature|salt|(^|_)(pwd|key|auth)($|_)",
    re.I,
)
_HINTS = ("table", "queue", "topic", "bucket", "stream", "function", "secret", "parameter", "cluster", "api")
_NEVER_MEANT = (
    "role",
    "alarm",
    "stage",
    "event-source-mapping",
    "log-group",
    "listener",
    "task-definition",
    # Called by others, or started by ARN: a program does not name them.
    "rule",
    "schedule",
    "schedule-group",
    "pipe",
    "state-machine",
    "archive",
    "connection",
)
# Reached by host, address or id: a plain word in a variable is an application's name and not theirs.
_BY_HOST = (
    "load-balancer",
    "target-group",
    "service",
    "cluster",
    "instance",
    "db-parameter-group",
    "replication-group",
    "cache-cluster",
    "cache-parameter-group",
)
_OWN_WORDS = (
    "app|application|brand|channel|component|dd|env|environment|instance|log|level|mode|module|name|namespace|node|otel|"
    "owner|product|profile|profiles|active|project|region|role|runtime|service|site|spring|squad|stack|stage|system|"
    "team|tenant|tier|type|version"
)
_OWN_KEY = re.compile(rf"(?:{_OWN_WORDS})(?:[_.-]?(?:{_OWN_WORDS}))*", re.I)
"""Keys whose value says what a program is or where it runs. It may be anybody's name as well."""
_WRAPPED = re.compile(r"(?:[a-z][a-z0-9+.-]*:)+(?=[a-z][a-z0-9+.-]*://)", re.I)
_HOST_PAIR = re.compile(r"(?:^|[\s;])(?:host|hostname|server|data source)\s*=\s*(?:tcp:)?([^\s;,]+)", re.I)
_PLAIN_NAME = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9._:/-]{1,127}")  # names of parameters begin with a slash


def here(event: ChangeEvent, service: str, resource: str) -> str:
    """The ARN of `resource` in the event's account and region; `resource` itself when it is an ARN."""
    if arns.is_arn(resource):
        return resource
    return arns.build(service, event.region, event.account, resource)


def text(data: Mapping[str, Any], *path: str) -> str:
    """The string at `path`, or "" when anything on the way is missing."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value) if isinstance(value, str | int) else ""


def call(client: str, operation: str, at: Resource | ChangeEvent, **parameters: Any) -> Call:
    """A call in the region of a resource or event."""
    return Call(service=client, operation=operation, parameters=parameters, region=at.region)


def optional(reader: Reader, client: str, operation: str, what: str, **parameters: Any) -> Answer | None:
    """The answer; one with empty data when there is none; None, with a gap noted, when it is not visible.

    None without a gap when the reader has no use for it.
    """
    from tools.aws import Answer

    answer: Answer | None = None
    if (client, operation) in reader.skips:
        return None
    with reader.seeing(what, f"{what} of this resource"):
        try:
            answer = reader.ask(client, operation, **parameters)
        except NotThere:
            answer = Answer(data={}, evidence="")
    return answer


def source_events(
    reader: Reader, client: str, region: str, name: str, type: str, minutes: int
) -> tuple[list[Json], tuple[str, ...]]:
    """What RDS or ElastiCache tells of one source up to the end of what is looked at, oldest first, with evidence.

    `minutes`: how far back, at most as long as the service keeps its events. None when the source is gone.
    """
    try:
        pages = reader.pages(
            client,
            "DescribeEvents",
            "Events",
            region=region,
            token=("Marker", "Marker"),
            SourceIdentifier=name,
            SourceType=type,
            Duration=minutes,
        )
    except NotThere:  # gone between the two reads
        return [], ()
    told = [
        one for one in pages.items if isinstance(one.get("Date"), datetime) and one["Date"] <= reader.as_of
    ]
    return sorted(told, key=lambda one: (one["Date"], str(one.get("Message")))), pages.evidence


def whole(value: Value) -> int:
    """`value` as a whole number. Raises ValueError for anything else."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is not a whole number")
    return int(float(value))


def reference(key: str, value: str) -> str:
    """`value` when it looks like a name, ARN, URL or host that points somewhere; "" when it may be a secret.

    Passwords in URLs and all query strings are cut off; of a connection string only the host is kept. The rule errs
    towards hiding.
    """
    value = value.strip()
    if arns.is_arn(value):
        return value
    if "://" in value:
        wrapped = _WRAPPED.match(value)  # jdbc:postgresql://host/name
        before = wrapped.group(0) if wrapped else ""
        try:
            parts = urlsplit(value.removeprefix(before))
            shown = f"{before}{parts.scheme}://{parts.hostname or ''}{parts.path}"
            return shown if not _SECRET_KEY.search(key) else ""
        except ValueError:  # brackets in a password, say: what cannot be read may be a secret
            return ""
    if pairs := _HOST_PAIR.search(value):  # host=orders-db.example port=5432 password=...
        value = pairs.group(1)
    if _SECRET_KEY.search(key) or not _PLAIN_NAME.fullmatch(value) or _random(value):
        return ""
    return value


OFF = ", switched off"
"""Ends the provenance of a relation that is configured and switched off: nothing flows along it now."""
_QUEUE_URL = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(\d{12})/([\w-]+(?:\.fifo)?)")
_ANY_VALUE = re.compile(
    r"true|false|yes|no|on|off|enabled?|disabled?|none|null|auto|default|json|text|plain|xml|yaml|csv|utc|main|master"
    r"|trace|debug|info|notice|warn(?:ing)?|error|fatal|dev(?:elop(?:ment)?)?|test(?:ing)?|qa|stag(?:e|ing)"
    r"|prod(?:uction)?|live|local|[\d.]+|[a-z]{2}(?:-[a-z]+)+-\d{1,2}",
    re.IGNORECASE,
)
"""Values that settings of every program have: a thing of that name is not meant unless the key says its type."""


def meant(
    key: str, value: str, directory: Directory, at: Resource | None = None
) -> Iterable[tuple[str, float]]:
    """ARNs that one environment variable means, each with how sure that is.

    A plain name counts for more when the key names its type. Without that it must be one thing's alone, and the key
    must not say that it is the program's own name or surroundings (SERVICE_NAME, STAGE). It means what is in the
    account and region of `at`, whose variable it is.
    """
    if arns.is_arn(value):
        known = directory.mentioned(value)
        yield (known[0].arn if known else value, 0.9)
        return
    plain_key = re.sub("(up|down)stream", "", key.lower())  # names no stream
    hint = next((word for word in _HINTS if word in plain_key), "")
    found = [one for one in directory.mentioned(value) if one.type not in _NEVER_MEANT]
    yield from ((one.arn, 0.9) for one in found if value != one.name)  # a URL or host means one thing only
    named = [one for one in found if value == one.name and (at is None or _beside(at, one))]
    if hint and named:
        yield from (
            (one.arn, 0.85) for one in named if hint in (one.type, one.type.removeprefix("delivery-"))
        )
    elif not found and (queue := _QUEUE_URL.fullmatch(value)):
        region, account, name = queue.groups()
        yield arns.build("sqs", region, account, name), 0.9  # of another account, or one that is gone
    elif not _OWN_KEY.fullmatch(key) and not _ANY_VALUE.fullmatch(value):
        free = [one for one in named if one.type not in _BY_HOST]
        yield from ((one.arn, 0.6) for one in free if len(free) == 1)


def _beside(one: Resource, other: Resource) -> bool:
    """Whether both are in the same account and region; some are in none."""
    accounts, regions = {one.account, other.account} - {""}, {one.region, other.region} - {""}
    return len(accounts) <= 1 and len(regions) <= 1


def uses(
    resource: Resource, variables: Mapping[str, str], role: str, directory: Directory, said_by: str
) -> Iterable[Relation]:
    """What a program works with: what its variables name, and what its role's policies allow by name.

    `said_by` is the read and the field of the variables: "lambda:GetFunctionConfiguration Environment".
    """
    may = allowed(directory.by_arn(role), (one.arn for one in directory.of())) if role else {}
    named: dict[str, tuple[str, float]] = {}
    for key, value in variables.items():
        for target, confidence in meant(key, value, directory, resource):
            if target != resource.arn and confidence > named.get(target, ("", 0.0))[1]:
                named[target] = (key, confidence)
    for target, (key, confidence) in named.items():
        what, words = "uses", f"{said_by}.{key}"
        if target in may:
            # Two independent sources agree; the policy tells reading from writing when it allows only one.
            what, policy = may[target]
            words, confidence = f"{words} and policy {policy} of its role", 0.97
        yield relation(resource, target, what, words, confidence)
    for target, (verb, policy) in may.items():
        if target not in named and target != resource.arn:
            kind = {"writes": "may write", "reads": "may read"}.get(verb, "may use")
            yield relation(resource, target, kind, f"iam:GetRolePolicy {policy} of its role", 0.6)


def relation(resource: Resource, target: str, kind: str, said_by: str, confidence: float = 1.0) -> Relation:
    """From `resource` to `target`, on the word of the resource's own configuration."""
    return Relation(
        source=resource.arn,
        target=target,
        kind=kind,
        provenance=said_by,
        confidence=confidence,
        evidence=resource.evidence,
    )


def uses_key(resource: Resource, key: str, said_by: str) -> Iterable[Relation]:
    """That a resource is encrypted with a KMS key, given by id, alias or ARN. Keys of AWS itself cannot be changed."""
    name = key if key.startswith("alias/") else f"key/{key}"
    arn = key if not key or arns.is_arn(key) else arns.build("kms", resource.region, resource.account, name)
    if arn and ":alias/aws/" not in arn:
        yield relation(resource, arn, "uses", said_by)


def plain(item: Mapping[str, Any]) -> Json:
    """An item of an answer as JSON values: times as ISO 8601 in UTC."""
    found: Json = json.loads(canonical(item))
    return found


def _random(value: str) -> bool:
    """Long words that mix cases and digits like keys do; hosts and dashed names do not."""
    words = re.split(r"[._:/-]", value)
    return any(
        len(word) >= 16
        and bool(re.search(r"\d", word))
        and ((bool(re.search(r"[a-z]", word)) and bool(re.search(r"[A-Z]", word))) or len(word) >= 32)
        for word in words
    )


def record(
    source: str,
    action: str,
    request: Json,
    response: Json | None = None,
    *,
    region: str = "eu-west-1",
    account: str = "111122223333",
    user: str = "ops-07",
) -> Json:
    """A whole CloudTrail record in AWS's shape, as an example: a console user of an invented account."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEEXAMPLE07",
            "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account,
            "accessKeyId": "ASIAEXAMPLEEXAMPLE07",
            "userName": user,
            "sessionContext": {
                "attributes": {"creationDate": "2026-03-13T16:58:02Z", "mfaAuthenticated": "true"}
            },
        },
        "eventTime": "2026-03-13T17:12:31Z",
        "eventSource": source,
        "eventName": action,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.24",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "requestParameters": request,
        "responseElements": response,
        "requestID": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11",
        "eventID": "6f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "sessionCredentialFromConsole": "true",
    }
