"""Tests for the kinds of hypotheses that are no plain change: conditions, traffic, the alarm itself, the unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graph.claims import rate_claim, setting_claim, shown, statement, total_claim
from graph.facts import Facts
from graph.models import Hypothesis, MetricFinding, TestResult
from graph.weighing.dose import below_demand
from graph.weighing.mechanism import together
from graph.weighing.moves import Move, event_of, move, step_of
from graph.weighing.when import onset_claims, span
from graph.weights import WEIGHTS
from graph.words import number, stamp
from tools.alarms import evaluate
from tools.models import Alarm, ChangeEvent, Claim, Resource, Statement
from tools.services._spec import Condition, Setting


def condition(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Did the metrics that show this condition move the way that hurts?"""
    resource = facts.resource(hypothesis.resource)
    known = (
        next((c for c in facts.conditions_of(resource) if c.key == hypothesis.condition), None)
        if resource
        else None
    )
    if known is None:
        return
    found = [item for name in known.metrics if (item := facts.metric(hypothesis.resource, name)) is not None]
    hurting = [item for item in found if item.moved and item.direction == (item.bad or "up")]
    holds = len(hurting) == len(known.metrics)
    # A metric that settings of the resource move alike does not tell the condition apart from them.
    shared = (
        {(effect.metric, effect.direction) for one in facts.settings_of(resource) for effect in one.effects}
        if resource
        else set()
    )
    # A store that ran out crept there: what set that off lies too far back to be a change that is yet unseen.
    telling = [
        item
        for item in hurting
        if item.used_up or known.scheduled or (item.metric.name, item.direction) not in shared
    ]
    for item in telling[:1] if holds else []:
        yield TestResult(test="condition", weight=WEIGHTS["condition.metric_up"], statement=_moved(item))
    if found and not holds:
        names = ", ".join(item.metric.name for item in found if item not in hurting)
        said = statement("{names}: nothing", evidence=found[0].evidence, names=names)
        yield TestResult(test="condition", weight=WEIGHTS["condition.metric_still"], statement=said)
    if resource is not None and known.takes is not None and holds:
        yield from _room(facts, resource, known.takes(resource))
    if resource is not None and known.shown is not None and known.shown(resource):
        said = _described(facts, resource, known)
        yield TestResult(test="condition", weight=WEIGHTS["condition.shown"], statement=said)


_ROOM, _FULL = 0.8, 0.9
"""Shares of what all parts take together: below the first the whole has room, above the other it is used up."""


def _room(facts: Facts, resource: Resource, takes: Mapping[str, float]) -> Iterator[TestResult]:
    """Refused although the whole has room: one part is full. Refused because all is used up: no part is special."""
    shares = [
        (found.after / most, found)
        for name, most in takes.items()
        if (found := facts.metric(resource.arn, name)) is not None and found.after is not None and most > 0
    ]
    if not shares or len(shares) < len(takes):
        return
    share, found = max(shares, key=lambda one: one[0])
    if _ROOM < share < _FULL:
        return
    said = statement(
        "its parts take more together: {name} as a whole has room, {metric} {after} per second"
        if share <= _ROOM
        else "no part stands out: {name} as a whole is used up, {metric} {after} per second",
        evidence=found.evidence,
        claims=[rate_claim(found, since=True)],
        name=resource.name,
        metric=found.metric.name,
        after=shown(found.after or 0.0)[0],
    )
    key = "condition.shown" if share <= _ROOM else "condition.metric_still"
    yield TestResult(test="condition", weight=WEIGHTS[key], statement=said)


def _described(facts: Facts, resource: Resource, known: Condition) -> Statement:
    """That the description says so, with the values that say it."""
    told = [(path, facts.current(resource.arn, path)) for path in known.tells]
    values = [(path, value) for path, value in told if value is not None]
    return statement(
        "AWS's own description of {name} says so: {values}"
        if values
        else "AWS's own description of {name} says so",
        evidence=resource.evidence,
        claims=[setting_claim(resource.arn, path, value, facts.as_of) for path, value in values],
        name=resource.name,
        values=", ".join(f"{path} {value}" for path, value in values),
    )


def _moved(item: MetricFinding) -> Statement:
    """A count by its total, a level by what it was and is."""
    if item.total is not None:
        return statement(
            "{metric}: {total} since the onset",
            evidence=item.evidence, claims=[total_claim(item)],
            metric=item.metric.name, total=number(item.total),
        )  # fmt: skip
    return statement(
        "{metric} rose from {before} to {after}"
        if item.direction == "up"
        else "{metric} fell from {before} to {after}",
        evidence=item.evidence,
        claims=[rate_claim(item, since=False), rate_claim(item, since=True)],
        metric=item.metric.name,
        before=shown(item.before or 0.0)[0],
        after=shown(item.after or 0.0)[0],
    )


