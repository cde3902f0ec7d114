"""Words for people, through one seam. The English source string is the message id (gettext).

Sentences hold times as `2026-03-13T17:12:31Z`; `localise` prints them in the reader's zone with UTC beside.
"""

from __future__ import annotations

import difflib
import gettext
import math
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tools.errors import BadInput

_TIME = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.\d+)?Z\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LOCALES = Path(str(files("graph") / "locale"))
"""Translations: `<language>/LC_MESSAGES/opsleuth.mo`. Without one the English sentence is used."""


@lru_cache
def _catalogue(language: str, where: Path) -> gettext.NullTranslations:
    return gettext.translation("opsleuth", where, languages=[language], fallback=True)


class _Values(dict[str, object]):
    """Leaves a placeholder that no value is given for as it is: a report's own id is filled in later."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def say(message: str, /, **values: object) -> str:
    """`message` in the reader's language, with `{names}` filled from `values`."""
    return spoken(message, values)


def spoken(message: str, values: Mapping[str, object], language: str = "en") -> str:
    """The same, for values at hand and another language."""
    text = _catalogue(language, LOCALES).gettext(message)
    try:
        return text.format_map(_Values(values)) if values else text
    except (ValueError, IndexError, AttributeError):  # a translation with broken placeholders
        return message.format_map(_Values(values))


def stamp(moment: datetime) -> str:
    """A time as sentences hold it: UTC to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zone(name: str) -> ZoneInfo:
    """The named time zone. Raises BadInput with the nearest name when there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Asia" is a folder
        near = _near_zone(name)
        hint = (
            say("Did you mean {name}?", name=near)
            if near
            else say("Use a name such as Asia/Tokyo or Europe/Berlin.")
        )
        raise BadInput(say('"{name}" is not a time zone. {hint}', name=name, hint=hint)) from error


def _near_zone(name: str) -> str:
    """The zone of this name, city or spelling; "" when none is near."""
    wanted = name.strip().casefold().replace(" ", "_")
    known = {zone.casefold(): zone for zone in sorted(available_timezones()) if "/" in zone}
    cities = {zone.rpartition("/")[2]: zone for zone in reversed(known)}
    near = wanted if wanted in known else cities.get(wanted, "")
    near = near or next(iter(difflib.get_close_matches(wanted, known, n=1, cutoff=0.75)), "")
    return known.get(near, "")


def localise(text: str, tz: str = "UTC", reference: datetime | None = None) -> str:
    """`text` with each time in the reader's zone and UTC beside; the date is left out on the day of `reference`."""
    place = zone(tz)

    def shown(match: re.Match[str]) -> str:
        try:
            moment = datetime.fromisoformat(match.group(1)).replace(tzinfo=UTC)
        except ValueError:  # the 31st of February, quoted from a log line
            return match.group()
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
        else f"{local.day} {_MONTHS[local.month - 1]} "
    )
    name = local.tzname() or str(place)
    if local.utcoffset() == UTC.utcoffset(None):
        return f"{day}{local.strftime(form)} UTC"
    return f"{day}{local.strftime(form)} {name} ({moment.astimezone(UTC).strftime(form)} UTC)"


def number(value: float) -> str:
    """A number for people: thousands separated, three significant digits below 20, whole from there on."""
    if abs(value) > sys.float_info.max or math.isnan(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "?"
    if value == int(value) or abs(value) >= 20:
        return f"{round(value):,}"
    if abs(float(f"{value:.3g}")) >= 10:
        return f"{value:,.1f}"
    return f"{value:.3g}"
