"""The plan: the smallest reversal of the very cause, as calls that a human runs. Pure: facts in, plan out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from graph.claims import event_claims, rate_claim, setting_claim, shown, statement
from graph.facts import Facts
from graph.models import REPORT_ID, Hypothesis, Mitigation, RootCause, Step
from graph.plan_alike import all_back, event_behind, not_told, others
from graph.plan_alike import told as told_alike
from graph.plan_calls import again, placed, set_all, undo, valid
from graph.plan_places import there
from graph.taken import told
from graph.weighing.dose import per
from graph.weighing.mechanism import together
from graph.weighing.moves import Move, is_unlimited
from graph.words import number, say
from tools.catalogue import change_of, find
from tools.history import current, same
from tools.models import Call, ChangeEvent, Claim, PriorSource, Resource, Statement, Value
from tools.services._spec import Setting

_RED_NAMESPACES = {"AWS/DynamoDB"}
"""Alarms on these always keep their state while data is missing (CloudWatch user guide, "treat missing data")."""


def plan(facts: Facts, cause: RootCause | None, *, recovered: bool = False) -> Mitigation | None:
    """The plan for a cause; None when there is nothing to say."""
    red = stays_red(facts)
    if recovered:
        return Mitigation(
            summary=say("Nothing to put back: the symptom is over."),
            prepare=(_account_step(facts),) if red else (),
            stays_red=red,
        )
    if cause is None:
        return None
    return there(facts, cause.resource, _plan(facts, cause, red))


def _plan(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    setting = facts.setting(cause.resource, cause.field)
    resource = facts.resource(cause.resource)
    if (
        setting is not None
        and resource is not None
        and resource.config
        and cause.prior_known
        and not setting.hidden
    ):
        return _restore(facts, cause, resource, setting, red)
    if cause.kind == "condition":
        return _relieve(facts, cause, resource)
    if cause.kind == "traffic":
        return _make_room(facts, cause, red)
    return _by_event(facts, cause, red)


def _account_step(facts: Facts) -> Step:
    incident = facts.incident
    return Step(
        title=say("Right account?"),
        calls=(Call(service="sts", operation="GetCallerIdentity", parameters={}, region=incident.region),),
        query="Account",
        expect=(incident.account,),
        note=say("else stop"),
    )


def _restore(
    facts: Facts, cause: RootCause, resource: Resource, setting: Setting, red: tuple[Step, ...]
) -> Mitigation:
    also = _moved_along(facts, cause)
    good = [(setting, cause.prior_value), *((what.setting, what.prior.value) for what in also)]
    bad = [(setting, cause.bad_value), *((what.setting, what.after) for what in also)]
    apply, back = set_all(resource, good), set_all(resource, bad)
    alike = event_behind(facts, cause)
    whole = all_back(facts, alike) if alike is not None else ((), ())
    apply, back = whole if whole[0] else (apply, back)
    beside = tuple(others(facts, cause, alike)) if alike is not None else ()
    if not apply:
        return _no_call(facts, cause, resource, setting, red)
    return Mitigation(
        summary=say(
            "Set the {setting} of {name} back to {value}.",
            setting=setting.name, name=resource.name, value=_spoken(cause.prior_value, setting),
        ),
        prepare=(_account_step(facts),),
        pre_validate=(_still_so(cause, resource, setting),),
        apply=(
            Step(
                title=say("Apply"),
                calls=apply,
                provenance=(
                    _where_from(facts, cause, resource, setting),
                    *(_along(facts, resource, what) for what in also),
                    *(told_alike(*one) for one in beside if whole[0] and one[2].known),
                    *_beside(facts, resource, setting, {what.setting.query for what in also}),
                ),
            ),
        ),
        post_validate=(_check_step(facts),),
        rollback=(
            Step(
                title=say("Way back"),
                calls=back,
                note=say(
                    "only if applying makes things worse: it sets {value} again",
                    value=_spoken(cause.bad_value, setting),
                ),
            ),
        )
        if back
        else (),
        stays_red=red,
        mind=(
            *_mind(facts, cause, resource, setting),
            *(not_told(*one[:2]) for one in beside if not whole[0]),
        ),
        ask=_ask(facts, cause, resource),
    )  # fmt: skip


def _no_call(
    facts: Facts, cause: RootCause, resource: Resource, setting: Setting, red: tuple[Step, ...]
) -> Mitigation:
    """The value before is known, but what must be sent along with it is not."""
    return Mitigation(
        summary=say(
            "The {setting} of {name} was {value}. What has to be sent along is not known: no call is proposed.",
            setting=setting.name, name=resource.name, value=_spoken(cause.prior_value, setting),
        ),
        post_validate=(_check_step(facts),),
        advice=(say("Set it in the template or the console, where the rest of the configuration is at hand."),),
        stays_red=red,
        mind=_mind(facts, cause, resource, setting),
        ask=_ask(facts, cause, resource),
    )  # fmt: skip


def _moved_along(facts: Facts, cause: RootCause) -> tuple[Move, ...]:
    """What the same event moved as well, and what breaks alike: it has to go back with it."""
    if cause.event is None:
        return ()
    leader = Hypothesis(
        id="", kind=cause.kind, title="", resource=cause.resource, setting=cause.field, event=cause.event.id
    )
    return together(facts, leader)


def _along(facts: Facts, resource: Resource, what: Move) -> Statement:
    return statement(
        "{setting}: {value} ← {sources}",
        evidence=[one for source in what.prior.sources for one in source.evidence],
        claims=[
            claim
            for source in what.prior.sources
            for claim in _source_claims(facts, resource, what.setting, source)
        ],
        setting=what.setting.name,
        value=_spoken(what.prior.value, what.setting),
        sources="; ".join(_source_words(source) for source in what.prior.sources),
    )


def _still_so(cause: RootCause, resource: Resource, setting: Setting) -> Step:
    """Re-read what the plan relies on: readiness, the bad value, and what is sent along unchanged."""
    read = replace(setting.read(resource), region=resource.region)
    root = _common_root([setting.query, *setting.ready, *setting.beside])
    fields = [*setting.ready, setting.query, *setting.beside]
    expect = [f"{path.rsplit('.', 1)[-1]} {value}" for path, value in setting.ready.items()]
    expect.append(f"{setting.query.rsplit('.', 1)[-1]} {_spoken(cause.bad_value, setting)}")
    for path in setting.beside:
        value = _shown(path, resource)[1]
        expect.append(f"{path.rsplit('.', 1)[-1]} {value if value is not None else say('none')}")
    inner = ",".join(path.removeprefix(f"{root}.") for path in fields)
    query = f"{root}.[{inner}]" if root else f"[{inner}]"
    return Step(
        title=say("Still so?"), calls=(read,), query=query, expect=tuple(expect), note=say("else stop")
    )


def _shown(path: str, resource: Resource) -> tuple[str, Value]:
    """A path on a read's answer as the path in the resource's configuration, and the value there.

    Some reads wrap the configuration in one word (`Table`), others answer it as it is.
    """
    whole = find(path, resource.config)
    if whole is not None:
        return path, whole
    inner = path.split(".", 1)[-1]
    return inner, find(inner, resource.config)


_ROOTED = re.compile(r"\w+(\[\d+\])?\.")


def _common_root(paths: Iterable[str]) -> str:
    """The word that all paths begin with, or "": no other part of a query can be put before a list of fields."""
    heads = {path.split(".", 1)[0] if _ROOTED.match(path) else "" for path in paths}
    return heads.pop() if len(heads) == 1 else ""


def _where_from(facts: Facts, cause: RootCause, resource: Resource, setting: Setting) -> Statement:
    sources = cause.prior_sources
    listed = "; ".join(_source_words(source) for source in sources)
    return statement(
        "{value} ← {sources}",
        evidence=[one for source in sources for one in source.evidence],
        claims=[claim for source in sources for claim in _source_claims(facts, resource, setting, source)],
        value=_spoken(cause.prior_value, setting),
        sources=listed,
    )


def _source_claims(facts: Facts, resource: Resource, setting: Setting, source: PriorSource) -> list[Claim]:
    """The value at its time, and the event that set it, if an event did."""
    event = next(
        (one for one in facts.changes if source.evidence and source.evidence[0] in one.evidence), None
    )
    told = event_claims(event) if event is not None and source.kind == "previous_event" else ()
    return [setting_claim(resource.arn, setting.path, source.value, source.time), *told]


def _source_words(source: PriorSource) -> str:
    return source.said_by


def _beside(facts: Facts, resource: Resource, setting: Setting, moved: set[str]) -> list[Statement]:
    made = []
    for path in setting.beside:
        if path in moved:
            continue
        inner, value = _shown(path, resource)
        made.append(
            statement(
                "{name} {value} unchanged ← {operation}",
                evidence=resource.evidence[:1],
                claims=[setting_claim(resource.arn, inner, value, facts.as_of)],
                name=path.rsplit(".", 1)[-1], value=value if value is not None else say("none"),
                operation=setting.read(resource).operation,
            )
        )  # fmt: skip
    return made


def _spoken(value: Value, setting: Setting) -> str:
    """As the read's answer shows it: JSON's true and false, none where nothing is set."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return say("none") if value is None or is_unlimited(value, setting) else str(value)


