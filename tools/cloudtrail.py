"""Changes near an incident, from CloudTrail's event history. Reads are few, bounded, and say what they left
out.

Delivery: an event appears about 5 minutes after the call on average, without any guarantee. Absence is no
proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tools.arn import is_arn
from tools.arn import parse as parse_arn
from tools.aws import Reader
from tools.cloudtrail_events import parse, unwrap, written
from tools.cloudtrail_fields import EPOCH, event_names, is_mutating, operation_of
from tools.cloudtrail_lookup import (
    KEPT,
    SETTLED,
    Attribute,
    Found,
    cite,
    clamp,
    complete_until,
    lookup,
)
from tools.cloudtrail_people import Resolved, resolve_people
from tools.cloudtrail_touch import is_noise, touched_by, toucher
from tools.models import ChangeEvent, Resource, Window

__all__ = [
    "EPOCH",
    "KEPT",
    "SETTLED",
    "Attribute",
    "Changes",
    "Found",
    "Resolved",
    "changes",
    "cite",
    "cited",
    "clamp",
    "complete_until",
    "event_names",
    "is_mutating",
    "is_noise",
    "joined",
    "lookup",
    "operation_of",
    "parse",
    "resolve_people",
    "touched_by",
    "toucher",
    "unwrap",
    "written",
]

Touches = Callable[[ChangeEvent], Iterable[str]]
"""ARNs that an event touches, as a service file knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Mutating events, oldest first, each once, citing the page that holds it.

    `events` holds the window's changes of the regions asked and, up to 90 days back, those of the resources
    asked for.
    """

    events: tuple[ChangeEvent, ...]
    denied_attempts: tuple[ChangeEvent, ...]  # refused or failed: they changed nothing
    noise: tuple[ChangeEvent, ...]  # AWS's housekeeping and reactions; they may set values all the same
    complete: bool  # the window was read to its start, in every region asked
    complete_until: datetime  # later events may still be delivered
    truncated: tuple[str, ...] = ()  # what was cut, in words
    reads: int = 0  # read-only events seen on the way and left out

    def on(self, resource: Resource, touches: Touches | None = None) -> tuple[ChangeEvent, ...]:
        """Successful changes of one resource, noise included, oldest first."""
        return tuple(
            event
            for event in sorted((*self.events, *self.noise), key=_order)
            if touched_by(event, resource) or (touches is not None and resource.arn in tuple(touches(event)))
        )


def cited(reader: Reader, event: ChangeEvent) -> ChangeEvent:
    """The event with evidence of its own in front of its page's."""
    own = cite(reader, event.evidence[0], event)
    return replace(event, evidence=(own, *event.evidence))


def changes(
    reader: Reader,
    *,
    resources: Sequence[Resource],
    window: Window,
    operations: Sequence[str] = (),
    global_operations: Sequence[str] = (),
    touches: Touches | None = None,
    replaces: Callable[[ChangeEvent], tuple[str, ...]] | None = None,
    pages: int = 20,
    near: int = 8,
    worldwide: bool = True,
) -> Changes:
    """What was changed near an incident.

    `window` is asked for every change in the incident's region and in the partition's global region (IAM,
    CloudFront, Route 53 are recorded only there), up to `pages` pages each. The `near` first resources, and
    the event names of `operations` (recorded in the region) and `global_operations`, are asked back to 90
    days, 2 pages each. `replaces` names the operations whose earlier events tell what a change replaced: they are
    asked as far back, where such a change is seen in the window, for the history lists many events under no resource.
    Without `worldwide` the global region is left out. The reader says which account and region are asked.
    """
    hunt = _Hunt(reader=reader, resources=tuple(resources), touches=touches, named=toucher(resources))
    home, beyond = reader.region, reader.aws.global_region
    complete = hunt.everything(window, home, pages)
    if beyond != home and worldwide:
        complete = hunt.everything(window, beyond, pages) and complete
    history = Window(start=reader.as_of - KEPT, end=reader.as_of)
    for resource in resources[:near]:
        hunt.resource(history, resource, home, beyond)
    for operation in operations:
        hunt.operation(history, operation, home)
    for operation in global_operations:
        hunt.operation(history, operation, beyond)
    if replaces is not None:
        hunt.replaced(history, window, replaces, {*operations, *global_operations})
    return hunt.result(complete)


def joined(first: Changes, others: Sequence[Changes]) -> Changes:
    """Changes of several accounts and regions as one. What is complete is so for the first."""
    every = (first, *others)

    def merged(part: Callable[[Changes], Iterable[ChangeEvent]]) -> tuple[ChangeEvent, ...]:
        known = {event.id: event for one in reversed(every) for event in part(one)}
        return tuple(sorted(known.values(), key=_order))

    return replace(
        first,
        events=merged(lambda one: one.events),
        denied_attempts=merged(lambda one: one.denied_attempts),
        noise=merged(lambda one: one.noise),
        truncated=tuple(line for one in every for line in one.truncated),
        reads=sum(one.reads for one in every),
    )


