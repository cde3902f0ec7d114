"""PetShop's files as loads and dependencies: one scenario is a graph, a normal time and incidents.

Source: amazon-science/petshop-root-cause-analysis, data CC-BY-4.0. `metrics.csv` has three header rows (node, metric,
statistic) and epoch seconds in the first column; `graph.csv` is an adjacency matrix, row = caller. The cause is read
for scoring alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graph.weighing.contribution import Load
from tools.errors import BadInput

METRICS = ("latency", "availability")
SPLITS = ("train", "test")

Column = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A `metrics.csv`: the moments, in order, and by column a value, or None, for each."""

    moments: tuple[int, ...]
    columns: Mapping[Column, tuple[float | None, ...]]

    def cut(self, start: int, end: int) -> Table:
        """The rows from `start` to before `end`, by their place."""
        return Table(
            moments=self.moments[start:end],
            columns={name: values[start:end] for name, values in self.columns.items()},
        )

    def loads(self, metric: str, statistic: str) -> dict[str, Load]:
        """By node: requests, and seconds per request or the share that failed."""
        found = {}
        for (node, name, how), values in self.columns.items():
            requests = self.columns.get((node, "requests", "Sum"))
            if (name, how) != (metric, statistic) or requests is None:
                continue
            harm = values if metric == "latency" else [None if v is None else (100 - v) / 100 for v in values]
            found[node] = Load(requests=requests, harm=tuple(harm))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the alarm is about."""

    node: str
    metric: str
    statistic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident; `cause` is the truth, for scoring."""

    name: str
    split: str
    target: Target
    table: Table
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    depends_on: Mapping[str, Sequence[str]]
    normal: Table
    incidents: tuple[Incident, ...]


def load(path: Path) -> tuple[Scenario, ...]:
    """Every scenario under `path`, or the one that it is. Raises BadInput with what to do."""
    folders = (
        [path] if (path / "graph.csv").is_file() else sorted(at.parent for at in path.glob("*/graph.csv"))
    )
    if not folders:
        raise BadInput(
            f"No PetShop scenario is in {path}: a scenario is a folder with graph.csv, noissue, train and test."
        )
    return tuple(_scenario(folder) for folder in folders)


def _scenario(folder: Path) -> Scenario:
    incidents = [
        _incident(issue, split)
        for split in SPLITS
        for issue in sorted((folder / split).glob("issue_*"), key=lambda at: (len(at.name), at.name))
    ]
    if not incidents:
        raise BadInput(f"{folder} holds no incident: train/issue_0/metrics.csv and target.json, and so on.")
    return Scenario(
        name=folder.name,
        depends_on=_graph(folder / "graph.csv"),
        normal=_table(folder / "noissue" / "metrics.csv"),
        incidents=tuple(incidents),
    )


def _incident(folder: Path, split: str) -> Incident:
    try:
        told = json.loads((folder / "target.json").read_text(encoding="utf-8"))
        target, cause = told["target"], told["root_cause"]["node"]
        made = Target(node=target["node"], metric=target["metric"], statistic=target["agg"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder / 'target.json'} does not tell its target and cause: {error!r}") from error
    return Incident(
        name=folder.name, split=split, target=made, table=_table(folder / "metrics.csv"), cause=str(cause)
    )


def _graph(path: Path) -> dict[str, tuple[str, ...]]:
    header, *rows = _rows(path)
    return {
        row[0]: tuple(name for name, value in zip(header[1:], row[1:], strict=True) if float(value or 0))
        for row in rows
    }


def _table(path: Path) -> Table:
    rows = _rows(path)
    columns = list(zip(*(row[1:] for row in rows[:3]), strict=True))
    body = sorted((row for row in rows[3:] if _is_number(row[0])), key=lambda row: float(row[0]))
    if len(rows) < 4 or not body:
        raise BadInput(f"{path} holds no row of metrics under its three header rows.")
    return Table(
        moments=tuple(int(float(row[0])) for row in body),
        columns={
            (name[0], name[1], name[2]): tuple(float(row[at]) if row[at] else None for row in body)
            for at, name in enumerate(columns, start=1)
        },
    )


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
