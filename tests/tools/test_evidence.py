"""Whole answers are kept once, by their hash; requests and answers have one spelling."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evidence import (
    EXCERPT_BYTES,
    EvidenceStore,
    MemoryStore,
    SqliteStore,
    canonical,
    digest,
    excerpt,
    plain,
)

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
ZONES = ("UTC", "Asia/Tokyo", "America/St_Johns")
Make = Callable[[Path], EvidenceStore]
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)


def memory(_: Path) -> EvidenceStore:
    return MemoryStore()


def sqlite(folder: Path) -> EvidenceStore:
    return SqliteStore(folder / "deep" / "evidence.db")


stores = pytest.mark.parametrize("make", [memory, sqlite])


@stores
def test_a_text_is_kept_once_and_found_by_its_hash(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path)
    first = store.put("{}")
    assert first == store.put("{}") == digest("{}")
    assert store.get(first) == "{}"
    assert store.get(digest("never put")) is None
    store.close()


@stores
def test_threads_put_and_get(make: Make, tmp_path: Path) -> None:
    store = make(tmp_path)
    texts = [f"text {number % 50}" for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(store.put, texts))
        assert list(pool.map(store.get, keys)) == texts
    assert len(set(keys)) == 50
    store.close()


def test_a_file_outlives_its_process(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "evidence.db")
    key = first.put("日本語 and 1 MB of x" + "x" * 1_000_000)
    second = SqliteStore(tmp_path / "evidence.db")
    assert str(second.get(key)).startswith("日本語")
    first.close()
    assert second.put("more") == digest("more")
    second.close()


@given(documents)
def test_canonical_json_says_the_same_and_has_one_spelling(document: object) -> None:
    text = canonical(document)
    assert json.loads(text) == document
    assert canonical(json.loads(text)) == text


def test_canonical_json_of_what_boto_gives() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert canonical({"b": tokyo, "a": NOW}) == canonical({"a": NOW, "b": NOW})
    assert canonical({"t": NOW, "raw": b"\x00\xff", "set": {"b", "a"}, "pair": (1, 2)}) == (
        '{"pair":[1,2],"raw":"00ff","set":["a","b"],"t":"2026-03-13T17:41:00+00:00"}'
    )
    with pytest.raises(TypeError, match="object is not JSON"):
        canonical(object())


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """`zone(name)`: from here on the machine's clock is in that time zone, until the end of the test."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_evidence_is_the_same_in_every_time_zone(
    asking: Callable[..., Any], zone: Callable[[str], None]
) -> None:
    """boto3 gives times in the zone of the machine."""
    result = {"Id": "m1", "Label": "x", "Timestamps": [1773420060, 1773420120.5], "Values": [1.0, 2.0]}
    event = {"EventId": "e", "EventTime": 1773420060, "CloudTrailEvent": "{}"}
    answers = {
        "GetMetricData": {"MetricDataResults": [result | {"StatusCode": "Complete"}]},
        "LookupEvents": {"Events": [event]},
    }
    seen, local = set(), set()
    for name in ZONES:
        zone(name)
        local.add(datetime.fromtimestamp(1773420060).hour)
        reader, _ = asking(lambda operation, _: answers[operation])
        query = {"Id": "m1", "Expression": "m2"}
        reader.ask("cloudwatch", "GetMetricData", MetricDataQueries=[query], StartTime=NOW, EndTime=NOW)
        reader.ask("cloudtrail", "LookupEvents", StartTime=NOW)
        seen.add(tuple((one.sha256, canonical(one.parameters), one.excerpt) for one in reader.evidence))
    assert len(local) == len(ZONES)
    assert len(seen) == 1


def test_parameters_are_shown_without_what_is_scrubbed() -> None:
    shown = plain({"StartTime": NOW, "Names": ("a",), "Filter": "x"}, lambda text: text.replace("x", "y"))
    assert shown == {"StartTime": "2026-03-13T17:41:00+00:00", "Names": ["a"], "Filter": "y"}


@given(st.text(max_size=3000), st.integers(60, 2500))
def test_an_excerpt_fits_and_is_the_beginning(text: str, limit: int) -> None:
    short = excerpt(text, limit)
    assert len(short.encode()) <= limit
    if short != text:
        beginning, mark, count = short.rpartition(" … (cut, ")
        assert mark
        assert text.startswith(beginning)
        assert count == f"{len(text.encode())} bytes)"


def test_an_excerpt_of_many_byte_letters_stays_text() -> None:
    short = excerpt("日" * 5000)
    assert len(short.encode()) <= EXCERPT_BYTES
    assert short.startswith("日日")
