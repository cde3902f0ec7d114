from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import alarms
from tools.errors import Denied
from tools.models import Alarm, AlarmState, Metric, Series, Window

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"
BASE = Alarm(
    arn=ARN + "a",
    name="a",
    account="111122223333",
    region="eu-west-1",
    metric=Metric(namespace="AWS/Lambda", name="Errors", dimensions=(), stat="Sum", period=60),
    comparison="GreaterThanThreshold",
    threshold=0,
    evaluation_periods=3,
    datapoints_to_alarm=3,
    treat_missing="missing",
    state="OK",
    state_since=NOW - timedelta(hours=3),
    state_reason="",
    updated=NOW - timedelta(days=9),
)
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def drawn(notation: str, alarm: Alarm = BASE, before: str = "") -> Series:
    """0 fine, X breaching, - missing; the newest on the right and its period ends NOW."""
    signs = (before + notation).replace(" ", "")
    period = timedelta(seconds=alarm.metric.period)
    start = NOW - len(signs) * period
    value = {"0": 0.0, "X": 1.0}
    points = tuple((start + n * period, value[sign]) for n, sign in enumerate(signs) if sign != "-")
    return Series(metric=alarm.metric, window=Window(start=start, end=NOW), points=points)


# The tables of the user guide, "Configuring how CloudWatch alarms treat missing data".
@pytest.mark.parametrize(
    ("notation", "needed", "states"),
    [
        ("0 - X - X", 3, "OK OK OK OK"),
        ("0 - - - -", 3, "OK OK OK OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA keep ALARM OK"),
        ("0 X X - X", 3, "ALARM ALARM ALARM ALARM"),
        ("- - X - -", 3, "ALARM keep ALARM OK"),
        ("0 - X - X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", 2, "OK OK ALARM OK"),
        ("- - - - 0", 2, "OK OK ALARM OK"),
        ("- - - X -", 2, "ALARM keep ALARM OK"),
    ],
)
@pytest.mark.parametrize("present", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_states_are_those_of_the_user_guide(
    notation: str, needed: int, states: str, present: AlarmState
) -> None:
    for treatment, wanted in zip(TREATMENTS, states.split(), strict=True):
        alarm = replace(BASE, datapoints_to_alarm=needed, treat_missing=treatment, state=present)
        expected = present if wanted == "keep" else wanted
        assert alarms.evaluate(alarm, drawn(notation), NOW) == expected, treatment


@pytest.mark.parametrize("notation", ["- - - - X", "- - - X -"])
def test_no_premature_alarm(notation: str) -> None:
    assert alarms.evaluate(BASE, drawn(notation), NOW) != "ALARM"


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_alarms_on_dynamodb_always_ignore_missing_data(treatment: str) -> None:
    metric = replace(BASE.metric, namespace="AWS/DynamoDB", name="WriteThrottleEvents")
    alarm = replace(BASE, metric=metric, treat_missing=treatment, state="ALARM")
    assert alarms.evaluate(alarm, drawn("- - - - -", alarm), NOW) == "ALARM"
    assert alarms.evaluate(replace(alarm, state="OK"), drawn("- - - - -", alarm), NOW) == "OK"


def test_only_whole_periods_before_the_moment_count() -> None:
    alarm = replace(BASE, evaluation_periods=1, datapoints_to_alarm=1)
    series = drawn("0 0 X", alarm)
    assert alarms.evaluate(alarm, series, NOW) == "ALARM"
    assert alarms.evaluate(alarm, series, NOW - timedelta(seconds=1)) == "OK"
    assert alarms.evaluate(alarm, series, NOW + timedelta(seconds=59)) == "ALARM"


def test_what_cannot_be_evaluated_keeps_its_state() -> None:
    for odd in (replace(BASE, expression="m1/m2"), replace(BASE, comparison="GreaterThanUpperThreshold")):
        for state in ("OK", "ALARM"):
            assert alarms.evaluate(replace(odd, state=state), drawn("X X X X X"), NOW) == state


signs = st.text(alphabet="0X-", min_size=5, max_size=12)


@given(signs, st.integers(1, 5), st.data())
def test_evaluation_properties(notation: str, n: int, data: st.DataObject) -> None:
    m = data.draw(st.integers(1, n))
    treatment = data.draw(st.sampled_from(TREATMENTS))
    alarm = replace(BASE, evaluation_periods=n, datapoints_to_alarm=m, treat_missing=treatment)
    state = alarms.evaluate(alarm, drawn(notation), NOW)
    window = notation[-(n + 2) :]
    if "X" not in window and treatment != "breaching":
        assert state != "ALARM"
    if "-" not in window:
        assert state == ("ALARM" if notation[-n:].count("X") >= m else "OK")
    if state == "INSUFFICIENT_DATA":
        assert set(window) == {"-"}
    worse = drawn(notation.replace("0", "X"))
    if state == "ALARM":
        assert alarms.evaluate(alarm, worse, NOW) == "ALARM"
    # What lies before the evaluation range does not matter.
    assert alarms.evaluate(alarm, drawn(notation, before="X0X-"), NOW) == state or len(notation) < n + 2


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_comparisons_come_in_opposites(value: float, threshold: float) -> None:
    greater, at_least, less, at_most = (
        alarms.breaches(value, f"{word}Threshold", threshold)
        for word in ("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
    )
    assert greater is not at_most
    assert less is not at_least
    assert (at_least and at_most) == (value == threshold)


def test_a_stale_alarm_tells_since_when_it_is_quiet_and_why_it_stays_red() -> None:
    metric = replace(BASE.metric, namespace="AWS/DynamoDB", name="WriteThrottleEvents")
    red = replace(BASE, metric=metric, state="ALARM")
    found = alarms.stale(red, drawn("X X X" + "-" * 30, red), NOW)
    assert found is not None
    assert found.why == "dynamodb_ignores_missing"
    assert found.quiet_since == NOW - timedelta(minutes=30)
    assert found.last_breach == NOW - timedelta(minutes=31)
    assert not found.at_least
    assert alarms.stale(red, drawn("X X X - -", red), NOW) is None
    assert alarms.stale(replace(red, state="OK"), drawn("X" + "-" * 30, red), NOW) is None
    unseen = alarms.stale(red, drawn("-" * 30, red), NOW)
    assert unseen is not None
    assert unseen.at_least


@pytest.mark.parametrize(
    ("treatment", "notation", "why"),
    [
        ("ignore", "X - - - - - - -", "ignores_missing"),
        ("missing", "X - - - - - - -", "not_evaluated_yet"),
        ("ignore", "X 0 0 0 0 0 0 0", "not_evaluated_yet"),
        ("breaching", "X - - - - - - -", None),
        ("breaching", "X 0 0 0 0 0 0 0", "not_evaluated_yet"),
    ],
)
def test_why_it_stays_red_follows_the_treatment(treatment: str, notation: str, why: str | None) -> None:
    red = replace(BASE, state="ALARM", treat_missing=treatment)
    found = alarms.stale(red, drawn(notation), NOW)
    assert (found and found.why) == why


def raw(name: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmArn": ARN + name,
        "AlarmConfigurationUpdatedTimestamp": NOW - timedelta(hours=1),
        "StateValue": "ALARM",
        "StateReason": "Threshold Crossed",
        "StateTransitionedTimestamp": NOW - timedelta(minutes=20),
        "StateUpdatedTimestamp": NOW - timedelta(minutes=2),
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "Resource", "Value": "f:live"}, {"Name": "FunctionName", "Value": "f"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    } | more


def item(kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"AlarmName": "a", "Timestamp": at, "HistoryItemType": kind, "HistoryData": json.dumps(data)}


def state_item(at: datetime, reason_data: Any, reason: str = "crossed") -> dict[str, Any]:
    new = {"stateValue": "ALARM", "stateReason": reason, "stateReasonData": reason_data}
    return item("StateUpdate", at, {"version": "1.0", "oldState": {"stateValue": "OK"}, "newState": new})


def account(found: list[dict[str, Any]], composites: Any = (), history: Any = ()) -> Any:
    def answer(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "DescribeAlarmHistory":
            wanted = [one for one in history if one["HistoryItemType"] == asked["HistoryItemType"]]
            return {"AlarmHistoryItems": wanted}
        names = asked.get("AlarmNames")
        here = [one for one in found if names is None or one["AlarmName"] in names]
        groups = [one for one in composites if names is None or one["AlarmName"] in names]
        return {
            "MetricAlarms": here,
            "CompositeAlarms": groups if "CompositeAlarm" in asked["AlarmTypes"] else [],
        }

    return answer


def test_an_alarm_is_read_with_both_shapes_of_its_history(asking: Any) -> None:
    points = [("2026-03-13T17:16:00.000+0000", 9.0), ("2026-03-13T17:15:00.000+0000", 0.0)]
    evaluated = [{"timestamp": moment, "value": value} for moment, value in points]
    newer = {"threshold": 1.0, "period": 60, "evaluatedDatapoints": [*evaluated, {"timestamp": points[0][0]}]}
    older = {
        "threshold": 1,
        "period": 60,
        "recentDatapoints": [0, 4.0],
        "startDate": "2026-03-12T10:00:00.000+0000",
    }
    history = [
        state_item(NOW - timedelta(days=1), json.dumps(older)),
        state_item(NOW - timedelta(minutes=20), newer),
        item(
            "ConfigurationUpdate",
            NOW - timedelta(days=2),
            {"type": "Create", "createdAlarm": {"threshold": 50.0}},
        ),
        item(
            "ConfigurationUpdate",
            NOW - timedelta(hours=1),
            {"type": "Update", "updatedAlarm": {"threshold": 1.0}},
        ),
        item("ConfigurationUpdate", NOW, {"type": "Delete", "deletedAlarm": {"threshold": 1.0}}),
        {"Timestamp": NOW, "HistoryItemType": "StateUpdate", "HistoryData": "no json"},
    ]
    reader, _ = asking(account([raw()], history=history))
    found = alarms.alarm(reader, "a")
    assert found is not None
    assert found.metric.dimensions == (("FunctionName", "f"), ("Resource", "f:live"))
    assert (found.datapoints_to_alarm, found.treat_missing) == (3, "missing")
    assert found.state_since == NOW - timedelta(minutes=20)
    assert [one.breaching for one in found.transitions] == [
        ((datetime(2026, 3, 13, 17, 16, tzinfo=UTC), 9.0),),
        ((datetime(2026, 3, 12, 10, 1, tzinfo=UTC), 4.0),),
    ]
    assert [(one.kind, one.threshold) for one in found.updates] == [
        ("Delete", None),
        ("Update", 1),
        ("Create", 50),
    ]
    assert len(found.evidence) == 3
    assert reader.gaps == []
    assert all(one.time.tzinfo is UTC for one in found.transitions)


def test_unknown_is_none_denied_raises_and_denied_history_is_a_gap(asking: Any, refuse: Any) -> None:
    reader, _ = asking(account([]))
    assert alarms.alarm(reader, "nope") is None
    assert reader.gaps == []
    text = "User: arn:aws:iam::111122223333:user/x is not authorized to perform: cloudwatch:"

    def deny(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == denied:
            raise refuse("AccessDenied", text + operation)
        return dict(account([raw()])(operation, asked))

    denied = "DescribeAlarms"
    with pytest.raises(Denied):
        alarms.alarm(asking(deny)[0], "a")
    denied = "DescribeAlarmHistory"
    reader, _ = asking(deny)
    found = alarms.alarm(reader, "a")
    assert found is not None
    assert found.transitions == ()
    assert len(reader.gaps) == 2


def math(ids: str, expression: str) -> dict[str, Any]:
    queries: list[dict[str, Any]] = [
        {
            "Id": one,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "N", "MetricName": one.upper(), "Dimensions": []},
                "Period": 300,
                "Stat": "Sum",
            },
        }
        for one in ids
    ]
    queries.append({"Id": "e1", "Expression": expression, "ReturnData": True})
    return raw(MetricName=None, Namespace=None, Statistic=None, Period=None, Dimensions=[], Metrics=queries)


def without_none(alarm: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in alarm.items() if value is not None}


def test_metric_math_keeps_the_metric_it_is_about(asking: Any) -> None:
    reader, _ = asking(account([without_none(math("ab", "100*(b/a)"))]))
    found = alarms.alarm(reader, "a")
    assert found is not None
    assert (found.metric.name, found.metric.period, found.expression) == ("B", 300, "100*(b/a)")
    query = without_none(math("", 'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)'))
    reader, _ = asking(account([query]))
    assert alarms.alarm(reader, "a") is None
    assert [gap.code for gap in reader.gaps] == ["NoMetric"]


def test_a_composite_alarm_follows_the_child_that_fired(asking: Any) -> None:
    rule = f'ALARM("one") OR ALARM({ARN}two) OR OK(three)'
    composite = {"AlarmName": "all", "AlarmArn": ARN + "all", "AlarmRule": rule, "StateValue": "ALARM"}
    children = [raw("one", StateValue="OK"), raw("two", Threshold=7.0), raw("three", StateValue="OK")]
    reader, _ = asking(account(children, [composite]))
    found = alarms.alarm(reader, "all")
    assert found is not None
    assert (found.name, found.threshold, found.expression) == ("all", 7.0, rule)
    assert [gap.code for gap in reader.gaps] == ["Composite"]
    fired = {"triggeringAlarms": [{"arn": ARN + "one", "state": {"value": "ALARM"}}]}
    reader, _ = asking(account(children, [composite | {"StateReasonData": json.dumps(fired)}]))
    alone = alarms.alarm(reader, "all")
    assert alone is not None
    assert alone.threshold == 1.0
    assert reader.gaps == []
    reader, _ = asking(account([], [composite]))
    assert alarms.alarm(reader, "all") is None
    assert [gap.code for gap in reader.gaps] == ["NoMetric"]


def test_find_alarms_and_other_regions(asking: Any) -> None:
    reader, _ = asking(account([raw("b"), raw("a")]))
    assert [one.name for one in alarms.find_alarms(reader)] == ["a", "b"]

    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        return {"MetricAlarms": [raw()] if asked["region"] == "eu-central-1" else [], "CompositeAlarms": []}

    reader, _ = asking(answer)
    assert alarms.in_region(reader, "a", ["eu-west-1", "eu-central-1"]) == ("eu-central-1",)


def test_the_configuration_before_a_change_comes_from_the_best_source(asking: Any) -> None:
    at = NOW - timedelta(hours=1)
    change = {"type": "Update", "updatedAlarm": {"threshold": 1.0, "period": 60}}
    created = item(
        "ConfigurationUpdate", NOW - timedelta(days=3), {"type": "Create", "createdAlarm": {"threshold": 40}}
    )
    crossed = state_item(
        at - timedelta(days=1), {}, "1 datapoint [9.0] was not greater than the threshold (35.5)."
    )
    told = change | {"originalUpdatedFields": {"threshold": 30.0}}

    def before(*history: dict[str, Any]) -> float | None:
        found = alarms.alarm(asking(account([raw()], history=history))[0], "a")
        assert found is not None
        update = alarms.configuration_before(found, at)
        return None if update is None else update.threshold

    late = at + timedelta(milliseconds=300)
    assert before(item("ConfigurationUpdate", late, change), created, crossed) == 40
    assert before(item("ConfigurationUpdate", late, told), crossed) == 30
    assert before(item("ConfigurationUpdate", late, change), crossed) == 35.5
    assert before(item("ConfigurationUpdate", late, change)) is None
