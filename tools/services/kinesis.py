"""Kinesis Data Streams: streams, their shards and capacity mode, retention, encryption and enhanced consumers.

`config` of a stream is StreamDescriptionSummary of DescribeStreamSummary, with `Policy` (GetResourcePolicy, as an
object), `Consumers` (the items of ListStreamConsumers) and `AsRead` (retention and key as they were read: which call
sets a value depends on where it comes from). `config` of a consumer is ConsumerDescription of DescribeStreamConsumer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tools.arn import build, is_arn
from tools.arn import parse as parse_arn
from tools.change_kit import means_policy
from tools.errors import NotThere
from tools.evidence import canonical
from tools.kit import call, here, optional, plain, record, relation, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.policies import document
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "kinesis.amazonaws.com"
_CONSUMER = re.compile(r"^(.+:stream/[^/]+)/consumer/[^/]+$")
_SHORTEST, _LONGEST = 24, 8760  # hours of retention that Kinesis allows (IncreaseStreamRetentionPeriod)


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """A consumer, where the event tells its ARN, then the stream."""
    consumers = (
        text(event.request, "consumerARN"),
        text(event.response, "consumer", "consumerARN"),
        text(event.request, "resourceARN"),
    )
    consumer = next((arn for arn in consumers if _CONSUMER.match(arn)), "")
    named = text(event.request, "streamARN") or text(event.request, "resourceARN")
    name = text(event.request, "streamName")
    stream = named if is_arn(named) else here(event, "kinesis", f"stream/{name}") if name else consumer
    stream = _CONSUMER.sub(r"\1", stream)
    return tuple(arn for arn in (consumer, stream) if arn)


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Names of all streams; `describe` reads one whole."""
    streams = reader.pages("kinesis", "ListStreams", "StreamNames", region=region, limit=20)
    for name in streams.items:
        arn = build("kinesis", region, reader.aws.account, f"stream/{name}")
        yield _resource("stream", arn, {}, streams.evidence)


