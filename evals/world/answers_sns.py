"""SNS's reads of topics and subscriptions. Attributes are texts."""

from __future__ import annotations

import json

from evals.world.asking import Ask, Refusal, handles
from evals.world.world import Thing
from tools.models import Json

_RETRY = {"minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0}
_RETRY |= {"numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear"}  # type: ignore[dict-item]


def _topic(ask: Ask, member: str = "TopicArn") -> Thing:
    found = ask.world.things.get(str(ask.need(member)))
    if found is None or found.kind != "topic" or found.region != ask.region:
        raise Refusal("NotFound", "Topic does not exist", 404)
    return found


def _subscriptions(ask: Ask) -> list[Thing]:
    found = ask.world.of("subscription", ask.region)
    return [one for one in found if one.at("Endpoint", ask.as_of) is not None]


def _paged(ask: Ask, name: str, found: list[Json]) -> Json:
    page, following = ask.page(found, 100, ask.take("NextToken"))
    return {name: page} | ({"NextToken": following} if following else {})


@handles("sns", "ListTopics")
def list_topics(ask: Ask) -> Json:
    return _paged(ask, "Topics", [{"TopicArn": one.arn} for one in ask.world.of("topic", ask.region)])


@handles("sns", "GetTopicAttributes")
def get_topic_attributes(ask: Ask) -> Json:
    topic = _topic(ask)
    own = [one for one in _subscriptions(ask) if one.fixed["topic"] == topic.arn]
    every = [one for one in ask.world.of("subscription", ask.region) if one.fixed["topic"] == topic.arn]
    return {
        "Attributes": {
            "TopicArn": topic.arn,
            "Owner": ask.world.account,
            "DisplayName": str(topic.at("DisplayName", ask.as_of) or ""),
            "Policy": str(topic.at("Policy", ask.as_of)),
            "SubscriptionsConfirmed": str(len(own)),
            "SubscriptionsPending": "0",
            "SubscriptionsDeleted": str(len(every) - len(own)),
            "EffectiveDeliveryPolicy": json.dumps(
                {"http": {"defaultHealthyRetryPolicy": _RETRY, "disableSubscriptionOverrides": False}}
            ),
        }
    }


def _listed(ask: Ask, one: Thing) -> Json:
    return {
        "SubscriptionArn": one.arn,
        "Owner": ask.world.account,
        "Protocol": one.fixed["protocol"],
        "Endpoint": one.fixed["endpoint"],
        "TopicArn": one.fixed["topic"],
    }


@handles("sns", "ListSubscriptions")
def list_subscriptions(ask: Ask) -> Json:
    return _paged(ask, "Subscriptions", [_listed(ask, one) for one in _subscriptions(ask)])


@handles("sns", "ListSubscriptionsByTopic")
def list_subscriptions_by_topic(ask: Ask) -> Json:
    topic = _topic(ask)
    found = [_listed(ask, one) for one in _subscriptions(ask) if one.fixed["topic"] == topic.arn]
    return _paged(ask, "Subscriptions", found)


@handles("sns", "GetSubscriptionAttributes")
def get_subscription_attributes(ask: Ask) -> Json:
    arn = str(ask.need("SubscriptionArn"))
    found = next((one for one in _subscriptions(ask) if one.arn == arn), None)
    if found is None:
        raise Refusal("NotFound", "Subscription does not exist", 404)
    held = _listed(ask, found) | {
        "ConfirmationWasAuthenticated": "true",
        "PendingConfirmation": "false",
        "RawMessageDelivery": str(found.at("RawMessageDelivery", ask.as_of) or "false"),
        "SubscriptionPrincipal": ask.world.iam_arn("role/platform-deploy"),
    }
    policy = found.at("FilterPolicy", ask.as_of)
    if policy:
        held |= {"FilterPolicy": policy, "FilterPolicyScope": "MessageAttributes"}
    return {"Attributes": held}


@handles("sns", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    topic = _topic(ask, "ResourceArn")
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(topic.tags(ask.as_of).items())]}
