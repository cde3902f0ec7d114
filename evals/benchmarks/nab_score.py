"""NAB's scoring rules, standard profile: what a set of detected rows is worth. Pure.

Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015; the details are those of numenta/NAB's own
scorer, whose published scores of single files this reproduces.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FALSE_ALARM = 0.11  # the standard profile: found and missed count 1, a false alarm this
_PROBATION = 0.15
_PROBATION_ROWS = 5_000

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What one file came to. `value` is between minus and plus `windows`, less the false alarms."""

    value: float
    windows: int
    found: int
    false: int  # detected rows outside of windows
    rows: int  # rows that were scored


def probation(rows: int) -> int:
    """How many rows at the beginning of a file are not scored."""
    return int(min(math.floor(_PROBATION * rows), _PROBATION * _PROBATION_ROWS))


def scored(rows: int, windows: Sequence[Span], detected: Iterable[int]) -> Scored:
    """The score of one file of `rows` rows whose windows, in order, hold their first and last row."""
    begin = probation(rows)
    best = {span: -1.0 for span in windows if span[1] >= begin}
    charged = []
    for row in sorted(set(detected)):
        if row < begin:
            continue
        span, before = _place(row, windows)
        if span is not None:
            best[span] = max(best[span], worth(row, span))
        else:
            charged.append(FALSE_ALARM * _charge(row, before))
    found = sum(value > -1.0 for value in best.values())
    value = math.fsum([*best.values(), *charged])
    return Scored(value=value, windows=len(best), found=found, false=len(charged), rows=rows - begin)


def total(files: Iterable[Scored]) -> float | None:
    """The score of all files: 100 when each window is found in its first row and nothing else, 0 for silence.

    None when there is no window.
    """
    every = list(files)
    windows = sum(one.windows for one in every)
    if not windows:
        return None
    return 100 * (math.fsum(one.value for one in every) + windows) / (2 * windows)


def worth(row: int, span: Span) -> float:
    """What a detection inside a window is worth: 1 in its first row, towards 0 in its last."""
    first, last = span
    return _sigmoid(-(last - row + 1) / (last - first + 1)) / _sigmoid(-1.0)


def _charge(row: int, before: Span | None) -> float:
    """What a detection outside of windows costs, before the profile's weight: little shortly after a window."""
    if before is None:
        return -1.0
    width = before[1] - before[0]
    return _sigmoid((row - before[1]) / width) if width else -1.0


def _place(row: int, windows: Sequence[Span]) -> tuple[Span | None, Span | None]:
    """The window that holds the row, or the last one that ended before it."""
    before = None
    for span in windows:
        if span[0] <= row <= span[1]:
            return span, None
        if span[1] < row:
            before = span
    return None, before


def _sigmoid(place: float) -> float:
    return -1.0 if place > 3 else 2 / (1 + math.exp(5 * place)) - 1
