"""Which known resources an event changes, also those whose ARN holds an id that no event tells. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from graph.undoing.anatomy import things_in
from tools.catalogue import change_of, services
from tools.cloudtrail_touch import touched_by, toucher
from tools.models import ChangeEvent, Resource


def touches(event: ChangeEvent) -> tuple[str, ...]:
    """ARNs that the event touches, as its service file knows."""
    known = change_of(event)
    return known.touches(event) if known else ()


def changes(event: ChangeEvent, resource: Resource) -> bool:
    """Whether the event changes the resource: by its service file; else it is its own service's, and names it.

    ARNs of Auto Scaling groups and of node groups hold an id of AWS's making that requests do not tell.
    """
    return resource.arn in touches(event) or (_own(event, resource) and touched_by(event, resource))


def by_event(resources: Iterable[Resource]) -> Callable[[ChangeEvent], tuple[str, ...]]:
    """ARNs that each event touches: as its service file knows, and of these resources those that it changes by name."""
    known = {one.arn: one for one in resources}
    named = toucher(known.values())

    def found(event: ChangeEvent) -> tuple[str, ...]:
        more = [one.arn for one in named(event) if _own(event, one)]
        return tuple(dict.fromkeys((*touches(event), *more)))

    return found


def _own(event: ChangeEvent, resource: Resource) -> bool:
    service = services().get(resource.service)
    return service is not None and event.source in service.event_sources


def things(event: ChangeEvent) -> frozenset[str]:
    """What the things inside a request are called: records, targets, rules."""
    return frozenset(
        f"{one['name']} {one.get('type', '')}" for one in things_in(event.request) if "name" in one
    )
