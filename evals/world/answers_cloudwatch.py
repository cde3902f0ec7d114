"""CloudWatch alarms: metric alarms, metric-math alarms, composite alarms, their history and tags."""

from __future__ import annotations

from typing import Any

from evals.world.alarms import AlarmClock
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.composites import Composite
from evals.world.telemetry import dimensions_of
from tools.models import Json

_MOST = 100
_KINDS = {"MetricAlarm", "CompositeAlarm"}


@handles("cloudwatch", "DescribeAlarms")
def describe_alarms(ask: Ask) -> Json:
    names, prefix = ask.take("AlarmNames"), ask.take("AlarmNamePrefix")
    state, action = ask.take("StateValue"), ask.take("ActionPrefix")
    kinds = _kinds(ask)
    children, parents = ask.take("ChildrenOfAlarmName"), ask.take("ParentsOfAlarmName")
    size, token = _size(ask, 50), ask.take("NextToken")
    if names and prefix:
        raise Refusal("ValidationError", "AlarmNames and AlarmNamePrefix cannot be used together")
    if children or parents:
        return _relatives(ask, str(children or ""), str(parents or ""), (size, token))
    found = [
        alarm
        for alarm in _alarms(ask, kinds)
        if (not names or alarm.name in names)
        and (not prefix or alarm.name.startswith(prefix))
        and (not state or alarm.state(ask.as_of).value == state)
        and (not action or any(one.startswith(action) for one in alarm.actions))
    ]
    return _paged(ask, found, size, token)


def _kinds(ask: Ask) -> set[str]:
    """Only metric alarms when none is named (API reference)."""
    given = set(ask.take("AlarmTypes") or ["MetricAlarm"])
    if given - _KINDS:
        raise NotModelled(f"AlarmTypes={sorted(given - _KINDS)}")
    return given


def _size(ask: Ask, default: int) -> int:
    size = int(ask.take("MaxRecords", default))
    if not 1 <= size <= _MOST:
        raise Refusal(
            "ValidationError", f"The value {size} for parameter MaxRecords must be between 1 and {_MOST}."
        )
    return size


def _paged(ask: Ask, found: list[Any], size: int, token: Any) -> Json:
    page, following = ask.page(found, size, token)
    answer: Json = {
        "MetricAlarms": [one.describe(ask.as_of) for one in page if isinstance(one, AlarmClock)],
        "CompositeAlarms": [one.describe(ask.as_of) for one in page if isinstance(one, Composite)],
    }
    if following:
        answer["NextToken"] = following
    return answer


def _relatives(ask: Ask, children: str, parents: str, page: tuple[int, Any]) -> Json:
    """The alarms that a composite alarm's rule names, or the composite alarms that name an alarm."""
    named = {one.name: one for one in _alarms(ask, _KINDS)}
    if children:
        held = named.get(children)
        wanted = {*held.names()} if isinstance(held, Composite) else set()
    else:
        wanted = {one.name for one in named.values() if isinstance(one, Composite) and parents in one.names()}
    shown = ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")
    answer = _paged(ask, [named[name] for name in sorted(wanted & set(named))], *page)
    for kind in ("MetricAlarms", "CompositeAlarms"):
        answer[kind] = [{key: one[key] for key in (shown if children else shown[:2])} for one in answer[kind]]
    return answer


def _alarms(ask: Ask, kinds: set[str]) -> list[Any]:
    held: list[Any] = []
    if "MetricAlarm" in kinds:
        held += ask.world.alarms.values()
    if "CompositeAlarm" in kinds:
        held += ask.world.composites.values()
    found = [alarm for alarm in held if alarm.region == ask.region and alarm.created <= ask.as_of]
    return sorted(found, key=lambda alarm: str(alarm.name))


@handles("cloudwatch", "DescribeAlarmHistory")
def describe_alarm_history(ask: Ask) -> Json:
    name, kind = ask.take("AlarmName"), ask.take("HistoryItemType")
    start, end = ask.take("StartDate"), ask.take("EndDate")
    kinds = _kinds(ask)
    newest = ask.take("ScanBy", "TimestampDescending") == "TimestampDescending"
    size, token = _size(ask, _MOST), ask.take("NextToken")
    items = [
        item
        for alarm in _alarms(ask, kinds)
        if name is None or alarm.name == name
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
    """Alarms on one metric; not those on an expression over it (API reference)."""
    namespace, metric = ask.need("Namespace"), ask.need("MetricName")
    dimensions = dimensions_of(ask.take("Dimensions", []))
    stat = ask.take("Statistic") or ask.take("ExtendedStatistic")
    period, unit = ask.take("Period"), ask.take("Unit")
    found = [
        alarm.describe(ask.as_of)
        for alarm in _alarms(ask, {"MetricAlarm"})
        if not alarm.queries
        and (alarm.namespace, alarm.metric, alarm.dimensions) == (namespace, metric, dimensions)
        and (stat is None or alarm.stat == stat)
        and (period is None or alarm.period == period)
        and unit is None
    ]
    return {"MetricAlarms": found}


@handles("cloudwatch", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    arn = ask.need("ResourceARN")
    thing = ask.world.things.get(arn)
    if thing is None or thing.kind != "alarm":
        raise Refusal("ResourceNotFoundException", f"Resource {arn} does not exist.", 404)
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(thing.tags(ask.as_of).items())]}