def _resource(
    type: str, arn: str, config: Json, evidence: Iterable[str], tags: Mapping[str, str] | None = None
) -> Resource:
    parts = parse_arn(arn)
    # A consumer's ARN ends with the second at which it was registered.
    name = parts.name.partition("/consumer/")[2].rpartition(":")[0] if type == "stream-consumer" else ""
    return Resource(
        arn=arn,
        service="kinesis",
        type=type,
        name=name or parts.name,
        account=parts.account,
        region=parts.region,
        config=plain(config),
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A stream with its policy, consumers and tags; or one registered consumer."""
    parts = parse_arn(arn)
    at: dict[str, Any] = {"region": parts.region}
    if _CONSUMER.match(arn):
        try:
            answer = reader.ask("kinesis", "DescribeStreamConsumer", ConsumerARN=arn, **at)
        except NotThere:
            return None
        return _resource("stream-consumer", arn, answer.data["ConsumerDescription"], (answer.evidence,))
    try:
        answer = reader.ask("kinesis", "DescribeStreamSummary", StreamName=parts.name, **at)
    except NotThere:
        return None
    config: Json = dict(answer.data["StreamDescriptionSummary"])
    config["AsRead"] = {key: config[key] for key in ("RetentionPeriodHours", "KeyId") if key in config}
    evidence = [answer.evidence]
    policy = optional(reader, "kinesis", "GetResourcePolicy", "Resource policy", ResourceARN=arn, **at)
    if policy is not None:
        if told := document(policy.data.get("Policy") or "{}"):
            config["Policy"] = told
        evidence.append(policy.evidence)
    if config.get("ConsumerCount"):
        found = optional(reader, "kinesis", "ListStreamConsumers", "Consumers", StreamARN=arn, **at)
        if found is not None:
            config["Consumers"] = list(found.data.get("Consumers") or [])
            evidence.append(found.evidence)
    tags = optional(reader, "kinesis", "ListTagsForStream", "Tags", StreamName=parts.name, **at)
    kept = {tag["Key"]: tag.get("Value", "") for tag in (tags.data.get("Tags") or [])} if tags else {}
    return _resource("stream", arn, config, evidence, kept)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """A stream's registered consumers and its key. Its plain readers are told by themselves (Lambda, Firehose)."""
    if resource.type == "stream-consumer":
        stream = text(resource.config, "StreamARN") or _CONSUMER.sub(r"\1", resource.arn)
        said = "kinesis:DescribeStreamConsumer StreamARN"
        yield Relation(
            source=stream, target=resource.arn, kind="read by", provenance=said, evidence=resource.evidence
        )
        return
    for consumer in resource.config.get("Consumers") or []:
        if arn := text(consumer, "ConsumerARN"):
            yield relation(resource, arn, "read by", "kinesis:ListStreamConsumers ConsumerARN")
    key = text(resource.config, "KeyId")
    yield from uses_key(resource, key, "kinesis:DescribeStreamSummary KeyId")


def _means_key(event: ChangeEvent, value: Value) -> Value:
    """The ARN of a key or alias, which Kinesis takes as id, alias or ARN."""
    key = str(value)
    return here(event, "kms", key if key.startswith("alias/") or is_arn(key) else f"key/{key}")


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    if resource.type == "stream-consumer":
        stream = parse_arn(_CONSUMER.sub(r"\1", resource.arn)).name
        return (("ConsumerName", resource.name), ("StreamName", stream))
    return (("StreamName", resource.name),)


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    # A consumer's ARN cannot be told from its name: the stream stands for it until the consumer is known.
    name = dimensions.get("StreamName", "")
    return f"arn:{partition}:kinesis:{region}:{account}:stream/{name}" if name else ""


# -- settings --------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("kinesis", "DescribeStreamSummary", resource, StreamName=resource.name)


def _read_policy(resource: Resource) -> Call:
    return call("kinesis", "GetResourcePolicy", resource, ResourceARN=resource.arn)


def _restore_shards(resource: Resource, value: Value) -> tuple[Call, ...]:
    # One call at most doubles or halves the count; so did the call that is undone.
    if value is None or whole(value) < 1:
        return ()
    return (
        call(
            "kinesis",
            "UpdateShardCount",
            resource,
            StreamName=resource.name,
            TargetShardCount=whole(value),
            ScalingType="UNIFORM_SCALING",
        ),
    )


def _restore_mode(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not value:
        return ()
    mode = {"StreamMode": str(value)}
    return (call("kinesis", "UpdateStreamMode", resource, StreamARN=resource.arn, StreamModeDetails=mode),)


def _restore_retention(resource: Resource, value: Value) -> tuple[Call, ...]:
    """Raising and lowering are two operations: which one it is, the value as it was read tells."""
    if value is None:
        return ()
    hours, now = whole(value), (resource.config.get("AsRead") or {}).get("RetentionPeriodHours")
    if now == hours and hours not in (_SHORTEST, _LONGEST):
        return ()
    raised = hours > int(now) if now not in (None, hours) else hours > _SHORTEST
    operation = "IncreaseStreamRetentionPeriod" if raised else "DecreaseStreamRetentionPeriod"
    return (call("kinesis", operation, resource, StreamName=resource.name, RetentionPeriodHours=hours),)


def _restore_key(resource: Resource, value: Value) -> tuple[Call, ...]:
    used = value or (resource.config.get("AsRead") or {}).get("KeyId")
    if not used:
        return ()
    operation = "StartStreamEncryption" if value else "StopStreamEncryption"
    return (
        call(
            "kinesis",
            operation,
            resource,
            StreamName=resource.name,
            EncryptionType="KMS",
            KeyId=str(used),
        ),
    )


def _restore_policy(resource: Resource, value: Any) -> tuple[Call, ...]:
    if value in (None, ""):
        return (call("kinesis", "DeleteResourcePolicy", resource, ResourceARN=resource.arn),)
    sent = value if isinstance(value, str) else canonical(value)
    return (call("kinesis", "PutResourcePolicy", resource, ResourceARN=resource.arn, Policy=sent),)


def _restore_record_size(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    return (
        call(
            "kinesis",
            "UpdateMaxRecordSize",
            resource,
            StreamARN=resource.arn,
            MaxRecordSizeInKiB=whole(value),
        ),
    )


_ACTIVE: Mapping[str, Value] = {"StreamDescriptionSummary.StreamStatus": "ACTIVE"}
_RESHARDED = (0, 3600)  # shards are merged pair by pair, about half a minute each


def _narrow(when: Any) -> tuple[Effect, ...]:
    return (
        Effect(metric="WriteProvisionedThroughputExceeded", direction="up", after=_RESHARDED, when=when),
        Effect(metric="PutRecords.ThrottledRecords", direction="up", after=_RESHARDED, when=when, may=True),
        Effect(
            metric="ReadProvisionedThroughputExceeded", direction="up", after=_RESHARDED, when=when, may=True
        ),
        Effect(
            metric="GetRecords.IteratorAgeMilliseconds",
            direction="up",
            after=_RESHARDED,
            when=when,
            may=True,
        ),
        Effect(metric="IncomingRecords", direction="down", after=_RESHARDED, when=when, may=True),
        *(
            Effect(metric=f"role:{role}", direction="up", on="upstream", after=_RESHARDED, when=when)
            for role in ("errors", "throttles", "latency", "backlog")
        ),
        *(
            Effect(metric=f"role:{role}", direction="down", on="downstream", after=_RESHARDED, when=when)
            for role in ("demand", "work")
        ),
    )


# Writers need kms:GenerateDataKey and readers kms:Decrypt; data keys are cached for five minutes.
_KEYED = (
    Effect(metric="IncomingRecords", direction="down", after=(0, 900)),
    Effect(metric="PutRecord.Success", direction="down", after=(0, 900), may=True),
    Effect(metric="GetRecords.IteratorAgeMilliseconds", direction="up", after=(0, 1800), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800)),
    Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 1800)),
)
_REFUSED = (
    Effect(metric="IncomingRecords", direction="down", after=(0, 600), may=True),
    Effect(metric="GetRecords.IteratorAgeMilliseconds", direction="up", after=(0, 1800), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800)),
)

