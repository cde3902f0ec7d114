"""Each small test of a hypothesis by itself: what it finds, its sign, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weighing import decide, hypotheses, special, weigh
from graph.weighing.coincidence import coincidence
from graph.weighing.dose import dose
from graph.weighing.mechanism import mechanism
from graph.weighing.when import span, time
from graph.weighing.where import path, topology
from graph.weighing.witness import companions, logs
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.kinds import KINDS, alarm_lowered, configured
from tests.graph.made import (
    API,
    ONSET,
    ROLE,
    STAGE,
    TABLE,
    WRITER,
    arn,
    changed,
    event,
    pattern,
    resource,
    step,
)
from tools.models import Actor, Onset, Relation

CAP = "OnDemandThroughput.MaxWriteRequestUnits"


def named(facts: Facts, id: str = "true") -> Hypothesis:
    return next(item for item in hypotheses(facts) if item.event == id)


def kind_of(facts: Facts, kind: str, resource: str = "") -> Hypothesis:
    return next(item for item in hypotheses(facts) if item.kind == kind and resource in item.resource)


def weight(found: TestResult | None) -> float:
    return found.weight if found is not None else 0.0


def writer_fails(*changes: Any, **more: Any) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, **more)


# -- time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-1, "time.fits_mechanism"),
        (-9, "time.fits_mechanism"),
        (2, "time.after_onset"),
        (14, "time.after_onset"),
    ],
)
def test_time_of_a_known_mechanism(minutes: float, expected: str) -> None:
    facts = writer_fails(configured(minutes=minutes, timeout=3))
    assert weight(time(facts, named(facts))) == WEIGHTS[expected]


def test_the_longer_before_the_less_it_fits() -> None:
    found = []
    for hours in (0.1, 0.5, 2, 10):
        facts = writer_fails(configured(minutes=-60 * hours, timeout=3), lookback=24)
        found.append(weight(time(facts, named(facts))))
    assert found == sorted(found, reverse=True)
    assert found[0] > 0 > found[-1]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0.1, "time.soon"), (1, "time.same_hours"), (20, "time.same_day"), (30, "time.long_before")],
)
def test_time_where_no_mechanism_is_known(hours: float, expected: str) -> None:
    strange = event(
        "lambda", "SomethingNew", {"functionName": "parcel-writer"}, id="true", minutes=-60 * hours
    )
    facts = writer_fails(strange, lookback=72)
    assert weight(time(facts, named(facts))) == WEIGHTS[expected]


def test_time_says_how_long_before_or_after() -> None:
    facts = writer_fails(configured(minutes=-1, timeout=3))
    assert time(facts, named(facts)).statement.text == "60 s to 2 min before the onset"  # type: ignore[union-attr]
    facts = writer_fails(configured(minutes=5, timeout=3))
    said = time(facts, named(facts)).statement.text  # type: ignore[union-attr]
    assert said == "made at 2026-04-09T10:05:00Z, 4 min after the symptom began"


def test_time_without_an_onset_speaks_against_every_change() -> None:
    facts = writer_fails(configured(timeout=3))
    calm = replace(facts, incident=facts.incident.model_copy(update={"onset": None}))
    assert weight(time(calm, named(calm))) == WEIGHTS["time.no_onset"]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-5, "time.step_before_onset"), (-90, "time.same_day"), (5, "time.after_onset")],
)
def test_time_of_a_step_without_an_event(minutes: float, expected: str) -> None:
    own = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 250, 2, minutes=minutes)
    facts = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9)}, steps=(own,))
    assert weight(time(facts, kind_of(facts, "setting"))) == WEIGHTS[expected]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (93600, "26 h"),
    ],
)
def test_span(seconds: float, said: str) -> None:
    assert span(seconds) == said


# -- topology ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected", "way"),
    [
        (configured(timeout=3), "topology.same", (WRITER,)),
        (
            event("iam", "TagRole", {"roleName": "parcel-writer-role"}, id="true"),
            "topology.near",
            (ROLE, WRITER),
        ),
        (event("lambda", "SomethingNew", {"functionName": "tax-report"}, id="true"), "topology.no_path", ()),
        (
            event("apigateway", "CreateDeployment", {"restApiId": "p4r5c6e7l8"}, id="true"),
            "topology.upstream",
            (API, WRITER),
        ),
    ],
)
def test_topology(change: Any, expected: str, way: tuple[str, ...]) -> None:
    facts = writer_fails(change)
    assert weight(topology(facts, named(facts))) == WEIGHTS[expected]
    assert path(facts, named(facts)) == way


def test_topology_tells_the_way_and_claims_each_relation() -> None:
    facts = made.facts(
        (API, "5XXError"),
        {(API, "5XXError"): (0, 8)},
        changes=[event("dynamodb", "DeleteTable", {"tableName": "parcels"}, id="true")],
    )
    found = topology(facts, named(facts))
    assert found is not None
    assert found.weight == WEIGHTS["topology.two_away"]
    assert found.statement.text == "reaches the symptom: parcels → parcel-writer → parcels-rest"
    told = {(item.source, item.kind, item.target) for item in facts.relations}
    assert len(found.statement.claims) == 2
    assert {(one.subject, one.field, one.value) for one in found.statement.claims} <= told


@pytest.mark.parametrize(("change", "expected"), [("i-web", "topology.near"), ("i-app", "topology.two_away")])
def test_a_target_group_on_the_way_is_no_step(change: str, expected: str) -> None:
    balancer = arn("elasticloadbalancing", "loadbalancer/app/shop/50dc6c495c0c9188")
    targets = arn("elasticloadbalancing", "targetgroup/web/6d0ecf831eec9f09")
    web, app = arn("ec2", "instance/i-web"), arn("ec2", "instance/i-app")
    way = ((balancer, "forwards to", targets), (targets, "targets", web), (web, "may connect to", app))
    facts = made.facts(
        (balancer, "HTTPCode_Target_5XX_Count"),
        {(balancer, "HTTPCode_Target_5XX_Count"): (0, 8)},
        resources=tuple(resource(one, one.rpartition("/")[2]) for one in (balancer, targets, web, app)),
        relations=[Relation(source=one, kind=kind, target=other, provenance="") for one, kind, other in way],
        changes=[
            event("ec2", "RebootInstances", {"instancesSet": {"items": [{"instanceId": change}]}}, id="true")
        ],
    )
    assert weight(topology(facts, named(facts))) == WEIGHTS[expected]


def test_a_part_counts_as_the_whole_that_shows_the_symptom() -> None:
    facts = KINDS["REST stage throttled"].facts()
    found = topology(facts, named(facts))
    assert named(facts).resource == STAGE
    assert weight(found) == WEIGHTS["topology.same"]
    assert path(facts, named(facts)) == (STAGE, API)


# -- mechanism ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symptom", "change", "expected"),
    [
        ((WRITER, "Errors"), configured(timeout=3), "mechanism.direct"),
        ((API, "5XXError"), configured(timeout=3), "mechanism.direct"),
        ((API, "5XXError"), configured(handler="no.such"), "mechanism.direct"),
        ((WRITER, "Throttles"), configured(timeout=3), "mechanism.other_metric"),
        ((WRITER, "Errors"), event("lambda", "PublishVersion", {"functionName": "parcel-writer"}, id="true"),
         "mechanism.inert"),
        ((WRITER, "Errors"), event("lambda", "SomethingNew", {"functionName": "parcel-writer"}, id="true"),
         "mechanism.unknown"),
        ((API, "Latency"), event("lambda", "DeleteProvisionedConcurrencyConfig",
                                 {"functionName": "parcel-writer"}, id="true"), "mechanism.direct"),
        ((API, "Count"), event("lambda", "DeleteFunction", {"functionName": "parcel-writer"}, id="true"),
         "mechanism.other_metric"),
    ],
)  # fmt: skip
def test_mechanism(symptom: tuple[str, str], change: Any, expected: str) -> None:
    facts = made.facts(symptom, {symptom: (1, 9)}, changes=[change])
    assert weight(mechanism(facts, named(facts))) == WEIGHTS[expected]


def test_a_setting_without_effects_moves_nothing_and_is_no_coincidence() -> None:
    request = {"tableName": "parcels", "deletionProtectionEnabled": True}
    facts = made.facts(
        (TABLE, "WriteThrottleEvents"),
        {(TABLE, "WriteThrottleEvents"): (0, 8)},
        changes=[event("dynamodb", "UpdateTable", request, id="true")],
    )
    assert named(facts).setting == "DeletionProtectionEnabled"
    assert weight(mechanism(facts, named(facts))) == WEIGHTS["mechanism.inert"]
    assert coincidence(facts, named(facts)) is None


def test_the_direction_of_a_move_decides_what_it_can_do() -> None:
    before = configured("old", -9000, timeout=30)
    lower, higher = writer_fails(before, configured(timeout=3)), writer_fails(before, configured(timeout=60))
    assert weight(mechanism(lower, named(lower))) == WEIGHTS["mechanism.direct"]
    assert weight(mechanism(higher, named(higher))) == WEIGHTS["mechanism.other_metric"]


def test_failures_of_a_resource_are_passed_on_to_its_callers() -> None:
    before = made.event(
        "dynamodb", "UpdateTable", {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 250}},
        minutes=-9000, id="old",
    )  # fmt: skip
    low = made.event(
        "dynamodb", "UpdateTable", {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 2}},
        id="true",
    )  # fmt: skip
    waits = {(WRITER, "ConcurrentExecutions"): (3.0, 90.0)}
    refused = waits | {(TABLE, "WriteThrottleEvents"): (0.0, 20.0)}
    for moves, kind in ((refused, "mechanism.spreads"), (waits, "mechanism.unknown")):
        facts = made.facts((WRITER, "ConcurrentExecutions"), moves, changes=[before, low])
        assert weight(mechanism(facts, named(facts))) == WEIGHTS[kind]


@pytest.mark.parametrize(
    ("errors", "asked", "fits"), [(9, 20, True), (0, 20, True), (9, 0, True), (0, 0, False)]
)
def test_callers_do_not_fail_for_what_they_no_longer_reach(errors: float, asked: float, fits: bool) -> None:
    release = made.event("lambda", "UpdateFunctionCode", {"functionName": "parcel-writer"}, id="true")
    moves = {(API, "5XXError"): (0, 9), (WRITER, "Errors"): (0, errors), (WRITER, "Invocations"): (20, asked)}
    facts = made.facts((API, "5XXError"), moves, changes=[release])
    assert (weight(mechanism(facts, named(facts))) == WEIGHTS["mechanism.direct"]) == fits


def test_silence_travels_to_those_that_are_fed() -> None:
    for name in ("stream switched off", "subscription filter deleted"):
        facts = KINDS[name].facts()
        assert weight(mechanism(facts, named(facts))) > 0


# -- dose --------------------------------------------------------------------------------------------


def doses(facts: Facts, hypothesis: Hypothesis) -> dict[float, str]:
    return {item.weight: item.statement.text for item in dose(facts, hypothesis)}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(2, "dose.below_demand"), (19, "dose.below_demand"), (22, ""), (100, "dose.leaves_room")],
)
def test_dose_compares_the_limit_with_what_was_asked_for(limit: int, expected: str) -> None:
    low = made.event(
        "dynamodb", "UpdateTable", {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": limit}},
        id="true",
    )  # fmt: skip
    facts = made.facts(
        (TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9)}, changes=[low]
    )
    assert set(doses(facts, named(facts))) == ({WEIGHTS[expected]} if expected else set())


def test_dose_tells_counts_per_second_and_levels_as_they_are() -> None:
    facts = KINDS["reserved concurrency 0"].facts()
    assert doses(facts, named(facts)) == {
        WEIGHTS["dose.below_demand"]: "0 is below the demand of 3 before the onset"
    }
    facts = KINDS["provisioned capacity lowered"].facts()
    assert doses(facts, named(facts)) == {
        WEIGHTS["dose.below_demand"]: "2 is below the demand of 20 per second before the onset"
    }


def test_dose_of_a_part_looks_at_the_demand_of_the_whole() -> None:
    facts = KINDS["REST stage throttled"].facts()
    assert set(doses(facts, named(facts))) == {WEIGHTS["dose.below_demand"]}


@pytest.mark.parametrize(("after", "minutes", "agrees"), [(2, -5, True), (9, -5, False), (2, -60, False)])
def test_dose_believes_the_settings_own_metric_when_value_and_time_agree(
    after: float, minutes: float, agrees: bool
) -> None:
    facts = KINDS["provisioned capacity lowered"].facts(
        steps=(
            step(TABLE, "ProvisionedThroughput.WriteCapacityUnits", "ProvisionedWriteCapacityUnits", 200, after,
                 minutes=minutes),
        )
    )  # fmt: skip
    assert (WEIGHTS["dose.own_metric_agrees"] in doses(facts, named(facts))) == agrees


# -- logs and companions -----------------------------------------------------------------------------

TIMED_OUT = pattern(
    "2026-04-09T10:02:11.034Z 5f2b8c1e-33aa-4b1c-9d2e-0a1b2c3d4e5f Task timed out after 3.00 seconds"
)
REFUSED = KINDS["policy detached"].patterns[0]


@pytest.mark.parametrize(
    ("found", "change", "expected"),
    [
        (TIMED_OUT, configured(timeout=3), "logs.name_it"),
        (TIMED_OUT, configured(memorySize=128), "logs.name_another"),
        (REFUSED, KINDS["policy detached"].change, "logs.name_it"),
        (REFUSED, configured(timeout=3), ""),
        (pattern("WARN slow answer of something"), configured(timeout=3), ""),
        (
            pattern(f"ERROR cannot write to {TABLE}"),
            event("dynamodb", "SomethingNew", {"tableName": "parcels"}, id="true"),
            "logs.name_resource",
        ),
    ],
)
def test_logs(found: Any, change: Any, expected: str) -> None:
    facts = writer_fails(change, patterns=(found,))
    assert weight(logs(facts, named(facts))) == (WEIGHTS[expected] if expected else 0.0)


def test_logs_that_ended_before_the_onset_say_nothing() -> None:
    facts = writer_fails(configured(timeout=3), patterns=(replace(TIMED_OUT, before=7, after=0),))
    assert logs(facts, named(facts)) is None


@pytest.mark.parametrize(("before", "counts"), [(0, True), (299, True), (301, False), (2000, False)])
def test_logs_that_were_as_loud_before_the_onset_say_nothing(before: int, counts: bool) -> None:
    """400 lines in 40 minutes are 600 an hour: twice 299 of the hour before, not twice 301."""
    facts = writer_fails(configured(timeout=3), patterns=(replace(TIMED_OUT, before=before),))
    assert (logs(facts, named(facts)) is not None) == counts


def test_a_refused_write_names_the_limit_and_the_hot_part_alike() -> None:
    stream = resource(
        arn("kinesis", "stream/readings"), "readings", {"OpenShardCount": 4, "StreamName": "readings"}
    )
    text = (
        "ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000001 in stream readings "
        "under account 111122223333."
    )
    facts = made.facts(
        (stream.arn, "WriteProvisionedThroughputExceeded"),
        {(stream.arn, "WriteProvisionedThroughputExceeded"): (0.0, 9.0)},
        resources=(
            *changed(WRITER, Environment={"Variables": {"STREAM_NAME": "readings"}, "Hidden": []}),
            stream,
        ),
        patterns=(pattern(text),),
    )

    def told(**about: str) -> float:
        return weight(logs(facts, Hypothesis(id="h", title="", resource=stream.arn, **about)))

    assert told(kind="condition", condition="hot-shard") == WEIGHTS["logs.name_it"]
    assert told(kind="setting", setting="OpenShardCount") == WEIGHTS["logs.name_it"]
    assert told(kind="setting", setting="RetentionPeriodHours") == WEIGHTS["logs.name_another"]


def test_logs_tell_how_many_lines() -> None:
    facts = writer_fails(configured(timeout=3), patterns=(TIMED_OUT,))
    found = logs(facts, named(facts))
    assert found is not None
    assert found.statement.text.startswith("400 log lines since the onset name it")
    (claim,) = found.statement.claims
    assert (claim.kind, claim.value, claim.how) == ("log", 400, "count")


def test_companions_speak_for_and_against() -> None:
    facts = KINDS["reserved concurrency 0"].facts()
    told = {item.statement.text: item.weight for item in companions(facts, named(facts))}
    assert told["Invocations fell from 20 to 0 per second"] > 0
    assert told["AsyncEventAge should have moved and did not"] < 0
    assert not any("Throttles" in text for text in told), "the symptom is no companion of itself"
    assert abs(sum(told.values())) <= WEIGHTS["companion.most"]


def test_companions_moving_the_wrong_way_speak_against() -> None:
    kind = replace(
        KINDS["reserved concurrency 0"],
        moves={(WRITER, "Throttles"): (0, 20), (WRITER, "Invocations"): (20, 60)},
    )
    facts = kind.facts()
    found = list(companions(facts, named(facts)))
    assert len(found) >= 1
    assert all(item.weight < 0 for item in found)


def test_what_counts_nothing_any_more_does_not_speak_against_silence() -> None:
    """A job that ran a few times an hour: that it ran no more is too little to be called a move."""
    rare = replace(
        KINDS["reserved concurrency 0"],
        moves={(WRITER, "Throttles"): (0, 20), (WRITER, "Invocations"): (0.002, 0)},
    ).facts()
    still = tuple(
        one.model_copy(update={"moved": False, "direction": ""}) if one.metric.name == "Invocations" else one
        for one in rare.metrics
    )
    told = [item.statement.text for item in companions(replace(rare, metrics=still), named(rare))]
    assert not any("Invocations" in text for text in told)
    often = tuple(
        one.model_copy(update={"before": 0.1, "total": 200.0}) if one.metric.name == "Invocations" else one
        for one in still
    )
    told = [item.statement.text for item in companions(replace(rare, metrics=often), named(rare))]
    assert "Invocations should have moved and did not" in told


# -- conditions and traffic --------------------------------------------------------------------------


def throttled(**moves: tuple[float, float]) -> Facts:
    shown = {(TABLE, name): move for name, move in moves.items()}
    return made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9), **shown})


def test_a_condition_needs_all_its_metrics() -> None:
    facts = throttled(WriteKeyRangeThroughputThrottleEvents=(0, 9))
    weights = [item.weight for item in special.condition(facts, kind_of(facts, "condition", TABLE))]
    assert WEIGHTS["condition.metric_up"] in weights
    found = {item.condition: item for item in hypotheses(facts) if item.kind == "condition"}
    (no,) = special.condition(facts, found["account-limit-write"])
    assert no.weight == WEIGHTS["condition.metric_still"]
    assert no.statement.text == "WriteAccountLimitThrottleEvents: nothing"


@pytest.mark.parametrize(
    ("after", "expected"), [(20.0, "traffic.same"), (27.0, "traffic.same"), (60.0, "traffic.up")]
)
def test_traffic(after: float, expected: str) -> None:
    facts = made.facts(
        (TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9), (API, "Count"): (20, after)}
    )
    (found,) = special.traffic(facts, kind_of(facts, "traffic"))
    assert found.weight == WEIGHTS[expected]
    assert f"{after:g} since" in found.statement.text


def test_traffic_above_a_limit_that_nobody_touched() -> None:
    moves = {
        (TABLE, "WriteThrottleEvents"): (0.0, 90.0),
        (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 90.0),
        (API, "Count"): (20.0, 400.0),
    }
    facts = made.facts((TABLE, "WriteThrottleEvents"), moves)
    told = {item.weight for item in special.traffic(facts, kind_of(facts, "traffic"))}
    assert WEIGHTS["traffic.above_limit"] + WEIGHTS["traffic.limit_unchanged"] in told
    lowered = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 500, 250)
    facts = made.facts((TABLE, "WriteThrottleEvents"), moves, steps=(lowered,))
    told = {item.weight for item in special.traffic(facts, kind_of(facts, "traffic"))}
    assert WEIGHTS["traffic.limit_lowered"] in told


# -- the alarm itself --------------------------------------------------------------------------------


def alarm_tests(facts: Facts) -> set[float]:
    return {item.weight for item in special.alarm_changed(facts, named(facts))}


def test_an_alarm_made_stricter_before_it_fired() -> None:
    assert alarm_tests(alarm_lowered()) == {
        WEIGHTS["alarm.before_transition"],
        WEIGHTS["alarm.would_be_silent"],
        WEIGHTS["alarm.metric_as_usual"],
    }


def test_an_alarm_made_stricter_in_two_ways_by_one_call() -> None:
    facts = alarm_lowered()
    alarm = facts.incident.alarm
    assert alarm is not None
    put = replace(
        facts.changes[0], request={"alarmName": alarm.name, "threshold": 300.0, "evaluationPeriods": 1}
    )
    former = {"threshold": 900.0, "evaluationPeriods": 3}
    updates = (replace(alarm.updates[0], config=former), *alarm.updates[1:])
    incident = facts.incident.model_copy(update={"alarm": replace(alarm, updates=updates)})
    facts = replace(facts, changes=(put,), incident=incident)
    ranked = weigh(facts)
    decision = decide(facts, ranked, may_wait=False)
    assert (decision.verdict, len([item for item in ranked if item.event == "true"])) == ("no_incident", 1)
    said = [test.statement.text for test in ranked[0].tests]
    assert any("threshold 900" in text and "evaluation periods 3" in text for text in said)


def test_an_alarm_whose_patience_was_shortened() -> None:
    """One high datapoint in ten minutes: three in a row never came, one is enough now."""
    facts = alarm_lowered(former=300.0)
    alarm, recent = facts.incident.alarm, facts.incident.recent
    assert alarm is not None
    assert recent is not None
    put = replace(
        facts.changes[0], request={"alarmName": alarm.name, "evaluationPeriods": 1, "datapointsToAlarm": 1}
    )
    former = {"evaluationPeriods": 3, "datapointsToAlarm": 3}
    updates = (replace(alarm.updates[0], config=former), *alarm.updates[1:])
    spiky = replace(
        recent, points=tuple((t, 400.0 if n == 39 else 100.0) for n, (t, _) in enumerate(recent.points))
    )
    shorter = replace(alarm, evaluation_periods=1, datapoints_to_alarm=1, updates=updates)
    incident = facts.incident.model_copy(update={"alarm": shorter, "recent": spiky})
    facts = replace(facts, changes=(put,), incident=incident)
    assert WEIGHTS["alarm.would_be_silent"] in alarm_tests(facts)
    assert decide(facts, weigh(facts), may_wait=False).verdict == "no_incident"


def test_an_alarm_that_would_have_fired_with_the_former_threshold_too() -> None:
    assert WEIGHTS["alarm.would_fire_too"] in alarm_tests(alarm_lowered(former=350.0))


def test_an_alarm_edited_after_it_fired_is_not_told_as_before() -> None:
    facts = alarm_lowered(minutes=10)
    said = [item.statement.text for item in special.alarm_changed(facts, named(facts))]
    assert said[0] == "changed at 2026-04-09T10:10:00Z, when it had fired already"
    assert WEIGHTS["alarm.after_transition"] in alarm_tests(facts)
    assert decide(facts, weigh(facts), may_wait=False).verdict != "no_incident"


def test_an_alarm_whose_metric_did_change_its_ways() -> None:
    facts = alarm_lowered()
    onset = Onset(earliest=ONSET, latest=ONSET, confidence=0.9, shape="step")
    facts = replace(facts, incident=facts.incident.model_copy(update={"onset": onset}))
    assert WEIGHTS["alarm.metric_unusual"] in alarm_tests(facts)


# -- what is not seen, put back, and who -------------------------------------------------------------


def test_outside_weighs_more_where_cloudtrail_is_hidden() -> None:
    assert list(special.outside(writer_fails())) == []
    (found,) = special.outside(writer_fails(trail_visible=False))
    assert found.weight == WEIGHTS["outside.trail_hidden"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["change.nothing_shows_it", "change.neither_seen_nor_shown"]),
        ({"trail_visible": False}, ["change.nothing_shows_it"]),
        ({"complete_until": ONSET}, ["change.nothing_shows_it"]),
    ],
)
def test_unseen_changes_named_by_error_texts(more: dict[str, Any], expected: list[str]) -> None:
    facts = writer_fails(patterns=(TIMED_OUT,), **more)
    found = [item.weight for item in special.unseen(facts, kind_of(facts, "setting"))]
    assert found == [WEIGHTS[key] for key in expected]


def test_unseen_changes_told_by_their_own_metric() -> None:
    own = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 250, 2)
    facts = replace(throttled(), steps=(own,), trail_visible=False)
    assert list(special.unseen(facts, kind_of(facts, "setting"))) == []
    (visible,) = special.unseen(replace(facts, trail_visible=True), kind_of(facts, "setting"))
    assert visible.weight == WEIGHTS["change.unseen_though_visible"]


@pytest.mark.parametrize(("now", "back"), [(30, True), ("30", True), (3, False), (10, False)])
def test_reverted_and_the_symptom_stayed(now: Any, back: bool) -> None:
    kind = replace(KINDS["timeout lowered"], resources=changed(WRITER, Timeout=now))
    facts = kind.facts()
    assert bool(list(special.reverted(facts, named(facts)))) == back


def test_reverted_and_the_symptom_ended() -> None:
    ended = Onset(
        earliest=ONSET, latest=ONSET, confidence=0.9, shape="spike", ended=ONSET + timedelta(minutes=9)
    )
    facts = replace(KINDS["timeout lowered"], resources=changed(WRITER, Timeout=30)).facts(onset=ended)
    assert list(special.reverted(facts, named(facts))) == []


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (made.PERSON, {"actor.person"}),
        (made.PIPELINE, set()),
        (Actor(kind="aws_service", name="lambda.amazonaws.com", how="service"), {"actor.service"}),
    ],
)
def test_actor(actor: Actor, expected: set[str]) -> None:
    facts = writer_fails(replace(configured(timeout=3), actor=actor))
    found = {item.weight for item in special.actor(facts, named(facts))}
    assert found == {WEIGHTS[key] for key in expected}


def test_every_sentence_has_its_numbers_filled_in() -> None:
    told = [
        found.statement.text
        for facts in (kind.facts() for kind in KINDS.values())
        for item in hypotheses(facts)
        for check in (time, topology, mechanism, logs)
        if (found := check(facts, item)) is not None
    ]
    assert len(told) > len(KINDS)
    assert [text for text in told if "{" in text] == []
