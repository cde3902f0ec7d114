"""SNS: topics, who may publish, and the subscriptions that they deliver to.

`config` of a topic is what GetTopicAttributes tells under `Attributes`, with `Subscriptions` (ListSubscriptionsByTopic;
addresses and phone numbers of people left out). `config` of a subscription is what GetSubscriptionAttributes tells
under `Attributes`. AWS writes numbers and switches in both as text.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import touches_tagged
from tools.deliveries import last, meant, senders, sent_again
from tools.errors import NotThere
from tools.kit import call, here, optional, record, reference, relation, text, uses_key
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Missing,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "sns.amazonaws.com"
_MOST_SUBSCRIPTIONS = 25  # of a topic as resources of their own; whom it delivers to is told of all
_PEOPLE = ("email", "email-json", "sms")


def _topic_of(subscription: str) -> str:
    return subscription.rpartition(":")[0]


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "topicArn") or text(event.response, "topicArn")
    name = text(event.request, "name")
    return (arn,) if arns.is_arn(arn) else (here(event, "sns", name),) if name else ()


def _touches_subscription(event: ChangeEvent) -> tuple[str, ...]:
    # Subscribe answers "pending confirmation" until the other side has agreed.
    arn = text(event.request, "subscriptionArn") or text(event.response, "subscriptionArn")
    topic = text(event.request, "topicArn")
    if arns.is_arn(arn):
        return (arn, whole) if arns.is_arn(whole := _topic_of(arn)) else (arn,)
    return (topic,) if arns.is_arn(topic) else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All topics and all subscriptions: two list operations. `describe` reads one of either whole."""
    subscriptions: dict[str, list[Json]] = defaultdict(list)
    evidence: tuple[str, ...] = ()
    with reader.seeing("SNS subscriptions", "whom the topics deliver to"):
        listed = reader.pages("sns", "ListSubscriptions", "Subscriptions", region=region, limit=40)
        evidence = listed.evidence
        for item in listed.items:
            subscriptions[item["TopicArn"]].append(_entry(item))
    topics = reader.pages("sns", "ListTopics", "Topics", region=region, limit=40)
    for item in topics.items:
        arn = item["TopicArn"]
        config: Json = {"TopicArn": arn, "Subscriptions": subscriptions.get(arn, [])}
        yield _resource("topic", arn, config, (*topics.evidence, *evidence))


def _entry(item: Mapping[str, str]) -> Json:
    """A subscription as it is listed, without addresses of people and without passwords in URLs."""
    kept = {key: item[key] for key in ("SubscriptionArn", "TopicArn", "Protocol", "Owner") if key in item}
    endpoint = item.get("Endpoint", "")
    if endpoint and item.get("Protocol") not in _PEOPLE:
        kept["Endpoint"] = reference("Endpoint", endpoint)
    return kept


