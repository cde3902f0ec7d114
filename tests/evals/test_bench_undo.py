"""The benchmark of restore plans: counts by service and outcome, own records, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

from evals.benchmarks import undo
from evals.histories import samples


def test_it_counts_generated_events_and_own_records(tmp_path: Path) -> None:
    record = {
        "eventTime": "2026-03-12T22:13:40Z",
        "eventSource": "logs.amazonaws.com",
        "eventName": "PutRetentionPolicy",
        "awsRegion": "eu-west-1",
        "readOnly": False,
        "recipientAccountId": "111122223333",
        "requestParameters": {"logGroupName": "/app/orders", "retentionInDays": 3},
        "responseElements": None,
    }
    read = {**record, "eventName": "DescribeLogGroups", "readOnly": True}
    (tmp_path / "day.json").write_text(json.dumps({"Records": [record, read]}))
    result = undo.run(tmp_path, only=("logs",))
    generated, own = result.figures["generated"], result.figures["records"]
    assert isinstance(generated, dict)
    assert isinstance(own, dict)
    assert generated["events"] == sum(one.service == "logs" for one in samples())
    assert sum(generated["outcomes"].values()) == generated["events"]
    assert generated["lossy"] == 0
    assert generated["rehearsed"]["failed"] == 0
    assert generated["rehearsed"]["ok"] >= 3
    assert sum(generated["rehearsed"].values()) == generated["outcomes"]["exact"]
    assert own["events"] == 1
    assert own["outcomes"]["partial"] == 1
    assert result.ok
    assert "not rehearsable" in result.text
