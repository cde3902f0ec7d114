"""Times in free words, English and Japanese, read in the caller's zone. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_LONG_VOWEL = re.compile(r"(?<=[A-Za-z0-9])ー(?=[A-Za-z0-9])")  # what a Japanese keyboard gives for "-"
_ISO = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)[t ](\d\d):(\d\d)(z)?")
_CLOCK = re.compile(r"(?<![\d:.-])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])\s*(am|pm)?")
_HOUR = re.compile(r"(?<![\d:.-])(1[0-2]|0?[1-9])\s*(am|pm)\b")
_KANJI = re.compile(r"(午前|午後|夜|朝|深夜)?の?([01]?\d|2[0-9])時(?:([0-5]?\d)分|(半))?")
_YESTERDAY = ("yesterday", "last night", "昨日", "昨夜", "昨晩", "きのう")
_DAY_BEFORE = ("day before yesterday", "一昨日", "おととい")
_AGO = re.compile(r"\b(\d+)\s*(min|minutes?|hours?|h)\s+ago\b|(\d+)\s*(分|時間)前")


def plain(text: str) -> str:
    """Full-width letters and digits to plain ones, all dashes to "-", invisible characters gone; the case stays."""
    shown = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _LONG_VOWEL.sub("-", _DASH.sub("-", shown))


def normal(text: str) -> str:
    """`plain`, and lower case."""
    return plain(text).casefold()


def moment_in(text: str, now: datetime, tz: ZoneInfo) -> datetime | None:
    """The moment that the words name, never after `now`; None when they name none.

    A bare time of day is the latest such time before `now`.
    """
    words = normal(text)
    if found := _ISO.search(words):
        year, month, day, hour, minute = (int(one) for one in found.groups()[:5])
        zone = ZoneInfo("UTC") if found.group(6) else tz
        return _past(datetime(year, month, day, hour, minute, tzinfo=zone), now)
    if found := _AGO.search(words):
        count, unit = (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))
        return now - timedelta(
            **{"hours" if unit.startswith("h") or unit == "時間" else "minutes": int(count)}
        )
    time = _time_of_day(words)
    return None if time is None else _on_day(words, time, now, tz)


def _time_of_day(words: str) -> timedelta | None:
    if found := _CLOCK.search(words):
        return _twelve(int(found.group(1)), found.group(3)) + timedelta(minutes=int(found.group(2)))
    if found := _HOUR.search(words):
        return _twelve(int(found.group(1)), found.group(2))
    if found := _KANJI.search(words):
        half = {"午前": "am", "午後": "pm"}.get(found.group(1) or "")
        minutes = 30 if found.group(4) else int(found.group(3) or 0)
        return _twelve(int(found.group(2)), half) + timedelta(minutes=minutes)
    return None


def _twelve(hour: int, half: str | None) -> timedelta:
    if half == "pm" and hour < 12:
        hour += 12
    if half == "am" and hour == 12:
        hour = 0
    return timedelta(hours=hour)


def _on_day(words: str, time: timedelta, now: datetime, tz: ZoneInfo) -> datetime | None:
    today = now.astimezone(tz).replace(hour=0, minute=0, second=0, microsecond=0)
    if any(word in words for word in _DAY_BEFORE):
        return _past(today - timedelta(days=2) + time, now)
    if any(word in words for word in _YESTERDAY):
        guess = today - timedelta(days=1) + time
        # "last night at 2" means this morning's 2 o'clock
        night = any(word in words for word in ("last night", "昨夜", "昨晩")) and time < timedelta(hours=6)
        return _past(guess + timedelta(days=1) if night else guess, now)
    guess = today + time
    return guess if guess <= now else guess - timedelta(days=1)


def _past(moment: datetime, now: datetime) -> datetime | None:
    return moment if moment <= now else None


def without_times(text: str) -> str:
    """The words in `normal` form without times of day and dates."""
    words = normal(text)
    for pattern in (_ISO, _AGO, _CLOCK, _HOUR, _KANJI):
        words = pattern.sub(" ", words)
    return words
