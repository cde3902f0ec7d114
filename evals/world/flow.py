"""One path of requests through an account and its balance, minute by minute.

A flow is a demand and the stages that its requests pass: an API, a queue, a function, a table. In every slice of time
(a minute, or a second where a limit bites) each stage sees what arrives, ends some of it for a reason, refuses
attempts, adds time. Metrics, log lines and the ledger are read off the same rows, so that all sums agree exactly.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from evals.world.seed import mix
from evals.world.traffic import Demand

if TYPE_CHECKING:
    from evals.world.stage import Stage

OWN = "own"
"""Reason of failures that belong to the code itself and have nothing to do with any incident."""

COUNTED = frozenset({"sent", "received", "deleted", "dead"})
"""Gauges that are counts: those of several slices are added up, of all others the mean is taken."""

_NOTHING: Mapping[str, float] = {}
_NONE: Mapping[str, int] = {}


class Ending(NamedTuple):
    """Requests that ended badly, for one reason, at one stage."""

    stage: int
    reason: str
    many: int
    ms: int  # how long each took
    status: int  # HTTP status that a caller sees
    unseen: bool  # whether the stage never began to work on them, so that it logs nothing
    hot: int = 0  # how many of them were for the hot key


class Passage(NamedTuple):
    """What one stage saw. `refused`: attempts by reason, more than requests where callers retry."""

    arrived: int
    ended: int = 0
    refused: Mapping[str, int] = _NONE
    gauges: Mapping[str, float] = _NOTHING

    @property
    def served(self) -> int:
        return self.arrived - self.ended


@dataclass(slots=True)
class Load:
    """The requests of one slice on their way down the stages and up again."""

    second: int  # epoch second of the slice's start
    seconds: int  # its length
    calm: bool  # nothing has happened that could disturb: stages neither read nor keep state
    demand: int
    alive: int  # requests still under way
    hot: int
    ms: int  # how long an untroubled request takes, so far
    base_ms: int = 0
    waits: int = 0  # refused attempts that requests still alive have waited for
    endings: list[Ending] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)

    @property
    def minute(self) -> int:
        return self.second // 60

    def end(
        self,
        stage: int,
        reason: str,
        count: int,
        ms: float | None = None,
        *,
        status: int = 500,
        unseen: bool = False,
        hot: int = 0,
    ) -> int:
        """End `count` of the living requests (at most all); returns how many it were."""
        count = min(count, self.alive)
        if count > 0:
            took = max(0, round(self.ms if ms is None else ms))
            self.endings.append(Ending(stage, reason, count, took, status, unseen, hot))
            self.alive -= count
        return max(0, count)


class Slice(NamedTuple):
    """What happened in one slice. `ms`: how long those that went well took, waits apart."""

    second: int
    seconds: int
    requests: int  # what wanted in at the first stage
    alive: int  # what went well to the end
    hot: int
    ms: int
    waits: int
    endings: tuple[Ending, ...]
    passages: tuple[Passage, ...]

    @property
    def troubled(self) -> bool:
        """Whether a request ended or an attempt was refused for a reason that is not the code's own."""
        if any(one.reason != OWN for one in self.endings):
            return True
        return any(passage.refused or passage.gauges.get("troubled") for passage in self.passages)


