"""RDS: database instances, clusters and parameter groups, their connections, storage and failovers.

`config` of an instance or cluster is the item of DescribeDBInstances or DescribeDBClusters, its security groups sorted,
with `Events` (what DescribeEvents tells of the last 14 days, oldest first) and `RecentEvents` (of the last 3 hours).
`config` of a parameter group is the item of DescribeDBParameterGroups, with `Parameters` (name -> value, those a user
set), `ApplyTypes` (name -> static or dynamic), `ApplyMethods` (name -> immediate or pending-reboot) and `DBInstances`
(those that use it: `DBInstanceIdentifier`, `ParameterApplyStatus`, `EnabledCloudwatchLogsExports`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from tools.arn import build, is_arn
from tools.arn import parse as parse_arn
from tools.change_kit import restore_nothing
from tools.errors import NotThere
from tools.evidence import canonical
from tools.kit import call, here, record, source_events, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameter_groups import DEFAULT, GroupEvents, is_older
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "rds.amazonaws.com"
_PAGED = ("Marker", "Marker")
_EVENT_MINUTES = 14 * 24 * 60  # as long as RDS keeps its events
_RECENT = timedelta(hours=3)
_KINDS = {"db-instance": "db", "db-cluster": "cluster", "db-parameter-group": "pg"}
_LOGS = ("error", "postgresql", "slowquery")  # most useful first; others follow


def _named(kind: str, *fields: str, event: ChangeEvent) -> tuple[str, ...]:
    names = (text(event.request, field) for field in fields)
    return tuple(
        dict.fromkeys(
            name if is_arn(name) else here(event, "rds", f"{kind}:{name.lower()}") for name in names if name
        )
    )


def _touches_instance(event: ChangeEvent) -> tuple[str, ...]:
    return _named("db", "dBInstanceIdentifier", "newDBInstanceIdentifier", event=event) + _named(
        "cluster", "dBClusterIdentifier", event=event
    )


def _touches_replica(event: ChangeEvent) -> tuple[str, ...]:
    return _named("db", "dBInstanceIdentifier", "sourceDBInstanceIdentifier", event=event)


def _touches_cluster(event: ChangeEvent) -> tuple[str, ...]:
    return _named("cluster", "dBClusterIdentifier", "newDBClusterIdentifier", event=event) + _named(
        "db", "targetDBInstanceIdentifier", event=event
    )


def _touches_group(event: ChangeEvent) -> tuple[str, ...]:
    return _named("pg", "dBParameterGroupName", event=event)


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resourceName")
    return (arn,) if is_arn(arn) else ()


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All instances, then all clusters: two list operations, items as the describe answers give them."""
    instances = reader.pages(
        "rds", "DescribeDBInstances", "DBInstances", region=region, token=_PAGED, MaxRecords=100
    )
    for item in instances.items:
        yield _resource("db-instance", item["DBInstanceArn"], item, instances.evidence)
    with reader.seeing("RDS clusters", "which instances form a cluster"):
        clusters = reader.pages(
            "rds", "DescribeDBClusters", "DBClusters", region=region, token=_PAGED, MaxRecords=100
        )
        for item in (one for one in clusters.items if one.get("DBClusterArn")):
            yield _resource("db-cluster", item["DBClusterArn"], item, clusters.evidence)


