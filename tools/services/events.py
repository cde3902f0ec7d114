"""EventBridge: rules with their targets, event buses, archives, API destinations and their connections.

`config` of a rule is what DescribeRule tells, with `Targets` (ListTargetsByRule). Of a bus, an archive, an API
destination and a connection it is what its describe operation tells; an archive's and a bus's JSON stays text.
A rule's ARN names its bus unless that is the default one: rule/NAME, rule/BUS/NAME.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.deliveries import last, meant, senders, sent_again, target_of
from tools.errors import NotThere
from tools.kit import OFF, call, here, optional, plain, record, reference, relation, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Missing,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "events.amazonaws.com"
_DEFAULT = "default"
_MOST_RULES = 60  # whose targets a listing reads, one call each
_SAME_DELETION = timedelta(minutes=15)  # a rule's targets have to go before it can be deleted


def _bus_name(told: str) -> str:
    """The name of a bus that a request names by name, by ARN or not at all."""
    return told.partition(":event-bus/")[2] or told or _DEFAULT


def rule_arn(event: ChangeEvent, name: str, bus: str) -> str:
    """The ARN of the rule `name` on the bus `bus`, which is a name, an ARN or ""."""
    if arns.is_arn(name):
        return name
    group = _bus_name(bus)
    return here(event, "events", f"rule/{name}" if group == _DEFAULT else f"rule/{group}/{name}")


def _touches_rule(event: ChangeEvent) -> tuple[str, ...]:
    told = text(event.response, "ruleArn")
    name = text(event.request, "name") or text(event.request, "rule")
    bus = text(event.request, "eventBusName")
    if arns.is_arn(told):
        return (told,)
    return (rule_arn(event, name, bus),) if name else ()


def _touches_bus(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "name") or text(event.request, "eventBusName")
    return (here(event, "events", f"event-bus/{_bus_name(name)}"),)


def _touches_replay(event: ChangeEvent) -> tuple[str, ...]:
    found = (text(event.request, "destination", "arn"), text(event.request, "eventSourceArn"))
    return tuple(arn for arn in found if arns.is_arn(arn))


def _touches_cancelled(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "replayName")
    return (here(event, "events", f"replay/{name}"),) if name else ()


def _touches_archive(event: ChangeEvent) -> tuple[str, ...]:
    name, source = text(event.request, "archiveName"), text(event.request, "eventSourceArn")
    found = (here(event, "events", f"archive/{name}"),) if name else ()
    return (*found, *([source] if arns.is_arn(source) else []))


def _touches_named(kind: str, key: str, event: ChangeEvent) -> tuple[str, ...]:
    """Their ARNs end with an id that only the answer tells."""
    told, name = text(event.response, key), text(event.request, "name")
    if arns.is_arn(told):
        return (told,)
    return (here(event, "events", f"{kind}/{name}"),) if name else ()


_touches_destination = partial(_touches_named, "api-destination", "apiDestinationArn")
_touches_connection = partial(_touches_named, "connection", "connectionArn")


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resourceARN")
    return (arn,) if arns.is_arn(arn) else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """The rules of all buses with their targets, one call for each of at most 60; those that AWS manages without."""
    rules = list(_rules(reader, region, ""))
    with reader.seeing("Event buses", "which rules are on other buses than the default one"):
        buses = reader.pages("events", "ListEventBuses", "EventBuses", region=region)
        for bus in buses.items:
            if bus["Name"] != _DEFAULT:
                yield _resource(_type_of_bus(bus["Name"]), bus["Arn"], bus["Name"], bus, buses.evidence)
                rules.extend(_rules(reader, region, bus["Name"]))
    own = [one for one in rules if not one.config.get("ManagedBy")]
    for rule in own[:_MOST_RULES]:
        yield _with_targets(reader, rule)
    yield from own[_MOST_RULES:]
    if len(own) > _MOST_RULES:
        why = f"there are {len(own)} rules; the targets of the first {_MOST_RULES} were read"
        reader.missing("Targets of some rules", why, "which rules call what", code="BudgetSpent")


def _rules(reader: Reader, region: str, bus: str) -> Iterable[Resource]:
    at: dict[str, Any] = {"EventBusName": bus} if bus else {}
    pages = reader.pages("events", "ListRules", "Rules", region=region, limit=20, **at)
    for item in pages.items:
        yield _resource("rule", item["Arn"], item["Name"], item, pages.evidence)


def _with_targets(reader: Reader, rule: Resource) -> Resource:
    """The rule with the targets that it calls; without where AWS does not show them."""
    bus, name = _place(rule.arn)
    found: list[tuple[Json, tuple[str, ...]]] = []
    with reader.seeing(f"Targets of rule {rule.name}", "what it calls"):
        at: dict[str, Any] = {} if bus == _DEFAULT else {"EventBusName": bus}
        pages = reader.pages("events", "ListTargetsByRule", "Targets", region=rule.region, Rule=name, **at)
        found.append(({"Targets": [plain(item) for item in pages.items]}, pages.evidence))
    more, evidence = found[0] if found else ({}, ())
    return _resource("rule", rule.arn, rule.name, {**rule.config, **more}, (*rule.evidence, *evidence))


def _place(arn: str) -> tuple[str, str]:
    """Bus and name of a rule."""
    bus, _, name = arns.parse(arn).name.rpartition("/")
    return bus or _DEFAULT, name


def _type_of_bus(name: str) -> str:
    return "default-event-bus" if name == _DEFAULT else "event-bus"


def _resource(
    type: str, arn: str, name: str, config: Json, evidence: Iterable[str], tags: dict[str, str] | None = None
) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="events",
        type=type,
        name=name,
        account=parts.account,
        region=parts.region,
        config=plain({key: value for key, value in config.items() if key != "ResponseMetadata"}),
        tags=tags or {},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """One rule with its targets and tags, one bus, archive, API destination or connection.

    Of another account's nothing: reads by name would answer for one of this account.
    """
    parts = arns.parse(arn)
    if parts.account != reader.aws.account:
        return None
    if parts.type == "rule":
        return _describe_rule(reader, arn)
    found = _DESCRIBES.get(parts.type)
    if found is None:
        return None
    operation, member = found
    name = parts.name if parts.type in ("event-bus", "archive") else parts.name.partition("/")[0]
    try:
        answer = reader.ask("events", operation, region=parts.region, **{member: name})
    except NotThere:
        return None
    config = dict(answer.data)
    config.pop("AuthParameters", None)  # keys and names of secrets
    if endpoint := config.get("InvocationEndpoint"):
        config["InvocationEndpoint"] = reference("InvocationEndpoint", str(endpoint))
    evidence = [answer.evidence]
    type = _type_of_bus(name) if parts.type == "event-bus" else parts.type
    if type == "event-bus":
        with reader.seeing("Rules of an event bus", "which rules it feeds"):
            rules = reader.pages("events", "ListRules", "Rules", region=parts.region, EventBusName=name)
            config["Rules"] = [item["Arn"] for item in rules.items]
            evidence.extend(rules.evidence)
    return _resource(type, arn, name, config, evidence)


_DESCRIBES: Mapping[str, tuple[str, str]] = {
    "event-bus": ("DescribeEventBus", "Name"),
    "archive": ("DescribeArchive", "ArchiveName"),
    "api-destination": ("DescribeApiDestination", "Name"),
    "connection": ("DescribeConnection", "Name"),
}


def _describe_rule(reader: Reader, arn: str) -> Resource | None:
    region, (bus, name) = arns.parse(arn).region, _place(arn)
    at = {} if bus == _DEFAULT else {"EventBusName": bus}
    try:
        answer = reader.ask("events", "DescribeRule", region=region, Name=name, **at)
    except NotThere:
        return None
    tags = optional(reader, "events", "ListTagsForResource", "Tags", region=region, ResourceARN=arn)
    kept = {tag["Key"]: tag.get("Value", "") for tag in (tags.data.get("Tags") or [])} if tags else {}
    found = _with_targets(reader, _resource("rule", arn, name, answer.data, [answer.evidence]))
    return _resource("rule", arn, name, found.config, found.evidence, kept)


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Which bus feeds a rule, what the rule calls, as whom, and where failed calls go."""
    config = resource.config
    if resource.type == "rule":
        bus = arns.build("events", resource.region, resource.account, f"event-bus/{_place(resource.arn)[0]}")
        if text(config, "EventPattern"):  # what only follows a schedule gets nothing from its bus
            yield _from(bus, resource, "feeds", "events:DescribeRule EventBusName")
        off = text(config, "State") == "DISABLED"
        for target in config.get("Targets") or []:
            for one in target_of(resource, target, "triggers", "events:ListTargetsByRule", directory):
                yield replace(one, provenance=one.provenance + OFF) if off and one.kind == "triggers" else one
    elif resource.type in ("event-bus", "default-event-bus"):
        for rule in config.get("Rules") or []:
            yield relation(resource, rule, "feeds", "events:ListRules EventBusName")
        if dead := text(config, "DeadLetterConfig", "Arn"):
            yield relation(resource, dead, "sends failures to", "events:DescribeEventBus DeadLetterConfig")
        yield from senders(resource, config.get("Policy"), "events:DescribeEventBus Policy")
        key = text(config, "KmsKeyIdentifier")
        yield from uses_key(resource, key, "events:DescribeEventBus KmsKeyIdentifier")
    elif resource.type == "archive":
        if bus := text(config, "EventSourceArn"):
            yield _from(bus, resource, "archived in", "events:DescribeArchive EventSourceArn")
    elif resource.type == "api-destination":
        said_by = "events:DescribeApiDestination"
        if connection := text(config, "ConnectionArn"):
            yield relation(resource, connection, "signs in with", f"{said_by} ConnectionArn")
        for arn in meant(text(config, "InvocationEndpoint"), directory):
            yield relation(resource, arn, "invokes", f"{said_by} InvocationEndpoint")
    elif resource.type == "connection" and (secret := text(config, "SecretArn")):
        yield relation(resource, secret, "uses", "events:DescribeConnection SecretArn")


