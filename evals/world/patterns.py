"""CloudWatch Logs filter patterns (user guide, "Filter pattern syntax").

    terms      ERROR "a phrase" -excluded ?any ?of %regex%            case-sensitive, anywhere in the message
    JSON       { $.a.b = "x*" && ($.n >= 1.5e3 || $.l[0] IS NULL) }   = != < > <= >=, IS TRUE/FALSE/NULL, NOT EXISTS
    columns    [ip, ..., status = 5* || status = 404, bytes > 1000]   text in quotes or brackets is one column

What AWS does not accept is an InvalidParameterException; what only worlds do not know (?terms beside other terms,
wildcards in selectors) is one too and counts as a coverage miss.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from evals.world.asking import Refusal
from evals.world.pattern_tests import Condition, Reader, invalid, matcher, regex

_TOKEN = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"%]+))')
_WORD = re.compile(r"^[\w]+$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A filter pattern: its test of a message, and what it looks for, so that few lines need be made."""

    matches: Callable[[str], bool]
    literals: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    opaque: bool = False  # looks at fields, not at texts


def parse(text: str) -> Pattern:
    """The pattern that `text` means. Raises what AWS answers to a bad one."""
    stripped = text.strip()
    if stripped.startswith("{"):
        return _json(stripped)
    if stripped.startswith("["):
        return _columns(stripped)
    return _terms(stripped)


def _terms(text: str) -> Pattern:
    tests: dict[str, list[Callable[[str], bool]]] = {"": [], "?": [], "-": []}
    literals: list[str] = []
    regexes: list[str] = []
    place = 0
    for match in _TOKEN.finditer(text):
        if text[place : match.start()].strip():
            raise invalid(text)
        place = match.end()
        sign, phrase, expression, word = match.groups()
        if expression is not None:
            regexes.append(expression)
            tests[sign].append(regex(expression))
            continue
        if word is not None and not _WORD.match(word):
            raise invalid(text)
        term = word if word is not None else phrase.replace('\\"', '"').replace("\\\\", "\\")
        literals.append(term)
        tests[sign].append(_contains(term))
    if text[place:].strip() or len(regexes) > 2:
        raise invalid(text)
    if tests["?"] and (tests[""] or tests["-"]):
        said = "? terms beside other terms are not supported"
        raise Refusal("InvalidParameterException", f"Invalid filter pattern: {said}", missed=True)
    return Pattern(_together(tests), tuple(literals), tuple(regexes))


def _contains(term: str) -> Callable[[str], bool]:
    return lambda message: term in message


def _together(tests: dict[str, list[Callable[[str], bool]]]) -> Callable[[str], bool]:
    every, some, none = tests[""], tests["?"], tests["-"]
    return lambda message: (
        all(test(message) for test in every)
        and (not some or any(test(message) for test in some))
        and not any(test(message) for test in none)
    )


# -- JSON -------------------------------------------------------------------------------------------------------------


def _json(text: str) -> Pattern:
    if not text.endswith("}"):
        raise invalid(text)
    reader = Reader(text[1:-1], text)
    condition = reader.either(reader.selected)
    if reader.peek():
        raise invalid(text)

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            held = json.loads(message)
        except ValueError:
            return False
        return isinstance(held, dict) and condition(held)

    return Pattern(matches, opaque=True)


# -- columns ----------------------------------------------------------------------------------------------------------

_COLUMN = re.compile(r'\[([^\]]*)\]|"([^"]*)"|(\S+)')


def _columns(text: str) -> Pattern:
    if not text.endswith("]"):
        raise invalid(text)
    columns = [_column(part.strip(), text) for part in _split(text[1:-1])]
    rest = [place for place, one in enumerate(columns) if one is None]
    if len(rest) > 1 or not columns:
        raise invalid(text)

    def matches(message: str) -> bool:
        held = [
            next((group for group in one.groups() if group is not None), "")
            for one in _COLUMN.finditer(message)
        ]
        if not rest:
            return len(held) == len(columns) and _all(columns, held)
        first, last = columns[: rest[0]], columns[rest[0] + 1 :]
        if len(held) < len(first) + len(last):
            return False
        return _all(first, held[: len(first)]) and _all(last, held[len(held) - len(last) :])

    return Pattern(matches, opaque=True)


def _all(columns: list[Condition | None], held: list[str]) -> bool:
    return all(test is None or test(value) for test, value in zip(columns, held, strict=True))


def _split(text: str) -> list[str]:
    """Columns at commas outside quotes and regular expressions."""
    return re.findall(r'(?:"[^"]*"|%[^%]*%|[^,"%])+', text) if text.strip() else []


def _column(text: str, whole: str) -> Condition | None:
    """The test of one column; None for the ellipsis."""
    if text == "...":
        return None
    reader = Reader(text, whole)
    name = reader.peek()
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise invalid(whole)
    if len(reader.tokens) == 1:
        return lambda value: True

    def one() -> Condition:
        if reader.next() != name:
            raise invalid(whole)
        test = matcher(reader.next(), reader.next(), whole)
        return lambda value: test(_number(value))

    condition = reader.either(one)
    if reader.peek():
        raise invalid(whole)
    return condition


def _number(value: str) -> str | float:
    """A column is a number where it looks like one."""
    return float(value) if re.fullmatch(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", value) else value
