"""Dose: is the new limit below what was asked for, and did the setting's own metric move with it?"""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import rate_claim, setting_claim, shown, statement
from graph.facts import Facts
from graph.models import Hypothesis, MetricFinding, TestResult
from graph.parts import takes_it_all
from graph.weighing.moves import Move, as_number, event_of, move, step_of, whole
from graph.weights import WEIGHTS
from graph.words import say


def dose(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Limit against demand, and the setting's own metric."""
    what = move(facts, hypothesis)
    if what is None or hypothesis.kind not in {"change", "setting"}:
        return
    yield from _limit(facts, hypothesis, what)
    yield from _own_metric(facts, hypothesis, what)


def demand(facts: Facts, arn: str, what: Move) -> MetricFinding | None:
    """The metric that the setting caps, with data from before the onset."""
    found = facts.metric(facts.holder(arn), what.setting.limits) if what.setting.limits else None
    return found if found is not None and found.before is not None else None


def below_demand(facts: Facts, hypothesis: Hypothesis) -> bool:
    """Whether the limit stands below what was asked for, and served, before the onset: then somebody lowered it.

    Only where CloudTrail cannot be read: else its event is there, or is awaited.
    A limit of 0 is left out: AWS shows it for "not in force" as well (the provisioned capacity of a table on demand).
    """
    if facts.trail_visible:
        return False
    what = move(facts, hypothesis)
    asked = demand(facts, hypothesis.resource, what) if what is not None else None
    if what is None or asked is None or asked.before is None or facts.onset is None or not what.after_known:
        return False
    limit = as_number(what.after, what.setting)
    if limit is None or not 0 < limit < asked.before or not takes_it_all(facts, hypothesis.resource):
        return False
    return all(_refused_as_if(one, asked, limit) for one in _refusals(facts, hypothesis.resource, what))


def _refusals(facts: Facts, arn: str, what: Move) -> list[MetricFinding]:
    """Counts of what is refused while the limit holds, of the resource itself."""
    names = {
        one.metric
        for one in what.setting.effects
        if one.on == "self" and one.direction == "up" and not one.may
    }
    found = (facts.metric(facts.holder(arn), name) for name in sorted(names))
    return [
        one
        for one in found
        if one is not None and one.role in {"errors", "throttles"} and one.total is not None
    ]


def _refused_as_if(refused: MetricFinding, asked: MetricFinding, limit: float) -> bool:
    """Fewer were refused before the onset, and no fewer since, than this limit refuses of what is asked for.

    Else it always stood there, or something else refuses. A level (tasks, connections) tells no such number.
    """
    if asked.metric.stat != "Sum" or asked.before is None:
        return refused.moved
    before, since = asked.before - limit, (asked.after or 0.0) - limit
    return (refused.before or 0.0) < before / 2 and (refused.after or 0.0) >= since / 2


def per(finding: MetricFinding) -> str:
    """Counts are told per second, levels as they are: " per second" or ""."""
    return say(" per second") if finding.metric.stat == "Sum" else ""


def _limit(facts: Facts, hypothesis: Hypothesis, what: Move) -> Iterator[TestResult]:
    asked = demand(facts, hypothesis.resource, what)
    limit = as_number(what.after, what.setting) if what.after_known else None
    if asked is None or asked.before is None or limit is None:
        return
    event, step = event_of(facts, hypothesis), step_of(facts, hypothesis)
    printed, _, _ = shown(asked.before)
    at = event.time if event else step.step.latest if step else facts.as_of
    claims = [
        rate_claim(asked, since=False),
        setting_claim(hypothesis.resource, hypothesis.setting, what.after, at),
    ]
    told = event.evidence if event else step.step.evidence if step else facts.read_in(hypothesis.resource)
    evidence = [*told, *asked.evidence]
    if limit < asked.before:
        said = statement(
            "{limit} is below the demand of {demand}{per} before the onset",
            evidence=evidence, claims=claims, limit=what.after, demand=printed, per=per(asked),
        )  # fmt: skip
        yield TestResult(test="dose", weight=WEIGHTS["dose.below_demand"], statement=said)
    elif limit > 1.2 * asked.before:
        said = statement(
            "{limit} leaves room above the demand of {demand}{per} before the onset",
            evidence=evidence, claims=claims, limit=what.after if limit < float("inf") else "no limit",
            demand=printed, per=per(asked),
        )  # fmt: skip
        yield TestResult(test="dose", weight=WEIGHTS["dose.leaves_room"], statement=said)


def _own_metric(facts: Facts, hypothesis: Hypothesis, what: Move) -> Iterator[TestResult]:
    found, event = step_of(facts, hypothesis), event_of(facts, hypothesis)
    if found is None or event is None or as_number(what.after, what.setting) != found.step.after:
        return
    said = statement(
        "the setting's own metric went from {before} to {after}",
        evidence=found.step.evidence,
        claims=[
            setting_claim(
                hypothesis.resource, hypothesis.setting, whole(found.step.before), found.step.earliest
            ),
            setting_claim(
                hypothesis.resource, hypothesis.setting, whole(found.step.after), found.step.latest
            ),
        ],
        before=f"{found.step.before:g}",
        after=f"{found.step.after:g}",
    )
    yield TestResult(test="dose", weight=WEIGHTS["dose.own_metric_agrees"], statement=said)
