"""The routine of pipelines: one thing given one text after the other, as deployments do, is one line. Pure.

Numbers and switches stay lines of their own: a limit that was low for an hour must be seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graph.changes import Line

_FEWEST = 3
_AMOUNT = re.compile(
    r"-?[\d,.]+(?: .*)?|true|false|no limit|not set|not shown|none|new|removed", re.IGNORECASE
)


def rounds_joined(lines: Sequence[Line]) -> list[Line]:
    """The lines, three or more rounds of the same routine as one: from what was before the first to what the last made
    it. All events stay in it.
    """
    groups: dict[tuple[object, ...], list[Line]] = {}
    others: list[Line] = []
    for line in lines:
        if _is_routine(line):
            key = (line.account, line.region, line.resources, line.name, line.who, line.how, line.operation)
            groups.setdefault((*key, tuple(one.name for one in line.fields)), []).append(line)
        else:
            others.append(line)
    for group in groups.values():
        others += group if len(group) < _FEWEST else [_one(group)]
    return others


def _is_routine(line: Line) -> bool:
    return (
        not line.risk.by_hand
        and not line.children
        and line.status not in ("denied", "failed")
        and bool(line.fields)
        and not any(_AMOUNT.fullmatch(one.after) for one in line.fields)
    )


def _one(group: Sequence[Line]) -> Line:
    ordered = sorted(group, key=lambda line: (line.time, line.events[0]))
    first, last = ordered[0], ordered[-1]
    whole = tuple(replace(now, before=was.before) for was, now in zip(first.fields, last.fields, strict=True))
    return replace(
        last,
        events=tuple(id for line in reversed(ordered) for id in line.events),
        fields=whole,
        risk=max((line.risk for line in group), key=lambda risk: risk.score),
    )
