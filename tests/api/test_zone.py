from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.zone import moment, own_zone
from tools.errors import BadInput

NOW = datetime(2026, 3, 13, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "tz", "meant"),
    [
        ("2026-03-13T17:12:31Z", "Asia/Tokyo", datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)),
        ("2026-03-14T02:12:31", "Asia/Tokyo", datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)),
        ("2026-03-14T02:12+09:00", "UTC", datetime(2026, 3, 13, 17, 12, tzinfo=UTC)),
        ("2026-03-13 17:12", "UTC", datetime(2026, 3, 13, 17, 12, tzinfo=UTC)),
    ],
)
def test_times_without_offset_are_the_callers(text: str, tz: str, meant: datetime) -> None:
    assert moment(text, tz, NOW) == meant


@pytest.mark.parametrize("text", ["", "now", "17:12", "2026-13-01T00:00", "13/03/2026"])
def test_what_is_no_time_is_told_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="is not a time"):
        moment(text, "UTC", NOW)


@given(st.integers(min_value=1, max_value=10**7))
def test_the_future_is_refused_and_the_past_is_not(seconds: int) -> None:
    later, earlier = NOW + timedelta(seconds=seconds), NOW - timedelta(seconds=seconds)
    assert moment(earlier.isoformat(), "UTC", NOW) == earlier
    with pytest.raises(BadInput, match="future"):
        moment(later.isoformat(), "UTC", NOW)


@pytest.mark.parametrize(
    ("named", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), (":Europe/Berlin", "Europe/Berlin")]
)
def test_the_machines_zone_is_TZ(named: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", named)
    assert own_zone() == zone


def test_a_zone_that_nobody_knows_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-9")
    assert own_zone() == "UTC"
