"""Concerns: is what error texts say is refused, a port or an action, what the change is about at all?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from graph.claims import log_claim, statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weighing.moves import event_of
from graph.weights import WEIGHTS
from tools.models import ChangeEvent, LogPattern

_CONNECTS = re.compile(r"connect|timed? ?out|refused|unreachable|no route", re.IGNORECASE)
_PORT = re.compile(r"[\w\])]:(\d{2,5})(?=[/\"'\s,;)\]]|$)|\bport[ =:\"']+(\d{2,5})\b", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d\d:\d\d")
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
_WIDE = 1000
"""Answers come back on high ports: a range this wide in a network ACL may hold them, whatever port was called."""


def concerns(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Speaks against rules for other ports and policies on other actions than those that began to be refused."""
    event = event_of(facts, hypothesis)
    if event is None or event.error_code:
        return
    ranges = list(_ranges(event.request))
    if ranges and all(high - low < _WIDE for low, high in ranges):
        yield from _by_port(facts, ranges)
    if "policyName" in event.request and event.operation in ("PutRolePolicy", "DeleteRolePolicy"):
        yield from _by_action(facts, event)


def _by_port(facts: Facts, ranges: list[tuple[int, int]]) -> Iterator[TestResult]:
    for pattern, port in _ports(facts):
        if any(low <= port <= high for low, high in ranges):
            message = "error texts since the onset name a port that it is about"
            yield _told(facts, pattern, "logs.name_resource", message)
            return
    for pattern, _ in _ports(facts):
        message = "error texts since the onset name another port than it is about"
        yield _told(facts, pattern, "logs.name_another", message)
        return


def _ports(facts: Facts) -> Iterator[tuple[LogPattern, int]]:
    """Ports that texts name which tell, newly or more often, that somebody was not reached."""
    for pattern in facts.patterns:
        if facts.louder(pattern) and _CONNECTS.search(pattern.sample):
            for found in _PORT.finditer(_CLOCK.sub("", pattern.sample)):
                yield pattern, int(found[1] or found[2])


def _ranges(value: Any) -> Iterator[tuple[int, int]]:
    """All ranges of ports in a request: of security groups `fromPort` and `toPort`, of network ACLs `portRange`."""
    if isinstance(value, Mapping):
        low, high = value.get("fromPort", value.get("from")), value.get("toPort", value.get("to"))
        if isinstance(low, int) and isinstance(high, int) and 0 < low <= high:
            yield low, high
        for one in value.values():
            yield from _ranges(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _ranges(one)


def _by_action(facts: Facts, event: ChangeEvent) -> Iterator[TestResult]:
    refused = {
        action: pattern
        for pattern in facts.patterns
        if facts.louder(pattern)
        for action in _ACTION.findall(pattern.sample)
    }
    if not refused or any(_may_refuse(facts, event, action) for action in refused):
        return
    action, pattern = sorted(refused.items())[0]
    message = "error texts since the onset name {what}, which this policy did not allow before"
    yield _told(facts, pattern, "logs.name_another", message, action)


def _may_refuse(facts: Facts, event: ChangeEvent, action: str) -> bool:
    """Whether the change may have taken this action away or forbidden it, as far as earlier requests tell."""
    sets = _statements(event)
    if any(_matches(one, action) for one in sets if one.get("Effect") == "Deny"):
        return True
    before = _before(facts, event)
    if before is None:
        return True
    allowed = any(_matches(one, action) for one in before if one.get("Effect") == "Allow")
    return allowed and not any(_matches(one, action) for one in sets if one.get("Effect") == "Allow")


def _before(facts: Facts, event: ChangeEvent) -> list[Mapping[str, Any]] | None:
    """The statements of the policy before the event, by the last request that put it; None when none is known."""
    same = [
        one
        for one in facts.changes
        if one.time < event.time
        and not one.error_code
        and one.operation in ("PutRolePolicy", "DeleteRolePolicy")
        and all(one.request.get(key) == event.request.get(key) for key in ("roleName", "policyName"))
    ]
    return _statements(max(same, key=lambda one: (one.time, one.id))) if same else None


def _statements(event: ChangeEvent) -> list[Mapping[str, Any]]:
    """What a PutRolePolicy sets; nothing for a deletion. A document that cannot be read forbids everything."""
    written = event.request.get("policyDocument")
    if event.operation == "DeleteRolePolicy":
        return []
    try:
        document = json.loads(unquote(written)) if isinstance(written, str) else written
    except ValueError:
        document = None
    found = document.get("Statement") if isinstance(document, Mapping) else None
    if found is None:
        return [{"Effect": "Deny", "Action": "*"}]
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping)]


def _matches(one: Mapping[str, Any], action: str) -> bool:
    if "Action" not in one:  # NotAction: all but a few
        return True
    wanted = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
    return any(fnmatchcase(action.lower(), str(name).lower()) for name in wanted)


def _told(facts: Facts, pattern: LogPattern, key: str, message: str, what: str = "") -> TestResult:
    said = statement(
        message,
        evidence=pattern.evidence,
        claims=[log_claim(pattern, facts.log_window)] if facts.log_window else [],
        what=what,
    )
    return TestResult(test="logs", weight=WEIGHTS[key], statement=said)
