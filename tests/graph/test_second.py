"""Two causes at once: named with evidence of their own, put back in turn, and never for having merely coincided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Mitigation, RootCause
from graph.plan_several import plan_for, put_back_order
from graph.weighing import decide, in_time, leading, weigh
from graph.weighing.unexplained import may_come, told, unexplained
from graph.weights import LIKELY, MOST_SHOWN
from tests.graph import made
from tests.graph.kinds import DECOYS, KINDS
from tests.graph.made import API, NOTIFIER, ONSET, PIPELINE, TABLE, WRITER, changed, event, pattern, step
from tools.models import Actor, ChangeEvent, LogPattern, Onset

CAP = "OnDemandThroughput.MaxWriteRequestUnits"
OTHER = replace(made.PERSON, name="ops-77")
ROBOT = Actor(kind="aws_service", name="application-autoscaling", how="service", account=made.ACCOUNT)
FULL = (
    "[ERROR] ThrottlingException: An error occurred (ThrottlingException) when calling the PutItem operation: "
    "Throughput exceeds the maximum OnDemandThroughput configured on table or index (TableWriteMaxOnDemand"
    f"ThroughputExceeded) for {TABLE}"
)
TABLE_FAILS = {
    (API, "5XXError"): (0.0, 15.0),
    (WRITER, "Errors"): (0.0, 8.0),
    (TABLE, "WriteThrottleEvents"): (0.0, 18.0),
    (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 18.0),
    (TABLE, "ConsumedWriteCapacityUnits"): (20.0, 2.0),
}
FUNCTION_FAILS = {
    (WRITER, "Throttles"): (0.0, 9.0),
    (WRITER, "Invocations"): (20.0, 11.0),
    (WRITER, "ConcurrentExecutions"): (30.0, 8.0),
}
NOW = tuple(
    replace(
        item,
        config={**item.config, "OnDemandThroughput": {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 2}},
    )
    if item.arn == TABLE
    else item
    for item in changed(WRITER, ReservedConcurrentExecutions=8)
)


def capped(minutes: float = -1.0) -> ChangeEvent:
    """The table's maximum goes to 2."""
    request = {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 2}}
    return event("dynamodb", "UpdateTable", request, minutes=minutes, id="capped")


def cut(minutes: float = 7.0, to: int = 8, actor: Actor = OTHER, name: str = "cut") -> ChangeEvent:
    """The writer's reserved concurrency goes to `to`."""
    request = {"functionName": "parcel-writer", "reservedConcurrentExecutions": to}
    return event("lambda", "PutFunctionConcurrency", request, minutes=minutes, id=name, actor=actor)


BEFORE = cut(-60.0 * 24 * 5, 100, PIPELINE, "cut-before")


def began(facts: Facts, minutes: float, arn: str = WRITER, metric: str = "Throttles") -> Facts:
    """One metric began to fail some minutes after the onset."""
    at = ONSET + timedelta(minutes=minutes)
    own = Onset(earliest=at, latest=at + timedelta(minutes=1), confidence=0.9, shape="step")
    found = tuple(
        item.model_copy(update={"onset": own}) if (item.resource, item.metric.name) == (arn, metric) else item
        for item in facts.metrics
    )
    return replace(facts, metrics=found)


def both(
    *changes: ChangeEvent,
    throttled: float | None = 7.0,
    patterns: Iterable[LogPattern] = (),
    **more: Any,
) -> Facts:
    """The table is capped, the API fails; `throttled`: the writer refuses too, since so many minutes after."""
    quiet = {(WRITER, "ConcurrentExecutions"): (30.0, 30.0)}
    moves = {**TABLE_FAILS, **(FUNCTION_FAILS if throttled is not None else quiet)}
    facts = made.facts(
        (API, "5XXError"),
        moves,
        changes=(BEFORE, *(changes or (capped(), cut()))),
        resources=NOW,
        steps=(step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 250, 2),),
        patterns=(pattern(FULL), *patterns),
        **more,
    )
    return began(facts, throttled) if throttled is not None else facts


def named(facts: Facts) -> list[str]:
    """Events of all causes that are taken for true, in the order in which they happened."""
    ranked = weigh(facts)
    decision = decide(facts, ranked, may_wait=False)
    return [item.event for item in in_time(facts, leading(ranked))] if decision.leader else []


def causes(facts: Facts) -> list[RootCause]:
    return [root_cause(facts, item) for item in in_time(facts, leading(weigh(facts)))]


