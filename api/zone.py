"""The reader's time zone, and times that people type."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from tools.errors import BadInput


def own_zone() -> str:
    """The IANA name of this machine's zone: TZ, then /etc/localtime, else UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return named if _known(named) else "UTC"
    try:
        target = str(Path("/etc/localtime").resolve())
    except OSError:
        return "UTC"
    found = target.partition("/zoneinfo/")[2]
    return found if found and _known(found) else "UTC"


def moment(text: str, tz: str, now: datetime | None = None) -> datetime:
    """An aware time from ISO text; without offset it is meant in `tz`.

    Raises BadInput when it is no time or lies after `now`.
    """
    from graph.words import say, zone

    try:
        parsed = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        example = "2026-03-13T17:12:31Z, 2026-03-14T02:12+09:00"
        raise BadInput(
            say('"{text}" is not a time. Write {example} or without an offset.', text=text, example=example)
        ) from error
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=zone(tz))
    if now is not None and parsed > now:
        raise BadInput(say("--now {text} lies in the future. Leave it out to look as of now.", text=text))
    return parsed


def _known(name: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
