"""Runs a Logs Insights query over log groups whose lines are made on demand.

Whole minutes are counted by kind of line, without making the lines, when all lines of a kind answer the filter alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from evals.world.insights import MOST_ROWS, Query, Row
from evals.world.lines import Line, LogGroup
from evals.world.seed import mix

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


@dataclass
class Search:
    """One query over one log group and window, [start, end) in epoch milliseconds."""

    group: LogGroup
    query: Query
    start: int
    end: int
    account: str
    _kinds: dict[str, bool | None] = field(default_factory=dict)

    def decided(self, kind: str, minute: int) -> bool | None:
        """Whether all lines of a kind match, none does, or each must be looked at (None)."""
        if kind not in self._kinds:
            samples = self.group.some(kind, minute, 5)
            hits = {self.query.wants(row_of(self.group, line, self.account)) for line in samples}
            self._kinds[kind] = hits.pop() if len(hits) == 1 and not self._depends() else None
        return self._kinds[kind]

    def _depends(self) -> bool:
        """Whether the filter may ask for something that differs from line to line."""
        names = [*self.group.tenants, self.group.flow.hot_key.name if self.group.flow.hot_key else ""]
        return any(
            re.search(r"(?=[a-f]*[0-9])[0-9a-f]{6,}", text) or any(name and name in text for name in names)
            for text in self.query.literals
        )

    def counts(self, minute: int) -> Iterator[tuple[str, int]]:
        """(kind, matching lines) of a whole minute."""
        for kind in self.group.KINDS:
            total = self.group.count(kind, minute)
            if not total:
                continue
            verdict = self.decided(kind, minute)
            if verdict is None:
                total = sum(1 for line in self._made(minute, (kind,)))
            elif not verdict:
                continue
            if total:
                yield kind, total

    def _made(self, minute: int, kinds: tuple[str, ...]) -> Iterator[Line]:
        for line in self.group.of_kinds(minute, kinds):
            if self.start <= line.stamp < self.end and self.query.wants(
                row_of(self.group, line, self.account)
            ):
                yield line

    def whole(self, minute: int) -> bool:
        return self.start <= minute * 60_000 and (minute + 1) * 60_000 <= self.end

    def minutes(self) -> range:
        return range(self.start // 60_000, (self.end + 59_999) // 60_000)

    def lines(self, minute: int) -> list[Line]:
        """Matching lines of a minute, sorted by time."""
        kinds = tuple(
            kind
            for kind in self.group.KINDS
            if self.group.count(kind, minute) and self.decided(kind, minute) is not False
        )
        return list(self._made(minute, kinds)) if kinds else []


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
            (line, search)
            for search in searches
            if minute in search.minutes()
            for line in search.lines(minute)
        ]
        found.sort(key=lambda pair: pair[0].stamp, reverse=descending)
        for line, search in found:
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
                for line in search.lines(minute):
                    row = row_of(search.group, line, search.account)
                    key = _key(query, minute, [row.get(name, "") for name in query.by])
                    groups.setdefault(key, _Tally()).add(1, line.stamp, line.stamp)
            else:
                for kind, count in search.counts(minute):
                    held = {"@log": f"{search.account}:{search.group.name}", "@type": _TYPES.get(kind, "")}
                    key = _key(query, minute, [held[name] for name in query.by])
                    groups.setdefault(key, _Tally()).add(count, 0, 0)
    if not groups and not query.bin_seconds and not query.by:
        groups[()] = _Tally()
    return _sorted(query, [_cells(query, key, tally) for key, tally in groups.items()])


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