def test_a_limit_cut_during_the_symptom_is_a_second_cause_by_its_own_throttles() -> None:
    facts = both()
    ranked = weigh(facts)
    assert named(facts) == ["capped", "cut"]
    assert decide(facts, ranked, may_wait=True).verdict == "root_cause"
    second = next(item for item in ranked if item.event == "cut")
    (own,) = (test for test in second.tests if test.test == "own")
    assert own.statement.text.startswith("Throttles of parcel-writer rose with it")
    assert own.statement.claims[0].field == "AWS/Lambda/Throttles/Sum"
    assert LIKELY <= second.probability <= MOST_SHOWN
    assert not [test for test in second.tests if test.weight <= -4]


def test_two_causes_before_the_onset_do_not_take_each_others_share() -> None:
    """As rivals both would be about as likely, and none of them proven."""
    facts = both(capped(), cut(-0.5), throttled=0.0)
    assert named(facts) == ["capped", "cut"]
    assert all(item.probability >= LIKELY for item in leading(weigh(facts)))


def test_the_first_in_time_comes_first_whichever_weighs_more() -> None:
    facts = both(cut(-1.5), capped(-1.0), throttled=-1.0)
    assert named(facts) == ["cut", "capped"]


@pytest.mark.parametrize(
    ("why", "facts"),
    [
        ("its metric never rose", both(throttled=None)),
        ("its metric rose long before it", both(capped(), cut(20.0), throttled=1.0)),
        ("its metric rose long after it", both(capped(), cut(2.0), throttled=25.0)),
        ("it leaves room above the demand", both(capped(), cut(to=400))),
        ("it set what was set before", both(capped(), cut(to=100))),
        ("a service did it, in reaction", both(capped(), cut(actor=ROBOT))),
        ("it came after the look", both(capped(), cut(50.0), throttled=39.0)),
    ],
)
def test_a_change_that_merely_coincides_is_not_named(why: str, facts: Facts) -> None:
    assert named(facts) == ["capped"], why


def test_what_the_leader_passes_on_is_no_evidence_for_another() -> None:
    """A function's errors rise when its table refuses: a shorter timeout of that minute is not their cause."""
    shorter = event(
        "lambda", "UpdateFunctionConfiguration", {"functionName": "parcel-writer", "timeout": 20},
        minutes=-0.5, id="shorter",
    )  # fmt: skip
    longer = event(
        "lambda", "UpdateFunctionConfiguration", {"functionName": "parcel-writer", "timeout": 30},
        minutes=-60.0 * 24 * 9, id="longer",
    )  # fmt: skip
    facts = began(both(capped(), longer, shorter, throttled=None), 0.0, metric="Errors")
    assert named(facts) == ["capped"]
    line = "2026-04-09T10:02:11.034Z 5f2b8c1e-33aa-4b1c-9d2e-0a1b2c3d4e5f Task timed out after 20.00 seconds"
    assert named(replace(facts, patterns=(*facts.patterns, pattern(line)))) == ["capped"]


def test_error_texts_that_name_it_and_no_other_are_evidence_of_its_own() -> None:
    line = "[ERROR] TooManyRequestsException: ReservedFunctionConcurrentInvocationLimitExceeded parcel-writer"
    refused = replace(
        pattern(line, group="/aws/apigateway/parcels"), first=ONSET + timedelta(minutes=7), names=(WRITER,)
    )
    assert named(both(throttled=None)) == ["capped"]
    assert named(both(throttled=None, patterns=[refused])) == ["capped", "cut"]
    early = replace(refused, first=ONSET)
    assert named(both(throttled=None, patterns=[early])) == ["capped"], "it was there before the change"


def test_two_changes_of_the_same_setting_are_one_cause() -> None:
    found = named(both(capped(), cut(6.5, 9, name="first-cut"), cut()))
    assert found[0] == "capped"
    assert len(found) == 2


def test_incidents_of_one_cause_have_one() -> None:
    for kind in KINDS.values():
        facts = kind.facts(decoys=DECOYS)
        assert len(leading(weigh(facts))) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["parcel-writer", "parcel-notifier", "tax-report"]),
            st.sampled_from(["timeout", "memorySize", "reservedConcurrentExecutions"]),
            st.integers(1, 3000),
            st.integers(-110, 39),
        ),
        max_size=5,
        unique_by=lambda one: one[:2],
    )
)
def test_no_innocent_change_is_ever_named_beside_the_cap(drawn: list[tuple[str, str, int, int]]) -> None:
    """Only the table fails; the errors above are what it passes on."""
    changes = [
        event(
            "lambda",
            "PutFunctionConcurrency"
            if key == "reservedConcurrentExecutions"
            else "UpdateFunctionConfiguration",
            {"functionName": name, key: value},
            minutes=minute,
            id=f"x{number}",
        )
        for number, (name, key, value, minute) in enumerate(drawn)
    ]
    facts = began(both(capped(), *changes, throttled=None), 0.0, metric="Errors")
    assert set(named(facts)) <= {"capped"}


