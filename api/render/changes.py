"""The list of changes as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from api.render.layout import FIRM, clean, wrap
from graph.changes import FOLDED, Line
from graph.undoing.door import Seen
from graph.words import local_time, number, say, stamp, zone

_MOST_FIELDS = 3
_LEFT = 5
_NARROWEST = 40


def changes_text(seen: Seen, tz: str, width: int = 100) -> str:
    """The changes, riskiest first, each with its event id on the last line of its own; then what was folded, and what
    could not be seen. No line is wider than `width` cells but for ids and other single words.
    """
    lines = [_head(seen, tz), ""]
    if not seen.listing.lines:
        lines.append(say("No effective change was seen."))
    for place, line in enumerate(seen.listing.lines, 1):
        lines += _lines(place, line, seen, tz, width)
    lines += ["", _folded(seen)]
    if seen.settled < seen.window.end:
        words = "CloudTrail is late: changes after {time} may still appear."
        lines.append(say(words, time=local_time(seen.settled, zone(tz), seen.window.end)))
    lines += [say("Not seen: {what} ({why})", what=gap.what, why=gap.why) for gap in seen.gaps]
    if seen.listing.lines:
        lines.append(say("Put one back: opsleuth undo EVENT_ID"))
    return "\n".join(_fit(clean(line), width) for line in lines)


def _fit(line: str, width: int) -> str:
    """A sentence in lines of `width`; what was laid out already stays as it is."""
    return line if line.startswith(" ") else "\n".join(wrap(line, max(_NARROWEST, width)))


def _head(seen: Seen, tz: str) -> str:
    return say(
        "Changes from {start} to {end}, account {accounts}, {regions}",
        start=local_time(seen.window.start, zone(tz)),
        end=local_time(seen.window.end, zone(tz)),
        accounts=", ".join(seen.accounts),
        regions=", ".join(seen.regions),
    )


def _lines(place: int, line: Line, seen: Seen, tz: str, width: int) -> list[str]:
    times = f" ×{line.count}" if line.count > 1 and not line.children else ""
    where = [line.account] if len(seen.accounts) > 1 else []
    where += [line.region] if len(seen.regions) > 1 else []
    parts = [
        _when(line.time, tz),
        *where,
        f"{line.name}: {_what(line)}{times}",
        f"{line.who}, {line.how}",
        _status(line),
    ]
    reasons = f" ({'; '.join(line.risk.reasons)})" if line.risk.reasons else ""
    told = f" {FIRM}".join(clean(part) for part in parts if part) + clean(reasons)
    first, *more = wrap(told, max(_NARROWEST, width - _LEFT))
    event = say("event {id}", id=line.events[0])
    return [f"{place:>3}  {first}", *(" " * _LEFT + one for one in (*more, event))]


def _when(moment: datetime, tz: str) -> str:
    return moment.astimezone(zone(tz)).strftime(f"%d{FIRM}%b{FIRM}%H:%M:%S")


def _what(line: Line) -> str:
    told = [f"{one.name}: {one.before} → {one.after}" for one in line.fields[:_MOST_FIELDS]]
    if len(line.fields) > _MOST_FIELDS:
        told.append(say("{count} more", count=len(line.fields) - _MOST_FIELDS))
    return ", ".join(told) or line.operation


def _status(line: Line) -> str:
    if line.status == "denied":
        return say("denied ({code})", code=line.code)
    if line.status == "failed":
        return say("failed ({code})", code=line.code)
    told = {
        "in force": say("still in force"), "undone": say("undone"), "changed again": say("changed again"),
    }[line.status]  # fmt: skip
    if line.later is None:
        return told
    later = line.later
    return say(
        "{what} by {who}, {operation} {id}",
        what=told,
        who=later.actor.name,
        operation=later.operation,
        id=later.id,
    )


def _folded(seen: Seen) -> str:
    words = {
        "reads": say("reads"),
        "service reactions": say("reactions of services"),
        "no-ops": say("changes of nothing"),
        "sign-ins": say("sign-ins"),
        "elsewhere": say("changes elsewhere"),
    }
    single = {
        "reads": say("read"),
        "service reactions": say("reaction of a service"),
        "no-ops": say("change of nothing"),
        "sign-ins": say("sign-in"),
        "elsewhere": say("change elsewhere"),
    }
    parts = [
        f"{number(count)} {single[kind] if count == 1 else words[kind]}"
        for kind in FOLDED
        if (count := seen.listing.folded[kind])
    ]
    above = len(seen.listing.lines)
    many = "{total}: {shown} in {lines} changes above; folded: {folded}."
    one = "{total}: {shown} in 1 change above; folded: {folded}."
    return say(
        one if above == 1 else many,
        total=say("1 event") if seen.listing.total == 1 else say("{n} events", n=number(seen.listing.total)),
        shown=number(seen.listing.shown),
        lines=above,
        folded=", ".join(parts) or say("none"),
    )


def changes_json(seen: Seen) -> dict[str, Any]:
    """The same as data. Times are UTC."""
    return {
        "since": stamp(seen.window.start),
        "until": stamp(seen.window.end),
        "accounts": list(seen.accounts),
        "regions": list(seen.regions),
        "complete_until": stamp(seen.settled),
        "total": seen.listing.total,
        "shown": seen.listing.shown,
        "folded": {str(kind): count for kind, count in seen.listing.folded.items()},
        "changes": list(_changes(seen)),
        "not_seen": [{"what": gap.what, "why": gap.why, "lift": gap.lift} for gap in seen.gaps],
    }


def _changes(seen: Seen) -> Iterator[dict[str, Any]]:
    for line in seen.listing.lines:
        yield {
            "time": stamp(line.time),
            "account": line.account,
            "region": line.region,
            "resources": list(line.resources),
            "operation": line.operation,
            "fields": [{"name": one.name, "before": one.before, "after": one.after} for one in line.fields],
            "who": line.who,
            "how": line.how,
            "status": line.status,
            "code": line.code,
            "risk": line.risk.score,
            "reasons": list(line.risk.reasons),
            "events": list(line.events),
            "calls_of_stack": line.children,
            "later_event": line.later.id if line.later is not None else None,
        }
