"""How a value of a report is compared with a true one, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools.models import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One comparison. `why` says what was expected and found, also when it passed.

    `asked`: False when the truth asks nothing here, so that passing is no merit and is left out of shares.
    """

    name: str
    ok: bool
    why: str
    asked: bool = True


def item(name: str, problems: Iterable[str], fine: str, *, asked: bool = True) -> Item:
    """Passed when none of `problems` says anything. A failure is always counted, asked for or not."""
    found = [problem for problem in problems if problem]
    return Item(name=name, ok=not found, why="; ".join(found) or fine, asked=asked or bool(found))


def differs(what: str, expected: Value, got: Value) -> str:
    """What is said when two values are not the same, or ""."""
    return "" if same(expected, got) else f"{what}: expected {expected!r}, got {got!r}"


def same(left: Any, right: Any) -> bool:
    """Equal as JSON values: 250 is 250.0, but True is not 1; lists keep their order."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return float(left) == float(right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right)