def _from(source: str, resource: Resource, kind: str, said_by: str) -> Relation:
    return Relation(
        source=source, target=resource.arn, kind=kind, provenance=said_by, evidence=resource.evidence
    )


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    """Metrics that name only the rule mean the default bus; other rules are named together with their bus."""
    name, bus = dimensions.get("RuleName", ""), _bus_name(dimensions.get("EventBusName", ""))
    base = f"arn:{partition}:events:{region}:{account}"
    if name:
        return f"{base}:rule/{name}" if bus == _DEFAULT else f"{base}:rule/{bus}/{name}"
    return f"{base}:event-bus/{bus}" if "EventBusName" in dimensions else ""


def _dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    if resource.type == "rule":
        bus, name = _place(resource.arn)
        return (("RuleName", name),) if bus == _DEFAULT else (("EventBusName", bus), ("RuleName", name))
    return (("EventBusName", resource.name),) if resource.type.endswith("event-bus") else ()


# -- settings ---------------------------------------------------------------------------------------


def _at(resource: Resource, member: str = "Name") -> Json:
    bus, name = _place(resource.arn)
    return {member: name, **({} if bus == _DEFAULT else {"EventBusName": bus})}


def _read_rule(resource: Resource) -> Call:
    return call("events", "DescribeRule", resource, **_at(resource))


