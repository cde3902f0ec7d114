"""RDS: what is read, what hangs together, what was before, and how it is put back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import HIDDEN, current, prior, requested
from tools.models import Actor, Call, ChangeEvent, Json, Resource, Value
from tools.parameter_groups import DEFAULT
from tools.parameters import validate
from tools.services._spec import Change, Setting
from tools.services.rds import SERVICE, describe, discover, log_groups, owner, relations
from tools.topology import around

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
AT = "eu-west-1:111122223333"
DB = f"arn:aws:rds:{AT}:db:orders-db"
GROUP = f"arn:aws:rds:{AT}:pg:orders-pg"
CLUSTER = f"arn:aws:rds:{AT}:cluster:shop"

INSTANCE: Json = {
    "DBInstanceIdentifier": "orders-db",
    "DBInstanceArn": DB,
    "DBInstanceClass": "db.r6g.large",
    "DBInstanceStatus": "available",
    "Engine": "postgres",
    "EngineVersion": "16.3",
    "AllocatedStorage": 200,
    "Endpoint": {"Address": "orders-db.c1example2ab.eu-west-1.rds.amazonaws.com", "Port": 5432},
    "InstanceCreateTime": datetime(2025, 4, 1, 8, 0, tzinfo=UTC),
    "VpcSecurityGroups": [
        {"VpcSecurityGroupId": "sg-2", "Status": "active"},
        {"VpcSecurityGroupId": "sg-1", "Status": "active"},
    ],
    "DBParameterGroups": [{"DBParameterGroupName": "orders-pg", "ParameterApplyStatus": "in-sync"}],
    "DBSubnetGroup": {"Subnets": [{"SubnetIdentifier": "subnet-a"}, {"SubnetIdentifier": "subnet-b"}]},
    "ReadReplicaDBInstanceIdentifiers": ["orders-replica"],
    "EnabledCloudwatchLogsExports": ["upgrade", "postgresql"],
    "TagList": [{"Key": "team", "Value": "shop"}],
}


def happened(
    operation: str, request: Json, *, minutes: float = 0, response: Json | None = None
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="rds.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
        evidence=("F1",),
    )


def instance(**changed: Any) -> Resource:
    found = describe(
        FakeAws({("rds", "DescribeDBInstances"): {"DBInstances": [{**INSTANCE, **changed}]}}).reader(), DB
    )
    assert found is not None
    return found


def group(**parameters: str) -> Resource:
    answers = {
        ("rds", "DescribeDBParameterGroups"): {"DBParameterGroups": [{"DBParameterGroupName": "orders-pg"}]},
        ("rds", "DescribeDBParameters"): {
            "Parameters": [
                {
                    "ParameterName": name,
                    "ParameterValue": value,
                    "ApplyType": "static" if name == "max_connections" else "dynamic",
                    "ApplyMethod": "pending-reboot",
                    "Source": "user",
                }
                for name, value in parameters.items()
            ]
        },
        ("rds", "DescribeDBInstances"): {
            "DBInstances": [
                INSTANCE,
                {**INSTANCE, "DBInstanceIdentifier": "other", "DBParameterGroups": []},
            ]
        },
    }
    found = describe(FakeAws(answers).reader(), GROUP)
    assert found is not None
    return found


def setting(type: str, path: str) -> Setting:
    return next(one for one in SERVICE.settings if (one.type, one.path) == (type, path))


def change(operation: str) -> Change:
    return next(one for one in SERVICE.changes if one.operation == operation)


# -- reading ---------------------------------------------------------------------------------------


def test_an_instance_is_its_item_with_the_events_up_to_the_end_of_the_look() -> None:
    told = [
        {
            "SourceIdentifier": "orders-db",
            "Message": "DB instance restarted",
            "Date": AS_OF - timedelta(hours=1),
        },
        {"SourceIdentifier": "orders-db", "Message": "later", "Date": AS_OF + timedelta(minutes=1)},
        {"SourceIdentifier": "orders-db", "Message": "failover started", "Date": AS_OF - timedelta(hours=2)},
    ]
    asked: list[Json] = []

    def events(parameters: Json) -> Json:
        asked.append(parameters)
        return {"Events": told}

    answers: dict[tuple[str, str], Answer] = {
        ("rds", "DescribeDBInstances"): {"DBInstances": [INSTANCE]},
        ("rds", "DescribeEvents"): events,
    }
    found = describe(FakeAws(answers).reader(), DB)
    assert found is not None
    assert asked == [{"SourceIdentifier": "orders-db", "SourceType": "db-instance", "Duration": 20160}]
    assert [one["Message"] for one in found.config["Events"]] == ["failover started", "DB instance restarted"]
    assert found.config["RecentEvents"] == found.config["Events"]
    assert found.config["InstanceCreateTime"] == "2025-04-01T08:00:00+00:00"
    assert found.tags == {"team": "shop"}
    assert found.evidence == ("T1", "T2")


def test_a_refused_part_is_a_gap_and_a_missing_database_is_none() -> None:
    answers = {("rds", "DescribeDBInstances"): {"DBInstances": [INSTANCE]}}
    reader = FakeAws(answers, denied=frozenset({"rds:DescribeEvents"})).reader()
    found = describe(reader, DB)
    assert found is not None
    assert "Events" not in found.config
    assert [gap.what for gap in reader.gaps] == ["RDS events of orders-db"]
    assert describe(FakeAws({}).reader(), DB) is None
    assert describe(FakeAws({}).reader(), CLUSTER) is None
    assert describe(FakeAws({}).reader(), GROUP) is None


def test_a_parameter_group_tells_what_users_set_and_who_uses_it() -> None:
    found = group(max_connections="50", work_mem="8192")
    assert found.config["Parameters"] == {"max_connections": "50", "work_mem": "8192"}
    assert found.config["ApplyTypes"] == {"max_connections": "static", "work_mem": "dynamic"}
    assert [one["DBInstanceIdentifier"] for one in found.config["DBInstances"]] == ["orders-db"]


def test_discover_lists_instances_and_clusters() -> None:
    answers = {
        ("rds", "DescribeDBInstances"): {"DBInstances": [INSTANCE]},
        ("rds", "DescribeDBClusters"): {
            "DBClusters": [{"DBClusterIdentifier": "shop", "DBClusterArn": CLUSTER}]
        },
    }
    assert [one.arn for one in discover(FakeAws(answers).reader(), "eu-west-1")] == [DB, CLUSTER]


# -- relations -------------------------------------------------------------------------------------


def edges(resource: Resource) -> set[tuple[str, str, str]]:
    return {
        (one.source.rpartition(":")[2], one.kind, one.target.rpartition(":")[2])
        for one in relations(resource, KnownResources([resource]))
    }


def test_relations_of_an_instance() -> None:
    assert edges(instance(DBClusterIdentifier="shop")) == {
        ("orders-db", "set up by", "orders-pg"),
        ("orders-db", "member of", "shop"),
        ("orders-db", "replicates to", "orders-replica"),
        ("orders-db", "guarded by", "security-group/sg-1"),
        ("orders-db", "guarded by", "security-group/sg-2"),
        ("orders-db", "in", "subnet/subnet-a"),
        ("orders-db", "in", "subnet/subnet-b"),
        ("orders-db", "logs to", "/aws/rds/instance/orders-db/postgresql"),
        ("orders-db", "logs to", "/aws/rds/instance/orders-db/upgrade"),
    }


def test_a_replica_in_another_region_names_its_source_by_arn() -> None:
    source = "arn:aws:rds:us-east-1:111122223333:db:orders-main"
    replica = instance(ReadReplicaSourceDBInstanceIdentifier=source, ReadReplicaDBInstanceIdentifiers=[])
    (found,) = [one for one in relations(replica, KnownResources([])) if one.kind == "replicates to"]
    assert (found.source, found.target) == (source, DB)


def test_relations_of_a_cluster_and_a_group() -> None:
    item = {
        "DBClusterIdentifier": "shop",
        "DBClusterArn": CLUSTER,
        "DBClusterMembers": [{"DBInstanceIdentifier": "shop-1", "IsClusterWriter": True}],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-9", "Status": "active"}],
        "EnabledCloudwatchLogsExports": ["error", "audit", "slowquery"],
    }
    cluster = describe(FakeAws({("rds", "DescribeDBClusters"): {"DBClusters": [item]}}).reader(), CLUSTER)
    assert cluster is not None
    assert log_groups(cluster) == (
        "/aws/rds/cluster/shop/error",
        "/aws/rds/cluster/shop/slowquery",
        "/aws/rds/cluster/shop/audit",
    )
    assert {one for one in edges(cluster) if one[1] != "logs to"} == {
        ("shop-1", "member of", "shop"),
        ("shop", "guarded by", "security-group/sg-9"),
    }
    assert edges(group(work_mem="8192")) == {("orders-db", "set up by", "orders-pg")}


def test_a_group_answers_for_logs_only_where_somebody_set_the_connections() -> None:
    assert log_groups(group(work_mem="8192")) == ()
    assert log_groups(group(max_connections="50"))[0] == "/aws/rds/instance/orders-db/postgresql"


def test_metrics_belong_to_instances_and_clusters() -> None:
    assert owner({"DBInstanceIdentifier": "orders-db"}, "aws", "eu-west-1", "111122223333") == DB
    assert (
        owner({"DBClusterIdentifier": "shop", "Role": "WRITER"}, "aws", "eu-west-1", "111122223333")
        == CLUSTER
    )
    assert owner({"DatabaseClass": "db.t4g.micro"}, "aws", "eu-west-1", "111122223333") == ""
    assert catalogue.type_of(DB) == "db-instance"
    assert catalogue.type_of(f"arn:aws:rds:{AT}:snapshot:orders") == ""


# -- values before ---------------------------------------------------------------------------------


def test_the_answer_of_modify_tells_the_class_before() -> None:
    known = instance(DBInstanceClass="db.t4g.medium")
    what = happened(
        "ModifyDBInstance",
        {"dBInstanceIdentifier": "orders-db", "dBInstanceClass": "db.t4g.medium", "applyImmediately": True},
        response={"dBInstanceClass": "db.r6g.large"},
    )
    one = setting("db-instance", "DBInstanceClass")
    before = prior(one, known, what, [what], None)
    assert (before.value, [source.kind for source in before.sources]) == ("db.r6g.large", ["same_event"])
    (call,) = one.restore(known, before.value)
    assert call.parameters == {
        "DBInstanceIdentifier": "orders-db",
        "ApplyImmediately": True,
        "DBInstanceClass": "db.r6g.large",
    }


@pytest.mark.parametrize(
    ("answered", "wanted"),
    [
        ([("sg-1", "active"), ("sg-2", "active")], '["sg-1","sg-2"]'),
        ([("sg-9", "adding"), ("sg-2", "removing"), ("sg-1", "removing")], '["sg-1","sg-2"]'),
        ([("sg-9", "adding"), ("sg-2", "removing"), ("sg-1", "active")], '["sg-1","sg-2"]'),
        ([("sg-9", "adding")], None),
        ([("sg-9", "active")], None),
        ([("sg-9", "adding"), ("sg-1", "active")], None),
        ([], None),
    ],
)
def test_security_groups_before_are_told_only_by_an_answer_that_shows_them_all(
    answered: list[tuple[str, str]], wanted: Value
) -> None:
    one = setting("db-instance", "VpcSecurityGroups[].VpcSecurityGroupId")
    shown = [{"vpcSecurityGroupId": id, "status": status} for id, status in answered]
    what = happened(
        "ModifyDBInstance",
        {"dBInstanceIdentifier": "orders-db", "vpcSecurityGroupIds": ["sg-9"]},
        response={"vpcSecurityGroups": shown} if answered else {},
    )
    before = prior(one, instance(), what, [what], None)
    assert before.value == wanted
    if wanted:
        (call,) = one.restore(instance(), before.value)
        assert call.parameters["VpcSecurityGroupIds"] == ["sg-1", "sg-2"]


@pytest.mark.parametrize(
    ("at_once", "wanted"), [(True, (True, 3000)), (False, (False, None)), (None, (False, None))]
)
def test_a_change_that_waits_for_the_maintenance_window_has_set_nothing_yet(
    at_once: bool | None, wanted: tuple[bool, Value]
) -> None:
    sent = {"iops": 3000, "vpcSecurityGroupIds": ["sg-9"], "applyImmediately": at_once}
    what = happened("ModifyDBInstance", {key: value for key, value in sent.items() if value is not None})
    assert requested(what, setting("db-instance", "Iops")) == wanted
    assert requested(what, setting("db-instance", "VpcSecurityGroups[].VpcSecurityGroupId"))[0]
    assert requested(happened("CreateDBInstance", {"iops": 1000}), setting("db-instance", "Iops")) == (
        True,
        1000,
    )


def test_groups_in_another_order_are_the_same_groups() -> None:
    one = setting("db-instance", "VpcSecurityGroups[].VpcSecurityGroupId")
    sent = happened("ModifyDBInstance", {"vpcSecurityGroupIds": ["sg-2", "sg-1"]})
    assert requested(sent, one) == (True, '["sg-1","sg-2"]')
    assert current(instance(), one) == '["sg-1","sg-2"]'
    assert requested(happened("ModifyDBInstance", {"iops": 3000}), one) == (False, None)


def test_what_rds_never_takes_back_is_no_call() -> None:
    storage, version = setting("db-instance", "AllocatedStorage"), setting("db-instance", "EngineVersion")
    assert storage.restore(instance(), 100) == ()
    assert storage.restore(instance(), 400)[0].parameters["AllocatedStorage"] == 400
    assert version.restore(instance(EngineVersion="16.10"), "16.3") == ()
    assert version.restore(instance(), "16.10")[0].parameters["EngineVersion"] == "16.10"
    password = setting("db-instance", "MasterUserPassword")
    sent = happened("ModifyDBInstance", {"masterUserPassword": "HIDDEN_DUE_TO_SECURITY_REASONS"})
    assert requested(sent, password) == (True, HIDDEN)
    assert password.restore(instance(), "any") == ()


def test_capacity_of_a_cluster_keeps_its_other_end() -> None:
    cluster = replace(
        instance(),
        type="db-cluster",
        name="shop",
        config={"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 2.0}},
    )
    (call,) = setting("db-cluster", "ServerlessV2ScalingConfiguration.MaxCapacity").restore(cluster, 32)
    assert call.parameters["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 32.0}
    assert validate(call) == ()


# -- parameters ------------------------------------------------------------------------------------


def parameters(
    operation: str, sets: Mapping[str, str] | Iterable[str], minutes: float = 0, of: str = "orders-pg"
) -> ChangeEvent:
    """Parameters that are set to values, or only named."""
    method = {"applyMethod": "pending-reboot"}
    values = [(name, {"parameterValue": sets[name]} if isinstance(sets, Mapping) else {}) for name in sets]
    sent = [{"parameterName": name, **value, **method} for name, value in values]
    return happened(operation, {"dBParameterGroupName": of, "parameters": sent}, minutes=minutes)


def test_the_connections_before_come_from_the_earlier_event_of_this_group() -> None:
    one = setting("db-parameter-group", "Parameters.max_connections")
    what = parameters("ModifyDBParameterGroup", {"max_connections": "50"})
    earlier = [
        parameters("ModifyDBParameterGroup", {"max_connections": "250"}, minutes=-900),
        parameters("ModifyDBParameterGroup", {"max_connections": "9"}, minutes=-30, of="orders-pg-2"),
        parameters("ModifyDBParameterGroup", {"work_mem": "1"}, minutes=-20),
    ]
    known = group(max_connections="50")
    before = prior(one, known, what, [*earlier, what], None)
    assert before.value == "250"
    (call,) = one.restore(known, before.value)
    assert call.operation == "ModifyDBParameterGroup"
    assert call.parameters["Parameters"] == [
        {"ParameterName": "max_connections", "ApplyMethod": "pending-reboot", "ParameterValue": "250"}
    ]
    assert not prior(one, known, what, [what], None).known


def test_a_parameter_that_a_new_group_did_not_set_goes_back_to_the_default() -> None:
    one = setting("db-parameter-group", "Parameters.work_mem")
    made = happened(
        "CreateDBParameterGroup",
        {"dBParameterGroupName": "orders-pg", "dBParameterGroupFamily": "postgres16", "description": "x"},
        minutes=-900,
    )
    what = parameters("ModifyDBParameterGroup", {"work_mem": "64"})
    before = prior(one, group(work_mem="64"), what, [made, what], None)
    assert before.value == DEFAULT
    (call,) = one.restore(group(work_mem="64"), before.value)
    assert (call.operation, call.parameters["Parameters"]) == (
        "ResetDBParameterGroup",
        [{"ParameterName": "work_mem", "ApplyMethod": "immediate"}],
    )
    assert current(group(), one) == DEFAULT


def test_every_parameter_is_found_where_it_is_read_and_where_it_is_shown() -> None:
    for one in SERVICE.settings:
        if one.type != "db-parameter-group":
            continue
        name = one.path.removeprefix("Parameters.").strip('"')
        sent = parameters("ModifyDBParameterGroup", {"other": "1", name: "7"})
        assert requested(sent, one) == (True, "7"), name
        answer = {"Parameters": [{"ParameterName": "x"}, {"ParameterName": name, "ParameterValue": "7"}]}
        assert catalogue.find(one.query, answer) == "7", name
        assert current(group(**{name: "7"}), one) == "7", name


def _after(state: dict[str, str], operation: str, sent: list[Json]) -> dict[str, str]:
    """What RDS does to a group's own values."""
    kept = dict(state)
    for one in sent:
        name = one.get("ParameterName") or one["parameterName"]
        value = one.get("ParameterValue", one.get("parameterValue"))
        if operation == "ResetDBParameterGroup":
            kept.pop(name, None)
        else:
            kept[name] = str(value)
    return kept


