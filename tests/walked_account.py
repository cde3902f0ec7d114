"""Run in a copy of the repository that the walk-through of CONTRIBUTING.md has added EFS to: `opsleuth map` and
`opsleuth undo` on an account with one file system and two events. What is not said here is refused.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from api.cli import main
from api.mapping import read_whole
from evals.world import wire
from graph import Context
from graph.session import register
from graph.undoing.door import undo
from tools.models import Json
from tools.transport import WireAnswer, WireRequest

NOW = datetime(2026, 3, 13, 18, 0, tzinfo=UTC)
(EXAMPLE,) = import_module("tools.services.efs").CHANGES[0].more_examples
BEFORE = {
    **EXAMPLE,
    "eventID": "6f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d000",
    "eventTime": "2026-02-20T09:00:00Z",
    "requestParameters": {**EXAMPLE["requestParameters"], "provisionedThroughputInMibps": 256.0},
}


class OneFileSystem:
    """A Transport: the answers of the walk-through's own test, and the trail."""

    virtual = True
    region = "eu-west-1"

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = import_module("tests.tools.services.test_efs").ANSWERS

    def start(self) -> datetime:
        return NOW

    def close(self) -> None:
        """Nothing is held."""

    def send(self, request: WireRequest) -> WireAnswer:
        key = (request.service, request.operation)
        if key == ("cloudtrail", "LookupEvents"):
            found: Json = {"Events": [shown(one) for one in (EXAMPLE, BEFORE) if fits(one, request)]}
        elif key == ("sts", "GetCallerIdentity"):
            user = "arn:aws:iam::111122223333:user/opsleuth"
            found = {"UserId": "AIDAEXAMPLE", "Account": "111122223333", "Arn": user}
        elif key in self.answers and request.region == self.region:
            found = self.answers[key]
        else:
            said = f"User is not authorized to perform: {request.service}:{request.operation}"
            return wire.error(request.protocol, "AccessDenied", said, 403, "r")
        return wire.answer(request.service, request.operation, request.protocol, found, "r")


def fits(record: Json, request: WireRequest) -> bool:
    """Whether LookupEvents would find the event."""
    values = {"EventId": "eventID", "EventName": "eventName", "EventSource": "eventSource"}
    time = datetime.fromisoformat(record["eventTime"].replace("Z", "+00:00"))
    sent = request.parameters
    inside = _moment(sent["StartTime"]) <= time <= _moment(sent["EndTime"]) + timedelta(minutes=1)
    return (
        request.region == record["awsRegion"]
        and inside
        and all(
            record.get(values.get(one["AttributeKey"], "")) == one["AttributeValue"]
            or (one["AttributeKey"], one["AttributeValue"]) == ("ReadOnly", "false")
            for one in sent.get("LookupAttributes") or []
        )
    )


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)


def shown(record: Json) -> Json:
    """An event as LookupEvents tells it."""
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "ReadOnly": "false",
        "EventTime": datetime.fromisoformat(record["eventTime"].replace("Z", "+00:00")),
        "Username": "ops-07",
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }


def record_map(path: Path) -> None:
    """What reading the whole account asks for, kept where the command line finds it."""
    register("walked", lambda _: OneFileSystem())
    read_whole(Context(source="walked:", record_to=str(path)))


def record_undo(path: Path) -> None:
    """The same of a restore plan."""
    register("walked", lambda _: OneFileSystem())
    undo(Context(source="walked:", record_to=str(path)), EXAMPLE["eventID"])


if __name__ == "__main__":
    kept = Path(sys.argv[2])
    if sys.argv[1] == "map":
        record_map(kept)
        sys.exit(
            main(
                [
                    "map",
                    "--whole-account",
                    "--source",
                    f"recording:{kept}",
                    "--format",
                    "json",
                    "--level",
                    "all",
                ]
            )
        )
    record_undo(kept)
    sys.exit(main(["undo", EXAMPLE["eventID"], "--source", f"recording:{kept}", "--json"]))
