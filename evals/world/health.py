"""Health of the targets of a load balancer: when each becomes healthy or unhealthy, and why.

Application Load Balancer user guide, "Health checks for target groups": a registered target must pass one check to
become healthy; then it becomes unhealthy after UnhealthyThresholdCount failed checks in a row and healthy again after
HealthyThresholdCount passed ones. A check passes when the answer's code is one of the matcher's within the timeout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from evals.world.stage import setting
from evals.world.world import Thing


class Verdict(NamedTuple):
    """What one check found. `reason` and `said` as DescribeTargetHealth gives them."""

    passed: bool
    reason: str = ""
    said: str = ""


class App(Protocol):
    """What listens on a target."""

    def answers(self, path: str, port: int, second: float) -> int | str:
        """The HTTP status of a check, or "refused" or "timeout"."""
        ...


PASSED = Verdict(True)
_TIMEOUT = Verdict(False, "Target.Timeout", "Request timed out")
_REFUSED = Verdict(False, "Target.FailedHealthChecks", "Health checks failed")


@dataclass(frozen=True, slots=True)
class Rules:
    """How a target group checks at one moment."""

    path: str
    port: str
    protocol: str
    interval: int
    fall: int  # failed checks in a row until a target is unhealthy
    rise: int
    codes: str
    enabled: bool

    def verdict(self, app: App, traffic_port: int, second: float) -> Verdict:
        """What a check of `app` finds at an epoch second."""
        if not self.enabled:
            return PASSED
        port = traffic_port if self.port == "traffic-port" else int(self.port)
        if self.protocol == "HTTPS":
            return _REFUSED  # targets here speak HTTP: the TLS handshake fails
        found = app.answers(self.path, port, second)
        if found == "timeout":
            return _TIMEOUT
        if isinstance(found, str):
            return _REFUSED
        if matches(found, self.codes):
            return PASSED
        return Verdict(
            False, "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{found}]"
        )


def rules(group: Thing, second: float) -> Rules:
    """How a target group checks at an epoch second."""

    def at(path: str, otherwise: Any) -> Any:
        found = setting(group, path, second)
        return otherwise if found is None else found

    return Rules(
        path=str(at("HealthCheckPath", "/")),
        port=str(at("HealthCheckPort", "traffic-port")),
        protocol=str(at("HealthCheckProtocol", "HTTP")),
        interval=int(at("HealthCheckIntervalSeconds", 30)),
        fall=int(at("UnhealthyThresholdCount", 2)),
        rise=int(at("HealthyThresholdCount", 5)),
        codes=str(at("Matcher.HttpCode", "200")),
        enabled=bool(at("HealthCheckEnabled", True)),
    )


def matches(code: int, codes: str) -> bool:
    """Whether a matcher ("200", "200,302", "200-299") names a code."""
    for part in codes.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= code <= int(high if high.isdigit() else low):
            return True
    return False


@dataclass(slots=True)
class Health:
    """The health of one target from its registration on. `history`: (since, state), oldest first."""

    since: float
    next: float  # when the next check is answered
    history: list[tuple[float, str]] = field(default_factory=list)
    why: list[tuple[float, Verdict]] = field(default_factory=list)
    _row: int = 0  # checks in a row that said the other thing

    def state(self, second: float) -> str:
        """initial, healthy or unhealthy; "" before the registration."""
        found = ""
        for since, state in self.history:
            if since > second:
                break
            found = state
        return found

    def verdict(self, second: float) -> Verdict:
        """Why it is unhealthy."""
        found = PASSED
        for since, verdict in self.why:
            if since > second:
                break
            found = verdict
        return found

    @property
    def now(self) -> str:
        return self.history[-1][1]

    def note(self, verdict: Verdict, how: Rules) -> bool:
        """Take in the check at `next`; whether the state changes by it."""
        second, self.next = self.next, self.next + how.interval
        wanted = "healthy" if verdict.passed else "unhealthy"
        if self.now == wanted:
            self._row = 0
            return False
        self._row += 1
        enough = how.fall if not verdict.passed else 1 if self.now == "initial" else how.rise
        if self._row < enough:
            return False
        self._row = 0
        self.history.append((second, wanted))
        self.why.append((second, verdict))
        return True


def registered(second: float, interval: int, first: int) -> Health:
    """A target that is registered at an epoch second; its first check comes `first` seconds later."""
    made = Health(second, second + first % max(1, interval))
    made.history.append((second, "initial"))
    return made


def sound(second: float, next_check: float) -> Health:
    """A target that has been healthy since long."""
    return Health(second, next_check, [(second, "healthy")])
