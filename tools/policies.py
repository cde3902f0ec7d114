"""What an IAM role may do to which resources, read from its policy documents. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from tools import arn as arns
from tools.models import Json, Resource

_READS = re.compile(r"^(Get|List|Describe|BatchGet|Query|Scan|Read|Receive|Select|Search|View|PartiQLSelect)")
_NOT_DATA = re.compile(r"^(iam|sts|logs|xray|cloudwatch|kms|ec2):")
_STAR = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One resource pattern that a statement allows, with the verb its actions mean."""

    pattern: str  # an ARN, perhaps with wildcards at its end
    verb: str  # writes, reads or uses (both, or not known)
    policy: str  # name of the policy
    actions: tuple[str, ...] = ()  # as written: "dynamodb:Get*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What a statement denies whatever else is allowed. `but_*`: the lists are what it does not deny."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    but_actions: bool = False
    but_resources: bool = False

    def covers(self, action: str, resource: str) -> bool:
        """Whether an action (a pattern, perhaps) is denied on a resource (an ARN or a pattern) altogether."""
        named = any(_matches(one, action.lower()) for one in self.actions)
        here = any(_matches(one, resource) for one in self.resources)
        if self.but_actions and _STAR.search(action):
            return False  # some of what it means may be spared
        return named is not self.but_actions and here is not self.but_resources


def document(raw: Any) -> Json:
    """A policy document as JSON: as given, from text, or from URL-encoded text. {} when it cannot be read."""
    if isinstance(raw, dict):
        return raw
    try:
        loaded = json.loads(unquote(raw) if str(raw).startswith("%") else str(raw))
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def listed(value: Any) -> list[Any]:
    """A policy member that may be one value or a list of them, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def verb(actions: Iterable[str]) -> str:
    """writes, reads or uses, for the actions of one statement. A wildcard may mean both."""
    names = [action.partition(":")[2] for action in actions]
    if any(name in ("", "*") for name in names):
        return "uses"
    reading = [bool(_READS.match(name)) for name in names]
    return "reads" if all(reading) else "uses" if any(reading) else "writes"


def _statements(role: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for policy in role.get("Policies") or []:
        for statement in listed(document(policy.get("Document")).get("Statement")):
            if isinstance(statement, Mapping):
                yield str(policy.get("Name", "")), statement


def grants(role: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Specific resources that the role's policies allow, from the `Policies` of an IAM role's config."""
    found: list[Grant] = []
    for policy, statement in _statements(role):
        actions = [str(action) for action in listed(statement.get("Action"))]
        actions = [action for action in actions if not _NOT_DATA.match(action.lower())]
        if statement.get("Effect") != "Allow" or not actions:
            continue
        for pattern in listed(statement.get("Resource")):
            if _specific(str(pattern)):
                one = Grant(pattern=str(pattern), verb=verb(actions), policy=policy, actions=tuple(actions))
                found.append(one)
    return tuple(found)


def denials(role: Mapping[str, Any]) -> tuple[Denial, ...]:
    """What the role's own policies deny without any condition."""
    return tuple(
        Denial(
            actions=tuple(
                str(one).lower() for one in listed(statement.get("Action") or statement.get("NotAction"))
            ),
            resources=tuple(
                str(one) for one in listed(statement.get("Resource") or statement.get("NotResource"))
            ),
            but_actions="NotAction" in statement,
            but_resources="NotResource" in statement,
        )
        for _, statement in _statements(role)
        if statement.get("Effect") == "Deny" and not statement.get("Condition")
    )


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern with * and ? covers a text, which may be a narrower pattern."""
    return pattern == text or _rule(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), re.DOTALL
    )


def _specific(pattern: str) -> bool:
    """True when the pattern names something: at least three literal characters in the resource's own name."""
    parts = pattern.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return False
    # A bucket's name comes first, objects follow; elsewhere the first word is the type.
    name = re.split(r"[/:]", parts[5], maxsplit=1)[0 if parts[2] == "s3" else -1]
    return len(_STAR.split(name)[0]) >= 3


def targets(grant: Grant, known: Iterable[str]) -> tuple[str, ...]:
    """ARNs that the grant means: known ones that match, else the ARN itself when it has no wildcard."""
    pattern = re.sub(r"/(index|stream)/.*$", "", grant.pattern)
    pattern = re.sub(r"^(arn:[\w-]+:s3:::[^/*?]+)/.*$", r"\1", pattern)  # objects: their bucket
    if not _STAR.search(pattern):
        return (pattern,) if arns.is_arn(pattern) else ()
    rule = _rule(pattern)
    begins = _STAR.split(pattern, maxsplit=1)[0]
    return tuple(arn for arn in known if arn.startswith(begins) and rule.fullmatch(arn))


def _left(grant: Grant, target: str, denied: tuple[Denial, ...]) -> tuple[str, ...]:
    """Actions of a grant that no denial takes away altogether on a target. A part (an index, objects) is denied as
    the part that the grant names.
    """
    place = grant.pattern if grant.pattern.startswith(f"{target}/") else target
    return tuple(action for action in grant.actions if not any(one.covers(action, place) for one in denied))


def allowed(role: Resource | None, known: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Resource ARN -> (verb, policy name) for everything specific that the role's policies allow and do not deny."""
    denied = denials(role.config) if role else ()
    found: dict[str, tuple[str, str]] = {}
    given = grants(role.config) if role else ()
    names = tuple(known) if any(_STAR.search(one.pattern) for one in given) else ()
    for grant in given:
        for target in targets(grant, names):
            left = _left(grant, target, denied) if denied else grant.actions
            if not left:
                continue
            before, told = found.get(target), grant.verb if left == grant.actions else verb(left)
            what = told if before is None or before[0] == told else "uses"
            found[target] = (what, grant.policy)
    return found
