"""The plan: the smallest reversal of the very cause, as calls that a human runs. Pure: facts in, plan out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from graph.facts import Facts
from graph.models import Hypothesis, Mitigation, RootCause, Step
from graph.plan_alike import all_back, event_behind, not_told, others
from graph.plan_alike import told as told_alike
from graph.plan_calls import placed, set_all, valid
from graph.plan_event import by_event
from graph.plan_mind import to_mind
from graph.plan_places import there
from graph.plan_sources import along, kept_beside, shown_at, spoken, where_from
from graph.plan_steps import account_step, check_step, stays_red, whom_to_ask
from graph.weighing.mechanism import together
from graph.weighing.moves import Move
from graph.words import say
from tools.models import Resource
from tools.services._spec import Setting


def plan(facts: Facts, cause: RootCause | None, *, recovered: bool = False) -> Mitigation | None:
    """The plan for a cause; None when there is nothing to say."""
    red = stays_red(facts)
    if recovered:
        return Mitigation(
            summary=say("Nothing to put back: the symptom is over."),
            prepare=(account_step(facts),) if red else (),
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
    return by_event(facts, cause, red)


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
            setting=setting.name, name=resource.name, value=spoken(cause.prior_value, setting),
        ),
        prepare=(account_step(facts),),
        pre_validate=(_still_so(cause, resource, setting),),
        apply=(
            Step(
                title=say("Apply"),
                calls=apply,
                provenance=(
                    where_from(facts, cause, resource, setting),
                    *(along(facts, resource, what) for what in also),
                    *(told_alike(*one) for one in beside if whole[0] and one[2].known),
                    *kept_beside(facts, resource, setting, {what.setting.query for what in also}),
                ),
            ),
        ),
        post_validate=(check_step(facts),),
        rollback=(
            Step(
                title=say("Way back"),
                calls=back,
                note=say(
                    "only if applying makes things worse: it sets {value} again",
                    value=spoken(cause.bad_value, setting),
                ),
            ),
        )
        if back
        else (),
        stays_red=red,
        mind=(
            *to_mind(facts, cause, resource, setting),
            *(not_told(*one[:2]) for one in beside if not whole[0]),
        ),
        ask=whom_to_ask(facts, cause, resource),
    )  # fmt: skip


def _no_call(
    facts: Facts, cause: RootCause, resource: Resource, setting: Setting, red: tuple[Step, ...]
) -> Mitigation:
    """The value before is known, but what must be sent along with it is not."""
    return Mitigation(
        summary=say(
            "The {setting} of {name} was {value}. What has to be sent along is not known: no call is proposed.",
            setting=setting.name, name=resource.name, value=spoken(cause.prior_value, setting),
        ),
        post_validate=(check_step(facts),),
        advice=(say("Set it in the template or the console, where the rest of the configuration is at hand."),),
        stays_red=red,
        mind=to_mind(facts, cause, resource, setting),
        ask=whom_to_ask(facts, cause, resource),
    )  # fmt: skip


def _moved_along(facts: Facts, cause: RootCause) -> tuple[Move, ...]:
    """What the same event moved as well, and what breaks alike: it has to go back with it."""
    if cause.event is None:
        return ()
    leader = Hypothesis(
        id="", kind=cause.kind, title="", resource=cause.resource, setting=cause.field, event=cause.event.id
    )
    return together(facts, leader)


def _still_so(cause: RootCause, resource: Resource, setting: Setting) -> Step:
    """Re-read what the plan relies on: readiness, the bad value, and what is sent along unchanged."""
    read = replace(setting.read(resource), region=resource.region)
    root = _common_root([setting.query, *setting.ready, *setting.beside])
    fields = [*setting.ready, setting.query, *setting.beside]
    expect = [f"{path.rsplit('.', 1)[-1]} {value}" for path, value in setting.ready.items()]
    expect.append(f"{setting.query.rsplit('.', 1)[-1]} {spoken(cause.bad_value, setting)}")
    for path in setting.beside:
        value = shown_at(path, resource)[1]
        expect.append(f"{path.rsplit('.', 1)[-1]} {value if value is not None else say('none')}")
    inner = ",".join(path.removeprefix(f"{root}.") for path in fields)
    query = f"{root}.[{inner}]" if root else f"[{inner}]"
    return Step(
        title=say("Still so?"), calls=(read,), query=query, expect=tuple(expect), note=say("else stop")
    )


_ROOTED = re.compile(r"\w+(\[\d+\])?\.")


def _common_root(paths: Iterable[str]) -> str:
    """The word that all paths begin with, or "": no other part of a query can be put before a list of fields."""
    heads = {path.split(".", 1)[0] if _ROOTED.match(path) else "" for path in paths}
    return heads.pop() if len(heads) == 1 else ""


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
        prepare=(account_step(facts),) if calls else (),
        apply=(),
        post_validate=(check_step(facts),),
        advice=known.relieve,
        mind=(),
        stays_red=stays_red(facts),
        pre_validate=(step,) if calls else (),
    )


def _make_room(facts: Facts, cause: RootCause, red: tuple[Step, ...]) -> Mitigation:
    return Mitigation(
        summary=say("There is no setting to put back."),
        post_validate=(check_step(facts),),
        advice=(
            say("Slow the senders down, or raise the limit they exceed; how far is for its owner to decide."),
            say("Ask whoever runs {name} whether this traffic is wanted.", name=facts.name(cause.resource)),
        ),
        stays_red=red,
    )
