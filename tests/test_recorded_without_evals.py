"""A recording is enough: without evals, moto and any world it gives the same report as the run that made it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import evals
from evals.cases import find, trigger
from evals.suite import begin
from graph import Context, Report, Trigger, investigate

ROOT = Path(__file__).parents[1]
CASE = "dynamodb-max-write"
COMMITTED = ROOT / "evals" / "incidents" / CASE / "recording.yaml"
MOST_BYTES = 500_000

ALONE = """
import asyncio, importlib.abc, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("evals", "moto", "vcr", "tests"):
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Blocker())
for name in ("evals", "moto"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} was imported")

from graph import Context, Trigger, investigate

trigger, context = Trigger.model_validate_json(sys.argv[1]), Context.model_validate_json(sys.argv[2])
print(asyncio.run(investigate(trigger, context)).without_statistics())
"""


def alone(trigger: Trigger, context: Context) -> str:
    """The report of a process in which neither evals nor moto can be imported, without statistics."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, trigger.model_dump_json(), context.model_dump_json()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_recorded_run_gives_the_same_report_without_evals(tmp_path: Path) -> None:
    evals.register()
    trigger, context = begin(CASE, 1)
    file = tmp_path / "recording.yaml"
    report = asyncio.run(investigate(trigger, context.model_copy(update={"record_to": str(file)})))
    assert file.stat().st_size <= MOST_BYTES
    assert alone(trigger, Context(source=f"recording:{file}")) == report.without_statistics()


def test_a_run_that_looks_again_is_replayed_with_its_waits(tmp_path: Path) -> None:
    evals.register()
    trigger, context = begin("late-cloudtrail", 1)
    file = tmp_path / "recording.yaml"
    report = asyncio.run(investigate(trigger, context.model_copy(update={"record_to": str(file)})))
    assert report.revision > 1
    assert alone(trigger, Context(source=f"recording:{file}")) == report.without_statistics()


@pytest.mark.skipif(not COMMITTED.exists(), reason="no recording is committed yet")
def test_the_committed_recording_tells_the_workshop() -> None:
    (case,) = find(only=[CASE])
    assert COMMITTED.stat().st_size <= MOST_BYTES
    found = Report.model_validate_json(
        alone(Trigger(**trigger(case)), Context(source=f"recording:{COMMITTED}"))
    )
    cause = found.root_cause
    assert found.verdict == "root_cause"
    assert cause is not None
    assert cause.event is not None
    assert cause.actor is not None
    assert (cause.prior_value, cause.bad_value) == (250, 2)
    assert {source.kind for source in cause.prior_sources} >= {"metric", "previous_event"}
    assert {source.value for source in cause.prior_sources} == {250}
    assert (cause.event.id, cause.event.action) == ("d1863a97-8eb9-4e9f-a858-dcb96c58c261", "UpdateTable")
    assert (cause.actor.kind, cause.actor.name, cause.actor.how) == ("iam_user", "ops-07", "console")
    assert cause.actor.source_ip == "203.0.113.24"
