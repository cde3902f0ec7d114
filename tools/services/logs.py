"""CloudWatch Logs: log groups, how long they keep lines, who receives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput
from tools.kit import call, optional, record, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
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

_SOURCE = "logs.amazonaws.com"


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    for key in ("logGroupName", "logGroupIdentifier", "resourceArn", "resourceIdentifier", "logGroup"):
        if found := text(event.request, key):
            arn = found.removesuffix(":*")
            named = (
                arn
                if arns.is_arn(arn)
                else arns.build("logs", event.region, event.account, f"log-group:{arn}")
            )
            return (named,)
    return ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All log groups."""
    groups = reader.pages(
        "logs", "DescribeLogGroups", "logGroups", region=region, token=("nextToken", "nextToken")
    )
    for group in groups.items:
        yield _group(group, region, groups.evidence)


def _group(group: Mapping[str, Any], region: str, evidence: tuple[str, ...], **more: Any) -> Resource:
    arn = str(group["arn"]).removesuffix(":*")
    return Resource(
        arn=arn,
        service="logs",
        type="log-group",
        name=group["logGroupName"],
        account=arns.parse(arn).account,
        region=region,
        config={**group, **more},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """The log group with its retention, key and subscription filters."""
    parts = arns.parse(arn)
    name = parts.name
    answer = reader.ask("logs", "DescribeLogGroups", region=parts.region, logGroupNamePrefix=name)
    for group in answer.data.get("logGroups") or []:
        if group["logGroupName"] == name:
            filters = optional(
                reader,
                "logs",
                "DescribeSubscriptionFilters",
                "Subscription filters",
                region=parts.region,
                logGroupName=name,
            )
            more = {"subscriptionFilters": filters.data.get("subscriptionFilters", [])} if filters else {}
            ids = (answer.evidence, filters.evidence if filters else "")
            return _group(group, parts.region, ids, **more)
    return None


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Who receives the lines by subscription filters, and the key that encrypts them."""
    for item in resource.config.get("subscriptionFilters") or []:
        if target := text(item, "destinationArn"):
            yield _relation(resource, target, "sends to", "DescribeSubscriptionFilters destinationArn")
    if key := text(resource.config, "kmsKeyId"):
        yield _relation(resource, key, "uses", "DescribeLogGroups kmsKeyId")


def _relation(resource: Resource, target: str, kind: str, field: str) -> Relation:
    return Relation(
        source=resource.arn, target=target, kind=kind, provenance=f"logs:{field}", evidence=resource.evidence
    )


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("LogGroupName", "")
    return f"arn:{partition}:logs:{region}:{account}:log-group:{name}" if name else ""


# -- settings ---------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("logs", "DescribeLogGroups", resource, logGroupNamePrefix=resource.name, limit=1)


def _restore_retention(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return (call("logs", "DeleteRetentionPolicy", resource, logGroupName=resource.name),)
    days = whole(value)
    return (call("logs", "PutRetentionPolicy", resource, logGroupName=resource.name, retentionInDays=days),)


def _restore_key(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return (call("logs", "DisassociateKmsKey", resource, logGroupName=resource.name),)
    return (call("logs", "AssociateKmsKey", resource, logGroupName=resource.name, kmsKeyId=str(value)),)


SETTINGS = (
    Setting(
        type="log-group",
        name="retention",
        path="retentionInDays",
        unit="days",
        requests={"PutRetentionPolicy": "retentionInDays", "DeleteRetentionPolicy": "`null`"},
        restore=_restore_retention,
        read=_read,
        query="logGroups[0].retentionInDays",
        echo="none",
    ),
    Setting(
        type="log-group",
        name="encryption key",
        path="kmsKeyId",
        unit="",
        requests={
            "AssociateKmsKey": "kmsKeyId",
            "DisassociateKmsKey": "`null`",
            "CreateLogGroup": "kmsKeyId",
        },
        restore=_restore_key,
        read=_read,
        query="logGroups[0].kmsKeyId",
        echo="none",
        effects=(Effect(metric="IncomingLogEvents", direction="silent", after=(0, 3600)),),
    ),
)

# -- changes ----------------------------------------------------------------------------------------


def _undo_filter(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The subscription or metric filter as it was last put; nothing when that is not known."""
    put = event.operation.replace("Delete", "Put")
    name = text(event.request, "filterName")
    for before in earlier:
        if text(before.request, "filterName") != name or before.id == event.id:
            continue
        if before.operation != put:
            return ()
        from tools.parameters import from_cloudtrail

        try:
            return (call("logs", put, event, **from_cloudtrail("logs", put, before.request)),)
        except BadInput:
            return ()
    return ()


_GROUP: Json = {"logGroupName": "/aws/lambda/order-writer"}
_SUBSCRIPTION: Json = {
    **_GROUP,
    "filterName": "to-archive",
    "filterPattern": "",
    "destinationArn": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/logs-archive",
    "roleArn": "arn:aws:iam::111122223333:role/logs-to-archive",
}
_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
_METRIC: Json = {
    **_GROUP,
    "filterName": "failed-orders",
    "filterPattern": '"order failed"',
    "metricTransformations": [{"metricName": "FailedOrders", "metricNamespace": "Shop", "metricValue": "1"}],
}


def _change(operation: str, breaks: str, request: Json, *effects: Effect, undo: Any = None) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=record(_SOURCE, operation, request),
        effects=effects,
        undo=undo,
    )


