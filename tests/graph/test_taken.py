"""What an undo takes from an earlier event: found by asking without which event the undo would differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from graph.taken import taken
from tools.cloudtrail_events import parse
from tools.models import ChangeEvent, Json

AT = datetime(2026, 3, 13, 17, 0, tzinfo=UTC)
TABLE = {"routeTableId": "rtb-0a1b2c3d4e5f60718", "destinationCidrBlock": "0.0.0.0/0"}


def event(operation: str, before: timedelta, sent: Json, **more: Any) -> ChangeEvent:
    record: Json = {
        "eventVersion": "1.10",
        "eventID": f"00000000-0000-4000-8000-{int(before.total_seconds()):012d}",
        "eventTime": (AT - before).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "ec2.amazonaws.com",
        "eventName": operation,
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "IAMUser",
            "userName": "dana",
            "accountId": "111122223333",
            "arn": "arn:aws:iam::111122223333:user/dana",
        },
        "requestParameters": sent,
        "responseElements": {"_return": True},
        **more,
    }
    return parse(record, ("F1",))


def test_a_deleted_routes_target_comes_from_the_newest_event_that_set_it() -> None:
    deleted = event("DeleteRoute", timedelta(0), TABLE)
    old = event("CreateRoute", timedelta(days=30), {**TABLE, "natGatewayId": "nat-0old0000000000000"})
    new = event("ReplaceRoute", timedelta(days=3), {**TABLE, "natGatewayId": "nat-0new0000000000000"})
    other = event(
        "CreateRoute",
        timedelta(days=1),
        {**TABLE, "destinationCidrBlock": "10.9.0.0/16", "natGatewayId": "nat-0other00000000000"},
    )
    found = taken(deleted, [old, deleted, other, new])
    assert found is not None
    assert (found.event.id, found.value) == (new.id, "nat-0new0000000000000")
    assert (found.source.kind, found.source.evidence) == ("previous_event", ("F1",))


def test_nothing_is_taken_where_no_event_tells_or_the_event_tells_itself() -> None:
    deleted = event("DeleteRoute", timedelta(0), TABLE)
    refused = event(
        "CreateRoute",
        timedelta(days=3),
        {**TABLE, "natGatewayId": "nat-0a0000000000000000"},
        errorCode="Client.UnauthorizedOperation",
    )
    assert taken(deleted, [deleted, refused]) is None
    made = event("CreateRoute", timedelta(0), {**TABLE, "natGatewayId": "nat-0a0000000000000000"})
    assert taken(made, [made]) is None