@dataclass(frozen=True)
class Minute:
    """One minute: a single slice, or sixty where a limit may bite."""

    base_ms: int
    slices: tuple[Slice, ...]

    @cached_property
    def requests(self) -> int:
        return sum(one.requests for one in self.slices)

    @cached_property
    def alive(self) -> int:
        return sum(one.alive for one in self.slices)

    @cached_property
    def hot(self) -> int:
        return sum(one.hot for one in self.slices)

    @cached_property
    def waits(self) -> int:
        return sum(one.waits for one in self.slices)

    @cached_property
    def endings(self) -> tuple[Ending, ...]:
        return tuple(ending for one in self.slices for ending in one.endings)

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """By stage, summed over the slices; gauges are means, but those that count."""
        first = self.slices[0].passages
        if len(self.slices) == 1:
            return first
        return tuple(_summed([one.passages[index] for one in self.slices]) for index in range(len(first)))

    @property
    def troubled(self) -> bool:
        return any(one.troubled for one in self.slices)

    def ended(self, *, since: int = 0, reason: str = "", seen_by: int | None = None) -> int:
        """Requests that ended at stage `since` or later, for one reason when given.

        `seen_by`: count only what a stage had begun to work on.
        """
        return sum(
            one.many
            for one in self.endings
            if one.stage >= since
            and (not reason or one.reason == reason)
            and (seen_by is None or not (one.stage == seen_by and one.unseen))
        )

    def seen(self, stage: int) -> int:
        """Requests that a stage began to work on."""
        return self.alive + self.ended(since=stage, seen_by=stage)

    def busy_ms(self, stage: int, retry_ms: int) -> int:
        """Milliseconds that all the requests that a stage worked on took together."""
        return sum(
            one.alive * one.ms
            + one.waits * retry_ms
            + sum(
                ending.many * ending.ms
                for ending in one.endings
                if ending.stage >= stage and not (ending.stage == stage and ending.unseen)
            )
            for one in self.slices
        )


def _summed(found: list[Passage]) -> Passage:
    refused: Counter[str] = Counter()
    gauges: Counter[str] = Counter()
    for one in found:
        refused.update(one.refused)
        for name, value in one.gauges.items():
            gauges[name] += value if name in COUNTED else value / len(found)  # type: ignore[assignment]
    return Passage(sum(p.arrived for p in found), sum(p.ended for p in found), refused, gauges)


@dataclass(frozen=True, slots=True)
class HotKey:
    """One key that takes `share` of all requests between `start` and `end` (epoch seconds), `before` otherwise."""

    name: str
    before: float
    share: float
    start: float
    end: float
    ramp: float = 90.0
    limit: int = 1000

    def at(self, second: float) -> float:
        if not self.start <= second < self.end:
            return self.before
        rise = min(1.0, (second - self.start) / self.ramp) if self.ramp else 1.0
        return self.before + (self.share - self.before) * rise


