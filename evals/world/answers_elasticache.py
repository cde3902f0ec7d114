"""ElastiCache's configuration reads."""

from __future__ import annotations

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.kinds.elasticache import DEFAULTS, PORT, nodes
from evals.world.world import Thing
from tools.models import Json

_VERSION = "7.1.0"
_ALLOWED = {
    "maxmemory-policy": "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,"
    "volatile-ttl,noeviction",
    "reserved-memory-percent": "0-100",
    "timeout": "0,20-",
}


def _page(ask: Ask, found: list[Json], key: str) -> Json:
    token, size = ask.take("Marker"), int(ask.take("MaxRecords", 100))
    page, following = ask.page(found, size, token)
    return {key: page} | ({"Marker": following} if following else {})


def _there(ask: Ask, kind: str) -> list[Thing]:
    return [one for one in ask.world.of(kind, ask.region) if one.created <= ask.as_of]


def _on(value: object) -> str:
    return "enabled" if value else "disabled"


@handles("elasticache", "DescribeReplicationGroups")
def describe_replication_groups(ask: Ask) -> Json:
    wanted = ask.take("ReplicationGroupId")
    found = [one for one in _there(ask, "replication-group") if wanted in (None, one.name)]
    if wanted and not found:
        raise Refusal("ReplicationGroupNotFoundFault", f"ReplicationGroup {wanted} not found.", 404)
    return _page(ask, [_group(ask, one) for one in found], "ReplicationGroups")


def _group(ask: Ask, one: Thing) -> Json:
    members = nodes(ask.world, one)
    reader = one.fixed["host"].replace(".ng.", "-ro.ng.", 1)
    shown = [
        {
            "CacheClusterId": member.name,
            "CacheNodeId": "0001",
            "ReadEndpoint": {"Address": f"{member.name}.{one.fixed['tail']}", "Port": PORT},
            "PreferredAvailabilityZone": _zone(ask, member),
            "CurrentRole": "primary" if member.fixed["number"] == 1 else "replica",
        }
        for member in members
    ]
    return {
        "ReplicationGroupId": one.name,
        "Description": " ",
        "Status": "available",
        "PendingModifiedValues": {},
        "MemberClusters": [member.name for member in members],
        "NodeGroups": [
            {
                "NodeGroupId": "0001",
                "Status": "available",
                "PrimaryEndpoint": {"Address": one.fixed["host"], "Port": PORT},
                "ReaderEndpoint": {"Address": reader, "Port": PORT},
                "NodeGroupMembers": shown,
            }
        ],
        "SnapshottingClusterId": members[-1].name,
        "AutomaticFailover": _on(one.at("AutomaticFailover", ask.as_of)),
        "MultiAZ": _on(len(members) > 1),
        "SnapshotRetentionLimit": one.at("SnapshotRetentionLimit", ask.as_of),
        "SnapshotWindow": "03:00-04:00",
        "ClusterEnabled": False,
        "CacheNodeType": one.at("CacheNodeType", ask.as_of),
        "AuthTokenEnabled": False,
        "TransitEncryptionEnabled": False,
        "AtRestEncryptionEnabled": True,
        "ARN": one.arn,
        "LogDeliveryConfigurations": [],
        "ReplicationGroupCreateTime": one.created,
        "DataTiering": "disabled",
        "AutoMinorVersionUpgrade": True,
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
        "ClusterMode": "disabled",
        "Engine": "redis",
    }


def _zone(ask: Ask, member: Thing) -> str:
    subnets = member.fixed["group"].fixed["subnets"]
    return str(ask.world.things[subnets[(member.fixed["number"] - 1) % len(subnets)]].fixed["zone"])


@handles("elasticache", "DescribeCacheClusters")
def describe_cache_clusters(ask: Ask) -> Json:
    wanted, inside = ask.take("CacheClusterId"), bool(ask.take("ShowCacheNodeInfo", False))
    alone = bool(ask.take("ShowCacheClustersNotInReplicationGroups", False))
    found = [one for one in _there(ask, "cache-cluster") if wanted in (None, one.name) and not alone]
    if wanted and not found:
        raise Refusal("CacheClusterNotFound", f"CacheCluster {wanted} not found.", 404)
    return _page(ask, [_cluster(ask, one, inside) for one in found], "CacheClusters")


