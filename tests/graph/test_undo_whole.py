"""An update may replace the whole: what it left out comes back too, or the plan is not exact."""

from __future__ import annotations

from typing import Any

import pytest

from graph.undoing.known import Known
from graph.undoing.restore import Restoration, restoration
from tests.graph.test_undo_outcomes import event
from tools.models import ChangeEvent, Json

COMMAND: Json = {"name": "glueetl", "scriptLocation": "s3://jobs/nightly.py"}


def judged(one: ChangeEvent, *others: ChangeEvent) -> Restoration:
    return restoration(one, Known(events=(one, *others)))


def job(hours: float, **sent: Any) -> ChangeEvent:
    return event("glue", "UpdateJob", hours, {"jobName": "nightly", "jobUpdate": sent})


def crawler(hours: float, **sent: Any) -> ChangeEvent:
    return event("glue", "UpdateCrawler", hours, {"name": "orders", **sent})


def test_what_the_update_dropped_comes_back_with_what_it_changed() -> None:
    before = job(9, role="glue-etl", timeout=60, maxRetries=3, command=COMMAND)
    made = judged(job(1, role="glue-etl", timeout=1, command=COMMAND), before)
    assert made.outcome == "exact"
    (call,) = made.calls
    assert call.parameters["JobUpdate"] == {
        "Role": "glue-etl",
        "Timeout": 60,
        "MaxRetries": 3,
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://jobs/nightly.py"},
    }
    (back,) = made.back
    assert back.parameters["JobUpdate"]["Command"] == call.parameters["JobUpdate"]["Command"]


def test_an_earlier_request_that_tells_less_is_not_enough() -> None:
    made = judged(job(1, role="glue-etl", timeout=1, command=COMMAND), job(9, timeout=60))
    assert made.outcome == "partial"
    assert set(made.unknown) >= {"jobUpdate.role", "jobUpdate.command.name"}
    for call in made.calls:
        assert call.parameters["JobUpdate"]["Role"] == "glue-etl"
        assert call.parameters["JobUpdate"]["Timeout"] == 60


def test_a_later_update_of_something_else_leaves_a_doubt() -> None:
    made = judged(job(2, timeout=1), job(9, timeout=60), job(1, maxRetries=3))
    assert made.outcome != "exact"


@pytest.mark.parametrize(
    ("field", "empty", "full", "member"),
    [("tablePrefix", "", "raw_", "TablePrefix"), ("classifiers", [], ["orders-csv"], "Classifiers")],
)
def test_what_the_update_cleared_comes_back(field: str, empty: Any, full: Any, member: str) -> None:
    one = crawler(1, description="new", **{field: empty})
    made = judged(one, crawler(9, description="old", **{field: full}))
    assert made.outcome == "exact"
    (call,) = made.calls
    assert call.parameters == {"Name": "orders", "Description": "old", member: full}
    unknown = judged(one, crawler(9, description="old"))
    assert unknown.outcome == "partial"
    assert field in unknown.unknown


def test_a_modify_leaves_alone_what_it_does_not_name() -> None:
    sent: Json = {"clusterIdentifier": "reports"}
    made = judged(
        event("redshift", "ModifyCluster", 1, {**sent, "numberOfNodes": 2}),
        event("redshift", "ModifyCluster", 9, {**sent, "numberOfNodes": 4, "allowVersionUpgrade": True}),
    )
    assert (made.outcome, [call.parameters for call in made.calls]) == (
        "exact",
        [{"ClusterIdentifier": "reports", "NumberOfNodes": 4}],
    )
