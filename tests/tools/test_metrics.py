from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import metrics
from tools.models import Metric, Series, Window

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
CAP = Metric(
    namespace="AWS/DynamoDB",
    name="OnDemandMaxWriteRequestUnits",
    dimensions=(("TableName", "invoices"),),
    stat="Maximum",
    period=300,
)
WINDOW = Window(start=NOW - timedelta(hours=1), end=NOW)


def sum_of(name: str, period: int = 60) -> Metric:
    return Metric(
        namespace="AWS/Lambda", name=name, dimensions=(("FunctionName", "f"),), stat="Sum", period=period
    )


def made(
    values: list[float | None], metric: Metric = CAP, start: datetime = NOW - timedelta(hours=1)
) -> Series:
    period = timedelta(seconds=metric.period)
    points = tuple((start + n * period, value) for n, value in enumerate(values) if value is not None)
    window = Window(start=start, end=start + len(values) * period)
    return Series(metric=metric, window=window, points=points, evidence=("M1",))


def result(
    query: dict[str, Any], values: list[tuple[datetime, float]], status: str = "Complete"
) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Timestamps": [moment for moment, _ in values],
        "Values": [value for _, value in values],
        "StatusCode": status,
    }


def test_series_asks_with_aligned_times_and_ordered_ids_and_keeps_missing_points_absent(asking: Any) -> None:
    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        at = asked["StartTime"]
        return {
            "MetricDataResults": [result(q, [(at, 7.0)]) for q in asked["MetricDataQueries"]],
            "Messages": [],
        }

    reader, account = asking(answer)
    window = Window(start=NOW - timedelta(minutes=17, seconds=12), end=NOW - timedelta(seconds=20))
    found = metrics.series(reader, [sum_of("Errors"), CAP, sum_of("Errors")], window)
    (_, asked), *more = account.asked
    assert not more
    assert (asked["StartTime"], asked["EndTime"]) == (NOW - timedelta(minutes=20), NOW)
    assert [query["Id"] for query in asked["MetricDataQueries"]] == ["m0", "m1"]
    assert found[CAP].points == ((NOW - timedelta(minutes=20), 7.0),)
    assert found[CAP].points[0][0].tzinfo is UTC
    # The errors' own window begins at 17:42; the point at 17:40 was fetched for the coarser metric.
    assert found[sum_of("Errors")].points == ()
    assert found[sum_of("Errors")].window.start == NOW - timedelta(minutes=18)


def test_the_period_that_is_not_over_is_left_out_of_sums_only(asking: Any) -> None:
    now = NOW + timedelta(seconds=130)

    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        points = [(NOW + timedelta(minutes=n), 1.0) for n in range(3)]
        return {"MetricDataResults": [result(q, points) for q in asked["MetricDataQueries"]], "Messages": []}

    average = Metric(namespace="AWS/Lambda", name="Duration", dimensions=(), stat="Average")
    reader, _ = asking(answer, now)
    found = metrics.series(reader, [sum_of("Errors"), average], Window(start=NOW, end=now))
    assert len(found[sum_of("Errors")].points) == 2
    assert found[sum_of("Errors")].window.end == NOW + timedelta(minutes=2)
    assert len(found[average].points) == 3


def test_pages_are_joined_and_batches_keep_to_the_limits(asking: Any) -> None:
    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        assert len(asked["MetricDataQueries"]) <= 500
        minutes = (asked["EndTime"] - asked["StartTime"]).total_seconds() / 60
        assert minutes * len(asked["MetricDataQueries"]) <= 100_800
        first = "NextToken" not in asked
        at = asked["StartTime"] + timedelta(minutes=0 if first else 1)
        status = "PartialData" if first else "Complete"
        results = [result(query, [(at, 1.0)], status) for query in asked["MetricDataQueries"]]
        return {"MetricDataResults": results, "Messages": []} | ({"NextToken": "more"} if first else {})

    reader, account = asking(answer)
    wanted = [sum_of(f"M{n}") for n in range(501)]
    found = metrics.series(reader, wanted, WINDOW)
    assert len(account.asked) == 4
    assert [len(one.points) for one in found.values()] == [2] * 501
    assert reader.gaps == []
    account.asked.clear()
    metrics.series(reader, wanted[:20], Window(start=NOW - timedelta(days=7), end=NOW))
    assert len(account.asked) > 2


def test_finer_points_that_are_no_longer_kept_are_not_asked_for(asking: Any) -> None:
    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        return {"MetricDataResults": [result(q, []) for q in asked["MetricDataQueries"]], "Messages": []}

    reader, _ = asking(answer)
    found = metrics.series(reader, [sum_of("Errors")], Window(start=NOW - timedelta(days=16), end=NOW))
    assert found[sum_of("Errors")].metric.period == 300
    found = metrics.series(reader, [sum_of("Errors")], Window(start=NOW - timedelta(days=15), end=NOW))
    assert found[sum_of("Errors")].metric.period == 60


