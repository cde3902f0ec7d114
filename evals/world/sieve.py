"""Which lines of a log group answer a filter, without making the lines of classes that all answer it alike.

A class is a kind of line together with how its request ended: its lines differ in numbers, ids and names only. Five
of them decide for all, unless the filter asks for something in which they may differ; then each line is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from evals.world.lines import Line, LogGroup, Mark

_SAMPLES = 5
_MORE_SAMPLES = 60  # where lines of a class may differ beside the words that are asked for
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_LOOSE = re.compile(r"\\[dDwWsSbBx]|[\[\]{}+*?.0-9]")  # what may match one line of a class and not another
_HARMLESS = re.compile(r"\(\?i\)|\.[*+]\??|\(\?:")
_ESCAPED = re.compile(r"\\[^A-Za-z0-9]")  # one character that stands for itself
Class = tuple[str, str]  # kind, and for lines that every request has, how the request ended


@dataclass
class Sieve:
    """A filter over the lines of one group.

    `literals` are texts that the filter looks for, `regexes` its regular expressions. `opaque`: the filter looks at
    lines in another way, so that only looking at each will do.
    """

    group: LogGroup
    wants: Callable[[Line], bool]
    literals: Sequence[str]
    regexes: Sequence[str] = ()
    opaque: bool = False
    _verdicts: dict[Class, bool | None] = field(default_factory=dict)

    def _framing(self, kind: str) -> bool:
        return kind in self.group.voice.before or kind in self.group.voice.after

    def _classes(self, kind: str, minute: int) -> Iterator[tuple[Class, int]]:
        """The classes of one kind with how many lines each has in a minute."""
        if not self._framing(kind):
            yield (kind, ""), self.group.count(kind, minute)
            return
        flow, stage = self.group.flow, self.group.stage
        row = flow.minute(minute)
        yield (kind, ""), row.alive
        for reason in flow.reasons(stage):
            yield (kind, reason), row.ended(since=stage, reason=reason, seen_by=stage)

    def _class(self, mark: Mark) -> Class:
        ended = mark.request.reason if mark.request is not None and self._framing(mark.kind) else ""
        return mark.kind, ended

    def decided(self, which: Class, minute: int) -> bool | None:
        """Whether all lines of a class pass, none does, or each must be looked at (None)."""
        if which not in self._verdicts:
            lines = self._some(which, minute, _SAMPLES)
            hits = {self.wants(line) for line in lines}
            sure = len(hits) == 1 and not self.opaque and not self._depends(lines, which, minute)
            self._verdicts[which] = hits.pop() if sure else None
        return self._verdicts[which]

    def _some(self, which: Class, minute: int, most: int) -> list[Line]:
        kind, ended = which
        if not self._framing(kind):
            return self.group.some(kind, minute, most)
        wanted = [one for one in self.group.requests(minute) if one.reason == ended][:most]
        late = 0 if kind in self.group.voice.before else 1
        return [
            self.group.line(minute, Mark(one.stamp + late * one.duration, kind, one.number, one))
            for one in wanted
        ]

    def _depends(self, lines: Sequence[Line], which: Class, minute: int) -> bool:
        """Whether the filter may ask for something in which the lines of these samples' class differ."""
        key = self.group.flow.hot_key
        names = [name for name in (*self.group.tenants, key.name if key else "") if name]
        if any(name in asked for asked in (*self.literals, *self.regexes) for name in names):
            return True
        plain = [line.text.lower() for line in lines]
        if any(self._loose_text(asked, plain) for asked in self.literals):
            return True
        parts = [
            part for asked in self.regexes for part in _HARMLESS.sub("|", _ESCAPED.sub("~", asked)).split("|")
        ]
        loose = [part for part in parts if _LOOSE.search(part) and _anchored(part, plain)]
        if not loose:
            return False
        more = [line.text.lower() for line in self._some(which, minute, _MORE_SAMPLES)]
        return len(more) < _MORE_SAMPLES or not all(_alike(part, more) for part in loose)

    @staticmethod
    def _loose_text(asked: str, plain: Sequence[str]) -> bool:
        """A text with digits that some lines of the class may hold and others not."""
        if not any(character.isdigit() for character in asked):
            return False
        return not all(asked.lower() in text for text in plain) and _anchored(asked, plain)

    def kinds(self, minute: int) -> list[str]:
        """Kinds of which lines of this minute may pass."""
        return [
            kind
            for kind in self.group.KINDS
            if any(
                count and self.decided(which, minute) is not False
                for which, count in self._classes(kind, minute)
            )
        ]

    def line(self, minute: int, mark: Mark) -> Line | None:
        """The line of a mark when it passes."""
        verdict = self.decided(self._class(mark), minute)
        if verdict is False:
            return None
        line = self.group.line(minute, mark)
        return line if verdict or self.wants(line) else None

    def passes(self, minute: int, mark: Mark) -> bool:
        """Whether the line of a mark passes; its text is made only when that must be looked at."""
        verdict = self.decided(self._class(mark), minute)
        return self.wants(self.group.line(minute, mark)) if verdict is None else verdict

    def count(self, kind: str, minute: int) -> int:
        """Lines of one of `kinds` that pass in a whole minute."""
        found = [
            (self.decided(which, minute), count) for which, count in self._classes(kind, minute) if count
        ]
        if all(verdict is not None for verdict, _ in found):
            return sum(count for verdict, count in found if verdict)
        return sum(self.passes(minute, mark) for mark in self.group.marks(minute, (kind,)))


def _anchored(asked: str, plain: Sequence[str]) -> bool:
    """Whether a line holds a word of what is asked for, or it has no word that could tell."""
    word = _word(asked)
    return not word or any(word in text for text in plain)


def _word(asked: str) -> str:
    """The longest word that lines must hold; "" when there is none."""
    return max(_LETTERS.findall(re.sub(r"\\.", "  ", asked)), key=len, default="").lower()


def _alike(part: str, plain: Sequence[str]) -> bool:
    """Whether lines hold the same text wherever a part of a regular expression may look around its word."""
    word = _word(part)
    if not word:
        return False
    ahead, _, behind = part.lower().partition(word)
    before, after = _reach(ahead), _reach(behind)
    if before is None or after is None:
        return False
    seen = {
        tuple(
            text[max(0, one.start() - before) : one.end() + after]
            for one in re.finditer(re.escape(word), text)
        )
        for text in plain
    }
    return len(seen) == 1


def _reach(pattern: str) -> int | None:
    """How many characters a piece of a regular expression can span at most; None when there is no bound."""
    if re.search(r"(?<!\\)[+*]|\{\d*,\}", pattern):
        return None
    bounds = sum(int(most) for most in re.findall(r"\{(?:\d*,)?(\d+)\}", pattern))
    return bounds + len(re.sub(r"\\(.)", r"\1", re.sub(r"\{\d*,?\d+\}|(?<!\\)[()?\[\]^$]", "", pattern)))
