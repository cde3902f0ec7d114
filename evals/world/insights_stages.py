"""The commands of a query as steps over rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TypeAlias

from evals.world.insights_filter import Condition
from evals.world.insights_scan import number_of, shown_number

Rows: TypeAlias = Iterator[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Filter:
    test: Condition


@dataclass(frozen=True, slots=True)
class Fields:
    """`fields` (adds what is shown) or `display` (says it anew); a field may get another name."""

    names: tuple[tuple[str, str], ...]  # (field, name)
    anew: bool


@dataclass(frozen=True, slots=True)
class Parse:
    """New fields from the groups of a regular expression; none when it does not match."""

    source: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]

    def read(self, row: dict[str, str]) -> dict[str, str]:
        match = self.pattern.search(row.get(self.source, ""))
        if match is None:
            return row
        found = zip(self.names, match.groups(), strict=True)
        return row | {name: value for name, value in found if value is not None}


@dataclass(frozen=True, slots=True)
class Aggregate:
    function: str
    source: str  # "*" for all rows
    alias: str
    rank: float = 0.0


@dataclass(frozen=True, slots=True)
class Stats:
    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    bin_seconds: int = 0
    bin_name: str = ""

    def run(self, rows: Iterable[dict[str, str]]) -> Rows:
        groups: dict[tuple[str | None, ...], list[Tally]] = {}
        for row in rows:
            tallies = groups.setdefault(self._key(row), [])
            if not tallies:
                tallies += [Tally(one) for one in self.aggregates]
            for tally in tallies:
                tally.add(row)
        if not groups and not self.by and not self.bin_seconds:
            groups[()] = [Tally(one) for one in self.aggregates]
        names = ([self.bin_name] if self.bin_seconds else []) + list(self.by)
        made = [
            {name: value for name, value in zip(names, key, strict=True) if value is not None}
            | {tally.asked.alias: value for tally in tallies if (value := tally.value()) is not None}
            for key, tallies in groups.items()
        ]
        if self.bin_seconds:
            made.sort(key=lambda row: row[self.bin_name], reverse=True)
        return iter(made)

    def _key(self, row: dict[str, str]) -> tuple[str | None, ...]:
        by: tuple[str | None, ...] = tuple(row.get(name) for name in self.by)
        return (binned(row["@timestamp"], self.bin_seconds), *by) if self.bin_seconds else by


def epoch_ms(text: str) -> int:
    """The epoch millisecond of a time as Insights writes it."""
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def binned(text: str, seconds: int) -> str:
    start = epoch_ms(text) // 1000 // seconds * seconds
    return f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d %H:%M:%S}.000"


@dataclass(slots=True)
class Tally:
    """One aggregate of one group."""

    asked: Aggregate
    count: int = 0
    values: list[float] = field(default_factory=list)
    distinct: set[str] = field(default_factory=set)

    def add(self, row: dict[str, str]) -> None:
        text = row.get(self.asked.source)
        if self.asked.source == "*":
            self.count += 1
            return
        if text is None:
            return
        self.count += 1
        if self.asked.function == "count_distinct":
            self.distinct.add(text)
        elif self.asked.function != "count":
            value = float(epoch_ms(text)) if self.asked.source == "@timestamp" else number_of(text)
            if value is not None:
                self.values.append(value)

    def value(self) -> str | None:
        """None where there is nothing to aggregate."""
        how = self.asked.function
        if how == "count":
            return str(self.count)
        if how == "count_distinct":
            return str(len(self.distinct))
        if not self.values:
            return None
        if how == "pct":
            return shown_number(_percentile(sorted(self.values), self.asked.rank))
        if how in ("min", "max"):
            return shown_number(min(self.values) if how == "min" else max(self.values))
        total = sum(self.values)
        return shown_number(total / len(self.values) if how == "avg" else total)


def _percentile(values: list[float], rank: float) -> float:
    """The smallest value that `rank` percent of the values do not exceed."""
    place = -(-rank * len(values) // 100)
    return values[max(0, min(len(values) - 1, int(place) - 1))]


@dataclass(frozen=True, slots=True)
class Sort:
    keys: tuple[tuple[str, bool], ...]  # (field, descending)

    def run(self, rows: Iterable[dict[str, str]]) -> Rows:
        found = list(rows)
        for name, descending in reversed(self.keys):
            found.sort(key=lambda row: _order(row.get(name)), reverse=descending)
        return iter(found)


def _order(text: str | None) -> tuple[int, float, str]:
    if text is None:
        return (0, 0.0, "")
    number = number_of(text)
    return (1, number, "") if number is not None else (2, 0.0, text)


@dataclass(frozen=True, slots=True)
class Limit:
    many: int


@dataclass(frozen=True, slots=True)
class Dedup:
    names: tuple[str, ...]

    def run(self, rows: Iterable[dict[str, str]]) -> Rows:
        seen: set[tuple[str | None, ...]] = set()
        for row in rows:
            key = tuple(row.get(name) for name in self.names)
            if None in key:
                yield row  # rows without the field are all kept (user guide, "dedup")
            elif key not in seen:
                seen.add(key)
                yield row


Stage: TypeAlias = Filter | Fields | Parse | Stats | Sort | Limit | Dedup


def run(stages: Iterable[Stage], rows: Rows) -> Rows:
    """The rows that come out. `rows` come in the order of the first sort by @timestamp, if that comes first."""
    for stage in stages:
        rows = _step(stage, rows)
    return rows


def _step(stage: Stage, rows: Rows) -> Rows:
    if isinstance(stage, Filter):
        return (row for row in rows if stage.test(row))
    if isinstance(stage, Parse):
        return (stage.read(row) for row in rows)
    if isinstance(stage, Limit):
        return islice(rows, stage.many)
    if isinstance(stage, Fields):
        renamed = [(source, name) for source, name in stage.names if source != name]
        return (row | {name: row[source] for source, name in renamed if source in row} for row in rows)
    return stage.run(rows)


def columns(stages: Iterable[Stage]) -> list[str] | None:
    """The fields that a query shows, in order; None for all that come out of `stats`."""
    shown: list[str] = []
    made: list[str] = []
    counted = False
    for stage in stages:
        if isinstance(stage, Stats):
            counted, shown = True, []
        elif isinstance(stage, Fields):
            names = [name for _, name in stage.names]
            shown = names if stage.anew else shown + [name for name in names if name not in shown]
        elif isinstance(stage, Parse) and not counted:
            made += [name for name in stage.names if name not in made]
    if counted:
        return shown or None
    return shown or ["@timestamp", "@message", *made]