# -- the plan ----------------------------------------------------------------------------------------


def planned() -> tuple[list[RootCause], Mitigation]:
    facts = both()
    first, *also = causes(facts)
    found = plan_for(facts, first, tuple(also))
    assert found is not None
    return [first, *also], found


def test_what_is_nearest_to_users_goes_back_last_and_first_on_the_way_back() -> None:
    _, plan = planned()
    assert [step.calls[0].operation for step in plan.apply] == ["UpdateTable", "PutFunctionConcurrency"]
    assert [step.calls[0].operation for step in plan.rollback] == ["PutFunctionConcurrency", "UpdateTable"]
    assert plan.apply[0].calls[0].parameters["OnDemandThroughput"]["MaxWriteRequestUnits"] == 250
    assert plan.apply[1].calls[0].parameters["ReservedConcurrentExecutions"] == 100
    assert plan.rollback[0].calls[0].parameters["ReservedConcurrentExecutions"] == 8


def test_the_account_is_checked_once_and_each_setting_is_read_again() -> None:
    _, plan = planned()
    assert [step.calls[0].operation for step in plan.prepare] == ["GetCallerIdentity"]
    assert [step.calls[0].operation for step in plan.pre_validate] == [
        "DescribeTable",
        "GetFunctionConcurrency",
    ]
    assert len(plan.post_validate) == 1


def test_both_people_are_asked() -> None:
    known, plan = planned()
    assert [one.actor.name for one in known if one.actor] == ["ops-31", "ops-77"]
    assert "ops-31" in plan.ask
    assert "ops-77" in plan.ask


def test_at_the_same_distance_the_later_goes_back_first() -> None:
    facts = both()
    first, second = causes(facts)
    twin = second.model_copy(update={"field": "Timeout", "latest": first.latest})
    assert [one.field for one in put_back_order(facts, (twin, first, second))] == [
        CAP, "ReservedConcurrentExecutions", "Timeout",
    ]  # fmt: skip


def test_one_cause_has_the_plan_of_one() -> None:
    facts = both(throttled=None)
    (only,) = causes(facts)
    found = plan_for(facts, only)
    assert found is not None
    assert [step.title for step in found.apply] == ["Apply"]
    assert NOTIFIER not in found.model_dump_json()


# -- what nothing explains ---------------------------------------------------------------------------


def test_refusals_that_nothing_explains_are_awaited_and_told() -> None:
    """The function refuses since minute 7; CloudTrail is complete up to minute 5 only."""
    facts = both(capped(), throttled=7.0)
    early = replace(facts, complete_until=ONSET + timedelta(minutes=5))
    lead = leading(weigh(early))
    assert [item.resource for item in unexplained(early, lead)] == [WRITER]
    assert may_come(early, lead)
    (said,) = told(early, lead)
    assert said.text.startswith("Throttles of parcel-writer began later: ")
    assert said.claims[0].subject == WRITER
    assert not may_come(replace(early, complete_until=ONSET + timedelta(minutes=9)), lead)
    assert not may_come(replace(early, trail_visible=False), lead)


def test_new_error_texts_that_name_no_known_cause_are_awaited() -> None:
    line = "2026-04-09T10:02:11.034Z 5f2b8c1e-33aa-4b1c-9d2e-0a1b2c3d4e5f Task timed out after 20.00 seconds"
    later = replace(pattern(line), first=ONSET + timedelta(minutes=8))
    facts = both(capped(), throttled=None, patterns=[later], complete_until=ONSET + timedelta(minutes=5))
    lead = leading(weigh(facts))
    assert [item.event for item in lead] == ["capped"]
    assert may_come(facts, lead)
    assert not may_come(replace(facts, complete_until=ONSET + timedelta(minutes=9)), lead)
    at_once = replace(facts, patterns=(pattern(FULL), replace(later, first=ONSET)))
    assert not may_come(at_once, lead), "it began with the symptom"
    assert not may_come(replace(facts, patterns=(replace(pattern(FULL), first=later.first),)), lead), (
        "the leader's"
    )


@pytest.mark.parametrize(
    ("why", "facts"),
    [
        ("the second cause explains it", both()),
        ("nothing else refuses", both(capped(), throttled=None)),
        ("it began with the symptom", both(capped(), throttled=0.0)),
        ("the leader sets it off", began(both(throttled=None), 9.0, TABLE, "WriteThrottleEvents")),
    ],
)
def test_nothing_is_awaited_where_all_is_explained(why: str, facts: Facts) -> None:
    assert unexplained(facts, leading(weigh(facts))) == (), why


def test_without_a_cause_nothing_is_left_to_explain() -> None:
    assert unexplained(both(), ()) == ()