_NAMES = st.sampled_from(["max_connections", "work_mem", "autovacuum_naptime"])
_SETS = st.dictionaries(_NAMES, st.integers(1, 9).map(str), min_size=1)
_STEPS = st.one_of(
    _SETS.map(lambda values: parameters("ModifyDBParameterGroup", values)),
    st.sets(_NAMES, min_size=1).map(lambda names: parameters("ResetDBParameterGroup", sorted(names))),
)


@given(steps=st.lists(_STEPS, min_size=1, max_size=5), made=st.booleans())
def test_undo_restores_the_whole_group_or_proposes_nothing(steps: list[ChangeEvent], made: bool) -> None:
    start = {} if made else {"work_mem": "3", "max_connections": "4", "autovacuum_naptime": "5"}
    states = [start]
    for step in steps:
        states.append(_after(states[-1], step.operation, step.request["parameters"]))
    creation = happened("CreateDBParameterGroup", {"dBParameterGroupName": "orders-pg"})
    earlier = (*reversed(steps[:-1]), *([creation] if made else []))
    undo = change(steps[-1].operation).undo
    assert undo is not None
    calls: tuple[Call, ...] = undo(steps[-1], earlier)
    touched = {one["parameterName"] for one in steps[-1].request["parameters"]}
    told = {one["parameterName"] for step in steps[:-1] for one in step.request["parameters"]}
    assert bool(calls) == (made or touched <= told)
    now = states[-1]
    for call in calls:
        assert validate(call) == ()
        now = _after(now, call.operation, call.parameters["Parameters"])
    if calls:
        assert now == states[-2]


