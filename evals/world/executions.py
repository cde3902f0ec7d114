"""Single executions of a state machine, read off the rows of its flow: when, how they ended, what their history says.

The name of an execution holds its minute and number, so that it is found again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from evals.world.flow import OWN
from evals.world.invocations import Request, by_slice
from evals.world.kinds.states import BEFORE, DENIED, MachineStage
from evals.world.seed import Seed, mix, uuid
from evals.world.world import Thing, World
from tools.models import Json

KEPT = timedelta(days=90)
_MINUTES = 4 * 1440  # how far back a list is looked through
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STATES = {
    "Task": ("TaskStateEntered", "TaskStateExited"),
    "Pass": ("PassStateEntered", "PassStateExited"),
    "Choice": ("ChoiceStateEntered", "ChoiceStateExited"),
    "Wait": ("WaitStateEntered", "WaitStateExited"),
    "Succeed": ("SucceedStateEntered", "SucceedStateExited"),
    "Fail": ("FailStateEntered", ""),
}


class Execution(NamedTuple):
    """One execution."""

    name: str
    began: datetime
    ended: datetime
    reason: str  # as in the flow; "" when it succeeded


def stage_of(world: World, machine: Thing) -> MachineStage | None:
    """The stage at which requests of some flow pass a machine."""
    for flow in world.flows.values():
        for stage in flow.stages:
            if stage.thing is machine and isinstance(stage, MachineStage):
                return stage
    return None


def newest(stage: MachineStage, as_of: datetime) -> Iterator[Execution]:
    """Executions that had begun at a moment, newest first."""
    last = int(as_of.timestamp()) // 60
    for minute in range(last, last - _MINUTES, -1):
        found = [
            _made(stage, minute, one) for part in by_slice(stage.flow, stage.index, minute) for one in part
        ]
        yield from (one for one in reversed(found) if one.began <= as_of)


def _salt(stage: MachineStage) -> int:
    return mix(stage.flow.demand.salt, sum(map(ord, stage.thing.arn)))


def _made(stage: MachineStage, minute: int, one: Request) -> Execution:
    salt = _salt(stage)
    head = ((minute ^ salt) & 0xFFFFFFFF) << 96 | ((one.number ^ salt >> 32) & 0xFFFF) << 80
    began = datetime.fromtimestamp(one.stamp / 1000, UTC)
    name = uuid(head | mix(salt, minute, one.number))
    return Execution(name, began, began + timedelta(milliseconds=one.duration), one.reason)


def named(stage: MachineStage, name: str, as_of: datetime) -> Execution | None:
    """An execution by its name, or None when there is none."""
    digits = name.replace("-", "")
    try:
        minute = (int(digits[:8], 16) ^ _salt(stage)) & 0xFFFFFFFF
    except ValueError:
        return None
    if not timedelta(0) <= as_of - datetime.fromtimestamp(minute * 60, UTC) <= KEPT:
        return None
    found = (_made(stage, minute, one) for part in by_slice(stage.flow, stage.index, minute) for one in part)
    return next((one for one in found if one.name == name), None)


def status(one: Execution, as_of: datetime) -> str:
    if one.ended > as_of:
        return "RUNNING"
    return "FAILED" if one.reason else "SUCCEEDED"


def failure(stage: MachineStage, one: Execution) -> tuple[str, str]:
    """(error, cause) of an execution that failed."""
    if one.reason == BEFORE:
        last = stage.steps(one.began.timestamp())[-1]
        return last.error, last.cause
    if one.reason == DENIED:
        return "Lambda.AccessDeniedException", _refusal(stage, one)
    if one.reason == "timeout":
        return "Sandbox.Timedout", '{"errorType":"Sandbox.Timedout","errorMessage":"Error: Task timed out"}'
    said = "ValueError: order is not complete" if one.reason == OWN else _text(stage, one.reason)
    kind, _, message = said.partition(": ")
    return kind.split(".")[-1], json.dumps({"errorMessage": message or said, "errorType": kind})


def _refusal(stage: MachineStage, one: Execution) -> str:
    """What Lambda answers to Step Functions, whose sessions are named by 32 letters."""
    letters = Seed(stage.world.seed.number).letters(f"session:{one.name}", 32, _LETTERS)
    said = stage.grants.refusal(one.began.timestamp(), letters)
    number = uuid(mix(_salt(stage), sum(map(ord, one.name)), 5) << 64 | mix(_salt(stage), len(said), 6))
    what = "Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException"
    return f"{said} ({what}; Request ID: {number}; Proxy: null)"


def _text(stage: MachineStage, reason: str) -> str:
    teller = next((one for one in stage.flow.stages[stage.index + 1 :] if reason in one.reasons), stage)
    return teller.text(reason)


def history(stage: MachineStage, one: Execution, as_of: datetime) -> list[Json]:
    """The events of an execution, oldest first, as GetExecutionHistory shows them."""
    given = json.dumps(stage.thing.fixed["input"], separators=(",", ":"))
    started = {"input": given, "inputDetails": {"truncated": False}, "roleArn": stage.thing.fixed["role"]}
    found: list[Json] = [{"type": "ExecutionStarted", "executionStartedEventDetails": started}]
    error, cause = failure(stage, one) if one.reason else ("", "")
    for step in stage.steps(one.began.timestamp()):
        entered, exited = _STATES[str(step.state["Type"])]
        data = json.dumps(step.given, separators=(",", ":"))
        details = {"name": step.name, "input": data, "inputDetails": {"truncated": False}}
        found.append({"type": entered, "stateEnteredEventDetails": details})
        if step.error:
            break
        if step.state["Type"] == "Task":
            found += _task(step.state, data, one, error, cause)
            if one.reason:
                break
        if exited:
            found.append({"type": exited, "stateExitedEventDetails": {"name": step.name, "output": data}})
    found.append(_end(one, error, cause))
    span = (one.ended - one.began) / max(1, len(found) - 1)
    events = [
        {"timestamp": one.began + span * place, "id": place + 1, "previousEventId": place, **event}
        for place, event in enumerate(found)
    ]
    return [event for event in events if event["timestamp"] <= as_of]


def _task(state: Json, data: str, one: Execution, error: str, cause: str) -> list[Json]:
    scheduled = {"resource": str(state["Resource"]), "input": data, "inputDetails": {"truncated": False}}
    found: list[Json] = [
        {"type": "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails": scheduled},
        {"type": "LambdaFunctionStarted"},
    ]
    if one.reason:
        failed = {"error": error, "cause": cause}
        return [*found, {"type": "LambdaFunctionFailed", "lambdaFunctionFailedEventDetails": failed}]
    done = {"output": '{"ok":true}', "outputDetails": {"truncated": False}}
    return [*found, {"type": "LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails": done}]


def _end(one: Execution, error: str, cause: str) -> Json:
    if not one.reason:
        done = {"output": '{"ok":true}', "outputDetails": {"truncated": False}}
        return {"type": "ExecutionSucceeded", "executionSucceededEventDetails": done}
    return {"type": "ExecutionFailed", "executionFailedEventDetails": {"error": error, "cause": cause}}