_SENT = ("EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")


def _put_rule(resource: Resource, member: str, value: Value) -> tuple[Call, ...]:
    # PutRule replaces the whole rule: what is left out is gone. Tags and targets stay.
    kept = {key: resource.config.get(key) for key in _SENT} | {member: value}
    sent = {key: str(item) for key, item in kept.items() if item not in (None, "")}
    if "EventPattern" not in sent and "ScheduleExpression" not in sent:
        return ()
    return (call("events", "PutRule", resource, **_at(resource), **sent),)


def _restore_state(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value in (None, "", "ENABLED"):
        return (call("events", "EnableRule", resource, **_at(resource)),)
    if value == "DISABLED":
        return (call("events", "DisableRule", resource, **_at(resource)),)
    return _put_rule(resource, "State", value)


def _restore_member(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _put_rule(resource, member, value)


def _rule_setting(name: str, words: str, beside: tuple[str, ...], *effects: Effect) -> Setting:
    sent = name[0].lower() + name[1:]
    return Setting(
        type="rule",
        name=words,
        path=name,
        unit="",
        requests={"PutRule": f"{sent} || ''"},
        restore=partial(_restore_member, name),
        read=_read_rule,
        query=name,
        unset="",
        echo="none",
        effects=effects,
        beside=beside,
    )


def _silent(after: tuple[int, int]) -> tuple[Effect, ...]:
    return (
        Effect(metric="Invocations", direction="silent", after=after),
        Effect(metric="Invocations", direction="down", after=after),
        Effect(metric="TriggeredRules", direction="silent", after=after),
        Effect(metric="MatchedEvents", direction="silent", after=after),
        Effect(metric="MatchedEvents", direction="down", after=after),
        Effect(metric="role:demand", direction="silent", on="downstream", after=after),
        Effect(metric="role:demand", direction="down", on="downstream", after=after),
        Effect(metric="role:work", direction="silent", on="downstream", after=after),
        Effect(metric="role:work", direction="down", on="downstream", after=after),
        Effect(metric="role:demand", direction="up", on="downstream", after=after, may=True),
        Effect(metric="Invocations", direction="up", after=after, may=True),
    )


_NEXT_RUN = (
    0,
    90_000,
)  # what follows a schedule shows by the next time it should run: a day for a nightly one
_REFUSED_BY_TARGET = (
    Effect(metric="FailedInvocations", direction="up", after=(0, 90_000)),
    Effect(metric="InvocationsSentToDlq", direction="up", after=(0, 90_000)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 90_000)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 90_000)),
    Effect(metric="role:work", direction="silent", on="downstream", after=(0, 90_000)),
)
_SENDERS_REFUSED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 900)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 900)),
    Effect(metric="role:work", direction="silent", on="downstream", after=(0, 900)),
)


def _read_bus(resource: Resource) -> Call:
    return call("events", "DescribeEventBus", resource, Name=resource.name)


