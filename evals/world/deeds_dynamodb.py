"""How CloudTrail records what is done to DynamoDB tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from evals.world.readers import stream_arn
from evals.world.trail import Deed, long_stamp
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def change(world: World, act: Act) -> Deed:
    """The call that set a setting of a table."""
    thing, path = act.thing, act.path
    named = thing.arn if thing.fixed.get("named_by") == "arn" else thing.name
    if path == "PointInTimeRecovery":
        on = bool(act.after)
        request: Json = {
            "tableName": named,
            "pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": on},
        }
        status = {"pointInTimeRecoveryStatus": "ENABLED" if on else "DISABLED"}
        held = {"continuousBackupsStatus": "ENABLED", "pointInTimeRecoveryDescription": status}
        return _deed(thing, "UpdateContinuousBackups", request, {"continuousBackupsDescription": held})
    if path == "TimeToLive":
        wanted: Json = {"enabled": True, "attributeName": act.after}
        request = {"tableName": named, "timeToLiveSpecification": wanted}
        return _deed(thing, "UpdateTimeToLive", request, {"timeToLiveSpecification": wanted})
    request = {"tableName": named}
    return _deed(thing, "UpdateTable", request, {"tableDescription": _updated(world, act, request)})


def _updated(world: World, act: Act, request: Json) -> Json:
    """Fill the request of an UpdateTable; returns the description in its answer."""
    thing, path, moment = act.thing, act.path, act.moment
    shown: Json = {}
    if path.startswith("OnDemandThroughput."):
        request["onDemandThroughput"] = _on_demand(thing, moment)
        shown = _echo(world, thing, moment)
    elif path == "DeletionProtectionEnabled":
        request["deletionProtectionEnabled"] = act.after
    elif path == "BillingMode":
        request["billingMode"] = act.after
        if act.after == "PROVISIONED":
            request["provisionedThroughput"] = _provisioned(thing, moment)
    elif path.startswith("ProvisionedThroughput."):
        request["provisionedThroughput"] = _provisioned(thing, moment)
    elif path == "StreamSpecification.StreamEnabled":
        request["streamSpecification"] = _stream(thing, moment)
    else:
        raise ValueError(f"{path} of a table is not modelled")
    return _described(thing, moment, "UPDATING", shown)


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """The call that made a table."""
    request: Json = {
        "tableName": thing.name,
        "attributeDefinitions": [{"attributeName": "pk", "attributeType": "S"}],
        "keySchema": [{"attributeName": "pk", "keyType": "HASH"}],
        "billingMode": thing.at("BillingMode", moment),
    }
    limits = _on_demand(thing, moment)
    if limits:
        request["onDemandThroughput"] = limits
    if thing.at("BillingMode", moment) == "PROVISIONED":
        request["provisionedThroughput"] = _provisioned(thing, moment)
    if _stream(thing, moment).get("streamEnabled"):
        request["streamSpecification"] = _stream(thing, moment)
    return _deed(
        thing, "CreateTable", request, {"tableDescription": _described(thing, moment, "CREATING", limits)}
    )


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return _deed(thing, "TagResource", {"resourceArn": thing.arn, "tags": pairs}, None)


def _deed(thing: Thing, name: str, request: Json, response: Json | None) -> Deed:
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
    return _lower(thing.settings.under("OnDemandThroughput", moment))


def _stream(thing: Thing, moment: datetime) -> Json:
    """The stream as a request sets it: with its view type while it is on."""
    found = _lower(thing.settings.under("StreamSpecification", moment))
    return found if found.get("streamEnabled") else {"streamEnabled": False}


def _provisioned(thing: Thing, moment: datetime) -> Json:
    return _lower(thing.settings.under("ProvisionedThroughput", moment))


def _lower(values: Json) -> Json:
    return {name[0].lower() + name[1:]: value for name, value in sorted(values.items())}


def _echo(world: World, thing: Thing, moment: datetime) -> Json:
    """What the answer shows of the maxima. AWS does not document whether it is the old or the new value, or none."""
    way = world.seed.pick("echo", ("none", "old", "new"))
    if way == "none":
        return {}
    if way == "new":
        return _on_demand(thing, moment)
    return _on_demand(thing, moment - timedelta(seconds=1))


def _described(thing: Thing, moment: datetime, status: str, limits: Json) -> Json:
    # Seen in real records: an UpdateTable's answer still shows the provisioned throughput from before.
    before = moment if status == "CREATING" else moment - timedelta(seconds=1)
    mode = thing.at("BillingMode", before)
    units = (
        _provisioned(thing, before)
        if mode == "PROVISIONED"
        else {"readCapacityUnits": 0, "writeCapacityUnits": 0}
    )
    shown: Json = {
        "tableName": thing.name,
        "tableStatus": status,
        "tableArn": thing.arn,
        "tableId": thing.fixed["id"],
        "creationDateTime": long_stamp(thing.created),
        "attributeDefinitions": [{"attributeName": "pk", "attributeType": "S"}],
        "keySchema": [{"attributeName": "pk", "keyType": "HASH"}],
        "provisionedThroughput": {"numberOfDecreasesToday": 0, **units},
        "billingModeSummary": {"billingMode": thing.at("BillingMode", moment)},
        "tableThroughputModeSummary": {"tableThroughputMode": thing.at("BillingMode", moment)},
        "tableSizeBytes": 0 if status == "CREATING" else 48_211_006,
        "itemCount": 0 if status == "CREATING" else 66_130,
        "deletionProtectionEnabled": bool(thing.at("DeletionProtectionEnabled", moment)),
    }
    if limits:
        shown["onDemandThroughput"] = limits
    last = stream_arn(thing, moment.timestamp())
    if last:  # a stream that was switched off can still be read for a day
        shown |= {"latestStreamArn": last, "latestStreamLabel": last.rsplit("/", 1)[1]}
        if _stream(thing, moment)["streamEnabled"]:
            shown["streamSpecification"] = _stream(thing, moment)
    return shown
