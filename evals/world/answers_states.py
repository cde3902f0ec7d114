"""Step Functions' reads of state machines and executions."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice

from evals.world import executions
from evals.world.asking import Ask, Refusal, handles
from evals.world.deeds_states import revision
from evals.world.executions import Execution
from evals.world.kinds.states import MachineStage
from evals.world.world import Thing
from tools.models import Json

_QUIET = {"level": "OFF", "includeExecutionData": False}


def _machine(ask: Ask, arn: str) -> Thing:
    found = ask.world.things.get(arn)
    if (
        found is None
        or found.kind != "state-machine"
        or found.region != ask.region
        or found.created > ask.as_of
    ):
        raise Refusal("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    return found


def _updated(machine: Thing, moment: datetime) -> datetime:
    found = [
        since
        for path, steps in machine.settings.steps.items()
        if not path.startswith("tags.")
        for since in steps.since
        if since <= moment
    ]
    return max(found, default=machine.created)


def _common(ask: Ask, machine: Thing, moment: datetime) -> Json:
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "definition": str(machine.at("definition", moment)),
        "roleArn": machine.at("roleArn", moment),
        "loggingConfiguration": dict(_QUIET),
        "tracingConfiguration": {"enabled": bool(machine.at("tracingConfiguration.enabled", moment))},
        "revisionId": revision(ask.world, machine, moment),
    }


@handles("stepfunctions", "ListStateMachines")
def list_state_machines(ask: Ask) -> Json:
    size, token = int(ask.take("maxResults") or 100), ask.take("nextToken")
    found = [
        {"stateMachineArn": one.arn, "name": one.name, "type": "STANDARD", "creationDate": one.created}
        for one in ask.world.of("state-machine", ask.region)
        if one.created <= ask.as_of
    ]
    page, following = ask.page(found, size, token)
    return {"stateMachines": page} | ({"nextToken": following} if following else {})


@handles("stepfunctions", "DescribeStateMachine")
def describe_state_machine(ask: Ask) -> Json:
    ask.only("includedData", "ALL_DATA")
    machine = _machine(ask, str(ask.need("stateMachineArn")))
    held = {"status": "ACTIVE", "type": "STANDARD", "creationDate": machine.created}
    return _common(ask, machine, ask.as_of) | held


@handles("stepfunctions", "ListStateMachineVersions")
def list_state_machine_versions(ask: Ask) -> Json:
    for name in ("maxResults", "nextToken"):
        ask.take(name)
    _machine(ask, str(ask.need("stateMachineArn")))
    return {"stateMachineVersions": []}


@handles("stepfunctions", "ListStateMachineAliases")
def list_state_machine_aliases(ask: Ask) -> Json:
    for name in ("maxResults", "nextToken"):
        ask.take(name)
    _machine(ask, str(ask.need("stateMachineArn")))
    return {"stateMachineAliases": []}


@handles("stepfunctions", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    tags = _machine(ask, str(ask.need("resourceArn"))).tags(ask.as_of)
    return {"tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]}


def _arn(machine: Thing, one: Execution) -> str:
    return f"{machine.arn.replace(':stateMachine:', ':execution:')}:{one.name}"


@handles("stepfunctions", "ListExecutions")
def list_executions(ask: Ask) -> Json:
    machine = _machine(ask, str(ask.need("stateMachineArn")))
    wanted, size = ask.take("statusFilter"), int(ask.take("maxResults") or 100)
    token = ask.take("nextToken")
    start = 0 if token is None else ask.position(token)
    stage = executions.stage_of(ask.world, machine)
    every = executions.newest(stage, ask.as_of) if stage is not None else iter(())
    found = list(
        islice(
            (one for one in every if wanted in (None, executions.status(one, ask.as_of))),
            start,
            start + size + 1,
        )
    )
    answer: Json = {"executions": [_listed(ask, machine, one) for one in found[:size]]}
    return answer | ({"nextToken": ask.token(start + size)} if len(found) > size else {})


def _listed(ask: Ask, machine: Thing, one: Execution) -> Json:
    shown = {
        "executionArn": _arn(machine, one),
        "stateMachineArn": machine.arn,
        "name": one.name,
        "status": executions.status(one, ask.as_of),
        "startDate": one.began,
    }
    return shown | ({"stopDate": one.ended} if one.ended <= ask.as_of else {})


def _execution(ask: Ask) -> tuple[MachineStage, Execution]:
    arn = str(ask.need("executionArn"))
    parts = arn.replace(":execution:", ":stateMachine:").rsplit(":", 1)
    machine = ask.world.things.get(parts[0])
    stage = executions.stage_of(ask.world, machine) if machine is not None else None
    found = executions.named(stage, parts[-1], ask.as_of) if stage is not None else None
    if stage is None or found is None or found.began > ask.as_of:
        raise Refusal("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    return stage, found


@handles("stepfunctions", "DescribeExecution")
def describe_execution(ask: Ask) -> Json:
    whole = ask.only("includedData", "ALL_DATA", "METADATA_ONLY") != "METADATA_ONLY"
    stage, one = _execution(ask)
    shown = _listed(ask, stage.thing, one) | {"redriveCount": 0}
    if not whole:  # what may hold data is left out: input, output, error and cause
        return shown
    shown |= {
        "input": json.dumps(stage.thing.fixed["input"], separators=(",", ":")),
        "inputDetails": {"included": True},
    }
    if shown["status"] == "SUCCEEDED":
        shown |= {"output": '{"ok":true}', "outputDetails": {"included": True}}
    elif shown["status"] != "RUNNING":
        shown["error"], shown["cause"] = executions.failure(stage, one)
    return shown


@handles("stepfunctions", "DescribeStateMachineForExecution")
def describe_state_machine_for_execution(ask: Ask) -> Json:
    ask.only("includedData", "ALL_DATA")
    stage, one = _execution(ask)
    began = datetime.fromtimestamp(one.began.timestamp() - stage.thing.fixed["lag"], one.began.tzinfo)
    return _common(ask, stage.thing, began) | {"updateDate": _updated(stage.thing, began)}


@handles("stepfunctions", "GetExecutionHistory")
def get_execution_history(ask: Ask) -> Json:
    size, token = int(ask.take("maxResults") or 100), ask.take("nextToken")
    backwards, with_data = bool(ask.take("reverseOrder")), ask.take("includeExecutionData")
    stage, one = _execution(ask)
    events = executions.history(stage, one, ask.as_of)
    if with_data is False:
        for event in events:
            for name, value in event.items():
                if isinstance(value, dict):
                    event[name] = {key: item for key, item in value.items() if key not in ("input", "output")}
    page, following = ask.page(events[::-1] if backwards else events, size, token)
    return {"events": page} | ({"nextToken": following} if following else {})
