"""What CloudTrail, AWS services and shippers of logs write in the place of a value that they do not show."""

from __future__ import annotations

import re

_MASK = re.compile(
    r"HIDDEN_DUE_TO|\*{3,}|sensitive[ _]?data[ _]?removed|\(hidden\)|\(not shown by CloudTrail\)"
    r"|[<\[(*](?:redacted|omitted|masked|removed|hidden|value[ _]hidden)[>\])*]",
    re.IGNORECASE,
)


def masked(text: str) -> bool:
    """Whether a text is a mask or holds one, as a document with a blackened password does."""
    return _MASK.search(text) is not None
