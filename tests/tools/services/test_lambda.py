"""Lambda: parts of a configuration that break in silence, and how each is put back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.catalogue import find, requested, settings_in
from tools.cloudtrail_events import parse
from tools.directory import KnownResources
from tools.kit import record
from tools.models import Json, Resource, Value
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.lambda_ import SERVICE, SETTINGS

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:order-writer"
MAPPING = "arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:14e0db71-5d35-4eb5-b481-8945cf9d10c2"
LAYERS = [f"arn:aws:lambda:eu-west-1:111122223333:layer:shop:{number}" for number in (7, 3)]
PATTERNS = ['{"body":{"kind":["sale"]}}', '{"body":{"kind":["refund"]}}']


def resource(arn: str, **config: Any) -> Resource:
    kind = arn.split(":")[5]
    return Resource(
        arn=arn,
        service="lambda",
        type=kind,
        name=arn.rsplit(":", 1)[-1],
        account="111122223333",
        region="eu-west-1",
        config=config,
    )


def setting(name: str) -> Setting:
    (found,) = [one for one in SETTINGS if one.name == name]
    return found


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("space in /tmp", 2048, {"EphemeralStorage": {"Size": 2048}}),
        ("tracing", "PassThrough", {"TracingConfig": {"Mode": "PassThrough"}}),
        ("dead-letter queue", None, {"DeadLetterConfig": {"TargetArn": ""}}),
        ("layers", ",".join(LAYERS), {"Layers": LAYERS}),
        ("layers", "", {"Layers": []}),
    ],
)
def test_a_part_of_a_function_is_put_back_alone(name: str, value: Value, sent: Json) -> None:
    (call,) = setting(name).restore(resource(FUNCTION), value)
    assert validate(call) == ()
    assert (call.operation, call.parameters) == (
        "UpdateFunctionConfiguration",
        {"FunctionName": "order-writer", **sent},
    )


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("maximum concurrency", 10, {"ScalingConfig": {"MaximumConcurrency": 10}}),
        ("maximum concurrency", None, {"ScalingConfig": {}}),
        (
            "filters",
            json.dumps(PATTERNS),
            {"FilterCriteria": {"Filters": [{"Pattern": p} for p in PATTERNS]}},
        ),
        ("filters", "[]", {"FilterCriteria": {}}),
    ],
)
def test_a_part_of_a_mapping_is_put_back_alone(name: str, value: Value, sent: Json) -> None:
    (call,) = setting(name).restore(resource(MAPPING), value)
    assert validate(call) == ()
    assert (call.operation, call.parameters) == (
        "UpdateEventSourceMapping",
        {"UUID": MAPPING.rsplit(":", 1)[-1], **sent},
    )


@pytest.mark.parametrize(
    ("request_part", "name", "value"),
    [
        ({"scalingConfig": {"maximumConcurrency": 5}}, "maximum concurrency", 5),
        ({"scalingConfig": {}}, "maximum concurrency", None),
        ({"filterCriteria": {"filters": [{"pattern": PATTERNS[0]}]}}, "filters", json.dumps(PATTERNS[:1])),
        ({"filterCriteria": {}}, "filters", "[]"),
        ({"filterCriteria": {"filters": []}}, "filters", "[]"),
    ],
)
def test_what_is_taken_away_is_seen_as_well_as_what_is_set(
    request_part: Json, name: str, value: Value
) -> None:
    sent = {"uUID": MAPPING.rsplit(":", 1)[-1], **request_part}
    event = parse(record("lambda.amazonaws.com", "UpdateEventSourceMapping20150331", sent))
    ((_, found),) = settings_in(event)
    assert found.name == name
    told = requested(found, event)
    assert (json.loads(str(told)) if name == "filters" else told) == (
        json.loads(str(value)) if name == "filters" else value
    )


@pytest.mark.parametrize(
    ("config", "value"),
    [({}, "[]"), ({"FilterCriteria": {"Filters": [{"Pattern": p} for p in PATTERNS]}}, json.dumps(PATTERNS))],
)
def test_filters_are_read_as_they_are_requested(config: Json, value: str) -> None:
    assert json.loads(find(setting("filters").path, config)) == json.loads(value)


@pytest.mark.parametrize(
    ("state", "reason", "holds"),
    [
        ("Active", "", False),
        ("Pending", "Creating", False),
        ("Inactive", "Idle", False),
        ("Inactive", "KMSKeyDisabled", True),
        ("Failed", "ImageAccessDenied", True),
    ],
)
def test_a_function_that_lambda_cannot_make_ready_says_so(state: str, reason: str, holds: bool) -> None:
    (condition,) = [one for one in SERVICE.conditions if one.key == "function-not-runnable"]
    assert condition.shown is not None
    assert condition.shown(resource(FUNCTION, State=state, StateReasonCode=reason)) is holds


def test_of_a_function_that_was_not_read_no_log_group_is_told() -> None:
    told = list(SERVICE.relations(resource(FUNCTION), KnownResources(())))
    assert [one for one in told if one.kind == "logs to"] == []
    read = list(SERVICE.relations(resource(FUNCTION, FunctionName="order-writer"), KnownResources(())))
    assert [one.target.rpartition(":")[2] for one in read if one.kind == "logs to"] == [
        "/aws/lambda/order-writer"
    ]
