"""The benchmark of onset: what is made, how answers are judged, its table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

import evals
from evals.benchmarks.made_shapes import SHAPES, made
from evals.benchmarks.onset import judged, row, run


def test_every_shape_is_asked_about_with_and_without_trouble() -> None:
    every = list(made([1]))
    assert len(every) == len(SHAPES) * 2 * 2 * 2
    assert {one.shape for one in every} == set(SHAPES)
    assert sum(one.truth is None for one in every) == len(every) // 2
    for one in every:
        assert one.series.points or one.missing == "zero"
        assert one.series.window.start <= one.window.start < one.window.end == one.series.window.end
        assert one.truth is None or one.window.start < one.truth < one.window.end
        assert (one.view == "symptom") == (one.window.start - one.series.window.start == timedelta(hours=69))
    assert every == list(made([1]))
    assert every != list(made([2]))


def test_a_step_is_there_from_the_truth_on() -> None:
    (one,) = [
        one
        for one in made([1])
        if (one.shape, one.view, one.series.metric.period, one.truth is None)
        == ("silence", "symptom", 60, False)
    ]
    assert one.truth is not None
    settled = one.truth + timedelta(minutes=6)
    assert not [value for moment, value in one.series.points if moment > settled and value]
    assert len([value for moment, value in one.series.points if moment < one.truth]) > 4000


def test_answers_are_judged_by_where_the_truth_lies() -> None:
    asked = next(
        one for one in made([1]) if one.shape == "counter" and one.truth is not None and one.view == "symptom"
    )
    told = judged(asked)
    assert (told.answered, told.covered) == (True, True)
    assert told.off is not None
    assert told.wide is not None
    assert told.off <= told.wide / 2
    assert asked.truth is not None
    late = judged(replace(asked, truth=asked.truth + timedelta(hours=2)))
    assert (late.covered, late.off) != (True, told.off)
    quiet = judged(replace(asked, truth=None))
    assert (quiet.trouble, quiet.answered, quiet.off) == (False, True, None)
    every = row([told, late, quiet])
    assert (every.asked, every.answered, every.covered, every.quiet, every.false) == (2, 2, 1, 1, 1)


def test_the_table_and_the_figures_say_the_same() -> None:
    result = run([1])
    assert json.dumps(dict(result.figures)) == json.dumps(dict(run([1]).figures))
    views = result.figures["views"]
    assert isinstance(views, dict)
    for view in ("symptom", "neighbour"):
        assert set(views[view]) == {*SHAPES, "all"}
        everything = views[view]["all"]
        assert everything["asked"] == everything["quiet"] == 2 * len(SHAPES)
        assert everything["answered"] >= 14
        assert everything["covered"] >= 0.7 * everything["answered"]
        assert everything["false"] <= 3
        assert f"{everything['answered']}/{everything['asked']}" in result.text
    assert "onset" in evals.BENCHMARKS
    assert "onset" in evals.WITHOUT_DATA


@pytest.mark.parametrize("shape", list(SHAPES))
def test_shapes_need_nothing_but_a_seed(shape: str) -> None:
    assert [one.series for one in made([3]) if one.shape == shape] == [
        one.series for one in made([3]) if one.shape == shape
    ]
