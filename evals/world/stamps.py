"""Times as log lines write them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def iso(stamp_ms: int) -> str:
    """Epoch milliseconds as "2026-04-03T02:06:13.250Z"."""
    return f"{_second(stamp_ms // 1000)}.{stamp_ms % 1000:03d}Z"


@lru_cache(maxsize=256)
def _second(stamp: int) -> str:
    return f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%S}"
