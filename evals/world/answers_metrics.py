"""CloudWatch metrics: GetMetricData with metric math, and GetMetricStatistics.

API reference: periods are multiples of 60 seconds; 60-second datapoints are kept 15 days, 5-minute ones 63 days,
1-hour ones 455 days, and a finer period gives nothing beyond; GetMetricData aligns periods to their own multiples,
GetMetricStatistics to the start time; 500 metrics and 100,800 datapoints a call, 1,440 for GetMetricStatistics.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.metric_math import Series, Sums, Unsupported
from evals.world.metric_syntax import MathError
from evals.world.percentiles import rank
from evals.world.telemetry import STATISTICS, Source, dimensions_of
from tools.models import Json

MOST_POINTS = 100_800
_MOST_QUERIES = 500
_MOST_STATISTICS = 1440
_HIGH_RESOLUTION = (1, 5, 10, 20, 30)
_KEPT = ((3600, timedelta(days=455)), (300, timedelta(days=63)), (60, timedelta(days=15)))
_OTHER_STATISTIC = re.compile(r"(?:tm|wm|tc|ts)\d{1,2}(?:\.\d+)?|(?:TM|WM|TC|TS|PR)\([\d.%:]*\)|IQM")
_ID = re.compile(r"[a-z]\w{0,254}")


def _valid(text: str) -> Refusal:
    return Refusal("ValidationError", text)


def kept_since(period: int, as_of: datetime) -> datetime:
    """From when on CloudWatch still has datapoints of this period."""
    return next(as_of - age for step, age in _KEPT if period % step == 0)


def check_statistic(stat: str, code: str = "ValidationError") -> None:
    if stat in STATISTICS or rank(stat) is not None:
        return
    if _OTHER_STATISTIC.fullmatch(stat):
        raise NotModelled(f"Stat={stat}")
    raise Refusal(code, f"The value {stat} for parameter Stat is not supported.")


def check_period(period: int, code: str = "ValidationError") -> None:
    if period in _HIGH_RESOLUTION:
        raise NotModelled(f"Period={period}")
    if period < 60 or period % 60:
        raise Refusal(code, "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")


def find(ask: Ask, metric: Json, unit: str | None) -> Source | None:
    """The source of a metric of a request: namespace, name and dimensions must all be the very same."""
    found = ask.world.telemetry.find(
        str(metric["Namespace"]), str(metric["MetricName"]), dimensions_of(metric.get("Dimensions", []))
    )
    if found is None or (found.region or ask.world.region) != ask.region:
        return None
    return found if unit in (None, found.unit) else None


def series(
    ask: Ask, source: Source, stat: str, period: int, start: datetime, end: datetime, anchored: bool = False
) -> list[tuple[int, float]]:
    """Datapoints that are still kept and already published."""
    oldest = kept_since(period, ask.as_of)
    owner = ask.world.things.get(source.owner)
    if owner is not None:
        oldest = max(oldest, owner.created.replace(second=0, microsecond=0))
    begin = start.timestamp()
    if begin < oldest.timestamp():
        begin += -(-(oldest.timestamp() - begin) // period) * period if anchored else 0
        begin = max(begin, oldest.timestamp())
    until = ask.as_of.timestamp()
    return ask.world.telemetry.points(source, stat, period, begin, end.timestamp(), until, anchored)


@handles("cloudwatch", "GetMetricData")
def get_metric_data(ask: Ask) -> Json:
    queries: list[Json] = ask.need("MetricDataQueries")
    start, end = ask.need("StartTime"), ask.need("EndTime")
    newest = ask.take("ScanBy", "TimestampDescending") == "TimestampDescending"
    token, most = ask.take("NextToken"), int(ask.take("MaxDatapoints", MOST_POINTS))
    ask.only("LabelOptions", {"Timezone": "+0000"})
    if len(queries) > _MOST_QUERIES:
        raise _valid("The collection MetricDataQueries must not have a size greater than 500.")
    if start >= end:
        raise _valid("The parameter StartTime must be less than the parameter EndTime.")
    if not 1 <= most <= MOST_POINTS:
        raise _valid(f"The value {most} for parameter MaxDatapoints is not supported.")
    skip = 0 if token is None else ask.position(token)
    results, given, left = [], 0, most
    for query, label, points in _answers(ask, queries, start, end):
        if newest:
            points.reverse()
        cut = points[max(0, skip - given) :][:left]
        given += len(points)
        left -= len(cut)
        if cut or not points or token is None:
            results.append(_result(query, label, cut, given <= skip + most))
    answer: Json = {"MetricDataResults": results, "Messages": []}
    if given > skip + most:
        answer["NextToken"] = ask.token(skip + most)
    return answer


def _result(query: Json, label: str, points: list[tuple[int, float]], complete: bool) -> Json:
    return {
        "Id": query["Id"],
        "Label": label,
        "Timestamps": [datetime.fromtimestamp(second, UTC) for second, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }


Found = tuple[Json, str, list[tuple[int, float]]]


def _answers(ask: Ask, queries: list[Json], start: datetime, end: datetime) -> list[Found]:
    """(query, label, datapoints oldest first) of all queries that return data, in their order."""
    _check_queries(ask, queries)
    metrics = {query["Id"]: _metric(ask, query, start, end) for query in queries if "MetricStat" in query}
    expressions = {str(query["Id"]): str(query["Expression"]) for query in queries if "Expression" in query}
    sums = _sums(ask, queries, metrics, expressions, start, end) if expressions else None
    found: list[Found] = []
    for query in queries:
        if query.get("ReturnData") is False:
            continue
        if "MetricStat" in query:
            default = str(query["MetricStat"]["Metric"]["MetricName"])
            found.append((query, query.get("Label") or default, metrics[query["Id"]]))
            continue
        assert sums is not None
        for one in _calculated(sums, str(query["Id"])):
            label = query.get("Label") or one.label or query["Id"]
            found.append((query, str(label), sorted(one.points.items())))
    return found


def _check_queries(ask: Ask, queries: list[Json]) -> None:
    seen: set[str] = set()
    for query in queries:
        name = str(query["Id"])
        if not _ID.fullmatch(name):
            raise _valid(
                f"The value {name} for parameter MetricDataQueries.member.Id is not matching the expected pattern."
            )
        if name in seen:
            raise _valid("The values for parameter Id in MetricDataQueries are not unique.")
        seen.add(name)
        if ("MetricStat" in query) == ("Expression" in query):
            raise _valid("Exactly one of MetricStat and Expression must be set for a MetricDataQuery.")
        unknown = set(query) - {
            "Id",
            "Label",
            "MetricStat",
            "ReturnData",
            "Expression",
            "Period",
            "AccountId",
        }
        if unknown or query.get("AccountId", ask.world.account) != ask.world.account:
            raise NotModelled(", ".join(sorted(unknown)) or "AccountId")
        if "${" in str(query.get("Label", "")):
            raise NotModelled("dynamic labels")
    if all(query.get("ReturnData") is False for query in queries):
        raise _valid("At least one query must return data.")


def _metric(ask: Ask, query: Json, start: datetime, end: datetime) -> list[tuple[int, float]]:
    asked = query["MetricStat"]
    period, stat = int(asked["Period"]), str(asked["Stat"])
    check_period(period)
    check_statistic(stat)
    source = find(ask, asked["Metric"], asked.get("Unit"))
    return [] if source is None else series(ask, source, stat, period, start, end)


def _sums(
    ask: Ask,
    queries: list[Json],
    metrics: dict[str, list[tuple[int, float]]],
    expressions: dict[str, str],
    start: datetime,
    end: datetime,
) -> Sums:
    periods = {int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query}
    periods |= {int(query["Period"]) for query in queries if "Expression" in query and "Period" in query}
    if len(periods) > 1:
        raise NotModelled("metric math over several periods")
    period = periods.pop() if periods else 60
    check_period(period)
    oldest = max(start, kept_since(period, ask.as_of)).timestamp()
    times = range(int(oldest // period) * period, int(min(end, ask.as_of).timestamp()), period)
    labels = {
        str(query["Id"]): str(query.get("Label") or query["MetricStat"]["Metric"]["MetricName"])
        for query in queries
        if "MetricStat" in query
    }
    held = {name: Series(dict(points), labels[name]) for name, points in metrics.items()}
    return Sums(held, expressions, period, times)


def _calculated(sums: Sums, name: str) -> list[Series]:
    """The series of an expression, or AWS's refusal; what AWS could calculate is counted as a miss."""
    if sums.expressions[name].strip().upper().startswith("SELECT "):
        raise Refusal(
            "ValidationError", f"Error in expression '{name}': SELECT is not supported", missed=True
        )
    try:
        return sums.result(name)
    except Unsupported as unsupported:
        raise Refusal(
            "ValidationError", f"Error in expression '{name}': {unsupported}", missed=True
        ) from unsupported
    except MathError as error:
        raise _valid(f"Error in expression '{name}': {error}") from error


