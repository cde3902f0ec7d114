"""One path of requests (API or queue, function, table) and its balance, minute by minute.

For every second: requests = successes + failures, attempts = successes + throttles, consumed units = successes * units
per write. Throttles follow from the cap, the burst and the retries; log lines, errors and metrics are read off the
same rows, so that all sums agree exactly.

Physics, from the DynamoDB developer guide: unused capacity of up to 300 seconds may be used first ("Burst and
adaptive capacity"); a partition serves at most 1,000 write units per second; a request is refused as a whole.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import NamedTuple

from evals.world.seed import mix
from evals.world.traffic import Demand

BURST_SECONDS = 300


class Second(NamedTuple):
    """What happened in one second of a disturbed minute."""

    requests: int
    failures: int
    max_throttles: int  # attempts refused by the table's maximum
    key_throttles: int  # attempts refused by one partition
    hot: int  # requests for the hot key
    hot_failures: int


class Minute(NamedTuple):
    """What happened in one minute. `seconds` is None in a minute without any refusal."""

    requests: int
    failures: int
    max_throttles: int
    key_throttles: int
    hot: int
    busy_ms: int
    base_ms: int
    seconds: tuple[Second, ...] | None

    @property
    def successes(self) -> int:
        return self.requests - self.failures

    @property
    def throttles(self) -> int:
        return self.max_throttles + self.key_throttles


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one gate let through in one second."""

    successes: int
    failures: int
    throttles: int
    bucket: int


def gate(wanted: int, units: int, cap: int, bucket: int, attempts: int) -> Refusal:
    """`wanted` requests of `units` meet a cap (units per second) with a burst bucket; each is tried `attempts` times.

    The chance p that one attempt is refused solves wanted * (1 - p^attempts) = successes; the attempts made are
    successes / (1 - p). A request that fails was refused `attempts` times, so throttles are never fewer than that.
    """
    available = min(bucket, BURST_SECONDS * cap) + cap
    successes = min(wanted, available // units)
    failures = wanted - successes
    throttles = 0
    if failures:
        chance = (failures / wanted) ** (1 / attempts)
        retried = successes * chance / (1 - chance) if successes else failures * attempts
        throttles = max(failures * attempts, round(retried))
    return Refusal(successes, failures, throttles, min(available - successes * units, BURST_SECONDS * cap))


@dataclass
class Flow:
    """A path of requests. `caps` are (epoch second, units per second or None for no maximum), oldest first."""

    name: str
    demand: Demand
    units: int = 1  # write units of one request; 0 when the path writes to no table
    read_units: float = 0.0  # read units of one request
    attempts: int = 3
    base_ms: int = 30
    retry_ms: int = 60
    background: int = 0  # of 10,000 requests, those that fail for reasons of their own
    caps: tuple[tuple[float, int | None], ...] = ()
    hot_key: HotKey | None = None
    disturbed_from: int | None = None  # first minute in which a cap may bite; before it, nothing is refused
    arns: list[str] = field(default_factory=list)  # resources that the requests pass
    _rows: dict[int, Minute] = field(default_factory=dict)
    _next: int = 0
    _buckets: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def minute(self, minute: int) -> Minute:
        """The row of a minute (whole minutes since the epoch)."""
        row = self._rows.get(minute)
        if row is None:
            if self.disturbed_from is None or minute < self.disturbed_from:
                row = self._calm(minute, self.demand.minute(minute))
                self._rows[minute] = row
            else:
                with self._lock:
                    self._simulate(minute)
                row = self._rows[minute]
        return row

    def cap_at(self, second: float) -> int | None:
        """The table's maximum that is enforced in this second."""
        value: int | None = None
        for since, cap in self.caps:
            if since <= second:
                value = cap
        return value

    def _simulate(self, until: int) -> None:
        if not self._buckets:
            assert self.disturbed_from is not None
            self._next = self.disturbed_from
            cap = self.cap_at(self._next * 60) or 0
            self._buckets = [BURST_SECONDS * cap, BURST_SECONDS * (self.hot_key.limit if self.hot_key else 0)]
        while self._next <= until:
            self._rows[self._next] = self._step(self._next)
            self._next += 1

    def _step(self, minute: int) -> Minute:
        wanted = self.demand.seconds(minute)
        seconds = tuple(self._second(minute * 60 + i, count) for i, count in enumerate(wanted))
        if not any(row.failures or row.max_throttles or row.key_throttles for row in seconds):
            return self._calm(minute, sum(wanted), sum(row.hot for row in seconds))
        failures = sum(row.failures for row in seconds)
        by_max = sum(row.max_throttles for row in seconds)
        by_key = sum(row.key_throttles for row in seconds)
        base = self._base(minute)
        busy = sum(wanted) * base + (by_max + by_key) * self.retry_ms
        hot = sum(row.hot for row in seconds)
        return Minute(sum(wanted), failures, by_max, by_key, hot, busy, base, seconds)

    def _second(self, second: int, wanted: int) -> Second:
        hot = hot_failures = by_key = by_max = 0
        if self.hot_key is not None:
            hot = round(wanted * self.hot_key.at(second))
            let = gate(hot, self.units, self.hot_key.limit, self._buckets[1], self.attempts)
            self._buckets[1] = let.bucket
            hot_failures, by_key = let.failures, let.throttles
        failures = hot_failures
        cap = self.cap_at(second)
        if cap is not None and self.units:
            let = gate(wanted - hot_failures, self.units, cap, self._buckets[0], self.attempts)
            self._buckets[0] = let.bucket
            failures += let.failures
            by_max = let.throttles
        return Second(wanted, failures, by_max, by_key, hot, hot_failures)

    def _calm(self, minute: int, requests: int, hot: int | None = None) -> Minute:
        failures = 0
        if self.background and requests:
            expected = requests * self.background
            failures = (expected + mix(self.demand.salt, minute, 3) % 10_000) // 10_000
        base = self._base(minute)
        if hot is None:
            hot = round(requests * self.hot_key.before) if self.hot_key else 0
        return Minute(requests, failures, 0, 0, hot, requests * base, base, None)

    def _base(self, minute: int) -> int:
        return self.base_ms + mix(self.demand.salt, minute, 5) % (1 + self.base_ms // 8)