SETTINGS = (
    Setting(
        type="stream",
        name="number of shards",
        path="OpenShardCount",
        unit="shards",
        requests={"UpdateShardCount": "targetShardCount", "CreateStream": "shardCount"},
        restore=_restore_shards,
        read=_read,
        query="StreamDescriptionSummary.OpenShardCount",
        echo="old",
        echo_path="currentShardCount",
        effects=_narrow("lowered"),
        ready=_ACTIVE,
    ),
    Setting(
        type="stream",
        name="capacity mode",
        path="StreamModeDetails.StreamMode",
        unit="",
        requests=dict.fromkeys(("UpdateStreamMode", "CreateStream"), "streamModeDetails.streamMode"),
        restore=_restore_mode,
        read=_read,
        query="StreamDescriptionSummary.StreamModeDetails.StreamMode",
        unset="PROVISIONED",
        effects=_narrow("any"),
        ready=_ACTIVE,
    ),
    Setting(
        type="stream",
        name="retention",
        path="RetentionPeriodHours",
        unit="hours",
        requests={
            **dict.fromkeys(
                ("DecreaseStreamRetentionPeriod", "IncreaseStreamRetentionPeriod"), "retentionPeriodHours"
            ),
            "CreateStream": f"`{_SHORTEST}`",
        },
        restore=_restore_retention,
        read=_read,
        query="StreamDescriptionSummary.RetentionPeriodHours",
        unset=_SHORTEST,
        effects=(
            # Records that nobody has read yet are gone at once: a reader that was behind jumps ahead.
            Effect(
                metric="GetRecords.IteratorAgeMilliseconds",
                direction="down",
                after=(0, 1800),
                when="lowered",
                may=True,
            ),
            Effect(metric="role:work", direction="down", on="downstream", after=(0, 3600), when="lowered"),
        ),
        ready=_ACTIVE,
    ),
    Setting(
        type="stream",
        name="encryption key",
        path="KeyId",
        unit="",
        requests={
            "StartStreamEncryption": "keyId",
            "StopStreamEncryption": "`null`",
            "CreateStream": "`null`",
        },
        restore=_restore_key,
        read=_read,
        query="StreamDescriptionSummary.KeyId",
        effects=_KEYED,
        ready=_ACTIVE,
        means=_means_key,
    ),
    Setting(
        type="stream",
        name="largest record",
        path="MaxRecordSizeInKiB",
        unit="KiB",
        requests=dict.fromkeys(("UpdateMaxRecordSize", "CreateStream"), "maxRecordSizeInKiB"),
        restore=_restore_record_size,
        read=_read,
        query="StreamDescriptionSummary.MaxRecordSizeInKiB",
        unset=1024,
        effects=(
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600), when="lowered"),
            Effect(metric="IncomingRecords", direction="down", after=(0, 600), when="lowered", may=True),
        ),
        ready=_ACTIVE,
    ),
    Setting(
        type="stream",
        name="resource policy",
        path="Policy",
        unit="",
        requests={
            "PutResourcePolicy": "policy",
            "DeleteResourcePolicy": "`null`",
            "CreateStream": "`null`",
        },
        restore=_restore_policy,
        read=_read_policy,
        query="Policy",
        echo="none",
        effects=_REFUSED,
        means=means_policy,
    ),
)


