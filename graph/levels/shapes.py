"""What a level consists of, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tools.models import Relation, Resource

Level = Literal["system", "container", "component", "all"]
LEVELS: tuple[Level, ...] = ("system", "container", "component", "all")
_STATES = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """An alarm on something, and the state that CloudWatch shows for it ("" when it was not read)."""

    arn: str
    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Things that belong together. `reason`: why, in words; `why` says it for each container by ARN."""

    id: str  # "system:orders"
    name: str
    reason: str
    members: tuple[str, ...]  # ARNs of every resource in it, sorted
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One box of a level: a resource with what is part of it, or a system. `id` is an ARN or "system:NAME"."""

    id: str
    name: str
    kind: str  # resource type, or "system"
    service: str  # name of the service file; "" for a system
    account: str
    region: str
    members: tuple[str, ...]  # ARNs that the box stands for, sorted
    system: str = ""  # id of its system; "" when it belongs to none
    alarms: tuple[Watch, ...] = ()
    reason: str = ""  # systems only

    @property
    def state(self) -> str:
        """The worst state of its alarms, or "" without any."""
        return worst(one.state for one in self.alarms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """All relations from what one box stands for to what another does. `provenance`: at most ten, `count` has all."""

    source: str  # Node.id
    target: str
    count: int
    kinds: tuple[tuple[str, int], ...]  # verb and how often, sorted
    provenance: tuple[str, ...]
    confidence: float  # of the surest relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """Facts with their places. `home`: the container that a resource is, or is a part of; others have none."""

    resources: Mapping[str, Resource]  # by ARN, sorted
    relations: tuple[Relation, ...]  # whose both ends are known, sorted
    rank: Mapping[str, str]  # ARN -> container, component, other
    home: Mapping[str, str]
    systems: Mapping[str, System]  # by id, sorted
    system_of: Mapping[str, str]  # ARN -> system id
    alarms: Mapping[str, tuple[Watch, ...]]  # ARN of what is watched
    unknown_ends: int = 0  # relations left out, for one end is no known resource


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One level: boxes and what leads from one to another, sorted. `hidden`: resources with no box here."""

    level: Level
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    systems: tuple[System, ...]
    hidden: int


def worst(states: Iterable[str]) -> str:
    """ALARM before INSUFFICIENT_DATA before OK; "" when there is none of them."""
    found = set(states)
    return next((state for state in _STATES if state in found), "")