def _resource(type: str, arn: str, config: Json, evidence: Iterable[str]) -> Resource:
    parts = parse_arn(arn)
    plain: Json = json.loads(canonical({key: value for key, value in config.items() if key != "TagList"}))
    if groups := plain.get("VpcSecurityGroups"):  # their order means nothing, and differs between answers
        plain["VpcSecurityGroups"] = sorted(groups, key=lambda one: text(one, "VpcSecurityGroupId"))
    return Resource(
        arn=arn,
        service="rds",
        type=type,
        name=parts.name,
        account=parts.account,
        region=parts.region,
        config=plain,
        tags={tag["Key"]: tag.get("Value", "") for tag in config.get("TagList") or []},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """An instance or cluster with its recent events, or a parameter group with what users set in it."""
    parts = parse_arn(arn)
    if parts.type == "pg":
        return _describe_group(reader, arn)
    is_instance = parts.type == "db"
    operation, items, key = (
        ("DescribeDBInstances", "DBInstances", "DBInstanceIdentifier")
        if is_instance
        else ("DescribeDBClusters", "DBClusters", "DBClusterIdentifier")
    )
    try:
        answer = reader.ask("rds", operation, region=parts.region, **{key: parts.name})
    except NotThere:
        return None
    found = answer.data.get(items) or []
    if not found:
        return None
    config: Json = dict(found[0])
    type = "db-instance" if is_instance else "db-cluster"
    evidence = [answer.evidence]
    with reader.seeing(f"RDS events of {parts.name}", "failovers, restarts, maintenance, full storage"):
        told, proof = _events(reader, parts.region, parts.name, type)
        config["Events"] = told
        config["RecentEvents"] = [one for one in told if one["Date"] > reader.as_of - _RECENT]
        evidence += proof
    return _resource(type, arn, config, evidence)


def _events(reader: Reader, region: str, name: str, type: str) -> tuple[list[Json], tuple[str, ...]]:
    """What RDS tells of an instance or cluster up to the end of what is looked at, oldest first."""
    return source_events(reader, "rds", region, name, type, _EVENT_MINUTES)


def _describe_group(reader: Reader, arn: str) -> Resource | None:
    parts = parse_arn(arn)
    at: dict[str, Any] = {"region": parts.region, "DBParameterGroupName": parts.name}
    try:
        answer = reader.ask("rds", "DescribeDBParameterGroups", **at)
    except NotThere:
        return None
    found = answer.data.get("DBParameterGroups") or []
    if not found:
        return None
    config, evidence = dict(found[0]), [answer.evidence]
    with reader.seeing(f"Parameters of {parts.name}", "which values users set"):
        set_ = reader.pages("rds", "DescribeDBParameters", "Parameters", token=_PAGED, Source="user", **at)
        shown = {one["ParameterName"]: one for one in set_.items}
        config["Parameters"] = {name: one.get("ParameterValue") for name, one in sorted(shown.items())}
        config["ApplyTypes"] = {name: one.get("ApplyType", "") for name, one in sorted(shown.items())}
        config["ApplyMethods"] = {name: one.get("ApplyMethod", "") for name, one in sorted(shown.items())}
        evidence += set_.evidence
    with reader.seeing(f"Instances that use {parts.name}", "whom a parameter concerns"):
        instances = reader.pages(
            "rds",
            "DescribeDBInstances",
            "DBInstances",
            region=parts.region,
            token=_PAGED,
            MaxRecords=100,
        )
        config["DBInstances"] = [one for item in instances.items for one in _use(item, parts.name)]
        evidence += instances.evidence
    return _resource("db-parameter-group", arn, config, evidence)


def _use(instance: Json, group: str) -> Iterable[Json]:
    for one in instance.get("DBParameterGroups") or []:
        if one.get("DBParameterGroupName") == group:
            yield {
                "DBInstanceIdentifier": instance["DBInstanceIdentifier"],
                "ParameterApplyStatus": one.get("ParameterApplyStatus", ""),
                "EnabledCloudwatchLogsExports": list(instance.get("EnabledCloudwatchLogsExports") or []),
            }


# -- relations -------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What an instance or cluster is made of, guarded by and logs to; the instances of a parameter group."""
    if resource.type == "db-parameter-group":
        for one in resource.config.get("DBInstances") or []:
            source = build(
                "rds", resource.region, resource.account, f"db:{text(one, 'DBInstanceIdentifier')}"
            )
            yield _relation(resource, "set up by", "DescribeDBInstances DBParameterGroups", source=source)
        return
    said = "DescribeDBInstances" if resource.type == "db-instance" else "DescribeDBClusters"
    if resource.type == "db-instance":
        yield from _instance_relations(resource)
    else:
        for member in resource.config.get("DBClusterMembers") or []:
            source = _sibling(resource, "db", text(member, "DBInstanceIdentifier"))
            yield _relation(resource, "member of", f"{said} DBClusterMembers", source=source)
    for group in resource.config.get("VpcSecurityGroups") or []:
        if id := text(group, "VpcSecurityGroupId"):
            target = build("ec2", resource.region, resource.account, f"security-group/{id}")
            yield _relation(resource, "guarded by", f"{said} VpcSecurityGroups", target=target)
    yield from uses_key(resource, text(resource.config, "KmsKeyId"), f"rds:{said} KmsKeyId")
    for name in log_groups(resource):
        target = build("logs", resource.region, resource.account, f"log-group:{name}")
        yield _relation(resource, "logs to", f"{said} EnabledCloudwatchLogsExports", target=target)


def _instance_relations(resource: Resource) -> Iterable[Relation]:
    said = "DescribeDBInstances"
    for group in resource.config.get("DBParameterGroups") or []:
        target = _sibling(resource, "pg", text(group, "DBParameterGroupName"))
        yield _relation(resource, "set up by", f"{said} DBParameterGroups", target=target)
    if cluster := text(resource.config, "DBClusterIdentifier"):
        target = _sibling(resource, "cluster", cluster)
        yield _relation(resource, "member of", f"{said} DBClusterIdentifier", target=target)
    for replica in resource.config.get("ReadReplicaDBInstanceIdentifiers") or []:
        target = _sibling(resource, "db", str(replica))
        yield _relation(resource, "replicates to", f"{said} ReadReplicaDBInstanceIdentifiers", target=target)
    if origin := text(resource.config, "ReadReplicaSourceDBInstanceIdentifier"):
        source = _sibling(resource, "db", origin)
        yield _relation(
            resource, "replicates to", f"{said} ReadReplicaSourceDBInstanceIdentifier", source=source
        )
    for subnet in (resource.config.get("DBSubnetGroup") or {}).get("Subnets") or []:
        if id := text(subnet, "SubnetIdentifier"):
            target = build("ec2", resource.region, resource.account, f"subnet/{id}")
            yield _relation(resource, "in", f"{said} DBSubnetGroup.Subnets", target=target)


def _sibling(resource: Resource, kind: str, name: str) -> str:
    """The ARN of a name beside the resource; replicas in other regions are named by their ARN already."""
    return name if is_arn(name) else build("rds", resource.region, resource.account, f"{kind}:{name}")


def _relation(resource: Resource, kind: str, field: str, *, source: str = "", target: str = "") -> Relation:
    return Relation(
        source=source or resource.arn,
        target=target or resource.arn,
        kind=kind,
        provenance=f"rds:{field}",
        evidence=resource.evidence,
    )


def log_groups(resource: Resource) -> tuple[str, ...]:
    """The groups of the logs that are exported; for a parameter group those of the instances that use it.

    A group in which nobody set the number of connections has nothing that error texts of its instances could name.
    """
    if resource.type == "db-parameter-group":
        if "max_connections" not in (resource.config.get("Parameters") or {}):
            return ()
        used = resource.config.get("DBInstances") or []
        return tuple(
            name for one in used for name in _exported("instance", text(one, "DBInstanceIdentifier"), one)
        )
    where = "instance" if resource.type == "db-instance" else "cluster"
    return _exported(where, resource.name, resource.config)


def _exported(where: str, name: str, config: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = [str(kind) for kind in config.get("EnabledCloudwatchLogsExports") or []]
    kinds.sort(key=lambda kind: (_LOGS.index(kind) if kind in _LOGS else len(_LOGS), kind))
    return tuple(f"/aws/rds/{where}/{name}/{kind}" for kind in kinds)


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    if resource.type == "db-instance":
        return (("DBInstanceIdentifier", resource.name),)
    return (("DBClusterIdentifier", resource.name),) if resource.type == "db-cluster" else ()


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    if name := dimensions.get("DBInstanceIdentifier", ""):
        return f"arn:{partition}:rds:{region}:{account}:db:{name}"
    if name := dimensions.get("DBClusterIdentifier", ""):
        return f"arn:{partition}:rds:{region}:{account}:cluster:{name}"
    return ""


# -- settings of instances and clusters ------------------------------------------------------------


def _read(resource: Resource) -> Call:
    if resource.type == "db-cluster":
        return call("rds", "DescribeDBClusters", resource, DBClusterIdentifier=resource.name)
    return call("rds", "DescribeDBInstances", resource, DBInstanceIdentifier=resource.name)


def _modify(resource: Resource, **changed: Any) -> tuple[Call, ...]:
    # ModifyDB* keeps what is not sent. Without ApplyImmediately most values wait for the maintenance window.
    if resource.type == "db-cluster":
        return (
            call(
                "rds",
                "ModifyDBCluster",
                resource,
                DBClusterIdentifier=resource.name,
                ApplyImmediately=True,
                **changed,
            ),
        )
    return (
        call(
            "rds",
            "ModifyDBInstance",
            resource,
            DBInstanceIdentifier=resource.name,
            ApplyImmediately=True,
            **changed,
        ),
    )


def _restore_text(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _modify(resource, **{member: str(value)}) if value not in (None, "") else ()


def _restore_number(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _modify(resource, **{member: whole(value)}) if value is not None else ()


def _restore_switch(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _modify(resource, **{member: value}) if isinstance(value, bool) else ()


def _restore_storage(resource: Resource, value: Value) -> tuple[Call, ...]:
    # RDS never makes storage smaller.
    if value is None or whole(value) < int(resource.config.get("AllocatedStorage") or 0):
        return ()
    return _modify(resource, AllocatedStorage=whole(value))


def _restore_version(resource: Resource, value: Value) -> tuple[Call, ...]:
    # RDS never makes an engine older: going back is a restore from a snapshot.
    now = text(resource.config, "EngineVersion")
    if value is None or (now and is_older(str(value), than=now)):
        return ()
    return _modify(resource, EngineVersion=str(value))


def _restore_groups(resource: Resource, value: Any) -> tuple[Call, ...]:
    groups = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    return (
        _modify(resource, VpcSecurityGroupIds=sorted(groups)) if isinstance(groups, list) and groups else ()
    )


def _restore_capacity(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    # Both ends are sent: the one that stays keeps its value.
    now = resource.config.get("ServerlessV2ScalingConfiguration") or {}
    both = {key: float(now[key]) for key in ("MinCapacity", "MaxCapacity") if key in now}
    both[member] = float(value)
    return _modify(resource, ServerlessV2ScalingConfiguration=both)


_SLOWER = (
    Effect(metric="CPUUtilization", direction="up", after=(0, 3600), when="any"),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 3600), when="any"),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600), when="any"),
)
_DISK = (
    Effect(metric="ReadLatency", direction="up", after=(0, 3600), when="lowered"),
    Effect(metric="WriteLatency", direction="up", after=(0, 3600), when="lowered"),
    Effect(metric="DiskQueueDepth", direction="up", after=(0, 3600), when="lowered"),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 3600), when="lowered"),
)
# Connections that are open stay open: only new ones are refused, so the effect may creep in.
_CUT_OFF = (
    Effect(metric="DatabaseConnections", direction="down", after=(0, 3600)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 3600)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 7200)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 3600)),
)
# A restart cuts every connection for half a minute to two; pools that do not reconnect fail for longer.
_RESTART = (
    Effect(metric="DatabaseConnections", direction="down", after=(0, 1800)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
)
_GONE = (
    Effect(metric="DatabaseConnections", direction="down", after=(0, 900)),
    Effect(metric="DatabaseConnections", direction="silent", after=(0, 1800)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 3600)),
)
_MEMORY = (
    Effect(metric="FreeableMemory", direction="down", after=(0, 3600), when="lowered"),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 3600), when="lowered"),
)


