"""What came before and after an event on the same thing: undone, overtaken, done already, built on. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graph.undoing.anatomy import at, leaves, named, opened, overlap, singles, verb
from graph.undoing.identity import same_subject
from graph.undoing.known import Known
from graph.undoing.several import ids_in
from graph.words import say, stamp
from tools.evidence import canonical
from tools.masks import masked
from tools.models import Call, ChangeEvent
from tools.walk import texts

Outcome = Literal["exact", "partial", "nothing to undo", "superseded", "cannot be undone"]

OPPOSITES: Mapping[str, tuple[str, ...]] = {
    "Attach": ("Detach",),
    "Detach": ("Attach",),
    "Associate": ("Disassociate",),
    "Disassociate": ("Associate",),
    "Add": ("Remove",),
    "Remove": ("Add",),
    "Authorize": ("Revoke",),
    "Revoke": ("Authorize",),
    "Enable": ("Disable", "Deactivate"),
    "Disable": ("Enable",),
    "Register": ("Deregister",),
    "Deregister": ("Register",),
    "Start": ("Stop",),
    "Stop": ("Start",),
    "Subscribe": ("Unsubscribe",),
    "Unsubscribe": ("Subscribe",),
    "Activate": ("Deactivate",),
    "Deactivate": ("Activate", "Enable"),
    "Suspend": ("Resume",),
    "Resume": ("Suspend",),
    "Create": ("Delete",),
    "Run": ("Terminate",),
    "Allocate": ("Release",),
    "Put": ("Delete",),
    "Delete": ("Put", "Create"),
    "Upload": ("Delete",),
    "Import": ("Delete",),
}
TAKES_AWAY = frozenset(
    {
        "Detach",
        "Disassociate",
        "Remove",
        "Revoke",
        "Disable",
        "Deregister",
        "Stop",
        "Unsubscribe",
        "Deactivate",
        "Delete",
    }
)
ACCEPTS_TWICE = frozenset(
    {
        "Attach",
        "Add",
        "Enable",
        "Disable",
        "Register",
        "Deregister",
        "Start",
        "Stop",
        "Activate",
        "Deactivate",
    }
    | {"Associate", "Suspend", "Resume", "Remove"}
)
"""AWS answers these with success also where it is so already; of the others success means that it was not."""
REPLACES = ("Put", "Set", "Replace")
GIVES = ("Update", "Modify", "Change", "Configure", "Apply", "Reset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What the events alone allow. `calls` are valid; they are given for exact and partial only."""

    outcome: Outcome
    why: str
    calls: tuple[Call, ...] = ()
    unknown: tuple[str, ...] = ()
    lost: str = ""
    nearest: str = ""
    by: ChangeEvent | None = None  # the event that undid or overtook it
    rests_on: ChangeEvent | None = None


_BETWEEN = re.compile(r"(.+?[a-z])(To|From|With)([A-Z].*)")


def opposites(operation: str) -> tuple[str, ...]:
    """Names that the opposite of an operation may have, the likeliest first: AddUserToGroup, RemoveUserFromGroup."""
    word, noun = verb(operation)
    others = OPPOSITES.get(word, ())
    plain = tuple(other + noun for other in others)
    parts = _BETWEEN.fullmatch(noun)
    if parts is None:
        return plain
    what, own, whole = parts.groups()
    joints = (joint for joint in ("From", "To", "With") if joint != own)
    return (*plain, *(f"{other}{what}{joint}{whole}" for joint in joints for other in others))


def family(operation: str) -> frozenset[str]:
    """Operations that set, unset or make the same: Put/Delete/Create of one noun, and opposites."""
    word, noun = verb(operation)
    found = {operation, *opposites(operation)}
    if word in ("Create", "Delete", "Put", "Update", "Modify", "Replace", "Set"):
        found |= {one + noun for one in ("Create", "Delete", "Put", "Update", "Modify", "Replace", "Set")}
    return frozenset(found)


