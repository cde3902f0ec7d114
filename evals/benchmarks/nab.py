"""NAB: how unusual `tools.unusual` finds each row by the past alone, and when `tools.onset` says that it began.

NAB's scoring rules, standard profile. The limit is fixed in `tools.unusual`; it was chosen on every other one of the 39
series that do not come from AWS monitoring, sorted by name, beginning with the first. The same choice is made anew on
the data at hand and shown beside it. Baselines choose their limits in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from evals.benchmarks import BenchResult
from evals.benchmarks.nab_baselines import DAY, certain, rolling_mad, windowed_gaussian
from evals.benchmarks.nab_data import Labelled, load
from evals.benchmarks.nab_onset import Asked, Look, by_onset, by_rarity, look_at_quiet, look_back, shares
from evals.benchmarks.nab_score import Scored, probation, scored, total
from tools.unusual import LIMIT, REST, alarms, unusual

_LIMITS = tuple(LIMIT + 0.25 * step for step in range(-6, 7))
_DEVIATIONS = (3.0, 5.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0, 50.0)
_ANCHORS = (  # published scores of single files, summed over the 39; thresholds were tuned on all 58
    ("ARTime", "77.3", "·"),
    ("CAD OSE", "69.2", "·"),
    ("Numenta HTM", "69.0", "73.4"),
    ("HTM Java", "65.5", "·"),
    ("earthgecko Skyline", "58.5", "·"),
    ("KNN CAD", "56.9", "·"),
    ("Relative Entropy", "55.1", "·"),
    ("Twitter ADVec", "48.8", "·"),
    ("Random Cut Forest (AWS)", "48.1", "57.6"),
    ("Windowed Gaussian", "41.7", "·"),
    ("Bayesian changepoint", "14.3", "·"),
)

Looks = Mapping[str, tuple[Sequence[Look], Sequence[Look]]]  # at windows, at stretches without a label
Halves = tuple[str, Callable[[int], bool]]
_GROUPS: tuple[Halves, ...] = (
    ("first half", lambda place: place % 2 == 0),
    ("second half", lambda place: place % 2 == 1),
    ("all", lambda _place: True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What some files came to. `per_1000`: false alarms per 1,000 points that were scored."""

    score: float | None
    windows: int
    found: int
    false: int
    per_1000: float


@dataclass(frozen=True, slots=True)
class Row:
    """A detector: what each file came to."""

    name: str
    files: tuple[Scored, ...]

    def of(self, belongs: Callable[[int], bool]) -> list[Scored]:
        return [one for place, one in enumerate(self.files) if belongs(place)]


def run(path: Path) -> BenchResult:
    """Measure the series under `path`. Raises BadInput when there is none."""
    files = load(path)
    scores = [[point.score for point in unusual(one.series)] for one in files]
    values = [[value for _, value in one.series.points] for one in files]
    ours = Row("opsleuth, past only", measure(files, scores, LIMIT, REST))
    curve = {limit: measure(files, scores, limit, REST) for limit in _LIMITS}
    deviations = [rolling_mad(one) for one in values]
    by_limit = {limit: measure(files, deviations, limit, DAY) for limit in _DEVIATIONS}
    limit = chosen(by_limit)
    rows = (
        ours,
        Row("silence", tuple(_scored(one, ()) for one in files)),
        Row(f"rolling MAD > {limit:g}, one alarm in {DAY}", by_limit[limit]),
        Row(
            "windowed Gaussian, as published",
            tuple(
                _scored(one, certain(windowed_gaussian(held)))
                for one, held in zip(files, values, strict=True)
            ),
        ),
    )
    held = {one.name: score for one, score in zip(files, scores, strict=True)}
    ways: tuple[tuple[str, Asked], ...] = (
        ("tools.unusual, struck", by_rarity(held)),
        ("tools.onset, 3 days before", by_onset(timedelta(days=3))),
        ("tools.onset, 14 days before", by_onset(timedelta(days=14))),
    )
    looks = {name: (look_back(files, asked), look_at_quiet(files, asked)) for name, asked in ways}
    return BenchResult(
        name="nab",
        figures=_figures(files, rows, curve, looks),
        text=_text(path, files, rows, curve, looks),
    )


def measure(
    files: Sequence[Labelled], scores: Sequence[Sequence[float]], limit: float, rest: int
) -> tuple[Scored, ...]:
    """What alarms at a limit, one for each episode, come to in each file. Probation does not alarm."""
    return tuple(
        _scored(one, alarms(held, limit, rest, probation(len(held))))
        for one, held in zip(files, scores, strict=True)
    )


def chosen(curve: Mapping[float, Sequence[Scored]]) -> float:
    """The limit whose score on the first half, with its neighbours' on either side, is best on average."""
    limits = sorted(curve)
    first = [total(curve[limit][::2]) or 0.0 for limit in limits]
    near = [first[max(0, n - 1) : n + 2] for n in range(len(limits))]
    means = [sum(part) / len(part) for part in near]
    return limits[means.index(max(means))]


def _scored(file: Labelled, detected: Sequence[int]) -> Scored:
    return scored(len(file.series.points), file.windows, detected)


