"""Databases and caches, with the groups that place and tune them."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estates.ground import Ground, Thing
from tools.models import Json


def subnet_group(ground: Ground, name: str, subnets: Sequence[Thing]) -> Thing:
    ground.call(
        "rds", "CreateDBSubnetGroup",
        DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=[one["id"] for one in subnets],
    )  # fmt: skip
    thing = ground.add("db subnet group", ground.arn("rds", f"subgrp:{name}"), name)
    ground.fact(thing, "sits in", *subnets)
    return thing


def parameters(ground: Ground, name: str, family: str) -> Thing:
    ground.call(
        "rds", "CreateDBParameterGroup",
        DBParameterGroupName=name, DBParameterGroupFamily=family, Description=name,
    )  # fmt: skip
    return ground.add("db parameter group", ground.arn("rds", f"pg:{name}"), name)


def database(
    ground: Ground, name: str, place: Thing, groups: Sequence[Thing], *,
    shaped: Thing | None = None, encrypted: Thing | None = None, watched_as: Thing | None = None,
    engine: str = "postgres",
) -> Thing:  # fmt: skip
    """An RDS instance."""
    made = ground.call(
        "rds", "CreateDBInstance",
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.medium", Engine=engine, AllocatedStorage=50,
        MasterUsername="app", MasterUserPassword="not-a-password", DBSubnetGroupName=place.name,
        VpcSecurityGroupIds=[one["id"] for one in groups], DBParameterGroupName=shaped and shaped.name,
        StorageEncrypted=bool(encrypted), KmsKeyId=encrypted and encrypted.arn,
        MonitoringRoleArn=watched_as and watched_as.arn, MonitoringInterval=60 if watched_as else None,
    )["DBInstance"]  # fmt: skip
    thing = ground.add("database", made["DBInstanceArn"], name, host=_host(ground, made, name))
    _placed(ground, thing, place, groups, encrypted)
    ground.fact(thing, "is shaped by", shaped)
    ground.fact(thing, "acts as", watched_as)
    return thing


def _host(ground: Ground, made: Json, name: str) -> str:
    shown = ground.call("rds", "DescribeDBInstances", DBInstanceIdentifier=name)["DBInstances"][0]
    return str(shown["Endpoint"]["Address"])


def _placed(ground: Ground, thing: Thing, place: Thing, groups: Sequence[Thing], key: Thing | None) -> None:
    ground.fact(thing, "lies in", place)
    ground.fact(thing, "is guarded by", *groups)
    ground.fact(thing, "locks with", key)
    for fact in [one for one in ground.facts.values() if one.source == place.arn and one.kind == "sits in"]:
        ground.maybe(thing, "sits in", fact.target)


def replica(ground: Ground, name: str, of: Thing) -> Thing:
    made = ground.call("rds", "CreateDBInstanceReadReplica",
                       DBInstanceIdentifier=name, SourceDBInstanceIdentifier=of.name)["DBInstance"]  # fmt: skip
    thing = ground.add("database", made["DBInstanceArn"], name, host=_host(ground, made, name))
    ground.fact(thing, "copies", of)
    return thing


def cluster(
    ground: Ground, name: str, place: Thing, groups: Sequence[Thing], *,
    members: int = 2, encrypted: Thing | None = None,
) -> Thing:  # fmt: skip
    """An Aurora cluster with instances."""
    made = ground.call(
        "rds", "CreateDBCluster",
        DBClusterIdentifier=name, Engine="aurora-postgresql", MasterUsername="app",
        MasterUserPassword="not-a-password", DBSubnetGroupName=place.name,
        VpcSecurityGroupIds=[one["id"] for one in groups],
        StorageEncrypted=bool(encrypted), KmsKeyId=encrypted and encrypted.arn,
    )["DBCluster"]  # fmt: skip
    thing = ground.add("database cluster", made["DBClusterArn"], name, host=made["Endpoint"])
    _placed(ground, thing, place, groups, encrypted)
    for number in range(1, members + 1):
        one = ground.call(
            "rds", "CreateDBInstance",
            DBInstanceIdentifier=f"{name}-{number}", DBInstanceClass="db.r6g.large", Engine="aurora-postgresql",
            DBClusterIdentifier=name, DBSubnetGroupName=place.name,
        )["DBInstance"]  # fmt: skip
        ground.part("database", one["DBInstanceArn"], thing, f"{name}-{number}")
    return thing


def cache(
    ground: Ground,
    name: str,
    subnets: Sequence[Thing],
    groups: Sequence[Thing],
    encrypted: Thing | None = None,
) -> Thing:
    """A Redis replication group in a subnet group of its own."""
    place = f"{name}-subnets"
    ground.call(
        "elasticache", "CreateCacheSubnetGroup",
        CacheSubnetGroupName=place, CacheSubnetGroupDescription=name, SubnetIds=[one["id"] for one in subnets],
    )  # fmt: skip
    lies = ground.add("cache subnet group", ground.arn("elasticache", f"subnetgroup:{place}"), place)
    ground.fact(lies, "sits in", *subnets)
    made = ground.call(
        "elasticache", "CreateReplicationGroup",
        ReplicationGroupId=name, ReplicationGroupDescription=name, Engine="redis", CacheNodeType="cache.t4g.small",
        NumCacheClusters=2, CacheSubnetGroupName=place, SecurityGroupIds=[one["id"] for one in groups],
        AtRestEncryptionEnabled=bool(encrypted), KmsKeyId=encrypted and encrypted.arn,
    )["ReplicationGroup"]  # fmt: skip
    thing = ground.add("cache", made["ARN"], name, host=_primary(made))
    ground.fact(thing, "locks with", encrypted)
    for number in (1, 2):
        _cache_node(ground, thing, f"{name}-{number:03}", lies, groups)
    return thing


def _cache_node(ground: Ground, of: Thing, name: str, place: Thing, groups: Sequence[Thing]) -> None:
    """A member: AWS tells groups and networks of these only, which moto leaves out."""
    thing = ground.part("cache node", ground.arn("elasticache", f"cluster:{name}"), of, name)
    row: Json = {
        "CacheClusterId": name, "ARN": thing.arn, "CacheClusterStatus": "available", "Engine": "redis",
        "CacheNodeType": "cache.t4g.small", "NumCacheNodes": 1, "ReplicationGroupId": of.name,
        "CacheSubnetGroupName": place.name, "EngineVersion": "7.1.0",
        "SecurityGroups": [{"SecurityGroupId": one["id"], "Status": "active"} for one in groups],
    }  # fmt: skip
    by = ("CacheClusters", "CacheClusterId", "CacheClusterId")
    ground.table.listed(ground.region, "elasticache", "DescribeCacheClusters", by, [row])
    ground.fact(thing, "is guarded by", *groups)
    ground.fact(thing, "lies in", place)


def _primary(made: Json) -> str:
    return str(made["NodeGroups"][0]["PrimaryEndpoint"]["Address"])
