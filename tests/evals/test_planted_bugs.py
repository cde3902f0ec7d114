"""Bugs are planted in a right report, one at a time: each is noticed, and the right report is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from evals.cases import find
from evals.suite import judge
from evals.world import World, load_case
from graph.models import (
    ChangedBy,
    Hypothesis,
    Impact,
    Incident,
    Mitigation,
    Prevention,
    Report,
    RootCause,
    ShownEvidence,
    Step,
    TestResult,
    Topology,
    Trigger,
)
from tools.models import (
    Actor,
    Alarm,
    AlarmTransition,
    Call,
    Claim,
    Evidence,
    Gap,
    Metric,
    Onset,
    PriorSource,
    Relation,
    Resource,
    Statement,
    Value,
)

CASE, SEED = "dynamodb-max-write", 7
PATH = "OnDemandThroughput.MaxWriteRequestUnits"
THROTTLES = "AWS/DynamoDB/WriteThrottleEvents/Sum"
REQUESTS = "AWS/Lambda/Invocations/Sum"


@cache
def world() -> World:
    return load_case(CASE, SEED)


def fact(name: str) -> Any:
    return world().facts[name]


def minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


@dataclass(frozen=True)
class Scene:
    """What the report tells, taken from the world by hand."""

    table: str
    function: str
    dimensions: tuple[tuple[str, str], ...]
    start: datetime  # whole minutes around the refusals
    end: datetime

    def measured(self, name: str, how: str, **named: Any) -> Claim:
        on_table = name.startswith("AWS/DynamoDB")
        subject = self.table if on_table else self.function
        dimensions = self.dimensions if on_table else (("FunctionName", fact("function.name")),)
        value = world().ledger.metric(subject, name, how, self.start, self.end, dimensions)
        assert value
        made = Claim(
            kind="metric", subject=subject, field=name, value=value, how=how,
            start=self.start, end=self.end, dimensions=dimensions,
        )  # fmt: skip
        return replace(made, **named)


@cache
def scene() -> Scene:
    return Scene(
        table=fact("table.arn"),
        function=fact("function.arn"),
        dimensions=(("TableName", fact("table.name")),),
        start=minute(fact("onset")),
        end=minute(world().start) - timedelta(minutes=5),
    )


def told(event: str, *fields: str) -> tuple[Claim, ...]:
    names = {"actor": "actor.name", "actor_kind": "actor.kind", "how": "actor.how"}

    def value(field: str) -> Value:
        found = fact(f"{event}.{names.get(field, field)}")
        return found.isoformat() if isinstance(found, datetime) else found

    subject = fact(f"{event}.event_id")
    return tuple(Claim(kind="event", subject=subject, field=field, value=value(field)) for field in fields)


def held(value: Value, at: datetime, arn: str = "", path: str = PATH) -> Claim:
    return Claim(kind="setting", subject=arn or fact("table.arn"), field=path, value=value, start=at)


def sentence(text: str, *claims: Claim) -> Statement:
    return Statement(text=text, evidence=("F1",), claims=claims)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def why() -> Statement:
    text = (
        f"At {stamp(fact('change.time'))} IAM user {fact('change.actor.name')} ({fact('change.source_ip')}) "
        f"lowered the maximum write throughput of {fact('table.name')} from {fact('max_write.before')} "
        f"to {fact('max_write.after')}."
    )
    when = fact("change.time")
    return sentence(
        text,
        *told("change", "action", "actor", "how", "source_ip", "time", "region", "mfa"),
        held(fact("max_write.before"), when - timedelta(seconds=1)),
        held(fact("max_write.after"), when),
    )


def broken() -> Statement:
    total, rate = scene().measured(THROTTLES, "sum"), scene().measured(REQUESTS, "rate")
    shown = round(float(rate.value or 0), 1)
    text = f"{total.value:,.0f} writes to {fact('table.name')} were refused at {shown} requests per second."
    return sentence(text, total, replace(rate, value=shown, tolerance=0.01))


def update(write: int, read: int | None = None) -> Call:
    both = {"MaxReadRequestUnits": read or fact("drawn.max_read"), "MaxWriteRequestUnits": write}
    parameters = {"TableName": fact("table.name"), "OnDemandThroughput": both}
    return Call(service="dynamodb", operation="UpdateTable", parameters=parameters, region=world().region)


def plan() -> Mitigation:
    identity = Call(service="sts", operation="GetCallerIdentity", parameters={})
    origin = sentence("The value before.", held(fact("max_write.before"), fact("prior.time")))
    return Mitigation(
        summary="Set it back.",
        prepare=(Step(title="Right account?", calls=(identity,), expect=(world().account,)),),
        apply=(Step(title="Apply", calls=(update(fact("max_write.before")),), provenance=(origin,)),),
        rollback=(Step(title="Way back", calls=(update(fact("max_write.after")),)),),
    )


def actor() -> Actor:
    return Actor(
        kind=fact("change.actor.kind"), name=fact("change.actor.name"), how=fact("change.actor.how"),
        mfa=fact("change.mfa"), source_ip=fact("change.source_ip"), arn=fact("change.actor.arn"),
    )  # fmt: skip


def sources() -> tuple[PriorSource, ...]:
    before, metric_time = fact("max_write.before"), fact("change.time") - timedelta(minutes=10)
    return (
        PriorSource(kind="previous_event", value=before, time=fact("prior.time"), said_by="UpdateTable"),
        PriorSource(kind="metric", value=float(before), time=metric_time, said_by="metric"),
    )


def cause() -> RootCause:
    when = fact("change.time")
    return RootCause(
        kind="change", resource=fact("table.arn"), field=PATH,
        bad_value=fact("max_write.after"), prior_known=True, prior_value=fact("max_write.before"),
        prior_sources=sources(),
        event=ChangedBy(
            id=fact("change.event_id"), action=fact("change.action"), operation=fact("change.operation"),
            time=when, region=fact("change.region"),
        ),
        earliest=when, latest=when, actor=actor(), confidence=0.97, statement=why(),
    )  # fmt: skip


def alarm() -> Alarm:
    ledger, arn, now = world().ledger, fact("alarm.arn"), world().start
    transitions = tuple(
        AlarmTransition(time=time, old="OK", new=state, reason="x")  # type: ignore[arg-type]
        for time, state in ledger.transitions(arn)
        if time <= now
    )

    def is_now(field: str) -> Any:
        return ledger.alarm(arn, field, now)

    return Alarm(
        arn=arn, name=fact("alarm.name"), account=world().account, region=world().region,
        metric=Metric(
            namespace="AWS/DynamoDB", name="WriteThrottleEvents", dimensions=scene().dimensions, stat="Sum"
        ),
        comparison=is_now("comparison"), threshold=is_now("threshold"),
        evaluation_periods=is_now("evaluation_periods"), datapoints_to_alarm=is_now("datapoints_to_alarm"),
        treat_missing=is_now("treat_missing"), state=is_now("state"), state_since=transitions[-1].time,
        state_reason="x", updated=now, transitions=transitions,
    )  # fmt: skip


def topology() -> Topology:
    table, function = fact("table.arn"), fact("function.arn")
    now = world().start
    limits = {"MaxReadRequestUnits": fact("drawn.max_read"), "MaxWriteRequestUnits": fact("max_write.after")}
    place: dict[str, Any] = {"account": world().account, "region": world().region}
    assert world().ledger.setting(table, PATH, now) == fact("max_write.after")
    return Topology(
        resources=(
            Resource(
                arn=table, service="dynamodb", type="table", name=fact("table.name"),
                config={"OnDemandThroughput": limits}, **place,
            ),
            Resource(arn=function, service="lambda", type="function", name=fact("function.name"), **place),
        ),
        relations=(Relation(source=function, target=table, kind="writes", provenance="environment"),),
        cause=table, symptom=table, path=(table,),
    )  # fmt: skip


def evidence(**changes: Any) -> ShownEvidence:
    made = Evidence(
        id="F1", service="cloudtrail", operation="LookupEvents", parameters={}, region=world().region,
        account=world().account, time=world().start, sha256="0" * 64, excerpt="",
    )  # fmt: skip
    return ShownEvidence(evidence=replace(made, **changes))


def traffic() -> Hypothesis:
    same = sentence("Requests stayed the same.", scene().measured(REQUESTS, "sum"))
    return Hypothesis(
        id="traffic", kind="traffic", title="more requests", status="ruled_out",
        tests=(TestResult(test="traffic", weight=-2.0, statement=same),),
    )  # fmt: skip


def threshold_alarm(value: float) -> Prevention:
    return Prevention(
        kind="notice", title="Watch the maximum", why="Next time.", artefact_name="alarm.json",
        artefact={"Threshold": value, "MetricName": "OnDemandMaxWriteRequestUnits"},
    )  # fmt: skip


def right() -> Report:
    onset = fact("onset")
    deny = {"Effect": "Deny", "Action": "dynamodb:UpdateTable", "Resource": fact("table.arn")}
    return Report(
        verdict="root_cause", headline="Proven", as_of=world().start,
        trigger=Trigger(alarm=fact("alarm.name")),
        incident=Incident(
            account=world().account, region=world().region, alarm=alarm(), resource=fact("table.arn"),
            onset=Onset(earliest=minute(onset), latest=minute(onset) + timedelta(minutes=1), confidence=1,
                        shape="step"),
        ),
        broken=broken(), why=why(), root_cause=cause(), mitigation=plan(), hypotheses=(traffic(),),
        impact=Impact(statements=(broken(),)),
        prevention=(
            Prevention(kind="block", title="Deny", why="x", artefact_name="policy.json", artefact=deny),
            threshold_alarm(fact("max_write.before")),
        ),
        topology=topology(), evidence=(evidence(),),
    )  # fmt: skip


def noticed(report: Report) -> tuple[str, ...]:
    """What the evaluation says against a report: failed items and false claims."""
    (case,) = find(only=[CASE])
    score, false = judge(case, world(), [report])
    return (*(f"{item.name}: {item.why}" for item in score.failed if item.name != "claims"), *false)


def changed(**fields: Any) -> Report:
    return right().model_copy(update=fields)


def with_cause(**fields: Any) -> Report:
    return changed(root_cause=cause().model_copy(update=fields))


def with_actor(**fields: Any) -> Report:
    return with_cause(actor=replace(actor(), **fields))


def with_event(**fields: Any) -> Report:
    found = cause().event
    assert found is not None
    return with_cause(event=found.model_copy(update=fields))


def with_incident(**fields: Any) -> Report:
    return changed(incident=right().incident.model_copy(update=fields))


def with_broken(*claims: Claim, text: str = "") -> Report:
    return changed(broken=Statement(text=text or broken().text, claims=claims or broken().claims))


def with_plan(write: int, read: int | None = None, part: str = "apply") -> Report:
    return changed(
        mitigation=plan().model_copy(update={part: (Step(title="x", calls=(update(write, read),)),)})
    )


def with_why(field: str, value: Value) -> Report:
    claims = tuple(replace(one, value=value) if one.field == field else one for one in why().claims)
    return changed(why=replace(why(), claims=claims))


def scaled(by: float, at: int = 0) -> Report:
    claims = list(broken().claims)
    claims[at] = replace(claims[at], value=float(claims[at].value or 0) * by)
    return with_broken(*claims)


def shifted(minutes: int) -> Report:
    total, rate = broken().claims
    by = timedelta(minutes=minutes)
    assert total.start is not None
    assert total.end is not None
    return with_broken(replace(total, start=total.start + by, end=total.end + by), rate)


def moved_onset(hours: float) -> Report:
    onset = right().incident.onset
    assert onset is not None
    by = timedelta(hours=hours)
    return with_incident(onset=replace(onset, earliest=onset.earliest + by, latest=onset.latest + by))


def other_table() -> str:
    return next(t.arn for t in world().of("table", world().region) if t.arn != fact("table.arn"))


def other_person() -> str:
    return str(fact("drawn.person_2"))


def local_time() -> Report:
    """The event's time in Tokyo, printed and claimed as if it were UTC."""
    late = fact("change.time") + timedelta(hours=9)
    text = why().text.replace(stamp(fact("change.time")), stamp(late))
    claims = tuple(
        replace(one, value=late.isoformat()) if one.field == "time" else one for one in why().claims
    )
    return changed(why=Statement(text=text, claims=claims))


