"""The value of a metric-math alarm for one period."""

from __future__ import annotations

from collections.abc import Sequence

from evals.world.metric_functions import Points
from evals.world.metric_math import Series, Sums
from evals.world.telemetry import Source, Telemetry, dimensions_of, statistic
from tools.models import Json

_BEFORE = 10  # periods that are looked at before the one that counts: RATE, DIFF and FILL ask for them


def returned(queries: Sequence[Json]) -> str:
    """The id of the one query whose result the alarm watches."""
    return next(str(query["Id"]) for query in queries if query.get("ReturnData", True))


def value(queries: Sequence[Json], telemetry: Telemetry, start: int, period: int) -> float | None:
    """The result of an alarm's `Metrics` for the period that begins at epoch second `start`. Raises MathError."""
    times = range(start - _BEFORE * period, start + period, period)
    metrics = {
        str(query["Id"]): Series(_points(query["MetricStat"], telemetry, times, period))
        for query in queries
        if "MetricStat" in query
    }
    expressions = {str(query["Id"]): str(query["Expression"]) for query in queries if "Expression" in query}
    found = Sums(metrics, expressions, period, times).result(returned(queries))
    return found[0].points.get(start) if found else None


def _points(asked: Json, telemetry: Telemetry, times: range, period: int) -> Points:
    metric = asked["Metric"]
    source = telemetry.find(
        metric["Namespace"], metric["MetricName"], dimensions_of(metric.get("Dimensions", []))
    )
    found: Points = {}
    for time in times if source is not None else ():
        assert source is not None
        one = of_period(source, str(asked["Stat"]), time, period)
        if one is not None:
            found[time] = one
    return found


def of_period(source: Source, stat: str, start: int, period: int) -> float | None:
    """One datapoint, whether it has been published or not."""
    first, last = start // 60, (start + period) // 60
    if source.sparse is not None and last <= source.sparse:
        return None
    rows = [source.emit(minute) for minute in range(first + (-first) % source.every, last, source.every)]
    return statistic([row for row in rows if row is not None], stat)
