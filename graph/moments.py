"""Times in free words, English and Japanese, read in the caller's zone. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_LONG_VOWEL = re.compile(r"(?<=[A-Za-z0-9])ー(?=[A-Za-z0-9])")  # what a Japanese keyboard gives for "-"
_NUMERALS = {letter: value for value, letter in enumerate("〇一二三四五六七八九")}
# 一時 alone means "for a while", so it is a time only behind a part of the day.
_NUMERAL = re.compile(
    r"(?<![一-九十])(?!一時)[一二三四五六七八九十]{1,3}(?=[時分日月])|(?<=[前後夜朝])一(?=時)"
)

_ISO = re.compile(
    r"(?<!\d)(?P<date>\d{4}-\d\d-\d\d)[t ]\s?(?P<time>\d\d:\d\d(?::\d\d)?)(?:\.\d+)?\s?(?P<zone>z\b|[+-]\d\d:?\d\d)?"
)
_UNIT = r"(?P<{0}>minutes?|mins?|m|hours?|hrs?|h|days?|d)"
_AGO = (
    re.compile(rf"(?<![\w.:-])(?P<n>\d{{1,4}})\s*{_UNIT.format('unit')}\s+(?:ago|before now)\b"),
    re.compile(
        rf"\b(?:last|past|for|since)\s+(?:about\s+)?(?P<n>\d{{1,4}})\s*{_UNIT.format('unit')}(?![\w:])"
    ),
    re.compile(r"\b(?P<half>half\s+)?an?\s+(?P<unit>hour|minute|day)\s+ago\b"),
    re.compile(
        r"(?<![\d:.])(?:(?P<n>\d{1,4})(?P<unit>時間|日)(?P<half>半)?)?(?:(?P<n2>\d{1,4})分)?(?:ほど|くらい|ぐらい|程)?前"
    ),
    re.compile(r"(?:ここ|この|過去)(?P<n>\d{1,4})(?P<unit>時間|分|日)"),
)
_AROUND = r"(?:at|around|about|since|from|by)"
_TIMES = (
    re.compile(
        r"(?<![\d:.-])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s*(?P<half>[ap])\.?m\b)?"
    ),
    re.compile(r"(?<![\w:.-])(?P<hour>1[0-2]|0?[1-9])\s*(?P<half>[ap])\.?m\b"),
    re.compile(
        rf"\b(?:night|yesterday|morning|afternoon|evening|today)\s+{_AROUND}\s+(?P<hour>[01]?\d|2[0-3])(?![\w:%])"
    ),
    re.compile(
        rf"\b{_AROUND}\s+(?P<hour>[01]?\d|2[0-3])"
        r"(?=\s*(?:o'?clock\b|$|[,;!?。、]|\.(?:\s|$)|last night|yesterday|this|today|in the))"
    ),
    re.compile(r"(?<![\d:.])(?P<hour>[0-2]?\d)時(?!間|的)(?:(?P<minute>[0-5]?\d)分(?!間)|(?P<thirty>半))?"),
    re.compile(r"\b(?P<noon>noon|midday)\b|(?P<noon2>正午)|(?P<midnight>\bmidnight\b|真夜中)"),
)
_PART_BEFORE = re.compile(
    r"(午前|午後|深夜|未明|早朝|今朝|朝|正午|昼|夕方|昨夜|昨晩|今夜|今晩|夜|晩)の?(?:約|およそ)?$"
)
_PART = re.compile(
    r"last night|tonight|this (?:morning|afternoon|evening)|in the (?:morning|afternoon|evening)"
)
_NIGHT = ("昨夜", "昨晩", "今夜", "今晩", "夜", "晩", "last night", "tonight")
_LATE = ("午後", "昼", "夕方", "this afternoon", "in the afternoon", "this evening", "in the evening")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?"
_DATES = (
    re.compile(r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?:(?P<year>\d{4})年)?(?P<month>\d{1,2})月(?P<day>\d{1,2})日"),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}(?![a-z])"),
    re.compile(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])"),
)
_DAYS = (
    (2, re.compile(r"day before yesterday|一昨日|おととい")),
    (1, re.compile(r"yesterday|last night|昨日|昨夜|昨晩|きのう|前日")),
    (0, re.compile(r"\btoday\b|\btonight\b|\bthis (?:morning|afternoon|evening)\b|今日|本日|今朝|今夜|今晩")),
)
_DAYS_AGO = re.compile(r"(?<!\d)(?P<n>\d{1,4})(?:日前|\s+days? ago)")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*day\b|([月火水木金土日])曜")
_WEEKDAYS = (["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "月火水木金土日")
_ZONE = re.compile(r"\d\s*(?:[ap]\.?m\.?)?\s*(z|utc|gmt|jst|[ecmp][sd]t|ces?t|bst|ist|kst|sgt|ae[sd]t)\b")
_FIXED = {"z": "UTC", "utc": "UTC", "gmt": "UTC", "jst": "Asia/Tokyo"}


def plain(text: str) -> str:
    """Full-width letters and digits to plain ones, all dashes to "-", invisible characters gone; the case stays."""
    shown = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _LONG_VOWEL.sub("-", _DASH.sub("-", shown))


def normal(text: str) -> str:
    """`plain`, and lower case."""
    return plain(text).casefold()


def moment_in(text: str, now: datetime, tz: ZoneInfo) -> datetime | None:
    """The moment that the words name, in UTC and never after `now`; None when they name none.

    A bare time of day is the latest such time before `now`. Where the clock is put back and a time comes twice, the
    later one; where it is put forward and a time is skipped, as if it had not been.
    """
    words = _NUMERAL.sub(lambda match: str(_numeral(match.group())), normal(text))
    place = _zone(words, now, tz)
    if place is None:
        return None
    try:
        return _iso(words, now, place) or _on_day(words, now, place) or _ago(words, now)
    except (ValueError, OverflowError):  # the 31st of February, year 0
        return None


def without_times(text: str) -> str:
    """The words in `normal` form without times and dates."""
    words = _NUMERAL.sub(lambda match: str(_numeral(match.group())), normal(text))
    for pattern in (_ISO, *_DATES, *_AGO, _DAYS_AGO, *_TIMES):
        words = pattern.sub(" ", words)
    return words


def _numeral(said: str) -> int:
    tens, ten, ones = said.rpartition("十")
    return (_NUMERALS.get(tens, 1) * 10 if ten else 0) + _NUMERALS.get(ones, 0)


def _zone(words: str, now: datetime, tz: ZoneInfo) -> ZoneInfo | None:
    """The zone that the words name beside a time, else the caller's; None for one that means several places."""
    found = _ZONE.search(words)
    if found is None:
        return tz
    name = found.group(1)
    if name in _FIXED:
        return ZoneInfo(_FIXED[name])
    return tz if (now.astimezone(tz).tzname() or "").casefold() == name else None