def _update_bus(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # UpdateEventBus falls back to AWS's own key, and to no queue, where they are left out.
    config = resource.config
    sent = {key: config[key] for key in ("Description", "KmsKeyIdentifier", "LogConfig") if config.get(key)}
    dead: Value = text(config, "DeadLetterConfig", "Arn")
    if member == "KmsKeyIdentifier":
        sent.pop(member, None)
        sent |= {member: str(value)} if value else {}
    else:
        dead = value
    sent |= {"DeadLetterConfig": {"Arn": str(dead)}} if dead else {}
    return (call("events", "UpdateEventBus", resource, Name=resource.name, **sent),)


def _restore_policy(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not value:  # a bus that never had a policy admits its own account only
        return (
            call(
                "events", "RemovePermission", resource, EventBusName=resource.name, RemoveAllPermissions=True
            ),
        )
    return (call("events", "PutPermission", resource, EventBusName=resource.name, Policy=str(value)),)


def _bus_settings(type: str) -> tuple[Setting, ...]:
    return (
        Setting(
            type=type,
            name="event bus policy",
            path="Policy",
            unit="",
            requests={"PutPermission": "policy"},
            restore=_restore_policy,
            read=_read_bus,
            query="Policy",
            unset="",
            echo="none",
            effects=_SENDERS_REFUSED,
        ),
        *(
            Setting(
                type=type,
                name=words,
                path=path,
                unit="",
                requests=dict.fromkeys(("UpdateEventBus", "CreateEventBus"), f"{sent} || ''"),
                restore=partial(_update_bus, path),
                read=_read_bus,
                query=path,
                unset="",
                echo="new",
                echo_path=sent,
                effects=effects,
                beside=beside,
            )
            for path, sent, words, effects, beside in (
                (
                    "KmsKeyIdentifier",
                    "kmsKeyIdentifier",
                    "encryption key",
                    _SENDERS_REFUSED,
                    ("DeadLetterConfig.Arn",),
                ),
                ("DeadLetterConfig.Arn", "deadLetterConfig.arn", "dead-letter queue", (), ("KmsKeyIdentifier",)),
            )
        ),
    )  # fmt: skip


def _read_destination(resource: Resource) -> Call:
    return call("events", "DescribeApiDestination", resource, Name=resource.name)


_DESTINATION = ("ConnectionArn", "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond")


def _update_destination(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """One member alone: the others stay as they are."""
    if value is None:
        return ()
    sent = whole(value) if member == "InvocationRateLimitPerSecond" else str(value)
    return (call("events", "UpdateApiDestination", resource, Name=resource.name, **{member: sent}),)


_FAILS_DOWN = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 3600)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 3600)),
)

SETTINGS = (
    Setting(
        type="rule",
        name="state",
        path="State",
        unit="",
        requests={
            "PutRule": "state || 'ENABLED'",
            "EnableRule": '`"ENABLED"`',
            "DisableRule": '`"DISABLED"`',
        },
        restore=_restore_state,
        read=_read_rule,
        query="State",
        unset="ENABLED",
        echo="none",
        effects=_silent(_NEXT_RUN),
    ),
    _rule_setting("EventPattern", "event pattern", ("State", "ScheduleExpression"), *_silent((0, 3600))),
    _rule_setting("ScheduleExpression", "schedule", ("State", "EventPattern"), *_silent(_NEXT_RUN)),
    *_bus_settings("event-bus"),
    *_bus_settings("default-event-bus"),
    *(
        Setting(
            type="api-destination",
            name=words,
            path=member,
            unit=unit,
            requests=dict.fromkeys(
                ("UpdateApiDestination", "CreateApiDestination"), member[0].lower() + member[1:]
            ),
            restore=partial(_update_destination, member),
            read=_read_destination,
            query=member,
            echo="none",
            effects=effects,
        )
        for member, words, unit, effects in (
            (
                "InvocationRateLimitPerSecond",
                "rate limit",
                "calls per second",
                (
                    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 3600), when="lowered"),
                    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 90_000), when="lowered"),
                    Effect(metric="role:throttles", direction="up", on="downstream", after=(0, 900), when="raised"),
                ),
            ),
            ("InvocationEndpoint", "endpoint", "", _FAILS_DOWN),
            ("HttpMethod", "HTTP method", "", _FAILS_DOWN),
            ("ConnectionArn", "connection", "", _FAILS_DOWN),
        )
    ),
)  # fmt: skip

# -- changes ----------------------------------------------------------------------------------------


def _same_rule(event: ChangeEvent, other: ChangeEvent) -> bool:
    return _touches_rule(event)[:1] == _touches_rule(other)[:1]


def _listed(place: Json, key: str) -> list[Any]:
    found = place.get(key)
    return found if isinstance(found, list) else []


def _failed(event: ChangeEvent) -> set[str]:
    """Ids of targets that a request did not change: it is answered as a success even so."""
    return {
        text(one, "targetId") for one in _listed(event.response, "failedEntries") if isinstance(one, Mapping)
    }


def _ids(event: ChangeEvent) -> list[str]:
    """Ids of the targets that an event put or removed."""
    if event.operation == "RemoveTargets":
        told = [str(one) for one in _listed(event.request, "ids")]
    else:
        told = [text(one, "id") for one in _listed(event.request, "targets") if isinstance(one, Mapping)]
    return [id for id in told if id and id not in _failed(event)]


def _target_before(event: ChangeEvent, id: str, earlier: tuple[ChangeEvent, ...]) -> tuple[bool, Json | None]:
    """Whether the events tell what the target was before `event`, and what: None when there was none."""
    for one in earlier:
        if one.operation == "DeleteRule" and _same_rule(event, one):
            return True, None
        if one.operation not in ("PutTargets", "RemoveTargets") or not _same_rule(event, one):
            continue
        if id in _ids(one):
            if one.operation == "RemoveTargets":
                return True, None
            held = next(
                item
                for item in _listed(one.request, "targets")
                if isinstance(item, dict) and text(item, "id") == id
            )
            return True, held
    return False, None