def since_undone(event: ChangeEvent, known: Known) -> Reversal | None:
    """A later event of the same family on the same thing: an opposite undid it, another one overtook it."""
    if own := ids_in(event.request):
        return _all_since(event, known, own.keys())
    word, _ = verb(event.operation)
    kin = family(event.operation)
    later = [one for one in known.later(event) if one.operation in kin and overlap(one, event)]
    if (gone := gone_since(event, known)) is not None and gone not in later:
        return overtaken_by(gone)
    if event.operation.startswith("SetDefault"):
        later = [one for one in known.later(event) if one.operation in kin or became_default(one)]
        if later and became_default(later[-1]):
            return overtaken_by(later[-1])
    if not later:
        return None
    last = later[-1]
    left = _left(event, later)
    if left is not None and left == singles(event)[1]:
        return None
    if left:
        return overtaken_by(last)
    other, _ = verb(last.operation)
    if other in OPPOSITES.get(word, ()) and word not in TAKES_AWAY:
        return undone_by(last)
    if word in TAKES_AWAY and other not in TAKES_AWAY:
        before = _last(event, known)
        if before is None:
            return undone_by(last) if _carries_all(event, last) else overtaken_by(last)
        return (
            undone_by(last)
            if canonical(opened(before.request)) == canonical(opened(last.request))
            else overtaken_by(last)
        )
    if last.operation == event.operation:
        if canonical(opened(last.request)) == canonical(opened(event.request)):
            return None  # it was only said again
        before = next(
            (one for one in known.earlier(event) if one.operation == event.operation),
            None,
        )
        if before is not None and canonical(opened(before.request)) == canonical(opened(last.request)):
            return undone_by(last)
    return overtaken_by(last)


def _all_since(event: ChangeEvent, known: Known, own: Collection[str]) -> Reversal | None:
    """What became of all things that an event names, each by the newest other event on it."""
    word, noun = verb(event.operation)
    kin = family(event.operation) | {f"Terminate{noun}"}
    last: dict[str, ChangeEvent] = {}
    for one in known.after(event):
        if one.operation in kin and one.operation != event.operation and same_place(one, event):
            last |= {id: one for id in ids_in(one.request) if id in own}
    if not last:
        return None
    newest = max(last.values(), key=lambda one: (one.time, one.id))
    back = all(verb(one.operation)[0] in OPPOSITES.get(word, ()) for one in last.values())
    return undone_by(newest) if back and len(last) == len(own) else overtaken_by(newest)


def _left(event: ChangeEvent, later: list[ChangeEvent]) -> frozenset[str] | None:
    """Of several single things that an event gave or took away, those that still are as it left them; None where the
    events do not tell.
    """
    word, _ = verb(event.operation)
    key, mine = singles(event)
    if word not in _GIVEN_AND_TAKEN or not mine:
        return None
    left = mine
    for one in later:
        other, its = singles(one)
        if other != key or not its:
            return None
        left = left | (its & mine) if verb(one.operation)[0] == word else left - its
    return left


_GIVEN_AND_TAKEN = frozenset(
    {"Authorize", "Revoke", "Add", "Remove", "Register", "Deregister", "Attach", "Detach"}
    | {"Enable", "Disable", "Associate", "Disassociate"}
)
_END = re.compile(r"(?:Name|Arn|Id|Identifier|Url)s?$", re.IGNORECASE)


def gone_since(event: ChangeEvent, known: Known) -> ChangeEvent | None:
    """The later event that deleted the very thing on which the event was made: a group, a role, a table."""
    own = named(event)
    for one in known.later(event):
        word, noun = verb(one.operation)
        names = named(one)
        ends = word in ("Delete", "Terminate") and noun != verb(event.operation)[1]
        if ends and names.keys() <= own.keys() and any(is_thing(noun, key) for key in names):
            return one
    return None


def is_thing(noun: str, key: str) -> bool:
    """Whether a field names an operation's noun: `userName` the User, `groupId` a SecurityGroup."""
    stem = _END.sub("", key).lower()
    return bool(stem) and noun.lower().endswith(stem)


def became_default(event: ChangeEvent) -> bool:
    """Whether what was made became the default one of its kind, as a version of a policy can."""
    return any(
        path[-1] in ("setAsDefault", "isDefaultVersion") and str(at(place, path)).lower() == "true"
        for place in (event.request, event.response)
        for path in leaves(place)
    )


