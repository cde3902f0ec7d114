"""What pydantic finds wrong with data from outside, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "extra_forbidden": "there is no such field",
    "missing": "must be given",
    "model_attributes_type": "must be an object: {...}",
    "model_type": "must be an object: {...}",
    "dict_type": "must be an object: {...}",
    "too_short": "must not be empty",
    "json_invalid": "not JSON",
}


def told(item: Mapping[str, Any]) -> str:
    """One of `ValidationError.errors()`, without what was given: it may hold a secret."""
    said = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    return _WORDS.get(item["type"], said)
