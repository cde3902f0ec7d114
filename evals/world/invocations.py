"""The single requests of a minute, made from a flow's row of it: when each came, how long it took, how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evals.world.flow import Flow, Minute

MAX_REASON = "TableWriteMaxOnDemandThroughputExceeded"
KEY_REASON = "TableWriteKeyRangeThroughputExceeded"


class Request(NamedTuple):
    """One invocation: when (epoch ms), how long (ms), how it ended, whether it was for the hot key."""

    number: int
    stamp: int
    duration: int
    reason: str  # "" when it went well, else why it failed: a throttling reason or "own"
    hot: bool


def by_second(flow: Flow, minute: int) -> Iterator[list[Request]]:
    """The requests of each second of a minute, oldest first. Numbers, ends and durations add up to the flow's row."""
    row = flow.minute(minute)
    wanted = [s.requests for s in row.seconds] if row.seconds else _spread(row.requests, minute, flow)
    first = 0
    for second, count in enumerate(wanted):
        reasons, waits = _ends(flow, row, second, count, first)
        hot = row.seconds[second].hot if row.seconds else round(count * row.hot / max(1, row.requests))
        start = (minute * 60 + second) * 1000
        yield [
            Request(
                first + index,
                start + index * 1000 // count,
                row.base_ms + waits[index] * flow.retry_ms,
                reasons[index],
                index < hot,
            )
            for index in range(count)
        ]
        first += count


def failed(row: Minute, reason: str) -> int:
    """Requests of a minute that ended with this reason."""
    if row.seconds is None:
        return row.failures if reason == "own" else 0
    if reason == "own":
        return 0
    by_key = sum(second.hot_failures for second in row.seconds)
    return by_key if reason == KEY_REASON else row.failures - by_key


def _ends(flow: Flow, row: Minute, second: int, count: int, number: int) -> tuple[list[str], list[int]]:
    """For each request of a second: why it failed ("" if not), how many attempts were refused."""
    reasons, waits = [""] * count, [0] * count
    if row.seconds is None:
        for index in range(count if row.failures else 0):
            if ((number + index) * row.failures) % row.requests < row.failures:
                reasons[index] = "own"
        return reasons, waits
    what = row.seconds[second]
    for failures, among, reason in (
        (what.hot_failures, what.hot, KEY_REASON),
        (what.failures - what.hot_failures, count, MAX_REASON),
    ):
        for step in range(failures):
            index = step * among // failures
            while reasons[index]:
                index = (index + 1) % count
            reasons[index] = reason
            waits[index] = flow.attempts
    rest = what.max_throttles + what.key_throttles - what.failures * flow.attempts
    calm = [index for index in range(count) if not reasons[index]]
    for step in range(rest if calm else 0):
        waits[calm[step % len(calm)]] += 1
    return reasons, waits


def _spread(wanted: int, minute: int, flow: Flow) -> list[int]:
    counts = flow.demand.seconds(minute)
    if sum(counts) == wanted:
        return counts
    base, rest = divmod(wanted, 60)
    return [base + (1 if second < rest else 0) for second in range(60)]
