"""What undoing a whole event takes from an earlier one: a deleted route's target is told only where it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graph.claims import event_claims, holds_claim, statement
from graph.plan_calls import undo
from graph.weighing.moves import is_document
from tools.history import told_by
from tools.models import ChangeEvent, PriorSource, Statement, Value
from tools.walk import leaves


@dataclass(frozen=True, slots=True)
class Taken:
    """The earlier event that an undo rests on, and the one value it gives; None for several or a whole document."""

    event: ChangeEvent
    value: Value

    @property
    def source(self) -> PriorSource:
        return PriorSource(
            kind="previous_event",
            value=self.value,
            time=self.event.time,
            said_by=told_by(self.event),
            evidence=self.event.evidence,
        )


def taken(event: ChangeEvent, changes: Iterable[ChangeEvent]) -> Taken | None:
    """The newest event without which the undo would be another, with the value it alone holds."""
    known = tuple(changes)
    calls = undo(event, known)
    if not calls:
        return None
    before = [one for one in known if one.time < event.time and not one.error_code]
    for one in sorted(before, key=lambda item: (item.time, item.id), reverse=True):
        if undo(event, [other for other in known if other.id != one.id]) != calls:
            told = {*_told(event.request), *_told(event.response)}
            held = {*_told(one.request), *_told(one.response)} - told
            needed = [value for call in calls for value in _told(call.parameters) if value in held]
            alone = len(set(needed)) == 1 and not is_document(needed[0])
            return Taken(one, needed[0] if alone else None)
    return None


def told(event: ChangeEvent, changes: Iterable[ChangeEvent]) -> tuple[Statement, ...]:
    """The earlier event that tells what was there before, as a sentence of a plan; none where the event itself does."""
    held = taken(event, changes)
    if held is None:
        return ()
    alone = held.value is not None
    return (
        statement(
            "{value} ← {source}" if alone else "The values before ← {source}",
            evidence=held.event.evidence,
            claims=(*event_claims(held.event), *((holds_claim(held.event, held.value),) if alone else ())),
            value=held.value,
            source=held.source.said_by,
        ),
    )


def _told(found: object) -> Iterator[str | int | float]:
    """Texts and numbers."""
    return (one for one in leaves(found) if isinstance(one, str | int | float) and not isinstance(one, bool))
