"""The restore plan of one CloudTrail event: exactly one of five outcomes. Pure; nothing is ever executed.

exact: calls that put back all that the event set. partial: some of it is not known, and named. nothing to undo: it
changed nothing, or is back already. superseded: a later change would be lost. cannot be undone: what is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from graph.plan_calls import again, placed, set_all, undo, valid
from graph.taken import Taken, taken
from graph.undoing.after import TAKES_AWAY, Outcome, Reversal, in_doubt, since_undone, was
from graph.undoing.anatomy import at, client_of, makes, named, operation_of, verb
from graph.undoing.beside import set_beside
from graph.undoing.known import Known, touched
from graph.undoing.moved import Moved, moved
from graph.undoing.proof import unread_near, unsendable
from graph.undoing.reversal import reverse
from graph.undoing.several import as_moved, moved_none
from graph.words import say, stamp
from tools.catalogue import change_of, changed_alike
from tools.cloudtrail_touch import is_noise
from tools.errors import MISSHAPEN, BadInput
from tools.evidence import canonical
from tools.models import Call, ChangeEvent, PriorSource, Resource, Value
from tools.network_rules import described, permissions
from tools.parameters import from_cloudtrail
from tools.services._spec import Setting
from tools.setting_values import alike, as_value, requested, same

OUTCOMES: tuple[Outcome, ...] = ("exact", "partial", "nothing to undo", "superseded", "cannot be undone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """The verdict on one event. `calls` are there for exact and partial only; each passes botocore's validation."""

    outcome: Outcome
    event: ChangeEvent
    why: str  # one sentence
    resource: str = ""  # ARN, or ""
    fields: tuple[Moved, ...] = ()
    calls: tuple[Call, ...] = ()
    back: tuple[Call, ...] = ()  # the way back from `calls`
    checks: tuple[tuple[Call, str], ...] = ()  # reads to make first, with the JMESPath of what to look at
    unknown: tuple[str, ...] = ()  # with partial: the fields whose value before is not known
    lost: str = ""  # with cannot be undone
    nearest: str = ""  # the nearest way, where there is no whole one
    later: ChangeEvent | None = None  # the event that undid it, or would be lost
    sources: tuple[PriorSource, ...] = ()
    rests_on: ChangeEvent | None = None  # the earlier event whose values come back
    drift: tuple[str, ...] = ()  # where a template declares something else than what is put back


def restoration(event: ChangeEvent, known: Known) -> Restoration:
    """What would put back what the event changed. A record in no known shape is partial, with no call."""
    try:
        made = _sendable(_proven(_judged(as_moved(event), known), known))
        return replace(made, event=event)
    except MISSHAPEN:
        told = say("its record cannot be understood")
        unknown = (say("what {operation} changed", operation=event.operation),)
        return Restoration(outcome="partial", event=event, why=told, unknown=unknown, nearest=_LOOK)


def _sendable(made: Restoration) -> Restoration:
    safe = valid(made.calls) if made.outcome in ("exact", "partial") else ()
    if len(safe) != len(made.calls):
        told = say("what was there before cannot be sent as it was recorded")
        made = replace(made, outcome="partial", why=told, calls=(), unknown=made.unknown or (told,))
    return replace(made, back=valid(made.back) if made.calls else ())


def _proven(made: Restoration, known: Known) -> Restoration:
    """The verdict, once more than its own source was asked: see `graph.undoing.proof`."""
    if not made.calls:
        return made
    if names := unsendable(made.calls):
        return replace(
            made,
            outcome="partial",
            why=say("what was there before is not shown"),
            calls=(),
            unknown=tuple(dict.fromkeys((*made.unknown, *names))),
            nearest=made.nearest or _LOOK,
        )
    made = replace(made, back=made.back if not unsendable(made.back) else ())
    if made.outcome != "exact":
        return made
    near = made.event, known, _oldest(made)
    if doubts := (*unread_near(*near, _seen_now(made)), *set_beside(*near, seen_now=_seen_now(made))):
        return replace(
            made,
            outcome="partial",
            why=say("another request may have changed it"),
            unknown=doubts,
            nearest=_LOOK,
        )
    return made


