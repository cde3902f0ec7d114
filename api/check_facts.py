"""What a check reads: the setting that broke things, the symptom of late, the alarm. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from graph.words import number, say
from tools.models import Gap, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A change of the setting after the bad one. `value` is None when the event hides or unsets it."""

    id: str
    time: datetime
    operation: str
    by: str
    value: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The setting that broke things, as read now. `live` counts only when `seen`; `unset` means none."""

    name: str  # "maximum write throughput of orders"
    live: Value
    seen: bool
    bad: Value
    prior: Value = None
    prior_known: bool = False
    unset: Value = None
    later: tuple[Later, ...] = ()  # oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """The incident's metric of late, oldest first. `known` is False when AWS gave no answer."""

    name: str
    period: int  # seconds
    points: tuple[tuple[datetime, float], ...]
    known: bool = True
    bad: Literal["up", "down", ""] = "up"
    normal: float | None = None
    incident: float | None = None  # the level while it lasted
    limit: float | None = None  # the alarm's threshold
    comparison: str = ""  # the alarm's: GreaterThanThreshold, ...

    def hurts(self, value: float) -> bool | None:
        """Whether a value is bad: by the alarm's rule, else by how near it is to the incident's level."""
        if self.limit is not None and self.comparison in _BREACHES:
            return bool(_BREACHES[self.comparison](value, self.limit))
        if self.normal is None or self.incident is None or not self.bad:
            return None
        share = 0.1 if self.normal else 0.01  # what is normally absent has no noise
        line = self.normal + share * (self.incident - self.normal)
        return value > line if self.bad == "up" else value < line


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is asked of the resource: usual sum per period before the incident, and the latest sums, oldest first."""

    name: str
    before: float
    recent: tuple[float, ...]  # a period without a datapoint is 0

    @property
    def gone(self) -> bool:
        return self.before > 0 and bool(self.recent) and not any(self.recent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another alarm of the blast radius that is red now. `since` is when it turned so."""

    name: str
    since: datetime
    before: bool = False  # it was red before the incident began
    stays_red: bool = False  # it keeps its state while its metric is quiet


_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a check read. No setting: the cause has none to put back."""

    setting: Setting | None = None
    also: tuple[Setting, ...] = ()  # of the other true causes
    beside: tuple[Beside, ...] = ()  # other red alarms of the blast radius
    symptom: Symptom | None = None
    traffic: Traffic | None = None  # None where no metric tells it
    alarm: str = ""
    alarm_state: str = ""
    stays_red: bool = False  # the alarm is known not to clear by itself
    gaps: tuple[Gap, ...] = ()


def same(one: Value, other: Value, unset: Value = None) -> bool:
    """Whether two values of a setting are equal, however spelt: 250 and 250.0, none and what means none."""
    one, other = (unset if value is None else value for value in (one, other))
    first, second = _number(one), _number(other)
    if first is not None and second is not None:
        return abs(first - second) <= 1e-9 * max(1.0, abs(first))
    if one is None or other is None:
        return one is other
    return str(one).lower() == str(other).lower()


def _number(value: Value) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None


def shown(value: Value) -> str:
    """A setting's value for people."""
    if value is None:
        return say("not set")
    return (
        number(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    )
