"""What a model reads in log patterns that no service file knows. Kept apart as unverified; never a fact.

A sentence that names a number, name or ARN which its lines do not hold, or that orders something, is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

import prompts
from graph.desk import Desk
from graph.model import NONE, Failed, Meter, answer
from graph.moments import plain
from graph.words import say
from tools.models import Json, LogPattern, Statement
from tools.redact import redact

_MOST_PATTERNS, _MOST_LINE, _MOST_SENTENCE = 20, 400, 300
_TELLING = re.compile(r"[\w./:@-]*\d[\w./:@-]*|\w*[a-z][A-Z]\w*|[A-Z]{2,}\w*|\w+(?:[-_./:@]\w+)+")
_ORDER = re.compile(
    r"\b(?:call|run|execute|invoke|use|try) \W?[A-Z]\w*[a-z][A-Z]|\b(?:fix|solution|remedy|answer) is\b"
    r"|\b(?:[Pp]lease|[Yy]ou (?:should|must|need|can)|[Ii]gnore (?:all|any|previous|the)|[Rr]ecommend\w*)\b"
)
_NOT_PROSE = re.compile(r"://|[`<>{}|\\$]|\baws [a-z0-9-]+ [a-z-]+")


# Lengths are checked afterwards: Bedrock refuses schemas with maxLength or maxItems (structured output, user guide).


class Note(BaseModel):
    """One sentence about one pattern."""

    model_config = ConfigDict(extra="forbid")

    pattern: str
    sentence: str


class Reading(BaseModel):
    """What a model made of patterns that no signature knows."""

    model_config = ConfigDict(extra="forbid")

    notes: list[Note]


def read_patterns(work: Desk, patterns: Sequence[LogPattern], before: Json | None = None) -> Json | None:
    """Ask the configured model about unknown patterns that it has not read yet.

    None without a model; else tokens spent and notes so far, `before` (an earlier look's reading) included. Whatever
    the model does, nothing but this and a sentence in the timeline comes of it.
    """
    if work.context.model == NONE:
        return None
    reading: Json = {"tokens": 0, "notes": [], "read": [], **(before or {})}
    new = [item for item in patterns if item.key not in reading["read"]][:_MOST_PATTERNS]
    if not new:
        return reading
    meter = Meter(reading["tokens"], work.context.max_tokens)
    try:
        said = _ask(work, new, meter)
    except Failed as failure:
        work.tell("gap", "The model gave no usable answer: {why}. The run goes on without it.", why=failure)
        return {**reading, "tokens": meter.spent}
    notes, refused = checked(said, new)
    work.tell(
        "observation",
        "The model read {count} unknown log patterns. Of its sentences {said} are kept as unverified; {refused} name "
        "what the lines do not hold and are left out.",
        count=len(new), said=len(notes), refused=refused,
        evidence=tuple(dict.fromkeys(one for note in notes for one in note["evidence"])),
    )  # fmt: skip
    return {
        "tokens": meter.spent,
        "notes": [*reading["notes"], *notes],
        "read": [*reading["read"], *(item.key for item in new)],
    }


def unverified(reading: Json | None) -> tuple[Statement, ...]:
    """What a report says of a reading: the model's own words, marked as such, and the lines that they are about."""
    return tuple(
        Statement(
            text=say("A model reads in the logs: {sentence}", sentence=note["sentence"]),
            evidence=tuple(note["evidence"]),
        )
        for note in (reading or {}).get("notes", ())
    )


def checked(given: Reading, asked: Sequence[LogPattern]) -> tuple[list[Json], int]:
    """The notes that name only what the line that they are about holds, and how many do not."""
    lines = {_key(number): item for number, item in enumerate(asked, 1)}
    notes: dict[str, Json] = {}
    refused = 0
    for note in given.notes:
        item = lines.get(note.pattern.strip())
        sentence = " ".join("".join(c if c.isprintable() else " " for c in plain(note.sentence)).split())
        if item is None or note.pattern in notes or not sentence or not _holds(item, sentence):
            refused += 1
        else:
            notes[note.pattern] = {"sentence": sentence, "evidence": list(item.evidence)}
    return list(notes.values()), refused


def _holds(item: LogPattern, sentence: str) -> bool:
    """True when the sentence tells, orders nothing, and each number, name and ARN in it stands in the line."""
    line = f"{_shown(item)} {item.error_code} {item.reason}".casefold()
    told = (word.strip(".:/-@").casefold() for word in _TELLING.findall(sentence))
    if len(sentence) > _MOST_SENTENCE or _NOT_PROSE.search(sentence) or _ORDER.search(sentence):
        return False
    return all(_stands(word, line) for word in told)


def _stands(word: str, line: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", line) is not None


def _key(number: int) -> str:
    return f"P{number}"


def _shown(item: LogPattern) -> str:
    """The pattern's sample on one line, without secrets."""
    return " ".join(redact(item.sample).split())[:_MOST_LINE]


def _ask(work: Desk, patterns: Sequence[LogPattern], meter: Meter) -> Reading:
    lines = "\n".join(f"{_key(number)}: {_shown(item)}" for number, item in enumerate(patterns, 1))
    # No line can hold a hash of all lines, so none can close the fence; and a replay asks the same again.
    fence = hashlib.sha256(lines.encode()).hexdigest()[:16]
    ours, data = prompts.render("logs", fence=fence, patterns=lines)
    return answer(work, Reading, ours, data, meter)
