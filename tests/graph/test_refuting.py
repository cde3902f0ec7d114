"""What is read to tell two rivals apart, and that the graph goes that way before it settles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from graph.facts import Facts
from graph.models import Hypothesis
from graph.nodes.diagnosis import after_diagnosis
from graph.nodes.planner import LOOKBACK_HOURS
from graph.refuting import CLOSE, Question, question
from graph.state import State
from tests.graph import made
from tests.graph.made import NOTIFIER, ROLE, TABLE, WRITER

SHOP = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0.0, 0.7)})
LOGS = "/aws/lambda/parcel-notifier"


def rival(resource: str, probability: float, status: Any = "possible") -> Hypothesis:
    return Hypothesis(
        id=resource, kind="change", title=f"a change of {resource}", resource=resource, probability=probability,
        status=status,
    )  # fmt: skip


TWO = (rival(TABLE, 0.6, "leading"), rival(NOTIFIER, 0.3))


def test_the_history_and_logs_of_both_that_were_not_read() -> None:
    known = replace(SHOP, histories=frozenset({TABLE}), log_groups=frozenset({"/aws/lambda/parcel-writer"}))
    asked = question(known, TWO)
    assert asked is not None
    assert (asked.resources, asked.log_groups) == ((NOTIFIER,), (LOGS,))
    assert asked.tasks == ["forensics", "logs"]
    assert asked.between == (TWO[0].title, TWO[1].title)


def test_callers_of_a_rival_tell_of_it_too() -> None:
    asked = question(SHOP, (rival(TABLE, 0.6, "leading"), rival(ROLE, 0.3)))
    assert asked is not None
    assert asked.log_groups == ("/aws/lambda/parcel-writer",)


@pytest.mark.parametrize(
    "ranked",
    [
        (TWO[0],),
        (TWO[0], rival(NOTIFIER, CLOSE / 2)),
        (TWO[0], rival(NOTIFIER, 0.3, "ruled_out")),
        (TWO[0], Hypothesis(id="outside", kind="outside", title="", probability=0.4)),
        (),
    ],
)
def test_without_a_rival_nothing_is_asked(ranked: tuple[Hypothesis, ...]) -> None:
    assert question(SHOP, ranked) is None


def test_it_ends_when_all_is_read_and_where_the_trail_is_not_visible() -> None:
    groups = frozenset({"/aws/lambda/parcel-writer", LOGS})
    read = replace(SHOP, histories=frozenset({TABLE, NOTIFIER}), log_groups=groups)
    assert question(read, TWO) is None
    hidden: Facts = replace(SHOP, trail_visible=False, log_groups=groups)
    assert question(hidden, TWO) is None


def test_nothing_is_asked_twice_and_nothing_of_another_account() -> None:
    tried = replace(SHOP, questioned=frozenset({TABLE, NOTIFIER, LOGS, "/aws/lambda/parcel-writer"}))
    assert question(tried, TWO) is None
    moved = tuple(replace(one, account="444455556666") if one.arn == TABLE else one for one in SHOP.resources)
    asked = question(replace(SHOP, resources=moved), TWO)
    assert asked is not None
    assert asked.resources == (NOTIFIER,)


def test_rivals_come_before_settling_and_before_widening() -> None:
    asked = Question(between=("a", "b"), resources=(TABLE,)).model_dump(mode="json")

    def goes(verdict: str, **more: Any) -> str:
        values = {"verdict": verdict, "furthest": LOOKBACK_HOURS[0], "trail_visible": True, **more}
        return after_diagnosis(cast("State", values))

    assert goes("root_cause", question=asked) == goes("not_found", question=asked) == "planner"
    assert goes("root_cause", question=None) == "mitigation"
    assert Question(between=("a", "b"), resources=(WRITER,)).tasks == ["forensics"]
    assert Question(between=("a", "b")).tasks == []
