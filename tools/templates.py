"""Which shapes of log lines are one template: words that take many values where all else agrees are variables. Pure.

Shapes (`tools.tokens.shape`) are only compared when their delimiters and spaces agree. Among those, the column with
the fewest words tells templates apart, again and again, until every column that still varies looks like a variable. How
many words make a variable depends on what they look like: names need few, words of a sentence more, words in capitals
(states, verbs) many. The answer does not depend on the order of the shapes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tools.tokens import WILD, is_delimiter, is_wild

Shape = tuple[str, ...]
_MORE = 1  # words that stay, beyond as many as vary, when several vary
_SLOTS: dict[str, Sequence[str]] = {"'": ("'",), '"': ('"',), "(": (")",), ":": ("", ",", ";")}
"""What stands before and after one word that is a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many different words of one place make it a variable."""

    value: int = 2  # beside a mask, a word known as a value elsewhere, alone in quotes
    name: int = 2  # with inner capitals, dots, dashes or underscores, in a line of several other words
    said: int = 3  # such a word in a line of fewer; alone after a colon
    word: int = 3
    first: int = 8  # the first word of a line says what it is about
    state: int = 12  # in capitals, or `started`, `stopping`


LIMITS = Limits()
"""The one configuration, for all systems."""


def groups(
    shapes: Collection[Shape], values: Collection[str] = (), limits: Limits = LIMITS
) -> list[list[Shape]]:
    """The shapes by template, each group and the whole in lexical order. `values`: words known to be values."""
    alike: dict[Shape, list[Shape]] = defaultdict(list)
    for one in shapes:
        alike[_skeleton(one)].append(one)
    known = frozenset(values)
    return sorted(
        sorted(group) for members in alike.values() for group in _split(sorted(members), known, limits)
    )


def template(shapes: Sequence[Shape]) -> Shape:
    """What all of them share; `<*>` where they differ. They must be of one group."""
    return tuple(
        column[0] if all(token == column[0] for token in column) else _wild(column[0])
        for column in zip(*shapes, strict=True)
    )


def coarse(shape: Shape) -> Shape:
    """What is left when every word but the first is taken for a variable."""
    first = next(
        (place for place, token in enumerate(shape) if not is_wild(token) and not is_delimiter(token)), 0
    )
    return tuple(
        token if place <= first or is_delimiter(token) else _wild(token) for place, token in enumerate(shape)
    )


def _wild(token: str) -> str:
    return f" {WILD}" if token.startswith(" ") else WILD


def _skeleton(shape: Shape) -> Shape:
    return tuple(token if is_delimiter(token) else " " * token.startswith(" ") for token in shape)


def _split(shapes: list[Shape], known: frozenset[str], limits: Limits) -> Iterator[list[Shape]]:
    """The templates among shapes with the same delimiters."""
    todo: list[tuple[list[Shape], frozenset[int]]] = [(shapes, frozenset())]
    while todo:
        members, inherited = todo.pop()
        if len(members) == 1:
            yield members
            continue
        columns = [sorted(set(column)) for column in zip(*members, strict=True)]
        varying = [place for place, words in enumerate(columns) if len(words) > 1]
        words = [place for place, column in enumerate(columns) if not _fixed(column)]
        first = words[0] if words else -1
        constant = len(words) - sum(place in words for place in varying)
        needed = {
            place: _needed(_Place(members[0], place, place == first, constant), columns[place], known, limits)
            for place in varying
        }
        full = {place: len(columns[place]) / needed[place] for place in varying}
        loose = {place for place in varying if place in inherited or full[place] >= 1}
        family = constant >= len(varying) + _MORE * (len(varying) > 1)
        if family and len(loose) == len(varying):
            yield members
            continue
        chosen = min(
            (place for place in varying if not family or place not in loose), key=lambda one: (full[one], one)
        )
        parts: dict[str, list[Shape]] = defaultdict(list)
        for one in members:
            parts[one[chosen]].append(one)
        passed = frozenset(loose - {chosen}) if family else frozenset()
        todo.extend((part, passed) for part in parts.values())


def _fixed(column: Iterable[str]) -> bool:
    """Whether a column holds delimiters or masks only."""
    return all(is_wild(one) or is_delimiter(one) for one in column)


class _Place(NamedTuple):
    shape: Shape
    place: int
    first: bool  # of the words
    constant: int  # words that do not vary


def _needed(where: _Place, column: Sequence[str], known: frozenset[str], limits: Limits) -> int:
    """How many different words make this place a variable."""
    words = [one.strip() for one in column if not is_wild(one)]
    before = where.shape[where.place - 1].strip() if where.place else ""
    after = where.shape[where.place + 1].strip() if where.place + 1 < len(where.shape) else ""
    if after == "=":
        return limits.state
    states = all(one.isupper() and len(one) > 1 for one in words)
    if len(words) < len(column):
        return limits.said if states or (where.first and where.constant < 2) else limits.value
    if any(one in known for one in words) or after in _SLOTS.get(before, ()):
        return limits.value
    if states or all(one.endswith(("ed", "ing")) for one in words):
        return limits.state
    if any(_is_name(one) for one in words) and all(_is_name(one) or one.isupper() for one in words):
        return limits.name if where.constant > 1 and not where.first else limits.said
    return limits.first if where.first else limits.word


def _is_name(word: str) -> bool:
    """Whether a word looks like a name that somebody gave, not like one of a sentence."""
    inner = word[1:-1]
    return any(sign in inner for sign in "._-/$#\\") or (
        not word.isupper() and any(one.isupper() for one in inner)
    )
