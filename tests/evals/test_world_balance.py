"""Demand, caps, retries, throttles, failures, metrics and log lines of a world obey one balance."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, load_case
from evals.world.kinds.dynamodb import BURST_SECONDS, KEY_REASON, MAX_REASON, gate

SEEDS = range(1, 6)
THROTTLED = ("dynamodb-max-write", "dynamodb-hot-partition", "stale-dynamodb-alarm")


@cache
def world(case: str, seed: int) -> World:
    return load_case(case, seed)


@given(
    wanted=st.integers(0, 400),
    units=st.integers(1, 9),
    cap=st.integers(0, 500),
    bucket=st.integers(0, 200_000),
    attempts=st.integers(1, 5),
)
def test_a_gate_loses_no_request_and_no_unit(
    wanted: int, units: int, cap: int, bucket: int, attempts: int
) -> None:
    let = gate(wanted, units, cap, bucket, attempts)
    available = min(bucket, BURST_SECONDS * cap) + cap
    assert let.successes + let.failures == wanted
    assert let.successes * units <= available
    assert (
        let.failures == 0 or available - let.successes * units < units
    )  # nothing is refused while a unit is left
    assert 0 <= let.bucket <= BURST_SECONDS * cap
    assert let.failures * attempts <= let.throttles <= wanted * attempts
    assert (let.throttles == 0) == (let.failures == 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", THROTTLED)
def test_every_minute_around_the_onset_adds_up(case: str, seed: int) -> None:
    flow = world(case, seed).flows["case"]
    onset = world(case, seed).facts["onset"]
    stage = flow.stage(world(case, seed).facts["table.arn"])
    refused = 0
    for minute in range(int(onset.timestamp()) // 60 - 10, int(onset.timestamp()) // 60 + 20):
        row = flow.minute(minute)
        failures = sum(one.many for one in row.endings)
        throttles = sum(row.passages[stage].refused.values())
        assert row.requests == row.alive + failures == sum(flow.demand.seconds(minute))
        assert row.busy_ms(0, flow.retry_ms) == row.requests * row.base_ms + throttles * flow.retry_ms
        assert throttles == row.waits + failures * flow.attempts
        if len(row.slices) == 60:
            refused += 1
            assert sum(one.requests for one in row.slices) == row.requests
            assert sum(one.alive for one in row.slices) == row.alive
    assert refused >= 15
    first = flow.minute(int(onset.timestamp()) // 60).slices
    assert len(first) == 60
    assert not any(one.troubled for one in first[: onset.second])
    assert first[onset.second].troubled


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", THROTTLED)
def test_metrics_and_log_lines_say_the_same(case: str, seed: int) -> None:
    made = world(case, seed)
    facts, ledger = made.facts, made.ledger
    onset = facts["onset"].replace(second=0)
    start, end = onset - timedelta(minutes=3), onset + timedelta(minutes=6)
    group = f"/aws/lambda/{facts['function.name']}"

    def total(arn: str, name: str, dimensions: tuple[tuple[str, str], ...] = ()) -> float:
        found = ledger.metric(facts[arn], name, "sum", start, end, dimensions)
        assert found is not None
        return found

    failures = total("function.arn", "AWS/Lambda/Errors/Sum")
    invocations = total("function.arn", "AWS/Lambda/Invocations/Sum")
    consumed = total("table.arn", "AWS/DynamoDB/ConsumedWriteCapacityUnits/Sum")
    throttles = total("table.arn", "AWS/DynamoDB/WriteThrottleEvents/Sum")
    by_max = total("table.arn", "AWS/DynamoDB/WriteMaxOnDemandThroughputThrottleEvents/Sum")
    by_key = total("table.arn", "AWS/DynamoDB/WriteKeyRangeThroughputThrottleEvents/Sum")
    assert failures > 0
    assert total("api.arn", "AWS/ApiGateway/5xx/Sum") == failures
    assert total("api.arn", "AWS/ApiGateway/Count/Sum") == invocations
    assert consumed == (invocations - failures) * facts["traffic.write_units"]
    assert by_max + by_key == throttles
    assert (by_key if case == "dynamodb-hot-partition" else by_max) == throttles
    reason = KEY_REASON if case == "dynamodb-hot-partition" else MAX_REASON
    assert ledger.log_lines(group, reason, start, end) == failures
    assert ledger.log_lines(group, "ThrottlingException", start, end) == failures
    assert ledger.log_lines(group, "REPORT RequestId", start, end) == invocations


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_of_a_minute_are_as_many_as_counted_and_durations_sum_up(seed: int) -> None:
    made = world("dynamodb-max-write", seed)
    group = made.log_groups[f"/aws/lambda/{made.facts['function.name']}"]
    onset = int(made.facts["onset"].timestamp()) // 60
    for minute in (onset - 1, onset + (seed + 1) // 2):
        lines = group.lines(minute)
        for kind in group.KINDS:
            assert sum(line.kind == kind for line in lines) == group.count(kind, minute), kind
        assert lines == sorted(lines, key=lambda line: line.stamp)
        assert all(minute * 60_000 <= line.stamp < (minute + 1) * 60_000 for line in lines)
        assert sum(one.duration for one in group.requests(minute)) == group.flow.minute(minute).busy_ms(
            group.stage, group.flow.retry_ms
        )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", [*THROTTLED, "alarm-threshold-lowered"])
def test_nothing_is_refused_before_it_happens(case: str, seed: int) -> None:
    """The maximum before the change is above fifteen days of demand, so that the past is really healthy."""
    made = world(case, seed)
    flow, facts = made.flows["case"], made.facts
    cap = (
        facts["max_write.before"]
        if facts.get("change.field", "").startswith("OnDemand")
        else facts["max_write.after"]
    )
    start = int(made.start.timestamp()) // 60
    begin = flow.disturbed_from or start
    most = max(flow.demand.minute(minute) for minute in range(begin - 14 * 1440, begin, 7))
    assert most / 60 * facts["traffic.write_units"] < cap


@pytest.mark.parametrize("seed", SEEDS)
def test_the_change_leaves_less_than_the_demand_and_throttling_starts_within_four_minutes(seed: int) -> None:
    facts = world("dynamodb-max-write", seed).facts
    assert facts["max_write.after"] < 0.5 * facts["drawn.per_second"] * facts["traffic.write_units"]
    assert timedelta(seconds=5) <= facts["onset"] - facts["change.time"] <= timedelta(minutes=4)


def test_seed_1_is_the_workshop() -> None:
    facts = world("dynamodb-max-write", 1).facts
    assert (facts["max_write.before"], facts["max_write.after"]) == (250, 2)
    assert abs(facts["traffic.demand"] - 96) < 4
    assert (facts["table.name"], facts["function.name"], facts["api.name"]) == (
        "orders",
        "order-writer",
        "orders-api",
    )


def test_concurrency_follows_littles_law() -> None:
    made = world("dynamodb-max-write", 1)
    flow = made.flows["case"]
    minute = int(made.facts["onset"].timestamp()) // 60 + 5
    row = flow.minute(minute)
    start = made.facts["onset"].replace(second=0) + timedelta(minutes=5)
    top = made.ledger.metric(
        made.facts["function.arn"],
        "AWS/Lambda/ConcurrentExecutions/Maximum",
        "max",
        start,
        start + timedelta(minutes=1),
    )
    mean = row.busy_ms(flow.stage(made.facts["function.arn"]), flow.retry_ms) / 60_000
    assert top is not None
    assert mean <= top <= 2 * mean
