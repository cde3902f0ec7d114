"""What was changed in a time, riskiest first: all effective changes, and counts of what was folded away. Pure.

Nothing is dropped: the events behind the lines and the folded ones sum up to all that were seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from graph.risk import Risk, by_hand, risk
from graph.routine import rounds_joined
from graph.stack_lines import by_operation, operations
from graph.undoing.after import GIVES, REPLACES, TAKES_AWAY, family, same_place, since_undone, was
from graph.undoing.anatomy import at, leaves, makes, named, overlap, payload, verb
from graph.undoing.identity import tells_apart
from graph.undoing.known import Known
from graph.undoing.moved import Moved, moved
from graph.undoing.restore import changed_nothing
from graph.undoing.reversal import is_tagging
from graph.undoing.several import states
from graph.weighing.moves import is_document, is_unlimited
from graph.words import number, say
from tools.catalogue import change_of
from tools.cloudtrail_touch import is_noise, toucher
from tools.denied import is_denial
from tools.errors import MISSHAPEN
from tools.evidence import canonical
from tools.models import ChangeEvent, Value
from tools.redact import redact
from tools.setting_values import HIDDEN

Status = Literal["in force", "undone", "changed again", "denied", "failed"]
"""denied: for want of permission. failed: refused for another reason, a dry run among them."""
Folded = Literal["reads", "service reactions", "no-ops", "sign-ins", "elsewhere"]
FOLDED: tuple[Folded, ...] = ("reads", "service reactions", "no-ops", "sign-ins", "elsewhere")
UNKNOWN = "unknown"
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a change, in words. `before` is "unknown" where no source holds it."""

    name: str
    before: str
    after: str


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
        fields=_fields(event, known, live),
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


_ENDS = ("Terminate", "Delete")


def _ended(event: ChangeEvent, known: Known) -> ChangeEvent | None:
    """The later event that took away all that the event made."""
    own = [arn for arn in known.touched(event) if _tail(arn) in canonical(event.response)]
    ends = [
        next(
            (one for one in known.on(arn) if one.time > event.time and verb(one.operation)[0] in _ENDS), None
        )
        for arn in own
    ]
    return ends[-1] if ends and all(ends) else None


