"""The onset by the minute: when it is asked for, and what is made of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.facts import Facts
from graph.finer import narrowed
from graph.models import Hypothesis
from graph.refuting import FINER, question
from graph.weighing import hypotheses, weigh
from tests.graph import made
from tests.graph.made import ONSET, TABLE, WRITER, event
from tools.models import Metric, Onset, Series, Window

COARSE = Onset(earliest=ONSET, latest=ONSET + timedelta(minutes=5), confidence=0.9, shape="step")
MINUTE = timedelta(minutes=1)


def facts(*minutes: float, period: int = 300, **more: Any) -> Facts:
    """Changes of unknown effect of a function that fails, at these minutes after the interval begins."""
    changes = [
        event("lambda", f"Something{n}", {"functionName": "parcel-writer"}, id=f"change{n}", minutes=minute)
        for n, minute in enumerate(minutes)
    ]
    found = made.facts(
        (WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, onset=COARSE, **more
    )
    metric = found.incident.metric
    assert metric is not None
    coarser = found.incident.model_copy(update={"metric": replace(metric, period=period)})
    groups = frozenset({"/aws/lambda/parcel-writer"})
    return replace(found, incident=coarser, histories=frozenset({WRITER, TABLE}), log_groups=groups)


def asked(known: Facts, ranked: tuple[Hypothesis, ...] = ()) -> tuple[str, ...]:
    found = question(known, ranked or weigh(known))
    return found.asks if found else ()


def test_it_is_asked_for_when_one_of_two_changes_lies_within_the_onset() -> None:
    known = facts(-1, 3)
    found = question(known, weigh(known))
    assert found is not None
    assert (found.finer, found.tasks) == ((FINER,), ["metrics"])


@pytest.mark.parametrize(
    "known",
    [
        facts(-1, 3, period=60),
        facts(-2, -1),
        facts(3),
        facts(3, 3),
        facts(-1, 3, questioned=frozenset({FINER})),
    ],
    ids=["by the minute already", "both before", "one alone", "both at once", "asked before"],
)
def test_it_is_not_asked_for(known: Facts) -> None:
    assert FINER not in asked(known)


def series(values: Sequence[float | None], begin: datetime, period: int = 60) -> Series:
    metric = facts(0).incident.metric
    assert metric is not None
    step = timedelta(seconds=period)
    points = tuple((begin + n * step, value) for n, value in enumerate(values) if value is not None)
    made_of: Metric = replace(metric, period=period)
    return Series(metric=made_of, window=Window(start=begin, end=begin + len(values) * step), points=points)


def failing(after: int, minutes: int = 30) -> Series:
    """Two calm hours, then failures from so many minutes into the coarse interval."""
    return series([0.0] * (120 + after) + [40.0] * minutes, ONSET - timedelta(hours=2))


@given(st.integers(0, 4))
def test_the_minute_in_which_it_began(after: int) -> None:
    found = narrowed(facts(0).incident, failing(after), "zero")
    assert found is not None
    assert ONSET + (after - 1) * MINUTE < found.earliest <= ONSET + after * MINUTE < found.latest
    assert found.latest <= ONSET + (after + 1) * MINUTE
    assert (found.shape, found.confidence) == (COARSE.shape, COARSE.confidence)


@pytest.mark.parametrize(
    "shown",
    [
        failing(40),  # it began at another time than the coarser series tells
        series([0.0] * 24 + [40.0] * 6, ONSET - timedelta(hours=2), period=300),
        series([None if n % 5 else 40.0 * (n >= 120) for n in range(150)], ONSET - timedelta(hours=2)),
        series([0.0] * 150, ONSET - timedelta(hours=2)),
        series([], ONSET),
    ],
    ids=["elsewhere", "as coarse", "published every five minutes", "calm", "nothing"],
)
def test_what_tells_no_more(shown: Series) -> None:
    assert narrowed(facts(0).incident, shown, "zero") is None


def test_a_shorter_interval_tells_who_came_too_late() -> None:
    known = facts(-1, 3)
    first = {item.event: item.probability for item in weigh(known)}
    assert first["change1"] > 0.05
    sooner = narrowed(known.incident, failing(1), "zero")
    later = replace(known, incident=known.incident.model_copy(update={"onset": sooner}))
    now = {item.event: item for item in weigh(later)}
    assert now["change1"].status == "ruled_out"
    assert now["change0"].probability > first["change0"]
    assert {item.event for item in hypotheses(later)} >= {"change0", "change1"}
