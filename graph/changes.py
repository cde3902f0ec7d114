"""What was changed in a time, riskiest first: all effective changes, and counts of what was folded away. Pure.

Nothing is dropped: the events behind the lines and the folded ones sum up to all that were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from graph.change_fields import ENDS, UNKNOWN, Field, bare, fields_of, short
from graph.risk import Risk, by_hand, risk
from graph.routine import rounds_joined
from graph.stack_lines import by_operation, operations
from graph.undoing.after import since_undone, was
from graph.undoing.anatomy import makes, named, verb
from graph.undoing.known import Known
from graph.undoing.moved import Moved, moved
from graph.undoing.restore import changed_nothing
from graph.words import say
from tools.catalogue import change_of
from tools.cloudtrail_touch import is_noise, toucher
from tools.denied import is_denial
from tools.errors import MISSHAPEN
from tools.evidence import canonical
from tools.models import ChangeEvent

Status = Literal["in force", "undone", "changed again", "denied", "failed"]
"""denied: for want of permission. failed: refused for another reason, a dry run among them."""
Folded = Literal["reads", "service reactions", "no-ops", "sign-ins", "elsewhere"]
FOLDED: tuple[Folded, ...] = ("reads", "service reactions", "no-ops", "sign-ins", "elsewhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One effective change, or several that say the same. `events` are their CloudTrail ids, newest first."""

    events: tuple[str, ...]
    time: datetime  # of the newest
    account: str
    region: str
    resources: tuple[str, ...]  # ARNs where known, else names
    name: str
    operation: str
    fields: tuple[Field, ...]
    who: str
    how: str
    status: Status
    risk: Risk
    code: str = ""  # why it was denied or failed
    later: ChangeEvent | None = None  # the event that put it back, or changed it again
    children: int = (
        0  # calls that CloudFormation made for the stack operation that this line is; the riskiest first
    )

    @property
    def count(self) -> int:
        return len(self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Lines, riskiest first; how many events each kind of folding holds; all events seen."""

    lines: tuple[Line, ...]
    folded: dict[Folded, int]
    total: int

    @property
    def shown(self) -> int:
        return sum(line.count for line in self.lines)


def listing(events: Iterable[ChangeEvent], known: Known, near: frozenset[str] | None = None) -> Listing:
    """All changes among the events of a time. With `near`, changes of other resources are counted as elsewhere."""
    folded: dict[Folded, int] = dict.fromkeys(FOLDED, 0)
    made: list[Line] = []
    every = {event.id: event for event in events}
    names = toucher(known.resource(arn) for arn in near or ())
    for event in sorted(every.values(), key=lambda one: (one.time, one.id), reverse=True):
        kind = fold(event)
        if kind is None and near is not None and not near & set(known.touched(event)) and not names(event):
            kind = "elsewhere"
        found = kind or _told(event, known)
        if isinstance(found, Line):
            made.append(found)
        else:
            folded[found] += 1
    stacks, others = by_operation(made, operations(every.values(), known.events))
    lines = sorted((*stacks, *_joined(others)), key=_order)
    return Listing(lines=tuple(lines), folded=folded, total=len(every))


def fold(event: ChangeEvent) -> Folded | None:
    """What an event is folded as by its record alone; None for changes and refused attempts."""
    if event.read_only:
        return "reads"
    if event.event_type == "AwsConsoleSignIn" or event.source == "signin.amazonaws.com":
        return "sign-ins"
    who = event.actor
    if is_noise(event) or who.kind in ("aws_service", "service_linked_role"):
        return "service reactions"
    reacts = who.how == "service" and who.kind != "cloudformation" and not deploying(event)
    if event.event_type == "AwsServiceEvent" or reacts:
        return "service reactions"
    if not event.error_code and changed_nothing(event):
        return "no-ops"
    return None


_DEPLOYING = frozenset(
    {"codedeploy", "codepipeline", "codebuild", "elasticbeanstalk", "servicecatalog", "ssm", "config"}
    | {"amplify", "proton", "states", "scheduler"}
)


def deploying(event: ChangeEvent) -> str:
    """The service that carried out what somebody had it do (a deployment, a runbook), or "": no mere reaction."""
    for said in (event.actor.invoked_by, event.actor.source_ip, event.actor.user_agent):
        name = said.partition(".")[0]
        if name in _DEPLOYING and said.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return name
    return ""


def effective(events: Iterable[ChangeEvent]) -> tuple[ChangeEvent, ...]:
    """Those that may have changed something, newest first, by hand before others: what is worth reading more about."""
    kept = [event for event in events if fold(event) is None and not event.error_code]
    return tuple(
        sorted(kept, key=lambda one: (by_hand(one), not _is_inert(one), one.time, one.id), reverse=True)
    )


def _is_inert(event: ChangeEvent) -> bool:
    change = change_of(event)
    return change is not None and change.inert


def _moves_nothing(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> bool:
    if fields and all(one.since == "same" for one in fields):
        return True
    return not fields and was(event, known)


# -- lines -----------------------------------------------------------------------------------------


def _told(event: ChangeEvent, known: Known) -> Line | Folded:
    """The line of a change, or "no-ops". A record in no known shape says so on its line, and the others go on."""
    try:
        fields = () if event.error_code else moved(event, known)
        if not event.error_code and _moves_nothing(event, known, fields):
            return "no-ops"
        return _line(event, known, fields)
    except MISSHAPEN:
        return _not_understood(event)


def _not_understood(event: ChangeEvent) -> Line:
    told = Field(name=event.operation, before=say(UNKNOWN), after=say("cannot be understood"))
    return Line(
        events=(event.id,),
        time=event.time,
        account=event.account,
        region=event.region,
        resources=(),
        name=event.source.partition(".")[0],
        operation=event.operation,
        fields=(told,),
        who=event.actor.name,
        how=how(event),
        status="in force",
        risk=Risk(score=0.0, reasons=(say("its record cannot be understood"),), by_hand=by_hand(event)),
    )


def _line(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> Line:
    arns = known.touched(event)
    live = tuple(one for one in fields if one.since != "same") or fields
    status, later = _status(event, known, live)
    return Line(
        events=(event.id,),
        time=event.time,
        account=event.account,
        region=event.region,
        resources=arns[:1] or tuple(named(event).values())[:1],
        name=_name(event, known, arns),
        operation=event.operation,
        fields=fields_of(event, known, live),
        who=event.actor.name,
        how=how(event),
        status=status,
        risk=risk(event, known, live, status),
        code=event.error_code,
        later=later,
    )


def how(event: ChangeEvent) -> str:
    """By which way: console, command line, pipeline, program, service."""
    actor = event.actor
    if actor.kind in ("iac", "ci", "cloudformation") or actor.how in (
        "terraform",
        "pulumi",
        "cloudformation",
        "ci",
    ):
        means = {"sdk": "ci", "cli": "ci", "unknown": "ci"}.get(actor.how, actor.how)
        return say("pipeline ({means})", means=means)
    if service := deploying(event):
        return say("pipeline ({means})", means=service)
    words = {
        "console": say("console"), "cli": say("command line"), "sdk": say("program"), "service": say("service"),
    }  # fmt: skip
    return words.get(actor.how, say("unknown way"))


def _status(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> tuple[Status, ChangeEvent | None]:
    """What became of it, and the event that undid it or came over it, where one is seen."""
    if event.error_code:
        return ("denied" if is_denial(event.error_code, event.error_message) else "failed"), None
    if makes(event) and (ended := _ended(event, known)) is not None:
        return "undone", ended
    if fields:
        if any(one.since == "standing" for one in fields):
            return "in force", None
        later = next((one.later for one in fields if one.later is not None), None)
        undone = all(one.since in ("back", "same") for one in fields)
        return ("undone" if undone else "changed again"), later
    over = since_undone(event, known)
    if over is None:
        return "in force", None
    return ("undone" if over.outcome == "nothing to undo" else "changed again"), over.by


def _ended(event: ChangeEvent, known: Known) -> ChangeEvent | None:
    """The later event that took away all that the event made."""
    own = [arn for arn in known.touched(event) if _tail(arn) in canonical(event.response)]
    ends = [
        next((one for one in known.on(arn) if one.time > event.time and verb(one.operation)[0] in ENDS), None)
        for arn in own
    ]
    return ends[-1] if ends and all(ends) else None


def _tail(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[2]


def _name(event: ChangeEvent, known: Known, arns: tuple[str, ...]) -> str:
    if arns:
        resource = known.resource(arns[0])
        return short(f"{resource.type} {resource.name}")
    values = list(named(event).values())
    return short(bare(values[0])) if values else event.source.partition(".")[0]


# -- joining and order -------------------------------------------------------------------------------


def _joined(lines: Sequence[Line]) -> list[Line]:
    """Lines that say the same as one: repeated refusals, tags and the like, a pipeline's routine."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(_key(line), []).append(line)
    return rounds_joined([group[0] if len(group) == 1 else _one(group) for group in groups.values()])


def _key(line: Line) -> tuple[str, ...]:
    base = (line.account, line.region, line.who, line.how, line.operation, line.status, line.code)
    if line.status in ("denied", "failed") or line.risk.inert:
        return base
    told = any(field.before != say(UNKNOWN) for field in line.fields)
    if not line.risk.by_hand and not told:
        return base  # the routine of a pipeline or program, of which no value is known
    if not told:
        set_to = tuple(field.after for field in line.fields)
        return (*base, *line.resources, line.name, *set_to)  # said again and again
    return (*base, line.events[0])


def _one(group: Sequence[Line]) -> Line:
    worst = max(group, key=lambda line: line.risk.score)
    resources = tuple(dict.fromkeys(arn for line in group for arn in line.resources))
    name = (
        worst.name
        if len(resources) < 2
        else say("{name} and {more} more", name=worst.name, more=len(resources) - 1)
    )
    return replace(
        worst,
        events=tuple(one for line in group for one in line.events),
        time=max(line.time for line in group),
        resources=resources,
        name=name,
        fields=tuple(_common(place, field, group) for place, field in enumerate(worst.fields)),
    )


def _common(place: int, field: Field, group: Sequence[Line]) -> Field:
    """A field of several lines: what they were given, where it was the same."""
    given = {line.fields[place].after for line in group if place < len(line.fields)}
    return field if len(given) < 2 else replace(field, after=say("different values"))


_STATUS: dict[Status, int] = {"in force": 0, "changed again": 1, "undone": 2, "failed": 3, "denied": 3}


def _order(line: Line) -> tuple[float, int, float, str]:
    return -line.risk.score, _STATUS[line.status], -line.time.timestamp(), line.events[0]


def merged(listings: Sequence[Listing]) -> Listing:
    """The listings of several accounts as one."""
    folded: dict[Folded, int] = {kind: sum(one.folded[kind] for one in listings) for kind in FOLDED}
    lines = sorted((line for one in listings for line in one.lines), key=_order)
    return Listing(lines=tuple(lines), folded=folded, total=sum(one.total for one in listings))
