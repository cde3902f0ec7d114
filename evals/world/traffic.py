"""Demand: requests per minute and second by formula, for any moment, without state.

Daily rhythm, a calmer weekend and noise, all fixed by a salt. Minutes are whole minutes since the epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from evals.world.seed import mix


@dataclass(frozen=True, slots=True)
class Pulse:
    """Traffic multiplied by `factor` from `start` to `end` (epoch seconds), rising over `ramp` seconds."""

    start: float
    end: float
    factor: float
    ramp: float = 60.0

    def at(self, second: float) -> float:
        if not self.start <= second < self.end:
            return 1.0
        rise = min(1.0, (second - self.start + 1) / self.ramp) if self.ramp else 1.0
        return 1.0 + (self.factor - 1.0) * rise


@dataclass(frozen=True)
class Demand:
    """Requests that want to be served. `rate` per second at `anchor` (epoch second), before noise."""

    rate: float
    anchor: float
    salt: int
    amplitude: float = 0.3
    noise: float = 0.03
    weekend: float = 0.88
    pulses: tuple[Pulse, ...] = ()

    @cached_property
    def _at_anchor(self) -> float:
        return self._shape(self.anchor)

    def _shape(self, second: float) -> float:
        day = second / 86400.0
        phase = (self.salt % 1000) / 1000.0
        rhythm = 1.0 + self.amplitude * math.sin(2 * math.pi * (day + phase))
        weekday = int(day + 4) % 7  # 1 January 1970 was a Thursday; 0 is Sunday
        return rhythm * (self.weekend if weekday in (0, 6) else 1.0)

    def expected(self, second: float) -> float:
        """Requests per second without noise."""
        value = self.rate * self._shape(second) / self._at_anchor
        for pulse in self.pulses:
            value *= pulse.at(second)
        return value

    def minute(self, minute: int) -> int:
        """Requests in a minute."""
        return sum(self.seconds(minute)) if self.pulses and self._pulsed(minute) else self._plain(minute)

    def seconds(self, minute: int) -> list[int]:
        """Requests in each of the 60 seconds of a minute; their sum is `minute`."""
        if self._pulsed(minute):
            noise = self._noise(minute)
            return [
                round(self.expected(minute * 60 + second) * noise) + _jitter(self.salt, minute, second)
                for second in range(60)
            ]
        total = self._plain(minute)
        base, rest = divmod(total, 60)
        counts = [base + (1 if (second * rest) % 60 < rest else 0) for second in range(60)]
        swing = base // 8
        for second in range(0, 60, 2):
            move = min(mix(self.salt, minute, second) % (swing + 1), counts[second + 1])
            counts[second] += move
            counts[second + 1] -= move
        return counts

    def _noise(self, minute: int) -> float:
        return 1.0 + self.noise * (mix(self.salt, minute) % 2001 - 1000) / 1000.0

    def _plain(self, minute: int) -> int:
        return max(0, round(60 * self.expected(minute * 60 + 30) * self._noise(minute)))

    def _pulsed(self, minute: int) -> bool:
        start = minute * 60
        return any(pulse.start < start + 60 and pulse.end > start for pulse in self.pulses)


def _jitter(salt: int, minute: int, second: int) -> int:
    return mix(salt, minute, second, 7) % 2
