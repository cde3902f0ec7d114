"""AWS Config's items as values before a change: found by type, cited, silent where the recorder is off."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.tools.fake_account import FakeAws
from tools.catalogue import settings_of
from tools.cloudtrail_events import parse
from tools.config_history import recorded
from tools.history import prior
from tools.models import Resource
from tools.services._spec import Setting

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
FUNCTION = Resource(
    arn="arn:aws:lambda:eu-west-1:111122223333:function:writer",
    service="lambda",
    type="function",
    name="writer",
    account="111122223333",
    region="eu-west-1",
    config={"Timeout": 3},
)


def timeout() -> Setting:
    return next(one for _, one in settings_of("function") if one.path == "Timeout")


def account(
    *, on: bool = True, ids: tuple[str, ...] = ("writer",), config: Any = None, minutes: float = -60
) -> FakeAws:
    shown = json.dumps({"timeout": 30, "memorySize": 512}) if config is None else config
    item = {"configurationItemCaptureTime": NOON + timedelta(minutes=minutes), "configuration": shown}
    return FakeAws(
        {
            ("config", "DescribeConfigurationRecorderStatus"): {
                "ConfigurationRecordersStatus": [{"name": "default", "recording": on}]
            },
            ("config", "ListDiscoveredResources"): {
                "resourceIdentifiers": [{"resourceId": one, "resourceName": "writer"} for one in ids]
            },
            ("config", "GetResourceConfigHistory"): {"configurationItems": [item]},
        }
    )


def test_the_newest_item_before_the_change_tells_the_value() -> None:
    (found,) = recorded(account().reader(), FUNCTION, [timeout()], [NOON])
    assert (found.kind, found.values, found.made) == (
        "config_history",
        {"Timeout": 30},
        NOON - timedelta(hours=1),
    )
    assert found.evidence


@pytest.mark.parametrize(
    "aws",
    [
        account(on=False),
        account(ids=()),
        account(ids=("a", "b")),
        account(config="no json"),
        account(config="[]"),
        account(config=json.dumps({"runtime": "x"})),
        account(minutes=1),
    ],
    ids=["off", "not recorded", "two of that name", "no json", "no object", "not shown", "captured after"],
)
def test_nothing_is_made_up(aws: FakeAws) -> None:
    assert recorded(aws.reader(), FUNCTION, [timeout()], [NOON]) == ()


def test_a_recorder_that_is_off_is_asked_one_question() -> None:
    aws = account(on=False)
    recorded(aws.reader(), FUNCTION, [timeout()], [NOON])
    assert aws.asked == [("config", "DescribeConfigurationRecorderStatus")]


def test_a_type_that_config_does_not_know_is_not_asked_about() -> None:
    aws = account()
    assert recorded(aws.reader(), replace(FUNCTION, type="route"), [timeout()], [NOON]) == ()
    assert recorded(aws.reader(), FUNCTION, [replace(timeout(), hidden=True)], [NOON]) == ()
    assert aws.asked == []


def test_a_refusal_is_a_gap() -> None:
    reader = replace(account(), denied=frozenset({"config:GetResourceConfigHistory"})).reader()
    assert recorded(reader, FUNCTION, [timeout()], [NOON]) == ()
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]


def test_it_is_a_source_of_the_value_before() -> None:
    (item,) = recorded(account().reader(), FUNCTION, [timeout()], [NOON])
    change = parse(
        {
            "eventID": "e",
            "eventTime": "2026-03-13T12:00:00Z",
            "eventSource": "lambda.amazonaws.com",
            "eventName": "UpdateFunctionConfiguration20150331v2",
            "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333",
            "requestParameters": {"functionName": "writer", "timeout": 3},
        }
    )
    found = prior(timeout(), FUNCTION, change, (), None, versions=(item,))
    assert (found.known, found.value) == (True, 30)
    (source,) = found.sources
    assert source.kind == "config_history"
    assert source.said_by == "AWS Config's item of writer, captured 2026-03-13T11:00:00Z"
