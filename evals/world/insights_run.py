"""Runs a Logs Insights query over log groups whose lines are made on demand.

Whole minutes are counted by kind of line, and only lines that are shown are made, when all lines of a kind answer the
filter alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from evals.world.insights import MOST_ROWS, Query
from evals.world.insights_fields import discovered
from evals.world.insights_stages import Fields, Filter, Parse, Sort, Stage, Stats, columns
from evals.world.insights_stages import run as run_stages
from evals.world.lines import Line, LogGroup, Mark
from evals.world.seed import mix
from evals.world.sieve import Sieve

Cells = list[dict[str, str]]
_TYPES = {"start": "START", "end": "END", "report": "REPORT"}
_REQUEST = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def row_of(group: LogGroup, line: Line, account: str, deep: bool = False) -> dict[str, str]:
    """The fields that Insights knows of a line; `deep`: also those that it discovers in the message."""
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
    return found | discovered(line.text, line.kind == "report") if deep else found


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
        self.sieve = Sieve(
            group,
            lambda line: query.wants(row_of(group, line, account, query.deep)),
            query.literals,
            query.regexes,
            query.opaque,
        )

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
    stages = [stage for place, stage in enumerate(query.stages) if place != _ordering(query.stages)]
    shown = columns(query.stages)
    plain = next((place for place, stage in enumerate(stages) if not isinstance(stage, Fields)), len(stages))
    first = stages[plain] if plain < len(stages) else None
    if isinstance(first, Stats) and _countable(first):
        rows = run_stages(stages[plain + 1 :], iter(_grouped(searches, first)))
    else:
        rows = run_stages(stages, _rows(searches, query))
    counted = any(isinstance(stage, Stats) for stage in stages)
    return [_cells(row, shown, counted) for row in islice(rows, min(limit, MOST_ROWS))]


def _ordering(stages: list[Stage]) -> int:
    """The place of a sort by time alone that rows can be read in; -1 when there is none."""
    for place, stage in enumerate(stages):
        if isinstance(stage, Sort):
            return place if len(stage.keys) == 1 and stage.keys[0][0] == "@timestamp" else -1
        if not isinstance(stage, (Fields, Filter, Parse)):
            return -1
    return -1


def _rows(searches: list[Search], query: Query) -> Iterator[dict[str, str]]:
    """Lines that pass the query's filters as rows, newest first unless it sorts by time ascending."""
    place = _ordering(query.stages)
    sort = query.stages[place] if place >= 0 else None
    descending = sort.keys[0][1] if isinstance(sort, Sort) else True
    minutes = sorted({minute for search in searches for minute in search.minutes()}, reverse=descending)
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
            if line is not None:
                yield row_of(search.group, line, search.account, query.deep)


def _cells(row: dict[str, str], shown: list[str] | None, counted: bool) -> list[dict[str, str]]:
    names = list(row) if shown is None else [name for name in shown if name in row]
    if not counted and "@ptr" not in names:
        names.append("@ptr")
    return [{"field": name, "value": row[name]} for name in names]


def _countable(stats: Stats) -> bool:
    """Whether whole minutes can be counted by kind of line."""
    return (
        all(
            (one.function == "count" and one.source == "*")
            or (one.function in ("min", "max") and one.source == "@timestamp")
            for one in stats.aggregates
        )
        and set(stats.by) <= {"@logStream", "@log", "@type"}
        and stats.bin_seconds % 60 == 0
    )


@dataclass(slots=True)
class _Tally:
    count: int = 0
    first: int = 0
    last: int = 0

    def add(self, count: int, first: int, last: int) -> None:
        self.first = first if not self.count else min(self.first, first)
        self.last = max(self.last, last)
        self.count += count


def _grouped(searches: list[Search], stats: Stats) -> list[dict[str, str]]:
    groups: dict[tuple[str, ...], _Tally] = {}
    exact = any(one.function != "count" for one in stats.aggregates) or "@logStream" in stats.by
    for search in searches:
        for minute in search.minutes():
            if exact or not search.whole(minute):
                for mark in search.matching(minute):
                    stream = search.group.stream(minute, mark.number)
                    key = _key(stats, minute, _held(search, stats, mark.kind, stream))
                    groups.setdefault(key, _Tally()).add(1, mark.stamp, mark.stamp)
            else:
                for kind, count in search.counts(minute):
                    key = _key(stats, minute, _held(search, stats, kind))
                    groups.setdefault(key, _Tally()).add(count, 0, 0)
    if not groups and not stats.bin_seconds and not stats.by:
        groups[()] = _Tally()
    keys = sorted(groups, reverse=True) if stats.bin_seconds else list(groups)
    return [_group(stats, key, groups[key]) for key in keys]


def _held(search: Search, stats: Stats, kind: str, stream: str = "") -> list[str]:
    """What a line is grouped by, besides time."""
    held = {
        "@log": f"{search.account}:{search.group.name}",
        "@type": _TYPES.get(kind, ""),
        "@logStream": stream,
    }
    return [held[name] for name in stats.by]


def _key(stats: Stats, minute: int, by: list[str]) -> tuple[str, ...]:
    if not stats.bin_seconds:
        return tuple(by)
    start = minute * 60 // stats.bin_seconds * stats.bin_seconds
    return (shown(start * 1000), *by)


def _group(stats: Stats, key: tuple[str, ...], tally: _Tally) -> dict[str, str]:
    names = ([stats.bin_name] if stats.bin_seconds else []) + list(stats.by)
    row = {name: value for name, value in zip(names, key, strict=True) if value}
    for one in stats.aggregates:
        if one.function == "count":
            row[one.alias] = str(tally.count)
        elif tally.count:
            row[one.alias] = str(tally.first if one.function == "min" else tally.last)
    return row