def _instance(
    name: str,
    path: str,
    camel: str,
    restore: Any,
    effects: tuple[Effect, ...] = (),
    *,
    unit: str = "",
    unset: Value = None,
    echo: str = "",
    waits: bool = False,
    made: str = "",
) -> Setting:
    """A setting that ModifyDBInstance sets. Its answer shows the value before, and the new one as pending.

    `waits`: without ApplyImmediately the request changes nothing before the next maintenance window. `made`: its name
    in CreateDBInstance, where that is another.
    """
    return Setting(
        type="db-instance",
        name=name,
        path=path,
        unit=unit,
        requests={
            "ModifyDBInstance": f"(applyImmediately || `null`) && {camel}" if waits else camel,
            "CreateDBInstance": made or camel,
        },
        restore=restore,
        read=_read,
        query=f"DBInstances[0].{path}",
        unset=unset,
        echo="old" if echo else "unknown",
        echo_path=echo,
        effects=effects,
        ready={"DBInstances[0].DBInstanceStatus": "available"},
    )


def _cluster(
    name: str, path: str, camel: str, restore: Any, effects: tuple[Effect, ...], **more: Any
) -> Setting:
    return Setting(
        type="db-cluster",
        name=name,
        path=path,
        requests=dict.fromkeys(("ModifyDBCluster", "CreateDBCluster"), camel),
        restore=restore,
        read=_read,
        query=f"DBClusters[0].{path}",
        effects=effects,
        ready={"DBClusters[0].Status": "available"},
        **{"unit": "", "echo": "unknown", **more},
    )


_GROUP_IDS = "VpcSecurityGroups[].VpcSecurityGroupId"
_SENT_IDS = "vpcSecurityGroupIds && sort(vpcSecurityGroupIds)"
# While groups are exchanged the answer lists the old ones as being removed beside the new ones as being added. An
# answer that shows only groups being added does not tell which went.
_OLD_IDS = (
    "(vpcSecurityGroups[?status=='removing'] || !(vpcSecurityGroups[?status=='adding']))"
    " && vpcSecurityGroups[?status!='adding'] && sort(vpcSecurityGroups[?status!='adding'].vpcSecurityGroupId)"
    " || `null`"
)
_PASSWORD = "MasterUserPassword"  # the name of a field, not a password

