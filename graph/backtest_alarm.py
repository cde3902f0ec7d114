"""When an alarm that does not exist yet would have fired, by CloudWatch's own rule over the recorded metric. Pure.

Known: one metric with a statistic, or `FILL(m, 0)` of one. Other expressions, bands and composite alarms raise
CannotTry.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.backtest_rules import CannotTry
from tools.alarm_rules import breaches, evaluate
from tools.metrics import fill_zero
from tools.models import Alarm, AlarmState, Json, Metric, Series, Window

COARSE = 3600
"""Period, in seconds, in which the days before are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An alarm to try: `filled` says that missing datapoints count as 0."""

    alarm: Alarm
    filled: bool = False

    @property
    def metric(self) -> Metric:
        return self.alarm.metric

    def coarse(self) -> Metric:
        """The hourly series that breaches whenever a period of the alarm's own does."""
        above = self.alarm.comparison.startswith("Greater")
        if self.metric.stat in ("Sum", "SampleCount"):
            if not above:
                raise CannotTry("a sum that falls cannot be judged by the hour")
            stat = self.metric.stat
        else:
            stat = "Maximum" if above else "Minimum"
        return replace(self.metric, stat=stat, period=max(COARSE, self.metric.period))

    def crossed(self, series: Series, until: datetime) -> int:
        """How many periods of a coarse series before `until` hold a breach."""
        found = (
            breaches(value, self.alarm.comparison, self.alarm.threshold)
            for at, value in series.points
            if at + timedelta(seconds=series.metric.period) <= until
        )
        return sum(one is True for one in found)

    def states(self, series: Series) -> tuple[tuple[datetime, AlarmState], ...]:
        """(end of the period, state entered) over the series, beginning from OK."""
        whole = fill_zero(series) if self.filled else series
        return tuple(_states(self.alarm, whole))


def trial(artefact: Json) -> Trial:
    """The alarm that PutMetricAlarm would make of `artefact`. Raises CannotTry."""
    metric, filled = _metric(artefact)
    comparison, threshold = str(artefact.get("ComparisonOperator")), artefact.get("Threshold")
    if not isinstance(threshold, int | float) or breaches(0.0, comparison, 0.0) is None:
        raise CannotTry("the alarm has no single threshold")
    periods = int(artefact["EvaluationPeriods"])
    never = datetime.min
    return Trial(
        alarm=Alarm(
            arn="", name=str(artefact.get("AlarmName", "")), account="", region="", metric=metric,
            comparison=comparison, threshold=float(threshold), evaluation_periods=periods,
            datapoints_to_alarm=int(artefact.get("DatapointsToAlarm") or periods),
            treat_missing=str(artefact.get("TreatMissingData", "missing")),
            state="OK", state_since=never, state_reason="", updated=never,
        ),
        filled=filled,
    )  # fmt: skip


def _metric(artefact: Json) -> tuple[Metric, bool]:
    queries = artefact.get("Metrics")
    if queries is None:
        stat = artefact.get("Statistic") or artefact.get("ExtendedStatistic")
        return _series(artefact, str(stat), int(artefact["Period"])), False
    returned = [one for one in queries if one.get("ReturnData", True)]
    held = {one["Id"]: one["MetricStat"] for one in queries if "MetricStat" in one}
    if len(queries) != 2 or len(returned) != 1 or len(held) != 1:
        raise CannotTry("the alarm's expression is not known here")
    ((name, stat),) = held.items()
    if str(returned[0].get("Expression", "")).replace(" ", "") != f"FILL({name},0)":
        raise CannotTry("the alarm's expression is not known here")
    # AWS's rule for AWS/DynamoDB (missing data is ignored) does not come into play: FILL leaves none missing.
    return _series(stat["Metric"], str(stat["Stat"]), int(stat["Period"])), True


def _series(data: Json, stat: str, period: int) -> Metric:
    listed = data.get("Dimensions") or []
    return Metric(
        namespace=data["Namespace"],
        name=data["MetricName"],
        dimensions=tuple(sorted((one["Name"], one["Value"]) for one in listed)),
        stat=stat,
        period=period,
    )


def _states(alarm: Alarm, series: Series) -> Iterator[tuple[datetime, AlarmState]]:
    period = timedelta(seconds=alarm.metric.period)
    reach = (alarm.evaluation_periods + 3) * period
    times = [at for at, _ in series.points]
    now, at = alarm, series.window.start + period * alarm.evaluation_periods
    while at <= series.window.end:
        near = series.points[bisect_left(times, at - reach) : bisect_left(times, at)]
        part = replace(series, points=near, window=Window(start=at - reach, end=at))
        state = evaluate(now, part, at)
        if state != now.state:
            yield at, state
            now = replace(now, state=state)
        at += period
