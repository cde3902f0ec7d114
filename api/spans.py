"""Times that people type for a range: "24h", "90m", "7d", or an ISO time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tools.errors import BadInput

_SPAN = re.compile(r"(\d{1,6}) ?(m|min|h|d|w)", re.IGNORECASE)
_SECONDS = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOST = timedelta(days=90)


def span(text: str, tz: str, option: str = "--since") -> datetime | timedelta:
    """A time back from the end, or a moment (aware). Raises BadInput when it is neither, or longer than 90 days."""
    from api.zone import moment
    from graph.words import say

    if match := _SPAN.fullmatch(text.strip()):
        length = timedelta(seconds=int(match[1]) * _SECONDS[match[2].lower()])
        if not timedelta(0) < length <= _MOST:
            words = "{option} {text}: CloudTrail's event history holds 90 days. Write 1m to 90d."
            raise BadInput(say(words, option=option, text=text))
        return length
    try:
        return moment(text, tz)
    except BadInput as error:
        raise BadInput(
            say(
                '{option} "{text}" is no time. Write 30m, 24h, 7d, or a time such as 2026-03-13T17:00Z.',
                option=option,
                text=text,
            )
        ) from error