INSTANCE_SETTINGS = (
    _instance(
        "instance class",
        "DBInstanceClass",
        "dBInstanceClass",
        partial(_restore_text, "DBInstanceClass"),
        (*_SLOWER, *_RESTART, Effect(metric="FreeableMemory", direction="down", after=(0, 3600))),
        echo="dBInstanceClass",
        waits=True,
    ),
    _instance(
        "allocated storage",
        "AllocatedStorage",
        "allocatedStorage",
        _restore_storage,
        (Effect(metric="role:latency", direction="up", on="upstream", after=(0, 21600), when="raised"),),
        unit="GiB",
        echo="allocatedStorage",
        waits=True,
    ),
    _instance(
        "maximum storage of autoscaling",
        "MaxAllocatedStorage",
        "maxAllocatedStorage",
        partial(_restore_number, "MaxAllocatedStorage"),
        (Effect(metric="role:errors", direction="up", on="upstream", after=(0, 86400), when="lowered"),),
        unit="GiB",
    ),
    _instance(
        "provisioned IOPS",
        "Iops",
        "iops",
        partial(_restore_number, "Iops"),
        _DISK,
        unit="operations per second",
        echo="iops",
        waits=True,
    ),
    _instance(
        "storage throughput",
        "StorageThroughput",
        "storageThroughput",
        partial(_restore_number, "StorageThroughput"),
        _DISK,
        unit="MiB per second",
        echo="storageThroughput",
        waits=True,
    ),
    _instance(
        "storage type",
        "StorageType",
        "storageType",
        partial(_restore_text, "StorageType"),
        tuple(
            Effect(metric=one.metric, direction=one.direction, on=one.on, after=one.after) for one in _DISK
        ),
        echo="storageType",
        waits=True,
    ),
    _instance(
        "engine version",
        "EngineVersion",
        "engineVersion",
        _restore_version,
        (*_RESTART, *_SLOWER),
        echo="engineVersion",
        waits=True,
    ),
    _instance(
        "parameter group",
        "DBParameterGroups[0].DBParameterGroupName",
        "dBParameterGroupName",
        partial(_restore_text, "DBParameterGroupName"),
        (*_RESTART, *_SLOWER),
    ),
    _instance(
        "security groups",
        _GROUP_IDS,
        _SENT_IDS,
        _restore_groups,
        _CUT_OFF,
        echo=_OLD_IDS,
    ),
    _instance(
        "second zone (Multi-AZ)",
        "MultiAZ",
        "multiAZ",
        partial(_restore_switch, "MultiAZ"),
        (
            Effect(metric="WriteLatency", direction="up", after=(0, 7200), when="raised"),
            Effect(metric="role:latency", direction="up", on="upstream", after=(0, 7200), when="raised"),
        ),
        unset=False,
        echo="multiAZ",
        waits=True,
    ),
    _instance(
        "backup retention",
        "BackupRetentionPeriod",
        "backupRetentionPeriod",
        partial(_restore_number, "BackupRetentionPeriod"),
        (),  # only between 0 and more does an instance without standby restart
        unit="days",
        echo="backupRetentionPeriod",
    ),
    _instance(
        "public access",
        "PubliclyAccessible",
        "publiclyAccessible",
        partial(_restore_switch, "PubliclyAccessible"),
        _CUT_OFF,
    ),
    _instance(
        "port",
        "Endpoint.Port",
        "dBPortNumber",
        partial(_restore_number, "DBPortNumber"),
        (*_CUT_OFF, *_RESTART[:1]),
        echo="endpoint.port",
        made="port",
    ),
    _instance(
        "IAM authentication",
        "IAMDatabaseAuthenticationEnabled",
        "enableIAMDatabaseAuthentication",
        partial(_restore_switch, "EnableIAMDatabaseAuthentication"),
        _CUT_OFF,
        unset=False,
        echo="iAMDatabaseAuthenticationEnabled",
    ),
    _instance(
        "certificate authority",
        "CACertificateIdentifier",
        "cACertificateIdentifier",
        partial(_restore_text, "CACertificateIdentifier"),
        (*_CUT_OFF, *_RESTART[:1]),
        echo="cACertificateIdentifier",
        waits=True,
    ),
    _instance(
        "deletion protection",
        "DeletionProtection",
        "deletionProtection",
        partial(_restore_switch, "DeletionProtection"),
        unset=False,
    ),
    *(
        # These break nothing: that is worth knowing of a change right before an incident.
        _instance(words, path, camel, partial(restore, member))
        for words, path, camel, restore, member in (
            (
                "backup window",
                "PreferredBackupWindow",
                "preferredBackupWindow",
                _restore_text,
                "PreferredBackupWindow",
            ),
            (
                "maintenance window",
                "PreferredMaintenanceWindow",
                "preferredMaintenanceWindow",
                _restore_text,
                "PreferredMaintenanceWindow",
            ),
            (
                "interval of enhanced monitoring",
                "MonitoringInterval",
                "monitoringInterval",
                _restore_number,
                "MonitoringInterval",
            ),
            (
                "automatic minor upgrades",
                "AutoMinorVersionUpgrade",
                "autoMinorVersionUpgrade",
                _restore_switch,
                "AutoMinorVersionUpgrade",
            ),
            (
                "tags on snapshots",
                "CopyTagsToSnapshot",
                "copyTagsToSnapshot",
                _restore_switch,
                "CopyTagsToSnapshot",
            ),
            (
                "Performance Insights",
                "PerformanceInsightsEnabled",
                "enablePerformanceInsights",
                _restore_switch,
                "EnablePerformanceInsights",
            ),
        )
    ),
    Setting(
        type="db-instance",
        name="master password",
        path=_PASSWORD,
        unit="",
        requests={"ModifyDBInstance": "masterUserPassword"},
        restore=restore_nothing,
        read=_read,
        query="DBInstances[0].MasterUsername",
        effects=_CUT_OFF,
        hidden=True,
    ),
)

CLUSTER_SETTINGS = (
    _cluster(
        "engine version",
        "EngineVersion",
        "engineVersion",
        _restore_version,
        (*_RESTART, *_SLOWER),
    ),
    _cluster("security groups", _GROUP_IDS, _SENT_IDS, _restore_groups, _CUT_OFF),
    _cluster(
        "cluster parameter group",
        "DBClusterParameterGroup",
        "dBClusterParameterGroupName",
        partial(_restore_text, "DBClusterParameterGroupName"),
        (*_RESTART, *_SLOWER),
    ),
    *(
        _cluster(
            f"{word} capacity",
            f"ServerlessV2ScalingConfiguration.{member}",
            f"serverlessV2ScalingConfiguration.{member[0].lower()}{member[1:]}",
            partial(_restore_capacity, member),
            (
                *(
                    Effect(
                        metric=one.metric, direction=one.direction, on=one.on, after=(0, 3600), when="lowered"
                    )
                    for one in (*_SLOWER, *_MEMORY)
                ),
            ),
            unit="capacity units",
            limits="ServerlessDatabaseCapacity" if member == "MaxCapacity" else "",
            beside=(
                "DBClusters[0].ServerlessV2ScalingConfiguration."
                + ("MinCapacity" if member == "MaxCapacity" else "MaxCapacity"),
            ),
        )
        for member, word in (("MaxCapacity", "maximum"), ("MinCapacity", "minimum"))
    ),
    _cluster(
        "port",
        "Port",
        "port",
        partial(_restore_number, "Port"),
        (*_CUT_OFF,),
    ),
    _cluster(
        "backup retention",
        "BackupRetentionPeriod",
        "backupRetentionPeriod",
        partial(_restore_number, "BackupRetentionPeriod"),
        (),
        unit="days",
    ),
    _cluster(
        "deletion protection",
        "DeletionProtection",
        "deletionProtection",
        partial(_restore_switch, "DeletionProtection"),
        (),
        unset=False,
    ),
    Setting(
        type="db-cluster",
        name="master password",
        path=_PASSWORD,
        unit="",
        requests={"ModifyDBCluster": "masterUserPassword"},
        restore=restore_nothing,
        read=_read,
        query="DBClusters[0].MasterUsername",
        effects=_CUT_OFF,
        hidden=True,
    ),
)

# -- parameters ------------------------------------------------------------------------------------

_EVENTS = GroupEvents(
    create="CreateDBParameterGroup",
    reset="ResetDBParameterGroup",
    name="dBParameterGroupName",
    parameters="parameters",
)
"""Stands for "nobody set it": the engine computes the value, often from the instance's memory."""


