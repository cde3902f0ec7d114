"""Preventions: at least one for everything, artefacts that AWS would take, back-tests that count right."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from graph.backtest_rules import EMERGENCY
from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Prevention, RootCause
from graph.weighing import weigh
from tests.graph import made
from tests.graph.kinds import KINDS, Kind, alarm_lowered, configured
from tests.graph.made import API, PERSON, PIPELINE, TABLE, WRITER, pattern, preventions, step
from tools.models import Call, ChangeEvent, Gap, Statement
from tools.parameters import validate

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
BY_HAND = [name for name, kind in KINDS.items() if kind.change.actor == PERSON]
CAP = "OnDemandThroughput.MaxWriteRequestUnits"


def measures(facts: Facts) -> tuple[Prevention, ...]:
    return preventions(facts, root_cause(facts, weigh(facts)[0]))


def one(found: tuple[Prevention, ...], name: str) -> Prevention:
    return next(item for item in found if item.artefact_name == name)


def statement(found: tuple[Prevention, ...]) -> dict[str, Any]:
    artefact = one(found, "policy.json").artefact
    assert isinstance(artefact, dict)
    (deny,) = artefact["Statement"]
    return dict(deny)


def pattern_of(found: tuple[Prevention, ...]) -> dict[str, Any]:
    artefact = one(found, "rule.json").artefact
    assert isinstance(artefact, dict)
    return dict(artefact["EventPattern"])


def matches(rule: dict[str, Any], record: dict[str, Any]) -> bool:
    """EventBridge's rule for patterns made of lists of exact values."""
    return all(
        matches(wanted, record.get(key, {})) if isinstance(wanted, dict) else record.get(key) in wanted
        for key, wanted in rule.items()
    )


def as_event(change: ChangeEvent) -> dict[str, Any]:
    return {
        "source": f"aws.{change.source.split('.')[0]}",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": change.source,
            "eventName": change.action,
            "requestParameters": change.request,
        },
    }


@every_kind
def test_there_is_a_measure_and_its_artefact_is_json(kind: Kind) -> None:
    found = measures(kind.facts())
    assert found
    for item in found:
        assert item.title
        assert item.why
        assert "{" not in item.title + item.why
        if item.artefact_name.endswith(".json"):
            assert json.loads(json.dumps(item.artefact)) == item.artefact
        else:
            assert isinstance(item.artefact, str)


@every_kind
def test_the_rule_sees_the_change_and_not_that_of_a_neighbour(kind: Kind) -> None:
    rule = pattern_of(measures(kind.facts()))
    assert matches(rule, as_event(kind.change))
    artefact = one(measures(kind.facts()), "rule.json").artefact
    assert isinstance(artefact, dict)
    assert re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", artefact["Name"])
    other = replace(kind.change, operation="SomethingElse", action="SomethingElse")
    assert not matches(rule, as_event(other))


def test_the_rule_is_about_this_resource_by_name_or_arn() -> None:
    rule = pattern_of(measures(KINDS["timeout lowered"].facts()))
    assert rule["detail"]["requestParameters"] == {"functionName": ["parcel-writer", WRITER]}
    assert not matches(
        rule, as_event(configured(timeout=3)) | {"detail": {"eventSource": "lambda.amazonaws.com"}}
    )
    queue = pattern_of(measures(KINDS["visibility timeout lowered"].facts()))
    assert queue["detail"]["requestParameters"]["queueUrl"][0].endswith("/parcel-events")


def test_the_rule_knows_the_dated_names_that_cloudtrail_records() -> None:
    rule = pattern_of(measures(KINDS["reserved concurrency 0"].facts()))
    assert "PutFunctionConcurrency20171031" in rule["detail"]["eventName"]


@pytest.mark.parametrize("name", BY_HAND)
def test_the_policy_denies_this_action_on_this_resource(name: str) -> None:
    kind = KINDS[name]
    facts = kind.facts()
    deny = statement(measures(facts))
    assert deny["Effect"] == "Deny"
    assert deny["Resource"] == weigh(facts)[0].resource
    assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action) for action in deny["Action"])
    assert deny["Condition"]["ArnNotLike"]["aws:PrincipalArn"][-1].endswith(f":role/{EMERGENCY}")


