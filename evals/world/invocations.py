"""The single requests of a minute, made from a flow's row of it: when each came, how long it took, how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from evals.world.flow import Ending, Flow, Slice


class Request(NamedTuple):
    """One run: when (epoch ms), how long (ms), how it ended, whether it was for the hot key."""

    number: int
    stamp: int
    duration: int
    reason: str  # "" when it went well
    hot: bool
    stage: int = 0  # where it ended


def by_slice(flow: Flow, stage: int, minute: int) -> Iterator[list[Request]]:
    """What a stage worked on in each slice of a minute, oldest first. Numbers, ends and durations add up to the row."""
    first = 0
    for one in flow.minute(minute).slices:
        endings = [
            ending
            for ending in one.endings
            if ending.stage >= stage and not (ending.stage == stage and ending.unseen)
        ]
        count = one.alive + sum(ending.many for ending in endings)
        ends, waits = _ends(flow, one, endings, count)
        yield [
            Request(
                first + index,
                stamp,
                (end.ms if end else one.ms + waits[index] * flow.retry_ms),
                end.reason if end else "",
                index < one.hot,
                end.stage if end else 0,
            )
            for index, (stamp, end) in enumerate(zip(_stamps(flow, one, count), ends, strict=True))
        ]
        first += count


def _stamps(flow: Flow, one: Slice, count: int) -> list[int]:
    """When the requests of a slice came, in epoch milliseconds."""
    if one.seconds == 1:
        return [one.second * 1000 + index * 1000 // count for index in range(count)]
    wanted = flow.demand.seconds(one.second // 60)
    if sum(wanted) != count:
        base, rest = divmod(count, 60)
        wanted = [base + (1 if second < rest else 0) for second in range(60)]
    return [
        (one.second + second) * 1000 + index * 1000 // there
        for second, there in enumerate(wanted)
        for index in range(there)
    ]


def _ends(flow: Flow, one: Slice, endings: list[Ending], count: int) -> tuple[list[Ending | None], list[int]]:
    """For each request of a slice: how it ended badly, and how many refused attempts it waited for."""
    ends: list[Ending | None] = [None] * count
    waits = [0] * count
    for ending in sorted(endings, key=lambda found: -found.hot):
        among = min(count, one.hot) if ending.hot else count
        for step in range(ending.many):
            index = step * among // ending.many
            while ends[index] is not None:
                index = (index + 1) % count
            ends[index] = ending
    calm = [index for index in range(count) if ends[index] is None]
    for step in range(one.waits if calm else 0):
        waits[calm[step % len(calm)]] += 1
    return ends, waits
