"""The value before a change: each source alone, agreeing, contradicting, missing; later writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.history import HIDDEN, current, drift, prior, requested, same
from tools.models import (
    Actor,
    AlarmUpdate,
    Call,
    ChangeEvent,
    Metric,
    MetricStep,
    Resource,
    Value,
    Version,
)
from tools.services._spec import MetricSpec, Setting

ACCOUNT, REGION = "111122223333", "eu-west-1"
T = datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)
CAP = MetricSpec(
    type="table",
    name="Cap",
    stat="Maximum",
    role="setting",
    bad="down",
    missing="unknown",
    unit="writes",
    period=300,
)


def setting(**fields: Any) -> Setting:
    made: dict[str, Any] = {
        "type": "table",
        "name": "maximum write throughput",
        "path": "OnDemandThroughput.MaxWriteRequestUnits",
        "unit": "writes per second",
        "requests": dict.fromkeys(("UpdateTable", "CreateTable"), "onDemandThroughput.maxWriteRequestUnits"),
        "restore": lambda resource, value: (),
        "read": lambda resource: Call(service="dynamodb", operation="DescribeTable", parameters={}),
        "query": "Table.OnDemandThroughput.MaxWriteRequestUnits",
        "unset": -1,
        "metric": CAP,
    }
    return Setting(**(made | fields))


def table(value: Value = 2, name: str = "orders") -> Resource:
    return Resource(
        arn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
        service="dynamodb",
        type="table",
        name=name,
        account=ACCOUNT,
        region=REGION,
        config={} if value is None else {"OnDemandThroughput": {"MaxWriteRequestUnits": value}},
    )


def event(
    number: int,
    days: float,
    value: Value = None,
    operation: str = "UpdateTable",
    name: str = "orders",
    **fields: Any,
) -> ChangeEvent:
    """An event so many days before `T` that sets the cap; a value of None sets something else."""
    request: dict[str, Any] = {"tableName": name}
    if value is not None:
        request["onDemandThroughput"] = {"maxWriteRequestUnits": value}
    made: dict[str, Any] = {
        "id": f"e{number}",
        "time": T - timedelta(days=days),
        "source": "dynamodb.amazonaws.com",
        "action": operation,
        "operation": operation,
        "region": REGION,
        "account": ACCOUNT,
        "actor": Actor(kind="role", name="deploy-role", how="cli"),
        "request": request,
        "response": {},
        "evidence": (f"F{number}",),
    }
    return ChangeEvent(**(made | fields))


def step(before: float = 250.0, after: float = 2.0, minutes: float = 0) -> MetricStep:
    moment = T + timedelta(minutes=minutes)
    metric = Metric(
        namespace="AWS/DynamoDB", name="Cap", dimensions=(("TableName", "orders"),), stat="Maximum"
    )
    return MetricStep(
        metric=metric,
        before=before,
        after=after,
        earliest=moment,
        latest=moment + timedelta(minutes=5),
        evidence=("M6",),
    )


CHANGE = event(9, 0, 2)


def test_two_independent_sources_agree() -> None:
    found = prior(setting(), table(), CHANGE, [event(1, 40, 250), event(2, 60, 100)], step())
    assert (found.value, found.agreed, found.conflict, found.gap) == (250, True, "", None)
    assert [(source.kind, source.value, source.evidence) for source in found.sources] == [
        ("metric", 250, ("M6",)),
        ("previous_event", 250, ("F1",)),
    ]
    assert type(found.value) is int
    assert found.sources[1].said_by == "UpdateTable by deploy-role, 2026-02-01T17:12:31Z"


def test_no_source_is_unknown_and_a_gap() -> None:
    found = prior(setting(), table(), CHANGE, [CHANGE], None)
    assert not found.known
    assert (found.value, found.agreed) == (None, False)
    assert found.gap is not None
    assert found.gap.code == "PriorUnknown"


def test_one_source_is_known_but_not_agreed() -> None:
    found = prior(setting(), table(), CHANGE, [event(1, 40, 250)], None)
    assert (found.value, found.known, found.agreed) == (250, True, False)


def test_what_is_not_a_write_of_this_setting_of_this_resource_is_passed_over() -> None:
    earlier = [
        event(1, 40, 250),
        event(2, 30, 77, name="orders-archive"),
        event(3, 20, 88, error_code="AccessDenied"),
        event(4, 10),
        event(5, 9, 66, operation="TagResource"),
        event(6, 8, 55, read_only=True),
        event(7, 7, 44, region="eu-west-2"),
    ]
    assert prior(setting(), table(), CHANGE, earlier, None).value == 250


def test_newest_earlier_write_counts_whatever_the_order_given() -> None:
    earlier = [event(1, 40, 100), event(2, 3, 250), event(3, 50, 70)]
    assert prior(setting(), table(), CHANGE, earlier, None).value == 250


def test_later_writes_are_noticed_and_are_no_prior() -> None:
    after = event(3, -0.01, 90)
    other = event(4, -0.02, 91, name="orders-archive")
    found = prior(setting(), table(90), CHANGE, [event(1, 40, 250), after, other], None)
    assert (found.value, found.superseded) == (250, (after,))


def test_metric_wins_over_a_request_and_the_conflict_is_said() -> None:
    found = prior(setting(), table(), CHANGE, [event(1, 40, 300)], step())
    assert (found.value, found.agreed) == (250, False)
    assert "300" in found.conflict
    assert "250" in found.conflict
    assert "shows what was live" in found.conflict


def test_two_that_agree_win_over_one_that_is_trusted_more() -> None:
    old = setting(echo="old", echo_path="tableDescription.cap")
    change = event(9, 0, 2, response={"tableDescription": {"cap": 300}})
    found = prior(old, table(), change, [event(1, 40, 250)], step())
    assert (found.value, found.agreed) == (250, False)
    assert "300" in found.conflict
    assert [source.kind for source in found.sources] == ["metric", "previous_event", "same_event"]


def test_answer_of_the_same_event_shows_the_old_value_only_where_it_is_known_to() -> None:
    change = event(9, 0, 2, response={"tableDescription": {"cap": 250}})
    path = "tableDescription.cap"
    assert prior(setting(echo="old", echo_path=path), table(), change, [], None).value == 250
    for echo in ("new", "unknown", "none"):
        assert not prior(setting(echo=echo, echo_path=path), table(), change, [], None).known
    done = event(9, 0, 2, response={"tableDescription": {"cap": 2}})
    assert not prior(setting(echo="old", echo_path=path), table(), done, [], None).known


def test_step_at_another_time_is_not_this_change() -> None:
    found = prior(setting(), table(), CHANGE, [event(1, 40, 250)], step(before=70, minutes=-300))
    assert (found.value, len(found.sources)) == (250, 1)
    assert "another time" in found.conflict


def test_step_to_another_value_is_said() -> None:
    found = prior(setting(), table(), CHANGE, [], step(after=5.0))
    assert found.value == 250
    assert "went to 5, the change asked for 2" in found.conflict


def test_value_that_was_there_already_is_said() -> None:
    found = prior(setting(), table(), CHANGE, [event(1, 40, 2)], None)
    assert found.value == 2
    assert "It was 2 before this change already." in found.conflict


def test_without_an_event_the_metric_gives_the_value() -> None:
    found = prior(setting(), table(), None, [event(1, 40, 250)], step())
    assert (found.value, found.agreed, found.superseded) == (250, True, ())
    assert prior(setting(), table(), None, [], step()).value == 250
    assert not prior(setting(), table(), None, [event(1, 40, 250)], None).known


def test_resource_made_without_the_setting_had_it_unset() -> None:
    made = event(1, 40, operation="CreateTable")
    found = prior(setting(), table(), CHANGE, [event(0, 80, 70), made], None)
    assert found.value == -1
    assert "did not set it" in found.sources[0].said_by
    # Where "unset" means a default that no event tells, it is unknown, and what a deleted namesake had is no
    # answer.
    assert not prior(setting(unset=None), table(), CHANGE, [event(0, 80, 70), made], None).known


def test_operation_that_unsets_gives_none_as_a_value() -> None:
    concurrency = setting(
        path="Reserved", requests={"Put": "reserved", "Delete": "`null`"}, unset=None, metric=None
    )
    put = event(9, 0, operation="Put", request={"tableName": "orders", "reserved": 0})
    found = prior(concurrency, table(), put, [event(1, 40, operation="Delete")], None)
    assert (found.known, found.value) == (True, None)


def test_hidden_values_are_a_gap_that_says_so() -> None:
    hidden = setting(path="Env", requests={"UpdateTable": "environment"}, unset=None, metric=None)
    change = event(9, 0, request={"tableName": "orders", "environment": {}})
    before = event(1, 40, request={"tableName": "orders", "environment": {}})
    assert requested(change, hidden) == (True, HIDDEN)
    found = prior(hidden, table(), change, [before], None)
    assert not found.known
    assert found.gap is not None
    assert "leaves such values out" in found.gap.why


# -- alarms and versions ----------------------------------------------------------------------------

ALARM = Resource(
    arn=f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:late",
    service="cloudwatch",
    type="alarm",
    name="late",
    account=ACCOUNT,
    region=REGION,
    config={"Threshold": 1.0},
)
THRESHOLD = setting(path="Threshold", requests={"PutMetricAlarm": "threshold"}, unset=None, metric=None)


def update(minutes: float, threshold: float, **config: Any) -> AlarmUpdate:
    when = T + timedelta(minutes=minutes)
    return AlarmUpdate(
        time=when, kind="Update", threshold=threshold, config={"threshold": threshold} | config
    )


def put(threshold: float) -> ChangeEvent:
    return event(
        9,
        0,
        operation="PutMetricAlarm",
        source="monitoring.amazonaws.com",
        request={"alarmName": "late", "threshold": threshold},
    )


def test_alarm_history_tells_the_threshold_before() -> None:
    updates = [update(0.005, 1.0), update(-900, 60.0), update(-9000, 50.0)]
    found = prior(THRESHOLD, ALARM, put(1.0), [], None, updates, ("M1",))
    assert (found.value, found.sources[0].kind, found.sources[0].evidence) == (60.0, "alarm_history", ("M1",))


def test_alarm_history_a_moment_early_is_still_the_change() -> None:
    updates = [update(-0.01, 1.0), update(-900, 60.0)]
    assert prior(THRESHOLD, ALARM, put(1.0), [], None, updates).value == 60.0


def test_alarm_history_alone_tells_it_past_updates_of_other_things() -> None:
    updates = [update(-1, 1.0, alarmDescription="x"), update(-20, 1.0), update(-900, 60.0)]
    assert prior(THRESHOLD, ALARM, None, [], None, updates).value == 60.0
    assert not prior(THRESHOLD, ALARM, None, [], None, updates[:2]).known


CAPACITY = "OnDemandThroughput.MaxWriteRequestUnits"


def version(name: str, minutes: float, value: Value, *, path: str = CAPACITY, of: str = "") -> Version:
    made = T + timedelta(minutes=minutes)
    return Version(
        resource=of or table().arn, name=name, made=made, values={path: value}, evidence=(f"F{name}",)
    )


def test_the_newest_version_made_before_the_change_is_a_source() -> None:
    versions = [
        version("4", -600, 250),
        version("3", -900, 100),
        version("5", 0, 2),  # made by the very change
        version("6", -1, 7, of=table().arn + "-archive"),
        version("7", -1, 8, path="TimeToLive.Enabled"),
    ]
    found = prior(setting(), table(), CHANGE, [event(1, 40, 250)], None, versions=versions)
    assert (found.value, found.agreed) == (250, True)
    assert [source.kind for source in found.sources] == ["previous_event", "version"]
    told = found.sources[1]
    assert (told.time, told.evidence) == (T - timedelta(minutes=600), ("F4",))
    assert told.said_by == "version 4 of orders, made 2026-03-13T07:12:31Z"
    alone = prior(setting(), table(), CHANGE, [], None, versions=versions)
    assert (alone.value, alone.agreed) == (250, False)
    by_id = version("f1de01c2-79ab-49e3-a86c-eef274f9b1a8", -600, 250)
    (told,) = prior(setting(), table(), CHANGE, [], None, versions=[by_id]).sources
    assert told.said_by == "the version of orders, made 2026-03-13T07:12:31Z"


def test_a_version_gives_way_to_a_later_request_and_to_hidden_values() -> None:
    versions = [version("4", -600, 100)]
    found = prior(setting(), table(), CHANGE, [event(1, 40, 250)], None, versions=versions)
    assert found.value == 250
    assert "differ" in found.conflict
    assert not prior(setting(hidden=True), table(), CHANGE, [], None, versions=versions).known
    assert not prior(setting(), table(), CHANGE, [], None, versions=[version("5", 0, 2)]).known
    step = prior(setting(), table(), None, [], None, versions=versions)
    assert not step.known


# -- values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_parameters", "path", "expected"),
    [
        ({"timeout": 3}, "timeout", (True, 3)),
        ({"Timeout": 3}, "timeout", (True, 3)),
        ({"attributes": {"VisibilityTimeout": "30"}}, "attributes.VisibilityTimeout", (True, "30")),
        ({"attributes": '{"visibilityTimeout": 30}'}, "attributes.VisibilityTimeout", (True, 30)),
        ({"attributes": "{cut"}, "attributes.x", (False, None)),
        ({"enabled": False}, "enabled", (True, False)),
        ({"zero": 0}, "zero", (True, 0)),
        ({"timeout": None}, "timeout", (False, None)),
        ({}, "timeout", (False, None)),
        ({"ops": [{"path": "/a", "value": "7"}]}, "ops[?path=='/a'].value | [0]", (True, "7")),
        ({"ids": ["b", "a"]}, "ids", (True, '["b","a"]')),
        ({"v": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "v", (True, HIDDEN)),
        ({"v": "***"}, "v", (True, HIDDEN)),
        ({"v": "*"}, "v", (True, "*")),
        ({"a": 1}, "a[", (False, None)),
    ],
)
def test_requested(request_parameters: dict[str, Any], path: str, expected: tuple[bool, Value]) -> None:
    asked = event(1, 0, request=request_parameters)
    assert requested(asked, setting(requests={"UpdateTable": path})) == expected


def test_requested_of_an_operation_that_does_not_set_it() -> None:
    assert requested(event(1, 0, 5, operation="TagResource"), setting()) == (False, None)


def test_prior_has_the_type_that_the_setting_has_now() -> None:
    text = setting(path="Version", requests={"UpdateTable": "version"}, unset=None, metric=None)
    holder = Resource(
        arn=table().arn,
        service="x",
        type="table",
        name="orders",
        account=ACCOUNT,
        region=REGION,
        config={"Version": "42"},
    )
    change = event(9, 0, request={"tableName": "orders", "version": "42"})
    before = event(1, 40, request={"tableName": "orders", "version": 41})
    assert prior(text, holder, change, [before], None).value == "41"
    assert prior(setting(), table(2), CHANGE, [event(1, 40, "250")], None).value == 250
    assert prior(setting(), table(None), CHANGE, [event(1, 40, "250")], None).value == 250


@given(st.integers(-(10**6), 10**6))
def test_numbers_are_the_same_in_every_spelling(value: int) -> None:
    for one in (value, float(value), str(value), f"{value}.0"):
        assert same(one, value, setting())
        assert not same(one, value + 1, setting())


def test_unset_is_the_same_as_its_word_and_nothing_else() -> None:
    assert same(None, -1, setting())
    assert same("-1", None, setting())
    assert not same(None, 0, setting())
    assert same(None, None, setting(unset=None))
    assert not same(None, 0, setting(unset=None))
    assert not same(True, 1, setting())


@given(before=st.integers(1, 10**6), bad=st.integers(1, 10**6))
def test_prior_is_never_an_invented_number(before: int, bad: int) -> None:
    change = event(9, 0, bad)
    found = prior(setting(), table(bad), change, [event(1, 4, before)], step(before, bad))
    assert (found.value, found.agreed) == (before, True)


def test_drift_tells_a_value_changed_again_and_by_whom() -> None:
    later = event(3, -0.01, 90)
    assert not drift(setting(), table(2), CHANGE).changed_again
    moved = drift(setting(), table(90), CHANGE, [event(1, 40, 250), later])
    assert (moved.now, moved.bad, moved.changed_again, moved.by) == (90, 2, True, later)
    assert drift(setting(), table(None), CHANGE).now == -1
    assert current(table(7), setting()) == 7
