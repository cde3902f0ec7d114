"""An event that CloudTrail delivered late is not shown by a snapshot before it was delivered in the recorded run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evals.snapshot_file import NAME, packed, read, rows
from evals.snapshot_gather import Reach, gather
from evals.world.from_snapshot import from_snapshot
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.cassette import Cassette, Interaction, write
from tools.clock import VirtualClock
from tools.errors import NotRecorded
from tools.evidence import MemoryStore, canonical
from tools.recording import Player
from tools.transport import Transport, WireAnswer

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
ASKED = [{"AttributeKey": "EventName", "AttributeValue": "UpdateTable"}]
REGION = "eu-west-1"


def event(name: str, minutes: int) -> dict[str, Any]:
    moment = NOW - timedelta(minutes=minutes)
    return {
        "EventId": name,
        "EventName": "UpdateTable",
        "ReadOnly": "false",
        "EventTime": int(moment.timestamp()),
        "Username": "ops-07",
        "Resources": [],
        "CloudTrailEvent": "{}",
    }


def question(events: list[dict[str, Any]], asked_at: datetime, end: datetime, token: str = "") -> Interaction:
    return Interaction(
        account="111122223333",
        region=REGION,
        service="cloudtrail",
        operation="LookupEvents",
        parameters={
            "StartTime": (NOW - timedelta(hours=2)).isoformat(),
            "EndTime": end.isoformat(),
            "LookupAttributes": ASKED,
        },
        recorded_at=asked_at,
        method="POST",
        url=f"https://cloudtrail.{REGION}.amazonaws.com/",
        request_headers={},
        request_body=b"",
        answer=WireAnswer(
            status=200,
            headers={"Content-Type": "application/x-amz-json-1.1"},
            body=json.dumps({"Events": events} | ({"NextToken": token} if token else {})).encode(),
            protocol="json",
        ),
    )


def aws(transport: Transport, now: datetime) -> Aws:
    budget = Budget(Limits(calls=500))
    made = Aws(
        Account(region=REGION),
        transport,
        VirtualClock(now),
        budget,
        MemoryStore(),
        own_account="111122223333",
    )
    made.as_of = now
    return made


def case(folder: Path, *interactions: Interaction) -> Path:
    header = {"start": NOW.isoformat(), "account": "111122223333", "region": REGION}
    cassette = Cassette(header=header, interactions=interactions)
    write(folder / "recording.yaml", cassette)
    held = gather(
        cassette, aws(Player(folder / "recording.yaml"), LATER), NOW - timedelta(minutes=30), Reach()
    )
    (folder / NAME).write_bytes(packed(canonical(row) for row in rows(held)))
    assert list(rows(read(folder / NAME))) == list(rows(held))
    return folder


def names(folder: Path, now: datetime, start: datetime, end: datetime) -> list[str]:
    """What a question that the recorded run did not ask is answered at `now`."""
    found = aws(from_snapshot(folder), now).ask(
        "cloudtrail", "LookupEvents", REGION, {"StartTime": start, "EndTime": end, "LookupAttributes": ASKED}
    )
    return [one["EventId"] for one in found["Events"]]


def test_a_late_event_is_hidden_until_the_run_saw_it(tmp_path: Path) -> None:
    old, late = event("old", 50), event("late", 20)
    end = NOW - timedelta(minutes=1)
    folder = case(
        tmp_path,
        question([old], NOW, end),
        question([late, old], LATER, end),
        question([late, old], LATER, LATER),
    )
    start = NOW - timedelta(hours=1)
    assert names(folder, NOW, start, end) == ["old"]
    assert names(folder, LATER, start, end) == ["late", "old"]
    assert names(folder, LATER, NOW - timedelta(minutes=30), end) == ["late"]


def test_an_answer_that_was_cut_covers_nothing(tmp_path: Path) -> None:
    folder = case(tmp_path, question([event("old", 50)], NOW, NOW, token="more-of-it-than-was-read"))
    with pytest.raises(NotRecorded, match="does not hold it either"):
        names(folder, LATER, NOW - timedelta(hours=1), NOW - timedelta(minutes=1))


def test_a_window_that_reaches_beyond_what_was_read_is_a_miss(tmp_path: Path) -> None:
    folder = case(tmp_path, question([event("old", 50)], NOW, NOW))
    assert names(folder, LATER, NOW - timedelta(hours=1), NOW) == ["old"]
    for start, end in ((NOW - timedelta(hours=3), NOW), (NOW - timedelta(hours=1), LATER)):
        with pytest.raises(NotRecorded, match="events of EventName UpdateTable"):
            names(folder, LATER, start, end)