@dataclass
class Flow:
    """A path of requests through `stages`, the first of which meets the demand.

    `base_ms` is what an untroubled request takes at the stages that compute; refused attempts are tried again after
    `retry_ms`, up to `attempts` times in all.
    """

    name: str
    demand: Demand
    stages: list[Stage] = field(default_factory=list)
    attempts: int = 3
    base_ms: int = 30
    retry_ms: int = 60
    hot_key: HotKey | None = None
    disturbed_from: int | None = None  # first minute in which anything may bite; before it all is calm
    _sharp: set[int] = field(default_factory=set)  # minutes in which something begins, or takes effect
    _rows: dict[int, Minute] = field(default_factory=dict)
    _next: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arns(self) -> list[str]:
        """Resources that the requests pass."""
        return [stage.thing.arn for stage in self.stages]

    def stage(self, arn: str) -> int:
        """The index of the stage of a resource. Raises StopIteration when the flow does not pass it."""
        return next(index for index, one in enumerate(self.stages) if one.thing.arn == arn)

    def settle(self, recent: float) -> None:
        """Say from when on the flow must be simulated: the first physical change after epoch second `recent`."""
        starts = [pulse.start for pulse in self.demand.pulses if pulse.start > recent]
        starts += [self.hot_key.start] if self.hot_key else []
        starts += [moment for stage in self.stages for moment in stage.moments() if moment > recent]
        self.disturbed_from = int(min(starts)) // 60 - 1 if starts else None
        self._sharp = {int(one) // 60 + after for one in starts for after in (0, 1)}

    def minute(self, minute: int) -> Minute:
        """The row of a minute (whole minutes since the epoch)."""
        row = self._rows.get(minute)
        if row is None:
            if self.disturbed_from is None or minute < self.disturbed_from:
                row = self._rows[minute] = Minute(
                    self._base(minute), (self._slice(minute * 60, 60, self.demand.minute(minute), calm=True),)
                )
            else:
                with self._lock:
                    self._simulate(minute)
                row = self._rows[minute]
        return row

    def _simulate(self, until: int) -> None:
        assert self.disturbed_from is not None
        if not self._next:
            self._next = self.disturbed_from
            for stage in self.stages:
                stage.begin(self._next * 60)
        while self._next <= until:
            minute = self._next
            wanted = self.demand.minute(minute)
            if minute in self._sharp or any(stage.tight(minute * 60, wanted) for stage in self.stages):
                counts = self.demand.seconds(minute)
                slices = tuple(
                    self._slice(minute * 60 + index, 1, count, calm=False)
                    for index, count in enumerate(counts)
                )
                if not any(one.troubled or one.waits for one in slices):
                    slices = (_joined(slices),)
            else:
                slices = (self._slice(minute * 60, 60, wanted, calm=False),)
            self._rows[minute] = Minute(self._base(minute), slices)
            self._next += 1

    def _slice(self, second: int, seconds: int, wanted: int, *, calm: bool) -> Slice:
        share = self.hot_key.at(second) if self.hot_key else 0.0
        base = self._base(second // 60)
        load = Load(second, seconds, calm, wanted, wanted, round(wanted * share), base, base)
        for stage in self.stages:
            stage.enter(load)
        for stage in reversed(self.stages):
            stage.leave(load)
        return Slice(
            second,
            seconds,
            wanted,
            load.alive,
            load.hot,
            load.ms,
            load.waits,
            tuple(load.endings),
            tuple(load.passages),
        )

    def _base(self, minute: int) -> int:
        return self.base_ms + mix(self.demand.salt, minute, 5) % (1 + self.base_ms // 8)

    def reasons(self, stage: int) -> list[str]:
        """Reasons for which requests may end that a stage has begun to work on, in a fixed order."""
        found = dict.fromkeys(reason for one in self.stages[stage:] for reason in one.reasons)
        return list(found)


def _joined(slices: tuple[Slice, ...]) -> Slice:
    """A minute in which nothing but the code's own failures happened, as one slice."""
    first = slices[0]
    merged: Counter[tuple[int, str, int, int, bool]] = Counter()
    for ending in (one for part in slices for one in part.endings):
        merged[ending.stage, ending.reason, ending.ms, ending.status, ending.unseen] += ending.many
    endings = tuple(
        Ending(stage, reason, count, ms, status, unseen)
        for (stage, reason, ms, status, unseen), count in merged.items()
    )
    passages = tuple(_summed([one.passages[i] for one in slices]) for i in range(len(first.passages)))
    alive = sum(one.alive for one in slices)
    return Slice(
        first.second,
        60,
        sum(one.requests for one in slices),
        alive,
        sum(one.hot for one in slices),
        first.ms,
        0,
        endings,
        passages,
    )


def first_trouble(flow: Flow, until: int) -> int | None:
    """The epoch second in which the first request or attempt was refused or failed, or None."""
    return next(_troubles(flow, range(flow.disturbed_from or 0, until // 60)), None)


def last_trouble(flow: Flow, until: int) -> int | None:
    """The epoch second of the last slice before `until` in which something was refused or failed, or None."""
    if flow.disturbed_from is None:
        return None
    for minute in range(until // 60 - 1, flow.disturbed_from - 1, -1):
        for one in reversed(flow.minute(minute).slices):
            if one.troubled:
                return one.second + one.seconds - 1
    return None


def _troubles(flow: Flow, minutes: Iterable[int]) -> Iterator[int]:
    if flow.disturbed_from is None:
        return
    for minute in minutes:
        for one in flow.minute(minute).slices:
            if one.troubled:
                yield one.second