def test_resetting_all_is_undone_by_nobody() -> None:
    undo = change("ResetDBParameterGroup").undo
    assert undo is not None
    what = happened(
        "ResetDBParameterGroup", {"dBParameterGroupName": "orders-pg", "resetAllParameters": True}
    )
    assert undo(what, (parameters("ModifyDBParameterGroup", {"work_mem": "1"}),)) == ()


# -- other changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "request_", "wanted"),
    [
        (
            "StopDBInstance",
            {"dBInstanceIdentifier": "orders-db"},
            ("StartDBInstance", {"DBInstanceIdentifier": "orders-db"}),
        ),
        (
            "StopDBCluster",
            {"dBClusterIdentifier": "shop"},
            ("StartDBCluster", {"DBClusterIdentifier": "shop"}),
        ),
        (
            "ModifyDBInstance",
            {"dBInstanceIdentifier": "orders-db", "newDBInstanceIdentifier": "orders-2"},
            (
                "ModifyDBInstance",
                {
                    "DBInstanceIdentifier": "orders-2",
                    "NewDBInstanceIdentifier": "orders-db",
                    "ApplyImmediately": True,
                },
            ),
        ),
        ("ModifyDBInstance", {"dBInstanceIdentifier": "orders-db", "iops": 3000}, None),
    ],
)
def test_undo(operation: str, request_: Json, wanted: tuple[str, Json] | None) -> None:
    undo = change(operation).undo
    assert undo is not None
    assert [(one.operation, one.parameters) for one in undo(happened(operation, request_), ())] == (
        [wanted] if wanted else []
    )


