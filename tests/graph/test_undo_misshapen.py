"""Records in shapes that nobody foresaw: each is told as such, and the others are judged as without it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from graph.changes import listing
from graph.undoing.known import Known
from graph.undoing.restore import restoration
from tests.graph.test_undo_outcomes import event, limit
from tools.cloudtrail_events import parse
from tools.models import Json
from tools.parameters import to_cli


def deep(levels: int) -> Json:
    made: Json = {"v": 1}
    for _ in range(levels):
        made = {"a": made}
    return made


def throughput(units: Any) -> Json:
    return {
        "tableName": "others",
        "provisionedThroughput": {"readCapacityUnits": units, "writeCapacityUnits": 5},
    }


ODD: tuple[tuple[str, str, Json], ...] = (
    ("route53", "ChangeResourceRecordSets", {"hostedZoneId": "Z1", "changeBatch": {"changes": [None]}}),
    ("route53", "ChangeResourceRecordSets", {"hostedZoneId": "Z1", "changeBatch": "x"}),
    ("route53", "ChangeResourceRecordSets", {"changeBatch": {"changes": [{"resourceRecordSet": None}]}}),
    (
        "apigateway",
        "UpdateStage",
        {"restApiId": "a", "stageName": "s", "updateStageInput": {"patchOperations": [None]}},
    ),
    ("dynamodb", "UpdateTable", throughput("9" * 400)),
    ("dynamodb", "UpdateTable", throughput(10**400)),
    ("dynamodb", "UpdateTable", throughput(float("nan"))),
    (
        "ec2",
        "ModifySecurityGroupRules",
        {"ModifySecurityGroupRulesRequest": {"SecurityGroupRule": [None, "x"]}},
    ),
)


@pytest.mark.parametrize(("source", "operation", "request_"), ODD)
def test_an_odd_record_is_one_line_and_the_others_are_told_as_before(
    source: str, operation: str, request_: Json
) -> None:
    good, odd = limit(1, 2), event(source, operation, 0.5, request_)
    found = listing((good, odd), Known(events=(good, odd)))
    assert found.shown == 2
    assert next(one for one in found.lines if one.events == (good.id,)) == listing((good,), Known()).lines[0]
    made = restoration(odd, Known(events=(good, odd)))
    assert (made.outcome, made.calls) == ("partial", ()) or made.outcome == "cannot be undone"


class Unwalkable(dict[str, Any]):
    """Stands for every shape that some reader trips over."""

    def items(self) -> Any:
        raise KeyError("no such shape")


def test_what_breaks_a_judgement_is_told_as_not_understood() -> None:
    good, odd = limit(1, 2), replace(limit(0.5, 3), request=Unwalkable(limit(0.5, 3).request))
    found = listing((good, odd), Known(events=(good,)))
    told = next(one for one in found.lines if one.events == (odd.id,))
    assert (told.operation, told.fields[0].after, told.count) == ("UpdateTable", "cannot be understood", 1)
    assert (found.shown, found.total) == (2, 2)
    made = restoration(odd, Known(events=(good,)))
    assert (made.outcome, made.calls, made.unknown) == ("partial", (), ("what UpdateTable changed",))


def test_a_request_too_deep_to_walk_counts_as_left_out() -> None:
    record = {"eventID": "e-1", "eventName": "UpdateWorkGroup", "eventSource": "athena.amazonaws.com"}
    assert parse(record | {"requestParameters": deep(3000)}).request["omitted"] is True
    assert parse(record | {"requestParameters": deep(90)}).request == deep(90)
    nested = '{"eventName": "X", "requestParameters": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}"
    assert parse({"EventId": "e-1", "EventName": "X", "CloudTrailEvent": nested}).operation == "X"


def test_no_call_holds_a_number_that_is_none() -> None:
    nan, usual = (
        {"fileSystemId": "fs-0123abcd", "provisionedThroughputInMibps": one} for one in ("NaN", 1024)
    )
    before, after = (
        event("elasticfilesystem", "UpdateFileSystem", hours, one) for hours, one in ((2, nan), (1, usual))
    )
    made = restoration(after, Known(events=(before, after)))
    assert made.outcome == "partial"
    assert "nan" not in json.dumps([to_cli(call) for call in made.calls]).lower()
