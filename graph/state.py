"""The state: the sum of the slices that nodes write.

Leaves are JSON; nodes see typed objects through `load` and `dump`. State holds facts, never
answers: whole AWS answers lie in the evidence store, state keeps their sha256 and an excerpt.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict  # on Python 3.11 pydantic makes no JSON schema of typing's own

from graph.models import Trigger
from tools.models import Json

T = TypeVar("T")


@lru_cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))


def load(kind: type[T], data: Any) -> T:
    """The typed object that JSON `data` describes."""
    return cast("T", _adapter(cast("Hashable", kind)).validate_python(data))


def load_all(kind: type[T], data: Any) -> tuple[T, ...]:
    """A list of typed objects."""
    return tuple(load(kind, item) for item in data or ())


def dump(value: Any) -> Any:
    """`value` as JSON-able data."""
    return _adapter(cast("Hashable", type(value))).dump_python(value, mode="json")


def dump_all(values: Any) -> list[Any]:
    return [dump(value) for value in values]


def merge(left: dict[str, Any] | None, right: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer keyed by id: idempotent, so that a re-run node adds nothing twice."""
    return {**(left or {}), **(right or {})}


class Request(TypedDict):
    """What the caller gives."""

    trigger: Annotated[Json, WithJsonSchema(Trigger.model_json_schema())]


class Findings(TypedDict):
    """Written by every node."""

    evidence: Annotated[dict[str, Json], merge]  # by evidence id
    gaps: Annotated[dict[str, list[Json]], merge]  # by node; a node's next round replaces its own
    timeline: Annotated[dict[str, Json], merge]  # by (round, node, ordinal)


class Scope(Findings):
    """Written by intake."""

    incident: Json
    started: str  # as_of of the first look


class Course(Findings):
    """Written by the planner."""

    round: int
    as_of: str
    lookback: int  # hours before onset that are searched for changes
    furthest: int  # the most hours before onset that were searched in any round
    radius: int  # relations from the symptom that count as near
    questioned: list[str]  # what rounds were opened for, to tell rivals apart: once each
    tasks: list[str]  # collectors that run in this round
    notes: list[str]  # what a human said meanwhile


class Surroundings(Findings):
    """Written by topology."""

    resources: list[Json]
    relations: list[Json]
    topology_truncated: bool
    walked: int  # relations from the symptom that the map covers


class Trail(Findings):
    """Written by forensics."""

    changes: list[Json]  # ChangeEvent, oldest first
    denied: list[Json]  # attempts that AWS refused
    others: list[Json]  # ChangeEvent: what else was changed, in short; preventions are tried on it
    parts: list[Json]  # Resource: parts of known resources (stages, aliases) that changes touch
    versions: list[Json]  # Version: published before changes of settings that versions show
    formerly: list[Json]  # Relation: what led to the symptom until it was changed
    aside: list[str]  # ids of changes of other things in what led to the symptom: another record of a zone
    histories: list[str]  # ARNs of which all events of 90 days were asked
    trail_visible: bool
    complete_until: str


class LogNotes(Findings):
    """Written by logs."""

    patterns: list[Json]
    log_window: Json | None  # the whole minutes since the onset in which lines were counted
    log_groups: list[str]  # that were read
    jobs: list[Json]  # Job: what cron started before the onset
    reading: Json | None  # what a model made of patterns that no signature knows


class Measures(Findings):
    """Written by metrics."""

    metrics: list[Json]  # MetricFinding
    steps: list[Json]  # {"resource", "setting", "step": MetricStep}
    contributions: list[Json]  # MeasuredContribution, the largest first; none where nothing fails or is slow


class Weighed(Findings):
    """Written by diagnosis."""

    hypotheses: list[Json]
    verdict: str
    settled: bool
    next_look: str | None
    root_cause: Json | None
    question: Json | None  # Question: what the next round is to read, before anything is settled
    also: list[Json]  # RootCause: what was a cause of its own besides


class Remedy(Findings):
    """Written by mitigation."""

    mitigation: Json | None


class Lesson(Findings):
    """Written by prevention."""

    prevention: list[Json]


class Account(Findings):
    """Written by report."""

    report: Json
    revision: int


class State(
    Request, Scope, Course, Surroundings, Trail, LogNotes, Measures, Weighed, Remedy, Lesson, Account
):
    """All of it."""
