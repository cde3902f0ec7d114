"""DynamoDB's configuration reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world.asking import Ask, Refusal, handles
from evals.world.readers import label as label_of
from evals.world.readers import stream_arn
from evals.world.seed import mix
from evals.world.world import Thing
from tools.arn import is_arn, parse
from tools.models import Json


def _table(ask: Ask, text: str) -> Thing:
    name = parse(text).name if is_arn(text) else text
    found = ask.world.named("table", name, ask.region)
    if found is None or found.created > ask.as_of:
        raise Refusal("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    return found


@handles("dynamodb", "ListTables")
def list_tables(ask: Ask) -> Json:
    after, size = ask.take("ExclusiveStartTableName", ""), int(ask.take("Limit", 100))
    names = [table.name for table in ask.world.of("table", ask.region) if table.name > after]
    answer: Json = {"TableNames": names[:size]}
    if len(names) > size:
        answer["LastEvaluatedTableName"] = names[size - 1]
    return answer


@handles("dynamodb", "DescribeTable")
def describe_table(ask: Ask) -> Json:
    return {"Table": description(_table(ask, str(ask.need("TableName"))), ask)}


def description(table: Thing, ask: Ask) -> Json:
    moment = ask.as_of
    lag = timedelta(seconds=table.fixed.get("lag", 10))
    changing = any(
        since <= moment < since + lag
        for path, steps in table.settings.steps.items()
        if path.startswith(
            ("OnDemandThroughput", "ProvisionedThroughput", "BillingMode", "DeletionProtection")
        )
        for since in steps.since
    )
    mode = table.at("BillingMode", moment)
    provisioned = table.settings.under("ProvisionedThroughput", moment)
    size = mix(sum(map(ord, table.arn))) % 9_000_000_000
    shown: Json = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "TableName": table.name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TableStatus": "UPDATING" if changing else "ACTIVE",
        "CreationDateTime": table.created,
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": provisioned.get("ReadCapacityUnits", 0),
            "WriteCapacityUnits": provisioned.get("WriteCapacityUnits", 0),
        },
        "TableSizeBytes": size,
        "ItemCount": size // 700,
        "TableArn": table.arn,
        "TableId": table.fixed["id"],
        "DeletionProtectionEnabled": bool(table.at("DeletionProtectionEnabled", moment)),
        "WarmThroughput": {
            "ReadUnitsPerSecond": provisioned.get("ReadCapacityUnits") or 12_000,
            "WriteUnitsPerSecond": provisioned.get("WriteCapacityUnits") or 4_000,
            "Status": "ACTIVE",
        },
    }
    shown |= _stream(table, moment)
    if mode == "PAY_PER_REQUEST":
        shown["BillingModeSummary"] = {
            "BillingMode": mode,
            "LastUpdateToPayPerRequestDateTime": table.created,
        }
        limits = table.settings.under("OnDemandThroughput", moment)
        if limits:
            shown["OnDemandThroughput"] = limits
    return shown


def _stream(table: Thing, moment: datetime) -> Json:
    """The stream of a table; a global table's is on, and its replicas are the others."""
    replicas = table.fixed.get("replicas", ())
    if replicas:
        label = table.created.strftime("%Y-%m-%dT%H:%M:%S.000")
        return {
            "GlobalTableVersion": "2019.11.21",
            "Replicas": [{"RegionName": parse(arn).region, "ReplicaStatus": "ACTIVE"} for arn in replicas],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            "LatestStreamLabel": label,
            "LatestStreamArn": f"{table.arn}/stream/{label}",
        }
    last = stream_arn(table, moment.timestamp())
    if not last:
        return {}
    shown: Json = {"LatestStreamArn": last, "LatestStreamLabel": last.rsplit("/", 1)[1]}
    if label_of(table, moment.timestamp()):  # its ARN stays when it was switched off
        view = table.at("StreamSpecification.StreamViewType", moment)
        shown["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    return shown


@handles("dynamodb", "DescribeContinuousBackups")
def describe_continuous_backups(ask: Ask) -> Json:
    table = _table(ask, str(ask.need("TableName")))
    on = table.at("PointInTimeRecovery", ask.as_of)
    recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "ENABLED" if on else "DISABLED"}
    if on:
        recovery |= {
            "EarliestRestorableDateTime": max(table.created, ask.as_of - timedelta(days=35)),
            "LatestRestorableDateTime": ask.as_of - timedelta(minutes=5),
        }
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
    }


@handles("dynamodb", "ListTagsOfResource")
def list_tags_of_resource(ask: Ask) -> Json:
    arn, token = str(ask.need("ResourceArn")), ask.take("NextToken")
    tags = _table(ask, arn).tags(ask.as_of)
    page, following = ask.page(
        [{"Key": key, "Value": value} for key, value in sorted(tags.items())], 10, token
    )
    answer: Json = {"Tags": page}
    if following:
        answer["NextToken"] = following
    return answer


@handles("dynamodb", "DescribeContributorInsights")
def describe_contributor_insights(ask: Ask) -> Json:
    table = _table(ask, str(ask.need("TableName")))
    return {"TableName": table.name, "ContributorInsightsStatus": "DISABLED"}


@handles("dynamodb", "DescribeTimeToLive")
def describe_time_to_live(ask: Ask) -> Json:
    table = _table(ask, str(ask.need("TableName")))
    name = table.at("TimeToLive", ask.as_of)
    if not name:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": name}}


def _streams(ask: Ask, table: Thing) -> list[Json]:
    """The stream that a table has, or had until it was switched off."""
    last = stream_arn(table, ask.as_of.timestamp())
    return (
        []
        if last is None
        else [{"StreamArn": last, "TableName": table.name, "StreamLabel": last.rsplit("/", 1)[1]}]
    )


@handles("dynamodbstreams", "ListStreams")
def list_streams(ask: Ask) -> Json:
    named, limit = ask.take("TableName"), int(ask.take("Limit") or 100)
    tables = [_table(ask, str(named))] if named else ask.world.of("table", ask.region)
    after = str(ask.take("ExclusiveStartStreamArn") or "")
    found = [one for table in tables for one in _streams(ask, table) if one["StreamArn"] > after]
    answer: Json = {"Streams": found[:limit]}
    return answer | ({"LastEvaluatedStreamArn": found[limit - 1]["StreamArn"]} if len(found) > limit else {})


@handles("dynamodbstreams", "DescribeStream")
def describe_stream(ask: Ask) -> Json:
    arn = str(ask.need("StreamArn"))
    for name in ("Limit", "ExclusiveStartShardId"):
        ask.take(name)
    table = ask.world.things.get(arn.split("/stream/", maxsplit=1)[0])
    if (
        table is None
        or table.kind != "table"
        or arn not in [one["StreamArn"] for one in _streams(ask, table)]
    ):
        raise Refusal("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found")
    return {
        "StreamDescription": {
            **_streams(ask, table)[0],
            "StreamStatus": "ENABLED" if label_of(table, ask.as_of.timestamp()) else "DISABLED",
            "StreamViewType": table.at("StreamSpecification.StreamViewType", ask.as_of),
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "Shards": [],
        }
    }
