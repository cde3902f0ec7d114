"""The instances of an Auto Scaling group over time, and requests that they share.

EC2 Auto Scaling user guide, "Scale the size of your Auto Scaling group" and "Set scaling limits": an update of the
limits that leaves the desired capacity above the new maximum lowers it to the maximum; Auto Scaling then takes
instances out of service within seconds, lets the load balancer drain them for its deregistration delay and terminates
them. New ones are in service once they have started and answer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evals.world.flow import OWN, Load
from evals.world.hosts import SIZES
from evals.world.kinds._kind import Wish
from evals.world.middleware import Queue
from evals.world.seed import mix
from evals.world.stage import Stage, moment, setting
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

SIZE = ("MinSize", "MaxSize", "DesiredCapacity")
NEVER = float(2**50)
_OLD = timedelta(days=13)  # steps before are history: their instances are gone
_START = 95  # seconds from the decision until an instance is in service, and up to 40 more
_SLOW_MS = 250
_PATIENCE = 75  # seconds for which requests wait at most


@dataclass(slots=True)
class Member:
    """One instance: when it entered service (0: long ago), was taken out of it and terminated, in epoch seconds."""

    thing: Thing
    entered: float
    left: float = NEVER
    gone: float = NEVER

    def serves(self, second: float) -> bool:
        return self.entered <= second < self.left


@dataclass(frozen=True, slots=True)
class Move:
    """A change of the desired capacity, and which members follow it."""

    second: float
    before: int
    after: int
    launched: tuple[Member, ...] = ()
    ended: tuple[Member, ...] = ()


class Roster:
    """All members of a group, made from the history of its desired capacity."""

    def __init__(self, world: World, group: Thing) -> None:
        self.world = world
        self.group = group
        self.members: list[Member] = []
        self.moves: list[Move] = []
        limit(group)
        steps = group.settings.steps["DesiredCapacity"]
        recent = world.start - _OLD
        first = max(group.created, recent)
        held = int(group.at("DesiredCapacity", first) or 0)
        for _ in range(held):
            self._launch(first - timedelta(hours=7 + 19 * len(self.members)), 0.0)
        for since, value in steps.pairs():
            wanted = int(value or 0)
            if since > first and wanted != held:
                self._move(since.timestamp(), held, wanted)
                held = wanted

    def _move(self, second: float, before: int, after: int) -> None:
        seed = self.world.seed
        lag = seed.integer(f"scaling:{self.group.arn}:{int(second)}", 7, 24)
        serving = [one for one in self.members if one.serves(second)]
        if after > before:
            new = tuple(self._launch(moment(second + lag), second + lag + _START + mix(number, int(second)) % 40)
                        for number in range(after - before))  # fmt: skip
            self.moves.append(Move(second, before, after, launched=new))
            return
        out = tuple(serving[: before - after])
        for one in out:
            one.left = second + lag
            one.gone = one.left + self._draining(second)
            one.thing.settings.set("State.Name", moment(one.gone), "terminated")
            for group in self._targets():
                group.settings.set(f"targets.{one.thing.name}", moment(one.left), None)
        self.moves.append(Move(second, before, after, ended=out))

    def _targets(self) -> list[Thing]:
        return [self.world.things[arn] for arn in self.group.fixed["groups"]]

    def _draining(self, second: float) -> int:
        path = "Attributes.deregistration_delay.timeout_seconds"
        return max((int(setting(one, path, second) or 300) for one in self._targets()), default=20) + 9

    def _launch(self, when: datetime, entered: float) -> Member:
        number, group = len(self.members) + 1, self.group
        thing = _instance(self.world, group, number, max(when, group.created))
        for target in self._targets():
            if thing.arn not in target.fixed["targets"]:
                target.fixed["targets"].append(thing.arn)
            self.world.relate(target.arn, "targets", thing.arn)
            if entered:
                path = f"targets.{thing.name}"
                target.settings.set(path, target.created, None)
                target.settings.set(path, moment(entered), {"id": thing.fixed["id"]})
        self.world.relate(group.arn, "launches", thing.arn)
        self.members.append(Member(thing, entered))
        return self.members[-1]

    def serving(self, second: float) -> list[Member]:
        return [one for one in self.members if one.serves(second)]


def limit(group: Thing) -> None:
    """Keep the desired capacity within the limits, as AWS does at each update of them."""
    steps = [group.settings.steps[path].since for path in SIZE]
    for when in sorted({since for each in steps for since in each}):
        low, high, wanted = (int(group.at(path, when) or 0) for path in SIZE)
        fitting = min(high, max(low, wanted))
        if fitting != wanted:
            group.settings.set("DesiredCapacity", when, fitting)


def roster_of(world: World, group: Thing) -> Roster:
    """The roster of a group, made when it is first asked for: all that events set must be laid down by then."""
    held = group.fixed.get("roster")
    if held is None:
        held = group.fixed["roster"] = Roster(world, group)
    assert isinstance(held, Roster)
    return held


def _instance(world: World, group: Thing, number: int, when: datetime) -> Thing:
    """A machine of a group, in the zones in turn; all share one role."""
    from evals.world.kinds import kinds

    shop = Workshop(world, dict(world.known))
    wish = Wish(
        id=f"{group.name} {number}",
        kind="instance",
        name=f"{group.name}-{number}",
        created=when,
        settings={"InstanceType": group.fixed["type"], "Monitoring.State": "enabled"},
        tags={"Name": group.name, "aws:autoscaling:groupName": group.name},
        options={
            "runs": ["nginx", "tomcat"],
            "ships_logs": False,
            "family": group.name,
            "zone": "ac"[number % 2],
            "guarded_by": group.fixed["guarded_by"],
        },
    )
    return kinds()["instance"].make(shop, wish)


class FleetStage(Stage):
    """Requests that the instances in service share. Without enough of them they wait for CPU."""

    reasons = (OWN,)
    physical = SIZE

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.roster = roster_of(world, thing)
        self.queue = Queue()
        self.background = int(self.uses.get("background", 0))
        self._moments: list[float] = []

    def watched(self) -> Iterable[Thing]:
        yield self.thing

    def moments(self) -> Iterator[float]:
        yield from super().moments()
        for one in self.roster.members:
            yield from (
                at for at in (one.entered, one.left) if at > self.thing.created.timestamp() and at < NEVER
            )

    def begin(self, second: int) -> None:
        self.queue = Queue()
        self._moments = sorted(self.moments())

    def tight(self, second: int, wanted: int) -> bool:
        place = bisect_left(self._moments, second)
        return place < len(self._moments) and self._moments[place] < second + 60

    @property
    def cost(self) -> float:
        """CPU seconds of one request."""
        own = self.thing.fixed["cpu_ms"]
        return float(own if own is not None else 0.3 * self.flow.base_ms) / 1000

    def enter(self, load: Load) -> None:
        arrived, second = load.alive, load.second
        many = len(self.roster.serving(second)) or 1
        power = many * SIZES[str(self.thing.fixed["type"])].vcpus
        busy = arrived / load.seconds * self.cost / power
        waited = 0.0
        if not load.calm:
            capacity = power / self.cost
            waited = 1000 * self.queue.wait(arrived, capacity, load.seconds, _PATIENCE * capacity)
        if busy > 0.7:
            waited += 1000 * self.cost * (0.3 / (1.02 - min(busy, 1.0)) - 0.9)
        load.ms += round(max(0.0, waited))
        troubled = 1.0 if waited > _SLOW_MS else 0.0
        cpu = min(100.0, 100 * busy + 2.0)
        self.close(load, arrived, None, cpu=cpu, serving=float(many), troubled=troubled)

    def leave(self, load: Load) -> None:
        if self.background and load.alive:
            own = (
                load.alive * self.background + mix(self.flow.demand.salt, load.second, 3) % 10_000
            ) // 10_000
            load.end(self.index, OWN, own)
