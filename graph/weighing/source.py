"""Source: does the harm arise at the hypothesis's resource, or does it only pass on what it waits for?"""

from __future__ import annotations

from graph.claims import rate_claim, statement, total_claim
from graph.facts import Facts
from graph.models import Hypothesis, MeasuredContribution, MetricFinding, TestResult
from graph.weighing.where import way_claims
from graph.weights import WEIGHTS
from tools.models import Claim, Statement

_MOST = 0.5  # of all that the symptom's resource shows
_LITTLE = 0.1  # of its own excess


def source_of(facts: Facts) -> MeasuredContribution | None:
    """Where most of the harm arises, when one resource stands out; None when none does or nothing tells.

    Where the symptom's resource alone is measured, that it has all of the harm says nothing.
    """
    several = facts.contributions
    if not several or [one.resource for one in several] == [facts.incident.resource]:
        return None
    first = several[0]
    whole = max(one.excess for one in several)
    return first if first.stands_out and first.own >= _MOST * whole else None


def source(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Whether it is where the harm arises. No result for what no metric measures: a role, a route, a security group."""
    first = source_of(facts)
    if first is None or hypothesis.kind not in {"change", "setting", "condition"}:
        return None
    where = facts.holder(hypothesis.resource)
    own = next((one for one in facts.contributions if one.resource == where), None)
    if own is None:
        return None
    if own is first:
        said = arises(facts, first)
        return TestResult(test="source", weight=WEIGHTS["source.here"], statement=said)
    if own.excess > 0 and own.own <= _LITTLE * own.excess and first.resource in facts.downstream(where):
        said = statement(
            "{first}, which {name} waits for, explains all of its delay"
            if first.harm == "seconds"
            else "{first}, which {name} waits for, explains all of its failures",
            evidence=(*own.evidence, *first.evidence),
            claims=(*_claims(_finding(facts, own)), *way_claims(facts, facts.path(where, first.resource))),
            name=facts.name(where),
            first=facts.name(first.resource),
        )
        return TestResult(test="source", weight=WEIGHTS["source.passed_on"], statement=said)
    return None


def arises(facts: Facts, first: MeasuredContribution) -> Statement:
    """That most of the harm arises there."""
    found = _finding(facts, first)
    return statement(
        "most of the delay arises at {name}: what it waits for does not explain it"
        if first.harm == "seconds"
        else "most of the failures arise at {name}: what it waits for does not explain them",
        evidence=first.evidence,
        claims=_claims(found),
        name=facts.name(first.resource),
    )


def _finding(facts: Facts, one: MeasuredContribution) -> MetricFinding | None:
    return next((item for item in facts.of_resource(one.resource) if item.metric == one.metric), None)


def _claims(found: MetricFinding | None) -> list[Claim]:
    if found is None:
        return []
    return [total_claim(found)] if found.total is not None else [rate_claim(found, since=True)]
