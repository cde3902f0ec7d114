"""Words for people, through one seam. The English source string is the message id (gettext).

Sentences hold times as `2026-03-13T17:12:31Z`; `localise` prints them in the reader's zone with UTC beside.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tools.errors import BadInput

_TIME = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)Z")


@lru_cache
def _catalogue(language: str) -> gettext.NullTranslations:
    where = str(files("graph") / "locale")
    return gettext.translation("opsleuth", where, languages=[language], fallback=True)


def say(message: str, /, **values: object) -> str:
    """`message` in the reader's language, with `{names}` filled from `values`."""
    return spoken(message, values)


def spoken(message: str, values: Mapping[str, object], language: str = "en") -> str:
    """The same, for values at hand and another language."""
    text = _catalogue(language).gettext(message)
    return text.format_map(values) if values else text


def stamp(moment: datetime) -> str:
    """A time as sentences hold it: UTC to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zone(name: str) -> ZoneInfo:
    """The named time zone. Raises BadInput with an example when there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(
            f'"{name}" is not a time zone. Use a name such as Asia/Tokyo or Europe/Berlin.'
        ) from error


def localise(text: str, tz: str = "UTC", reference: datetime | None = None) -> str:
    """`text` with each time in the reader's zone and UTC beside; the date is left out on the day of `reference`."""
    place = zone(tz)

    def shown(match: re.Match[str]) -> str:
        moment = datetime.fromisoformat(match.group(1)).replace(tzinfo=UTC)
        return local_time(moment, place, reference, seconds=len(match.group(1)) > 16)

    return _TIME.sub(shown, text)


def local_time(
    moment: datetime, place: ZoneInfo, reference: datetime | None = None, *, seconds: bool = True
) -> str:
    """`02:12:31 JST (17:12:31 UTC)`, with the date when it is not the day of `reference`."""
    form = "%H:%M:%S" if seconds and moment.second else "%H:%M"
    local = moment.astimezone(place)
    day = (
        ""
        if reference is not None and reference.astimezone(place).date() == local.date()
        else f"{local:%-d %b} "
    )
    name = local.tzname() or str(place)
    if local.utcoffset() == UTC.utcoffset(None):
        return f"{day}{local.strftime(form)} UTC"
    return f"{day}{local.strftime(form)} {name} ({moment.astimezone(UTC).strftime(form)} UTC)"


def number(value: float) -> str:
    """A number for people: thousands separated, three significant digits below ten."""
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:,.1f}"
    return f"{value:.3g}"
