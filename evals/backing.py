"""What a sentence says beyond its claims: numbers, times, ARNs, addresses and names that no claim holds.

A claim is compared with the ledger elsewhere; here the words are compared with the claims, so that a true
claim cannot carry a false sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tools.models import Claim, Statement, Value

TOLERANCE = 0.05
"""The largest relative tolerance that a claim may declare."""

_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:[\w+=,.@:/*-]*[\w*]")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_ACCOUNT = re.compile(r"(?<![\w-])\d{12}(?![\w-])")
_NUMBER = re.compile(
    r"(?<![\w.\-/])(?P<sign>[−-])?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:(?P<percent>\s?%)|[\s-](?P<unit>seconds?|s|minutes?|min|hours?|h|days?)\b)?(?![\w/]|-\w|\.\d)"
)
_SECRET = re.compile(r"-[A-Za-z0-9]{6}$")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "day": 86400, "second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True)
class Pool:
    """All that the claims of one text hold."""

    numbers: tuple[tuple[float, float], ...] = ()  # value, absolute tolerance
    times: frozenset[datetime] = frozenset()
    words: frozenset[str] = frozenset()
    texts: tuple[str, ...] = field(default=())

    def __add__(self, other: Pool) -> Pool:
        return Pool(
            self.numbers + other.numbers,
            self.times | other.times,
            self.words | other.words,
            self.texts + other.texts,
        )


def pool(claims: Iterable[Claim], *, times: Iterable[datetime] = (), values: Iterable[Value] = ()) -> Pool:
    """What `claims` hold, and `times` and `values` that are stated and checked elsewhere in the report."""
    numbers: list[tuple[float, float]] = []
    moments = set(times)
    texts: list[str] = []
    for claim in claims:
        moments.update(moment for moment in (claim.start, claim.end) if moment is not None)
        texts += [claim.subject, claim.field, *(part for pair in claim.dimensions for part in pair)]
        _value(claim.value, min(claim.tolerance, TOLERANCE), numbers, moments, texts)
    for value in values:
        _value(value, 0.0, numbers, moments, texts)
    words = frozenset(word for text in texts for word in split(text))
    return Pool(tuple(numbers), frozenset(moments), words, tuple(texts))


def _value(
    value: Value, tolerance: float, numbers: list[tuple[float, float]], times: set[datetime], texts: list[str]
) -> None:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        numbers.append((float(value), abs(float(value)) * tolerance))
        return
    moment = as_time(value)
    if moment is not None:
        times.add(moment)
    texts.append(value)
    numbers.extend((float(word), 0.0) for word in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", value))


def as_time(text: str) -> datetime | None:
    """The moment that an ISO 8601 text with a zone means, or None."""
    if not _TIME.fullmatch(text):
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(UTC)


def split(text: str) -> Iterator[str]:
    """The names inside an ARN, path or field: all of it, its parts at `:` and `/`, and its dotted ends.

    A part with a colon is a name too: a task definition's is family:revision.
    """
    yield text
    yield from re.split(r"[/\s,=]+", text)
    for arn in _ARN.findall(text):
        # names with slashes: a parameter's begins with one, a secret's ARN ends with six letters more
        rest = arn.split(":", 5)[5]
        name = re.split(r"[:/]", rest, maxsplit=1)[-1]
        yield from (name, f"/{name}", _SECRET.sub("", name))
    for part in re.split(r"[:/\s,=]+", text):
        yield part
        yield from part.split(".")


def unbacked(statement: Statement, names: Collection[str], more: Pool | None = None) -> list[str]:
    """What `statement` says that none of its claims holds, one sentence each. `names`: all of the account."""
    backing = pool(statement.claims)
    return unbacked_text(statement.text, backing + more if more else backing, names)


def unbacked_text(text: str, backing: Pool, names: Collection[str]) -> list[str]:
    """What `text` says that `backing` does not hold."""
    problems: list[str] = []
    rest = text.replace("{report}", " ")
    for pattern, known in ((_ARN, _knows_text), (_TIME, _knows_time), (_UUID, _knows_text)):
        rest = _take(pattern, known, rest, backing, problems)
    for pattern in (_ADDRESS, _ACCOUNT):
        rest = _take(pattern, _knows_text, rest, backing, problems)
    problems += [f'the name "{name}"' for name in _named(rest, names) if name not in backing.words]
    for name in sorted(names, key=len, reverse=True):
        rest = re.sub(_whole(name), " ", rest) if any(char.isdigit() for char in name) else rest
    problems += [
        f'the number "{match.group(0).strip()}"'
        for match in _NUMBER.finditer(rest)
        if not _knows_number(match, backing)
    ]
    return [f'{problem} in "{text}" stands in no claim' for problem in problems]


def _take(pattern: re.Pattern[str], known: object, rest: str, backing: Pool, problems: list[str]) -> str:
    assert callable(known)
    problems += [f'"{found}"' for found in pattern.findall(rest) if not known(found, backing)]
    return pattern.sub(" ", rest)


def _knows_text(found: str, backing: Pool) -> bool:
    return found in backing.words or any(re.search(_whole(found), text) for text in backing.texts)


def _knows_time(found: str, backing: Pool) -> bool:
    moment = as_time(found)
    if moment is None:
        return False
    rough = found.count(":") == 1
    return any(
        moment == (known.replace(second=0, microsecond=0) if rough else known) for known in backing.times
    )


def _named(text: str, names: Collection[str]) -> list[str]:
    return [name for name in sorted(names) if name in text and re.search(_whole(name), text)]


def _whole(name: str) -> str:
    return rf"(?<![\w.@/-]){re.escape(name)}(?![\w@-]|\.\w)"


def _knows_number(match: re.Match[str], backing: Pool) -> bool:
    digits = match["number"].replace(",", "")
    value = float(digits) * (-1 if match["sign"] else 1)
    slack = 0.5 * 10.0 ** -len(digits.partition(".")[2])
    if match["percent"]:
        return any(abs(value - known) <= slack + wide for known, wide in _percentages(backing))
    if match["unit"]:
        second = _SECONDS[match["unit"].rstrip("s") or "s"]
        spans = ((span / second, 0.0) for span in _spans(backing))
        if any(abs(value - span) <= max(slack, TOLERANCE * span) for span, _ in spans):
            return True
    return any(abs(value - known) <= slack + wide for known, wide in backing.numbers)


def _percentages(backing: Pool) -> Iterator[tuple[float, float]]:
    """Values as they stand, fractions as percentages, and the share or change of one claim in another."""
    for known, wide in backing.numbers:
        yield known, wide
        yield known * 100, wide * 100
        for other, _ in backing.numbers:
            if other:
                share = known / other
                near = 100 * abs(share) * (wide / abs(known) if known else 0.0)
                yield share * 100, near
                yield (share - 1) * 100, near
                yield (1 - share) * 100, near


def _spans(backing: Pool) -> Iterator[float]:
    """Distances in seconds between the times that the claims hold."""
    for early in backing.times:
        for late in backing.times:
            if late > early:
                yield (late - early).total_seconds()
