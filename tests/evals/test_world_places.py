"""Worlds of several accounts and regions: each shows its own, and no more than AWS shows of the others."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evals.world import load_case
from evals.world.grants import Grants, lets_in
from evals.world.world import World
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput, Denied, NotThere, Unavailable
from tools.evidence import MemoryStore
from tools.models import Json
from tools.spaces import Space


@cache
def _world(case: str, seed: int = 2) -> World:
    return load_case(case, seed)


def _reader(world: World) -> Reader:
    spaces = [Space(account=one.account) for one in world.neighbours.values() if one.known]
    clock = VirtualClock(world.start)
    aws = Aws(
        Account(region=world.region), world.transport(), clock, Budget(Limits()), MemoryStore(), spaces=spaces
    )
    reader = Reader(aws=aws, letter="T")
    aws.identify(reader)
    return reader


def _events(reader: Reader, region: str = "", **attribute: str) -> list[Json]:
    attributes = [{"AttributeKey": key, "AttributeValue": value} for key, value in attribute.items()]
    answer = reader.ask("cloudtrail", "LookupEvents", region=region, LookupAttributes=attributes)
    found: list[Json] = answer.data["Events"]
    return found


SHARED = "shared-network-route-deleted"


def test_an_event_is_in_the_trail_of_the_account_that_owns_the_resource_only() -> None:
    world = _world(SHARED)
    here, there = _reader(world), _reader(world).at(world.facts["network.account"])
    wanted = world.facts["change.event_id"]
    assert [one["EventId"] for one in _events(there, EventName="DeleteRoute")] == [wanted]
    assert _events(here, EventName="DeleteRoute") == []
    assert {made.body["recipientAccountId"] for made in world.trail.records} >= {
        world.account,
        world.facts["network.account"],
    }


def test_participants_see_the_shared_network_without_its_tags_and_gateways() -> None:
    world = _world(SHARED)
    here, owner = _reader(world), world.facts["network.account"]
    there = here.at(owner)
    table = here.ask("ec2", "DescribeRouteTables", RouteTableIds=[world.facts["routes.id"]]).data[
        "RouteTables"
    ][0]
    own = there.ask("ec2", "DescribeRouteTables", RouteTableIds=[world.facts["routes.id"]]).data[
        "RouteTables"
    ][0]
    assert (table["OwnerId"], table["Tags"]) == (owner, [])
    assert own["OwnerId"] == owner
    assert own["Tags"]
    assert there.ask("ec2", "DescribeNatGateways").data["NatGateways"]
    assert here.ask("ec2", "DescribeNatGateways").data["NatGateways"] == []
    groups = here.ask("ec2", "DescribeSecurityGroups").data["SecurityGroups"]
    assert {group["OwnerId"] for group in groups} == {world.account}


def test_the_owner_sees_none_of_the_participants_things() -> None:
    world = _world(SHARED)
    there = _reader(world).at(world.facts["network.account"])
    assert there.ask("lambda", "ListFunctions").data["Functions"] == []
    assert there.ask("cloudwatch", "DescribeAlarms").data["MetricAlarms"] == []
    assert there.ask("sts", "GetCallerIdentity").data["Account"] == world.facts["network.account"]


def _points(
    reader: Reader, world: World, metric: str, dimension: tuple[str, str], region: str = ""
) -> list[float]:
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {
                "Namespace": metric.rpartition("/")[0],
                "MetricName": metric.rpartition("/")[2],
                "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
            },
            "Period": 300,
            "Stat": "Maximum",
        },
    }
    end = world.start - timedelta(minutes=5)
    answer = reader.ask(
        "cloudwatch", "GetMetricData", region=region, MetricDataQueries=[query],
        StartTime=end - timedelta(hours=1), EndTime=end, ScanBy="TimestampAscending",
    )  # fmt: skip
    found: list[float] = answer.data["MetricDataResults"][0]["Values"]
    return found


def test_metrics_are_where_the_resource_is() -> None:
    world = _world(SHARED)
    here, there = _reader(world), _reader(world).at(world.facts["network.account"])
    gateway = ("NatGatewayId", world.facts["nat.id"])
    assert _points(there, world, "AWS/NATGateway/BytesOutToDestination", gateway)
    assert _points(here, world, "AWS/NATGateway/BytesOutToDestination", gateway) == []


REPLICA = "replica-limit-lowered"


def test_a_maximum_set_on_one_replica_holds_on_all_and_its_event_is_in_that_region() -> None:
    world = _world(REPLICA)
    reader, name = _reader(world), world.facts["table.name"]
    elsewhere = world.facts["replica.region"]
    assert elsewhere != world.region
    shown = {}
    for region in (world.region, elsewhere):
        table = reader.ask("dynamodb", "DescribeTable", region=region, TableName=name).data["Table"]
        shown[region] = table["OnDemandThroughput"]["MaxWriteRequestUnits"]
        assert [one["RegionName"] for one in table["Replicas"]] == [
            ({world.region, elsewhere} - {region}).pop()
        ]
    assert set(shown.values()) == {world.facts["max_write.after"]}
    wanted = world.facts["change.event_id"]
    assert wanted in [one["EventId"] for one in _events(reader, elsewhere, EventName="UpdateTable")]
    assert wanted not in [one["EventId"] for one in _events(reader, EventName="UpdateTable")]
    limit = ("TableName", name)
    assert (
        _points(reader, world, "AWS/DynamoDB/OnDemandMaxWriteRequestUnits", limit, elsewhere)[-1]
        == shown[elsewhere]
    )


def test_a_read_maximum_and_tags_are_the_replica_s_own() -> None:
    world = _world(REPLICA)
    table, replica = world.known["table"], world.known["replica"]
    assert table.tags(world.start)
    assert not {key for key in replica.tags(world.start) if key == "team"}
    assert "OnDemandThroughput.MaxReadRequestUnits" not in replica.fixed["replicated"]


CHAIN = "role-policy-removed-by-chain"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_accounts_record_the_same_assume_role_and_only_the_caller_s_says_who(seed: int) -> None:
    world = _world(CHAIN, seed)
    home = world.facts["identity.account"]
    key = world.trail.by_id[world.facts["change.event_id"]].body["userIdentity"]["accessKeyId"]
    found = [
        made.body
        for made in world.trail.records
        if made.body["eventName"] == "AssumeRole"
        and (made.body["responseElements"] or {}).get("credentials", {}).get("accessKeyId") == key
    ]
    assert {one["recipientAccountId"] for one in found} == {world.account, home}
    assert len({one["sharedEventID"] for one in found}) == 1
    by = {one["recipientAccountId"]: one["userIdentity"] for one in found}
    assert by[world.account]["type"] == "AWSAccount"
    assert by[world.account]["accountId"] == home
    assert "arn" not in by[world.account]
    assert world.facts["change.actor.name"] in by[home]["arn"]
    assert by[world.account]["principalId"] == by[home]["principalId"]
    moments = [datetime.fromisoformat(one["eventTime"]) for one in found]
    assert all(moment < world.facts["change.time"] for moment in moments)


def test_an_account_that_is_not_known_cannot_be_read() -> None:
    world = _world("shared-network-owner-unseen")
    with pytest.raises(Unavailable) as refused:
        _reader(world).at(world.facts["routes.account"])
    assert world.facts["routes.account"] in refused.value.gap.why
    assert refused.value.gap.code == "NoSpace"


def test_another_account_s_queue_is_not_there_under_the_same_name() -> None:
    world = _world(CHAIN)
    there = _reader(world).at(world.facts["identity.account"])
    with pytest.raises(NotThere):
        there.ask("dynamodb", "DescribeTable", TableName=world.facts["table.name"])


def test_the_first_account_answers_as_if_there_were_no_other() -> None:
    """Draws of one account do not move with another: the same table, key and people."""
    world = _world(CHAIN)
    assert world.account == _world("role-permission-removed").account
    assert world.facts["table.arn"] == _world("role-permission-removed").facts["table.arn"]


_CASE: dict[str, Any] = {
    "people": "people: {who: {way: user-console, name: a, home: other, role: r}}",
    "account": "people: {who: {way: user-cli, name: a, account: nowhere}}",
    "replica": "people: {}",
}


@pytest.mark.parametrize(
    ("name", "said"),
    [("people", "user-cli or sso-cli"), ("account", "none of the accounts"), ("replica", "another region")],
)
def test_mistakes_are_told(name: str, said: str, tmp_path: Path) -> None:
    extra = "  copy: {kind: table-replica, name: t, with: {of: table}}" if name == "replica" else ""
    text = f"""
