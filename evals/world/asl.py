"""Definitions of state machines, as far as worlds follow them (Amazon States Language; Step Functions developer guide).

A run goes from `StartAt` along `Next`. What it needs of its input must be there: InputPath, and every reference path of
Parameters, or the run fails with States.Runtime. Of Choice the branch that an untroubled run takes is its Default.
Other types of states and intrinsic functions are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tools.errors import BadInput
from tools.models import Json

_TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail")


class Step(NamedTuple):
    """One state that a run enters. `error` and `cause` are empty when it went well."""

    name: str
    state: Json
    given: Json  # its input
    error: str = ""
    cause: str = ""


def steps(definition: str, given: Json) -> Iterator[Step]:
    """The states that a run passes, in order; the last one may have failed. Raises BadInput."""
    machine = json.loads(definition)
    name, states = str(machine.get("StartAt", "")), machine.get("States", {})
    data, number = dict(given), 2
    for _ in range(len(states)):
        if name not in states:
            raise BadInput(f'the definition has no state "{name}"')
        state = states[name]
        if state.get("Type") not in _TYPES:
            raise BadInput(f"states of type {state.get('Type')} are not modelled")
        step = _entered(name, state, data, number)
        yield step
        if step.error or state.get("End") or state["Type"] == "Succeed":
            return
        data = _left(name, state, data)
        name = str(state.get("Default" if state["Type"] == "Choice" else "Next", ""))
        number += 5 if state["Type"] == "Task" else 2
    raise BadInput("the definition never ends")


def _entered(name: str, state: Json, data: Json, number: int) -> Step:
    if state["Type"] == "Fail":
        return Step(name, state, data, str(state.get("Error", "")), str(state.get("Cause", "")))
    wanted = [("InputPath", state["InputPath"])] if state.get("InputPath") else []
    wanted += _paths(state.get("Parameters", {}))
    for where, path in wanted:
        if not _found(path, data):
            text = json.dumps(data, separators=(",", ":"))
            cause = (
                f"An error occurred while executing the state '{name}' (entered at the event id #{number}). The "
                f"JSONPath '{path}' specified for the field '{where}' could not be found in the input '{text}'"
            )
            return Step(name, state, data, "States.Runtime", cause)
    return Step(name, state, data)


def _paths(parameters: Json) -> list[tuple[str, str]]:
    """(field, reference path) of everything that is taken from the input."""
    found = []
    for key, value in parameters.items():
        if key.endswith(".$"):
            if str(value).startswith("States."):
                raise BadInput(f"intrinsic functions are not modelled: {value}")
            if not str(value).startswith("$$"):
                found.append((key, str(value)))
        elif isinstance(value, dict):
            found += _paths(value)
    return found


def _found(path: str, data: Any) -> bool:
    for part in path.removeprefix("$").strip(".").split("."):
        if not part:
            continue
        if not isinstance(data, dict) or part not in data:
            return False
        data = data[part]
    return True


def _left(name: str, state: Json, data: Json) -> Json:
    """The output: the result replaces the input, or is put into it at ResultPath, or is thrown away."""
    if state["Type"] not in ("Task", "Pass"):
        return data
    result = state.get("Result", {"ok": True} if state["Type"] == "Task" else data)
    path = state.get("ResultPath", "$")
    if path is None:
        return data
    if path == "$":
        return dict(result) if isinstance(result, dict) else {"value": result}
    return {**data, str(path).removeprefix("$.").split(".")[0]: result}


def timeout(definition: str) -> float | None:
    """Seconds after which a run of the whole machine is ended."""
    held = json.loads(definition).get("TimeoutSeconds")
    return None if held is None else float(held)


def waits(definition: str, given: Json) -> int:
    """Seconds that a run spends in Wait states."""
    return sum(
        int(one.state.get("Seconds", 0)) for one in steps(definition, given) if one.state["Type"] == "Wait"
    )


def filled(value: Any, name: Callable[[str], str]) -> Any:
    """The definition with its `Resource` members named."""
    if isinstance(value, dict):
        return {key: name(item) if key == "Resource" else filled(item, name) for key, item in value.items()}
    return value
