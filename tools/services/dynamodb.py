"""DynamoDB: tables, their limits and their ways to refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.arn import build
from tools.arn import parse as parse_arn
from tools.errors import NotThere
from tools.kit import call, here, optional, record, relation, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "dynamodb.amazonaws.com"
_REPLICA = "replicates to"


def _table_arn(event: ChangeEvent) -> str:
    # tableName holds the name or the full ARN, whichever the caller sent.
    return here(
        event, "dynamodb", name if ":" in (name := text(event.request, "tableName")) else f"table/{name}"
    )


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    table = _table_arn(event)
    updates = event.request.get("globalSecondaryIndexUpdates") or []
    names = [text(body, "indexName") for update in updates for body in update.values()]
    return (table, *(f"{table}/index/{name}" for name in names if name))


def _touches_resource(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resourceArn")
    return (arn,) if arn else ()


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Names of all tables; `describe` reads one whole."""
    tables = reader.pages(
        "dynamodb",
        "ListTables",
        "TableNames",
        region=region,
        token=("ExclusiveStartTableName", "LastEvaluatedTableName"),
    )
    for name in tables.items:
        yield Resource(
            arn=build("dynamodb", region, reader.aws.account, f"table/{name}"),
            service="dynamodb",
            type="table",
            name=name,
            account=reader.aws.account,
            region=region,
            evidence=tables.evidence,
        )


def describe(reader: Reader, arn: str) -> Resource | None:
    """The table (or index) with its limits, stream, indexes, TTL and tags, as DescribeTable shows them."""
    parts = parse_arn(arn)
    name, _, rest = parts.name.partition("/")
    try:
        answer = reader.ask("dynamodb", "DescribeTable", region=parts.region, TableName=name)
    except NotThere:
        return None
    config: Json = dict(answer.data["Table"])
    evidence = [answer.evidence]
    if rest.startswith("index/"):
        return _index(parts.region, parts.account, rest.removeprefix("index/"), arn, config, answer.evidence)
    ttl = optional(
        reader, "dynamodb", "DescribeTimeToLive", "Time to live", region=parts.region, TableName=name
    )
    if ttl is not None:
        shown = ttl.data.get("TimeToLiveDescription", {})
        config["TimeToLive"] = {**shown, "Enabled": shown.get("TimeToLiveStatus") == "ENABLED"}
        evidence.append(ttl.evidence)
    evidence.extend(_last_view(reader, parts.region, config))
    tags = optional(reader, "dynamodb", "ListTagsOfResource", "Tags", region=parts.region, ResourceArn=arn)
    return Resource(
        arn=arn,
        service="dynamodb",
        type="table",
        name=name,
        account=parts.account,
        region=parts.region,
        config=config,
        tags={tag["Key"]: tag["Value"] for tag in tags.data.get("Tags", [])} if tags else {},
        evidence=tuple(id for id in evidence if id),
    )


def _last_view(reader: Reader, region: str, config: Json) -> list[str]:
    """Note the view type of a stream that is switched off: for a day its own description still tells it."""
    stream = text(config, "LatestStreamArn")
    if not stream or "StreamSpecification" in config:
        return []
    told = optional(
        reader,
        "dynamodbstreams",
        "DescribeStream",
        "The last stream",
        region=region,
        StreamArn=stream,
        Limit=1,
    )
    view = text(told.data, "StreamDescription", "StreamViewType") if told is not None else ""
    if told is None or not view:
        return []
    config["LatestStreamViewType"] = view
    return [told.evidence]


def _index(region: str, account: str, name: str, arn: str, table: Json, evidence: str) -> Resource | None:
    for index in table.get("GlobalSecondaryIndexes") or []:
        if index["IndexName"] == name:
            return Resource(
                arn=arn,
                service="dynamodb",
                type="index",
                name=name,
                account=account,
                region=region,
                config={**index, "TableName": table["TableName"]},
                evidence=(evidence,),
            )
    return None


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """A table calls nobody but its key and its replicas; its stream's readers are event source mappings (Lambda)."""
    key = text(resource.config, "SSEDescription", "KMSMasterKeyArn")
    yield from uses_key(resource, key, "dynamodb:DescribeTable SSEDescription.KMSMasterKeyArn")
    for replica in resource.config.get("Replicas") or []:
        region = text(replica, "RegionName")
        if region and region != resource.region:
            other = build("dynamodb", region, resource.account, f"table/{resource.name}")
            yield relation(resource, other, _REPLICA, "dynamodb:DescribeTable Replicas.RegionName")


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("TableName", "")
    return f"arn:{partition}:dynamodb:{region}:{account}:table/{name}" if name else ""


