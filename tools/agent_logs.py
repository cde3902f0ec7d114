"""Which log groups the CloudWatch agent of an instance writes to. The agent's settings are on the machine, unseen.

Two traces lead there: the agent names log streams by the instance's id unless told otherwise (log_stream_name), and
people name groups after the machine's Name tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tools.kit import optional

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