def _tail(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[2]


def _name(event: ChangeEvent, known: Known, arns: tuple[str, ...]) -> str:
    if arns:
        resource = known.resource(arns[0])
        return _short(f"{resource.type} {resource.name}")
    values = list(named(event).values())
    return _short(_bare(values[0])) if values else event.source.partition(".")[0]


def _fields(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> tuple[Field, ...]:
    if event.error_code:
        return ()
    word, _ = verb(event.operation)
    if fields and word not in ("Create", "Run"):
        return tuple(
            Field(
                name=_short(redact(one.name)),
                before=_text(one.before, one, one.after) if one.before_known else say(UNKNOWN),
                after=_text(one.after, one, one.before) if one.after_known else say("not shown"),
            )
            for one in fields
        )
    if stood := _states(event):
        return stood
    what = _compact(event)
    if is_tagging(event):
        return (Field(name=_subject(event), before=say(UNKNOWN), after=what or say("not shown")),)
    if word in TAKES_AWAY or word in _ENDS:
        return (Field(name=_subject(event), before=what or _was_there(event, known), after=say("removed")),)
    if word in ("Create", "Run", "Import"):
        return (Field(name=_subject(event), before=say("none"), after=say("new")),)
    if (named_so := _by_name(event, known)) is not None:
        return (named_so,)
    return (
        Field(name=_subject(event), before=say(UNKNOWN), after=what or _given(event) or say("not shown")),
    )


def _by_name(event: ChangeEvent, known: Known) -> Field | None:
    """What a request gives a thing by a mere name, as the target of a route, and what an earlier one gave."""
    which, given = _which(event)
    if not which or not given or payload(event) or verb(event.operation)[0] not in (*GIVES, *REPLACES):
        return None
    kin = family(event.operation)
    alike = (one for one in known.before(event) if one.operation in kin and same_place(one, event))
    last = next((one for one in alike if _which(one)[0] == which), None)
    before = ""
    if last is not None and verb(last.operation)[0] not in TAKES_AWAY:
        before = ", ".join(_which(last)[1])
    name = " ".join((event.operation, *(_bare(value) for value in list(which.values())[1:])))
    told = ", ".join(_bare(value) for value in given)
    return Field(
        name=_short(redact(name)), before=_short(redact(before)) or say(UNKNOWN), after=_short(redact(told))
    )


def _which(event: ChangeEvent) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names that say which thing is meant, as the request orders them, and the values of the others."""
    keys = tells_apart(event.source, event.operation)
    own = named(event)
    which = {key: value for key, value in own.items() if key in keys}
    return which, tuple(value for key, value in own.items() if key not in keys)


def _states(event: ChangeEvent) -> tuple[Field, ...]:
    """In which states an answer says that its things were, and which they took; not those that stayed as they were."""
    moved_so: dict[tuple[str, str], list[str]] = {}
    for id, (before, after) in states(event).items():
        moved_so.setdefault((before, after), []).append(id)
    return tuple(
        Field(name=_short(f"{event.operation} {' '.join(ids)}"), before=before, after=after)
        for (before, after), ids in moved_so.items()
        if before != after
    )


def _given(event: ChangeEvent) -> str:
    """The ARN of what a request that sets nothing else gave to the resource: a policy to a role."""
    if verb(event.operation)[0] not in ("Attach", "Associate", "Add") or len(named(event)) < 2:
        return ""
    arns = [value for value in named(event).values() if value.startswith("arn:")]
    return redact(arns[-1]) if len(arns) == 1 else ""


def _was_there(event: ChangeEvent, known: Known) -> str:
    """What an earlier event gave to the thing that was taken away."""
    for one in known.earlier(event):
        gives = one.operation in family(event.operation) and verb(one.operation)[0] not in TAKES_AWAY
        if gives and overlap(one, event):
            own = set(named(event).values())
            told = [_bare(value) for value in named(one).values() if value not in own]
            return _short(", ".join(told)) or _compact(one) or say(UNKNOWN)
    return say(UNKNOWN)


def _subject(event: ChangeEvent) -> str:
    """What of the resource it was about: the last thing that the request names."""
    values = [value for value in named(event).values() if not value.startswith(("[", "{"))]
    last = _bare(values[-1]) if len(values) > 1 else ""
    return _short(" ".join(part for part in (event.operation, redact(last)) if part))


def _bare(value: str) -> str:
    """The last word of an ARN or URL; other values as they are."""
    return value.rpartition("/")[2] if value.startswith("arn:") or "://" in value else value


def _compact(event: ChangeEvent) -> str:
    """What the request says beside names, in short: `minSize 2, poolState Stopped`."""
    parts = [
        f"{key} {text}" if text else key for key, value in payload(event).items() for text in (_said(value),)
    ]
    return _short(redact(", ".join(parts)))


def _said(value: Any) -> str:
    """The values in a structure, each once; nothing for documents."""
    if is_document(value) or (isinstance(value, dict) and "Statement" in value):
        return ""
    found = (at(value, path) for path in leaves(value)) if isinstance(value, dict) else iter((value,))
    flat = [
        text for one in found for text in (_said_all(one) if isinstance(one, dict | list) else [str(one)])
    ]
    return " ".join(dict.fromkeys(text for text in flat if text and text != "None"))


def _said_all(value: Any) -> list[str]:
    items = value.values() if isinstance(value, dict) else value
    return [
        text for one in items for text in (_said_all(one) if isinstance(one, dict | list) else [str(one)])
    ]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(value: Value, one: Moved, other: Value = None) -> str:
    if value == HIDDEN:
        return say("not shown")
    if one.setting is not None and is_unlimited(value, one.setting) and _is_number(one):
        return say("no limit")
    if value is None:
        return say("not set")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        unit = f" {one.setting.unit}" if one.setting is not None and one.setting.unit else ""
        return f"{number(value)}{unit}"
    return _short(_document(value, one, other) if is_document(value) else redact(value))


def _is_number(one: Moved) -> bool:
    """Whether a setting is a number: a policy that is not set is no limit."""
    assert one.setting is not None
    values = (one.before, one.after, one.setting.unset)
    return bool(one.setting.unit or one.setting.limits) or any(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )


def _document(value: Value, one: Moved, other: Value) -> str:
    """A list by the values in it: `UPSERT api.example.com. A 60 203.0.113.7`. What has fields keeps their names. Beside
    another document only that in which they differ.
    """
    told = _opened(value, one)
    if is_document(other) and other != value:
        its = _opened(other, one)
        mine, theirs = _apart(told, its), _apart(its, told)
        if mine or theirs:
            return mine or say("nothing of it")
    if isinstance(told, list):
        return " ".join(_said_all(told))
    return told if isinstance(told, str) else canonical(told)


def _opened(value: Value, one: Moved) -> Any:
    """A document as data, without what is secret; as text where it is none."""
    key = one.path.rpartition(".")[2]
    try:
        return json.loads(redact(canonical({key: json.loads(str(value))})))[key]
    except (ValueError, KeyError, TypeError):
        return redact(canonical({key: value}))


def _apart(told: Any, other: Any) -> str:
    """The values of a document that the other does not hold at the same place, with the last name on the way."""
    if not isinstance(told, dict | list) or not isinstance(other, dict | list):
        return told if isinstance(told, str) else canonical(told)
    its = set(_places(other))
    return " ".join(dict.fromkeys(text for path, text in _places(told) if (path, text) not in its))


def _places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each plain value with the way to it. Of lists the place does not count: AWS gives many in any order."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner, path)
    else:
        yield path, f"{path[-1]} {value}" if path else str(value)


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
