"""What a change moved, field by field in words: before and after. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graph.undoing.after import GIVES, REPLACES, TAKES_AWAY, family
from graph.undoing.anatomy import at, leaves, named, overlap, payload, verb
from graph.undoing.identity import which
from graph.undoing.known import Known
from graph.undoing.moved import Moved
from graph.undoing.reversal import is_tagging
from graph.undoing.several import states
from graph.weighing.moves import is_document, is_unlimited
from graph.words import number, say
from tools.evidence import canonical
from tools.models import ChangeEvent, Value
from tools.redact import redact
from tools.setting_values import HIDDEN

UNKNOWN = "unknown"
ENDS = ("Terminate", "Delete")
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a change, in words. `before` is "unknown" where no source holds it."""

    name: str
    before: str
    after: str


def fields_of(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> tuple[Field, ...]:
    if event.error_code:
        return ()
    word, _ = verb(event.operation)
    if fields and word not in ("Create", "Run"):
        return tuple(
            Field(
                name=short(redact(one.name)),
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
    if word in TAKES_AWAY or word in ENDS:
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
    meant, given = which(event)
    if not meant or not given or payload(event) or verb(event.operation)[0] not in (*GIVES, *REPLACES):
        return None
    last = known.last_meant(event, family(event.operation))
    before = ""
    if last is not None and verb(last.operation)[0] not in TAKES_AWAY:
        before = ", ".join(which(last)[1])
    name = " ".join((event.operation, *(bare(value) for value in list(meant.values())[1:])))
    told = ", ".join(bare(value) for value in given)
    return Field(
        name=short(redact(name)), before=short(redact(before)) or say(UNKNOWN), after=short(redact(told))
    )


def _states(event: ChangeEvent) -> tuple[Field, ...]:
    """In which states an answer says that its things were, and which they took; not those that stayed as they were."""
    moved_so: dict[tuple[str, str], list[str]] = {}
    for id, (before, after) in states(event).items():
        moved_so.setdefault((before, after), []).append(id)
    return tuple(
        Field(name=short(f"{event.operation} {' '.join(ids)}"), before=before, after=after)
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
            told = [bare(value) for value in named(one).values() if value not in own]
            return short(", ".join(told)) or _compact(one) or say(UNKNOWN)
    return say(UNKNOWN)


def _subject(event: ChangeEvent) -> str:
    """What of the resource it was about: the last thing that the request names."""
    values = [value for value in named(event).values() if not value.startswith(("[", "{"))]
    last = bare(values[-1]) if len(values) > 1 else ""
    return short(" ".join(part for part in (event.operation, redact(last)) if part))


def bare(value: str) -> str:
    """The last word of an ARN or URL; other values as they are."""
    return value.rpartition("/")[2] if value.startswith("arn:") or "://" in value else value


def _compact(event: ChangeEvent) -> str:
    """What the request says beside names, in short: `minSize 2, poolState Stopped`."""
    parts = [
        f"{key} {text}" if text else key for key, value in payload(event).items() for text in (_said(value),)
    ]
    return short(redact(", ".join(parts)))


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


def short(text: str) -> str:
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
    return short(_document(value, one, other) if is_document(value) else redact(value))


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
