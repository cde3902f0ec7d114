"""SQS's configuration reads."""

from __future__ import annotations

import json

from evals.world.asking import Ask, Refusal, handles
from evals.world.domains import domain
from evals.world.keys import REUSE, key_of
from evals.world.world import Thing
from tools.models import Json

_GONE = "The specified queue does not exist."


def url(ask: Ask, queue: Thing) -> str:
    return f"https://sqs.{queue.region}.{domain(queue.region)}/{ask.world.account}/{queue.name}"


def _queue(ask: Ask) -> Thing:
    name = str(ask.need("QueueUrl")).rsplit("/", 1)[-1]
    found = ask.world.named("queue", name, ask.region)
    if found is None:
        raise Refusal("AWS.SimpleQueueService.NonExistentQueue", _GONE)
    return found


@handles("sqs", "ListQueues")
def list_queues(ask: Ask) -> Json:
    prefix, size, token = (
        ask.take("QueueNamePrefix", ""),
        int(ask.take("MaxResults", 1000)),
        ask.take("NextToken"),
    )
    found = [url(ask, queue) for queue in ask.world.of("queue", ask.region) if queue.name.startswith(prefix)]
    page, following = ask.page(found, size, token)
    answer: Json = {"QueueUrls": page} if page else {}
    if following:
        answer["NextToken"] = following
    return answer


@handles("sqs", "GetQueueUrl")
def get_queue_url(ask: Ask) -> Json:
    ask.only("QueueOwnerAWSAccountId", ask.world.account)
    found = ask.world.named("queue", str(ask.need("QueueName")), ask.region)
    if found is None:
        raise Refusal("AWS.SimpleQueueService.NonExistentQueue", _GONE)
    return {"QueueUrl": url(ask, found)}


@handles("sqs", "GetQueueAttributes")
def get_queue_attributes(ask: Ask) -> Json:
    queue = _queue(ask)
    names = ask.take("AttributeNames", [])
    minute = int(ask.as_of.timestamp()) // 60
    waiting = _gauge(ask, queue, "ApproximateNumberOfMessagesVisible", minute)
    moment = str(int(queue.created.timestamp()))
    every = {
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(waiting),
        "ApproximateNumberOfMessagesNotVisible": str(
            _gauge(ask, queue, "ApproximateNumberOfMessagesNotVisible", minute)
        ),
        "ApproximateNumberOfMessagesDelayed": "0",
        "CreatedTimestamp": moment,
        "LastModifiedTimestamp": moment,
        "VisibilityTimeout": str(queue.at("VisibilityTimeout", ask.as_of)),
        "MaximumMessageSize": "262144",
        "MessageRetentionPeriod": str(queue.at("MessageRetentionPeriod", ask.as_of)),
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }
    key = key_of(ask.world, queue)
    if key is not None:
        del every["SqsManagedSseEnabled"]
        every |= {"KmsMasterKeyId": key.arn, "KmsDataKeyReusePeriodSeconds": str(REUSE)}
    policy = queue.at("Policy", ask.as_of)
    if policy:
        every["Policy"] = policy
    target = queue.fixed.get("dead_letter")
    if target:
        every["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 5})
    shown = every if "All" in names else {name: every[name] for name in names if name in every}
    return {"Attributes": shown}


def _gauge(ask: Ask, queue: Thing, name: str, minute: int) -> int:
    """What the queue's own metric says of this minute."""
    source = ask.world.telemetry.find("AWS/SQS", name, (("QueueName", queue.name),))
    sample = source.emit(minute) if source else None
    return int(sample.high) if sample else 0


@handles("sqs", "ListQueueTags")
def list_queue_tags(ask: Ask) -> Json:
    tags = _queue(ask).tags(ask.as_of)
    return {"Tags": tags} if tags else {}


@handles("sqs", "ListDeadLetterSourceQueues")
def list_dead_letter_source_queues(ask: Ask) -> Json:
    queue = _queue(ask)
    size, token = int(ask.take("MaxResults", 1000)), ask.take("NextToken")
    found = [
        url(ask, one)
        for one in ask.world.of("queue", ask.region)
        if one.fixed.get("dead_letter") == queue.arn
    ]
    page, following = ask.page(found, size, token)
    answer: Json = {"queueUrls": page}
    if following:
        answer["NextToken"] = following
    return answer
