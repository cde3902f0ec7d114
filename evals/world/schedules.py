"""When schedules fire: `rate(...)` and `cron(...)` expressions, by the minute (EventBridge user guide).

A rate begins when the rule is made; a cron fires somewhere within its minute. Of cron, minutes and hours are
understood: days, months and years must be `*` or `?`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from evals.world.seed import mix
from evals.world.traffic import Demand
from tools.errors import BadInput

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_DAY = 1440


@lru_cache(maxsize=256)
def _parsed(expression: str) -> tuple[int, frozenset[int]]:
    """(minutes between ticks of a rate, or 0; minutes of the day of a cron). Raises BadInput."""
    rate = _RATE.fullmatch(expression)
    if rate:
        return int(rate[1]) * _MINUTES[rate[2]], frozenset()
    cron = _CRON.fullmatch(expression)
    if cron is None or any(one not in ("*", "?") for one in cron.groups()[2:]):
        raise BadInput(
            f'"{expression}" is no schedule that worlds understand: rate(n minutes), cron(M H * * ? *).'
        )
    minutes, hours = _values(cron[1], 60), _values(cron[2], 24)
    return 0, frozenset(60 * hour + minute for hour in hours for minute in minutes)


def _values(field: str, size: int) -> set[int]:
    """The values of one field of a cron: "*", "5", "0,30", "0/15", "8-18"."""
    found: set[int] = set()
    for part in field.split(","):
        start, _, step = part.partition("/")
        first, _, last = start.partition("-")
        if first in ("*", "?"):
            low, high = 0, size - 1
        else:
            low = int(first)
            high = int(last) if last else (size - 1 if step else low)
        found |= set(range(low, high + 1, int(step or 1)))
    return found


def fires(expression: str, minute: int, phase: int) -> bool:
    """Whether a schedule fires in a minute since the epoch. `phase`: the minute in which its rate began."""
    every, minutes = _parsed(expression)
    return (minute - phase) % every == 0 if every else minute % _DAY in minutes


def per_minute(expression: str) -> float:
    """How often it fires, on the average."""
    every, minutes = _parsed(expression)
    return 1 / every if every else len(minutes) / _DAY


@dataclass(frozen=True)
class Ticks(Demand):
    """The demand that a schedule makes: one request at each tick, always at the same second of its minute."""

    expression: str = "rate(1 hour)"
    phase: int = 0

    def expected(self, second: float) -> float:
        return per_minute(self.expression) / 60

    def minute(self, minute: int) -> int:
        return 1 if fires(self.expression, minute, self.phase) else 0

    def seconds(self, minute: int) -> list[int]:
        counts = [0] * 60
        counts[mix(self.salt, self.phase, 19) % 50] = self.minute(minute)
        return counts
