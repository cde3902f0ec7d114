from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.backing import pool, split, unbacked, unbacked_text
from tools.models import Claim, Statement

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/carts"
AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
EVENT = "0b3c1c8e-1111-4222-8333-444455556666"
NAMES = frozenset({"carts", "orders-2", "m.tanaka", "dana"})


def metric(value: float, tolerance: float = 0.0) -> Claim:
    return Claim(
        kind="metric", subject=TABLE, field="AWS/DynamoDB/WriteThrottleEvents/Sum", value=value,
        start=AT, end=AT + timedelta(minutes=28), how="sum", tolerance=tolerance,
    )  # fmt: skip


def event(field: str, value: str) -> Claim:
    return Claim(kind="event", subject=EVENT, field=field, value=value)


def problems(text: str, *claims: Claim) -> list[str]:
    return unbacked(Statement(text=text, claims=claims), NAMES)


def test_names_with_slashes_are_held_by_the_arns_that_end_in_them() -> None:
    arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/carts/most-items"
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:carts/db-AbC12d"
    claim = Claim(kind="relation", subject=arn, field="uses", value=secret)
    said = Statement(text="/carts/most-items uses carts/db", claims=(claim,))
    assert unbacked(said, {"/carts/most-items", "carts/db"}) == []
    assert unbacked(Statement(text=said.text), {"/carts/most-items", "carts/db"})


def test_a_name_with_a_colon_is_held_by_the_arn_that_ends_in_it() -> None:
    arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/carts-web:38"
    claim = Claim(kind="relation", subject=TABLE, field="uses definition", value=arn)
    said = Statement(text="reaches the symptom: carts-web:38", claims=(claim,))
    assert unbacked(said, {"carts-web:38"}) == []
    assert unbacked(Statement(text=said.text), {"carts-web:38"})


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("carts refused 11,302 writes", [metric(11302)]),
        ("about 152,000 writes failed", [metric(151_873, 0.01)]),
        ("refused for 28 min", [metric(11302)]),
        ("a 28-minute outage", [metric(1)]),
        ("98 % of 11302 writes were refused, 11,076", [metric(11302), metric(11076)]),
        ("at 2026-02-03T04:05:06Z dana did it", [event("time", AT.isoformat()), event("actor", "dana")]),
        ("at 2026-02-03T04:05Z", [event("time", AT.isoformat())]),
        ("from 203.0.113.9", [event("source_ip", "203.0.113.9")]),
        (f"event {EVENT} on {TABLE} in 111122223333", [event("action", "UpdateTable"), metric(1)]),
        ("m.tanaka used v2 of the p99 view, HTTP/1.1 and x86-64", [event("actor", "m.tanaka")]),
        ("0.98 is about 98 %", [metric(0.98)]),
    ],
)
def test_what_claims_hold_may_be_said(text: str, claims: list[Claim]) -> None:
    assert problems(text, *claims) == []


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("carts refused 11,303 writes", [metric(11302)]),
        ("about 150,000 writes failed", [metric(151_873, 0.01)]),
        ("refused for 31 min", [metric(11302)]),
        ("2.5 per second on carts", [metric(2.4)]),
        ("12 % of writes", [metric(11302)]),
        ("at 2026-02-03T05:05:06Z", [event("time", AT.isoformat())]),
        ("from 203.0.113.9", [event("source_ip", "203.0.113.99")]),
        ("dana did it", [event("actor", "m.tanaka")]),
        ("orders-2 refused 11,302", [metric(11302)]),
        (f"event {EVENT[:-1]}7", [event("action", "UpdateTable")]),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/other", [metric(1)]),
        ("in account 444455556666", [metric(1)]),
    ],
)
def test_what_no_claim_holds_is_found(text: str, claims: list[Claim]) -> None:
    assert len(problems(text, *claims)) == 1


def test_a_sentence_without_figures_needs_no_claim() -> None:
    assert problems("writes are refused since the change") == []


def test_a_declared_tolerance_counts_up_to_five_percent() -> None:
    assert problems("about 100 writes", metric(104, 0.05)) == []
    assert len(problems("about 100 writes", metric(150, 0.5))) == 1


@given(st.integers(min_value=0, max_value=10**9))
def test_a_printed_whole_number_is_its_claim_and_no_other(value: int) -> None:
    assert problems(f"{value:,} lines", metric(value)) == []
    assert len(problems(f"{value + 1:,} lines", metric(value))) == 1


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(unbacked_text(text, pool(()), NAMES), list)
    assert next(split(text)) == text
