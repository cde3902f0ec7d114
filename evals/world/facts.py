"""What is true of a world, as a flat map of dotted names, for the truth files of cases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.world.casefile import CaseFile
from evals.world.deeds_sqs import url as queue_url
from evals.world.draws import Values
from evals.world.flow import Flow, first_trouble, last_trouble
from evals.world.identities import Identity
from evals.world.trail import Deed, Record
from evals.world.world import Thing, World
from tools.evidence import canonical


def onset(flow: Flow, until: datetime) -> datetime | None:
    """The second of the first request or attempt that was refused or failed, or None."""
    found = first_trouble(flow, int(until.timestamp()))
    return None if found is None else datetime.fromtimestamp(found, UTC)


def last_refusal(flow: Flow, until: datetime) -> datetime | None:
    """The last second before `until` in which something was refused or failed, or None."""
    found = last_trouble(flow, int(until.timestamp()))
    return None if found is None else datetime.fromtimestamp(found, UTC)


def about(made: Record, arn: str, path: str, before: Any, after: Any) -> Record:
    """The record with what it changed, for the ledger only."""
    return replace(made, arn=arn, field=path, before=before, after=after)


def refused(deed: Deed, who: Identity, thing: Thing) -> Deed:
    """The same call, denied: nothing changed, no response."""
    actor = str(who.user.get("arn", ""))
    text = (
        f"User: {actor} is not authorized to perform: {deed.source}:{deed.name} on resource: {thing.arn} "
        f"because no identity-based policy allows the {deed.source}:{deed.name} action"
    )
    return replace(deed, response=None, error=("AccessDenied", text))


def note(
    world: World,
    case: CaseFile,
    things: dict[str, Thing],
    happened: dict[str, Record],
    flow: Flow,
    values: Values,
) -> None:
    """Fill `world.facts`."""
    found: dict[str, Any] = {f"{one}.account": held.account for one, held in world.neighbours.items()}
    found |= {
        "case": world.case,
        "seed": world.seed.number,
        "account": world.account,
        "region": world.region,
        "moment": names_moment(world, happened),
        "investigate_at": world.start,
        "reader.role": "opsleuth-read",
        "traffic.write_units": next(
            (one.uses.get("units", 0) for one in flow.stages if one.thing.kind == "table"), 0
        ),
        "traffic.attempts": flow.attempts,
        "traffic.demand": flow.demand.expected(world.start.timestamp()),
    }
    for key, thing in things.items():
        found |= {f"{key}.arn": thing.arn, f"{key}.name": thing.name, f"{key}.region": thing.region}
        if "id" in thing.fixed:
            found[f"{key}.id"] = thing.fixed["id"]
        if thing.account != world.account:
            found[f"{key}.account"] = thing.account
        if "host" in thing.fixed:
            found[f"{key}.host"] = thing.fixed["host"]
        if thing.kind == "queue":
            found[f"{key}.url"] = queue_url(world, thing)
    watched = {source: target for source, kind, target in world.relations if kind == "watches"}
    for key in case.alarms:
        alarm = world.alarms[things[key].name]
        found[f"{key}.threshold"] = alarm.threshold(world.start)
        found[f"{key}.metric"] = f"{alarm.namespace}/{alarm.metric}/{alarm.stat}"
        found[f"{key}.watches"] = watched[world.alarms[things[key].name].arn]
    for key, made in happened.items():
        found |= {f"{key}.{name}": value for name, value in event_facts(made).items()}
    _settings(world, found, case, happened)
    _symptom(found, flow, world)
    if flow.hot_key:
        found["hot_key.name"] = flow.hot_key.name
    for name, value in values.all().items():
        found.setdefault(f"drawn.{name}", value)
    world.facts = found


def names_moment(world: World, happened: dict[str, Record]) -> datetime:
    return happened["change"].time if "change" in happened else world.start


def event_facts(made: Record) -> dict[str, Any]:
    """What is true of one event."""
    who = made.actor
    return {
        "event_id": made.id,
        "time": made.time,
        "delivered": made.delivered,
        "action": made.body["eventName"],
        "operation": made.body["eventName"].split("20", 1)[0]
        if made.body["eventSource"].startswith("lambda")
        else made.body["eventName"],
        "region": made.region,
        "account": made.body["recipientAccountId"],
        "resource": made.arn,
        "field": made.field,
        "before": made.before,
        "after": made.after,
        "error_code": made.body.get("errorCode", ""),
        "source_ip": who.ip,
        "mfa": who.mfa,
        "actor.name": who.name,
        "actor.how": who.how,
        "actor.kind": who.kind,
        "actor.arn": str(who.user.get("arn", "")),
        "actor.session": _session(str(who.user.get("arn", ""))),
    }


def _session(arn: str) -> str:
    """The session's name of an assumed role's ARN, arn:aws:sts::111122223333:assumed-role/ROLE/SESSION."""
    return arn.rpartition("/")[2] if ":assumed-role/" in arn else ""


def _shown(world: World, name: str, made: Record) -> dict[str, Any]:
    """What AWS shows of the resource just before and from the event on, by the answer's members."""
    found: dict[str, Any] = {}
    for when, at in (("before", made.time - timedelta(seconds=1)), ("after", made.time)):
        shown = world.ledger.config(made.arn, at) or {}
        found |= {f"{name}.shown_{when}.{key}": value for key, value in shown.items()}
        found |= {f"{name}.text_{when}.{key}": canonical(value) for key, value in shown.items()}
    return found


def _settings(world: World, found: dict[str, Any], case: CaseFile, happened: dict[str, Record]) -> None:
    for event in case.events:
        made = happened.get(event.id)
        if event.known_as and made is not None:
            found |= {
                f"{event.known_as}.before": made.before,
                f"{event.known_as}.after": made.after,
                f"{event.known_as}.path": made.field,
                f"{event.known_as}.resource": made.arn,
            }
            found |= _shown(world, event.known_as, made)
            if isinstance(made.before, list):  # statements of a policy
                document = json.dumps({"Version": "2012-10-17", "Statement": made.before})
                found[f"{event.known_as}.document"] = document


def _symptom(found: dict[str, Any], flow: Flow, world: World) -> None:
    first = onset(flow, world.start + timedelta(hours=2))
    if first is None:
        return
    found["onset"] = first
    last = last_refusal(flow, world.start)
    if last is not None and world.start - last > timedelta(minutes=20):
        found["ended"] = last
