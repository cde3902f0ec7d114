"""Times in words: the forms people use, and what holds for every moment that is found."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from graph.moments import moment_in, plain, without_times

TOKYO, BERLIN, NEW_YORK, UTC_ZONE = (
    ZoneInfo(name) for name in ("Asia/Tokyo", "Europe/Berlin", "America/New_York", "UTC")
)
NOW = datetime(2026, 3, 13, 17, 40, 31, tzinfo=UTC)  # Friday; 02:40 on Saturday in Tokyo, 18:40 in Berlin


def wall(text: str, tz: ZoneInfo = TOKYO, now: datetime = NOW) -> str:
    """The found moment as the caller's clock shows it, or ""."""
    found = moment_in(text, now, tz)
    return found.astimezone(tz).strftime("%m-%d %H:%M") if found else ""


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("午後2時半から遅い", "03-13 14:30"),
        ("昨日の14時", "03-13 14:00"),
        ("今朝2時", "03-14 02:00"),
        ("今朝3時", ""),  # not yet
        ("30分前から", "03-14 02:10"),
        ("2時間前", "03-14 00:40"),
        ("1時間30分前", "03-14 01:10"),
        ("2時間半前から", "03-14 00:10"),
        ("昨夜2時ごろ", "03-14 02:00"),
        ("昨夜11時", "03-13 23:00"),
        ("昨夜の12時", "03-14 00:00"),
        ("昨晩１１時１５分", "03-13 23:15"),
        ("夜8時", "03-13 20:00"),
        ("深夜0時", "03-14 00:00"),
        ("夕方6時ごろ", "03-13 18:00"),
        ("昼の1時", "03-13 13:00"),
        ("午後二時半", "03-13 14:30"),
        ("十時十五分から", "03-13 10:15"),
        ("午前十一時", "03-13 11:00"),
        ("3月13日 17時12分", "03-13 17:12"),
        ("2026年3月12日の9時", "03-12 09:00"),
        ("一昨日の9時", "03-12 09:00"),
        ("3日前の14:05", "03-11 14:05"),
        ("月曜の15時", "03-09 15:00"),
        ("正午から", "03-13 12:00"),
        ("昨日の25時", "03-14 01:00"),
        ("ここ20分", "03-14 02:20"),
        ("since 2am", "03-14 02:00"),
        ("since 3 a.m.", "03-13 03:00"),
        ("14:05", "03-13 14:05"),
        ("at 9:30 pm", "03-13 21:30"),
        ("12am", "03-14 00:00"),
        ("12 pm", "03-13 12:00"),
        ("yesterday 9:30", "03-13 09:30"),
        ("the day before yesterday at 22:00", "03-12 22:00"),
        ("20 minutes ago", "03-14 02:20"),
        ("an hour ago", "03-14 01:40"),
        ("half an hour ago", "03-14 02:10"),
        ("2 days ago at 14:05", "03-12 14:05"),
        ("for the last 15 min", "03-14 02:25"),
        ("last night at 2", "03-14 02:00"),
        ("last night at 11", "03-13 23:00"),
        ("at 9 last night", "03-13 21:00"),
        ("yesterday at noon", "03-13 12:00"),
        ("on Monday at 3pm", "03-09 15:00"),
        ("13 Mar 17:12", "03-13 17:12"),
        ("March 12, 8am", "03-12 08:00"),
        ("2026-03-13T17:12:31Z", "03-14 02:12"),
        ("2026-03-13T17:12:31.250+00:00", "03-14 02:12"),
        ("2026-03-13 17:12", "03-13 17:12"),
        ("2026/03/12 08:00", "03-12 08:00"),
        ("17:12 UTC", "03-14 02:12"),
        ("at 17:12Z", "03-14 02:12"),
    ],
)
def test_the_forms_people_use(text: str, at: str) -> None:
    assert wall(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orders is slow",
        "一時的にエラーが出る",
        "24時間",
        "p99 rose to 500 ms",
        "at 500 requests per second",
        "at 5% errors",
        "ratio 1:1",
        "arn:aws:lambda:eu-west-1:111122223333:function:f",
        "2026-02-31 10:00",
        "2026-13-01T10:00Z",
        "13月45日の9時",
        "25:61",
        "since yesterday",
        "the day after 2026-03-20 10:00",  # ahead
        "at 14:05 CST",  # China or Chicago
    ],
)
def test_what_names_no_moment(text: str) -> None:
    assert moment_in(text, NOW, TOKYO) is None


def test_the_callers_zone_decides_what_an_hour_means() -> None:
    assert moment_in("14:05", NOW, BERLIN) == datetime(2026, 3, 13, 13, 5, tzinfo=UTC)
    assert moment_in("14:05", NOW, TOKYO) == datetime(2026, 3, 13, 5, 5, tzinfo=UTC)
    assert moment_in("14:05 JST", NOW, BERLIN) == datetime(2026, 3, 13, 5, 5, tzinfo=UTC)
    assert moment_in("14:05 CET", NOW, BERLIN) == datetime(2026, 3, 13, 13, 5, tzinfo=UTC)