_UNHEARD = Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900))

CHANGES = (
    _change("PutRetentionPolicy", "Older lines are deleted for good.", {**_GROUP, "retentionInDays": 1}),
    _change("DeleteRetentionPolicy", "Lines are kept for ever; cost grows.", _GROUP),
    _change(
        "DeleteLogGroup",
        "All lines are gone; alarms and receivers that live on them fall silent.",
        _GROUP,
        Effect(metric="IncomingLogEvents", direction="silent", after=(0, 900)),
        _UNHEARD,
    ),
    _change(
        "PutSubscriptionFilter",
        "Lines go to another receiver, or fewer of them.",
        _SUBSCRIPTION,
        Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
        undo=_undo_filter,
    ),
    _change(
        "DeleteSubscriptionFilter",
        "The receiver gets no more lines.",
        {**_GROUP, "filterName": "to-archive"},
        _UNHEARD,
        undo=_undo_filter,
    ),
    _change(
        "PutMetricFilter",
        "Metrics made from lines change, and with them their alarms.",
        _METRIC,
        undo=_undo_filter,
    ),
    _change(
        "DeleteMetricFilter",
        "Metrics made from lines stop; alarms on them see nothing.",
        {**_GROUP, "filterName": "failed-orders"},
        undo=_undo_filter,
    ),
    _change("AssociateKmsKey", "Lines are lost when Logs may not use the key.", {**_GROUP, "kmsKeyId": _KEY}),
    _change("DisassociateKmsKey", "New lines are encrypted by Logs' own key.", _GROUP),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request))
        for operation, request in (
            ("CreateLogGroup", {**_GROUP, "kmsKeyId": _KEY}),
            ("CreateLogStream", {**_GROUP, "logStreamName": "2026/03/13/[$LATEST]0a1b2c3d"}),
            (
                "TagResource",
                {"resourceArn": f"arn:aws:logs:eu-west-1:111122223333:log-group:{_GROUP['logGroupName']}"},
            ),
        )
    ),
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The role that a subscription filter works as."""
    for item in resource.config.get("subscriptionFilters") or []:
        if role := text(item, "roleArn"):
            yield _relation(resource, role, "runs as", "DescribeSubscriptionFilters roleArn")


def fill(reader: Reader, resource: Resource) -> Resource:
    """With its subscription filters, which no list of groups tells."""
    told = reader.ask(
        "logs", "DescribeSubscriptionFilters", region=resource.region, logGroupName=resource.name
    )
    config = {**resource.config, "subscriptionFilters": told.data.get("subscriptionFilters") or []}
    return replace(resource, config=config, evidence=(*resource.evidence, told.evidence))


SERVICE = Service(
    name="logs",
    title="CloudWatch Logs",
    client="logs",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="DescribeLogGroups", action="logs:DescribeLogGroups", shows="which log groups exist"),
        Read(
            operation="DescribeSubscriptionFilters",
            action="logs:DescribeSubscriptionFilters",
            shows="who receives the lines of a log group",
        ),
        Read(
            operation="DescribeLogStreams",
            action="logs:DescribeLogStreams",
            shows="which instances write to a log group",
        ),
    ),
    types={"log-group": "other"},
    arns={"log-group": r"logs:log-group:[^:]+(?::\*)?"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, fill=fill, fills=("log-group",)),
    namespace="AWS/Logs",
    dimensions=lambda resource: (("LogGroupName", resource.name),),
    owner=owner,
    metrics=(
        MetricSpec(
            type="log-group",
            name="IncomingLogEvents",
            stat="Sum",
            role="work",
            bad="",
            missing="idle",
            unit="log lines",
        ),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    signatures=(
        Signature(
            match=r"ResourceNotFoundException.*The specified log group does not exist",
            code="ResourceNotFoundException",
            reason="log group",
            points_to="DeleteLogGroup",
            says="the log group does not exist",
        ),
    ),
    log_groups=lambda resource: (resource.name,),
    listed=False,
    complete=("log-group",),
)