def test_changes_name_what_they_touch() -> None:
    promoted = happened(
        "FailoverDBCluster", {"dBClusterIdentifier": "Shop", "targetDBInstanceIdentifier": "shop-2"}
    )
    assert change("FailoverDBCluster").touches(promoted) == (CLUSTER, f"arn:aws:rds:{AT}:db:shop-2")
    for one in ("FailoverDBCluster", "RebootDBInstance", "DeleteDBInstance", "PromoteReadReplica"):
        assert change(one).undo is None


# -- error texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "2026-03-13 17:20:01 UTC:10.0.3.9(44120):shop@orders:[512]:FATAL:  remaining connection slots are "
            "reserved for roles with the SUPERUSER attribute",
            "Parameters.max_connections",
        ),
        ("FATAL:  sorry, too many clients already", "Parameters.max_connections"),
        ("ERROR 1040 (HY000): Too many connections", "Parameters.max_connections"),
        (
            "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
            "VpcSecurityGroups[].VpcSecurityGroupId",
        ),
        (
            'psycopg2.OperationalError: connection to server at "orders-db.c1example2ab.eu-west-1.rds.amazonaws.com" '
            "(10.0.3.17), port 5432 failed: Connection timed out",
            "VpcSecurityGroups[].VpcSecurityGroupId",
        ),
        ("could not connect to server: Connection timed out", "VpcSecurityGroups[].VpcSecurityGroupId"),
        ('FATAL:  password authentication failed for user "shop"', "MasterUserPassword"),
        ("Access denied for user 'shop'@'10.0.3.9' (using password: YES)", "MasterUserPassword"),
        ('ERROR:  could not extend file "base/16384/2619": No space left on device', "storage-full"),
        ("ERROR:  cannot execute INSERT in a read-only transaction", "failover"),
        ("FATAL:  terminating connection due to administrator command", "failover"),
        ("LOG:  connection authorized: user=shop database=orders", ""),
        ("connection to server closed by peer", ""),
    ],
)
def test_error_texts(line: str, wanted: str) -> None:
    found = [one.points_to for one in SERVICE.signatures if re.search(one.match, line)]
    assert found == ([wanted] if wanted else [])


