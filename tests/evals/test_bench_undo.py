"""The benchmark of restore plans: counts by service and outcome, own records, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from evals.benchmarks import undo
from evals.histories import lost_of, samples
from tools.cloudtrail import parse
from tools.models import Call


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
    assert result.figures["records_together"] == own
    assert result.ok
    assert "not rehearsable" in result.text


def test_records_of_one_file_tell_what_was_before(tmp_path: Path) -> None:
    def put(hour: int, days: int) -> dict[str, object]:
        return {
            "eventID": f"hour-{hour}",
            "eventTime": f"2026-03-12T{hour}:13:40Z",
            "eventSource": "logs.amazonaws.com",
            "eventName": "PutRetentionPolicy",
            "awsRegion": "eu-west-1",
            "readOnly": False,
            "recipientAccountId": "111122223333",
            "requestParameters": {"logGroupName": "/app/orders", "retentionInDays": days},
        }

    (tmp_path / "first.json").write_text(json.dumps([put(10, 90), put(11, 3)]))
    (tmp_path / "other.json").write_text(json.dumps([{**put(12, 7), "recipientAccountId": "444455556666"}]))
    figures = undo.run(tmp_path, only=("none",)).figures
    alone, together = figures["records"], figures["records_together"]
    assert isinstance(alone, dict)
    assert isinstance(together, dict)
    assert (alone["events"], alone["outcomes"]["partial"], alone["outcomes"]["exact"]) == (3, 3, 0)
    assert (together["outcomes"]["exact"], together["outcomes"]["superseded"]) == (1, 1)
    assert (together["lossy"], together["raised"]) == (0, [])


def test_a_record_that_names_no_account_gets_its_outcome(tmp_path: Path) -> None:
    record = {
        "eventTime": "2026-03-12T22:13:40Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "ModifyInstanceAttribute",
        "awsRegion": "eu-west-1",
        "readOnly": False,
        "recipientAccountId": "11112222",
        "requestParameters": {
            "instanceId": "i-0a1b2c3d",
            "groupSet": {"items": [{"groupId": "sg-0a1b2c3d"}]},
        },
    }
    (tmp_path / "day.json").write_text(json.dumps([record]))
    own = undo.run(tmp_path, only=("none",)).figures["records"]
    assert isinstance(own, dict)
    assert (own["outcomes"]["partial"], own["raised"]) == (1, [])


def test_a_value_that_a_plan_drops_is_counted_as_lost() -> None:
    event, given = (
        parse(
            {
                "eventID": name,
                "eventName": name,
                "eventSource": "ec2.amazonaws.com",
                "requestParameters": {"routeTableId": "rtb-0a1b2c3d", **sent},
            }
        )
        for name, sent in (("DeleteRoute", {}), ("CreateRoute", {"natGatewayId": "nat-0a1b2c3d"}))
    )
    kept = Call(
        service="ec2",
        operation="CreateRoute",
        parameters={"RouteTableId": "rtb-0a1b2c3d", "NatGatewayId": "nat-0a1b2c3d"},
        region="eu-west-1",
    )
    assert lost_of(event, given, (kept,)) == ()
    cut = replace(kept, parameters={"RouteTableId": "rtb-0a1b2c3d"})
    assert lost_of(event, given, (cut,)) == ("nat-0a1b2c3d",)
