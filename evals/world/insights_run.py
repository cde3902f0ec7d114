"""Runs a Logs Insights query over log groups whose lines are made on demand.

Whole minutes are counted by kind of line, and only lines that are shown are made, when all lines of a kind answer the
filter alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from evals.world.insights import MOST_ROWS, Query, Row
from evals.world.lines import Line, LogGroup, Mark
from evals.world.seed import mix
from evals.world.sieve import Sieve

Cells = list[dict[str, str]]
_TYPES = {"start": "START", "end": "END", "report": "REPORT"}
_REQUEST = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def row_of(group: LogGroup, line: Line, account: str) -> Row:
    """The fields that Insights knows of a line (AWS documentation, "discovered fields", Lambda)."""
    found = {
        "@timestamp": shown(line.stamp),
        "@message": line.text,
        "@logStream": line.stream,
        "@log": f"{account}:{group.name}",
        "@ingestionTime": shown(line.stamp + group.delay * 1000),
        "@ptr": f"{mix(group.salt, line.stamp, len(line.text)):016x}{mix(line.stamp, len(line.kind)):016x}",
    }
    if line.kind in _TYPES:
        found["@type"] = _TYPES[line.kind]
    request = _REQUEST.search(line.text)
    if request:
        found["@requestId"] = request.group()
    return found


def shown(stamp_ms: int) -> str:
    moment = datetime.fromtimestamp(stamp_ms // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{stamp_ms % 1000:03d}"


class Search:
    """One query over one log group and window, [start, end) in epoch milliseconds."""

    def __init__(self, group: LogGroup, query: Query, start: int, end: int, account: str) -> None:
        self.group = group
        self.start = start
        self.end = end
        self.account = account
        self.sieve = Sieve(group, lambda line: query.wants(row_of(group, line, account)), query.literals)

    def minutes(self) -> range:
        return range(self.start // 60_000, (self.end + 59_999) // 60_000)

    def whole(self, minute: int) -> bool:
        return self.start <= minute * 60_000 and (minute + 1) * 60_000 <= self.end

    def counts(self, minute: int) -> Iterator[tuple[str, int]]:
        """(kind, matching lines) of a whole minute."""
        for kind in self.sieve.kinds(minute):
            total = self.sieve.count(kind, minute)
            if total:
                yield kind, total

    def marks(self, minute: int) -> list[Mark]:
        """Lines of a minute that lie in the window and may match, sorted by time."""
        kinds = self.sieve.kinds(minute)
        found = self.group.marks(minute, kinds, self.end) if kinds else []
        return (
            found if self.whole(minute) else [mark for mark in found if self.start <= mark.stamp < self.end]
        )

    def matching(self, minute: int) -> Iterator[Mark]:
        """Matching lines of a minute, sorted by time."""
        return (mark for mark in self.marks(minute) if self.sieve.passes(minute, mark))

    def total(self) -> int:
        """All matching lines."""
        return sum(
            sum(count for _, count in self.counts(minute))
            if self.whole(minute)
            else sum(1 for _ in self.matching(minute))
            for minute in self.minutes()
        )


def run(searches: list[Search], query: Query, limit: int) -> list[Cells]:
    """The rows of a query's answer."""
    if query.aggregates:
        rows = _grouped(searches, query)
        return rows[: query.limit or limit]
    return _listed(searches, query, min(query.limit or limit, limit))


def _listed(searches: list[Search], query: Query, limit: int) -> list[Cells]:
    descending = query.sort is None or query.sort[1]
    minutes = sorted({minute for search in searches for minute in search.minutes()}, reverse=descending)
    rows: list[Cells] = []
    for minute in minutes:
        found = [
            (mark, search)
            for search in searches
            if minute in search.minutes()
            for mark in search.marks(minute)
        ]
        found.sort(key=lambda pair: pair[0].stamp, reverse=descending)
        for mark, search in found:
            line = search.sieve.line(minute, mark)
            if line is None:
                continue
            row = row_of(search.group, line, search.account)
            names = [*query.fields, *(["@ptr"] if "@ptr" not in query.fields else [])]
            rows.append([{"field": name, "value": row[name]} for name in names if name in row])
            if len(rows) >= min(limit, MOST_ROWS):
                return rows
    return rows


@dataclass(slots=True)
class _Tally:
    count: int = 0
    first: int = 0
    last: int = 0

    def add(self, count: int, first: int, last: int) -> None:
        self.first = first if not self.count else min(self.first, first)
        self.last = max(self.last, last)
        self.count += count


def _grouped(searches: list[Search], query: Query) -> list[Cells]:
    groups: dict[tuple[str, ...], _Tally] = {}
    exact = any(function != "count" for function, _ in query.aggregates) or "@logStream" in query.by
    for search in searches:
        for minute in search.minutes():
            if exact or not search.whole(minute):
                for mark in search.matching(minute):
                    stream = search.group.stream(minute, mark.number)
                    key = _key(query, minute, _held(search, query, mark.kind, stream))
                    groups.setdefault(key, _Tally()).add(1, mark.stamp, mark.stamp)
            else:
                for kind, count in search.counts(minute):
                    key = _key(query, minute, _held(search, query, kind))
                    groups.setdefault(key, _Tally()).add(count, 0, 0)
    if not groups and not query.bin_seconds and not query.by:
        groups[()] = _Tally()
    return _sorted(query, [_cells(query, key, tally) for key, tally in groups.items()])


def _held(search: Search, query: Query, kind: str, stream: str = "") -> list[str]:
    """What a line is grouped by, besides time."""
    held = {
        "@log": f"{search.account}:{search.group.name}",
        "@type": _TYPES.get(kind, ""),
        "@logStream": stream,
    }
    return [held[name] for name in query.by]


def _key(query: Query, minute: int, by: list[str]) -> tuple[str, ...]:
    if not query.bin_seconds:
        return tuple(by)
    start = minute * 60 // query.bin_seconds * query.bin_seconds
    return (shown(start * 1000), *by)


def _cells(query: Query, key: tuple[str, ...], tally: _Tally) -> Cells:
    names = ([query.bin_name] if query.bin_seconds else []) + query.by
    cells = [{"field": name, "value": value} for name, value in zip(names, key, strict=True) if value]
    for function, alias in query.aggregates:
        value = (
            str(tally.count) if function == "count" else str(tally.first if function == "min" else tally.last)
        )
        cells.append({"field": alias, "value": value})
    return cells


def _sorted(query: Query, rows: list[Cells]) -> list[Cells]:
    name, descending = query.sort or (query.bin_name, True)

    def value(cells: Cells) -> tuple[float, str]:
        text = next((cell["value"] for cell in cells if cell["field"] == name), "")
        return (float(text), "") if re.fullmatch(r"\d+", text) else (0.0, text)

    return sorted(rows, key=value, reverse=descending) if name else rows
