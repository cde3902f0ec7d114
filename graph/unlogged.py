"""What serves the requests and logs nowhere that can be read. Pure."""

from __future__ import annotations

from graph.facts import Facts
from tools.models import Gap, Resource

MOST = 3


def unlogged(facts: Facts) -> tuple[tuple[Resource, Gap], ...]:
    """Resources that the symptom relies on, itself first, of whose programs nothing can be read, each with its gap."""
    found = []
    for arn in (facts.incident.resource, *facts.downstream(facts.incident.resource)):
        resource = facts.resource(arn)
        service = facts.service(resource) if resource is not None else None
        if resource is None or service is None or service.unlogged is None:
            continue
        gap = service.unlogged(resource)
        if gap is not None:
            found.append((resource, gap))
    return tuple(found[:MOST])
