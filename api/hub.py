"""Wakes those who follow an investigation. What is new they read from the store, so nothing is lost by waking late."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Hub:
    """One bell per follower. Lives on one event loop."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def following(self, id: str) -> Iterator[asyncio.Event]:
        """A bell that rings when something new is stored. Clear it before reading the store."""
        bell = asyncio.Event()
        self._bells[id].add(bell)
        try:
            yield bell
        finally:
            self._bells[id].discard(bell)
            if not self._bells[id]:
                del self._bells[id]

    def ring(self, id: str) -> None:
        for bell in self._bells.get(id, ()):
            bell.set()
