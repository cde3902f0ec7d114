"""RDS's configuration reads."""

from __future__ import annotations

from datetime import timedelta

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.kinds.rds import PORTS
from evals.world.world import Thing
from tools.models import Json


def _page(ask: Ask, found: list[Json], key: str) -> Json:
    token, size = ask.take("Marker"), int(ask.take("MaxRecords", 100))
    page, following = ask.page(found, size, token)
    return {key: page} | ({"Marker": following} if following else {})


def _tags(ask: Ask, thing: Thing) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in sorted(thing.tags(ask.as_of).items())]


@handles("rds", "DescribeDBInstances")
def describe_db_instances(ask: Ask) -> Json:
    wanted = ask.take("DBInstanceIdentifier")
    found = [one for one in ask.world.of("db-instance", ask.region) if one.created <= ask.as_of]
    for given in ask.take("Filters", []):
        if given["Name"] != "db-instance-id":
            raise NotModelled(f"filter {given['Name']}")
        found = [one for one in found if one.name in given["Values"] or one.arn in given["Values"]]
    if wanted:
        found = [one for one in found if wanted in (one.name, one.arn)]
        if not found:
            raise Refusal("DBInstanceNotFound", f"DBInstance {wanted} not found.", 404)
    return _page(ask, [_instance(ask, one) for one in found], "DBInstances")


def _instance(ask: Ask, one: Thing) -> Json:
    world, engine = ask.world, str(one.fixed["engine"])
    group = world.things.get(one.fixed["parameters"])
    subnets = [world.things[arn] for arn in one.fixed["subnets"]]
    version = "16.4" if engine == "postgres" else "8.0.39"
    family = "default.postgres16" if engine == "postgres" else "default.mysql8.0"
    return {
        "DBInstanceIdentifier": one.name,
        "DBInstanceClass": one.at("DBInstanceClass", ask.as_of),
        "Engine": engine,
        "EngineVersion": version,
        "DBInstanceStatus": "storage-full" if one.at("_full", ask.as_of) else "available",
        "Endpoint": {"Address": one.fixed["host"], "Port": PORTS[engine], "HostedZoneId": "Z2R2ITUGPM61AM"},
        "AllocatedStorage": one.at("AllocatedStorage", ask.as_of),
        "InstanceCreateTime": one.created,
        "BackupRetentionPeriod": one.at("BackupRetentionPeriod", ask.as_of) or 7,
        "VpcSecurityGroups": [
            {"VpcSecurityGroupId": world.things[arn].fixed["id"], "Status": "active"}
            for arn in one.fixed["security_groups"]
        ],
        "DBParameterGroups": [
            {
                "DBParameterGroupName": group.name if group else family,
                "ParameterApplyStatus": _applied(ask, one, group),
            }
        ],
        "AvailabilityZone": subnets[0].fixed["zone"],
        "DBSubnetGroup": _subnet_group(one, subnets),
        "PreferredMaintenanceWindow": "sun:03:10-sun:03:40",
        "PendingModifiedValues": {},
        "MultiAZ": bool(one.at("MultiAZ", ask.as_of)),
        "PubliclyAccessible": False,
        "StorageType": "gp3",
        "DbiResourceId": one.fixed["resource_id"],
        "DBInstanceArn": one.arn,
        "TagList": _tags(ask, one),
        "EnabledCloudwatchLogsExports": ["error" if engine == "mysql" else "postgresql"],
        "DeletionProtection": True,
        "ReadReplicaDBInstanceIdentifiers": [],
        "PerformanceInsightsEnabled": False,
        "MonitoringInterval": 0,
        "IAMDatabaseAuthenticationEnabled": False,
        "AutoMinorVersionUpgrade": True,
        "StorageEncrypted": True,
    }


def _subnet_group(one: Thing, subnets: list[Thing]) -> Json:
    return {
        "DBSubnetGroupName": "private",
        "DBSubnetGroupDescription": "private subnets",
        "VpcId": one.fixed["vpc"],
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet.fixed["id"],
                "SubnetAvailabilityZone": {"Name": subnet.fixed["zone"]},
                "SubnetStatus": "Active",
            }
            for subnet in subnets
        ],
    }


