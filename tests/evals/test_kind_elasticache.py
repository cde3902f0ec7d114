"""Redis on ElastiCache: what a full cache does by its policy, and that metrics, endings and answers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.world import World, load_case
from evals.world.answers import load
from evals.world.asking import HANDLERS, Ask, NotModelled, Refusal, Session
from evals.world.kinds.elasticache import FULL, UNREACHABLE
from evals.world.wire import answer
from tools.errors import BadInput
from tools.models import Json

BASE: Json = yaml.safe_load("""
title: a service that keeps what it needs in Redis
people:
  operator: {way: user-console, name: "{person_1}"}
resources:
  lb: {kind: load-balancer, name: shop-lb, calls: group}
  apps: {kind: security-group, name: app, settings: {Ingress.lb: {port: 8080, from: 10.0.0.0/8}}}
  redis: {kind: security-group, name: redis, settings: {Ingress.app: {port: 6379, from: apps}}}
  params: {kind: cache-parameter-group, name: shop-redis7, settings: {Parameters.maxmemory-policy: allkeys-lru}}
  cache:
    kind: replication-group
    name: shop-cache
    with: {parameters: params, guarded_by: redis, used: 1.2, expires: 0.25}
  group: {kind: target-group, name: shop-tg, calls: service}
  cluster: {kind: cluster, name: apps}
  definition: {kind: task-definition, name: web, with: {container: app}}
  service:
    kind: ecs-service
    name: web
    with: {cluster: cluster, definition: definition, cpu_ms: 6, guarded_by: apps}
    settings: {desiredCount: 2}
    calls: {cache: {writes: 0.4}}
traffic: {per_second: 30, duration_ms: 40, amplitude: 0}
alarms:
  alarm:
    name: 5xx
    "on": lb
    namespace: AWS/ApplicationELB
    metric: HTTPCode_Target_5XX_Count
    dimensions: {LoadBalancer: "{{id}}"}
    stat: Sum
    threshold: 20
    missing: notBreaching
