"""New questions to a snapshot: events, metrics, alarms and log lines, as far as all of them are there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.snapshot_file import Series, Snapshot, matches
from evals.world.asking import NotModelled, Refusal
from evals.world.patterns import parse as parse_pattern
from tools.models import Json
from tools.transport import WireRequest

_ADDS_UP: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum,
    "SampleCount": sum,
    "Minimum": min,
    "Maximum": max,
}
_READS = (
    "Get",
    "List",
    "Describe",
    "Head",
    "Lookup",
    "Batch",
    "Query",
    "Scan",
    "Search",
    "Assume",
    "Console",
    "Select",
)
_PAGE = 50


class _Asked:
    """The parameters of one request; what is left over at the end is something that nobody understood."""

    def __init__(self, snapshot: Snapshot, request: WireRequest, parameters: Json) -> None:
        self.held = snapshot
        self.region = request.region
        self.as_of = request.as_of.astimezone(UTC)
        self.now = request.now.astimezone(UTC)
        self._left = dict(parameters)

    def take(self, name: str, default: Any = None) -> Any:
        return self._left.pop(name, default)

    def time(self, name: str) -> datetime | None:
        value = self._left.pop(name, None)
        return None if value is None else datetime.fromisoformat(str(value)).astimezone(UTC)

    def page(self, items: list[Any], size: int, token: Any) -> tuple[list[Any], str]:
        text = str(token or "from:0")
        if not text.startswith("from:") or not text[5:].isdecimal():
            raise NotModelled("a page token of the recording")
        start = int(text[5:])
        return items[start : start + size], f"from:{start + size}" if start + size < len(items) else ""

    def done(self) -> None:
        if self._left:
            raise NotModelled(", ".join(sorted(self._left)))


def answer(snapshot: Snapshot, request: WireRequest, parameters: Json) -> Json:
    """The answer as boto3 shows it. Raises NotModelled when the snapshot does not hold all of it."""
    handler = _HANDLERS.get((request.service, request.operation))
    if handler is None:
        raise NotModelled("operation")
    asked = _Asked(snapshot, request, parameters)
    result = handler(asked)
    asked.done()
    return result


def _events(asked: _Asked) -> Json:
    start, end = asked.time("StartTime"), asked.time("EndTime") or asked.as_of
    attributes: list[Json] = asked.take("LookupAttributes", [])
    if len(attributes) > 1:
        raise Refusal(
            "InvalidLookupAttributesException", "You can only specify one lookup attribute at a time."
        )
    key, value = (attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]) if attributes else ("", "")
    size, token = int(asked.take("MaxResults", _PAGE)), asked.take("NextToken")
    if start is None or not _covered(asked, key, value, start, min(end, asked.as_of)):
        raise NotModelled(f"events of {key} {value}" if key else "all events")
    found = [
        event
        for event in asked.held.events.get(asked.region, [])
        if start <= event["EventTime"] <= end
        and event["EventTime"] <= asked.as_of
        and not (event.get("Hidden") and asked.now <= event["Hidden"])
        and (not key or matches(event, key, value))
    ]
    page, following = asked.page(found, size, token)
    shown = [{name: item for name, item in event.items() if name != "Hidden"} for event in page]
    return {"Events": shown} | ({"NextToken": following} if following else {})


def _covered(asked: _Asked, key: str, value: str, start: datetime, end: datetime) -> bool:
    kinds = [("", ""), (key, value)]
    if key == "EventName" and not value.startswith(_READS):
        kinds.append(("ReadOnly", "false"))  # such an operation changes something, and all changes are held
    return any(asked.held.covers("events", (asked.region, *kind), start, end) for kind in kinds)


def _metric_data(asked: _Asked) -> Json:
    start, end = asked.time("StartTime"), asked.time("EndTime")
    newest = asked.take("ScanBy", "TimestampDescending") == "TimestampDescending"
    if start is None or end is None or start >= end:
        raise Refusal("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    if asked.take("NextToken") is not None:
        raise NotModelled("a page token of the recording")
    results = []
    for query in asked.take("MetricDataQueries", []):
        if set(query) - {"Id", "Label", "MetricStat", "ReturnData"} or query.get("ReturnData") is False:
            raise NotModelled("metric math")
        stat = query["MetricStat"]
        points = _points(asked, stat["Metric"], str(stat["Stat"]), int(stat["Period"]), start, end)
        points = points[::-1] if newest else points
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or stat["Metric"]["MetricName"],
                "Timestamps": [datetime.fromtimestamp(second, UTC) for second, _ in points],
                "Values": [value for _, value in points],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def _statistics(asked: _Asked) -> Json:
    start, end, period = asked.time("StartTime"), asked.time("EndTime"), int(asked.take("Period", 0))
    if start is None or end is None or start >= end or not period:
        raise Refusal("InvalidParameterCombination", "StartTime must be before EndTime.")
    metric = {name: asked.take(name) for name in ("Namespace", "MetricName", "Dimensions")}
    asked.take("Unit")
    points: dict[int, Json] = {}
    for stat in [*asked.take("Statistics", []), *asked.take("ExtendedStatistics", [])]:
        for second, value in _points(asked, metric, stat, period, start, end):
            point = points.setdefault(second, {"Timestamp": datetime.fromtimestamp(second, UTC)})
            if stat[0].isupper():
                point[stat] = value
            else:
                point.setdefault("ExtendedStatistics", {})[stat] = value
    return {"Label": metric["MetricName"], "Datapoints": [points[second] for second in sorted(points)]}


def _points(
    asked: _Asked, metric: Json, stat: str, period: int, start: datetime, end: datetime
) -> list[tuple[int, float]]:
    dimensions = tuple(sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions") or []))
    series: Series = (asked.region, metric["Namespace"], metric["MetricName"], dimensions)
    until = min(end, asked.as_of)
    found = _held(asked.held, series, stat, period, start, until)
    if found is None and stat == "Average":
        sums = _held(asked.held, series, "Sum", period, start, until)
        counts = _held(asked.held, series, "SampleCount", period, start, until)
        if sums is not None and counts is not None:
            of = dict(counts)
            found = [(second, value / of[second]) for second, value in sums if of.get(second)]
    if found is None:
        raise NotModelled(f"{metric['Namespace']} {metric['MetricName']} {stat} every {period} s")
    return [point for point in found if start.timestamp() <= point[0] < until.timestamp()]


def _held(
    held: Snapshot, series: Series, stat: str, period: int, start: datetime, end: datetime
) -> list[tuple[int, float]] | None:
    """Points of the wanted period, from the same or a finer one; None when they are not all there."""
    begin = start.timestamp() // period * period
    first = datetime.fromtimestamp(begin, UTC)
    for (name, finer), points in sorted(held.points.get(series, {}).items(), key=lambda item: -item[0][1]):
        key = [*series[:3], [list(pair) for pair in series[3]], stat, finer]
        if name != stat or period % finer or not _covers(held, key, first, end):
            continue
        if finer == period:
            return points
        if stat in _ADDS_UP:
            bins: dict[int, list[float]] = {}
            for second, value in points:
                bins.setdefault(second // period * period, []).append(value)
            return [(second, _ADDS_UP[stat](values)) for second, values in sorted(bins.items())]
    return None


def _covers(held: Snapshot, key: list[Any], start: datetime, end: datetime) -> bool:
    return held.covers("points", tuple(key), start, end)


def _alarms(asked: _Asked) -> Json:
    if not asked.held.covers("alarms", (asked.region,), asked.held.taken, asked.held.taken):
        raise NotModelled("all alarms")
    names, prefix, state = asked.take("AlarmNames"), asked.take("AlarmNamePrefix"), asked.take("StateValue")
    kinds = asked.take("AlarmTypes") or ["MetricAlarm"]
    size, token = int(asked.take("MaxRecords", _PAGE)), asked.take("NextToken")
    found = [
        alarm
        for alarm in asked.held.alarms.get(asked.region, [])
        if (not names or alarm["AlarmName"] in names)
        and (not prefix or str(alarm["AlarmName"]).startswith(prefix))
        and (not state or alarm["StateValue"] == state)
        and ("CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm") in kinds
    ]
    if any(alarm.get("StateUpdatedTimestamp", asked.as_of) > asked.as_of for alarm in found):
        raise NotModelled("the state of alarms at that moment")
    page, following = asked.page(found, size, token)
    shown = {
        "MetricAlarms": [alarm for alarm in page if "AlarmRule" not in alarm],
        "CompositeAlarms": [alarm for alarm in page if "AlarmRule" in alarm],
    }
    return shown | ({"NextToken": following} if following else {})


def _history(asked: _Asked) -> Json:
    name, kind = asked.take("AlarmName"), asked.take("HistoryItemType")
    start, end = asked.time("StartDate"), asked.time("EndDate") or asked.as_of
    newest = asked.take("ScanBy", "TimestampDescending") == "TimestampDescending"
    kinds = asked.take("AlarmTypes") or ["MetricAlarm"]
    size, token = int(asked.take("MaxRecords", 100)), asked.take("NextToken")
    if start is None or not asked.held.covers("history", (asked.region,), start, min(end, asked.as_of)):
        raise NotModelled("alarm history of that time")
    found = [
        item
        for item in asked.held.items.get(asked.region, [])
        if (name is None or item["AlarmName"] == name)
        and (kind is None or item["HistoryItemType"] == kind)
        and item.get("AlarmType", "MetricAlarm") in kinds
        and start <= item["Timestamp"] <= min(end, asked.as_of)
    ]
    page, following = asked.page(found[::-1] if newest else found, size, token)
    return {"AlarmHistoryItems": page} | ({"NextToken": following} if following else {})


def _lines(asked: _Asked, group: str, start: int, end: int) -> list[Json]:
    """Lines of a group in [start, end) milliseconds that had been written by then."""
    name = group.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")
    end = min(end, int(asked.as_of.timestamp() * 1000))
    zero = datetime.fromtimestamp(0, UTC)
    span = (zero + timedelta(milliseconds=start), zero + timedelta(milliseconds=max(start, end)))
    if not asked.held.covers("lines", (asked.region, name), *span):
        raise NotModelled(f"lines of {name} of that time")
    return [
        line for line in asked.held.lines.get((asked.region, name), []) if start <= line["timestamp"] < end
    ]


def _filter_lines(asked: _Asked) -> Json:
    group = str(asked.take("logGroupName") or asked.take("logGroupIdentifier"))
    pattern = parse_pattern(str(asked.take("filterPattern", "")))
    streams, prefix = asked.take("logStreamNames"), str(asked.take("logStreamNamePrefix", ""))
    limit, token = int(asked.take("limit", 10_000)), asked.take("nextToken")
    asked.take("interleaved")
    start, end = int(asked.take("startTime", 0)), int(asked.take("endTime", 2**53))
    found = [
        line
        for line in _lines(asked, group, start, end + 1)
        if pattern.matches(line["message"])
        and (not streams or line["logStreamName"] in streams)
        and str(line["logStreamName"]).startswith(prefix)
    ]
    page, following = asked.page(found, limit, token)
    return {"events": page, "searchedLogStreams": []} | ({"nextToken": following} if following else {})


def _stream_lines(asked: _Asked) -> Json:
    group = str(asked.take("logGroupName") or asked.take("logGroupIdentifier"))
    stream, limit = asked.take("logStreamName"), int(asked.take("limit", 10_000))
    head = bool(asked.take("startFromHead", False))
    token = str(asked.take("nextToken") or "")
    start, end = int(asked.take("startTime", 0)), int(asked.take("endTime", 2**53))
    if token:  # one page holds all, and the end of a stream is told by its own token given back
        if not token.startswith(("f/", "b/")):
            raise NotModelled("a page token of the recording")
        return {"events": [], "nextForwardToken": token, "nextBackwardToken": token}
    found = [line for line in _lines(asked, group, start, end) if line["logStreamName"] == stream]
    if len(found) > limit:
        raise NotModelled("more lines than one page holds")
    shown = [{name: line[name] for name in ("timestamp", "message", "ingestionTime")} for line in found]
    mark = f"{'f' if head else 'b'}/{len(found):020d}"
    return {"events": shown, "nextForwardToken": mark, "nextBackwardToken": mark}


_HANDLERS: dict[tuple[str, str], Callable[[_Asked], Json]] = {
    ("cloudtrail", "LookupEvents"): _events,
    ("cloudwatch", "GetMetricData"): _metric_data,
    ("cloudwatch", "GetMetricStatistics"): _statistics,
    ("cloudwatch", "DescribeAlarms"): _alarms,
    ("cloudwatch", "DescribeAlarmHistory"): _history,
    ("logs", "FilterLogEvents"): _filter_lines,
    ("logs", "GetLogEvents"): _stream_lines,
}
