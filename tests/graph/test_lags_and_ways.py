"""How late an effect may come, how far configuration is from what it configures, and what comes down with the work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weighing import hypotheses, special
from graph.weighing.coincidence import changes_per_hour, coincidence
from graph.weighing.when import time
from graph.weighing.where import bears, topology
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.kinds import configured
from tests.graph.made import API, DEAD, NOTIFIER, QUEUE, STRANGER, TABLE, WRITER, arn, event, resource
from tools.models import Relation

SECRET = arn("secretsmanager", "secret:parcels/db-x7Kq2p")


def named(facts: Facts, id: str = "true") -> Hypothesis:
    return next(item for item in hypotheses(facts) if item.event == id)


def weight(found: TestResult | None) -> float:
    return found.weight if found is not None else 0.0


def writer_fails(*changes: Any, **more: Any) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, **more)


def unknown(minutes: float = -1.0, function: str = "parcel-writer", id: str = "true") -> Any:
    return event("lambda", "SomethingNew", {"functionName": function}, id=id, minutes=minutes)


# -- time --------------------------------------------------------------------------------------------


def lag(minutes: float) -> float:
    facts = writer_fails(configured(minutes=-minutes, timeout=3), lookback=336)
    return weight(time(facts, named(facts)))


def test_a_lag_somewhat_longer_than_the_mechanism_takes_speaks_for_it_still() -> None:
    """Timeouts show within ten minutes; twice as long is one doubling, and neither is worth more than in time."""
    assert lag(10) == WEIGHTS["time.fits_mechanism"]
    assert lag(20) == pytest.approx(WEIGHTS["time.fits_mechanism"] + WEIGHTS["time.each_doubling_slower"])
    assert 0 > lag(60) > WEIGHTS["time.much_slower"]
    assert lag(119) == WEIGHTS["time.much_slower"]
    assert lag(14 * 24 * 60) == WEIGHTS["time.hours_slower"]


@given(st.tuples(st.integers(1, 2000), st.integers(1, 2000)))
def test_the_longer_a_lag_the_less_it_weighs(pair: tuple[int, int]) -> None:
    shorter, longer = sorted(pair)
    assert lag(shorter) >= lag(longer) >= WEIGHTS["time.hours_slower"]


# -- ways --------------------------------------------------------------------------------------------


def test_what_feeds_a_resource_is_near_when_that_gets_too_little_work_and_not_when_it_fails() -> None:
    stopped = event("sqs", "SomethingNew", {"queueUrl": "parcel-events"}, id="true")
    silent = made.facts((NOTIFIER, "Invocations"), {(NOTIFIER, "Invocations"): (20, 0)}, changes=[stopped])
    failing = made.facts((NOTIFIER, "Errors"), {(NOTIFIER, "Errors"): (0, 9)}, changes=[stopped])
    assert named(silent).resource == QUEUE
    assert weight(topology(silent, named(silent))) == WEIGHTS["topology.near"]
    assert bears(silent, QUEUE)
    assert not bears(silent, STRANGER)
    assert weight(topology(failing, named(failing))) == WEIGHTS["topology.upstream"]
    assert coincidence(failing, named(failing)) is None


def test_a_dead_letter_queue_hangs_on_what_sends_to_it() -> None:
    lowered = event("sqs", "SomethingNew", {"queueUrl": "parcel-events"}, id="true")
    backlog = "ApproximateNumberOfMessagesVisible"
    facts = made.facts((DEAD, backlog), {(DEAD, backlog): (0, 500)}, changes=[lowered])
    assert weight(topology(facts, named(facts))) == WEIGHTS["topology.near"]
    assert weight(coincidence(facts, named(facts))) > 0


@pytest.mark.parametrize(
    ("where", "expected"),
    [("group", "topology.near"), ("database", "topology.near"), ("behind", "topology.two_away")],
)
def test_what_only_configures_is_no_step_of_its_own(where: str, expected: str) -> None:
    """A parameter group says how its database serves; the database that a database copies serves itself."""
    things = {
        "group": arn("rds", "pg:parcels-postgres16"),
        "database": arn("rds", "db:parcels"),
        "behind": arn("rds", "db:parcels-origin"),
    }
    resources = (*made.shop(), *(resource(one, one.rpartition(":")[2]) for one in things.values()))
    relations = (
        *made.related(made.shop()),
        Relation(source=WRITER, target=things["database"], kind="connects to", provenance=""),
        Relation(source=things["database"], target=things["group"], kind="configured by", provenance=""),
        Relation(source=things["database"], target=things["behind"], kind="connects to", provenance=""),
    )
    change = event("rds", "SomethingNew", {"resourceName": things[where]}, id="true")
    facts = writer_fails(change, resources=resources, relations=relations)
    assert named(facts).resource == things[where]
    assert weight(topology(facts, named(facts))) == WEIGHTS[expected]


# -- coincidence -------------------------------------------------------------------------------------


def test_calls_that_move_nothing_make_changes_no_more_frequent() -> None:
    tagged = [
        event("lambda", "TagResource", {"resource": WRITER}, id=f"tag{n}", minutes=-20 - n) for n in range(6)
    ]
    calm, busy = writer_fails(unknown()), writer_fails(unknown(), *tagged)
    assert changes_per_hour(calm) == changes_per_hour(busy) == 0.5
    others = [unknown(-20 - n, id=f"other{n}") for n in range(5)]
    assert changes_per_hour(writer_fails(unknown(), *others)) == 3


def test_the_later_it_shows_and_the_more_is_changed_the_likelier_it_is_chance() -> None:
    def told(minutes: float, more: int = 0) -> float:
        others = [unknown(-90 - n, "parcel-notifier", f"other{n}") for n in range(more)]
        facts = writer_fails(unknown(-minutes), *others)
        return weight(coincidence(facts, named(facts)))

    assert told(1) >= told(5) > told(20) > told(80) >= 0
    assert told(5) > told(5, more=8)
    assert told(1) <= WEIGHTS["coincidence.most"]


# -- more work ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "again"),
    [((20, 20), True), ((20, 23), True), ((20, 60), False), ((5, 5), False)],
    ids=["as much", "a little more", "more", "only a part of it"],
)
def test_what_is_handed_no_more_work_than_before_does_the_same_work_again(
    sent: tuple[float, float], again: bool
) -> None:
    moves = {
        (NOTIFIER, "Errors"): (0.0, 9.0),
        (NOTIFIER, "Invocations"): (20.0, 90.0),
        (QUEUE, "NumberOfMessagesSent"): sent,
    }
    facts = made.facts((NOTIFIER, "Errors"), moves)
    asked = Hypothesis(id="traffic", kind="traffic", title="", resource=NOTIFIER)
    found = [one.weight for one in special.traffic(facts, asked)]
    assert found == [WEIGHTS["traffic.up"], *([WEIGHTS["traffic.sent_no_more"]] if again else [])]


def test_more_requests_at_the_edge_are_more_requests() -> None:
    moves = {(TABLE, "WriteThrottleEvents"): (0.0, 9.0), (API, "Count"): (20.0, 60.0)}
    facts = made.facts((TABLE, "WriteThrottleEvents"), moves)
    asked = next(item for item in hypotheses(facts) if item.kind == "traffic")
    assert [one.weight for one in special.traffic(facts, asked)] == [WEIGHTS["traffic.up"]]


# -- what is changed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("changed", "other"), [("parcels", "parcel-writer"), ("parcel-writer", "parcels")])
def test_a_call_of_unknown_effect_changes_what_it_names_and_not_what_its_parts_refer_to(
    changed: str, other: str
) -> None:
    by_name = {"parcels": TABLE, "parcel-writer": WRITER}
    asked = {"name": by_name[changed], "entries": {"items": [{"name": by_name[other]}]}}
    facts = writer_fails(event("lambda", "SomethingNew", asked, id="true"))
    assert named(facts).resource == by_name[changed]


# -- rotations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "left"), [(24, {"asked"}), (59, {"asked"}), (75, {"asked", "step"})])
def test_a_rotation_may_take_up_to_an_hour(minutes: float, left: set[str]) -> None:
    secret = resource(SECRET, "parcels/db")
    asked = event("secretsmanager", "RotateSecret", {"secretId": SECRET}, id="asked", minutes=-minutes)
    step = event(
        "secretsmanager",
        "UpdateSecretVersionStage",
        {
            "secretId": SECRET,
            "versionStage": "AWSCURRENT",
            "moveToVersionId": "6d3dcb5f-ccf1-459d-812e-8247791e4a8e",
            "removeFromVersionId": "0b3c1c8e-1111-4222-8333-444455556666",
        },
        id="step",
        minutes=0,
        actor=replace(asked.actor, kind="role"),
    )
    facts = writer_fails(asked, step, resources=(*made.shop(), secret))
    assert {item.event for item in hypotheses(facts) if item.kind == "change"} == left
