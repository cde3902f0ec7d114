"""The run's clock. Nothing that a run decides reads the wall clock; it asks here.

`VirtualClock` serves worlds and recordings: waiting costs nothing and time moves only by waiting.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time for one run. `now` moves by itself (live) or by `sleep` (virtual)."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...

    def sleep_until(self, moment: datetime) -> None: ...


class LiveClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

    def sleep_until(self, moment: datetime) -> None:
        self.sleep((moment - self.now()).total_seconds())


class VirtualClock:
    """Starts at `start` and moves by waiting only. Two threads that wait at once move it once (the later
    end wins).
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        self.sleep_until(self.now() + timedelta(seconds=max(0.0, seconds)))

    def sleep_until(self, moment: datetime) -> None:
        with self._lock:
            self._now = max(self._now, moment)


def floor(moment: datetime, seconds: int) -> datetime:
    """`moment` rounded down to a multiple of `seconds` since the epoch, so that requests repeat exactly."""
    stamp = int(moment.timestamp())
    return datetime.fromtimestamp(stamp - stamp % seconds, UTC)


def ceil(moment: datetime, seconds: int) -> datetime:
    """`moment` rounded up to a multiple of `seconds` since the epoch."""
    floored = floor(moment, seconds)
    return floored if floored == moment else floored + timedelta(seconds=seconds)
