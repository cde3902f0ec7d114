"""Events and resources for tests of service files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tools.models import Actor, ChangeEvent, Json, Resource
from tools.services._spec import Change, Service, Setting

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
ACCOUNT = "111122223333"
REGION = "eu-west-1"


def happened(
    source: str, operation: str, request: Json, response: Json | None = None, *, minutes: float = 0
) -> ChangeEvent:
    """An event ten minutes before `AS_OF`, `minutes` later."""
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source=f"{source}.amazonaws.com",
        action=operation,
        operation=operation,
        region=REGION,
        account=ACCOUNT,
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
    )


def resource(service: Service, type: str, arn: str, config: Json, name: str = "") -> Resource:
    return Resource(
        arn=arn,
        service=service.name,
        type=type,
        name=name or arn.rpartition("/")[2].rpartition(":")[2],
        account=ACCOUNT,
        region=REGION,
        config=config,
        evidence=("T1",),
    )


def change_of(service: Service, operation: str) -> Change:
    return next(one for one in service.changes if one.operation == operation)


def setting_of(service: Service, type: str, path: str) -> Setting:
    return next(one for one in service.settings if (one.type, one.path) == (type, path))
