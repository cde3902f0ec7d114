"""Kinesis streams in worlds: shards, hot keys, what producers and readers feel, what is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.world import World, load_case
from evals.world.kinds.kinesis import FULL, HOT, StreamStage
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput, NotThere
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: A stream
people: {operator: {way: user-console, name: "{person_1}"}}
resources:
  api: {kind: http-api, name: in, route: "POST /in", calls: producer}
  producer: {kind: function, name: producer, calls: {stream: {record_bytes: 20000}}}
  stream: {kind: stream, name: clicks, settings: {OpenShardCount: 4, EnhancedMonitoring: [ALL]}}
  consumer: {kind: function, name: consumer}
  reader: {kind: mapping, name: reader, with: {from: stream, to: consumer}, calls: consumer}
traffic: {per_second: 150, enters: api, amplitude: 0.05}
flows: {second: {per_second: 0, duration_ms: 90, enters: reader}}
alarms:
  alarm:
    name: refused
    "on": stream
    namespace: AWS/Kinesis
    metric: WriteProvisionedThroughputExceeded
    dimensions: {StreamName: "{name}"}
    stat: Sum
    threshold: 0
    missing: notBreaching
look: {after: moment, minutes: 30}
switches: {noise: 0}
"""
EVENTS = [{"id": "change", "at": "0s", "who": "operator", "set": "stream", "path": "OpenShardCount", "to": 2}]


def world(tmp_path: Path, events: list[Json], **traffic: Any) -> World:
    case = yaml.safe_load(CASE)
    case |= {"events": events, "traffic": case["traffic"] | traffic}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, 2)


def sums(made: World, namespace: str, name: str, held: dict[str, str]) -> list[float]:
    """Totals of a metric in the 20 minutes before the moment and in 20 some minutes after it."""
    first = int(made.flows["case"].demand.anchor) // 60
    source = made.telemetry.find(namespace, name, tuple(held.items()))
    assert source is not None, name
    return [
        sum(one.total for minute in span if (one := source.emit(minute)) is not None)
        for span in (range(first - 20, first), range(first + 4, first + 24))
    ]


def stream(made: World, name: str, shard: int | None = None) -> list[float]:
    held = {"StreamName": "clicks"}
    return sums(
        made, "AWS/Kinesis", name, held if shard is None else held | {"ShardId": f"shardId-{shard:012d}"}
    )


def ask(made: World, service: str, operation: str, /, **given: Any) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask(service, operation, made.region, given)