# -- settings --------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("dynamodb", "DescribeTable", resource, TableName=resource.name)


def _read_ttl(resource: Resource) -> Call:
    return call("dynamodb", "DescribeTimeToLive", resource, TableName=resource.name)


def _restore_cap(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # UpdateTable replaces both members of OnDemandThroughput: the one that stays is sent too. -1: no cap.
    now = resource.config.get("OnDemandThroughput") or {}
    both = {name: int(now.get(name, -1)) for name in ("MaxReadRequestUnits", "MaxWriteRequestUnits")}
    both[member] = -1 if value is None else whole(value)
    return (call("dynamodb", "UpdateTable", resource, TableName=resource.name, OnDemandThroughput=both),)


def _restore_capacity(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()  # a table cannot be provisioned with nothing: the billing mode is what has to go back
    now = resource.config.get("ProvisionedThroughput") or {}
    both = {name: int(now.get(name, 0)) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    both[member] = whole(value)
    if min(both.values()) < 1:
        return ()  # the table is not provisioned: the billing mode is what has to go back first
    return (call("dynamodb", "UpdateTable", resource, TableName=resource.name, ProvisionedThroughput=both),)


def _restore_billing(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value == "PAY_PER_REQUEST":
        return (
            call("dynamodb", "UpdateTable", resource, TableName=resource.name, BillingMode="PAY_PER_REQUEST"),
        )
    return ()  # PROVISIONED needs capacities that this value does not tell


def _restore_stream(resource: Resource, value: Value) -> tuple[Call, ...]:
    stream: Json = {"StreamEnabled": bool(value)}
    if value:
        # A stream is switched on with a view type, which a table without one does not tell: its last stream does.
        told = text(resource.config, "StreamSpecification", "StreamViewType")
        view = told or text(resource.config, "LatestStreamViewType")
        if not view:
            return ()
        stream["StreamViewType"] = view
    return (call("dynamodb", "UpdateTable", resource, TableName=resource.name, StreamSpecification=stream),)


def _restore_ttl(resource: Resource, value: Value) -> tuple[Call, ...]:
    attribute = resource.config.get("TimeToLive", {}).get("AttributeName", "")
    if not attribute:
        return ()
    wanted = {"Enabled": bool(value), "AttributeName": attribute}
    return (
        call(
            "dynamodb", "UpdateTimeToLive", resource, TableName=resource.name, TimeToLiveSpecification=wanted
        ),
    )


def _restore_protection(resource: Resource, value: Value) -> tuple[Call, ...]:
    return (
        call(
            "dynamodb",
            "UpdateTable",
            resource,
            TableName=resource.name,
            DeletionProtectionEnabled=bool(value),
        ),
    )


_ACTIVE: Mapping[str, Value] = {"Table.TableStatus": "ACTIVE"}
# Unused capacity of the last 300 s is kept as burst, and callers retry: the effect may come minutes later.
_BURST = (0, 420)


def _throttle_effects(side: str, kind: str) -> tuple[Effect, ...]:
    return (
        Effect(metric=f"{side}ThrottleEvents", direction="up", after=_BURST, when="lowered"),
        Effect(metric=f"{side}{kind}ThrottleEvents", direction="up", after=_BURST, when="lowered"),
        Effect(metric=f"Consumed{side}CapacityUnits", direction="down", after=_BURST, when="lowered"),
        Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900), when="lowered"),
        Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900), when="lowered"),
        Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800), when="lowered"),
        Effect(metric="role:throttles", direction="up", on="upstream", after=(0, 900), when="lowered"),
    )


def _own(name: str, unit: str) -> MetricSpec:
    # CloudWatch gets the settings themselves as metrics, every five minutes.
    return MetricSpec(
        type="table",
        name=name,
        stat="Maximum",
        role="setting",
        bad="down",
        missing="unknown",
        unit=unit,
        period=300,
    )


