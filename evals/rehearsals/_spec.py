"""What a rehearsal needs to know of one kind of resource: how to make it in an empty account, and how to read it.

A seeder sees plain data and makes plain calls. It is written from the API reference, not from the plan under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from evals.emulation import CallRefused, Emulation, Supplement
from evals.rehearsals._plain import leaves
from tools.models import Call, Json

Ids = Mapping[str, str]
"""Ids that AWS hands out: the account's own one -> the emulation's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One resource at one moment. `values`: by dotted path, as AWS's describe operation spells it."""

    kind: str
    name: str
    arn: str
    region: str
    values: Json = field(default_factory=dict)
    fixed: Json = field(default_factory=dict)  # what never changes
    also: tuple[Json, ...] = ()  # values at other moments: what they refer to is there as well

    def get(self, *paths: str, default: Any = None) -> Any:
        """The first of `paths` that is set."""
        for path in paths:
            if self.values.get(path) is not None:
                return self.values[path]
        return default

    def below(self, prefix: str) -> Json:
        """Values below `prefix.`, by the rest of the path; a mapping at `prefix` itself counts too."""
        found = dict(whole) if isinstance(whole := self.values.get(prefix), dict) else {}
        for path, value in self.values.items():
            if path.startswith(f"{prefix}.") and value is not None:
                found[path[len(prefix) + 1 :]] = value
        return found

    def every(self, path: str) -> list[Any]:
        """The value at `path` now and at the other moments, where it is set."""
        return [one[path] for one in (self.values, *self.also) if one.get(path) is not None]

    @property
    def id(self) -> str:
        """The last part of the ARN: sg-0ab1, or the name."""
        return self.arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeder:
    """How to make and read the resources of one kind.

    `paths`: patterns of the settings that `make` sets; a change of any other cannot be rehearsed. `make` returns the
    ids that the emulation gave; `read` answers the configuration, without what differs between two equal resources.
    """

    kind: str
    service: str  # boto3 client that changes it
    paths: tuple[str, ...]
    make: Callable[[Emulation, Item], Ids]
    read: Callable[[Emulation, Item, Ids], Json]
    supplements: Mapping[tuple[str, str], Supplement] = field(default_factory=dict)

    def knows(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.paths)


def do(emulation: Emulation, service: str, operation: str, region: str, **parameters: Any) -> Json:
    """One call, with parameters that are None left out."""
    sent = {key: value for key, value in parameters.items() if value is not None}
    return emulation.call(Call(service=service, operation=operation, parameters=sent, region=region))


def perhaps(
    emulation: Emulation, service: str, operation: str, region: str, **parameters: Any
) -> Json | None:
    """The answer, or None where AWS says that there is no such thing."""
    try:
        return do(emulation, service, operation, region, **parameters)
    except CallRefused:
        return None


def chosen(data: Json, *names: str) -> Json:
    """The named members that are there."""
    return {name: data[name] for name in names if name in data}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An account before and after a change of `target` (an ARN). Both hold the same resources."""

    account: str
    region: str
    target: str
    prior: tuple[Item, ...]
    bad: tuple[Item, ...]


def identifiers(item: Item) -> frozenset[str]:
    """The words by which calls name a resource."""
    found = {item.name, item.arn, item.id, *(str(item.fixed[key]) for key in ("id",) if item.fixed.get(key))}
    return frozenset(word for word in found if word)


def names(text: str, words: Iterable[str]) -> bool:
    """Whether a parameter is one of these words, or an ARN or URL that ends with one."""
    return any(text == word or text.endswith((f"/{word}", f":{word}")) for word in words)


def named(call: Call, item: Item) -> bool:
    """Whether a call names a resource: by its name, id, ARN or the end of a URL."""
    words = identifiers(item)
    return any(isinstance(value, str) and names(value, words) for _, value in leaves(call.parameters))
