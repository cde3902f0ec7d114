"""What back-tests share: the word for "cannot be tried", and AWS's wildcards."""

from __future__ import annotations

import re
from functools import lru_cache

from tools.errors import OpsleuthError

EMERGENCY = "REPLACE-WITH-YOUR-EMERGENCY-ROLE"
"""Stands in policies where the name of a role for emergencies belongs, which opsleuth cannot know."""


class CannotTry(OpsleuthError):
    """An artefact holds an element that the back-test does not know, or there is nothing to try it on."""


@lru_cache(maxsize=2048)
def _pattern(text: str, any_case: bool) -> re.Pattern[str]:
    made = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(made, re.DOTALL | (re.IGNORECASE if any_case else 0))


def like(pattern: str, text: str, *, any_case: bool = False) -> bool:
    """IAM's wildcards: * is any text, ? one character."""
    return _pattern(pattern, any_case).fullmatch(text) is not None


def arn_like(pattern: str, arn: str) -> bool:
    """ArnLike: each of the six parts between colons on its own, so that no wildcard reaches over a colon.

    IAM user guide, "IAM JSON policy elements: Condition operators", ARN condition operators.
    """
    if pattern == "*":
        return True
    wanted, got = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(got) and all(like(one, other) for one, other in zip(wanted, got, strict=True))
