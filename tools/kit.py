"""Small helpers that the service files share: building ARNs and calls, optional reads, example events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools import arn as arns
from tools.errors import NotThere
from tools.models import Call, ChangeEvent, Json, Resource, Value

if TYPE_CHECKING:
    from tools.aws import Answer, Reader

_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)?|secret|token|credential|api_?key|private|signature|salt|(^|_)(pwd|key|auth)($|_)",
    re.I,
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{1,127}")


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
    """The answer; one with empty data when there is none; None, with a gap noted, when it is not visible."""
    from tools.aws import Answer

    answer: Answer | None = None
    with reader.seeing(what, f"{what} of this resource"):
        try:
            answer = reader.ask(client, operation, **parameters)
        except NotThere:
            answer = Answer(data={}, evidence="")
    return answer


def whole(value: Value) -> int:
    """`value` as a whole number. Raises ValueError for anything else."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is not a whole number")
    return int(float(value))


def reference(key: str, value: str) -> str:
    """`value` when it looks like a name, ARN, URL or host that points somewhere; "" when it may be a secret.

    Passwords in URLs and all query strings are cut off. The rule errs towards hiding.
    """
    value = value.strip()
    if arns.is_arn(value):
        return value
    if "://" in value:
        try:
            parts = urlsplit(value)
            return (
                f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if not _SECRET_KEY.search(key) else ""
            )
        except ValueError:  # brackets in a password, say: what cannot be read may be a secret
            return ""
    if _SECRET_KEY.search(key) or not _PLAIN_NAME.fullmatch(value) or _random(value):
        return ""
    return value


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
