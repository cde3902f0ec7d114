"""CloudWatch metric series: read in batches, cited in part, and asked simple questions.

AWS source: GetMetricData (at most 500 queries and 100,800 datapoints a call; 60-second data is kept 15 days,
300-second data 63 days, 3600-second data 455 days).
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tools.clock import ceil, floor
from tools.evidence import EXCERPT_BYTES, canonical
from tools.models import Json, Metric, MetricStep, Series, Window

if TYPE_CHECKING:
    from tools.aws import Reader

QUERIES_PER_CALL = 500
POINTS_PER_CALL = 100_800
_KEPT = ((60, timedelta(hours=3)), (300, timedelta(days=15)), (3600, timedelta(days=63)))
_PAGES = 40
_WOULD_SHOW = "when the metric moved and by how much"


@dataclass(slots=True)
class _Collected:
    """What the pages of one call said about one query."""

    points: dict[datetime, float] = field(default_factory=dict)
    status: str = ""
    evidence: list[str] = field(default_factory=list)


def series(
    reader: Reader, metrics: Sequence[Metric], window: Window, region: str = ""
) -> dict[Metric, Series]:
    """The points of each metric in `window`, floored and ceiled to the period, by requested metric.

    A metric that AWS did not answer is not in the result (the reader holds the gap); one without
    datapoints is there, empty. `Series.metric.period` is coarser than asked where AWS no longer keeps the
    finer points. A last period that is not over at `as_of` is left out of sums and counts, where it would
    look like a fall.
    """
    wanted = {metric: _kept(metric, window.start, reader.as_of) for metric in dict.fromkeys(metrics)}
    found: dict[Metric, Series] = {}
    for batch in _batches(wanted, window):
        names = ", ".join(sorted({metric.namespace for metric in batch}))
        with reader.seeing(f"metrics ({names})", _WOULD_SHOW):
            found |= _read(reader, batch, window, region)
    return {metric: found[metric] for metric in wanted if metric in found}


def _kept(metric: Metric, start: datetime, as_of: datetime) -> Metric:
    """The metric with the finest period that CloudWatch still keeps at `start`."""
    period = metric.period
    for coarser, age in _KEPT:
        if as_of - start > age and period < coarser:
            period = coarser
    return replace(metric, period=period)


def _span(metric: Metric, window: Window) -> Window:
    return Window(start=floor(window.start, metric.period), end=ceil(window.end, metric.period))


def _batches(wanted: Mapping[Metric, Metric], window: Window) -> Iterator[dict[Metric, Metric]]:
    batch: dict[Metric, Metric] = {}
    points = 0
    for asked, kept in wanted.items():
        # One more on each side: the call's range is aligned to the coarsest period of the batch.
        size = int(window.seconds // kept.period) + 2 + 2 * max(1, 3600 // kept.period)
        if batch and (len(batch) == QUERIES_PER_CALL or points + size > POINTS_PER_CALL):
            yield batch
            batch, points = {}, 0
        batch[asked] = kept
        points += size
    if batch:
        yield batch


def _read(
    reader: Reader, batch: Mapping[Metric, Metric], window: Window, region: str
) -> dict[Metric, Series]:
    coarsest = max(metric.period for metric in batch.values())
    collected = {f"m{number}": _Collected() for number in range(len(batch))}
    following: Json = {}
    for _ in range(_PAGES):
        answer = reader.ask(
            "cloudwatch",
            "GetMetricData",
            region=region,
            MetricDataQueries=[_query(f"m{n}", metric) for n, metric in enumerate(batch.values())],
            StartTime=floor(window.start, coarsest),
            EndTime=ceil(window.end, coarsest),
            ScanBy="TimestampAscending",
            **following,
        )
        _collect(collected, answer.data, answer.evidence)
        _messages(reader, answer.data)
        token = answer.data.get("NextToken")
        if not token:
            break
        following = {"NextToken": token}
    else:
        reader.missing("metrics", f"AWS had more than {_PAGES} pages of points", _WOULD_SHOW, code="TooMuch")
    made = {}
    for (asked, kept), got in zip(batch.items(), collected.values(), strict=True):
        if _answered(reader, kept, got):
            made[asked] = _series(kept, _span(kept, window), got, reader.as_of)
    return made


def _query(name: str, metric: Metric) -> Json:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions]
    what = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {
        "Id": name,
        "MetricStat": {"Metric": what, "Period": metric.period, "Stat": metric.stat},
        "ReturnData": True,
    }


def _collect(collected: Mapping[str, _Collected], data: Json, evidence: str) -> None:
    for result in data.get("MetricDataResults") or []:
        got = collected.get(result.get("Id", ""))
        if got is None:
            continue
        times = [moment.astimezone(UTC) for moment in result.get("Timestamps") or []]
        got.points |= dict(zip(times, result.get("Values") or [], strict=False))
        got.status = result.get("StatusCode", "Complete")
        got.evidence.append(evidence)


def _messages(reader: Reader, data: Json) -> None:
    notes = list(data.get("Messages") or [])
    for result in data.get("MetricDataResults") or []:
        notes.extend(result.get("Messages") or [])
    for note in notes:
        text = f"CloudWatch says {note.get('Code', '')}: {note.get('Value', '')}"
        reader.missing("metrics", text, _WOULD_SHOW, code=str(note.get("Code", "")))


def _answered(reader: Reader, metric: Metric, got: _Collected) -> bool:
    """Whether the series can be used. Earlier pages say PartialData as well, so the last one counts."""
    what = f"metric {metric.namespace} {metric.name}"
    if got.status == "PartialData":
        reader.missing(
            what, "CloudWatch returned part of the points", _WOULD_SHOW, "Ask again.", "PartialData"
        )
        return True
    if got.status != "Complete":
        why = f"CloudWatch answered {got.status}" if got.status else "CloudWatch did not answer this query"
        reader.missing(what, why, _WOULD_SHOW, "Ask again.", got.status or "NoAnswer")
        return False
    return True


def _series(metric: Metric, span: Window, got: _Collected, as_of: datetime) -> Series:
    if metric.stat in ("Sum", "SampleCount"):
        span = Window(start=span.start, end=max(span.start, min(span.end, floor(as_of, metric.period))))
    points = tuple(sorted((moment, float(value)) for moment, value in got.points.items() if moment in span))
    return Series(metric=metric, window=span, points=points, evidence=tuple(dict.fromkeys(got.evidence)))


def cite_series(reader: Reader, series: Series, window: Window | None = None, note: str = "") -> str:
    """Evidence for the part of `series` in `window`: its id. At most 2 kB: a summary and points.

    Equal neighbours are written once with a count; when there are still too many, those around the
    largest jump and the ends stay.
    """
    part = window or series.window
    points = [point for point in series.points if point[0] in part]
    runs = _runs(points)
    for most in (len(runs), 60, 40, 25, 12, 6, 2):
        body = _excerpt(series.metric, part, points, _thin(runs, most), note)
        if len(canonical(body).encode()) <= EXCERPT_BYTES:
            break
    return reader.cite(series.evidence[-1], body, part.end)


def _excerpt(
    metric: Metric, part: Window, points: Sequence[tuple[datetime, float]], shown: Any, note: str
) -> Json:
    values = [value for _, value in points]
    body: Json = {
        "metric": f"{metric.namespace}/{metric.name}/{metric.stat}",
        "dimensions": dict(metric.dimensions),
        "period": metric.period,
        "from": part.start.isoformat(),
        "to": part.end.isoformat(),
        "datapoints": len(points),
        "points": shown,
    }
    if values:
        body["summary"] = {
            "sum": _short(sum(values)),
            "min": _short(min(values)),
            "max": _short(max(values)),
            "mean": _short(statistics.fmean(values)),
            "median": _short(statistics.median(values)),
            "last": _short(values[-1]),
        }
    return body | ({"note": note} if note else {})


def _short(value: float) -> float | int:
    return int(value) if value == int(value) and abs(value) < 1e15 else float(f"{value:.6g}")


def _runs(points: Sequence[tuple[datetime, float]]) -> list[list[Any]]:
    """[time, value, how often in a row], oldest first."""
    runs: list[list[Any]] = []
    for moment, value in points:
        if runs and runs[-1][1] == _short(value):
            runs[-1][2] += 1
        else:
            runs.append([moment.strftime("%m-%dT%H:%M:%SZ"), _short(value), 1])
    return runs


def _thin(runs: Sequence[list[Any]], most: int) -> list[list[Any]]:
    shown: Sequence[list[Any]] = runs
    if len(runs) > most:
        jumps = [abs(b[1] - a[1]) for a, b in pairwise(runs)]
        middle = jumps.index(max(jumps)) + 1
        start = max(0, min(middle - most // 2, len(runs) - most))
        shown = (
            [*runs[:1], *runs[max(1, start) : start + most], *runs[-1:]]
            if start + most < len(runs)
            else ([*runs[:1], *runs[max(1, start) :]])
        )
    return [run if run[2] > 1 else run[:2] for run in shown]


def value_at(series: Series, moment: datetime) -> float | None:
    """The value of the period that covers `moment`; None when there is no datapoint."""
    index = bisect_right(series.points, moment, key=lambda point: point[0]) - 1
    if index < 0:
        return None
    start, value = series.points[index]
    return value if moment < start + timedelta(seconds=series.metric.period) else None


def total(series: Series, window: Window) -> float:
    """The sum of the points whose period starts in `window`. Means something for Sum and SampleCount."""
    return sum(value for moment, value in series.points if moment in window)


def rate(series: Series, window: Window) -> float | None:
    """`total` per second over the part of `window` that the series covers; None when it covers nothing."""
    start, end = max(window.start, series.window.start), min(window.end, series.window.end)
    if end <= start:
        return None
    part = Window(start=start, end=end)
    return total(series, part) / part.seconds


def fill_zero(series: Series) -> Series:
    """The series with 0 in every period without a datapoint (error metrics: no error, no datapoint)."""
    period = timedelta(seconds=series.metric.period)
    moment = series.points[0][0] if series.points else series.window.start
    while moment - period >= series.window.start:
        moment -= period
    points = dict(series.points)
    while moment < series.window.end:
        points.setdefault(moment, 0.0)
        moment += period
    return replace(series, points=tuple(sorted(points.items())))


def steps(series: Series) -> tuple[MetricStep, ...]:
    """Every level change of a setting's own metric, oldest first.

    The change lies between the start of the last period that shows the old level and the end of the first
    that shows the new one, for the value is sampled at an unknown moment of its period. A Maximum still
    shows the old level in the period in which the setting was lowered (a Minimum when it was raised):
    then the change was over when the first new period began. A single mixed value between the two levels
    (an Average over the change) belongs to the step.
    """
    period = timedelta(seconds=series.metric.period)
    found: list[MetricStep] = []
    for (old_at, old), (new_at, new) in pairwise(_without_mixed(series)):
        if _same(old, new):
            continue
        holds_old = {"Maximum": new < old, "Minimum": new > old}.get(series.metric.stat, False)
        found.append(
            MetricStep(
                metric=series.metric,
                before=old,
                after=new,
                earliest=old_at,
                latest=new_at if holds_old else new_at + period,
                evidence=series.evidence,
            )
        )
    return tuple(found)


def step(series: Series) -> MetricStep | None:
    """The last level change of a setting's own metric, or None."""
    found = steps(series)
    return found[-1] if found else None


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def _without_mixed(series: Series) -> list[tuple[datetime, float]]:
    """Points without single values strictly between two levels, which only an average has."""
    points = series.points
    if series.metric.stat != "Average":
        return list(points)
    kept = list(points[:1])
    for before, point, after in zip(points, points[1:], points[2:], strict=False):
        low, high = sorted((before[1], after[1]))
        if not (low < point[1] < high and not _same(low, high)):
            kept.append(point)
    return [*kept, *points[1:][-1:]]