def traffic(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Was more asked for, and does it exceed a limit that nobody lowered?"""
    found = next(
        (item for item in facts.role(hypothesis.resource, "demand") if item.before is not None), None
    )
    if found is None or found.before is None or found.after is None:
        return
    claims = [rate_claim(found, since=False), rate_claim(found, since=True)]
    before, after = shown(found.before)[0], shown(found.after)[0]
    up = found.after > 1.4 * max(found.before, 1e-9)
    said = statement(
        "{name} was asked {before} per second before the onset, {after} since",
        evidence=found.evidence, claims=claims, name=facts.name(hypothesis.resource), before=before, after=after,
    )  # fmt: skip
    yield TestResult(test="traffic", weight=WEIGHTS["traffic.up" if up else "traffic.same"], statement=said)
    if up:
        yield from _sent_no_more(facts, found)
        yield from _limits(facts, found.after)


_ALL_OF_IT = 0.8
"""What hands on so much of what was asked before the onset hands on all of it; the rest is how the two are counted."""


def _sent_no_more(facts: Facts, asked: MetricFinding) -> Iterator[TestResult]:
    """Asked more, while what hands it all of its work was sent no more than before: then the same work comes again."""
    above = (one for arn in facts.upstream(asked.resource) for one in facts.role(arn, "demand"))
    sent = next((one for one in above if one.before and one.metric.stat == "Sum"), None)
    if sent is None or sent.before is None or sent.after is None or asked.before is None:
        return
    if sent.before >= _ALL_OF_IT * asked.before and sent.after <= 1.2 * sent.before:
        said = statement(
            "{name}, which hands it its work, was sent {before} per second before the onset, {after} since",
            evidence=sent.evidence,
            claims=[rate_claim(sent, since=False), rate_claim(sent, since=True)],
            name=facts.name(sent.resource), before=shown(sent.before)[0], after=shown(sent.after)[0],
        )  # fmt: skip
        yield TestResult(test="traffic", weight=WEIGHTS["traffic.sent_no_more"], statement=said)


def _limits(facts: Facts, asked: float) -> Iterator[TestResult]:
    """The limit that was hit, told by its own throttle metrics: was it lowered, or is it what it was?"""
    resource = facts.resource(facts.incident.resource)
    for setting in facts.settings_of(resource) if resource is not None else ():
        if resource is None or not setting.limits or not _hit(facts, resource, setting):
            continue
        moved = [s for s in facts.steps if s.resource == resource.arn and s.setting == setting.path]
        limit = facts.current(resource.arn, setting.path)
        if moved and moved[-1].step.after < moved[-1].step.before:
            said = statement("{setting} was lowered", evidence=moved[-1].step.evidence, setting=setting.name)
            yield TestResult(test="traffic", weight=WEIGHTS["traffic.limit_lowered"], statement=said)
        elif isinstance(limit, int | float) and limit < asked:
            said = statement(
                "above the {setting} of {limit}, which did not change",
                evidence=resource.evidence[:1],
                claims=[setting_claim(resource.arn, setting.path, limit, facts.as_of)],
                setting=setting.name,
                limit=limit,
            )
            weight = WEIGHTS["traffic.above_limit"] + WEIGHTS["traffic.limit_unchanged"]
            yield TestResult(test="traffic", weight=weight, statement=said)


def _hit(facts: Facts, resource: Resource, setting: Setting) -> bool:
    names = {effect.metric for effect in setting.effects if effect.on == "self" and effect.direction == "up"}
    found = [facts.metric(resource.arn, name) for name in names]
    return bool(found) and all(item is not None and item.moved for item in found)


def alarm_changed(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Was the alarm made stricter before it fired, and would the former one be silent?"""
    alarm, event, what = facts.incident.alarm, event_of(facts, hypothesis), move(facts, hypothesis)
    if alarm is None or event is None or alarm.state != "ALARM":
        return
    fired = next((item.time for item in alarm.transitions if item.new == "ALARM"), alarm.state_since)
    if event.time <= fired:
        said = statement(
            "changed at {time}, {lag} before the alarm fired",
            evidence=event.evidence,
            claims=[
                Claim(kind="event", subject=event.id, field="time", value=event.time.isoformat()),
                Claim(kind="transition", subject=alarm.arn, field="ALARM", value=fired.isoformat(), start=fired),
            ],
            time=stamp(event.time), lag=span((fired - event.time).total_seconds()),
        )  # fmt: skip
        yield TestResult(test="alarm", weight=WEIGHTS["alarm.before_transition"], statement=said)
    else:
        said = statement(
            "changed at {time}, when it had fired already", evidence=event.evidence, time=stamp(event.time)
        )
        yield TestResult(test="alarm", weight=WEIGHTS["alarm.after_transition"], statement=said)
    if what is not None:
        yield from _former(facts, alarm, event, (what, *together(facts, hypothesis)))
    unusual = facts.onset is not None and facts.onset.shape != "none"
    message = "the metric behaves otherwise than before" if unusual else "the metric behaves as it did before"
    key = "alarm.metric_unusual" if unusual else "alarm.metric_as_usual"
    claims = onset_claims(facts, facts.onset) if facts.onset else ()
    yield TestResult(test="alarm", weight=WEIGHTS[key], statement=statement(message, claims=claims))


_RULES = {
    "Threshold": "threshold",
    "ComparisonOperator": "comparison",
    "EvaluationPeriods": "evaluation_periods",
    "DatapointsToAlarm": "datapoints_to_alarm",
    "TreatMissingData": "treat_missing",
}
"""Settings of an alarm that can be tried with other values on the datapoints at hand."""


def _former(facts: Facts, alarm: Alarm, event: ChangeEvent, moved: tuple[Move, ...]) -> Iterator[TestResult]:
    """Would the alarm be red now as it was before the change, by AWS's own rules?"""
    tried = [what for what in moved if _can_be_tried(what)]
    if not tried or facts.incident.recent is None:
        return
    rules: dict[str, Any] = {_RULES[what.setting.path]: what.prior.value for what in tried}
    former = replace(alarm, **rules, state="OK")
    fires = evaluate(former, facts.incident.recent, facts.as_of) == "ALARM"
    finding = facts.metric(facts.incident.resource, alarm.metric.name)
    said = statement(
        "with the former {values} it would have fired too"
        if fires
        else "with the former {values} it would be silent",
        evidence=finding.evidence if finding else (),
        claims=[_former_claim(alarm, event, what) for what in tried],
        values=", ".join(f"{what.setting.name} {what.prior.value}" for what in tried),
    )
    key = "alarm.would_fire_too" if fires else "alarm.would_be_silent"
    yield TestResult(test="alarm", weight=WEIGHTS[key], statement=said)


def _can_be_tried(what: Move) -> bool:
    if not what.prior.known or what.setting.path not in _RULES:
        return False
    texts = what.setting.path in {"ComparisonOperator", "TreatMissingData"}
    return isinstance(what.prior.value, str if texts else int | float)


def _former_claim(alarm: Alarm, event: ChangeEvent, what: Move) -> Claim:
    at = min(event.time, *(source.time for source in what.prior.sources))
    if what.setting.path != "Threshold":
        return setting_claim(alarm.arn, what.setting.path, what.prior.value, at)
    return Claim(kind="alarm", subject=alarm.arn, field="threshold", value=what.prior.value, start=at)


def outside(facts: Facts) -> Iterator[TestResult]:
    """What is not visible stays possible; more so where CloudTrail is hidden."""
    if not facts.trail_visible:
        said = statement("CloudTrail cannot be read, so changes are hidden")
        yield TestResult(test="outside", weight=WEIGHTS["outside.trail_hidden"], statement=said)


def unseen(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """A change without an event is odd where events are visible and complete.

    And an error text that names a limit tells that it was reached, not that anybody moved it: the setting's own
    metric would tell.
    """
    if step_of(facts, hypothesis) is None and not below_demand(facts, hypothesis):
        said = statement("nothing shows that it was changed")
        yield TestResult(test="trail", weight=WEIGHTS["change.nothing_shows_it"], statement=said)
    if not facts.trail_visible or facts.complete_until is None or facts.onset is None:
        return
    if facts.complete_until > facts.onset.latest:
        shown = step_of(facts, hypothesis) is not None
        key = "change.unseen_though_visible" if shown else "change.neither_seen_nor_shown"
        said = statement("no event of such a change is visible, though CloudTrail is complete by now")
        yield TestResult(test="trail", weight=WEIGHTS[key], statement=said)


def actor(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """People and deployments change things; services mostly react."""
    event = event_of(facts, hypothesis)
    if event is None:
        return
    if event.actor.kind in {"aws_service", "service_linked_role"}:
        said = statement("made by an AWS service, which mostly reacts", evidence=event.evidence)
        yield TestResult(test="actor", weight=WEIGHTS["actor.service"], statement=said)
    elif event.actor.how == "console":
        said = statement("made by hand in the console", evidence=event.evidence)
        yield TestResult(test="actor", weight=WEIGHTS["actor.person"], statement=said)


def reverted(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Put back before the look, and the symptom stayed."""
    event, what = event_of(facts, hypothesis), move(facts, hypothesis)
    if event is None or what is None or not what.prior.known or facts.onset is None or facts.onset.ended:
        return
    now = facts.current(hypothesis.resource, hypothesis.setting)
    if now == what.prior.value and event.time < facts.onset.latest:
        said = statement("was put back to {value}, and the symptom stayed", value=now)
        yield TestResult(test="reverted", weight=WEIGHTS["change.reverted"], statement=said)
