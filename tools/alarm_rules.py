"""AWS's rules for the state of a CloudWatch alarm, as pure functions.

AWS source: user guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.clock import floor
from tools.models import Alarm, AlarmState, Series

WhyRed = Literal["dynamodb_ignores_missing", "ignores_missing", "not_evaluated_yet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """An alarm that is red without reason. No datapoint has breached since `quiet_since`.

    `at_least` says that the quiet may have begun earlier than the series shows.
    """

    quiet_since: datetime
    last_breach: datetime | None  # start of the last breaching period
    why: WhyRed
    at_least: bool = False


def breaches(value: float, comparison: str, threshold: float) -> bool | None:
    """Whether a value breaches; None for comparisons with a band, which no single threshold decides."""
    match comparison:
        case "GreaterThanThreshold":
            return value > threshold
        case "GreaterThanOrEqualToThreshold":
            return value >= threshold
        case "LessThanThreshold":
            return value < threshold
        case "LessThanOrEqualToThreshold":
            return value <= threshold
    return None


def evaluate(found: Alarm, series: Series, at: datetime) -> AlarmState:
    """The state the alarm should have at `at` by AWS's rules; its present state where the rules keep it.

    The latest N datapoints of the last N + 2 whole periods decide (5 for N = 3 in the user guide's tables).
    Missing ones count only when fewer than N are there. Expressions and bands are not evaluated: the present
    state.
    """
    if found.expression or breaches(0.0, found.comparison, found.threshold) is None:
        return found.state
    slots = _slots(found, series, at)
    bad = [slot and breaches(slot[0], found.comparison, found.threshold) for slot in slots]
    real = [one for one in bad if one is not None][-found.evaluation_periods :]
    breaching, absent = real.count(True), found.evaluation_periods - len(real)
    treat = _treatment(found)
    if treat == "breaching":
        breaching += absent
    if breaching >= found.datapoints_to_alarm:
        return "ALARM"
    if absent == 0 or treat in ("breaching", "notBreaching") or False in real:
        return "OK"
    if treat == "ignore":
        return found.state
    if not real:
        return "INSUFFICIENT_DATA"
    # Premature alarm: all that came was breaching, and the first of it is at least M periods old.
    oldest = len(bad) - bad.index(True)
    return "ALARM" if oldest >= found.datapoints_to_alarm else "OK"


def _treatment(found: Alarm) -> str:
    # API reference of PutMetricAlarm: alarms on AWS/DynamoDB ignore missing data whatever they are set to.
    return "ignore" if found.metric.namespace == "AWS/DynamoDB" else found.treat_missing


def _slots(found: Alarm, series: Series, at: datetime) -> list[tuple[float] | None]:
    """The last N + 2 whole periods before `at`, oldest first; None where no datapoint is."""
    period = timedelta(seconds=found.metric.period)
    end = floor(at, found.metric.period)
    count = found.evaluation_periods + 2
    slots: list[tuple[float] | None] = [None] * count
    for moment, value in series.points:
        back = -((moment - end) // period)  # 1 for the newest period
        if 1 <= back <= count:
            slots[count - back] = (value,)
    return slots


def stale(found: Alarm, series: Series, as_of: datetime) -> Stale | None:
    """An alarm still red though nothing has breached for N + 2 periods; None when it is red for a reason.

    `series` is of the alarm's metric and reaches up to `as_of`.
    """
    if found.state != "ALARM" or found.expression:
        return None
    slots = _slots(found, series, as_of)
    if any(slot and breaches(slot[0], found.comparison, found.threshold) is not False for slot in slots):
        return None
    treat = _treatment(found)
    silent = all(slot is None for slot in slots)
    if treat == "breaching" and evaluate(found, series, as_of) == "ALARM":
        return None
    breaching = [m for m, v in series.points if m < as_of and breaches(v, found.comparison, found.threshold)]
    period = timedelta(seconds=found.metric.period)
    quiet = breaching[-1] + period if breaching else series.window.start
    why: WhyRed = "not_evaluated_yet"
    if silent and treat == "ignore":
        dynamodb = found.metric.namespace == "AWS/DynamoDB"
        why = "dynamodb_ignores_missing" if dynamodb else "ignores_missing"
    last = breaching[-1] if breaching else None
    return Stale(quiet_since=quiet, last_breach=last, why=why, at_least=not breaching)
