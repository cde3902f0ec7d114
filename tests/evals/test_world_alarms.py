"""Alarms by CloudWatch's own tables: missing data, M of N, expressions, rules over other alarms."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.world.alarm_rule import Rule
from evals.world.alarms import AlarmClock
from evals.world.composites import BadRule, Composite, parse
from evals.world.steps import Settings
from evals.world.telemetry import Sample, Source, Telemetry, level
from tools.models import Json

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FIRST = int(AT.timestamp()) // 60
MINUTE = timedelta(minutes=1)

# User guide, "How alarm state is evaluated when data is missing": oldest first, X breaching, 0 not, - missing.
# Then the state by treatment: missing, ignore (keep = the present state), breaching, notBreaching.
THREE_OF_THREE = [
    ("0 - X - X", "OK OK OK OK"),
    ("0 - - - -", "OK OK OK OK"),
    ("- - - - -", "INSUFFICIENT_DATA keep ALARM OK"),
    ("0 X X - X", "ALARM ALARM ALARM ALARM"),
    ("- - X - -", "ALARM keep ALARM OK"),
]
TWO_OF_THREE = [
    ("0 - X - X", "ALARM ALARM ALARM ALARM"),
    ("0 0 X 0 X", "ALARM ALARM ALARM ALARM"),
    ("0 - X - -", "OK OK ALARM OK"),
    ("- - - - 0", "OK OK ALARM OK"),
    ("- - - X -", "ALARM keep ALARM OK"),
]
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
ROWS = [
    (needed, points, treatment, state)
    for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, states in table
    for treatment, state in zip(TREATMENTS, states.split(), strict=True)
]


def rule(needed: int, missing: str, periods: int = 3) -> Rule:
    return Rule(periods, needed, 5.0, "GreaterThanThreshold", missing)


def points(text: str) -> list[float | None]:
    return [{"0": 1.0, "X": 9.0}.get(one) for one in text.split()]


@pytest.mark.parametrize(("needed", "text", "treatment", "state"), ROWS)
def test_states_are_those_of_the_user_guide(needed: int, text: str, treatment: str, state: str) -> None:
    for now in ("OK", "ALARM", "INSUFFICIENT_DATA"):
        expected = now if state == "keep" else state
        assert rule(needed, treatment).follows(points(text), now) == expected


@pytest.mark.parametrize("text", ["- - - - X", "- - - X -"])
def test_an_alarm_does_not_ring_too_early_where_data_come_and_go(text: str) -> None:
    assert rule(3, "missing").follows(points(text), "OK") == "OK"


@given(
    st.lists(st.sampled_from([None, 1.0, 9.0]), min_size=7, max_size=7),
    st.integers(1, 5),
    st.sampled_from(TREATMENTS),
)
def test_whole_data_decide_alone(values: list[float | None], needed: int, treatment: str) -> None:
    one = rule(needed, treatment, periods=5)
    state = one.follows(values, "OK")
    real = [value for value in values if value is not None][-5:]
    if len(real) == 5:
        assert state == ("ALARM" if sum(value > 5 for value in real) >= needed else "OK")
    if state == "INSUFFICIENT_DATA":
        assert not real
        assert treatment == "missing"
    assert one.used(values) in range(5, 8)


def source(name: str, emit: Callable[[int], Sample | None]) -> Source:
    return Source("App", name, (), "", "Count", emit, delay=60)


def clock(
    telemetry: Telemetry, queries: tuple[Json, ...] = (), metric: str = "", missing: str = "missing"
) -> AlarmClock:
    settings = Settings()
    held = {"EvaluationPeriods": 2, "DatapointsToAlarm": 2, "Threshold": 10.0, "TreatMissingData": missing}
    for name, value in (held | {"ComparisonOperator": "GreaterThanThreshold"}).items():
        settings.set(name, AT - timedelta(days=9), value)
    found = AlarmClock(
        name=metric or "rate",
        arn=f"arn:aws:cloudwatch:us-east-1:111122223333:alarm:{metric or 'rate'}",
        region="us-east-1",
        namespace="App" if metric else "",
        metric=metric,
        dimensions=(),
        stat="Sum" if metric else "",
        period=60,
        settings=settings,
        created=AT - timedelta(days=9),
        initial="OK",
        initial_since=AT - timedelta(days=8),
        begin=AT,
        source=telemetry.find("App", metric, ()) if metric else None,
        lag=5,
        queries=queries,
        telemetry=telemetry,
    )
    found.updates.append((found.created, "Create"))
    return found


def system() -> Telemetry:
    """Errors rise from 1 to 30 of 100 requests in minute 10 and fall back in minute 20."""
    telemetry = Telemetry()
    telemetry.add(
        source("Requests", lambda minute: level(100.0)),
        source("Errors", lambda minute: level(30.0 if 10 <= minute - FIRST < 20 else 1.0)),
    )
    return telemetry


def metric(name: str, what: str) -> Json:
    asked = {
        "Metric": {"Namespace": "App", "MetricName": what, "Dimensions": []},
        "Period": 60,
        "Stat": "Sum",
    }
    return {"Id": name, "MetricStat": asked, "ReturnData": False}


def test_an_alarm_on_an_expression_follows_the_expression() -> None:
    queries = (metric("m1", "Errors"), metric("m2", "Requests"), {"Id": "e1", "Expression": "m1/m2*100"})
    alarm = clock(system(), queries)
    states = [(one.value, one.time.replace(microsecond=0)) for one in alarm.states(AT + 40 * MINUTE)]
    assert [value for value, _ in states] == ["OK", "ALARM", "OK"]
    # Two bad minutes, published 75 seconds after their end, evaluated 5 seconds later.
    assert states[1][1] == AT + 12 * MINUTE + timedelta(seconds=80)
    shown = alarm.describe(AT + 15 * MINUTE)
    assert [query["Id"] for query in shown["Metrics"]] == ["m1", "m2", "e1"]
    assert [query["ReturnData"] for query in shown["Metrics"]] == [False, False, True]
    assert "MetricName" not in shown
    assert json.loads(shown["StateReasonData"])["recentDatapoints"] == [30.0, 30.0]


def test_a_rule_over_alarms_is_true_while_it_is() -> None:
    telemetry = system()
    alarms = {name: clock(telemetry, metric=name) for name in ("Errors", "Requests")}
    made = Composite(
        name="both",
        arn="arn:aws:cloudwatch:us-east-1:111122223333:alarm:both",
        region="us-east-1",
        rule='ALARM("Errors") AND (ALARM(Requests) OR FALSE) AND NOT INSUFFICIENT_DATA(Errors)',
        created=AT - timedelta(days=1),
        alarms=alarms,
        composites={},
    )
    states = made.states(AT + 40 * MINUTE)
    assert [one.value for one in states] == ["OK", "ALARM", "OK"]
    assert states[1].time - alarms["Errors"].states(AT + 40 * MINUTE)[1].time < timedelta(seconds=1)
    assert [item["HistorySummary"] for item in made.history(AT + 40 * MINUTE)] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
    ]
    assert made.state(AT + 5 * MINUTE).value == "OK"


@pytest.mark.parametrize(
    ("text", "alarmed", "expected"),
    [
        ("TRUE", "", True),
        ("ALARM(a)", "a", True),
        ("ALARM(a) OR ALARM(b) AND ALARM(c)", "a", True),  # AND binds more closely
        ("(ALARM(a) OR ALARM(b)) AND ALARM(c)", "a", False),
        ("NOT ALARM(a)", "a", False),
        ("OK(a)", "", True),
        ('ALARM("arn:aws:cloudwatch:us-east-1:111122223333:alarm:a")', "a", True),
    ],
)
def test_rules_are_read_as_they_are_written(text: str, alarmed: str, expected: bool) -> None:
    assert parse(text).holds(lambda name: "ALARM" if name in alarmed.split() else "OK") is expected


@given(st.text(alphabet='ALRMOKNDT()" ab', max_size=30))
def test_any_rule_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except BadRule:
        return
    assert found.holds(lambda name: "OK") in (True, False)
