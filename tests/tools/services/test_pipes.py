"""EventBridge Pipes: what a pipe reads and feeds, what it was, and how it is put back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tests.tools.happened import change_of, happened, resource, setting_of
from tools.directory import KnownResources
from tools.history import current, prior
from tools.models import ChangeEvent, Json, Metric, Resource, Value
from tools.parameters import validate
from tools.services.pipes import SERVICE, describe, discover, log_groups, relations
from tools.topology import around, owner

AT = "eu-west-1:111122223333"
PIPE = f"arn:aws:pipes:{AT}:pipe/orders-to-billing"
QUEUE = f"arn:aws:sqs:{AT}:orders"
STREAM = f"arn:aws:dynamodb:{AT}:table/orders/stream/2026-01-01T00:00:00.000"
MACHINE = f"arn:aws:states:{AT}:stateMachine:billing"
FUNCTION = f"arn:aws:lambda:{AT}:function:order-details"
GROUP = f"arn:aws:logs:{AT}:log-group:/pipes/orders"
ROLE = "arn:aws:iam::111122223333:role/orders-pipe"
PATTERN = '{"body": {"kind": ["order_placed"]}}'
FILTERS = "SourceParameters.FilterCriteria.Filters"
STREAM_PARAMETERS: Json = {
    "BatchSize": 100,
    "MaximumRetryAttempts": 3,
    "StartingPosition": "LATEST",
    "DeadLetterConfig": {"Arn": f"{QUEUE}-dead"},
}
WHOLE: Json = {
    "Arn": PIPE,
    "Name": "orders-to-billing",
    "DesiredState": "RUNNING",
    "CurrentState": "RUNNING",
    "Source": QUEUE,
    "SourceParameters": {
        "FilterCriteria": {"Filters": [{"Pattern": PATTERN}]},
        "SqsQueueParameters": {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 5},
    },
    "Enrichment": FUNCTION,
    "Target": f"{MACHINE}:live",
    "RoleArn": ROLE,
    "Tags": {"team": "shop"},
    "LogConfiguration": {"CloudwatchLogsLogDestination": {"LogGroupArn": f"{GROUP}:*"}, "Level": "ERROR"},
}
ANSWERS: dict[tuple[str, str], Answer] = {
    ("pipes", "ListPipes"): {
        "Pipes": [
            {key: WHOLE[key] for key in ("Arn", "Name", "DesiredState", "Source", "Enrichment", "Target")}
        ]
    },
    ("pipes", "DescribePipe"): WHOLE,
    ("lambda", "ListFunctions"): {"Functions": []},
    ("scheduler", "ListSchedules"): {"Schedules": []},
    ("stepfunctions", "ListStateMachines"): {"stateMachines": []},
    ("sqs", "GetQueueAttributes"): {"Attributes": {"QueueArn": QUEUE}},
}


def pipe(**config: Any) -> Resource:
    return resource(SERVICE, "pipe", PIPE, {"RoleArn": ROLE, **config})


def pairs(one: Resource) -> set[tuple[str, str, str]]:
    return {(item.source, item.kind, item.target) for item in relations(one, KnownResources([one]))}


def test_a_pipe_tells_its_whole_way() -> None:
    found = describe(FakeAws(ANSWERS).reader(), PIPE)
    assert found is not None
    assert found.tags == {"team": "shop"}
    assert log_groups(found) == ("/pipes/orders",)
    assert pairs(found) == {
        (QUEUE, "read by", PIPE),
        (PIPE, "enriches with", FUNCTION),
        (PIPE, "delivers to", MACHINE),
        (PIPE, "runs as", ROLE),
        (PIPE, "logs to", GROUP),
    }
    assert describe(FakeAws({}).reader(), PIPE) is None


def test_a_stream_means_its_table_and_its_failures_go_to_a_queue() -> None:
    found = pipe(Source=STREAM, SourceParameters={"DynamoDBStreamParameters": STREAM_PARAMETERS})
    assert (f"arn:aws:dynamodb:{AT}:table/orders", "read by", PIPE) in pairs(found)
    assert (PIPE, "sends failures to", f"{QUEUE}-dead") in pairs(found)


def test_a_filling_queue_finds_the_pipe_that_reads_it() -> None:
    found = around(FakeAws(ANSWERS).reader(), [QUEUE])
    told = {(one.source, one.kind, one.target) for one in found.relations}
    assert {(QUEUE, "read by", PIPE), (PIPE, "delivers to", MACHINE)} <= told


def test_pipes_are_listed_in_one_call_and_measured_by_name() -> None:
    aws = FakeAws(ANSWERS)
    assert [one.arn for one in discover(aws.reader(), "eu-west-1")] == [PIPE]
    assert aws.asked == [("pipes", "ListPipes")]
    named = (("PipeName", "orders-to-billing"),)
    metric = Metric(namespace="AWS/EventBridge/Pipes", name="ExecutionFailed", dimensions=named, stat="Sum")
    assert owner(FakeAws({}).reader(), metric, "eu-west-1") == PIPE


def event(operation: str, minutes: float = 0, **more: Any) -> ChangeEvent:
    return happened("pipes", operation, {"name": "orders-to-billing", **more}, {"arn": PIPE}, minutes=minutes)


def update(minutes: float = 0, **more: Any) -> ChangeEvent:
    return event("UpdatePipe", minutes, roleArn=ROLE, **more)


@pytest.mark.parametrize(
    ("earlier", "wanted"),
    [
        (event("StartPipe", -60), "RUNNING"),
        (event("CreatePipe", -60), "RUNNING"),
        (event("CreatePipe", -60, desiredState="STOPPED"), "STOPPED"),
        (update(-60, desiredState="RUNNING"), "RUNNING"),
    ],
)
def test_the_state_before_is_told_by_whoever_set_it(earlier: ChangeEvent, wanted: str) -> None:
    change = event("StopPipe")
    state = setting_of(SERVICE, "pipe", "DesiredState")
    found = prior(state, pipe(DesiredState="STOPPED"), change, [earlier, change], None)
    assert (found.known, found.value) == (True, wanted)


def test_an_update_that_leaves_the_state_out_keeps_it() -> None:
    state = setting_of(SERVICE, "pipe", "DesiredState")
    change = event("StopPipe")
    assert not prior(state, pipe(), change, [update(-60, target=MACHINE), change], None).known


def test_parameters_of_a_source_are_replaced_as_one() -> None:
    window = setting_of(SERVICE, "pipe", "SourceParameters.SqsQueueParameters.MaximumBatchingWindowInSeconds")
    earlier = update(-60, sourceParameters={"sqsQueueParameters": {"batchSize": 10}})
    untouched = update(-30, target=MACHINE)
    change = update(sourceParameters={"sqsQueueParameters": {"maximumBatchingWindowInSeconds": 300}})
    found = prior(window, pipe(), change, [earlier, untouched, change], None)
    assert (found.known, found.value) == (True, 0)


@pytest.mark.parametrize(
    ("path", "value", "sent"),
    [
        (
            "SqsQueueParameters.BatchSize",
            10,
            {"SqsQueueParameters": {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 5}},
        ),
        (
            "DynamoDBStreamParameters.MaximumRetryAttempts",
            -1,
            {
                "DynamoDBStreamParameters": {
                    "BatchSize": 100,
                    "MaximumRetryAttempts": -1,
                    "DeadLetterConfig": {"Arn": f"{QUEUE}-dead"},
                }
            },
        ),
        (
            "DynamoDBStreamParameters.DeadLetterConfig.Arn",
            "",
            {"DynamoDBStreamParameters": {"BatchSize": 100, "MaximumRetryAttempts": 3}},
        ),
        (
            "FilterCriteria.Filters",
            json.dumps([{"Pattern": "{}"}]),
            {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}},
        ),
        ("FilterCriteria.Filters", "", {"FilterCriteria": {}}),
    ],
)
def test_a_source_is_put_back_with_its_other_parameters(path: str, value: Value, sent: Json) -> None:
    at = pipe(
        SourceParameters={
            "SqsQueueParameters": {"BatchSize": 1, "MaximumBatchingWindowInSeconds": 5},
            "DynamoDBStreamParameters": STREAM_PARAMETERS,
        }
    )
    (call,) = setting_of(SERVICE, "pipe", f"SourceParameters.{path}").restore(at, value)
    assert (call.operation, call.parameters) == (
        "UpdatePipe",
        {"Name": "orders-to-billing", "RoleArn": ROLE, "SourceParameters": sent},
    )
    assert validate(call) == ()


def test_a_filter_that_cloudtrail_hides_tells_nothing() -> None:
    filter = setting_of(SERVICE, "pipe", FILTERS)
    hidden = {"filterCriteria": {"filters": [{"pattern": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}}
    change = update(sourceParameters={"filterCriteria": {}})
    for told in (hidden, "HIDDEN_DUE_TO_SECURITY_REASONS"):
        assert not prior(filter, pipe(), change, [update(-60, sourceParameters=told), change], None).known


def test_a_filter_that_cannot_be_read_is_not_sent() -> None:
    filter = setting_of(SERVICE, "pipe", FILTERS)
    for value in ("(not shown by CloudTrail)", "[]x", '[{"pattern": ""}]', '{"a": 1}'):
        assert filter.restore(pipe(), value) == ()


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
def test_a_recorded_filter_is_what_the_pipe_then_shows(patterns: list[str]) -> None:
    if any(set(one) == {"*"} and len(one) > 2 for one in patterns):
        return
    filter = setting_of(SERVICE, "pipe", FILTERS)
    told = update(
        -60, sourceParameters={"filterCriteria": {"filters": [{"pattern": one} for one in patterns]}}
    )
    change = update(sourceParameters={"filterCriteria": {}})
    shown = pipe(SourceParameters={"FilterCriteria": {"Filters": [{"Pattern": one} for one in patterns]}})
    found = prior(filter, pipe(), change, [told, change], None)
    assert found.value == current(shown, filter)
    (call,) = filter.restore(pipe(), found.value)
    assert call.parameters["SourceParameters"] == shown.config["SourceParameters"]


def test_target_and_role_are_put_back() -> None:
    (call,) = setting_of(SERVICE, "pipe", "Target").restore(pipe(), MACHINE)
    assert call.parameters == {"Name": "orders-to-billing", "Target": MACHINE, "RoleArn": ROLE}
    (call,) = setting_of(SERVICE, "pipe", "RoleArn").restore(pipe(), f"{ROLE}-old")
    assert call.parameters == {"Name": "orders-to-billing", "RoleArn": f"{ROLE}-old"}
    assert setting_of(SERVICE, "pipe", "Target").restore(resource(SERVICE, "pipe", PIPE, {}), MACHINE) == ()


def test_a_deleted_pipe_comes_back_only_as_it_was_made() -> None:
    way = change_of(SERVICE, "DeletePipe").undo
    assert way is not None
    made = event("CreatePipe", -60, roleArn=ROLE, source=QUEUE, target=MACHINE, desiredState="RUNNING")
    (call,) = way(event("DeletePipe"), (event("StopPipe", -30), made))
    assert call.parameters == {
        "Name": "orders-to-billing",
        "RoleArn": ROLE,
        "Source": QUEUE,
        "Target": MACHINE,
        "DesiredState": "STOPPED",
    }
    assert way(event("DeletePipe"), (update(-30, target=f"{MACHINE}-x"), made)) == ()
    assert way(event("DeletePipe"), ()) == ()


@pytest.mark.parametrize(("state", "wanted"), [("START_FAILED", True), ("RUNNING", False), ("", False)])
def test_a_pipe_that_could_not_be_started_says_so(state: str, wanted: bool) -> None:
    condition = next(one for one in SERVICE.conditions if one.key == "pipe-failed")
    assert condition.shown is not None
    assert condition.shown(pipe(CurrentState=state)) == wanted
