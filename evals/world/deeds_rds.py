"""How CloudTrail records what is done to databases: `dBInstanceIdentifier`; the answer shows the state before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_FIELDS = {
    "DBInstanceClass": "dBInstanceClass",
    "AllocatedStorage": "allocatedStorage",
    "MultiAZ": "multiAZ",
    "BackupRetentionPeriod": "backupRetentionPeriod",
}


def change_instance(world: World, act: Act) -> Deed:
    """ModifyDBInstance, applied at once. Above: what was; `pendingModifiedValues`: what will be."""
    field = _FIELDS[act.path]
    request: Json = {
        "dBInstanceIdentifier": act.thing.name,
        field: act.after,
        "applyImmediately": True,
        "allowMajorVersionUpgrade": False,
    }
    before = act.moment - timedelta(seconds=1)
    shown: Json = {
        "dBInstanceIdentifier": act.thing.name,
        "engine": act.thing.fixed["engine"],
        "dBInstanceStatus": "available",
        "endpoint": {"address": act.thing.fixed["host"], "port": 5432},
        "dBInstanceArn": act.thing.arn,
        "pendingModifiedValues": {field: act.after},
    }
    shown |= {
        _FIELDS[path]: act.thing.at(path, before)
        for path in _FIELDS
        if act.thing.at(path, before) is not None
    }
    return Deed(source="rds", name="ModifyDBInstance", request=request, response=shown)


def change_parameters(world: World, act: Act) -> Deed:
    """ModifyDBParameterGroup, or ResetDBParameterGroup for one parameter."""
    name = act.path.removeprefix("Parameters.")
    method = "immediate" if act.thing.fixed.get("engine") == "mysql" else "pending-reboot"
    parameter: Json = {"parameterName": name, "applyMethod": method}
    request: Json = {"dBParameterGroupName": act.thing.name, "parameters": [parameter]}
    answer = {"dBParameterGroupName": act.thing.name}
    if act.after is None:
        return Deed(source="rds", name="ResetDBParameterGroup", request=request, response=answer)
    parameter["parameterValue"] = str(act.after)
    return Deed(source="rds", name="ModifyDBParameterGroup", request=request, response=answer)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """AddTagsToResource."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return Deed(source="rds", name="AddTagsToResource", request={"resourceName": thing.arn, "tags": pairs})
