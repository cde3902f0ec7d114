"""Application Auto Scaling of ECS services: target tracking on CPU or on requests per target.

User guide, "Target tracking": the high alarm needs three minutes above the target, the low one fifteen minutes below
90 % of it; the new count is the old one times metric over target, within the minimum and maximum; a count below the
minimum is first raised to it, by the next scale-out only (ECS developer guide); a count above a maximum that was
lowered is taken down to it at once, whatever the metric says; metrics arrive a minute late. It is computed from the
demand before a flow is simulated, for what it sets is a setting like any other.
"""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from evals.world.stage import moment, setting
from evals.world.world import Thing, World

if TYPE_CHECKING:
    from evals.world.flow import Flow

CPU = "ECSServiceAverageCPUUtilization"
REQUESTS = "ALBRequestCountPerTarget"
_HORIZON = 5 * 3600
_LATE = 75
_CLAMPS = 45  # seconds from a lowered maximum to the service's new count
MAXIMUM = "maximum"


class Scaling(NamedTuple):
    """One thing that the autoscaler did."""

    second: float
    before: int
    after: int
    alarm: str  # AlarmHigh or AlarmLow; MAXIMUM when the new maximum did it


def target_of(world: World, service: Thing) -> Thing | None:
    """The scalable target of a service."""
    return world.things.get(str(service.fixed.get("scalable_target", "")))


def scale(world: World, service: Thing, flow: Flow, since: float) -> None:
    """Write what the autoscaler sets from an epoch second on into the settings of the service; once."""
    target = target_of(world, service)
    if target is None or "scalings" in service.fixed:
        return
    done: list[Scaling] = []
    service.fixed["scalings"] = done
    above = below = 0
    rest = since
    for second in range(int(since), int(flow.demand.anchor) + _HORIZON, 60):
        count = int(setting(service, "desiredCount", second) or 0)
        most = int(setting(target, "MaxCapacity", second))
        if count > most:
            _set(service, done, Scaling(second + _CLAMPS, count, most, MAXIMUM))
            rest, above, below = second + 300, 0, 0
            continue
        value = _metric(world, service, target, flow, second, count)
        wanted = float(setting(target, "TargetValue", second))
        above = above + 1 if value is not None and value > wanted else 0
        below = below + 1 if value is not None and value < 0.9 * wanted else 0
        if value is None or second < rest or not (above >= 3 or below >= 15):
            continue
        low, high = (int(setting(target, name, second)) for name in ("MinCapacity", "MaxCapacity"))
        fitted = max(1, ceil(count * value / wanted))
        new = min(high, max(low, fitted)) if above >= 3 else max(low, min(count, fitted))
        acts = second + _LATE + (second // 60) % 20
        if new != count and (new > count or below >= 15):
            _set(service, done, Scaling(acts, count, new, "AlarmHigh" if new > count else "AlarmLow"))
            rest, above, below = second + 300, 0, 0


def _set(service: Thing, done: list[Scaling], scaling: Scaling) -> None:
    service.settings.set("desiredCount", moment(scaling.second), scaling.after)
    done.append(scaling)


def _metric(world: World, service: Thing, target: Thing, flow: Flow, second: int, count: int) -> float | None:
    if not count:
        return None
    rate = flow.demand.expected(second)
    if setting(target, "PredefinedMetricType", second) == REQUESTS:
        return rate * 60 / count
    thing = world.things[str(setting(service, "taskDefinition", second))]
    power = count * int(thing.at("cpu", thing.created) or 256) / 1024
    own: Any = service.fixed.get("cpu_ms")
    cost = float(own) if own is not None else 0.5 * flow.base_ms
    return min(100.0, 100 * rate * cost / 1000 * float(setting(service, "_slower", second) or 1.0) / power)


def ended(scaling: Scaling) -> timedelta:
    """How long a scaling activity takes until it is called successful."""
    return timedelta(seconds=25 + int(scaling.second) % 30)
