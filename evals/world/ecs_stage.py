"""Requests that an ECS service works on: how fast by its CPU, what fails by its revision, its role, its environment.

Physics: utilisation is arrivals per second times CPU seconds each, over the vCPUs of the tasks that run. Waiting grows
as in a queue with c servers (Sakasegawa's approximation of M/M/c: service time x u^(sqrt(2(c+1))-1) / (c (1-u))), c
being the vCPUs, at least one per task. Above 97 % the program's backlog fills: what is accepted waits for the whole
backlog, the rest is answered with 503 at once. On Fargate a task cannot use more than its own vCPUs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from math import sqrt
from typing import Any

from evals.world.autoscaler import scale, target_of
from evals.world.flow import OWN, Load
from evals.world.grants import Grants
from evals.world.roster import Roster, Seen
from evals.world.roster_plan import Plan
from evals.world.seed import mix
from evals.world.stage import Stage, setting, share_of
from evals.world.world import Thing, World

_RECENT = timedelta(days=14)
_FULL = 0.97
_BACKLOG = 64  # requests that one task lets wait
_HELD = "_roster"


def roster_of(world: World, service: Thing) -> Roster:
    """The scheduler's work for a service; made anew when somebody's change came in since."""
    held = service.fixed.get(_HELD)
    if isinstance(held, tuple) and held[1] == held[0].plan.fingerprint():
        known: Roster = held[0]
        return known
    if isinstance(held, tuple):
        _forget(held[0])
    cutoff = (world.start - _RECENT).timestamp()
    plan = Plan(world, service, cutoff)
    first = plan.next_change(cutoff)
    begin = float(int(min(first, world.start.timestamp()) - 61))
    made = Roster(Plan(world, service, begin), begin)
    service.fixed[_HELD] = (made, made.plan.fingerprint())
    return made


def _forget(old: Roster) -> None:
    """Take back what an outdated run has written."""
    for path, when in old.plan.written:
        steps = old.plan.service.settings.steps[path]
        place = steps.since.index(when)
        del steps.since[place], steps.values[place]
        steps._epochs.clear()


class ServiceStage(Stage):
    """Requests at the tasks of a service. `background`: of 10,000, those that fail for reasons of their own."""

    reasons = ("no task", "denied", "not-found", "bug", "overload", "hung", OWN)
    physical = ("desiredCount", "taskDefinition", "deployment", "network", "health", "forceNew")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.background = int(self.uses.get("background", 0))
        self.iam_lag = world.seed.integer(f"iam:{thing.arn}", 6, 40)
        self.grants = Grants(world, thing, self.iam_lag)
        self._moments: list[float] = []
        self._roster: Roster | None = None  # looked up once a minute

    @property
    def roster(self) -> Roster:
        return self._roster or self._renewed()

    def _renewed(self) -> Roster:
        self._roster = roster_of(self.world, self.thing)
        return self._roster

    def watched(self) -> Iterable[Thing]:
        yield from Plan(self.world, self.thing, 0.0).watched()
        yield self.grants.role
        for one in self.world.of("task-definition"):
            if one.fixed["family"] == self.thing.fixed["family"]:
                yield one
                yield self.world.things[one.fixed["execution_role"]]

    def moments(self) -> Iterator[float]:
        for thing in self.watched():
            for path, steps in thing.settings.steps.items():
                if path.startswith("tags.") or (
                    thing is self.thing and not path.startswith(("_", *self.physical))
                ):
                    continue
                yield from (since.timestamp() for since in steps.since if since > thing.created)
        target = target_of(self.world, self.thing)
        for steps in target.settings.steps.values() if target is not None else ():
            yield from (since.timestamp() for since in steps.since if since > self.thing.created)

    def begin(self, second: int) -> None:
        scale(self.world, self.thing, self.flow, second)
        self._moments = sorted(self.moments())

    def tight(self, second: int, wanted: int) -> bool:
        self._renewed()
        place = bisect_left(self._moments, second - self.iam_lag)
        if place < len(self._moments) and self._moments[place] < second + 60:
            return True
        return self.roster.moves_in(second, second + 60)

    # -- how much it can ---------------------------------------------------------------------------

    def _cost(self, second: float) -> float:
        """CPU seconds of one request."""
        own = self.thing.fixed.get("cpu_ms")
        first = float(own) if own is not None else 0.5 * self.flow.base_ms
        return max(0.1, first) * float(self.at("_slower", second) or 1.0) / 1000

    def vcpus(self, definition: str) -> float:
        thing = self.world.things[definition]
        return int(thing.at("cpu", thing.created) or 256) / 1024

    def _there(self, second: int, *, calm: bool) -> tuple[int, Counter[str]]:
        """How many tasks get requests, and of which revisions they are."""
        if calm:
            many = int(self.at("desiredCount", second) or 0)
            return many, Counter({str(self.at("taskDefinition", second)): many})
        seen: Seen = self.roster.seen(second)
        return len(seen.up), Counter(one.definition for one in seen.up)

    def capacity(self, second: int, seconds: int) -> int:
        many, revisions = self._there(second, calm=False)
        power = sum(self.vcpus(one) * count for one, count in revisions.items())
        return int(_FULL * power / self._cost(second) * seconds) if many else 0

    # -- requests ----------------------------------------------------------------------------------

    def enter(self, load: Load) -> None:
        arrived = load.alive
        many, revisions = self._there(load.second, calm=load.calm)
        if not many:
            load.end(self.index, "no task", load.alive, 3, status=503, unseen=True)
            self.close(load, arrived, tasks=0.0, cpu=0.0)
            return
        power = sum(self.vcpus(one) * count for one, count in revisions.items())
        rate = self.flow.demand.minute(load.minute) / 60 * load.alive / max(1, load.demand)
        cost = self._cost(load.second)
        used = rate * cost / power
        slower = float(self.at("_slower", load.second) or 1.0)
        load.ms = round(load.ms * slower + 1000 * waiting(used, max(many, round(power)), cost))
        if not load.calm:
            self._fails(load, revisions, many)
            if used > _FULL:
                excess = share_of(load.alive, 1 - _FULL / used, load.second)
                load.end(self.index, "overload", excess, 4, status=503)
                load.ms = round(load.ms + 1000 * _BACKLOG * many * cost / power)
        self.close(load, arrived, tasks=float(many), cpu=min(1.0, used))

    def _fails(self, load: Load, revisions: Counter[str], many: int) -> None:
        second = load.second
        if self.at("_hung", second):
            load.end(self.index, "hung", load.alive, 3_600_000, status=504)
        if self.grants.denied(second) is not None:
            load.end(self.index, "denied", load.alive, self.flow.base_ms * 0.6 + 9)
        before = load.alive
        for definition, count in revisions.items():
            wrong = self._wrong(definition)
            if wrong:
                load.end(self.index, "not-found", share_of(before, count / many, second), load.ms * 0.5 + 6)
            bug = setting(self.world.things[definition], "_bug", second) or self.at("_bug", second)
            if bug and bug.get("at", "request") == "request":
                share = float(bug.get("share", 1.0)) * count / many
                load.end(self.index, "bug", share_of(before, share, second), load.ms * 0.7)

    def _wrong(self, definition: str) -> bool:
        """Whether the revision names something else than what the program needs."""
        thing = self.world.things[definition]
        prefix = f"containerDefinitions.{thing.fixed['container']}.environment."
        held = {name: thing.at(prefix + name, thing.created) for name in self.thing.fixed["names"]}
        return any(
            value is not None and value != self.thing.fixed["names"][name] for name, value in held.items()
        )

    def leave(self, load: Load) -> None:
        if self.background and load.alive:
            expected = load.alive * self.background
            own = (expected + mix(self.flow.demand.salt, load.second, 3) % 10_000) // 10_000
            load.end(self.index, OWN, own)

    def text(self, reason: str) -> str:
        if reason == "bug":
            found = [self.thing, *(one for one in self.watched() if one.kind == "task-definition")]
            bugs = [one.at("_bug", self.world.start + timedelta(days=1)) for one in found]
            return str(next((bug["text"] for bug in bugs if bug and "text" in bug), "Exception: unhandled"))
        return {
            "overload": "503 Service Unavailable: backlog is full",
            "not-found": "could not connect: name or service not known",
        }.get(reason, reason)

    def denial(self, second: float) -> str:
        return self.grants.sdk_error(second, self.world.seed.hex(f"session:{self.thing.name}", 32))


def waiting(used: float, servers: int, cost: float) -> float:
    """Seconds that a request waits at a utilisation, before the backlog fills."""
    bounded = min(used, _FULL)
    if bounded <= 0:
        return 0.0
    power = sqrt(2 * (servers + 1)) - 1
    return float(cost * bounded**power / (servers * (1 - bounded)))