def _read_parameters(resource: Resource) -> Call:
    return call("rds", "DescribeDBParameters", resource, DBParameterGroupName=resource.name, Source="user")


def _restore_parameter(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # Only dynamic parameters take "immediate"; "pending-reboot" is right for every kind, and later.
    dynamic = (resource.config.get("ApplyTypes") or {}).get(name) == "dynamic"
    one = {"ParameterName": name, "ApplyMethod": "immediate" if dynamic else "pending-reboot"}
    if value in (None, DEFAULT):
        return (_group_call("ResetDBParameterGroup", resource, resource.name, [one]),)
    return (
        _group_call(
            "ModifyDBParameterGroup", resource, resource.name, [{**one, "ParameterValue": str(value)}]
        ),
    )


def _group_call(operation: str, at: Resource | ChangeEvent, group: str, parameters: list[Json]) -> Call:
    if operation == "ResetDBParameterGroup":
        return call(
            "rds",
            operation,
            at,
            DBParameterGroupName=group,
            ResetAllParameters=False,
            Parameters=parameters,
        )
    return call("rds", operation, at, DBParameterGroupName=group, Parameters=parameters)


# A static parameter is in force only after the next restart, which may be days later.
_PARAMETER_AFTER = (0, 14400)
_BY_PARAMETER = tuple(
    Effect(metric=f"role:{role}", direction="up", on="upstream", after=_PARAMETER_AFTER)
    for role in ("errors", "latency", "backlog", "saturation")
)

PARAMETERS: Mapping[str, tuple[str, str]] = {
    # name: words, unit
    "max_connections": ("maximum connections", "connections"),
    "max_user_connections": ("maximum connections of a user", "connections"),
    "wait_timeout": ("idle connection timeout", "seconds"),
    "interactive_timeout": ("idle timeout of interactive connections", "seconds"),
    "connect_timeout": ("connect timeout", "seconds"),
    "max_allowed_packet": ("maximum packet", "bytes"),
    "innodb_buffer_pool_size": ("buffer pool", "bytes"),
    "innodb_lock_wait_timeout": ("lock wait timeout", "seconds"),
    "max_execution_time": ("maximum execution time", "ms"),
    "require_secure_transport": ("encrypted connections required", ""),
    "read_only": ("read only", ""),
    "shared_buffers": ("shared buffers", ""),
    "work_mem": ("working memory of a query", ""),
    "effective_cache_size": ("expected cache", ""),
    "statement_timeout": ("statement timeout", "ms"),
    "lock_timeout": ("lock timeout", "ms"),
    "idle_in_transaction_session_timeout": ("idle transaction timeout", "ms"),
    "max_locks_per_transaction": ("locks per transaction", "locks"),
    "random_page_cost": ("assumed cost of a random page", ""),
    "autovacuum": ("automatic vacuum", ""),
    "rds.force_ssl": ("encrypted connections required", ""),
    "rds.logical_replication": ("logical replication", ""),
}
"""Parameters that are known to break callers. Others are weighed and undone by the event alone."""


def _parameter(name: str) -> Setting:
    words, unit = PARAMETERS[name]
    # A name with a dot would be cut where a path is cut at its dots.
    shown = (
        f"ends_with(ParameterName, '{name.rpartition('.')[2]}')"
        if "." in name
        else f"ParameterName=='{name}'"
    )
    return Setting(
        type="db-parameter-group",
        name=words,
        path=f'Parameters."{name}"' if "." in name else f"Parameters.{name}",
        unit=unit,
        requests={
            "ModifyDBParameterGroup": f"parameters[?parameterName=='{name}'] | [0].parameterValue",
            "CreateDBParameterGroup": "parameters[0]",  # a new group sets nothing
        },
        restore=partial(_restore_parameter, name),
        read=_read_parameters,
        query=f"Parameters[?{shown}] | [0].ParameterValue",
        unset=DEFAULT,
        echo="none",
        limits="DatabaseConnections" if name == "max_connections" else "",
        effects=_BY_PARAMETER,
    )


PARAMETER_SETTINGS = tuple(_parameter(name) for name in PARAMETERS)

# -- changes ---------------------------------------------------------------------------------------


def _undo_parameters(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """All parameters of the event as they were before it; no call when one of them is not known."""
    group = text(event.request, "dBParameterGroupName").lower()
    sent = event.request.get("parameters") or []
    if not sent or (event.operation == "ResetDBParameterGroup" and event.request.get("resetAllParameters")):
        return ()
    back: dict[str, list[Json]] = {"ModifyDBParameterGroup": [], "ResetDBParameterGroup": []}
    for one in sent:
        name = text(one, "parameterName")
        known, value = _EVENTS.before(name, group, earlier)
        if not name or not known:
            return ()
        sets = {"ParameterName": name, "ApplyMethod": text(one, "applyMethod") or "pending-reboot"}
        if value is None:
            back["ResetDBParameterGroup"].append(sets)
        else:
            back["ModifyDBParameterGroup"].append({**sets, "ParameterValue": str(value)})
    return tuple(
        _group_call(operation, event, group, parameters)
        for operation, parameters in back.items()
        if parameters
    )


def _undo_rename(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The old name again: its endpoint is what callers know. Values have settings of their own."""
    old, new = text(event.request, "dBInstanceIdentifier"), text(event.request, "newDBInstanceIdentifier")
    if not old or not new:
        return ()
    names = {"DBInstanceIdentifier": new.lower(), "NewDBInstanceIdentifier": old.lower()}
    return (call("rds", "ModifyDBInstance", event, ApplyImmediately=True, **names),)


def _undo_stop(
    operation: str, key: str, field: str, event: ChangeEvent, earlier: tuple[ChangeEvent, ...]
) -> tuple[Call, ...]:
    name = text(event.request, field)
    return (call("rds", operation, event, **{key: name}),) if name else ()


_DB: Json = {"dBInstanceIdentifier": "orders-db"}
_CLUSTER: Json = {"dBClusterIdentifier": "shop-cluster"}
_GROUP: Json = {"dBParameterGroupName": "orders-postgres16"}


def _answered(**more: Any) -> Json:
    """The answer of ModifyDBInstance: at the top what was, in pendingModifiedValues what shall be."""
    return {
        **_DB,
        "dBInstanceClass": "db.r6g.xlarge",
        "engine": "postgres",
        "engineVersion": "16.3",
        "dBInstanceStatus": "available",
        "masterUsername": "shop",
        "endpoint": {
            "address": "orders-db.c1example2ab.eu-west-1.rds.amazonaws.com",
            "port": 5432,
            "hostedZoneId": "Z29XKXDKYMONMX",
        },
        "allocatedStorage": 200,
        "iops": 6000,
        "storageThroughput": 250,
        "storageType": "gp3",
        "backupRetentionPeriod": 7,
        "multiAZ": True,
        "vpcSecurityGroups": [{"vpcSecurityGroupId": "sg-0a1b2c3d4e5f60718", "status": "active"}],
        "dBParameterGroups": [
            {"dBParameterGroupName": "orders-postgres16", "parameterApplyStatus": "in-sync"}
        ],
        "cACertificateIdentifier": "rds-ca-rsa2048-g1",
        "iAMDatabaseAuthenticationEnabled": False,
        "publiclyAccessible": False,
        "deletionProtection": True,
        "dBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:orders-db",
        "pendingModifiedValues": more,
    }


def _modified(request: Json, **pending: Any) -> Json:
    return record(
        _SOURCE, "ModifyDBInstance", {**_DB, "applyImmediately": True, **request}, _answered(**pending)
    )


def _group_event(operation: str, request: Json) -> Json:
    return record(_SOURCE, operation, {**_GROUP, **request}, dict(_GROUP))


def _set_to(name: str, value: str, method: str = "pending-reboot") -> Json:
    return {"parameterName": name, "parameterValue": value, "applyMethod": method}


CHANGES = (
    Change(
        operation="ModifyDBInstance",
        touches=_touches_instance,
        breaks="Callers are slowed, refused or cut off while it is applied, or for as long as it stays.",
        example=_modified({"dBInstanceClass": "db.t4g.medium"}, dBInstanceClass="db.t4g.medium"),
        more_examples=(
            _modified({"allocatedStorage": 400, "maxAllocatedStorage": 1000}, allocatedStorage=400),
            _modified({"iops": 3000, "storageThroughput": 125, "storageType": "gp2"}, iops=3000),
            _modified({"engineVersion": "16.4", "allowMajorVersionUpgrade": False}, engineVersion="16.4"),
            _modified({"dBParameterGroupName": "orders-postgres16-new"}),
            _modified({"vpcSecurityGroupIds": ["sg-0ffeeddccbbaa9988"]}),
            _modified({"multiAZ": False, "backupRetentionPeriod": 0}, multiAZ=False),
            _modified({"publiclyAccessible": True, "dBPortNumber": 5433}, port=5433),
            _modified(
                {"enableIAMDatabaseAuthentication": True, "cACertificateIdentifier": "rds-ca-rsa4096-g1"}
            ),
            _modified({"deletionProtection": False}),
            _modified(
                {"masterUserPassword": "HIDDEN_DUE_TO_SECURITY_REASONS"},
                masterUserPassword="HIDDEN_DUE_TO_SECURITY_REASONS",
            ),
            _modified({"newDBInstanceIdentifier": "orders-db-old"}, dBInstanceIdentifier="orders-db-old"),
            _modified(
                {
                    "preferredBackupWindow": "03:00-03:30",
                    "preferredMaintenanceWindow": "sun:04:00-sun:04:30",
                    "monitoringInterval": 60,
                    "autoMinorVersionUpgrade": False,
                    "copyTagsToSnapshot": True,
                    "enablePerformanceInsights": True,
                }
            ),
        ),
        undo=_undo_rename,
    ),
    Change(
        operation="ModifyDBCluster",
        touches=_touches_cluster,
        breaks="Callers are slowed, refused or cut off while it is applied, or for as long as it stays.",
        example=record(
            _SOURCE,
            "ModifyDBCluster",
            {
                **_CLUSTER,
                "applyImmediately": True,
                "serverlessV2ScalingConfiguration": {"minCapacity": 0.5, "maxCapacity": 2},
            },
            {**_CLUSTER, "status": "available"},
        ),
        more_examples=tuple(
            record(_SOURCE, "ModifyDBCluster", {**_CLUSTER, **request}, {**_CLUSTER, "status": "available"})
            for request in (
                {"engineVersion": "8.0.mysql_aurora.3.07.1", "applyImmediately": True},
                {"vpcSecurityGroupIds": ["sg-0ffeeddccbbaa9988"]},
                {"dBClusterParameterGroupName": "shop-aurora-new", "port": 3307},
                {"backupRetentionPeriod": 1, "deletionProtection": False},
                {"masterUserPassword": "HIDDEN_DUE_TO_SECURITY_REASONS"},
            )
        ),
    ),
    Change(
        operation="ModifyDBParameterGroup",
        touches=_touches_group,
        breaks="Every instance that uses the group takes the values: dynamic ones now, static ones at its restart.",
        example=_group_event("ModifyDBParameterGroup", {"parameters": [_set_to("max_connections", "50")]}),
        more_examples=tuple(
            _group_event("ModifyDBParameterGroup", {"parameters": [_set_to(name, "1", "immediate")]})
            for name in PARAMETERS
            if name != "max_connections"
        ),
        effects=_BY_PARAMETER,
        undo=_undo_parameters,
    ),
    Change(
        operation="ResetDBParameterGroup",
        touches=_touches_group,
        breaks="Values that were set on purpose are the engine's defaults again.",
        example=_group_event(
            "ResetDBParameterGroup",
            {
                "resetAllParameters": False,
                "parameters": [{"parameterName": "max_connections", "applyMethod": "pending-reboot"}],
            },
        ),
        more_examples=(_group_event("ResetDBParameterGroup", {"resetAllParameters": True}),),
        effects=_BY_PARAMETER,
        undo=_undo_parameters,
    ),
    Change(
        operation="RebootDBInstance",
        touches=_touches_instance,
        breaks="Connections are cut for up to two minutes; static parameters set before are in force afterwards.",
        example=record(
            _SOURCE,
            "RebootDBInstance",
            {**_DB, "forceFailover": False},
            {**_answered(), "dBInstanceStatus": "rebooting"},
        ),
        effects=_RESTART,
    ),
    *(
        Change(
            operation=operation,
            touches=touches,
            breaks="Nobody can connect until it is started again.",
            example=record(_SOURCE, operation, request, request),
            effects=_GONE,
            undo=partial(_undo_stop, undone, key, field),
        )
        for operation, touches, request, undone, key, field in (
            (
                "StopDBInstance",
                _touches_instance,
                _DB,
                "StartDBInstance",
                "DBInstanceIdentifier",
                "dBInstanceIdentifier",
            ),
            (
                "StopDBCluster",
                _touches_cluster,
                _CLUSTER,
                "StartDBCluster",
                "DBClusterIdentifier",
                "dBClusterIdentifier",
            ),
        )
    ),
    Change(
        operation="DeleteDBInstance",
        touches=_touches_instance,
        breaks="Nobody can connect any more; without a final snapshot or kept backups the data is gone.",
        example=record(
            _SOURCE,
            "DeleteDBInstance",
            {**_DB, "skipFinalSnapshot": False, "finalDBSnapshotIdentifier": "orders-db-final"},
            {**_answered(), "dBInstanceStatus": "deleting"},
        ),
        effects=_GONE,
    ),
    Change(
        operation="DeleteDBCluster",
        touches=_touches_cluster,
        breaks="Nobody can connect any more; without a final snapshot or kept backups the data is gone.",
        example=record(
            _SOURCE,
            "DeleteDBCluster",
            {**_CLUSTER, "skipFinalSnapshot": False, "finalDBSnapshotIdentifier": "shop-final"},
            {**_CLUSTER, "status": "available"},
        ),
        effects=_GONE,
    ),
    Change(
        operation="FailoverDBCluster",
        touches=_touches_cluster,
        breaks="Connections are cut; those pinned to the old writer then write to a reader and are refused.",
        example=record(
            _SOURCE,
            "FailoverDBCluster",
            {**_CLUSTER, "targetDBInstanceIdentifier": "shop-cluster-2"},
            {**_CLUSTER, "status": "available"},
        ),
        effects=_RESTART,
    ),
    Change(
        operation="PromoteReadReplica",
        touches=_touches_replica,
        breaks="The replica stands alone: it restarts, and no longer sees what is written to its source.",
        example=record(
            _SOURCE,
            "PromoteReadReplica",
            {"dBInstanceIdentifier": "orders-db-replica", "backupRetentionPeriod": 7},
            {"dBInstanceIdentifier": "orders-db-replica", "dBInstanceStatus": "available"},
        ),
        effects=(*_RESTART, Effect(metric="ReplicaLag", direction="silent", after=(0, 1800))),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request))
        for operation, touches, request in (
            (
                "CreateDBInstance",
                _touches_instance,
                {**_DB, "dBInstanceClass": "db.r6g.xlarge", "engine": "postgres", "allocatedStorage": 200},
            ),
            ("CreateDBCluster", _touches_cluster, {**_CLUSTER, "engine": "aurora-postgresql"}),
            (
                "CreateDBInstanceReadReplica",
                _touches_replica,
                {
                    "dBInstanceIdentifier": "orders-db-replica",
                    "sourceDBInstanceIdentifier": "orders-db",
                },
            ),
            (
                "CreateDBParameterGroup",
                _touches_group,
                {**_GROUP, "dBParameterGroupFamily": "postgres16", "description": "orders"},
            ),
            ("StartDBInstance", _touches_instance, _DB),
            ("StartDBCluster", _touches_cluster, _CLUSTER),
            (
                "CreateDBSnapshot",
                _touches_instance,
                {**_DB, "dBSnapshotIdentifier": "orders-db-before-move"},
            ),
            (
                "AddTagsToResource",
                _touches_tagged,
                {
                    "resourceName": "arn:aws:rds:eu-west-1:111122223333:db:orders-db",
                    "tags": [{"key": "team", "value": "shop"}],
                },
            ),
            (
                "RemoveTagsFromResource",
                _touches_tagged,
                {
                    "resourceName": "arn:aws:rds:eu-west-1:111122223333:db:orders-db",
                    "tagKeys": ["team"],
                },
            ),
        )
    ),
)

# -- error texts and states ------------------------------------------------------------------------

CONNECTIONS_EXHAUSTED = "Parameters.max_connections"
"""One key for the limit and for the state of reaching it: the same error text names both."""

SIGNATURES = (
    Signature(
        match=r"(?i)remaining connection slots are reserved|sorry, too many clients already"
        r"|\bToo many connections\b|\bER_CON_COUNT_ERROR\b",
        code="53300",  # PostgreSQL's; MySQL's is 1040
        reason="too many connections",
        points_to=CONNECTIONS_EXHAUSTED,
        says="all connections that the database allows were taken",
    ),
    Signature(
        match=r"(?i)could not extend file .*No space left on device|No space left on device"
        r"|\bThe table '.*' is full\b|RDS-EVENT-0007|storage has been exhausted",
        code="",
        reason="storage full",
        points_to="storage-full",
        says="the database's storage was full",
    ),
    Signature(
        match=r"cannot execute \w+(?: \w+)* in a read-only transaction"
        r"|server is running with the --(?:super-)?read-only option"
        r"|terminating connection due to administrator command"
        r"|the database system is (?:starting up|shutting down|in recovery mode|not accepting connections)",
        code="",
        reason="failover or restart",
        points_to="failover",
        says="the database restarted or another one took over",
    ),
    Signature(
        match=r"password authentication failed for user|Access denied for user '[^']*'@",
        code="28P01",  # PostgreSQL's; MySQL's is 1045
        reason="wrong password",
        points_to=_PASSWORD,
        says="the database refused the user's password",
    ),
    Signature(
        match=r"could not connect to server: Connection timed out"
        r"|connection to server at .{0,200}failed: (?:Connection timed out|timeout expired)"
        r"|Communications link failure"
        r"|Can't connect to MySQL server on .{0,200}\((?:110|60|timed out)\b",
        code="",
        reason="database unreachable",
        points_to=_GROUP_IDS,
        says="the database could not be reached over the network",
    ),
)


def _is_full(resource: Resource) -> bool:
    told = (text(one, "Message") for one in resource.config.get("RecentEvents") or [])
    return text(resource.config, "DBInstanceStatus") == "storage-full" or any(
        re.search(r"(?i)storage has been exhausted|reached the storage-full threshold", one) for one in told
    )


_TAKEN_OVER = {"failover", "failure", "maintenance", "recovery"}


def _was_taken_over(resource: Resource) -> bool:
    """Whether RDS itself tells of a failover, failure or maintenance; restarts alone mostly follow a request."""
    return any(
        _TAKEN_OVER & set(one.get("EventCategories") or [])
        for one in resource.config.get("RecentEvents") or []
    )


def _failover(type: str) -> Condition:
    return Condition(
        key="failover",
        type=type,
        title="failover, restart or maintenance",
        metrics=(),
        breaks="Connections are cut for half a minute to two; pools pinned to the old writer fail for longer.",
        relieve=(
            "Recycle the clients' connection pools; do not fail over again.",
            "Look at the RDS events: they say whether it was maintenance, a failure or a request.",
        ),
        prevent=(
            "Connect to the cluster's or the instance's endpoint, never to an address, and keep DNS caches short.",
            "Use RDS Proxy, and a maintenance window in which nobody writes.",
        ),
        shown=_was_taken_over,
    )


CONDITIONS = (
    Condition(
        key="storage-full",
        type="db-instance",
        title="storage full",
        metrics=("FreeStorageSpace",),
        breaks="Writes fail, and the instance stops taking connections until it has room.",
        relieve=(
            "Raise the allocated storage by a fifth: it works while the instance is storage-full, and never shrinks.",
            "Find what grows: a replication slot nobody reads (PostgreSQL), binary logs (MySQL), temporary files.",
            "Restarting does not help.",
        ),
        prevent=(
            "Set a maximum of storage autoscaling (MaxAllocatedStorage) above the allocated storage.",
            "Alarm on FreeStorageSpace below a tenth of the allocated storage.",
        ),
        shown=_is_full,
    ),
    Condition(
        key=CONNECTIONS_EXHAUSTED,
        type="db-instance",
        title="connections exhausted",
        metrics=("DatabaseConnections",),
        breaks="New connections are refused although the database itself is well.",
        relieve=(
            "Find who holds connections (pg_stat_activity, SHOW PROCESSLIST) and restart or slow that client.",
            "Limit the clients' pools so that all together stay below max_connections.",
        ),
        prevent=(
            "Put RDS Proxy or a pooler between many short-lived clients and the database.",
            "Alarm on DatabaseConnections above 80 % of max_connections.",
        ),
    ),
    _failover("db-instance"),
    _failover("db-cluster"),
    Condition(
        key="burst-spent",
        type="db-instance",
        title="burst credits spent",
        metrics=("BurstBalance",),
        beside=("DiskQueueDepth",),
        breaks="The disk falls back to its baseline of operations: every query waits for it.",
        relieve=("Move to gp3 or provisioned operations, or stop the job that reads so much.",),
        prevent=("Alarm on BurstBalance below 20 %.",),
    ),
    Condition(
        key="cpu-credits-spent",
        type="db-instance",
        title="CPU credits spent",
        metrics=("CPUCreditBalance",),
        breaks="The instance falls back to its baseline of CPU: every query takes longer.",
        relieve=("Move to a larger or an unburstable instance class, or stop the job that needs so much.",),
        prevent=("Alarm on CPUCreditBalance below an hour's use.",),
    ),
)


def _metric(
    name: str,
    stat: str,
    role: Role,
    bad: Literal["up", "down", ""],
    unit: str,
    where: Callable[[Resource], bool] | None = None,
) -> MetricSpec:
    return MetricSpec(
        type="db-instance",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing="unknown",
        unit=unit,
        where=where,
        end=0.0 if name in ("BurstBalance", "CPUCreditBalance") else None,
    )


def _is(path: str, start: str) -> Callable[[Resource], bool]:
    """Whether a text of the configuration begins so; also when the configuration is not known."""
    return lambda resource: text(resource.config, path).startswith(start) or not resource.config


def _is_replica(resource: Resource) -> bool:
    known = resource.config
    return not known or bool(
        known.get("ReadReplicaSourceDBInstanceIdentifier") or known.get("DBClusterIdentifier")
    )


METRICS = (
    _metric("DatabaseConnections", "Maximum", "saturation", "up", "connections"),
    _metric("CPUUtilization", "Average", "saturation", "up", "%"),
    _metric("FreeStorageSpace", "Minimum", "saturation", "down", "bytes free"),
    _metric("FreeableMemory", "Minimum", "saturation", "down", "bytes free"),
    _metric("ReadLatency", "Average", "latency", "up", "seconds"),
    _metric("WriteLatency", "Average", "latency", "up", "seconds"),
    _metric("DiskQueueDepth", "Average", "backlog", "up", "waiting operations"),
    _metric("ReadIOPS", "Average", "work", "", "reads per second"),
    _metric("WriteIOPS", "Average", "work", "", "writes per second"),
    _metric(
        "BurstBalance", "Minimum", "saturation", "down", "% of the burst left", _is("StorageType", "gp2")
    ),
    _metric("ReplicaLag", "Maximum", "backlog", "up", "seconds behind", _is_replica),
    _metric(
        "CPUCreditBalance", "Minimum", "saturation", "down", "credits left", _is("DBInstanceClass", "db.t")
    ),
    *(
        MetricSpec(
            type="db-cluster", name=name, stat=stat, role="saturation", bad="up", missing="unknown", unit=unit
        )
        for name, stat, unit in (
            ("DatabaseConnections", "Maximum", "connections"),
            ("CPUUtilization", "Average", "%"),
            ("ServerlessDatabaseCapacity", "Maximum", "capacity units"),
            ("ACUUtilization", "Maximum", "% of the maximum capacity"),
        )
    ),
)

_DNS = r"\.(?P<region>[a-z0-9-]+)\.rds\.amazonaws\.com(?:\.cn)?"


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The role that enhanced monitoring works as."""
    if role := text(resource.config, "MonitoringRoleArn"):
        said = "DescribeDBInstances" if resource.type == "db-instance" else "DescribeDBClusters"
        yield _relation(resource, "runs as", f"{said} MonitoringRoleArn", target=role)


SERVICE = Service(
    name="rds",
    title="RDS",
    client="rds",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="DescribeDBInstances",
            action="rds:DescribeDBInstances",
            shows="a database's class, storage, network and groups",
        ),
        Read(
            operation="DescribeDBClusters",
            action="rds:DescribeDBClusters",
            shows="which instances form a cluster, and its capacity",
        ),
        Read(
            operation="DescribeDBParameterGroups",
            action="rds:DescribeDBParameterGroups",
            shows="which parameter group it is",
        ),
        Read(
            operation="DescribeDBParameters",
            action="rds:DescribeDBParameters",
            shows="which parameters users set, and to what",
        ),
        Read(
            operation="DescribeEvents",
            action="rds:DescribeEvents",
            shows="failovers, restarts, maintenance and full storage of the last 14 days",
        ),
    ),
    types={"db-instance": "container", "db-cluster": "container", "db-parameter-group": "other"},
    arns={type: rf"rds:{kind}:[^:/]+" for type, kind in _KINDS.items()},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline),
    namespace="AWS/RDS",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=(*INSTANCE_SETTINGS, *CLUSTER_SETTINGS, *PARAMETER_SETTINGS),
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    listed=False,  # found by the host names that callers hold, or because the symptom is there
    listed_near=("instance", "service", "target-group", "load-balancer"),
    hosts={
        rf"(?P<name>[a-z][a-z0-9-]*)\.[a-z0-9]+{_DNS}": "rds:db:{name}",
        # Readers share one host; custom endpoints and proxies have names of their own.
        rf"(?P<name>[a-z][a-z0-9-]*)\.cluster-(?:ro-)?[a-z0-9]+{_DNS}": "rds:cluster:{name}",
    },
)