title: A mistake
accounts: {{other: {{}}}}
{_CASE[name]}
resources:
  function: {{kind: function, name: f, calls: table}}
  table: {{kind: table, name: t}}
{extra}
traffic: {{per_second: 5}}
alarms:
  alarm:
    {{name: a, on: function, namespace: AWS/Lambda, metric: Errors, dimensions: {{FunctionName: f}}, stat: Sum,
      threshold: 1}}
look: {{after: moment, minutes: 5}}
"""
    (tmp_path / "case.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        load_case(tmp_path / "case.yaml", 1)


KEY = "key-policy-elsewhere"


def test_a_key_of_another_account_must_name_the_caller_s_and_says_so_when_it_does_not() -> None:
    world = _world(KEY)
    key, function = world.known["key"], world.known["function"]
    role, change = world.things[function.fixed["role"]], world.facts["change.time"]
    before, after = change.timestamp() - 60, change.timestamp() + 60
    assert lets_in(world, key, role, "kms:Decrypt", before)
    assert not lets_in(world, key, role, "kms:Encrypt", before)
    assert not lets_in(world, key, role, "kms:Decrypt", after)
    told = Grants(world, function, 0)
    assert told.denied(before) is None
    assert told.denied(after) == ("kms:Decrypt", key.arn)
    assert "because no resource-based policy allows the kms:Decrypt action" in told.sdk_error(after, "s")
    assert f"assumed-role/{role.name}/s" in told.refusal(after, "s")


def test_a_key_policy_is_shown_in_its_account_with_accounts_as_their_roots() -> None:
    world = _world(KEY)
    here, owner = _reader(world), world.facts["security.account"]
    there = here.at(owner)
    shown = json.loads(there.ask("kms", "GetKeyPolicy", KeyId=world.facts["key.arn"]).data["Policy"])
    assert [one["Principal"]["AWS"] for one in shown["Statement"]] == [f"arn:aws:iam::{owner}:root"]
    with pytest.raises(Denied):
        here.ask("kms", "DescribeKey", KeyId=world.facts["key.arn"])
    earlier = [one for one in world.trail.records if one.body["eventName"] == "PutKeyPolicy"]
    assert {one.body["recipientAccountId"] for one in earlier} == {owner}
    texts = [one.body["requestParameters"]["policy"] for one in sorted(earlier, key=lambda one: one.time)]
    assert [f"arn:aws:iam::{world.account}:root" in text for text in texts] == [True, False]