def _check_step(facts: Facts) -> Step:
    expect = []
    found = next(
        (m for m in facts.metrics if facts.incident.metric and m.metric == facts.incident.metric), None
    )
    if facts.incident.role in {"errors", "throttles"}:
        expect.append(say("no new datapoint of {metric} for 5 min", metric=facts.incident.metric.name)
                      if facts.incident.metric else "")  # fmt: skip
    elif found is not None and found.before is not None:
        expect.append(say("{metric} back near {value}", metric=found.metric.name, value=number(found.before)))
    return Step(
        title=say("Worked?"),
        command=f"opsleuth check {REPORT_ID}",
        expect=tuple(one for one in expect if one),
    )


def stays_red(facts: Facts) -> tuple[Step, ...]:
    """How to clear an alarm that keeps its state although its metric is quiet."""
    alarm = facts.incident.alarm
    if alarm is None or alarm.state != "ALARM":
        return ()
    keeps = alarm.metric.namespace in _RED_NAMESPACES or alarm.treat_missing == "ignore"
    silent = facts.incident.role in {"errors", "throttles"} and alarm.treat_missing in {"missing", "ignore"}
    if not keeps and not (silent and facts.incident.quiet_since):
        return ()
    call = Call(
        service="cloudwatch",
        operation="SetAlarmState",
        parameters={
            "AlarmName": alarm.name,
            "StateValue": "OK",
            "StateReason": f"recovered, opsleuth {REPORT_ID}",
        },
        region=alarm.region,
    )
    why = facts.incident.stays_red or say(
        "Without refusals there is no data, and without data this alarm keeps its state: it does not turn OK by itself."
    )
    return (Step(title=say("Stays red"), calls=(call,), note=why),)


