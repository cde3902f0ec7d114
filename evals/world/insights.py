"""A stated subset of CloudWatch Logs Insights: fields, display, filter, stats, sort, limit.

    filter   like and not like with /regex/ or "text", =, !=, =~, and, or, not, parentheses
    stats    count(*), min(@timestamp), max(@timestamp), each with an alias; by bin(Nm), @logStream, @log, @type
    sort     one field; limit up to 10,000

Everything else is a MalformedQueryException, as a typing mistake is in AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from evals.world.asking import Refusal

Row = Mapping[str, str]
FIELDS = ("@timestamp", "@message", "@logStream", "@log", "@ingestionTime", "@type", "@requestId", "@ptr")
_TOKEN = re.compile(
    r"""\s*(?:(?P<regex>/(?:[^/\\]|\\.)*/)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<op>=~|!=|=|\(|\)|,|\||\*)|(?P<word>@?[A-Za-z_][\w.]*)|(?P<number>\d+[smhd]?))"""
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


@dataclass(slots=True)
class Query:
    """A query that was understood."""

    fields: tuple[str, ...] = ("@timestamp", "@message")
    filters: list[Callable[[Row], bool]] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)
    aggregates: list[tuple[str, str]] = field(default_factory=list)  # (function, alias)
    bin_seconds: int = 0
    bin_name: str = ""
    by: list[str] = field(default_factory=list)
    sort: tuple[str, bool] | None = None  # (field, descending)
    limit: int = 0

    def wants(self, row: Row) -> bool:
        return all(test(row) for test in self.filters)


def malformed(why: str) -> Refusal:
    return Refusal("MalformedQueryException", f"unexpected symbol found: {why}")


class _Reader:
    """Tokens of a query, one at a time."""

    def __init__(self, text: str) -> None:
        self.tokens = self._scan(text)
        self.place = 0

    @staticmethod
    def _scan(text: str) -> list[Token]:
        found, place = [], 0
        text = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise malformed(text[place : place + 20])
            found.append(Token(match.lastgroup, match.group(match.lastgroup)))
            place = match.end()
        return found

    def peek(self, ahead: int = 0) -> Token:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("end", "")

    def next(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def take(self, text: str) -> bool:
        if self.peek().text.lower() == text and self.peek().kind in ("word", "op"):
            self.place += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise malformed(self.peek().text or "end of query")


def parse(text: str) -> Query:
    """The query. Raises Refusal(MalformedQueryException) for what is outside the subset."""
    reader, query = _Reader(text), Query()
    commands: dict[str, Callable[[_Reader, Query], None]] = {
        "fields": _fields,
        "display": _fields,
        "filter": _filter,
        "stats": _stats,
        "sort": _sort,
        "limit": _limit,
    }
    while True:
        word = reader.next()
        command = commands.get(word.text.lower())
        if command is None:
            raise malformed(word.text or "end of query")
        if query.aggregates and word.text.lower() not in ("sort", "limit"):
            raise malformed(word.text)
        command(reader, query)
        if reader.peek().kind == "end":
            return query
        reader.need("|")


def _field(reader: _Reader) -> str:
    token = reader.next()
    if token.kind != "word" or token.text not in FIELDS:
        raise malformed(token.text)
    return token.text


def _fields(reader: _Reader, query: Query) -> None:
    found = [_field(reader)]
    while reader.take(","):
        found.append(_field(reader))
    query.fields = tuple(found)


def _filter(reader: _Reader, query: Query) -> None:
    query.filters.append(_either(reader, query))


def _either(reader: _Reader, query: Query) -> Callable[[Row], bool]:
    tests = [_both(reader, query)]
    while reader.take("or"):
        tests.append(_both(reader, query))
    return lambda row: any(test(row) for test in tests)


def _both(reader: _Reader, query: Query) -> Callable[[Row], bool]:
    tests = [_one(reader, query)]
    while reader.take("and"):
        tests.append(_one(reader, query))
    return lambda row: all(test(row) for test in tests)


def _one(reader: _Reader, query: Query) -> Callable[[Row], bool]:
    if reader.take("not"):
        inner = _one(reader, query)
        return lambda row: not inner(row)
    if reader.take("("):
        inner = _either(reader, query)
        reader.need(")")
        return inner
    return _comparison(reader, query)


def _comparison(reader: _Reader, query: Query) -> Callable[[Row], bool]:
    name = _field(reader)
    negated = reader.take("not")
    how = reader.next().text.lower()
    if how not in ("like", "=", "!=", "=~") or (negated and how != "like"):
        raise malformed(how)
    value = reader.next()
    if value.kind == "regex":
        if how in ("=", "!="):
            raise malformed(value.text)
        test = _regex(value.text[1:-1], query)
    elif value.kind == "text":
        plain = value.text[1:-1].replace('\\"', '"').replace("\\'", "'")
        query.literals.append(plain)
        test = _contains(plain) if how == "like" else _equals(plain)
    else:
        raise malformed(value.text)
    if negated or how == "!=":
        return lambda row: not test(row.get(name, ""))
    return lambda row: test(row.get(name, ""))


def _regex(text: str, query: Query) -> Callable[[str], bool]:
    query.literals.append(text)
    try:
        compiled = re.compile(text.replace("\\/", "/"))
    except re.error as error:
        raise malformed(f"/{text}/ ({error})") from error
    return lambda value: compiled.search(value) is not None


def _contains(plain: str) -> Callable[[str], bool]:
    return lambda value: plain in value


def _equals(plain: str) -> Callable[[str], bool]:
    return lambda value: value == plain


def _stats(reader: _Reader, query: Query) -> None:
    _aggregate(reader, query)
    while reader.take(","):
        _aggregate(reader, query)
    if not reader.take("by"):
        return
    _group(reader, query)
    while reader.take(","):
        _group(reader, query)


def _aggregate(reader: _Reader, query: Query) -> None:
    function = reader.next().text.lower()
    reader.need("(")
    if function == "count":
        reader.take("*")
        shown = "count(*)"
    elif function in ("min", "max") and _field(reader) == "@timestamp":
        shown = f"{function}(@timestamp)"
    else:
        raise malformed(function)
    reader.need(")")
    alias = reader.next().text if reader.take("as") else shown
    query.aggregates.append((function, alias))


def _group(reader: _Reader, query: Query) -> None:
    if reader.peek().text.lower() != "bin":
        name = _field(reader)
        if name not in ("@logStream", "@log", "@type"):
            raise malformed(name)
        query.by.append(name)
        return
    reader.next()
    reader.need("(")
    width = reader.next()
    if width.kind != "number" or width.text[-1] not in _UNITS or query.bin_seconds:
        raise malformed(width.text)
    query.bin_seconds = int(width.text[:-1]) * _UNITS[width.text[-1]]
    if query.bin_seconds % 60:
        raise malformed(width.text)
    reader.need(")")
    query.bin_name = reader.next().text if reader.take("as") else f"bin({width.text})"


def _sort(reader: _Reader, query: Query) -> None:
    token = reader.next()
    name = token.text
    if name == "bin" and reader.take("("):
        reader.next()
        reader.need(")")
        name = query.bin_name
    known = {alias for _, alias in query.aggregates} | {query.bin_name, *query.by, *FIELDS}
    if name not in known or (not query.aggregates and name != "@timestamp"):
        raise malformed(name)
    descending = reader.take("desc")
    if not descending:
        reader.take("asc")
    query.sort = (name, descending)


def _limit(reader: _Reader, query: Query) -> None:
    token = reader.next()
    if token.kind != "number" or not token.text.isdigit() or not 1 <= int(token.text) <= MOST_ROWS:
        raise malformed(token.text)
    query.limit = int(token.text)
