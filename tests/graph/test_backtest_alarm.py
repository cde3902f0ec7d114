"""When a proposed alarm would have fired: M of N, missing data, and the hourly look at the days before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.backtest_alarm import Trial, trial
from graph.backtest_rules import CannotTry
from tools.models import Json, Series, Window

START = datetime(2026, 4, 9, 10, 0, tzinfo=UTC)


def artefact(**other: Any) -> Json:
    made: Json = {
        "AlarmName": "a", "Namespace": "AWS/SQS", "MetricName": "M", "Statistic": "Sum", "Period": 60,
        "Dimensions": [{"Name": "QueueName", "Value": "q"}], "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
        "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
    }  # fmt: skip
    return {key: value for key, value in {**made, **other}.items() if value is not None}


def series(of: Trial, values: Sequence[float | None], period: int = 60) -> Series:
    points = [
        (START + timedelta(seconds=period * place), value)
        for place, value in enumerate(values)
        if value is not None
    ]
    end = START + timedelta(seconds=period * len(values))
    return Series(metric=of.metric, window=Window(start=START, end=end), points=tuple(points))


def minutes(of: Trial, values: Sequence[float | None]) -> list[tuple[float, str]]:
    return [((at - START).total_seconds() / 60, state) for at, state in of.states(series(of, values))]


@pytest.mark.parametrize(
    ("other", "values", "entered"),
    [
        ({}, [0, 0, 0, 9, 0, 0, 0, 0], []),
        ({}, [0, 0, 0, 9, 9, 0, 0, 0], [(5, "ALARM"), (7, "OK")]),
        ({}, [0, 0, 0, 9, 0, 9, 0, 0], [(6, "ALARM"), (7, "OK")]),
        ({"DatapointsToAlarm": None}, [0, 0, 0, 9, 9, 9, 0], [(6, "ALARM"), (7, "OK")]),
        ({}, [0, 0, 0, 5, 5, 5], []),
        ({"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, [0, 0, 0, 5, 5, 0], [(5, "ALARM")]),
        ({"ComparisonOperator": "LessThanThreshold"}, [9, 9, 9, 1, 1, 9], [(5, "ALARM")]),
        (
            {"EvaluationPeriods": 1, "DatapointsToAlarm": 1},
            [0, None, 9, None, None, None],
            [(3, "ALARM"), (6, "OK")],
        ),
        ({"TreatMissingData": "ignore"}, [9, 9, 9] + [None] * 8, [(3, "ALARM")]),
        (
            {"TreatMissingData": "missing"},
            [9, 9, 9] + [None] * 8,
            [(3, "ALARM"), (8, "INSUFFICIENT_DATA")],
        ),
        ({"TreatMissingData": "breaching"}, [0, 0, 0] + [None] * 6, [(7, "ALARM")]),
    ],
)
def test_states(other: Json, values: list[float | None], entered: list[tuple[float, str]]) -> None:
    assert minutes(trial(artefact(**other)), values) == entered


def test_filled_data_let_an_alarm_on_dynamodb_clear() -> None:
    stat = {
        "Metric": {"Namespace": "AWS/DynamoDB", "MetricName": "WriteThrottleEvents", "Dimensions": []},
        "Period": 60,
        "Stat": "Sum",
    }
    queries = [
        {"Id": "filled", "Expression": "FILL(m, 0)", "ReturnData": True},
        {"Id": "m", "ReturnData": False, "MetricStat": stat},
    ]
    plain = artefact(Namespace="AWS/DynamoDB", MetricName="WriteThrottleEvents", Dimensions=None)
    filled = artefact(
        Metrics=queries, Namespace=None, MetricName=None, Statistic=None, Period=None, Dimensions=None
    )
    values = [None, None, None, 9, 9, 9, None, None, None, None, None, None, None, None]
    assert minutes(trial(plain), values) == [(5, "ALARM")]
    assert minutes(trial(filled), values) == [(5, "ALARM"), (8, "OK")]


@pytest.mark.parametrize(
    ("stat", "comparison", "coarse"),
    [
        ("Sum", "GreaterThanThreshold", "Sum"),
        ("Average", "GreaterThanThreshold", "Maximum"),
        ("Maximum", "LessThanThreshold", "Minimum"),
        ("Minimum", "GreaterThanOrEqualToThreshold", "Maximum"),
    ],
)
def test_the_hourly_series_breaches_whenever_a_minute_does(stat: str, comparison: str, coarse: str) -> None:
    found = trial(artefact(Statistic=stat, ComparisonOperator=comparison)).coarse()
    assert (found.stat, found.period, found.name) == (coarse, 3600, "M")


def test_hours_that_crossed_the_threshold_are_counted_up_to_the_incident() -> None:
    alarm = trial(artefact())
    hourly = series(alarm, [0, 6, 0, 7, 9, 9], period=3600)
    hourly = Series(metric=alarm.coarse(), window=hourly.window, points=hourly.points)
    assert alarm.crossed(hourly, START + timedelta(hours=4)) == 2
    assert alarm.crossed(hourly, START + timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"},
        {"Threshold": None},
        {"Metrics": [{"Id": "e", "Expression": "m1/m2"}]},
    ],
)
def test_alarms_that_are_not_understood_cannot_be_tried(other: Json) -> None:
    with pytest.raises(CannotTry):
        trial(artefact(**other))


def test_a_falling_sum_cannot_be_judged_by_the_hour() -> None:
    with pytest.raises(CannotTry):
        trial(artefact(ComparisonOperator="LessThanThreshold")).coarse()
