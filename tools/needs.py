"""What opsleuth reads, by the service files: the IAM policy and the page of supported services are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tools.models import Json
from tools.service_files import services

_FIXED: tuple[tuple[str, str, str, str], ...] = (
    # client, operation, IAM action, what it shows: reads that no service file needs but every run does
    ("sts", "GetCallerIdentity", "sts:GetCallerIdentity", "which account and role this is"),
    ("cloudtrail", "LookupEvents", "cloudtrail:LookupEvents", "who changed what, and when"),
    ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", "every metric"),
    (
        "cloudwatch",
        "DescribeAlarmHistory",
        "cloudwatch:DescribeAlarmHistory",
        "what an alarm did, and who edited it",
    ),
    (
        "dynamodbstreams",
        "DescribeStream",
        "dynamodb:DescribeStream",
        "which view of changes a table's stream had that is switched off",
    ),
    (
        "resourcegroupstaggingapi",
        "GetResources",
        "tag:GetResources",
        "which resource words mean that name it by a tag",
    ),
    (
        "config",
        "DescribeConfigurationRecorderStatus",
        "config:DescribeConfigurationRecorderStatus",
        "whether AWS Config records, where no event tells the value before",
    ),
    (
        "config",
        "ListDiscoveredResources",
        "config:ListDiscoveredResources",
        "how AWS Config calls a resource",
    ),
    (
        "config",
        "GetResourceConfigHistory",
        "config:GetResourceConfigHistory",
        "what a setting was before a change, where AWS Config records",
    ),
    ("logs", "StartQuery", "logs:StartQuery", "counts of log patterns before rows are read"),
    ("logs", "GetQueryResults", "logs:GetQueryResults", "answers of log queries"),
    ("logs", "StopQuery", "logs:StopQuery", "ends a log query that is no longer needed"),
    ("logs", "FilterLogEvents", "logs:FilterLogEvents", "log lines where queries are not possible"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNeed:
    """One read: the IAM action, the boto3 client and operation, and what its answer is good for."""

    action: str
    client: str
    operation: str
    shows: str


def reads() -> tuple[ReadNeed, ...]:
    """All reads of opsleuth, sorted by action and operation, each once."""
    found = {
        (action, operation, client): ReadNeed(action=action, client=client, operation=operation, shows=shows)
        for client, operation, action, shows in (*_FIXED, *_from_files())
    }
    return tuple(found[key] for key in sorted(found))


def _from_files() -> Iterable[tuple[str, str, str, str]]:
    for service in services().values():
        for read in service.reads:
            yield service.client, read.operation, read.action, read.shows


def iam_policy() -> Json:
    """A least-privilege identity policy: one statement per IAM service prefix, sorted."""
    by_prefix: dict[str, set[str]] = {}
    for need in reads():
        by_prefix.setdefault(need.action.partition(":")[0], set()).add(need.action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": f"Opsleuth{prefix.replace('-', ' ').title().replace(' ', '')}",
                "Effect": "Allow",
                "Action": sorted(actions),
                "Resource": "*",
            }
            for prefix, actions in sorted(by_prefix.items())
        ],
    }


MOST_MANAGED = 6144
"""Characters of a managed policy, white space not counted (IAM user guide, "IAM and AWS STS quotas")."""
MOST_OF_ROLE = 10_240
"""Of all inline policies of one role together."""


def policy_size(policy: Json) -> int:
    """Characters as IAM counts them."""
    return len(json.dumps(policy, separators=(",", ":")))


def managed_policies() -> list[Json]:
    """The same in a few policies of at most `MOST_MANAGED` each, none split within a service."""
    made: list[Json] = []
    for statement in iam_policy()["Statement"]:
        wider = {**made[-1], "Statement": [*made[-1]["Statement"], statement]} if made else None
        if wider is not None and policy_size(wider) <= MOST_MANAGED:
            made[-1] = wider
        else:
            made.append({"Version": "2012-10-17", "Statement": [statement]})
    return made


def supported() -> str:
    """A Markdown table of the services with what opsleuth knows of each."""
    lines = [
        "| service | resources | settings it can put back | changes it knows | metrics |",
        "|---|---|---|---|---|",
    ]
    for service in services().values():
        names = ", ".join(dict.fromkeys(setting.name for setting in service.settings)) or "–"
        changes = len([change for change in service.changes if not change.inert])
        kinds = ", ".join(service.types)
        metrics = len({metric.name for metric in service.metrics})
        lines.append(f"| {service.title} | {kinds} | {names} | {changes} | {metrics or '–'} |")
    return "\n".join(lines) + "\n"
