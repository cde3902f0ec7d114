"""Topology: is there a way along relations from the cause to the symptom, how long, in which direction?"""

from __future__ import annotations

from itertools import pairwise

from graph.claims import changed_claim, statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.touching import things
from graph.weighing.moves import event_of
from graph.weights import WEIGHTS
from tools.models import Claim


def path(facts: Facts, hypothesis: Hypothesis) -> tuple[str, ...]:
    """ARNs from the cause to the symptom; empty when there is no way."""
    cause, symptom = hypothesis.resource, facts.incident.resource
    if cause == symptom:
        return (cause,)
    failing = facts.path(symptom, cause)  # the symptom relies on the cause
    if failing:
        return tuple(reversed(failing))
    return facts.path(cause, symptom)


def topology(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """How near the cause is to the symptom."""
    if not hypothesis.resource or hypothesis.kind in {"alarm_changed", "traffic"}:
        return None
    if hypothesis.event in facts.aside:
        return _aside(facts, hypothesis)
    way = path(facts, hypothesis)
    names = " → ".join(facts.name(arn) for arn in way)
    if not way:
        event = event_of(facts, hypothesis)
        said = statement(
            "no relation is known between {name} and the symptom",
            evidence=event.evidence[:1] if event else (),
            claims=[changed_claim(event, hypothesis.resource)] if event else (),
            name=facts.name(hypothesis.resource),
        )
        return TestResult(test="topology", weight=WEIGHTS["topology.no_path"], statement=said)
    if facts.holder(hypothesis.resource) == facts.incident.resource:
        said = statement(
            "it is the resource that shows the symptom"
            if len(way) == 1
            else "it is a part of the resource that shows the symptom"
        )
        return TestResult(test="topology", weight=WEIGHTS["topology.same"], statement=said)
    distance = {2: "near", 3: "two_away"}.get(_length(facts, way), "further")
    key = f"topology.{distance}" if bears(facts, hypothesis.resource) else "topology.upstream"
    said = statement(
        "reaches the symptom: {names}",
        evidence=_evidence(facts, way),
        claims=way_claims(facts, way),
        names=names,
    )
    return TestResult(test="topology", weight=WEIGHTS[key], statement=said)


def _aside(facts: Facts, hypothesis: Hypothesis) -> TestResult:
    """Another record of the zone, another rule of the bus: the resource led to the symptom, this in it did not."""
    event = event_of(facts, hypothesis)
    said = statement(
        "it is about {things} of {name}, which did not lead to the symptom",
        evidence=event.evidence[:1] if event else (),
        claims=[changed_claim(event, hypothesis.resource)] if event else (),
        things=", ".join(sorted(things(event))) if event else "",
        name=facts.name(hypothesis.resource),
    )
    return TestResult(test="topology", weight=WEIGHTS["topology.no_path"], statement=said)


_HANDED_ON = frozenset({"work", "demand", "backlog"})


def bears(facts: Facts, arn: str) -> bool:
    """Whether what is wrong with this resource comes to the symptom: the symptom's resource relies on it, or gets its
    work from it and shows that too little or too much of that comes."""
    symptom = facts.incident.resource
    if facts.holder(arn) == facts.holder(symptom) or facts.path(symptom, arn):
        return True
    return facts.incident.role in _HANDED_ON and symptom in facts.downstream(arn)


def _length(facts: Facts, way: tuple[str, ...]) -> int:
    """How many things lie on the way, both ends included; at least two.

    What only hands requests on within another is no step, nor is what serves none itself, only says how others do: a
    group of parameters, a role, a route table.
    """
    inner = [arn for arn in way[1:-1] if not _is_part(facts, arn) and _serves(facts, arn)]
    return max(2, 1 + len(inner) + _serves(facts, way[0]))


def _serves(facts: Facts, arn: str) -> bool:
    """Whether it runs or stores something, or any metric tells what it does. Of what is not known it is taken for
    granted."""
    resource = facts.resource(arn)
    service = facts.service(resource) if resource is not None else None
    if resource is None or service is None or service.types.get(resource.type) == "container":
        return True
    return any(spec.type == resource.type and spec.role != "setting" for spec in service.metrics)


def _is_part(facts: Facts, arn: str) -> bool:
    resource = facts.resource(arn)
    service = facts.service(resource) if resource is not None else None
    return resource is not None and service is not None and service.types[resource.type] == "component"


def _pairs(facts: Facts, way: tuple[str, ...]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    pairs = {pair for one in pairwise(way) for pair in (one, one[::-1])}
    return [
        (item.source, item.kind, item.target, item.evidence)
        for item in facts.relations
        if (item.source, item.target) in pairs
    ]


def way_claims(facts: Facts, way: tuple[str, ...]) -> list[Claim]:
    return [
        Claim(kind="relation", subject=source, field=kind, value=target)
        for source, kind, target, _ in _pairs(facts, way)
    ]


def _evidence(facts: Facts, way: tuple[str, ...]) -> list[str]:
    return [one for *_, evidence in _pairs(facts, way) for one in evidence]
