"""ElastiCache: replication groups and clusters of Valkey, Redis and Memcached, their nodes, memory and parameters.

`config` of a replication group or cluster is its item of DescribeReplicationGroups or DescribeCacheClusters, with
`Subnets` (ids, of its subnet group), `Events` (DescribeEvents, 14 days, oldest first) and `RecentEvents` (3 hours).
What AWS shows of a group only at its members stands at the group too, as its first member has it: `Engine`,
`EngineVersion`, `CacheParameterGroup`, `SecurityGroups`, `CacheSubnetGroupName`. `config` of a parameter group is its
item of DescribeCacheParameterGroups, with `Parameters` (name -> value, those a user set), `ChangeTypes` (name ->
immediate or requires-reboot) and `CacheClusters` (ids of those that use it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from tools.arn import build, is_arn
from tools.arn import parse as parse_arn
from tools.change_kit import restore_nothing
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, relation, source_events, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameter_groups import DEFAULT, GroupEvents, is_older
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

_SOURCE = "elasticache.amazonaws.com"
_PAGED = ("Marker", "Marker")
_EVENT_MINUTES = 14 * 24 * 60  # as long as ElastiCache keeps its events
_RECENT = timedelta(hours=3)
_AT_MEMBERS = ("Engine", "EngineVersion", "CacheParameterGroup", "SecurityGroups", "CacheSubnetGroupName")
Kind = Literal["replication-group", "cache-cluster"]


def _named(event: ChangeEvent, **fields: str) -> tuple[str, ...]:
    """ARNs of what an event's request names: word of the ARN -> field."""
    told = ((kind, text(event.request, field)) for kind, field in fields.items())
    return tuple(
        name if is_arn(name) else here(event, "elasticache", f"{kind}:{name.lower()}")
        for kind, name in told
        if name
    )


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The changed group, cluster or parameter group. One that is only named as a value comes last."""
    group, cluster = "replicationGroupId", "cacheClusterId"
    if "CacheCluster" in event.operation:
        return _named(event, cluster=cluster, replicationgroup=group)
    if "ParameterGroup" in event.operation:
        return _named(event, parametergroup="cacheParameterGroupName")
    return _named(event, replicationgroup=group, cluster=cluster)


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resourceName")
    return (arn,) if is_arn(arn) else ()


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All replication groups, then all clusters: two list operations, items as the describe answers give them."""
    groups = reader.pages(
        "elasticache",
        "DescribeReplicationGroups",
        "ReplicationGroups",
        region=region,
        token=_PAGED,
        MaxRecords=100,
    )
    for item in groups.items:
        arn = _arn(item, region, reader.aws.account)
        yield _resource("replication-group", arn, item, groups.evidence)
    with reader.seeing("ElastiCache clusters", "which nodes a group has, and which clusters stand alone"):
        clusters = reader.pages(
            "elasticache",
            "DescribeCacheClusters",
            "CacheClusters",
            region=region,
            token=_PAGED,
            MaxRecords=100,
            ShowCacheNodeInfo=True,
        )
        for item in clusters.items:
            arn = _arn(item, region, reader.aws.account)
            yield _resource("cache-cluster", arn, item, clusters.evidence)


def _arn(item: Mapping[str, Any], region: str, account: str) -> str:
    """The item's ARN; older answers hold none."""
    kind, key = (
        ("cluster", "CacheClusterId")
        if "CacheClusterId" in item
        else ("replicationgroup", "ReplicationGroupId")
    )
    return text(item, "ARN") or build("elasticache", region, account, f"{kind}:{item[key]}")


