"""Is the plan exactly the true one, valid, rehearsed, and free of harm?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from evals.comparing import Item, differs, item, same
from evals.truth import Harm, TrueCall, Truth
from graph.models import Mitigation, Report, Step
from tools.models import Call, Json

Check = Callable[[Call], Sequence[str]]
"""What botocore's model says against a call; empty when it is valid."""


def plan_item(report: Report, truth: Truth, check: Check, rehearsal: Sequence[str] = ()) -> Item:
    """The true calls and no others, in order, valid, account first. `rehearsal`: what failed when it was tried."""
    plan = report.mitigation
    apply = _calls(plan.apply) if plan else ()
    rollback = _calls(plan.rollback) if plan else ()
    own = report.incident.account
    problems = _compare("apply", truth.plan.apply, apply, own)
    problems += _compare("rollback", truth.plan.rollback, rollback, own)
    problems += [f"rehearsal: {problem}" for problem in rehearsal]
    everything = _all_calls(plan)
    problems += [
        f"{call.service}:{call.operation} is invalid: {why}" for call in everything for why in check(call)
    ]
    if apply:
        problems += _account_first(plan, apply[0].account or own)
        causes = (report.root_cause, *report.also)
        events = {one.event.region for one in causes if one is not None and one.event is not None}
        # Services such as IAM are changed, and their changes recorded, in the partition's global region only.
        places = {"", report.incident.region, *events}
        strays = {call.region for call in apply + rollback} - places
        problems += [f"a call goes to {region}, not {report.incident.region}" for region in sorted(strays)]
    return item("plan", problems, f"{len(apply)} to apply, {len(rollback)} to go back")


def _compare(part: str, expected: Sequence[TrueCall], got: Sequence[Call], own: str) -> list[str]:
    if len(expected) != len(got):
        names = ", ".join(f"{call.service}:{call.operation}" for call in got) or "none"
        return [f"{part}: expected {len(expected)} calls, got {len(got)} ({names})"]
    return [
        f"{part}: {why}"
        for true, told in zip(expected, got, strict=True)
        for why in (*_call(true, told), *_where(true, told, own))
        if why
    ]


def _call(true: TrueCall, told: Call) -> list[str]:
    if (true.service, true.operation) != (told.service, told.operation):
        return [f"expected {true.service}:{true.operation}, got {told.service}:{told.operation}"]
    allowed = {**true.optional, **true.parameters}
    missing = [f"{key} is missing" for key in true.parameters if key not in told.parameters]
    extra = [
        f"{key} is sent, which is not part of the change" for key in told.parameters if key not in allowed
    ]
    shared = [key for key in told.parameters if key in allowed]
    return missing + extra + [differs(key, allowed[key], told.parameters[key]) for key in shared]


def _where(true: TrueCall, told: Call, own: str) -> list[str]:
    """What is wrong with the account and the region in which a call is to be made."""
    problems = (
        [] if (told.account or own) == (true.account or own) else [f"is for account {told.account or own}"]
    )
    if true.region and told.region != true.region:
        problems.append(f"is for region {told.region or 'none'}, not {true.region}")
    return problems


def _account_first(plan: Mitigation | None, account: str) -> list[str]:
    steps = (*plan.prepare, *plan.pre_validate) if plan else ()
    first = next((step for step in steps if step.calls), None)
    if first is None or first.calls[0].operation != "GetCallerIdentity":
        return ["the first step does not check the account"]
    return (
        [] if any(account in text for text in first.expect) else [f"the first step does not expect {account}"]
    )


def _calls(steps: Iterable[Step]) -> tuple[Call, ...]:
    return tuple(call for step in steps for call in step.calls)


def _all_calls(plan: Mitigation | None) -> tuple[Call, ...]:
    if plan is None:
        return ()
    parts = (
        *(plan.prepare, plan.pre_validate, plan.apply, plan.post_validate),
        *(plan.rollback, plan.stays_red, plan.afterwards),
    )
    return tuple(call for steps in parts for call in _calls(steps))


def harmful_calls(plan: Mitigation | None, harms: Sequence[Harm]) -> tuple[str, ...]:
    """Every call of the plan that does harm, as a sentence; once for each harm that it does."""
    found = []
    back = {id(call) for call in _calls(plan.rollback)} if plan else set()
    for harm in harms:
        found += [
            f"{call.service}:{call.operation} does harm"
            for call in _all_calls(plan)
            if not (harm.allowed_in_rollback and id(call) in back) and _harms(call, harm)
        ]
    return tuple(found)


def _harms(call: Call, harm: Harm) -> bool:
    if call.operation != harm.operation:
        return False
    if not harm.path:
        return True
    value = dig(call.parameters, harm.path)
    return value is not None and (not harm.values or any(same(value, bad) for bad in harm.values))


def dig(data: Json, path: str) -> Any:
    """The value at a dotted path, or None."""
    value: Any = data
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value
