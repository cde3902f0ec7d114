"""Requests at an EC2 instance: the network before it, the machine, its programs one after the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from evals.world.flow import OWN, Ending, Load, Passage
from evals.world.grants import Grants
from evals.world.hosts import DISK, PENDING, Host
from evals.world.kinds.ebs import Disk
from evals.world.kinds.vpc import blocked
from evals.world.middleware import (
    CERTIFICATE,
    DENIED,
    HEAP,
    NO_CREDENTIALS,
    PATIENCE_MS,
    PROGRAMS,
    TOO_MANY,
    MySql,
    Program,
    Tomcat,
)
from evals.world.seed import mix
from evals.world.stage import Stage, setting
from evals.world.world import Thing, World

_LAG = 3  # seconds until a rule is in force
_IDLE = 0.02  # of each vCPU: the system and the agents
_SYSTEM_MB = 460
_FINE = 8  # minutes of trouble that are looked at second by second
_SLOW_DISK_MS = 250  # that requests feel
_KILL_BOOT = 48  # seconds until systemd has a killed program back


class InstanceStage(Stage):
    """`background`: of 10,000 requests, those that fail for reasons of their own."""

    physical = (
        "State.",
        "InstanceType",
        "SecurityGroups",
        "config.",
        "MetadataOptions.",
        "CreditSpecification.",
    )

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.host = Host(thing)
        self.programs: list[Program] = [PROGRAMS[name](self) for name in thing.fixed["runs"]]
        first = self.programs[0].name
        self.reasons = tuple(
            dict.fromkeys(
                [f"{first} refused", f"{first} unreachable", CERTIFICATE]
                + [reason for one in self.programs for reason in one.reasons]
                + [OWN]
            )
        )
        self.background = int(self.uses.get("background", 0)) if "tomcat" in thing.fixed["runs"] else 0
        self.iam_lag = world.seed.integer(f"iam:{thing.arn}", 6, 40)
        self.stale = 60 * world.seed.integer(f"credentials:{thing.arn}", 3, 25)
        self.kills: list[tuple[float, str, float]] = []  # (epoch second, program, resident MB)
        self.abandoned: dict[int, Counter[tuple[int, str]]] = {}
        self.connections = 0.0
        self.credits = 0.0
        self._fine = 0
        self._edges: list[float] = []
        self._network: list[float] = []
        self._drops: dict[int, bool] = {}
        self.grants = Grants(world, thing, self.iam_lag)
        self.disk = Disk(world.things[thing.fixed["volume"]])
        self.disk_ms = 0.0  # that requests wait for the volume

    # -- what it looks at -------------------------------------------------------------------------

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        yield self.grants.role
        yield self.disk.volume
        for arn in {arn for second in self._grouped() for arn in groups(self.world, self.thing, second)}:
            yield self.world.things[arn]
        for arn in self.thing.fixed["subnets"]:
            yield self.world.things[self.world.things[arn].fixed["acl"]]

    def _grouped(self) -> list[float]:
        return [one.timestamp() for one in _group_steps(self.thing)]

    def moments(self) -> Iterator[float]:
        """A disk that fills is felt once it is full, days after it began to."""
        grows = {one for one in self.host.steps(DISK) if one > self.host.created}
        yield from (one for one in super().moments() if one not in grows)
        yield from self.host.fills()
        yield from self.host.edges()

    def begin(self, second: int) -> None:
        runs_out = [when + self.stale for when in self.host.steps("MetadataOptions.HttpTokens")]
        self._edges = sorted([*super().moments(), *self.host.fills(), *self.host.edges(), *runs_out])
        self._fine, self.kills, self.connections = 0, [], 0.0
        self._network, self._drops, self.abandoned = self._rules(), {}, {}
        self.credits = 0.9 * self.host.size(second).most_credits
        self.disk.begin()
        for one in self.programs:
            one.begin(second)

    def _rules(self) -> list[float]:
        """Epoch seconds at which the network between the stage before and this one changes."""
        before = [self.flow.stages[self.index - 1].thing] if self.index else []
        found = [one.timestamp() for each in (self.thing, *before) for one in _group_steps(each)]
        for thing in self.watched():
            if thing.kind in ("security-group", "network-acl"):
                found += [one.timestamp() for each in thing.settings.steps.values() for one in each.since]
        return sorted(one + _LAG for one in found)

    def tight(self, second: int, wanted: int) -> bool:
        for shift in (0, self.iam_lag):
            place = bisect_left(self._edges, second - shift)
            if place < len(self._edges) and self._edges[place] < second - shift + 60:
                return True
        if any(second - 120 < when < second + 60 for when, _, _ in self.kills):
            return True
        if self.disk.near(second, wanted / 60):
            return True
        if self._fine < _FINE and any(one.near(second, wanted / 60) for one in self.programs):
            self._fine += 1
            return True
        if not any(one.near(second, wanted / 60) for one in self.programs):
            self._fine = 0
        return False

    def inside(self, reason: str, program: Program) -> bool:
        """Whether requests that ended here for a reason had come as far as a program of this instance."""
        place = self.programs.index(program)
        deeper = {one for each in self.programs[place + 1 :] for one in each.reasons}
        own = {*program.reasons, OWN}
        closed = (f"{program.name} refused", f"{program.name} unreachable", CERTIFICATE)
        return reason in deeper or (reason in own and reason not in closed)

    # -- the machine ------------------------------------------------------------------------------

    def power(self, second: float) -> float:
        return self.host.power(second, self.credits)

    def also(self, program: Program) -> float:
        """CPU seconds of a request at the other programs."""
        return sum(one.cost for one in self.programs if one is not program)

    def cpu(self, second: float, rates: Mapping[str, float]) -> float:
        """The used share of all vCPUs, when so many requests per second come as far as each program."""
        vcpus = self.host.size(second).vcpus
        used = min(sum(rates.get(one.name, 0.0) * one.cost for one in self.programs), self.power(second))
        collecting = 0.0
        for one in self.programs:
            if isinstance(one, Tomcat) and rates.get(one.name):
                collecting = one.collecting(second, rates[one.name])
        jobs = self.host.cron(second)
        return min(1.0, used / vcpus + _IDLE + jobs + (collecting * 0.8 if collecting > 0.05 else 0.0))

    def memory(self, second: float) -> dict[str, float]:
        """MB that each program holds."""
        found = {"system": _SYSTEM_MB + float(self.at("_other_mb", second) or 0)}
        for one in self.programs:
            found[one.name] = self._resident(one, second)
        return found

    def _resident(self, program: Program, second: float) -> float:
        ram = self.host.size(second).memory_mb
        if isinstance(program, MySql):
            return 0.3 * ram + 1.1 * self.connections
        if not isinstance(program, Tomcat):
            return 45.0
        heap, live = self.host.heap_mb(second), program.live(second)
        touched = min(heap, live + 0.5 * max(0.0, heap - live))
        started = max(
            [self.host.begun("tomcat", second), *(when for when, name, _ in self.kills if name == "tomcat")]
        )
        warm = min(1.0, 0.35 + max(0.0, second - started) / 600)
        return 290 + touched * warm

    def _maybe_kill(self, second: float) -> None:
        """The kernel kills the largest program when memory is out (Linux documentation, "OOM killer")."""
        held = self.memory(second)
        if sum(held.values()) <= self.host.size(second).memory_mb * 0.985:
            return
        largest = max((one.name for one in self.programs), key=lambda name: held[name])
        if not self._down(largest, second):
            self.kills.append((float(second), largest, held[largest]))

    def _down(self, program: str, second: float) -> bool:
        killed = any(name == program and when <= second < when + _KILL_BOOT for when, name, _ in self.kills)
        return killed or self.host.down(program, second)

    def starts(self, program: str, minute: int) -> list[float]:
        """Epoch seconds in a minute at which a program begins to listen again."""
        created = self.thing.created.timestamp()
        found = [when + _KILL_BOOT for when, name, _ in self.kills if name == program]
        for path in self.host.restarts(program):
            found += [when + self.host.restart for when in self.host.steps(path) if when > created]
        booted = PENDING + self.host.boot
        found += [
            when + booted
            for when in self.host.steps("State.Name")
            if when > created and self.at("State.Name", when) == "running"
        ]
        return [one for one in found if minute * 60 <= one < minute * 60 + 60]

    def _earn(self, load: Load, used: float) -> None:
        size = self.host.size(load.second)
        if size.earns:
            given = self.at("_credits", load.second)
            if given is not None and self.host.since("_credits", load.second) > load.second - load.seconds:
                self.credits = float(given)
            gained = load.seconds * (size.earns / 3600 - used * size.vcpus / 60)
            self.credits = min(size.most_credits, max(0.0, self.credits + gained))

    def abandon(self, minute: int, ending: Ending, many: int) -> None:
        """Note requests that a proxy here no longer waits for, while programs behind it go on to their failure."""
        self.abandoned.setdefault(minute, Counter())[ending.stage, ending.reason] += many

    # -- credentials ------------------------------------------------------------------------------

    def refuses_v1(self, second: float) -> bool:
        return bool(self.at("MetadataOptions.HttpTokens", second) == "required")

    def without_credentials(self, second: float) -> bool:
        """An old SDK asks the metadata service without a token; what it holds runs out some time after."""
        if not self.thing.fixed["old_sdk"] or not self.refuses_v1(second):
            return False
        return second >= self.host.since("MetadataOptions.HttpTokens", second) + self.stale

    # -- requests ---------------------------------------------------------------------------------

    def caller(self) -> str:
        """The program that calls the first one here; "" when it is none that a host runs."""
        before = self.flow.stages[self.index - 1].thing if self.index else None
        runs = before.fixed.get("runs") if before is not None else None
        return str(runs[-1]) if runs else ""

    def enter(self, load: Load) -> None:
        arrived, second = load.alive, load.second
        rates = {one.name: arrived / load.seconds for one in self.programs}
        room = self.power(second) / self.host.size(second).vcpus + self.host.cron(second)
        busy = self.cpu(second, rates) / max(0.01, min(1.0, room))
        if busy > 0.7:
            load.ms += round(
                1000 * sum(one.cost for one in self.programs) * (0.3 / (1.02 - min(busy, 1.0)) - 1)
            )
        refused: dict[str, int] = {}
        if not load.calm:
            self._pass(load, refused, rates)
        used = self.cpu(second, rates) if self.host.running(second) else 0.0
        if not load.calm:
            self._earn(load, used)
        gauges = {"cpu": 100 * used, "running": 1.0 if self.host.running(second) else 0.0}
        gauges |= {"memory": self._memory_percent(second), "disk": 100 * self.host.disk(second)}
        gauges |= {"credits": self._credits(load)}
        gauges |= self.disk.gauges(second, rates[self.programs[-1].name], load.calm)
        if not load.calm and self.disk_ms > _SLOW_DISK_MS:
            gauges["troubled"] = 1.0
        for program in self.programs:
            gauges |= program.gauges(second, rates[program.name])
        load.passages.append(Passage(arrived, arrived - load.alive, _kept(refused), gauges))

    def _credits(self, load: Load) -> float:
        return 0.9 * self.host.size(load.second).most_credits if load.calm else self.credits

    def _memory_percent(self, second: float) -> float:
        return min(99.6, 100 * sum(self.memory(second).values()) / self.host.size(second).memory_mb)

    def _pass(self, load: Load, refused: dict[str, int], rates: dict[str, float]) -> None:
        self._maybe_kill(load.second)
        for place, program in enumerate(self.programs):
            caller = self.programs[place - 1].name if place else self.caller()
            if place == 0:
                self._reach(load, program, caller)
            if self._down(program.name, load.second):
                status = 502 if caller in ("", "nginx") else 500
                lost = load.end(
                    self.index, f"{program.name} refused", load.alive, 3, status=status, unseen=not place
                )
                refused["connection"] = refused.get("connection", 0) + lost
            if not isinstance(program, MySql) and place == len(self.programs) - 1:
                load.ms += int(self.at("_slower_ms", load.second) or 0)
            rates[program.name] = load.alive / load.seconds
            if place == len(self.programs) - 1:
                self.disk_ms = self.disk.wait(load.second, load.seconds, rates[program.name])
                load.ms += 0 if isinstance(program, MySql) else round(self.disk_ms)
            program.enter(load, refused)

    def _reach(self, load: Load, program: Program, caller: str) -> None:
        """What drops connections: a machine that is not there, a security group, a network ACL."""
        source = self.flow.stages[self.index - 1].thing if self.index else None
        dropped = not self.host.reachable(load.second)
        port = int(self.thing.fixed["port"])
        if source is not None and "security_groups" in source.fixed and not dropped:
            dropped = self._dropped(source, port, load.second)
        if dropped:
            status = 504 if caller in ("", "nginx") else 500
            wait = PATIENCE_MS.get(caller, 10_000)
            load.end(self.index, f"{program.name} unreachable", load.alive, wait, status=status, unseen=True)
        elif self.at("_cert_expired", load.second) and caller in ("nginx", "tomcat"):
            load.end(
                self.index,
                CERTIFICATE,
                load.alive,
                9,
                status=502 if caller == "nginx" else 500,
                unseen=True,
            )

    def _dropped(self, source: Thing, port: int, second: float) -> bool:
        """Whether the network drops connections; looked at anew when something of it has changed."""
        place = bisect_right(self._network, second)
        if place not in self._drops:
            self._drops[place] = reached_not(self.world, source, self.thing, port, second)
        return self._drops[place]

    def leave(self, load: Load) -> None:
        if not load.calm:
            for program in reversed(self.programs):
                program.leave(load)
        if self.background and load.alive:
            expected = load.alive * self.background
            own = (expected + mix(self.flow.demand.salt, load.second, 3) % 10_000) // 10_000
            load.end(self.index, OWN, own)

    # -- texts ------------------------------------------------------------------------------------

    def text(self, reason: str) -> str:
        """What a client of Python says."""
        host, port = self.thing.fixed["address"], self.thing.fixed["port"]
        if reason == TOO_MANY:
            return "pymysql.err.OperationalError: (1040, 'Too many connections')"
        if reason == "mysql unreachable":
            return f"pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on '{host}' (timed out)\")"
        if reason == "mysql refused":
            return (
                f"pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on '{host}' "
                '([Errno 111] Connection refused)")'
            )
        if reason == "mysql disk full":
            return "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query (timed out)')"
        said = "timed out" if reason.endswith("unreachable") else "[Errno 111] Connection refused"
        if reason.endswith(("unreachable", "refused")):
            return (
                f"requests.exceptions.ConnectionError: HTTPConnectionPool(host='{host}', port={port}): {said}"
            )
        status = {HEAP: 500, NO_CREDENTIALS: 500, DENIED: 500}.get(reason, 502)
        return f"requests.exceptions.HTTPError: {status} Server Error for url: http://{host}:{port}/"


def _kept(refused: Mapping[str, int]) -> dict[str, int]:
    return {reason: many for reason, many in refused.items() if many}


def _group_steps(thing: Thing) -> list[datetime]:
    steps = thing.settings.steps.get("SecurityGroups") if thing.kind == "instance" else None
    return list(steps.since) if steps else []


def groups(world: World, thing: Thing, second: float) -> list[str]:
    """ARNs of the security groups of something at an epoch second."""
    now = setting(thing, "SecurityGroups", second) if thing.kind == "instance" else None
    if now is None:
        return list(thing.fixed.get("security_groups", ()))
    by_id = {one.fixed["id"]: one.arn for one in world.of("security-group")}
    return [by_id[one] for one in now if one in by_id]


def reached_not(world: World, source: Thing, target: Thing, port: int, second: float) -> bool:
    """Whether a new connection is dropped, with the groups that both are in at that moment."""

    def now(one: Thing) -> Thing:
        return replace(one, fixed={**one.fixed, "security_groups": groups(world, one, second)})

    return blocked(world, now(source), now(target), port, second) is not None
