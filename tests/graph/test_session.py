"""The registry of runs: made on first use, the same while it lasts, made anew after it was closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graph import session
from graph.context import Context
from tools.clock import LiveClock, VirtualClock
from tools.errors import BadInput, BadRecording
from tools.evidence import MemoryStore, SqliteStore
from tools.transport import WireAnswer, WireRequest

BEGIN = datetime(2026, 4, 9, 10, 40, tzinfo=UTC)


@dataclass
class Quiet:
    """A transport that nobody asks anything."""

    name: str
    virtual: bool = True
    region: str = "eu-central-1"
    closed: list[str] = field(default_factory=list)

    def start(self) -> datetime | None:
        return BEGIN if self.virtual else None

    def send(self, request: WireRequest) -> WireAnswer:
        raise AssertionError(request.operation)

    def close(self) -> None:
        self.closed.append(self.name)


@pytest.fixture(autouse=True)
def opened() -> Iterator[list[Quiet]]:
    made: list[Quiet] = []

    def open_one(name: str) -> Quiet:
        made.append(Quiet(name, virtual=not name.startswith("now")))
        return made[-1]

    session.register("quiet", open_one)
    yield made
    for run in ("one", "two"):
        session.close(run)


def test_one_run_has_one_session_until_it_is_closed(opened: list[Quiet]) -> None:
    context = Context(source="quiet:a?seed=1")
    first = session.session("one", context)
    assert session.session("one", context) is first
    assert session.session("two", context) is not first
    assert [item.name for item in opened] == ["a?seed=1", "a?seed=1"]
    session.close("one")
    session.close("one")
    assert opened[0].closed == ["a?seed=1"]
    assert opened[1].closed == []
    assert session.session("one", context) is not first


def test_region_start_and_clock_come_from_the_source() -> None:
    found = session.session("one", Context(source="quiet:a"))
    assert (found.start, found.aws.account_place.region if hasattr(found.aws, "account_place") else "") == (
        BEGIN,
        "",
    )
    assert isinstance(found.aws.clock, VirtualClock)
    assert found.aws.clock.now() == BEGIN
    assert isinstance(found.aws.store, MemoryStore)


def test_a_resumed_run_goes_on_at_its_look() -> None:
    later = BEGIN + timedelta(minutes=10)
    found = session.session("one", Context(source="quiet:a"), later)
    assert found.aws.clock.now() == later
    assert found.start == BEGIN


def test_live_time_is_the_present_or_what_was_asked_for() -> None:
    asked = datetime(2026, 4, 9, 10, 40, 31, tzinfo=UTC)
    found = session.session("one", Context(source="quiet:now", as_of=asked))
    assert isinstance(found.aws.clock, LiveClock)
    assert found.start == asked.replace(second=0)
    session.close("one")
    before = LiveClock().now()
    assert before - timedelta(minutes=1) <= session.session("one", Context(source="quiet:now")).start


def test_the_future_cannot_be_looked_at() -> None:
    with pytest.raises(BadInput, match="lies in the future"):
        session.session("one", Context(source="quiet:now", as_of=datetime(2999, 1, 1, tzinfo=UTC)))


def test_budgets_are_the_contexts() -> None:
    found = session.session("one", Context(source="quiet:a", max_calls=7, max_bytes=99, max_seconds=3.5))
    limits = found.aws.budget.limits
    assert (limits.calls, limits.bytes, limits.seconds) == (7, 99, 3.5)


def test_evidence_goes_to_a_file_when_a_folder_is_given(tmp_path: Path) -> None:
    found = session.session("one", Context(source="quiet:a", data_dir=str(tmp_path)))
    assert isinstance(found.aws.store, SqliteStore)
    session.close("one")
    assert (tmp_path / "evidence.db").exists()


@pytest.mark.parametrize("source", ["", "moon", "moon:1", "Quiet:a"])
def test_an_unknown_source_is_told_with_the_known_ones(source: str) -> None:
    with pytest.raises(BadInput, match=r"is not a source\. Known: live, recording:PATH, .*quiet"):
        session.session("one", Context(source=source))


def test_a_recording_that_is_not_there() -> None:
    with pytest.raises(BadRecording, match="no recording at"):
        session.session("one", Context(source="recording:/nowhere.yaml"))


def test_a_session_that_could_not_be_made_is_not_kept(opened: list[Quiet]) -> None:
    with pytest.raises(BadInput):
        session.session("one", Context(source="moon:1"))
    assert session.session("one", Context(source="quiet:a")).start == BEGIN
    assert len(opened) == 1