# -- changes ---------------------------------------------------------------------------------------

_CLICKS = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"
_READER = f"{_CLICKS}/consumer/billing:1773421951"
_CLICKS_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
_NAMED: Json = {"streamName": "clicks"}
_POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "partner",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
            "Action": ["kinesis:DescribeStreamSummary", "kinesis:PutRecords"],
            "Resource": _CLICKS,
        }
    ],
}


def _change(
    operation: str,
    breaks: str,
    request: Json,
    response: Json | None = None,
    effects: tuple[Effect, ...] = (),
    more: tuple[Json, ...] = (),
) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=record(_SOURCE, operation, request, response),
        more_examples=tuple(record(_SOURCE, operation, one) for one in more),
        effects=effects,
    )


_GONE = (
    Effect(metric="IncomingRecords", direction="silent", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 600)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
    Effect(metric="role:work", direction="silent", on="downstream", after=(0, 900)),
)
_ENHANCED: Json = {**_NAMED, "shardLevelMetrics": ["IncomingRecords"]}

CHANGES = (
    _change(
        "UpdateShardCount",
        "Writers above what the remaining shards take are refused; readers fall behind.",
        {**_NAMED, "targetShardCount": 2, "scalingType": "UNIFORM_SCALING"},
        {**_NAMED, "currentShardCount": 4, "targetShardCount": 2},
    ),
    _change(
        "UpdateStreamMode",
        "A stream that is provisioned refuses what its shards do not take; a switch takes minutes.",
        {"streamARN": _CLICKS, "streamModeDetails": {"streamMode": "PROVISIONED"}},
    ),
    _change(
        "DecreaseStreamRetentionPeriod",
        "Records older than the new retention are gone at once, read or not.",
        {**_NAMED, "retentionPeriodHours": 24},
    ),
    _change(
        "IncreaseStreamRetentionPeriod",
        "Nothing breaks; records are kept and paid for longer.",
        {**_NAMED, "retentionPeriodHours": 168},
    ),
    _change(
        "StartStreamEncryption",
        "Writers and readers that may not use the key are refused.",
        {**_NAMED, "encryptionType": "KMS", "keyId": _CLICKS_KEY},
    ),
    _change(
        "StopStreamEncryption",
        "Nothing breaks for callers; new records are stored without the key.",
        {**_NAMED, "encryptionType": "KMS", "keyId": _CLICKS_KEY},
    ),
    _change(
        "UpdateMaxRecordSize",
        "Larger records are refused.",
        {"streamARN": _CLICKS, "maxRecordSizeInKiB": 1024},
    ),
    _change(
        "UpdateStreamWarmThroughput",
        "A stream on demand that is kept less warm refuses sudden peaks.",
        {"streamARN": _CLICKS, "warmThroughputMiBps": 10},
        effects=_narrow("any"),
    ),
    _change(
        "MergeShards",
        "One shard takes what two took: writers of its keys are refused.",
        {**_NAMED, "shardToMerge": "shardId-000000000002", "adjacentShardToMerge": "shardId-000000000003"},
        effects=_narrow("any"),
    ),
    _change(
        "DeleteStream",
        "Writers and readers fail: the stream does not exist any more. Its records are gone.",
        {**_NAMED, "enforceConsumerDeletion": True},
        effects=_GONE,
    ),
    _change(
        "DeregisterStreamConsumer",
        "The consumer gets nothing more. Registered again it has another ARN, which its readers must be given.",
        {"consumerARN": _READER},
        effects=(
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
            Effect(metric="role:work", direction="silent", on="downstream", after=(0, 900)),
            Effect(metric="role:errors", direction="up", on="downstream", after=(0, 900)),
        ),
    ),
    _change(
        "PutResourcePolicy",
        "Callers that the new policy does not allow are refused.",
        {"resourceARN": _CLICKS, "policy": json.dumps(_POLICY)},
        more=({"resourceARN": _READER, "policy": json.dumps(_POLICY)},),
    ),
    _change(
        "DeleteResourcePolicy",
        "Callers of other accounts that only the policy allowed are refused.",
        {"resourceARN": _CLICKS},
    ),
    inert(
        "CreateStream",
        _touches,
        record(
            _SOURCE,
            "CreateStream",
            {**_NAMED, "shardCount": 4, "streamModeDetails": {"streamMode": "PROVISIONED"}},
        ),
    ),
    inert(
        "SplitShard",
        _touches,
        record(
            _SOURCE,
            "SplitShard",
            {
                **_NAMED,
                "shardToSplit": "shardId-000000000002",
                "newStartingHashKey": "170141183460469231731687303715884105728",
            },
        ),
    ),
    inert(
        "RegisterStreamConsumer",
        _touches,
        record(
            _SOURCE,
            "RegisterStreamConsumer",
            {"streamARN": _CLICKS, "consumerName": "billing"},
            {
                "consumer": {
                    "consumerName": "billing",
                    "consumerARN": _READER,
                    "consumerStatus": "CREATING",
                    "consumerCreationTimestamp": "Mar 13, 2026 5:12:31 PM",
                }
            },
        ),
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request))
        for operation, request in (
            ("EnableEnhancedMonitoring", _ENHANCED),
            ("DisableEnhancedMonitoring", _ENHANCED),
            ("AddTagsToStream", {**_NAMED, "tags": {"team": "shop"}}),
            ("RemoveTagsFromStream", {**_NAMED, "tagKeys": ["team"]}),
            ("TagResource", {"resourceARN": _CLICKS, "tags": {"team": "shop"}}),
            ("UntagResource", {"resourceARN": _CLICKS, "tagKeys": ["team"]}),
        )
    ),
)


