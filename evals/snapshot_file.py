"""The file of a snapshot: what an account held around an incident, as JSON lines, packed with gzip.

Each line is an object with a `kind`: `header` (first), `event` (an item of LookupEvents), `points` (a metric, its
statistic and period; its numbers follow in a line of kind `values`), `line` (a log event), `alarm`, `item` (of an
alarm's history), `span` (what is complete from when to when) and `end` (last; without it the file was cut). Times are
ISO 8601 in UTC; in log lines milliseconds.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.folders import SNAPSHOT
from tools.errors import BadRecording
from tools.evidence import canonical
from tools.models import Json

FORMAT = 1
VALUES = "values"
"""The kind of lines that hold nothing but numbers: the points of the series on the line before."""
NAME = SNAPSHOT
_AGAIN = "Record it again with: opsleuth record"

Series = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""Region, namespace, metric name, dimensions in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Between `start` and `end` all of `what` (events, lines, points, history) of `key` is there."""

    what: str
    key: tuple[Any, ...]
    start: datetime
    end: datetime

    def holds(self, start: datetime, end: datetime) -> bool:
        return self.start <= start and end <= self.end


@dataclass(slots=True)
class Snapshot:
    """What a snapshot holds. Points by series and (statistic, period): [(epoch second, value)], oldest first."""

    taken: datetime  # as of when it was gathered: the end of the run's last look
    account: str
    region: str
    events: dict[str, list[Json]] = field(default_factory=dict)  # by region, newest first
    points: dict[Series, dict[tuple[str, int], list[tuple[int, float]]]] = field(default_factory=dict)
    lines: dict[tuple[str, str], list[Json]] = field(
        default_factory=dict
    )  # by region and group, oldest first
    alarms: dict[str, list[Json]] = field(default_factory=dict)
    items: dict[str, list[Json]] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    def covers(self, what: str, key: tuple[Any, ...], start: datetime, end: datetime) -> bool:
        return any(span.what == what and span.key == key and span.holds(start, end) for span in self.spans)

    def sort(self) -> None:
        for events in self.events.values():
            events.sort(key=lambda item: (item["EventTime"], item["EventId"]), reverse=True)
        for lines in self.lines.values():
            lines.sort(key=lambda line: (line["timestamp"], line["eventId"]))
        for items in self.items.values():
            items.sort(key=lambda item: (item["Timestamp"], canonical(item)))
        for alarms in self.alarms.values():
            alarms.sort(key=lambda alarm: str(alarm["AlarmName"]))


def rows(snapshot: Snapshot) -> Iterator[Json]:
    """The lines of the file, in an order that depends on nothing but what is in them."""
    yield {
        "kind": "header",
        "format": FORMAT,
        "taken": snapshot.taken,
        "account": snapshot.account,
        "region": snapshot.region,
    }
    for region, events in sorted(snapshot.events.items()):
        for event in events:
            yield {"kind": "event", "region": region, "event": event}
    for series, held in sorted(snapshot.points.items()):
        region, namespace, name, dimensions = series
        for (stat, period), points in sorted(held.items()):
            yield {
                "kind": "points",
                "region": region,
                "namespace": namespace,
                "name": name,
                "dimensions": dict(dimensions),
                "stat": stat,
                "period": period,
            }
            yield {"kind": VALUES, "points": [list(point) for point in points]}
    for (region, group), lines in sorted(snapshot.lines.items()):
        for line in lines:
            yield {"kind": "line", "region": region, "group": group, "line": line}
    for kind, table in (("alarm", snapshot.alarms), ("item", snapshot.items)):
        for region, held_items in sorted(table.items()):
            for item in held_items:
                yield {"kind": kind, "region": region, kind: item}
    for span in sorted(
        snapshot.spans, key=lambda one: (one.what, canonical(list(one.key)), one.start, one.end)
    ):
        yield {"kind": "span", "what": span.what, "key": span.key, "start": span.start, "end": span.end}
    yield {"kind": "end"}


def matches(event: Json, key: str, value: str) -> bool:
    """Whether an item of LookupEvents has this attribute."""
    if key in ("ResourceName", "ResourceType"):
        return any(resource.get(key) == value for resource in event.get("Resources") or [])
    return str(event.get(key, "")) == value


def packed(lines: Iterable[str]) -> bytes:
    """Lines as the bytes of the file; equal lines give equal bytes."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def read(path: Path) -> Snapshot:
    """The snapshot at `path`. Raises BadRecording with a sentence that says what is wrong."""
    try:
        held = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    except FileNotFoundError as error:
        raise BadRecording(f"There is no snapshot at {path}. {_AGAIN}") from error
    except (OSError, EOFError, ValueError) as error:
        raise BadRecording(f"{path} cannot be read as a snapshot: {error}. {_AGAIN}") from error
    if not held or held[0].get("kind") != "header" or held[0].get("format") != FORMAT:
        raise BadRecording(f"{path} is not a snapshot that this opsleuth reads. {_AGAIN}")
    if held[-1] != {"kind": "end"}:
        raise BadRecording(f"{path} is cut short: its last line is missing. {_AGAIN}")
    try:
        return _loaded(held)
    except (KeyError, TypeError, ValueError) as error:
        raise BadRecording(f"{path} is damaged: a line lacks or misstates {error}. {_AGAIN}") from error


def _loaded(held: list[Json]) -> Snapshot:
    head = held[0]
    made = Snapshot(taken=_time(head["taken"]), account=str(head["account"]), region=str(head["region"]))
    into: list[tuple[int, float]] = []
    for row in held[1:-1]:
        kind = row["kind"]
        if kind == "event":
            made.events.setdefault(row["region"], []).append(_timed(row["event"], "EventTime", "Hidden"))
        elif kind == "points":
            series = (row["region"], row["namespace"], row["name"], tuple(sorted(row["dimensions"].items())))
            into = made.points.setdefault(series, {}).setdefault((row["stat"], int(row["period"])), [])
        elif kind == VALUES:
            into += [(int(second), float(value)) for second, value in row["points"]]
        elif kind == "line":
            made.lines.setdefault((row["region"], row["group"]), []).append(row["line"])
        elif kind == "alarm":
            names = [name for name in row["alarm"] if name.endswith("Timestamp")]
            made.alarms.setdefault(row["region"], []).append(_timed(row["alarm"], *names))
        elif kind == "item":
            made.items.setdefault(row["region"], []).append(_timed(row["item"], "Timestamp"))
        elif kind == "span":
            span = Span(
                what=row["what"], key=tuple(row["key"]), start=_time(row["start"]), end=_time(row["end"])
            )
            made.spans.append(span)
        else:
            raise ValueError(f"kind {kind}")
    made.sort()
    return made


def _timed(item: Mapping[str, Any], *names: str) -> Json:
    return {name: _time(value) if name in names and value else value for name, value in item.items()}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