def equal(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether two events ask for the same for sure: of two masks nobody knows whether the same stood there."""
    first, second = opened(one.request), opened(other.request)
    return canonical(first) == canonical(second) and not any(map(masked, texts(first)))


def _carries_all(event: ChangeEvent, last: ChangeEvent) -> bool:
    """Whether all that the opposite says, the event named too: nothing of the old thing is unknown."""
    told = {canonical(value) for value in opened(event.request).values()}
    return all(canonical(value) in told for value in opened(last.request).values())


def same_family(one: ChangeEvent, event: ChangeEvent) -> bool:
    return one.operation in family(event.operation) and same_subject(one, event)


def _last(event: ChangeEvent, known: Known) -> ChangeEvent | None:
    """The newest earlier event of the same family that set some of the same."""
    kin = family(event.operation)
    return next((one for one in known.earlier(event) if one.operation in kin and overlap(one, event)), None)


def was(event: ChangeEvent, known: Known) -> bool:
    """Whether an earlier event had the same done already, with nothing in between: then it changed nothing."""
    word, _ = verb(event.operation)
    if word not in ACCEPTS_TWICE and word not in ("Detach", "Disassociate"):
        return False
    last = _last(event, known)
    return (
        last is not None
        and (verb(last.operation)[0] in TAKES_AWAY) == (word in TAKES_AWAY)
        and _covers(last, event)
    )


def said_before(event: ChangeEvent, known: Known) -> ChangeEvent | None:
    """The earlier event that asked for the very same, when nothing on the same thing came in between: then what was
    there was set once more. None for calls that do something each time, and where CloudTrail hides what was asked."""
    word, noun = verb(event.operation)
    if (
        word not in _SETS
        or noun in _LEFT_OUT
        or noun.startswith("Default")
        or "HIDDEN" in canonical(event.request)
    ):
        return None
    last = _last(event, known)
    if last is None or verb(last.operation)[0] in TAKES_AWAY - {"Disable"} or not equal(last, event):
        return None
    return last


_SETS = frozenset({"Put", "Replace", "Set", "Modify", "Enable", "Disable"})
"""Not `Update`: it brings new code under the same name, or restarts what it names. Nor what chooses a default: a new
version may have become it meanwhile."""
_LEFT_OUT = frozenset({"SecretValue", "Image", "Parameter"})
"""CloudTrail leaves out of these requests what they put."""


def _covers(last: ChangeEvent, event: ChangeEvent) -> bool:
    """Whether all that the event says was said before."""
    told = {canonical(value) for value in opened(last.request).values()}
    return all(canonical(value) in told for value in opened(event.request).values())


def undone_by(by: ChangeEvent) -> Reversal:
    return Reversal(
        outcome="nothing to undo",
        why=say("{operation} put it back at {time}", operation=by.operation, time=stamp(by.time)),
        by=by,
    )


def overtaken_by(by: ChangeEvent) -> Reversal:
    return Reversal(
        outcome="superseded",
        why=say("{operation} changed it again at {time}", operation=by.operation, time=stamp(by.time)),
        by=by,
    )


def in_doubt(event: ChangeEvent, known: Known) -> tuple[str, ...]:
    """What is not known where AWS accepts a call also when it changes nothing: was it so before?"""
    word, noun = verb(event.operation)
    if _moves_over(event):
        last = _last(event, known)
        freed = last is not None and verb(last.operation)[0] in TAKES_AWAY
        return () if freed else (say("where it was before {operation}", operation=event.operation),)
    if (
        word not in ACCEPTS_TWICE
        or event.source.startswith("ec2.")
        or noun == "Permission"
        or _says_changed(event)
    ):
        return ()
    last = _last(event, known)
    if last is not None and (verb(last.operation)[0] in TAKES_AWAY) != (word in TAKES_AWAY):
        return ()
    return (say("whether it was so before {operation} already", operation=event.operation),)


def _moves_over(event: ChangeEvent) -> bool:
    """Whether a call may have taken an address from where it was: EC2's `allowReassociation`."""
    return any(
        key.lower() == "allowreassociation" and str(value).lower() == "true"
        for key, value in event.request.items()
    )


def built_on(event: ChangeEvent, known: Known) -> ChangeEvent | None:
    """A later change of what was made: taking the thing away would lose it."""
    ids = {
        value for value in _texts(event.response) if len(value) > 5 and any(char.isdigit() for char in value)
    }
    ids |= {value for value in named(event).values() if len(value) > 5}
    later = [
        one
        for one in known.naming(event, ids)
        if not one.operation.startswith(("Tag", "Create", "Delete"))
        and verb(one.operation)[0] in (*GIVES, *REPLACES, "Add", "Attach", "Authorize")
        and same_place(one, event)
    ]
    _, noun = verb(event.operation)
    inside = [
        one
        for one in known.later(event)
        if verb(one.operation)[0] in _PUTS_IN
        and verb(one.operation)[1] not in (noun, f"{noun}s")
        and any(is_thing(noun, key) for key in named(one).keys() & named(event).keys())
    ]
    found = sorted((*later, *inside), key=lambda one: (one.time, one.id))
    return found[-1] if found else None


_PUTS_IN = (*REPLACES, "Create", "Add", "Attach", "Associate", "Upload", "Enable", "Register")
"""What is put into a thing by its name: AWS deletes no user who still has a key, a password or a policy."""


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key.lower().endswith(("id", "arn", "name")):
                yield inner
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def same_place(one: ChangeEvent, other: ChangeEvent) -> bool:
    return (one.account, one.region) == (other.account, other.region)


def _says_changed(event: ChangeEvent) -> bool:
    """EC2 tells the state before and after: {"previousState": {"name": "stopped"}, "currentState": ...}."""
    text = canonical(event.response)
    return "previousState" in text and "currentState" in text
