"""Settings that change over time, as (since, value) steps."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Steps:
    """The history of one value. Before the first step it is None."""

    since: list[datetime] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    _epochs: list[float] = field(default_factory=list)

    def set(self, moment: datetime, value: Any) -> None:
        """Note that the value is `value` from `moment` on (until a later step)."""
        place = bisect_right(self.since, moment)
        self.since.insert(place, moment)
        self.values.insert(place, value)

    def at(self, moment: datetime) -> Any:
        place = bisect_right(self.since, moment)
        return self.values[place - 1] if place else None

    def at_second(self, second: float) -> Any:
        """The value at an epoch second; quicker where a simulation asks by the thousand."""
        if len(self._epochs) != len(self.since):
            self._epochs = [moment.timestamp() for moment in self.since]
        place = bisect_right(self._epochs, second)
        return self.values[place - 1] if place else None

    def pairs(self) -> list[tuple[datetime, Any]]:
        return list(zip(self.since, self.values, strict=True))


@dataclass(slots=True)
class Settings:
    """Settings of one resource by dotted path."""

    steps: dict[str, Steps] = field(default_factory=dict)

    def copy(self) -> Settings:
        return Settings({path: Steps(list(one.since), list(one.values)) for path, one in self.steps.items()})

    def set(self, path: str, moment: datetime, value: Any) -> None:
        self.steps.setdefault(path, Steps()).set(moment, value)

    def at(self, path: str, moment: datetime) -> Any:
        steps = self.steps.get(path)
        return steps.at(moment) if steps else None

    def under(self, prefix: str, moment: datetime) -> dict[str, Any]:
        """Values of all paths below `prefix.` that are set at `moment`, by the rest of the path."""
        found = {}
        for path, steps in self.steps.items():
            if path.startswith(prefix + "."):
                value = steps.at(moment)
                if value is not None:
                    found[path[len(prefix) + 1 :]] = value
        return found
