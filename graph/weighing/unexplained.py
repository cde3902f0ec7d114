"""Limits that began to refuse during the symptom and that no accepted cause explains: perhaps a second is to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from graph.claims import statement, total_claim
from graph.facts import Facts
from graph.models import Hypothesis, MetricFinding
from graph.weighing.second import sets_off
from graph.weighing.witness import names
from graph.words import number
from tools.models import Statement

_LATER = timedelta(minutes=2)
"""What begins this long after the symptom is hardly its beginning."""


def unexplained(facts: Facts, causes: tuple[Hypothesis, ...]) -> tuple[MetricFinding, ...]:
    """Refusals on the way of the requests, at most one metric of each resource, oldest first."""
    if facts.onset is None or not causes:
        return ()
    way = {facts.incident.resource, *facts.downstream(facts.incident.resource)}
    found: dict[str, MetricFinding] = {}
    for item in facts.metrics:
        late = item.onset is not None and item.onset.earliest >= facts.onset.latest + _LATER
        refuses = item.moved and item.direction == "up" and item.role == "throttles" and late
        known = any(sets_off(facts, one, item) for one in causes)
        if refuses and not known and item.resource in way and _by_a_limit(facts, item):
            found.setdefault(item.resource, item)
    return tuple(found.values())


def _by_a_limit(facts: Facts, item: MetricFinding) -> bool:
    """Whether a setting of the resource, lowered, would do that."""
    resource = facts.resource(item.resource)
    settings = facts.settings_of(resource) if resource is not None else ()
    return any(
        effect.metric == item.metric.name and effect.when in {"lowered", "any"}
        for setting in settings
        for effect in setting.effects
    )


def may_come(facts: Facts, causes: tuple[Hypothesis, ...]) -> bool:
    """Whether CloudTrail may still deliver the change behind one of them."""
    until = facts.complete_until
    if not facts.trail_visible or until is None:
        return False
    began = [item.onset.latest for item in unexplained(facts, causes) if item.onset is not None]
    return any(until < moment for moment in (*began, *_new_texts(facts, causes)))


def _new_texts(facts: Facts, causes: tuple[Hypothesis, ...]) -> Iterator[datetime]:
    """When error texts began, well after the symptom, that point to what is no accepted cause."""
    for pattern in facts.patterns:
        signature = facts.signature(pattern)
        if signature is None or not pattern.is_new or facts.onset is None:
            continue
        if pattern.first >= facts.onset.latest + _LATER and not any(
            names(facts, one, signature) for one in causes
        ):
            yield pattern.first


def told(facts: Facts, causes: tuple[Hypothesis, ...]) -> tuple[Statement, ...]:
    """Each of them as a sentence."""
    return tuple(
        statement(
            "{metric} of {name} began later: {total}. It may follow from the cause, or have one of its own that is not "
            "visible.",
            evidence=item.evidence,
            claims=[total_claim(item)],
            metric=item.metric.name,
            name=facts.name(item.resource),
            total=number(item.total or 0.0),
        )
        for item in unexplained(facts, causes)
    )