# -- conditions, signatures, metrics ---------------------------------------------------------------


def _one_shard(resource: Resource) -> bool:
    mode = text(resource.config, "StreamModeDetails", "StreamMode")
    return mode != "ON_DEMAND" and resource.config.get("OpenShardCount") == 1


def _all_shards(resource: Resource) -> Mapping[str, float]:
    """What the open shards take in a second: 1 MiB and 1,000 records each. On demand AWS adds shards by itself."""
    shards = resource.config.get("OpenShardCount")
    if not isinstance(shards, int) or text(resource.config, "StreamModeDetails", "StreamMode") == "ON_DEMAND":
        return {}
    return {"IncomingBytes": 1_048_576.0 * shards, "IncomingRecords": 1000.0 * shards}


CONDITIONS = (
    Condition(
        key="hot-shard",
        type="stream",
        title="hot shard: writes concentrate on few partition keys",
        metrics=("WriteProvisionedThroughputExceeded",),
        breaks="Records of the busiest keys are refused although the stream as a whole has room.",
        relieve=(
            "Find the busiest shard with shard-level metrics (IncomingRecords by shard) and its keys.",
            "Split that one shard, or slow its sender down; more shards for all keys help one key little.",
        ),
        prevent=(
            "Spread the busiest partition keys (a suffix on the key).",
            "Alarm on WriteProvisionedThroughputExceeded above 0, with shard-level metrics switched on.",
        ),
        excluded=_one_shard,
        takes=_all_shards,
    ),
)

