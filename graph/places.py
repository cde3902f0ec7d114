"""Where a resource is, and where what is known of it is kept: in the run's own account and region, or elsewhere."""

from __future__ import annotations

from graph.facts import Facts
from tools.arn import global_region, is_arn
from tools.catalogue import service_of
from tools.models import Resource

Place = tuple[str, str]
"""Account id and region."""


def apart(facts: Facts, resource: Resource) -> Place | None:
    """Account and region of a resource with metrics of its own there; None in the run's own."""
    own, home = facts.incident.account, facts.incident.region
    account = resource.account if resource.account.isdigit() else own
    region = resource.region or home
    return None if not is_arn(resource.arn) or (account, region) == (own, home) else (account, region)


def away(facts: Facts, resource: Resource) -> Place | None:
    """Account and region in whose history a resource's changes are; None when the run's own regions hold them.

    The history of the partition's global region is read in every run.
    """
    place = apart(facts, resource)
    worldwide = global_region(facts.incident.region)
    if place is None or place == (facts.incident.account, worldwide):
        return None
    service = service_of(resource.arn)
    return (place[0], worldwide) if service is not None and service.global_region else place
