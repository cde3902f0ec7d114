"""Database instances and parameter groups. Without ApplyImmediately a change waits for the maintenance window, so the
rehearsal does as well."""

from __future__ import annotations

from typing import Any

from evals.emulation import Emulation, Supplement
from evals.rehearsals._ground import Ground, Lay
from evals.rehearsals._spec import Ids, Item, Seeder, chosen, do
from tools.models import Call, Json

_INSTANCE = (
    "DBInstanceClass",
    "AllocatedStorage",
    "Iops",
    "StorageType",
    "MultiAZ",
    "BackupRetentionPeriod",
    "MonitoringInterval",
    "DeletionProtection",
    "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot",
)
_AT_ONCE = frozenset(
    {
        "DBInstanceIdentifier",
        "ApplyImmediately",
        "DeletionProtection",
        "CopyTagsToSnapshot",
        "MonitoringInterval",
    }
)
"""What ModifyDBInstance does at once in any case (API reference), of the members above."""


def _make_instance(emulation: Emulation, item: Item) -> Ids:
    held: Json = {name: item.get(name) for name in _INSTANCE if item.get(name) is not None}
    held = {"DBInstanceClass": "db.m6g.large", "AllocatedStorage": 100, **held}
    for name in sorted({_group(one) for one in item.every("DBParameterGroups")} - {""}):
        _create_group(emulation, item.region, name, _family(item))
    do(
        emulation, "rds", "CreateDBInstance", item.region,
        DBInstanceIdentifier=item.name, Engine=item.get("Engine", default="mysql"),
        MasterUsername="admin", MasterUserPassword="not-a-real-one", 
        DBParameterGroupName=_group(item.get("DBParameterGroups")) or None, **held,
    )  # fmt: skip
    return {}


def _group(listed: Any) -> str:
    """The parameter group of DescribeDBInstances' list, unless it is a default one."""
    name = str(listed[0].get("DBParameterGroupName", "")) if isinstance(listed, list) and listed else ""
    return "" if name.startswith("default.") else name


def _family(item: Item) -> str:
    return str(item.get("DBParameterGroupFamily", default=item.fixed.get("family", "mysql8.0")))


def _read_instance(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "rds", "DescribeDBInstances", item.region, DBInstanceIdentifier=item.name)
    return chosen(shown["DBInstances"][0], *_INSTANCE, "DBParameterGroups", "EngineVersion")


def _modified(emulation: Emulation, call: Call) -> Json:
    """ModifyDBInstance: what waits for the maintenance window is left out, so that it shows as not done."""
    sent = dict(call.parameters)
    if not sent.get("ApplyImmediately"):
        sent = {name: value for name, value in sent.items() if name in _AT_ONCE}
    return emulation.send(
        Call(service=call.service, operation=call.operation, parameters=sent, region=call.region)
    )


def _create_group(emulation: Emulation, region: str, name: str, family: str) -> None:
    do(
        emulation, "rds", "CreateDBParameterGroup", region,
        DBParameterGroupName=name, DBParameterGroupFamily=family, Description="of a rehearsal",
    )  # fmt: skip


def _make_group(emulation: Emulation, item: Item) -> Ids:
    _create_group(emulation, item.region, item.name, _family(item))
    parameters = [_parameter(name, value) for name, value in item.below("Parameters").items()]
    if parameters:
        do(emulation, "rds", "ModifyDBParameterGroup", item.region,
           DBParameterGroupName=item.name, Parameters=parameters)  # fmt: skip
    return {}


def _parameter(name: str, value: Any) -> Json:
    return {"ParameterName": name, "ParameterValue": str(value), "ApplyMethod": "immediate"}


def _read_group(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "rds", "DescribeDBParameters", item.region, DBParameterGroupName=item.name)
    return {one["ParameterName"]: one.get("ParameterValue") for one in shown["Parameters"]}


_SUPPLEMENTS: dict[tuple[str, str], Supplement] = {("rds", "ModifyDBInstance"): _modified}

SEEDERS = (
    Seeder(
        kind="db-instance",
        service="rds",
        paths=(*_INSTANCE, "DBParameterGroups"),
        make=_make_instance,
        read=_read_instance,
        supplements=_SUPPLEMENTS,
    ),
    Seeder(
        kind="db-parameter-group",
        service="rds",
        paths=("Parameters.*", "Parameters"),
        make=_make_group,
        read=_read_group,
    ),
)


def _lay(lay: Lay) -> None:
    """The instance or cluster, as the event's answer shows it before the change takes effect."""
    operation = lay.event.operation
    cluster = lay.told("dBClusterIdentifier") if "Cluster" in operation else None
    if cluster:
        lay.do(
            "rds", "CreateDBCluster", DBClusterIdentifier=cluster, Engine="aurora-mysql", MasterUsername="shop",
            MasterUserPassword="rehearsal-only", BackupRetentionPeriod=lay.answered("backupRetentionPeriod"),
        )  # fmt: skip
    elif "DBInstance" in operation:
        lay.do(
            "rds", "CreateDBInstance", DBInstanceIdentifier=lay.told("dBInstanceIdentifier"),
            DBInstanceClass=lay.answered("dBInstanceClass", default="db.r6g.large"), Engine="postgres",
            AllocatedStorage=lay.answered("allocatedStorage", default=100), MasterUsername="shop",
            MasterUserPassword="rehearsal-only", EngineVersion=lay.answered("engineVersion"),
            MultiAZ=lay.answered("multiAZ"), BackupRetentionPeriod=lay.answered("backupRetentionPeriod"),
            StorageType=lay.answered("storageType"), Iops=lay.answered("iops"),
        )  # fmt: skip


GROUNDS = (Ground(service="rds", lay=_lay, untold=("DescribeOptionGroupOptions", "DescribeDBLogFiles")),)
