"""What a truth.yaml says that can never come true: texts where references belong, times, answers that contradict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from evals.mistakes.sheet import Sheet
from evals.yaml_places import Where

_ALMOST = re.compile(r"(?<!\$)\{\$?([A-Za-z_]\w*\.[\w.-]+)\}")
_NAMELESS = ("not_found", "not_yet")


def check(sheet: Sheet, recorded: bool = False) -> None:
    """Add what is wrong before any world is asked. `recorded`: the case has no world to refer to."""
    for where, value in _texts(sheet.value, ()):
        for found in _ALMOST.finditer(value):
            said = f'"{found.group()}" is no reference; write ${{{found.group(1)}}}.'
            sheet.add(where, f"{sheet.name(where)}: {said}")
    for where in () if recorded else _events(sheet):
        _reference(sheet, where, "event_id")
    causes = (("cause", "resource"), *(("also", n, "resource") for n, _ in sheet.maps("also")))
    for where in () if recorded else causes:
        _reference(sheet, where, "arn")
    _onset(sheet)
    verdict = sheet.value.get("verdict")
    for key in ("cause", "actor", "also"):
        if verdict in _NAMELESS and sheet.value.get(key):
            sheet.add((key,), f"{key}: verdict: {verdict} names nobody and nothing; leave `{key}` out.")


def resolved(sheet: Sheet, seed: int) -> None:
    """Add what the references, once filled in, contradict. `sheet.value` is filled in."""
    causes: list[Where] = [("cause",), *(("also", number) for number, _ in sheet.maps("also"))]
    for where in causes:
        told = sheet.map(*where)
        if "bad" in told and "prior" in told and told["bad"] == told["prior"]:
            text = f"{sheet.name(where)}: with seed {seed} `bad` and `prior` are both {told['bad']!r}: nothing changed."
            sheet.add((*where, "bad"), text)


def _events(sheet: Sheet) -> Iterator[Where]:
    yield ("cause", "event")
    for key in ("also", "ruled_out"):
        yield from ((key, number, "event") for number, _ in sheet.maps(key))


def _reference(sheet: Sheet, where: Where, part: str) -> None:
    value = sheet.at(*where)
    if isinstance(value, str) and value and "$" not in value and not value.startswith("arn:"):
        first = value.split(".")[0]
        sheet.add(where, f'{sheet.name(where)}: "{value}" is no reference; write ${first}.{part}.')


def _onset(sheet: Sheet) -> None:
    onset, within = sheet.value.get("onset"), sheet.value.get("onset_within")
    if onset is not None and not isinstance(onset, str | datetime):
        text = f"onset: {onset!r} is no moment; write $onset, or a time such as 2026-03-13T17:12:00Z."
        sheet.add(("onset",), text)
    if isinstance(within, int | float) and within < 0:
        sheet.add(("onset_within",), "onset_within: seconds cannot be negative.")


def _texts(node: Any, where: Where) -> Iterator[tuple[Where, str]]:
    if isinstance(node, str):
        yield where, node
        return
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield from _texts(value, (*where, key))
