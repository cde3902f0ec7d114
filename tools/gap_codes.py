"""The codes of gaps that opsleuth itself gives. Others are AWS's own error codes, which end as those do."""

from __future__ import annotations

import re

OWN = frozenset(
    {
        "AccessDenied",
        "BudgetSpent",
        "Composite",
        "Network",
        "NoAccess",
        "NoMetric",
        "NoSpace",
        "NotEnabled",
        "NotKnown",
        "NotOffered",
        "NotRecorded",
        "NotThere",
        "PriorUnknown",
        "Throttled",
        "TooMuch",
        "TooOld",
        "Truncated",
        "Unreadable",
    }
)
_AWS = re.compile(r"^[A-Z][A-Za-z.]*(?:Exception|Error|Fault|Failure|Failed|Exceeded|NotFound|Unavailable)$")


def is_known(code: str) -> bool:
    """Whether a gap can have this code."""
    return code in OWN or _AWS.match(code) is not None
