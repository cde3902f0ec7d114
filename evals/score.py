"""Compare the reports of one run with the truth. Pure; every item passes or fails with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evals.truth import Harm, Look, TrueActor, TrueCall, TrueDecoy, TrueGap, Truth
from graph.models import Hypothesis, Mitigation, Report, RootCause, Step
from tools.models import Call, Gap, Json, Onset, Value

Check = Callable[[Call], Sequence[str]]
"""What botocore's model says against a call; empty when it is valid."""

_NO_CULPRIT = {"stale_alarm", "traffic", "outside"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One comparison. `why` says what was expected and found, also when it passed."""

    name: str
    ok: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """All comparisons of one run. `onset_error`: seconds from the true onset to the interval told."""

    items: tuple[Item, ...]
    onset_error: float | None = None

    @property
    def right(self) -> bool:
        return all(item.ok for item in self.items)

    @property
    def failed(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not item.ok)


def score(reports: Sequence[Report], truth: Truth, check: Check, false_claims: Sequence[str] = ()) -> Score:
    """Compare all revisions, oldest first, with the truth. The last one carries the answer."""
    if not reports:
        return Score(items=(Item(name="verdict", ok=False, why="there is no report"),))
    last = reports[-1]
    items = (
        _verdict(last, truth),
        _cause(last, truth),
        _prior(last.root_cause, truth),
        _actor(last.root_cause, truth),
        _plan(last, truth, check),
        _harmless(last.mitigation, truth.harmful),
        _gaps(last.gaps, truth.gaps),
        _decoys(last, truth.ruled_out),
        _onset(last.incident.onset, truth),
        _prevention(last, truth),
        _revisions(reports, truth),
        _claims(false_claims),
    )
    return Score(items=items, onset_error=onset_error(last.incident.onset, truth.onset))


def same(left: Any, right: Any) -> bool:
    """Equal as JSON values: 250 is 250.0, but True is not 1; lists keep their order."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return float(left) == float(right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)


def onset_error(told: Onset | None, true: datetime | None) -> float | None:
    """Seconds from the true onset to the interval told; 0 inside it; None when either is missing."""
    if told is None or true is None:
        return None
    return max(0.0, (told.earliest - true).total_seconds(), (true - told.latest).total_seconds())


def _item(name: str, problems: Iterable[str], fine: str) -> Item:
    found = [problem for problem in problems if problem]
    return Item(name=name, ok=not found, why="; ".join(found) or fine)


def _verdict(report: Report, truth: Truth) -> Item:
    wrong = report.verdict != truth.verdict
    return _item(
        "verdict", [f"expected {truth.verdict}, got {report.verdict}"] if wrong else [], truth.verdict
    )


def _cause(report: Report, truth: Truth) -> Item:
    told, true = report.root_cause, truth.cause
    if true is None:
        return _item("cause", _culprit(told), "no culprit is named")
    if told is None:
        return _item("cause", [f"no root cause; expected {true.kind} of {true.resource}"], "")
    problems = [
        _differs("kind", true.kind, told.kind),
        _differs("resource", true.resource, told.resource),
        _differs("field", true.field, told.field) if true.field else "",
        _differs("bad value", true.bad, told.bad_value) if "bad" in true.model_fields_set else "",
        _differs("event", true.event, told.event.id if told.event else ""),
        *_when(told, truth),
    ]
    return _item("cause", problems, f"{true.kind} of {true.resource}")


def _culprit(told: RootCause | None) -> list[str]:
    if told is None:
        return []
    problems = [] if told.kind in _NO_CULPRIT else [f"names a cause of kind {told.kind} where there is none"]
    if told.event is not None:
        problems.append(f"blames event {told.event.id}")
    return problems


def _when(told: RootCause, truth: Truth) -> list[str]:
    if truth.interval is None:
        return []
    if told.earliest is None or told.latest is None:
        return ["does not say when the cause happened"]
    at, widest = truth.interval.at, truth.interval.widest_seconds
    problems = (
        [] if told.earliest <= at <= told.latest else [f"{at} is outside {told.earliest} to {told.latest}"]
    )
    width = (told.latest - told.earliest).total_seconds()
    return problems + (
        [f"the interval is {width:.0f} s wide, allowed {widest:.0f}"] if width > widest else []
    )


def _prior(told: RootCause | None, truth: Truth) -> Item:
    true = truth.cause
    if true is None or "prior" not in true.model_fields_set:
        claimed = told is not None and told.prior_known
        return _item(
            "prior", ["claims a prior value where there is none"] if claimed else [], "no prior value is told"
        )
    if told is None or not told.prior_known:
        return _item("prior", [f"no prior value; expected {true.prior!r}"], "")
    agreeing = {source.kind for source in told.prior_sources if same(source.value, true.prior)}
    problems = [_differs("prior value", true.prior, told.prior_value)]
    problems += [
        f"no source of kind {kind} tells {true.prior!r}" for kind in true.sources if kind not in agreeing
    ]
    return _item("prior", problems, f"{true.prior!r} by {', '.join(sorted(agreeing)) or 'no source'}")


def _actor(told: RootCause | None, truth: Truth) -> Item:
    actor = told.actor if told else None
    true = truth.actor
    if true is None:
        return _item(
            "actor", [f"names {actor.name} where nobody may be named"] if actor else [], "nobody is named"
        )
    if actor is None:
        return _item("actor", [f"nobody is named; expected {true.name}"], "")
    return _item("actor", _person(true, actor), f"{true.name} ({true.kind}, {true.how})")


def _person(true: TrueActor, told: Any) -> list[str]:
    named = [(field, getattr(true, field), getattr(told, field)) for field in ("kind", "name", "how")]
    named += [("source IP", true.source_ip, told.source_ip)] if true.source_ip else []
    named += [("MFA", true.mfa, told.mfa)] if "mfa" in true.model_fields_set else []
    return [_differs(*row) for row in named]


def _differs(what: str, expected: Value, got: Value) -> str:
    return "" if same(expected, got) else f"{what}: expected {expected!r}, got {got!r}"


def _plan(report: Report, truth: Truth, check: Check) -> Item:
    plan = report.mitigation
    apply = _calls(plan.apply) if plan else ()
    rollback = _calls(plan.rollback) if plan else ()
    problems = _compare("apply", truth.plan.apply, apply) + _compare(
        "rollback", truth.plan.rollback, rollback
    )
    everything = _all_calls(plan)
    problems += [
        f"{call.service}:{call.operation} is invalid: {why}" for call in everything for why in check(call)
    ]
    if apply:
        problems += _account_first(plan, report.incident.account)
        strays = {call.region for call in apply + rollback} - {"", report.incident.region}
        problems += [f"a call goes to {region}, not {report.incident.region}" for region in sorted(strays)]
    return _item("plan", problems, f"{len(apply)} to apply, {len(rollback)} to go back")


def _compare(part: str, expected: Sequence[TrueCall], got: Sequence[Call]) -> list[str]:
    if len(expected) != len(got):
        names = ", ".join(f"{call.service}:{call.operation}" for call in got) or "none"
        return [f"{part}: expected {len(expected)} calls, got {len(got)} ({names})"]
    return [
        f"{part}: {why}" for true, told in zip(expected, got, strict=True) for why in _call(true, told) if why
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
    return missing + extra + [_differs(key, allowed[key], told.parameters[key]) for key in shared]


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
    parts = (plan.prepare, plan.pre_validate, plan.apply, plan.post_validate, plan.rollback, plan.stays_red)
    return tuple(call for steps in parts for call in _calls(steps))


def _harmless(plan: Mitigation | None, harms: Sequence[Harm]) -> Item:
    problems = []
    for harm in harms:
        back = (
            set() if plan is None or not harm.allowed_in_rollback else {id(c) for c in _calls(plan.rollback)}
        )
        problems += [
            f"{call.service}:{call.operation} does harm"
            for call in _all_calls(plan)
            if id(call) not in back and _harms(call, harm)
        ]
    return _item("harmless", problems, "no harmful call")


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


def _gaps(told: Sequence[Gap], true: Sequence[TrueGap]) -> Item:
    problems = [
        f"no gap tells {gap.code} {gap.action}".rstrip()
        for gap in true
        if not any(_lifts(item, gap) for item in told)
    ]
    return _item("gaps", problems, f"{len(true)} expected gaps are told")


def _lifts(told: Gap, true: TrueGap) -> bool:
    if told.code != true.code:
        return False
    return not true.action or true.action in _actions(told.statement)


def _actions(statement: Json | None) -> list[str]:
    listed = (statement or {}).get("Action", [])
    return [listed] if isinstance(listed, str) else list(listed)


def _decoys(report: Report, true: Sequence[TrueDecoy]) -> Item:
    """Ruled out as a hypothesis, or, for an attempt that AWS refused, told as refused among the findings."""
    out = [hypothesis for hypothesis in report.hypotheses if hypothesis.status == "ruled_out"]
    refused = {
        claim.subject
        for statement in report.findings
        for claim in statement.claims
        if (claim.kind, claim.field) == ("event", "error_code") and claim.value
    }
    problems = [
        f"{decoy.event or decoy.condition or decoy.kind} is not among the ruled out"
        for decoy in true
        if decoy.event not in refused and not any(_is(hypothesis, decoy) for hypothesis in out)
    ]
    return _item("ruled out", problems, f"{len(true)} decoys are ruled out")


def _is(told: Hypothesis, true: TrueDecoy) -> bool:
    return (
        (not true.event or told.event == true.event)
        and (not true.condition or told.condition == true.condition)
        and (true.kind is None or told.kind == true.kind)
    )


def _onset(told: Onset | None, truth: Truth) -> Item:
    if truth.onset is None:
        return Item(name="onset", ok=True, why="no onset to compare")
    error = onset_error(told, truth.onset)
    if told is None or error is None:
        return _item("onset", ["no onset is told"], "")
    width = (told.latest - told.earliest).total_seconds()
    problems = [f"{error:.0f} s away from {truth.onset}"] if error > truth.onset_within else []
    problems += [f"the interval is {width:.0f} s wide"] if width > 2 * truth.onset_within + 300 else []
    return _item("onset", problems, f"{error:.0f} s away")


def _prevention(report: Report, truth: Truth) -> Item:
    kinds = {measure.kind for measure in report.prevention}
    problems = [f"no measure of kind {kind}" for kind in truth.prevention if kind not in kinds]
    problems += [
        f'"{item.title}" has no artefact or reason' for item in report.prevention if not _whole(item)
    ]
    return _item(
        "prevention", [] if kinds and not problems else problems or ["none"], ", ".join(sorted(kinds))
    )


def _whole(measure: Any) -> bool:
    return bool(measure.why and measure.artefact and measure.artefact_name)


def _revisions(reports: Sequence[Report], truth: Truth) -> Item:
    numbers = [report.revision for report in reports]
    problems = [] if numbers == list(range(1, len(reports) + 1)) else [f"revisions are numbered {numbers}"]
    if truth.revisions and len(reports) != len(truth.revisions):
        problems.append(f"expected {len(truth.revisions)} revisions, got {len(reports)}")
    for report, look in zip(reports, truth.revisions, strict=False):
        problems += _look(report, look, truth)
    return _item("revisions", problems, f"{len(reports)} as expected")


def _look(report: Report, look: Look, truth: Truth) -> list[str]:
    name = f"revision {report.revision}"
    problems = [_differs(f"{name} verdict", look.verdict, report.verdict)]
    if not look.silent:
        return problems
    cause = report.root_cause
    if cause is not None and (cause.event is not None or cause.actor is not None):
        problems.append(f"{name} names somebody or an event")
    text = report.model_dump_json(exclude={"evidence", "topology", "statistics"})
    secret = [truth.actor.name if truth.actor else "", truth.cause.event if truth.cause else ""]
    problems += [f"{name} tells {word}" for word in secret if word and _told(word, text)]
    return problems


def _told(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _claims(false: Sequence[str]) -> Item:
    shown = "; ".join(false[:3]) + (f"; and {len(false) - 3} more" if len(false) > 3 else "")
    return Item(name="claims", ok=not false, why=f"{len(false)} false: {shown}" if false else "0 false")
