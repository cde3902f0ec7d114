"""What one running app holds: its data folder, store, checkpoints and runner, opened and closed together."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from api.checkpoints import opened
from api.hub import Hub
from api.records import Entry
from api.runner import LIMIT, LocalRunner, Runner, Stream
from api.shelf import home
from api.store import Store
from graph import Context, Resume, Steer, Trigger, Update, stream
from tools.clock import Clock, LiveClock
from tools.errors import CannotInvestigate

_BATCH = 500


async def _stream(
    what: Trigger | Resume | Steer,
    thread: str,
    context: Context,
    *,
    saver: BaseCheckpointSaver[Any] | None = None,
) -> AsyncGenerator[Update, None]:
    """The graph's own. Its libraries take seconds to load, and the app must answer meanwhile."""
    await asyncio.to_thread(import_module, "graph.run")
    async for update in stream(what, thread, context, saver=saver):
        yield update


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to open a service. The data folder is the command line's: see `api.shelf.home`."""

    limit: int = LIMIT
    stream: Stream = _stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An open service."""

    folder: Path
    store: Store
    hub: Hub
    runner: Runner
    clock: Clock

    async def follow(self, id: str, after: int = 0) -> AsyncGenerator[Entry, None]:
        """Every entry after that sequence number, once and in order, old ones first; ends with the last."""
        with self.hub.following(id) as bell:
            while True:
                bell.clear()
                found = await self.store.entries(id, after, _BATCH)
                for entry in found:
                    yield entry
                    after = entry.sequence
                    if entry.kind == "done":
                        return
                if not found:
                    await bell.wait()


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Service]:
    """Open everything and take up what an earlier process left. Raises CannotInvestigate with what to do."""
    folder, clock = home().resolve(), LiveClock()
    with _alone(folder):
        store = Store(folder / "runs.db", clock)
        await store.open()
        try:
            async with opened(folder / "checkpoints.db") as saver:
                hub = Hub()
                runner = LocalRunner(store, hub, saver, settings.stream, settings.limit)
                await runner.start()
                try:
                    yield Service(folder=folder, store=store, hub=hub, runner=runner, clock=clock)
                finally:
                    await runner.close()
        finally:
            await store.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes on one folder would both take up the same runs. The lock ends with its process, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "serve.lock").open("a")
    except OSError as error:
        raise CannotInvestigate(
            f"Investigations cannot be kept in {folder}: {error.strerror}. Set OPSLEUTH_HOME to a folder."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotInvestigate(
                f"Another opsleuth serve works on {folder}. Use that one, or set OPSLEUTH_HOME to another folder."
            ) from error
        yield
