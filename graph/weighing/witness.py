"""Witnesses: error texts that name a cause, and companions that move when the cause is true."""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import log_claim, rate_claim, shown, statement, total_claim
from graph.facts import Facts
from graph.models import Hypothesis, MetricFinding, TestResult
from graph.weighing.mechanism import effects
from graph.weighing.moves import event_of
from graph.weights import WEIGHTS
from graph.words import number, say
from tools.catalogue import change_of
from tools.models import LogPattern, Resource
from tools.services._spec import Effect, Signature

TELLS = 8
"""So many must have been expected before their absence says something."""


def about(facts: Facts, pattern: LogPattern, arn: str) -> bool:
    """Does this pattern speak of this resource: by ARN, name, host, as the role taken, or in its own log group?

    A log group tells of its owner only in error texts that the owner's service file knows: a function's "timed
    out" names nobody, and other lines there are about what the function calls.
    """
    resource = facts.resource(arn)
    if resource is None:
        return False
    if {resource.arn, resource.name} & set(pattern.names) or _takes(pattern, resource):
        return True
    if any(one.arn == arn for name in pattern.names for one in facts.directory.mentioned(name)):
        return True
    service, signature = facts.service(resource), facts.signature(pattern)
    if service is None or signature is None:
        return False
    if signature in service.signatures and not signature.own and _only_one(facts, pattern, resource):
        return True
    if service.log_groups is None:
        return False
    if signature.remote and any(facts.directory.mentioned(name) for name in pattern.names):
        return False
    return signature in service.signatures and pattern.log_group in service.log_groups(resource)


def _only_one(facts: Facts, pattern: LogPattern, resource: Resource) -> bool:
    """The text names nobody, is of another service than its writer, who relies on no other resource of this kind."""
    if pattern.names:
        return False
    for writer in facts.writers(pattern.log_group):
        own = facts.resource(writer)
        if own is None or own.service == resource.service:
            continue
        known = (facts.resource(arn) for arn in facts.downstream(writer))
        alike = [
            one.arn for one in known if one and (one.service, one.type) == (resource.service, resource.type)
        ]
        if alike == [resource.arn]:
            return True
    return False


def _takes(pattern: LogPattern, resource: Resource) -> bool:
    """Refusals name a role by its session: arn:aws:sts::111122223333:assumed-role/NAME/SESSION."""
    return resource.type == "role" and any(
        f":{resource.account}:assumed-role/{resource.name}/" in name for name in pattern.names
    )


def logs(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Do error texts that are new or louder name this setting or condition, or another one of the same resource?"""
    if hypothesis.kind not in {"change", "setting", "condition"}:
        return None
    told = [
        (pattern, signature)
        for pattern in facts.patterns
        if facts.louder(pattern) and about(facts, pattern, hypothesis.resource)
        if (signature := facts.signature(pattern)) is not None
    ]
    for pattern, signature in told:
        if names(facts, hypothesis, signature) or _same_refusal(facts, hypothesis, signature):
            return _told(
                facts, pattern, "logs.name_it", "{count} log lines since the onset name it ({reason})"
            )
    # That a caller waits or is cut off follows from many causes: it speaks against none.
    others = [pattern for pattern, signature in told if not signature.remote]
    if others and (
        hypothesis.kind != "change" or hypothesis.setting or not any(pattern.is_new for pattern in others)
    ):
        return _told(facts, others[0], "logs.name_another", "{count} log lines name another cause ({reason})")
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


def _same_refusal(facts: Facts, hypothesis: Hypothesis, signature: Signature) -> bool:
    """The text tells of the refusals by which the condition is known: it comes whether the limit was lowered or one
    part is asked for too much."""
    known = facts.condition(hypothesis.resource, hypothesis.condition) if hypothesis.condition else None
    setting = facts.setting(hypothesis.resource, signature.points_to)
    if known is None or setting is None:
        return False
    return any(effect.metric in known.metrics for effect in setting.effects)


def names(facts: Facts, hypothesis: Hypothesis, signature: Signature) -> bool:
    """Its setting, its condition, its operation; or a part of the resource that no setting stands for (policies)."""
    target = hypothesis.setting or hypothesis.condition
    event, resource = event_of(facts, hypothesis), facts.resource(hypothesis.resource)
    if target:
        return signature.points_to == target or (event is not None and signature.points_to == event.operation)
    if event is None or resource is None:
        return False
    if signature.points_to == event.operation:
        return True
    known, service = change_of(event), facts.service(resource)
    part = facts.setting(resource.arn, signature.points_to) is None and signature.points_to in resource.config
    return (
        part
        and known is not None
        and not known.inert
        and service is not None
        and signature in service.signatures
    )


def _told(facts: Facts, pattern: LogPattern, key: str, message: str) -> TestResult:
    said = statement(
        message,
        evidence=pattern.evidence,
        claims=[log_claim(pattern, facts.log_window)] if facts.log_window else [],
        count=number(pattern.after),
        reason=pattern.reason or pattern.error_code or "new pattern",
    )
    return TestResult(test="logs", weight=WEIGHTS[key], statement=said)


def _too_few(found: MetricFinding, effect: Effect) -> bool:
    """It had to fall, and it did, or so little was counted before that nobody could tell."""
    if effect.direction not in ("silent", "down") or found.total is None:
        return False
    expected = (found.before or 0.0) * found.since.seconds
    return expected < TELLS or found.total <= expected / 2


def companions(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Metrics of the changed resource that must move too when this is the cause."""
    symptom = facts.incident.metric
    if hypothesis.kind == "condition":
        yield from _beside(facts, hypothesis)
        return
    total = 0.0
    for effect in effects(facts, hypothesis):
        own = facts.holder(hypothesis.resource)
        found = facts.metric(own, effect.metric) if effect.on == "self" else None
        if found is None or (symptom is not None and found.metric.name == symptom.name):
            continue
        moved = found.moved and (effect.direction == "silent" or found.direction == effect.direction)
        if not moved and (effect.may or _too_few(found, effect)):
            continue
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


def _beside(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Metrics that move with a condition. They move for other reasons too: one that stays still speaks not against."""
    known = facts.condition(hypothesis.resource, hypothesis.condition)
    for name in known.beside if known is not None else ():
        found = facts.metric(hypothesis.resource, name)
        if found is not None and found.moved and found.direction == (found.bad or "up"):
            said = statement("{metric} moved with it", evidence=found.evidence, metric=name)
            yield TestResult(test="companion", weight=WEIGHTS["companion.moved"], statement=said)
