"""A CloudTrail record as a `ChangeEvent`. Pure; odd records degrade, none raises."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from tools.actors import actor
from tools.cloudtrail_fields import is_mutating, moment, operation_of, pick, table, text
from tools.evidence import canonical
from tools.models import ChangeEvent, Json

_ACCOUNT = re.compile(r"\d{12}")
_ARN_WITHIN = re.compile(r"arn:aws[a-z-]*:[^\s'\",}]+")


def parse(record: Json, evidence: tuple[str, ...] = ()) -> ChangeEvent:
    """One record as a change event, whatever it lacks: missing texts are "", a missing time is `EPOCH`.

    Takes the record itself, an EventBridge envelope (`detail`) or an item of LookupEvents, whose
    `CloudTrailEvent` is the record as text.
    """
    listed = _names(pick(record, "Resources")) if "CloudTrailEvent" in record else ()
    body = unwrap(record)
    name = text(pick(body, "eventName"))
    return ChangeEvent(
        id=text(pick(body, "eventID")) or _made_id(body),
        time=moment(pick(body, "eventTime") or pick(body, "@timestamp") or pick(body, "time")),
        source=text(pick(body, "eventSource")),
        action=name,
        operation=operation_of(name),
        region=text(pick(body, "awsRegion")),
        account=_account(body),
        actor=actor(body),
        request=_shallow(table(pick(body, "requestParameters"))),
        response=_shallow(table(pick(body, "responseElements"))),
        error_code=text(pick(body, "errorCode")),
        error_message=text(pick(body, "errorMessage")),
        read_only=not is_mutating(body),
        event_type=text(pick(body, "eventType")) or "AwsApiCall",
        names=tuple(dict.fromkeys((*_names(pick(body, "resources")), *_service_names(body), *listed))),
        evidence=evidence,
    )


_DEEPEST = 100
"""No AWS request nests so deep. Deeper ones cannot be walked, and are as good as left out."""


def _shallow(told: Json) -> Json:
    """As told; where it nests too deep, in CloudTrail's words for a request that it left out."""
    level: list[object] = [told]
    for _ in range(_DEEPEST):
        level = [inner for value in level for inner in _inside(value) if isinstance(inner, dict | list)]
        if not level:
            return told
    return {"omitted": True, "reason": "nested too deep"}


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _account(body: Json) -> str:
    """Twelve digits, or "": what is masked or cut names no account, and no ARN can be made with it."""
    told = (text(pick(place, key)) for place, key in (
        (body, "recipientAccountId"), (pick(body, "userIdentity"), "accountId")))  # fmt: skip
    return next((one for one in told if _ACCOUNT.fullmatch(one)), "")


def unwrap(record: Json) -> Json:
    """The record inside an item of LookupEvents or an EventBridge envelope; a bare record as it is."""
    written = record.get("CloudTrailEvent")
    if isinstance(written, str):
        try:
            inside = json.loads(written)
        except (ValueError, RecursionError):
            inside = None
        return inside if isinstance(inside, dict) and inside else _from_item(record)
    detail = record.get("detail")
    if isinstance(detail, dict) and "eventName" not in record:
        outer = {
            "eventID": record.get("id"),
            "eventTime": record.get("time"),
            "awsRegion": record.get("region"),
        }
        return outer | detail
    return record


def _from_item(item: Json) -> Json:
    """What an item of LookupEvents says beside its unreadable record."""
    return {
        "eventID": item.get("EventId"),
        "eventName": item.get("EventName"),
        "eventTime": item.get("EventTime"),
        "eventSource": item.get("EventSource"),
        "readOnly": item.get("ReadOnly"),
        "userIdentity": {"userName": item.get("Username"), "accessKeyId": item.get("AccessKeyId")},
    }


def _made_id(body: Json) -> str:
    """A stable id for a record without one."""
    try:
        written = canonical(body)
    except (TypeError, ValueError):
        written = repr(body)
    return "noid-" + hashlib.sha256(written.encode(errors="replace")).hexdigest()[:32]


def _names(resources: object) -> tuple[str, ...]:
    """Names and ARNs of resources[]: objects (ARN, arn, ResourceName), bare ARNs, text that holds an ARN."""
    found: list[str] = []
    for item in resources if isinstance(resources, list | tuple) else ():
        if isinstance(item, Mapping):
            found += [text(pick(item, key)) for key in ("ARN", "resourceName")]
        elif isinstance(item, str):
            found += _ARN_WITHIN.findall(item) or [item]
    return tuple(name for name in found if name)


def _service_names(body: Json) -> tuple[str, ...]:
    """Service events (a rotation, a deleted key) have no request; what they are about stands elsewhere."""
    if pick(body, "eventType") != "AwsServiceEvent":
        return ()
    places = (pick(body, "additionalEventData"), pick(body, "serviceEventDetails"))
    return tuple(value for place in places for value in _arns(table(place).values()))


def _arns(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str) and value.startswith("arn:"))


def written(event: ChangeEvent) -> str:
    """The event as JSON in CloudTrail's words, what matters first, so that a cut excerpt still proves it."""
    who = event.actor
    identity = {
        "arn": who.arn,
        "userName": who.name,
        "kind": who.kind,
        "how": who.how,
        "mfa": who.mfa,
        "sessionName": who.session,
        "roleName": who.role,
        "sourceIdentity": who.source_identity,
        "invokedBy": who.invoked_by,
    }
    record = {
        "eventID": event.id,
        "eventTime": event.time.isoformat().replace("+00:00", "Z"),
        "eventName": event.action,
        "eventSource": event.source,
        "awsRegion": event.region,
        "errorCode": event.error_code,
        "userIdentity": {key: value for key, value in identity.items() if value not in ("", None)},
        "sourceIPAddress": who.source_ip,
        "userAgent": who.user_agent,
        "recipientAccountId": event.account,
        "requestParameters": event.request,
        "errorMessage": event.error_message,
        "responseElements": event.response,
        "resources": list(event.names),
    }
    kept = {key: value for key, value in record.items() if value not in ("", None, {}, [])}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), default=str)