def _undo_targets(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """PutTargets with the targets as they were, RemoveTargets for those that were not there. All or nothing."""
    put: list[Any] = []
    gone: list[str] = []
    for id in _ids(event):
        known, held = _target_before(event, id, earlier)
        if not known:
            return ()
        if held is not None:
            put.append(held)
        elif event.operation == "PutTargets":
            gone.append(id)
    base = {key: event.request[key] for key in ("rule", "eventBusName") if event.request.get(key)}
    made = sent_again("events", "PutTargets", event, {**base, "targets": put}) if put else ()
    if put and not made:
        return ()
    away = sent_again("events", "RemoveTargets", event, {**base, "ids": gone}) if gone else ()
    return (*made, *away)


def _undo_delete_rule(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """PutRule as it was last put, in the state it was in, with the targets that were removed for the deletion."""
    same = partial(_same_rule, event)
    made = last(earlier, ("PutRule", "DeleteRule"), same)
    if made is None or made.operation == "DeleteRule":
        return ()
    switched = last(earlier, ("PutRule", "EnableRule", "DisableRule"), same)
    state = {"EnableRule": "ENABLED", "DisableRule": "DISABLED"}.get(switched.operation if switched else "")
    request = {**made.request, **({"state": state} if state else {})}
    calls = sent_again("events", "PutRule", event, request, "tags")
    removed = last(earlier, ("RemoveTargets", "PutTargets"), same)
    if removed is None or removed.operation != "RemoveTargets" or event.time - removed.time > _SAME_DELETION:
        return calls
    targets = _undo_targets(removed, tuple(one for one in earlier if one.time < removed.time))
    return (*calls, *targets) if calls and targets else ()


def _back_to_deleted(undone: tuple[Call, ...]) -> tuple[Call, ...]:
    """A rule is deleted after its targets."""
    made: list[Call] = []
    for one in reversed(undone):
        at = {key: one.parameters[key] for key in ("EventBusName",) if key in one.parameters}
        if one.operation == "PutTargets":
            ids = [target["Id"] for target in one.parameters["Targets"]]
            sent = {"Rule": one.parameters["Rule"], "Ids": ids, **at}
            made.append(Call(service="events", operation="RemoveTargets", parameters=sent, region=one.region))
        elif one.operation == "PutRule":
            sent = {"Name": one.parameters["Name"], **at}
            made.append(Call(service="events", operation="DeleteRule", parameters=sent, region=one.region))
    return tuple(made)


def _statement(event: ChangeEvent) -> tuple[str, str]:
    return _touches_bus(event)[0], text(event.request, "statementId")


def _undo_permission(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """PutPermission with the statement of the same id as it was last put. A policy as a whole is a setting."""
    if not text(event.request, "statementId"):
        return ()
    before = last(
        earlier, ("PutPermission", "RemovePermission"), lambda one: _statement(one) == _statement(event)
    )
    if before is None:
        return ()
    if before.operation == "RemovePermission":
        return _unless(event.operation == "RemovePermission", event)
    return sent_again("events", "PutPermission", event, before.request)


def _unless(gone: bool, event: ChangeEvent) -> tuple[Call, ...]:
    """RemovePermission of the event's statement, unless it is gone already."""
    at = {key: event.request[key] for key in ("eventBusName", "statementId") if event.request.get(key)}
    return () if gone else sent_again("events", "RemovePermission", event, at)


def _undo_replay(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    name = text(event.request, "replayName")
    return (call("events", "CancelReplay", event, ReplayName=name),) if name else ()


def _nothing(undone: tuple[Call, ...]) -> tuple[Call, ...]:
    """A replay's name is used up."""
    return ()


_RULE = "arn:aws:events:eu-west-1:111122223333:rule/nightly-billing"
_ORDERS = "arn:aws:events:eu-west-1:111122223333:event-bus/orders"
_ARCHIVE = "arn:aws:events:eu-west-1:111122223333:archive/orders-archive"
_IDENTITY = "5f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e"
_HOOK = f"arn:aws:events:eu-west-1:111122223333:api-destination/partner-hook/{_IDENTITY}"
_LOGIN = f"arn:aws:events:eu-west-1:111122223333:connection/partner/{_IDENTITY}"
_PUT_RULE: Json = {
    "name": "nightly-billing",
    "scheduleExpression": "cron(0 2 * * ? *)",
    "eventPattern": json.dumps({"source": ["shop.billing"]}),  # both may be set: either starts a run
    "state": "ENABLED",
    "description": "starts the nightly run",
}
_PUT_PATTERN: Json = {
    "name": "order-placed",
    "eventBusName": "orders",
    "eventPattern": json.dumps({"source": ["shop.orders"], "detail-type": ["order placed"]}),
    "state": "ENABLED",
}
_TARGET: Json = {
    "id": "billing",
    "arn": "arn:aws:lambda:eu-west-1:111122223333:function:billing-run",
    "retryPolicy": {"maximumRetryAttempts": 4, "maximumEventAgeInSeconds": 3600},
    "deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:111122223333:billing-dead"},
}
_NONE_FAILED: Json = {"failedEntryCount": 0, "failedEntries": []}
_POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})

CHANGES = (
    Change(
        operation="DisableRule",
        touches=_touches_rule,
        breaks="The rule calls nobody any more: work that it starts is not done, and nothing fails.",
        example=record(_SOURCE, "DisableRule", {"name": "nightly-billing", "eventBusName": "default"}),
    ),
    Change(
        operation="PutRule",
        touches=_touches_rule,
        breaks="The rule runs at other times, or for other events, or not at all; what was left out is gone.",
        example=record(_SOURCE, "PutRule", _PUT_RULE, {"ruleArn": _RULE}),
        more_examples=(
            record(
                _SOURCE,
                "PutRule",
                _PUT_PATTERN,
                {"ruleArn": "arn:aws:events:eu-west-1:111122223333:rule/orders/order-placed"},
            ),
        ),
    ),
    Change(
        operation="EnableRule",
        touches=_touches_rule,
        breaks="The rule calls its targets again: work may be done that something else does by now.",
        example=record(_SOURCE, "EnableRule", {"name": "nightly-billing"}),
    ),
    Change(
        operation="PutTargets",
        touches=_touches_rule,
        breaks="The rule calls somebody else, or with other input, retries or permissions.",
        example=record(
            _SOURCE, "PutTargets", {"rule": "nightly-billing", "targets": [_TARGET]}, _NONE_FAILED
        ),
        effects=(*_REFUSED_BY_TARGET, *_silent(_NEXT_RUN)[5:10]),
        undo=_undo_targets,
        earlier=("RemoveTargets", "DeleteRule"),
    ),
    Change(
        operation="RemoveTargets",
        touches=_touches_rule,
        breaks="The rule still matches and calls nobody: work that it starts is not done, and nothing fails.",
        example=record(
            _SOURCE, "RemoveTargets", {"rule": "nightly-billing", "ids": ["billing"]}, _NONE_FAILED
        ),
        effects=_silent(_NEXT_RUN),
        undo=_undo_targets,
        earlier=("PutTargets", "DeleteRule"),
    ),
    Change(
        operation="DeleteRule",
        touches=_touches_rule,
        breaks="The rule calls nobody any more, and is gone.",
        example=record(_SOURCE, "DeleteRule", {"name": "nightly-billing", "force": False}),
        effects=_silent(_NEXT_RUN),
        undo=_undo_delete_rule,
        back=_back_to_deleted,
        earlier=("PutRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets"),
    ),
    Change(
        operation="PutPermission",
        touches=_touches_bus,
        breaks="Senders of other accounts, or all that the policy no longer allows, are refused.",
        example=record(_SOURCE, "PutPermission", {"eventBusName": "orders", "policy": _POLICY}),
        more_examples=(
            record(_SOURCE, "PutPermission", {"eventBusName": "default", "policy": _POLICY}),
            record(
                _SOURCE,
                "PutPermission",
                {"action": "events:PutEvents", "principal": "444455556666", "statementId": "partner"},
            ),
        ),
        undo=_undo_permission,
        earlier=("RemovePermission",),
    ),
    Change(
        operation="RemovePermission",
        touches=_touches_bus,
        breaks="Senders that the statement allowed are refused.",
        example=record(
            _SOURCE, "RemovePermission", {"statementId": "partner", "removeAllPermissions": False}
        ),
        effects=_SENDERS_REFUSED,
        undo=_undo_permission,
        earlier=("PutPermission",),
    ),
    Change(
        operation="UpdateEventBus",
        touches=_touches_bus,
        breaks="Senders are refused when they may not use the key, and failed events are kept elsewhere or not at all.",
        example=record(
            _SOURCE,
            "UpdateEventBus",
            {
                "name": "orders",
                "kmsKeyIdentifier": "alias/orders",
                "deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead"},
            },
            {"arn": _ORDERS, "name": "orders", "kmsKeyIdentifier": "alias/orders"},
        ),
        more_examples=(
            record(
                _SOURCE,
                "UpdateEventBus",
                {
                    "name": "default",
                    "kmsKeyIdentifier": "alias/orders",
                    "deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead"},
                },
                {"name": "default", "kmsKeyIdentifier": "alias/orders"},
            ),
        ),
    ),
    Change(
        operation="DeleteEventBus",
        touches=_touches_bus,
        breaks="Senders fail, and no rule of the bus is left.",
        example=record(_SOURCE, "DeleteEventBus", {"name": "orders"}),
        effects=_SENDERS_REFUSED,
    ),
    Change(
        operation="StartReplay",
        touches=_touches_replay,
        breaks="Old events are delivered again: targets do work twice, and all at once.",
        example=record(
            _SOURCE,
            "StartReplay",
            {
                "replayName": "orders-again",
                "eventSourceArn": _ARCHIVE,
                "eventStartTime": "Mar 12, 2026, 12:00:00 AM",
                "eventEndTime": "Mar 13, 2026, 12:00:00 AM",
                "destination": {"arn": _ORDERS},
            },
            {
                "replayArn": "arn:aws:events:eu-west-1:111122223333:replay/orders-again",
                "state": "STARTING",
                "replayStartTime": "Mar 13, 2026, 5:12:31 PM",
            },
        ),
        effects=(
            Effect(metric="role:demand", direction="up", on="downstream", after=(0, 3600)),
            Effect(metric="role:throttles", direction="up", on="downstream", after=(0, 3600)),
            Effect(metric="role:backlog", direction="up", on="downstream", after=(0, 3600)),
        ),
        undo=_undo_replay,
        back=_nothing,
    ),
    Change(
        operation="UpdateApiDestination",
        touches=_touches_destination,
        breaks="Calls go elsewhere, or wait longer for their turn and are given up.",
        example=record(
            _SOURCE,
            "UpdateApiDestination",
            {
                "name": "partner-hook",
                "connectionArn": _LOGIN,
                "invocationEndpoint": "https://partner.example/hook",
                "httpMethod": "POST",
                "invocationRateLimitPerSecond": 5,
            },
            {"apiDestinationArn": _HOOK, "apiDestinationState": "ACTIVE"},
        ),
    ),
    *(
        Change(
            operation=operation,
            touches=touches,
            breaks=breaks,
            example=record(_SOURCE, operation, {"name": name}, response),
            effects=_FAILS_DOWN,
        )
        for operation, touches, name, response, breaks in (
            (
                "DeleteApiDestination",
                _touches_destination,
                "partner-hook",
                None,
                "Rules that call it fail, and it is gone.",
            ),
            (
                "DeauthorizeConnection",
                _touches_connection,
                "partner",
                {"connectionArn": _LOGIN, "connectionState": "DEAUTHORIZING"},
                "Calls that sign in with it are refused until somebody authorises it again.",
            ),
            (
                "DeleteConnection",
                _touches_connection,
                "partner",
                {"connectionArn": _LOGIN, "connectionState": "DELETING"},
                "API destinations that sign in with it fail.",
            ),
        )
    ),
    Change(
        operation="UpdateConnection",
        touches=_touches_connection,
        breaks="Calls sign in with other keys, which the other side may refuse.",
        example=record(
            _SOURCE,
            "UpdateConnection",
            {
                "name": "partner",
                "authorizationType": "API_KEY",
                "authParameters": {
                    "apiKeyAuthParameters": {
                        "apiKeyName": "x-api-key",
                        "apiKeyValue": "HIDDEN_DUE_TO_SECURITY_REASONS",
                    }
                },
            },
            {"connectionArn": _LOGIN, "connectionState": "AUTHORIZED"},
        ),
        effects=_FAILS_DOWN,
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            ("CancelReplay", _touches_cancelled, {"replayName": "orders-again"}, {"state": "CANCELLING"}),
            (
                "CreateArchive",
                _touches_archive,
                {"archiveName": "orders-archive", "eventSourceArn": _ORDERS, "retentionDays": 30},
                {"archiveArn": _ARCHIVE, "state": "CREATING"},
            ),
            (
                "UpdateArchive",
                _touches_archive,
                {"archiveName": "orders-archive", "retentionDays": 7},
                {"archiveArn": _ARCHIVE, "state": "UPDATING"},
            ),
            ("DeleteArchive", _touches_archive, {"archiveName": "orders-archive"}, None),
            ("CreateEventBus", _touches_bus, {"name": "orders"}, {"eventBusArn": _ORDERS}),
            (
                "CreateApiDestination",
                _touches_destination,
                {
                    "name": "partner-hook",
                    "connectionArn": _LOGIN,
                    "invocationEndpoint": "https://partner.example/hook",
                    "httpMethod": "POST",
                },
                {"apiDestinationArn": _HOOK, "apiDestinationState": "ACTIVE"},
            ),
            (
                "CreateConnection",
                _touches_connection,
                {"name": "partner", "authorizationType": "API_KEY"},
                {"connectionArn": _LOGIN, "connectionState": "AUTHORIZED"},
            ),
            (
                "TagResource",
                _touches_tagged,
                {"resourceARN": _RULE, "tags": [{"key": "team", "value": "shop"}]},
                None,
            ),
            ("UntagResource", _touches_tagged, {"resourceARN": _RULE, "tagKeys": ["team"]}, None),
        )
    ),
)