def reversed_relation() -> Report:
    (one,) = topology().relations
    turned = replace(one, source=one.target, target=one.source)
    return changed(topology=topology().model_copy(update={"relations": (turned,)}))


def wrong_gap() -> Report:
    statement = {"Effect": "Allow", "Action": "lambda:GetFunction", "Resource": "*"}
    return changed(gaps=(Gap(what="functions", why="denied", code="AccessDenied", statement=statement),))


def older_prior() -> Report:
    """The value that an even older event set, told as the one before the change."""
    stale = fact("prior.before")
    origins = tuple(replace(one, value=stale) for one in sources())
    return with_cause(prior_value=stale, prior_sources=origins)


def alarm_with(**fields: Any) -> Report:
    return with_incident(alarm=replace(alarm(), **fields))


BUGS: dict[str, Callable[[], Report]] = {
    "unit: per second told per minute": lambda: scaled(60, at=1),
    "unit: sum told as rate": lambda: with_broken(
        replace(broken().claims[0], how="rate"), broken().claims[1]
    ),
    "off by one period": lambda: shifted(-1),
    "count one too many": lambda: with_broken(text=broken().text.replace(" writes", "1 writes", 1)),
    "count of another metric": lambda: with_broken(
        replace(broken().claims[0], field=THROTTLES.replace("Write", "Read")), broken().claims[1]
    ),
    "count of another table": lambda: with_broken(
        replace(broken().claims[0], subject=other_table()), broken().claims[1]
    ),
    "tolerance that allows anything": lambda: with_broken(
        replace(broken().claims[0], value=1.0, tolerance=1.0), broken().claims[1]
    ),
    "stale prior": older_prior,
    "prior and bad swapped": lambda: with_cause(
        prior_value=fact("max_write.after"), bad_value=fact("max_write.before")
    ),
    "value of another table": lambda: changed(
        why=replace(
            why(), claims=(*why().claims, held(fact("max_write.before"), fact("prior.time"), other_table()))
        )
    ),
    "actors swapped": lambda: with_actor(name=other_person()),
    "actors swapped in the sentence": lambda: changed(
        why=replace(why(), text=why().text.replace(fact("change.actor.name"), other_person()))
    ),
    "actor of another event": lambda: with_why("actor", fact("prior.actor.name")),
    "console told as command line": lambda: with_actor(how="cli"),
    "MFA flipped": lambda: with_actor(mfa=not fact("change.mfa")),
    "address of somebody else": lambda: with_actor(source_ip=fact("drawn.address_2")),
    "address of somebody else in the sentence": lambda: with_why("source_ip", fact("drawn.address_2")),
    "another event": lambda: with_event(id=fact("prior.event_id")),
    "an event that never was": lambda: with_event(id="00000000-0000-4000-8000-000000000000"),
    "event in another region": lambda: with_event(region="eu-north-1"),
    "local time read as UTC": local_time,
    "event one second late": lambda: with_event(time=fact("change.time") + timedelta(seconds=1)),
    "another region": lambda: with_incident(region="eu-north-1"),
    "another account": lambda: with_incident(account="999999999999"),
    "evidence of another account": lambda: changed(evidence=(evidence(account="999999999999"),)),
    "onset an hour early": lambda: moved_onset(-1),
    "onset five minutes late": lambda: moved_onset(5 / 60),
    "read limit lost": lambda: with_plan(fact("max_write.before"), -1),
    "read limit doubled": lambda: with_plan(fact("max_write.before"), 2 * fact("drawn.max_read")),
    "plan sets a round number": lambda: with_plan(1000),
    "plan sets the bad value": lambda: with_plan(fact("max_write.after")),
    "way back to the good value": lambda: with_plan(fact("max_write.before"), part="rollback"),
    "threshold of the alarm": lambda: alarm_with(threshold=alarm().threshold + 1),
    "state of the alarm": lambda: alarm_with(state="OK"),
    "transition that never was": lambda: alarm_with(
        transitions=(replace(alarm().transitions[-1], time=world().start - timedelta(minutes=1)),)
    ),
    "relation reversed": reversed_relation,
    "permission that is there told as missing": wrong_gap,
    "threshold of a new alarm": lambda: changed(
        prevention=(right().prevention[0], threshold_alarm(fact("max_write.before") + 1))
    ),
    "verdict": lambda: changed(verdict="recovered"),
    "traffic not ruled out": lambda: changed(hypotheses=()),
}