def test_two_of_four_shards_take_what_two_shards_take(tmp_path: Path) -> None:
    made = world(tmp_path, EVENTS)
    stage = next(one for one in made.flows["case"].stages if isinstance(one, StreamStage))
    assert stage.per_shard == 52  # 1 MiB of records of 20,000 bytes
    before, after = stream(made, "IncomingRecords")
    assert before > 20 * 60 * 140
    assert 0.9 * 20 * 60 * 104 < after <= 20 * 60 * 104
    assert stream(made, "IncomingBytes") == [before * 20_000, after * 20_000]
    refused = stream(made, "WriteProvisionedThroughputExceeded")
    assert (refused[0], refused[1] > 20 * 60 * 40) == (0, True)
    rows = [made.flows["case"].minute(int(stage.flow.demand.anchor) // 60 + one) for one in range(4, 24)]
    failed = sum(row.ended(reason=FULL) for row in rows)
    assert failed > 1000
    assert failed + after == sum(row.requests for row in rows)
    assert sum(row.ended() for row in rows) == failed
    errors = sums(made, "AWS/Lambda", "Errors", {"FunctionName": "producer"})
    assert errors == [0, failed]
    lag = made.facts["onset"].timestamp() - stage.flow.demand.anchor
    assert 28 <= lag <= 90  # resharding takes a while


def test_the_shards_refuse_alike_and_a_hot_keys_shard_alone(tmp_path: Path) -> None:
    made = world(tmp_path, EVENTS)
    own = [stream(made, "WriteProvisionedThroughputExceeded", shard)[1] for shard in range(6)]
    assert own[:4] == [0] * 4  # closed
    assert own[4] == own[5] > 0
    hot = {"name": "t-1", "before": 0.02, "share": 0.6, "start": 0}
    made = world(tmp_path, [], hot_key=hot)
    own = [stream(made, "WriteProvisionedThroughputExceeded", shard)[1] for shard in range(4)]
    assert sorted(own)[:3] == [0, 0, 0]
    assert max(own) == pytest.approx(stream(made, "WriteProvisionedThroughputExceeded")[1])
    stage = next(one for one in made.flows["case"].stages if isinstance(one, StreamStage))
    row = made.flows["case"].minute(int(stage.flow.demand.anchor) // 60 + 10)
    assert row.passages[stage.index].refused.keys() == {HOT}
    assert own.index(max(own)) == stage.hot_shard(made.start.timestamp())


def test_the_call_tells_the_number_before_and_goes_at_most_to_half(tmp_path: Path) -> None:
    made = world(tmp_path, EVENTS)
    body = made.trail.by_id[made.facts["change.event_id"]].body
    request, response = body["requestParameters"], body["responseElements"]
    assert (request["targetShardCount"], request["scalingType"]) == (2, "UNIFORM_SCALING")
    assert response == {"streamName": "clicks", "currentShardCount": 4, "targetShardCount": 2}
    with pytest.raises((BadInput, ValueError), match="at least half"):
        world(tmp_path, [EVENTS[0] | {"to": 1}])


def test_what_a_stream_answers(tmp_path: Path) -> None:
    made = world(tmp_path, EVENTS)
    summary = ask(made, "kinesis", "DescribeStreamSummary", StreamName="clicks")["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["StreamStatus"]) == (2, "ACTIVE")
    shards = ask(made, "kinesis", "ListShards", StreamARN=made.facts["stream.arn"])["Shards"]
    closed = ["EndingSequenceNumber" in one["SequenceNumberRange"] for one in shards]
    assert closed == [True] * 4 + [False] * 2
    latest = ask(made, "kinesis", "ListShards", StreamName="clicks", ShardFilter={"Type": "AT_LATEST"})[
        "Shards"
    ]
    assert [one["ShardId"] for one in latest] == ["shardId-000000000004", "shardId-000000000005"]
    ends = [
        (int(one["HashKeyRange"]["StartingHashKey"]), int(one["HashKeyRange"]["EndingHashKey"]))
        for one in latest
    ]
    assert (ends[0][0], ends[0][1] + 1, ends[1][1]) == (0, ends[1][0], 2**128 - 1)
    assert "clicks" in ask(made, "kinesis", "ListStreams")["StreamNames"]
    with pytest.raises(NotThere):
        ask(made, "kinesis", "DescribeStreamSummary", StreamName="none")


def test_a_mapping_runs_its_function_once_a_second_for_each_shard(tmp_path: Path) -> None:
    made = world(tmp_path, EVENTS)
    runs = sums(made, "AWS/Lambda", "Invocations", {"FunctionName": "consumer"})
    assert runs == [20 * 60 * 4, 20 * 60 * 2]
    listed = ask(made, "lambda", "ListEventSourceMappings", FunctionName="consumer")["EventSourceMappings"]
    assert [(one["EventSourceArn"], one["State"], one["BatchSize"]) for one in listed] == [
        (made.facts["stream.arn"], "Enabled", 100)
    ]
    assert "onset" in made.facts


def test_a_mapping_that_is_switched_off_runs_nothing(tmp_path: Path) -> None:
    event = {"id": "change", "at": "0s", "who": "operator", "set": "reader", "path": "Enabled", "to": False}
    made = world(tmp_path, [event])
    before, after = sums(made, "AWS/Lambda", "Invocations", {"FunctionName": "consumer"})
    assert (before, after) == (20 * 60 * 4, 0)
    assert stream(made, "IncomingRecords")[1] > 20 * 60 * 140
    age = made.telemetry.find("AWS/Lambda", "IteratorAge", (("FunctionName", "consumer"),))
    assert age is not None
    first = int(made.flows["case"].demand.anchor) // 60
    assert age.emit(first - 5) is not None
    assert age.emit(first + 5) is None


def test_what_is_read_sets_the_pace(tmp_path: Path) -> None:
    case = yaml.safe_load(CASE)
    case["flows"]["second"]["per_second"] = 3
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    with pytest.raises(BadInput, match="per_second must be 0"):
        load_case(tmp_path, 2)