def _metric(
    name: str, role: Role, bad: Any, unit: str, missing: Missing = "zero", stat: str = "Sum"
) -> MetricSpec:
    return MetricSpec(type="rule", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit)


METRICS = (
    _metric("Invocations", "work", "down", "calls of targets", "idle"),
    _metric("MatchedEvents", "demand", "down", "events matched", "idle"),
    _metric("TriggeredRules", "demand", "down", "runs", "idle"),
    _metric("InvocationAttempts", "demand", "", "attempts", "idle"),
    _metric("SuccessfulInvocationAttempts", "work", "down", "calls that worked", "idle"),
    _metric("FailedInvocations", "errors", "up", "calls given up"),
    _metric("RetryInvocationAttempts", "errors", "up", "repeated attempts"),
    _metric("InvocationsSentToDlq", "errors", "up", "events sent to the dead-letter queue"),
    _metric("InvocationsFailedToBeSentToDlq", "errors", "up", "events lost beside the dead-letter queue"),
    _metric("DeadLetterInvocations", "errors", "up", "calls held back as a loop"),
    _metric("ThrottledRules", "throttles", "up", "throttled runs"),
    _metric("IngestionToInvocationStartLatency", "latency", "up", "ms", "idle", "p99"),
    _metric("IngestionToInvocationSuccessLatency", "latency", "up", "ms", "idle", "p99"),
    *(
        MetricSpec(
            type=type,
            name="InvocationAttempts",
            stat="Sum",
            role="demand",
            bad="down",
            missing="idle",
            unit="attempts",
        )
        for type in ("event-bus", "default-event-bus")
    ),
)

