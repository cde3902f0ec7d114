from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.pictures import WIDTH, picture
from evals.story import Mark, Story

START = datetime(2026, 2, 3, 4, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


STORY = Story(
    start=START,
    end=at(60),
    metric="AWS/Lambda Errors (Sum, 60 s)",
    points=tuple((at(minute), 7.0) for minute in (20, 21, 22, 40, 41)),
    onset=at(20),
    told=(at(19), at(21)),
    marks=(
        Mark(time=at(5), text="TagResource x", role="other"),
        Mark(time=at(18), text='UpdateTable <a> & "b"', role="cause"),
        Mark(time=at(30), text="PutMetricAlarm y", role="blamed"),
    ),
    transitions=((START, "OK"), (at(24), "ALARM")),
)


def drawn(story: Story) -> ElementTree.Element:
    return ElementTree.fromstring(picture(story, "Timeline"))


def of(story: Story, name: str) -> list[ElementTree.Element]:
    """Elements of one class, in order."""
    return [one for one in drawn(story).iter() if one.get("class") == name]


def texts(story: Story) -> list[str]:
    return [one.text or "" for one in drawn(story).iter() if one.tag.endswith("}text")]


def test_onset_true_and_told_stand_at_their_times() -> None:
    (true, sign), (told, _) = of(STORY, "truth"), of(STORY, "told")
    assert true.findtext("{http://www.w3.org/2000/svg}title") == "true onset: 04:20:00"
    assert sign.get("y1") != true.get("y1"), "the second one is the legend's"
    assert told.findtext("{http://www.w3.org/2000/svg}title") == "onset told: 04:19:00 to 04:21:00"
    middle = float(told.get("x", "")) + float(told.get("width", "")) / 2
    assert middle == pytest.approx(float(true.get("x1", "")), abs=0.2)


def test_the_cause_and_the_blamed_are_told_in_words_others_are_not() -> None:
    said = texts(STORY)
    assert 'true cause: UpdateTable <a> & "b", 04:18:00' in said
    assert "blamed: PutMetricAlarm y, 04:30:00" in said
    assert not any("TagResource" in text for text in said)
    assert "TagResource x" in picture(STORY, "")
    both = replace(STORY, marks=(Mark(time=at(18), text="UpdateTable", role="both"),))
    assert "true cause, and blamed: UpdateTable, 04:18:00" in texts(both)


def test_the_alarm_is_a_band_of_its_states() -> None:
    (ok,), (alarm, _) = of(STORY, "OK"), of(STORY, "ALARM")
    left, width = (float(ok.get(name, "")) for name in ("x", "width"))
    assert left + width == pytest.approx(float(alarm.get("x", "")), abs=0.2)
    assert width == pytest.approx(float(alarm.get("width", "")) * 24 / 36, rel=0.01)


def test_missing_datapoints_break_the_line() -> None:
    lines = [one.get("points", "").split() for one in of(STORY, "line")]
    assert [len(line) for line in lines] == [3, 2]


def test_a_story_of_which_little_is_known_is_drawn_too() -> None:
    bare = Story(start=START, end=START)
    assert "no metric to show" in texts(bare)
    assert of(bare, "line") == of(bare, "truth") == of(bare, "told") == []
    single = replace(STORY, points=((at(20), 0.0),))
    assert [one.get("points") for one in of(single, "line")] == [of(single, "line")[0].get("points")]


@given(
    st.lists(st.tuples(st.integers(-90, 150), st.sampled_from(["cause", "blamed", "other"])), max_size=6),
    st.lists(st.floats(0, 1e12), max_size=8),
)
def test_everything_stays_inside_the_picture(marks: list[tuple[int, str]], values: list[float]) -> None:
    story = replace(
        STORY,
        marks=tuple(Mark(time=at(minute), text="x", role=role) for minute, role in marks),  # type: ignore[arg-type]
        points=tuple((at(minute), value) for minute, value in enumerate(values)),
    )
    places = [
        float(pair.split(",")[0]) for one in drawn(story).iter() for pair in one.get("points", "").split()
    ]
    assert all(0 <= place <= WIDTH for place in places)


def test_it_asks_for_nothing_from_outside() -> None:
    addresses = re.findall(r"https?://[^\s\"']+", picture(STORY, "Timeline"))
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in picture(STORY, "Timeline")
