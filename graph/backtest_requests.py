"""Recorded changes as the requests that a policy would have seen. Pure."""

from __future__ import annotations

from graph.backtest_policy import Ask
from tools.arn import is_arn, partition_of
from tools.catalogue import condition_keys, for_event
from tools.iam_names import action_of
from tools.models import ChangeEvent

_CLIENTS = {"monitoring": "cloudwatch"}
"""Where an event's source is not the service's IAM prefix."""


def principal_of(event: ChangeEvent) -> str:
    """ARN of the role or user that made a change, without session; "" when the event does not tell."""
    who, partition = event.actor, partition_of(event.region)
    if who.role_arn:
        return who.role_arn
    if who.role:
        return f"arn:{partition}:iam::{who.account or event.account}:role/{who.role}"
    return who.arn


def is_bound(event: ChangeEvent) -> bool:
    """Whether service control policies of this account bind the actor: not AWS's services, nor other accounts."""
    who = event.actor
    return who.kind not in ("aws_service", "service_linked_role") and who.account in ("", event.account)


def ask_of(event: ChangeEvent, more: tuple[str, ...] = ()) -> Ask:
    """A change as the request that a policy would have seen. `more`: ARNs that the event changes by name only."""
    found = for_event(event)
    prefix = event.source.split(".")[0]
    touched = found[1].touches(event) if found else ()
    client = found[0].client if found else _CLIENTS.get(prefix, prefix)
    named = touched or tuple(name for name in event.names if is_arn(name))
    return Ask(
        action=action_of(client, event.operation),
        resources=tuple(dict.fromkeys((*named, *more))) or None,
        principal=principal_of(event),
        account=event.account,
        region=event.region,
        mfa=event.actor.mfa,
        keys=condition_keys(client, event.operation, event.request),
    )