events: []
look: {after: moment, minutes: 20}
switches: {noise: 0, decoys: 0}
""")
PATH = "Parameters.maxmemory-policy"


def world(tmp_path: Path, event: Json | None = None, **options: Any) -> World:
    resources = {key: dict(one) for key, one in BASE["resources"].items()}
    resources["cache"]["with"] = resources["cache"]["with"] | options
    events = [] if event is None else [{"id": "change", "at": "0s", "who": "operator"} | event]
    case = BASE | {"resources": resources, "events": events}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path)


def ask(made: World, operation: str, **given: Any) -> Json:
    load()
    one = Ask(made, "elasticache", operation, made.region, made.start, made.start, Session(), dict(given))
    found = HANDLERS["elasticache", operation](one)
    assert one.left == {}
    assert answer("elasticache", operation, "query", found, "id").status == 200
    return found


def value(made: World, name: str, minute: int, node: int = 1) -> float:
    found = made.telemetry.find("AWS/ElastiCache", name, (("CacheClusterId", f"shop-cache-{node:03d}"),))
    assert found is not None
    sample = found.emit(minute)
    assert sample is not None
    return sample.total


def last(made: World) -> int:
    return int(made.start.timestamp()) // 60 - 2


def moment(made: World) -> int:
    return last(made) - 30


def set_to(policy: str | None) -> Json:
    return {"set": "params", "path": PATH, "to": policy}


def test_a_full_cache_makes_room_by_its_policy(tmp_path: Path) -> None:
    made = world(tmp_path)
    minute = last(made)
    row = made.flows["case"].minute(minute)
    assert row.alive == row.requests
    assert value(made, "DatabaseMemoryUsagePercentage", minute) == 100
    written = value(made, "SetTypeCmds", minute)
    assert written == pytest.approx(0.4 * row.requests, abs=2)
    assert value(made, "Evictions", minute) == pytest.approx(0.75 * written, abs=2)
    assert value(made, "Reclaimed", minute) + value(made, "Evictions", minute) == pytest.approx(
        written, abs=2
    )
    assert value(made, "SetTypeCmds", minute, node=2) == 0


def test_with_noeviction_it_refuses_the_writes_for_which_nothing_expired(tmp_path: Path) -> None:
    made = world(tmp_path, set_to("noeviction"))
    minute = last(made)
    row = made.flows["case"].minute(minute)
    lost = row.ended(reason=FULL)
    assert lost + row.alive == row.requests
    assert lost == pytest.approx(0.4 * 0.75 * row.requests, abs=2)
    assert value(made, "Evictions", minute) == 0
    assert value(made, "SetTypeCmds", minute) == pytest.approx(0.4 * 0.25 * row.requests, abs=2)
    assert value(made, "GetTypeCmds", minute) == pytest.approx(0.6 * row.requests, abs=2)
    (group,) = [one for name, one in made.log_groups.items() if name == "/ecs/web"]
    said = "redis.exceptions.ResponseError: OOM command not allowed when used memory > 'maxmemory'."
    assert sum(said in line.text for line in group.lines(minute)) == lost
    before = moment(made)
    assert value(made, "Evictions", before) > 0


def test_a_cache_with_room_refuses_nothing_and_evicts_nothing(tmp_path: Path) -> None:
    made = world(tmp_path, set_to("noeviction"), used=0.5)
    minute = last(made)
    row = made.flows["case"].minute(minute)
    assert row.alive == row.requests
    assert value(made, "Evictions", minute) == 0
    assert value(made, "DatabaseMemoryUsagePercentage", minute) == 50


def test_more_reserved_memory_fills_a_cache(tmp_path: Path) -> None:
    made = world(
        tmp_path, {"set": "params", "path": "Parameters.reserved-memory-percent", "to": 70}, used=0.5
    )
    assert value(made, "DatabaseMemoryUsagePercentage", moment(made)) == 50
    assert value(made, "DatabaseMemoryUsagePercentage", last(made)) == 100
    assert value(made, "Evictions", last(made)) > 0
    assert value(made, "BytesUsedForCache", last(made)) < value(made, "BytesUsedForCache", moment(made))


def test_who_may_not_connect_waits_until_it_gives_up(tmp_path: Path) -> None:
    made = world(tmp_path, {"set": "redis", "path": "Ingress.app", "to": None})
    row = made.flows["case"].minute(last(made))
    assert row.ended(reason=UNREACHABLE) == row.requests


def test_the_trail_holds_only_what_was_set(tmp_path: Path) -> None:
    made = world(tmp_path, set_to("noeviction"))
    record = next(one for one in made.trail.records if one.body["eventName"] == "ModifyCacheParameterGroup")
    pairs = [{"parameterName": "maxmemory-policy", "parameterValue": "noeviction"}]
    asked = {"cacheParameterGroupName": "shop-redis7", "parameterNameValues": pairs}
    assert record.body["requestParameters"] == asked
    assert record.body["responseElements"] == {"cacheParameterGroupName": "shop-redis7"}
    assert (record.before, record.after) == ("allkeys-lru", "noeviction")


def test_a_reset_brings_the_default_back(tmp_path: Path) -> None:
    made = world(tmp_path, set_to(None))
    assert any(one.body["eventName"] == "ResetCacheParameterGroup" for one in made.trail.records)
    shown = ask(made, "DescribeCacheParameters", CacheParameterGroupName="shop-redis7")["Parameters"]
    assert {one["ParameterName"]: one["ParameterValue"] for one in shown}[
        "maxmemory-policy"
    ] == "volatile-lru"


def test_answers_agree_with_each_other(tmp_path: Path) -> None:
    made = world(tmp_path, set_to("noeviction"))
    (group,) = ask(made, "DescribeReplicationGroups")["ReplicationGroups"]
    clusters = ask(made, "DescribeCacheClusters", ShowCacheNodeInfo=True)["CacheClusters"]
    assert (
        group["MemberClusters"]
        == [one["CacheClusterId"] for one in clusters]
        == ["shop-cache-001", "shop-cache-002"]
    )
    assert {one["CacheParameterGroup"]["CacheParameterGroupName"] for one in clusters} == {"shop-redis7"}
    assert all(one["CacheNodes"][0]["Endpoint"]["Port"] == 6379 for one in clusters)
    held = ask(made, "DescribeCacheParameters", CacheParameterGroupName="shop-redis7", Source="user")[
        "Parameters"
    ]
    assert [(one["ParameterName"], one["ParameterValue"]) for one in held] == [
        ("maxmemory-policy", "noeviction")
    ]
    (family,) = ask(made, "DescribeCacheParameterGroups", CacheParameterGroupName="shop-redis7")[
        "CacheParameterGroups"
    ]
    assert family["CacheParameterGroupFamily"] == "redis7"
    (subnets,) = ask(made, "DescribeCacheSubnetGroups")["CacheSubnetGroups"]
    assert len(subnets["Subnets"]) == 2
    events = ask(made, "DescribeEvents", Duration=60)["Events"]
    assert [one["SourceIdentifier"] for one in events] == ["shop-redis7"]
    assert ask(made, "ListTagsForResource", ResourceName=group["ARN"]) == {"TagList": []}


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    made = world(tmp_path)
    for operation, named in (
        ("DescribeReplicationGroups", {"ReplicationGroupId": "none"}),
        ("DescribeCacheClusters", {"CacheClusterId": "none"}),
        ("DescribeCacheParameters", {"CacheParameterGroupName": "none"}),
    ):
        with pytest.raises(Refusal, match="NotFound"):
            ask(made, operation, **named)
    with pytest.raises(NotModelled):
        ask(made, "DescribeCacheParameterGroups")


def test_unknown_parameters_and_policies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no maxmemory-policy"):
        world(tmp_path, set_to("lru"))
    with pytest.raises(BadInput, match='parameter "maxclients" is not modelled'):
        world(tmp_path, {"set": "params", "path": "Parameters.maxclients", "to": 10})
