"""State machines in worlds: definitions, executions, what is hidden and where it can still be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, asl, load_case
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput, NotThere
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: A state machine
people: {operator: {way: user-console, name: "{person_1}"}}
resources:
  rule: {kind: rule, name: placed, settings: {EventPattern: {source: [shop]}}, calls: machine}
  machine:
    kind: state-machine
    name: fulfil
    with: {input: {detail: {total: 3}}}
    settings:
      definition:
        StartAt: First
        States:
          First: {Type: Pass, Parameters: {"total.$": "$.detail.total"}, Next: Work}
          Work: {Type: Task, Resource: work, ResultPath: "$.done", Next: Last}
          Last: {Type: Pass, End: true}
    calls: work
  work: {kind: function, name: work}
traffic: {per_second: 1, duration_ms: 400}
alarms:
  alarm:
    name: failing
    "on": machine
    namespace: AWS/States
    metric: ExecutionsFailed
    dimensions: {StateMachineArn: "{{arn}}"}
    stat: Sum
    threshold: 0
    missing: notBreaching
look: {after: moment, minutes: 20}
switches: {noise: 0}
"""


def definition(**states: Json) -> Json:
    """The case's definition with other states."""
    held: Json = yaml.safe_load(CASE)["resources"]["machine"]["settings"]["definition"]
    return held | {"States": held["States"] | states}


def world(tmp_path: Path, to: Any, path: str = "definition") -> World:
    case = yaml.safe_load(CASE)
    event = {"id": "change", "at": "0s", "who": "operator", "set": "machine", "path": path, "to": to}
    case["events"] = [event | {"known_as": "made"}]
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, 2)


def sums(made: World, namespace: str, name: str, **held: str) -> list[float]:
    """Totals in the quarter of an hour before the moment, and in the one after it."""
    first = int(made.flows["case"].demand.anchor) // 60
    source = made.telemetry.find(namespace, name, tuple(held.items()))
    assert source is not None, name
    spans = (range(first - 15, first), range(first + 1, first + 16))
    return [sum(one.total for minute in span if (one := source.emit(minute)) is not None) for span in spans]


def runs(made: World, name: str) -> list[float]:
    return sums(made, "AWS/States", name, StateMachineArn=made.facts["machine.arn"])


def ask(made: World, operation: str, /, **given: Any) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask("stepfunctions", operation, made.region, given)


MISSING = {"Type": "Pass", "Parameters": {"total.$": "$.detail.amount"}, "Next": "Work"}


def test_a_state_before_the_task_fails_and_the_function_never_runs(tmp_path: Path) -> None:
    made = world(tmp_path, definition(First=MISSING))
    started, failed, good = (runs(made, f"Executions{name}") for name in ("Started", "Failed", "Succeeded"))
    assert started[1] > 500
    assert failed == [0, started[1]]
    assert good == [started[0], 0]
    assert sums(made, "AWS/Lambda", "Invocations", FunctionName="work") == [started[0], 0]
    assert made.alarms["failing"].state(made.start).value == "ALARM"


def test_what_fails_within_or_after_the_task_is_refused(tmp_path: Path) -> None:
    late = {"Type": "Pass", "InputPath": "$.nothing", "End": True}
    with pytest.raises(BadInput, match="after the task"):
        world(tmp_path, definition(Last=late))
    with pytest.raises(BadInput, match="time out within"):
        world(tmp_path, definition() | {"TimeoutSeconds": 0.2})