def _cap(side: str) -> Setting:
    member = f"Max{side}RequestUnits"
    camel = f"max{side}RequestUnits"
    words = f"{side.lower()}s per second"
    return Setting(
        type="table",
        name=f"maximum {side.lower()} throughput",
        path=f"OnDemandThroughput.{member}",
        unit=words,
        requests=dict.fromkeys(("UpdateTable", "CreateTable"), f"onDemandThroughput.{camel}"),
        restore=partial(_restore_cap, member),
        read=_read,
        query=f"Table.OnDemandThroughput.{member}",
        unset=-1,
        echo="unknown",
        echo_path=f"tableDescription.onDemandThroughput.{camel}",
        metric=_own(f"OnDemandMax{side}RequestUnits", words),
        limits=f"Consumed{side}CapacityUnits",
        effects=_throttle_effects(side, "MaxOnDemandThroughput"),
        ready=_ACTIVE,
        # Replicas of a global table have one maximum of writes; that of reads may differ.
        replicated=_REPLICA if side == "Write" else "",
        beside=(f"Table.OnDemandThroughput.Max{'Read' if side == 'Write' else 'Write'}RequestUnits",),
    )


def _capacity(side: str) -> Setting:
    member = f"{side}CapacityUnits"
    camel = f"{side.lower()}CapacityUnits"
    words = f"{side.lower()} units per second"
    return Setting(
        type="table",
        name=f"provisioned {side.lower()} capacity",
        path=f"ProvisionedThroughput.{member}",
        unit=words,
        requests=dict.fromkeys(("UpdateTable", "CreateTable"), f"provisionedThroughput.{camel}"),
        restore=partial(_restore_capacity, member),
        read=_read,
        query=f"Table.ProvisionedThroughput.{member}",
        echo="old",  # while the table is UPDATING the answer still shows the value before
        echo_path=f"tableDescription.provisionedThroughput.{camel}",
        metric=_own(f"Provisioned{side}CapacityUnits", words),
        limits=f"Consumed{side}CapacityUnits",
        effects=_throttle_effects(side, "ProvisionedThroughput"),
        ready=_ACTIVE,
        beside=(f"Table.ProvisionedThroughput.{'Read' if side == 'Write' else 'Write'}CapacityUnits",),
    )


SETTINGS = (
    _cap("Write"),
    _cap("Read"),
    _capacity("Write"),
    _capacity("Read"),
    Setting(
        type="table",
        name="billing mode",
        path="BillingModeSummary.BillingMode",
        unit="",
        replicated=_REPLICA,
        requests={"UpdateTable": "billingMode", "CreateTable": "billingMode"},
        restore=_restore_billing,
        read=_read,
        query="Table.BillingModeSummary.BillingMode",
        unset="PROVISIONED",
        effects=(
            *(
                Effect(metric=f"{side}{kind}", direction="up", after=(0, 1800))
                for side in ("Write", "Read")
                for kind in ("ThrottleEvents", "ProvisionedThroughputThrottleEvents")
            ),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
        ),
        ready=_ACTIVE,
    ),
    Setting(
        type="table",
        name="stream",
        path="StreamSpecification.StreamEnabled",
        unit="",
        requests=dict.fromkeys(("UpdateTable", "CreateTable"), "streamSpecification.streamEnabled"),
        restore=_restore_stream,
        read=_read,
        query="Table.StreamSpecification.StreamEnabled",
        unset=False,
        effects=(
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600), when="lowered"),
        ),
        ready=_ACTIVE,
        mind=(
            "A stream that is switched on again is another one, with an ARN of its own: event source mappings still "
            "read the old one and must be made anew. Changes made in between are in neither."
        ),
    ),
    Setting(
        type="table",
        name="time to live",
        path="TimeToLive.Enabled",
        unit="",
        requests={"UpdateTimeToLive": "timeToLiveSpecification.enabled"},
        restore=_restore_ttl,
        read=_read_ttl,
        query="TimeToLiveDescription.TimeToLiveStatus == 'ENABLED'",
        unset=False,
        effects=(Effect(metric="TimeToLiveDeletedItemCount", direction="silent", after=(0, 172800)),),
    ),
    Setting(
        type="table",
        name="deletion protection",
        path="DeletionProtectionEnabled",
        unit="",
        requests=dict.fromkeys(("UpdateTable", "CreateTable"), "deletionProtectionEnabled"),
        restore=_restore_protection,
        read=_read,
        query="Table.DeletionProtectionEnabled",
        unset=False,
        ready=_ACTIVE,
    ),
)


