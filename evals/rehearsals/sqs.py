"""Queues: their attributes, all of them texts."""

from __future__ import annotations

import json
from typing import Any

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay
from evals.rehearsals._spec import Ids, Item, Seeder, do
from tools.models import Json

_ATTRIBUTES = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _make(emulation: Emulation, item: Item) -> Ids:
    set_ = {name: _text(item.get(name)) for name in _ATTRIBUTES if item.get(name) is not None}
    policy = json.loads(set_.get("RedrivePolicy") or "{}")
    dead = str(policy.get("deadLetterTargetArn", ""))
    if dead:
        do(emulation, "sqs", "CreateQueue", item.region, QueueName=dead.rsplit(":", 1)[-1])
    do(emulation, "sqs", "CreateQueue", item.region, QueueName=item.name, Attributes=set_ or None)
    return {}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    url = do(emulation, "sqs", "GetQueueUrl", item.region, QueueName=item.name)["QueueUrl"]
    shown = do(emulation, "sqs", "GetQueueAttributes", item.region, QueueUrl=url, AttributeNames=["All"])
    return {name: value for name, value in shown["Attributes"].items() if name in _ATTRIBUTES}


SEEDERS = (Seeder(kind="queue", service="sqs", paths=_ATTRIBUTES, make=_make, read=_read),)


def _lay(lay: Lay) -> None:
    """The queue that the event names."""
    own = str(lay.told("queueUrl"))
    made = lay.do("sqs", "CreateQueue", QueueName=own.rsplit("/", 1)[-1])
    lay.known(own, made["QueueUrl"])


GROUNDS = (Ground(service="sqs", lay=_lay, asks={"GetQueueAttributes": {"AttributeNames": ["All"]}}),)
