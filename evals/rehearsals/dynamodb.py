"""Tables. moto knows no on-demand maxima and no ARN in place of a name: both are added here, from the API reference."""

from __future__ import annotations

import re

from evals.emulation import CallRefused, Emulation, Supplement
from evals.rehearsals._ground import Ground, Lay
from evals.rehearsals._spec import Ids, Item, Seeder, do
from tools.models import Call, Json

_OPERATIONS = (
    "CreateTable",
    "UpdateTable",
    "DescribeTable",
    "DeleteTable",
    "UpdateContinuousBackups",
    "DescribeContinuousBackups",
    "UpdateTimeToLive",
    "DescribeTimeToLive",
)
_BY_ARN = re.compile(r"arn:[\w-]+:dynamodb:(?P<region>[\w-]+):(?P<account>\d{12}):table/(?P<name>[\w.-]+)$")
_LIMITS = ("MaxReadRequestUnits", "MaxWriteRequestUnits")


def _make(emulation: Emulation, item: Item) -> Ids:
    mode = item.get("BillingMode", "BillingModeSummary.BillingMode", default="PAY_PER_REQUEST")
    limits, provisioned = item.below("OnDemandThroughput"), item.below("ProvisionedThroughput")
    do(
        emulation, "dynamodb", "CreateTable", item.region,
        TableName=item.name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode=mode,
        OnDemandThroughput={key: int(value) for key, value in limits.items()} or None,
        ProvisionedThroughput={
            key: int(provisioned.get(key) or 5) for key in ("ReadCapacityUnits", "WriteCapacityUnits")
        } if mode == "PROVISIONED" else None,
        DeletionProtectionEnabled=bool(item.get("DeletionProtectionEnabled", default=False)),
    )  # fmt: skip
    if item.get("PointInTimeRecovery"):
        specification = {"PointInTimeRecoveryEnabled": True}
        do(emulation, "dynamodb", "UpdateContinuousBackups", item.region,
           TableName=item.name, PointInTimeRecoverySpecification=specification)  # fmt: skip
    if item.get("TimeToLive"):
        wanted = {"Enabled": True, "AttributeName": item.get("TimeToLive")}
        do(emulation, "dynamodb", "UpdateTimeToLive", item.region,
           TableName=item.name, TimeToLiveSpecification=wanted)  # fmt: skip
    return {}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    table = dict(do(emulation, "dynamodb", "DescribeTable", item.region, TableName=item.name)["Table"])
    if table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
        table.pop("ProvisionedThroughput", None)  # 0 then; moto keeps the last numbers
    backups = do(emulation, "dynamodb", "DescribeContinuousBackups", item.region, TableName=item.name)
    described = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    lives = do(emulation, "dynamodb", "DescribeTimeToLive", item.region, TableName=item.name)
    table["PointInTimeRecovery"] = described["PointInTimeRecoveryStatus"]
    table["TimeToLive"] = lives["TimeToLiveDescription"]
    return table


def _supplemented(emulation: Emulation, call: Call) -> Json:
    """moto's answer, with the on-demand maxima and tables named by ARN.

    UpdateTable, "OnDemandThroughput": "you must specify MaxReadRequestUnits, MaxWriteRequestUnits, or both"; -1 means
    none. What becomes of the one that is not sent is not documented: here it is gone, so that no plan relies on it.
    """
    parameters = dict(call.parameters)
    region = call.region or emulation.region
    name = str(parameters.get("TableName", ""))
    named = _BY_ARN.match(name)
    if named and (named["account"], named["region"]) == (emulation.account, region):
        name = parameters["TableName"] = named["name"]
    limits = parameters.pop("OnDemandThroughput", None)
    answer = emulation.send(
        Call(service=call.service, operation=call.operation, parameters=parameters, region=region)
    )
    key = f"dynamodb maxima {region} {name}"
    table = answer.get("Table") or answer.get("TableDescription") or {}
    if limits is not None:
        if table.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
            raise CallRefused(
                f"dynamodb:{call.operation} is refused: ValidationException: the table is not on demand"
            )
        emulation.memory[key] = {one: value for one, value in limits.items() if one in _LIMITS and value >= 0}
    if emulation.memory.get(key) and table:
        table["OnDemandThroughput"] = dict(emulation.memory[key])
    return answer


_SUPPLEMENTS: dict[tuple[str, str], Supplement] = {("dynamodb", name): _supplemented for name in _OPERATIONS}

SEEDERS = (
    Seeder(
        kind="table",
        service="dynamodb",
        paths=(
            "BillingMode",
            "BillingModeSummary.BillingMode",
            "OnDemandThroughput.*",
            "ProvisionedThroughput.*",
            "DeletionProtectionEnabled",
            "PointInTimeRecovery",
            "TimeToLive",
        ),
        make=_make,
        read=_read,
        supplements=_SUPPLEMENTS,
    ),
)


def _lay(lay: Lay) -> None:
    """A table with one key."""
    name = str(lay.told("tableName", "resourceArn")).rsplit("/", 1)[-1]
    lay.do(
        "dynamodb", "CreateTable", TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    lay.words["tablename"] = name


GROUNDS = (
    Ground(
        service="dynamodb",
        lay=_lay,
        untold=("GetItem", "DescribeEndpoints"),
        wrong={"UpdateTable.StreamSpecification": "it accepts a stream without a view type"},
    ),
)
