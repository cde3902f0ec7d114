"""The accepted hypothesis told: values, sources, who, when, and claims for every number in the sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import RootCause
from graph.weighing import weigh
from graph.weights import MOST_SHOWN
from tests.graph import made
from tests.graph.kinds import KINDS, Kind
from tests.graph.made import API, ONSET, TABLE, WRITER, event, pattern, step

CAP = "OnDemandThroughput.MaxWriteRequestUnits"
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def told(facts: Facts) -> RootCause:
    return root_cause(facts, weigh(facts)[0])


def stepped(**more: Any) -> Facts:
    """The cap fell by its own metric; no event is visible."""
    moves = {
        (TABLE, "WriteThrottleEvents"): (0.0, 18.0),
        (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 18.0),
        (TABLE, "ConsumedWriteCapacityUnits"): (20.0, 2.0),
    }
    own = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 250, 2)
    return made.facts((TABLE, "WriteThrottleEvents"), moves, steps=(own,), trail_visible=False, **more)


@every_kind
def test_event_person_and_time_are_those_of_the_change(kind: Kind) -> None:
    cause = told(kind.facts())
    assert cause.event is not None
    assert (cause.event.id, cause.event.operation) == ("true", kind.change.operation)
    assert cause.earliest == cause.latest == kind.change.time == cause.event.time
    assert cause.actor == kind.change.actor
    assert cause.confidence <= MOST_SHOWN
    assert kind.change.evidence[0] in cause.statement.evidence


@every_kind
def test_the_sentence_says_who_and_when_and_claims_it(kind: Kind) -> None:
    cause = told(kind.facts())
    text = cause.statement.text
    assert text.startswith(f"At {kind.change.time:%Y-%m-%dT%H:%M:%SZ} ")
    assert kind.change.actor.name in text
    assert "{" not in text.replace("{report}", "")
    assert "  " not in text
    assert not re.search(r" [.,;]", text), text
    claimed = {claim.field: claim.value for claim in cause.statement.claims if claim.kind == "event"}
    assert claimed["action"] == kind.change.action
    assert claimed["actor"] == kind.change.actor.name
    assert claimed["time"] == kind.change.time.isoformat()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "timeout lowered",
            "At 2026-04-09T09:59:00Z IAM user ops-31 (console, MFA, 203.0.113.24) lowered the timeout of function "
            "parcel-writer from 30 to 3 seconds.",
        ),
        (
            "reserved concurrency 0",
            "At 2026-04-09T09:59:00Z IAM user ops-31 (console, MFA, 203.0.113.24) changed the reserved concurrency "
            "of function parcel-writer to 0 concurrent executions (prior value unknown). Demand was 3.",
        ),
        (
            "event source mapping disabled",
            "At 2026-04-09T09:58:00Z IAM user ops-31 (console, MFA, 203.0.113.24) switched off the polling "
            "of event source mapping 5a1c0b52-3f6e-4a37-9c55-0b6f8f2f5a10 (prior value unknown).",
        ),
        (
            "environment variable gone",
            "At 2026-04-09T09:59:00Z IAM user ops-31 (console, MFA, 203.0.113.24) changed the environment variables "
            "of function parcel-writer (CloudTrail hides the value).",
        ),
        (
            "bad code",
            "At 2026-04-09T09:59:00Z role deployer, session run-7 (program) called UpdateFunctionCode on function "
            "parcel-writer.",
        ),
        (
            "provisioned capacity lowered",
            "At 2026-04-09T09:57:00Z IAM user ops-31 (console, MFA, 203.0.113.24) lowered the provisioned write "
            "capacity of table parcels from 200 to 2 write units per second. Demand was 20 per second.",
        ),
    ],
)
def test_sentences(name: str, sentence: str) -> None:
    assert told(KINDS[name].facts()).statement.text == sentence


def test_values_and_sources() -> None:
    cause = told(KINDS["timeout lowered"].facts())
    assert (cause.field, cause.bad_value, cause.prior_known, cause.prior_value) == ("Timeout", 3, True, 30)
    assert [source.kind for source in cause.prior_sources] == ["previous_event"]
    assert cause.prior_note == ""
    settings = [claim for claim in cause.statement.claims if claim.kind == "setting"]
    assert {claim.value for claim in settings} == {3, 30}


def test_two_agreeing_sources() -> None:
    own = step(TABLE, "ProvisionedThroughput.WriteCapacityUnits", "ProvisionedWriteCapacityUnits", 200, 2)
    cause = told(KINDS["provisioned capacity lowered"].facts(steps=(own,)))
    assert (cause.prior_value, cause.prior_note) == (200, "")
    assert [source.kind for source in cause.prior_sources] == ["same_event", "metric"]


def test_two_sources_that_differ_are_told() -> None:
    own = step(TABLE, "ProvisionedThroughput.WriteCapacityUnits", "ProvisionedWriteCapacityUnits", 180, 2)
    cause = told(KINDS["provisioned capacity lowered"].facts(steps=(own,)))
    assert cause.prior_value == 200
    assert cause.prior_note.startswith("The sources differ: ")
    assert "180" in cause.prior_note


def test_an_unknown_value_before_is_said_and_not_guessed() -> None:
    cause = told(KINDS["reserved concurrency 0"].facts())
    assert (cause.prior_known, cause.prior_value, cause.prior_sources) == (False, None, ())
    assert cause.prior_note.startswith("Prior value unknown. Do not guess it")


def test_a_hidden_value_is_not_told() -> None:
    cause = told(KINDS["environment variable gone"].facts())
    assert not cause.prior_known
    assert cause.prior_value is None
    assert not [claim for claim in cause.statement.claims if claim.kind == "setting"]


def test_without_an_event_an_interval_and_no_person() -> None:
    cause = told(stepped())
    assert (cause.kind, cause.event, cause.actor) == ("setting", None, None)
    assert (cause.prior_value, cause.bad_value) == (250, 2)
    assert cause.earliest is not None
    assert cause.latest is not None
    assert ONSET - timedelta(minutes=5) <= cause.earliest < cause.latest <= ONSET + timedelta(minutes=1)
    text = cause.statement.text
    assert text.startswith(
        "Between 2026-04-09T09:55:00Z and 2026-04-09T10:00:00Z the maximum write throughput of table"
    )
    assert (
        "was lowered from 250 to 2 writes per second; who did it is not visible. Demand was 20 per second."
        in text
    )
    assert {claim.value for claim in cause.statement.claims if claim.kind == "setting"} == {250, 2}


def test_a_condition_is_told_with_its_count() -> None:
    line = pattern(
        f"ThrottlingException: TableWriteKeyRangeThroughputExceeded for {TABLE}, see the documentation"
    )
    moves = {
        (TABLE, name): (0.0, 9.0) for name in ("WriteThrottleEvents", "WriteKeyRangeThroughputThrottleEvents")
    }
    cause = told(made.facts((TABLE, "WriteThrottleEvents"), moves, patterns=(line,)))
    assert (cause.kind, cause.field, cause.event, cause.actor) == (
        "condition",
        "hot-partition-write",
        None,
        None,
    )
    assert cause.statement.text.startswith("Hot partition: writes concentrate on few keys on parcels.")
    assert "WriteKeyRangeThroughputThrottleEvents: 21,600 since the onset." in cause.statement.text
    (count,) = cause.statement.claims
    assert (count.how, count.value) == ("sum", 9.0 * 2400)


def test_traffic_is_told_with_both_rates() -> None:
    moves = {
        (TABLE, "WriteThrottleEvents"): (0.0, 90.0),
        (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 90.0),
        (API, "Count"): (20.0, 400.0),
    }
    resources = tuple(item for item in made.shop() if item.arn != made.HTTP_API)
    cause = told(made.facts((TABLE, "WriteThrottleEvents"), moves, resources=resources))
    assert (cause.kind, cause.event, cause.actor, cause.resource) == ("traffic", None, None, API)
    assert cause.statement.text == (
        "parcels-rest was asked 400 per second, 20 before: more was asked for. No change of its limits is visible."
    )
    assert [claim.value for claim in cause.statement.claims] == [400, 20]


def test_long_documents_are_not_printed() -> None:
    long = '{"Version":"2012-10-17","Statement":[' + ",".join(['{"Effect":"Deny"}'] * 9) + "]}"
    kind = KINDS["queue policy refuses the sender"]
    request = {**kind.change.request, "attributes": {"Policy": long}}
    cause = told(replace(kind, change=replace(kind.change, request=request)).facts())
    assert cause.statement.text.endswith(
        "changed the queue policy of queue parcel-events (prior value unknown)."
    )


def test_a_change_without_a_setting_has_no_values() -> None:
    strange = event("lambda", "DeleteFunction", {"functionName": "parcel-writer"}, id="true")
    cause = told(made.facts((API, "5XXError"), {(API, "5XXError"): (0, 9)}, changes=[strange]))
    assert (cause.field, cause.bad_value, cause.prior_known, cause.prior_note) == ("", None, False, "")
    assert cause.resource == WRITER