# -- changes ---------------------------------------------------------------------------------------


def _undo_update(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Index limits go back to what an earlier UpdateTable set; the table's own settings have a restore."""
    updates: list[Json] = []
    for update in event.request.get("globalSecondaryIndexUpdates") or []:
        body = update.get("update") or {}
        before = _index_before(text(body, "indexName"), earlier)
        if "onDemandThroughput" in body and before:
            both = {
                f"Max{side}RequestUnits": int(before.get(f"max{side}RequestUnits", -1))
                for side in ("Read", "Write")
            }
            updates.append({"Update": {"IndexName": body["indexName"], "OnDemandThroughput": both}})
    if not updates:
        return ()
    name = parse_arn(_table_arn(event)).name
    return (call("dynamodb", "UpdateTable", event, TableName=name, GlobalSecondaryIndexUpdates=updates),)


def _index_before(name: str, earlier: tuple[ChangeEvent, ...]) -> Json:
    for event in earlier:
        updates = [
            body
            for update in event.request.get("globalSecondaryIndexUpdates") or []
            for body in update.values()
        ]
        for body in [*updates, *(event.request.get("globalSecondaryIndexes") or [])]:
            if text(body, "indexName") == name and body.get("onDemandThroughput"):
                return dict(body["onDemandThroughput"])
    return {}


def _described(**more: Any) -> Json:
    return {
        "tableDescription": {
            "tableName": "orders",
            "tableStatus": "UPDATING",
            "tableArn": _ORDERS,
            "itemCount": 1288113,
            **more,
        }
    }


_ORDERS = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
_TAGGING: Mapping[str, Json] = {
    "TagResource": {"tags": [{"key": "team", "value": "shop"}]},
    "UntagResource": {"tagKeys": ["team"]},
}
_HARMLESS: Mapping[str, Json] = {
    "CreateBackup": {"backupName": "orders-before-move"},
    "UpdateContinuousBackups": {"pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": True}},
    "UpdateContributorInsights": {"contributorInsightsAction": "ENABLE"},
}

CHANGES = (
    Change(
        operation="UpdateTable",
        touches=_touches,
        breaks="Requests above a lowered limit are refused; readers of a disabled stream get nothing more.",
        example=record(
            _SOURCE,
            "UpdateTable",
            {
                "tableName": "orders",
                "onDemandThroughput": {"maxReadRequestUnits": 500, "maxWriteRequestUnits": 2},
            },
            _described(billingModeSummary={"billingMode": "PAY_PER_REQUEST"}),
        ),
        more_examples=tuple(
            record(_SOURCE, "UpdateTable", {"tableName": "orders", **request}, _described())
            for request in (
                {
                    "billingMode": "PROVISIONED",
                    "provisionedThroughput": {"readCapacityUnits": 100, "writeCapacityUnits": 5},
                },
                {"streamSpecification": {"streamEnabled": False}},
                {"deletionProtectionEnabled": False},
            )
        ),
        undo=_undo_update,
    ),
    Change(
        operation="UpdateTimeToLive",
        touches=_touches,
        breaks="Expired items are no longer deleted, or items are deleted that were meant to stay.",
        example=record(
            _SOURCE,
            "UpdateTimeToLive",
            {"tableName": "carts", "timeToLiveSpecification": {"enabled": False, "attributeName": "expires"}},
            {"timeToLiveSpecification": {"enabled": False, "attributeName": "expires"}},
        ),
    ),
    Change(
        operation="DeleteTable",
        touches=_touches,
        breaks="Every request to the table fails: it does not exist any more. Data without a backup is gone.",
        example=record(
            _SOURCE, "DeleteTable", {"tableName": "orders"}, _described(tableStatus="DELETING", itemCount=4)
        ),
        effects=(
            Effect(metric="ConsumedWriteCapacityUnits", direction="silent", after=(0, 300)),
            Effect(metric="ConsumedReadCapacityUnits", direction="silent", after=(0, 300)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
        ),
    ),
    Change(
        operation="PutResourcePolicy",
        touches=_touches_resource,
        breaks="Callers that the new policy denies are refused.",
        example=record(
            _SOURCE,
            "PutResourcePolicy",
            {
                "resourceArn": _ORDERS,
                "policy": '{"Version":"2012-10-17","Statement":[]}',
            },
            {"revisionId": "1773421951234"},
        ),
        effects=(Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),),
    ),
    Change(
        operation="DeleteResourcePolicy",
        touches=_touches_resource,
        breaks="Callers that only the policy allowed are refused.",
        example=record(
            _SOURCE,
            "DeleteResourcePolicy",
            {"resourceArn": _ORDERS},
            {"revisionId": "1773421951234"},
        ),
        effects=(Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),),
    ),
    inert(
        "CreateTable",
        _touches,
        record(
            _SOURCE,
            "CreateTable",
            {
                "tableName": "orders",
                "billingMode": "PAY_PER_REQUEST",
                "onDemandThroughput": {"maxReadRequestUnits": 500, "maxWriteRequestUnits": 250},
                "attributeDefinitions": [{"attributeName": "id", "attributeType": "S"}],
                "keySchema": [{"attributeName": "id", "keyType": "HASH"}],
            },
            _described(tableStatus="CREATING", itemCount=0),
        ),
    ),
    *(
        inert(operation, _touches_resource, record(_SOURCE, operation, {"resourceArn": _ORDERS, **request}))
        for operation, request in _TAGGING.items()
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, {"tableName": "orders", **request}))
        for operation, request in _HARMLESS.items()
    ),
)


