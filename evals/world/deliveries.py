"""Whether what is called lets a service in: policies of functions, queues and topics (IAM user guide, "resource-based
policies"): a statement must allow the service's principal, and its conditions must name the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from evals.world import policies
from evals.world.stage import moment
from evals.world.world import Thing
from tools.models import Json

_ACTIONS = {"function": "lambda:InvokeFunction", "queue": "sqs:SendMessage", "topic": "sns:Publish"}
_SOURCE, _ACCOUNT = "aws:sourcearn", "aws:sourceaccount"


def document(statements: Iterable[Json]) -> str:
    """Statements as the text of a policy."""
    return str(as_text({"Version": "2012-10-17", "Statement": list(statements)}))


def statement(sid: str, service: str, target: Thing, source: str) -> Json:
    """What lets a service deliver to a queue or topic for one source."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": _ACTIONS[target.kind],
        "Resource": target.arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }


def admit(target: Thing, sid: str, service: str, source: str) -> None:
    """Let a service deliver to a queue or topic from its creation on."""
    held = target.at("Policy", target.created)
    others = json.loads(held)["Statement"] if held else []
    made = document([*others, statement(sid, service, target, source)])
    target.settings.set("Policy", target.created, made)


def as_text(value: Any) -> Any:
    """A map as services keep it that take JSON in a text; anything else as it is."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else value


def kept(value: Any) -> Any:
    """A policy as services keep it, a text, when a case gives its statements."""
    return document(value) if isinstance(value, list) else value


def admits(target: Thing, service: str, source: str, second: float) -> bool:
    """Whether a function, queue or topic lets a service in for a source at an epoch second."""
    action = _ACTIONS.get(target.kind)
    if action is None:
        return True
    if target.kind == "function":
        text = document(target.settings.under("Policy", moment(second)).values())
    else:
        text = str(target.at("Policy", moment(second)) or "")
    return bool(text) and _judged(text, action, target.arn, service, source)


@lru_cache(maxsize=512)
def _judged(text: str, action: str, target: str, service: str, source: str) -> bool:
    effects = {
        one["Effect"]
        for one in json.loads(text)["Statement"]
        if _speaks(one, action, target, service, source)
    }
    return effects == {"Allow"}


def _speaks(one: Json, action: str, target: str, service: str, source: str) -> bool:
    principal = one.get("Principal", {})
    named = (
        _list(principal.get("Service", principal.get("AWS", ()))) if isinstance(principal, dict) else ["*"]
    )
    if principal != "*" and service not in named and "*" not in named:
        return False
    if not any(policies.like(act, action, True) for act in _list(one.get("Action", ()))):
        return False
    if not any(policies.like(on, target) for on in _list(one.get("Resource", "*"))):
        return False
    given = {_SOURCE: source, _ACCOUNT: source.split(":")[4]}
    return all(_holds(asked, given) for asked in (one.get("Condition") or {}).values())


def _holds(asked: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    return all(
        any(policies.like(str(value), given.get(key.lower(), "")) for value in _list(values))
        for key, values in asked.items()
    )


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)
