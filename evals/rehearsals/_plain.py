"""Plain data of a rehearsal: walked, compared, rid of what differs between equal resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tools.models import Json

Path = tuple[str | int, ...]
_VOLATILE = frozenset(
    {
        "RequestId",
        "RevisionId",
        "LastModified",
        "LastUpdateStatus",
        "NumberOfDecreasesToday",
        "TableStatus",
        "WarmThroughput",
    }
)


def differences(wanted: Any, got: Any, where: str = "") -> list[str]:
    """What differs between two readings, one sentence each."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        keys = sorted({*wanted, *got}, key=str)
        return [
            one
            for key in keys
            for one in differences(wanted.get(key), got.get(key), f"{where}.{key}" if where else str(key))
        ]
    if wanted == got and isinstance(wanted, bool) == isinstance(got, bool):
        return []
    return [f"{where} is {got!r}, not {wanted!r}"]


def normal(value: Any) -> Any:
    """Without times and what AWS counts up; lists of mappings in an order of their own."""
    if isinstance(value, dict):
        kept = {key: normal(one) for key, one in value.items() if key not in _VOLATILE}
        return {key: one for key, one in kept.items() if not isinstance(one, datetime)}
    if isinstance(value, list):
        rows = [normal(one) for one in value]
        return sorted(rows, key=repr) if rows and all(isinstance(one, dict) for one in rows) else rows
    return value


def translated(value: Any, ids: Mapping[str, str]) -> Any:
    """With each text's ids replaced."""
    if isinstance(value, dict):
        return {key: translated(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [translated(one, ids) for one in value]
    if isinstance(value, str):
        for own, given in ids.items():
            value = value.replace(own, given)
    return value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is neither mapping nor list, with its path."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))
    else:
        yield path, value


def plain(path: Path) -> str:
    """The path in dots, places in lists left out."""
    return ".".join(part for part in path if isinstance(part, str))


def with_leaf(data: Json, path: Path, value: Any) -> Json:
    """A copy of `data` with one leaf replaced."""

    def put(old: Any, rest: Path) -> Any:
        if not rest:
            return value
        if isinstance(old, dict):
            return {key: put(one, rest[1:]) if key == rest[0] else one for key, one in old.items()}
        return [put(one, rest[1:]) if number == rest[0] else one for number, one in enumerate(old)]

    made: Json = put(data, path)
    return made


def another(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    text = str(value)
    return str(int(text) + 1) if text.isdecimal() else f"{text}x"
