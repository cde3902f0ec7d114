"""What happened in a run's world and what the run told of it, as one timeline: the data of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from evals.baselines import Guess
from evals.truth import Truth
from graph.models import Report

if TYPE_CHECKING:
    from evals.world.world import World

_BEFORE, _AFTER, _MOST = timedelta(minutes=30), timedelta(minutes=5), timedelta(hours=24)
_POINTS, _EVENTS = 240, 30

Role = Literal["cause", "blamed", "both", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A change event. `role`: the true cause, the one that the report blames, both, or neither."""

    time: datetime
    text: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One timeline. `told`: the onset as the interval that the report tells."""

    start: datetime
    end: datetime
    metric: str = ""
    points: tuple[tuple[datetime, float], ...] = ()
    onset: datetime | None = None
    told: tuple[datetime, datetime] | None = None
    marks: tuple[Mark, ...] = ()
    transitions: tuple[tuple[datetime, str], ...] = ()


def story(world: World, truth: Truth, report: Report | None, seen: Sequence[Guess]) -> Story:
    """The timeline of a run. `report`: its last one, if there is any. `seen`: the changes that CloudTrail shows."""
    end = (report.as_of if report else world.start) + _AFTER
    found = report.incident.onset if report else None
    told = (found.earliest, found.latest) if found else None
    marks = _marks(world, truth, report, seen)
    changed = [one.time for one in marks if one.role != "other"]
    alarm = _alarm(world)
    moments = [*changed, *([truth.onset] if truth.onset else []), *(told or ())]
    start = max(end - _MOST, min([end - 4 * _BEFORE, *(moment - _BEFORE for moment in moments)]))
    transitions = world.ledger.transitions(world.alarms[alarm].arn) if alarm in world.alarms else ()
    metric, points = _points(world, alarm, start, end - _AFTER, report)
    return Story(
        start=start,
        end=end,
        metric=metric,
        points=points,
        onset=truth.onset,
        told=told,
        marks=_shown(marks, start, end),
        transitions=_inside(transitions, start, end),
    )


def _inside(
    transitions: Sequence[tuple[datetime, str]], start: datetime, end: datetime
) -> tuple[tuple[datetime, str], ...]:
    """The state that holds at the start, and every state entered until the end."""
    held = [(start, state) for moment, state in transitions if moment < start][-1:]
    return (*held, *((moment, state) for moment, state in transitions if start <= moment <= end))


def _alarm(world: World) -> str:
    said = str(world.trigger.get("alarm", ""))
    return said.rpartition(":alarm:")[2] or said


def _points(
    world: World, alarm: str, start: datetime, end: datetime, report: Report | None
) -> tuple[str, tuple[tuple[datetime, float], ...]]:
    """The alarm's metric, in periods long enough that the picture holds few points; else what the report read."""
    clock = world.alarms.get(alarm)
    if clock is None or clock.source is None:
        return _read(report, start, end)
    minutes = int((end - start).total_seconds()) // 60
    step = clock.source.every * -(-max(1, minutes) // (_POINTS * clock.source.every))
    first = start.timestamp() // 60 * 60
    rows = world.telemetry.points(
        clock.source, clock.stat, 60 * step, first, end.timestamp(), end.timestamp()
    )
    named = f"{clock.namespace} {clock.metric} ({clock.stat}, {60 * step} s)"
    found = ((datetime.fromtimestamp(at, start.tzinfo), value) for at, value in rows)
    return named, tuple(point for point in found if start <= point[0] <= end)


def _read(
    report: Report | None, start: datetime, end: datetime
) -> tuple[str, tuple[tuple[datetime, float], ...]]:
    series = report.incident.recent if report else None
    if series is None:
        return "", ()
    metric = series.metric
    named = f"{metric.namespace} {metric.name} ({metric.stat}, {metric.period} s)"
    return named, tuple(point for point in series.points if start <= point[0] <= end)


def _marks(world: World, truth: Truth, report: Report | None, seen: Sequence[Guess]) -> list[Mark]:
    true = truth.cause.event if truth.cause else ""
    blamed = report.root_cause.event.id if report and report.root_cause and report.root_cause.event else ""
    found = []
    for event in dict.fromkeys([one.event for one in seen] + [one for one in (true, blamed) if one]):
        record = world.trail.by_id.get(event)
        if record is None:
            continue
        role: Role = "other"
        if event in (true, blamed):
            role = "both" if true == blamed else "cause" if event == true else "blamed"
        touched = record.arn or next((arn for _, arn in record.resources), "")
        what = f"{record.body['eventName']} {touched.rpartition(':')[2]}".strip()
        found.append(Mark(time=record.time, text=f"{what}, {record.actor.name}", role=role))
    return sorted(found, key=lambda one: (one.time, one.text))


def _shown(marks: Sequence[Mark], start: datetime, end: datetime) -> tuple[Mark, ...]:
    """Marks inside the picture; the newest of the others when there are too many."""
    inside = [one for one in marks if start <= one.time <= end]
    others = [one for one in inside if one.role == "other"][-_EVENTS:]
    return tuple(one for one in inside if one.role != "other" or one in others)
