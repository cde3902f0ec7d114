"""SQS: queues, their waiting messages, redrive and policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, optional, record, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.policies import document, listed
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

_SOURCE = "sqs.amazonaws.com"
_URL = re.compile(r"^https?://[^/]+/(\d{12})/([^/?]+)$")


def queue_url(arn: str) -> str:
    """The URL of a queue, by AWS's rule for queue URLs."""
    parts = arns.parse(arn)
    suffix = "amazonaws.com.cn" if parts.partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{parts.region}.{suffix}/{parts.account}/{parts.resource}"


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    url = text(event.request, "queueUrl") or text(event.response, "queueUrl")
    if found := _URL.match(url):
        return (arns.build("sqs", event.region, found.group(1), found.group(2)),)
    name = text(event.request, "queueName")
    return (arns.build("sqs", event.region, event.account, name),) if name else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """URLs of all queues; `describe` reads one whole."""
    queues = reader.pages("sqs", "ListQueues", "QueueUrls", region=region, MaxResults=1000)
    for url in queues.items:
        if found := _URL.match(url):
            arn = arns.build("sqs", region, found.group(1), found.group(2))
            yield _queue(arn, {"QueueUrl": url}, queues.evidence, {})


def _queue(arn: str, config: Json, evidence: tuple[str, ...], tags: dict[str, str]) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="sqs",
        type="queue",
        name=parts.resource,
        account=parts.account,
        region=parts.region,
        config=config,
        tags=tags,
        evidence=evidence,
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """The queue with its attributes at the top of `config`, the queues that fail into it, and tags."""
    region, url = arns.parse(arn).region, queue_url(arn)
    try:
        answer = reader.ask("sqs", "GetQueueAttributes", region=region, QueueUrl=url, AttributeNames=["All"])
    except NotThere:
        return None
    config: Json = {**_numbers(answer.data.get("Attributes", {})), "QueueUrl": url}
    evidence = [answer.evidence]
    what = "Queues that send their failures here"
    sources = optional(reader, "sqs", "ListDeadLetterSourceQueues", what, region=region, QueueUrl=url)
    if sources is not None:
        config["DeadLetterSources"] = list(sources.data.get("queueUrls") or [])
        evidence.append(sources.evidence)
    tags = optional(reader, "sqs", "ListQueueTags", "Tags", region=region, QueueUrl=url)
    kept = dict(tags.data.get("Tags") or {}) if tags else {}
    return _queue(arn, config, tuple(id for id in evidence if id), kept)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Where messages go after too many failures, the queue's key, and who may send by the queue's own policy."""
    dead = text(document(resource.config.get("RedrivePolicy") or "{}"), "deadLetterTargetArn")
    if dead:
        yield _relation(resource.arn, dead, "sends failures to", "RedrivePolicy", resource)
    for url in resource.config.get("DeadLetterSources") or []:
        if found := _URL.match(url):
            source = arns.build("sqs", resource.region, found.group(1), found.group(2))
            yield _relation(source, resource.arn, "sends failures to", "ListDeadLetterSourceQueues", resource)
    yield from uses_key(
        resource, text(resource.config, "KmsMasterKeyId"), "sqs:GetQueueAttributes KmsMasterKeyId"
    )
    for statement in listed(document(resource.config.get("Policy") or "{}").get("Statement")):
        for sender in _senders(statement):
            if arns.is_arn(sender):
                yield _relation(sender, resource.arn, "may send to", "Policy", resource, 0.6)


def _relation(
    source: str, target: str, kind: str, field: str, resource: Resource, confidence: float = 1.0
) -> Relation:
    return Relation(
        source=source,
        target=target,
        kind=kind,
        provenance=f"sqs:GetQueueAttributes {field}",
        confidence=confidence,
        evidence=resource.evidence,
    )


def _senders(statement: Mapping[str, Any]) -> list[str]:
    """ARNs without wildcards that an allowing statement admits by aws:SourceArn."""
    if statement.get("Effect") != "Allow":
        return []
    found = [
        str(item)
        for test in (statement.get("Condition") or {}).values()
        for key, value in test.items()
        if key.lower() == "aws:sourcearn"
        for item in listed(value)
    ]
    return [item for item in found if "*" not in item]


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("QueueName", "")
    return f"arn:{partition}:sqs:{region}:{account}:{name}" if name else ""


# -- settings ---------------------------------------------------------------------------------------


def _read(name: str, resource: Resource) -> Call:
    return call(
        "sqs", "GetQueueAttributes", resource, QueueUrl=queue_url(resource.arn), AttributeNames=[name]
    )


def _restore(name: str, default: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # SetQueueAttributes keeps the attributes that are not sent. An empty text removes a policy.
    sent = default if value is None else str(value) if isinstance(value, str) else str(whole(value))
    url = queue_url(resource.arn)
    return (call("sqs", "SetQueueAttributes", resource, QueueUrl=url, Attributes={name: sent}),)


_NUMBERS = frozenset({"MaximumMessageSize"})
_COUNTED = re.compile(r"^\d{1,9}$")


def _as_number(event: ChangeEvent, value: Value) -> Value:
    """Attributes are texts on the wire, also those that are numbers (SQS API reference)."""
    return int(value) if isinstance(value, str) and _COUNTED.match(value) else value


def _numbers(attributes: Json) -> Json:
    """Attributes of the answer with those that are settings and numbers as numbers."""
    wanted = {setting.path for setting in SETTINGS if setting.means is not None}
    return {
        name: int(value) if name in wanted and _COUNTED.match(str(value)) else value
        for name, value in attributes.items()
    }


def _setting(name: str, words: str, unit: str, default: Value, *effects: Effect) -> Setting:
    return Setting(
        type="queue",
        name=words,
        path=name,
        unit=unit,
        requests=dict.fromkeys(("SetQueueAttributes", "CreateQueue"), f"attributes.{name}"),
        restore=partial(_restore, name, "" if default is None else str(default)),
        read=partial(_read, name),
        query=f"Attributes.{name}",
        unset=default,
        echo="none",
        effects=effects,
        means=_as_number if isinstance(default, int) or name in _NUMBERS else None,
    )


_DUPLICATES = (
    Effect(metric="NumberOfMessagesReceived", direction="up", after=(0, 1800), when="lowered"),
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 3600), when="lowered"),
    Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 7200), when="lowered"),
)
_REFUSED = (
    Effect(metric="NumberOfMessagesSent", direction="down", after=(0, 600)),
    Effect(metric="NumberOfMessagesSent", direction="silent", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
)

SETTINGS = (
    _setting("VisibilityTimeout", "visibility timeout", "seconds", 30, *_DUPLICATES),
    _setting(
        "MessageRetentionPeriod",
        "message retention",
        "seconds",
        345600,
        Effect(
            metric="ApproximateNumberOfMessagesVisible", direction="down", after=(0, 3600), when="lowered"
        ),
    ),
    _setting(
        "DelaySeconds",
        "delivery delay",
        "seconds",
        0,
        Effect(metric="ApproximateNumberOfMessagesDelayed", direction="up", after=(0, 600), when="raised"),
        Effect(metric="ApproximateAgeOfOldestMessage", direction="up", after=(0, 1800), when="raised"),
        Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900), when="raised"),
    ),
    _setting(
        "MaximumMessageSize",
        "maximum message size",
        "bytes",
        None,
        Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600), when="lowered"),
        Effect(metric="NumberOfMessagesSent", direction="down", after=(0, 600), when="lowered"),
    ),
    _setting(
        "ReceiveMessageWaitTimeSeconds",
        "long polling wait",
        "seconds",
        0,
        Effect(metric="NumberOfEmptyReceives", direction="up", after=(0, 900), when="lowered"),
    ),
    _setting(
        "RedrivePolicy",
        "dead-letter queue and receive count",
        "",
        None,
        Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 7200)),
        Effect(metric="NumberOfMessagesReceived", direction="up", after=(0, 7200), when="removed"),
    ),
    _setting("Policy", "queue policy", "", None, *_REFUSED),
    _setting("KmsMasterKeyId", "encryption key", "", None, *_REFUSED),
)

# -- changes ----------------------------------------------------------------------------------------

_QUEUE: Json = {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/orders-queue"}
_ATTRIBUTES: Json = {
    "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "MaximumMessageSize": "262144",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead", "maxReceiveCount": 5}
    ),
    "Policy": json.dumps({"Version": "2012-10-17", "Statement": []}),
    "KmsMasterKeyId": "alias/aws/sqs",
}

CHANGES = (
    Change(
        operation="SetQueueAttributes",
        touches=_touches,
        breaks="Messages are handled twice, dropped, delayed or refused.",
        example=record(_SOURCE, "SetQueueAttributes", {**_QUEUE, "attributes": _ATTRIBUTES}),
    ),
    Change(
        operation="PurgeQueue",
        touches=_touches,
        breaks="All waiting messages are gone for good.",
        example=record(_SOURCE, "PurgeQueue", _QUEUE),
        effects=(
            Effect(metric="ApproximateNumberOfMessagesVisible", direction="down", after=(0, 300)),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600)),
        ),
    ),
    Change(
        operation="DeleteQueue",
        touches=_touches,
        breaks="Senders fail and receivers get nothing more; waiting messages are gone.",
        example=record(_SOURCE, "DeleteQueue", _QUEUE),
        effects=(
            Effect(metric="NumberOfMessagesSent", direction="silent", after=(0, 300)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
        ),
    ),
    *(
        Change(
            operation=operation,
            touches=_touches,
            breaks="Senders or receivers that the policy no longer allows are refused.",
            example=record(_SOURCE, operation, {**_QUEUE, **more}),
            effects=_REFUSED,
        )
        for operation, more in (
            ("RemovePermission", {"label": "partner"}),
            (
                "AddPermission",
                {"label": "partner", "aWSAccountIds": ["444455556666"], "actions": ["SendMessage"]},
            ),
        )
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, {**_QUEUE, **more}))
        for operation, more in (
            ("TagQueue", {"tags": {"team": "shop"}}),
            ("UntagQueue", {"tagKeys": ["team"]}),
            ("CreateQueue", {"queueName": "orders-queue", "attributes": _ATTRIBUTES}),
        )
    ),
)


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str) -> MetricSpec:
    # SQS stops sending metrics of a queue that was not used for six hours.
    return MetricSpec(type="queue", name=name, stat=stat, role=role, bad=bad, missing="idle", unit=unit)


SERVICE = Service(
    name="sqs",
    title="SQS",
    client="sqs",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListQueues", action="sqs:ListQueues", shows="which queues exist"),
        Read(
            operation="GetQueueAttributes",
            action="sqs:GetQueueAttributes",
            shows="a queue's settings and redrive",
        ),
        Read(
            operation="ListDeadLetterSourceQueues",
            action="sqs:ListDeadLetterSourceQueues",
            shows="which queues send their failures to a queue",
        ),
        Read(operation="ListQueueTags", action="sqs:ListQueueTags", shows="who owns a queue"),
    ),
    types={"queue": "container"},
    arns={"queue": r"sqs:[^:/]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(skips=("ListDeadLetterSourceQueues",)),  # each queue tells its own
    namespace="AWS/SQS",
    dimensions=lambda resource: (("QueueName", resource.name),),
    owner=owner,
    metrics=(
        _metric("ApproximateAgeOfOldestMessage", "Maximum", "backlog", "up", "seconds"),
        _metric("ApproximateNumberOfMessagesVisible", "Maximum", "backlog", "up", "waiting messages"),
        _metric("ApproximateNumberOfMessagesNotVisible", "Maximum", "saturation", "up", "messages in flight"),
        _metric("ApproximateNumberOfMessagesDelayed", "Maximum", "saturation", "", "delayed messages"),
        _metric("NumberOfMessagesSent", "Sum", "demand", "down", "messages sent"),
        _metric("NumberOfMessagesReceived", "Sum", "work", "", "messages received"),
        _metric("NumberOfMessagesDeleted", "Sum", "work", "down", "messages done"),
        _metric("NumberOfEmptyReceives", "Sum", "saturation", "", "empty receives"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    signatures=(
        Signature(
            match=r"AWS\.SimpleQueueService\.NonExistentQueue|\bQueueDoesNotExist\b",
            code="QueueDoesNotExist",
            reason="",
            points_to="DeleteQueue",
            says="the queue does not exist",
        ),
        Signature(
            match=r"Queue visibility timeout: \d+ seconds is less than Function timeout: \d+ seconds",
            code="InvalidParameterValueException",
            reason="",
            points_to="VisibilityTimeout",
            says="the queue's visibility timeout is shorter than the function's timeout",
        ),
        Signature(
            match=r"One or more parameters are invalid\. Reason: Message must be shorter than \d+ bytes",
            code="InvalidParameterValue",
            reason="",
            points_to="MaximumMessageSize",
            says="the message was larger than the queue allows",
        ),
    ),
)
