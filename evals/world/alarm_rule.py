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
_WIDER = 2  # the user guide's tables show a range of 5 for 3 evaluation periods; the exact number is not documented
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
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
        return COMPARISONS[self.how](value, self.limit)

    @property
    def range(self) -> int:
        """How many periods are looked at: some more than count, to find datapoints where some are missing."""
        return self.periods + _WIDER

    def _real(self, values: Sequence[float | None]) -> list[tuple[int, float]]:
        """(age, value) of the newest datapoints that count, newest first; the newest period has age 1."""
        found = [(age, value) for age, value in enumerate(reversed(values), 1) if value is not None]
        return found[: self.periods]

    def used(self, values: Sequence[float | None]) -> int:
        """How many of the newest periods decided."""
        real = self._real(values)
        return max(self.periods, real[-1][0] if len(real) == self.periods else 0)

    def follows(self, values: Sequence[float | None], now: str) -> str:
        """The state that follows `now` when these are the datapoints of the range, None where there is none.

        Missing ones count only when the range holds fewer than `periods` datapoints. All of them breaching, with the
        oldest at least `needed` periods old, is an alarm even when they are few; younger ones may still be followed
        by a good one, and the state stays.
        """
        real = self._real(values)
        absent = self.periods - len(real)
        test, limit = COMPARISONS[self.how], self.limit
        breaching = sum([test(value, limit) for _, value in real])
        if breaching + (absent if self.missing == "breaching" else 0) >= self.needed:
            return "ALARM"
        if absent == 0 or self.missing in ("notBreaching", "breaching"):
            return "OK"
        if not real:
            return "INSUFFICIENT_DATA" if self.missing == "missing" else now
        if breaching < len(real):
            return "OK"
        return "ALARM" if self.missing == "missing" and real[-1][0] >= self.needed else now


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
