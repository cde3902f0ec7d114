"""Which lines of a log group answer a filter, without making the lines of kinds that all answer it alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evals.world.lines import Line, LogGroup, Mark

_SAMPLES = 5
_HEX = re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{6,}")


@dataclass
class Sieve:
    """A filter over the lines of one group. `literals` are the words that the filter looks for."""

    group: LogGroup
    wants: Callable[[Line], bool]
    literals: Sequence[str]
    _verdicts: dict[str, bool | None] = field(default_factory=dict)

    def decided(self, kind: str, minute: int) -> bool | None:
        """Whether all lines of a kind pass, none does, or each must be looked at (None)."""
        if kind not in self._verdicts:
            hits = {self.wants(line) for line in self.group.some(kind, minute, _SAMPLES)}
            self._verdicts[kind] = hits.pop() if len(hits) == 1 and not self._depends() else None
        return self._verdicts[kind]

    def _depends(self) -> bool:
        """Whether the filter may ask for something that differs from line to line."""
        key = self.group.flow.hot_key
        names = [*self.group.tenants, key.name if key else ""]
        return any(
            _HEX.search(text) or any(name and name in text for name in names) for text in self.literals
        )

    def kinds(self, minute: int) -> list[str]:
        """Kinds of which lines of this minute may pass."""
        return [
            kind
            for kind in self.group.KINDS
            if self._verdicts.get(kind, True) is not False
            and self.group.count(kind, minute)
            and self.decided(kind, minute) is not False
        ]

    def line(self, minute: int, mark: Mark) -> Line | None:
        """The line of a mark when it passes."""
        line = self.group.line(minute, mark)
        return line if self._verdicts.get(mark.kind) or self.wants(line) else None

    def passes(self, minute: int, mark: Mark) -> bool:
        """Whether the line of a mark passes; its text is made only when that must be looked at."""
        return self._verdicts.get(mark.kind) is True or self.wants(self.group.line(minute, mark))

    def count(self, kind: str, minute: int) -> int:
        """Lines of one of `kinds` that pass in a whole minute."""
        if self._verdicts.get(kind):
            return self.group.count(kind, minute)
        return sum(self.passes(minute, mark) for mark in self.group.marks(minute, (kind,)))