SIGNATURES = (
    Signature(
        match=r"Rate exceeded for shard shardId-\d+ in stream",
        code="ProvisionedThroughputExceededException",
        reason="",
        points_to="OpenShardCount",
        says="a shard of the stream got more than it takes",
    ),
    Signature(
        match=r"\bStream \S+ under account \d{12} not found",
        code="ResourceNotFoundException",
        reason="",
        points_to="DeleteStream",
        says="the stream does not exist",
    ),
)


def _metric(
    name: str, stat: str, role: Any, bad: Any, missing: Any, unit: str, type: str = "stream"
) -> MetricSpec:
    return MetricSpec(type=type, name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit)


METRICS = (
    _metric("IncomingRecords", "Sum", "demand", "down", "idle", "records written"),
    _metric("IncomingBytes", "Sum", "demand", "down", "idle", "bytes written"),
    _metric("WriteProvisionedThroughputExceeded", "Sum", "throttles", "up", "zero", "refused records"),
    _metric("ReadProvisionedThroughputExceeded", "Sum", "throttles", "up", "zero", "refused reads"),
    _metric("PutRecords.ThrottledRecords", "Sum", "throttles", "up", "zero", "refused records of batches"),
    _metric("PutRecords.FailedRecords", "Sum", "errors", "up", "zero", "records that failed within Kinesis"),
    # Without a reader nobody measures how far behind it is.
    _metric("GetRecords.IteratorAgeMilliseconds", "Maximum", "backlog", "up", "idle", "ms behind"),
    _metric("GetRecords.Records", "Sum", "work", "down", "idle", "records read"),
    _metric("GetRecords.Latency", "Average", "latency", "up", "idle", "ms"),
    _metric("PutRecord.Latency", "Average", "latency", "up", "idle", "ms"),
    _metric("PutRecords.Latency", "Average", "latency", "up", "idle", "ms"),
    _metric("PutRecord.Success", "Average", "work", "down", "idle", "share of writes that succeeded"),
    _metric(
        "SubscribeToShardEvent.MillisBehindLatest",
        "Maximum",
        "backlog",
        "up",
        "idle",
        "ms behind",
        "stream-consumer",
    ),
    _metric(
        "SubscribeToShardEvent.Records", "Sum", "work", "down", "idle", "records pushed", "stream-consumer"
    ),
    _metric(
        "SubscribeToShard.RateExceeded",
        "Sum",
        "throttles",
        "up",
        "zero",
        "refused subscriptions",
        "stream-consumer",
    ),
)

SERVICE = Service(
    name="kinesis",
    title="Kinesis",
    client="kinesis",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListStreams", action="kinesis:ListStreams", shows="which streams exist"),
        Read(
            operation="DescribeStreamSummary",
            action="kinesis:DescribeStreamSummary",
            shows="a stream's shards, mode, retention and key",
        ),
        Read(
            operation="GetResourcePolicy",
            action="kinesis:GetResourcePolicy",
            shows="whom a stream's own policy allows",
        ),
        Read(
            operation="ListStreamConsumers",
            action="kinesis:ListStreamConsumers",
            shows="which consumers have a pipe of their own",
        ),
        Read(
            operation="DescribeStreamConsumer",
            action="kinesis:DescribeStreamConsumer",
            shows="a consumer's status",
        ),
        Read(operation="ListTagsForStream", action="kinesis:ListTagsForStream", shows="who owns a stream"),
    ),
    types={"stream": "container", "stream-consumer": "component"},
    arns={
        "stream": r"kinesis:stream/[^/]+",
        "stream-consumer": r"kinesis:stream/[^/]+/consumer/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/Kinesis",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    listed=False,  # found where event source mappings, delivery streams, policies and variables name them
)
