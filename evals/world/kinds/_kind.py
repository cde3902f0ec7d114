"""What a kind of resource must say so that cases can be made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evals.world.stage import Stage
from evals.world.telemetry import Source
from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.flow import Flow
    from evals.world.lines import LogGroup
    from evals.world.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A resource as a case asks for it, values drawn."""

    id: str
    kind: str
    name: str
    created: datetime
    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    options: Mapping[str, Any]  # `with` of the case: what else this kind understands


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A change of one setting of a resource, as a case says it."""

    thing: Thing
    path: str
    before: Any
    after: Any
    moment: datetime
    call: str = ""  # which operation, where several can do it
    others: Mapping[str, Any] = field(default_factory=dict)  # further settings that change at the same moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of resource.

    `make` adds the resource with all that belongs to it (roles, log groups, parts) and returns it. `link` is called
    for each resource that it `calls`, once all are made: relations, environment, permissions. `stage` is its place
    in a flow. `metrics` and `logs` read the flow's rows. `change`, `create`, `tag` say how CloudTrail records a deed.
    `kept` is a value of a setting as AWS keeps it, when a case may say it shorter. `after` adds what the service
    itself does once everything has happened, up to a moment: its own calls in CloudTrail, its happenings. `called` is
    for a kind that programs reach: what the caller (a function, a service) gets, as its name in the environment and
    the permission. `shown` is its configuration at a moment as AWS shows it, where settings do not lie at its paths.
    """

    name: str  # "table"
    options: Mapping[str, str] = field(default_factory=dict)  # name -> what it says; others are refused
    settings: Mapping[str, str] = field(default_factory=dict)  # path (or beginning with a dot) -> what it is
    make: Callable[[Workshop, Wish], Thing]
    link: Callable[[Workshop, Thing, Thing], None] | None = None
    stage: Callable[[World, Thing, Mapping[str, Any]], Stage] | None = None
    metrics: Callable[[Thing, Flow | None], Iterable[Source]] | None = None
    logs: Callable[[Workshop, Thing, Flow], Iterable[LogGroup]] | None = None
    change: Callable[[World, Act], Deed] | None = None
    create: Callable[[World, Thing, datetime], Deed] | None = None
    tag: Callable[[World, Thing, dict[str, str]], Deed] | None = None
    innocent: tuple[tuple[str, Any], ...] = ()  # (path, value): changes that move nothing that requests feel
    dimensions: Callable[[Thing], Mapping[str, str]] | None = None  # words for alarms: {name}, {id}, ...
    kept: Callable[[World, Thing, str, Any], Any] | None = None
    after: Callable[[World, Thing, datetime], None] | None = None
    called: Callable[[Workshop, Thing, Thing], None] | None = None
    shown: Callable[[World, Thing, datetime], Json] | None = None
