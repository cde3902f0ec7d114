"""Whether an EventBridge pattern matches an event: the documented operators that need no guess. Pure.

Known: exact values, prefix, suffix, equals-ignore-case, wildcard, anything-but (also with prefix or suffix), exists,
numeric, nested objects, $or. Lists in an event match when one item does. All else raises CannotTry, and so does a field
that recorded events are not kept with.

AWS source: EventBridge user guide, "Creating event patterns" and "Comparison operators".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graph.backtest_rules import CannotTry
from tools.models import ChangeEvent, Json

_MISSING = object()
_KINDS = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
    "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail",
}
_KEPT = frozenset(
    {
        "eventSource",
        "eventName",
        "awsRegion",
        "requestParameters",
        "responseElements",
        "errorCode",
        "errorMessage",
        "eventType",
        "eventID",
        "readOnly",
        "recipientAccountId",
        "sourceIPAddress",
        "userAgent",
    }
)


def as_event(change: ChangeEvent) -> Json:
    """The event that EventBridge makes of a CloudTrail record, as far as a change keeps it."""
    detail: Json = {
        "eventSource": change.source,
        "eventName": change.action,
        "awsRegion": change.region,
        "requestParameters": change.request,
        "responseElements": change.response,
        "eventType": change.event_type,
        "eventID": change.id,
        "readOnly": change.read_only,
        "recipientAccountId": change.account,
        "sourceIPAddress": change.actor.source_ip,
        "userAgent": change.actor.user_agent,
    }
    if change.error_code:
        detail |= {"errorCode": change.error_code, "errorMessage": change.error_message}
    return {
        "source": f"aws.{change.source.split('.')[0]}",
        "detail-type": _KINDS.get(change.event_type, ""),
        "account": change.account,
        "region": change.region,
        "detail": detail,
    }


def matches(pattern: Json, event: Json) -> bool:
    """Whether the pattern matches. Raises CannotTry."""
    strange = set(pattern) - {"source", "detail-type", "account", "region", "detail", "$or"}
    unkept = set(pattern.get("detail") or {}) - _KEPT - {"$or"}
    if strange or unkept:
        raise CannotTry(f"{', '.join(sorted(strange | unkept))} of events is not kept")
    return _object(pattern, event)


def _object(pattern: Json, value: Any) -> bool:
    """All fields are tested, so that an operator that is not known is never overlooked."""
    held = value if isinstance(value, Mapping) else {}
    found = []
    for key, wanted in pattern.items():
        if key == "$or":
            rows = [_object(one, held) for one in wanted]
            found.append(any(rows))
        elif isinstance(wanted, dict):
            found.append(_object(wanted, held.get(key)))
        elif isinstance(wanted, list):
            rows = [_value(one, held.get(key, _MISSING)) for one in wanted]
            found.append(any(rows))
        else:
            raise CannotTry(f"{key} of the pattern is neither a list nor an object")
    return all(found)


def _value(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, dict):
        ((name, operand),) = wanted.items() if len(wanted) == 1 else ((", ".join(wanted), None),)
        if name == "exists":
            return (got is not _MISSING) == bool(operand)
        rows = [_operated(name, operand, one) for one in _each(got)]
        return any(rows) if rows else _checked(name, operand)
    return any(_exact(wanted, one) for one in _each(got))


def _each(got: Any) -> list[Any]:
    if got is _MISSING:
        return []
    return list(got) if isinstance(got, list) else [got]


def _exact(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(got, bool) or wanted is None:
        return wanted is got
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return float(wanted) == float(got)
    return bool(wanted == got)


def _checked(name: str, operand: Any) -> bool:
    """No value to test: nothing matches, if the operator is known at all."""
    _operated(name, operand, "")
    return False


def _operated(name: str, operand: Any, got: Any) -> bool:
    text = got if isinstance(got, str) else None
    if name in ("prefix", "suffix", "equals-ignore-case", "wildcard") and isinstance(operand, str):
        return text is not None and _text(name, operand, text)
    if name == "anything-but":
        return not _excluded(operand, got)
    if name == "numeric" and isinstance(operand, list):
        return _numeric(operand, got)
    raise CannotTry(f"the operator {name} of event patterns is not known here")


def _text(name: str, operand: str, text: str) -> bool:
    if name == "prefix":
        return text.startswith(operand)
    if name == "suffix":
        return text.endswith(operand)
    if name == "equals-ignore-case":
        return text.lower() == operand.lower()
    parts = ".*".join(re.escape(part) for part in operand.split("*"))
    return re.fullmatch(parts, text, re.DOTALL) is not None


def _excluded(operand: Any, got: Any) -> bool:
    if isinstance(operand, dict):
        ((name, value),) = operand.items() if len(operand) == 1 else (("", None),)
        values = value if isinstance(value, list) else [value]
        return any(_operated(name, one, got) for one in values)
    return any(_exact(one, got) for one in (operand if isinstance(operand, list) else [operand]))


_COMPARE = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _numeric(operand: list[Any], got: Any) -> bool:
    pairs = list(zip(operand[::2], operand[1::2], strict=False))
    known = all(how in _COMPARE and isinstance(limit, int | float) for how, limit in pairs)
    if len(operand) not in (2, 4) or not known:
        raise CannotTry("a numeric comparison of the pattern is not understood")
    number = isinstance(got, int | float) and not isinstance(got, bool)
    return number and all(bool(_COMPARE[how](got, limit)) for how, limit in pairs)
