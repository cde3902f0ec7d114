"""Lines on a terminal: wrapping by cells, hanging labels, citations at the right edge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_TOKENS = re.compile(r"[^ \n]+")
FIRM = "\u00a0"
"""A space at which no line is broken; printed as a plain one."""


def clean(text: str) -> str:
    """`text` without control and direction characters: terminals obey them, and names come from outside."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\t", " "))


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells. Words are never cut, for ARNs are copied; wide text is."""
    return [line.replace(FIRM, " ") for line in _broken(text, width)]


def _broken(text: str, width: int) -> list[str]:
    """Lines with firm spaces still in them."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        current = ""
        for piece, spaced in _pieces(paragraph):
            joined = f"{current} {piece}" if current and spaced else current + piece
            if current and cell_len(joined) > width:
                lines.append(current)
                current = piece
            else:
                current = joined
        lines.append(current)
    return lines


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Words, and within words of wide letters (Japanese) each letter, with whether a space goes before."""
    for match in _TOKENS.finditer(text):
        word = match.group()
        if cell_len(word) == len(word):
            yield word, True
            continue
        spaced = True
        for part in re.findall(r"[\x21-\x7e]+|.", word):
            yield part, spaced
            spaced = False


def _with_room(lines: list[str], room: int, mark: str) -> list[str]:
    """The lines in plain spaces, the last word on one of its own where the mark then fits beside it."""
    if mark and cell_len(lines[-1]) + 2 + cell_len(mark) > room:
        head, space, last = lines[-1].rpartition(" ")
        if space and cell_len(last) + 2 + cell_len(mark) <= room:
            lines = [*lines[:-1], head, last]
    return [line.replace(FIRM, " ") for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of `width` cells; its methods make lines."""

    width: int

    def row(
        self,
        label: str,
        text: str,
        cites: Iterable[str] = (),
        *,
        indent: int = 1,
        column: int = 9,
        label_style: str = "bold",
        style: str = "",
    ) -> list[Text]:
        """`label` in a column, `text` beside it, hanging; evidence ids at the right of the last line."""
        left = indent + column
        first = Text(" " * indent).append(label, style=label_style)
        gap = left - cell_len(first.plain)
        first.append(" " * (max(1, gap) if label else gap))
        room = max(20, self.width - left)
        mark = f"[{' '.join(cites)}]" if (cites := tuple(cites)) else ""
        wrapped = _with_room(_broken(text, room if gap >= 1 else max(20, room + gap - 1)), room, mark)
        lines = [first.append(wrapped[0], style=style)]
        lines += [Text(" " * left).append(part, style=style) for part in wrapped[1:]]
        return self._cite(lines, mark, left)

    def plain(self, text: str, *, indent: int = 1, style: str = "") -> list[Text]:
        return [Text(" " * indent).append(part, style=style) for part in wrap(text, self.width - indent)]

    def verbatim(self, text: str, *, indent: int, style: str = "") -> list[Text]:
        """Lines that are to be copied: never wrapped."""
        return [Text(" " * indent).append(part, style=style) for part in text.splitlines()]

    def _cite(self, lines: list[Text], mark: str, left: int) -> list[Text]:
        if not mark:
            return lines
        used, size = cell_len(lines[-1].plain), cell_len(mark)
        if used + 2 + size <= self.width:
            lines[-1].append(" " * (self.width - used - size)).append(mark, style="dim")
            return lines
        marks = wrap(mark, self.width - left)
        lines += [
            Text(" " * max(left, self.width - cell_len(part))).append(part, style="dim") for part in marks
        ]
        return lines
