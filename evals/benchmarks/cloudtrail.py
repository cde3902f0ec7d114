"""How well real CloudTrail records are understood: parsed, told as read or change, ascribed to an actor.

Takes any folder of records: `*.json`, `*.jsonl`, each also as `.gz`. A file may hold one record, a list,
CloudTrail's own `{"Records": [...]}`, an answer of LookupEvents, or one record a line; a record may be
wrapped as `event` or `detail`.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evals.benchmarks import BenchResult
from tools.cloudtrail import EPOCH, is_mutating, is_noise, parse
from tools.cloudtrail_events import unwrap
from tools.cloudtrail_fields import named_read_only, pick, truth
from tools.errors import BadInput
from tools.models import ChangeEvent, Json

_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_SHOWN = 12


@dataclass(slots=True)
class _Count:
    """What one file, or all of them, came to."""

    records: int = 0
    empty: int = 0  # rows without a CloudTrail record: null, or another kind of event
    raised: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    means: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    failed: int = 0
    failed_changes: int = 0
    noise: int = 0
    suffixed: int = 0
    no_time: int = 0
    no_identity: int = 0  # records without userIdentity: nobody can be named
    unknown: Counter[str] = field(default_factory=Counter)  # actors not told although there is an identity
    no_means: Counter[str] = field(default_factory=Counter)  # means not told although there is a user agent
    judged: int = 0  # records with a readOnly field
    agreed: int = 0  # of those, judged the same by the event's name alone
    wrong: Counter[str] = field(default_factory=Counter)


def run(path: Path) -> BenchResult:
    """Measure all records under `path`. Raises BadInput with what to do when there are none."""
    counts = {
        str(file.relative_to(path) if file != path else file.name): _count(file) for file in files(path)
    }
    total = _sum(counts.values())
    if not total.records:
        raise BadInput(f"No CloudTrail record was found in {path}. Files end in {', '.join(_ENDINGS)}.")
    return BenchResult(
        name="cloudtrail", figures=_figures(total, counts), text=_text(total, counts), ok=not total.raised
    )


def records(path: Path) -> Iterator[Json]:
    """Every CloudTrail record under `path`. Raises BadInput for a path or file that cannot be read."""
    for file in files(path):
        for row in _rows(file):
            if (record := _record(row)) is not None:
                yield record


def files(path: Path) -> list[Path]:
    """Files of records under `path`, in order. Raises BadInput when there is no such path."""
    if not path.exists():
        raise BadInput(f"{path} does not exist. Give a file or folder of CloudTrail records: --data PATH")
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name.endswith(_ENDINGS))


def _count(file: Path) -> _Count:
    count = _Count()
    for row in _rows(file):
        record = _record(row)
        if record is None:
            count.empty += 1
            continue
        count.records += 1
        try:
            event = parse(record)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            count.raised.append(f"{file.name}: {type(error).__name__}: {error}")
            continue
        _add(count, event, unwrap(record))
    return count


def _add(count: _Count, event: ChangeEvent, body: Json) -> None:
    mutating = is_mutating(body)
    count.kinds[event.actor.kind] += 1
    count.means[event.actor.how] += 1
    count.changes += mutating
    count.failed += bool(event.error_code)
    count.failed_changes += bool(event.error_code) and mutating
    count.noise += mutating and not event.error_code and is_noise(event)
    count.suffixed += event.operation != event.action
    count.no_time += event.time == EPOCH
    label = f"{event.source or '?'} {event.action or '?'}"
    if not pick(body, "userIdentity"):
        count.no_identity += 1
    elif event.actor.kind == "unknown":
        count.unknown[label] += 1
    if event.actor.how == "unknown" and event.actor.user_agent:
        count.no_means[label] += 1
    said = truth(pick(body, "readOnly"))
    if said is not None:
        count.judged += 1
        same = named_read_only(event.action) == said
        count.agreed += same
        if not same:
            count.wrong[f"{event.action} (readOnly {str(said).lower()})"] += 1


def _rows(file: Path) -> Iterator[object]:
    """The rows of a file: the lines of JSON lines, the items of a list, else the one document."""
    raw = file.read_bytes()
    try:
        whole = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    try:
        document = json.loads(whole)
    except ValueError:
        try:
            yield from (json.loads(line) for line in whole.splitlines() if line.strip())
        except ValueError as error:
            raise BadInput(f"{file} is neither JSON nor JSON lines: {error}") from error
        return
    inside = document
    if isinstance(document, dict):
        inside = next(
            (document[key] for key in ("Records", "Events") if isinstance(document.get(key), list)), document
        )
    yield from inside if isinstance(inside, list) else [inside]


def _record(row: object) -> Json | None:
    """The CloudTrail record of a row, or None when the row holds none."""
    if isinstance(row, dict) and "event" in row and "eventName" not in row:
        row = row["event"]
    if not isinstance(row, dict):
        return None
    body = unwrap(row)
    told = (pick(body, key) for key in ("eventName", "eventSource", "eventType", "userIdentity"))
    return row if any(told) else None


def _sum(counts: Iterable[_Count]) -> _Count:
    total = _Count()
    for count in counts:
        for name in _Count.__dataclass_fields__:
            setattr(total, name, getattr(total, name) + getattr(count, name))
    return total


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _figures(total: _Count, counts: Mapping[str, _Count]) -> dict[str, object]:
    parsed = total.records - len(total.raised)
    return {
        "files": len(counts),
        "records": total.records,
        "rows_without_record": total.empty,
        "parsed": parsed,
        "raised": total.raised[:_SHOWN],
        "actors": dict(sorted(total.kinds.items())),
        "means": dict(sorted(total.means.items())),
        "without_identity": total.no_identity,
        "unknown_actors_with_identity": sum(total.unknown.values()),
        "unknown_means_with_agent": sum(total.no_means.values()),
        "changes": total.changes,
        "failed": total.failed,
        "failed_changes": total.failed_changes,
        "noise": total.noise,
        "dated_names": total.suffixed,
        "without_time": total.no_time,
        "read_or_change_judged": total.judged,
        "read_or_change_by_name_agrees": _share(total.agreed, total.judged),
        "by_file": {
            name: {
                "records": count.records,
                "changes": count.changes,
                "failed": count.failed,
                "judged": count.judged,
                "agrees": _share(count.agreed, count.judged),
            }
            for name, count in counts.items()
            if count.records > 1
        },
    }


def _text(total: _Count, counts: Mapping[str, _Count]) -> str:
    parsed = total.records - len(total.raised)
    lines = [
        f"cloudtrail: {total.records} records in {len(counts)} files, {parsed} parsed,"
        f" {len(total.raised)} raised",
        f"  rows without a CloudTrail record {total.empty} · without a readable time {total.no_time}"
        f" · event names with an API date {total.suffixed}",
        f"  changes {total.changes} (housekeeping {total.noise}) · failed {total.failed}, of them changes"
        f" {total.failed_changes}",
        "",
        _table("actor", total.kinds, total.records),
        "",
        _table("means", total.means, total.records),
        "",
        f"  actor not told: {total.no_identity} records hold no identity,"
        f" {sum(total.unknown.values())} hold one that is not understood",
        f"  means not told although a user agent is there: {sum(total.no_means.values())}",
        f"  read or change by the name alone: {total.agreed} of {total.judged} as `readOnly` says"
        f" ({100 * _share(total.agreed, total.judged):.2f} %)",
    ]
    lines += [
        f"    {name}: {count.agreed} of {count.judged}"
        for name, count in counts.items()
        if count.judged and count.records > 1
    ]
    for title, items in (("not as readOnly says", total.wrong), ("identity not understood", total.unknown)):
        lines += [f"  {title}: {label} x{times}" for label, times in items.most_common(_SHOWN)]
    lines += [f"  raised: {line}" for line in total.raised[:_SHOWN]]
    return "\n".join(lines)


def _table(title: str, counter: Counter[str], whole: int) -> str:
    rows = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(
        f"  {title:6} {name:22} {times:6} {100 * _share(times, whole):6.1f} %" for name, times in rows
    )
