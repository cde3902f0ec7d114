"""Requests at an Application Load Balancer and at its target groups.

Application Load Balancer user guide: requests go to healthy targets, to all registered ones when none is healthy
("fail open"); without registered targets 503; a target that refuses the connection 502; one that does not answer a
connection within 10 seconds, or not at all within the idle timeout, 504 ("Troubleshoot"). Rules are tried by
priority before the default action; weights share requests among target groups. Listeners and attributes take effect
within seconds. A balancer whose own security group admits nobody never sees the requests.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from evals.world import health
from evals.world.admits import OUTSIDE, admits, guards
from evals.world.ecs_stage import ServiceStage
from evals.world.flow import Load
from evals.world.hosts import STATUS
from evals.world.seed import mix
from evals.world.stage import Stage, setting, share_above, share_of
from evals.world.world import Thing, World
from tools.models import Json

CONNECT_MS = 10_000
IDLE = "Attributes.idle_timeout.timeout_seconds"


class BalancerStage(Stage):
    """Requests that come in by an Application Load Balancer."""

    reasons = ("unreachable", "expired", "fixed response", "no targets", "other targets", "idle timeout")
    physical = ("Attributes.",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.lag = world.seed.integer(f"lag:{thing.arn}", 2, 9)
        self.path = str(self.uses.get("path") or thing.fixed.get("path") or "/")
        self._moments: list[float] = []
        self._open: dict[tuple[int, int], bool] = {}

    @property
    def listener(self) -> Thing:
        return self.world.things[self.thing.fixed["listener"]]

    @property
    def certificate(self) -> Thing | None:
        """The certificate of its listener, where the case declares one."""
        return self.world.things.get(str(self.listener.fixed.get("certificate") or ""))

    def _rules(self) -> list[Thing]:
        listener = self.listener.arn
        return [one for one in self.world.of("listener-rule") if one.fixed["listener"] == listener]

    def watched(self) -> Iterable[Thing]:
        yield from (self.thing, self.listener, *self._rules(), *guards(self.world, self.thing))
        if self.certificate is not None:
            yield self.certificate

    def moments(self) -> Iterator[float]:
        for thing in self.watched():
            for path, steps in thing.settings.steps.items():
                if not path.startswith("tags."):
                    yield from (one.timestamp() for one in steps.since if one > thing.created)

    def begin(self, second: int) -> None:
        self._moments = sorted(self.moments())

    def tight(self, second: int, wanted: int) -> bool:
        place = bisect_left(self._moments, second - self.lag)
        return place < len(self._moments) and self._moments[place] < second + 60

    def actions(self, second: float) -> Sequence[Json]:
        """The actions that requests of this flow meet at an epoch second."""
        for rule in sorted(self._rules(), key=lambda one: int(setting(one, "Priority", second) or 50_000)):
            held = setting(rule, "Conditions", second)
            if rule.created.timestamp() <= second and held and self._meets(held):
                return list(setting(rule, "Actions", second) or [])
        return list(setting(self.listener, "DefaultActions", second) or [])

    def _meets(self, conditions: Sequence[Json]) -> bool:
        for one in conditions:
            values = one.get("Values") or (one.get("PathPatternConfig") or {}).get("Values") or []
            if one.get("Field") != "path-pattern" or not any(fnmatchcase(self.path, v) for v in values):
                return False
        return True

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if load.calm:
            self.close(load, arrived)
            return
        if not self._admitted(load.second):
            load.end(self.index, "unreachable", load.alive, CONNECT_MS, status=0, unseen=True)
        if self.certificate is not None and setting(self.certificate, "_expired", load.second):
            strict = float(self.uses.get("strict", 0.97))  # of clients, those that look at the certificate
            many = share_of(load.alive, strict, load.second)
            load.end(self.index, "expired", many, 60, status=0, unseen=True)
        self._route(load)
        self.close(load, arrived)

    def _admitted(self, second: int) -> bool:
        """Whether clients reach it; looked at anew when a setting has changed."""
        key = bisect_left(self._moments, second), bisect_left(self._moments, second - 3)
        if key not in self._open:
            port = int(self.listener.at("Port", self.listener.created) or 443)
            self._open[key] = admits(self.world, OUTSIDE, self.thing, port, second)
        return self._open[key]

    def _route(self, load: Load) -> None:
        """Requests that do not go to the target group of this flow end elsewhere."""
        following = (
            self.flow.stages[self.index + 1].thing.arn if self.index + 1 < len(self.flow.stages) else ""
        )
        for action in self.actions(load.second - self.lag):
            if action["Type"] == "fixed-response":
                status = int(action["FixedResponseConfig"]["StatusCode"])
                load.end(self.index, "fixed response", load.alive, 1, status=status, unseen=True)
            elif action["Type"] == "redirect":
                load.end(self.index, "fixed response", load.alive, 1, status=301, unseen=True)
            elif action["Type"] == "forward":
                groups = weights(action)
                total = sum(groups.values()) or 1
                before = load.alive
                for arn, weight in groups.items():
                    if arn != following and weight:
                        self._elsewhere(load, arn, share_of(before, weight / total, load.second))

    def _elsewhere(self, load: Load, arn: str, many: int) -> None:
        group = self.world.things.get(arn)
        if group is None or not targets(self.world, group, load.second):
            load.end(self.index, "no targets", many, 1, status=503, unseen=True)
        else:  # another program, which does not know these paths
            status = int(setting(group, "_answers", load.second) or 404)
            load.end(self.index, "other targets", many, 9, status=status, unseen=True)

    def idle_ms(self, second: float) -> int:
        return 1000 * int(self.at(IDLE, second - self.lag) or 60)

    def leave(self, load: Load) -> None:
        if load.calm:
            return
        limit = self.idle_ms(load.second)
        late = share_above(limit / load.ms) if load.ms else 0.0
        load.end(self.index, "idle timeout", share_of(load.alive, late, load.second), limit, status=504)
        load.endings[:] = [
            one._replace(stage=self.index, reason="idle timeout", ms=limit, status=504)
            if one.ms > limit and one.stage > self.index + 1
            else one
            for one in load.endings
        ]

    def text(self, reason: str) -> str:
        return {
            "idle timeout": "504 Gateway Time-out",
            "no targets": "503 Service Temporarily Unavailable",
        }.get(reason, reason)


def weights(action: Json) -> dict[str, int]:
    """The target groups that a forward action names, and their weights."""
    listed = (action.get("ForwardConfig") or {}).get("TargetGroups")
    if listed:
        return {str(one["TargetGroupArn"]): int(one.get("Weight", 1)) for one in listed}
    return {str(action["TargetGroupArn"]): 1} if action.get("TargetGroupArn") else {}


def services(world: World, group: Thing) -> list[Thing]:
    """ECS services that register their tasks with a target group."""
    return [one for one in world.of("ecs-service") if group.arn in one.fixed["groups"]]


def targets(world: World, group: Thing, second: float) -> int:
    """How many targets are registered."""
    from evals.world.ecs_stage import roster_of

    found = sum(roster_of(world, one).seen(second).registered for one in services(world, group))
    return found + len(group.fixed.get("targets", ()))


class GroupStage(Stage):
    """Requests on their way from a load balancer to the targets of a target group."""

    reasons = ("no targets", "refused", "not answered", "drained")
    physical = ("HealthCheck", "UnhealthyThreshold", "HealthyThreshold", "Matcher", "Attributes.", "targets.")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.fixed = FixedTargets(world, thing)
        self._moments: list[float] = []

    @property
    def service(self) -> ServiceStage | None:
        """The ECS service behind it."""
        following = self.flow.stages[self.index + 1] if self.index + 1 < len(self.flow.stages) else None
        return following if isinstance(following, ServiceStage) else None

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        yield from self.fixed.watched()

    def begin(self, second: int) -> None:
        self._moments = sorted(self.moments())
        self.fixed.begin(second)

    def tight(self, second: int, wanted: int) -> bool:
        if self.service is not None:
            return False  # its roster tells
        place = bisect_left(self._moments, second - 5)
        if place < len(self._moments) and self._moments[place] < second + 60:
            return True
        return self.fixed.moves_in(second, second + 60)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if load.calm:
            self.close(load, arrived)
            return
        service = self.service
        if service is not None:
            seen = service.roster.seen(load.second)
            receiving, up, held = len(seen.receiving), len(seen.up), seen.registered
            healthy, unhealthy = seen.healthy, seen.unhealthy
            open_ = service.roster.plan.admitted(service.roster.plan.port, load.second)
        else:
            receiving, up, held, healthy, open_ = self.fixed.counts(load.second)
            unhealthy = held - healthy
        refused: dict[str, int] = {}
        if not held:
            load.end(self.index, "no targets", load.alive, 1, status=503, unseen=True)
        elif not open_:
            many = load.end(self.index, "not answered", load.alive, CONNECT_MS, status=504, unseen=True)
            refused["connection"] = many
        else:
            lost = share_of(load.alive, 1 - up / receiving, load.second)
            refused["connection"] = load.end(self.index, "refused", lost, 3, status=502, unseen=True)
        trouble = 1.0 if unhealthy or not held else 0.0
        self.close(
            load, arrived, refused, healthy=float(healthy), unhealthy=float(unhealthy), troubled=trouble
        )

    def text(self, reason: str) -> str:
        return {"no targets": "503 Service Temporarily Unavailable", "refused": "502 Bad Gateway"}.get(
            reason, "504 Gateway Time-out"
        )


class FixedTargets:
    """Targets that do not come and go with a service: instances, addresses, a function.

    `target-group.fixed["targets"]` holds the ARNs of resources. An instance answers unless it is not running or its
    nature `_down` says so; a function always does.
    """

    def __init__(self, world: World, group: Thing) -> None:
        self.world = world
        self.group = group
        self._healths: dict[str, health.Health] = {}
        self._now = 0

    def things(self) -> list[Thing]:
        return [
            self.world.things[arn] for arn in self.group.fixed.get("targets", ()) if arn in self.world.things
        ]

    def watched(self) -> Iterable[Thing]:
        for one in self.things():
            yield from (one, *guards(self.world, one))
        for arn in self.group.fixed.get("balancers", ()):
            yield from guards(self.world, self.world.things[arn])

    def begin(self, second: int) -> None:
        self._now = second
        self._healths = {
            one.arn: health.sound(float(second), second + mix(number, second) % 30)
            for number, one in enumerate(self.things())
        }

    def registered(self, second: float) -> list[Thing]:
        """Targets that have not been taken out (`targets.<name>` set to null)."""
        return [one for one in self.things() if not self._removed(one, second)]

    def _removed(self, one: Thing, second: float) -> bool:
        steps = self.group.settings.steps.get(f"targets.{one.name}")
        return steps is not None and steps.at_second(second) is None

    def up(self, one: Thing, second: float) -> bool:
        """Whether its program answers."""
        state = setting(one, "State.Name", second)
        return state in (None, "running") and not setting(one, "_down", second)

    def _open(self, one: Thing, port: int, second: float) -> bool:
        if setting(one, STATUS, second):  # a machine that fails AWS's own checks takes no packets
            return False
        balancers = [self.world.things[arn] for arn in self.group.fixed.get("balancers", ())]
        return all(admits(self.world, each, one, port, second) for each in balancers)

    def answers(self, one: Thing, path: str, port: int, second: float) -> int | str:
        if not self._open(one, port, second):
            return "timeout"
        if setting(one, "State.Name", second) not in (None, "running"):
            return "timeout"
        if not self.up(one, second) or port != self.port:
            return "refused"
        known = self.group.fixed.get("health_path")
        return 200 if known in (None, path.split("?", 1)[0]) else 404

    @property
    def port(self) -> int:
        return int(self.group.fixed["port"])

    def advance(self, until: float) -> None:
        if not self._healths:
            self.begin(int(until) - 1)
        for one in self.things():
            held = self._healths[one.arn]
            while held.next <= until:
                how = health.rules(self.group, held.next)
                held.note(how.verdict(_Answers(self, one), self.port, held.next), how)
        self._now = int(until)

    def moves_in(self, start: float, end: float) -> bool:
        self.advance(end)
        return any(start <= since < end for held in self._healths.values() for since, _ in held.history[1:])

    def state(self, one: Thing, second: float) -> tuple[str, health.Verdict]:
        self.advance(second)
        held = self._healths[one.arn]
        return held.state(second) or "healthy", held.verdict(second)

    def counts(self, second: float) -> tuple[int, int, int, int, bool]:
        """How many get requests, of these answer, are registered, are healthy; whether connections come through."""
        if self.group.at("TargetType", self.group.created) == "lambda":
            return 1, 1, 1, 1, True
        held = self.registered(second)
        healthy = [one for one in held if self.state(one, second)[0] == "healthy"]
        receiving = healthy or held
        reached = [one for one in receiving if self._open(one, self.port, second)]
        up = sum(self.up(one, second) for one in receiving)
        return len(receiving), up, len(held), len(healthy), bool(reached) or not held


class _Answers:
    """One fixed target as a health check meets it."""

    def __init__(self, targets: FixedTargets, one: Thing) -> None:
        self.targets = targets
        self.one = one

    def answers(self, path: str, port: int, second: float) -> int | str:
        return self.targets.answers(self.one, path, port, second)
