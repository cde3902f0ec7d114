"""Where a resource is, and where what is known of it is kept: in the run's own account and region, or elsewhere."""

from __future__ import annotations

from graph.facts import Facts
from graph.words import say
from tools.arn import global_region, is_arn
from tools.catalogue import for_event, service_of
from tools.models import ChangeEvent, Resource

Place = tuple[str, str]
"""Account id and region."""


def apart(facts: Facts, resource: Resource) -> Place | None:
    """Account and region of a resource with metrics of its own there; None in the run's own.

    Global services publish in the partition's global region only (CloudFront, Route 53: user guides, "Monitoring").
    """
    own, home = facts.incident.account, facts.incident.region
    account = resource.account if resource.account.isdigit() else own
    service = service_of(resource.arn) if is_arn(resource.arn) else None
    worldwide = service is not None and service.global_region
    region = resource.region or (global_region(home) if worldwide else home)
    return None if not is_arn(resource.arn) or (account, region) == (own, home) else (account, region)


def placed(facts: Facts, resource: str, event: ChangeEvent | None) -> str:
    """The name of a changed resource, with where the change was made when that is not where the run looks."""
    name, incident = facts.name(resource), facts.incident
    if event is None or (event.account in ("", incident.account) and _here(event, incident.region)):
        return name
    if event.account not in ("", incident.account):
        name = say("{name} of account {account}", name=name, account=event.account)
    if not _here(event, incident.region):
        name = say("{name} (changed in {region})", name=name, region=event.region)
    return name


def _here(event: ChangeEvent, home: str) -> bool:
    """Whether an event's region tells nothing new: it is the run's, or the one that holds all events of its service."""
    service = for_event(event)
    worldwide = service is not None and service[0].global_region
    return event.region in ("", home) or worldwide


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
