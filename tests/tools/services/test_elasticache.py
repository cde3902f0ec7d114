"""ElastiCache: what is read, what hangs together, what was before, and how it is put back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import HIDDEN, current, prior, requested
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameter_groups import DEFAULT
from tools.parameters import validate
from tools.services._spec import Change, Setting
from tools.services.elasticache import (
    CHANGES,
    SERVICE,
    describe,
    discover,
    log_groups,
    owner,
    relations,
)

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
AT = "eu-west-1:111122223333"
GROUP = f"arn:aws:elasticache:{AT}:replicationgroup:orders-cache"
FIRST, SECOND = (f"arn:aws:elasticache:{AT}:cluster:orders-cache-00{number}" for number in (1, 2))
SESSIONS = f"arn:aws:elasticache:{AT}:cluster:sessions"
PARAMETERS = f"arn:aws:elasticache:{AT}:parametergroup:orders-valkey8"
KEY = f"arn:aws:kms:{AT}:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"

NODE: Json = {
    "CacheClusterId": "orders-cache-001",
    "ARN": FIRST,
    "CacheNodeType": "cache.r7g.large",
    "Engine": "valkey",
    "EngineVersion": "8.0.1",
    "CacheClusterStatus": "available",
    "NumCacheNodes": 1,
    "ReplicationGroupId": "orders-cache",
    "CacheParameterGroup": {"CacheParameterGroupName": "orders-valkey8", "ParameterApplyStatus": "in-sync"},
    "CacheSubnetGroupName": "inside",
    "SecurityGroups": [
        {"SecurityGroupId": "sg-2", "Status": "active"},
        {"SecurityGroupId": "sg-1", "Status": "active"},
    ],
    "CacheNodes": [{"CacheNodeId": "0001", "CacheNodeStatus": "available"}],
}
REPLICATION: Json = {
    "ReplicationGroupId": "orders-cache",
    "ARN": GROUP,
    "Status": "available",
    "CacheNodeType": "cache.r7g.large",
    "AutomaticFailover": "enabled",
    "MultiAZ": "enabled",
    "MemberClusters": ["orders-cache-001", "orders-cache-002"],
    "NodeGroups": [
        {
            "NodeGroupId": "0001",
            "PrimaryEndpoint": {
                "Address": "master.orders-cache.ab12cd.euw1.cache.amazonaws.com",
                "Port": 6379,
            },
            "NodeGroupMembers": [
                {"CacheClusterId": "orders-cache-001", "CacheNodeId": "0001", "CurrentRole": "primary"},
                {"CacheClusterId": "orders-cache-002", "CacheNodeId": "0001", "CurrentRole": "replica"},
            ],
        }
    ],
    "KmsKeyId": KEY,
    "LogDeliveryConfigurations": [
        {
            "LogType": "slow-log",
            "DestinationType": "cloudwatch-logs",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/elasticache/orders/slow"}},
        },
        {
            "LogType": "engine-log",
            "DestinationType": "cloudwatch-logs",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/elasticache/orders/engine"}},
        },
    ],
}
TOLD: list[Json] = [
    {"SourceIdentifier": "orders-cache", "Message": "later", "Date": AS_OF + timedelta(minutes=1)},
    {
        "SourceIdentifier": "orders-cache",
        "Message": "Failover to replica node orders-cache-002 completed",
        "Date": AS_OF - timedelta(hours=1),
    },
    {
        "SourceIdentifier": "orders-cache",
        "Message": "Replication group orders-cache created",
        "Date": AS_OF - timedelta(days=9),
    },
]


def answers(**changed: Json) -> dict[tuple[str, str], Answer]:
    def clusters(asked: Json) -> Json:
        second = {**NODE, "CacheClusterId": "orders-cache-002", "ARN": SECOND}
        alone = {
            **NODE,
            "CacheClusterId": "sessions",
            "ARN": SESSIONS,
            "Engine": "memcached",
            "NumCacheNodes": 3,
            "CacheNodes": [{"CacheNodeId": f"000{number}"} for number in (1, 2, 3)],
            "CacheParameterGroup": {"CacheParameterGroupName": "default.memcached1.6"},
        }
        del alone["ReplicationGroupId"]
        all_ = [NODE, second, {**alone, **changed.get("sessions", {})}]
        wanted = asked.get("CacheClusterId", "")
        return {"CacheClusters": [one for one in all_ if wanted in ("", one["CacheClusterId"])]}

    return {
        ("elasticache", "DescribeReplicationGroups"): {
            "ReplicationGroups": [{**REPLICATION, **changed.get("group", {})}]
        },
        ("elasticache", "DescribeCacheClusters"): clusters,
        ("elasticache", "DescribeCacheSubnetGroups"): {
            "CacheSubnetGroups": [
                {"Subnets": [{"SubnetIdentifier": "subnet-b"}, {"SubnetIdentifier": "subnet-a"}]}
            ]
        },
        ("elasticache", "DescribeEvents"): {"Events": TOLD},
        ("elasticache", "ListTagsForResource"): {"TagList": [{"Key": "team", "Value": "shop"}]},
        ("elasticache", "DescribeCacheParameterGroups"): {
            "CacheParameterGroups": [{"CacheParameterGroupName": "orders-valkey8", "ARN": PARAMETERS}]
        },
        ("elasticache", "DescribeCacheParameters"): {
            "Parameters": [
                {
                    "ParameterName": "maxmemory-policy",
                    "ParameterValue": "noeviction",
                    "ChangeType": "immediate",
                }
            ]
        },
    }


def described(arn: str, **changed: Json) -> Resource:
    found = describe(FakeAws(answers(**changed)).reader(), arn)
    assert found is not None
    return found


def happened(operation: str, request: Json, minutes: float = 0, response: Json | None = None) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="elasticache.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
        evidence=("F1",),
    )


def change(operation: str) -> Change:
    return next(one for one in CHANGES if one.operation == operation)


def setting(type: str, name: str) -> Setting:
    return next(one for one in SERVICE.settings if (one.type, one.name) == (type, name))


# -- reading ---------------------------------------------------------------------------------------


def test_a_group_shows_what_aws_tells_only_of_its_members() -> None:
    found = described(GROUP)
    assert (found.type, found.name, found.tags) == ("replication-group", "orders-cache", {"team": "shop"})
    assert found.config["CacheParameterGroup"]["CacheParameterGroupName"] == "orders-valkey8"
    assert [one["SecurityGroupId"] for one in found.config["SecurityGroups"]] == ["sg-1", "sg-2"]
    assert found.config["Subnets"] == ["subnet-a", "subnet-b"]


def test_events_are_told_up_to_the_end_of_the_look() -> None:
    found = described(GROUP)
    assert [one["Message"].split()[0] for one in found.config["Events"]] == ["Replication", "Failover"]
    assert [one["Message"].split()[0] for one in found.config["RecentEvents"]] == ["Failover"]


def test_all_groups_and_clusters_are_listed_and_what_is_gone_is_none() -> None:
    found = list(discover(FakeAws(answers()).reader(), "eu-west-1"))
    assert [one.arn for one in found] == [GROUP, FIRST, SECOND, SESSIONS]
    for arn in (GROUP, SESSIONS, PARAMETERS):
        assert describe(FakeAws({}).reader(), arn) is None


def test_without_permission_for_the_nodes_the_group_is_told_with_a_gap() -> None:
    reader = FakeAws(answers(), denied=frozenset({"elasticache:DescribeCacheClusters"})).reader()
    found = describe(reader, GROUP)
    assert found is not None
    assert "SecurityGroups" not in found.config
    assert [gap.what for gap in reader.gaps] == ["Nodes of orders-cache"]


def test_a_parameter_group_holds_what_users_set_and_who_uses_it() -> None:
    found = described(PARAMETERS)
    assert found.config["Parameters"] == {"maxmemory-policy": "noeviction"}
    assert found.config["ChangeTypes"] == {"maxmemory-policy": "immediate"}
    assert found.config["CacheClusters"] == ["orders-cache-001", "orders-cache-002"]


# -- relations -------------------------------------------------------------------------------------


def told(arn: str, **changed: Json) -> set[tuple[str, str, str]]:
    found = relations(described(arn, **changed), KnownResources([]))
    return {(one.source, one.kind, one.target) for one in found}


def test_what_a_group_is_made_of_guarded_by_and_logs_to() -> None:
    network = {
        *((GROUP, "guarded by", f"arn:aws:ec2:{AT}:security-group/sg-{number}") for number in (1, 2)),
        *((GROUP, "in", f"arn:aws:ec2:{AT}:subnet/subnet-{letter}") for letter in "ab"),
    }
    logs = {
        (GROUP, "logs to", f"arn:aws:logs:{AT}:log-group:/elasticache/orders/{kind}")
        for kind in ("engine", "slow")
    }
    assert told(GROUP) == network | logs | {
        (FIRST, "member of", GROUP),
        (SECOND, "member of", GROUP),
        (GROUP, "consists of", FIRST),
        (GROUP, "consists of", SECOND),
        (GROUP, "uses", KEY),
        (GROUP, "set up by", PARAMETERS),
    }
    assert log_groups(described(GROUP)) == ("/elasticache/orders/engine", "/elasticache/orders/slow")


def test_a_node_is_a_member_and_a_lone_cluster_is_none() -> None:
    assert (FIRST, "member of", GROUP) in told(FIRST)
    assert (FIRST, "set up by", PARAMETERS) in told(FIRST)
    assert not [one for one in told(SESSIONS) if one[1] in ("member of", "consists of")]
    assert told(PARAMETERS) == {(FIRST, "set up by", PARAMETERS), (SECOND, "set up by", PARAMETERS)}


@pytest.mark.parametrize(
    ("host", "arn"),
    [
        ("master.orders-cache.ab12cd.euw1.cache.amazonaws.com", GROUP),
        ("replica.orders-cache.ab12cd.euw1.cache.amazonaws.com:6379", GROUP),
        ("clustercfg.orders-cache.ab12cd.euw1.cache.amazonaws.com", GROUP),
        ("rediss://orders-cache.ab12cd.ng.0001.euw1.cache.amazonaws.com:6379/0", GROUP),
        ("orders-cache-ro.ab12cd.ng.0001.euw1.cache.amazonaws.com", GROUP),
        ("orders-cache.ab12cd.clustercfg.euw1.cache.amazonaws.com", GROUP),
        ("sessions.ab12cd.cfg.euw1.cache.amazonaws.com:11211", SESSIONS),
        ("sessions.ab12cd.0001.euw1.cache.amazonaws.com", SESSIONS),
        (
            "sessions.ab12cd.cfg.apne1.cache.amazonaws.com",
            "arn:aws:elasticache:ap-northeast-1:111122223333:cluster:sessions",
        ),
    ],
)
def test_a_host_name_spells_out_its_cache(host: str, arn: str) -> None:
    caller = Resource(
        arn=f"arn:aws:lambda:{AT}:function:web",
        service="lambda",
        type="function",
        name="web",
        account="111122223333",
        region="eu-west-1",
    )
    (found,) = KnownResources([caller]).mentioned(host)
    assert (found.arn, found.service) == (arn, "elasticache")


def test_a_metric_names_its_node() -> None:
    named = {"CacheClusterId": "sessions", "CacheNodeId": "0001"}
    assert owner(named, "aws", "eu-west-1", "111122223333") == SESSIONS
    assert owner({"ReplicationGroupId": "orders-cache"}, "aws", "eu-west-1", "111122223333") == GROUP
    assert owner({}, "aws", "eu-west-1", "111122223333") == ""


def test_each_engine_has_its_own_metrics() -> None:
    names = {
        arn: {one.name for one in SERVICE.metrics if one.where is None or one.where(described(arn))}
        for arn in (FIRST, SESSIONS)
    }
    assert {"EngineCPUUtilization", "DatabaseMemoryUsagePercentage"} <= names[FIRST] - names[SESSIONS]
    assert {"GetMisses", "UnusedMemory"} <= names[SESSIONS] - names[FIRST]
    assert {"Evictions", "CurrConnections"} <= names[FIRST] & names[SESSIONS]


# -- what was before, and back ---------------------------------------------------------------------


def test_the_answer_shows_the_nodes_that_there_were() -> None:
    nodes = setting("cache-cluster", "number of nodes")
    event = happened(
        "ModifyCacheCluster",
        {"cacheClusterId": "sessions", "numCacheNodes": 2, "applyImmediately": True},
        response={"numCacheNodes": 3, "pendingModifiedValues": {"numCacheNodes": 2}},
    )
    two: Json = {"NumCacheNodes": 2, "CacheNodes": [{"CacheNodeId": "0001"}, {"CacheNodeId": "0002"}]}
    now = described(SESSIONS, sessions=two)
    before = prior(nodes, now, event, [event], None)
    assert (before.value, before.sources[0].kind) == (3, "same_event")
    (call,) = nodes.restore(now, 3)
    assert validate(call) == ()
    assert call.parameters == {"CacheClusterId": "sessions", "ApplyImmediately": True, "NumCacheNodes": 3}
    assert nodes.restore(described(SESSIONS), 2) == ()  # which ones to take away is not known


def test_what_waits_for_the_maintenance_window_changes_nothing_yet() -> None:
    node_type = setting("replication-group", "node type")
    asked = {"replicationGroupId": "orders-cache", "cacheNodeType": "cache.t4g.micro"}
    assert requested(happened("ModifyReplicationGroup", asked), node_type) == (False, None)
    now = {**asked, "applyImmediately": True}
    assert requested(happened("ModifyReplicationGroup", now), node_type) == (True, "cache.t4g.micro")


def test_switches_are_words_in_the_answer_and_booleans_in_the_call() -> None:
    failover = setting("replication-group", "automatic failover")
    event = happened("ModifyReplicationGroup", {"automaticFailoverEnabled": False})
    assert requested(event, failover) == (True, "disabled")
    assert current(described(GROUP), failover) == "enabled"
    (call,) = failover.restore(described(GROUP), "enabled")
    assert call.parameters["AutomaticFailoverEnabled"] is True


def test_security_groups_go_back_all_together_in_any_order() -> None:
    groups = setting("replication-group", "security groups")
    event = happened("ModifyReplicationGroup", {"securityGroupIds": ["sg-2", "sg-1"]})
    assert requested(event, groups)[1] == current(described(GROUP), groups)
    (call,) = groups.restore(described(GROUP), '["sg-2","sg-1"]')
    assert call.parameters["SecurityGroupIds"] == ["sg-1", "sg-2"]
    assert groups.restore(described(GROUP), "[]") == ()


@pytest.mark.parametrize(("value", "operation"), [(2, "IncreaseReplicaCount"), (0, "DecreaseReplicaCount")])
def test_replicas_come_and_go_by_different_calls(value: int, operation: str) -> None:
    replicas = setting("replication-group", "number of replicas of a shard")
    assert current(described(GROUP), replicas) == 1
    (call,) = replicas.restore(described(GROUP), value)
    assert (call.operation, call.parameters["NewReplicaCount"]) == (operation, value)
    assert validate(call) == ()


def test_shards_come_back_but_are_never_taken_away() -> None:
    shards = setting("replication-group", "number of shards")
    assert current(described(GROUP), shards) == 1
    (call,) = shards.restore(described(GROUP), 3)
    assert call.parameters["NodeGroupCount"] == 3
    three = described(GROUP, group={"NodeGroups": [{"NodeGroupId": f"000{one}"} for one in (1, 2, 3)]})
    assert shards.restore(three, 2) == ()


@given(
    now=st.tuples(st.integers(5, 9), st.integers(0, 9)), value=st.tuples(st.integers(5, 9), st.integers(0, 9))
)
def test_an_engine_never_gets_older(now: tuple[int, int], value: tuple[int, int]) -> None:
    at = replace(described(SESSIONS), config={"EngineVersion": "{}.{}".format(*now)})
    calls = setting("cache-cluster", "engine version").restore(at, "{}.{}".format(*value))
    assert bool(calls) == (value >= now)


def test_a_password_is_hidden_and_never_restored() -> None:
    password = setting("replication-group", "password")
    event = happened("ModifyReplicationGroup", {"authToken": "HIDDEN_DUE_TO_SECURITY_REASONS"})
    assert requested(event, password) == (True, HIDDEN)
    assert password.restore(described(GROUP), "any") == ()


def parameters(
    operation: str, minutes: float, values: dict[str, str | None], group: str = "orders-valkey8"
) -> ChangeEvent:
    sent = [
        {"parameterName": name, **({"parameterValue": value} if value is not None else {})}
        for name, value in values.items()
    ]
    return happened(operation, {"cacheParameterGroupName": group, "parameterNameValues": sent}, minutes)


def test_a_policy_of_eviction_goes_back_to_what_was_set_before() -> None:
    policy = setting("cache-parameter-group", "policy when memory is full")
    before = parameters("ModifyCacheParameterGroup", 0, {"maxmemory-policy": "allkeys-lru"})
    bad = parameters("ModifyCacheParameterGroup", 5, {"maxmemory-policy": "noeviction"})
    other = parameters("ModifyCacheParameterGroup", 4, {"maxmemory-policy": "volatile-ttl"}, group="other")
    at = described(PARAMETERS)
    found = prior(policy, at, bad, [before, other, bad], None)
    assert found.value == "allkeys-lru"
    (call,) = policy.restore(at, found.value)
    assert call.parameters["ParameterNameValues"] == [
        {"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}
    ]
    assert current(at, policy) == "noeviction"


def test_a_parameter_of_a_new_group_goes_back_to_the_default() -> None:
    policy = setting("cache-parameter-group", "policy when memory is full")
    made = happened("CreateCacheParameterGroup", {"cacheParameterGroupName": "orders-valkey8"})
    bad = parameters("ModifyCacheParameterGroup", 5, {"maxmemory-policy": "noeviction"})
    at = described(PARAMETERS)
    found = prior(policy, at, bad, [made, bad], None)
    assert found.value == DEFAULT
    (call,) = policy.restore(at, DEFAULT)
    assert (call.operation, call.parameters["ResetAllParameters"]) == ("ResetCacheParameterGroup", False)
    assert validate(call) == ()


def test_all_parameters_of_an_event_go_back_or_none() -> None:
    undo = change("ModifyCacheParameterGroup").undo
    assert undo is not None
    event = parameters("ModifyCacheParameterGroup", 5, {"slowlog-max-len": "1", "timeout": "2"})
    one = parameters("ModifyCacheParameterGroup", 1, {"slowlog-max-len": "128"})
    reset = parameters("ResetCacheParameterGroup", 0, {"timeout": None})
    calls = undo(event, (one, reset))
    assert [(call.operation, call.parameters["ParameterNameValues"]) for call in calls] == [
        (
            "ModifyCacheParameterGroup",
            [{"ParameterName": "slowlog-max-len", "ParameterValue": "128"}],
        ),
        ("ResetCacheParameterGroup", [{"ParameterName": "timeout"}]),
    ]
    assert all(validate(call) == () for call in calls)
    assert undo(event, (one,)) == ()


def test_user_groups_are_swapped_back() -> None:
    undo = change("ModifyReplicationGroup").undo
    assert undo is not None
    asked = {"replicationGroupId": "orders-cache", "userGroupIdsToRemove": ["writers"]}
    (call,) = undo(happened("ModifyReplicationGroup", asked), ())
    assert call.parameters["UserGroupIdsToAdd"] == ["writers"]
    assert "UserGroupIdsToRemove" not in call.parameters
    assert undo(happened("ModifyReplicationGroup", {"replicationGroupId": "orders-cache"}), ()) == ()


# -- conditions and texts --------------------------------------------------------------------------


def test_a_failover_is_seen_in_the_recent_events_only() -> None:
    condition = next(
        one for one in SERVICE.conditions if (one.key, one.type) == ("cache-failover", "replication-group")
    )
    assert condition.shown is not None
    found = described(GROUP)
    assert condition.shown(found)
    quiet = replace(found, config={**found.config, "RecentEvents": found.config["Events"][:1]})
    assert not condition.shown(quiet)


@pytest.mark.parametrize(
    ("line", "points_to"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", 'Parameters."maxmemory-policy"'),
        ("READONLY You can't write against a read only replica.", "cache-failover"),
        ("redis.exceptions.ConnectionError: max number of clients", None),
        ("ERR max number of clients reached", "connections-full"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "AuthToken"),
        ("SERVER_ERROR out of memory storing object", "memory-full"),
        ("CLUSTERDOWN Hash slot not served", "cache-failover"),
    ],
)
def test_error_texts_name_their_cause(line: str, points_to: str | None) -> None:
    found = [one.points_to for one in SERVICE.signatures if re.search(one.match, line)]
    assert found == ([points_to] if points_to else [])


@pytest.mark.parametrize(
    ("operation", "request_", "wanted"),
    [
        ("ModifyReplicationGroup", {"replicationGroupId": "Orders-Cache"}, (GROUP,)),
        ("ModifyCacheCluster", {"cacheClusterId": "sessions"}, (SESSIONS,)),
        ("ModifyCacheCluster", {"cacheClusterId": "sessions", "cacheParameterGroupName": "x"}, (SESSIONS,)),
        ("ModifyCacheParameterGroup", {"cacheParameterGroupName": "orders-valkey8"}, (PARAMETERS,)),
        ("TestFailover", {"replicationGroupId": "orders-cache", "nodeGroupId": "0001"}, (GROUP,)),
    ],
)
def test_an_event_touches_what_it_changes(operation: str, request_: Json, wanted: tuple[str, ...]) -> None:
    event = happened(operation, request_)
    assert change(operation).touches(event) == wanted
    assert catalogue.for_event(event) == (SERVICE, change(operation))
