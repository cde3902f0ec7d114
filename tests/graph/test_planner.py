"""How far to look, when to look again, and when to stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.nodes.diagnosis import after_diagnosis
from graph.nodes.planner import LOG_LOOKS, LOOKBACK_HOURS, LOOKS, next_look
from graph.state import State

STARTED = datetime(2026, 4, 9, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "most", "due"),
    [
        (0, 95, 2),
        (2, 95, 5),
        (3, 95, 5),
        (5, 95, 10),
        (89, 95, 90),
        (90, 95, None),
        (0, 1, None),
        (10, 15, 15),
    ],
)
def test_the_next_look(passed: int, most: int, due: int | None) -> None:
    found = next_look(STARTED, STARTED + timedelta(minutes=passed), most)
    assert found == (STARTED + timedelta(minutes=due) if due is not None else None)


@given(st.integers(0, 200), st.integers(0, 200))
def test_looks_go_forward_and_end(passed: int, most: int) -> None:
    moment = STARTED + timedelta(minutes=passed)
    seen = 0
    while (due := next_look(STARTED, moment, most)) is not None:
        assert moment < due <= STARTED + timedelta(minutes=most)
        moment, seen = due, seen + 1
    assert seen <= len(LOOKS)


def state(**values: Any) -> State:
    return cast("State", {"furthest": LOOKBACK_HOURS[0], "trail_visible": True, **values})


@pytest.mark.parametrize(
    ("values", "goes_to"),
    [
        ({"verdict": "not_found"}, "planner"),
        ({"verdict": "not_found", "furthest": LOOKBACK_HOURS[-1]}, "mitigation"),
        ({"verdict": "not_found", "trail_visible": False}, "mitigation"),
        ({"verdict": "root_cause"}, "mitigation"),
        ({"verdict": "not_yet"}, "mitigation"),
        ({"verdict": "no_incident"}, "mitigation"),
    ],
)
def test_the_look_is_widened_only_while_nothing_explains_and_more_can_be_seen(
    values: dict[str, Any], goes_to: str
) -> None:
    assert after_diagnosis(state(**values)) == goes_to


def test_each_look_reaches_further_back() -> None:
    assert list(LOOKBACK_HOURS) == sorted(set(LOOKBACK_HOURS))
    assert list(LOOKS) == sorted(set(LOOKS))


def test_logs_are_read_again_at_some_looks_that_there_are() -> None:
    assert set(LOG_LOOKS) < set(LOOKS)
    assert {LOOKS[0], LOOKS[-1]} <= set(LOG_LOOKS)