CONDITIONS = (
    Condition(
        key="target-refused",
        type="rule",
        title="target refuses: its policy, the rule's role or a key does not allow the call, or it is gone",
        metrics=("FailedInvocations", "InvocationsSentToDlq", "RetryInvocationAttempts"),
        breaks="Events of the rule are given up, or kept in its dead-letter queue, and nobody does the work.",
        relieve=(
            "Compare the target's policy and the rule's role with what they were: one of them has to admit the rule.",
            "Read the attributes of a message in the dead-letter queue: they name the target's error.",
            "Send again what is in the dead-letter queue, or replay the archive, when the target works.",
        ),
        prevent=(
            "Give every target a dead-letter queue, and alarm on failed invocations.",
            "Keep a target's permission beside the rule in one template.",
        ),
    ),
    Condition(
        key="dead-letter-queue-refuses",
        type="rule",
        title="dead-letter queue out of reach: events that no target took are lost",
        metrics=("InvocationsFailedToBeSentToDlq",),
        breaks="What could not be delivered is not kept either.",
        relieve=("Allow the rule in the dead-letter queue's policy, and EventBridge in that of its key.",),
        prevent=("Alarm on invocations that could not be sent to a dead-letter queue.",),
    ),
    Condition(
        key="rules-throttled",
        type="rule",
        title="throttled rule: the account's rate of calls of targets is used up",
        metrics=("ThrottledRules",),
        breaks="Targets are called later than they should be.",
        relieve=(
            "Narrow the pattern of the rule that matches most, and ask for a higher rate of invocations.",
        ),
        prevent=("Alarm on throttled rules.",),
    ),
    Condition(
        key="rule-without-target",
        type="rule",
        title="rule without a target: it matches and calls nobody",
        metrics=(),
        breaks="Nothing is started, and nothing fails.",
        relieve=("Find the target in the template or in earlier events, and put it to the rule again.",),
        prevent=("Alarm on the absence of the work that the rule starts.",),
        shown=lambda rule: rule.config.get("State") == "ENABLED" and rule.config.get("Targets") == [],
    ),
    Condition(
        key="connection-not-authorized",
        type="connection",
        title="connection without authorisation: calls that sign in with it are refused",
        metrics=(),
        breaks="API destinations that use the connection do not work.",
        relieve=("Authorise the connection again, or correct its credentials.",),
        prevent=("Alarm on failed invocations of the rules that call it.",),
        shown=lambda one: (
            one.config.get("ConnectionState") in ("DEAUTHORIZED", "DEAUTHORIZING", "FAILED_CONNECTIVITY")
        ),
    ),
)

