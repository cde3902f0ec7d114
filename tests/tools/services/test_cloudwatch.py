"""CloudWatch alarms: both kinds are found, what they stand on, and how a rule is put back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.tools.fake_account import FakeAws
from tools.catalogue import change_of, settings_in
from tools.cloudtrail_events import parse
from tools.directory import KnownResources
from tools.models import Json, Resource
from tools.parameters import validate
from tools.services.cloudwatch import CHANGES, SETTINGS, describe, discover, relations

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
RULE = f'ALARM("orders: late, slow") AND (OK({ARN}:night) OR NOT INSUFFICIENT_DATA(orders-errors)) AND TRUE'
METRIC: Json = {
    "AlarmName": "orders-errors",
    "AlarmArn": f"{ARN}:orders-errors",
    "Namespace": "AWS/DynamoDB",
    "MetricName": "SystemErrors",
    "Dimensions": [{"Name": "TableName", "Value": "orders"}],
    "StateValue": "OK",
    "StateUpdatedTimestamp": AT,
}
COMPOSITE: Json = {
    "AlarmName": "orders-broken",
    "AlarmArn": f"{ARN}:orders-broken",
    "AlarmRule": RULE,
    "ActionsEnabled": True,
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
    "OKActions": [],
    "ActionsSuppressor": "maintenance",
    "ActionsSuppressorWaitPeriod": 60,
    "ActionsSuppressorExtensionPeriod": 120,
    "StateValue": "ALARM",
}


def alarms(parameters: Json) -> Json:
    """DescribeAlarms without a type tells alarms of metrics alone."""
    kinds = parameters.get("AlarmTypes") or ["MetricAlarm"]
    names = parameters.get("AlarmNames")
    held: dict[str, Json] = {"MetricAlarm": METRIC, "CompositeAlarm": COMPOSITE}
    return {
        f"{kind}s": [one]
        for kind, one in held.items()
        if kind in kinds and (names is None or one["AlarmName"] in names)
    }


ANSWERS: dict[tuple[str, str], Any] = {("cloudwatch", "DescribeAlarms"): alarms}


def composite() -> Resource:
    found = describe(FakeAws(ANSWERS).reader(), f"{ARN}:orders-broken")
    assert found is not None
    return found


def test_alarms_of_metrics_and_of_other_alarms_are_found() -> None:
    found = list(discover(FakeAws(ANSWERS).reader(), "eu-west-1"))
    assert [one.name for one in found] == ["orders-errors", "orders-broken"]
    assert {one.type for one in found} == {"alarm"}


def test_one_of_each_is_read_by_its_name_and_none_that_is_gone() -> None:
    reader = FakeAws(ANSWERS).reader()
    for name in ("orders-errors", "orders-broken"):
        found = describe(reader, f"{ARN}:{name}")
        assert found is not None
        assert found.name == name
    assert describe(reader, f"{ARN}:nobody") is None


def test_a_composite_alarm_watches_the_alarms_of_its_rule_only() -> None:
    table = Resource(
        arn=TABLE, service="dynamodb", type="table", name="orders", account="111122223333", region="eu-west-1"
    )
    known = KnownResources((table, composite()))
    found = {(one.kind, one.target) for one in relations(composite(), known)}
    children = ("orders: late, slow", "night", "orders-errors")
    assert found == {("watches", f"{ARN}:{name}") for name in children}
    (metric,) = [
        one for one in discover(FakeAws(ANSWERS).reader(), "eu-west-1") if one.name == "orders-errors"
    ]
    assert [one.target for one in relations(metric, known)] == [TABLE]


def test_a_rule_is_put_back_with_all_else_kept() -> None:
    (setting,) = [one for one in SETTINGS if one.path == "AlarmRule"]
    (call,) = setting.restore(composite(), 'ALARM("orders-errors")')
    assert validate(call) == ()
    assert call.parameters == {
        "AlarmName": "orders-broken",
        "AlarmRule": 'ALARM("orders-errors")',
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
        "ActionsSuppressor": "maintenance",
        "ActionsSuppressorWaitPeriod": 60,
        "ActionsSuppressorExtensionPeriod": 120,
    }


@pytest.mark.parametrize("name", [one.name for one in SETTINGS if one.name not in ("actions", "rule")])
def test_no_alarm_of_a_metric_is_made_of_a_composite_one(name: str) -> None:
    (setting,) = [one for one in SETTINGS if one.name == name]
    assert setting.restore(composite(), 5) == ()


def test_a_deleted_composite_alarm_is_put_back_as_it_was_put_last() -> None:
    (put,) = [one for one in CHANGES if one.operation == "PutCompositeAlarm"]
    (deletion,) = [one for one in CHANGES if one.operation == "DeleteAlarms"]
    event = parse({**deletion.example, "requestParameters": {"alarmNames": ["orders-broken", "unknown"]}})
    before = parse({**put.example, "eventID": "0" * 8})
    assert deletion.undo is not None
    (call,) = deletion.undo(event, (before,))
    assert call.operation == "PutCompositeAlarm"
    assert call.parameters["AlarmRule"] == put.example["requestParameters"]["alarmRule"]
    assert validate(call) == ()
    known = change_of(before)
    assert known is put
    assert {setting.name for _, setting in settings_in(before)} == {"rule", "actions"}