def test_a_time_that_comes_twice_is_the_later_one_that_has_been() -> None:
    # Berlin, 25 October 2026: 02:30 at 00:30 and at 01:30 UTC.
    after = datetime(2026, 10, 25, 6, tzinfo=UTC)
    assert moment_in("2:30", after, BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    assert moment_in("2:30", between, BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_that_was_skipped_is_read_as_if_it_had_not_been() -> None:
    # Berlin, 29 March 2026: 01:59 is followed by 03:00.
    now = datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert moment_in("today 2:30", now, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


moments = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from([TOKYO, BERLIN, NEW_YORK, UTC_ZONE, ZoneInfo("Australia/Lord_Howe")])
_ENGLISH = (
    "{h:02}:{m:02}|yesterday {h:02}:{m:02}|last night at {h}|{m} minutes ago|{m} days ago at {h:02}:{m:02}"
)
_JAPANESE = "{h}時{m}分|今朝{h}時|昨夜{h}時|昨日の{h}時{m}分|{m}分前|{h}時間前|{m}月{h}日{h}時"
forms = st.sampled_from([*_ENGLISH.split("|"), *_JAPANESE.split("|"), "2026-03-{h:02} {h:02}:{m:02}"])


@given(form=forms, hour=st.integers(0, 23), minute=st.integers(0, 59), now=moments, tz=zones)
@example(form="{h:02}:{m:02}", hour=2, minute=30, now=datetime(2026, 3, 29, 0, 59, tzinfo=UTC), tz=BERLIN)
@example(form="{h:02}:{m:02}", hour=1, minute=30, now=datetime(2026, 11, 1, 5, 29, tzinfo=UTC), tz=NEW_YORK)
def test_no_moment_lies_ahead(form: str, hour: int, minute: int, now: datetime, tz: ZoneInfo) -> None:
    found = moment_in(form.format(h=hour, m=minute), now, tz)
    assert found is None or (found <= now and found.utcoffset() == timedelta(0))
    assert moment_in(form.format(h=hour, m=minute), now.astimezone(tz), tz) == found


@given(hour=st.integers(0, 23), minute=st.integers(0, 59), now=moments, tz=zones)
def test_a_bare_time_is_the_latest_one_on_the_callers_clock(
    hour: int, minute: int, now: datetime, tz: ZoneInfo
) -> None:
    found = moment_in(f"{hour:02}:{minute:02}", now, tz)
    assert found is not None
    assert now - found < timedelta(hours=26)
    shown = found.astimezone(tz)
    if (shown.hour, shown.minute) == (hour, minute):
        following = [found + timedelta(minutes=step) for step in range(1, 25 * 60) if found < now]
        again = [
            one
            for one in following
            if one <= now and one.astimezone(tz).time() == shown.time().replace(fold=0)
        ]
        assert not again
    else:  # skipped when the clock was put forward
        assert shown.utcoffset() != (found - timedelta(hours=2)).astimezone(tz).utcoffset()


@given(day=st.dates(date(2001, 1, 1), date(2036, 1, 1)), hour=st.integers(0, 23), tz=zones)
def test_a_date_and_a_time_are_read_back(day: date, hour: int, tz: ZoneInfo) -> None:
    now = datetime(2037, 1, 1, tzinfo=UTC)
    local = datetime(day.year, day.month, day.day, hour, 5, tzinfo=tz)
    assume(local.astimezone(UTC).astimezone(tz).hour == hour)
    for text in (f"{day.isoformat()} {hour:02}:05", f"{day.year}年{day.month}月{day.day}日の{hour}時5分"):
        found = moment_in(text, now, tz)
        assert found is not None
        assert found.astimezone(tz).replace(tzinfo=None) == local.replace(tzinfo=None)


@given(st.text(max_size=60), moments, zones)
def test_no_text_raises(text: str, now: datetime, tz: ZoneInfo) -> None:
    found = moment_in(text, now, tz)
    assert found is None or found <= now
    without_times(text)


@given(st.text(alphabet="0123456789:-分時日月年前半午後TZ+ agoamp/", max_size=24), moments, zones)
def test_nothing_that_looks_like_a_time_raises(text: str, now: datetime, tz: ZoneInfo) -> None:
    found = moment_in(text, now, tz)
    assert found is None or found <= now


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ｏｒｄｅｒｓ　テーブル", "orders テーブル"),
        ("order－writer order−writer order‐writer orderーwriter", "order-writer " * 4),
        ("テーブル", "テーブル"),
        ("or\u200bders\ufeff", "orders"),
        ("ｴﾗｰ", "エラー"),
    ],
)
def test_width_dashes_and_invisible_letters_do_not_matter(text: str, left: str) -> None:
    assert plain(text) == left.strip()


def test_times_are_taken_out_of_the_words() -> None:
    assert without_times("orders slow since 14:05 yesterday").split() == [
        "orders",
        "slow",
        "since",
        "yesterday",
    ]
    assert "時" not in without_times("ordersが午後2時半から、30分前にも")