_MOST_REPLACED = 12
_GLOBAL = frozenset({"iam", "cloudfront", "route53", "organizations", "globalaccelerator", "shield"})
_DEPTH = 2


@dataclass(slots=True)
class _Hunt:
    """Events gathered so far, by id; the first page that shows an event is the one cited."""

    reader: Reader
    resources: tuple[Resource, ...]
    touches: Touches | None
    named: Callable[[ChangeEvent], tuple[Resource, ...]]
    events: dict[str, ChangeEvent] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    truncated: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)  # regions that refuse: not asked again

    def everything(self, window: Window, region: str, pages: int) -> bool:
        """Every change of the window in one region. False when it could not be read to its start."""
        found = self._ask(("ReadOnly", "false"), window, region, pages, f"all changes in {region}")
        self._keep(found.events)
        if not found.complete and region not in self.closed:
            left = clamp(window, self.reader.as_of).start
            self.reader.missing(
                what=f"CloudTrail events in {region} from {_clock(left)} to {_clock(found.since)}",
                why=f"The newest {len(found.events)} changes were read ({pages} pages); older ones were left",
                would_show="changes made in that time to what is not near the symptom",
                lift="Give a shorter window, or name the resource.",
                code="Truncated",
            )
        return found.complete

    def resource(self, history: Window, resource: Resource, home: str, beyond: str) -> None:
        """Changes that the history lists under a resource. Services write its name there, its ARN, or
        nothing.
        """
        region = _recorded_in(resource, home, beyond)
        for value in dict.fromkeys((resource.name, resource.arn)):
            if value:
                found = self._ask(
                    ("ResourceName", value), history, region, _DEPTH, f"older changes of {value}"
                )
                self._keep(event for event in found.events if self._near(event, (resource,)))

    def operation(self, history: Window, operation: str, region: str) -> None:
        """Changes of one kind on the resources, however the history lists them."""
        for name in event_names(operation):
            found = self._ask(
                ("EventName", name), history, region, _DEPTH, f"older {name} events in {region}"
            )
            self._keep(event for event in found.events if self._near(event, self.resources))

    def replaced(
        self,
        history: Window,
        window: Window,
        replaces: Callable[[ChangeEvent], tuple[str, ...]],
        asked: set[str],
    ) -> None:
        """What the changes of the window replaced, newest change first."""
        recent = sorted(self.events.values(), key=_order, reverse=True)
        wanted: dict[tuple[str, str], None] = {}
        for event in recent:
            if event.time >= window.start and not event.error_code and self._near(event, self.resources):
                wanted |= dict.fromkeys((name, event.region) for name in replaces(event) if name not in asked)
        for name, region in list(wanted)[:_MOST_REPLACED]:
            self.operation(history, name, region)

    def result(self, complete: bool) -> Changes:
        kept = sorted(self.events.values(), key=_order)
        good = [event for event in kept if not event.error_code]
        return Changes(
            events=tuple(event for event in good if not is_noise(event)),
            denied_attempts=tuple(event for event in kept if event.error_code),
            noise=tuple(event for event in good if is_noise(event)),
            complete=complete,
            complete_until=complete_until(self.reader.as_of),
            truncated=tuple(self.truncated),
            reads=len(self.reads),
        )

    def _ask(
        self, attribute: tuple[Attribute, str], window: Window, region: str, pages: int, words: str
    ) -> Found:
        if region in self.closed:
            return Found(events=(), complete=False, evidence=(), since=window.end)
        found = lookup(self.reader, attribute=attribute, window=window, region=region, pages=pages)
        if not found.complete and len(found.evidence) < pages:
            self.closed.add(region)
        elif not found.complete:
            self.truncated.append(f"{words}: only since {_clock(found.since)}")
        return found

    def _keep(self, events: Iterable[ChangeEvent]) -> None:
        for event in events:
            if event.read_only:
                self.reads.add(event.id)
            else:
                self.events.setdefault(event.id, event)

    def _near(self, event: ChangeEvent, resources: tuple[Resource, ...]) -> bool:
        touched = {resource.arn for resource in self.named(event)}
        if self.touches is not None:
            touched.update(self.touches(event))
        return any(resource.arn in touched for resource in resources)


def _recorded_in(resource: Resource, home: str, beyond: str) -> str:
    arn = parse_arn(resource.arn) if is_arn(resource.arn) else None
    if arn is not None and arn.service in _GLOBAL:
        return beyond
    return (arn.region if arn is not None else "") or resource.region or home


def _order(event: ChangeEvent) -> tuple[datetime, str]:
    return event.time, event.id


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
