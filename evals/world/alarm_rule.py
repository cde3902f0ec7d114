"""What decides an alarm's state: M of N datapoints over a threshold, and what missing ones count as.

User guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import ge, gt, le, lt
from typing import NamedTuple

from evals.world.steps import Settings

NAMES = ("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData")
_TESTS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": gt,
    "GreaterThanOrEqualToThreshold": ge,
    "LessThanThreshold": lt,
    "LessThanOrEqualToThreshold": le,
}


class Rule(NamedTuple):
    """The settings that decide, as they are at one moment."""

    periods: int
    needed: int
    limit: float
    how: str
    missing: str  # breaching, notBreaching, ignore or missing

    def breaches(self, value: float) -> bool:
        return _TESTS[self.how](value, self.limit)

    def follows(self, values: Sequence[float | None], now: str) -> str:
        """The state that follows `now` when these are the datapoints, None where there is none."""
        real = [value for value in values if value is not None]
        absent = len(values) - len(real)
        test, limit = _TESTS[self.how], self.limit
        breaching = sum([test(value, limit) for value in real])
        if self.missing == "breaching":
            breaching += absent
        if breaching >= self.needed:
            return "ALARM"
        if self.missing in ("notBreaching", "breaching") or breaching + absent < self.needed:
            return "OK"
        return "INSUFFICIENT_DATA" if self.missing == "missing" and not real else now


def rule_at(settings: Settings, moment: datetime, ignores_missing: bool) -> Rule:
    periods, needed, limit, how, missing = (settings.at(name, moment) for name in NAMES)
    missing = "ignore" if ignores_missing else str(missing)
    return Rule(int(periods), int(needed), float(limit), str(how), missing)


def next_change(settings: Settings, moment: datetime) -> float:
    """The epoch second at which one of the settings changes next, or infinity."""
    later = [
        since.timestamp()
        for name in NAMES
        if name in settings.steps
        for since in settings.steps[name].since
        if since > moment
    ]
    return min(later, default=float("inf"))