NOTICED = {
    "unit: per second told per minute": "Invocations/Sum says",
    "unit: sum told as rate": "WriteThrottleEvents/Sum says",
    "off by one period": "WriteThrottleEvents/Sum says",
    "count one too many": "stands in no claim",
    "count of another metric": "ReadThrottleEvents/Sum is about a metric that does not exist",
    "count of another table": "is about a metric that does not exist",
    "tolerance that allows anything": "at most 5% is rounding",
    "stale prior": "root_cause.prior_value: says",
    "prior and bad swapped": "root_cause.bad_value: says",
    "value of another table": "MaxWriteRequestUnits says",
    "actors swapped": "root_cause.actor.actor: says",
    "actors swapped in the sentence": "stands in no claim",
    "actor of another event": "actor says",
    "console told as command line": "root_cause.actor.how: says 'cli'",
    "MFA flipped": "root_cause.actor.mfa: says",
    "address of somebody else": "root_cause.actor.source_ip: says",
    "address of somebody else in the sentence": "source_ip says",
    "another event": "root_cause.event.time: says",
    "an event that never was": "never happened",
    "event in another region": "root_cause.event.region: says",
    "local time read as UTC": "time says",
    "event one second late": "root_cause.event.time: says",
    "another region": "incident.region: says",
    "another account": "incident.account: says",
    "evidence of another account": "evidence.F1: is of account",
    "onset an hour early": "onset: ",
    "onset five minutes late": "onset: ",
    "read limit lost": "mitigation.apply: writes -1",
    "read limit doubled": "mitigation.apply: writes",
    "plan sets a round number": "mitigation.apply: writes 1000",
    "plan sets the bad value": "plan: apply: OnDemandThroughput",
    "way back to the good value": "plan: rollback: OnDemandThroughput",
    "threshold of the alarm": "incident.alarm.threshold: says",
    "state of the alarm": "incident.alarm.state: says",
    "transition that never was": "the alarm did not change so",
    "relation reversed": "there is no such relation",
    "permission that is there told as missing": "but the role has it",
    "threshold of a new alarm": "prevention.alarm.json: threshold",
    "verdict": "verdict: expected root_cause",
    "traffic not ruled out": "ruled out: traffic",
}
"""What the evaluation must say of each bug."""


def test_the_right_report_raises_nothing() -> None:
    assert noticed(right()) == ()


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_planted_bug_is_noticed_for_what_it_is(bug: str) -> None:
    said = noticed(BUGS[bug]())
    assert any(NOTICED[bug] in sentence for sentence in said), said


def test_at_least_twenty_kinds_of_bugs_are_planted() -> None:
    assert len(BUGS) >= 20
    assert set(BUGS) == set(NOTICED)