@handles("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(ask: Ask) -> Json:
    metric = {"Namespace": ask.need("Namespace"), "MetricName": ask.need("MetricName")}
    metric["Dimensions"] = ask.take("Dimensions", [])
    start, end, period = ask.need("StartTime"), ask.need("EndTime"), int(ask.need("Period"))
    plain: list[str] = ask.take("Statistics") or []
    extended: list[str] = ask.take("ExtendedStatistics") or []
    unit = ask.take("Unit")
    if not plain and not extended:
        raise Refusal("MissingParameter", "Must specify either Statistics or ExtendedStatistics.")
    if start >= end:
        said = "The parameter StartTime must be less than the parameter EndTime."
        raise Refusal("InvalidParameterValue", said)
    check_period(period, "InvalidParameterValue")
    for stat in extended:
        check_statistic(stat, "InvalidParameterValue")
    begin = start.replace(second=0, microsecond=0)
    wanted = -(-(end - begin).total_seconds() // period)
    if wanted > _MOST_STATISTICS:
        said = (
            f"You have requested up to {int(wanted)} datapoints, which exceeds the limit of {_MOST_STATISTICS}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
        raise Refusal("InvalidParameterCombination", said)
    return {
        "Label": metric["MetricName"],
        "Datapoints": _datapoints(ask, metric, (plain, extended), period, (begin, end), unit),
    }


def _datapoints(
    ask: Ask,
    metric: Json,
    stats: tuple[list[str], list[str]],
    period: int,
    window: tuple[datetime, datetime],
    unit: str | None,
) -> list[Json]:
    source = find(ask, metric, unit)
    if source is None:
        return []
    rows: dict[int, Json] = {}
    for stat in [*stats[0], *stats[1]]:
        for second, value in series(ask, source, stat, period, *window, anchored=True):
            row = rows.setdefault(
                second, {"Timestamp": datetime.fromtimestamp(second, UTC), "Unit": source.unit}
            )
            if stat in stats[0]:
                row[stat] = value
            else:
                row.setdefault("ExtendedStatistics", {})[stat] = value
    return [rows[second] for second in sorted(rows)]