def _oldest(made: Restoration) -> datetime | None:
    """The time of the oldest event or reading that the plan rests on; None when it rests on the event alone."""
    times = [source.time for one in made.fields for source in one.sources]
    times += [made.rests_on.time] if made.rests_on is not None else []
    return min(times, default=None)


def _seen_now(made: Restoration) -> bool:
    """Whether every field that the plan puts back was read as it is now."""
    return bool(made.fields) and all(one.now_known for one in made.fields if one.since == "standing")


_NO_CALLS = ("AwsConsoleSignIn", "AwsVpceEvent", "AwsCloudTrailInsight")


def _judged(event: ChangeEvent, known: Known) -> Restoration:
    if reason := changed_nothing(event):
        return Restoration(outcome="nothing to undo", event=event, why=reason)
    if event.event_type == "AwsServiceEvent" or event.actor.kind == "aws_service":
        return Restoration(
            outcome="cannot be undone",
            event=event,
            why=say("AWS did this itself; no call of yours did"),
            lost=say("what it replaced"),
            nearest=say("Look at the setting of the service that made it do so."),
        )
    fields = moved(event, known)
    arns = touched(event)
    change = change_of(event)
    # Values of several resources go back in one call, which only the operation's own way back can make.
    together = changed_alike(event) and change is not None and change.undo is not None
    if fields and any(one.setting is not None for one in fields) and not together:
        return _by_settings(event, known, arns[0], fields)
    if change is not None and change.undo is not None:
        return _by_file(event, known, arns[0] if arns else "", fields)
    return _by_events(event, known, arns[0] if arns else "", fields)


def changed_nothing(event: ChangeEvent) -> str:
    """Why an event cannot have changed anything, or ""."""
    if event.read_only:
        return say("{operation} only reads", operation=event.operation)
    if event.error_code:
        return say("it was refused ({code}) and changed nothing", code=event.error_code)
    if event.event_type in _NO_CALLS or event.source == "signin.amazonaws.com":
        return say("{operation} changes no resource", operation=event.operation)
    if is_noise(event) and event.operation == "CreateLogStream":
        return say("it only opened a log stream")
    if moved_none(event):
        return say("all that it names was so before already")
    return ""


# -- settings --------------------------------------------------------------------------------------


def _by_settings(event: ChangeEvent, known: Known, arn: str, fields: tuple[Moved, ...]) -> Restoration:
    base = Restoration(outcome="partial", event=event, why="", resource=arn, fields=fields)
    if makes(event) or arn in known.gone:
        return _made_or_gone(event, known, arn, base)
    live = [one for one in fields if one.since == "standing"]
    overtaken = [one for one in fields if one.since == "replaced"]
    if overtaken:
        return _lost_by_it(base, overtaken[0])
    if not live:
        return _over(base, fields)
    told = [(one.setting, one.before) for one in live if one.setting is not None and one.before_known]
    unknown = [one for one in live if not one.before_known or one.setting is None]
    resource = known.resource(arn)
    calls, left = _calls(resource, told)
    if unknown or not calls:
        # What the settings cannot give back, the requests may: all of it was sent by one of them.
        whole = reverse(event, known, fields)
        if (whole.outcome == "exact" or (not calls and whole.calls)) and not _denied_by(live, whole.rests_on):
            return _from(base, whole, event)
    names = (*(one.name for one in unknown), *left)
    sources = tuple(source for one in live for source in one.sources)
    nearest = "" if not unknown else _where(unknown[0])
    return replace(
        base,
        outcome="partial" if names else "exact",
        why=_said(live, names),
        calls=calls,
        back=_again_set(resource, live) if calls else (),
        checks=_checks(resource, live),
        unknown=tuple(dict.fromkeys(names)),
        nearest=nearest,
        sources=sources,
    )