def _cluster(ask: Ask, one: Thing, inside: bool) -> Json:
    group: Thing = one.fixed["group"]
    held = group.fixed["parameter_group"]
    shown: Json = {
        "CacheClusterId": one.name,
        "CacheNodeType": group.at("CacheNodeType", ask.as_of),
        "Engine": "redis",
        "EngineVersion": _VERSION,
        "CacheClusterStatus": "available",
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": _zone(ask, one),
        "CacheClusterCreateTime": one.created,
        "PreferredMaintenanceWindow": "sun:04:30-sun:05:30",
        "PendingModifiedValues": {},
        "CacheSecurityGroups": [],
        "CacheParameterGroup": {
            "CacheParameterGroupName": held.name if held is not None else "default.redis7",
            "ParameterApplyStatus": "in-sync",
            "CacheNodeIdsToReboot": [],
        },
        "CacheSubnetGroupName": "private",
        "AutoMinorVersionUpgrade": True,
        "SecurityGroups": [
            {"SecurityGroupId": ask.world.things[arn].fixed["id"], "Status": "active"}
            for arn in group.fixed["security_groups"]
        ],
        "ReplicationGroupId": group.name,
        "SnapshotRetentionLimit": 0,
        "SnapshotWindow": "03:00-04:00",
        "AuthTokenEnabled": False,
        "TransitEncryptionEnabled": False,
        "AtRestEncryptionEnabled": True,
        "ARN": one.arn,
        "ReplicationGroupLogDeliveryEnabled": False,
        "LogDeliveryConfigurations": [],
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }
    if inside:
        shown["CacheNodes"] = [
            {
                "CacheNodeId": "0001",
                "CacheNodeStatus": "available",
                "CacheNodeCreateTime": one.created,
                "Endpoint": {"Address": f"{one.name}.{group.fixed['tail']}", "Port": PORT},
                "ParameterGroupStatus": "in-sync",
                "CustomerAvailabilityZone": _zone(ask, one),
            }
        ]
    return shown


@handles("elasticache", "DescribeCacheParameterGroups")
def describe_cache_parameter_groups(ask: Ask) -> Json:
    wanted = ask.take("CacheParameterGroupName")
    found = [one for one in _there(ask, "cache-parameter-group") if wanted in (None, one.name)]
    if wanted is None:
        raise NotModelled("the default parameter groups of all versions")
    if not found:
        raise Refusal("CacheParameterGroupNotFound", f"CacheParameterGroup {wanted} not found.", 404)
    shown = [
        {
            "CacheParameterGroupName": one.name,
            "CacheParameterGroupFamily": one.fixed["family"],
            "Description": one.name,
            "IsGlobal": False,
            "ARN": one.arn,
        }
        for one in found
    ]
    return _page(ask, shown, "CacheParameterGroups")


@handles("elasticache", "DescribeCacheParameters")
def describe_cache_parameters(ask: Ask) -> Json:
    """Of all parameters those that worlds know; `Source` "user" for what somebody has set."""
    name, wanted = str(ask.need("CacheParameterGroupName")), ask.take("Source")
    group = ask.world.named("cache-parameter-group", name, ask.region)
    if group is None and not name.startswith("default.redis"):
        raise Refusal("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.", 404)
    shown = []
    for parameter, otherwise in DEFAULTS.items():
        held = group.at(f"Parameters.{parameter}", ask.as_of) if group is not None else None
        origin = "system" if held is None else "user"
        if wanted in (None, origin):
            shown.append(
                {
                    "ParameterName": parameter,
                    "ParameterValue": str(otherwise if held is None else held),
                    "Description": parameter,
                    "Source": origin,
                    "DataType": "string" if parameter == "maxmemory-policy" else "integer",
                    "AllowedValues": _ALLOWED[parameter],
                    "IsModifiable": True,
                    "MinimumEngineVersion": "7.0.4",
                    "ChangeType": "immediate",
                }
            )
    return _page(ask, shown, "Parameters") | {"CacheNodeTypeSpecificParameters": []}


@handles("elasticache", "DescribeCacheSubnetGroups")
def describe_cache_subnet_groups(ask: Ask) -> Json:
    wanted = ask.take("CacheSubnetGroupName")
    groups = _there(ask, "replication-group")
    if wanted not in (None, "private") or (wanted and not groups):
        raise Refusal("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {wanted} does not exist.", 400)
    shown = []
    if groups:
        subnets = [ask.world.things[arn] for arn in groups[0].fixed["subnets"]]
        shown.append(
            {
                "CacheSubnetGroupName": "private",
                "CacheSubnetGroupDescription": "private subnets",
                "VpcId": groups[0].fixed["vpc"],
                "Subnets": [
                    {
                        "SubnetIdentifier": one.fixed["id"],
                        "SubnetAvailabilityZone": {"Name": one.fixed["zone"]},
                    }
                    for one in subnets
                ],
                "ARN": ask.world.arn("elasticache", "subnetgroup:private"),
            }
        )
    return _page(ask, shown, "CacheSubnetGroups")


@handles("elasticache", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    thing = ask.world.things.get(str(ask.need("ResourceName")))
    if thing is None:
        raise Refusal("CacheClusterNotFound", "The resource that was asked for was not found.", 404)
    return {"TagList": [{"Key": key, "Value": value} for key, value in sorted(thing.tags(ask.as_of).items())]}
