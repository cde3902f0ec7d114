"""Log grouping accuracy, as loghub measures it: the share of lines whose group holds exactly the lines of one template.

Each line's text goes through `tools.patterns.Miner`, which the graph mines with, in its one configuration. Beside it,
in the same run: drain3 as it comes, and drain3 with four generic masks. Published means are of loghub's 16 systems.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from drain3.drain import Drain

from evals.benchmarks import BenchResult
from tools.errors import BadInput
from tools.log_lines import LogLine
from tools.patterns import Miner
from tools.templates import LIMITS

_SUFFIX = ".log_structured.csv"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<ip>"),
        (r"(?<![\w.])/[\w./-]+", "<path>"),
        (r"\b(?:0x[0-9a-fA-F]+|(?=[0-9a-fA-F-]*\d)[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]+)*)\b", "<id>"),
        (r"(?<![A-Za-z0-9])[-+]?\d+(?:\.\d+)?(?![A-Za-z0-9])", "<n>"),
    )
)
ANCHORS = (
    ("drain3", 0.703),
    ("drain3 with four generic masks", 0.769),
    ("Drain, tuned for each system", 0.865),
)
"""Published means over loghub's 16 systems of 2,000 lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The lines of one system, and for each the template that it is of."""

    name: str
    texts: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one system came to."""

    name: str
    lines: int
    templates: int
    found: int  # groups that opsleuth made
    ours: float
    plain: float
    masked: float


def run(path: Path) -> BenchResult:
    """Measure every system under `path`. Raises BadInput when there is none, or a file that cannot be read."""
    rows = [measure(system) for system in load(path)]
    means = {key: _mean([getattr(row, key) for row in rows]) for key in ("ours", "plain", "masked")}
    figures: dict[str, object] = {
        "systems": {row.name: {**asdict(row), "name": row.name} for row in rows},
        "lines": sum(row.lines for row in rows),
        "mean": means,
        "anchors": dict(ANCHORS),
        "configuration": asdict(LIMITS),
    }
    return BenchResult(name="grouping", figures=figures, text=_text(path, rows, means))


def load(path: Path) -> list[System]:
    """The systems under a folder in loghub's form, or of one file: NAME_2k.log_structured.csv."""
    if not path.exists():
        raise BadInput(f"There is nothing at {path}.")
    files = [path] if path.is_file() else sorted(path.rglob(f"*{_SUFFIX}"))
    if not files:
        raise BadInput(f"{path} holds no file of the form <System>/<System>_2k{_SUFFIX}.")
    systems = [_system(file) for file in files]
    names = [system.name for system in systems]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"{path} holds more than one file of {', '.join(twice)}.")
    return systems


def _system(file: Path) -> System:
    texts, events = [], []
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as opened:
            rows = csv.DictReader(opened)
            missing = {"Content", "EventId"} - set(rows.fieldnames or ())
            if missing:
                raise BadInput(f"{file} has no column {' and no column '.join(sorted(missing))}.")
            for row in rows:
                if row["Content"] is None or not row["EventId"]:
                    raise BadInput(f"{file}, line {rows.line_num}: Content or EventId is missing.")
                texts.append(row["Content"])
                events.append(row["EventId"])
    except (OSError, csv.Error) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    if not texts:
        raise BadInput(f"{file} holds no line.")
    name = file.name.removesuffix(_SUFFIX).removesuffix("_2k")
    return System(name=name, texts=tuple(texts), events=tuple(events))


def measure(system: System) -> Row:
    """Ours and the two baselines on one system."""
    ours = mined(system.texts)

    def accuracy(groups: Sequence[Hashable]) -> float:
        return grouping_accuracy(groups, system.events)

    return Row(
        name=system.name,
        lines=len(system.texts),
        templates=len(set(system.events)),
        found=len(set(ours)),
        ours=accuracy(ours),
        plain=accuracy(_drained(system.texts, lambda text: text)),
        masked=accuracy(_drained(system.texts, _generic)),
    )


def mined(texts: Iterable[str]) -> list[int]:
    """The number of each line's pattern, by the graph's own miner."""
    miner = Miner(_NOW)
    seen = [miner.add(LogLine(_NOW, text)) for text in texts]
    numbers = {id(one): number for number, one in enumerate(miner.patterns())}
    return [numbers[id(one.whole)] for one in seen]


def grouping_accuracy(groups: Sequence[Hashable], events: Sequence[Hashable]) -> float:
    """The share of lines whose group is, as a set of lines, the same as the group of their event."""
    sets: list[dict[Hashable, list[int]]] = []
    for labels in (groups, events):
        members: dict[Hashable, list[int]] = defaultdict(list)
        for place, label in enumerate(labels):
            members[label].append(place)
        sets.append(members)
    true = {tuple(members) for members in sets[1].values()}
    return sum(len(members) for members in sets[0].values() if tuple(members) in true) / len(groups)


def _drained(texts: Iterable[str], masked: Callable[[str], str]) -> list[int]:
    tree = Drain()
    return [tree.add_log_message(masked(text))[0].cluster_id for text in texts]


def _generic(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)


def _text(path: Path, rows: Sequence[Row], means: dict[str, float]) -> str:
    limits = ", ".join(f"{name} {value}" for name, value in asdict(LIMITS).items())
    lines = [
        f"Log grouping ({path}): {len(rows)} systems, {sum(row.lines for row in rows)} lines; "
        f"opsleuth {version('opsleuth')}, {datetime.now(UTC):%Y-%m-%d}",
        f"one configuration for all; words that make a variable: {limits}",
        f"drain3-improved {version('drain3-improved')}: depth 4, similarity 0.4; masks: addresses, paths, ids, numbers",
        "",
        f"{'grouping accuracy':<24}{'lines':>7}{'templates':>11}{'found':>7}{'opsleuth':>10}{'drain3':>8}{'masked':>8}",
    ]
    lines += [
        f"{row.name:<24}{row.lines:>7}{row.templates:>11}{row.found:>7}{row.ours:>10.3f}{row.plain:>8.3f}{row.masked:>8.3f}"
        for row in rows
    ]
    lines.append(f"{'mean':<49}{means['ours']:>10.3f}{means['plain']:>8.3f}{means['masked']:>8.3f}")
    lines += [
        "",
        "published means of loghub's 16 systems: " + ", ".join(f"{name} {value}" for name, value in ANCHORS),
    ]
    if len(rows) != 16:
        lines.append(f"not comparable with them as a mean: {len(rows)} systems here")
    return "\n".join(lines) + "\n"