def _denied_by(live: list[Moved], source: ChangeEvent | None) -> tuple[str, ...]:
    """Fields whose value before is told, and is another one in the event that a plan would send again: something came
    in between.
    """
    if source is None:
        return ()
    return tuple(
        one.name for one in live if one.before_known and one.since == "standing" and _says_other(source, one)
    )


def _says_other(source: ChangeEvent, one: Moved) -> bool:
    if one.setting is None:
        sent = at(source.request, tuple(one.path.split(".")))
        return sent is not None and not alike(as_value(sent), one.before)
    present, value = requested(source, one.setting)
    return present and not same(value, one.before, one.setting)


def _calls(resource: Resource, told: list[tuple[Setting, Value]]) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    """Calls that set all of them; without a described resource, or where none can be made, what stays open."""
    if not told:
        return (), ()
    if not resource.config:
        return (), (say("what has to be sent along with the {name}: {resource} was not read",
                        name=told[0][0].name, resource=resource.name),)  # fmt: skip
    calls = set_all(resource, told)
    if not calls:
        return (), (say("what has to be sent along with the {name}", name=told[0][0].name),)
    return calls, ()


def _again_set(resource: Resource, live: list[Moved]) -> tuple[Call, ...]:
    bad = [
        (one.setting, one.after)
        for one in live
        if one.setting is not None and one.after_known and one.before_known
    ]
    return set_all(resource, bad) if bad else ()


def _checks(resource: Resource, live: list[Moved]) -> tuple[tuple[Call, str], ...]:
    found: dict[str, tuple[Call, str]] = {}
    for one in live:
        if one.setting is not None and resource.config:
            (call,) = placed([one.setting.read(resource)], resource)
            found.setdefault(one.setting.query, (call, one.setting.query))
    return tuple(found.values())


def _said(live: list[Moved], names: tuple[str, ...]) -> str:
    if names and not any(one.before_known for one in live):
        return say("no source tells what it was before")
    if names:
        return say("not all of it is known")
    return say("the values before are known, and nothing changed them since")


def _where(one: Moved) -> str:
    if one.setting is not None and one.setting.hidden:
        return say(
            "CloudTrail hides {name}: look in the template, the repository or an earlier version.",
            name=one.name,
        )
    return say(
        "Look for {name} in the template, in AWS Config or in a trail's bucket, or ask its owner.",
        name=one.name,
    )


def _over(base: Restoration, fields: tuple[Moved, ...]) -> Restoration:
    back = next((one.later for one in fields if one.since == "back" and one.later is not None), None)
    if all(one.since == "same" for one in fields):
        why = say("it set what was there already")
    elif back is not None:
        why = say("{operation} put it back at {time}", operation=back.operation, time=stamp(back.time))
    else:
        why = say("it is again what it was before")
    return replace(base, outcome="nothing to undo", why=why, later=back)


def _lost_by_it(base: Restoration, one: Moved) -> Restoration:
    if one.later is not None:
        why = say(
            "{operation} changed the {name} again at {time}; undoing this would lose that",
            operation=one.later.operation, name=one.name, time=stamp(one.later.time),
        )  # fmt: skip
    else:
        why = say("the {name} is {now} by now: somebody changed it again", name=one.name, now=_shown(one.now))
    return replace(base, outcome="superseded", why=why, later=one.later)


def _shown(value: Value) -> str:
    return say("not set") if value is None else str(value)


def _made_or_gone(event: ChangeEvent, known: Known, arn: str, base: Restoration) -> Restoration:
    if arn in known.gone:
        removal = next((one for one in reversed(known.on(arn)) if one.time > event.time), None)
        if makes(event):
            return replace(base, outcome="nothing to undo", why=say("it is gone already"), later=removal)
        why = say("the resource is gone; its settings went with it")
        return replace(base, outcome="superseded", why=why, later=removal)
    change = change_of(event)
    if change is not None and change.undo is not None:
        return _by_file(event, known, arn, base.fields)
    return _by_events(event, known, arn, base.fields)


