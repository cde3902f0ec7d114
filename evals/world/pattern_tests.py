"""Conditions inside filter patterns: comparisons of one value, joined by && and ||."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from evals.world.asking import Refusal

Condition = Callable[[Any], bool]
_TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|%[^%]*%|&&|\|\||[<>!]=|[=<>()]'
    r"|\$[\w.\[\]*'-]*|[\w.*+-]+)"
)
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+.]+")
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_MISSING = object()
_DEEPEST = 40


def invalid(text: str) -> Refusal:
    return Refusal("InvalidParameterException", f"Invalid filter pattern: {text}")


def regex(text: str) -> Callable[[str], bool]:
    """The test of a regular expression between % signs (user guide, "Supported regular expressions")."""
    if not _ALLOWED.fullmatch(text):
        raise invalid(f"%{text}%")
    try:
        compiled = re.compile(text)
    except (re.error, OverflowError) as error:
        raise invalid(f"%{text}%") from error
    return lambda message: compiled.search(message) is not None


def matcher(sign: str, value: str, whole: str) -> Condition:
    """The test `held <sign> value` of one value, which is text or a number."""
    if value.startswith("%") and sign in ("=", "!="):
        test = regex(value[1:-1])
        return _either_way(sign, lambda held: isinstance(held, str) and test(held))
    if _NUMBER.fullmatch(value) and sign in ("=", "!=", *_ORDER):
        number = float(value)
        if sign in _ORDER:
            compare = _ORDER[sign]
            return lambda held: _is_number(held) and compare(held, number)
        return _either_way(sign, lambda held: _is_number(held) and held == number)
    if sign not in ("=", "!=") or value in ("", "(", ")", "&&", "||", "=", "!="):
        raise invalid(whole)
    quoted = value.startswith('"')
    plain = value[1:-1].replace('\\"', '"') if quoted else value
    pattern = re.compile(".*".join(re.escape(part) for part in plain.split("*")), re.DOTALL)
    return _either_way(sign, lambda held: pattern.fullmatch(_text(held)) is not None)


def _either_way(sign: str, test: Condition) -> Condition:
    return test if sign == "=" else lambda held: not test(held)


def _is_number(held: Any) -> bool:
    return isinstance(held, (int, float)) and not isinstance(held, bool)


def _text(held: Any) -> str:
    if isinstance(held, str):
        return held
    return f"{held:g}" if _is_number(held) else ""


class Reader:
    """The tokens of conditions. `whole` is the pattern, for the refusal."""

    def __init__(self, text: str, whole: str) -> None:
        self.whole = whole
        self.tokens: list[str] = []
        self.depth = 0
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise invalid(whole)
            self.tokens.append(match.group(1))
            place = match.end()
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def next(self) -> str:
        found = self.peek()
        self.place += 1
        return found

    def either(self, one: Callable[[], Condition]) -> Condition:
        tests = [self.both(one)]
        while self.peek() == "||":
            self.next()
            tests.append(self.both(one))
        return lambda held: any(test(held) for test in tests)

    def both(self, one: Callable[[], Condition]) -> Condition:
        tests = [self.single(one)]
        while self.peek() == "&&":
            self.next()
            tests.append(self.single(one))
        return lambda held: all(test(held) for test in tests)

    def single(self, one: Callable[[], Condition]) -> Condition:
        if self.peek() != "(":
            return one()
        self.next()
        self.depth += 1
        if self.depth > _DEEPEST:
            raise invalid(self.whole)
        found = self.either(one)
        self.depth -= 1
        if self.next() != ")":
            raise invalid(self.whole)
        return found

    def selected(self) -> Condition:
        """$.path followed by a comparison, IS or NOT EXISTS."""
        path = self._path(self.next())
        sign = self.next()
        if sign.upper() in ("IS", "NOT"):
            word = self.next().upper()
            return self._state(path, f"{sign.upper()} {word}")
        test = matcher(sign, self.next(), self.whole)
        return lambda held: (value := _at(held, path)) is not _MISSING and test(value)

    def _state(self, path: list[str | int], words: str) -> Condition:
        if words == "NOT EXISTS":
            return lambda held: _at(held, path) is _MISSING
        wanted = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}
        if words not in wanted:
            raise invalid(self.whole)
        return lambda held: _at(held, path) is wanted[words]

    def _path(self, text: str) -> list[str | int]:
        if "*" in text:
            said = f"Invalid filter pattern: wildcards in selectors are not supported: {text}"
            raise Refusal("InvalidParameterException", said, missed=True)
        if not text.startswith("$") or not re.fullmatch(rf"\$(?:{_STEP.pattern})+", text):
            raise invalid(self.whole)
        return [name or int(number) for name, number in _STEP.findall(text)]


def _at(held: Any, path: list[str | int]) -> Any:
    for step in path:
        if isinstance(step, str):
            if not isinstance(held, dict) or step not in held:
                return _MISSING
            held = held[step]
        else:
            if not isinstance(held, list) or step >= len(held):
                return _MISSING
            held = held[step]
    return held
