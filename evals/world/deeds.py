"""How changes look in CloudTrail: the call that makes them, as the service records it. Each kind says its own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from evals.world.kinds import kinds
from evals.world.trail import Deed
from evals.world.world import Thing, World

if TYPE_CHECKING:
    from evals.world.alarms import AlarmClock
    from evals.world.kinds._kind import Act


def change(world: World, act: Act) -> Deed:
    """The call that set `act.path` of a resource to what it is at `act.moment`."""
    if act.thing.kind == "alarm":
        return alarm_put(world.alarms[act.thing.name], act.moment)
    kind = kinds().get(act.thing.kind)
    if kind is None or kind.change is None:
        raise ValueError(f"no call changes {act.path} of a {act.thing.kind}")
    return kind.change(world, act)


def create(world: World, thing: Thing, moment: datetime) -> Deed:
    """The call that made a resource."""
    if thing.kind == "alarm":
        return alarm_put(world.alarms[thing.name], moment)
    kind = kinds().get(thing.kind)
    if kind is None or kind.create is None:
        raise ValueError(f"no call creates a {thing.kind}")
    return kind.create(world, thing, moment)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    kind = kinds().get(thing.kind)
    if kind is None or kind.tag is None:
        raise ValueError(f"tags of a {thing.kind} are not modelled")
    return kind.tag(world, thing, tags)


def alarm_put(alarm: AlarmClock, moment: datetime) -> Deed:
    """PutMetricAlarm: the whole alarm is in the request, the response is empty."""
    return Deed(
        source="monitoring", name="PutMetricAlarm", request=alarm.request(moment), api_version="2010-08-01"
    )
