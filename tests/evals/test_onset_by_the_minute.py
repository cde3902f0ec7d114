"""A run of the whole graph in which five minutes hold both the cause and a later change of the failing function."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from evals.cases import incidents
from evals.worlds import open_world, told
from graph import Context
from graph.session import register

CASE = incidents() / "role-permission-removed"
LATER = "  - {id: later, at: 100s, who: third, set: function, path: Environment.LOG_LEVEL, to: debug}\n"


def written(folder: Path) -> Path:
    """The case with an alarm that sums up five minutes, and a change a minute and a half after the cause."""
    text = (CASE / "case.yaml").read_text(encoding="utf-8")
    text = text.replace("    threshold: 10\n", "    threshold: 10\n    period: 300\n")
    text = text.replace("  - {id: tagged,", f"{LATER}  - {{id: tagged,")
    text = text.replace("minutes: $look_minutes", "minutes: 30")
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    (folder / "truth.yaml").write_text((CASE / "truth.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def test_the_symptoms_metric_by_the_minute_sets_a_later_change_aside(tmp_path: Path) -> None:
    source = f"{written(tmp_path)}?seed=1"
    world = open_world(source)
    register("finer", lambda _: world.transport())
    report = asyncio.run(told(world, Context(source=f"finer:{source}", region=world.asked_in)))[-1]
    onset = report.incident.onset
    assert onset is not None
    assert report.incident.metric is not None
    assert report.incident.metric.period == 300
    assert onset.latest - onset.earliest == timedelta(minutes=1)
    assert onset.earliest <= world.facts["change.time"] <= onset.latest
    assert report.root_cause is not None
    assert report.root_cause.event is not None
    assert report.root_cause.event.id == world.facts["change.event_id"]
    later = [one for one in report.hypotheses if one.event == world.facts["later.event_id"]]
    assert all(one.status == "ruled_out" for one in later)
    asked = [one.text for one in report.timeline if "the symptom by the minute" in one.text]
    assert len(asked) == 1
