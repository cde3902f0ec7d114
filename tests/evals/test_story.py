from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from evals.baselines import Guess, scene_of
from evals.cases import find
from evals.story import Story, story
from evals.worlds import open_world, truth_of
from graph.models import Incident, Prevention, Report, Trigger
from tools.models import Metric, Series, Statement, Window

(CASE,) = find(only=["dynamodb-decoys"])


def told(seen: bool = True) -> Story:
    world = open_world(f"{CASE.folder}?seed=1")
    truth = truth_of(CASE, world)
    changes = scene_of(world, world.start, "").changes if seen else ()
    return story(world, truth, None, changes)


def test_it_holds_metric_onset_alarm_and_the_true_change() -> None:
    world = open_world(f"{CASE.folder}?seed=1")
    found = told()
    assert found.onset == world.facts["onset"]
    assert found.told is None, "there is no report"
    cause = [one for one in found.marks if one.role == "cause"]
    assert [one.time for one in cause] == [world.facts["change.time"]]
    assert world.facts["change.actor.name"] in cause[0].text
    assert [state for _, state in found.transitions][-1] == "ALARM"
    assert found.transitions[0] == (found.start, "OK"), "the state that holds at the start"
    assert found.metric.startswith("AWS/DynamoDB WriteThrottleEvents (Sum, ")
    assert found.points
    assert all(found.start <= moment <= found.end for moment, _ in found.points)
    assert found.start <= cause[0].time - timedelta(minutes=29)


def test_a_true_change_that_nobody_can_see_is_shown_all_the_same() -> None:
    assert [one.role for one in told(seen=False).marks] == ["cause"]


def test_where_the_world_has_no_alarm_the_series_of_the_report_is_drawn() -> None:
    world = open_world(f"{CASE.folder}?seed=1")
    series = Series(
        metric=Metric(namespace="AWS/Lambda", name="Errors", dimensions=(), stat="Sum"),
        window=Window(start=world.start - timedelta(days=2), end=world.start),
        points=tuple((world.start - timedelta(minutes=back), 3.0) for back in (2000, 30, 20, 10)),
    )
    incident = Incident(account=world.account, region=world.region, resource="x", recent=series)
    said = Statement(text="x")
    measure = Prevention(kind="notice", title="x", why="x", artefact_name="a.json", artefact={})
    report = Report(
        verdict="not_found", headline="x", as_of=world.start, trigger=Trigger(text="x"), incident=incident,
        broken=said, why=said, prevention=(measure,),
    )  # fmt: skip
    without = replace(world, trigger={"text": "x"})
    found = story(without, truth_of(CASE, world), report, ())
    assert found.metric == "AWS/Lambda Errors (Sum, 60 s)"
    assert [value for _, value in found.points] == [3.0, 3.0, 3.0]
    assert found.transitions == ()


def test_too_many_other_changes_are_thinned_out() -> None:
    world = open_world(f"{CASE.folder}?seed=1")
    inside = [
        record
        for record in world.trail.records
        if world.start - timedelta(hours=1) <= record.time < world.start
    ]
    assert len(inside) > 31
    seen = [Guess(event=record.id) for record in inside]
    found = story(world, truth_of(CASE, world), None, seen)
    assert len(found.marks) == 31
    assert sorted({one.role for one in found.marks}) == ["cause", "other"]
