"""Steps that plans of every kind share: the right account, whether it worked, alarms that stay red, whom to ask."""

from __future__ import annotations

from graph.facts import Facts
from graph.models import REPORT_ID, RootCause, Step
from graph.words import number, say
from tools.models import Call, Resource

_RED_NAMESPACES = {"AWS/DynamoDB"}
"""Alarms on these always keep their state while data is missing (CloudWatch user guide, "treat missing data")."""


def account_step(facts: Facts) -> Step:
    """Is this the incident's account?"""
    incident = facts.incident
    return Step(
        title=say("Right account?"),
        calls=(Call(service="sts", operation="GetCallerIdentity", parameters={}, region=incident.region),),
        query="Account",
        expect=(incident.account,),
        note=say("else stop"),
    )


def check_step(facts: Facts) -> Step:
    """Did it work? What the incident's own metric should show."""
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


def whom_to_ask(facts: Facts, cause: RootCause, resource: Resource, *, plan: bool = True) -> str:
    """Who may know why it was changed: the person, the owner by a tag, or "". `plan`: there is something to apply."""
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
