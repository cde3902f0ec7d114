"""What is known of an account when an event is judged: other events, configurations, versions, demand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from graph.undoing.anatomy import named
from graph.undoing.identity import which
from graph.undoing.subjects import Subjects
from tools.arn import is_arn
from tools.catalogue import change_of
from tools.errors import MISSHAPEN
from tools.models import AlarmUpdate, ChangeEvent, MetricStep, Resource, Version
from tools.topology import stub

_SLACK = timedelta(minutes=10)
"""A setting's metric comes every five minutes and may lag behind the change by as much."""


_Meant = tuple[str, str, str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Known:
    """Input of everything in this package. `events` may be of any time, in any order; failed ones do not count."""

    events: tuple[ChangeEvent, ...] = ()
    resources: Mapping[str, Resource] = field(default_factory=dict)  # by ARN, as described at `as_of`
    gone: frozenset[str] = frozenset()  # ARNs of what AWS says does not exist (any more)
    versions: tuple[Version, ...] = ()
    demand: Mapping[tuple[str, str], float] = field(default_factory=dict)  # (ARN, metric) before the change
    steps: Mapping[tuple[str, str], tuple[MetricStep, ...]] = field(
        default_factory=dict
    )  # (ARN, Setting.path)
    updates: Mapping[str, tuple[tuple[AlarmUpdate, ...], tuple[str, ...]]] = field(
        default_factory=dict
    )  # alarm ARN
    callers: Mapping[str, int] = field(default_factory=dict)  # ARN -> how many resources rely on it
    since: datetime | None = None  # how far back the events reach

    def resource(self, arn: str) -> Resource:
        """As described; else as much as its ARN tells."""
        return self.resources.get(arn) or stub(arn)

    @cached_property
    def _good(self) -> tuple[ChangeEvent, ...]:
        kept = {one.id: one for one in self.events if not one.error_code and not one.read_only}
        return tuple(sorted(kept.values(), key=_order))

    @cached_property
    def _by_arn(self) -> Mapping[str, tuple[ChangeEvent, ...]]:
        found: dict[str, list[ChangeEvent]] = {}
        for event in self._good:
            for arn in dict.fromkeys(self.touched(event)):
                found.setdefault(arn, []).append(event)
        return {arn: tuple(events) for arn, events in found.items()}

    @cached_property
    def _by_source(self) -> Mapping[str, tuple[ChangeEvent, ...]]:
        found: dict[str, list[ChangeEvent]] = {}
        for event in self._good:
            found.setdefault(event.source, []).append(event)
        return {source: tuple(events) for source, events in found.items()}

    @cached_property
    def _subjects(self) -> Subjects:
        return Subjects(self._good)

    @cached_property
    def _by_value(self) -> Mapping[tuple[str, str], tuple[ChangeEvent, ...]]:
        found: dict[tuple[str, str], list[ChangeEvent]] = {}
        for event in self._good:
            for value in dict.fromkeys(named(event).values()):
                found.setdefault((event.source, value), []).append(event)
        return {key: tuple(events) for key, events in found.items()}

    @cached_property
    def _by_meant(self) -> Mapping[_Meant, tuple[ChangeEvent, ...]]:
        found: dict[_Meant, list[ChangeEvent]] = {}
        for event in self._good:
            found.setdefault(_meant(event, event.operation), []).append(event)
        return {key: tuple(events) for key, events in found.items()}

    def touched(self, event: ChangeEvent) -> tuple[str, ...]:
        """As the function of that name, which is asked often for the same events."""
        if event.id not in self._touched:
            self._touched[event.id] = touched(event)
        return self._touched[event.id]

    @cached_property
    def _touched(self) -> dict[str, tuple[str, ...]]:
        return {}

    def step(self, event: ChangeEvent, arn: str, path: str) -> MetricStep | None:
        """The step of a setting's own metric that lies around the event, the nearest first."""
        near = [
            one
            for one in self.steps.get((arn, path), ())
            if one.earliest - _SLACK <= event.time <= one.latest + _SLACK
        ]
        return min(near, key=lambda one: abs(one.earliest - event.time), default=None)

    def on(self, arn: str) -> tuple[ChangeEvent, ...]:
        """Successful changes of a resource, oldest first, as the service files know them."""
        return self._by_arn.get(arn, ())

    def of(self, source: str) -> tuple[ChangeEvent, ...]:
        """Successful changes of a service, oldest first."""
        return self._by_source.get(source, ())

    def before(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """Successful changes of the event's service before it, newest first."""
        return _before(self.of(event.source), event)

    def after(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """Successful changes of the event's service after it, oldest first."""
        return _after(self.of(event.source), event)

    def same(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """Successful changes of the thing that the event names, oldest first: see `identity.same_subject`."""
        return self._subjects.same(event)

    def earlier(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """Those before the event, newest first."""
        return _before(self.same(event), event)

    def later(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """Those after the event, oldest first."""
        return _after(self.same(event), event)

    def last_meant(self, event: ChangeEvent, operations: Iterable[str]) -> ChangeEvent | None:
        """The last successful call of one of the operations before the event that means the same thing by the same
        names.
        """
        found = (self._by_meant.get(_meant(event, operation), ()) for operation in operations)
        earlier = (_before(events, event)[:1] for events in found)
        return max((one for events in earlier for one in events), key=_order, default=None)

    def naming(self, event: ChangeEvent, values: Iterable[str]) -> tuple[ChangeEvent, ...]:
        """Successful changes of the event's service after it that name one of the values, oldest first."""
        found = (self._by_value.get((event.source, value), ()) for value in values)
        every = {one.id: one for events in found for one in events}
        return _after(sorted(every.values(), key=_order), event)


def _meant(event: ChangeEvent, operation: str) -> _Meant:
    names = tuple(sorted(which(event)[0].items()))
    return event.source, event.account, event.region, operation, names


def _before(events: Sequence[ChangeEvent], event: ChangeEvent) -> tuple[ChangeEvent, ...]:
    return tuple(events[: bisect_left(events, _order(event), key=_order)][::-1])


def _after(events: Sequence[ChangeEvent], event: ChangeEvent) -> tuple[ChangeEvent, ...]:
    return tuple(events[bisect_right(events, _order(event), key=_order) :])


def touched(event: ChangeEvent) -> tuple[str, ...]:
    """ARNs that the event touches, the changed thing first; by the record's own list where no service file knows it."""
    known = change_of(event)
    try:
        found = known.touches(event) if known else ()
    except MISSHAPEN:
        found = ()  # one record in no known shape must not end the reading of all
    found = tuple(arn for arn in found if is_arn(arn))  # what a refused request was given may be no ARN
    return found or tuple(name for name in event.names if is_arn(name))


def _order(event: ChangeEvent) -> tuple[datetime, str]:
    return event.time, event.id
