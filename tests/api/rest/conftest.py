"""A service over a scripted graph, its app on a real loopback port, and a reader of server-sent events."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
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
        if context.get("profile"):
            context = {"region": "eu-west-1"} | context  # no test knows a profile that has one
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


@pytest.fixture(autouse=True)
def some_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's environment names a region, as that of most servers does."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


def told(number: int, kind: str = "observation") -> TimelineEvent:
    return TimelineEvent.model_validate(
        {"key": f"001-topology-{number:03d}", "kind": kind, "node": "topology", "text": f"event {number}"}
    )


ROOT = Path(__file__).parents[3]


class Process:
    """`opsleuth serve` as a process of its own."""

    def __init__(self, home: Path, cwd: Path) -> None:
        self.home = home
        self._cwd = cwd
        self._running: subprocess.Popen[str] | None = None
        self.client = httpx.Client(trust_env=False, timeout=120)

    def start(self) -> None:
        """Answers requests after this."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.client.base_url = httpx.URL(f"http://127.0.0.1:{self.port}")
        environment = os.environ | {"OPSLEUTH_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "api", "serve", "--port", str(self.port)]
        self._running = subprocess.Popen(
            command,
            cwd=self._cwd,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        while True:
            try:
                assert self.client.get("/health").status_code == 200
            except httpx.ConnectError:
                assert self._running.poll() is None, self._running.communicate()[1]
                time.sleep(0.2)
            else:
                return

    def stop(self, how: signal.Signals) -> tuple[int, str]:
        """Its exit code and stderr."""
        assert self._running is not None
        self._running.send_signal(how)
        _, said = self._running.communicate(timeout=60)
        code, self._running = self._running.returncode, None
        return code, said

    def close(self) -> None:
        self.client.close()
        if self._running is not None:
            self.stop(signal.SIGKILL)

    def events(self, id: str, most: int | None = None) -> list[tuple[int, str, Any]]:
        found: list[tuple[int, str, Any]] = []
        with self.client.stream("GET", f"/investigations/{id}/timeline") as got:
            part: dict[str, str] = {}
            for line in got.iter_lines():
                name, _, value = line.partition(": ")
                if line and name:
                    part[name] = value
                elif part:
                    found.append((int(part["id"]), part["event"], json.loads(part["data"])))
                    part = {}
                    if len(found) == most:
                        break
        return found


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


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of the first case: the committed one, else one made from its world."""
    kept = ROOT / "evals" / "incidents" / "dynamodb-max-write" / "recording.yaml"
    if kept.is_file():
        return kept
    pytest.importorskip("moto", reason="no recording is committed, and worlds need opsleuth[evals]")
    from evals import demo
    from graph import investigate

    made = tmp_path_factory.mktemp("recorded") / "recording.yaml"
    trigger, context = demo(1)
    asyncio.run(investigate(trigger, context.model_copy(update={"record_to": str(made)})))
    return made


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[Path], Process]]:
    """Makes `opsleuth serve` processes over one data folder; ends them."""
    made: list[Process] = []

    def make(cwd: Path) -> Process:
        made.append(Process(tmp_path / "data", cwd))
        return made[-1]

    yield make
    for one in made:
        one.close()
