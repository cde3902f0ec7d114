"""Values at any depth of JSON-like data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(value: Any) -> Iterator[Any]:
    """Every value that is neither mapping nor list, in order; the value itself when it is none."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def texts(value: Any) -> Iterator[str]:
    """Every text among them."""
    return (one for one in leaves(value) if isinstance(one, str))
