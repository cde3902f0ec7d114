"""Equal runs give equal reports, killed and resumed ones too."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

import evals
from api.checkpoints import opened
from evals.suite import begin
from graph import Context, Report, Resume, Trigger, stream


@pytest.fixture(autouse=True)
def worlds() -> None:
    evals.register()


async def _whole(trigger: Trigger, context: Context, thread: str) -> list[Report]:
    return [one async for one in stream(trigger, thread, context) if isinstance(one, Report)]


async def _killed_at(event: int, trigger: Trigger, context: Context, folder: Path) -> list[Report]:
    """A run that ends after `event` updates and goes on in a new session from its last checkpoint."""
    thread = f"killed-{event}"
    seen: list[Report] = []
    async with opened(folder / f"{thread}.db") as saver:
        count = 0
        async with aclosing(stream(trigger, thread, context, saver=saver)) as updates:  # type: ignore[type-var]
            async for one in updates:
                if isinstance(one, Report):
                    seen.append(one)
                count += 1
                if count == event:
                    break
        later = stream(Resume(), thread, context, saver=saver)
        return seen + [one async for one in later if isinstance(one, Report)]


@pytest.mark.parametrize("case", ["dynamodb-max-write", "late-cloudtrail"])
def test_two_runs_and_a_killed_one_give_the_same_report(case: str, tmp_path: Path) -> None:
    trigger, context = begin(case, 3)
    first = asyncio.run(_whole(trigger, context, "first"))
    second = asyncio.run(_whole(trigger, context, "second"))
    assert [one.without_statistics() for one in first] == [one.without_statistics() for one in second]
    for event in (2, 6, 11):
        resumed = asyncio.run(_killed_at(event, trigger, context, tmp_path))
        assert resumed[-1].without_statistics() == first[-1].without_statistics(), f"killed at update {event}"


def test_statistics_are_the_only_part_left_out() -> None:
    trigger, context = begin("dynamodb-max-write", 1)
    (report,) = asyncio.run(_whole(trigger, context, "statistics"))
    assert report.statistics.calls["cloudtrail:LookupEvents"] > 0
    assert '"calls":{}' in report.without_statistics()
