"""Event buses with a rule, archives and API destinations."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    bus = str(lay.told("eventBusName", default="default"))
    if bus != "default":
        lay.do("events", "CreateEventBus", Name=bus.rsplit("/", 1)[-1])
    operation = lay.event.operation
    if "ApiDestination" in operation:
        made = lay.do(
            "events", "CreateConnection", Name="rehearsal", AuthorizationType="API_KEY",
            AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "key", "ApiKeyValue": "none"}},
        )["ConnectionArn"]  # fmt: skip
        lay.known(lay.told("connectionArn"), made)
        lay.do(
            "events", "CreateApiDestination", Name=lay.told("name"), ConnectionArn=made, HttpMethod="POST",
            InvocationEndpoint="https://example.com/hook",
        )  # fmt: skip
    elif "Archive" in operation:
        source = f"arn:aws:events:{lay.region}:{lay.event.account}:event-bus/default"
        lay.do("events", "CreateArchive", ArchiveName=lay.told("archiveName"), EventSourceArn=source)
    elif "Rule" in operation and operation not in ("PutRule", "DeleteRule"):
        lay.do(
            "events", "PutRule", Name=lay.told("rule", "name"), EventBusName=bus,
            ScheduleExpression="rate(1 day)",
        )  # fmt: skip


GROUNDS = (Ground(service="events", lay=_lay),)
