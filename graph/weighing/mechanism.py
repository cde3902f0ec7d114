"""Mechanism: does the service file say that this change moves this metric this way, here or along relations?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from graph.claims import statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weighing.moves import Move, event_of, move, untold
from graph.weights import WEIGHTS
from tools.catalogue import change_of, services
from tools.history import requested
from tools.models import ChangeEvent, Metric, PriorKind, Resource
from tools.services._spec import Effect, MetricSpec

_LIVE: frozenset[PriorKind] = frozenset({"metric", "version"})
"""Sources that show what a setting was, whoever moved it; a request only tells what was asked once."""

FAILURE_ROLES = {"errors", "throttles", "latency", "saturation", "backlog"}
"""Roles that a failing resource passes on to those who call it."""


def effects(facts: Facts, hypothesis: Hypothesis) -> tuple[Effect, ...]:
    """What the service file says this hypothesis does, in the direction in which the setting moved."""
    resource = facts.resource(hypothesis.resource)
    if resource is None:
        return ()
    what = move(facts, hypothesis)
    if what is not None:
        fitting = {"any", what.direction}
        if what.direction == "unknown":
            fitting |= {"lowered", "raised", "removed"}
        return tuple(effect for effect in what.setting.effects if effect.when in fitting)
    event = event_of(facts, hypothesis)
    if event is None:
        return ()
    known = change_of(event)
    own = known.effects if known else ()
    # A request that repeats a whole configuration does what one of its settings does, whichever moved.
    return (*own, *(effect for item in untold(facts, event, resource) for effect in item.effects))


def matching_effects(facts: Facts, hypothesis: Hypothesis) -> tuple[Effect, ...]:
    """Those effects that would show as the symptom, directly or passed on along relations."""
    every = effects(facts, hypothesis)
    found = (effect for effect in every if _explains(facts, hypothesis.resource, effect))
    if _not_asked(facts, hypothesis.resource, every):
        found = (effect for effect in found if effect.on != "upstream" or effect.direction != "up")
    return tuple(found)


def _not_asked(facts: Facts, arn: str, every: Iterable[Effect]) -> bool:
    """It is asked less than before and fails no more than ever, by metrics that were read: then its callers stopped
    before they came to it, and do not fail for it."""
    holder = facts.holder(arn)
    idle = any(
        one.resource == holder and one.role in {"demand", "work"} and one.direction == "down" and one.moved
        for one in facts.metrics
    )
    return idle and _fails_no_more(facts, holder, every)


def _fails_no_more(facts: Facts, holder: str, every: Iterable[Effect]) -> bool:
    """Whether metrics of it that these effects must move up were read, and none of them moved."""
    resource = facts.resource(holder)
    if resource is None:
        return False
    own = [
        found
        for effect in every
        if effect.on == "self" and effect.direction == "up" and not effect.may
        if _roles(effect, resource) & FAILURE_ROLES
        if (found := facts.metric(resource.arn, effect.metric)) is not None
    ]
    return bool(own) and not any(found.moved for found in own)


def together(facts: Facts, hypothesis: Hypothesis) -> tuple[Move, ...]:
    """The other settings of the resource that the same event moved, from a known value, and that explain it too.

    Also those that AWS moved along, where something that shows what was live tells of it.
    """
    resource, event = facts.resource(hypothesis.resource), event_of(facts, hypothesis)
    own = facts.setting(hypothesis.resource, hypothesis.setting) if hypothesis.setting else None
    if resource is None or event is None or own is None:
        return ()
    found = []
    for setting in facts.settings_of(resource):
        asked = requested(event, setting)[0]
        if setting.path == own.path or not (asked or setting.path in own.along):
            continue
        other = hypothesis.model_copy(update={"setting": setting.path})
        what = move(facts, other)
        told = what is not None and what.prior.known and what.direction not in {"same", "unknown"}
        live = asked or (what is not None and told and what.prior.sources[0].kind in _LIVE)
        if what is not None and told and live and explains(facts, other):
            found.append(what)
    return tuple(found)


def explains(facts: Facts, hypothesis: Hypothesis) -> bool:
    """Whether the service file says that it does what is seen. A change of the alarm itself may always do."""
    return hypothesis.kind == "alarm_changed" or bool(matching_effects(facts, hypothesis))


_TAGS = re.compile(r"^(?:Tag|Untag)[A-Z]|Tags(?:(?:To|From|For)[A-Z]\w*)?$|Tagging$")
"""Operations on tags alone, whichever service they are of."""


def moves_nothing(event: ChangeEvent) -> bool:
    """Whether the service file says that this call moves no metric, or it only tags what no service file knows."""
    known = change_of(event)
    return known.inert if known is not None else _TAGS.search(event.operation) is not None


def mechanism(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Known mechanism that fits, known one that does not, or unknown."""
    if hypothesis.kind not in {"change", "setting"}:
        return None
    event = event_of(facts, hypothesis)
    evidence = event.evidence if event else ()
    setting = facts.setting(hypothesis.resource, hypothesis.setting)
    if setting is not None and not setting.effects:
        said = statement("{setting} moves no metric", evidence=evidence, setting=setting.name)
        return TestResult(test="mechanism", weight=WEIGHTS["mechanism.inert"], statement=said)
    if event is not None and moves_nothing(event):
        said = statement("{operation} moves no metric", evidence=evidence, operation=event.operation)
        return TestResult(test="mechanism", weight=WEIGHTS["mechanism.inert"], statement=said)
    all_effects = effects(facts, hypothesis)
    if not all_effects and hypothesis.setting == "":
        operation = event.operation if event else hypothesis.title
        said = statement("opsleuth knows no effect of {operation}", evidence=evidence, operation=operation)
        return TestResult(test="mechanism", weight=WEIGHTS["mechanism.unknown"], statement=said)
    fitting = matching_effects(facts, hypothesis)
    if not fitting:
        said = statement("known to move other metrics than the one that moved", evidence=evidence)
        return TestResult(test="mechanism", weight=WEIGHTS["mechanism.other_metric"], statement=said)
    direct = any(_direct(facts, hypothesis.resource, effect) for effect in fitting)
    metric = facts.incident.metric
    name = metric.name if metric else facts.name(facts.incident.resource)
    failures = not direct and all(effect.direction == "up" for effect in fitting)
    if failures and _fails_no_more(facts, facts.holder(hypothesis.resource), all_effects):
        said = statement(
            "fails no more than before: nothing to pass on to {metric}", evidence=evidence, metric=name
        )
        return TestResult(test="mechanism", weight=WEIGHTS["mechanism.unknown"], statement=said)
    said = statement(
        "known to move {metric} {direction}" if direct else "its failures are passed on to {metric}",
        evidence=evidence,
        metric=name,
        direction=fitting[0].direction,
    )
    weight = WEIGHTS["mechanism.direct" if direct else "mechanism.spreads"]
    return TestResult(test="mechanism", weight=weight, statement=said)


