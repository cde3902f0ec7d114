"""Numbers and names of a case.yaml that cannot be: below nothing, no address, no region, no action of AWS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from evals.mistakes.sheet import Sheet, near
from evals.mistakes.values import leaves
from evals.world.draws import REFERENCE
from evals.yaml_places import Where
from tools.guard import STARTS
from tools.guard_reads import READS
from tools.iam_names import action_of
from tools.parameters import regions

_BOUNDS: dict[str, tuple[float, float]] = {  # what -> least, most
    "per_second": (0, float("inf")),
    "background": (0, 10_000),
    "attempts": (1, float("inf")),
    "duration_ms": (0, float("inf")),
    "retry_ms": (0, float("inf")),
    "write_units": (0, float("inf")),
}


def check(sheet: Sheet) -> None:
    """Add numbers out of bounds, wrong first values of draws, addresses, regions and denied actions."""
    for flow in ("traffic", "flows.*"):
        for key, (least, most) in _BOUNDS.items():
            for where, value in leaves(sheet, f"{flow}.{key}"):
                _number(sheet, where, value, least, most)
    for name, draw in sheet.maps("draws"):
        _first(sheet, str(name), draw)
    for where, value in leaves(sheet, "people.*.address"):
        if isinstance(value, str) and "{" not in value and "$" not in value and not _is_address(value):
            sheet.add(where, f'{sheet.name(where)}: "{value}" is no IP address.')
    for where, value in leaves(sheet, "switches.deny"):
        if isinstance(value, str) and ":" in value and not _is_action(value):
            sheet.add(
                where,
                f"{sheet.name(where)}: opsleuth reads nothing by {value}, so denying it does nothing."
                f"{near(value.lower(), _actions())}",
            )
    region = sheet.value.get("region")
    if isinstance(region, str) and "$" not in region and "{" not in region and region not in regions():
        sheet.add(("region",), f"region: AWS has no region {region}.{near(region, sorted(regions()))}")


def _number(sheet: Sheet, where: Where, value: Any, least: float, most: float) -> None:
    for place, number in _values(sheet, where, value):
        if not least <= number <= most:
            bound = f"at least {least:g}" if number < least else f"at most {most:g}"
            sheet.add(place, f"{sheet.name(where)}: {number:g} cannot be; it must be {bound}.")


def _values(sheet: Sheet, where: Where, value: Any) -> Iterator[tuple[Where, float]]:
    """A number, or those that a draw may give, each with its place."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield where, value
    found = REFERENCE.match(value) if isinstance(value, str) else None
    if found is None or found.group(2):
        return
    name = found.group(1)
    if sheet.at("draws", name, "times") or sheet.at("draws", name, "of"):
        return
    for key in ("between", "choose"):
        listed = sheet.at("draws", name, key)
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, int | float) and not isinstance(one, bool):
                place: Where = ("draws", name, key)
                yield place, one


def _first(sheet: Sheet, name: str, draw: dict[str, Any]) -> None:
    """The value of seed 1 must be one that other seeds may draw too."""
    choices, first = draw.get("choose"), draw.get("seed_1")
    number = isinstance(first, int | float) and not isinstance(first, bool)
    if isinstance(choices, list) and number and first not in choices:
        shown = ", ".join(str(one) for one in choices)
        sheet.add(("draws", name, "seed_1"), f"draws.{name}.seed_1: {first} is none of choose: {shown}.")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_action(pattern: str) -> bool:
    return any(fnmatchcase(one.lower(), pattern.lower()) for one in _actions())


@cache
def _actions() -> tuple[str, ...]:
    """IAM actions of everything that opsleuth may read."""
    listed = (*READS.items(), *STARTS.items())
    return tuple(sorted({action_of(client, name) for client, names in listed for name in names}))
