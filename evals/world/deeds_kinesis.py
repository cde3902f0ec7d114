"""How CloudTrail records what is done to Kinesis streams: a new number of shards comes with the old one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def change(world: World, act: Act) -> Deed:
    """The call that set a setting of a stream."""
    thing, path = act.thing, act.path
    if path == "OpenShardCount":
        return _shards(act)
    if path == "StreamModeDetails.StreamMode":
        request: Json = {"streamARN": thing.arn, "streamModeDetails": {"streamMode": act.after}}
        return _deed(thing, "UpdateStreamMode", request)
    if path == "RetentionPeriodHours":
        verb = "Increase" if int(act.after) >= int(act.before or 24) else "Decrease"
        return _deed(
            thing, f"{verb}StreamRetentionPeriod", _named(thing) | {"retentionPeriodHours": act.after}
        )
    if path == "EnhancedMonitoring":
        return _monitoring(act)
    raise ValueError(f"{path} of a stream is not modelled")


def _shards(act: Act) -> Deed:
    thing = act.thing
    before = thing.at("OpenShardCount", act.moment - timedelta(seconds=1))
    if not before / 2 <= act.after <= before * 2:
        raise ValueError(
            f"UpdateShardCount goes from {before} to at least half and at most double, not to {act.after}"
        )
    request = _named(thing) | {"targetShardCount": act.after, "scalingType": "UNIFORM_SCALING"}
    shown = {"streamName": thing.name, "currentShardCount": before, "targetShardCount": act.after}
    return _deed(thing, "UpdateShardCount", request, shown)


def _monitoring(act: Act) -> Deed:
    verb = "Enable" if act.after else "Disable"
    names = list(act.after or act.before or [])
    shown = {
        "streamName": act.thing.name,
        "currentShardLevelMetrics": list(act.before or []),
        "desiredShardLevelMetrics": list(act.after or []),
    }
    request = _named(act.thing) | {"shardLevelMetrics": names}
    return _deed(act.thing, f"{verb}EnhancedMonitoring", request, shown)


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """The call that made a stream."""
    request = {"streamName": thing.name, "shardCount": thing.at("OpenShardCount", moment)}
    request["streamModeDetails"] = {"streamMode": thing.at("StreamModeDetails.StreamMode", moment)}
    return _deed(thing, "CreateStream", request)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    return _deed(thing, "AddTagsToStream", _named(thing) | {"tags": tags})


def _named(thing: Thing) -> Json:
    return {"streamARN": thing.arn} if thing.fixed["named_by"] == "arn" else {"streamName": thing.name}


def _deed(thing: Thing, name: str, request: Json, response: Json | None = None) -> Deed:
    return Deed(
        source="kinesis",
        name=name,
        request=request,
        response=response,
        concerns=(("AWS::Kinesis::Stream", thing.arn),),
    )
