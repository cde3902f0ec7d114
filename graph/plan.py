"""The plan: the smallest reversal of the very cause, as calls that a human runs. Pure: facts in, plan out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graph.claims import event_claims, setting_claim, statement
from graph.facts import Facts
from graph.models import REPORT_ID, Mitigation, RootCause, Step
from graph.weighing.moves import is_unlimited
from graph.words import number, say
from tools.catalogue import change_of, conditions, find
from tools.models import Call, ChangeEvent, Claim, PriorSource, Resource, Statement, Value
from tools.parameters import validate
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
    setting = facts.setting(cause.resource, cause.field)
    resource = facts.resource(cause.resource)
    if setting is not None and resource is not None and cause.prior_known and not setting.hidden:
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
    apply = _placed(setting.restore(resource, cause.prior_value), resource)
    back = _placed(setting.restore(resource, cause.bad_value), resource)
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
                calls=_valid(apply),
                provenance=(_where_from(facts, cause, resource, setting), *_beside(facts, resource, setting)),
            ),
        ),
        post_validate=(_check_step(facts),),
        rollback=(
            Step(
                title=say("Way back"),
                calls=_valid(back),
                note=say("sets {value} again", value=_spoken(cause.bad_value, setting)),
            ),
        ),
        stays_red=red,
        mind=_mind(facts, cause),
        ask=_ask(facts, cause, resource),
    )  # fmt: skip


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


def _common_root(paths: Iterable[str]) -> str:
    heads = {path.split(".", 1)[0] for path in paths}
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


def _beside(facts: Facts, resource: Resource, setting: Setting) -> list[Statement]:
    made = []
    for path in setting.beside:
        inner, value = _shown(path, resource)
        made.append(
            statement(
                "{name} {value} unchanged ← {operation}",
                evidence=resource.evidence[-1:],
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
        "The alarm keeps its state while data is missing, and no data means no trouble."
    )
    return (Step(title=say("Stays red"), calls=(call,), note=why),)


def _mind(facts: Facts, cause: RootCause) -> tuple[Statement, ...]:
    made: list[Statement] = []
    if cause.prior_note:
        made.append(statement("{note}", note=cause.prior_note))
    if len({source.kind for source in cause.prior_sources}) == 1:
        made.append(statement("The prior value rests on one source only."))
    return tuple(made)


def _ask(facts: Facts, cause: RootCause, resource: Resource) -> str:
    owner = next(
        (f"{key}={resource.tags[key]}" for key in ("owner", "Owner", "team", "Team") if key in resource.tags),
        "",
    )
    person = cause.actor.name if cause.actor else ""
    if person and owner:
        return say("{person}, or the owner of {name} (tag {owner}), before you apply: there may be a reason.",
                   person=person, name=resource.name, owner=owner)  # fmt: skip
    if person:
        return say("{person}, before you apply: there may be a reason.", person=person)
    if owner:
        return say("the owner of {name} (tag {owner}), before you apply.", name=resource.name, owner=owner)
    return ""


def _relieve(facts: Facts, cause: RootCause, resource: Resource | None) -> Mitigation:
    known = next(one for _, one in conditions() if one.key == cause.field)
    calls = _valid(_placed(known.calls(resource), resource)) if known.calls and resource else ()
    step = Step(
        title=say("Look closer"),
        calls=calls,
        note=say("changes how the table is observed, not how it serves"),
    )
    return Mitigation(
        summary=say("No setting was changed, so there is nothing to put back."),
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
        summary=say("No setting was changed, so there is nothing to put back."),
        post_validate=(_check_step(facts),),
        advice=(
            say("Slow the senders down, or raise the limit they exceed; how far is for its owner to decide."),
            say("Ask whoever runs {name} whether this traffic is wanted.", name=facts.name(cause.resource)),
        ),
        stays_red=red,
    )


def _by_event(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    event = next((item for item in facts.changes if cause.event and item.id == cause.event.id), None)
    known = change_of(event) if event else None
    resource = facts.resource(cause.resource)
    calls: tuple[Call, ...] = ()
    if event is not None and known is not None and known.undo is not None:
        calls = _valid(known.undo(event, _earlier(facts, event)))
    if not calls:
        return Mitigation(
            summary=say("The value before is not known, so opsleuth proposes no call."),
            advice=(say("Ask whoever made the change, or look in the template or in an earlier version."),),
            post_validate=(_check_step(facts),),
            stays_red=red,
            ask=_ask(facts, cause, resource) if resource else "",
        )
    return Mitigation(
        summary=say("Undo {operation}.", operation=event.operation if event else ""),
        prepare=(_account_step(facts),),
        apply=(Step(title=say("Apply"), calls=calls, provenance=(cause.statement,)),),
        post_validate=(_check_step(facts),),
        stays_red=red,
        ask=_ask(facts, cause, resource) if resource else "",
    )


def _earlier(facts: Facts, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
    before = [item for item in facts.changes if item.time < event.time and not item.error_code]
    return tuple(sorted(before, key=lambda item: item.time, reverse=True))


def _placed(calls: Iterable[Call], resource: Resource) -> tuple[Call, ...]:
    return tuple(call if call.region else replace(call, region=resource.region) for call in calls)


def _valid(calls: Iterable[Call]) -> tuple[Call, ...]:
    """Calls that botocore's models accept; a call they reject is never shown."""
    return tuple(call for call in calls if not validate(call))
