"""SNS topics in worlds: deliveries, filters, queue policies, what is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.world import World, load_case
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import NotThere
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: A topic
people: {operator: {way: user-console, name: "{person_1}"}}
resources:
  topic: {kind: topic, name: placed, calls: queue, with: {values: {new: 0.75, gone: 0.25}}}
  queue: {kind: queue, name: placed-in, calls: worker}
  worker: {kind: function, name: worker}
traffic: {per_second: 8}
alarms:
  alarm:
    name: undelivered
    "on": topic
    namespace: AWS/SNS
    metric: NumberOfNotificationsFailed
    dimensions: {TopicName: "{name}"}
    stat: Sum
    threshold: 0
    missing: notBreaching
look: {after: moment, minutes: 30}
switches: {noise: 0}
"""
OWNER = [
    {"Sid": "own", "Effect": "Allow", "Principal": {"AWS": "{account}"}, "Action": "sqs:*", "Resource": "*"}
]
NEW = {"event_type": ["new"]}


def world(tmp_path: Path, key: str, path: str, to: Any, first: Json | None = None) -> World:
    case = yaml.safe_load(CASE)
    case["resources"]["topic"]["settings"] = first or {}
    case["events"] = [{"id": "change", "at": "0s", "who": "operator", "set": key, "path": path, "to": to}]
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, 2)


def sums(made: World, namespace: str, name: str, held: dict[str, str]) -> tuple[float, float]:
    """Totals of a metric in the half hour before the moment and in the one after."""
    first = int(made.flows["case"].demand.anchor) // 60
    source = made.telemetry.find(namespace, name, tuple(held.items()))
    assert source is not None, name
    found = [
        sum(one.total for minute in span if (one := source.emit(minute)) is not None)
        for span in (range(first - 30, first), range(first + 1, first + 31))
    ]
    return found[0], found[1]


def topic(made: World, name: str) -> tuple[float, float]:
    return sums(made, "AWS/SNS", name, {"TopicName": "placed"})


def ask(made: World, service: str, operation: str, /, **given: Any) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask(service, operation, made.region, given)


def call(made: World) -> Json:
    return made.trail.by_id[made.facts["change.event_id"]].body


def test_a_queue_that_no_longer_lets_the_topic_in_gets_nothing(tmp_path: Path) -> None:
    made = world(tmp_path, "queue", "Policy", OWNER)
    published = topic(made, "NumberOfMessagesPublished")
    delivered = topic(made, "NumberOfNotificationsDelivered")
    failed = topic(made, "NumberOfNotificationsFailed")
    assert list(failed) == [0, published[1]]
    assert list(delivered) == [published[0], 0]
    assert published[1] > 10_000
    sent = sums(made, "AWS/SQS", "NumberOfMessagesSent", {"QueueName": "placed-in"})
    assert sent == delivered
    assert sums(made, "AWS/Lambda", "Invocations", {"FunctionName": "worker"}) == (published[0], 0)
    request = call(made)["requestParameters"]
    assert json.loads(request["attributes"]["Policy"])["Statement"][0]["Principal"] == {"AWS": made.account}
    shown = ask(
        made, "sqs", "GetQueueAttributes", QueueUrl=made.facts["queue.url"], AttributeNames=["Policy"]
    )
    assert shown["Attributes"]["Policy"] == made.facts["change.after"] == request["attributes"]["Policy"]
    held = json.loads(made.facts["change.before"])["Statement"][0]
    assert held["Condition"] == {"ArnEquals": {"aws:SourceArn": made.facts["topic.arn"]}}
    assert made.alarms["undelivered"].state(made.start).value == "ALARM"


