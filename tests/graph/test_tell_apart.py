"""Where nothing is proven: the one read or question that would tell the candidates apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.facts import Facts
from graph.models import Hypothesis
from graph.tell_apart import candidates, tell_apart
from graph.weighing import weigh
from tests.graph import made
from tests.graph.kinds import KINDS, Kind, configured
from tests.graph.made import API, TABLE, WRITER, changed, event
from tools.models import Gap

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
STRANGE = event("dynamodb", "SomethingNew", {"tableName": "parcels"}, id="strange")


def standing(facts: Facts, *wanted: str) -> tuple[Hypothesis, ...]:
    """The hypotheses of these events, as if each were as likely as the other."""
    by_event = {item.event: item for item in weigh(facts)}
    return tuple(by_event[id].model_copy(update={"status": "possible", "probability": 0.4}) for id in wanted)


def two_limits() -> Facts:
    cut = event(
        "lambda", "PutFunctionConcurrency",
        {"functionName": "parcel-writer", "reservedConcurrentExecutions": 1}, id="cut", minutes=-2,
    )  # fmt: skip
    old = event(
        "lambda", "PutFunctionConcurrency",
        {"functionName": "parcel-writer", "reservedConcurrentExecutions": 50}, id="old", minutes=-9000,
    )  # fmt: skip
    capped = event(
        "dynamodb", "UpdateTable",
        {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 2}}, id="capped",
    )  # fmt: skip
    before = event(
        "dynamodb", "UpdateTable",
        {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 250}}, id="before", minutes=-9000,
    )  # fmt: skip
    return made.facts(
        (API, "5XXError"),
        {(API, "5XXError"): (0.0, 9.0)},
        changes=(old, before, cut, capped),
        resources=changed(WRITER, ReservedConcurrentExecutions=1),
    )


def test_two_changes_on_different_resources_by_a_metric_that_only_one_moves() -> None:
    facts = two_limits()
    unread = replace(facts, metrics=tuple(m for m in facts.metrics if m.metric.name != "WriteThrottleEvents"))
    found = tell_apart(unread, standing(unread, "cut", "capped"))
    assert found is not None
    assert "WriteThrottleEvents of parcels" in found.text
    assert found.text.startswith("To tell the two apart: ")
    read = tell_apart(facts, standing(facts, "cut", "capped"))
    assert read is not None
    assert "in the very minute of the change" in read.text
    assert read.evidence


def test_a_metric_that_the_other_passes_on_tells_nothing() -> None:
    """A function throttles when its table does, too: only the table's own metric decides."""
    facts = two_limits()
    unread = replace(facts, metrics=())
    found = tell_apart(unread, standing(unread, "cut", "capped"))
    assert found is not None
    assert "Throttles of parcel-writer" not in found.text


def test_a_value_before_that_nobody_knows_is_asked_for() -> None:
    change = configured(
        layers=["arn:aws:lambda:eu-central-1:111122223333:layer:x:3"], role="r", handler="new.handler"
    )
    facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0.0, 8.0)}, changes=(change,))
    (only,) = candidates(weigh(facts))[:1]
    found = tell_apart(facts, (only,))
    assert found is not None
    assert "ops-31" in found.text
    assert found.text.endswith("?")
    assert any(claim.field == "actor" for claim in found.claims)


def test_of_a_change_that_nobody_knows_its_maker_is_asked() -> None:
    facts = made.facts(
        (TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 18)}, changes=[STRANGE]
    )
    found = tell_apart(facts, standing(facts, "strange"))
    assert found is not None
    assert found.text == (
        "To decide, ask IAM user ops-31 (console, MFA, 203.0.113.24): what was SomethingNew on parcels at "
        "2026-04-09T09:59:00Z meant to do, and may it touch this?"
    )
    assert {claim.subject for claim in found.claims if claim.kind == "event"} == {"strange"}
    assert [TABLE in (claim.subject, claim.value) for claim in found.claims if claim.kind == "relation"] == [
        True
    ]


def test_where_cloudtrail_is_hidden_it_decides() -> None:
    facts = replace(two_limits(), trail_visible=False)
    found = tell_apart(facts, weigh(facts))
    assert found is not None
    assert "CloudTrail" in found.text


def test_where_nothing_is_suggested_the_first_gap_comes_next_or_nothing() -> None:
    calm = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 18)})
    assert tell_apart(calm, ()) is None
    gap = Gap(
        what="X-Ray traces", why="denied", code="AccessDenied", would_show="which call failed",
        statement={"Effect": "Allow", "Action": ["xray:GetTraceSummaries"], "Resource": "*"},
    )  # fmt: skip
    found = tell_apart(replace(calm, gaps=(gap,)), ())
    assert found is not None
    assert found.text == "To go on: let opsleuth read X-Ray traces. It would show which call failed."


@every_kind
def test_every_pair_of_candidates_gets_a_whole_sentence(kind: Kind) -> None:
    facts = kind.facts()
    loose = tuple(item.model_copy(update={"status": "possible"}) for item in weigh(facts))
    found = tell_apart(facts, loose)
    assert found is not None
    assert "{" not in found.text
    assert "  " not in found.text
    assert found.text[-1] in ".?"
