"""Artefacts that are called ready are tried on all that a world knows; wrong ones are found, and so are wrong plans."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from evals.prevention_check import PreventionCheck, check
from evals.rehearsal import Rehearsal, rehearse
from evals.world import World, load_case
from graph.models import ChangedBy, Incident, Mitigation, Prevention, Report, RootCause, Step, Trigger
from tools.models import Alarm, Call, Json, Metric, Statement

CAP = "OnDemandThroughput.MaxWriteRequestUnits"


@cache
def world() -> World:
    return load_case("dynamodb-max-write", 3)


def fact(name: str) -> Any:
    return world().facts[name]


def report(*measures: Prevention, plan: Mitigation | None = None, alarm: bool = True) -> Report:
    """What the checks look at of a report that blames the right event."""
    event = ChangedBy(
        id=fact("change.event_id"),
        action="UpdateTable",
        operation="UpdateTable",
        time=fact("change.time"),
        region=world().region,
    )
    told = Statement(text="x")
    cause = RootCause(
        kind="change", resource=fact("table.arn"), field=CAP, event=event, confidence=0.9, statement=told
    )
    shown = world().alarms[world().trigger["alarm"]]
    own = Alarm(
        arn=shown.arn, name=shown.name, account=world().account, region=world().region,
        metric=Metric(namespace=shown.namespace, name=shown.metric, dimensions=shown.dimensions, stat="Sum"),
        comparison="GreaterThanThreshold", threshold=0, evaluation_periods=5, datapoints_to_alarm=3,
        treat_missing="missing", state="ALARM", state_since=world().start, state_reason="",
        updated=world().start,
    )  # fmt: skip
    return Report(
        verdict="root_cause",
        headline="Proven",
        as_of=world().start,
        trigger=Trigger(alarm=shown.name),
        incident=Incident(
            account=world().account,
            region=world().region,
            resource=fact("table.arn"),
            alarm=own if alarm else None,
        ),
        broken=told,
        why=told,
        root_cause=cause,
        mitigation=plan,
        prevention=measures or (NOTE,),
    )


NOTE = Prevention(kind="practice", title="x", why="x", artefact_name="note.md", artefact="x")


def measure(name: str, artefact: Json, kind: Any = "notice") -> Prevention:
    return Prevention(kind=kind, title=name, why="x", artefact_name=name, artefact=artefact, ready=True)


def deny(*spared: str, **other: Any) -> Prevention:
    statement = {
        "Effect": "Deny",
        "Action": "dynamodb:UpdateTable",
        "Resource": fact("table.arn"),
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": list(spared)}},
    }
    return measure("policy.json", {"Version": "2012-10-17", "Statement": [{**statement, **other}]}, "block")


def deployers() -> list[str]:
    """ARNs of the roles that changed the table before."""
    table, bad = fact("table.arn"), fact("change.event_id")
    made = [one for one in world().trail.records if one.arn == table and one.id != bad]
    found = [one.body["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}) for one in made]
    return sorted({one["arn"] for one in found if "arn" in one})


def rule(**detail: Any) -> Prevention:
    wanted = {"eventSource": ["dynamodb.amazonaws.com"], "eventName": ["UpdateTable"], **detail}
    return measure("rule.json", {"Name": "x", "EventPattern": {"source": ["aws.dynamodb"], "detail": wanted}})


def alarm(threshold: float, period: int = 300) -> Prevention:
    return measure(
        "alarm.json",
        {
            "AlarmName": "new", "Namespace": "AWS/DynamoDB", "MetricName": "OnDemandMaxWriteRequestUnits",
            "Dimensions": [{"Name": "TableName", "Value": fact("table.name")}], "Statistic": "Maximum",
            "Period": period, "EvaluationPeriods": 1, "Threshold": threshold,
            "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "missing",
        },
    )  # fmt: skip


def test_a_policy_that_spares_who_changed_the_table_before_blocks_nothing_else() -> None:
    assert deployers()
    assert check(report(deny(*deployers())), world()) == PreventionCheck(ready=1)


def test_legitimate_changes_that_a_policy_stops_are_counted() -> None:
    spared_none = check(report(deny("arn:aws:iam::111122223333:role/nobody")), world())
    assert (spared_none.ready, spared_none.missed) == (1, 0)
    assert spared_none.blocked >= 1
    everything = check(report(deny("x", Action="*", Resource="*")), world())
    assert everything.blocked > spared_none.blocked
    assert len(everything.problems) == everything.blocked


def test_a_policy_or_a_rule_that_lets_the_change_through_is_missed() -> None:
    other = deny(*deployers(), Resource=fact("table.arn") + "-2")
    assert check(report(other, rule(eventName=["DeleteTable"])), world()).missed == 2
    assert check(report(rule()), world()) == PreventionCheck(ready=1)


def test_an_alarm_must_be_earlier_than_the_one_that_is_there() -> None:
    late = alarm(float(fact("max_write.before")))
    assert check(report(late), world()).missed == 1
    assert check(report(late, alarm=False), world()) == PreventionCheck(ready=1)
    assert check(report(alarm(0.5), alarm=False), world()).missed == 1


def test_an_alarm_that_rang_in_the_days_before_is_false() -> None:
    always = check(report(alarm(1e9), alarm=False), world())
    assert always.false_alarms >= 1
    assert not always.ok


def test_drafts_are_counted_and_not_tried() -> None:
    draft = deny("x").model_copy(update={"ready": False, "draft": "it would also stop deploy-role"})
    assert check(report(draft), world()) == PreventionCheck(drafts=1)


def update(write: int, read: int) -> Step:
    limits = {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write}
    sent: Json = {"TableName": fact("table.name"), "OnDemandThroughput": limits}
    call = Call(service="dynamodb", operation="UpdateTable", parameters=sent, region=world().region)
    return Step(title="x", calls=(call,))


@pytest.mark.parametrize(
    ("write", "read", "back", "status"),
    [(0, 0, 0, "ok"), (1, 0, 0, "failed"), (0, 1, 0, "failed"), (0, 0, 1, "failed")],
)
def test_a_plan_is_rehearsed_on_what_the_world_says_was_there(
    write: int, read: int, back: int, status: str
) -> None:
    held = fact("drawn.max_read")
    plan = Mitigation(
        summary="x",
        apply=(update(fact("max_write.before") + write, held + read),),
        rollback=(update(fact("max_write.after") + back, held),),
    )
    assert rehearse(report(plan=plan), world()).status == status


def test_what_the_world_does_not_know_is_not_rehearsable() -> None:
    plan = Mitigation(summary="x", apply=(update(1, 1),), rollback=(update(1, 1),))
    assert rehearse(report(), world()).status == "not_rehearsable"
    strange = report(plan=plan)
    assert strange.root_cause is not None
    assert strange.root_cause.event is not None
    for change in (
        {"resource": fact("table.arn") + "-2"},
        {"event": strange.root_cause.event.model_copy(update={"id": "no-such-event"})},
        {
            "event": None,
            "earliest": world().start - timedelta(days=1),
            "latest": world().start - timedelta(hours=20),
        },
    ):
        cause = strange.root_cause.model_copy(update=change)
        found = rehearse(strange.model_copy(update={"root_cause": cause}), world())
        assert found.status == "not_rehearsable", change
        assert found != Rehearsal(status="not_rehearsable")
