"""IAM policy statements and whether they let an action through (IAM user guide, "JSON policy element reference")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from evals.world.asking import NotModelled
from tools.models import Json


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an identity policy."""

    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]

    def covers(self, action: str, on: str) -> bool:
        """Whether the statement speaks of this action on this resource, conditions aside."""
        if self.actions and not any(like(one, action, True) for one in self.actions):
            return False
        if self.not_actions and any(like(one, action, True) for one in self.not_actions):
            return False
        if self.resources and not any(like(one, on) for one in self.resources):
            return False
        return not (self.not_resources and any(like(one, on) for one in self.not_resources))


@dataclass(slots=True)
class Verdict:
    """allowed, explicitDeny or implicitDeny; which policies (by place) decided; context keys that were not given."""

    decision: str = "implicitDeny"
    matched: list[int] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


@lru_cache(maxsize=4096)
def _pattern(text: str, plain: bool) -> re.Pattern[str]:
    made = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(made, re.IGNORECASE | re.DOTALL if plain else re.DOTALL)


def like(pattern: str, text: str, plain: bool = False) -> bool:
    """IAM's wildcards: * any text, ? one character. `plain`: without regard to case, as for actions."""
    return _pattern(pattern, plain).fullmatch(text) is not None


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value or ())


def statements(document: Any) -> tuple[Statement, ...]:
    """The statements of a policy document, or of a bare list of statements."""
    held = document.get("Statement", []) if isinstance(document, dict) else document
    return tuple(_statement(one) for one in ([held] if isinstance(held, dict) else held))


def _statement(one: Json) -> Statement:
    conditions = {
        str(how): {str(key): _listed(values) for key, values in asked.items()}
        for how, asked in (one.get("Condition") or {}).items()
    }
    return Statement(
        effect=str(one["Effect"]),
        actions=_listed(one.get("Action")),
        not_actions=_listed(one.get("NotAction")),
        resources=_listed(one.get("Resource")),
        not_resources=_listed(one.get("NotResource")),
        conditions=conditions,
    )


def judge(
    policies: Sequence[Iterable[Statement]], action: str, on: str, context: Mapping[str, Sequence[str]]
) -> Verdict:
    """What policies together say of an action."""
    found: dict[str, list[int]] = {"Allow": [], "Deny": []}
    missing: set[str] = set()
    for place, policy in enumerate(policies):
        for one in policy:
            if one.covers(action, on) and _met(one, context, missing) and place not in found[one.effect]:
                found[one.effect].append(place)
    if found["Deny"]:
        return Verdict("explicitDeny", found["Deny"], missing)
    return Verdict("allowed" if found["Allow"] else "implicitDeny", found["Allow"], missing)


def _same(wanted: str, value: str) -> bool:
    return wanted == value


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": lambda wanted, value: like(wanted, value),
    "ArnEquals": lambda wanted, value: like(wanted, value),
    "ArnLike": lambda wanted, value: like(wanted, value),
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "NumericEquals": lambda wanted, value: float(wanted) == float(value),
    "NumericLessThan": lambda wanted, value: float(value) < float(wanted),
    "NumericLessThanEquals": lambda wanted, value: float(value) <= float(wanted),
    "NumericGreaterThan": lambda wanted, value: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda wanted, value: float(value) >= float(wanted),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _met(one: Statement, context: Mapping[str, Sequence[str]], missing: set[str]) -> bool:
    met = True
    for how, asked in one.conditions.items():
        for key, wanted in asked.items():
            met = _condition(how, key, wanted, context, missing) and met
    return met


def _condition(
    how: str, key: str, wanted: Sequence[str], context: Mapping[str, Sequence[str]], missing: set[str]
) -> bool:
    optional, name = how.endswith("IfExists"), how.removeprefix("ForAnyValue:").removesuffix("IfExists")
    values = context.get(key.lower())
    if name == "Null":
        return any((values is None) == (one.lower() == "true") for one in wanted)
    positive = _NEGATED.get(name, name)
    if positive not in _TESTS or (how.startswith("ForAnyValue:") and name in _NEGATED):
        raise NotModelled(f"Condition {how}")
    if values is None:
        missing.add(key)
        return optional or name in _NEGATED
    test = _TESTS[positive]
    met = any(test(one, value) for one in wanted for value in values)
    return not met if name in _NEGATED else met
