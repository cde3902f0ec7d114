"""How CloudTrail records what is done to ElastiCache: of a parameter group only its name is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_FIELDS = {
    "CacheNodeType": "cacheNodeType",
    "SnapshotRetentionLimit": "snapshotRetentionLimit",
    "AutomaticFailover": "automaticFailoverEnabled",
}


def change_group(world: World, act: Act) -> Deed:
    """ModifyReplicationGroup, applied at once. The answer shows what was, and what will be as pending."""
    thing, before = act.thing, act.moment - timedelta(seconds=1)
    request: Json = {"replicationGroupId": thing.name, "applyImmediately": True}
    for path, value in {act.path: act.after, **act.others}.items():
        request[_FIELDS[path]] = value
    shown: Json = {
        "replicationGroupId": thing.name,
        "description": " ",
        "status": "modifying",
        "aRN": thing.arn,
        "memberClusters": [f"{thing.name}-{number:03d}" for number in range(1, thing.fixed["nodes"] + 1)],
        "cacheNodeType": thing.at("CacheNodeType", before),
        "snapshotRetentionLimit": thing.at("SnapshotRetentionLimit", before),
        "automaticFailover": "enabled" if thing.at("AutomaticFailover", before) else "disabled",
        "pendingModifiedValues": {},
    }
    if act.path == "CacheNodeType":
        shown["pendingModifiedValues"] = {"cacheNodeType": act.after}
    return Deed(source="elasticache", name="ModifyReplicationGroup", request=request, response=shown)


def change_parameters(world: World, act: Act) -> Deed:
    """ModifyCacheParameterGroup, or ResetCacheParameterGroup for a parameter that goes back to its default."""
    moved = {act.path: act.after, **act.others}
    pairs = [
        {"parameterName": path.removeprefix("Parameters.")}
        | ({} if value is None else {"parameterValue": str(value)})
        for path, value in moved.items()
    ]
    request: Json = {"cacheParameterGroupName": act.thing.name, "parameterNameValues": pairs}
    name = "ModifyCacheParameterGroup"
    if act.after is None:
        name, request = "ResetCacheParameterGroup", request | {"resetAllParameters": False}
    answer = {"cacheParameterGroupName": act.thing.name}
    return Deed(source="elasticache", name=name, request=request, response=answer)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """AddTagsToResource."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    request = {"resourceName": thing.arn, "tags": pairs}
    return Deed(source="elasticache", name="AddTagsToResource", request=request, response={"tagList": pairs})
