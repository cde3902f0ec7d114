"""SNS topics and their subscriptions.

Physics, from the SNS developer guide: a message goes to each subscription whose filter policy its attributes match;
what a queue's or function's policy does not let in fails at once and is not tried again ("client-side errors"); the
publisher learns of neither. A topic that is published to sends Published, Delivered and Failed, zeros too; metrics of
filtered messages only while there are some.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from evals.world import deliveries
from evals.world.deeds_sns import change, change_subscription, create, tag
from evals.world.flow import Flow, Load, Minute
from evals.world.kinds._kind import Kind, Wish
from evals.world.metrics import Emit, count, source, sparse
from evals.world.stage import Stage, setting, share_of
from evals.world.telemetry import Source
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

SERVICE = "sns.amazonaws.com"
_PROTOCOLS = {"queue": "sqs", "function": "lambda"}


class TopicStage(Stage):
    """Messages are published here and delivered to the stage after it."""

    reasons = ("filtered", "not delivered")

    @property
    def target(self) -> Thing | None:
        after = self.flow.stages[self.index + 1 :]
        return after[0].thing if after else None

    @property
    def subscription(self) -> Thing | None:
        target = self.target
        return (
            self.world.things.get(self.thing.fixed["subscriptions"].get(target.arn, "")) if target else None
        )

    def moments(self) -> Iterator[float]:
        yield from super().moments()
        for thing in (self.subscription, self.target):
            for path, steps in thing.settings.steps.items() if thing else ():
                if path.startswith(("Policy", "FilterPolicy", "Endpoint")):
                    yield from (since.timestamp() for since in steps.since if since > self.thing.created)

    def _share(self, second: float) -> float:
        """The share of messages that pass the filter of the subscription."""
        held = self.subscription
        policy = setting(held, "FilterPolicy", second) if held else None
        if not policy:
            return 1.0
        name, mix = self.thing.fixed["attribute"], self.thing.fixed["values"]
        wanted = json.loads(policy)
        if set(wanted) - {name}:
            return 0.0
        return float(sum(share for value, share in mix.items() if value in wanted.get(name, mix)))

    def _delivers(self, second: float) -> bool:
        held, target = self.subscription, self.target
        if held is None or target is None:
            return True
        return deliveries.admits(target, SERVICE, self.thing.arn, second)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        usual = self._share(self.thing.created.timestamp())
        out = share_of(arrived, 1 - usual, load.second)
        load.alive -= out  # nobody misses what was always filtered out
        refused: dict[str, int] = {}
        if not load.calm:
            held = self.subscription
            gone = held is not None and setting(held, "Endpoint", load.second) is None
            now = 0.0 if gone else self._share(load.second)
            if now < usual:
                more = load.end(self.index, "filtered", share_of(load.alive, 1 - now / usual, load.second), 0)
                out += 0 if gone else more
            if load.alive and not self._delivers(load.second):
                refused["not delivered"] = load.end(self.index, "not delivered", load.alive, 0)
        self.close(load, arrived, refused, filtered=out)
        passage = load.passages[self.index]
        load.passages[self.index] = passage._replace(ended=sum(one.many for one in load.endings))

    def text(self, reason: str) -> str:
        return "AccessDenied: access to the resource is denied" if reason == "not delivered" else reason


def _make(shop: Workshop, wish: Wish) -> Thing:
    fixed = {
        "subscriptions": {},
        "attribute": str(wish.options.get("attribute") or "event_type"),
        "values": dict(wish.options.get("values") or {}),
    }
    thing = shop.add(shop.world.arn("sns", wish.name), wish, fixed)
    settings = {
        path: deliveries.kept(value) for path, value in wish.settings.items() if path != "FilterPolicy"
    }
    shop.settle(thing, replace(wish, settings=settings), {"Policy": _own(shop.world, thing)})
    thing.fixed["filter"] = deliveries.as_text(wish.settings.get("FilterPolicy"))
    return thing


def _own(world: World, topic: Thing) -> str:
    """The policy that every topic begins with: its own account may do all."""
    verbs: tuple[str, ...] = (
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
    )
    verbs += ("Subscribe", "ListSubscriptionsByTopic", "Publish")
    made = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{verb}" for verb in verbs],
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": world.account}},
    }
    return deliveries.document([made])


def _link(shop: Workshop, topic: Thing, target: Thing) -> None:
    """Subscribe a queue or function, which lets the topic in."""
    if target.kind not in _PROTOCOLS:
        raise BadInput(f"a topic cannot deliver to a {target.kind}")
    world = shop.world
    if target.kind == "queue":
        deliveries.admit(target, f"allow-{topic.name}", SERVICE, topic.arn)
        world.relate(topic.arn, "may send to", target.arn)
    else:
        made = {
            "Sid": f"allow-{topic.name}",
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": "lambda:InvokeFunction",
            "Resource": target.arn,
            "Condition": {"ArnLike": {"AWS:SourceArn": topic.arn}},
        }
        target.settings.set(f"Policy.allow-{topic.name}", target.created, made)
    code = world.seed.uuid(f"subscription:{topic.name}:{target.name}")
    fixed = {"topic": topic.arn, "protocol": _PROTOCOLS[target.kind], "endpoint": target.arn}
    part = shop.part(f"{topic.arn}:{code}", "subscription", code, topic.created, fixed)
    shop.set(part, Endpoint=target.arn, RawMessageDelivery="true" if target.kind == "queue" else "false")
    if topic.fixed["filter"]:
        shop.set(part, FilterPolicy=topic.fixed["filter"])
    topic.fixed["subscriptions"][target.arn] = part.arn
    key = next((one for one, thing in shop.made.items() if thing is topic), topic.name)
    shop.made[f"{key}_subscription"] = part
    for kind in ("delivers to", "sends to", "triggers", "publishes to", "notifies"):
        world.relate(topic.arn, kind, target.arn)
    world.relate(topic.arn, "delivers through", part.arn)
    world.relate(part.arn, "delivers to", target.arn)
    world.relate(part.arn, "sends to", target.arn)


def _metrics(topic: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/SNS by TopicName."""
    if flow is None:
        return
    index, held = flow.stage(topic.arn), {"TopicName": topic.name}

    def published(row: Minute) -> int:
        return row.passages[index].arrived

    def failed(row: Minute) -> int:
        return row.passages[index].refused.get("not delivered", 0)

    def filtered(row: Minute) -> float:
        return sum(one.passages[index].gauges.get("filtered", 0.0) for one in row.slices)

    def delivered(row: Minute) -> float:
        lost = sum(one.many for one in row.endings if one.stage == index and one.reason == "filtered")
        kept = published(row) - failed(row) - filtered(row)
        return kept if filtered(row) >= lost else kept - lost  # an ended subscription filters nothing

    def made(name: str, emit: Emit, unit: str = "Count", thin: int | None = None) -> Source:
        return source(topic, "AWS/SNS", name, held, unit, emit, sparse=thin)

    yield made("NumberOfMessagesPublished", count(flow, published, of=published))
    yield made("NumberOfNotificationsDelivered", count(flow, delivered, of=published))
    yield made("NumberOfNotificationsFailed", count(flow, failed, of=published))
    thin = None if topic.fixed["filter"] else sparse(flow)
    for name in ("NumberOfNotificationsFilteredOut", "NumberOfNotificationsFilteredOut-InvalidAttributes"):
        yield made(name, count(flow, filtered), thin=thin)


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    return deliveries.kept(value) if path == "Policy" else deliveries.as_text(value)


KINDS = (
    Kind(
        name="topic",
        options={
            "attribute": "name of the attribute that messages carry: event_type",
            "values": "value of the attribute -> its share of messages",
        },
        settings={
            "FilterPolicy": "of its subscription from the start, as a map",
            "Policy": "the access policy: a list of statements",
            "DisplayName": "text",
        },
        innocent=(("DisplayName", "events"),),
        make=_make,
        link=_link,
        stage=TopicStage,
        metrics=_metrics,
        change=change,
        create=create,
        tag=tag,
        kept=_kept,
    ),
    Kind(
        name="subscription",
        settings={
            "FilterPolicy": "a map of the attribute's values, null when it is taken away",
            "Endpoint": "null when it is ended",
            "RawMessageDelivery": "true or false, as a text",
        },
        make=_make,
        change=change_subscription,
        kept=_kept,
    ),
)
