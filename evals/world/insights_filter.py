"""Conditions of `filter`: like, =~, in, comparisons, ispresent, joined by and, or, not."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from evals.world.insights_scan import Reader, Token, malformed, number_of, unquoted

Row = Mapping[str, str]
Condition = Callable[[Row], bool]
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DEEPEST = 40
_TEXTUAL = ("@message", "@type")


@dataclass(slots=True)
class Asked:
    """What conditions look at: texts and regular expressions in messages, and whether at anything else."""

    fields: set[str] = field(default_factory=set)
    literals: list[str] = field(default_factory=list)
    regexes: list[str] = field(default_factory=list)

    @property
    def opaque(self) -> bool:
        return bool(self.fields - set(_TEXTUAL))


def condition(reader: Reader, asked: Asked) -> Condition:
    """A whole condition. Raises malformed."""
    tests = [_both(reader, asked)]
    while reader.take("or"):
        tests.append(_both(reader, asked))
    return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)


def _both(reader: Reader, asked: Asked) -> Condition:
    tests = [_one(reader, asked)]
    while reader.take("and"):
        tests.append(_one(reader, asked))
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def _one(reader: Reader, asked: Asked) -> Condition:
    reader.depth += 1
    if reader.depth > _DEEPEST:
        raise malformed("(")
    try:
        if reader.take("not"):
            inner = _one(reader, asked)
            return lambda row: not inner(row)
        if reader.take("("):
            whole = condition(reader, asked)
            reader.need(")")
            return whole
        if reader.peek().text.lower() == "ispresent" and reader.peek(1).text == "(":
            return _present(reader, asked)
        return _comparison(reader, asked)
    finally:
        reader.depth -= 1


def _present(reader: Reader, asked: Asked) -> Condition:
    reader.next()
    reader.need("(")
    name = reader.field()
    reader.need(")")
    asked.fields.add(name)
    return lambda row: name in row


def _comparison(reader: Reader, asked: Asked) -> Condition:
    name = reader.field()
    asked.fields.add(name)
    negated = reader.take("not")
    how = reader.next().text.lower()
    if how == "in":
        test = _listed(reader, asked)
    elif how in _ORDER and not negated:
        return _ordered(name, how, reader.next(), asked)
    elif how in ("like", "=", "!=", "=~") and (how == "like" or not negated):
        test = _matched(how, reader.next(), asked)
        negated = negated or how == "!="
    else:
        raise malformed(how or "end of query")
    if negated:
        return lambda row: not test(row.get(name, ""))
    return lambda row: test(row.get(name, ""))


def _ordered(name: str, how: str, token: Token, asked: Asked) -> Condition:
    limit = number_of(token.text) if token.kind == "number" else None
    if limit is None:
        raise malformed(token.text or "end of query")
    compare = _ORDER[how]
    asked.fields.add("")  # numbers differ from line to line

    def test(row: Row) -> bool:
        value = number_of(row.get(name))
        return value is not None and compare(value, limit)

    return test


def _matched(how: str, token: Token, asked: Asked) -> Callable[[str], bool]:
    if token.kind == "regex" and how in ("like", "=~"):
        return _regex(token.text[1:-1], asked)
    if token.kind == "number" and how in ("=", "!="):
        return _same_number(token, asked)
    if token.kind != "text":
        raise malformed(token.text or "end of query")
    plain = unquoted(token)
    if how == "=~":
        return _regex(plain, asked)
    asked.literals.append(plain)
    return (lambda value: plain in value) if how == "like" else (lambda value: value == plain)


def _same_number(token: Token, asked: Asked) -> Callable[[str], bool]:
    number = number_of(token.text)
    if number is None:
        raise malformed(token.text)
    asked.fields.add("")
    return lambda value: number_of(value) == number


def _regex(text: str, asked: Asked) -> Callable[[str], bool]:
    asked.regexes.append(text)
    try:
        compiled = re.compile(python(text))
    except (re.error, OverflowError) as error:
        raise malformed(f"/{text}/ ({error})") from error
    return lambda value: compiled.search(value) is not None


def python(text: str) -> str:
    """A regular expression in Python's spelling."""
    return re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", text.replace("\\/", "/"))


def _listed(reader: Reader, asked: Asked) -> Callable[[str], bool]:
    reader.need("[")
    texts: set[str] = set()
    numbers: set[float] = set()
    while True:
        token = reader.next()
        if token.kind == "text":
            texts.add(unquoted(token))
            asked.literals.append(unquoted(token))
        elif token.kind == "number" and (number := number_of(token.text)) is not None:
            numbers.add(number)
            asked.fields.add("")
        else:
            raise malformed(token.text or "end of query")
        if reader.take("]"):
            return lambda value: value in texts or (bool(numbers) and number_of(value) in numbers)
        reader.need(",")
