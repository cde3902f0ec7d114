"""Looking back: how near `tools.onset` and `tools.unusual` come to labelled moments, and what they say where none is.

`onset` is asked as an investigation asks it: with points before, about a window in which something is suspected, not
knowing the direction.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from evals.benchmarks.nab_data import Labelled
from evals.benchmarks.nab_score import Span, probation
from tools.models import Window
from tools.onset import onset
from tools.unusual import struck

_QUIET = 4  # stretches without a label that are looked at in each file


Asked = Callable[[Labelled, Span], int | None]  # the row at which it began, if it did


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One question. Distances in rows; None when nothing was found, or there is no label."""

    name: str
    answered: bool
    within: bool = False  # the answer lies in the labelled window
    from_start: int | None = None  # |row told - first row of the window|
    from_label: int | None = None  # |row told - the nearest labelled moment of the window|


def look_back(files: Iterable[Labelled], asked: Asked) -> list[Look]:
    """One look at each labelled window, with as many rows before it as it has itself."""
    return [_labelled(one, place, asked) for one in files for place in range(len(one.windows))]


def look_at_quiet(files: Iterable[Labelled], asked: Asked) -> list[Look]:
    """Looks at stretches as wide as a window which no labelled window touches, nor what is before them."""
    return [
        Look(name=one.name, answered=asked(one, span) is not None) for one in files for span in quiet(one)
    ]


def by_onset(before: timedelta) -> Asked:
    """The row in the middle of what `tools.onset.onset` tells, with so much of the series before the stretch."""

    def asked(file: Labelled, span: Span) -> int | None:
        points = file.series.points
        start = points[span[0]][0]
        end = points[span[1]][0] + timedelta(seconds=file.series.metric.period)
        near = tuple(sorted({at: value for at, value in points if start - before <= at < end}.items()))
        series = replace(file.series, points=near, window=Window(start=min(near[0][0], start), end=end))
        found = onset(series, Window(start=start, end=end), bad="", missing="unknown")
        if found is None:
            return None
        moments = [moment for moment, _ in points]
        middle = found.earliest + (found.latest - found.earliest) / 2
        return min(max(0, bisect_right(moments, middle) - 1), len(moments) - 1)

    return asked


def by_rarity(scores: Mapping[str, Sequence[float]]) -> Asked:
    """Where the most unusual of the stretch began, by the scores of each file."""
    return lambda file, span: struck(scores[file.name], *span)


def quiet(file: Labelled) -> list[Span]:
    """Up to 4 stretches of one file, spread over it, that touch no window: its widest, or a tenth of the file."""
    rows = len(file.series.points)
    width = max((last - first + 1 for first, last in file.windows), default=rows // 10)
    begin, found = probation(rows), []
    while begin + 2 * width <= rows:
        end = begin + 2 * width
        hit = [last for first, last in file.windows if first < end and last >= begin]
        if hit:
            begin = max(hit) + 1
            continue
        found.append((begin + width, end - 1))
        begin = end
    step = max(1, -(-len(found) // _QUIET))
    return found[::step]


def shares(values: Sequence[int]) -> tuple[float, float] | None:
    """Median and 90 % point, or None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return statistics.median(ordered), float(ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))])


def _labelled(file: Labelled, place: int, asked: Asked) -> Look:
    first, last = file.windows[place]
    before = file.windows[place - 1][1] + 1 if place else 0
    row = asked(file, (max(before, 2 * first - last), last))
    if row is None:
        return Look(name=file.name, answered=False)
    marks = [abs(row - mark) for mark in file.labels if first <= mark <= last]
    return Look(
        name=file.name,
        answered=True,
        within=first <= row <= last,
        from_start=abs(row - first),
        from_label=min(marks, default=None),
    )
