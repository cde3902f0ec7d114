"""EBS volumes of instances: their type decides how many reads and writes per second they do.

EBS user guide, "General Purpose SSD volumes": gp2 does 3 IOPS for each GiB, at least 100 and at most 16,000; smaller
volumes burst to 3,000 while their bucket of 5.4 million credits lasts, which fills by the baseline and empties by what
is done beyond; BurstBalance is what is left of it in percent. gp3 does 3,000 IOPS, or what is provisioned, and has no
bucket. What a volume cannot do waits in its queue. A volume comes with its instance, as ID_volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from evals.world.deeds_ebs import change, tag
from evals.world.kinds._kind import Kind, Wish
from evals.world.metrics import Emit, source
from evals.world.stage import setting
from evals.world.telemetry import Sample, Source, counted, level
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.world.ec2_metrics import Rows

BUCKET = 5_400_000.0
"""Credits of a full bucket of a gp2 volume: one for each read or write."""
_BURST = 3000
_EACH_MS = 0.8  # an operation of an SSD that is not waited for
_READS = 0.7  # of all operations
_TOGETHER = 200  # requests of a program that are under way at most, and wait for the volume
_IDLE = 1.5  # operations per second of the system itself


def settings(kind: str, size: int) -> dict[str, Any]:
    """The settings with which a volume of a type is made."""
    found: dict[str, Any] = {"VolumeType": kind, "Size": size, "Iops": baseline(kind, size, None)}
    return found | ({"Throughput": 125} if kind == "gp3" else {})


def baseline(kind: str, size: int, iops: Any) -> int:
    """Operations per second that a volume can always do."""
    if kind == "gp2":
        return min(16_000, max(100, 3 * size))
    return int(iops or 3000)


def base(volume: Thing, second: float) -> int:
    """`baseline` of a volume at an epoch second."""
    kind, size = str(setting(volume, "VolumeType", second)), int(setting(volume, "Size", second))
    return baseline(kind, size, setting(volume, "Iops", second))


def bursts(volume: Thing, second: float) -> bool:
    """Whether it has a bucket of credits."""
    return setting(volume, "VolumeType", second) == "gp2" and base(volume, second) < _BURST


def per_request(volume: Thing, second: float) -> float:
    """Reads and writes that one request makes."""
    return float(setting(volume, "_ios_per_request", second) or volume.fixed["ios"])


class Disk:
    """The bucket and the queue of one volume while a flow is simulated."""

    def __init__(self, volume: Thing) -> None:
        self.volume = volume
        self.credits = BUCKET
        self.waiting = 0.0

    def begin(self) -> None:
        self.credits, self.waiting = BUCKET, 0.0

    def moments(self) -> Iterator[float]:
        """Epoch seconds at which something of the volume changes."""
        created = self.volume.created
        for path, steps in self.volume.settings.steps.items():
            if not path.startswith("tags."):
                yield from (since.timestamp() for since in steps.since if since > created)

    def wanted(self, second: float, rate: float) -> float:
        """Operations per second that so many requests per second make."""
        return _IDLE + rate * per_request(self.volume, second)

    def near(self, second: float, rate: float) -> bool:
        """Whether the bucket may run out in this minute."""
        if not bursts(self.volume, second):
            return False
        drained = 60 * (self.wanted(second, rate) - base(self.volume, second))
        return drained > 0 and 0 < self.credits <= 2 * drained

    def wait(self, second: float, seconds: int, rate: float) -> float:
        """Milliseconds that requests of a slice wait for the volume; moves the bucket and the queue."""
        always, wanted = base(self.volume, second), self.wanted(second, rate)
        most = float(always)
        if bursts(self.volume, second) and self.credits > 0:
            most = _BURST
        done = min(wanted * seconds + self.waiting, most * seconds)
        held = _TOGETHER * per_request(self.volume, second)
        before, self.waiting = self.waiting, min(held, self.waiting + wanted * seconds - done)
        if bursts(self.volume, second):
            self.credits = min(BUCKET, max(0.0, self.credits + always * seconds - done))
        return 500 * (before + self.waiting) / most

    def gauges(self, second: float, rate: float, calm: bool) -> dict[str, float]:
        """Operations per second, those that wait, and the balance, after `wait`."""
        always, wanted = base(self.volume, second), self.wanted(second, rate)
        if calm:
            return {"iops": wanted, "queued": 0.0, "burst": 100.0}
        limit = _BURST if bursts(self.volume, second) and self.credits > 0 else always
        return {
            "iops": min(limit, wanted) if self.waiting < 1 else float(limit),
            "queued": self.waiting,
            "burst": 100 * self.credits / BUCKET,
        }


def sources(volume: Thing, read: Rows) -> Iterator[Source]:
    """AWS/EBS by VolumeId, every minute while it is attached to an instance that runs."""
    held = {"VolumeId": str(volume.fixed["id"])}

    def made(name: str, unit: str, emit: Callable[[int], Sample]) -> Source:
        def running(minute: int) -> Sample | None:
            return emit(minute) if read.running(minute) else None

        return source(volume, "AWS/EBS", name, held, unit, running)

    def ops(minute: int, share: float) -> float:
        rate = read.gauge(minute, "iops", _IDLE) * (1 + 0.04 * read.noise(minute, 71))
        return round(60 * rate * share)

    def counts(share: float, each: float = 1.0) -> Callable[[int], Sample]:
        def emit(minute: int) -> Sample:
            many = ops(minute, share)
            return counted(many) if each == 1.0 else Sample(many, many * each, each, each, each, each, each)

        return emit

    def time(share: float) -> Callable[[int], Sample]:
        def emit(minute: int) -> Sample:
            waits = read.gauge(minute, "queued", 0.0) / max(1.0, read.gauge(minute, "iops", _IDLE))
            many = ops(minute, share)
            return Sample(many, many * (_EACH_MS / 1000 + waits), 0.0004, 0.004 + waits, waits, waits, waits)

        return emit

    def queue(minute: int) -> Sample:
        busy = read.gauge(minute, "iops", _IDLE) * _EACH_MS / 1000
        return level(round(read.gauge(minute, "queued", 0.0) + busy, 4))

    def idle(minute: int) -> Sample:
        return level(
            max(0.0, round(60 - 60 * min(1.0, read.gauge(minute, "iops", _IDLE) * _EACH_MS / 1000), 3))
        )

    yield made("VolumeReadOps", "Count", counts(_READS))
    yield made("VolumeWriteOps", "Count", counts(1 - _READS))
    yield made("VolumeReadBytes", "Bytes", counts(_READS, 16_384.0))
    yield made("VolumeWriteBytes", "Bytes", counts(1 - _READS, 16_384.0))
    yield made("VolumeTotalReadTime", "Seconds", time(_READS))
    yield made("VolumeTotalWriteTime", "Seconds", time(1 - _READS))
    yield made("VolumeQueueLength", "Count", queue)
    yield made("VolumeIdleTime", "Seconds", idle)
    if "gp2" in volume.settings.steps["VolumeType"].values:
        yield source(volume, "AWS/EBS", "BurstBalance", held, "Percent", _balance(volume, read))


def _balance(volume: Thing, read: Rows) -> Emit:
    def emit(minute: int) -> Sample | None:
        if not read.running(minute) or not bursts(volume, minute * 60):
            return None
        return level(round(read.gauge(minute, "burst", 100.0), 3))

    return emit


def _none(shop: Workshop, wish: Wish) -> NoReturn:
    raise BadInput(f"resources.{wish.id}: an instance named app has its volume as app_volume.")


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    if path == "VolumeType" and value not in ("gp2", "gp3"):
        raise BadInput(f"Volume type {value} is not modelled; gp2 and gp3 are.")
    return value


def _after(world: World, volume: Thing, until: datetime) -> None:
    """A volume of gp2 tells the IOPS of its size."""
    for path in ("Size", "VolumeType"):
        for since, _ in volume.settings.steps[path].pairs():
            if volume.created < since <= until and volume.at("VolumeType", since) == "gp2":
                volume.settings.set("Iops", since, base(volume, since.timestamp()))


KINDS = (
    Kind(
        name="volume",
        settings={
            "VolumeType": "gp2 or gp3",
            "Size": "GiB; it can only grow",
            "Iops": "operations per second, of gp3",
            "Throughput": "MiB per second, of gp3",
            "_ios_per_request": "nature: reads and writes that one request makes",
        },
        make=_none,
        change=change,
        tag=tag,
        kept=_kept,
        after=_after,
        dimensions=lambda thing: {"id": str(thing.fixed["id"])},
    ),
)
