"""Whether a policy denies a request: a small, exact part of IAM's evaluation. Pure.

Known: Effect Deny and Allow; Action, NotAction, Resource and NotResource with wildcards; Condition with the
operators String(Not)Equals(IgnoreCase), String(Not)Like, Arn(Not)Equals, Arn(Not)Like, Bool and Null, each with
IfExists, those without Not also for any of several values; the global keys aws:PrincipalArn, aws:PrincipalAccount,
aws:RequestedRegion and aws:MultiFactorAuthPresent, and the keys that service files tell of a request.
All else raises CannotTry: an element that is not understood must not pass as harmless.

AWS source: IAM user guide, "Policy evaluation logic" (an explicit deny wins) and "JSON policy element reference".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graph.backtest_rules import CannotTry, arn_like, like
from tools.catalogue import known_condition_keys
from tools.models import Json

_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request as a policy sees it. None: not known; "" for `principal`: no principal of the account."""

    action: str  # dynamodb:UpdateTable
    resources: tuple[str, ...] | None  # ARNs that it touches
    principal: str  # ARN of the user or role, without session
    account: str
    region: str
    mfa: bool | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the service's own condition keys


def denies(policy: Json, ask: Ask) -> bool:
    """Whether a statement of `policy` denies the request outright. Raises CannotTry."""
    return any(_denies(one, ask) for one in _statements(policy))


def _statements(policy: Json) -> Iterator[Json]:
    strange = set(policy) - {"Version", "Id", "Statement"}
    held = policy.get("Statement")
    if strange or not isinstance(held, list | dict):
        raise CannotTry(f"the policy holds {', '.join(sorted(strange)) or 'no statement'}")
    for one in [held] if isinstance(held, dict) else held:
        unknown = set(one) - _ELEMENTS
        if unknown or one.get("Effect") not in ("Allow", "Deny"):
            raise CannotTry(f"a statement holds {', '.join(sorted(unknown)) or 'no effect'}")
        yield one


def _denies(statement: Json, ask: Ask) -> bool:
    """Conditions are looked at even where the action is another: an unknown one is never overlooked."""
    holds = _conditions(statement.get("Condition") or {}, ask)
    named = _action(statement, ask.action)
    return statement["Effect"] == "Deny" and named and holds and _resource(statement, ask)


def _action(statement: Json, action: str) -> bool:
    wanted, unwanted = _listed(statement.get("Action")), _listed(statement.get("NotAction"))
    if bool(wanted) == bool(unwanted):
        raise CannotTry("a statement needs one of Action and NotAction")
    if wanted:
        return any(like(one, action, any_case=True) for one in wanted)
    return not any(like(one, action, any_case=True) for one in unwanted)


def _resource(statement: Json, ask: Ask) -> bool:
    wanted, unwanted = _listed(statement.get("Resource")), _listed(statement.get("NotResource"))
    if bool(wanted) == bool(unwanted):
        raise CannotTry("a statement needs one of Resource and NotResource")
    patterns = wanted or unwanted
    if any("${" in one for one in patterns):
        raise CannotTry("a policy variable stands in a resource")
    if "*" in patterns:
        return bool(wanted)
    if ask.resources is None:
        raise CannotTry(f"which resource {ask.action} touched is not known")
    found = [any(arn_like(one, arn) for one in patterns) for arn in ask.resources]
    return any(found) if wanted else not all(found)


def _listed(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)


# -- conditions ------------------------------------------------------------------------------------

_Test = Callable[[str, str], bool]


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_any_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


_ANY = "ForAnyValue:"
_OPERATORS: Mapping[str, tuple[_Test, bool]] = {
    "StringEquals": (_equal, True),
    "StringNotEquals": (_equal, False),
    "StringEqualsIgnoreCase": (_equal_any_case, True),
    "StringNotEqualsIgnoreCase": (_equal_any_case, False),
    "StringLike": (like, True),
    "StringNotLike": (like, False),
    "ArnEquals": (arn_like, True),
    "ArnLike": (arn_like, True),
    "ArnNotEquals": (arn_like, False),
    "ArnNotLike": (arn_like, False),
    "Bool": (_equal_any_case, True),
}


def _conditions(block: Json, ask: Ask) -> bool:
    """All operators and all keys must hold; of several values one is enough (none, for the negated operators)."""
    rows = [(how, key, _texts(values)) for how, keys in block.items() for key, values in keys.items()]
    held = [_holds(how, key, values, ask) for how, key, values in rows]
    return all(held)


def _holds(how: str, key: str, values: tuple[str, ...], ask: Ask) -> bool:
    if any("${" in value for value in values):
        raise CannotTry(f"a policy variable stands in the condition on {key}")
    given = _given(key, ask)
    if how == "Null":
        return values == ("true",) if given is None else values == ("false",)
    one = how.removeprefix(_ANY)
    name = one.removesuffix("IfExists")
    any_value = one != how
    if name not in _OPERATORS:
        raise CannotTry(f"the condition operator {how} is not known here")
    test, wanted = _OPERATORS[name]
    if any_value and not wanted:
        raise CannotTry(f"the condition operator {how} is not known here")
    if not any_value and given and len(given) > 1:
        raise CannotTry(
            f"{key} has several values, which the condition operator {how} does not say how to compare"
        )
    if given is None:
        return not wanted or one != name
    return any(test(value, had) for value in values for had in given) == wanted


def _texts(values: Any) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in listed)


def _given(key: str, ask: Ask) -> tuple[str, ...] | None:
    """The request's values of a condition key; None when the request has none."""
    known: dict[str, str | None] = {
        "aws:principalarn": ask.principal or None,
        "aws:principalaccount": ask.account if ask.principal else None,
        "aws:requestedregion": ask.region or None,
        "aws:multifactorauthpresent": None if ask.mfa is None else str(ask.mfa).lower(),
    }
    own = {name.lower(): values for name, values in ask.keys.items()}
    if key.lower() in known_condition_keys():
        return own.get(key.lower()) or None
    if key.lower() not in known:
        raise CannotTry(f"the condition key {key} is not recorded")
    value = known[key.lower()]
    return None if value is None else (value,)
