from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals.checking import Ledger, equal, wrong
from tools.models import Claim, Json, Value

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/carts"
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:carts"
CALLER = "arn:aws:lambda:eu-west-1:111122223333:function:save-cart"
AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
EVENT = "0b3c1c8e-1111-4222-8333-444455556666"
HOUR = timedelta(hours=1)
FIELD = "AWS/DynamoDB/WriteThrottleEvents/Sum"


@dataclass
class Facts:
    """A ledger of a few facts."""

    known: Json = field(
        default_factory=lambda: {"action": "UpdateTable", "time": AT, "mfa": False, "actor": "dana"}
    )

    onset: datetime | None = AT
    end: datetime | None = None

    def metric(
        self, arn: str, name: str, how: str, start: datetime, end: datetime, dimensions: Any = ()
    ) -> Any:
        values = {"sum": 7200.0, "rate": 7200.0 / (end - start).total_seconds()}
        return values[how] if (arn, name) == (TABLE, FIELD) else None

    def event(self, event_id: str) -> Json | None:
        return self.known if event_id == EVENT else None

    def setting(self, arn: str, path: str, at: datetime) -> Value:
        return (90 if at < AT else 3) if (arn, path) == (TABLE, "Max") else None

    def alarm(self, arn: str, name: str, at: datetime) -> Value:
        known: dict[str, Value] = {"threshold": 100.0, "state": "ALARM"}
        return known[name] if arn == ALARM else None

    def log_lines(self, group: str, what: str, start: datetime, end: datetime) -> int | None:
        return {"Refused": 42}.get(what, 0) if group == "/carts" else None

    def relations(self) -> frozenset[tuple[str, str, str]]:
        return frozenset({(CALLER, "writes", TABLE)})

    def began(self, arn: str, name: str, dimensions: Any = ()) -> datetime | None:
        return None

    def request(self, event_id: str) -> Json:
        return {}

    def settings_history(self, arn: str, path: str) -> tuple[tuple[datetime, Value], ...]:
        return ()

    def config(self, arn: str, at: datetime) -> Json | None:
        return None

    def event_values(self, event_id: str) -> tuple[Any, ...]:
        return (90, 3) if event_id == EVENT else ()

    def changes(self, arn: str, start: datetime, end: datetime) -> tuple[str, ...]:
        return (EVENT,) if arn == TABLE and start <= AT < end else ()

    def transitions(self, arn: str) -> tuple[tuple[datetime, str], ...]:
        return ((AT, "ALARM"),) if arn == ALARM else ()


LEDGER: Ledger = Facts()


def claim(kind: Any, subject: str, about: str, value: Value, **named: Any) -> Claim:
    return Claim(kind=kind, subject=subject, field=about, value=value, **named)


def measured(
    value: float, how: str = "sum", subject: str = TABLE, hours: float = 1, tolerance: float = 0
) -> Claim:
    end = AT + hours * HOUR
    return claim("metric", subject, FIELD, value, how=how, start=AT, end=end, tolerance=tolerance)


def moment(how: str, before: int, after: int) -> Claim:
    start, end = AT - timedelta(seconds=before), AT + timedelta(seconds=after)
    return claim("metric", TABLE, FIELD, None, how=how, start=start, end=end)


TRUE = [
    moment("onset", 30, 30),
    measured(7200),
    measured(7250, tolerance=0.01),
    measured(2, "rate"),
    claim("event", EVENT, "action", "UpdateTable"),
    claim("event", EVENT, "time", AT.isoformat()),
    claim("event", EVENT, "time", "2026-02-03T05:05:06+01:00"),
    claim("event", EVENT, "mfa", False),
    claim("event", EVENT, "holds", 90),
    claim("setting", TABLE, "Max", 90, start=AT - HOUR),
    claim("setting", TABLE, "Max", 3, start=AT),
    claim("setting", TABLE, "Min", None, start=AT),
    claim("alarm", ALARM, "threshold", 100, start=AT),
    claim("log", "/carts", "Refused", 42, start=AT, end=AT + HOUR),
    claim("relation", CALLER, "writes", TABLE),
    claim("quiet", CALLER, "changes", 0, start=AT - HOUR, end=AT + HOUR),
    claim("quiet", TABLE, "changes", 1, start=AT, end=AT + HOUR),
    claim("transition", ALARM, "ALARM", None, start=AT),
]
FALSE = [
    moment("onset", 30, -10),
    moment("end", 30, 30),
    measured(7201),
    measured(120, "rate"),
    measured(7300, tolerance=0.01),
    measured(9000, tolerance=0.5),
    measured(7200, subject=CALLER),
    measured(7200, hours=0),
    claim("metric", TABLE, FIELD, 7200, start=AT, end=AT + HOUR),
    claim("metric", TABLE, FIELD, 7200, how="sum"),
    claim("event", EVENT, "action", "CreateTable"),
    claim("event", EVENT, "time", "2026-02-03T05:05:06+00:00"),
    claim("event", EVENT, "mfa", None),
    claim("event", EVENT, "mood", "angry"),
    claim("event", EVENT, "holds", 400),
    claim("event", EVENT.replace("0b", "0c"), "action", "UpdateTable"),
    claim("setting", TABLE, "Max", 90, start=AT),
    claim("setting", TABLE, "Max", 90),
    claim("setting", TABLE, "Max", "90", start=AT - HOUR),
    claim("alarm", ALARM, "threshold", 1, start=AT),
    claim("alarm", ALARM, "state", "ALARM"),
    claim("log", "/carts", "Refused", 43, start=AT, end=AT + HOUR),
    claim("log", "/other", "Refused", 0, start=AT, end=AT + HOUR),
    claim("log", "/carts", "Refused", 42),
    claim("relation", TABLE, "writes", CALLER),
    claim("quiet", TABLE, "changes", 0, start=AT, end=AT + HOUR),
    claim("quiet", TABLE, "changes", 0),
    claim("transition", ALARM, "OK", None, start=AT),
    claim("transition", ALARM, "ALARM", None, start=AT + timedelta(minutes=1)),
]


@pytest.mark.parametrize("one", TRUE, ids=lambda one: f"{one.kind}-{one.field}-{one.value}")
def test_a_true_claim_passes(one: Claim) -> None:
    assert wrong(one, LEDGER) == ""


@pytest.mark.parametrize("one", FALSE, ids=lambda one: f"{one.kind}-{one.field}-{one.value}")
def test_a_false_claim_is_told_with_its_reason(one: Claim) -> None:
    assert wrong(one, LEDGER) != ""


def test_values_differ_by_type_and_by_more_than_the_tolerance() -> None:
    assert equal(250, 250.0)
    assert not equal(True, 1)
    assert not equal(None, 0)
    assert equal(96.4, 96.0, 0.01)
    assert not equal(97.4, 96.0, 0.01)
    assert not equal("250", 250)
