"""Requests that name several things of one kind at once, as EC2 starts and stops instances. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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


def as_moved(event: ChangeEvent) -> ChangeEvent:
    """The event with those things alone that its answer shows in another state than before; as it is where none is."""
    stood = {id for id, (before, after) in states(event).items() if before == after}
    if not stood or stood >= ids_in(event.request).keys():
        return event
    request = {
        key: {**value, "items": [item for item in value["items"] if item[name] not in stood]}
        if isinstance(value, dict) and (name := ids_of_set(key, value, whole=False))
        else value
        for key, value in event.request.items()
    }
    return replace(event, request=request)


def moved_none(event: ChangeEvent) -> bool:
    """Whether the answer shows all things in the states in which they were."""
    told = states(event).values()
    return bool(told) and all(before == after for before, after in told)


def _state(item: Json, key: str) -> str:
    found: Any = item.get(key)
    name = found.get("name") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