def _resource(
    type: str, arn: str, config: Json, evidence: Iterable[str], tags: dict[str, str] | None = None
) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="sns",
        type=type,
        name=parts.resource,
        account=parts.account,
        region=parts.region,
        config=config,
        tags=tags or {},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A topic with its attributes, subscriptions and tags; or one subscription with its attributes."""
    parts = arns.parse(arn)
    if ":" in parts.resource:
        return _describe_subscription(reader, arn, parts.region)
    try:
        answer = reader.ask("sns", "GetTopicAttributes", region=parts.region, TopicArn=arn)
    except NotThere:
        return None
    config, evidence = dict(answer.data.get("Attributes") or {}), [answer.evidence]
    with reader.seeing("Subscriptions of a topic", "whom it delivers to"):
        listed = reader.pages(
            "sns", "ListSubscriptionsByTopic", "Subscriptions", region=parts.region, TopicArn=arn
        )
        config["Subscriptions"] = [_entry(item) for item in listed.items]
        evidence.extend(listed.evidence)
    tags = optional(reader, "sns", "ListTagsForResource", "Tags", region=parts.region, ResourceArn=arn)
    kept = {tag["Key"]: tag.get("Value", "") for tag in (tags.data.get("Tags") or [])} if tags else {}
    return _resource("topic", arn, config, evidence, kept)


def _describe_subscription(reader: Reader, arn: str, region: str) -> Resource | None:
    try:
        answer = reader.ask("sns", "GetSubscriptionAttributes", region=region, SubscriptionArn=arn)
    except NotThere:
        return None
    attributes = dict(answer.data.get("Attributes") or {})
    config = {**{key: value for key, value in attributes.items() if key != "Endpoint"}, **_entry(attributes)}
    return _resource("subscription", arn, config, [answer.evidence])


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Whom a topic delivers to and through what, who may publish, where undelivered messages go."""
    if resource.type == "topic":
        own = [one for one in resource.config.get("Subscriptions") or [] if isinstance(one, Mapping)]
        for entry in own:
            yield from _delivers(resource, entry, "sns:ListSubscriptionsByTopic Endpoint", directory)
        named = sorted(arn for one in own if arns.is_arn(arn := text(one, "SubscriptionArn")))
        for arn in named[:_MOST_SUBSCRIPTIONS]:
            said_by = "sns:ListSubscriptionsByTopic SubscriptionArn"
            yield relation(resource, arn, "delivers through", said_by)
        yield from senders(resource, resource.config.get("Policy"), "sns:GetTopicAttributes Policy")
        for group in log_groups(resource):
            target = arns.build("logs", resource.region, resource.account, f"log-group:{group}")
            yield relation(resource, target, "logs to", "sns:GetTopicAttributes FailureFeedbackRoleArn")
        key = text(resource.config, "KmsMasterKeyId")
        yield from uses_key(resource, key, "sns:GetTopicAttributes KmsMasterKeyId")
    elif resource.type == "subscription":
        said_by = "sns:GetSubscriptionAttributes"
        yield from _delivers(resource, resource.config, f"{said_by} Endpoint", directory)
        if dead := _dead(resource):
            yield relation(resource, dead, "sends failures to", f"{said_by} RedrivePolicy")
        if role := text(resource.config, "SubscriptionRoleArn"):
            yield relation(resource, role, "runs as", f"{said_by} SubscriptionRoleArn")


def _delivers(
    source: Resource, entry: Mapping[str, object], said_by: str, directory: Directory
) -> Iterable[Relation]:
    for arn in meant(text(entry, "Endpoint"), directory) if text(entry, "Endpoint") else ():
        if arn != source.arn:
            yield relation(source, arn, "delivers to", said_by)


def _dead(resource: Resource) -> str:
    try:
        found = json.loads(resource.config.get("RedrivePolicy") or "{}")
    except ValueError:
        return ""
    return text(found, "deadLetterTargetArn") if isinstance(found, dict) else ""


def log_groups(resource: Resource) -> tuple[str, ...]:
    """Groups of the delivery status: failures apart, and only where a role for them is set."""
    if resource.type != "topic":
        return ()
    base = f"sns/{resource.region}/{resource.account}/{resource.name}"
    found = [f"{base}/Failure"] if _has_role(resource, "FailureFeedbackRoleArn") else []
    return (*found, *([base] if _has_role(resource, "SuccessFeedbackRoleArn") else []))


def _has_role(resource: Resource, ending: str) -> bool:
    return any(key.endswith(ending) and value for key, value in resource.config.items())


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("TopicName", "")
    return f"arn:{partition}:sns:{region}:{account}:{name}" if name else ""


# -- settings ---------------------------------------------------------------------------------------

_EMPTY = ("", "{}", None)


def _read(resource: Resource) -> Call:
    if resource.type == "subscription":
        return call("sns", "GetSubscriptionAttributes", resource, SubscriptionArn=resource.arn)
    return call("sns", "GetTopicAttributes", resource, TopicArn=resource.arn)


def _restore(name: str, default: Value, resource: Resource, value: Value) -> tuple[Call, ...]:
    sent: Json = {"AttributeName": name}
    if value not in _EMPTY:
        sent["AttributeValue"] = str(value).lower() if isinstance(value, bool) else str(value)
    elif default is None:
        return ()  # a topic always has a policy: nothing says which
    elif name != "RedrivePolicy":  # which AWS takes away when no value is sent, and refuses an empty one
        sent["AttributeValue"] = "{}" if name == "FilterPolicy" else str(default)
    if resource.type == "subscription":
        return (call("sns", "SetSubscriptionAttributes", resource, SubscriptionArn=resource.arn, **sent),)
    return (call("sns", "SetTopicAttributes", resource, TopicArn=resource.arn, **sent),)


