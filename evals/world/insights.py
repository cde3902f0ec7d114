"""A stated subset of CloudWatch Logs Insights (user guide, "Logs Insights QL").

    fields, display   fields by name, each with an alias; no functions, no arithmetic
    filter            like, not like, =~ with /regex/ or "text"; = != < <= > >=; in [..], not in [..]; ispresent(f);
                      and, or, not, parentheses
    parse             a glob "user=*, took * ms" as a, b or a /regex/ with (?<named>groups); of any field
    stats             count(*), count(f), sum, avg, min, max, count_distinct, pct(f, n), each with an alias;
                      by bin(Nm) and fields
    sort              fields, asc or desc
    limit             1 to 10,000
    dedup             fields; only limit may follow

Fields are those of every line (@timestamp, @message, @logStream, @log, @ingestionTime, @type, @requestId), those of
Lambda's REPORT lines (@duration, @billedDuration, @memorySize, @maxMemoryUsed), those of messages that are JSON, and
those that the query makes. Everything else is a MalformedQueryException, as a typing mistake is in AWS; what AWS would
have understood counts as a coverage miss.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from evals.world.insights_filter import Asked, Condition, Row, condition, python
from evals.world.insights_scan import FIELDS, Reader, malformed, number_of, unquoted
from evals.world.insights_stages import Aggregate, Dedup, Fields, Filter, Limit, Parse, Sort, Stage, Stats

__all__ = ["FIELDS", "MOST_ROWS", "Query", "Row", "malformed", "parse"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FUNCTIONS = ("sum", "avg", "min", "max", "count_distinct")
MOST_ROWS = 10_000


@dataclass(slots=True)
class Query:
    """A query that was understood.

    `filters` are those of its beginning, over the fields of a line; `literals` and `regexes` are what they look for,
    and `opaque` whether they look at more than texts. `deep`: fields are asked for that must be discovered in messages.
    `stages` are the commands after the filters, in order.
    """

    filters: list[Condition] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)
    regexes: list[str] = field(default_factory=list)
    opaque: bool = False
    deep: bool = False
    stages: list[Stage] = field(default_factory=list)

    def wants(self, row: Row) -> bool:
        return all(test(row) for test in self.filters)


def parse(text: str) -> Query:
    """The query. Raises Refusal(MalformedQueryException) for what is outside the subset."""
    reader, query = Reader(text), Query()
    commands: dict[str, Callable[[Reader], Stage]] = {
        "fields": lambda found: _fields(found, anew=False),
        "display": lambda found: _fields(found, anew=True),
        "parse": _parse,
        "stats": _stats,
        "sort": _sort,
        "limit": _limit,
        "dedup": _dedup,
    }
    while True:
        word = reader.next().text
        if query.stages and isinstance(query.stages[-1], Dedup) and word.lower() != "limit":
            raise malformed(word or "end of query")
        if word.lower() == "filter":
            _filter(reader, query)
        elif word.lower() in commands:
            query.stages.append(commands[word.lower()](reader))
        else:
            raise malformed(word or "end of query")
        if reader.peek().kind == "end":
            query.deep = bool(reader.used - set(FIELDS))
            return query
        reader.need("|")


def _filter(reader: Reader, query: Query) -> None:
    asked = Asked()
    test = condition(reader, asked)
    if any(not isinstance(stage, Fields) for stage in query.stages) or reader.made & asked.fields:
        query.stages.append(Filter(test))
        return
    query.filters.append(test)
    query.literals += asked.literals
    query.regexes += asked.regexes
    query.opaque = query.opaque or asked.opaque


def _fields(reader: Reader, *, anew: bool) -> Fields:
    found = []
    while True:
        name = reader.field()
        found.append((name, reader.name() if reader.take("as") else name))
        if not reader.take(","):
            return Fields(tuple(found), anew)


def _parse(reader: Reader) -> Parse:
    source = reader.field() if reader.peek().kind == "word" else "@message"
    token = reader.next()
    if token.kind == "regex":
        return _parse_regex(reader, source, token.text[1:-1])
    if token.kind != "text":
        raise malformed(token.text or "end of query")
    glob = unquoted(token)
    parts = [re.escape(part) for part in glob.split("*")]
    pattern = "(.*?)".join(parts[:-1]) + "(.*)" + parts[-1] if not parts[-1] else "(.*?)".join(parts)
    reader.need("as")
    names = _names(reader)
    if len(names) != len(parts) - 1:
        raise malformed(token.text)
    return Parse(source, re.compile(pattern, re.DOTALL), names)


def _parse_regex(reader: Reader, source: str, text: str) -> Parse:
    try:
        pattern = re.compile(python(text))
    except (re.error, OverflowError) as error:
        raise malformed(f"/{text}/ ({error})") from error
    names = tuple(pattern.groupindex)
    if names:
        reader.made |= set(names)
    elif reader.take("as"):
        names = _names(reader)
    if not names or len(names) != pattern.groups:
        raise malformed(f"/{text}/")
    return Parse(source, pattern, names)


def _names(reader: Reader) -> tuple[str, ...]:
    found = [reader.name()]
    while reader.take(","):
        found.append(reader.name())
    return tuple(found)


def _stats(reader: Reader) -> Stats:
    aggregates = [_aggregate(reader)]
    while reader.take(","):
        aggregates.append(_aggregate(reader))
    by: list[str] = []
    seconds, name = 0, ""
    if reader.take("by"):
        while True:
            if reader.peek().text.lower() == "bin" and reader.peek(1).text == "(":
                if seconds:
                    raise malformed("bin")
                seconds, name = _bin(reader)
            else:
                by.append(reader.field())
            if not reader.take(","):
                break
    return Stats(tuple(aggregates), tuple(by), seconds, name)


def _aggregate(reader: Reader) -> Aggregate:
    token = reader.next()
    function, rank = token.text.lower(), 0.0
    if function not in ("count", "pct", *_FUNCTIONS):
        raise malformed(token.text or "end of query")
    reader.need("(")
    if function == "count" and (reader.take("*") or reader.peek().text == ")"):
        source, shown = "*", "count(*)"
    else:
        source = reader.field()
        shown = f"{function}({source})"
    if function == "pct":
        reader.need(",")
        given = number_of(reader.next().text)
        if given is None or not 0 <= given <= 100:
            raise malformed("pct")
        rank, shown = given, f"pct({source}, {given:g})"
    reader.need(")")
    alias = reader.name() if reader.take("as") else shown
    reader.made.add(alias)
    return Aggregate(function, source, alias, rank)


def _bin(reader: Reader) -> tuple[int, str]:
    reader.next()
    reader.need("(")
    width = reader.next().text
    if not re.fullmatch(r"[1-9]\d{0,5}[smhd]", width):
        raise malformed(width or "end of query")
    reader.need(")")
    name = reader.name() if reader.take("as") else f"bin({width})"
    reader.made.add(name)
    return int(width[:-1]) * _UNITS[width[-1]], name


def _sort(reader: Reader) -> Sort:
    keys = []
    while True:
        if reader.peek().text.lower() == "bin" and reader.peek(1).text == "(":
            _, name = _bin(reader)
        else:
            name = reader.field()
        descending = reader.take("desc")
        if not descending:
            reader.take("asc")
        keys.append((name, descending))
        if not reader.take(","):
            return Sort(tuple(keys))


def _limit(reader: Reader) -> Limit:
    token = reader.next()
    if token.kind != "number" or not token.text.isdigit() or not 1 <= int(token.text) <= MOST_ROWS:
        raise malformed(token.text or "end of query")
    return Limit(int(token.text))


def _dedup(reader: Reader) -> Dedup:
    names = [reader.field()]
    while reader.take(","):
        names.append(reader.field())
    return Dedup(tuple(names))
