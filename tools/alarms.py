"""CloudWatch alarms: what they watch, their history, and AWS's rules for their state.

AWS source: DescribeAlarms and DescribeAlarmHistory (kept 30 days); user guide, "Evaluating an alarm" and
"Configuring how CloudWatch alarms treat missing data". Evaluation here is pure: it says what the state
should be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from tools.alarm_rules import Stale, breaches, evaluate, stale
from tools.arn import parse
from tools.clock import floor
from tools.models import Alarm, AlarmState, AlarmTransition, AlarmUpdate, Json, Metric

if TYPE_CHECKING:
    from tools.aws import Reader

__all__ = [
    "Stale",
    "alarm",
    "breaches",
    "configuration_before",
    "evaluate",
    "find_alarms",
    "in_region",
    "stale",
]

_HISTORY_DAYS = 30
_SHOWS_HISTORY = "when the alarm changed its state, and earlier thresholds"
_THRESHOLD_IN_REASON = re.compile(r"threshold \((-?[\d.]+(?:[eE][+-]?\d+)?)\)")
_CHILD = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")
_STATES: Mapping[str, AlarmState] = {"OK": "OK", "ALARM": "ALARM", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}


def alarm(reader: Reader, name: str, region: str = "") -> Alarm | None:
    """The alarm with its history, or None when there is none of that name, or nothing to measure behind it.

    In the second case, and when history is refused, the reader holds a gap. A composite alarm and metric
    math are kept when one metric stands behind them: then `expression` is set and `evaluate` cannot judge
    them. Raises Refused when DescribeAlarms itself is refused.
    """
    answer = reader.ask(
        "cloudwatch",
        "DescribeAlarms",
        region=region,
        AlarmNames=[name],
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
    )
    for raw in answer.data.get("MetricAlarms") or []:
        found = _metric_alarm(reader, raw, answer.evidence)
        return None if found is None else _with_history(reader, found, "MetricAlarm", region)
    for raw in answer.data.get("CompositeAlarms") or []:
        found = _composite(reader, raw, answer.evidence, region)
        return None if found is None else _with_history(reader, found, "CompositeAlarm", region)
    return None


def find_alarms(
    reader: Reader, *, prefix: str = "", state: AlarmState | None = None, region: str = "", pages: int = 20
) -> tuple[Alarm, ...]:
    """Metric alarms without their history, by name. Raises Refused; more than `pages` of 100 become a gap."""
    narrow: Json = ({"AlarmNamePrefix": prefix} if prefix else {}) | ({"StateValue": state} if state else {})
    found = reader.pages(
        "cloudwatch",
        "DescribeAlarms",
        "MetricAlarms",
        limit=pages,
        region=region,
        AlarmTypes=["MetricAlarm"],
        MaxRecords=100,
        **narrow,
    )
    if not found.complete:
        reader.missing("alarms", f"there are more than {len(found.items)}", "further alarms", code="TooMuch")
    made = (_metric_alarm(reader, raw, found.of(i, 100)) for i, raw in enumerate(found.items))
    return tuple(sorted((one for one in made if one is not None), key=lambda one: one.name))


def in_region(reader: Reader, name: str, regions: Sequence[str]) -> tuple[str, ...]:
    """Those of `regions` that have an alarm of that name. A refused region becomes a gap."""
    there = []
    for region in regions:
        with reader.seeing(f"alarms in {region}", f"whether {name} is there"):
            answer = reader.ask(
                "cloudwatch",
                "DescribeAlarms",
                region=region,
                AlarmNames=[name],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            if answer.data.get("MetricAlarms") or answer.data.get("CompositeAlarms"):
                there.append(region)
    return tuple(there)


def _metric_alarm(reader: Reader, raw: Json, evidence: str) -> Alarm | None:
    metric, expression = _metric_of(raw)
    name = str(raw.get("AlarmName", ""))
    if metric is None:
        reader.missing(
            f"alarm {name}",
            "it watches an expression without a metric of its own (a query or another account's data)",
            "what the alarm measures",
            "Name the resource instead.",
            "NoMetric",
        )
        return None
    return _alarm(raw, metric, expression, evidence)


def _metric_of(raw: Json) -> tuple[Metric | None, str]:
    """The metric behind an alarm and, for metric math, the expression that its threshold is compared with."""
    if raw.get("MetricName"):
        return _metric(raw, raw.get("Statistic") or raw.get("ExtendedStatistic"), raw.get("Period")), ""
    queries = raw.get("Metrics") or []
    stats = {query["Id"]: query["MetricStat"] for query in queries if query.get("MetricStat")}
    sums = {query["Id"]: str(query["Expression"]) for query in queries if query.get("Expression")}
    returned = next((query["Id"] for query in queries if query.get("ReturnData")), "")
    expression = sums.get(returned) or next(iter(sums.values()), "")
    if not stats:
        return None, expression
    # The first metric that the expression names is what it is about: errors in errors/requests.
    named = [word for word in re.findall(r"\b[a-z][A-Za-z0-9_]*\b", expression) if word in stats]
    chosen = stats[named[0] if named else next(iter(stats))]
    what = chosen.get("Metric") or {}
    return _metric(what, chosen.get("Stat"), chosen.get("Period")), expression


def _metric(what: Json, stat: Any, period: Any) -> Metric:
    dimensions = sorted((str(one["Name"]), str(one["Value"])) for one in what.get("Dimensions") or [])
    return Metric(
        namespace=str(what.get("Namespace", "")),
        name=str(what.get("MetricName", "")),
        dimensions=tuple(dimensions),
        stat=str(stat or "Average"),
        period=int(period or 60),
    )


def _alarm(raw: Json, metric: Metric, expression: str, evidence: str) -> Alarm:
    arn = parse(str(raw["AlarmArn"]))
    updated = _time(raw.get("AlarmConfigurationUpdatedTimestamp")) or datetime.fromtimestamp(0, UTC)
    periods = int(raw.get("EvaluationPeriods") or 1)
    since = _time(raw.get("StateTransitionedTimestamp")) or _time(raw.get("StateUpdatedTimestamp")) or updated
    return Alarm(
        arn=str(raw["AlarmArn"]),
        name=str(raw["AlarmName"]),
        account=arn.account,
        region=arn.region,
        metric=metric,
        comparison=str(raw.get("ComparisonOperator", "")),
        threshold=float(raw.get("Threshold") or 0.0),
        evaluation_periods=periods,
        datapoints_to_alarm=int(raw.get("DatapointsToAlarm") or periods),
        treat_missing=str(raw.get("TreatMissingData") or "missing"),
        state=_STATES.get(str(raw.get("StateValue")), "INSUFFICIENT_DATA"),
        state_since=since,
        state_reason=str(raw.get("StateReason", "")),
        updated=updated,
        actions_enabled=bool(raw.get("ActionsEnabled", True)),
        expression=expression or ("anomaly detection band" if raw.get("ThresholdMetricId") else ""),
        evidence=(evidence,),
    )


def _composite(reader: Reader, raw: Json, evidence: str, region: str) -> Alarm | None:
    """A composite alarm stands on the children that fired it; one is followed, the others are a gap."""
    name, rule = str(raw["AlarmName"]), str(raw.get("AlarmRule", ""))
    triggers = _json(raw.get("StateReasonData")).get("triggeringAlarms") or []
    fired = [str(one.get("arn", "")) for one in triggers]
    names = list(dict.fromkeys(_bare(child) for child in (fired or _CHILD.findall(rule))))
    children = []
    with reader.seeing(f"alarms behind {name}", "what the composite alarm stands on"):
        children = _children(reader, names, region)
    if not children:
        reader.missing(f"alarm {name}", f"no metric alarm behind its rule was found: {rule}", code="NoMetric")
        return None
    first = children[0]
    if len(children) > 1:
        others = ", ".join(child.name for child in children[1:])
        why = f"{len(children)} alarms stand behind it; {first.name} is followed, not {others}"
        reader.missing(f"alarm {name}", why, "the other symptoms", code="Composite")
    own = _alarm(raw, first.metric, rule, evidence)
    return replace(
        own,
        comparison=first.comparison,
        threshold=first.threshold,
        evaluation_periods=first.evaluation_periods,
        datapoints_to_alarm=first.datapoints_to_alarm,
        treat_missing=first.treat_missing,
        evidence=own.evidence + first.evidence,
    )


def _children(reader: Reader, names: Sequence[str], region: str) -> list[Alarm]:
    """Children in ALARM first, then by how long they are in their state."""
    if not names:
        return []
    some = list(names[:100])
    answer = reader.ask(
        "cloudwatch", "DescribeAlarms", region=region, AlarmNames=some, AlarmTypes=["MetricAlarm"]
    )
    made = [_metric_alarm(reader, raw, answer.evidence) for raw in answer.data.get("MetricAlarms") or []]
    found = [one for one in made if one is not None]
    return sorted(found, key=lambda one: (one.state != "ALARM", one.state_since, one.name))


def _bare(child: str) -> str:
    return child.split(":alarm:", 1)[-1].strip()


def _with_history(reader: Reader, found: Alarm, kind: str, region: str) -> Alarm:
    transitions: tuple[AlarmTransition, ...] = ()
    updates: tuple[AlarmUpdate, ...] = ()
    evidence = found.evidence
    with reader.seeing(f"history of alarm {found.name}", _SHOWS_HISTORY):
        items, read = _history(reader, found.name, "StateUpdate", kind, region)
        transitions, evidence = tuple(_transitions(items, found.comparison)), evidence + read
    with reader.seeing(f"configuration history of alarm {found.name}", _SHOWS_HISTORY):
        items, read = _history(reader, found.name, "ConfigurationUpdate", kind, region)
        updates, evidence = tuple(_updates(items)), evidence + read
    return replace(found, transitions=transitions, updates=updates, evidence=evidence)


def _history(
    reader: Reader, name: str, item_type: str, kind: str, region: str
) -> tuple[list[Json], tuple[str, ...]]:
    pages = reader.pages(
        "cloudwatch",
        "DescribeAlarmHistory",
        "AlarmHistoryItems",
        limit=5,
        region=region,
        AlarmName=name,
        AlarmTypes=[kind],
        HistoryItemType=item_type,
        StartDate=floor(reader.as_of - timedelta(days=_HISTORY_DAYS), 60),
        EndDate=reader.as_of,
        MaxRecords=100,
        ScanBy="TimestampDescending",
    )
    items = sorted(pages.items, key=lambda item: item["Timestamp"], reverse=True)
    return [item for item in items if item.get("HistoryItemType") == item_type], pages.evidence


def _transitions(items: Sequence[Json], comparison: str) -> Iterator[AlarmTransition]:
    for item in items:
        data = _json(item.get("HistoryData"))
        old, new = data.get("oldState") or {}, data.get("newState") or {}
        if new.get("stateValue") not in _STATES:
            continue
        yield AlarmTransition(
            time=_aware(item["Timestamp"]),
            old=_STATES.get(str(old.get("stateValue")), "INSUFFICIENT_DATA"),
            new=_STATES[new["stateValue"]],
            reason=str(new.get("stateReason") or item.get("HistorySummary", "")),
            breaching=tuple(_named_breaches(_json(new.get("stateReasonData")), comparison)),
        )


def _named_breaches(data: Json, comparison: str) -> Iterator[tuple[datetime, float]]:
    """Breaching datapoints of a StateReasonData, oldest first.

    `evaluatedDatapoints` carries times, newest first; older items have only `recentDatapoints`, oldest
    first without gaps, whose times follow from `startDate` when none is missing.
    """
    threshold = data.get("threshold")
    points = [
        (_time(one.get("timestamp")), one.get("value"))
        for one in reversed(data.get("evaluatedDatapoints") or [])
    ]
    start, period = _time(data.get("startDate")), int(data.get("period") or 60)
    if not points and start is not None:
        recent = data.get("recentDatapoints") or []
        points = [(start + timedelta(seconds=period * n), value) for n, value in enumerate(recent)]
    for moment, value in points:
        if moment is None or value is None:
            continue
        if threshold is None or breaches(float(value), comparison, float(threshold)) is not False:
            yield moment, float(value)


def _updates(items: Sequence[Json]) -> Iterator[AlarmUpdate]:
    """HistoryData of a configuration update: createdAlarm, updatedAlarm (often with originalUpdatedFields) or
    deletedAlarm."""
    kinds: Mapping[str, Literal["Create", "Update", "Delete"]] = {
        "Create": "Create",
        "Update": "Update",
        "Delete": "Delete",
    }
    for item in items:
        data = _json(item.get("HistoryData"))
        kind = kinds.get(str(data.get("type")))
        if kind is None:
            continue
        member = {"Create": "createdAlarm", "Update": "updatedAlarm", "Delete": "deletedAlarm"}[kind]
        config = dict(data.get(member) or {})
        if data.get("originalUpdatedFields"):
            config["originalUpdatedFields"] = data["originalUpdatedFields"]
        threshold = None if kind == "Delete" else _number(config.get("threshold"))
        yield AlarmUpdate(time=_aware(item["Timestamp"]), kind=kind, threshold=threshold, config=config)


def configuration_before(found: Alarm, at: datetime) -> AlarmUpdate | None:
    """The alarm's configuration that held just before `at`, from its own history; None when history says
    nothing.

    In this order: the last update before `at`; the fields that the first update since then says it
    replaced; the threshold that the last state change before `at` names (then `config` holds only the
    threshold).
    """
    earlier = [update for update in found.updates if update.time < at]
    if earlier:
        last = max(earlier, key=lambda update: update.time)
        return None if last.kind == "Delete" else last
    later = min((update for update in found.updates if update.time >= at), key=lambda u: u.time, default=None)
    if later is not None and later.config.get("originalUpdatedFields"):
        config = {**later.config, **later.config["originalUpdatedFields"]}
        config.pop("originalUpdatedFields")
        return AlarmUpdate(time=at, kind="Update", threshold=_number(config.get("threshold")), config=config)
    for transition in sorted(found.transitions, key=lambda one: one.time, reverse=True):
        named = _THRESHOLD_IN_REASON.search(transition.reason)
        if transition.time < at and named:
            value = float(named.group(1))
            config = {"threshold": value}
            return AlarmUpdate(time=transition.time, kind="Update", threshold=value, config=config)
    return None


def _json(text: Any) -> Json:
    """A JSON object that AWS gives as text in one place and as an object in another; {} for anything else."""
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except json.JSONDecodeError:
            return {}
    return text if isinstance(text, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(value: Any) -> datetime | None:
    """A datetime of boto3, or CloudWatch's own text: 2026-03-13T17:16:00.000+0000."""
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, str):
        try:
            return _aware(datetime.strptime(value.replace("Z", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z"))
        except ValueError:
            return None
    return None
