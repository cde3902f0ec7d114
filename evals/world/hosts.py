"""What an EC2 instance gives its programs: vCPUs, memory, CPU credits, a disk; whether it runs.

Types and credits: EC2 user guide, "Instance types" and "Key concepts for burstable performance instances" (one credit
is one vCPU at full use for one minute; in standard mode an empty balance holds the CPU at its baseline).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from evals.world.stage import setting
from evals.world.world import Thing


@dataclass(frozen=True, slots=True)
class Size:
    """An instance type. `baseline` and `earns` (credits per hour) are of burstable types only."""

    vcpus: int
    memory_mb: int
    baseline: float = 0.0
    earns: float = 0.0

    @property
    def most_credits(self) -> float:
        """A day's earnings."""
        return 24 * self.earns


SIZES = {
    "t3.micro": Size(2, 1024, 0.1, 12),
    "t3.small": Size(2, 2048, 0.2, 24),
    "t3.medium": Size(2, 4096, 0.2, 24),
    "t3.large": Size(2, 8192, 0.3, 36),
    "t3.xlarge": Size(4, 16_384, 0.4, 96),
    "t3.2xlarge": Size(8, 32_768, 0.4, 192),
    "m5.large": Size(2, 8192),
    "m5.xlarge": Size(4, 16_384),
    "m6i.large": Size(2, 8192),
    "m6i.xlarge": Size(4, 16_384),
    "m6i.2xlarge": Size(8, 32_768),
    "c6i.large": Size(2, 4096),
    "c6i.xlarge": Size(4, 8192),
    "c6i.2xlarge": Size(8, 16_384),
    "r6i.large": Size(2, 16_384),
    "r6i.xlarge": Size(4, 32_768),
}
DISK = "_disk_mb_per_hour"
CRON = "_cron_cpu"
STATUS = "_status_failed"  # the check of AWS that fails: instance or system
PENDING = 15.0  # seconds from StartInstances until the machine boots
_FAIR = 0.35  # what the scheduler leaves to others when a job wants all of the CPU
_RESTARTS = ("config.tomcat.xmx_mb", "config.tomcat.maxThreads")  # these take a restart of the program