@pytest.mark.parametrize(
    ("key", "config", "wanted"),
    [
        ("storage-full", {"DBInstanceStatus": "storage-full"}, True),
        ("storage-full", {"DBInstanceStatus": "available"}, False),
        ("storage-full", {"RecentEvents": [{"Message": "Allocated storage has been exhausted."}]}, True),
        ("storage-full", {"Events": [{"Message": "Allocated storage has been exhausted."}]}, False),
        ("failover", {"RecentEvents": [{"EventCategories": ["failover"]}]}, True),
        ("failover", {"RecentEvents": [{"EventCategories": ["maintenance", "notification"]}]}, True),
        ("failover", {"RecentEvents": [{"EventCategories": ["availability"]}, {}]}, False),
        ("failover", {}, False),
    ],
)
def test_states_that_the_description_shows(key: str, config: Json, wanted: bool) -> None:
    states = [one for one in SERVICE.conditions if (one.key, one.type) == (key, "db-instance")]
    known = replace(instance(), config=config)
    assert [one.shown is not None and one.shown(known) for one in states] == [wanted]


def test_events_of_long_ago_are_kept_and_not_recent() -> None:
    told = [{"Message": "failover", "EventCategories": ["failover"], "Date": AS_OF - timedelta(hours=4)}]
    answers: dict[tuple[str, str], Answer] = {
        ("rds", "DescribeDBInstances"): {"DBInstances": [INSTANCE]},
        ("rds", "DescribeEvents"): {"Events": told},
    }
    found = describe(FakeAws(answers).reader(), DB)
    assert found is not None
    assert (len(found.config["Events"]), found.config["RecentEvents"]) == (1, [])


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, {"BurstBalance", "CPUCreditBalance", "ReplicaLag"}),
        ({"StorageType": "gp3", "DBInstanceClass": "db.r6g.large"}, set()),
        ({"StorageType": "gp2", "DBInstanceClass": "db.t4g.medium"}, {"BurstBalance", "CPUCreditBalance"}),
        (
            {"StorageType": "io1", "DBInstanceClass": "db.m5.large", "DBClusterIdentifier": "shop"},
            {"ReplicaLag"},
        ),
    ],
)
def test_metrics_that_only_some_instances_have(config: Json, wanted: set[str]) -> None:
    known = replace(instance(), config=config)
    assert {one.name for one in SERVICE.metrics if one.where is not None and one.where(known)} == wanted


