"""CloudWatch alarms and metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.telemetry import STATISTICS, Dimensions, Source
from tools.models import Json

_MOST_POINTS = 100_800
_MOST_QUERIES = 500
_KEEP_MINUTES = timedelta(days=15)


@handles("cloudwatch", "DescribeAlarms")
def describe_alarms(ask: Ask) -> Json:
    names, prefix, state = ask.take("AlarmNames"), ask.take("AlarmNamePrefix"), ask.take("StateValue")
    if names and prefix:
        raise Refusal("ValidationError", "AlarmNames and AlarmNamePrefix cannot be used together")
    kinds = ask.take("AlarmTypes") or ["MetricAlarm"]
    size, token = int(ask.take("MaxRecords", 50)), ask.take("NextToken")
    alarms = [alarm for alarm in _alarms(ask) if "MetricAlarm" in kinds]
    shown = [
        alarm.describe(ask.as_of)
        for alarm in alarms
        if (not names or alarm.name in names)
        and (not prefix or alarm.name.startswith(prefix))
        and (not state or alarm.state(ask.as_of).value == state)
    ]
    page, following = ask.page(shown, size, token)
    answer: Json = {"MetricAlarms": page, "CompositeAlarms": []}
    if following:
        answer["NextToken"] = following
    return answer


def _alarms(ask: Ask) -> list[Any]:
    found = [
        alarm
        for alarm in ask.world.alarms.values()
        if alarm.region == ask.region and alarm.created <= ask.as_of
    ]
    return sorted(found, key=lambda alarm: alarm.name)


@handles("cloudwatch", "DescribeAlarmHistory")
def describe_alarm_history(ask: Ask) -> Json:
    name, kind = ask.take("AlarmName"), ask.take("HistoryItemType")
    start, end = ask.take("StartDate"), ask.take("EndDate")
    kinds = ask.take("AlarmTypes") or ["MetricAlarm"]
    newest = ask.take("ScanBy", "TimestampDescending") == "TimestampDescending"
    size, token = int(ask.take("MaxRecords", 100)), ask.take("NextToken")
    items = [
        item
        for alarm in _alarms(ask)
        if (name is None or alarm.name == name) and "MetricAlarm" in kinds
        for item in alarm.history(ask.as_of)
        if (kind is None or item["HistoryItemType"] == kind)
        and (start is None or item["Timestamp"] >= start)
        and (end is None or item["Timestamp"] <= end)
    ]
    items.sort(key=lambda item: item["Timestamp"], reverse=newest)
    page, following = ask.page(items, size, token)
    answer: Json = {"AlarmHistoryItems": page}
    if following:
        answer["NextToken"] = following
    return answer


@handles("cloudwatch", "DescribeAlarmsForMetric")
def describe_alarms_for_metric(ask: Ask) -> Json:
    namespace, metric = ask.need("Namespace"), ask.need("MetricName")
    dimensions = _dimensions(ask.take("Dimensions", []))
    stat = ask.take("Statistic") or ask.take("ExtendedStatistic")
    period = ask.take("Period")
    found = [
        alarm.describe(ask.as_of)
        for alarm in _alarms(ask)
        if (alarm.namespace, alarm.metric, alarm.dimensions) == (namespace, metric, dimensions)
        and (stat is None or alarm.stat == stat)
        and (period is None or alarm.period == period)
    ]
    return {"MetricAlarms": found}


@handles("cloudwatch", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    arn = ask.need("ResourceARN")
    thing = ask.world.things.get(arn)
    if thing is None or thing.kind != "alarm":
        raise Refusal("ResourceNotFoundException", f"Resource {arn} does not exist.", 404)
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(thing.tags(ask.as_of).items())]}


def _dimensions(given: list[Json]) -> Dimensions:
    return tuple(sorted((str(one["Name"]), str(one["Value"])) for one in given))


@handles("cloudwatch", "ListMetrics")
def list_metrics(ask: Ask) -> Json:
    namespace, metric = ask.take("Namespace"), ask.take("MetricName")
    wanted: list[Json] = ask.take("Dimensions", [])
    recent = ask.take("RecentlyActive")
    token = ask.take("NextToken")
    found = [
        source
        for source in ask.world.telemetry.sources.values()
        if ask.region == ask.world.region
        and (namespace is None or source.namespace == namespace)
        and (metric is None or source.name == metric)
        and all(_has(source, one) for one in wanted)
        and _active(ask, source, 180 if recent else 14 * 1440)
    ]
    found.sort(key=lambda source: source.key)
    page, following = ask.page(found, 500, token)
    answer: Json = {
        "Metrics": [
            {
                "Namespace": source.namespace,
                "MetricName": source.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in source.dimensions],
            }
            for source in page
        ]
    }
    if following:
        answer["NextToken"] = following
    return answer


def _has(source: Source, wanted: Json) -> bool:
    held = dict(source.dimensions)
    return wanted["Name"] in held and ("Value" not in wanted or held[wanted["Name"]] == wanted["Value"])


def _active(ask: Ask, source: Source, minutes: int) -> bool:
    """Whether the metric had data lately. Error metrics exist only once something went wrong."""
    now = int(ask.as_of.timestamp()) // 60
    if source.sparse is None:
        return True
    first = max(now - minutes, source.sparse)
    return any(
        source.emit(minute) is not None
        for minute in range(first, now)
        if source.visible(minute, ask.as_of.timestamp())
    )


@handles("cloudwatch", "GetMetricData")
def get_metric_data(ask: Ask) -> Json:
    queries: list[Json] = ask.need("MetricDataQueries")
    start, end = ask.need("StartTime"), ask.need("EndTime")
    newest = ask.take("ScanBy", "TimestampDescending") == "TimestampDescending"
    token, most = ask.take("NextToken"), int(ask.take("MaxDatapoints", _MOST_POINTS))
    if len(queries) > _MOST_QUERIES:
        raise Refusal(
            "ValidationError", "The collection MetricDataQueries must not have a size greater than 500."
        )
    if start >= end:
        raise Refusal("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    skip = 0 if token is None else ask.position(token)
    results, given, left = [], 0, most
    for query in queries:
        points = _query(ask, query, start, end)
        if newest:
            points.reverse()
        cut = points[max(0, skip - given) :][:left]
        given += len(points)
        left -= len(cut)
        complete = given <= skip + most
        if cut or not points or token is None:
            results.append(_result(query, cut, complete))
    answer: Json = {"MetricDataResults": results, "Messages": []}
    if given > skip + most:
        answer["NextToken"] = ask.token(skip + most)
    return answer


def _result(query: Json, points: list[tuple[int, float]], complete: bool) -> Json:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
        "Timestamps": [datetime.fromtimestamp(second, UTC) for second, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _query(ask: Ask, query: Json, start: datetime, end: datetime) -> list[tuple[int, float]]:
    unknown = set(query) - {"Id", "Label", "MetricStat", "ReturnData"}
    if unknown or query.get("ReturnData") is False:
        raise NotModelled(
            "metric math" if "Expression" in query else ", ".join(sorted(unknown)) or "ReturnData"
        )
    asked = query["MetricStat"]
    if set(asked) - {"Metric", "Period", "Stat"}:
        raise NotModelled(", ".join(sorted(set(asked) - {"Metric", "Period", "Stat"})))
    period, stat = int(asked["Period"]), str(asked["Stat"])
    if period % 60:
        raise NotModelled(f"Period={period}")
    if stat not in STATISTICS:
        raise NotModelled(f"Stat={stat}")
    if ask.region != ask.world.region:
        return []
    metric = asked["Metric"]
    name = str(metric["MetricName"])
    source = ask.world.telemetry.find(
        str(metric["Namespace"]), name, _dimensions(metric.get("Dimensions", []))
    )
    if source is None:
        return []
    oldest = ask.as_of - _KEEP_MINUTES
    begin = max(start, oldest).timestamp()
    return ask.world.telemetry.points(source, stat, period, begin, end.timestamp(), ask.as_of.timestamp())
