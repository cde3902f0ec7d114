"""Where the harm arises: from series of a small shop to a test of hypotheses and a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.facts import Facts
from graph.loads import Read, measured, windows
from graph.models import Hypothesis, MeasuredContribution
from graph.weighing import hypotheses
from graph.weighing.source import arises, source, source_of
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.made import API, AS_OF, ONSET, QUEUE, ROLE, TABLE, WRITER
from tools.models import Series
from tools.topology import Topology, waits_for

SHOP = made.shop()
MAP = Topology(resources=SHOP, relations=made.related(SHOP), truncated=False)
BY_ARN = {item.arn: item for item in SHOP}
BEFORE, SINCE = windows(ONSET, AS_OF, timedelta(hours=1))


def read(where: str, name: str, before: float, since: float, *, per: int = 60) -> Read:
    """A metric that is `before` in each period up to the onset and `since` after it."""
    spec = made.spec(BY_ARN[where], name)
    metric = replace(made.measured(BY_ARN[where], spec, before, since).metric, period=per)
    step = timedelta(seconds=per)
    count = int((SINCE.end - BEFORE.start) / step)
    points = tuple(
        (BEFORE.start + n * step, before if BEFORE.start + n * step < ONSET else since) for n in range(count)
    )
    whole = replace(BEFORE, end=SINCE.end)
    return Read(
        resource=where, spec=spec, series=Series(metric=metric, window=whole, points=points), evidence="M1"
    )


def told(role: str, *several: Read) -> list[tuple[str, float, bool]]:
    return [
        (one.resource, round(one.own), one.stands_out)
        for one in measured(MAP, API, role, several, BEFORE, SINCE)
    ]


ASKED = (read(API, "Count", 100, 100), read(WRITER, "Invocations", 100, 100))


def test_failures_arise_where_nothing_else_explains_them() -> None:
    api, function = read(API, "5XXError", 1, 41), read(WRITER, "Errors", 0, 40)
    assert told("errors", *ASKED, api, function) == [(WRITER, 200, True), (API, 0, False)]
    throttled = read(TABLE, "WriteThrottleEvents", 0, 44)
    assert told("errors", *ASKED, api, function, throttled) == [
        (TABLE, 220, True),
        (API, 0, False),
        (WRITER, -20, False),
    ]


def test_a_delay_weighs_by_its_requests() -> None:
    slow = (read(API, "Latency", 100, 900), read(WRITER, "Duration", 80, 880))
    assert told("latency", *ASKED, *slow) == [(WRITER, 400, True), (API, 0, False)]
    own = (read(API, "Latency", 100, 900), read(WRITER, "Duration", 80, 130))
    assert told("latency", *ASKED, *own) == [(API, 375, True), (WRITER, 25, True)]


def test_periods_of_one_and_of_five_minutes_are_compared_over_the_same_time() -> None:
    coarse = read(WRITER, "Errors", 0, 200, per=300)
    assert told("errors", *ASKED, read(API, "5XXError", 0, 40), coarse) == [
        (WRITER, 200, True),
        (API, 0, False),
    ]


def test_overlapping_metrics_of_one_resource_count_once() -> None:
    reasons = [
        read(TABLE, name, 0, 30)
        for name in ("WriteThrottleEvents", "WriteMaxOnDemandThroughputThrottleEvents")
    ]
    assert told("errors", *ASKED, *reasons)[0] == (TABLE, 150, True)


@pytest.mark.parametrize("role", ["", "demand", "saturation", "backlog", "setting"])
def test_a_symptom_that_is_neither_failure_nor_delay_has_no_such_source(role: str) -> None:
    assert told(role, *ASKED, read(API, "5XXError", 0, 41)) == []


def test_what_takes_requests_in_and_keeps_them_hides_what_comes_after() -> None:
    found = waits_for(MAP, {API, WRITER, TABLE, QUEUE, made.NOTIFIER})
    assert found[API] == (WRITER,)
    assert set(found[WRITER]) == {TABLE, QUEUE}
    assert found[QUEUE] == ()
    assert waits_for(MAP, {API, TABLE})[API] == (TABLE,)  # through the function, which nobody measured


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_without_a_rise_nothing_stands_out(errors: int, delay: int) -> None:
    for role, metric in (("errors", "5XXError"), ("latency", "Latency")):
        level = errors if role == "errors" else delay
        assert not any(one[2] for one in told(role, *ASKED, read(API, metric, level, level)))


# -- the test of hypotheses -------------------------------------------------------------------------


def facts(*several: Read, symptom: str = API, metric: str = "5XXError") -> Facts:
    configured = made.event(
        "lambda", "UpdateFunctionCode20150331v2", {"functionName": "parcel-writer"}, id="true"
    )
    base = made.facts(
        (symptom, metric),
        {
            (symptom, metric): (0.0, 0.7),
            (TABLE, "WriteThrottleEvents"): (0.0, 0.7),
            (WRITER, "Errors"): (0.0, 0.7),
        },
        changes=(replace(configured, operation="UpdateFunctionCode"),),
    )
    found = measured(base.topology, symptom, "errors", several, BEFORE, SINCE)
    return replace(base, contributions=found)


PASSED = (*ASKED, read(API, "5XXError", 0, 40), read(WRITER, "Errors", 0, 40))


def change(known: Facts) -> Hypothesis:
    return next(one for one in hypotheses(known) if one.event == "true")


def test_a_change_where_the_failures_arise_gains() -> None:
    known = facts(*PASSED)
    result = source(known, change(known))
    assert result is not None
    assert result.weight == WEIGHTS["source.here"] > 0
    assert "most of the failures arise at parcel-writer" in result.statement.text
    assert result.statement.claims


def test_a_change_of_what_only_passes_failures_on_loses() -> None:
    known = facts(*PASSED, read(TABLE, "WriteThrottleEvents", 0, 40))
    result = source(known, change(known))
    assert result is not None
    assert result.weight == WEIGHTS["source.passed_on"] < 0
    assert result.statement.text == "parcels, which parcel-writer waits for, explains all of its failures"


def test_what_no_metric_measures_is_not_judged() -> None:
    known = facts(*PASSED)
    role = Hypothesis(id="r", kind="change", title="", resource=ROLE, event="true")
    assert source(known, role) is None
    assert source(known, Hypothesis(id="t", kind="traffic", title="", resource=API)) is None
    assert source(replace(known, contributions=()), change(known)) is None


def test_no_source_where_none_makes_half_of_the_harm() -> None:
    known = facts(*PASSED)
    first = known.contributions[0]
    assert source_of(known) == first
    assert source_of(replace(known, contributions=(first.model_copy(update={"stands_out": False}),))) is None
    shared = (first.model_copy(update={"own": 50.0}), *known.contributions[1:])
    assert source_of(replace(known, contributions=shared)) is None


def test_a_delay_is_told_as_such() -> None:
    spec = made.spec(BY_ARN[WRITER], "Duration")
    metric = made.measured(BY_ARN[WRITER], spec, 80, 880).metric
    slow = MeasuredContribution(
        resource=WRITER, harm="seconds", metric=metric, own=400, excess=400, stands_out=True
    )
    assert arises(facts(*PASSED), slow).text.startswith("most of the delay arises at parcel-writer")