def _explains(facts: Facts, arn: str, effect: Effect) -> bool:
    return _direct(facts, arn, effect) or _passed_on(facts, arn, effect)


def _direct(facts: Facts, arn: str, effect: Effect) -> bool:
    metric, symptom = facts.incident.metric, facts.incident.resource
    if metric is None:
        return effect.on == "self" and facts.holder(arn) == symptom
    if not _names(effect, metric.name, facts.incident.role) or _the_other_way(facts, metric, effect):
        return False
    if effect.on == "self":
        return facts.holder(arn) == symptom
    reach = facts.callers(arn) if effect.on == "upstream" else facts.downstream(arn)
    return symptom in reach


def _the_other_way(facts: Facts, metric: Metric, effect: Effect) -> bool:
    """Whether the symptom went up where the effect goes down, or the other way round."""
    found = facts.metric(facts.incident.resource, metric.name)
    went = found.direction if found is not None and found.moved else ""
    if facts.onset is not None and facts.onset.shape == "silence":
        went = "down"
    return went == ("down" if effect.direction == "up" else "up")


def _passed_on(facts: Facts, arn: str, effect: Effect) -> bool:
    """A failure of this resource reaches its callers; its silence reaches those it feeds."""
    symptom, role = facts.incident.resource, facts.incident.role
    resource = facts.resource(facts.holder(arn))
    if effect.on != "self" or resource is None or resource.arn == symptom:
        return False
    if effect.direction == "up" and _roles(effect, resource) & FAILURE_ROLES:
        return symptom in facts.callers(arn) and role in FAILURE_ROLES
    if effect.direction in {"down", "silent"}:
        return symptom in facts.downstream(arn) and role in {"work", "demand", "backlog"}
    return False


def _names(effect: Effect, metric: str, role: str) -> bool:
    return effect.metric == metric or effect.metric == f"role:{role}"


def _roles(effect: Effect, resource: Resource) -> set[str]:
    if effect.metric.startswith("role:"):
        return {effect.metric.removeprefix("role:")}
    return {spec.role for spec in specs(resource) if spec.name == effect.metric}


def specs(resource: Resource) -> Iterable[MetricSpec]:
    """Metrics worth reading for this resource."""
    known = services().get(resource.service)
    return (spec for spec in known.metrics if spec.type == resource.type) if known else ()
