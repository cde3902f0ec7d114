"""The restore plan of one event as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from api.render.layout import clean
from api.render.view import packed
from graph.changes import how
from graph.undoing.moved import Moved
from graph.undoing.restore import Restoration
from graph.words import localise, say, stamp
from tools.arn import is_arn, parse
from tools.errors import BadInput
from tools.evidence import plain
from tools.models import Call, Gap
from tools.parameters import to_cli
from tools.redact import redact
from tools.setting_values import show

_WIDTH = 98
_LONGEST = 60
"""Of a value that a reader compares by eye."""


def undo_text(made: Restoration, gaps: Sequence[Gap], *, tz: str, profile: str) -> str:
    """The outcome, what the event moved, the commands with their way back, or why there are none."""
    event = made.event
    lines = [
        f"{made.outcome.upper()}: {made.why}.",
        "",
        say(
            "{operation} by {who} ({how}) at {time}, {region}, event {id}",
            operation=event.operation, who=event.actor.name, how=how(event), time=stamp(event.time),
            region=event.region, id=event.id,
        ),
    ]  # fmt: skip
    lines += [f"  {made.resource}"] if made.resource else []
    lines += [f"  {_field(one)}" for one in made.fields]
    lines += [say("  From: {source}", source=one.said_by) for one in made.sources]
    lines += [say("  Not known: {name}", name=name) for name in made.unknown]
    if made.later is not None:
        lines.append(
            say(
                "  Since then: {operation} by {who} at {time}, event {id}",
                operation=made.later.operation,
                who=made.later.actor.name,
                time=stamp(made.later.time),
                id=made.later.id,
            )
        )
    lines += [say("  Lost: {what}", what=made.lost)] if made.lost else []
    lines += [say("  Nearest way: {way}", way=made.nearest)] if made.nearest else []
    lines += [say("  Mind: {what}", what=one) for one in made.drift]
    lines += _commands(made, profile)
    lines += (
        ["", *(say("Not seen: {what} ({why})", what=gap.what, why=gap.why) for gap in gaps)] if gaps else []
    )
    return clean(localise("\n".join(lines), tz))


def _commands(made: Restoration, profile: str) -> list[str]:
    """The plan: the account, what is there now, the calls, whether it worked, and the way back."""
    if not made.calls:
        return []
    region = made.event.region
    lines = ["", say("You run it; opsleuth never does.")]
    who = Call(service="sts", operation="GetCallerIdentity", parameters={}, region=region)
    lines += [say("Right account?"), *_command(who, profile, region, "Account", "text")]
    lines.append(say("  expect {value}; else stop", value=_account(made)))
    for call, query in made.checks:
        lines += [say("Look first:"), *_command(call, profile, region, query)]
        if after := _expected(made, query, before=False):
            lines.append(say("  expect {value}; else stop", value=after))
    lines += [say("Put it back:"), *(line for call in made.calls for line in _command(call, profile, region))]
    for call, query in made.checks:
        if before := _expected(made, query, before=True):
            lines += [say("Worked?"), *_command(call, profile, region, query)]
            lines.append(say("  expect {value}", value=before))
    if made.back:
        lines.append(say("Way back, only if that makes things worse:"))
        lines += [line for call in made.back for line in _command(call, profile, region)]
    return lines


def _account(made: Restoration) -> str:
    own = parse(made.resource).account if is_arn(made.resource) else ""
    return own or made.event.account


def _expected(made: Restoration, query: str, *, before: bool) -> str:
    """What a look at `query` shows before or after the calls; "" where that is not one plain value."""
    found = [
        (one.before, one.before_known) if before else (one.after, one.after_known)
        for one in made.fields
        if one.setting is not None and one.setting.query == query and one.since == "standing"
    ]
    if len(found) != 1 or not found[0][1]:
        return ""
    value = found[0][0]
    told = json.dumps(value) if isinstance(value, bool) else show(value)
    return told if told and len(told) <= _LONGEST and redact(told) == told else ""


def _command(call: Call, profile: str, region: str, query: str = "", output: str = "") -> list[str]:
    try:
        made = to_cli(call, profile=profile, region=region, query=query, output=output, multiline=True)
    except BadInput as error:
        return [f"  {call.service} {call.operation} ({error})"]
    return [f"  {line}" for line in packed(made, _WIDTH).splitlines()]


def _field(one: Moved) -> str:
    before = show(one.before) if one.before_known else say("unknown")
    after = show(one.after) if one.after_known else say("not shown")
    now = say(", now {now}", now=show(one.now)) if one.now_known and one.since != "standing" else ""
    return redact(f"{one.name}: {before} → {after}{now}")


def undo_json(made: Restoration, gaps: Sequence[Gap]) -> dict[str, Any]:
    """The same as data."""
    return {
        "outcome": made.outcome,
        "why": made.why,
        "event": made.event.id,
        "operation": made.event.operation,
        "time": stamp(made.event.time),
        "resource": made.resource,
        "fields": [
            {
                "name": one.name,
                "before": one.before if one.before_known else None,
                "before_known": one.before_known,
                "after": one.after if one.after_known else None,
                "after_known": one.after_known,
                "since": one.since,
            }
            for one in made.fields
        ],
        "calls": [_call(call) for call in made.calls],
        "way_back": [_call(call) for call in made.back],
        "unknown": list(made.unknown),
        "lost": made.lost,
        "nearest": made.nearest,
        "later_event": made.later.id if made.later else None,
        "drift": list(made.drift),
        "sources": [one.said_by for one in made.sources],
        "not_seen": [{"what": gap.what, "why": gap.why, "lift": gap.lift} for gap in gaps],
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "service": call.service,
        "operation": call.operation,
        "parameters": plain(call.parameters, lambda text: text),
        "region": call.region,
    }