def _applied(ask: Ask, one: Thing, group: Thing | None) -> str:
    """in-sync, or pending-reboot where a static parameter changed after the last reboot."""
    if group is None or one.fixed["engine"] == "mysql":
        return "in-sync"
    rebooted = float(one.at("_rebooted", ask.as_of) or one.created.timestamp())
    changed = max(
        (
            since.timestamp()
            for steps in group.settings.steps.values()
            for since in steps.since
            if since <= ask.as_of
        ),
        default=0.0,
    )
    return "pending-reboot" if changed > rebooted + 60 else "in-sync"


@handles("rds", "DescribeDBParameterGroups")
def describe_db_parameter_groups(ask: Ask) -> Json:
    wanted = ask.take("DBParameterGroupName")
    ask.take("Filters")
    found = [
        one for one in ask.world.of("db-parameter-group", ask.region) if not wanted or one.name == wanted
    ]
    if wanted and not found:
        raise Refusal("DBParameterGroupNotFound", f"DBParameterGroup {wanted} not found.", 404)
    shown = [
        {
            "DBParameterGroupName": one.name,
            "DBParameterGroupFamily": "mysql8.0" if one.fixed["engine"] == "mysql" else "postgres16",
            "Description": one.name,
            "DBParameterGroupArn": one.arn,
        }
        for one in found
    ]
    return _page(ask, shown, "DBParameterGroups")


@handles("rds", "DescribeDBParameters")
def describe_db_parameters(ask: Ask) -> Json:
    name, source = str(ask.need("DBParameterGroupName")), ask.take("Source")
    group = ask.world.named("db-parameter-group", name, ask.region)
    if group is None:
        if name.startswith("default."):
            return _page(ask, [] if source == "user" else [_default()], "Parameters")
        raise Refusal("DBParameterGroupNotFound", f"DBParameterGroup {name} not found.", 404)
    static = group.fixed["engine"] != "mysql"
    held = group.settings.under("Parameters", ask.as_of)
    shown = [
        {
            "ParameterName": parameter,
            "ParameterValue": str(value),
            "Source": "user",
            "ApplyType": "static" if static else "dynamic",
            "DataType": "integer",
            "IsModifiable": True,
            "ApplyMethod": "pending-reboot" if static else "immediate",
        }
        for parameter, value in sorted(held.items())
    ]
    if source not in (None, "user"):
        shown = []
    if source != "user" and "max_connections" not in held:
        shown.append(_default())
    return _page(ask, shown, "Parameters")


def _default() -> Json:
    return {
        "ParameterName": "max_connections",
        "ParameterValue": "LEAST({DBInstanceClassMemory/9531392},5000)",
        "Source": "engine-default",
        "ApplyType": "static",
        "DataType": "integer",
        "IsModifiable": True,
        "ApplyMethod": "pending-reboot",
    }


@handles("rds", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    thing = ask.world.things.get(str(ask.need("ResourceName")))
    return {"TagList": _tags(ask, thing) if thing else []}


@handles("rds", "DescribeDBLogFiles")
def describe_db_log_files(ask: Ask) -> Json:
    name = str(ask.need("DBInstanceIdentifier"))
    if ask.world.named("db-instance", name, ask.region) is None:
        raise Refusal("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
    written = int((ask.as_of - timedelta(minutes=2)).timestamp() * 1000)
    return {
        "DescribeDBLogFiles": [{"LogFileName": "error/server.log", "LastWritten": written, "Size": 40_960}]
    }


@handles("rds", "DescribeDBClusters")
def describe_db_clusters(ask: Ask) -> Json:
    """Worlds have instances only."""
    wanted = ask.take("DBClusterIdentifier")
    ask.take("Filters")
    if wanted:
        raise Refusal("DBClusterNotFoundFault", f"DBCluster {wanted} not found.", 404)
    return _page(ask, [], "DBClusters")
