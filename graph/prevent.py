"""At least one measure for every incident, each with an artefact and tried on the events at hand. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from graph.backtest_requests import is_bound, principal_of
from graph.backtest_rules import EMERGENCY
from graph.facts import Facts
from graph.models import Prevention, RootCause
from graph.prevent_alarms import metric_alarm, quiet_alarm, watch_setting
from graph.touching import changes, touches
from graph.weighing.moves import is_unlimited
from graph.words import say, stamp
from tools.arn import parse, partition_of
from tools.catalogue import condition_keys, type_of
from tools.cloudtrail_fields import event_names
from tools.iam_names import action_of
from tools.models import ChangeEvent, Json, Resource
from tools.services._spec import Setting


def proposals(facts: Facts, cause: RootCause | None) -> tuple[Prevention, ...]:
    """Measures for this cause, the strongest first, not tried yet; never empty."""
    made = list(measures(facts, cause)) if cause is not None else []
    if facts.incident.quiet_since is not None and facts.incident.alarm is not None:
        made.append(quiet_alarm(facts))
    made.extend(_for_gaps(facts))
    if not made:
        made.append(_practice(facts, cause))
    return tuple(made)


def measures(facts: Facts, cause: RootCause) -> tuple[Prevention, ...]:
    """Measures against this very cause, the strongest first, not tried yet; may be empty."""
    return (*_for_change(facts, cause), *_for_condition(facts, cause), *_for_traffic(facts, cause))


def _for_change(facts: Facts, cause: RootCause) -> Iterator[Prevention]:
    resource, setting = facts.resource(cause.resource), facts.setting(cause.resource, cause.field)
    if resource is None or cause.kind not in {"change", "setting", "alarm_changed"}:
        return
    event = next((item for item in facts.changes if cause.event and item.id == cause.event.id), None)
    operations = [event.operation] if event else _writers(setting)
    if operations:
        if event is None or _by_hand(event):
            yield _block(facts, resource, operations, event)
        else:
            yield _gate(facts, resource, event)
        yield _tell_of_event(facts, resource, operations, event)
    prior = cause.prior_value
    if setting is None or setting.metric is None or is_unlimited(prior, setting):
        return
    if isinstance(prior, int | float):
        yield watch_setting(facts, resource, setting, prior, cause.bad_value)


def _writers(setting: Setting | None) -> list[str]:
    """The operations that set a setting of a thing that is there already."""
    return [name for name in setting.requests if not name.startswith("Create")] if setting else []


_HANDS = frozenset({"console", "cli", "unknown"})
_PERSONS = frozenset({"iam_user", "identity_center_user", "root", "federated_user", "unknown"})


def _by_hand(event: ChangeEvent) -> bool:
    """Whether a person made it. A pipeline must not be denied what it is there for."""
    return event.actor.how in _HANDS or event.actor.kind in _PERSONS


def _gate(facts: Facts, resource: Resource, event: ChangeEvent) -> Prevention:
    metric = facts.incident.metric
    watched = metric.name if metric else say("errors")
    return Prevention(
        kind="slow",
        title=say("Release changes of {name} in steps, and stop at the first sign", name=resource.name),
        why=say(
            "The change came from an automatic way ({who}), which must stay allowed: let it undo itself instead.",
            who=event.actor.role or event.actor.name,
        ),
        artefact_name="note.md",
        artefact=say(
            "After {operation} on {name}, wait until {metric} has stayed normal for 15 minutes before the next "
            "step; else put back what was there and stop. The alarm of this incident can be the gate.",
            operation=event.operation, name=resource.name, metric=watched,
        ),
    )  # fmt: skip


MOST_ROLES = 5


def _block(facts: Facts, resource: Resource, operations: list[str], event: ChangeEvent | None) -> Prevention:
    service = facts.service(resource)
    client = service.client if service else parse(resource.arn).service
    allowed = _allowed_roles(facts, resource, operations, event)
    partition = partition_of(resource.region or facts.incident.region)
    patterns = [*allowed, f"arn:{partition}:iam::{resource.account}:role/{EMERGENCY}"]
    part = condition_keys(client, event.operation, event.request) if event else {}
    only: Json = (
        {"ForAnyValue:StringEquals": {key: list(values) for key, values in part.items()}} if part else {}
    )
    first = touches(event)[:1] if event else ()  # a replica in another region: it is there that they call
    changed = tuple(one for one in first if one != resource.arn and type_of(one) == resource.type)
    statement: Json = {
        "Sid": "OnlyThePipelineChangesThis",
        "Effect": "Deny",
        "Action": [action_of(client, name) for name in operations],
        "Resource": [resource.arn, *changed] if changed else resource.arn,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": patterns}, **only},
    }
    return Prevention(
        kind="block",
        title=say(
            "Deny {operations} on {name} except to {roles}",
            operations=", ".join(operations),
            name=", ".join(name for values in part.values() for name in values) or resource.name,
            roles=", ".join([*(arn.rsplit("/", 1)[-1] for arn in allowed), say("your emergency role")]),
        ),
        why=say(
            "A service control policy can limit who changes {service}, not to which value. Put the name of your "
            "emergency role in place of {placeholder}, then attach it to the account in AWS Organizations.",
            service=service.title if service else client, placeholder=EMERGENCY,
        ),
        artefact_name="policy.json",
        artefact={"Version": "2012-10-17", "Statement": [statement]},
    )  # fmt: skip


def _same_kind(facts: Facts, resource: Resource, operations: list[str]) -> list[ChangeEvent]:
    found = []
    for event in facts.changes:
        if event.operation in operations and changes(event, resource):
            found.append(event)
    return found


def _allowed_roles(
    facts: Facts, resource: Resource, operations: list[str], event: ChangeEvent | None
) -> tuple[str, ...]:
    """ARNs of roles that made such changes before without harm; where there is none, of those that made others."""
    bad = principal_of(event) if event else ""
    for seen in (_same_kind(facts, resource, operations), _touching(facts, resource)):
        good = [item for item in seen if event is None or item.id != event.id]
        roles = [principal_of(item) for item in good if item.actor.role and is_bound(item)]
        found = tuple(dict.fromkeys(role for role in roles if role != bad))[:MOST_ROLES]
        if found:
            return found
    return ()


def _touching(facts: Facts, resource: Resource) -> list[ChangeEvent]:
    """Changes of the resource by what runs on its own; what people did by hand is no rule."""
    return [event for event in facts.changes if changes(event, resource) and not _by_hand(event)]


def _tell_of_event(
    facts: Facts, resource: Resource, operations: list[str], event: ChangeEvent | None
) -> Prevention:
    service = facts.service(resource)
    sources = [event.source] if event else list(service.event_sources) if service else []
    recorded = [event.action] if event else []
    recorded += [name for operation in operations for name in event_names(operation)]
    detail: Json = {"eventSource": sources, "eventName": list(dict.fromkeys(recorded))}
    if event is not None and (only := _naming(event, resource)):
        detail["requestParameters"] = only
    return Prevention(
        kind="notice",
        title=say(
            "Tell the team of every {operations} on {name}",
            operations=", ".join(operations),
            name=resource.name,
        ),
        why=say(
            "EventBridge sees the change within seconds to minutes; a person can ask before users suffer."
        ),
        artefact_name="rule.json",
        artefact={
            "Name": _NOT_IN_NAMES.sub("-", f"changes-of-{resource.name}")[:64],
            "EventPattern": {
                "source": [f"aws.{source.split('.')[0]}" for source in sources],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": detail,
            },
        },
    )


_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def _naming(event: ChangeEvent, resource: Resource) -> Json:
    """The field of the request that names the resource, with every way to write it: name and ARN."""
    for key, value in event.request.items():
        if isinstance(value, str) and value in (resource.name, resource.arn):
            return {key: [resource.name, resource.arn]}
        if isinstance(value, str) and value.endswith(f"/{resource.name}"):
            return {key: [value]}
    return {}


_WATCH = "Alarm on "
"""How service files begin what tells of a condition; all else keeps it from coming about."""


def _for_condition(facts: Facts, cause: RootCause) -> Iterator[Prevention]:
    known = facts.condition(cause.resource, cause.field)
    resource = facts.resource(cause.resource)
    if cause.kind != "condition" or known is None or resource is None:
        return
    watched = [one for one in known.prevent if one.startswith(_WATCH)]
    built = [one for one in known.prevent if one not in watched]
    if built:
        yield _advice("design", built, known.breaks)
    service = facts.service(resource)
    spec = (
        next(
            (one for one in service.metrics if one.type == resource.type and one.name in known.metrics[:1]),
            None,
        )
        if service is not None
        else None
    )
    counts = spec is not None and spec.stat == "Sum" and spec.role in {"errors", "throttles"}
    if service is not None and service.dimensions is not None and spec is not None and counts:
        yield metric_alarm(resource, service.namespace_of(spec), service.dimensions(resource), spec.name)
    elif watched:  # any other metric has no natural threshold
        yield _advice("notice", watched, known.breaks)


def _advice(kind: Literal["design", "notice"], sentences: list[str], why: str) -> Prevention:
    return Prevention(
        kind=kind, title=sentences[0], why=why, artefact_name="note.md", artefact="\n".join(sentences)
    )


def _for_traffic(facts: Facts, cause: RootCause) -> Iterator[Prevention]:
    if cause.kind != "traffic":
        return
    yield Prevention(
        kind="design",
        title=say("Put a limit in front of {name}, or a queue behind it", name=facts.name(cause.resource)),
        why=say(
            "A burst above the limit then waits or is turned away at the door, and nothing behind it fails."
        ),
        artefact_name="note.md",
        artefact=say("Set a usage limit per caller, and alarm at 80 percent of the limit that was exceeded."),
    )


def _for_gaps(facts: Facts) -> Iterator[Prevention]:
    statements = [gap.statement for gap in facts.gaps if gap.statement]
    if statements:
        unique = list({str(item): item for item in statements}.values())
        yield Prevention(
            kind="practice",
            title=say("Let opsleuth see what it could not see this time"),
            why=say("Next time the answer is complete: each statement only allows reading."),
            artefact_name="policy.json",
            artefact={"Version": "2012-10-17", "Statement": unique},
        )


def _practice(facts: Facts, cause: RootCause | None) -> Prevention:
    incident = facts.incident
    return Prevention(
        kind="practice",
        title=say("Write down what was found and done"),
        why=say("The cause was not found; the next look starts from here.")
        if cause is None
        else say("The next one who meets this starts from here."),
        artefact_name="note.md",
        artefact=say(
            "Resource: {resource}. Looked at until {time}.",
            resource=incident.resource,
            time=stamp(facts.as_of),
        ),
    )
