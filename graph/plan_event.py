"""The plan for a cause that no setting describes. Pure."""

from __future__ import annotations

from graph.facts import Facts
from graph.models import Mitigation, RootCause, Step
from graph.plan_calls import again, placed, undo, valid
from graph.plan_steps import account_step, check_step, whom_to_ask
from graph.taken import told
from graph.words import say
from tools.catalogue import change_of
from tools.models import Call, ChangeEvent


def by_event(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    """The plan for a cause that no setting describes: its event undone, or what relies on it started anew."""
    event = next((item for item in facts.changes if cause.event and item.id == cause.event.id), None)
    calls = undo(event, facts.changes) if event is not None else ()
    if event is None:
        return _no_way(facts, cause, red)
    if calls:
        return _undone(facts, cause, event, calls, red)
    anew = _anew(facts, cause, event)
    return _started_anew(facts, cause, event, anew, red) if anew else _no_way(facts, cause, red)


def _started_anew(
    facts: Facts, cause: RootCause, event: ChangeEvent, calls: tuple[Call, ...], red: tuple[Step, ...]
) -> Mitigation:
    resource = facts.resource(cause.resource)
    return Mitigation(
        summary=say("Start anew who holds what {operation} replaced.", operation=event.operation),
        prepare=(account_step(facts),),
        apply=(
            Step(
                title=say("Apply"),
                calls=calls,
                note=say(
                    "a rolling start of what runs there; no setting is changed, so there is no way back"
                ),
                provenance=(cause.statement,),
            ),
        ),
        post_validate=(check_step(facts),),
        stays_red=red,
        advice=(
            say("Let programs read it again when they are refused, so that the next change needs no hands."),
        ),
        ask=whom_to_ask(facts, cause, resource) if resource else "",
    )


def _no_way(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    resource = facts.resource(cause.resource)
    return Mitigation(
        summary=say("The value before is not known, so opsleuth proposes no call.")
        if cause.field
        else say("opsleuth knows no safe call that undoes {operation}.", operation=_operation(cause)),
        advice=(say("Ask whoever made the change, or look in the template or in an earlier version."),),
        post_validate=(check_step(facts),),
        stays_red=red,
        ask=whom_to_ask(facts, cause, resource, plan=False) if resource else "",
    )


def _undone(
    facts: Facts, cause: RootCause, event: ChangeEvent, calls: tuple[Call, ...], red: tuple[Step, ...]
) -> Mitigation:
    resource = facts.resource(cause.resource)
    back = again(event, calls)
    return Mitigation(
        summary=say("Undo {operation}.", operation=event.operation),
        prepare=(account_step(facts),),
        apply=(
            Step(title=say("Apply"), calls=calls, provenance=(cause.statement, *told(event, facts.changes))),
        ),
        post_validate=(check_step(facts),),
        rollback=(
            Step(
                title=say("Way back"),
                calls=back,
                note=say("only if that makes things worse: it does the same again"),
            ),
        )
        if back
        else (),
        stays_red=red,
        ask=whom_to_ask(facts, cause, resource) if resource else "",
    )


def _anew(facts: Facts, cause: RootCause, event: ChangeEvent) -> tuple[Call, ...]:
    """Calls that start anew whatever relies on what was replaced, where a service knows how."""
    known = change_of(event)
    if known is None or not known.renews:
        return ()
    users = sorted({one.source for one in facts.relations if one.target == cause.resource})
    calls: list[Call] = []
    for user in (facts.resource(arn) for arn in users):
        service = facts.service(user) if user is not None else None
        if user is not None and service is not None and service.renew is not None:
            calls.extend(placed(service.renew(user), user))
    return valid(calls)


def _operation(cause: RootCause) -> str:
    return cause.event.operation if cause.event else say("it")
