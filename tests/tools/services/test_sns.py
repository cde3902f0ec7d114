"""SNS: whom topics deliver to, what filters were before, and how subscriptions are put back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tests.tools.happened import change_of, happened, resource, setting_of
from tools import catalogue
from tools.directory import KnownResources
from tools.history import prior
from tools.models import Call, ChangeEvent, Json, Metric, Resource
from tools.parameters import validate
from tools.services.sns import SERVICE, describe, discover, log_groups, relations
from tools.topology import around

AT = "eu-west-1:111122223333"
TOPIC = f"arn:aws:sns:{AT}:order-events"
QUEUE = f"arn:aws:sqs:{AT}:orders"
FUNCTION = f"arn:aws:lambda:{AT}:function:order-mailer"
TO_QUEUE, TO_FUNCTION, TO_PEOPLE = (
    f"{TOPIC}:0000000{number}-3f6e-4a37-9c55-0b6f8f2f5a10" for number in (1, 2, 3)
)
POLICY = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sns:Publish",
                "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:events:{AT}:rule/nightly"}},
            },
            {
                "Effect": "Deny",
                "Condition": {"ArnEquals": {"AWS:SourceArn": f"arn:aws:events:{AT}:rule/other"}},
            },
            {"Effect": "Allow", "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:events:{AT}:rule/*"}}},
        ]
    }
)
SUBSCRIPTIONS: list[Json] = [
    {"SubscriptionArn": TO_QUEUE, "Protocol": "sqs", "Endpoint": QUEUE, "TopicArn": TOPIC},
    {"SubscriptionArn": TO_FUNCTION, "Protocol": "lambda", "Endpoint": f"{FUNCTION}:live", "TopicArn": TOPIC},
    {"SubscriptionArn": TO_PEOPLE, "Protocol": "email", "Endpoint": "kim@example.com", "TopicArn": TOPIC},
    {
        "SubscriptionArn": "PendingConfirmation",
        "Protocol": "https",
        "Endpoint": "https://u:p@a.example/x?key=1",
    },
]
ANSWERS: dict[tuple[str, str], Answer] = {
    ("sns", "ListTopics"): {"Topics": [{"TopicArn": TOPIC}]},
    ("sns", "ListSubscriptions"): {"Subscriptions": SUBSCRIPTIONS[:3]},
    ("sns", "GetTopicAttributes"): {"Attributes": {"TopicArn": TOPIC, "Policy": POLICY}},
    ("sns", "ListSubscriptionsByTopic"): {"Subscriptions": SUBSCRIPTIONS},
    ("sns", "GetSubscriptionAttributes"): lambda asked: {
        "Attributes": {
            "SubscriptionArn": asked["SubscriptionArn"],
            "TopicArn": TOPIC,
            "Protocol": "sqs",
            "Endpoint": QUEUE,
            "RawMessageDelivery": "false",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE}-dead"}),
        }
    },
    ("sns", "ListTagsForResource"): {"Tags": [{"Key": "team", "Value": "shop"}]},
    ("sqs", "GetQueueAttributes"): {"Attributes": {"QueueArn": QUEUE}},
}


def pairs(one: Resource, *known: Resource) -> set[tuple[str, str, str]]:
    return {(item.source, item.kind, item.target) for item in relations(one, KnownResources((one, *known)))}


def subscription(**config: Any) -> Resource:
    return resource(SERVICE, "subscription", TO_QUEUE, config)


def test_a_topic_tells_its_subscriptions_without_addresses_of_people_and_secrets() -> None:
    found = describe(FakeAws(ANSWERS).reader(), TOPIC)
    assert found is not None
    assert found.type == "topic"
    assert found.tags == {"team": "shop"}
    assert [one.get("Endpoint") for one in found.config["Subscriptions"]] == [
        QUEUE,
        f"{FUNCTION}:live",
        None,
        "https://a.example/x",
    ]
    assert pairs(found) == {
        (TOPIC, "delivers to", QUEUE),
        (TOPIC, "delivers to", FUNCTION),
        (TOPIC, "delivers through", TO_QUEUE),
        (TOPIC, "delivers through", TO_FUNCTION),
        (TOPIC, "delivers through", TO_PEOPLE),
        (f"arn:aws:events:{AT}:rule/nightly", "may send to", TOPIC),
    }


def test_a_subscription_tells_its_target_and_its_dead_letter_queue() -> None:
    found = describe(FakeAws(ANSWERS).reader(), TO_QUEUE)
    assert found is not None
    assert found.type == "subscription"
    assert pairs(found) == {
        (TO_QUEUE, "delivers to", QUEUE),
        (TO_QUEUE, "sends failures to", f"{QUEUE}-dead"),
    }


def test_an_https_endpoint_means_the_known_api_behind_its_host() -> None:
    api = Resource(
        arn="arn:aws:apigateway:eu-west-1::/apis/a1b2c3d4e5",
        service="apigatewayv2",
        type="api",
        name="orders-api",
        account="111122223333",
        region="eu-west-1",
        config={"Id": "a1b2c3d4e5"},
    )
    host = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/hook"
    topic = resource(SERVICE, "topic", TOPIC, {"Subscriptions": [{"Protocol": "https", "Endpoint": host}]})
    assert pairs(topic, api) == {(TOPIC, "delivers to", api.arn)}
    assert pairs(topic) == set()


def test_discover_lists_topics_with_their_subscriptions_in_two_calls() -> None:
    aws = FakeAws(ANSWERS)
    (found,) = discover(aws.reader(), "eu-west-1")
    assert len(aws.asked) == 2
    assert (TOPIC, "delivers to", FUNCTION) in pairs(found)


def test_a_refused_list_of_subscriptions_is_a_gap_and_a_missing_topic_is_none() -> None:
    reader = FakeAws(ANSWERS, denied=frozenset({"sns:ListSubscriptionsByTopic"})).reader()
    found = describe(reader, TOPIC)
    assert found is not None
    assert "Subscriptions" not in found.config
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]
    assert describe(FakeAws({}).reader(), TOPIC) is None
    assert describe(FakeAws({}).reader(), TO_QUEUE) is None


def test_a_queue_finds_its_topic_by_its_policy() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}}}]}
    answers = {**ANSWERS, ("sqs", "GetQueueAttributes"): {"Attributes": {"Policy": json.dumps(policy)}}}
    aws = FakeAws(answers)
    found = around(aws.reader(), [QUEUE])
    assert (TOPIC, "delivers to", QUEUE) in {(one.source, one.kind, one.target) for one in found.relations}
    assert ("sns", "ListTopics") not in aws.asked


def test_metrics_and_log_groups_belong_to_topics() -> None:
    named = (("TopicName", "order-events"),)
    metric = Metric(namespace="AWS/SNS", name="NumberOfNotificationsFailed", dimensions=named, stat="Sum")
    assert catalogue.metric_owner(metric, "eu-west-1", "111122223333") == TOPIC
    assert catalogue.type_of(TOPIC) == "topic"
    assert catalogue.type_of(TO_QUEUE) == "subscription"
    told = resource(
        SERVICE, "topic", TOPIC, {"SQSFailureFeedbackRoleArn": "arn:aws:iam::111122223333:role/log"}
    )
    group = "sns/eu-west-1/111122223333/order-events/Failure"
    assert log_groups(told) == (group,)
    assert pairs(told) == {(TOPIC, "logs to", f"arn:aws:logs:{AT}:log-group:{group}")}
    assert log_groups(resource(SERVICE, "topic", TOPIC, {})) == ()


# -- settings and changes -----------------------------------------------------------------------------


def sets(name: str, value: str, minutes: float = 0) -> ChangeEvent:
    request = {"subscriptionArn": TO_QUEUE, "attributeName": name, "attributeValue": value}
    return happened("sns", "SetSubscriptionAttributes", request, minutes=minutes)


def subscribed(minutes: float = -600, **more: Any) -> ChangeEvent:
    request = {"topicArn": TOPIC, "protocol": "sqs", "endpoint": QUEUE, **more}
    return happened("sns", "Subscribe", request, {"subscriptionArn": TO_QUEUE}, minutes=minutes)


OLD, BAD = '{"kind": ["placed"]}', '{"kind": ["plcaed"]}'


@pytest.mark.parametrize(
    ("earlier", "wanted"),
    [
        ([sets("FilterPolicy", OLD, -60)], OLD),
        ([sets("FilterPolicy", OLD, -60), sets("FilterPolicyScope", "MessageBody", -30)], OLD),
        ([subscribed(attributes={"FilterPolicy": OLD})], OLD),
        ([subscribed()], ""),
        ([sets("FilterPolicy", "{}", -60)], ""),
    ],
)
def test_the_filter_before_is_told_by_earlier_events(earlier: list[ChangeEvent], wanted: str) -> None:
    filter = setting_of(SERVICE, "subscription", "FilterPolicy")
    change = sets("FilterPolicy", BAD)
    found = prior(filter, subscription(FilterPolicy=BAD), change, [*earlier, change], None)
    assert found.known
    assert found.value == wanted


def test_an_attribute_of_another_subscription_tells_nothing() -> None:
    filter = setting_of(SERVICE, "subscription", "FilterPolicy")
    other = happened(
        "sns",
        "SetSubscriptionAttributes",
        {"subscriptionArn": TO_FUNCTION, "attributeName": "FilterPolicy", "attributeValue": OLD},
        minutes=-60,
    )
    change = sets("FilterPolicy", BAD)
    assert not prior(filter, subscription(FilterPolicy=BAD), change, [other, change], None).known


@pytest.mark.parametrize(
    ("path", "value", "sent"),
    [
        ("FilterPolicy", OLD, OLD),
        ("FilterPolicy", "", "{}"),
        ("FilterPolicy", None, "{}"),
        ("FilterPolicyScope", None, "MessageAttributes"),
        ("RawMessageDelivery", False, "false"),
        ("RawMessageDelivery", "true", "true"),
        ("RedrivePolicy", "", None),
        ("DeliveryPolicy", "", ""),
    ],
)
def test_an_attribute_is_put_back_as_it_was(path: str, value: Any, sent: str | None) -> None:
    (call,) = setting_of(SERVICE, "subscription", path).restore(subscription(), value)
    wanted = {"SubscriptionArn": TO_QUEUE, "AttributeName": path, "AttributeValue": sent}
    assert call.parameters == {key: one for key, one in wanted.items() if one is not None}
    assert validate(call) == ()


def test_a_topic_policy_that_nobody_knows_is_not_invented() -> None:
    topic = resource(SERVICE, "topic", TOPIC, {})
    assert setting_of(SERVICE, "topic", "Policy").restore(topic, None) == ()
    (call,) = setting_of(SERVICE, "topic", "KmsMasterKeyId").restore(topic, "")
    assert call.parameters == {"TopicArn": TOPIC, "AttributeName": "KmsMasterKeyId", "AttributeValue": ""}


def undo(*earlier: ChangeEvent) -> tuple[Call, ...]:
    change = change_of(SERVICE, "Unsubscribe")
    assert change.undo is not None
    return change.undo(happened("sns", "Unsubscribe", {"subscriptionArn": TO_QUEUE}), earlier)


def test_unsubscribe_is_undone_with_the_attributes_set_since() -> None:
    made = subscribed(
        attributes={"FilterPolicy": OLD, "RawMessageDelivery": "true"}, returnSubscriptionArn=True
    )
    (call,) = undo(sets("FilterPolicy", "{}", -20), sets("RedrivePolicy", "{...}", -30), made)
    assert call.operation == "Subscribe"
    assert call.parameters == {
        "TopicArn": TOPIC,
        "Protocol": "sqs",
        "Endpoint": QUEUE,
        "Attributes": {"RawMessageDelivery": "true", "RedrivePolicy": "{...}"},
        "ReturnSubscriptionArn": True,
    }


def test_unsubscribe_without_a_whole_subscribe_is_undone_by_nobody() -> None:
    assert undo() == ()
    assert undo(subscribed(endpoint="HIDDEN_DUE_TO_SECURITY_REASONS")) == ()
    assert undo(subscribed(attributes={"FilterPolicy": "HIDDEN_DUE_TO_SECURITY_REASONS"})) == ()
    other = happened("sns", "Subscribe", {"topicArn": TOPIC}, {"subscriptionArn": TO_FUNCTION}, minutes=-60)
    assert undo(other) == ()


@given(
    st.dictionaries(
        st.sampled_from(["FilterPolicy", "RawMessageDelivery", "DeliveryPolicy"]), st.text(max_size=30)
    )
)
def test_a_resubscription_has_each_attribute_that_was_set_and_no_other(attributes: dict[str, str]) -> None:
    calls = undo(*[sets(name, value, -5) for name, value in attributes.items()], subscribed())
    hidden = any(set(value) == {"*"} and len(value) > 2 for value in attributes.values())
    wanted = {name: value for name, value in attributes.items() if value not in ("", "{}")}
    assert [call.parameters.get("Attributes", {}) for call in calls] == ([] if hidden else [wanted])


def test_permissions_are_given_and_taken_by_their_label() -> None:
    grant = happened(
        "sns",
        "AddPermission",
        {"topicArn": TOPIC, "label": "partner", "aWSAccountId": ["444455556666"], "actionName": ["Publish"]},
        minutes=-60,
    )
    taken = happened("sns", "RemovePermission", {"topicArn": TOPIC, "label": "partner"})
    way = change_of(SERVICE, "RemovePermission").undo
    assert way is not None
    (call,) = way(taken, (grant,))
    assert call.parameters == {
        "TopicArn": TOPIC,
        "Label": "partner",
        "AWSAccountId": ["444455556666"],
        "ActionName": ["Publish"],
    }
    assert way(happened("sns", "RemovePermission", {"topicArn": TOPIC, "label": "other"}), (grant,)) == ()
    (back,) = way(grant, ())
    assert (back.operation, back.parameters) == ("RemovePermission", {"TopicArn": TOPIC, "Label": "partner"})


def test_a_subscription_that_waits_says_so() -> None:
    condition = next(one for one in SERVICE.conditions if one.key == "pending-confirmation")
    assert condition.shown is not None
    assert condition.shown(subscription(PendingConfirmation="true"))
    assert not condition.shown(subscription(PendingConfirmation="false"))
    assert not condition.shown(subscription())
