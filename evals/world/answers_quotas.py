"""Service Quotas: some quotas that incidents touch, at the values that AWS documents as default.

A list of a service's quotas would have to be whole, so lists are refused; a code that is not known here is refused
too, since AWS may well know it. No quota was ever asked to be raised.
"""

from __future__ import annotations

from typing import NamedTuple

from evals.world.asking import Ask, NotModelled, handles
from tools.models import Json


class Quota(NamedTuple):
    """A quota of one service. `unit` is "None" for a plain number."""

    service: str
    title: str
    name: str
    value: float
    unit: str = "None"
    adjustable: bool = True
    everywhere: bool = False


_QUOTAS = {
    "L-B99A9384": Quota("lambda", "AWS Lambda", "Concurrent executions", 1000.0),
    "L-F98FE922": Quota("dynamodb", "Amazon DynamoDB", "Maximum number of tables", 2500.0),
    "L-CF0CBE56": Quota("dynamodb", "Amazon DynamoDB", "Table-level read throughput limit", 40_000.0),
    "L-AB614373": Quota("dynamodb", "Amazon DynamoDB", "Table-level write throughput limit", 40_000.0),
    "L-34F6A552": Quota(
        "dynamodb", "Amazon DynamoDB", "Account-level read throughput limit (Provisioned mode)", 80_000.0
    ),
    "L-34F8CCC8": Quota(
        "dynamodb", "Amazon DynamoDB", "Account-level write throughput limit (Provisioned mode)", 80_000.0
    ),
    "L-8A5B8E43": Quota("apigateway", "Amazon API Gateway", "Throttle rate", 10_000.0),
    "L-CDF5615A": Quota("apigateway", "Amazon API Gateway", "Throttle burst rate", 5000.0, adjustable=False),
    "L-F678F1CE": Quota("vpc", "Amazon Virtual Private Cloud (Amazon VPC)", "VPCs per Region", 5.0),
    # Small by default; AWS raises these by itself with use (EC2 user guide, "Amazon EC2 service quotas").
    "L-1216C47A": Quota(
        "ec2",
        "Amazon Elastic Compute Cloud (Amazon EC2)",
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
        640.0,
    ),
    "L-3032A538": Quota("fargate", "AWS Fargate", "Fargate On-Demand vCPU resource count", 640.0),
    "L-34B43A08": Quota(
        "ec2",
        "Amazon Elastic Compute Cloud (Amazon EC2)",
        "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
        640.0,
    ),
    "L-7B6409FD": Quota("rds", "Amazon Relational Database Service (Amazon RDS)", "DB instances", 40.0),
}


def _quota(ask: Ask) -> Json:
    service, code = str(ask.need("ServiceCode")), str(ask.need("QuotaCode"))
    held = _QUOTAS.get(code)
    if held is None or held.service != service:
        raise NotModelled(f"{service}/{code}")
    return {
        "ServiceCode": service,
        "ServiceName": held.title,
        "QuotaArn": f"arn:{ask.world.partition}:servicequotas:{ask.region}:{ask.world.account}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": held.name,
        "Value": held.value,
        "Unit": held.unit,
        "Adjustable": held.adjustable,
        "GlobalQuota": held.everywhere,
    }


@handles("service-quotas", "GetServiceQuota")
def get_service_quota(ask: Ask) -> Json:
    return {"Quota": _quota(ask) | {"QuotaAppliedAtLevel": "ACCOUNT"}}


@handles("service-quotas", "GetAWSDefaultServiceQuota")
def get_default_service_quota(ask: Ask) -> Json:
    found = _quota(ask)
    found["QuotaArn"] = str(found["QuotaArn"]).replace(f":{ask.world.account}:", "::")
    return {"Quota": found}


@handles("service-quotas", "ListRequestedServiceQuotaChangeHistory")
def list_requested_changes(ask: Ask) -> Json:
    for name in ("ServiceCode", "Status", "MaxResults", "QuotaRequestedAtLevel"):
        ask.take(name)
    return {"RequestedQuotas": []}


@handles("service-quotas", "ListRequestedServiceQuotaChangeHistoryByQuota")
def list_requested_changes_by_quota(ask: Ask) -> Json:
    _quota(ask)
    for name in ("Status", "MaxResults", "QuotaRequestedAtLevel"):
        ask.take(name)
    return {"RequestedQuotas": []}
