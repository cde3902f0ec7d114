"""Streams of tables in worlds: what follows them, what switching off and on does, what is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.world import World, load_case
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput, NotThere
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: A table that is followed
people: {operator: {way: user-console, name: "{person_1}"}}
resources:
  writer: {kind: function, name: writer, calls: table}
  table: {kind: table, name: orders, settings: {StreamSpecification.StreamEnabled: true}}
  follower: {kind: function, name: follower}
  reader: {kind: mapping, name: reader, with: {from: table, to: follower}, calls: follower}
traffic: {per_second: 0, duration_ms: 90, enters: reader}
flows: {second: {per_second: 4, enters: writer}}
alarms:
  alarm:
    name: silent
    "on": follower
    namespace: AWS/Lambda
    metric: Invocations
    dimensions: {FunctionName: "{name}"}
    stat: Sum
    comparison: LessThanThreshold
    threshold: 1
    missing: breaching
look: {after: moment, minutes: 30}
switches: {noise: 0}
"""
OFF: Json = {"id": "change", "at": "0s", "who": "operator", "set": "table", "to": False}
OFF |= {"path": "StreamSpecification.StreamEnabled"}


def world(tmp_path: Path, *events: Json, first: Json | None = None) -> World:
    case = yaml.safe_load(CASE) | {"events": list(events)}
    if first is not None:
        case["resources"]["table"]["settings"] = first
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, 2)


def runs(made: World, name: str, start: int, end: int) -> float:
    """Invocations of a function between two minutes of the case."""
    first = int(made.flows["case"].demand.anchor) // 60
    source = made.telemetry.find("AWS/Lambda", "Invocations", (("FunctionName", name),))
    assert source is not None
    return sum(one.total for minute in range(first + start, first + end) if (one := source.emit(minute)))


def ask(made: World, service: str, operation: str, /, **given: Any) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask(service, operation, made.region, given)


def test_the_follower_runs_for_what_is_written_until_the_stream_is_off(tmp_path: Path) -> None:
    made = world(tmp_path, OFF)
    assert runs(made, "follower", -10, 0) == runs(made, "writer", -10, 0) > 2000
    assert runs(made, "follower", 1, 20) == 0
    assert runs(made, "writer", 1, 20) > 4000
    assert made.facts["onset"].timestamp() - made.flows["case"].demand.anchor < 5
    assert made.alarms["silent"].state(made.start).value == "ALARM"
    body = made.trail.by_id[made.facts["change.event_id"]].body
    assert (body["eventName"], body["requestParameters"]["streamSpecification"]) == (
        "UpdateTable",
        {"streamEnabled": False},
    )


def test_another_stream_is_not_the_one_that_is_read(tmp_path: Path) -> None:
    again = OFF | {"id": "again", "at": "+10m", "to": True}
    made = world(tmp_path, OFF, again)
    assert runs(made, "follower", 11, 25) == 0
    table = ask(made, "dynamodb", "DescribeTable", TableName="orders")["Table"]
    mapped = ask(made, "lambda", "ListEventSourceMappings", FunctionName="follower")["EventSourceMappings"][0]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["LatestStreamArn"] != mapped["EventSourceArn"]
    assert mapped["EventSourceArn"].startswith(f"{table['TableArn']}/stream/")


def test_a_stream_that_is_off_is_still_shown_with_its_label(tmp_path: Path) -> None:
    made = world(tmp_path, OFF)
    table = ask(made, "dynamodb", "DescribeTable", TableName="orders")["Table"]
    assert "StreamSpecification" not in table
    listed = ask(made, "dynamodbstreams", "ListStreams", TableName="orders")["Streams"]
    assert [one["StreamArn"] for one in listed] == [table["LatestStreamArn"]]
    shown = ask(made, "dynamodbstreams", "DescribeStream", StreamArn=table["LatestStreamArn"])[
        "StreamDescription"
    ]
    assert (shown["StreamStatus"], shown["StreamViewType"]) == ("DISABLED", "NEW_AND_OLD_IMAGES")
    with pytest.raises(NotThere):
        ask(made, "dynamodbstreams", "DescribeStream", StreamArn=table["LatestStreamArn"] + "0")


def test_only_a_table_with_a_stream_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs the setting"):
        world(tmp_path, first={})
