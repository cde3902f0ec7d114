"""Do recorded answers of real accounts pass through the service files?

Takes a folder of recordings `<service>/<service>.<Operation>_<n>.json`, each `{"status_code": int, "data": {...}}` as
the placebo package writes them. Every recording of an operation that a service file reads is given as the answer to
that operation while the service lists and reads its resources; other operations get a good recording of their own, or
a refusal. Counted: exceptions, and recorded errors that became neither a gap nor "does not exist".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evals.benchmarks import BenchResult
from evals.benchmarks.recorded_answers import Recorded, RecordedTransport, load
from tools.arn import parse as parse_arn
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.catalogue import services
from tools.clock import VirtualClock
from tools.cloudtrail_events import parse
from tools.directory import KnownResources
from tools.errors import OpsleuthError, Refused
from tools.evidence import MemoryStore
from tools.models import Resource
from tools.services._spec import Service

REGION, ACCOUNT = "us-east-1", "111122223333"
_MOST_READ = 6  # resources of each kind that are read whole with one recording


@dataclass(slots=True)
class _Count:
    """What the recordings of one service came to."""

    recordings: int = 0
    unread: int = 0  # their operation is on a service file's list, but nothing asked for it
    unfit: int = 0  # recordings that AWS's own model cannot hold: edited by hand
    errors: int = 0
    silent: list[str] = field(default_factory=list)  # recorded errors that left no gap
    raised: list[str] = field(default_factory=list)
    resources: int = 0
    relations: int = 0


def run(path: Path) -> BenchResult:
    """Measure all recordings under `path`. Raises BadInput with what to do when there are none."""
    held = load(path)
    counts: dict[str, _Count] = {}
    unknown: Counter[str] = Counter()
    for one in held.all:
        readers = [service for service in services().values() if _reads(service, one)]
        if not readers:
            unknown[one.client] += 1
            continue
        for service in readers:
            _measure(service, one, held.companions(one), counts.setdefault(service.name, _Count()))
    return BenchResult(
        name="responses",
        figures=_figures(counts, unknown),
        text=_text(counts, unknown),
        ok=not any(count.raised or count.silent for count in counts.values()),
    )


def _reads(service: Service, one: Recorded) -> bool:
    return any(
        (one.client == service.client and read.operation == one.operation)
        or (read.action.split(":")[0] == one.client and read.operation == one.operation)
        for read in service.reads
    )


def _measure(service: Service, one: Recorded, others: tuple[Recorded, ...], count: _Count) -> None:
    transport = RecordedTransport(one, others)
    if not transport.fits:
        count.unfit += 1
        return
    count.recordings += 1
    aws = Aws(
        Account(region=REGION), transport, VirtualClock(transport.start()), Budget(Limits()), MemoryStore()
    )
    reader = Reader(aws, "T")
    told = False
    try:
        for step in _steps(service, reader, count):
            asked = transport.newly_asked()
            told = told or (step and asked)
    except Exception as error:
        count.raised.append(f"{one.name}: {type(error).__name__}: {error}")
        return
    if not transport.asked:
        count.unread += 1
    elif one.error:
        count.errors += 1
        if not told and not any(
            one.error in (gap.code, gap.why) or one.operation in gap.what for gap in reader.gaps
        ):
            count.silent.append(f"{one.name}: {one.error}")


def _steps(service: Service, reader: Reader, count: _Count) -> Iterator[bool]:
    """List, read and relate; yields after each whether a refusal or "does not exist" was told."""
    found: dict[str, Resource] = {}
    try:
        for listed in service.discover(reader, REGION):
            found.setdefault(listed.arn, listed)
    except OpsleuthError as error:
        yield isinstance(error, Refused)
    for arn in [*_spread(found), *_examples(service)]:
        try:
            whole = service.describe(reader, arn)
        except OpsleuthError as error:
            yield isinstance(error, Refused)
            continue
        yield whole is None
        if whole is not None:
            found[whole.arn] = whole
    directory = KnownResources(tuple(found.values()))
    for resource in found.values():
        count.resources += 1
        count.relations += len(list(service.relations(resource, directory)))


def _spread(found: dict[str, Resource]) -> list[str]:
    """A few of every type."""
    kept: Counter[str] = Counter()
    chosen = []
    for arn, resource in found.items():
        kept[resource.type] += 1
        if kept[resource.type] <= _MOST_READ:
            chosen.append(arn)
    return chosen


def _examples(service: Service) -> list[str]:
    """An ARN of every type, from the file's own examples of events."""
    known: dict[str, str] = {}
    for change in service.changes:
        for arn in change.touches(parse(change.example)):
            if parse_arn(arn).service:
                known.setdefault(arn.rsplit(":", 1)[-1].split("/")[0], arn)
    return list(known.values())


def _figures(counts: dict[str, _Count], unknown: Counter[str]) -> dict[str, object]:
    return {
        "services": {
            name: {
                "recordings": one.recordings,
                "unread": one.unread,
                "unfit": one.unfit,
                "errors": one.errors,
                "raised": one.raised,
                "silent": one.silent,
                "resources": one.resources,
                "relations": one.relations,
            }
            for name, one in sorted(counts.items())
        },
        "unused": dict(sorted(unknown.items())),
    }


def _text(counts: dict[str, _Count], unknown: Counter[str]) -> str:
    head = f"{'service':<22}{'recordings':>11}{'raised':>8}{'errors':>8}{'silent':>8}{'unread':>8}{'resources':>11}"
    lines = [head]
    for name, one in sorted(counts.items()):
        lines.append(
            f"{name:<22}{one.recordings:>11}{len(one.raised):>8}{one.errors:>8}{len(one.silent):>8}"
            f"{one.unread:>8}{one.resources:>11}"
        )
    total, raised = (
        sum(one.recordings for one in counts.values()),
        sum(len(one.raised) for one in counts.values()),
    )
    errors, silent = (
        sum(one.errors for one in counts.values()),
        sum(len(one.silent) for one in counts.values()),
    )
    lines += [
        "",
        f"{total - raised} of {total} recordings pass; {errors - silent} of {errors} recorded errors are told.",
        f"Not fit for AWS's own model: {sum(one.unfit for one in counts.values())}. "
        f"Of operations that opsleuth does not read: {sum(unknown.values())}.",
    ]
    for one in counts.values():
        lines += [f"raised  {text}" for text in one.raised] + [f"silent  {text}" for text in one.silent]
    return "\n".join(lines)
