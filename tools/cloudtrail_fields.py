"""Fields of a CloudTrail record as they really come: other spellings, text for booleans, nothing at all.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tools.models import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of a record that bears no readable time."""

# Lambda puts its API date into event names, CloudFront sometimes: PutFunctionConcurrency20171031,
# UpdateFunctionCode20150331v2, UpdateDistribution2020_05_31. Only a real date is cut, so ListObjectsV2 stays.
_VERSION = re.compile(
    r"(?<=[A-Za-z])(?:20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:v\d+)?|20\d{2}_(?:0[1-9]|1[0-2])_[0-3]\d)$"
)

# Event names, which LookupEvents wants in full; an operation that is not here is recorded as it is called.
_RECORDED: Mapping[str, tuple[str, ...]] = {
    "AddPermission": ("AddPermission20150331v2",),
    "RemovePermission": ("RemovePermission20150331v2",),
    "CreateAlias": ("CreateAlias20150331",),
    "UpdateAlias": ("UpdateAlias20150331",),
    "DeleteAlias": ("DeleteAlias20150331",),
    "CreateEventSourceMapping": ("CreateEventSourceMapping20150331",),
    "UpdateEventSourceMapping": ("UpdateEventSourceMapping20150331",),
    "DeleteEventSourceMapping": ("DeleteEventSourceMapping20150331",),
    "CreateFunction": ("CreateFunction20150331",),
    "DeleteFunction": ("DeleteFunction20150331",),
    "UpdateFunctionCode": ("UpdateFunctionCode20150331v2",),
    "UpdateFunctionConfiguration": ("UpdateFunctionConfiguration20150331v2",),
    "PublishVersion": ("PublishVersion20150331",),
    "PublishLayerVersion": ("PublishLayerVersion20181031",),
    "PutFunctionConcurrency": ("PutFunctionConcurrency20171031",),
    "DeleteFunctionConcurrency": ("DeleteFunctionConcurrency20171031",),
    "UpdateDistribution": ("UpdateDistribution", "UpdateDistribution2020_05_31"),
    "PutBucketLifecycleConfiguration": ("PutBucketLifecycle",),
    "PutBucketNotificationConfiguration": ("PutBucketNotification",),
    "PutPublicAccessBlock": ("PutBucketPublicAccessBlock",),
    "DeletePublicAccessBlock": ("DeleteBucketPublicAccessBlock",),
}
# Names under which S3 records operations that are called otherwise today.
_CALLED: Mapping[str, str] = {
    recorded: operation
    for operation, names in _RECORDED.items()
    for recorded in names
    if "Bucket" in recorded
}

_READS = re.compile(
    r"(?:Batch|Admin)?(?:Get|List|Describe|Head|Lookup|Search|Query|Scan|Filter|Select|View|Preview|Simulate|Estimate"
    r"|Validate|Verify|Evaluate|Retrieve|Resolve|Discover|Detect|Count|Poll|Receive|Download"
    r"|Decrypt|Encrypt|ReEncrypt|Sign(?![a-z])|Synthesize|Translate|Is(?=[A-Z]))"
    r"(?:[A-Z_0-9]|$)"
    r"|Assume(?:Role|Root)"
    r"|Generate(?:DataKey|Random|Mac|CredentialReport|ServiceLastAccessed|OrganizationsAccessReport)"
    r"|Check(?:AccessNotGranted|NoNewAccess|NoPublicAccess|DomainAvailability|DNSAvailability)"
    r"|Test(?:Metric|Event|DNS|Invoke|State|Identity|Connection|Function|Role)"
    r"|(?:Start|Stop)(?:Query|LiveTail)(?:$|[A-Z])"
)

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)


def pick(record: object, name: str) -> Any:
    """The field `name`, also in other letter case (some exports write small letters); else None."""
    if not isinstance(record, Mapping):
        return None
    if name in record:
        return record[name]
    wanted = name.lower()
    return next(
        (item for key, item in record.items() if isinstance(key, str) and key.lower() == wanted), None
    )


def text(value: object) -> str:
    """A string as it is, a number as text, anything else as ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def table(value: object) -> Json:
    """A JSON object with text keys as it is, anything else as {}."""
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def truth(value: object) -> bool | None:
    """A boolean, also when it is written as text ("true", "True"); None when the record does not say."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False, "yes": True, "no": False}.get(text(value).strip().lower())


def moment(value: object) -> datetime:
    """An aware UTC time from a datetime or an ISO text (2026-03-13T17:12:31Z); `EPOCH` when it is neither."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    match = _MOMENT.match(text(value).strip())
    if match is None:
        return EPOCH
    *parts, fraction, zone = match.groups()
    try:
        made = datetime(*(int(part) for part in parts), tzinfo=_zone(zone))  # type: ignore[misc,arg-type]
        return (made + timedelta(microseconds=int((fraction or "0")[:6].ljust(6, "0")))).astimezone(UTC)
    except (ValueError, OverflowError):
        return EPOCH


def _zone(text: str | None) -> timezone:
    if not text or text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def operation_of(event_name: str) -> str:
    """The API operation behind an event name: without the API date that Lambda and CloudFront append, and by the
    name that it is called by today (S3)."""
    return _CALLED.get(event_name) or _VERSION.sub("", event_name)


def event_names(operation: str) -> tuple[str, ...]:
    """The event names under which CloudTrail records an operation, as LookupEvents matches them (exactly)."""
    return _RECORDED.get(operation, (operation,))


def named_read_only(event_name: str) -> bool:
    """Whether a call changes nothing, judged by its name alone. An unknown verb counts as a change."""
    return _READS.match(operation_of(event_name)) is not None


def is_mutating(record: Json) -> bool:
    """Whether a record is of a mutating call: by its `readOnly` field, by its name where that is missing."""
    said = truth(pick(record, "readOnly"))
    return not said if said is not None else not named_read_only(text(pick(record, "eventName")))
