"""Kinesis's reads of streams and shards."""

from __future__ import annotations

from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.kinds.kinesis import first_shard, shard_id, shards
from evals.world.seed import mix
from evals.world.world import Thing
from tools.models import Json

_KEYS = 2**128


def _stream(ask: Ask) -> Thing:
    name, arn = ask.take("StreamName"), ask.take("StreamARN")
    if not name and not arn:
        raise Refusal("InvalidArgumentException", "Either StreamName or StreamARN must be given.")
    wanted = str(arn).split("/", 1)[1] if arn else str(name)
    found = ask.world.named("stream", wanted, ask.region)
    if found is None or found.created > ask.as_of:
        said = f"Stream {wanted} under account {ask.world.account} not found."
        raise Refusal("ResourceNotFoundException", said)
    return found


def _open(ask: Ask, stream: Thing) -> tuple[int, int]:
    """(number of the first open shard, how many are open)."""
    second = ask.as_of.timestamp()
    return first_shard(stream, second), shards(stream, second)


def _status(ask: Ask, stream: Thing) -> str:
    settings = (steps for path, steps in stream.settings.steps.items() if path == "OpenShardCount")
    changed = max(
        (since for steps in settings for since in steps.since if since <= ask.as_of), default=stream.created
    )
    return "UPDATING" if (ask.as_of - changed).total_seconds() < stream.fixed["lag"] else "ACTIVE"


def _common(ask: Ask, stream: Thing) -> Json:
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": _status(ask, stream),
        "StreamModeDetails": {"StreamMode": stream.at("StreamModeDetails.StreamMode", ask.as_of)},
        "RetentionPeriodHours": stream.at("RetentionPeriodHours", ask.as_of),
        "StreamCreationTimestamp": stream.created,
        "EnhancedMonitoring": [{"ShardLevelMetrics": list(stream.at("EnhancedMonitoring", ask.as_of) or [])}],
        "EncryptionType": "NONE",
    }


@handles("kinesis", "DescribeStreamSummary")
def describe_stream_summary(ask: Ask) -> Json:
    stream = _stream(ask)
    return {
        "StreamDescriptionSummary": {
            **_common(ask, stream),
            "OpenShardCount": _open(ask, stream)[1],
            "ConsumerCount": 0,
        }
    }


def _shown(ask: Ask, stream: Thing) -> list[Json]:
    """Open shards, and closed ones whose records are still kept."""
    second, kept = ask.as_of.timestamp(), int(stream.at("RetentionPeriodHours", ask.as_of)) * 3600
    before = (first_shard(stream, second - kept), shards(stream, second - kept))
    first, many = _open(ask, stream)
    found: list[Json] = []
    if before[0] != first:
        found += [
            _shard(stream, before[0] + place, place, before[1], closed=True) for place in range(before[1])
        ]
    found += [_shard(stream, first + place, place, many, closed=False) for place in range(many)]
    return found


def _shard(stream: Thing, number: int, place: int, many: int, *, closed: bool) -> Json:
    code = 49_600_000_000_000_000_000_000 + mix(sum(map(ord, stream.arn)), number) % 10**20
    numbers = {"StartingSequenceNumber": f"{code}{number:033d}"}
    if closed:
        numbers["EndingSequenceNumber"] = f"{code + 10**12}{number:033d}"
    low, high = _KEYS * place // many, _KEYS * (place + 1) // many - 1
    return {
        "ShardId": shard_id(number),
        "HashKeyRange": {"StartingHashKey": str(low), "EndingHashKey": str(high)},
        "SequenceNumberRange": numbers,
    }


@handles("kinesis", "DescribeStream")
def describe_stream(ask: Ask) -> Json:
    stream, limit, after = _stream(ask), int(ask.take("Limit") or 100), ask.take("ExclusiveStartShardId")
    found = [one for one in _shown(ask, stream) if not after or one["ShardId"] > str(after)]
    more = len(found) > limit
    return {"StreamDescription": {**_common(ask, stream), "Shards": found[:limit], "HasMoreShards": more}}


@handles("kinesis", "ListShards")
def list_shards(ask: Ask) -> Json:
    token = ask.take("NextToken")
    if token:
        raise NotModelled("NextToken")
    stream, wanted = _stream(ask), ask.take("ShardFilter") or {}
    ask.take("MaxResults")
    if wanted.get("Type") not in (None, "AT_LATEST"):
        raise NotModelled(f"ShardFilter {wanted}")
    found = _shown(ask, stream)
    if wanted:
        found = [one for one in found if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
    return {"Shards": found}


@handles("kinesis", "ListStreams")
def list_streams(ask: Ask) -> Json:
    limit, after, token = (
        int(ask.take("Limit") or 100),
        ask.take("ExclusiveStartStreamName"),
        ask.take("NextToken"),
    )
    streams = [one for one in ask.world.of("stream", ask.region) if not after or one.name > str(after)]
    page, following = ask.page(streams, limit, token)
    answer: Json = {
        "StreamNames": [one.name for one in page],
        "HasMoreStreams": following is not None,
        "StreamSummaries": [_summary(ask, one) for one in page],
    }
    return answer | ({"NextToken": following} if following else {})


def _summary(ask: Ask, stream: Thing) -> Json:
    names = ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")
    return {name: value for name, value in _common(ask, stream).items() if name in names}


@handles("kinesis", "ListStreamConsumers")
def list_stream_consumers(ask: Ask) -> Json:
    ask.take("MaxResults")
    _stream(ask)
    return {"Consumers": []}


@handles("kinesis", "DescribeLimits")
def describe_limits(ask: Ask) -> Json:
    streams: list[Any] = ask.world.of("stream", ask.region)
    return {
        "ShardLimit": 500,
        "OpenShardCount": sum(_open(ask, one)[1] for one in streams),
        "OnDemandStreamCount": sum(
            one.at("StreamModeDetails.StreamMode", ask.as_of) == "ON_DEMAND" for one in streams
        ),
        "OnDemandStreamCountLimit": 50,
    }


@handles("kinesis", "GetResourcePolicy")
def get_resource_policy(ask: Ask) -> Json:
    ask.left["StreamARN"] = ask.need("ResourceARN")
    _stream(ask)
    return {"Policy": "{}"}


@handles("kinesis", "ListTagsForStream")
def list_tags_for_stream(ask: Ask) -> Json:
    stream, after, limit = _stream(ask), ask.take("ExclusiveStartTagKey"), int(ask.take("Limit") or 50)
    pairs = [
        (key, value) for key, value in sorted(stream.tags(ask.as_of).items()) if not after or key > after
    ]
    tags = [{"Key": key, "Value": value} for key, value in pairs[:limit]]
    return {"Tags": tags, "HasMoreTags": len(pairs) > limit}


@handles("kinesis", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    ask.left["StreamARN"] = ask.need("ResourceARN")
    tags = _stream(ask).tags(ask.as_of)
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
