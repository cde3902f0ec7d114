"""The speed benchmark measures what it says: all lines, both miners, both amounts; seconds are not asserted."""

from __future__ import annotations

from itertools import islice
from typing import Any

import evals
from evals.benchmarks import speed
from evals.benchmarks.made_changes import records
from graph.changes import listing
from graph.undoing.known import Known
from tools.cloudtrail import parse
from tools.patterns import Miner


def test_both_amounts_are_measured_and_told() -> None:
    result = speed.run(400, 60)
    figures: dict[str, Any] = dict(result.figures)
    for name, whole in (("opsleuth", 400), ("drain3", 400), ("changes", 60)):
        assert figures[name]["whole"]["count"] == whole
        assert figures[name]["tenth"]["count"] == whole // 10
    assert figures["opsleuth"]["whole"]["found"] < figures["drain3"]["whole"]["found"]
    rows = [row for row in result.text.splitlines() if row.startswith(("log lines", "changes"))]
    assert [row.split()[-1] for row in rows[1::2]] == [
        f"{figures[name]['growth']:.1f}" for name in ("opsleuth", "drain3", "changes")
    ]
    assert "speed" in evals.BENCHMARKS


def test_lines_are_the_same_each_time_come_by_time_and_hold_traces() -> None:
    lines = list(speed.log_lines(3000))
    assert lines == list(speed.log_lines(3000))
    assert [line.time for line in lines] == sorted(line.time for line in lines)
    assert sum(line.text.startswith("    at ") for line in lines) == 3


def test_patterns_do_not_grow_with_the_lines() -> None:
    few, many = Miner(speed._START), Miner(speed._START)
    for line in speed.log_lines(20_000):
        many.add(line)
    for line in islice(speed.log_lines(20_000), 4_000):
        few.add(line)
    counts = [sum(1 for _ in miner.patterns()) for miner in (few, many)]
    assert counts[1] < 2 * counts[0]
    assert sum(seen.before + seen.after for seen in many.patterns()) == 20_000


def test_every_made_record_is_a_change_that_is_ranked_or_counted() -> None:
    events = tuple(map(parse, records(300)))
    assert len(events) == 300
    found = listing(events, Known(events=events))
    assert found.shown + sum(found.folded.values()) == 300
    scores = [line.risk.score for line in found.lines]
    assert scores == sorted(scores, reverse=True)
    assert len({line.status for line in found.lines}) > 2
