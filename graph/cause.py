"""The accepted hypothesis, told: what was changed, from what to what, by whom, and what proves it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from graph.claims import (
    changed_claim,
    event_claims,
    rate_claim,
    setting_claim,
    shown,
    statement,
    total_claim,
    who,
)
from graph.facts import Facts, SettingStep
from graph.models import ChangedBy, Hypothesis, RootCause
from graph.places import placed
from graph.taken import Taken, taken
from graph.weighing.dose import demand, per
from graph.weighing.moves import Move, event_of, is_document, is_unlimited, move, step_of
from graph.weighing.when import onset_claims
from graph.words import number, say, stamp
from tools.history import HIDDEN, Prior, requested
from tools.models import ChangeEvent, Claim, PriorSource, Statement, Value


def root_cause(facts: Facts, leader: Hypothesis) -> RootCause:
    """The leader as a root cause with its sentence, values and sources."""
    event, what, step = event_of(facts, leader), move(facts, leader), step_of(facts, leader)
    prior = what.prior if what else None
    earliest = event.time if event else step.step.earliest if step else None
    latest = event.time if event else _latest(facts, step) if step else None
    held = taken(event, facts.changes) if event and not leader.setting else None
    known, value, sources = _before(prior, held)
    return RootCause(
        kind=leader.kind,
        resource=leader.resource,
        field=leader.setting or leader.condition,
        field_name=what.setting.name if what else "",
        unit=what.setting.unit if what else "",
        bad_value=what.after if what else None,
        prior_known=known,
        prior_value=value,
        prior_sources=sources,
        prior_note=_prior_note(what),
        event=_changed_by(event),
        earliest=earliest,
        latest=latest,
        actor=event.actor if event else None,
        confidence=leader.probability,
        statement=_sentence(facts, leader, event, what),
    )


def _before(prior: Prior | None, held: Taken | None) -> tuple[bool, Value, tuple[PriorSource, ...]]:
    """Whether the value before is known, the value, and who tells it: of a setting, or what an earlier event holds."""
    if prior is not None:
        return prior.known, prior.value if prior.known else None, prior.sources
    if held is None or held.value is None:
        return False, None, ()
    return True, held.value, (held.source,)


def _latest(facts: Facts, step: SettingStep) -> datetime:
    """The end of the interval: a cause is over before its symptom is in full."""
    end = step.step.latest
    return min(end, facts.onset.latest) if facts.onset and facts.onset.latest > step.step.earliest else end


def _changed_by(event: ChangeEvent | None) -> ChangedBy | None:
    if event is None:
        return None
    return ChangedBy(
        id=event.id, action=event.action, operation=event.operation, time=event.time, region=event.region,
        account=event.account,
    )  # fmt: skip


def _prior_note(what: Move | None) -> str:
    if what is None:
        return ""
    if not what.prior.known:
        return say(
            "Prior value unknown. Do not guess it: ask whoever owns the setting, or look in the template."
        )
    return what.prior.conflict


def _sentence(facts: Facts, leader: Hypothesis, event: ChangeEvent | None, what: Move | None) -> Statement:
    if leader.kind == "condition":
        return _condition(facts, leader)
    if leader.kind == "traffic":
        return _traffic(facts, leader)
    if what is None or (not leader.setting):
        return _plain_change(facts, leader, event)
    return _setting_change(facts, leader, event, what)


def _condition(facts: Facts, leader: Hypothesis) -> Statement:
    known = facts.condition(leader.resource, leader.condition)
    assert known is not None, f"no service file knows {leader.condition} of {leader.resource}"
    proof = [test.statement for test in leader.tests if test.weight > 0]
    metric = facts.metric(leader.resource, known.metrics[0]) if known.metrics else None
    counted = metric is not None and metric.total
    shown_by = next(
        (one.statement for one in leader.tests if one.test == "condition" and one.weight > 0), None
    )
    if not counted and shown_by is not None and shown_by.claims:
        return statement(
            "{title} on {name}. {breaks} {shown}.",
            evidence=[one for item in proof for one in item.evidence],
            claims=shown_by.claims,
            title=known.title[0].upper() + known.title[1:],
            name=facts.name(leader.resource),
            breaks=known.breaks,
            shown=shown_by.text,
        )
    return statement(
        "{title} on {name}. {breaks} {count}It needs no change to explain it."
        if counted
        else "{title} on {name}. {breaks}",
        evidence=[one for item in proof for one in item.evidence],
        claims=[total_claim(metric)] if metric is not None and counted else [],
        title=known.title[0].upper() + known.title[1:],
        name=facts.name(leader.resource),
        breaks=known.breaks,
        count=say("{metric}: {total} since the onset. ", metric=known.metrics[0], total=number(metric.total))
        if metric is not None and metric.total
        else "",
    )


def _traffic(facts: Facts, leader: Hypothesis) -> Statement:
    found = next(item for item in facts.role(leader.resource, "demand") if item.before is not None)
    return statement(
        "{name} was asked {after} per second, {before} before: more was asked for.{tail}",
        evidence=found.evidence,
        claims=[rate_claim(found, since=True), rate_claim(found, since=False)],
        name=facts.name(leader.resource),
        before=shown(found.before or 0)[0],
        after=shown(found.after or 0)[0],
        tail=""
        if not facts.trail_visible or _limit_changed(facts)
        else say(" No change of its limits is visible."),
    )


def _limit_changed(facts: Facts) -> bool:
    """Did a visible event set a limit of the resource that shows the symptom, as far back as was looked?"""
    resource = facts.resource(facts.incident.resource)
    settings = [one for one in facts.settings_of(resource) if one.limits] if resource else []
    begin = (facts.onset.earliest if facts.onset else facts.as_of) - timedelta(hours=facts.lookback)
    return any(
        event.time >= begin and not event.error_code and any(requested(event, one)[0] for one in settings)
        for event in facts.changes
    )


def _plain_change(facts: Facts, leader: Hypothesis, event: ChangeEvent | None) -> Statement:
    if event is None:
        return statement("{title}.", title=leader.title)
    return statement(
        "At {time} {who} called {operation} on {kind} {name}.",
        evidence=_proof(event.evidence, leader), claims=(*event_claims(event), changed_claim(event, leader.resource)),
        time=stamp(event.time), who=who(event), operation=event.operation,
        kind=facts.kind_word(leader.resource), name=placed(facts, leader.resource, event),
    )  # fmt: skip


def _setting_change(facts: Facts, leader: Hypothesis, event: ChangeEvent | None, what: Move) -> Statement:
    step = step_of(facts, leader)
    asked = demand(facts, leader.resource, what)
    claims: list[Claim] = list(event_claims(event)) if event else []
    moment = event.time if event else step.step.latest if step else facts.as_of
    claims += _value_claims(leader, what, moment)
    tail = ""
    if asked is not None and asked.before:
        tail = say(" Demand was {demand}{per}.", demand=shown(asked.before)[0], per=per(asked))
        claims.append(rate_claim(asked, since=False))
    verb = _verb(what)
    values: dict[str, object] = {
        "verb": verb, "setting": what.setting.name, "kind": facts.kind_word(leader.resource),
        "name": placed(facts, leader.resource, event), "from_to": _from_to(what), "tail": tail,
    }  # fmt: skip
    evidence = [*(event.evidence[:1] if event else ()), *(step.step.evidence if step else ())]
    evidence += [one for source in what.prior.sources for one in source.evidence[:1]]
    evidence += asked.evidence if asked else ()
    if event is not None:
        message = "At {time} {who} {verb} the {setting} of {kind} {name}{from_to}.{tail}"
        values |= {"time": stamp(event.time), "who": who(event)}
    elif step is not None:
        message = (
            "Between {a} and {b} the {setting} of {kind} {name} was {verb}{from_to}; "
            "who did it is not visible.{tail}"
        )
        values |= {"a": stamp(step.step.earliest), "b": stamp(_latest(facts, step))}
        claims += onset_claims(facts, facts.onset) if facts.onset else ()
    else:
        message = "The {setting} of {kind} {name} is {value}; no change of it is visible.{tail}"
        values |= {"value": what.after}
        evidence = [*facts.read_in(leader.resource), *evidence]
    return statement(message, evidence=evidence, claims=claims, **values)


def _verb(what: Move) -> str:
    if isinstance(what.after, bool):
        return say("switched on") if what.after else say("switched off")
    verbs = {"lowered": say("lowered"), "raised": say("raised"), "removed": say("removed")}
    return verbs.get(what.direction, say("changed"))


def _from_to(what: Move) -> str:
    """From what to what; nothing where the verb says it, or where a whole document would have to be printed."""
    unit = f" {what.setting.unit}" if what.setting.unit else ""
    if what.setting.hidden or what.after == HIDDEN:
        return say(" (CloudTrail hides the value)")
    unknown = "" if what.prior.known else say(" (prior value unknown)")
    if isinstance(what.after, bool) or is_document(what.after) or is_document(what.prior.value):
        return unknown
    after = say("none") if is_unlimited(what.after, what.setting) else what.after
    if what.prior.known:
        before = say("no limit") if is_unlimited(what.prior.value, what.setting) else what.prior.value
        return say(" from {before} to {after}{unit}", before=before, after=after, unit=unit)
    return say(" to {after}{unit}{unknown}", after=after, unit=unit, unknown=unknown)


def _value_claims(leader: Hypothesis, what: Move, moment: datetime) -> list[Claim]:
    made = [setting_claim(leader.resource, leader.setting, what.after, moment)] if what.after_known else []
    if what.prior.known:
        latest = max((source.time for source in what.prior.sources), default=moment)
        made.append(setting_claim(leader.resource, leader.setting, what.prior.value, min(latest, moment)))
    return made


def _proof(first: Iterable[str], leader: Hypothesis) -> list[str]:
    return [*first, *(one for test in leader.tests if test.weight > 0 for one in test.statement.evidence)]
