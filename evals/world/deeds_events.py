"""How CloudTrail records what is done to EventBridge rules: most answers are empty."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_MEMBERS = ("ScheduleExpression", "EventPattern", "State", "Description")


def change(world: World, act: Act) -> Deed:
    """The call that set a setting of a rule."""
    thing, path = act.thing, act.path
    if path.startswith("Targets."):
        return _targets(act)
    if path == "State" and not act.call:
        return _deed(
            thing, {"DISABLED": "DisableRule"}.get(str(act.after), "EnableRule"), _named(thing, "name")
        )
    if path in _MEMBERS:
        return create(world, thing, act.moment)
    raise ValueError(f"{path} of a rule is not modelled")


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """PutRule, which says the whole rule."""
    request = _named(thing, "name")
    for member in _MEMBERS:
        held = thing.at(member, moment)
        if held is not None:
            request[member[0].lower() + member[1:]] = held
    return _deed(thing, "PutRule", request, {"ruleArn": thing.arn})


def _targets(act: Act) -> Deed:
    code = act.path.removeprefix("Targets.")
    request, done = _named(act.thing, "rule"), {"failedEntryCount": 0, "failedEntries": []}
    if act.after is None:
        return _deed(act.thing, "RemoveTargets", request | {"ids": [code]}, done)
    target = {"id": code} | {name[0].lower() + name[1:]: value for name, value in act.after.items()}
    return _deed(act.thing, "PutTargets", request | {"targets": [target]}, done)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return _deed(thing, "TagResource", {"resourceARN": thing.arn, "tags": pairs})


def _named(thing: Thing, key: str) -> Json:
    bus = thing.fixed["bus"]
    return {key: thing.name} | ({} if bus == "default" else {"eventBusName": bus})


def _deed(thing: Thing, name: str, request: Json, response: Json | None = None) -> Deed:
    return Deed(
        source="events",
        name=name,
        request=request,
        response=response,
        concerns=(("AWS::Events::Rule", thing.arn),),
        api_version="2015-10-07",
    )
