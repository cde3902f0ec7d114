"""Requests that name several things of one kind at once, as EC2 starts and stops instances. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graph.undoing.anatomy import ids_of_set
from tools.models import ChangeEvent, Json


def ids_in(place: Json) -> Mapping[str, Json]:
    """What is said of each thing of a request's or an answer's set, by its id; {} where there is none."""
    for key, value in place.items():
        if isinstance(value, dict) and (name := ids_of_set(key, value, whole=False)):
            return {str(item[name]): item for item in value["items"]}
    return {}


def states(event: ChangeEvent) -> Mapping[str, tuple[str, str]]:
    """The state of each of its things before and after, by id, where the answer tells both of all: EC2's does."""
    told = ids_in(event.response).items()
    found = {id: (_state(item, "previousState"), _state(item, "currentState")) for id, item in told}
    return found if all(before and after for before, after in found.values()) else {}


def _state(item: Json, key: str) -> str:
    found: Any = item.get(key)
    name = found.get("name") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
