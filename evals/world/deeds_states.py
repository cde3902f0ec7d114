"""How CloudTrail records what is done to state machines: the definition is hidden."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def short_stamp(moment: datetime) -> str:
    """A time as it stands in the answers of Step Functions: "May 23, 2021 10:44:14 AM"."""
    return f"{moment:%b} {moment.day}, {moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"


def revision(world: World, thing: Thing, moment: datetime) -> str:
    """The revision that is in force at a moment: a new one with each change of the definition."""
    steps = thing.settings.steps["definition"]
    return world.seed.uuid(f"revision:{thing.arn}:{sum(since <= moment for since in steps.since)}")


def change(world: World, act: Act) -> Deed:
    """The call that set a setting of a state machine."""
    thing, request = act.thing, {"stateMachineArn": act.thing.arn}
    for path, value in {act.path: act.after, **act.others}.items():
        request |= _member(path, value)
    shown = {"updateDate": short_stamp(act.moment), "revisionId": revision(world, thing, act.moment)}
    return _deed(thing, "UpdateStateMachine", request, shown)


def _member(path: str, value: object) -> Json:
    if path == "definition":
        return {"definition": HIDDEN}
    if path == "roleArn":
        return {"roleArn": value}
    if path == "tracingConfiguration.enabled":
        return {"tracingConfiguration": {"enabled": value}}
    raise ValueError(f"{path} of a state machine is not modelled")


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """The call that made a state machine."""
    request = {
        "name": thing.name,
        "definition": HIDDEN,
        "roleArn": thing.at("roleArn", moment),
        "type": "STANDARD",
    }
    shown = {"stateMachineArn": thing.arn, "creationDate": short_stamp(moment)}
    return _deed(thing, "CreateStateMachine", request, shown)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return _deed(thing, "TagResource", {"resourceArn": thing.arn, "tags": pairs}, None)


def _deed(thing: Thing, name: str, request: Json, response: Json | None) -> Deed:
    return Deed(
        source="states",
        name=name,
        request=request,
        response=response,
        concerns=(("AWS::StepFunctions::StateMachine", thing.arn),),
    )
