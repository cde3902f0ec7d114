"""The life of one ECS task on Fargate, from its creation to its stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from evals.world.health import Health

NEVER = 2.0**60


class Fate(NamedTuple):
    """How a task of a revision ends by itself. `after`: seconds from its start (before its start for pulls)."""

    after: float = NEVER
    stop_code: str = ""
    reason: str = ""  # stoppedReason
    container: str = ""  # containers[].reason
    exit_code: int | None = None

    @property
    def starts(self) -> bool:
        return self.stop_code != "TaskFailedToStart"


NONE = Fate()
"""It runs until somebody stops it."""


@dataclass(slots=True)
class Task:
    """One task. Times are epoch seconds; `NEVER` for what has not happened."""

    number: int
    id: str
    address: str
    zone: str
    definition: str  # ARN of its task definition
    deployment: int  # index of its deployment
    created: float
    pulling: float
    pulled: float
    started: float = NEVER  # RUNNING from here
    listening: float = NEVER  # the program answers from here
    ends: float = NEVER  # its program ends by itself
    fate: Fate = NONE
    health: Health | None = None
    deregistered: float = NEVER
    stopping: float = NEVER
    stopped: float = NEVER
    stop_code: str = ""
    reason: str = ""
    container: str = ""
    exit_code: int | None = None
    marked: bool = False  # it failed its health checks, and the scheduler knows

    @property
    def live(self) -> bool:
        """Whether the scheduler counts on it."""
        return self.stopping == NEVER and self.stopped == NEVER

    def running(self, second: float) -> bool:
        """RUNNING; a task that drains is DEACTIVATING."""
        return self.started <= second < min(self.stopping, self.stopped, self.ends)

    def up(self, second: float) -> bool:
        """Whether its program answers."""
        return self.listening <= second < min(self.stopped, self.ends)

    def registered(self, second: float) -> bool:
        """Whether the load balancer may send it requests."""
        return self.health is not None and self.health.since <= second < self.deregistered

    def status(self, second: float) -> str:
        """lastStatus."""
        if second >= self.stopped:
            return "STOPPED"
        if second >= self.stopping:
            return "DEACTIVATING" if self.health is not None else "STOPPING"
        if second >= self.ends:
            return "STOPPING"
        if second >= self.started:
            return "RUNNING"
        return "PENDING" if second >= self.pulling else "PROVISIONING"

    def next(self, second: float) -> float:
        """When something happens to it of its own accord after an epoch second."""
        found = [self.pulled, self.started, self.listening, self.ends, self.stopped]
        if self.health is not None and self.deregistered == NEVER:
            found.append(self.health.next)
        return min((one for one in found if one > second), default=NEVER)


@dataclass(slots=True)
class Deployment:
    """A deployment of a service."""

    number: int
    id: str  # ecs-svc/...
    definition: str
    created: float
    cause: str = ""  # "" for a request, "rollback"
    state: str = "IN_PROGRESS"  # COMPLETED, FAILED
    finished: float = NEVER
    retired: float = NEVER  # no longer listed
    failed: int = 0
    counted: int = 0  # failures that the circuit breaker counts

    def rollout(self, second: float) -> str:
        return "IN_PROGRESS" if second < self.finished else self.state
