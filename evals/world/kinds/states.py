"""Step Functions state machines.

Physics, from the developer guide: an execution keeps the definition with which it began, so that a change is felt by
new ones only, after some seconds; it fails at the state that fails, and where that comes before the task, the task's
function is never invoked (other failures of a definition are refused). A task calls its function with the machine's
role; what the role no longer allows fails the task with Lambda.AccessDeniedException, and the function is not invoked
either. Nothing is logged by default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from evals.world import asl
from evals.world.deeds_states import change, create, tag
from evals.world.flow import Flow, Load, Minute
from evals.world.grants import Grants
from evals.world.kinds._kind import Kind, Wish
from evals.world.metrics import Emit, count, source, took
from evals.world.stage import Stage
from evals.world.telemetry import Source
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

SERVICE = "states.amazonaws.com"
BEFORE = "state failed"
DENIED = "task not allowed"


class MachineStage(Stage):
    """One execution per request."""

    reasons = (BEFORE, DENIED)
    physical = ("definition",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self._known: dict[str, tuple[asl.Step, ...]] = {}
        self.grants = Grants(world, thing, world.seed.integer(f"iam:{thing.arn}", 6, 40))

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        yield self.grants.role

    @property
    def extra(self) -> int:
        """Milliseconds that an execution takes besides its task: transitions and waits."""
        text = str(self.thing.at("definition", self.thing.created))
        return 60 + 1000 * asl.waits(text, self.thing.fixed["input"])

    def definition(self, second: float) -> str:
        """The definition of executions that begin at an epoch second."""
        return str(self.at("definition", second - self.thing.fixed["lag"]))

    def steps(self, second: float) -> tuple[asl.Step, ...]:
        """The states of executions that begin at an epoch second."""
        text = self.definition(second)
        if text not in self._known:
            self._known[text] = tuple(asl.steps(text, self.thing.fixed["input"]))
        return self._known[text]

    def fails(self, second: float) -> bool:
        """Whether executions fail by their definition before their task runs. Raises BadInput where it is later."""
        found = self.steps(second)
        limit = asl.timeout(self.definition(second))
        ran = any(one.state["Type"] == "Task" and not one.error for one in found)
        if limit is not None and 1000 * limit < 3.3 * self.flow.base_ms + self.extra:
            raise BadInput(f"{self.thing.name}: executions that time out within their task are not modelled")
        if found[-1].error and ran:
            raise BadInput(f"{self.thing.name}: states that fail after the task are not modelled")
        return bool(found[-1].error)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if not load.calm and self.fails(load.second):
            load.end(self.index, BEFORE, arrived, 40)
        elif not load.calm and self.grants.denied(load.second) is not None:
            load.end(self.index, DENIED, arrived, 90)
        self.close(load, arrived)


def _make(shop: Workshop, wish: Wish) -> Thing:
    seed = shop.world.seed
    role = shop.role(
        f"StepFunctions-{wish.name}-role-{seed.hex(f'machine:{wish.name}', 9)}", wish.created, SERVICE
    )
    fixed: dict[str, Any] = {
        "role": role.arn,
        "lag": seed.integer(f"lag:{wish.name}", 2, 9),
        "input": dict(wish.options.get("input") or {"id": "1"}),
        "draft": wish.settings.get("definition"),
        "functions": {},
        "needs": [],
    }
    thing = shop.add(shop.world.arn("states", f"stateMachine:{wish.name}"), wish, fixed)
    shop.world.relate(thing.arn, "runs as", role.arn)
    others = {path: value for path, value in wish.settings.items() if path != "definition"}
    return shop.settle(
        thing, replace(wish, settings=others), {"roleArn": role.arn, "tracingConfiguration.enabled": False}
    )


def _link(shop: Workshop, machine: Thing, function: Thing) -> None:
    """Let the machine invoke a function, which its definition names by the case's id."""
    if function.kind != "function":
        raise BadInput(f"a state machine cannot call a {function.kind}")
    key = next((one for one, thing in shop.made.items() if thing is function), function.name)
    machine.fixed["functions"][key] = function.arn
    shop.allow(machine, "invoke", ["lambda:InvokeFunction"], function)
    machine.fixed["needs"].append(("lambda:InvokeFunction", function.arn))
    shop.world.relate(machine.arn, "invokes", function.arn)
    draft = machine.fixed["draft"] or {
        "StartAt": "Run",
        "States": {"Run": {"Type": "Task", "Resource": key, "End": True}},
    }
    machine.settings.set("definition", machine.created, _kept(shop.world, machine, "definition", draft))


def _kept(world: World, machine: Thing, path: str, value: Any) -> Any:
    if path != "definition" or not isinstance(value, dict):
        return value
    functions = machine.fixed["functions"]
    return json.dumps(asl.filled(value, lambda name: str(functions.get(name, name))), indent=2)


def _metrics(machine: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/States by StateMachineArn."""
    if flow is None:
        return
    index, held = flow.stage(machine.arn), {"StateMachineArn": machine.arn}

    def started(row: Minute) -> int:
        return row.passages[index].arrived

    def failed(row: Minute) -> int:
        return row.ended(since=index)

    def good(row: Minute) -> int:
        return row.alive

    def nothing(row: Minute) -> int:
        return 0

    def made(name: str, emit: Emit, unit: str = "Count") -> Source:
        return source(machine, "AWS/States", name, held, unit, emit)

    values = {
        "ExecutionsStarted": started,
        "ExecutionsSucceeded": good,
        "ExecutionsFailed": failed,
        "ExecutionsTimedOut": nothing,
        "ExecutionsAborted": nothing,
        "ExecutionThrottled": nothing,
    }
    for name, value in values.items():
        yield made(name, count(flow, value, of=started))
    stage = flow.stages[index]
    assert isinstance(stage, MachineStage)
    yield made("ExecutionTime", took(flow, index, 47, float(stage.extra)), "Milliseconds")


KINDS = (
    Kind(
        name="state-machine",
        options={"input": "what each execution gets, as a map"},
        settings={
            "definition": "in Amazon States Language, as a map; a Resource may be the id of a function it calls",
            "roleArn": "ARN of its role",
            "tracingConfiguration.enabled": "true or false",
        },
        innocent=(("tracingConfiguration.enabled", True),),
        make=_make,
        link=_link,
        stage=MachineStage,
        metrics=_metrics,
        change=change,
        create=create,
        tag=tag,
        dimensions=lambda machine: {"arn": machine.arn},
        kept=_kept,
    ),
)
