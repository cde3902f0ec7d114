"""How CloudTrail records what is done to Lambda functions: names carry the version of the API."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evals.world.seed import mix
from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

MOST = "ScalingConfig.MaximumConcurrency"
_FIELDS = {"Timeout": "timeout", "MemorySize": "memorySize"}


def code_sha(function: Thing, moment: datetime) -> str:
    """The digest of the code that runs at a moment."""
    revision = int(function.at("Revision", moment) or 1)
    number = mix(sum(map(ord, function.arn)), revision)
    return base64.b64encode(b"".join(mix(number, i).to_bytes(8, "big") for i in range(4))).decode()


def change(world: World, act: Act) -> Deed:
    """The call that set a setting of a function."""
    thing, path = act.thing, act.path
    if path == "ReservedConcurrentExecutions":
        return _concurrency(thing, act.after)
    if path.startswith("Policy."):
        return _permission(world, act)
    if path == "Revision":
        request: Json = {"functionName": thing.name, "publish": False, "dryRun": False}
        shown = _configuration(thing, act.moment) | {"codeSha256": code_sha(thing, act.moment)}
        return _deed("UpdateFunctionCode20150331v2", request, shown)
    request = {"functionName": thing.name}
    for one, value in {path: act.after, **act.others}.items():
        if one.startswith("Environment."):
            request["environment"] = {}  # CloudTrail hides the variables
        elif one in _FIELDS:
            request[_FIELDS[one]] = value
        elif not one.startswith("_"):
            raise ValueError(f"{one} of a function is not modelled")
    return _deed("UpdateFunctionConfiguration20150331v2", request, _configuration(thing, act.moment))


def _concurrency(thing: Thing, value: Any) -> Deed:
    if value is None:
        return _deed("DeleteFunctionConcurrency20171031", {"functionName": thing.name}, None)
    request = {"functionName": thing.name, "reservedConcurrentExecutions": value}
    return _deed("PutFunctionConcurrency20171031", request, {"reservedConcurrentExecutions": value})


def _permission(world: World, act: Act) -> Deed:
    sid = act.path.removeprefix("Policy.")
    request: Json = {"functionName": act.thing.name, "statementId": sid}
    if act.after is None:
        return _deed("RemovePermission20150331v2", request, None)
    statement = act.after
    source = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
    request |= {
        "action": statement["Action"],
        "principal": statement["Principal"]["Service"],
        "sourceArn": source,
    }
    return _deed("AddPermission20150331v2", request, {"statement": json.dumps(statement)})


def change_mapping(world: World, act: Act) -> Deed:
    """The call that set a setting of an event source mapping."""
    thing = act.thing
    request: Json = {"uUID": thing.name}
    if act.path == MOST:  # an empty configuration takes the maximum away
        request["scalingConfig"] = {} if act.after is None else {"maximumConcurrency": act.after}
    else:
        request[{"Enabled": "enabled", "BatchSize": "batchSize"}[act.path]] = act.after
    shown = {
        "uUID": thing.name,
        "batchSize": thing.at("BatchSize", act.moment),
        "eventSourceArn": thing.fixed["source"],
        "functionArn": thing.fixed["function"],
        "state": {True: "Enabling", False: "Disabling"}[bool(thing.at("Enabled", act.moment))],
        "stateTransitionReason": "User action",
    }
    if act.path == MOST:
        shown["state"] = "Updating"
    most = thing.at(MOST, act.moment)
    if most is not None:
        shown["scalingConfig"] = {"maximumConcurrency": most}
    return _deed("UpdateEventSourceMapping20150331", request, shown)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    return _deed("TagResource20170331v2", {"resource": thing.arn, "tags": tags}, None)


def _deed(name: str, request: Json, response: Json | None) -> Deed:
    return Deed(source="lambda", name=name, request=request, response=response)


def _configuration(thing: Thing, moment: datetime) -> Json:
    return {
        "functionName": thing.name,
        "functionArn": thing.arn,
        "runtime": thing.fixed["runtime"],
        "role": thing.fixed["role"],
        "timeout": thing.at("Timeout", moment),
        "memorySize": thing.at("MemorySize", moment),
        "environment": {},
        "version": "$LATEST",
    }