def _told(files: Sequence[Scored]) -> Told:
    value, rows = total(files), sum(one.rows for one in files)
    false = sum(one.false for one in files)
    return Told(
        score=None if value is None else round(value, 2),
        windows=sum(one.windows for one in files),
        found=sum(one.found for one in files),
        false=false,
        per_1000=round(1000 * false / rows, 3) if rows else 0.0,
    )


def _figures(
    files: Sequence[Labelled],
    rows: Sequence[Row],
    curve: Mapping[float, Sequence[Scored]],
    looks: Looks,
) -> dict[str, object]:
    detectors = {
        row.name: {name: asdict(_told(row.of(belongs))) for name, belongs in _GROUPS} for row in rows
    }
    return {
        "series": len(files),
        "points": sum(len(one.series.points) for one in files),
        "limit": LIMIT,
        "limit_chosen_here": chosen(curve),
        "detectors": detectors,
        "files": {one.name: round(got.value, 4) for one, got in zip(files, rows[0].files, strict=True)},
        "looking_back": {name: _looked(back, calm) for name, (back, calm) in looks.items()},
    }


def _looked(back: Sequence[Look], calm: Sequence[Look]) -> dict[str, object]:
    return {
        "windows": len(back),
        "answered": sum(one.answered for one in back),
        "within": sum(one.within for one in back),
        "from_start": shares([one.from_start for one in back if one.from_start is not None]),
        "from_label": shares([one.from_label for one in back if one.from_label is not None]),
        "quiet": len(calm),
        "quiet_answered": sum(one.answered for one in calm),
    }


def _text(
    path: Path,
    files: Sequence[Labelled],
    rows: Sequence[Row],
    curve: Mapping[float, Sequence[Scored]],
    looks: Looks,
) -> str:
    names = {name: sum(map(belongs, range(len(files)))) for name, belongs in _GROUPS}
    windows = sum(len(one.windows) for one in files)
    lines = [
        f"NAB, standard profile ({path}): {len(files)} series, "
        f"{sum(len(one.series.points) for one in files):,} points, {windows} windows",
        f"limit {LIMIT:g}, one alarm in {REST} points; chosen on the first half of the 39 series that are not from AWS",
        "monitoring (every other series, sorted by name); on the data here the same choice gives "
        f"{chosen(curve):g}",
        "",
        f"{'score':<38}"
        + "".join(f"{f'{name} ({count})':>17}" for name, count in names.items())
        + f"{'found':>9}{'false':>7}{'per 1,000':>11}",
    ]
    for row in rows:
        everything = _told(row.files)
        lines.append(
            f"{row.name:<38}"
            + "".join(f"{_shown(row.of(belongs)):>17}" for _, belongs in _GROUPS)
            + f"{_found(everything):>9}{everything.false:>7}{everything.per_1000:>11.2f}"
        )
    lines += ["", f"{'at other limits':<38}"]
    for limit, measured in curve.items():
        row = Row(f"  limit {limit:g}", tuple(measured))
        lines.append(
            f"{row.name:<38}"
            + "".join(f"{_shown(row.of(belongs)):>17}" for _, belongs in _GROUPS)
            + f"{sum(one.found for one in measured):>6}"
            + f"{sum(one.false for one in measured):>10}"
        )
    lines += ["", *_groups(files, rows[0]), "", *_back(looks), ""]
    lines.append(f"{'published (thresholds tuned on all 58)':<44}{'39, not AWS':>13}{'AWS':>7}")
    lines += [f"{name:<44}{score:>13}{aws:>7}" for name, score, aws in _ANCHORS]
    return "\n".join(lines) + "\n"


def _groups(files: Sequence[Labelled], row: Row) -> list[str]:
    lines = ["opsleuth by group" + " " * 21 + f"{'score':>8}{'found':>9}{'false':>7}{'per 1,000':>11}"]
    for group in sorted({one.group for one in files}):
        part = [got for one, got in zip(files, row.files, strict=True) if one.group == group]
        told = _told(part)
        lines.append(f"  {group:<36}{_shown(part):>8}{_found(told):>9}{told.false:>7}{told.per_1000:>11.2f}")
    return lines


def _back(looks: Looks) -> list[str]:
    def both(values: Sequence[int | None]) -> str:
        found = shares([value for value in values if value is not None])
        return f"{found[0]:g}, {found[1]:g}" if found else "·"

    lines = [
        "looking back at windows, in samples: median, 90 %; and at stretches without a label",
        f"{'':<30}{'answered':>9}{'within':>8}{'from window start':>19}{'from label':>12}{'without':>10}",
    ]
    for name, (back, calm) in looks.items():
        answered = f"{sum(one.answered for one in back)}/{len(back)}"
        lines.append(
            f"  {name:<28}{answered:>9}{sum(one.within for one in back):>8}"
            f"{both([one.from_start for one in back]):>19}{both([one.from_label for one in back]):>12}"
            f"{f'{sum(one.answered for one in calm)}/{len(calm)}':>10}"
        )
    return lines


def _found(told: Told) -> str:
    return f"{told.found}/{told.windows}"


def _shown(files: Sequence[Scored]) -> str:
    value = total(files)
    return "·" if value is None else f"{value:.1f}"
