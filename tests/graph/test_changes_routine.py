"""The routine of a pipeline is one line for each thing; numbers and what people do are not joined."""

from __future__ import annotations

from dataclasses import replace

from graph.changes import Line, listing
from graph.undoing.known import Known
from tests.graph.test_undo_outcomes import event, limit
from tools.models import Actor, ChangeEvent

PIPELINE = Actor(kind="ci", name="deployer", how="sdk", role="deployer", session="run-7")
_ARN = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web"


def deployed(hours: float, revision: int, service: str = "web", *, hand: bool = False) -> ChangeEvent:
    sent = {"cluster": "shop", "service": service, "taskDefinition": f"{_ARN}:{revision}"}
    one = event("ecs", "UpdateService", hours, sent)
    return one if hand else replace(one, actor=PIPELINE)


def lines(*events: ChangeEvent) -> list[Line]:
    found = listing(events, Known(events=(deployed(90, 1), deployed(91, 1, "api"), limit(92, 400), *events)))
    assert found.shown == found.total == len(events)
    return list(found.lines)


def test_three_deployments_of_one_service_are_one_line_from_first_to_last() -> None:
    runs = (deployed(3, 2), deployed(2, 3), deployed(1, 4))
    (line,) = lines(*runs)
    assert line.events == tuple(one.id for one in reversed(runs))
    assert [(one.before, one.after) for one in line.fields] == [(f"{_ARN}:1", f"{_ARN}:4")]
    assert (line.status, line.time) == ("in force", runs[-1].time)


def test_two_rounds_or_other_services_stay_apart() -> None:
    assert len(lines(deployed(3, 2), deployed(2, 3))) == 2
    assert len(lines(deployed(3, 2), deployed(2, 3), deployed(1, 2, "api"))) == 3


def test_what_a_person_deploys_is_told_by_itself() -> None:
    found = lines(deployed(4, 2), deployed(3, 3), deployed(2, 9, hand=True), deployed(1, 4))
    assert sorted((line.who, line.count) for line in found) == [("dana", 1), ("deployer", 3)]


def test_a_limit_that_was_low_for_an_hour_is_seen() -> None:
    moves = [replace(limit(hours, units), actor=PIPELINE) for hours, units in ((3, 300), (2, 2), (1, 350))]
    after = {one.after for line in lines(*moves) for one in line.fields}
    assert after == {"300 writes per second", "2 writes per second", "350 writes per second"}


def test_one_line_of_several_things_does_not_give_them_all_one_value() -> None:
    first = [deployed(number, number, f"new-{number}") for number in (1, 2)]
    (line,) = listing(first, Known(events=tuple(first))).lines
    assert [(one.before, one.after) for one in line.fields] == [("unknown", "different values")]