def _resource(
    type: str, arn: str, config: Json, evidence: Iterable[str], tags: Mapping[str, str] | None = None
) -> Resource:
    parts = parse_arn(arn)
    kept = plain(config)
    if groups := kept.get("SecurityGroups"):  # their order means nothing, and differs between answers
        kept["SecurityGroups"] = sorted(groups, key=lambda one: text(one, "SecurityGroupId"))
    return Resource(
        arn=arn,
        service="elasticache",
        type=type,
        name=parts.name,
        account=parts.account,
        region=parts.region,
        config=kept,
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A group or cluster with its subnets, events and tags; or a parameter group with what users set in it."""
    parts = parse_arn(arn)
    if parts.type == "parametergroup":
        return _describe_parameters(reader, arn)
    type: Kind = "cache-cluster" if parts.type == "cluster" else "replication-group"
    found = _item(reader, type, parts.name, parts.region)
    if found is None:
        return None
    config, evidence = found
    if type == "replication-group":
        with reader.seeing(f"Nodes of {parts.name}", "its engine, parameters and security groups"):
            member = next(iter(_members(config)), "")
            shown = _item(reader, "cache-cluster", member, parts.region) if member else None
            if shown is not None:
                config |= {key: shown[0][key] for key in _AT_MEMBERS if key in shown[0]}
                evidence += shown[1]
    if group := text(config, "CacheSubnetGroupName"):
        what = "Subnets of the cache"
        answer = optional(
            reader,
            "elasticache",
            "DescribeCacheSubnetGroups",
            what,
            region=parts.region,
            CacheSubnetGroupName=group,
        )
        for item in (answer.data.get("CacheSubnetGroups") or []) if answer else []:
            config["Subnets"] = sorted(text(one, "SubnetIdentifier") for one in item.get("Subnets") or [])
    with reader.seeing(f"ElastiCache events of {parts.name}", "failovers, restarts, replaced nodes"):
        told, proof = _events(reader, parts.region, parts.name, type)
        config["Events"] = told
        config["RecentEvents"] = [one for one in told if one["Date"] > reader.as_of - _RECENT]
        evidence += proof
    tags = optional(
        reader, "elasticache", "ListTagsForResource", "Tags", region=parts.region, ResourceName=arn
    )
    kept = {one["Key"]: one.get("Value", "") for one in tags.data.get("TagList") or []} if tags else {}
    return _resource(type, arn, config, evidence, kept)


def _item(reader: Reader, type: Kind, name: str, region: str) -> tuple[Json, list[str]] | None:
    try:
        if type == "cache-cluster":
            answer = reader.ask(
                "elasticache",
                "DescribeCacheClusters",
                region=region,
                CacheClusterId=name,
                ShowCacheNodeInfo=True,
            )
            found = answer.data.get("CacheClusters") or []
        else:
            answer = reader.ask(
                "elasticache", "DescribeReplicationGroups", region=region, ReplicationGroupId=name
            )
            found = answer.data.get("ReplicationGroups") or []
    except NotThere:
        return None
    return (dict(found[0]), [answer.evidence]) if found else None


def _members(config: Mapping[str, Any]) -> list[str]:
    """Ids of a group's clusters."""
    named = [str(one) for one in config.get("MemberClusters") or []]
    shown = [
        text(one, "CacheClusterId")
        for group in config.get("NodeGroups") or []
        for one in group.get("NodeGroupMembers") or []
    ]
    return [id for id in dict.fromkeys((*shown, *([] if shown else named))) if id]


def _events(reader: Reader, region: str, name: str, type: Kind) -> tuple[list[Json], tuple[str, ...]]:
    """What ElastiCache tells of a group or cluster up to the end of what is looked at, oldest first."""
    return source_events(reader, "elasticache", region, name, type, _EVENT_MINUTES)


def _describe_parameters(reader: Reader, arn: str) -> Resource | None:
    parts = parse_arn(arn)
    at: dict[str, Any] = {"region": parts.region, "CacheParameterGroupName": parts.name}
    try:
        answer = reader.ask("elasticache", "DescribeCacheParameterGroups", **at)
    except NotThere:
        return None
    found = answer.data.get("CacheParameterGroups") or []
    if not found:
        return None
    config, evidence = dict(found[0]), [answer.evidence]
    with reader.seeing(f"Parameters of {parts.name}", "which values users set"):
        pages = reader.pages(
            "elasticache", "DescribeCacheParameters", "Parameters", token=_PAGED, Source="user", **at
        )
        shown = {one["ParameterName"]: one for one in pages.items}
        config["Parameters"] = {name: one.get("ParameterValue") for name, one in sorted(shown.items())}
        config["ChangeTypes"] = {name: one.get("ChangeType", "") for name, one in sorted(shown.items())}
        evidence += pages.evidence
    with reader.seeing(f"Clusters that use {parts.name}", "whom a parameter concerns"):
        clusters = reader.pages(
            "elasticache",
            "DescribeCacheClusters",
            "CacheClusters",
            region=parts.region,
            token=_PAGED,
            MaxRecords=100,
            ShowCacheNodeInfo=True,
        )
        config["CacheClusters"] = [
            item["CacheClusterId"]
            for item in clusters.items
            if text(item, "CacheParameterGroup", "CacheParameterGroupName") == parts.name
        ]
        evidence += clusters.evidence
    return _resource("cache-parameter-group", arn, config, evidence)


# -- relations -------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a cache is made of, set up and guarded by, where it lies and logs; the users of a parameter group."""
    if resource.type == "cache-parameter-group":
        for name in resource.config.get("CacheClusters") or []:
            said = "elasticache:DescribeCacheClusters CacheParameterGroup"
            source = _sibling(resource, "cluster", str(name))
            yield _from(source, resource.arn, "set up by", said, resource)
        return
    said = "elasticache:DescribeCacheClusters"
    if resource.type == "replication-group":
        for member in _members(resource.config):
            node = _sibling(resource, "cluster", member)
            told = "elasticache:DescribeReplicationGroups MemberClusters"
            yield _from(node, resource.arn, "member of", told, resource)
            yield relation(resource, node, "consists of", told)
        key = text(resource.config, "KmsKeyId")
        yield from uses_key(resource, key, "elasticache:DescribeReplicationGroups KmsKeyId")
    elif group := text(resource.config, "ReplicationGroupId"):
        target = _sibling(resource, "replicationgroup", group)
        yield relation(resource, target, "member of", f"{said} ReplicationGroupId")
        yield _from(target, resource.arn, "consists of", f"{said} ReplicationGroupId", resource)
    if name := text(resource.config, "CacheParameterGroup", "CacheParameterGroupName"):
        target = _sibling(resource, "parametergroup", name)
        yield relation(resource, target, "set up by", f"{said} CacheParameterGroup")
    for one in resource.config.get("SecurityGroups") or []:
        if id := text(one, "SecurityGroupId"):
            target = build("ec2", resource.region, resource.account, f"security-group/{id}")
            yield relation(resource, target, "guarded by", f"{said} SecurityGroups")
    for id in resource.config.get("Subnets") or []:
        target = build("ec2", resource.region, resource.account, f"subnet/{id}")
        yield relation(resource, target, "in", "elasticache:DescribeCacheSubnetGroups Subnets")
    yield from _logged(resource)


def _logged(resource: Resource) -> Iterator[Relation]:
    said = "elasticache:DescribeReplicationGroups LogDeliveryConfigurations"
    for name in log_groups(resource):
        target = build("logs", resource.region, resource.account, f"log-group:{name}")
        yield relation(resource, target, "logs to", said)
    for one in resource.config.get("LogDeliveryConfigurations") or []:
        if name := text(one, "DestinationDetails", "KinesisFirehoseDetails", "DeliveryStream"):
            target = build("firehose", resource.region, resource.account, f"deliverystream/{name}")
            yield relation(resource, target, "logs to", said)


def _sibling(resource: Resource, kind: str, name: str) -> str:
    return build("elasticache", resource.region, resource.account, f"{kind}:{name}")


def _from(source: str, target: str, kind: str, said: str, resource: Resource) -> Relation:
    return Relation(source=source, target=target, kind=kind, provenance=said, evidence=resource.evidence)


def log_groups(resource: Resource) -> tuple[str, ...]:
    """Groups of the engine log, then of the slow log, where they are delivered to CloudWatch Logs."""
    told = sorted(
        resource.config.get("LogDeliveryConfigurations") or [], key=lambda one: text(one, "LogType")
    )
    names = (text(one, "DestinationDetails", "CloudWatchLogsDetails", "LogGroup") for one in told)
    return tuple(dict.fromkeys(name for name in names if name))


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    return (("CacheClusterId", resource.name),) if resource.type == "cache-cluster" else ()


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    if name := dimensions.get("CacheClusterId", ""):
        return f"arn:{partition}:elasticache:{region}:{account}:cluster:{name}"
    if name := dimensions.get("ReplicationGroupId", ""):
        return f"arn:{partition}:elasticache:{region}:{account}:replicationgroup:{name}"
    return ""


# -- what a change does ----------------------------------------------------------------------------


def _effects(type: Kind, own: Iterable[Effect], *roles: str, after: tuple[int, int]) -> tuple[Effect, ...]:
    """On a cluster in its own metrics; of a group in those of its nodes, which are members of it; and on callers."""
    passed = tuple(
        Effect(metric=f"role:{role}", direction="up", on="upstream", after=after) for role in roles
    )
    fewer = (Effect(metric="role:work", direction="down", on="upstream", after=after),)
    return (*(own if type == "cache-cluster" else ()), *passed, *fewer)


_LATER = (0, 14400)  # a node is replaced within minutes to hours, and fills up while it serves
_SMALLER = (
    Effect(metric="EngineCPUUtilization", direction="up", after=_LATER, may=True),
    Effect(metric="CPUUtilization", direction="up", after=_LATER, may=True),
    Effect(metric="DatabaseMemoryUsagePercentage", direction="up", after=_LATER, may=True),
    Effect(metric="FreeableMemory", direction="down", after=_LATER, may=True),
    Effect(metric="Evictions", direction="up", after=_LATER, may=True),
    Effect(metric="CacheHitRate", direction="down", after=_LATER, may=True),
)
_CUT = (
    Effect(metric="CurrConnections", direction="down", after=(0, 3600)),
    Effect(metric="NewConnections", direction="down", after=(0, 3600), may=True),
)
_RESTARTED = (
    Effect(metric="CurrConnections", direction="down", after=(0, 1800)),
    Effect(metric="NewConnections", direction="up", after=(0, 1800), may=True),
    Effect(metric="CurrItems", direction="down", after=(0, 1800), may=True),
    Effect(metric="CacheHitRate", direction="down", after=(0, 3600), may=True),
)
_BUSY = ("errors", "latency", "saturation", "throttles", "backlog", "demand")
_AWAY = ("errors", "latency", "backlog")


# -- settings of groups and clusters ---------------------------------------------------------------


def _read(type: Kind, resource: Resource) -> Call:
    if type == "replication-group":
        return call("elasticache", "DescribeReplicationGroups", resource, ReplicationGroupId=resource.name)
    return call(
        "elasticache",
        "DescribeCacheClusters",
        resource,
        CacheClusterId=resource.name,
        ShowCacheNodeInfo=True,
    )


def _read_member(resource: Resource) -> Call:
    """What a group shows only at its members: read of the first one."""
    if resource.type == "cache-cluster":
        return _read("cache-cluster", resource)
    member = next(iter(_members(resource.config)), resource.name)
    return call(
        "elasticache", "DescribeCacheClusters", resource, CacheClusterId=member, ShowCacheNodeInfo=True
    )


def _modify(resource: Resource, **changed: Any) -> tuple[Call, ...]:
    # Modify* keeps what is not sent. Without ApplyImmediately most values wait for the maintenance window.
    if resource.type == "cache-cluster":
        named = {"CacheClusterId": resource.name}
        return (
            call("elasticache", "ModifyCacheCluster", resource, ApplyImmediately=True, **named, **changed),
        )
    named = {"ReplicationGroupId": resource.name}
    return (
        call("elasticache", "ModifyReplicationGroup", resource, ApplyImmediately=True, **named, **changed),
    )


def _restore_text(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _modify(resource, **{member: str(value)}) if value not in (None, "") else ()


def _restore_number(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _modify(resource, **{member: whole(value)}) if value is not None else ()


def _restore_switch(member: str, resource: Resource, value: Any) -> tuple[Call, ...]:
    if value not in ("enabled", "disabled", True, False):
        return ()
    return _modify(resource, **{member: value in ("enabled", True)})


def _restore_groups(resource: Resource, value: Any) -> tuple[Call, ...]:
    groups = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    return _modify(resource, SecurityGroupIds=sorted(groups)) if isinstance(groups, list) and groups else ()


def _restore_version(resource: Resource, value: Value) -> tuple[Call, ...]:
    # ElastiCache never makes an engine older: going back is a new cluster from a backup.
    now = text(resource.config, "EngineVersion")
    if value is None or (now and is_older(str(value), than=now)):
        return ()
    return _modify(resource, EngineVersion=str(value))


def _restore_nodes(resource: Resource, value: Value) -> tuple[Call, ...]:
    """More nodes again. Fewer have to be named, and which ones were added is not known."""
    now = len(resource.config.get("CacheNodes") or [])
    if value is None or whole(value) < now:
        return ()
    return _modify(resource, NumCacheNodes=whole(value))


def _restore_shards(resource: Resource, value: Value) -> tuple[Call, ...]:
    now = len(resource.config.get("NodeGroups") or [])
    if value is None or whole(value) < now:
        return ()
    return (
        call(
            "elasticache",
            "ModifyReplicationGroupShardConfiguration",
            resource,
            ReplicationGroupId=resource.name,
            NodeGroupCount=whole(value),
            ApplyImmediately=True,
        ),
    )


def _restore_replicas(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    groups = resource.config.get("NodeGroups") or [{}]
    now = len(groups[0].get("NodeGroupMembers") or []) - 1
    operation = "IncreaseReplicaCount" if whole(value) >= now else "DecreaseReplicaCount"
    return (
        call(
            "elasticache",
            operation,
            resource,
            ReplicationGroupId=resource.name,
            NewReplicaCount=whole(value),
            ApplyImmediately=True,
        ),
    )


def _restore_encryption(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return _modify(resource, TransitEncryptionEnabled=False)
    return _modify(resource, TransitEncryptionEnabled=True, TransitEncryptionMode=str(value))


def _means_switch(event: ChangeEvent, value: Value) -> Value:
    """The describe answers say enabled and disabled, the request true and false."""
    return {True: "enabled", False: "disabled"}.get(value, value) if isinstance(value, bool) else value


_ROOTS: Mapping[Kind, str] = {
    "replication-group": "ReplicationGroups[0]",
    "cache-cluster": "CacheClusters[0]",
}
_STATUS: Mapping[Kind, str] = {
    "replication-group": "ReplicationGroups[0].Status",
    "cache-cluster": "CacheClusters[0].CacheClusterStatus",
}
_WORDS: Mapping[Kind, str] = {"replication-group": "ReplicationGroup", "cache-cluster": "CacheCluster"}


def _setting(
    type: Kind,
    name: str,
    path: str,
    camel: str,
    restore: Any,
    effects: tuple[Effect, ...] = (),
    *,
    waits: bool = False,
    member: bool = False,
    **more: Any,
) -> Setting:
    """A value that Modify* sets. `waits`: without applyImmediately the request changes nothing before the next
    maintenance window. `member`: a group shows it only at its members."""
    shown: Kind = "cache-cluster" if member else type
    word = _WORDS[type]
    return Setting(
        type=type,
        name=name,
        path=path,
        requests={
            f"Modify{word}": f"(applyImmediately || `null`) && {camel}" if waits else camel,
            f"Create{word}": camel,
        },
        restore=restore,
        read=_read_member if member else partial(_read, type),
        query=f"{_ROOTS[shown]}.{path}",
        effects=effects,
        ready={_STATUS[shown]: "available"},
        **{"unit": "", **more},
    )


_PARAMETER_GROUP = "CacheParameterGroup.CacheParameterGroupName"
_GROUP_IDS = "SecurityGroups[].SecurityGroupId"
_SENT_IDS = "securityGroupIds && sort(securityGroupIds)"
_TOKEN = "AuthToken"


def _both(type: Kind) -> tuple[Setting, ...]:
    """What groups and clusters alike have."""
    member = type == "replication-group"
    machine = _effects(type, (*_SMALLER, *_RESTARTED), *_BUSY, after=_LATER)
    return (
        _setting(
            type, "node type", "CacheNodeType", "cacheNodeType", partial(_restore_text, "CacheNodeType"), machine,
            waits=True, echo="old", echo_path="cacheNodeType",
        ),
        _setting(
            type, "parameter group", _PARAMETER_GROUP, "cacheParameterGroupName",
            partial(_restore_text, "CacheParameterGroupName"), machine, member=member,
        ),
        _setting(
            type, "security groups", _GROUP_IDS, _SENT_IDS, _restore_groups,
            _effects(type, _CUT, *_AWAY, after=(0, 3600)), member=member,
        ),
        _setting(
            type, "engine version", "EngineVersion", "engineVersion", _restore_version, machine,
            waits=True, member=member,
        ),
        _setting(
            type, "days that backups are kept", "SnapshotRetentionLimit", "snapshotRetentionLimit",
            partial(_restore_number, "SnapshotRetentionLimit"), unit="days", unset=0,
        ),
        _password(type),
    )  # fmt: skip


def _password(type: Kind) -> Setting:
    return Setting(
        type=type,
        name="password",
        path=_TOKEN,
        unit="",
        requests={f"Modify{_WORDS[type]}": "authToken"},
        restore=restore_nothing,
        read=partial(_read, type),
        query=f"{_ROOTS[type]}.AuthTokenLastModifiedDate",
        effects=_effects(type, _CUT, *_AWAY, after=(0, 3600)),
        hidden=True,
    )


_REPLICAS = "(NodeGroups[0].NodeGroupMembers || `[]`)[1:] | length(@)"  # all but the primary
_SHARDS = "length(NodeGroups || `[]`)"
_GROUP: Kind = "replication-group"
_FEWER = tuple(
    Effect(metric=f"role:{role}", direction="up", on="upstream", after=_LATER, when="lowered")
    for role in ("errors", "latency", "saturation", "throttles", "backlog", "demand")
)

SETTINGS = (
    *_both("replication-group"),
    *_both("cache-cluster"),
    *(
        _setting(
            _GROUP,
            words,
            path,
            f"{member[0].lower()}{member[1:]}",
            partial(_restore_switch, member),
            # Nothing happens at once: it shows when the primary fails next.
            _effects(_GROUP, (), "errors", after=(0, 86400)),
            unset="disabled",
            means=_means_switch,
        )
        for words, path, member in (
            ("automatic failover", "AutomaticFailover", "AutomaticFailoverEnabled"),
            ("second zone (Multi-AZ)", "MultiAZ", "MultiAZEnabled"),
        )
    ),
    _setting(
        _GROUP,
        "encryption in transit",
        "TransitEncryptionMode",
        "transitEncryptionMode",
        _restore_encryption,
        _effects(_GROUP, (), *_AWAY, after=(0, 7200)),
        echo="unknown",
    ),
    Setting(
        type=_GROUP,
        name="number of shards",
        path=_SHARDS,
        unit="shards",
        requests={
            "ModifyReplicationGroupShardConfiguration": "nodeGroupCount",
            "CreateReplicationGroup": "numNodeGroups",
        },
        restore=_restore_shards,
        read=partial(_read, _GROUP),
        query="length(ReplicationGroups[0].NodeGroups || `[]`)",
        effects=_FEWER,
        ready={_STATUS[_GROUP]: "available"},
    ),
    Setting(
        type=_GROUP,
        name="number of replicas of a shard",
        path=_REPLICAS,
        unit="replicas",
        requests={
            **dict.fromkeys(("DecreaseReplicaCount", "IncreaseReplicaCount"), "newReplicaCount"),
            "CreateReplicationGroup": "replicasPerNodeGroup",
        },
        restore=_restore_replicas,
        read=partial(_read, _GROUP),
        query="(ReplicationGroups[0].NodeGroups[0].NodeGroupMembers || `[]`)[1:] | length(@)",
        effects=_FEWER,
        ready={_STATUS[_GROUP]: "available"},
    ),
    _setting(
        "cache-cluster",
        "number of nodes",
        "NumCacheNodes",
        "numCacheNodes",
        _restore_nodes,
        (
            Effect(metric="Evictions", direction="up", after=_LATER, when="lowered"),
            Effect(metric="GetMisses", direction="up", after=_LATER, when="lowered"),
            Effect(metric="CurrItems", direction="down", after=_LATER, when="lowered"),
            *_FEWER,
        ),
        unit="nodes",
        waits=True,
        echo="old",
        echo_path="numCacheNodes",
    ),
)

# -- parameters ------------------------------------------------------------------------------------

_EVENTS = GroupEvents(
    create="CreateCacheParameterGroup",
    reset="ResetCacheParameterGroup",
    name="cacheParameterGroupName",
    parameters="parameterNameValues",
)
"""Stands for "nobody set it": the value is the default of the group's family."""

PARAMETERS: Mapping[str, tuple[str, str]] = {
    # name: words, unit
    "maxmemory-policy": ("policy when memory is full", ""),
    "maxmemory-samples": ("samples for eviction", "keys"),
    "reserved-memory-percent": ("reserved memory", "percent"),
    "reserved-memory": ("reserved memory", "bytes"),
    "timeout": ("idle connection timeout", "seconds"),
    "tcp-keepalive": ("TCP keepalive", "seconds"),
    "close-on-slave-write": ("closing on writes to a replica", ""),
    "cluster-require-full-coverage": ("refusal while a slot is not served", ""),
    "cluster-allow-reads-when-down": ("reads while the cluster is down", ""),
    "client-output-buffer-limit-normal-hard-limit": ("output buffer of a client", "bytes"),
    "client-output-buffer-limit-pubsub-hard-limit": ("output buffer of a subscriber", "bytes"),
    "notify-keyspace-events": ("keyspace notifications", ""),
    "activedefrag": ("active defragmentation", ""),
    "lua-time-limit": ("time limit of scripts", "ms"),
    "max_item_size": ("largest item", "bytes"),
    "max_simultaneous_connections_per_server": ("connections of a node", "connections"),
    "memcached_connections_overhead": ("memory for connections", "MB"),
    "error_on_memory_exhausted": ("refusal instead of eviction", ""),
}
"""Parameters that are known to break callers. Others are weighed and undone by the event alone."""


def _read_parameters(resource: Resource) -> Call:
    return call(
        "elasticache",
        "DescribeCacheParameters",
        resource,
        CacheParameterGroupName=resource.name,
        Source="user",
    )


def _group_call(at: Resource | ChangeEvent, group: str, values: Mapping[str, Value]) -> Iterator[Call]:
    """The calls that set parameters of a group, those without a value to the default of its family."""
    named = {"CacheParameterGroupName": group}
    set_ = [
        {"ParameterName": name, "ParameterValue": str(value)}
        for name, value in values.items()
        if value not in (None, DEFAULT)
    ]
    if set_:
        yield call("elasticache", "ModifyCacheParameterGroup", at, ParameterNameValues=set_, **named)
    if reset := [{"ParameterName": name} for name, value in values.items() if value in (None, DEFAULT)]:
        yield call(
            "elasticache",
            "ResetCacheParameterGroup",
            at,
            ResetAllParameters=False,
            ParameterNameValues=reset,
            **named,
        )


def _restore_parameter(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return tuple(_group_call(resource, resource.name, {name: value}))


# Most values are in force at once; some only after the next restart of a node.
_BY_PARAMETER = tuple(
    Effect(metric=f"role:{role}", direction="up", on="upstream", after=_LATER)
    for role in ("errors", "latency", "backlog", "saturation", "demand")
)


def _parameter(name: str) -> Setting:
    words, unit = PARAMETERS[name]
    return Setting(
        type="cache-parameter-group",
        name=words,
        path=f'Parameters."{name}"' if "-" in name else f"Parameters.{name}",
        unit=unit,
        requests={
            "ModifyCacheParameterGroup": f"parameterNameValues[?parameterName=='{name}'] | [0].parameterValue",
            "CreateCacheParameterGroup": "parameterNameValues[0]",  # a new group sets nothing
        },
        restore=partial(_restore_parameter, name),
        read=_read_parameters,
        query=f"Parameters[?ParameterName=='{name}'] | [0].ParameterValue",
        unset=DEFAULT,
        echo="none",
        effects=_BY_PARAMETER,
    )


PARAMETER_SETTINGS = tuple(_parameter(name) for name in PARAMETERS)


# -- changes ---------------------------------------------------------------------------------------


def _undo_parameters(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """All parameters of the event as they were before it; no call when one of them is not known."""
    group = text(event.request, "cacheParameterGroupName").lower()
    names = [text(one, "parameterName") for one in event.request.get("parameterNameValues") or []]
    told = {name: _EVENTS.before(name, group, earlier) for name in names}
    if not names or not all(name and known for name, (known, _) in told.items()):
        return ()
    return tuple(_group_call(event, group, {name: value for name, (_, value) in told.items()}))


def _undo_users(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """User groups that were added are removed and the other way round. Values have settings of their own."""
    added, removed = event.request.get("userGroupIdsToAdd"), event.request.get("userGroupIdsToRemove")
    swapped: Json = {}
    if removed:
        swapped["UserGroupIdsToAdd"] = list(removed)
    if added:
        swapped["UserGroupIdsToRemove"] = list(added)
    name = text(event.request, "replicationGroupId")
    if not swapped or not name:
        return ()
    return (
        call(
            "elasticache",
            "ModifyReplicationGroup",
            event,
            ReplicationGroupId=name,
            ApplyImmediately=True,
            **swapped,
        ),
    )


_RG: Json = {"replicationGroupId": "orders-cache"}
_CC: Json = {"cacheClusterId": "sessions"}
_PG: Json = {"cacheParameterGroupName": "orders-valkey8"}
_RG_SHOWN: Json = {
    **_RG,
    "status": "modifying",
    "cacheNodeType": "cache.r7g.large",
    "automaticFailover": "enabled",
    "multiAZ": "enabled",
    "memberClusters": ["orders-cache-001", "orders-cache-002"],
    "snapshotRetentionLimit": 7,
    "pendingModifiedValues": {},
    "aRN": "arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:orders-cache",
}
_CC_SHOWN: Json = {
    **_CC,
    "cacheClusterStatus": "modifying",
    "engine": "memcached",
    "cacheNodeType": "cache.t4g.small",
    "numCacheNodes": 3,
    "pendingModifiedValues": {},
}


def _modified(operation: str, request: Json, **pending: Any) -> Json:
    named, shown = (_CC, _CC_SHOWN) if operation == "ModifyCacheCluster" else (_RG, _RG_SHOWN)
    asked = {**named, "applyImmediately": True, **request}
    return record(_SOURCE, operation, asked, {**shown, "pendingModifiedValues": pending})


def _set_to(name: str, value: str) -> Json:
    return record(
        _SOURCE,
        "ModifyCacheParameterGroup",
        {**_PG, "parameterNameValues": [{"parameterName": name, "parameterValue": value}]},
        dict(_PG),
    )


def _gone(type: Kind) -> tuple[Effect, ...]:
    own = (
        Effect(metric="CurrConnections", direction="silent", after=(0, 1800)),
        Effect(metric="CPUUtilization", direction="silent", after=(0, 1800)),
    )
    return _effects(type, own, *_AWAY, after=(0, 1800))


_COMMON: tuple[Json, ...] = (
    {"cacheParameterGroupName": "default.valkey8"},
    {"securityGroupIds": ["sg-0ffeeddccbbaa9988"]},
    {"engineVersion": "8.1", "snapshotRetentionLimit": 0},
    {"authToken": "HIDDEN_DUE_TO_SECURITY_REASONS", "authTokenUpdateStrategy": "SET"},
)

CHANGES = (
    Change(
        operation="ModifyReplicationGroup",
        touches=_touches,
        breaks="Nodes are replaced or restarted one by one; callers are slowed, refused or cut off.",
        example=_modified(
            "ModifyReplicationGroup", {"cacheNodeType": "cache.t4g.micro"}, cacheNodeType="cache.t4g.micro"
        ),
        more_examples=tuple(
            _modified("ModifyReplicationGroup", one)
            for one in (
                *_COMMON,
                {"automaticFailoverEnabled": False, "multiAZEnabled": False},
                {"transitEncryptionEnabled": True, "transitEncryptionMode": "required"},
                {"userGroupIdsToAdd": ["readers"], "userGroupIdsToRemove": ["writers"]},
            )
        ),
        undo=_undo_users,
    ),
    Change(
        operation="ModifyCacheCluster",
        touches=_touches,
        breaks="Nodes are taken away, replaced or restarted; what they held is gone.",
        example=_modified(
            "ModifyCacheCluster", {"numCacheNodes": 2, "cacheNodeIdsToRemove": ["0003"]}, numCacheNodes=2
        ),
        more_examples=tuple(
            _modified("ModifyCacheCluster", one) for one in (*_COMMON, {"cacheNodeType": "cache.t4g.micro"})
        ),
    ),
    Change(
        operation="ModifyReplicationGroupShardConfiguration",
        touches=_touches,
        breaks="Fewer shards hold and serve what more did; slots move meanwhile, which costs time and memory.",
        example=record(
            _SOURCE,
            "ModifyReplicationGroupShardConfiguration",
            {**_RG, "nodeGroupCount": 2, "applyImmediately": True, "nodeGroupsToRemove": ["0003"]},
            _RG_SHOWN,
        ),
    ),
    *(
        Change(
            operation=operation,
            touches=_touches,
            breaks=breaks,
            example=record(
                _SOURCE, operation, {**_RG, "newReplicaCount": count, "applyImmediately": True}, _RG_SHOWN
            ),
        )
        for operation, count, breaks in (
            (
                "DecreaseReplicaCount",
                1,
                "Fewer replicas serve the reads, and fewer stand by when the primary fails.",
            ),
            (
                "IncreaseReplicaCount",
                3,
                "Little breaks; a new replica is filled from the primary, which costs memory and time.",
            ),
        )
    ),
    Change(
        operation="ModifyCacheParameterGroup",
        touches=_touches,
        breaks="Every node that uses the group takes the values: most now, some at its restart.",
        example=_set_to("maxmemory-policy", "noeviction"),
        more_examples=tuple(_set_to(name, "1") for name in PARAMETERS if name != "maxmemory-policy"),
        effects=_BY_PARAMETER,
        undo=_undo_parameters,
    ),
    Change(
        operation="ResetCacheParameterGroup",
        touches=_touches,
        breaks="Values that were set on purpose are the family's defaults again.",
        example=record(
            _SOURCE,
            "ResetCacheParameterGroup",
            {
                **_PG,
                "resetAllParameters": False,
                "parameterNameValues": [{"parameterName": "maxmemory-policy"}],
            },
            dict(_PG),
        ),
        more_examples=(
            record(_SOURCE, "ResetCacheParameterGroup", {**_PG, "resetAllParameters": True}, dict(_PG)),
        ),
        effects=_BY_PARAMETER,
        undo=_undo_parameters,
    ),
    Change(
        operation="RebootCacheCluster",
        touches=_touches,
        breaks="Connections are cut, and a node without a replica comes back empty.",
        example=record(
            _SOURCE,
            "RebootCacheCluster",
            {**_CC, "cacheNodeIdsToReboot": ["0001"]},
            {**_CC_SHOWN, "cacheClusterStatus": "rebooting cluster nodes"},
        ),
        effects=_effects("cache-cluster", _RESTARTED, *_BUSY, after=(0, 3600)),
    ),
    Change(
        operation="TestFailover",
        touches=_touches,
        breaks="Writes fail until a replica has taken over; callers that stay with the old primary fail longer.",
        example=record(_SOURCE, "TestFailover", {**_RG, "nodeGroupId": "0001"}, _RG_SHOWN),
        effects=_effects("replication-group", (), *_AWAY, "saturation", after=(0, 3600)),
    ),
    *(
        Change(
            operation=operation,
            touches=_touches,
            breaks="Callers fail: the cache does not exist any more. What no final backup holds is gone.",
            example=record(_SOURCE, operation, request, response),
            effects=_gone(type),
        )
        for operation, type, request, response in (
            (
                "DeleteReplicationGroup",
                _GROUP,
                {**_RG, "retainPrimaryCluster": False},
                {**_RG_SHOWN, "status": "deleting"},
            ),
            (
                "DeleteCacheCluster",
                "cache-cluster",
                _CC,
                {**_CC_SHOWN, "cacheClusterStatus": "deleting"},
            ),
        )
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request, response))
        for operation, request, response in (
            (
                "CreateReplicationGroup",
                {
                    **_RG,
                    "replicationGroupDescription": "orders",
                    "cacheNodeType": "cache.r7g.large",
                    "engine": "valkey",
                    "engineVersion": "8.0",
                    "numNodeGroups": 3,
                    "replicasPerNodeGroup": 1,
                    "automaticFailoverEnabled": True,
                    "multiAZEnabled": True,
                    "transitEncryptionMode": "preferred",
                },
                {**_RG_SHOWN, "status": "creating"},
            ),
            (
                "CreateCacheCluster",
                {**_CC, "engine": "memcached", "cacheNodeType": "cache.t4g.small", "numCacheNodes": 3},
                {**_CC_SHOWN, "cacheClusterStatus": "creating"},
            ),
            (
                "CreateCacheParameterGroup",
                {**_PG, "cacheParameterGroupFamily": "valkey8", "description": "orders"},
                dict(_PG),
            ),
            ("CreateSnapshot", {**_RG, "snapshotName": "orders-before-move"}, None),
        )
    ),
    *(
        inert(
            operation, _touches_tagged, record(_SOURCE, operation, {"resourceName": _RG_SHOWN["aRN"], **more})
        )
        for operation, more in (
            ("AddTagsToResource", {"tags": [{"key": "team", "value": "shop"}]}),
            ("RemoveTagsFromResource", {"tagKeys": ["team"]}),
        )
    ),
)


# -- conditions ------------------------------------------------------------------------------------


def _is_memcached(resource: Resource) -> bool:
    return text(resource.config, "Engine") == "memcached"


def _is_redis(resource: Resource) -> bool:
    return not _is_memcached(resource)


_TAKEN_OVER = re.compile(
    r"(?i)failover|fail-over|recovering|recovered|replac(?:ed|ing|ement)|restarted|node.* unavailable"
)


def _was_taken_over(resource: Resource) -> bool:
    """Whether ElastiCache itself tells of a failover, or of a node that it replaced or restarted."""
    told = (text(one, "Message") for one in resource.config.get("RecentEvents") or [])
    return any(_TAKEN_OVER.search(one) for one in told)


def _failover(type: Kind) -> Condition:
    return Condition(
        key="cache-failover",
        type=type,
        title="failover or replaced node",
        metrics=(),
        breaks="Writes fail until a replica has taken over; callers pinned to the old primary fail for longer.",
        relieve=(
            "Recycle the callers' connections; do not fail over again.",
            "Look at the ElastiCache events: they say whether it was maintenance, a failure or a request.",
        ),
        prevent=(
            "Connect to the primary or configuration endpoint, never to a node, and keep DNS caches short.",
            "Keep a replica in another zone with automatic failover, and a maintenance window in quiet hours.",
        ),
        shown=_was_taken_over,
    )


CONDITIONS = (
    Condition(
        key="memory-full",
        type="cache-cluster",
        title="memory full: the cache holds as much as it can",
        metrics=("DatabaseMemoryUsagePercentage", "Evictions"),
        breaks="Keys are evicted before their time, or writes are refused, as the eviction policy says.",
        relieve=(
            "Find what grows: keys without a time to live, large keys, one writer more than usual.",
            "Add a shard or take a larger node type; do not flush, for what lies behind would take all requests.",
        ),
        prevent=(
            "Alarm on DatabaseMemoryUsagePercentage above eighty, and on Evictions.",
            "Give every key a time to live, and a policy that evicts (volatile-lru, allkeys-lru) to a mere cache.",
        ),
    ),
    Condition(
        key="engine-busy",
        type="cache-cluster",
        title="engine busy: one core serves all commands, and it is full",
        metrics=("EngineCPUUtilization",),
        breaks="Commands wait for each other: latency rises, then callers run into their timeouts.",
        relieve=(
            "Look in the slow log for commands over many keys (KEYS, SMEMBERS, large MGET, scripts).",
            "Move reads to replicas, or spread hot keys over shards; more cores of one node help little.",
        ),
        prevent=(
            "Alarm on EngineCPUUtilization above eighty.",
            "Deliver the slow log, and forbid commands over all keys with an access string.",
        ),
        excluded=_is_memcached,
    ),
    Condition(
        key="cache-network-full",
        type="cache-cluster",
        title="network allowance spent: the node type's bandwidth is used up",
        metrics=("NetworkBandwidthOutAllowanceExceeded", "NetworkBandwidthInAllowanceExceeded"),
        breaks="Packets are held back or dropped, so that answers are late.",
        relieve=(
            "Take a larger node type or more shards; look for large values that are read again and again.",
        ),
        prevent=("Alarm on the allowance metrics above zero.",),
    ),
    Condition(
        key="connections-full",
        type="cache-cluster",
        title="connections full: no more clients are let in",
        metrics=("CurrConnections",),
        breaks="New connections are refused, while those that are open go on.",
        relieve=("Find the caller that opens and never closes; restart it, not the cache.",),
        prevent=(
            "Use one pool for each process, with a bound, and a timeout for idle connections.",
            "Alarm on CurrConnections far above the usual.",
        ),
    ),
    _failover("replication-group"),
    _failover("cache-cluster"),
)

SIGNATURES = (
    Signature(
        match=r"OOM command not allowed when used memory",
        code="OOM",
        reason="",
        points_to='Parameters."maxmemory-policy"',
        says="the cache's memory is full and its policy evicts nothing",
    ),
    Signature(
        match=r"SERVER_ERROR out of memory storing object",
        code="SERVER_ERROR",
        reason="out of memory",
        points_to="memory-full",
        says="the cache's memory is full",
    ),
    Signature(
        match=r"SERVER_ERROR object too large for cache",
        code="SERVER_ERROR",
        reason="object too large",
        points_to="Parameters.max_item_size",
        says="the item was larger than the cache takes",
    ),
    Signature(
        match=r"READONLY You can'?t write against a read only|LOADING (?:Redis|Valkey) is loading|MASTERDOWN Link",
        code="READONLY",
        reason="",
        points_to="cache-failover",
        says="the node is not, or not yet, the primary",
    ),
    Signature(
        match=r"CLUSTERDOWN (?:The cluster is down|Hash slot not served)",
        code="CLUSTERDOWN",
        reason="",
        points_to="cache-failover",
        says="a shard of the cache is not served",
    ),
    Signature(
        match=r"ERR max number of clients reached",
        code="ERR",
        reason="max number of clients reached",
        points_to="connections-full",
        says="the cache lets no more clients in",
    ),
    Signature(
        match=r"NOAUTH Authentication required|WRONGPASS invalid username-password pair|ERR invalid password",
        code="NOAUTH",
        reason="",
        points_to=_TOKEN,
        says="the cache refused the password",
    ),
)


# -- metrics ---------------------------------------------------------------------------------------


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str, where: Any = None) -> MetricSpec:
    # Nodes send every metric each minute, zeros too: none means that the node is gone or does not answer.
    return MetricSpec(
        type="cache-cluster",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing="unknown",
        unit=unit,
        where=where,
    )


METRICS = (
    _metric("EngineCPUUtilization", "Maximum", "saturation", "up", "percent of the engine's core", _is_redis),
    _metric("CPUUtilization", "Maximum", "saturation", "up", "percent"),
    _metric(
        "DatabaseMemoryUsagePercentage", "Maximum", "saturation", "up", "percent of its memory", _is_redis
    ),
    _metric("FreeableMemory", "Minimum", "saturation", "down", "bytes free"),
    _metric("SwapUsage", "Maximum", "saturation", "up", "bytes swapped"),
    _metric("Evictions", "Sum", "saturation", "up", "keys evicted"),
    _metric("CurrConnections", "Maximum", "saturation", "", "connections"),
    _metric("NewConnections", "Sum", "demand", "", "new connections"),
    _metric("CurrItems", "Average", "work", "down", "items held"),
    _metric("NetworkBytesIn", "Sum", "demand", "", "bytes received"),
    _metric("NetworkBytesOut", "Sum", "work", "", "bytes sent"),
    _metric("NetworkBandwidthInAllowanceExceeded", "Sum", "throttles", "up", "packets over the allowance"),
    _metric("NetworkBandwidthOutAllowanceExceeded", "Sum", "throttles", "up", "packets over the allowance"),
    _metric("GetTypeCmds", "Sum", "demand", "", "reads", _is_redis),
    _metric("SetTypeCmds", "Sum", "demand", "", "writes", _is_redis),
    _metric("CacheHits", "Sum", "work", "down", "hits", _is_redis),
    _metric("CacheMisses", "Sum", "saturation", "up", "misses", _is_redis),
    _metric("CacheHitRate", "Average", "work", "down", "percent of reads that hit", _is_redis),
    _metric("SuccessfulReadRequestLatency", "Average", "latency", "up", "microseconds", _is_redis),
    _metric("SuccessfulWriteRequestLatency", "Average", "latency", "up", "microseconds", _is_redis),
    _metric("ErrorCount", "Sum", "errors", "up", "failed commands", _is_redis),
    _metric("AuthenticationFailures", "Sum", "errors", "up", "refused passwords", _is_redis),
    _metric(
        "TrafficManagementActive", "Maximum", "throttles", "up", "1 while commands are held back", _is_redis
    ),
    _metric("ReplicationLag", "Maximum", "backlog", "up", "seconds behind the primary", _is_redis),
    _metric("GetHits", "Sum", "work", "down", "hits", _is_memcached),
    _metric("GetMisses", "Sum", "saturation", "up", "misses", _is_memcached),
    _metric("CmdGet", "Sum", "demand", "", "reads", _is_memcached),
    _metric("CmdSet", "Sum", "demand", "", "writes", _is_memcached),
    _metric("UnusedMemory", "Minimum", "saturation", "down", "bytes for items", _is_memcached),
)

_DOMAIN = r"(?P<region>[a-z]{2}[a-z]{1,2}\d)\.cache\.amazonaws\.com(?:\.cn)?"

SERVICE = Service(
    name="elasticache",
    title="ElastiCache",
    client="elasticache",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action=f"elasticache:{operation}", shows=shows)
        for operation, shows in (
            ("DescribeReplicationGroups", "which replication groups exist, and their shards and replicas"),
            ("DescribeCacheClusters", "which nodes exist, their engine, parameters and security groups"),
            ("DescribeCacheSubnetGroups", "in which subnets a cache lies"),
            ("DescribeCacheParameterGroups", "which parameter groups exist"),
            ("DescribeCacheParameters", "which parameters users set"),
            ("DescribeEvents", "failovers, restarts and replaced nodes of the last days"),
            ("ListTagsForResource", "who owns a cache"),
        )
    ),
    types={
        "replication-group": "container",
        "cache-cluster": "container",
        "cache-parameter-group": "other",  # shared by unrelated caches: reached, not gone through
    },
    arns={
        "replication-group": r"elasticache:replicationgroup:[^:]+",
        "cache-cluster": r"elasticache:cluster:[^:]+",
        "cache-parameter-group": r"elasticache:parametergroup:[^:]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/ElastiCache",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=(*SETTINGS, *PARAMETER_SETTINGS),
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    listed=False,  # found by the host names that callers hold, or because the symptom is there
    listed_near=("instance",),
    hosts={
        rf"(?:master|replica|clustercfg)\.(?P<name>[a-z0-9-]+)\.[a-z0-9]+\.{_DOMAIN}": (
            "elasticache:replicationgroup:{name}"
        ),
        rf"(?P<name>[a-z0-9-]+?)(?:-ro)?\.[a-z0-9]+\.(?:ng\.0001|clustercfg)\.{_DOMAIN}": (
            "elasticache:replicationgroup:{name}"
        ),
        rf"(?P<name>[a-z0-9-]+)\.[a-z0-9]+\.(?:cfg|\d{{4}})\.{_DOMAIN}": "elasticache:cluster:{name}",
    },
)
