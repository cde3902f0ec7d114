"""What a run may spend on reading AWS, and what it has spent. Safe for threads.

Seconds are those of the run's clock in which at least one call was under way, turns and back-offs included.
Waits for CloudTrail and thinking are not reading, so they are free.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from tools.errors import BudgetSpent


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most calls, bytes of answers and seconds of reading."""

    calls: int = 1000  # ten looks over ninety minutes at a trail that is late, and once over its days before
    bytes: int = 200_000_000
    seconds: float = 900.0


class Budget:
    """Counts calls and bytes against `Limits`. Model budgets are kept elsewhere and never taken from here."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._made = 0
        self._bytes = 0
        self._seconds = 0.0
        self._under_way = 0
        self._since: datetime | None = None

    def take_call(self, operation: str) -> None:
        """Count one call about to be made. Raises BudgetSpent when none is left."""
        with self._lock:
            if self._made >= self.limits.calls:
                raise BudgetSpent(f"The budget of {self.limits.calls} AWS calls is used up.")
            if self._bytes >= self.limits.bytes:
                raise BudgetSpent(f"The budget of {self.limits.bytes} bytes of AWS answers is used up.")
            if self._seconds >= self.limits.seconds:
                raise BudgetSpent(f"The budget of {self.limits.seconds:g} seconds of reading is used up.")
            self._calls[operation] += 1
            self._made += 1

    def begin(self, now: datetime) -> None:
        """A call is under way from `now` until the matching `end`."""
        with self._lock:
            self._settle(now)
            self._under_way += 1

    def end(self, now: datetime) -> None:
        with self._lock:
            self._settle(now)
            self._under_way -= 1

    def _settle(self, now: datetime) -> None:
        if self._under_way and self._since is not None:
            self._seconds += max(0.0, (now - self._since).total_seconds())
        self._since = now

    def add_bytes(self, count: int) -> None:
        with self._lock:
            self._bytes += count

    @property
    def calls(self) -> dict[str, int]:
        """Calls made, by "service:Operation", sorted."""
        with self._lock:
            return dict(sorted(self._calls.items()))

    @property
    def bytes(self) -> int:
        with self._lock:
            return self._bytes

    @property
    def seconds(self) -> float:
        """Seconds of reading up to the last begin or end of a call."""
        with self._lock:
            return self._seconds