def _mind(facts: Facts, cause: RootCause, resource: Resource, setting: Setting) -> tuple[Statement, ...]:
    made: list[Statement] = []
    now = current(resource, setting)
    later = facts.described is not None and cause.latest is not None and cause.latest > facts.described
    if cause.kind != "setting" and resource.config and not later and not same(now, cause.bad_value, setting):
        made.append(
            statement(
                "It is {now} by now, no longer {value}: somebody changed it again.",
                evidence=resource.evidence[:1],
                claims=[
                    setting_claim(resource.arn, setting.path, now, facts.as_of),
                    setting_claim(resource.arn, setting.path, cause.bad_value, cause.latest or facts.as_of),
                ],
                now=_spoken(now, setting), value=_spoken(cause.bad_value, setting),
            )
        )  # fmt: skip
    if cause.prior_note:
        told = _prior_claims(cause, resource, setting)
        made.append(statement("{note}", claims=told, note=cause.prior_note))
    made.extend(_too_small(facts, cause, resource, setting))
    if setting.mind:
        made.append(statement("{mind}", mind=setting.mind))
    if len({source.kind for source in cause.prior_sources}) == 1:
        made.append(statement("The prior value rests on one source only."))
    return tuple(made)


def _too_small(facts: Facts, cause: RootCause, resource: Resource, setting: Setting) -> Iterator[Statement]:
    """The value before may itself have been below demand: then putting it back does not heal."""
    asked = facts.metric(facts.holder(resource.arn), setting.limits) if setting.limits else None
    prior = cause.prior_value
    if asked is None or asked.before is None or isinstance(prior, bool) or not isinstance(prior, int | float):
        return
    if prior != setting.unset and 0 <= prior < asked.before:
        yield statement(
            "{value} is itself below the demand of {demand}{per}: putting it back is right, and not enough.",
            evidence=asked.evidence,
            claims=[rate_claim(asked, since=False), *_prior_claims(cause, resource, setting)],
            value=prior,
            demand=shown(asked.before)[0],
            per=per(asked),
        )


