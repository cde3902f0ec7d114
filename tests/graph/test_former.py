"""What led to the symptom until it was changed: a record of a zone that names the load balancer no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from evals.world import World, load_case
from graph.facts import Facts
from graph.former import LED_TO, Former, former
from graph.models import Hypothesis, Incident
from graph.weighing.where import topology
from graph.weights import WEIGHTS
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.cloudtrail import lookup
from tools.evidence import MemoryStore
from tools.models import Onset, Resource, Window
from tools.topology import stub


def looked(made: World, symptom: str, host: str) -> tuple[Former, Reader]:
    limits = Budget(Limits(calls=60))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    reader = Reader(aws, "F")
    window = Window(start=made.facts["onset"] - timedelta(hours=2), end=made.start)
    seen = lookup(
        reader, attribute=("ReadOnly", "false"), window=window, region=made.global_region, pages=20
    ).events
    balancer = Resource(
        arn=symptom,
        service="elbv2",
        type="load-balancer",
        name="public",
        account=made.account,
        region=made.region,
        config={"DNSName": host},
    )
    began = made.facts["onset"]
    onset = Onset(earliest=began, latest=began + timedelta(minutes=1), confidence=0.9, shape="step")
    incident = Incident(account=made.account, region=made.region, resource=symptom, onset=onset)
    facts = Facts(incident=incident, as_of=made.start, resources=(balancer,))
    return former(reader, facts, seen, lambda arn: stub(arn, made.account)), reader


def test_a_record_that_led_to_the_symptom_is_found_by_its_earlier_event() -> None:
    made = load_case("dns-record-moved", 3)
    led, _ = looked(made, made.facts["lb.arn"], made.facts["lb.host"])
    assert [(one.source, one.kind, one.target) for one in led.relations] == [
        (made.facts["zone.arn"], LED_TO, made.facts["lb.arn"])
    ]
    assert [one.arn for one in led.resources] == [made.facts["zone.arn"]]
    assert led.aside == {made.facts["other.event_id"]}
    assert {made.facts["change.event_id"], made.facts["prior.event_id"]} <= {one.id for one in led.events}


def test_a_record_that_led_elsewhere_is_nothing() -> None:
    made = load_case("dns-record-moved", 3)
    led, _ = looked(made, made.facts["lb.arn"], "another-1234.eu-west-1.elb.amazonaws.com")
    assert led == Former()


def test_another_record_of_the_zone_is_ruled_out_with_the_reason() -> None:
    made = load_case("dns-record-moved", 2)
    led, _ = looked(made, made.facts["lb.arn"], made.facts["lb.host"])
    zone, other = made.facts["zone.arn"], made.facts["other.event_id"]
    seen = next(one for one in led.events if one.id == made.facts["change.event_id"])
    facts = Facts(
        incident=Incident(account=made.account, region=made.region, resource=made.facts["lb.arn"]),
        as_of=made.start,
        resources=led.resources,
        relations=led.relations,
        changes=(seen, replace(seen, id=other)),
        aside=led.aside,
    )
    told = topology(facts, Hypothesis(id="o", kind="change", title="", resource=zone, event=other))
    assert told is not None
    assert told.weight == WEIGHTS["topology.no_path"]
    assert "did not lead to the symptom" in told.statement.text
    true = topology(facts, Hypothesis(id="t", kind="change", title="", resource=zone, event=seen.id))
    assert true is not None
    assert true.weight > 0
