"""Compare one claim with a world's ledger, by kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from evals.backing import TOLERANCE, as_time
from tools.models import Claim, Json, Value


class Ledger(Protocol):
    """What is true of a world. None means that the ledger knows no such thing."""

    def metric(
        self, arn: str, name: str, how: str, start: datetime, end: datetime, dimensions: Dimensions = ()
    ) -> float | None: ...

    def event(self, event_id: str) -> Json | None: ...

    def setting(self, arn: str, path: str, at: datetime) -> Value: ...

    def settings_history(self, arn: str, path: str) -> tuple[tuple[datetime, Value], ...]: ...

    def config(self, arn: str, at: datetime) -> Json | None: ...

    def alarm(self, arn: str, field: str, at: datetime) -> Value: ...

    def log_lines(self, group: str, what: str, start: datetime, end: datetime) -> int | None: ...

    def relations(self) -> frozenset[tuple[str, str, str]]: ...

    def began(self, arn: str, name: str, dimensions: Dimensions = ()) -> datetime | None: ...

    def event_values(self, event_id: str) -> tuple[Any, ...]: ...

    def request(self, event_id: str) -> Json: ...

    def changes(self, arn: str, start: datetime, end: datetime) -> tuple[str, ...]: ...

    @property
    def onset(self) -> datetime | None: ...

    @property
    def end(self) -> datetime | None: ...

    def transitions(self, arn: str) -> tuple[tuple[datetime, str], ...]: ...


Dimensions = tuple[tuple[str, str], ...]


def wrong(claim: Claim, ledger: Ledger) -> str:
    """Why `claim` is not so, or "" when the ledger agrees."""
    if not 0 <= claim.tolerance <= TOLERANCE:
        return f"allows itself {claim.tolerance:.0%}; at most {TOLERANCE:.0%} is rounding"
    return _CHECKS[claim.kind](claim, ledger)


def _compare(claim: Claim, true: Value) -> str:
    return "" if equal(claim.value, true, claim.tolerance) else f"says {claim.value!r}, true is {true!r}"


def equal(told: Value, true: Value, tolerance: float = 0.0) -> bool:
    """Equal within a relative tolerance; texts that are times are compared as times."""
    if isinstance(told, bool) or isinstance(true, bool) or told is None or true is None:
        return told is true
    if isinstance(told, str) or isinstance(true, str):
        if not (isinstance(told, str) and isinstance(true, str)):
            return False
        first, second = as_time(told), as_time(true)
        return first == second if first and second else told == true
    return abs(float(told) - float(true)) <= max(abs(float(true)) * (tolerance + 1e-6), 1e-9)


def _metric(claim: Claim, ledger: Ledger) -> str:
    if claim.start is None or claim.end is None or not claim.how:
        return "names no interval or no way to sum up"
    if claim.end <= claim.start:
        return "covers an interval that ends before it starts"
    if claim.how in ("onset", "end"):
        began = ledger.began(claim.subject, claim.field, claim.dimensions) if claim.how == "onset" else None
        if began is not None and claim.start <= began <= claim.end:
            return ""
        return _moment(claim, ledger.onset if claim.how == "onset" else ledger.end)
    true = ledger.metric(claim.subject, claim.field, claim.how, claim.start, claim.end, claim.dimensions)
    return "is about a metric that does not exist" if true is None else _compare(claim, true)


def _moment(claim: Claim, true: datetime | None) -> str:
    """The symptom began, or was over, within the claim's interval."""
    if true is None or claim.start is None or claim.end is None:
        return f"tells an {claim.how} where there is none"
    return "" if claim.start <= true <= claim.end else f"is {claim.how} at {true.isoformat()}"


def _event(claim: Claim, ledger: Ledger) -> str:
    true = ledger.event(claim.subject)
    if true is None:
        return "is about an event that never happened"
    if claim.field == "holds":
        values = ledger.event_values(claim.subject)
        # AWS writes some numbers as texts in one answer and as numbers in another: the priority of a rule.
        held = any(not _compare(claim, value) or str(claim.value) == str(value) for value in values)
        return "" if held else f"{claim.value!r} is no value of the event"
    if claim.field not in true and f"actor_{claim.field}" not in true:
        return f"tells a field {claim.field} that events do not have"
    return _compare(claim, event_field(true, claim.field))


def event_field(event: Json, name: str) -> Value:
    """A field of a ledger's event; `how`, `kind` and `name` are the actor's."""
    value = event[name] if name in event else event[f"actor_{name}"]
    return value.isoformat() if isinstance(value, datetime) else value


def _setting(claim: Claim, ledger: Ledger) -> str:
    if claim.start is None:
        return "does not say when"
    return _compare(claim, ledger.setting(claim.subject, claim.field, claim.start))


def _alarm(claim: Claim, ledger: Ledger) -> str:
    if claim.start is None:
        return "does not say when"
    return _compare(claim, ledger.alarm(claim.subject, claim.field, claim.start))


def _log(claim: Claim, ledger: Ledger) -> str:
    if claim.start is None or claim.end is None:
        return "names no interval"
    true = ledger.log_lines(claim.subject, claim.field, claim.start, claim.end)
    return "is about a log group that does not exist" if true is None else _compare(claim, true)


def _relation(claim: Claim, ledger: Ledger) -> str:
    known = (claim.subject, claim.field, claim.value) in ledger.relations()
    return "" if known else f"{claim.subject} {claim.field} {claim.value}: there is no such relation"


def _quiet(claim: Claim, ledger: Ledger) -> str:
    if claim.start is None or claim.end is None:
        return "names no interval"
    return _compare(claim, len(ledger.changes(claim.subject, claim.start, claim.end)))


def _transition(claim: Claim, ledger: Ledger) -> str:
    entered = [state for moment, state in ledger.transitions(claim.subject) if moment == claim.start]
    return (
        ""
        if claim.field in entered
        else f"says {claim.field} at {claim.start}, true is {entered or 'no change'}"
    )


_CHECKS: dict[str, Callable[[Claim, Ledger], str]] = {
    "metric": _metric,
    "event": _event,
    "setting": _setting,
    "alarm": _alarm,
    "log": _log,
    "relation": _relation,
    "quiet": _quiet,
    "transition": _transition,
}