def _prior_claims(cause: RootCause, resource: Resource, setting: Setting) -> list[Claim]:
    return [setting_claim(resource.arn, setting.path, one.value, one.time) for one in cause.prior_sources]


def _ask(facts: Facts, cause: RootCause, resource: Resource, *, plan: bool = True) -> str:
    owner = next(
        (f"{key}={resource.tags[key]}" for key in ("owner", "Owner", "team", "Team") if key in resource.tags),
        "",
    )
    person = cause.actor.name if cause.actor else ""
    if not plan and not person and owner:
        return say("the owner of {name} (tag {owner}), who may know what was there before.", name=resource.name,
                   owner=owner)  # fmt: skip
    if person and owner:
        return say("{person}, or the owner of {name} (tag {owner}), before you apply: there may be a reason.",
                   person=person, name=resource.name, owner=owner)  # fmt: skip
    if person:
        return say("{person}, before you apply: there may be a reason.", person=person)
    if owner:
        return say("the owner of {name} (tag {owner}), before you apply.", name=resource.name, owner=owner)
    return ""


def _relieve(facts: Facts, cause: RootCause, resource: Resource | None) -> Mitigation:
    known = facts.condition(cause.resource, cause.field)
    assert known is not None, f"no service file knows {cause.field} of {cause.resource}"
    calls = valid(placed(known.calls(resource), resource)) if known.calls and resource else ()
    step = Step(
        title=say("Look closer"),
        calls=calls,
        note=say("changes how the table is observed, not how it serves"),
    )
    return Mitigation(
        summary=say("There is no setting to put back."),
        prepare=(_account_step(facts),) if calls else (),
        apply=(),
        post_validate=(_check_step(facts),),
        advice=known.relieve,
        mind=(),
        stays_red=stays_red(facts),
        pre_validate=(step,) if calls else (),
    )


def _make_room(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    return Mitigation(
        summary=say("There is no setting to put back."),
        post_validate=(_check_step(facts),),
        advice=(
            say("Slow the senders down, or raise the limit they exceed; how far is for its owner to decide."),
            say("Ask whoever runs {name} whether this traffic is wanted.", name=facts.name(cause.resource)),
        ),
        stays_red=red,
    )


def _by_event(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    event = next((item for item in facts.changes if cause.event and item.id == cause.event.id), None)
    resource = facts.resource(cause.resource)
    calls = undo(event, facts.changes) if event is not None else ()
    if event is not None and not calls and (anew := _anew(facts, cause, event)):
        return Mitigation(
            summary=say("Start anew who holds what {operation} replaced.", operation=event.operation),
            prepare=(_account_step(facts),),
            apply=(
                Step(
                    title=say("Apply"),
                    calls=anew,
                    note=say(
                        "a rolling start of what runs there; no setting is changed, so there is no way back"
                    ),
                    provenance=(cause.statement,),
                ),
            ),
            post_validate=(_check_step(facts),),
            stays_red=red,
            advice=(
                say(
                    "Let programs read it again when they are refused, so that the next change needs no hands."
                ),
            ),
            ask=_ask(facts, cause, resource) if resource else "",
        )
    if event is None or not calls:
        return Mitigation(
            summary=say("The value before is not known, so opsleuth proposes no call.")
            if cause.field
            else say("opsleuth knows no safe call that undoes {operation}.", operation=_operation(cause)),
            advice=(say("Ask whoever made the change, or look in the template or in an earlier version."),),
            post_validate=(_check_step(facts),),
            stays_red=red,
            ask=_ask(facts, cause, resource, plan=False) if resource else "",
        )
    back = again(event, calls)
    return Mitigation(
        summary=say("Undo {operation}.", operation=event.operation),
        prepare=(_account_step(facts),),
        apply=(
            Step(title=say("Apply"), calls=calls, provenance=(cause.statement, *told(event, facts.changes))),
        ),
        post_validate=(_check_step(facts),),
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
        ask=_ask(facts, cause, resource) if resource else "",
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
