"""Virtual time moves by waiting only; rounding gives the same window for every moment in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tools.clock import LiveClock, VirtualClock, ceil, floor

NOW = datetime(2026, 3, 13, 17, 41, 23, 500_000, tzinfo=UTC)
moments = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
periods = st.sampled_from([1, 60, 300, 3600, 86400])


def test_virtual_time_moves_by_waiting_only() -> None:
    clock = VirtualClock(NOW)
    assert clock.now() == clock.now() == NOW
    clock.sleep(90)
    assert clock.now() == NOW + timedelta(seconds=90)
    clock.sleep(-5)
    clock.sleep_until(NOW)
    assert clock.now() == NOW + timedelta(seconds=90)
    clock.sleep_until(NOW + timedelta(hours=1))
    assert clock.now() == NOW + timedelta(hours=1)


def test_threads_that_wait_for_moments_end_at_the_latest() -> None:
    clock = VirtualClock(NOW)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda step: clock.sleep_until(NOW + timedelta(seconds=step % 50)), range(400)))
    assert clock.now() == NOW + timedelta(seconds=49)


def test_live_time_is_aware_and_does_not_go_back() -> None:
    clock = LiveClock()
    first = clock.now()
    clock.sleep(0.01)
    clock.sleep_until(first)
    assert first.utcoffset() == timedelta(0)
    assert clock.now() - first >= timedelta(milliseconds=9)


@given(moments, periods)
def test_rounding_brackets_the_moment(moment: datetime, period: int) -> None:
    down, up = floor(moment, period), ceil(moment, period)
    assert down <= moment <= up
    assert up - down in (timedelta(0), timedelta(seconds=period))
    assert down.timestamp() % period == 0
    assert (floor(down, period), ceil(up, period)) == (down, up)
    assert down.utcoffset() == timedelta(0)


@given(moments, moments, periods)
def test_rounding_keeps_the_order(one: datetime, other: datetime, period: int) -> None:
    if one <= other:
        assert floor(one, period) <= floor(other, period)
        assert ceil(one, period) <= ceil(other, period)