@pytest.mark.parametrize(
    "more",
    [
        {"Condition": {"ArnLike": {"aws:SourceArn": "{topic.arn}"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "{account}"}}},
        {"Action": ["sqs:Send*"]},
    ],
)
def test_another_statement_that_lets_the_topic_in_changes_nothing(tmp_path: Path, more: Json) -> None:
    wide = OWNER[0] | {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "SQS:SendMessage"}
    made = world(tmp_path, "queue", "Policy", [wide | more])
    assert topic(made, "NumberOfNotificationsFailed") == (0, 0)
    assert "onset" not in made.facts


@pytest.mark.parametrize(
    "more",
    [
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:444455556666:other"}}},
        {"Effect": "Deny"},
        {"Action": "sqs:ReceiveMessage"},
    ],
)
def test_a_statement_of_something_else_lets_nothing_in(tmp_path: Path, more: Json) -> None:
    wide = OWNER[0] | {"Principal": "*", "Action": "SQS:SendMessage"}
    made = world(tmp_path, "queue", "Policy", [wide | more])
    before, after = topic(made, "NumberOfNotificationsFailed")
    assert (before, after > 10_000) == (0, True)


def test_a_filter_that_is_always_there_is_no_trouble_and_a_narrower_one_is(tmp_path: Path) -> None:
    made = world(
        tmp_path, "topic_subscription", "FilterPolicy", {"event_type": ["none"]}, {"FilterPolicy": NEW}
    )
    published = topic(made, "NumberOfMessagesPublished")
    filtered = topic(made, "NumberOfNotificationsFilteredOut")
    assert filtered[0] == pytest.approx(0.25 * published[0], rel=0.02)
    assert filtered[1] == published[1]
    assert topic(made, "NumberOfNotificationsDelivered") == (published[0] - filtered[0], 0)
    assert topic(made, "NumberOfNotificationsFailed") == (0, 0)
    assert call(made)["requestParameters"] == {
        "subscriptionArn": made.facts["change.resource"],
        "attributeName": "FilterPolicy",
        "attributeValue": '{"event_type":["none"]}',
    }


def test_an_ended_subscription_gets_nothing_and_filters_nothing(tmp_path: Path) -> None:
    made = world(tmp_path, "topic_subscription", "Endpoint", None)
    published = topic(made, "NumberOfMessagesPublished")
    assert topic(made, "NumberOfNotificationsDelivered") == (published[0], 0)
    assert topic(made, "NumberOfNotificationsFilteredOut") == (0, 0)
    assert (call(made)["eventName"], call(made)["responseElements"]) == ("Unsubscribe", None)
    arn = made.facts["topic.arn"]
    assert ask(made, "sns", "ListSubscriptionsByTopic", TopicArn=arn)["Subscriptions"] == []
    assert ask(made, "sns", "GetTopicAttributes", TopicArn=arn)["Attributes"]["SubscriptionsDeleted"] == "1"
    with pytest.raises(NotThere):
        ask(made, "sns", "GetSubscriptionAttributes", SubscriptionArn=made.facts["change.resource"])


def test_what_a_topic_and_its_subscription_answer(tmp_path: Path) -> None:
    made = world(tmp_path, "topic", "DisplayName", "shop", {"FilterPolicy": NEW})
    arn = made.facts["topic.arn"]
    listed = ask(made, "sns", "ListSubscriptionsByTopic", TopicArn=arn)["Subscriptions"]
    assert [(one["Protocol"], one["Endpoint"]) for one in listed] == [("sqs", made.facts["queue.arn"])]
    held = ask(made, "sns", "GetSubscriptionAttributes", SubscriptionArn=listed[0]["SubscriptionArn"])[
        "Attributes"
    ]
    assert json.loads(held["FilterPolicy"]) == NEW
    shown = ask(made, "sns", "GetTopicAttributes", TopicArn=arn)["Attributes"]
    assert (shown["DisplayName"], shown["SubscriptionsConfirmed"]) == ("shop", "1")
    assert arn in {one["TopicArn"] for one in ask(made, "sns", "ListTopics")["Topics"]}
    with pytest.raises(NotThere):
        ask(made, "sns", "GetTopicAttributes", TopicArn=arn + "-none")