def _iso(words: str, now: datetime, place: ZoneInfo) -> datetime | None:
    found = _ISO.search(words)
    if found is None:
        return None
    offset = (found["zone"] or "").replace("z", "+00:00")
    given = datetime.fromisoformat(f"{found['date']}T{found['time']}{offset}")
    if given.tzinfo is not None:
        moment = given.astimezone(UTC)
        return moment if moment <= now else None
    midnight = datetime.combine(given.date(), datetime.min.time())
    return _latest(given.date(), given - midnight, now, place)


def _ago(words: str, now: datetime) -> datetime | None:
    for pattern in _AGO:
        for found in pattern.finditer(words):
            group = found.groupdict()
            if not (group.get("n") or group.get("n2") or group.get("unit")):
                continue  # 前 alone
            unit = str(group.get("unit") or "分")
            half = bool(group.get("half"))
            count = float(group.get("n") or (0 if group.get("n2") else 1))
            if half:
                count = 0.5 if unit == "hour" else count + 0.5
            size = timedelta(
                minutes=1 if unit[0] in "m分" else 60 if unit[0] in "h時" else 24 * 60,
            )
            back = count * size + timedelta(minutes=int(group.get("n2") or 0))
            return (now - back).astimezone(UTC)
    return None


def _on_day(words: str, now: datetime, place: ZoneInfo) -> datetime | None:
    found = _time_of_day(words)
    if found is None:
        return None
    time, is_night = found
    today = now.astimezone(place).date()
    day = _day(words, today)
    if day is not None:
        if is_night and time < timedelta(hours=6) and day < today:
            day += timedelta(days=1)  # "last night at 2" is this morning's 2 o'clock
        return _latest(day, time, now, place)
    for back in range(3):
        moment = _latest(today - timedelta(days=back), time, now, place)
        if moment is not None:
            return moment
    return None


def _time_of_day(words: str) -> tuple[timedelta, bool] | None:
    """The first time of day, and whether the words call it night."""
    found = min((one for p in _TIMES for one in p.finditer(words)), key=lambda one: one.start(), default=None)
    if found is None:
        return None
    group = found.groupdict()
    if "noon" in group:
        return timedelta(hours=0 if group["midnight"] else 12), False
    hour = int(group["hour"])
    minute = 30 if group.get("thirty") else int(group.get("minute") or 0)
    before = _PART_BEFORE.search(words[: found.start()])
    after = _PART.search(words)
    part = before.group(1) if before else after.group() if after else ""
    if group.get("half"):
        hour = hour % 12 + (12 if group["half"] == "p" else 0) if hour <= 12 else hour
    else:
        hour = _in_part(hour, part)
    return timedelta(hours=hour, minutes=minute), part in _NIGHT


def _in_part(hour: int, part: str) -> int:
    if hour > 12 or not part:
        return hour
    if part in _NIGHT:
        return 24 if hour == 12 else hour + 12 if hour >= 6 else hour
    if part in _LATE:
        return hour + 12 if hour < (10 if part == "昼" else 12) else hour
    return hour % 12 if part != "正午" else hour


def _day(words: str, today: date) -> date | None:
    """The day that the words name, or None."""
    for pattern in _DATES:
        if found := pattern.search(words):
            return _date(found, today)
    for back, said in _DAYS:
        if said.search(words):
            return today - timedelta(days=back)
    if found := _DAYS_AGO.search(words):
        return today - timedelta(days=int(found["n"]))
    if found := _WEEKDAY.search(words):
        english, japanese = found.groups()
        wanted = _WEEKDAYS[0].index(english) if english else _WEEKDAYS[1].index(japanese)
        return today - timedelta(days=(today.weekday() - wanted) % 7)
    return None


def _date(found: re.Match[str], today: date) -> date:
    """A date without a year is the latest one."""
    group = found.groupdict()
    month = _MONTHS.index(group["name"]) + 1 if group.get("name") else int(group["month"])
    if group.get("year"):
        return date(int(group["year"]), month, int(group["day"]))
    this_year = date(today.year, month, int(group["day"]))
    return this_year if this_year <= today else date(today.year - 1, month, int(group["day"]))


def _latest(day: date, time: timedelta, now: datetime, place: ZoneInfo) -> datetime | None:
    """That time on that day in UTC; the later one of two, None when both lie ahead."""
    wall = datetime.combine(day, datetime.min.time()) + time
    moments = [wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)]
    real = [one for one in moments if one.astimezone(place).replace(tzinfo=None) == wall]
    return max((one for one in real or moments[:1] if one <= now), default=None)
