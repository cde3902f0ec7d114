"""Which log groups the CloudWatch agent of an instance writes to. The agent's settings are on the machine, unseen.

Two traces lead there: the agent names log streams by the instance's id unless told otherwise (log_stream_name), and
people name groups after the machine's Name tag.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tools.kit import optional
from tools.models import Gap, Json

if TYPE_CHECKING:
    from tools.aws import Reader

_MOST_PAGES = 6  # of 50 log groups each
_MOST_LOOKED = 24  # log groups whose streams are asked for the instance's id
# Groups that AWS services write to themselves. Agents write elsewhere, except where people put them below /aws/ec2.
_NOT_AGENTS = re.compile(r"^/aws/(?!ec2)|^API-Gateway-Execution-Logs|^/ecs/|^RDSOSMetrics$|^/aws-glue/|^aws-")
_LIKELY = re.compile(
    r"ec2|nginx|httpd|apache|tomcat|catalina|java|app|mysql|maria|postgres|redis|syslog|messages|system|kern|error|var/log",
    re.I,
)
_LOUD = re.compile(r"error|catalina|messages|syslog|kern|slow", re.I)
_QUIET = re.compile(r"access|audit|secure|auth\b", re.I)


def log_groups(
    reader: Reader, region: str, instance: str, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the instance's log groups, most useful first, and the evidence of them.

    `names`: what groups may be called after. Refusals raise; groups that were not looked at become a gap.
    """
    pages = reader.pages(
        "logs",
        "DescribeLogGroups",
        "logGroups",
        region=region,
        limit=_MOST_PAGES,
        token=("nextToken", "nextToken"),
    )
    known = [str(one["logGroupName"]) for one in pages.items]
    known = [name for name in known if not _NOT_AGENTS.search(name)]
    found = [name for name in known if mentions(name, (instance, *names))]
    evidence = list(pages.evidence)
    rest = sorted(set(known) - set(found), key=lambda name: _worth(name, names))
    for name in rest[:_MOST_LOOKED]:
        streams = optional(
            reader,
            "logs",
            "DescribeLogStreams",
            f"Log streams of {name}",
            region=region,
            logGroupName=name,
            logStreamNamePrefix=instance,
            limit=1,
        )
        if streams is not None and streams.data.get("logStreams"):
            found.append(name)
            evidence.append(streams.evidence)
    if not pages.complete or len(rest) > _MOST_LOOKED:
        reader.missing(
            f"Some log groups of {instance}",
            f"The streams of {_MOST_LOOKED} log groups were looked at; there are more.",
            "more log lines of the instance",
            code="BudgetSpent",
        )
    return tuple(by_use(found)), tuple(evidence) if found else ()


def _worth(group: str, names: Sequence[str]) -> tuple[bool, bool, str]:
    """Sort key of groups whose streams are looked at: those that begin as the machine's name does come first.

    "web-1-error" may be of "web-1" or of "web-1-b": its streams tell.
    """
    near = any(len(name) >= 3 and name.lower() in group.lower() for name in names)
    return not near, not _LIKELY.search(group), group


_CONFIG = "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json"
_POLICY = "CloudWatchAgentServerPolicy"
_FILES = (
    "/var/log/messages",
    "/var/log/syslog",
    "/var/log/nginx/error.log",
    "/var/log/httpd/error_log",
    "/var/log/apache2/error.log",
    "/opt/tomcat/logs/catalina.out",
    "/var/log/mysqld.log",
    "/var/log/mysql/error.log",
    "/var/log/postgresql/*.log",
    "/var/log/redis/*.log",
)
"""Where Linux and common servers write by default; the agent passes over files that are not there."""


def configuration(name: str) -> Json:
    """A configuration of the CloudWatch agent that ships common logs and measures memory and disk.

    `name`: what the log groups are called after. Keys are those of the agent's own configuration file.
    """
    listed = [
        {
            "file_path": path,
            "log_group_name": f"/ec2/{name}{path.replace('*', 'all')}",
            "log_stream_name": "{instance_id}",
            "retention_in_days": 30,
        }
        for path in _FILES
    ]
    return {
        "logs": {"logs_collected": {"files": {"collect_list": listed}}},
        "metrics": {
            "append_dimensions": {"InstanceId": "${aws:InstanceId}"},
            "aggregation_dimensions": [["InstanceId"]],
            "metrics_collected": {
                "mem": {"measurement": ["mem_used_percent"]},
                "disk": {"measurement": ["used_percent"], "resources": ["*"]},
            },
        },
    }


def gap(instance: str, name: str, roles: Sequence[str]) -> Gap:
    """That nothing of what the programs of an instance log can be read, and the agent's configuration that lifts it."""
    called = f"{name} ({instance})" if name and name != instance else instance
    allowed = f"attach the managed policy {_POLICY} to its role {roles[0]}" if roles else (
        f"give it a role with the managed policy {_POLICY}"
    )  # fmt: skip
    return Gap(
        what=f"Logs of the programs on {called}",
        why=f"No log group of the account holds anything of {instance}: what its programs write stays on its disk.",
        would_show="why its programs fail, and how full its memory and disks are",
        lift=f"Install the CloudWatch agent, {allowed}, and put this into {_CONFIG}: "
        + json.dumps(configuration(name or instance), separators=(",", ":")),
        code="NotEnabled",
    )


def mentions(group: str, names: Iterable[str]) -> bool:
    """Whether a log group's name holds one of the names as a word of its own: "/shop/web-1/error" holds "web-1"."""
    return any(
        re.search(rf"(?<![A-Za-z0-9-]){re.escape(name)}(?![A-Za-z0-9-])", group, re.I)
        for name in names
        if len(name) >= 3
    )


def by_use(groups: Iterable[str]) -> list[str]:
    """Groups of errors first, of accesses last."""
    return sorted(set(groups), key=lambda name: (bool(_QUIET.search(name)), not _LOUD.search(name), name))
