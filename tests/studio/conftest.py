"""`langgraph dev` in a process of its own, from `.venv-studio`, and a client that talks to it as Studio does."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import SyncLangGraphClient

import evals
from graph import Context, Question, Report, Resume, Trigger, stream

ROOT = Path(__file__).parents[2]
LANGGRAPH = ROOT / ".venv-studio" / "bin" / "langgraph"
QUIET = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}
READY_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Studio:
    """A server that is ready, and what it has printed so far."""

    client: SyncLangGraphClient
    url: str
    log: Path


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A run through the door: its recording, what it asked, and its report."""

    source: str
    question: Question
    report: Report


@pytest.fixture(scope="package")
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """A server with the repository's own settings, started but perhaps not ready, in a folder of its own."""
    if not LANGGRAPH.exists():
        pytest.skip("there is no .venv-studio: run make test-studio")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("every worker would start a server: run make test-studio")
    folder = tmp_path_factory.mktemp("studio")
    for name in ("langgraph.json", ".env.studio"):
        shutil.copy(ROOT / name, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [LANGGRAPH, "dev", "--no-browser", "--no-reload", "--port", port],
            cwd=folder,
            env=os.environ | QUIET,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    yield process, f"http://127.0.0.1:{port}", log
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="package")
def recorded(
    starting: tuple[subprocess.Popen[bytes], str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Recorded:
    """Words that fit several, asked of a world while the server starts; one is chosen and the run ends."""
    path = tmp_path_factory.mktemp("recorded") / "recording.yaml"
    _, context = evals.demo(seed=1)
    context = context.model_copy(update={"interactive": True, "record_to": str(path)})
    trigger = Trigger(text="order-writer or invoice-writer")
    question, report = asyncio.run(_asked(trigger, "function order-writer", context))
    return Recorded(source=f"recording:{path}", question=question, report=report)


async def _asked(trigger: Trigger, answer: str, context: Context) -> tuple[Question, Report]:
    saver = InMemorySaver()
    (question,) = [one async for one in stream(trigger, "asked", context, saver=saver)]
    assert isinstance(question, Question)
    updates = [one async for one in stream(Resume(answer=answer), "asked", context, saver=saver)]
    report = updates[-1]
    assert isinstance(report, Report)
    return question, report


@pytest.fixture(scope="package")
def studio(starting: tuple[subprocess.Popen[bytes], str, Path]) -> Iterator[Studio]:
    process, url, log = starting
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(url):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    with get_sync_client(url=url) as client:
        yield Studio(client=client, url=url, log=log)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ok").is_success
    except httpx.TransportError:
        return False
