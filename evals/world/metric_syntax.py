"""Reads an expression of CloudWatch metric math into a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias


class MathError(Exception):
    """The expression is none that CloudWatch accepts."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Id:
    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """REPEAT or LINEAR."""

    name: str


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    sign: str
    left: Syntax
    right: Syntax


Syntax: TypeAlias = "Number | Text | Id | Word | Items | Call | Operation"

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<text>"[^"]*"|'[^']*')"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))"""
)
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))
_WORDS = {"AND": "&&", "OR": "||"}
_DEEPEST = 60


def parse(text: str) -> Syntax:
    """The tree of an expression. Raises MathError."""
    reader = _Reader(text)
    found = reader.level(0)
    if reader.peek()[0]:
        raise MathError(f"Unexpected '{reader.peek()[1]}'")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.place = 0
        self.depth = 0
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise MathError(f"Unexpected '{text[place:].strip()[:10]}'")
            kind, found = match.lastgroup, match.group(match.lastgroup)
            if kind == "name" and found.upper() in _WORDS:
                kind, found = "sign", _WORDS[found.upper()]
            self.tokens.append((kind, found))
            place = match.end()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("", "end of expression")

    def take(self, sign: str) -> bool:
        if self.peek() == ("sign", sign):
            self.place += 1
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise MathError(f"Expected '{sign}', found '{self.peek()[1]}'")

    def level(self, depth: int) -> Syntax:
        """Operators of one precedence, from the left."""
        if depth == len(_LEVELS):
            return self.power()
        found = self.level(depth + 1)
        while self.peek()[0] == "sign" and self.peek()[1] in _LEVELS[depth]:
            sign = self.peek()[1]
            self.place += 1
            found = Operation(sign, found, self.level(depth + 1))
        return found

    def power(self) -> Syntax:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise MathError("The expression is nested too deeply")
        if self.take("-"):
            found: Syntax = Operation("*", Number(-1.0), self.power())
        else:
            found = self.primary()
            if self.take("^"):
                found = Operation("^", found, self.power())
        self.depth -= 1
        return found

    def primary(self) -> Syntax:
        kind, text = self.peek()
        self.place += 1
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name":
            return self.named(text)
        if (kind, text) == ("sign", "("):
            found = self.level(0)
            self.need(")")
            return found
        if (kind, text) == ("sign", "["):
            return Items(self.listed("]"))
        raise MathError(f"Unexpected '{text}'")

    def named(self, name: str) -> Syntax:
        if self.take("("):
            return Call(name.upper(), self.listed(")"))
        if name in ("REPEAT", "LINEAR"):
            return Word(name)
        if not name[0].islower():
            raise MathError(f"Unexpected '{name}'")
        return Id(name)

    def listed(self, end: str) -> tuple[Syntax, ...]:
        found: list[Syntax] = []
        if self.take(end):
            return ()
        while True:
            found.append(self.level(0))
            if self.take(end):
                return tuple(found)
            self.need(",")