# -- the service file's own way, and the events' -----------------------------------------------------


def _by_file(event: ChangeEvent, known: Known, arn: str, fields: tuple[Moved, ...]) -> Restoration:
    base = Restoration(outcome="partial", event=event, why="", resource=arn, fields=fields)
    earlier = known.before(event)
    calls = undo(event, earlier)
    if not calls:
        other = reverse(event, known, fields)
        return _from(base, other, event)
    if (over := since_undone(event, known)) is not None:
        return _from(base, over, event)
    if was(event, known):
        return replace(base, outcome="nothing to undo", why=say("it was so before already"))
    held = taken(event, (*earlier, event))
    doubt = () if held is not None else in_doubt(event, known)
    if _is_revoke(event) and not described(event, earlier)[1]:
        doubt = (*doubt, say("the description of a rule, if it had one"))
    return replace(
        base,
        outcome="partial" if doubt else "exact",
        why=_told_by(held, new=renewed(event, calls)),
        calls=calls,
        unknown=doubt,
        back=_way_back(event, calls),
        sources=(held.source,) if held else (),
        rests_on=held.event if held else None,
    )


def _is_revoke(event: ChangeEvent) -> bool:
    """Whether rules of a security group were taken away by what they admit, which leaves out what they are for."""
    return event.operation.startswith("RevokeSecurityGroup") and bool(permissions(event))


def _told_by(held: Taken | None, *, new: bool) -> str:
    if held is None:
        return say("the event itself tells what to do")
    if new:
        return say("as {source} says; it comes back under a new id", source=held.source.said_by)
    return say("as {source} says", source=held.source.said_by)


_MADE_ID = re.compile(r"(?:^|[-/:])(?:[0-9a-f]{8,17}|[0-9a-f]{8}-[0-9a-f-]{27})$")


def renewed(event: ChangeEvent, calls: tuple[Call, ...]) -> bool:
    """Whether what the event took away comes back under an id of AWS's making: then the event cannot be made again."""
    if verb(event.operation)[0] not in TAKES_AWAY:
        return False
    sent = canonical([call.parameters for call in calls])
    return any(_MADE_ID.search(value) and value not in sent for value in named(event).values())


def _by_events(event: ChangeEvent, known: Known, arn: str, fields: tuple[Moved, ...]) -> Restoration:
    base = Restoration(outcome="partial", event=event, why="", resource=arn, fields=fields)
    found = _from(base, reverse(event, known, fields), event)
    if found.calls and (names := _denied_by(list(fields), found.rests_on)):
        why = say("the events do not agree on what it was before")
        found = replace(
            found, outcome="partial", why=why, calls=(), back=(), unknown=(*found.unknown, *names)
        )
    change = change_of(event)
    if found.outcome == "cannot be undone" and change is not None and change.breaks:
        found = replace(found, lost=found.lost or change.breaks)
    return found


_LOOK = say("Look in the template, in AWS Config or in a trail's bucket, or ask its owner.")


def _from(base: Restoration, found: Reversal, event: ChangeEvent) -> Restoration:
    return replace(
        base,
        outcome=found.outcome,
        why=found.why,
        calls=found.calls if found.outcome in ("exact", "partial") else (),
        back=_way_back(event, found.calls) if found.calls else (),
        unknown=found.unknown if found.outcome == "partial" else (),
        lost=found.lost,
        nearest=found.nearest or (_LOOK if found.outcome == "partial" and not found.calls else ""),
        later=found.by,
        rests_on=found.rests_on if found.rests_on is not event else None,
    )


def _way_back(event: ChangeEvent, calls: tuple[Call, ...]) -> tuple[Call, ...]:
    if renewed(event, calls):
        return ()
    if made := again(event, calls):
        return made
    client = client_of(event)
    if not client:
        return ()
    try:
        sent = from_cloudtrail(client, operation_of(event), event.request)
    except BadInput:
        return ()
    return valid([Call(service=client, operation=operation_of(event), parameters=sent, region=event.region)])
