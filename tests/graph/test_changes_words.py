"""What lines of changes say: values in words, what was attached, and that what was made is gone again."""

from __future__ import annotations

from graph.changes import Line, listing
from graph.undoing.known import Known
from tests.graph.test_undo_outcomes import event
from tools.models import ChangeEvent, Json

MADE = "i-0a1b2c3d4e5f60718"


def lines(*events: ChangeEvent) -> dict[str, Line]:
    return {one.operation: one for one in listing(events, Known(events=events)).lines}


def items(**one: str) -> Json:
    return {"instancesSet": {"items": [one]}}


def test_a_policy_that_was_attached_is_said() -> None:
    sent = {"roleName": "writer", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    (field,) = lines(event("iam", "AttachRolePolicy", 1, sent))["AttachRolePolicy"].fields
    assert (field.before, field.after) == ("unknown", "arn:aws:iam::aws:policy/ReadOnlyAccess")


def test_a_record_of_a_zone_is_told_by_its_values() -> None:
    record = {
        "name": "api.example.com.",
        "type": "A",
        "tTL": 60,
        "resourceRecords": [{"value": "203.0.113.7"}],
    }
    batch = {"changes": [{"action": "UPSERT", "resourceRecordSet": record}]}
    found = lines(
        event("route53", "ChangeResourceRecordSets", 1, {"hostedZoneId": "Z1", "changeBatch": batch})
    )
    after = found["ChangeResourceRecordSets"].fields[0].after
    assert "{" not in after
    assert all(word in after for word in ("UPSERT", "api.example.com.", "203.0.113.7"))


def test_an_instance_that_was_terminated_is_no_longer_in_force() -> None:
    run = event("ec2", "RunInstances", 2, items(imageId="ami-0a1b2c3d"), items(instanceId=MADE))
    end = event("ec2", "TerminateInstances", 1, items(instanceId=MADE), items(instanceId=MADE))
    found = lines(run, end)
    assert (found["RunInstances"].status, found["RunInstances"].later) == ("undone", end)
    assert [field.after for field in found["TerminateInstances"].fields] == ["removed"]
    assert lines(run)["RunInstances"].status == "in force"