def _as_shown(event: ChangeEvent, value: Value) -> Value:
    """An empty policy takes the policy away: then no attribute is shown."""
    return "" if value in _EMPTY else value


def _setting(type: str, name: str, words: str, default: Value, *effects: Effect) -> Setting:
    # A call sets one attribute: {"attributeName": "FilterPolicy", "attributeValue": "{...}"}.
    one = f"[@][?attributeName=='{name}'].[attributeValue || ''] | [0][0]"
    setting, making = (
        ("SetSubscriptionAttributes", "Subscribe")
        if type == "subscription"
        else ("SetTopicAttributes", "CreateTopic")
    )
    return Setting(
        type=type,
        name=words,
        path=name,
        unit="",
        requests={
            setting: one,
            making: f"attributes.{name}" if default is None else f"attributes.{name} || '{default}'",
        },
        restore=partial(_restore, name, default),
        read=_read,
        query=f"Attributes.{name}",
        unset=default,
        echo="none",
        effects=effects,
        means=_as_shown,
    )


_STARVES = (
    Effect(metric="role:work", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 900)),
    Effect(metric="role:work", direction="silent", on="upstream", after=(0, 900)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 900), may=True),
)
# A filter that is changed takes up to fifteen minutes to be in force everywhere (SNS guide, message filtering).
_FILTERS = tuple(
    Effect(metric=one.metric, direction=one.direction, on=one.on, after=(0, 1800), may=one.may)
    for one in _STARVES
)
_REFUSED = (
    Effect(metric="NumberOfMessagesPublished", direction="down", after=(0, 600)),
    Effect(metric="NumberOfMessagesPublished", direction="silent", after=(0, 600)),
    Effect(metric="NumberOfNotificationsDelivered", direction="down", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
)
_READS_ANEW = (
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 900)),
    Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 3600)),
)

SETTINGS = (
    _setting("subscription", "FilterPolicy", "filter policy", "", *_FILTERS),
    _setting(
        "subscription", "FilterPolicyScope", "what the filter policy looks at", "MessageAttributes", *_FILTERS
    ),
    _setting("subscription", "RawMessageDelivery", "raw message delivery", "false", *_READS_ANEW),
    _setting(
        "subscription",
        "RedrivePolicy",
        "dead-letter queue",
        "",
        Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600), may=True),
    ),
    _setting(
        "subscription",
        "DeliveryPolicy",
        "delivery retries",
        "",
        Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600)),
        Effect(metric="role:demand", direction="down", on="downstream", after=(0, 3600)),
        Effect(metric="role:throttles", direction="up", on="downstream", after=(0, 3600)),
    ),
    _setting("topic", "Policy", "topic policy", None, *_REFUSED),
    _setting(
        "topic",
        "KmsMasterKeyId",
        "encryption key",
        "",
        *_REFUSED,
        Effect(metric="NumberOfNotificationsFailed", direction="up", after=(0, 900)),
    ),
    _setting(
        "topic",
        "DeliveryPolicy",
        "delivery retries",
        "",
        Effect(metric="NumberOfNotificationsFailed", direction="up", after=(0, 3600)),
        Effect(metric="role:demand", direction="down", on="downstream", after=(0, 3600)),
        Effect(metric="role:throttles", direction="up", on="downstream", after=(0, 3600)),
    ),
    _setting(
        "topic",
        "ContentBasedDeduplication",
        "deduplication by content",
        "false",
        Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
        Effect(metric="NumberOfNotificationsDelivered", direction="down", after=(0, 900)),
        Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
    ),
)

# -- changes ----------------------------------------------------------------------------------------


def _same_subscription(wanted: str, event: ChangeEvent) -> bool:
    return wanted in (text(event.request, "subscriptionArn"), text(event.response, "subscriptionArn"))