def test_actions_are_spelt_as_iam_spells_them() -> None:
    assert statement(measures(KINDS["REST stage throttled"].facts()))["Action"] == ["apigateway:PATCH"]
    assert statement(measures(KINDS["HTTP stage throttled, both limits"].facts()))["Action"] == [
        "apigateway:PATCH"
    ]
    assert statement(measures(alarm_lowered()))["Action"] == ["cloudwatch:PutMetricAlarm"]
    assert statement(measures(KINDS["policy detached"].facts()))["Action"] == ["iam:DetachRolePolicy"]


def test_the_role_that_deploys_is_left_out_of_the_deny() -> None:
    deny = statement(measures(KINDS["timeout lowered"].facts()))
    assert deny["Condition"] == {
        "ArnNotLike": {
            "aws:PrincipalArn": [
                "arn:aws:iam::111122223333:role/deployer",
                f"arn:aws:iam::111122223333:role/{EMERGENCY}",
            ]
        }
    }


def test_a_pipeline_is_not_denied_what_it_is_there_for() -> None:
    for name, kind in KINDS.items():
        if kind.change.actor == PIPELINE:
            found = measures(kind.facts())
            assert "block" not in {item.kind for item in found}, name
            assert "slow" in {item.kind for item in found}, name


def changes(*made_by: Any) -> tuple[ChangeEvent, ...]:
    return tuple(
        replace(configured(f"c{n}", -60.0 * 24 * (n + 1), timeout=30), actor=actor)
        for n, actor in enumerate(made_by)
    )


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"\d+", text)]


@pytest.mark.parametrize(
    ("others", "blocked", "days"),
    [((), 0, 1), ((PIPELINE,), 0, 1), ((PIPELINE, PERSON, PIPELINE), 1, 3), ((PERSON, PERSON), 2, 2)],
)
def test_the_back_test_counts_over_the_events_at_hand(
    others: tuple[Any, ...], blocked: int, days: int
) -> None:
    kind = replace(KINDS["timeout lowered"], earlier=changes(*others))
    found = measures(kind.facts(decoys=()))
    said = one(found, "policy.json").back_test
    assert said.startswith("would have blocked this change")
    assert numbers(said) == [blocked, len(others), days]
    assert numbers(one(found, "rule.json").back_test) == [len(others), days]


def test_changes_of_other_resources_are_looked_at_and_let_through() -> None:
    elsewhere = made.event(
        "lambda", "UpdateFunctionConfiguration", {"functionName": "tax-report"}, minutes=-900
    )
    kind = replace(KINDS["timeout lowered"], earlier=())
    found = measures(kind.facts(decoys=(elsewhere,)))
    assert numbers(one(found, "policy.json").back_test) == [0, 1, 1]


@pytest.mark.parametrize(("bad", "comparison"), [(2, "LessThanThreshold"), (900, "GreaterThanThreshold")])
def test_an_alarm_on_the_settings_own_metric(bad: int, comparison: str) -> None:
    own = step(TABLE, "ProvisionedThroughput.WriteCapacityUnits", "ProvisionedWriteCapacityUnits", 200, bad)
    facts = KINDS["provisioned capacity lowered"].facts(steps=(own,))
    cause = root_cause(facts, weigh(facts)[0]).model_copy(update={"bad_value": bad})
    artefact = one(preventions(facts, cause), "alarm.json").artefact
    assert isinstance(artefact, dict)
    assert validate(Call(service="cloudwatch", operation="PutMetricAlarm", parameters=artefact)) == ()
    assert (artefact["Threshold"], artefact["ComparisonOperator"]) == (200, comparison)
    assert artefact["Dimensions"] == [{"Name": "TableName", "Value": "parcels"}]


def test_no_alarm_below_no_limit() -> None:
    facts = KINDS["provisioned capacity lowered"].facts()
    cause = root_cause(facts, weigh(facts)[0])
    cause = cause.model_copy(update={"field": CAP, "prior_value": -1})
    assert "alarm.json" not in {item.artefact_name for item in preventions(facts, cause)}


