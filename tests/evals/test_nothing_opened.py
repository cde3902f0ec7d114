"""A run sees nothing of the case: no file of it is opened while it investigates."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from evals.cases import find
from evals.worlds import open_world, told
from graph import Context

_watching: list[list[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in ("open", "os.listdir", "os.scandir"):
        _watching[0].append(str(arguments[0]))


sys.addaudithook(_hook)  # stays for the life of the process; it does nothing unless a test watches


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Paths that are opened or listed while the fixture is in use."""
    found: list[str] = []
    _watching.append(found)
    yield found
    _watching.clear()


@pytest.mark.parametrize("name", ["dynamodb-max-write", "lambda-timeout-cut"])
def test_no_file_of_a_case_is_opened_during_a_run(name: str, opened: list[str]) -> None:
    (case,) = find(only=[name])
    home = str(case.folder.parent)
    source = f"{case.folder}?seed=3"
    open_world.cache_clear()
    world = open_world(source)
    assert any(path.startswith(home) for path in opened)  # the hook sees what it should see
    opened.clear()
    reports = asyncio.run(told(world, Context(source=f"world:{source}", region=world.region)))
    assert reports[-1].verdict == "root_cause"
    assert [path for path in opened if path.startswith(home)] == []