# -- refusals that name their cause ----------------------------------------------------------------

_KINDS: Mapping[str, tuple[str, str, str]] = {
    # kind: setting path or condition key, error code, words
    "MaxOnDemandThroughput": (
        "OnDemandThroughput.Max{side}RequestUnits",
        "ThrottlingException",
        "the maximum {side} throughput set on the {what} was exceeded",
    ),
    "ProvisionedThroughput": (
        "ProvisionedThroughput.{side}CapacityUnits",
        "ProvisionedThroughputExceededException",
        "the provisioned {side} capacity of the {what} was exceeded",
    ),
    "KeyRangeThroughput": (
        "hot-partition-{side}",
        "ThrottlingException",
        "one key range (partition) of the {what} got more {side}s than a partition can take",
    ),
    "AccountLimit": (
        "account-limit-{side}",
        "ThrottlingException",
        "the account's {side} limit for tables in this region was exceeded",
    ),
}


def _reason(what: str, side: str, kind: str) -> Signature:
    points_to, code, says = _KINDS[kind]
    reason = f"{what}{side}{kind}Exceeded"
    path = points_to.format(side=side if "." in points_to else side.lower())
    return Signature(
        match=rf"\b{reason}\b",
        code=code,
        reason=reason,
        points_to=path,
        says=says.format(side=side.lower(), what=what.lower()),
    )


_SIDES = (
    ("Write", "PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems"),
    ("Read", "GetItem|Query|Scan|BatchGetItem|TransactGetItems"),
)
# SDKs that print the message alone do not tell reads from writes; the operation in the same line does.
_TEXTS = (
    (
        "Throughput exceeds the maximum OnDemandThroughput configured",
        "ThrottlingException",
        "OnDemandThroughput.Max{side}RequestUnits",
        "the maximum {low} throughput set on the table was exceeded",
    ),
    (
        "configured provisioned throughput for the table was exceeded",
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughput.{side}CapacityUnits",
        "the provisioned {low} capacity of the table was exceeded",
    ),
)

SIGNATURES = (
    *(
        _reason(what, side, kind)
        for kind in _KINDS
        for what in ("Table", "Index")
        for side in ("Write", "Read")
    ),
    *(
        Signature(
            match=rf"\b(?:{operations})\b.*{words}",
            code=code,
            reason="",
            points_to=path.format(side=side),
            says=says.format(low=side.lower()),
        )
        for words, code, path, says in _TEXTS
        for side, operations in _SIDES
    ),
)


def _insights(resource: Resource) -> tuple[Call, ...]:
    return (
        call(
            "dynamodb",
            "UpdateContributorInsights",
            resource,
            TableName=resource.name,
            ContributorInsightsAction="ENABLE",
        ),
    )


