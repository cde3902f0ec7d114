"""Why an alarm is in its state, in the words and the JSON of CloudWatch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from evals.world.alarm_rule import Rule
from tools.models import Json

_WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


class Evaluation(NamedTuple):
    """What one evaluation saw: (epoch second, value or None) oldest first, and the state that follows."""

    points: list[tuple[int, float | None]]
    value: str


def words(seen: Evaluation, rule: Rule, old: str) -> str:
    """StateReason."""
    needed, periods = rule.needed, rule.periods
    if seen.value == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {periods} datapoints were unknown."
    wanted = [
        (start, value)
        for start, value in seen.points
        if value is not None and rule.breaches(value) == (seen.value == "ALARM")
    ]
    if not wanted:
        treated = "Breaching" if seen.value == "ALARM" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {periods} periods and {periods} missing "
            f"datapoints were treated as [{treated}]."
        )
    listed = ", ".join(
        f"{_number(value)} ({datetime.fromtimestamp(start, UTC):%d/%m/%y %H:%M:%S})"
        for start, value in wanted
    )
    verb = "was" if len(wanted) == 1 else "were"
    negation = "" if seen.value == "ALARM" else "not "
    noun = "datapoint" if periods == 1 else "datapoints"
    return (
        f"Threshold Crossed: {len(wanted)} out of the last {periods} {noun} [{listed}] {verb} "
        f"{negation}{_WORDS[rule.how]} the threshold ({_number(rule.limit)}) (minimum {needed} "
        f"{'datapoint' if needed == 1 else 'datapoints'} for {old} -> {seen.value} transition)."
    )


def data(seen: Evaluation, rule: Rule, moment: datetime, stat: str, period: int) -> str:
    """StateReasonData. `stat` is empty for an alarm on an expression."""
    made: Json = {
        "version": "1.0",
        "queryDate": long(moment),
        "startDate": long(datetime.fromtimestamp(seen.points[0][0], UTC)),
    }
    if stat:
        made["statistic" if stat[0] != "p" else "extendedStatistic"] = stat
    made |= {
        "period": period,
        "recentDatapoints": [value for _, value in seen.points if value is not None],
        "threshold": rule.limit,
        "evaluatedDatapoints": [
            {"timestamp": long(datetime.fromtimestamp(start, UTC))}
            | ({"value": value} if value is not None else {})
            for start, value in reversed(seen.points)
        ],
    }
    return json.dumps(made)


def _number(value: float) -> str:
    return repr(round(float(value), 4))


def long(moment: datetime) -> str:
    """A time as it stands inside CloudWatch's JSON texts."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
