"""How CloudTrail records what is done to SNS topics and subscriptions: one attribute a call, the answer is empty."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def change(world: World, act: Act) -> Deed:
    """The call that set an attribute of a topic."""
    request = {"topicArn": act.thing.arn, "attributeName": act.path, "attributeValue": act.after}
    return _deed(act.thing, "SetTopicAttributes", request)


def change_subscription(world: World, act: Act) -> Deed:
    """The call that set an attribute of a subscription, or that ended it."""
    named = {"subscriptionArn": act.thing.arn}
    if act.path == "Endpoint":
        if act.after is not None:
            raise ValueError("the endpoint of a subscription cannot be changed")
        return _deed(act.thing, "Unsubscribe", named)
    value = "{}" if act.after is None else act.after  # an empty policy takes a filter away
    request = named | {"attributeName": act.path, "attributeValue": value}
    return _deed(act.thing, "SetSubscriptionAttributes", request)


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """The call that made a topic."""
    return _deed(thing, "CreateTopic", {"name": thing.name}, {"topicArn": thing.arn})


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return _deed(thing, "TagResource", {"resourceArn": thing.arn, "tags": pairs})


def _deed(thing: Thing, name: str, request: Json, response: Json | None = None) -> Deed:
    return Deed(
        source="sns",
        name=name,
        request=request,
        response=response,
        concerns=(("AWS::SNS::Topic" if thing.kind == "topic" else "AWS::SNS::Subscription", thing.arn),),
    )
