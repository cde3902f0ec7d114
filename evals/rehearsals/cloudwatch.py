"""Alarms: PutMetricAlarm replaces the whole alarm, so all of it is compared."""

from __future__ import annotations

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay
from evals.rehearsals._spec import Ids, Item, Seeder, chosen, do
from tools.models import Json

_MEMBERS = (
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
    "ThresholdMetricId",
)


def _make(emulation: Emulation, item: Item) -> Ids:
    held = {name: item.get(name) for name in _MEMBERS if item.get(name) not in (None, "", [])}
    do(emulation, "cloudwatch", "PutMetricAlarm", item.region, AlarmName=item.name, **held)
    if item.get("ActionsEnabled") is False:
        do(emulation, "cloudwatch", "DisableAlarmActions", item.region, AlarmNames=[item.name])
    return {}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    """The alarm. Of missing data "missing" is the default, of datapoints to alarm all."""
    shown = do(emulation, "cloudwatch", "DescribeAlarms", item.region, AlarmNames=[item.name])
    if not shown["MetricAlarms"]:
        return {}
    alarm = chosen(shown["MetricAlarms"][0], *_MEMBERS)
    alarm.setdefault("TreatMissingData", "missing")
    alarm.setdefault("DatapointsToAlarm", alarm.get("EvaluationPeriods"))
    return {name: value for name, value in alarm.items() if value not in ("", [])}


SEEDERS = (Seeder(kind="alarm", service="cloudwatch", paths=_MEMBERS, make=_make, read=_read),)


def _lay(lay: Lay) -> None:
    """An alarm of that name, where the event is not what makes it."""
    if lay.event.operation != "PutMetricAlarm":
        names = lay.told("alarmNames", default=[lay.told("alarmName")])
        for name in names:
            lay.do(
                "cloudwatch", "PutMetricAlarm", AlarmName=name, MetricName="Errors", Namespace="AWS/Lambda",
                Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1.0,
                ComparisonOperator="GreaterThanThreshold",
            )  # fmt: skip


GROUNDS = (Ground(service="cloudwatch", lay=_lay, untold=("DescribeAlarmHistory",)),)