def _undo_unsubscribe(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Subscribe as it was done, with the attributes set since. None when an endpoint or attribute is not shown."""
    wanted = text(event.request, "subscriptionArn")
    same = partial(_same_subscription, wanted)
    made = last(earlier, ("Subscribe",), same) if wanted else None
    if made is None:
        return ()
    attributes = dict(made.request.get("attributes") or {})
    for one in reversed(
        [one for one in earlier if one.operation == "SetSubscriptionAttributes" and same(one)]
    ):
        if one.time >= made.time and (name := text(one.request, "attributeName")):
            attributes[name] = text(one.request, "attributeValue")
    kept = {name: value for name, value in attributes.items() if value not in _EMPTY}
    request = {**made.request, "attributes": kept} if kept else made.request
    return sent_again("sns", "Subscribe", event, request, *(() if kept else ("attributes",)))


def _undo_permission(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    topic, label = text(event.request, "topicArn"), text(event.request, "label")
    if not topic or not label:
        return ()
    if event.operation == "AddPermission":
        return (call("sns", "RemovePermission", event, TopicArn=topic, Label=label),)
    before = last(
        earlier,
        ("AddPermission",),
        lambda one: (text(one.request, "topicArn"), text(one.request, "label")) == (topic, label),
    )
    return sent_again("sns", "AddPermission", event, before.request) if before else ()


def _nothing(undone: tuple[Call, ...]) -> tuple[Call, ...]:
    """A new subscription has a new ARN, which only the answer tells."""
    return ()


_TOPIC = "arn:aws:sns:eu-west-1:111122223333:order-events"
_SUBSCRIPTION = f"{_TOPIC}:2f1c7a52-3f6e-4a37-9c55-0b6f8f2f5a10"
_DEAD = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead"})
_RETRIES = json.dumps({"healthyRetryPolicy": {"numRetries": 3, "minDelayTarget": 20, "maxDelayTarget": 20}})
_ATTRIBUTES: Json = {
    "FilterPolicy": json.dumps({"kind": ["order_placed"]}),
    "FilterPolicyScope": "MessageBody",
    "RawMessageDelivery": "true",
    "RedrivePolicy": _DEAD,
    "DeliveryPolicy": _RETRIES,
}
_TOPIC_ATTRIBUTES: Json = {
    "Policy": json.dumps({"Version": "2012-10-17", "Statement": []}),
    "KmsMasterKeyId": "alias/aws/sns",
    "DeliveryPolicy": json.dumps({"http": json.loads(_RETRIES)}),
    "ContentBasedDeduplication": "true",
}


def _sets(operation: str, target: Json, attributes: Mapping[str, str]) -> tuple[Json, ...]:
    return tuple(
        record(_SOURCE, operation, {**target, "attributeName": name, "attributeValue": value})
        for name, value in attributes.items()
    )


_SETS_SUBSCRIPTION = _sets("SetSubscriptionAttributes", {"subscriptionArn": _SUBSCRIPTION}, _ATTRIBUTES)
_SETS_TOPIC = _sets("SetTopicAttributes", {"topicArn": _TOPIC}, _TOPIC_ATTRIBUTES)
_GRANT: Json = {
    "topicArn": _TOPIC,
    "label": "partner",
    "aWSAccountId": ["444455556666"],
    "actionName": ["Publish"],
}

CHANGES = (
    Change(
        operation="SetSubscriptionAttributes",
        touches=_touches_subscription,
        breaks="The subscriber gets fewer messages, other ones, or in another form; nothing fails at the topic.",
        example=_SETS_SUBSCRIPTION[0],
        more_examples=_SETS_SUBSCRIPTION[1:],
    ),
    Change(
        operation="Unsubscribe",
        touches=_touches_subscription,
        breaks="The subscriber gets nothing more; messages published meanwhile are lost to it.",
        example=record(_SOURCE, "Unsubscribe", {"subscriptionArn": _SUBSCRIPTION}),
        effects=_STARVES,
        undo=_undo_unsubscribe,
        back=_nothing,
        earlier=("Subscribe", "SetSubscriptionAttributes"),
    ),
    Change(
        operation="SetTopicAttributes",
        touches=_touches,
        breaks="Publishers are refused, or deliveries fail or are given up earlier.",
        example=_SETS_TOPIC[0],
        more_examples=_SETS_TOPIC[1:],
    ),
    Change(
        operation="DeleteTopic",
        touches=_touches,
        breaks="Publishers fail, subscribers get nothing more, and all subscriptions are gone.",
        example=record(_SOURCE, "DeleteTopic", {"topicArn": _TOPIC}),
        effects=(
            Effect(metric="NumberOfMessagesPublished", direction="silent", after=(0, 300)),
            Effect(metric="NumberOfNotificationsDelivered", direction="silent", after=(0, 300)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
        ),
    ),
    Change(
        operation="RemovePermission",
        touches=_touches,
        breaks="Publishers that the statement allowed are refused.",
        example=record(_SOURCE, "RemovePermission", {"topicArn": _TOPIC, "label": "partner"}),
        effects=_REFUSED,
        undo=_undo_permission,
        earlier=("AddPermission",),
    ),
    Change(
        operation="AddPermission",
        touches=_touches,
        breaks="",
        example=record(_SOURCE, "AddPermission", _GRANT),
        inert=True,
        undo=_undo_permission,
    ),
    Change(
        operation="Subscribe",
        touches=_touches_subscription,
        breaks="A further subscriber gets every message: it may do work twice.",
        example=record(
            _SOURCE,
            "Subscribe",
            {
                "topicArn": _TOPIC,
                "protocol": "sqs",
                "endpoint": "arn:aws:sqs:eu-west-1:111122223333:orders-queue",
                "attributes": _ATTRIBUTES,
                "returnSubscriptionArn": True,
            },
            {"subscriptionArn": _SUBSCRIPTION},
        ),
        effects=(
            Effect(metric="role:demand", direction="up", on="downstream", after=(0, 900)),
            Effect(metric="role:work", direction="up", on="upstream", after=(0, 900)),
        ),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            (
                "CreateTopic",
                _touches,
                {"name": "order-events", "attributes": _TOPIC_ATTRIBUTES},
                {"topicArn": _TOPIC},
            ),
            (
                "ConfirmSubscription",
                _touches_subscription,
                {"topicArn": _TOPIC, "authenticateOnUnsubscribe": "true"},
                {"subscriptionArn": _SUBSCRIPTION},
            ),
            (
                "TagResource",
                touches_tagged,
                {"resourceArn": _TOPIC, "tags": [{"key": "team", "value": "shop"}]},
                None,
            ),
            ("UntagResource", touches_tagged, {"resourceArn": _TOPIC, "tagKeys": ["team"]}, None),
        )
    ),
)


def _metric(
    name: str, role: Role, bad: Any, unit: str, missing: Missing = "zero", stat: str = "Sum"
) -> MetricSpec:
    # A topic that was not used for six hours sends no metrics at all.
    return MetricSpec(type="topic", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit)


METRICS = (
    _metric("NumberOfMessagesPublished", "demand", "down", "messages published", "idle"),
    _metric("NumberOfNotificationsDelivered", "work", "down", "messages delivered", "idle"),
    _metric("NumberOfNotificationsFailed", "errors", "up", "deliveries given up"),
    _metric("NumberOfNotificationsFilteredOut", "work", "up", "messages filtered out"),
    _metric("NumberOfNotificationsFilteredOut-InvalidAttributes", "work", "up", "messages with unreadable attributes"),
    _metric("NumberOfNotificationsFilteredOut-NoMessageAttributes", "work", "up", "messages without attributes"),
    _metric("NumberOfNotificationsFilteredOut-InvalidMessageBody", "work", "up", "messages with unreadable bodies"),
    _metric("NumberOfNotificationsFilteredOut-MessageAttributes", "work", "up", "messages filtered out by attributes"),
    _metric("NumberOfNotificationsFilteredOut-MessageBody", "work", "up", "messages filtered out by their body"),
    _metric("NumberOfNotificationsRedrivenToDlq", "errors", "up", "messages sent to dead-letter queues"),
    _metric("NumberOfNotificationsFailedToRedriveToDlq", "errors", "up", "messages lost beside the queue"),
    _metric("PublishSize", "demand", "", "bytes a message", "idle", "Average"),
)  # fmt: skip

CONDITIONS = (
    Condition(
        key="delivery-refused",
        type="topic",
        title="deliveries refused: an endpoint is gone, or does not admit the topic, or its key is closed to SNS",
        metrics=("NumberOfNotificationsFailed", "NumberOfNotificationsRedrivenToDlq"),
        breaks="SNS does not repeat what an endpoint refuses: such messages are lost, or go to the dead-letter queue.",
        relieve=(
            "Compare the policy of each endpoint, and of its encryption key, with what it was: it has to admit SNS.",
            "Switch delivery status logging on for the failing protocol, which tells each endpoint's answer.",
            "Send again what the dead-letter queue holds, when deliveries work.",
        ),
        prevent=(
            "Give every subscription a dead-letter queue, and alarm on failed notifications.",
            "Keep the policies of queues and keys beside the subscription in one template.",
        ),
    ),
    Condition(
        key="dead-letter-queue-refuses",
        type="topic",
        title="dead-letter queue out of reach: what could not be delivered is lost for good",
        metrics=("NumberOfNotificationsFailedToRedriveToDlq",),
        breaks="Messages that no endpoint took are not kept either.",
        relieve=("Allow the topic in the dead-letter queue's policy, and SNS in the policy of its key.",),
        prevent=("Alarm on notifications that could not be moved to a dead-letter queue.",),
    ),
    Condition(
        key="pending-confirmation",
        type="subscription",
        title="subscription never confirmed: nothing is delivered to it",
        metrics=(),
        breaks="The endpoint gets nothing before somebody confirms the subscription.",
        relieve=("Ask SNS to send the confirmation again, by subscribing the same endpoint once more.",),
        prevent=("Confirm subscriptions in the deployment, and fail it when one stays pending.",),
        shown=lambda resource: str(resource.config.get("PendingConfirmation", "")).lower() == "true",
    ),
)

SIGNATURES = (
    Signature(
        match=r"(?i)not authorized to perform: sns:Publish\b",
        code="AuthorizationError",
        reason="",
        points_to="Policy",
        says="the topic's policy, or a role's, does not allow to publish",
    ),
    Signature(
        match=r"\bNotFound(Exception)?\b.*\bTopic does not exist|\bTopic does not exist\b",
        code="NotFoundException",
        reason="",
        points_to="DeleteTopic",
        says="the topic does not exist",
    ),
    Signature(
        match=r"Invalid parameter: (TopicArn|Topic Name)\b",
        code="InvalidParameterException",
        reason="",
        points_to="DeleteTopic",
        says="the ARN that the caller uses is no topic",
    ),
    Signature(
        match=r"\bKMS\.(AccessDenied|Disabled|NotFound|OptInRequired|Throttling|InvalidState)Exception\b",
        code="KMSAccessDeniedException",
        reason="",
        points_to="delivery-refused",
        says="an endpoint's encryption key is closed to SNS",
    ),
    Signature(
        match=r"\"status\"\s*:\s*\"FAILURE\"",
        code="FAILURE",
        reason="",
        points_to="delivery-refused",
        says="SNS could not deliver the message",
        own=True,
        group=r"^sns/",
    ),
)

SERVICE = Service(
    name="sns",
    title="SNS",
    client="sns",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListTopics", action="sns:ListTopics", shows="which topics exist"),
        Read(operation="ListSubscriptions", action="sns:ListSubscriptions", shows="whom topics deliver to"),
        Read(
            operation="GetTopicAttributes",
            action="sns:GetTopicAttributes",
            shows="a topic's policy, key and delivery retries",
        ),
        Read(
            operation="ListSubscriptionsByTopic",
            action="sns:ListSubscriptionsByTopic",
            shows="whom a topic delivers to",
        ),
        Read(
            operation="GetSubscriptionAttributes",
            action="sns:GetSubscriptionAttributes",
            shows="a subscription's filter and dead-letter queue",
        ),
        Read(operation="ListTagsForResource", action="sns:ListTagsForResource", shows="who owns a topic"),
    ),
    types={"topic": "container", "subscription": "component"},
    arns={"topic": r"sns:[^:/]+", "subscription": r"sns:[^:/]+:[^:/]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/SNS",
    dimensions=lambda resource: (("TopicName", resource.name),) if resource.type == "topic" else (),
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    listed=False,  # found where policies and variables name a topic, or because the symptom is there
)
