"""The physics of programs on a host: nginx, Tomcat, MySQL.

- nginx (its reference): proxy_connect_timeout and proxy_read_timeout are 60 s; no connection in that time or no answer
  is 504, a refused connection or handshake 502; with several servers in an upstream, one that failed is left alone for
  fail_timeout (10 s), and without any left the answer is 502 at once ("no live upstreams").
- Tomcat (its reference): up to maxThreads (200) requests at the same time, Little's law; up to maxConnections (8192)
  wait for a thread.
- JVM: a full collection costs time in proportion to what lives (some 0.9 s per GB); the fuller the heap, the more often
  it runs, and what cannot be had even then is an OutOfMemoryError.
- MySQL (its manual): a connection more than max_connections is refused with error 1040; idle ones are closed after
  wait_timeout (8 hours); a full disk makes writes wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.world.flow import Ending, Load
from evals.world.stage import share_above, share_of

if TYPE_CHECKING:
    from evals.world.instance_stage import InstanceStage

HEAP = "heap"
SLOW = "upstream timeout"
NO_LIVE = "no live upstreams"
CERTIFICATE = "upstream certificate"
TOO_MANY = "mysql too many"
NO_CREDENTIALS = "no credentials"
DENIED = "denied"
BUG = "bug"

PATIENCE_MS = {"nginx": 60_000, "tomcat": 10_000}
"""How long each waits for a connection: nginx by default, the JDBC driver by its connectTimeout."""
_CONNECTIONS = 8192
_ALLOC_MB = 2.0  # that one request allocates
_PAUSE = 0.9 / 1024  # seconds of a full collection per MB that lives
_FULL_DISK = 45_000


class Program:
    """One program of an instance. `enter` and `leave` as those of a stage; `cost` is CPU seconds of a request."""

    name = ""
    port = 0
    reasons: tuple[str, ...] = ()

    def __init__(self, stage: InstanceStage) -> None:
        self.stage = stage
        self.host = stage.host

    def begin(self, second: int) -> None:
        """Start to keep state."""

    @property
    def cost(self) -> float:
        return 0.0004

    def near(self, second: int, rate: float) -> bool:
        """Whether a limit may be met about now."""
        return False

    def enter(self, load: Load, refused: dict[str, int]) -> None:
        """Requests on their way down."""

    def leave(self, load: Load) -> None:
        """Requests on their way up."""

    def gauges(self, second: float, rate: float) -> dict[str, float]:
        """What it shows of itself."""
        return {}

    def full_disk(self, load: Load, share: float, ms: float) -> None:
        if self.host.disk(load.second) >= 1:
            many = share_of(load.alive, share, load.second)
            load.end(self.stage.index, f"{self.name} disk full", many, ms, status=500)


class Nginx(Program):
    """A reverse proxy in front."""

    name = "nginx"
    port = 80
    reasons = ("nginx disk full", SLOW, NO_LIVE)

    def enter(self, load: Load, refused: dict[str, int]) -> None:
        self.full_disk(load, 0.3, 3)

    def leave(self, load: Load) -> None:
        limit = 1000 * int(self.host.at("config.nginx.proxy_read_timeout", load.second))
        late = share_above(limit / load.ms) if load.ms else 0.0
        index, kept = self.stage.index, []
        load.end(index, SLOW, share_of(load.alive, late, load.second), limit, status=504)
        for one in load.endings:
            deeper = one.stage > index or self.stage.inside(one.reason, self)
            over = share_of(one.many, share_above(limit / one.ms), one.many) if one.ms > limit else 0
            if not deeper or not over:
                kept.append(one)
                continue
            self.stage.abandon(load.minute, one, over)
            kept.append(Ending(index, SLOW, over, limit, 504, False))
            if one.many > over:
                kept.append(one._replace(many=one.many - over, ms=min(one.ms, limit)))
        load.endings[:] = kept
        self._no_live(load)

    def _no_live(self, load: Load) -> None:
        """With several servers in the upstream all of which refuse, only a few tries in 10 seconds are made."""
        servers = int(self.host.at("config.nginx.upstreams", load.second) or 1)
        tries = (
            max(1, servers * load.seconds // 10) if load.seconds >= 10 else (load.second % 10 == 0) * servers
        )
        if servers < 2:
            return
        for place, one in enumerate(load.endings):
            if one.reason.endswith("refused") and one.status == 502 and one.many > tries:
                load.endings[place] = one._replace(many=tries)
                load.endings.append(Ending(self.stage.index, NO_LIVE, one.many - tries, 1, 502, False))
        load.endings[:] = [one for one in load.endings if one.many]


@dataclass(slots=True)
class Queue:
    """Requests that wait for a place."""

    waiting: float = 0.0

    def wait(self, arrived: float, capacity: float, seconds: int, most: float) -> float:
        """Seconds that requests of this slice wait, when `capacity` per second can be done."""
        before = self.waiting
        self.waiting = min(most, max(0.0, before + arrived - capacity * seconds))
        return (before + self.waiting) / 2 / capacity if capacity > 0 else 0.0


class Tomcat(Program):
    """A servlet container with an application of Java."""

    name = "tomcat"
    port = 8080
    reasons = (
        "tomcat refused",
        "tomcat unreachable",
        "tomcat disk full",
        CERTIFICATE,
        HEAP,
        NO_CREDENTIALS,
        DENIED,
        BUG,
    )

    def __init__(self, stage: InstanceStage) -> None:
        super().__init__(stage)
        self.queue = Queue()
        self.busy = 1.0  # requests at the same time, of the last slice

    def begin(self, second: int) -> None:
        self.queue, self.busy = Queue(), 1.0

    @property
    def cost(self) -> float:
        own = self.stage.thing.fixed.get("cpu_ms")
        return float(own if own is not None else 0.25 * self.stage.flow.base_ms) / 1000

    def near(self, second: int, rate: float) -> bool:
        free = self.host.heap_mb(second) - self.host.live_mb(second)
        return free < 4 * _ALLOC_MB * max(2.0, self.busy) or self.queue.waiting > 0

    def collecting(self, second: float, rate: float) -> float:
        """The share of time that full collections take."""
        heap, live = self.host.heap_mb(second), self.live(second)
        often = rate * _ALLOC_MB / max(1.0, heap - live)
        paused = often * live * _PAUSE * min(1.0, max(0.0, (live / heap - 0.7) / 0.2))
        return min(0.97, max(0.012, paused / (1 + paused)))

    def gauges(self, second: float, rate: float) -> dict[str, float]:
        return {
            "collecting": self.collecting(second, rate),
            "live": min(self.live(second), self.host.heap_mb(second)),
        }

    def live(self, second: float) -> float:
        return self.host.live_mb(second) + _ALLOC_MB * min(self.busy, 200.0)

    def enter(self, load: Load, refused: dict[str, int]) -> None:
        rate, second = load.alive / load.seconds, load.second
        collecting = self.collecting(second, rate)
        load.ms = round(load.ms / (1 - collecting)) if collecting > 0.05 else load.ms
        free = self.host.heap_mb(second) - self.host.live_mb(second)
        needed = _ALLOC_MB * max(1.0, rate * load.ms / 1000)
        if free < needed:
            lost = share_of(load.alive, 1 - max(0.0, free) / needed, second)
            failing = (
                2000 * _PAUSE * self.host.heap_mb(second) + self.stage.flow.base_ms
            )  # two collections in vain
            load.end(self.stage.index, HEAP, lost, failing, status=500)
        self.full_disk(load, 0.6, 12)
        self._needs(load)
        bug = self.host.at("_bug", second)
        if bug:
            share = share_of(load.alive, float(bug.get("share", 1.0)), second)
            load.end(self.stage.index, BUG, share, load.ms * 0.7, status=500)

    def _needs(self, load: Load) -> None:
        if self.stage.thing.fixed["needs"] and self.stage.without_credentials(load.second):
            load.end(self.stage.index, NO_CREDENTIALS, load.alive, 1200, status=500)
        elif self.stage.grants.denied(load.second) is not None:
            load.end(self.stage.index, DENIED, load.alive, self.stage.flow.base_ms * 0.6 + 9, status=500)

    def leave(self, load: Load) -> None:
        index = self.stage.index
        mine = [one for one in load.endings if one.stage > index or self.stage.inside(one.reason, self)]
        many = load.alive + sum(one.many for one in mine)
        if not many:
            return
        spent = (load.alive * load.ms + sum(one.many * one.ms for one in mine)) / 1000
        threads = int(self.host.at("config.tomcat.maxThreads", load.second))
        by_threads = threads * many / spent if spent else 1e9
        by_cpu = self.stage.power(load.second) / max(1e-6, self.cost + self.stage.also(self))
        capacity = min(by_threads, by_cpu)
        wait = 1000 * self.queue.wait(many, capacity, load.seconds, min(_CONNECTIONS, 120 * capacity))
        self.busy = min(threads, spent / load.seconds)
        if wait >= 1:
            load.ms = round(load.ms + wait)
            load.endings[:] = [
                one._replace(ms=round(one.ms + wait)) if one in mine else one for one in load.endings
            ]


class MySql(Program):
    """A database server."""

    name = "mysql"
    port = 3306
    reasons = ("mysql refused", "mysql unreachable", "mysql disk full", TOO_MANY)

    def __init__(self, stage: InstanceStage) -> None:
        super().__init__(stage)
        self.queue = Queue()
        self.others = stage.world.seed.integer(f"clients:{stage.thing.arn}", 4, 14)

    def begin(self, second: int) -> None:
        self.queue = Queue()

    @property
    def cost(self) -> float:
        own = self.stage.uses.get("cpu_ms", self.stage.thing.fixed.get("query_cpu_ms"))
        return float(own if own is not None else 0.2 * self.stage.flow.base_ms) / 1000

    def held_ms(self, load_ms: float) -> float:
        """How long a request holds a connection."""
        return float(self.stage.uses.get("held_ms") or 0.6 * load_ms)

    def leaked(self, second: float) -> float:
        """Connections that nobody closes any more."""
        since = self.host.since("_leaked_per_hour", second)
        kept = float(self.host.at("config.mysql.wait_timeout", second))
        return self.host.grown("_leaked_per_hour", second, max(since, second - kept))

    def limit(self, second: float) -> int:
        return int(self.host.at("config.mysql.max_connections", second))

    def gauges(self, second: float, rate: float) -> dict[str, float]:
        return {
            "connections": self.stage.connections
            or self.others + rate * self.held_ms(self.stage.flow.base_ms) / 1000
        }

    def near(self, second: int, rate: float) -> bool:
        needed = self.leaked(second) + self.others + rate * self.held_ms(self.stage.flow.base_ms) / 1000
        return needed > 0.85 * self.limit(second) or self.queue.waiting > 0

    def enter(self, load: Load, refused: dict[str, int]) -> None:
        self.full_disk(load, 0.8, _FULL_DISK)
        second, rate = load.second, load.alive / load.seconds
        slower = float(self.host.at("_slower_ms", second) or 0)
        capacity = self.stage.power(second) / max(1e-6, self.cost + self.stage.also(self))
        wait = 1000 * self.queue.wait(load.alive, capacity, load.seconds, 60 * capacity)
        wait += self.stage.disk_ms
        held = max(1.0, self.held_ms(self.stage.flow.base_ms) + slower + wait) / 1000
        free = max(0.0, self.limit(second) - self.others - self.leaked(second))
        excess = load.alive - int(free / held * load.seconds)
        if excess > 0:
            refused[TOO_MANY] = load.end(self.stage.index, TOO_MANY, excess, load.ms * 0.4 + 4, status=500)
        self.stage.connections = min(self.limit(second), self.others + self.leaked(second) + rate * held)
        load.ms = round(load.ms + slower + wait)


PROGRAMS: dict[str, type[Program]] = {"nginx": Nginx, "tomcat": Tomcat, "mysql": MySql}
