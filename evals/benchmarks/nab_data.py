"""NAB's files as metric series with labelled windows.

Source: numenta/NAB, MIT. `data/<group>/<name>.csv` holds `timestamp,value`; `labels/combined_windows.json` gives for
each such file the windows `[start, end]` in which an anomaly counts as found, `labels/combined_labels.json`, if there,
the labelled moments behind them. Labels are read for scoring alone.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tools.errors import BadInput
from tools.models import Metric, Series, Window

_WINDOWS = "combined_windows.json"
_LABELS = "combined_labels.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One file. Windows are rows, both ends included, in order; `labels` the labelled rows."""

    name: str  # group/name.csv
    series: Series
    windows: tuple[tuple[int, int], ...]
    labels: tuple[int, ...] = ()

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


def load(path: Path) -> tuple[Labelled, ...]:
    """Every labelled file under `path`, by name. Raises BadInput with what to do."""
    labels = path / "labels"
    if not (labels / _WINDOWS).is_file() or not (path / "data").is_dir():
        raise BadInput(
            f"{path} is no copy of NAB (github.com/numenta/NAB): "
            f"it needs data/<group>/<name>.csv and labels/{_WINDOWS}."
        )
    windows = _told(labels / _WINDOWS)
    points = _told(labels / _LABELS) if (labels / _LABELS).is_file() else {}
    names = sorted(name for name in windows if (path / "data" / name).is_file())
    if not names:
        raise BadInput(f"None of the {len(windows)} files in {labels / _WINDOWS} is under {path / 'data'}.")
    return tuple(_labelled(path / "data" / name, name, windows[name], points.get(name, [])) for name in names)


def _labelled(path: Path, name: str, windows: object, labels: object) -> Labelled:
    points = _points(path)
    rows: dict[datetime, int] = {}
    for row, (moment, _) in enumerate(points):
        rows.setdefault(moment, row)  # a moment that comes twice is where it came first
    try:
        pairs = [_listed(pair) for pair in _listed(windows)]
        spans = sorted((rows[_moment(pair[0])], rows[_moment(pair[1])]) for pair in pairs)
        marks = sorted({_nearest(rows, _moment(one)) for one in _listed(labels)})
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise BadInput(f"The labels of {name} name a moment that is none of its rows: {error}.") from error
    if any(one[1] >= other[0] for one, other in pairwise(spans)) or any(last < at for at, last in spans):
        raise BadInput(f"The windows of {name} overlap or end before they begin.")
    return Labelled(name=name, series=_series(name, points), windows=tuple(spans), labels=tuple(marks))


def _nearest(rows: Mapping[datetime, int], moment: datetime) -> int:
    """Labels are people's; unlike windows they need not be rows."""
    return rows[min(rows, key=lambda one: abs(one - moment))]


def _series(name: str, points: list[tuple[datetime, float]]) -> Series:
    steps = sorted(int((b - a).total_seconds()) for (a, _), (b, _) in pairwise(points))
    period = max(1, steps[len(steps) // 2]) if steps else 60
    metric = Metric(namespace="NAB", name=name, dimensions=(), stat="Average", period=period)
    first, last = min(points)[0], max(points)[0]
    return Series(metric=metric, window=Window(start=first, end=last), points=tuple(points))


def _points(path: Path) -> list[tuple[datetime, float]]:
    found = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if number > 1 and row:
                    found.append((_moment(row[0]), float(row[1])))
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise BadInput(f"{path} is not a table of timestamp and value: {error}.") from error
    if len(found) < 2 or not all(math.isfinite(value) for _, value in found):
        raise BadInput(f"{path} holds fewer than two rows, or a value that is no number.")
    return found


def _moment(text: str) -> datetime:
    """NAB's times name no zone; they are taken as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _listed(told: object) -> list[Any]:
    if not isinstance(told, list):
        raise TypeError(f"{told!r} is no list")
    return told


def _told(path: Path) -> Mapping[str, object]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
    if not isinstance(told, dict):
        raise BadInput(f"{path} does not map files to their windows.")
    return told