CONDITIONS = tuple(
    Condition(
        key=f"hot-partition-{side.lower()}",
        type="table",
        title=f"hot partition: {side.lower()}s concentrate on few keys",
        metrics=(f"{side}KeyRangeThroughputThrottleEvents", f"{side}ThrottleEvents"),
        breaks=f"{side}s of the busiest keys are refused although the table as a whole has room.",
        relieve=(
            "Find the busiest keys (Contributor Insights shows throttled keys) and slow their sender down.",
            "Raising the table's limit does not help: a partition takes 1,000 writes, 3,000 reads a second.",
        ),
        prevent=(
            "Spread the busiest keys (a suffix on the partition key), or cap what one tenant may send.",
            f"Alarm on {side}KeyRangeThroughputThrottleEvents above 0.",
        ),
        calls=_insights,
    )
    for side in ("Write", "Read")
) + tuple(
    Condition(
        key=f"account-limit-{side.lower()}",
        type="table",
        title=f"account limit: all tables together reached the region's {side.lower()} limit",
        metrics=(f"{side}AccountLimitThrottleEvents", f"{side}ThrottleEvents"),
        breaks=f"{side}s are refused although the table's own limit has room.",
        relieve=("Request a higher limit from Service Quotas; slow the largest consumer meanwhile.",),
        prevent=(
            f"Alarm on {side}AccountLimitThrottleEvents above 0 and review quotas before planned peaks.",
        ),
    )
    for side in ("Write", "Read")
)


def _metrics() -> tuple[MetricSpec, ...]:
    specs: list[MetricSpec] = []
    for side in ("Write", "Read"):
        low = side.lower()
        specs.append(
            MetricSpec(
                type="table",
                name=f"Consumed{side}CapacityUnits",
                stat="Sum",
                role="work",
                bad="down",
                missing="idle",
                unit=f"{low} units",
            )
        )
        for reason, words in (
            ("", "refused"),
            ("MaxOnDemandThroughput", "refused for the table's maximum"),
            ("KeyRangeThroughput", "refused for a hot partition"),
            ("ProvisionedThroughput", "refused for the provisioned capacity"),
            ("AccountLimit", "refused for the account's limit"),
        ):
            specs.append(
                MetricSpec(
                    type="table",
                    name=f"{side}{reason}ThrottleEvents",
                    stat="Sum",
                    role="throttles",
                    bad="up",
                    missing="zero",
                    unit=f"{low}s {words}",
                )
            )
        specs.append(_own(f"OnDemandMax{side}RequestUnits", f"{low}s per second"))
        specs.append(_own(f"Provisioned{side}CapacityUnits", f"{low} units per second"))
    specs.append(
        MetricSpec(
            type="table",
            name="TimeToLiveDeletedItemCount",
            stat="Sum",
            role="work",
            bad="",
            missing="idle",
            unit="expired items deleted",
        )
    )
    return tuple(specs)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """A table's indexes and its stream."""
    said_by = "dynamodb:DescribeTable"
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in resource.config.get(member) or []:
            target = text(index, "IndexArn") or f"{resource.arn}/index/{text(index, 'IndexName')}"
            yield relation(resource, target, "consists of", f"{said_by} {member}")
    if stream := text(resource.config, "LatestStreamArn"):
        yield relation(resource, stream, "feeds", f"{said_by} LatestStreamArn")


def parts(resource: Resource) -> Iterable[Resource]:
    """A table's stream, whose ARN ends with a time."""
    if stream := text(resource.config, "LatestStreamArn"):
        yield replace(resource, arn=stream, type="table-stream", name=resource.name, config={}, tags={})


SERVICE = Service(
    name="dynamodb",
    title="DynamoDB",
    client="dynamodb",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListTables", action="dynamodb:ListTables", shows="which tables exist"),
        Read(
            operation="DescribeTable",
            action="dynamodb:DescribeTable",
            shows="a table's limits, status and stream",
        ),
        Read(
            operation="DescribeTimeToLive", action="dynamodb:DescribeTimeToLive", shows="whether items expire"
        ),
        Read(operation="ListTagsOfResource", action="dynamodb:ListTagsOfResource", shows="who owns a table"),
    ),
    types={"table": "container", "index": "component"},
    arns={"table": r"dynamodb:table/[^/]+", "index": r"dynamodb:table/[^/]+/index/[^/]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, parts=parts, skips=("DescribeTimeToLive",)),
    namespace="AWS/DynamoDB",
    dimensions=lambda resource: (("TableName", resource.name),) if resource.type == "table" else (),
    owner=owner,
    metrics=_metrics(),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
)