def test_a_condition_gets_advice_and_an_alarm_that_names_it() -> None:
    line = pattern(
        f"ThrottlingException: TableWriteKeyRangeThroughputExceeded for {TABLE}, see the documentation"
    )
    moves = {
        (TABLE, name): (0.0, 9.0) for name in ("WriteThrottleEvents", "WriteKeyRangeThroughputThrottleEvents")
    }
    found = measures(made.facts((TABLE, "WriteThrottleEvents"), moves, patterns=(line,)))
    assert [item.kind for item in found] == ["design", "notice"]
    artefact = one(found, "alarm.json").artefact
    assert isinstance(artefact, dict)
    assert validate(Call(service="cloudwatch", operation="PutMetricAlarm", parameters=artefact)) == ()
    assert artefact["MetricName"] == "WriteKeyRangeThroughputThrottleEvents"


def test_what_watches_a_condition_is_a_notice_and_what_prevents_it_a_design() -> None:
    """A certificate that ran out because nobody could renew it."""
    certificate = made.resource(made.arn("acm", "certificate/0f1e2d3c"), "api.example.com")
    renewal = {"RenewalStatus": "FAILED"}
    over = {"Status": "EXPIRED", "NotAfter": made.ONSET.isoformat(), "RenewalSummary": renewal}
    facts = made.facts(
        (WRITER, "Errors"),
        {(WRITER, "Errors"): (0, 8)},
        resources=(*made.shop(), replace(certificate, config={**over, "InUseBy": [WRITER]})),
    )
    cause = RootCause(
        kind="condition",
        resource=certificate.arn,
        field="certificate-not-renewed",
        confidence=0.9,
        statement=Statement(text="It ran out.", evidence=(), claims=()),
    )
    found = preventions(facts, cause)
    assert [(item.kind, item.artefact_name) for item in found] == [
        ("design", "note.md"),
        ("notice", "note.md"),
    ]
    assert found[1].title.startswith("Alarm on DaysToExpiry")


def test_traffic_gets_a_design() -> None:
    moves = {
        (TABLE, "WriteThrottleEvents"): (0.0, 90.0),
        (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 90.0),
        (API, "Count"): (20.0, 400.0),
    }
    resources = tuple(item for item in made.shop() if item.arn != made.HTTP_API)
    found = measures(made.facts((TABLE, "WriteThrottleEvents"), moves, resources=resources))
    assert [item.kind for item in found] == ["design"]


def test_nothing_found_is_still_worth_a_note() -> None:
    (note,) = preventions(made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}), None)
    assert note.kind == "practice"
    assert isinstance(note.artefact, str)
    assert WRITER in note.artefact
    assert "2026-04-09T10:40:00Z" in note.artefact


def test_what_was_not_allowed_to_be_read_is_asked_for_once() -> None:
    allow = {"Effect": "Allow", "Action": "cloudtrail:LookupEvents", "Resource": "*"}
    gap = Gap(what="CloudTrail events", why="no identity policy allows it", statement=allow)
    facts = made.facts(
        (WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, gaps=(gap, gap, Gap(what="x", why="y"))
    )
    (found,) = preventions(facts, None)
    assert found.artefact == {"Version": "2012-10-17", "Statement": [allow]}


def test_an_alarm_that_stays_red_learns_to_clear_and_keeps_whom_it_calls() -> None:
    facts = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9)})
    alarm = facts.incident.alarm
    assert alarm is not None
    calls = [made.arn("sns", "on-call")]
    own = made.resource(
        alarm.arn, alarm.name, {"AlarmActions": calls, "OKActions": [], "AlarmDescription": "x"}
    )
    incident = facts.incident.model_copy(update={"quiet_since": made.ONSET})
    facts = replace(facts, incident=incident, resources=(*facts.resources, own))
    artefact = one(preventions(facts, None), "alarm.json").artefact
    assert isinstance(artefact, dict)
    assert validate(Call(service="cloudwatch", operation="PutMetricAlarm", parameters=artefact)) == ()
    assert (artefact["AlarmActions"], artefact["AlarmDescription"]) == (calls, "x")
    assert artefact["Threshold"] == alarm.threshold
    assert artefact["Metrics"][0]["Expression"] == "FILL(m, 0)"
