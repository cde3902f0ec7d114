"""What services report of themselves: events of databases and stacks, scaling activities, health events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tools.models import Json


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a service did or noticed.

    `service` is the client that answers it: rds, elasticache, ecs, cloudformation, autoscaling,
    application-autoscaling, health. `resource` is an ARN. `kind` is the service's own word: an event category of RDS
    ("failover"), a status of a scaling activity ("Successful") or of a stack ("UPDATE_COMPLETE"), an event type code
    of Health. `details` hold members of the answer that only this service has, by API name.
    """

    time: datetime
    service: str
    resource: str
    message: str
    kind: str = ""
    ended: datetime | None = None
    details: Json = field(default_factory=dict)


def of(happenings: Iterable[Happening], service: str, start: datetime, end: datetime) -> list[Happening]:
    """Those of one service that began in [start, end], newest first."""
    found = [one for one in happenings if one.service == service and start <= one.time <= end]
    return sorted(found, key=lambda one: (one.time, one.resource, one.message), reverse=True)
