"""Variants of a case: the same incident under other conditions, or without its cause.

Those of `SAME` must not change the answer. `removed` takes away what caused it, and the answer with it. The `delayed`
ones hold CloudTrail's events back: first nobody may be named, later the truth, or an honest end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from evals.world.casefile import CaseFile, EventSpec, LookSpec, TrafficSpec
from evals.world.switches import Switches
from tools.errors import BadInput

DELAYS = (3, 12, 25, 85)
"""Minutes from an event until LookupEvents shows it. AWS: about 5 on average, no guarantee; 85 was once measured."""

_LONG = re.compile(r"^-\d+(\.\d+)?d$")
_OWN_EVENTS = ("change",)


def _switched(case: CaseFile, **values: Any) -> CaseFile:
    made = Switches.model_validate({**case.switches.model_dump(), **values})
    return case.model_copy(update={"switches": made})


def _noisy(case: CaseFile) -> CaseFile:
    held = case.switches
    return _switched(case, noise=min(20_000, 3 * held.noise), decoys=held.decoys + 4, bystanders=12)


def _shifted(case: CaseFile) -> CaseFile:
    return case.model_copy(update={"shift_hours": case.shift_hours + 31.25})


def _shuffled(case: CaseFile) -> CaseFile:
    return _switched(case, shuffle=True)


def _throttled(case: CaseFile) -> CaseFile:
    return _switched(case, refuse_every=7)


def _partition(case: CaseFile) -> CaseFile:
    return case.model_copy(update={"region": "cn-north-1"})


SAME: dict[str, Callable[[CaseFile], CaseFile]] = {
    "noisy": _noisy,  # three times the events, more innocent changes, more resources
    "shifted": _shifted,  # another time of the day and the week
    "shuffled": _shuffled,  # lists in another order, in small pages
    "throttled": _throttled,  # every seventh request is refused once
    "partition": _partition,  # another partition of AWS
}
DELAYED = {f"delayed-{minutes}": minutes for minutes in DELAYS}
REMOVED = "removed"
NAMES = (*SAME, REMOVED, *DELAYED)


def apply(case: CaseFile, name: str, causes: Collection[str] = ()) -> CaseFile:
    """A variant of a case. `causes`: ids of events that are its cause, for `removed`. Raises BadInput."""
    if name in SAME:
        return SAME[name](case)
    if name == REMOVED:
        return _removed(case, causes)
    if name in DELAYED:
        return _delayed(case, DELAYED[name])
    raise BadInput(f'There is no variant "{name}". Known: {", ".join(NAMES)}.')


def _removed(case: CaseFile, causes: Collection[str]) -> CaseFile:
    gone = {*causes, *_OWN_EVENTS}
    events = tuple(event for event in case.events if not _is_cause(event, gone))
    return case.model_copy(
        update={
            "events": events,
            "traffic": _calm(case.traffic),
            "flows": {name: _calm(flow) for name, flow in case.flows.items()},
            "look": LookSpec(after="moment", minutes=case.look.minutes),
        }
    )


def _is_cause(event: EventSpec, gone: Collection[str]) -> bool:
    """What the truth names, what nature did, and what depends on an onset that there will not be."""
    return event.id in gone or (not event.who and not event.create) or event.at.startswith("onset")


def _calm(flow: TrafficSpec) -> TrafficSpec:
    return flow.model_copy(update={"pulses": (), "hot_key": None})


def _delayed(case: CaseFile, minutes: int) -> CaseFile:
    """Every event of the last day comes late, and the look is early: a minute after the alarm."""
    events = tuple(
        event if _LONG.match(event.at) else event.model_copy(update={"delivery_minutes": minutes})
        for event in case.events
    )
    look = LookSpec(after="alarm", minutes=1) if minutes > DELAYS[0] else case.look
    return case.model_copy(update={"events": events, "look": look})


def shifted(hours: float) -> timedelta:
    """By how much a variant moves the case's moment."""
    return timedelta(hours=hours)