@pytest.mark.parametrize(
    ("status", "there"), [("InternalError", False), ("Forbidden", False), ("PartialData", True)]
)
def test_an_incomplete_answer_is_a_gap(asking: Any, status: str, there: bool) -> None:
    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        queries = asked["MetricDataQueries"]
        return {
            "MetricDataResults": [result(queries[0], [(NOW - timedelta(minutes=5), 1.0)], status)],
            "Messages": [{"Code": "Odd", "Value": "something"}],
        }

    reader, _ = asking(answer)
    found = metrics.series(reader, [sum_of("Errors")], WINDOW)
    assert (sum_of("Errors") in found) is there
    assert {gap.code for gap in reader.gaps} == {"Odd", status}


def test_a_denied_read_is_a_gap_and_no_empty_series(asking: Any, refuse: Any) -> None:
    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        raise refuse(
            "AccessDenied",
            "User: arn:aws:iam::111122223333:user/x is not authorized to perform: cloudwatch:GetMetricData",
        )

    reader, _ = asking(answer)
    assert metrics.series(reader, [CAP], WINDOW) == {}
    assert len(reader.gaps) == 1


def test_cite_series_says_the_numbers_in_two_kilobytes(asking: Any) -> None:
    def answer(_: str, asked: dict[str, Any]) -> dict[str, Any]:
        begin = asked["StartTime"]
        points = [(begin + timedelta(minutes=n), float(n % 7 if n < 600 else 5000 + n)) for n in range(1200)]
        return {"MetricDataResults": [result(q, points) for q in asked["MetricDataQueries"]], "Messages": []}

    reader, _ = asking(answer)
    errors = sum_of("Errors")
    found = metrics.series(reader, [errors], Window(start=NOW - timedelta(minutes=1200), end=NOW))[errors]
    name = metrics.cite_series(reader, found, note="jump")
    (cited,) = [one for one in reader.evidence if one.id == name]
    assert len(cited.excerpt.encode()) <= 2000
    assert '"5600"' not in cited.excerpt
    assert "5600" in cited.excerpt  # the first value after the jump
    assert '"max":6199' in cited.excerpt
    assert cited.operation == "GetMetricData"


@pytest.mark.parametrize(
    ("stat", "values", "latest"),
    [
        ("Maximum", [250, 250, None, None, 2, 2, None], 20),
        ("Maximum", [2, 2, None, None, 250, 250], 25),
        ("Minimum", [2, 2, None, None, 250, 250], 20),
        ("Average", [250, 250, None, None, 2, 2], 25),
    ],
)
def test_a_step_lies_between_the_last_old_and_the_first_new_point(
    stat: str, values: list[float | None], latest: int
) -> None:
    found = metrics.step(made(values, replace(CAP, stat=stat)))
    assert found is not None
    start = NOW - timedelta(hours=1)
    assert (found.before, found.after) == (values[0], values[5])
    assert found.earliest == start + timedelta(minutes=5)
    assert found.latest == start + timedelta(minutes=latest)


def test_several_steps_are_all_told_and_the_last_is_the_step() -> None:
    series = made([5, 5, 10, 10, None, 2])
    assert [(one.before, one.after) for one in metrics.steps(series)] == [(5, 10), (10, 2)]
    assert metrics.step(series) == metrics.steps(series)[-1]
    assert metrics.step(made([5, None, 5])) is None
    assert metrics.step(made([])) is None


def test_a_mixed_value_of_an_average_is_part_of_the_step() -> None:
    average = Metric(namespace="N", name="n", dimensions=(), stat="Average", period=300)
    (found,) = metrics.steps(made([250, 250, 117.3, 2, 2], average))
    assert (found.before, found.after) == (250, 2)
    assert found.latest - found.earliest == timedelta(minutes=15)
    assert len(metrics.steps(made([250, 250, 117, 2, 2]))) == 2


def test_value_total_rate_and_zeros() -> None:
    errors = made([3, None, 6, None], sum_of("Errors"))
    start = errors.window.start
    assert metrics.value_at(errors, start + timedelta(seconds=59)) == 3
    assert metrics.value_at(errors, start + timedelta(seconds=60)) is None
    assert metrics.value_at(errors, start - timedelta(seconds=1)) is None
    assert metrics.total(errors, errors.window) == 9
    assert metrics.rate(errors, errors.window.around(timedelta(hours=9))) == 9 / 240
    assert metrics.rate(errors, Window(start=NOW + timedelta(1), end=NOW + timedelta(2))) is None
    assert [value for _, value in metrics.fill_zero(errors).points] == [3, 0, 6, 0]


@given(st.lists(st.one_of(st.none(), st.sampled_from([1.0, 2.0, 250.0])), max_size=40))
def test_steps_say_where_the_level_changed_and_nowhere_else(values: list[float | None]) -> None:
    series = made(values)
    seen = [value for value in values if value is not None]
    changes = [(a, b) for a, b in pairwise(seen) if a != b]
    found = metrics.steps(series)
    assert [(one.before, one.after) for one in found] == changes
    assert all(metrics.value_at(series, one.earliest) == one.before for one in found)
    for one in found:
        at = one.latest if one.after < one.before else one.latest - timedelta(seconds=1)
        assert metrics.value_at(series, at) == one.after


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=60))
def test_filling_with_zeros_keeps_every_point_and_the_total(values: list[float | None]) -> None:
    series = made(values, sum_of("Errors"))
    filled = metrics.fill_zero(series)
    assert set(series.points) <= set(filled.points)
    assert len(filled.points) == len(values)
    assert metrics.total(filled, series.window) == pytest.approx(metrics.total(series, series.window))
