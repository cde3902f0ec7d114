"""Sentences and their claims: printed numbers, rounding, actors in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.claims import (
    event_claims,
    log_claim,
    rate_claim,
    setting_claim,
    shown,
    statement,
    total_claim,
    who,
)
from tests.graph import made
from tests.graph.made import AS_OF, ONSET, WRITER, event
from tools.models import Actor, ActorKind, Means, Window


def test_a_sentence_keeps_each_evidence_once_in_order() -> None:
    found = statement("{a} of {b}", evidence=["F1", "M2", "F1"], a=1, b="x")
    assert (found.text, found.evidence) == ("1 of x", ("F1", "M2"))


@given(st.floats(0.001, 1e9))
def test_a_printed_number_is_the_value_within_its_tolerance(value: float) -> None:
    text, printed, tolerance = shown(value)
    assert float(text.replace(",", "")) == printed
    assert abs(printed - value) <= (tolerance + 1e-6) * value
    assert tolerance < 0.5


def test_zero_is_exact() -> None:
    assert shown(0.0) == ("0", 0.0, 0.0)


def test_rates_and_levels_and_totals() -> None:
    facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0.25, 8), (WRITER, "Duration"): (120, 900)})
    errors = facts.metric(WRITER, "Errors")
    assert errors is not None
    before, after, total = (
        rate_claim(errors, since=False),
        rate_claim(errors, since=True),
        total_claim(errors),
    )
    assert (before.how, before.value, before.end) == ("rate", 0.25, ONSET)
    assert (after.how, after.value, after.start, after.end) == ("rate", 8.0, ONSET, AS_OF)
    assert (total.how, total.value, total.field) == ("sum", 8.0 * 2400, "AWS/Lambda/Errors/Sum")
    slow = facts.metric(WRITER, "Duration")
    assert slow is not None
    assert (rate_claim(slow, since=True).how, rate_claim(slow, since=True).value) == ("mean", 900.0)


def test_claims_of_an_event_say_only_what_it_says() -> None:
    full = event("lambda", "UpdateAlias", {}, id="e", error="AccessDenied")
    told = {claim.field: claim.value for claim in event_claims(full)}
    assert told == {
        "action": "UpdateAlias",
        "time": full.time.isoformat(),
        "region": made.REGION,
        "actor": "ops-31",
        "actor_kind": "iam_user",
        "how": "console",
        "source_ip": "203.0.113.24",
        "mfa": True,
        "error_code": "AccessDenied",
    }
    role = Actor(kind="role", name="rotation", role="rotation", session="rotate-parcels", how="sdk")
    told = {claim.field: claim.value for claim in event_claims(replace(full, actor=role))}
    assert told["session"] == "rotate-parcels"
    assert who(replace(full, actor=role)) == "role rotation, session rotate-parcels (program)"
    bare = replace(full, actor=Actor(kind="unknown", name="", how="unknown"), error_code="")
    assert {"source_ip", "mfa", "error_code"}.isdisjoint(claim.field for claim in event_claims(bare))


def test_claims_of_settings_and_logs() -> None:
    found = setting_claim(WRITER, "Timeout", 3, ONSET)
    assert (found.kind, found.subject, found.field, found.value, found.start) == (
        "setting",
        WRITER,
        "Timeout",
        3,
        ONSET,
    )
    line = made.pattern("[ERROR] KeyError: 'TABLE_NAME'", after=7)
    counted = log_claim(line, Window(start=ONSET, end=AS_OF))
    assert (counted.subject, counted.field, counted.value) == ("/aws/lambda/parcel-writer", "KeyError", 7)


@pytest.mark.parametrize(
    ("kind", "how", "more", "words"),
    [
        (
            "iam_user",
            "console",
            {"mfa": True, "source_ip": "203.0.113.9"},
            "IAM user jo (console, MFA, 203.0.113.9)",
        ),
        ("iam_user", "console", {"mfa": False}, "IAM user jo (console, no MFA)"),
        ("iam_user", "cli", {"mfa": False}, "IAM user jo (command line)"),
        (
            "identity_center_user",
            "console",
            {"role": "Admin"},
            "jo (IAM Identity Center, role Admin) (console)",
        ),
        ("role", "sdk", {"role": "deployer", "session": "run-7"}, "role deployer, session run-7 (program)"),
        ("root", "console", {}, "the account's root user (console)"),
        ("aws_service", "service", {}, "AWS service jo"),
        ("cloudformation", "cloudformation", {}, "CloudFormation, called by jo"),
        ("iac", "terraform", {}, "Terraform, run by jo"),
        ("ci", "ci", {}, "CI job jo"),
        ("other_account", "sdk", {"account": "444455556666"}, "account 444455556666 (program)"),
        ("federated_user", "unknown", {}, "federated user jo"),
        ("unknown", "unknown", {}, "somebody who cannot be told from the event"),
    ],
)
def test_actors_in_words(kind: ActorKind, how: Means, more: dict[str, object], words: str) -> None:
    actor = Actor(kind=kind, name="jo", how=how, **more)  # type: ignore[arg-type]
    assert who(replace(event("lambda", "X", {}), actor=actor)) == words