def test_cloudtrail_hides_the_definition_and_an_old_run_keeps_it(tmp_path: Path) -> None:
    made = world(tmp_path, definition(First=MISSING))
    body = made.trail.by_id[made.facts["change.event_id"]].body
    arn = made.facts["machine.arn"]
    assert body["requestParameters"] == {
        "stateMachineArn": arn,
        "definition": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    now = json.loads(ask(made, "DescribeStateMachine", stateMachineArn=arn)["definition"])
    assert now["States"]["First"] == MISSING
    assert now["States"]["Work"]["Resource"] == made.facts["work.arn"]
    failed = ask(made, "ListExecutions", stateMachineArn=arn, statusFilter="FAILED", maxResults=3)[
        "executions"
    ]
    old = ask(made, "ListExecutions", stateMachineArn=arn, statusFilter="SUCCEEDED", maxResults=3)[
        "executions"
    ]
    assert len(failed) == len(old) == 3
    assert failed[0]["startDate"] > failed[1]["startDate"] > old[0]["startDate"]
    shown = ask(made, "DescribeStateMachineForExecution", executionArn=old[0]["executionArn"])
    assert shown["definition"] == made.facts["made.before"]
    assert shown["updateDate"] < old[0]["startDate"]
    shown = ask(made, "DescribeStateMachineForExecution", executionArn=failed[0]["executionArn"])
    assert shown["definition"] == made.facts["made.after"]
    assert (
        shown["revisionId"]
        != ask(made, "DescribeStateMachineForExecution", executionArn=old[0]["executionArn"])["revisionId"]
    )


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    made = world(tmp_path, definition(First=MISSING))
    arn = made.facts["machine.arn"]
    one = ask(made, "ListExecutions", stateMachineArn=arn, statusFilter="FAILED", maxResults=1)["executions"][
        0
    ]
    asked = {"executionArn": one["executionArn"], "includeExecutionData": False}
    events = ask(made, "GetExecutionHistory", **asked)["events"]
    assert [event["type"] for event in events] == ["ExecutionStarted", "PassStateEntered", "ExecutionFailed"]
    assert [event["id"] for event in events] == [1, 2, 3]
    assert "input" not in events[0]["executionStartedEventDetails"]
    last = ask(made, "GetExecutionHistory", **asked, reverseOrder=True, maxResults=1)["events"][0]
    details = last["executionFailedEventDetails"]
    assert details["error"] == "States.Runtime"
    assert (
        "The JSONPath '$.detail.amount' specified for the field 'total.$' could not be found"
        in details["cause"]
    )
    shown = ask(made, "DescribeExecution", executionArn=one["executionArn"], includedData="METADATA_ONLY")
    assert (shown["status"], shown.keys() & {"input", "output", "cause"}) == ("FAILED", set())
    with pytest.raises(NotThere):
        ask(
            made,
            "DescribeExecution",
            executionArn=one["executionArn"][:-4] + "0000",
            includedData="METADATA_ONLY",
        )


def test_lists_page_through_all_runs_once(tmp_path: Path) -> None:
    made = world(tmp_path, definition(First=MISSING))
    asked: Json = {"stateMachineArn": made.facts["machine.arn"], "statusFilter": "FAILED", "maxResults": 300}
    names: list[str] = []
    for _ in range(10):
        page = ask(made, "ListExecutions", **asked)
        names += [one["name"] for one in page["executions"]]
        if "nextToken" not in page or len(names) > 900:
            break
        asked["nextToken"] = page["nextToken"]
    assert len(names) == len(set(names)) > 900


def test_what_a_machine_answers(tmp_path: Path) -> None:
    made = world(tmp_path, True, "tracingConfiguration.enabled")
    assert "onset" not in made.facts
    arn = made.facts["machine.arn"]
    shown = ask(made, "DescribeStateMachine", stateMachineArn=arn)
    assert (shown["status"], shown["tracingConfiguration"]) == ("ACTIVE", {"enabled": True})
    assert arn in {one["stateMachineArn"] for one in ask(made, "ListStateMachines")["stateMachines"]}
    assert ask(made, "ListStateMachineVersions", stateMachineArn=arn)["stateMachineVersions"] == []
    with pytest.raises(NotThere):
        ask(made, "DescribeStateMachine", stateMachineArn=arn + "x")


@given(st.sampled_from(("a", "b", "c")), st.sampled_from(("a", "b", "c")))
def test_a_path_is_found_where_the_input_has_it(held: str, wanted: str) -> None:
    text = json.dumps(
        {"StartAt": "S", "States": {"S": {"Type": "Pass", "InputPath": f"$.x.{wanted}", "End": True}}}
    )
    last = list(asl.steps(text, {"x": {held: 1}}))[-1]
    assert bool(last.error) == (held != wanted)


def test_results_go_where_the_state_says(tmp_path: Path) -> None:
    def ends(first: Json) -> bool:
        last = {"Type": "Pass", "Parameters": {"a.$": "$.kept", "b.$": "$.new.ok"}, "End": True}
        states = {"A": {"Type": "Task", "Resource": "f", "Next": "B"} | first, "B": last}
        return not list(asl.steps(json.dumps({"StartAt": "A", "States": states}), {"kept": 1}))[-1].error

    assert [ends(one) for one in ({"ResultPath": "$.new"}, {}, {"ResultPath": None})] == [True, False, False]
    with pytest.raises(BadInput, match="not modelled"):
        list(asl.steps(json.dumps({"StartAt": "A", "States": {"A": {"Type": "Map", "End": True}}}), {}))
