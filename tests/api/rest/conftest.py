"""A service over a scripted graph, its app on a real loopback port, and a reader of server-sent events."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from api.app import create
from api.service import Service, Settings, serving
from graph import Context, Question, Report, Resume, Steer, TimelineEvent, Trigger, Update

Step = TimelineEvent | Report | Question | Exception | asyncio.Event


@dataclass
class Script:
    """Plays the graph: the steps of the trigger's alarm, or of `answered` once an answer came.

    An `asyncio.Event` is waited for; an exception is raised.
    """

    steps: dict[str, list[Step]] = field(default_factory=dict)
    answered: list[Step] = field(default_factory=list)
    asked: list[tuple[str, Trigger | Resume | Steer]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def __call__(
        self, what: Trigger | Resume | Steer, thread: str, context: Context, *, saver: Any = None
    ) -> AsyncGenerator[Update, None]:
        self.asked.append((thread, what))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for step in self.steps.get(what.alarm, []) if isinstance(what, Trigger) else self.answered:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.running -= 1


@dataclass(frozen=True)
class Rest:
    """A client of a running app, and what lies behind it."""

    client: httpx.AsyncClient
    service: Service

    async def start(self, alarm: str = "errors", **context: Any) -> str:
        body = {"trigger": {"alarm": alarm}, "context": context}
        answer = await self.client.post("/investigations", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def status(self, id: str) -> str:
        return str((await self.client.get(f"/investigations/{id}")).json()["status"])

    async def until(self, id: str, *statuses: str) -> dict[str, Any]:
        """The investigation once it has one of these statuses."""
        with self.service.hub.following(id) as bell:
            while True:
                bell.clear()
                found: dict[str, Any] = (await self.client.get(f"/investigations/{id}")).json()
                if found["status"] in statuses:
                    return found
                await asyncio.wait_for(bell.wait(), 60)

    async def events(
        self, id: str, after: int | None = None, most: int | None = None
    ) -> list[tuple[int, str, Any]]:
        """(id, event, data) of the timeline to its end, or the first `most`."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        found: list[tuple[int, str, Any]] = []
        async with self.client.stream(
            "GET", f"/investigations/{id}/timeline", headers=headers, timeout=60
        ) as got:
            assert got.status_code == 200
            assert got.headers["content-type"].startswith("text/event-stream")
            part: dict[str, str] = {}
            async for line in got.aiter_lines():
                name, _, value = line.partition(": ")
                if line and name:
                    part[name] = value
                elif part:
                    found.append((int(part["id"]), part["event"], json.loads(part["data"])))
                    part = {}
                    if len(found) == most:
                        break
        return found


def told(number: int, kind: str = "observation") -> TimelineEvent:
    return TimelineEvent.model_validate(
        {"key": f"001-topology-{number:03d}", "kind": kind, "node": "topology", "text": f"event {number}"}
    )


Opened = Callable[..., AbstractAsyncContextManager[Rest]]


@pytest.fixture
def rest(shelf: Path) -> Opened:
    """Opens the app over a script: `async with rest(script, limit=2) as api`."""

    @asynccontextmanager
    async def opened(script: Script, limit: int = 2) -> AsyncIterator[Rest]:
        async with serving(Settings(stream=script, limit=limit)) as service:
            with socket.create_server(("127.0.0.1", 0)) as bound:
                config = uvicorn.Config(
                    create(service), lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1
                )
                server = uvicorn.Server(config)
                serves = asyncio.create_task(server._serve([bound]))  # serve() would take over the signals
                port = bound.getsockname()[1]
                try:
                    async with httpx.AsyncClient(
                        base_url=f"http://127.0.0.1:{port}", trust_env=False
                    ) as client:
                        yield Rest(client, service)
                finally:
                    server.should_exit = True
                    await serves

    return opened


@pytest.fixture
def events() -> Callable[[Iterable[int]], list[TimelineEvent]]:
    return lambda numbers: [told(number) for number in numbers]


@pytest.fixture
def script() -> type[Script]:
    return Script
