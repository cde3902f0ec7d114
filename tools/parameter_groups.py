"""Parameter groups of databases and caches: what events tell of a parameter; engines that only get newer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tools.kit import text
from tools.models import ChangeEvent, Value

DEFAULT = "engine default"
"""The value of a parameter that nobody has set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEvents:
    """How CloudTrail tells of the groups of one service."""

    create: str
    reset: str
    name: str  # member of the request with the group's name
    parameters: str  # member with the list of parameters

    def before(self, name: str, group: str, earlier: Iterable[ChangeEvent]) -> tuple[bool, Value]:
        """Whether an earlier event, newest first, tells the value of a parameter, and which: None for the default."""
        for event in earlier:
            if text(event.request, self.name).lower() != group or event.error_code:
                continue
            if event.operation == self.create:
                return True, None
            for one in event.request.get(self.parameters) or []:
                if text(one, "parameterName") == name:
                    if event.operation == self.reset:
                        return True, None
                    return "parameterValue" in one, one.get("parameterValue")
            if event.operation == self.reset and event.request.get("resetAllParameters"):
                return True, None
        return False, None


def is_older(version: str, than: str) -> bool:
    """Whether a version of an engine comes before another: "8.0.35" before "8.0.36"."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