# -- found from elsewhere --------------------------------------------------------------------------

WRITER = f"arn:aws:lambda:{AT}:function:order-writer"
HELD = {
    "FunctionName": "order-writer",
    "FunctionArn": WRITER,
    "Environment": {
        "Variables": {"DATABASE_URL": f"postgres://shop:x@{INSTANCE['Endpoint']['Address']}:5432/orders"}
    },
}


def shop() -> FakeAws:
    return FakeAws(
        {
            ("lambda", "ListFunctions"): {"Functions": [HELD]},
            ("lambda", "GetFunctionConfiguration"): HELD,
            ("rds", "DescribeDBInstances"): {"DBInstances": [INSTANCE]},
            ("rds", "DescribeEvents"): {"Events": []},
            ("rds", "DescribeDBParameterGroups"): {
                "DBParameterGroups": [{"DBParameterGroupName": "orders-pg"}]
            },
            ("rds", "DescribeDBParameters"): {"Parameters": []},
        }
    )


@pytest.mark.parametrize("start", [WRITER, DB, GROUP])
def test_a_caller_its_database_and_its_parameters_are_found_from_each_other(start: str) -> None:
    found = around(shop().reader(), [start])
    assert {WRITER, DB, GROUP} <= {one.arn for one in found.resources}
    assert {(WRITER, "uses", DB), (DB, "set up by", GROUP)} <= {
        (one.source, one.kind, one.target) for one in found.relations
    }
    database = found.by_arn(DB)
    assert database is not None
    assert database.config["DBInstanceClass"] == "db.r6g.large"


def test_no_database_is_asked_for_where_nobody_names_one() -> None:
    aws = shop()
    aws.answers = {**aws.answers, ("lambda", "ListFunctions"): {"Functions": []}}
    around(aws.reader(), [f"arn:aws:dynamodb:{AT}:table/orders"])
    assert [operation for service, operation in aws.asked if service == "rds"] == []


def test_the_port_of_a_new_instance_has_another_name_than_that_of_a_changed_one() -> None:
    port = setting("db-instance", "Endpoint.Port")
    assert requested(happened("CreateDBInstance", {"port": 5433}), port) == (True, 5433)
    assert requested(happened("ModifyDBInstance", {"dBPortNumber": 5434}), port) == (True, 5434)
