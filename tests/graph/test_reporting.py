"""The report put together: verdicts in words, nobody named too early, chains, links, order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Report, Verdict
from graph.plan import plan
from graph.reporting import compose
from graph.state import State, dump
from graph.weighing import weigh
from tests.graph import made
from tests.graph.kinds import INERT, KINDS, Kind
from tests.graph.made import API, AS_OF, HTTP_API, ONSET, TABLE, WRITER, event, preventions
from tools.models import Evidence

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def evidence(id: str, service: str = "lambda", **more: Any) -> Evidence:
    given: dict[str, Any] = {"operation": "X", "parameters": {}, "region": made.REGION, **more}
    return Evidence(
        id=id, service=service, account=made.ACCOUNT, time=ONSET, sha256="0" * 64, excerpt="{}", **given
    )


def report(
    facts: Facts, verdict: Verdict = "root_cause", *, proofs: tuple[Evidence, ...] = (), **more: Any
) -> Report:
    """The report that a run with these facts and this verdict would give."""
    ranked = weigh(facts)
    cause = root_cause(facts, ranked[0]) if verdict in ("root_cause", "no_incident") else None
    todo = plan(facts, cause)
    state: dict[str, Any] = {
        "trigger": {"alarm": "parcels-alarm"},
        "verdict": verdict,
        "hypotheses": [item.model_dump(mode="json") for item in ranked],
        "root_cause": cause.model_dump(mode="json") if cause else None,
        "mitigation": todo.model_dump(mode="json") if todo else None,
        "prevention": [item.model_dump(mode="json") for item in preventions(facts, cause)],
        "evidence": {item.id: dump(item) for item in proofs},
        "next_look": None,
        **more,
    }
    return compose(facts, cast("State", state), more.get("timeline", {}), 1)


@every_kind
def test_a_report_is_json_and_reads_back_the_same(kind: Kind) -> None:
    found = report(kind.facts())
    assert Report.model_validate_json(found.model_dump_json()) == found
    assert found.verdict == "root_cause"
    assert found.headline == ("Proven" if found.grade == "proven" else "Likely")
    assert found.root_cause is not None
    assert found.why == found.root_cause.statement
    assert found.findings


@every_kind
def test_the_chain_goes_from_the_door_to_the_cause(kind: Kind) -> None:
    facts = kind.facts()
    found = report(facts).topology
    assert found.symptom in found.path
    assert found.cause in found.path
    assert len(set(found.path)) == len(found.path)
    related = {(item.source, item.target) for item in facts.relations}
    for a, b in zip(found.path, found.path[1:], strict=False):
        ends = {(facts.holder(a), facts.holder(b)), (facts.holder(b), facts.holder(a))}
        assert ends & related or facts.holder(a) == facts.holder(b)
    assert not set(found.touched) & set(found.at_risk)


def test_before_cloudtrail_has_delivered_nobody_is_named() -> None:
    person = KINDS["timeout lowered"].change.actor.name
    for name, kind in KINDS.items():
        facts = kind.facts(complete_until=ONSET - timedelta(minutes=5), decoys=(INERT,))
        due = AS_OF + timedelta(minutes=5)
        found = report(facts, "not_yet", next_look=due.isoformat())
        assert not [item for item in found.hypotheses if item.event], name
        told = [
            found.why.text,
            *(item.text for item in found.findings),
            *(item.title for item in found.hypotheses),
        ]
        assert person not in " ".join(told), name
        assert (found.root_cause, found.headline, found.next_look) == (None, "Not yet", due)
    assert "complete only up to about 2026-04-09T09:55:00Z. Next look 2026-04-09T10:45:00Z." in found.why.text


def test_not_proven_names_the_candidates_that_are_left() -> None:
    strange = event("dynamodb", "SomethingNew", {"tableName": "parcels"}, id="strange")
    moves = {(TABLE, "WriteThrottleEvents"): (0.0, 18.0)}
    found = report(made.facts((TABLE, "WriteThrottleEvents"), moves, changes=[strange, INERT]), "not_found")
    assert found.why.text == "No cause is proven. The likeliest so far: SomethingNew on table parcels."
    assert (found.headline, found.grade) == ("Not proven", "not_proven")
    nothing = report(made.facts((TABLE, "WriteThrottleEvents"), moves, changes=[INERT]), "not_found")
    assert nothing.why.text == "No cause is proven, and nothing that opsleuth can see suggests one."


def test_a_denied_attempt_is_a_finding_that_changed_nothing() -> None:
    refused = replace(KINDS["timeout lowered"].change, id="no", error_code="AccessDeniedException")
    facts = replace(KINDS["timeout lowered"].facts(), denied=(refused,))
    said = report(facts).findings[-1]
    assert said.text == (
        "IAM user ops-31 (console, MFA, 203.0.113.24) tried UpdateFunctionConfiguration on it at "
        "2026-04-09T09:59:00Z and was refused (AccessDeniedException): it changed nothing."
    )
    assert ("error_code", "AccessDeniedException") in {(claim.field, claim.value) for claim in said.claims}


def test_recovered() -> None:
    facts = made.facts((TABLE, "WriteThrottleEvents"), {})
    incident = facts.incident.model_copy(update={"quiet_since": ONSET, "stays_red": "It waits for data."})
    found = report(replace(facts, incident=incident), "recovered")
    assert found.headline == "Recovered"
    assert found.why.text == "The metric has been normal since 2026-04-09T10:00:00Z. It waits for data."


def test_blast_radius() -> None:
    found = report(KINDS["reserved concurrency 0"].facts()).topology
    assert found.touched == (WRITER, API)
    assert found.at_risk == (HTTP_API,)
    assert (found.cause, found.symptom, found.path) == (WRITER, WRITER, (API, WRITER))


def test_evidence_in_the_order_of_reading_with_links() -> None:
    proofs = (
        evidence("M10", "cloudwatch"),
        evidence("M2", "cloudwatch"),
        evidence("F1", "cloudtrail",
                 parameters={"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Put Alarm"}]}),
        evidence("T1", "apigatewayv2"),
        evidence("L1", "logs", region="cn-north-1"),
        evidence("T2", "iam", region=""),
    )  # fmt: skip
    found = report(KINDS["bad code"].facts(), proofs=proofs).evidence
    assert [item.evidence.id for item in found] == ["F1", "L1", "M2", "M10", "T1", "T2"]
    links = {item.evidence.id: item.link for item in found}
    place = "https://eu-central-1.console.aws.amazon.com"
    assert links["F1"] == f"{place}/cloudtrailv2/home?region=eu-central-1#/events?EventName=Put%20Alarm"
    assert links["T1"] == f"{place}/apigateway/home?region=eu-central-1"
    assert links["L1"].startswith("https://cn-north-1.console.amazonaws.cn/cloudwatch/")
    assert links["T2"].startswith("https://console.aws.amazon.com/iam/")


def test_the_timeline_is_in_the_order_of_the_nodes() -> None:
    def line(round: int, node: str, ordinal: int) -> dict[str, Any]:
        key = f"{round:03d}-{node}-{ordinal:03d}"
        return {"key": key, "kind": "observation", "node": node, "text": key}

    lines = [
        line(2, "planner", 0),
        line(1, "report", 0),
        line(0, "intake", 1),
        line(0, "intake", 0),
        line(1, "metrics", 0),
        line(1, "forensics", 0),
        line(1, "diagnosis", 0),
    ]
    found = report(KINDS["bad code"].facts(), timeline={item["key"]: item for item in lines})
    assert [item.key for item in found.timeline] == [
        "000-intake-000",
        "000-intake-001",
        "001-forensics-000",
        "001-metrics-000",
        "001-diagnosis-000",
        "001-report-000",
        "002-planner-000",
    ]