class Host:
    """One instance over time, read from its settings; nothing is kept."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing
        self.created = thing.created.timestamp()
        self._epochs: dict[str, list[float]] = {}
        self.boot = int(thing.fixed["boot"])
        self.restart = int(thing.fixed["restart"])
        self.disk_mb = 1024 * int(thing.fixed["disk_gb"])
        self.first_used = float(thing.fixed["disk_used"])

    def at(self, path: str, second: float) -> Any:
        return setting(self.thing, path, second)

    def size(self, second: float) -> Size:
        return SIZES[str(self.at("InstanceType", second))]

    def since(self, path: str, second: float) -> float:
        """Epoch second of the last step of a setting; that of the first one, its creation, included."""
        epochs = self.steps(path)
        place = bisect_right(epochs, second)
        return epochs[place - 1] if place else self.created

    def grown(self, path: str, second: float, reset: float = 0.0) -> float:
        """What a nature setting "so much per hour" has piled up since it was set, or since a reset after that."""
        rate = self.at(path, second)
        if not rate:
            return 0.0
        return float(rate) * max(0.0, second - max(self.since(path, second), reset)) / 3600

    # -- whether it runs --------------------------------------------------------------------------

    def running(self, second: float) -> bool:
        """Whether the machine is there: pending and stopped ones answer nothing."""
        if self.at("State.Name", second) != "running":
            return False
        started = self.since("State.Name", second)
        return started <= self.created or second >= started + PENDING

    def reachable(self, second: float) -> bool:
        """Whether packets arrive: AWS's checks fail when the host, its network or the system does not take them."""
        return self.running(second) and not self.at(STATUS, second)

    def booted(self, second: float) -> bool:
        started = self.since("State.Name", second)
        return started <= self.created or second >= started + PENDING + self.boot

    def begun(self, program: str, second: float) -> float:
        """When a program was last started by a start of the machine or a change of its configuration."""
        found = [self.created]
        started = self.since("State.Name", second)
        if started > found[0]:
            found.append(started + PENDING + self.boot)
        for path in self.restarts(program):
            changed = self.since(path, second)
            if changed > found[0]:
                found.append(changed + self.restart)
        return max(found)

    def restarts(self, program: str) -> list[str]:
        return [one for one in _RESTARTS if one.startswith(f"config.{program}.")]

    def down(self, program: str, second: float) -> bool:
        """Whether the machine is there but the program does not listen."""
        if not self.booted(second) or program in _named(self.at("_dead", second)):
            return True
        if self.at("_down", second) and program == self.thing.fixed["runs"][0]:
            return True
        created = self.created
        return any(
            created < self.since(path, second) <= second < self.since(path, second) + self.restart
            for path in self.restarts(program)
        )

    # -- what it has ------------------------------------------------------------------------------

    def cron(self, second: float) -> float:
        """The share of the CPU that a scheduled job takes; a run goes on as it began."""
        job = self.at(CRON, second)
        if not job:
            return 0.0
        every = 1440 if job.get("hour") is not None else 60
        at = 60 * int(job.get("hour") or 0) + int(job.get("minute", 0))
        begun = int(second) // 60 - (int(second) // 60 % 1440 - at) % every
        job = self.at(CRON, begun * 60) or {"share": 0.0, "minutes": 0}
        return float(job["share"]) if second < (begun + int(job.get("minutes", 10))) * 60 else 0.0

    def power(self, second: float, credits: float) -> float:
        """vCPUs that programs can use."""
        size = self.size(second)
        standard = self.at("CreditSpecification.CpuCredits", second) == "standard"
        cap = size.baseline if size.earns and standard and credits <= 0 else 1.0
        return size.vcpus * cap * max(_FAIR, 1 - self.cron(second))

    def disk(self, second: float) -> float:
        """The used share of the root file system, up to 1."""
        return min(1.0, self.first_used + self.grown(DISK, second) / self.disk_mb)

    def fills(self) -> list[float]:
        """Epoch seconds at which the root file system has no room left."""
        free, found = (1 - self.first_used) * self.disk_mb, []
        for begins in self.steps(DISK):
            rate = self.at(DISK, begins)
            full = begins + 3600 * free / float(rate) if rate else 0.0
            if full and self.disk(full + 1) >= 1:
                found.append(full)
        return found

    def heap_mb(self, second: float) -> float:
        """-Xmx of Tomcat."""
        return float(self.at("config.tomcat.xmx_mb", second))

    def live_mb(self, second: float) -> float:
        """Memory of the JVM that no collection gives back, without what requests under way hold."""
        first = float(self.thing.at("config.tomcat.xmx_mb", self.thing.created))
        usual = self.thing.fixed["live"] * first
        return float(usual) + self.grown("_heap_mb_per_hour", second, self.begun("tomcat", second))

    def cron_starts(self, minute: int) -> bool:
        """Whether a scheduled job begins in a minute."""
        return self.cron(minute * 60) > 0 and self.cron(minute * 60 - 1) == 0

    def edges(self) -> list[float]:
        """Epoch seconds at which a program goes or comes back."""
        created = self.created
        found = [
            when + after for when in self.steps("State.Name") for after in (PENDING, PENDING + self.boot)
        ]
        found += [when + self.restart for path in _RESTARTS for when in self.steps(path)]
        return sorted(one for one in found if one > created + PENDING + self.boot)

    def steps(self, path: str) -> list[float]:
        """Epoch seconds at which a setting was set."""
        held = self.thing.settings.steps.get(path)
        known = self._epochs.get(path)
        if held is None:
            return []
        if known is None or len(known) != len(held.since):
            known = self._epochs[path] = [one.timestamp() for one in held.since]
        return known


def _named(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
