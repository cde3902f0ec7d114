"""Which texts of a case.yaml are filled in by draws, and what is wrong with their references."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from string import Formatter
from typing import Any

from evals.mistakes.sheet import Sheet, near, spelt
from evals.world import names
from evals.world.draft import SAME
from evals.world.draws import REFERENCE
from evals.world.seed import Seed
from evals.yaml_places import Where

WORDS: tuple[str, ...] = tuple(names.words(Seed(1)))
"""What every case may name without drawing it."""

_TRAFFIC = (
    *("per_second", "background", "write_units", "attempts", "duration_ms", "retry_ms"),
    *(f"pulses.*.{one}" for one in ("start", "minutes", "factor", "ramp_seconds")),
    *(f"hot_key.{one}" for one in ("share", "start", "ramp_seconds")),
)
NUMBERS = (
    *(f"traffic.{one}" for one in _TRAFFIC),
    *(f"flows.*.{one}" for one in _TRAFFIC),
    *(f"alarms.*.{one}" for one in ("threshold", "datapoints", "periods", "age_days")),
    "resources.*.age_days",
    "events.*.delivery_minutes",
    "look.minutes",
    "switches.delivery_minutes",
)
"""Where a number or a draw must stand."""

_TEXTS = (
    *("draws.*.choose", "draws.*.seed_1"),
    *("people.*.way", "people.*.name", "people.*.address", "people.*.role"),
    *(f"resources.*.{one}" for one in ("name", "settings", "tags", "with", "route")),
    "resources.*.calls.*.*",
    *("traffic.hot_key.name", "flows.*.hot_key.name"),
    *(
        f"alarms.*.{one}"
        for one in (
            "name",
            "on",
            "namespace",
            "metric",
            "dimensions",
            "stat",
            "initial",
            "description",
            "tags",
        )
    ),
    *(f"events.*.{one}" for one in ("at", "path", "to", "tag", "also")),
    "region",
)
FILLED = (*NUMBERS, *_TEXTS)
"""Where `$name` and `{name}` are filled in."""

_DIMENSIONS = ("name", "id", "stage")
_PARTS = ("arn", "name", "region", "kind", "account")  # what a text may ask of a resource: {table.arn}


def leaves(sheet: Sheet, pattern: str) -> Iterator[tuple[Where, Any]]:
    """Everything that stands at or below the places of a pattern, `*` for any key."""
    yield from _below(sheet.value, tuple(pattern.split(".")), ())


def _below(node: Any, pattern: Where, where: Where) -> Iterator[tuple[Where, Any]]:
    if not pattern:
        if isinstance(node, dict | list):
            for key, value in _inner(node):
                yield from _below(value, (), (*where, key))
        else:
            yield where, node
        return
    for key, value in _inner(node):
        if pattern[0] in ("*", key):
            yield from _below(value, pattern[1:], (*where, key))


def _inner(node: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list):
        yield from enumerate(node)


def check(sheet: Sheet, things: Collection[str]) -> None:
    """Add what is wrong with references and draws. `things`: ids of resources, for {table.arn} in events."""
    for pattern in FILLED:
        for where, value in leaves(sheet, pattern):
            if isinstance(value, str) and value != SAME:
                _text(sheet, where, value, things)
    for pattern in NUMBERS:
        for where, value in leaves(sheet, pattern):
            _number(sheet, where, value)
    for name, draw in sheet.maps("draws"):
        _draw(sheet, str(name), draw)
    _circles(sheet)


def _text(sheet: Sheet, where: Where, text: str, things: Collection[str]) -> None:
    draws = sheet.map("draws")
    whole = REFERENCE.match(text)
    if whole is not None:
        _name(sheet, where, whole.group(1), f"${whole.group(1)}")
        if whole.group(2) and whole.group(1) in draws:
            _part(sheet, where, whole.group(1), whole.group(2))
        return
    if text.startswith("$") and not text.startswith("$."):  # a path in JSON is a text like others
        sheet.add(
            where,
            f'{sheet.name(where)}: "{text}" is no reference: $name or $name.part, small letters, digits and _. '
            "Inside a text write {name}.",
        )
        return
    allowed = {*_DIMENSIONS} if where[0] == "alarms" and "dimensions" in where else set()
    for name, rest in _named(sheet, where, text):
        if where[0] == "events" and name in things and name not in draws:
            if rest.startswith(".") and rest[1:] not in _PARTS:
                sheet.add(where, f"{sheet.name(where)}: a resource has no {rest}.{spelt(rest[1:], _PARTS)}")
        elif name not in allowed:
            _name(sheet, where, name, "{" + name + "}")


def _named(sheet: Sheet, where: Where, text: str) -> list[tuple[str, str]]:
    """(word, what follows it) of the {words} in a text."""
    try:
        found = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        sheet.add(
            where,
            f'{sheet.name(where)}: "{text}" has a single brace. Write {{{{ or }}}} for a brace that stays.',
        )
        return []
    return [
        (re.split(r"[.\[]", name, maxsplit=1)[0], name[len(re.split(r"[.\[]", name)[0]) :]) for name in found
    ]


def _name(sheet: Sheet, where: Where, name: str, written: str) -> None:
    known = (*sheet.map("draws"), *WORDS)
    if name not in known:
        drawn = ", ".join(sheet.map("draws")) or "none"
        sheet.add(
            where,
            f"{sheet.name(where)}: {written} is neither a draw nor a known word.{near(name, known)} "
            f"Draws: {drawn}. Words: {', '.join(WORDS)}.",
        )


def _part(sheet: Sheet, where: Where, name: str, part: str) -> None:
    choices = sheet.at("draws", name, "choose")
    for one in choices if isinstance(choices, list) else ():
        if not isinstance(one, dict) or part not in one:
            known = list(one) if isinstance(one, dict) else []
            sheet.add(
                where,
                f'{sheet.name(where)}: a choice of the draw "{name}" has no "{part}".{spelt(part, known)}',
            )
            return


def _number(sheet: Sheet, where: Where, value: Any) -> None:
    if isinstance(value, str) and not value.startswith("$") and "{" not in value:
        try:
            float(value)
        except ValueError:
            sheet.add(where, f'{sheet.name(where)} must be a number or a draw such as $name, not "{value}".')
    elif isinstance(value, bool | dict | list):
        sheet.add(where, f"{sheet.name(where)} must be a number or a draw such as $name.")


def _draw(sheet: Sheet, name: str, draw: dict[str, Any]) -> None:
    for index, other in enumerate(draw.get("times") or () if isinstance(draw.get("times"), list) else ()):
        _name(sheet, ("draws", name, "times", index), str(other).lstrip("$"), str(other))
    between = draw.get("between")
    if (
        isinstance(between, list)
        and len(between) == 2
        and all(isinstance(one, int | float) for one in between)
    ):
        low, high = between
        if low > high:
            sheet.add(("draws", name, "between"), f"draws.{name}.between: write the smaller number first.")


def _circles(sheet: Sheet) -> None:
    """Draws that are drawn from themselves, by whatever way round."""
    draws = sheet.map("draws")
    uses = {name: _used(sheet, name) & set(draws) for name in draws}
    for name in draws:
        seen: set[str] = set()
        todo = sorted(uses[name])
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += sorted(uses[one])
        if name in seen:
            by = sorted(uses[name] & {one for one in draws if name in uses[one] or one == name})
            through = f" (by {', '.join(one for one in by if one != name)})" if set(by) - {name} else ""
            sheet.add(("draws", name), f'draws.{name}: The draw "{name}" depends on itself{through}.')


def _used(sheet: Sheet, name: str) -> set[str]:
    times = sheet.at("draws", name, "times")
    found = {str(one) for one in times} if isinstance(times, list) else set()
    for pattern in (f"draws.{name}.choose", f"draws.{name}.seed_1"):
        for _, value in leaves(sheet, pattern):
            if isinstance(value, str):
                whole = REFERENCE.match(value)
                found |= {whole.group(1)} if whole else set(re.findall(r"(?<!\{)\{(\w+)", value))
    return found
