"""What users suffer: the door, counts, data at risk; nothing where nothing is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.impact import broken, door, impact
from tests.graph import made
from tests.graph.kinds import KINDS, Kind
from tests.graph.made import API, ONSET, QUEUE, TABLE, WRITER, arn, resource
from tools.models import Onset, Relation

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
STOPPED = KINDS["reserved concurrency 0"]


def test_the_door_is_where_users_come_in() -> None:
    facts = STOPPED.facts()
    assert door(facts) == API
    found = broken(facts, "root_cause")
    assert found.text.startswith("parcels-rest fails: 100 % of its requests end in an error since ")
    totals = [claim.value for claim in found.claims if claim.how == "sum"]
    assert totals == [20.0 * 2400, 20.0 * 2400]


def test_without_errors_upstream_the_symptom_speaks_for_itself() -> None:
    facts = KINDS["provisioned capacity lowered"].facts()
    assert door(facts) == TABLE
    assert broken(facts, "root_cause").text.startswith("Table parcels: 43,200 writes refused since ")


def test_a_symptom_that_is_no_count() -> None:
    found = broken(KINDS["memory lowered"].facts(), "root_cause")
    assert found.text.startswith(
        "Duration of parcel-writer is out of line since 2026-04-09T10:00:00Z, still going"
    )


@pytest.mark.parametrize(("of", "share"), [("HTTPCode_Target_5XX_Count", 90), ("HTTPCode_ELB_5XX_Count", 2)])
def test_of_several_counts_of_errors_the_alarms_own_is_told_else_the_largest(of: str, share: int) -> None:
    balancer = arn("elasticloadbalancing", "loadbalancer/app/shop/50dc6c495c0c9188")
    web = arn("ec2", "instance/i-web")
    moves = {
        (balancer, "RequestCount"): (100.0, 100.0),
        (balancer, "HTTPCode_ELB_5XX_Count"): (0.0, 2.0),
        (balancer, "HTTPCode_Target_5XX_Count"): (0.0, 90.0),
    }
    symptom = (balancer, of) if share == 2 else (web, "CPUUtilization")
    facts = made.facts(
        symptom,
        moves,
        resources=(resource(balancer, "shop"), resource(web, "i-web")),
        relations=[Relation(source=balancer, kind="targets", target=web, provenance="")],
    )
    assert broken(facts, "root_cause").text.startswith(
        f"shop fails: {share} % of its requests end in an error"
    )


def test_an_ended_symptom_has_an_end() -> None:
    ended = Onset(earliest=ONSET, latest=ONSET, confidence=0.9, shape="spike", ended=made.AS_OF)
    text = broken(STOPPED.facts(onset=ended), "recovered").text
    assert "from 2026-04-09T10:00:00Z to 2026-04-09T10:40:00Z" in text
    assert "still going" not in text


def test_nothing_is_broken_when_there_is_no_incident() -> None:
    facts = made.facts((WRITER, "Duration"), {})
    found = broken(facts, "no_incident")
    assert found.text == (
        "Nothing is broken: Duration of parcel-writer is 120 now and was 120 before. Alarm parcels-alarm is red."
    )
    assert [claim.value for claim in found.claims] == ["ALARM", 120, 120]
    assert impact(facts, "no_incident").statements == ()
    assert impact(facts, "no_incident").data_loss is None


def test_each_resource_that_passes_the_failure_on_is_counted_once() -> None:
    found = impact(STOPPED.facts(), "root_cause")
    assert len(found.statements) == 2
    assert "parcel-writer: 48,000 throttled invocations" in found.statements[0].text
    assert "parcels-rest: 48,000 server errors" in found.statements[1].text
    assert [claim.value for item in found.statements for claim in item.claims] == [48000.0, 48000.0]


def test_without_a_queue_work_is_lost() -> None:
    found = impact(STOPPED.facts(), "root_cause").data_loss
    assert found is not None
    assert found.text.startswith("No queue on this path: 48,000 requests failed")
    assert [claim.value for claim in found.claims] == [48000.0]


def test_behind_a_queue_work_waits() -> None:
    moves = {
        (TABLE, "WriteThrottleEvents"): (0.0, 9.0),
        (made.NOTIFIER, "Errors"): (0.0, 8.0),
        (QUEUE, "ApproximateNumberOfMessagesVisible"): (2.0, 900.0),
    }
    resources = tuple(
        replace(item, config={**item.config, "Environment": {"Variables": {"TABLE_NAME": "parcels"}}})
        if item.arn == made.NOTIFIER
        else item
        for item in made.shop()
        if item.arn not in (API, made.HTTP_API)
    )
    found = impact(
        made.facts((TABLE, "WriteThrottleEvents"), moves, resources=resources), "root_cause"
    ).data_loss
    assert found is not None
    assert found.text == "Work waits in parcel-events; it is not lost while it is kept there."


@every_kind
def test_every_number_is_claimed(kind: Kind) -> None:
    facts = kind.facts()
    found = broken(facts, "root_cause")
    assert found.claims
    assert "{" not in found.text
    for item in impact(facts, "root_cause").statements:
        assert item.claims
        assert item.evidence
