"""What counts as louder since the onset: by the time watched, by the share that was read, among all patterns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from graph.facts import Facts, compare
from tests.graph import made
from tests.graph.made import ONSET, WRITER, pattern
from tools.models import LogPattern, Window

HALF = Window(start=ONSET, end=ONSET + timedelta(minutes=30))


def said(*patterns: LogPattern) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, patterns=patterns, log_window=HALF)


def test_twice_the_rate_is_louder_and_half_the_time_counts_half() -> None:
    often, same, rare = (
        pattern("KeyError: 'A'", before=20, after=60),
        pattern("ValueError: bad", before=40, after=22),
        pattern("IndexError: bad", before=1, after=2),
    )
    found = said(often, same, rare)
    assert [found.louder(one) for one in (often, same, rare)] == [True, False, False]


def test_new_lines_are_louder_however_few() -> None:
    one = pattern("KeyError: 'A'", before=0, after=1)
    assert said(one).louder(one)
    gone = pattern("KeyError: 'A'", before=30, after=0)
    assert not said(gone).louder(gone)


def test_a_sample_of_the_lines_before_is_no_silence() -> None:
    whole = pattern("KeyError: 'A'", before=40, after=250)
    sampled = replace(whole, read_before=0.08)
    assert said(whole).louder(whole)
    assert not said(sampled).louder(sampled)
    (new,) = compare([replace(sampled, before=0, after=2, read_before=0.02)], HALF.seconds)
    assert new.kind == "steady"


def test_lines_that_stay_away_are_gone() -> None:
    verdicts = compare(
        [pattern("KeyError: 'A'", before=30, after=0), pattern("x failed", before=2, after=0)], 1800
    )
    assert [one.kind for one in verdicts] == ["gone", "steady"]
