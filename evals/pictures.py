"""One timeline as SVG: the symptom's metric, the alarm, the onset true and told, and the change events.

It stands alone and inside a page, in light and dark, and asks for nothing from outside.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise

from evals.story import Mark, Story

WIDTH, HEIGHT = 880, 262
_LEFT, _RIGHT = 58, 868
_TOP, _BOTTOM = 50, 160
_STRIP, _AXIS, _LANE = 30, 176, 196
_ROWS = {"cause": 220, "both": 220, "blamed": 238}
_STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400]  # seconds between ticks

_STYLE = """
.tl{color-scheme:light dark}
.tl{--ink:#1f2430;--soft:#667085;--rule:#d6dae2;--line:#2f6fdb;--fill:#2f6fdb1f;--true:#12805c;--told:#b9770e;
--alarm:#cf3f36;--ok:#9fb8a8;--unknown:#c3c8d2;font:11px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.tl{--ink:#e6e8ee;--soft:#98a1b3;--rule:#3a4152;--line:#7aa7f7;--fill:#7aa7f726;
--true:#4cc79a;--told:#f0b352;--alarm:#f0766d;--ok:#4f6b5b;--unknown:#555d70}}
.tl text{fill:var(--ink)}.tl .soft{fill:var(--soft)}.tl .rule{stroke:var(--rule)}
.tl .line{fill:none;stroke:var(--line);stroke-width:1.5;stroke-linejoin:round}.tl .area{fill:var(--fill)}
.tl .truth{stroke:var(--true);stroke-dasharray:4 3;stroke-width:1.5}.tl .told{fill:var(--told);fill-opacity:.22}
.tl .ALARM{fill:var(--alarm)}.tl .OK{fill:var(--ok)}.tl .INSUFFICIENT_DATA{fill:var(--unknown)}
.tl .cause,.tl .both{fill:var(--true)}.tl .blamed{fill:var(--told)}.tl .other{fill:var(--soft)}
.tl text.cause,.tl text.both{fill:var(--true)}.tl text.blamed{fill:var(--told)}
"""


def picture(story: Story, title: str) -> str:
    """The timeline as one <svg> element. `title`: for those who cannot see it."""
    drawn = _Drawing(story)
    parts = [*drawn.strip(), *drawn.axis(), *drawn.told(), *drawn.metric(), *drawn.onset(), *drawn.events()]
    return (
        f'<svg class="tl" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"{''.join(parts)}{_legend(story)}</svg>"
    )


class _Drawing:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.span = max(1.0, (story.end - story.start).total_seconds())
        self.top = _round_up(max([value for _, value in story.points], default=0.0))

    def x(self, moment: datetime) -> float:
        """Where a moment stands; moments outside stand at the edge."""
        share = (moment - self.story.start).total_seconds() / self.span
        return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share)), 1)

    def y(self, value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * max(0.0, value) / self.top, 1)

    def strip(self) -> Iterator[str]:
        """The alarm's states as a band."""
        changes = self.story.transitions
        yield f'<text class="soft" x="{_LEFT - 6}" y="{_STRIP + 8}" text-anchor="end">alarm</text>'
        ends = [*(moment for moment, _ in changes), self.story.end][1:]
        for (moment, state), end in zip(changes, ends, strict=True):
            left, right = self.x(moment), self.x(end)
            yield (
                f'<rect class="{escape(state)}" x="{left}" y="{_STRIP}" height="9" '
                f'width="{max(1.0, right - left):.1f}">'
                f"<title>{escape(state)} from {_clock(moment)}</title></rect>"
            )

    def axis(self) -> Iterator[str]:
        yield f'<text class="soft" x="{_LEFT}" y="18">{escape(self.story.metric or "no metric to show")}</text>'
        yield f'<line class="rule" x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}"/>'
        for value in (0.0, self.top) if self.story.points else ():
            yield (
                f'<text class="soft" x="{_LEFT - 6}" y="{self.y(value) + 4}" text-anchor="end">{_short(value)}</text>'
            )
        for moment in _ticks(self.story.start, self.story.end):
            where = self.x(moment)
            yield f'<line class="rule" x1="{where}" x2="{where}" y1="{_TOP}" y2="{_BOTTOM + 4}"/>'
            yield f'<text class="soft" x="{where}" y="{_AXIS}" text-anchor="middle">{moment:%H:%M}</text>'

    def metric(self) -> Iterator[str]:
        """The series; where datapoints are missing the line is broken."""
        for run in _runs(self.story.points):
            spots = [(self.x(moment), self.y(value)) for moment, value in run]
            path = " ".join(f"{x},{y}" for x, y in spots)
            yield (
                f'<polygon class="area" points="{spots[0][0]},{_BOTTOM} {path} {spots[-1][0]},{_BOTTOM}"/>'
            )
            yield f'<polyline class="line" points="{path}"/>'

    def told(self) -> Iterator[str]:
        """The onset as the report tells it."""
        if self.story.told is None:
            return
        left, right = (self.x(moment) for moment in self.story.told)
        earliest, latest = self.story.told
        yield (
            f'<rect class="told" x="{left - 1}" y="{_TOP}" width="{right - left + 2:.1f}" height="{_BOTTOM - _TOP}">'
            f"<title>onset told: {_clock(earliest)} to {_clock(latest)}</title></rect>"
        )

    def onset(self) -> Iterator[str]:
        if self.story.onset is None:
            return
        where = self.x(self.story.onset)
        yield (
            f'<line class="truth" x1="{where}" x2="{where}" y1="{_TOP - 6}" y2="{_BOTTOM}">'
            f"<title>true onset: {_clock(self.story.onset)}</title></line>"
        )

    def events(self) -> Iterator[str]:
        """Each change as a mark; the true cause and the blamed one with their words."""
        yield f'<text class="soft" x="{_LEFT - 6}" y="{_LANE + 4}" text-anchor="end">changes</text>'
        for mark in sorted(self.story.marks, key=lambda one: one.role != "other"):
            where = self.x(mark.time)
            size = 3 if mark.role == "other" else 5.5
            shape = (
                f"{where},{_LANE - size} {where + size},{_LANE} {where},{_LANE + size} {where - size},{_LANE}"
            )
            yield (
                f'<polygon class="{mark.role}" points="{shape}"><title>{_clock(mark.time)} '
                f"{escape(mark.text)}</title></polygon>"
            )
            if mark.role != "other":
                yield self._words(mark, where)

    def _words(self, mark: Mark, where: float) -> str:
        said = {"cause": "true cause", "blamed": "blamed", "both": "true cause, and blamed"}[mark.role]
        anchor = "start" if where < (_LEFT + _RIGHT) / 2 else "end"
        text = escape(f"{said}: {mark.text}, {_clock(mark.time)}")
        place = f'x="{where}" y="{_ROWS[mark.role]}" text-anchor="{anchor}"'
        return f'<text class="{mark.role}" {place}>{text}</text>'


def _legend(story: Story) -> str:
    """What the signs mean; only those that are there."""
    parts, left = [], float(_LEFT)
    signs = [
        (
            story.onset is not None,
            '<line class="truth" x1="{x}" x2="{x}" y1="248" y2="260"/>',
            6,
            "true onset",
        ),
        (
            story.told is not None,
            '<rect class="told" x="{x}" y="249" width="10" height="10"/>',
            14,
            "onset told",
        ),
        (True, '<rect class="ALARM" x="{x}" y="250" width="10" height="8"/>', 14, "in ALARM"),
        (True, '<circle class="other" cx="{x}" cy="254" r="3"/>', 8, "another change"),
    ]
    for there, sign, room, words in signs:
        if there:
            parts.append(sign.format(x=left))
            parts.append(f'<text class="soft" x="{left + room}" y="258">{words}</text>')
            left += room + 6.2 * len(words) + 18
    return (
        "".join(parts)
        + f'<text class="soft" x="{_RIGHT}" y="258" text-anchor="end">{story.start:%Y-%m-%d}, UTC</text>'
    )


def _runs(points: Sequence[tuple[datetime, float]]) -> Iterator[list[tuple[datetime, float]]]:
    """Points without a missing one between them, at the distance of the closest two."""
    steps = [after[0] - before[0] for before, after in pairwise(points)]
    held: list[tuple[datetime, float]] = []
    for point in points:
        if held and point[0] - held[-1][0] > 1.5 * min(steps):
            yield held
            held = []
        held.append(point)
    if held:
        yield held


def _ticks(start: datetime, end: datetime) -> list[datetime]:
    """At most ten round moments inside."""
    span = (end - start).total_seconds()
    step = next((one for one in _STEPS if span / one <= 10), _STEPS[-1])
    first = datetime.fromtimestamp(math.ceil(start.timestamp() / step) * step, start.tzinfo)
    return [
        first + timedelta(seconds=step * n) for n in range(11) if first + timedelta(seconds=step * n) <= end
    ]


def _round_up(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten; 1 for next to nothing."""
    if value < 1e-9:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(float(step * power) for step in (1, 2, 5, 10) if step * power >= value * 0.999)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}"
