"""Witnesses: error texts that name a cause, and companions that move when the cause is true."""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import log_claim, rate_claim, shown, statement, total_claim
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weighing.mechanism import effects
from graph.weights import WEIGHTS
from graph.words import number, say
from tools.models import LogPattern


def about(facts: Facts, pattern: LogPattern, arn: str) -> bool:
    """Does this pattern speak of this resource: by ARN or exact name?"""
    resource = facts.resource(arn)
    return resource is not None and bool({resource.arn, resource.name} & set(pattern.names))


def logs(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Do new error texts name this setting or condition, or another one of the same resource?"""
    if hypothesis.kind not in {"change", "setting", "condition"}:
        return None
    told = [
        (pattern, signature.points_to)
        for pattern in facts.patterns
        if pattern.after and about(facts, pattern, hypothesis.resource)
        if (signature := facts.signature(pattern)) is not None
    ]
    target = hypothesis.setting or hypothesis.condition
    for pattern, points_to in told:
        if points_to == target:
            return _told(
                facts, pattern, "logs.name_it", "{count} log lines since the onset name it ({reason})"
            )
    if told and hypothesis.kind != "change":
        return _told(
            facts, told[0][0], "logs.name_another", "{count} log lines name another cause ({reason})"
        )
    if told and (hypothesis.setting or not any(pattern.is_new for pattern, _ in told)):
        return _told(
            facts, told[0][0], "logs.name_another", "{count} log lines name another cause ({reason})"
        )
    for pattern in facts.patterns:
        if (
            pattern.is_new
            and pattern.after
            and not facts.signature(pattern)
            and about(facts, pattern, hypothesis.resource)
        ):
            return _told(
                facts, pattern, "logs.name_resource", "{count} new log lines name this resource ({reason})"
            )
    return None


def _told(facts: Facts, pattern: LogPattern, key: str, message: str) -> TestResult:
    said = statement(
        message,
        evidence=pattern.evidence,
        claims=[log_claim(pattern, facts.log_window)] if facts.log_window else [],
        count=number(pattern.after),
        reason=pattern.reason or pattern.error_code or "new pattern",
    )
    return TestResult(test="logs", weight=WEIGHTS[key], statement=said)


def companions(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Metrics of the changed resource that must move too when this is the cause."""
    symptom = facts.incident.metric
    total = 0.0
    for effect in effects(facts, hypothesis):
        found = facts.metric(hypothesis.resource, effect.metric) if effect.on == "self" else None
        if found is None or (symptom is not None and found.metric.name == symptom.name):
            continue
        moved = found.moved and (effect.direction == "silent" or found.direction == effect.direction)
        weight = WEIGHTS["companion.moved" if moved else "companion.still"]
        if abs(total + weight) > WEIGHTS["companion.most"]:
            continue
        total += weight
        if moved and effect.direction == "down" and found.before is not None and found.after is not None:
            said = statement(
                "{metric} fell from {before} to {after}{per}",
                evidence=found.evidence,
                claims=[rate_claim(found, since=False), rate_claim(found, since=True)],
                metric=found.metric.name,
                before=shown(found.before)[0],
                after=shown(found.after)[0],
                per=say(" per second") if found.total is not None else "",
            )
        elif moved and found.total is not None:
            said = statement(
                "{metric}: {total} since the onset",
                evidence=found.evidence, claims=[total_claim(found)],
                metric=found.metric.name, total=number(found.total),
            )  # fmt: skip
        else:
            message = "{metric} moved with it" if moved else "{metric} should have moved and did not"
            said = statement(message, evidence=found.evidence, metric=found.metric.name)
        yield TestResult(test="companion", weight=weight, statement=said)