SIGNATURES = (
    Signature(
        match=r"(?i)not authorized to perform: events:PutEvents\b",
        code="AccessDeniedException",
        reason="",
        points_to="Policy",
        says="the event bus, or a role, does not allow to send events",
    ),
    Signature(
        match=r"\bEvent ?[Bb]us [\w./-]+ does not exist",
        code="ResourceNotFoundException",
        reason="",
        points_to="DeleteEventBus",
        says="the event bus does not exist",
    ),
)

SERVICE = Service(
    name="events",
    title="EventBridge",
    client="events",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListRules", action="events:ListRules", shows="rules and whether they are enabled"),
        Read(operation="ListEventBuses", action="events:ListEventBuses", shows="which event buses exist"),
        Read(operation="ListTargetsByRule", action="events:ListTargetsByRule", shows="what a rule calls"),
        Read(
            operation="DescribeRule",
            action="events:DescribeRule",
            shows="a rule's state, schedule and pattern",
        ),
        Read(
            operation="DescribeEventBus",
            action="events:DescribeEventBus",
            shows="an event bus's policy, key and dead-letter queue",
        ),
        Read(operation="DescribeArchive", action="events:DescribeArchive", shows="what an archive keeps"),
        Read(
            operation="DescribeApiDestination",
            action="events:DescribeApiDestination",
            shows="where an API destination calls, and how often at most",
        ),
        Read(
            operation="DescribeConnection",
            action="events:DescribeConnection",
            shows="whether a connection is authorised",
        ),
        Read(operation="ListTagsForResource", action="events:ListTagsForResource", shows="who owns a rule"),
    ),
    # Every rule hangs on the default bus: it is reached and not gone through. Other buses are ways of their own.
    types={
        "rule": "container",
        "default-event-bus": "other",
        "event-bus": "container",
        "archive": "component",
        "replay": "other",
        "api-destination": "component",
        "connection": "other",
    },
    arns={
        "rule": r"events:rule/.+",
        "default-event-bus": r"events:event-bus/default",
        "event-bus": r"events:event-bus/.+",
        "archive": r"events:archive/.+",
        "replay": r"events:replay/.+",
        "api-destination": r"events:api-destination/.+",
        "connection": r"events:connection/.+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/Events",
    dimensions=_dimensions,
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    listed=False,  # targets name the rules that call them in their policies, but for those called through a role
    listed_near=("state-machine", "default-event-bus", "api-destination", "connection"),
)
