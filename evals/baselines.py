"""Simple ways to name a culprit, for comparison: what opsleuth must be better than.

They see the same CloudTrail as the run, through the world's own door, up to the run's last look. They are given more
than a person in a hurry has: the true relations, what each event really touched, and every metric.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import Refused
from tools.evidence import MemoryStore
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.telemetry import Source
    from evals.world.world import World

LOOKBACK = timedelta(hours=24)
NAMES = ("latest change", "nearest change", "loudest symptom", "random change")
_PAGES = 40  # 2,000 events
_BEFORE, _AFTER = (150, 30), (15, 0)  # minutes before the alarm: what is normal, and what is loud


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a baseline blames: an event, or nothing when it sees none."""

    event: str = ""
    actor: str = ""
    action: str = ""
    time: datetime | None = None


NOTHING = Guess()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One baseline's answer. `right`: 1 or 0; for the random change the chance that it is right."""

    name: str
    guess: Guess
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the baselines look at. `changes`: newest first. `touched`: event id -> ARNs. `loud`: ARN -> jump."""

    changes: tuple[Guess, ...] = ()
    touched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relations: frozenset[tuple[str, str]] = frozenset()
    symptom: str = ""
    loud: Mapping[str, float] = field(default_factory=dict)


def judged(scene: Scene, event: str, *, innocent: bool) -> tuple[Baseline, ...]:
    """Every baseline's answer, judged by the rule for causes: it names the true event.

    `event`: id of the true event, "" when none is visible. `innocent`: the truth names no cause at all, so that only
    who blames nothing is right. A cause without an event is beyond all of them: they can only name changes.
    """
    picks = {"latest change": latest, "nearest change": nearest, "loudest symptom": loudest}
    found = [
        Baseline(name=name, guess=guess, right=_right(guess, event, innocent))
        for name, guess in ((name, pick(scene)) for name, pick in picks.items())
    ]
    chances = [_right(guess, event, innocent) for guess in scene.changes or (NOTHING,)]
    return (*found, Baseline(name="random change", guess=NOTHING, right=sum(chances) / len(chances)))


def _right(guess: Guess, event: str, innocent: bool) -> float:
    return float(not guess.event if innocent else bool(event) and guess.event == event)


def latest(scene: Scene) -> Guess:
    """The newest change of all."""
    return scene.changes[0] if scene.changes else NOTHING


def nearest(scene: Scene) -> Guess:
    """The newest change among those on resources nearest to the symptom along relations, in either direction."""
    return next(iter(by_nearness(scene)), NOTHING)


def by_nearness(scene: Scene) -> list[Guess]:
    """All changes, those on resources nearest to the symptom first, the newer one of equals before the other."""
    away = _distances(scene.symptom, scene.relations)
    far = len(away) + 1
    reach = {
        one.event: min((away.get(arn, far) for arn in scene.touched.get(one.event, ())), default=far)
        for one in scene.changes
    }
    return sorted(scene.changes, key=lambda one: reach[one.event])


def loudest(scene: Scene) -> Guess:
    """The newest change of the resource with the largest jump of any metric, among resources that were changed."""
    return next(iter(by_loudness(scene)), NOTHING)


def by_loudness(scene: Scene) -> list[Guess]:
    """All changes, those of the resource with the largest jump first, the newer one of equals before the other."""
    jumps = {
        one.event: max((scene.loud.get(arn, 0.0) for arn in scene.touched.get(one.event, ())), default=0.0)
        for one in scene.changes
    }
    return sorted(scene.changes, key=lambda one: -jumps[one.event])


def _distances(start: str, relations: frozenset[tuple[str, str]]) -> dict[str, int]:
    near: dict[str, set[str]] = {}
    for source, target in relations:
        near.setdefault(source, set()).add(target)
        near.setdefault(target, set()).add(source)
    found, edge = {start: 0}, [start]
    while edge:
        step = {arn for one in edge for arn in near.get(one, ())} - set(found)
        distance = found[edge[0]] + 1
        found |= dict.fromkeys(step, distance)
        edge = sorted(step)
    return found


# -- looking -----------------------------------------------------------------------------------------


def changes(aws: Aws, before: datetime, regions: Sequence[str]) -> tuple[Guess, ...]:
    """Successful changes by somebody in the 24 hours before `before` (the alarm's transition), newest first.

    Asks CloudTrail's LookupEvents with ReadOnly=false (50 a page, newest first). Raises nothing on a refusal: what
    cannot see blames nobody.
    """
    found = [guess for region in dict.fromkeys(regions) for guess in _region(aws, before, region)]
    return tuple(sorted(found, key=lambda one: one.time or before, reverse=True))


def _region(aws: Aws, before: datetime, region: str) -> Iterator[Guess]:
    asked: Json = {
        "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        "StartTime": before - LOOKBACK,
        "EndTime": before,
        "MaxResults": 50,
    }
    for _ in range(_PAGES):
        try:
            answer = aws.ask("cloudtrail", "LookupEvents", region, asked)
        except Refused:
            return
        for item in answer.get("Events", []):
            if _by_somebody(json.loads(item["CloudTrailEvent"])):
                yield _guess(item)
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]


def _by_somebody(record: Json) -> bool:
    """A call that succeeded and was not made by a service, or by a program that AWS runs to log."""
    who = record.get("userIdentity", {})
    by_aws = (
        who.get("type") == "AWSService" or "invokedBy" in who or "exec-env/" in record.get("userAgent", "")
    )
    return not record.get("errorCode") and record.get("eventType") == "AwsApiCall" and not by_aws


def _guess(item: Json) -> Guess:
    return Guess(
        event=item["EventId"],
        actor=item.get("Username", ""),
        action=item["EventName"],
        time=item["EventTime"].astimezone(UTC),
    )


def scene_of(world: World, now: datetime, symptom: str) -> Scene:
    """What is to be seen of a world at `now`. `symptom`: ARN to take where the trigger is no alarm on a metric."""
    alarm = str(world.trigger.get("alarm", ""))
    alarm = alarm.rpartition(":alarm:")[2] or alarm
    red = _went_red(world, alarm)
    aws = Aws(
        Account(region=world.region),
        world.transport(),
        VirtualClock(max(now, world.start)),
        Budget(Limits()),
        MemoryStore(),
        own_account=world.account,
    )
    try:
        seen = changes(aws, red, (world.region, world.global_region))
    finally:
        aws.close()
    watches = {source: target for source, kind, target in world.relations if kind == "watches"}
    watched = watches.get(world.alarms[alarm].arn) if alarm in world.alarms else None
    return Scene(
        changes=seen,
        touched={one.event: _touched(world, one.event) for one in seen},
        relations=frozenset((source, target) for source, _, target in world.relations),
        symptom=watched or str(world.trigger.get("resource", "")) or symptom,
        loud=_loud(world, red),
    )


def _touched(world: World, event: str) -> tuple[str, ...]:
    record = world.trail.by_id[event]
    return (record.arn,) if record.arn else tuple(arn for _, arn in record.resources)


def _went_red(world: World, alarm: str) -> datetime:
    """When the alarm last went into ALARM before the investigation began; else that moment itself."""
    changed = world.ledger.transitions(world.alarms[alarm].arn) if alarm in world.alarms else ()
    return max(
        (moment for moment, state in changed if state == "ALARM" and moment <= world.start),
        default=world.start,
    )


def _loud(world: World, red: datetime) -> dict[str, float]:
    """For each resource the largest relative jump of the mean of a metric's minutes, from the two hours before."""
    minute = int(red.timestamp()) // 60
    found: dict[str, float] = {}
    for source in world.telemetry.sources.values():
        before, after = (_mean(source, minute - since, minute - until) for since, until in (_BEFORE, _AFTER))
        # One a minute is the least that counts as normal: from nothing to something is loud, not infinitely loud.
        jump = abs(after - before) / max(abs(before), 1.0)
        found[source.owner] = max(found.get(source.owner, 0.0), jump)
    return found


def _mean(source: Source, first: int, last: int) -> float:
    """Mean of what a metric emitted in [first, last), epoch minutes; a minute without emission counts 0."""
    minutes = range(first + -first % source.every, last, source.every)
    emitted = [sample.total for minute in minutes if (sample := source.emit(minute)) is not None]
    return sum(emitted) / max(1, len(minutes))
