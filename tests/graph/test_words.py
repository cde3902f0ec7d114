"""Words for people: one seam, times in the reader's zone, numbers."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import words
from graph.words import local_time, localise, number, say, spoken, stamp, zone
from tools.errors import BadInput

AT = datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)


@given(st.text(max_size=40))
def test_braces_in_values_are_said_as_they_are(value: str) -> None:
    assert say("Table {name} fails.", name=value) == f"Table {value} fails."


@pytest.mark.parametrize("value", ["{", "}", "{}", "{0}", "{name}", "{report}", "{a.b[c]!r:>9}", "%s", "\\"])
def test_what_looks_like_a_placeholder_in_a_value_is_not_filled(value: str) -> None:
    assert say("{name} and {other}", name=value, other="x") == f"{value} and x"


def test_a_placeholder_without_a_value_stays_for_the_renderer() -> None:
    assert say("opsleuth check {report} says {what}", what="OK") == "opsleuth check {report} says OK"
    assert say("opsleuth check {report}") == "opsleuth check {report}"


def test_a_value_may_be_called_message() -> None:
    assert say("{message}: {values}", message="a", values=2) == "a: 2"


def catalogue(folder: Path, language: str, said: dict[str, str]) -> None:
    """A compiled gettext catalogue (GNU gettext manual, "The Format of GNU MO Files")."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **said}.items())
    texts = [[text.encode() for text in pair] for pair in pairs]
    start = 28 + 16 * len(texts)
    tables: list[list[bytes]] = [[], []]
    body = b""
    for side in (0, 1):
        for pair in texts:
            tables[side].append(struct.pack("<II", len(pair[side]), start + len(body)))
            body += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(texts), 28, 28 + 8 * len(texts), 0, start)
    path = folder / language / "LC_MESSAGES" / "opsleuth.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(head + b"".join(tables[0] + tables[1]) + body)


def test_another_language_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue(
        tmp_path, "ja", {"Table {name} fails.": "テーブル{name}が失敗しています。", "{a} of {b}": "{a.x} {"}
    )
    monkeypatch.setattr(words, "LOCALES", tmp_path)
    assert spoken("Table {name} fails.", {"name": "orders"}, "ja") == "テーブルordersが失敗しています。"
    assert spoken("Table {name} fails.", {"name": "orders"}) == "Table orders fails."
    assert spoken("Not translated: {x}", {"x": 1}, "ja") == "Not translated: 1"
    assert spoken("{a} of {b}", {"a": 1, "b": 2}, "ja") == "1 of 2"  # a broken translation breaks nothing


@pytest.mark.parametrize(
    ("tz", "shown"),
    [
        ("Asia/Tokyo", "since 14 Mar 02:12:31 JST (17:12:31 UTC), ok"),
        ("UTC", "since 13 Mar 17:12:31 UTC, ok"),
        ("Africa/Abidjan", "since 13 Mar 17:12:31 UTC, ok"),
        ("Europe/London", "since 13 Mar 17:12:31 UTC, ok"),
        ("Asia/Kathmandu", "since 13 Mar 22:57:31 +0545 (17:12:31 UTC), ok"),
    ],
)
def test_times_are_in_the_readers_zone_with_utc_beside(tz: str, shown: str) -> None:
    assert localise("since 2026-03-13T17:12:31Z, ok", tz) == shown


def test_the_date_is_left_out_on_the_day_of_reference_on_the_readers_calendar() -> None:
    said = "at 2026-03-13T17:12:31Z and 2026-03-13T14:00:00Z"
    shown = "at 02:12:31 JST (17:12:31 UTC) and 13 Mar 23:00 JST (14:00 UTC)"
    assert localise(said, "Asia/Tokyo", AT) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-03-13T17:12Z", "17:12 UTC"),
        ("2026-03-13T17:12:31.250Z", "17:12:31 UTC"),
        ("2026-02-31T17:12:31Z", "2026-02-31T17:12:31Z"),
        ("2026-03-13T17:12:31+09:00", "2026-03-13T17:12:31+09:00"),
        ("id-2026-03-13T17:12:31Zebra", "id-2026-03-13T17:12:31Zebra"),
        ("x2026-03-13T17:12:31Z", "x2026-03-13T17:12:31Z"),
    ],
)
def test_only_whole_times_are_localised(said: str, shown: str) -> None:
    assert localise(said, "UTC", AT) == shown


@given(st.text(max_size=80))
def test_text_without_times_stays_as_it_is(text: str) -> None:
    if "T" not in text:
        assert localise(text, "Asia/Tokyo") == text


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_a_stamp_tells_the_same_second(moment: datetime, tz: str) -> None:
    moment = moment.replace(microsecond=0)
    shown = localise(stamp(moment), tz)
    assert f"{moment:%H:%M}" in shown
    assert shown.endswith(("UTC)", "UTC"))
    local = moment.astimezone(zone(tz))
    assert shown.startswith(f"{local.day} {local:%b} {local:%H:%M}")


def test_a_stamp_is_utc_to_the_second() -> None:
    tokyo = AT.astimezone(ZoneInfo("Asia/Tokyo")) + timedelta(microseconds=999)
    assert stamp(tokyo) == "2026-03-13T17:12:31Z"


def test_local_time_may_leave_out_seconds() -> None:
    assert local_time(AT, zone("Asia/Tokyo"), AT, seconds=False) == "02:12 JST (17:12 UTC)"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("asia/tokyo", "Asia/Tokyo"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("new york", "America/New_York"),
        ("Asia", "Use a name"),
        ("", "Use a name"),
        ("../../etc/passwd", "Use a name"),
        ("\0", "Use a name"),
        ("JST", "Use a name"),
    ],
)
def test_a_zone_that_does_not_exist_names_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(BadInput, match="is not a time zone") as raised:
        zone(name)
    assert hint in str(raised.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-0.0, "0"),
        (2, "2"),
        (250.0, "250"),
        (152_000, "152,000"),
        (1234.56, "1,235"),
        (99.96, "100"),
        (91.94, "92"),
        (9.996, "10.0"),
        (5.5478, "5.55"),
        (0.0312, "0.0312"),
        (-12.34, "-12.3"),
        (-1500.4, "-1,500"),
        (1e20, "100,000,000,000,000,000,000"),
        (float("inf"), "∞"),
        (float("nan"), "?"),
    ],
)
def test_numbers_for_people(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(0.001, 1e12) | st.integers(0, 10**12))
def test_a_number_loses_at_most_half_a_percent(value: float) -> None:
    shown = number(value)
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=0.0051)
    assert len(shown) <= 17
