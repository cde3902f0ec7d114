"""How changes of settings look in CloudTrail: the call that makes them, as the service records it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evals.world.trail import Deed, long_stamp
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.alarms import AlarmClock


def change(world: World, thing: Thing, path: str, moment: datetime) -> Deed:
    """The call that set `path` of a resource to what it is at `moment`."""
    if thing.kind == "table":
        return _table_change(world, thing, path, moment)
    if thing.kind == "function":
        return _function_change(thing, path, moment)
    if thing.kind == "alarm":
        return alarm_put(world.alarms[thing.name], moment)
    raise ValueError(f"no call changes {path} of a {thing.kind}")


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """The call that made a resource."""
    if thing.kind == "alarm":
        return alarm_put(world.alarms[thing.name], moment)
    if thing.kind != "table":
        raise ValueError(f"no call creates a {thing.kind}")
    request: Json = {
        "tableName": thing.name,
        "attributeDefinitions": [{"attributeName": "pk", "attributeType": "S"}],
        "keySchema": [{"attributeName": "pk", "keyType": "HASH"}],
        "billingMode": thing.at("BillingMode", moment),
    }
    limits = _on_demand(thing, moment)
    if limits:
        request["onDemandThroughput"] = limits
    response = {"tableDescription": _described(thing, moment, "CREATING", limits)}
    return _dynamodb(thing, "CreateTable", request, response)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    if thing.kind == "table":
        return _dynamodb(thing, "TagResource", {"resourceArn": thing.arn, "tags": pairs}, None)
    if thing.kind == "function":
        return Deed(
            source="lambda", name="TagResource20170331v2", request={"resource": thing.arn, "tags": tags}
        )
    raise ValueError(f"tags of a {thing.kind} are not modelled")


def alarm_put(alarm: AlarmClock, moment: datetime) -> Deed:
    """PutMetricAlarm: the whole alarm is in the request, the response is empty."""
    return Deed(
        source="monitoring", name="PutMetricAlarm", request=alarm.request(moment), api_version="2010-08-01"
    )


def _dynamodb(thing: Thing, name: str, request: Json, response: Json | None) -> Deed:
    listed = {"arn": thing.arn, "name": thing.name}[thing.fixed.get("listed_by", "arn")]
    return Deed(
        source="dynamodb",
        name=name,
        request=request,
        response=response,
        resources=(("AWS::DynamoDB::Table", thing.arn),),
        listed=(("AWS::DynamoDB::Table", listed),),
        api_version="2012-08-10",
    )


def _on_demand(thing: Thing, moment: datetime) -> Json:
    limits = thing.settings.under("OnDemandThroughput", moment)
    return {name[0].lower() + name[1:]: value for name, value in sorted(limits.items())}


def _table_change(world: World, thing: Thing, path: str, moment: datetime) -> Deed:
    named = thing.arn if thing.fixed.get("named_by") == "arn" else thing.name
    if path == "PointInTimeRecovery":
        on = bool(thing.at(path, moment))
        request: Json = {
            "tableName": named,
            "pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": on},
        }
        status = {"pointInTimeRecoveryStatus": "ENABLED" if on else "DISABLED"}
        held = {"continuousBackupsStatus": "ENABLED", "pointInTimeRecoveryDescription": status}
        return _dynamodb(thing, "UpdateContinuousBackups", request, {"continuousBackupsDescription": held})
    if path == "TimeToLive":
        wanted: Json = {"enabled": True, "attributeName": thing.at(path, moment)}
        request = {"tableName": named, "timeToLiveSpecification": wanted}
        return _dynamodb(thing, "UpdateTimeToLive", request, {"timeToLiveSpecification": wanted})
    request = {"tableName": named}
    shown: Json = {}
    if path.startswith("OnDemandThroughput."):
        request["onDemandThroughput"] = _on_demand(thing, moment)
        shown = _echo(world, thing, moment)
    elif path == "DeletionProtectionEnabled":
        request["deletionProtectionEnabled"] = thing.at(path, moment)
    else:
        raise ValueError(f"{path} of a table is not modelled")
    return _dynamodb(
        thing, "UpdateTable", request, {"tableDescription": _described(thing, moment, "UPDATING", shown)}
    )


def _echo(world: World, thing: Thing, moment: datetime) -> Json:
    """What the answer shows of the maxima. AWS does not document whether it is the old or the new value, or none."""
    way = world.seed.pick("echo", ("none", "old", "new"))
    if way == "none":
        return {}
    if way == "new":
        return _on_demand(thing, moment)
    return _on_demand(thing, moment - timedelta(seconds=1))


def _described(thing: Thing, moment: datetime, status: str, limits: Json) -> Json:
    shown: Json = {
        "tableName": thing.name,
        "tableStatus": status,
        "tableArn": thing.arn,
        "tableId": thing.fixed["id"],
        "creationDateTime": long_stamp(thing.created),
        "attributeDefinitions": [{"attributeName": "pk", "attributeType": "S"}],
        "keySchema": [{"attributeName": "pk", "keyType": "HASH"}],
        "provisionedThroughput": {
            "numberOfDecreasesToday": 0,
            "readCapacityUnits": 0,
            "writeCapacityUnits": 0,
        },
        "billingModeSummary": {"billingMode": thing.at("BillingMode", moment)},
        "tableThroughputModeSummary": {"tableThroughputMode": thing.at("BillingMode", moment)},
        "tableSizeBytes": 0 if status == "CREATING" else 48_211_006,
        "itemCount": 0 if status == "CREATING" else 66_130,
        "deletionProtectionEnabled": bool(thing.at("DeletionProtectionEnabled", moment)),
    }
    if limits:
        shown["onDemandThroughput"] = limits
    return shown


_FUNCTION_FIELDS = {"Timeout": "timeout", "MemorySize": "memorySize"}


def _function_change(thing: Thing, path: str, moment: datetime) -> Deed:
    if path == "ReservedConcurrentExecutions":
        value: Any = thing.at(path, moment)
        held = {"functionName": thing.name, "reservedConcurrentExecutions": value}
        shown = {"reservedConcurrentExecutions": value}
        return Deed(source="lambda", name="PutFunctionConcurrency20171031", request=held, response=shown)
    if path not in _FUNCTION_FIELDS:
        raise ValueError(f"{path} of a function is not modelled")
    request = {"functionName": thing.name, _FUNCTION_FIELDS[path]: thing.at(path, moment)}
    response = {
        "functionName": thing.name,
        "functionArn": thing.arn,
        "runtime": thing.fixed["runtime"],
        "role": thing.fixed["role"],
        "timeout": thing.at("Timeout", moment),
        "memorySize": thing.at("MemorySize", moment),
        "environment": {},
        "version": "$LATEST",
    }
    return Deed(
        source="lambda", name="UpdateFunctionConfiguration20150331v2", request=request, response=response
    )
