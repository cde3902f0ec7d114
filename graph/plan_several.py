"""One plan for causes that are true at once: what lies furthest from users is put back first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from graph.claims import setting_claim
from graph.facts import Facts
from graph.impact import door
from graph.models import Mitigation, RootCause, Step
from graph.plan import plan
from graph.words import say
from tools.models import Statement


def plan_for(
    facts: Facts, cause: RootCause | None, also: tuple[RootCause, ...] = (), *, recovered: bool = False
) -> Mitigation | None:
    """The plan for a cause, and for those that are true besides; None when there is nothing to say."""
    if cause is None or not also or recovered:
        return plan(facts, cause, recovered=recovered)
    ordered = put_back_order(facts, (cause, *also))
    made = [(one, found) for one in ordered if (found := plan(facts, one)) is not None]
    return _joined(facts, made) if made else None


def put_back_order(facts: Facts, causes: Iterable[RootCause]) -> tuple[RootCause, ...]:
    """The furthest from where users come in first: what is opened before it would only fail behind it.

    At the same distance the later change goes back first.
    """
    first = door(facts)

    def distance(cause: RootCause) -> int:
        way = facts.path(first, cause.resource) or facts.path(facts.incident.resource, cause.resource)
        return len(way)

    def when(cause: RootCause) -> float:
        return cause.latest.timestamp() if cause.latest else 0.0

    return tuple(sorted(causes, key=lambda one: (-distance(one), -when(one), one.resource, one.field)))


def _joined(facts: Facts, made: list[tuple[RootCause, Mitigation]]) -> Mitigation:
    first = made[0][1]
    summaries = [
        one.summary
        if one.apply
        else say("{name}: {summary}", name=facts.name(cause.resource), summary=one.summary)
        for cause, one in made
    ]
    applied = [cause for cause, one in made if one.apply]
    return Mitigation(
        summary=say("First: {listed}", listed=say(" Then: ").join(summaries)),
        prepare=_once(chain.from_iterable(one.prepare for _, one in made)),
        pre_validate=_once(_named(facts, cause, step) for cause, one in made for step in one.pre_validate),
        apply=tuple(
            _in_turn(_named(facts, cause, step), last=cause is applied[-1])
            for cause, one in made
            for step in one.apply
        ),
        post_validate=first.post_validate,
        rollback=tuple(
            step.model_copy(update={"title": facts.name(cause.resource)})
            for cause, one in reversed(made)
            for step in one.rollback
        ),
        stays_red=first.stays_red,
        mind=tuple(dict.fromkeys(_about(facts, cause, item) for cause, one in made for item in one.mind)),
        advice=tuple(dict.fromkeys(chain.from_iterable(one.advice for _, one in made))),
        ask=" ".join(dict.fromkeys(one.ask for _, one in made if one.ask)),
    )


def _once(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Steps without repetitions: the account is checked once."""
    found: list[Step] = []
    for step in steps:
        if step not in found:
            found.append(step)
    return tuple(found)


def _named(facts: Facts, cause: RootCause, step: Step) -> Step:
    return step.model_copy(
        update={"title": say("{title} {name}", title=step.title, name=facts.name(cause.resource))}
    )


def _in_turn(step: Step, *, last: bool) -> Step:
    if last:
        return step
    note = say("this first: what the next step lets through arrives here")
    return step.model_copy(update={"note": f"{step.note}; {note}" if step.note else note})


def _about(facts: Facts, cause: RootCause, item: Statement) -> Statement:
    """What is to be kept in mind of one of several causes, with the name of its resource."""
    known = [setting_claim(cause.resource, cause.field, one.value, one.time) for one in cause.prior_sources]
    claims = (*item.claims, *(one for one in known if one not in item.claims))
    if not claims:
        return item
    text = say("{name}: {said}", name=facts.name(cause.resource), said=item.text)
    return Statement(text=text, evidence=item.evidence, claims=claims)
