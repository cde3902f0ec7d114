"""Token buckets: no API is asked faster than its rate, whatever the threads, and nobody waits for another API."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.clock import VirtualClock
from tools.quota import DEFAULT_RATE, RATES, Buckets

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
PLACE = ("111122223333", "eu-west-1")


def waited(clock: VirtualClock) -> float:
    return (clock.now() - NOW).total_seconds()


@given(
    st.integers(1, 60),
    st.sampled_from([("cloudtrail", "LookupEvents"), ("iam", "GetRole"), ("ec2", "DescribeVpcs")]),
)
def test_calls_in_a_row_take_their_turns(calls: int, api: tuple[str, str]) -> None:
    clock = VirtualClock(NOW)
    buckets = Buckets(clock)
    for _ in range(calls):
        buckets.wait(*PLACE, *api)
    assert waited(clock) == pytest.approx((calls - 1) / buckets.rate(*api), abs=1e-4)


def test_threads_share_the_turns() -> None:
    clock = VirtualClock(NOW)
    buckets = Buckets(clock)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: buckets.wait(*PLACE, "cloudtrail", "LookupEvents"), range(40)))
    assert waited(clock) == 39


def test_regions_accounts_and_apis_have_buckets_of_their_own() -> None:
    clock = VirtualClock(NOW)
    buckets = Buckets(clock)
    for account in ("111122223333", "444455556666"):
        for region in ("eu-west-1", "us-east-1"):
            buckets.wait(account, region, "cloudtrail", "LookupEvents")
            buckets.wait(account, region, "logs", "StartQuery")
            buckets.wait(account, region, "logs", "FilterLogEvents")
    assert waited(clock) == 0


def test_operations_without_a_rate_of_their_own_share_the_service_s() -> None:
    clock = VirtualClock(NOW)
    buckets = Buckets(clock)
    buckets.wait(*PLACE, "iam", "GetRole")
    buckets.wait(*PLACE, "iam", "ListRolePolicies")
    assert waited(clock) == pytest.approx(1 / RATES["iam", "*"])


def test_an_idle_bucket_does_not_save_turns() -> None:
    clock = VirtualClock(NOW)
    buckets = Buckets(clock)
    buckets.wait(*PLACE, "cloudtrail", "LookupEvents")
    clock.sleep(3600)
    buckets.wait(*PLACE, "cloudtrail", "LookupEvents")
    buckets.wait(*PLACE, "cloudtrail", "LookupEvents")
    assert waited(clock) == 3601


def test_rates_can_be_told_otherwise() -> None:
    clock = VirtualClock(NOW)
    buckets = Buckets(clock, {("cloudtrail", "LookupEvents"): 2.0})
    for _ in range(3):
        buckets.wait(*PLACE, "cloudtrail", "LookupEvents")
    assert clock.now() == NOW + timedelta(seconds=1)
    assert buckets.rate("iam", "GetRole") == DEFAULT_RATE
