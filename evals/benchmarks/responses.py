"""Do recorded answers of real accounts pass through the service files?

Takes a folder of recordings `<service>/<service>.<Operation>_<n>.json`, each `{"status_code": int, "data": {...}}` as
the placebo package writes them. Every recording of an operation that a service file reads is given as the answer to
that operation while the service lists and reads its resources; other operations get a good recording of their own, or
a refusal. Where nothing asks for it, it is tried again beside other recordings, with the reads of the settings, and at
last by a call of its own, as are the operations that opsleuth calls outside of the service files (`direct`).

Counted: exceptions, recorded errors that say that something does not exist (an answer, not a loss), and other errors
that became no gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.benchmarks import BenchResult
from evals.benchmarks.recorded_answers import NOW, Held, Recorded, RecordedTransport, load
from evals.world import wire
from tools.arn import parse as parse_arn
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.catalogue import find, services
from tools.clock import VirtualClock
from tools.cloudtrail_events import parse
from tools.directory import KnownResources
from tools.errors import NotThere, OpsleuthError, Refused
from tools.evidence import MemoryStore
from tools.iam_names import action_of
from tools.models import Json, Resource
from tools.needs import reads
from tools.parameters import operations
from tools.refusals import Refusal, error_of
from tools.services._spec import Service
from tools.topology import stub

REGION, ACCOUNT = "us-east-1", "111122223333"
_MOST_TURNS = 8  # sets of other recordings that one is tried beside
_MOST_READ = 6  # resources of each kind that are read whole with one recording


@dataclass(slots=True)
class _Count:
    """What the recordings of one service came to."""

    recordings: int = 0
    direct: int = 0  # asked for by a call of its own: no service file came to it beside these recordings
    unfit: int = 0  # recordings that AWS's own model cannot hold: edited by hand
    errors: int = 0
    absent: int = 0  # of the errors: something does not exist
    silent: list[str] = field(default_factory=list)  # other recorded errors that left no gap
    raised: list[str] = field(default_factory=list)
    resources: int = 0
    relations: int = 0


def run(path: Path) -> BenchResult:
    """Measure all recordings under `path`. Raises BadInput with what to do when there are none."""
    held = load(path)
    counts: dict[str, _Count] = {}
    unknown: Counter[str] = Counter()
    called = {(need.client, need.operation) for need in reads()}
    for one in held.all:
        readers = [service for service in services().values() if _reads(service, one)]
        if not readers and (one.client, one.operation) in called:
            _measure(None, one, held, counts.setdefault(one.client, _Count()))
        elif not readers:
            unknown[one.client] += 1
        for service in readers:
            _measure(service, one, held, counts.setdefault(service.name, _Count()))
    return BenchResult(
        name="responses",
        figures=_figures(counts, unknown),
        text=_text(counts, unknown),
        ok=not any(count.raised or count.silent for count in counts.values()),
    )


def _reads(service: Service, one: Recorded) -> bool:
    """Also in the name of another client: logs:DescribeLogGroups of the file of a function."""
    return any(
        read.operation == one.operation
        and (
            one.client == service.client
            or (
                read.action == action_of(one.client, one.operation)
                and not _has(service.client, one.operation)
            )
        )
        for read in service.reads
    )


def _has(client: str, operation: str) -> bool:
    return operation in operations(client)


def _measure(service: Service | None, one: Recorded, held: Held, count: _Count) -> None:
    if not RecordedTransport(one, ()).fits:
        count.unfit += 1
        return
    count.recordings += 1
    tried = _tried(service, one, held)
    count.resources += tried.resources
    count.relations += tried.relations
    count.direct += tried.direct
    if tried.raised:
        count.raised.append(f"{one.name}: {tried.raised}")
    elif one.error:
        count.errors += 1
        if isinstance(_error(one), NotThere):
            count.absent += 1
        elif not tried.told and not any(
            one.error in (gap.code, gap.why) or one.operation in gap.what for gap in tried.reader.gaps
        ):
            count.silent.append(f"{one.name}: {one.error}")


def _tried(service: Service | None, one: Recorded, held: Held) -> _Try:
    """Beside one set of other recordings after the other until it is asked for; else by a call of its own."""
    for turn in range(min(held.turns(one), _MOST_TURNS) if service is not None else 0):
        found = _Try(service, one, held.companions(one, turn))
        found.run()
        if found.raised or found.transport.asked:
            return found
    found = _Try(None, one, ())
    found.run()
    return found


def _error(one: Recorded) -> OpsleuthError:
    """What a recorded error becomes for those who ask."""
    return error_of(
        Refusal(
            service=one.client,
            operation=one.operation,
            parameters={},
            region=REGION,
            code=one.error,
            message=one.message,
            status=one.status,
            known_account=True,
        )
    )


class _Try:
    """One recording given to one service file: list, read, relate, and read what settings are read by.

    Without a service file the operation is called as it is.
    """

    def __init__(self, service: Service | None, one: Recorded, others: tuple[Recorded, ...]) -> None:
        self.service = service
        self.one = one
        self.transport = RecordedTransport(one, others)
        clock = VirtualClock(self.transport.start())
        place = Account(region=REGION)
        self.reader = Reader(
            Aws(place, self.transport, clock, Budget(Limits()), MemoryStore(), own_account=ACCOUNT), "T"
        )
        self.found: dict[str, Resource] = {}
        self.told = False
        self.raised = ""
        self.resources = self.relations = 0
        self.direct = service is None

    def run(self) -> None:
        steps = self._call() if self.service is None else self._steps(self.service)
        try:
            for refused in steps:
                asked = self.transport.newly_asked()
                self.told = self.told or (refused and asked)
        except Exception as error:
            self.raised = f"{type(error).__name__}: {error}"

    def _call(self) -> Iterator[bool]:
        try:
            self.reader.ask(self.one.client, self.one.operation, region=REGION, **_needed(self.one))
        except OpsleuthError as error:
            yield isinstance(error, Refused)
            return
        yield False

    def _steps(self, service: Service) -> Iterator[bool]:
        """Yields after each step whether a refusal or "does not exist" was told."""
        try:
            for listed in service.discover(self.reader, REGION):
                self.found.setdefault(listed.arn, listed)
        except OpsleuthError as error:
            yield isinstance(error, Refused)
        for arn in [*_spread(self.found), *_examples(service)]:
            try:
                whole = service.describe(self.reader, arn)
            except OpsleuthError as error:
                yield isinstance(error, Refused)
                continue
            yield whole is None
            if whole is not None:
                self.found[whole.arn] = whole
        directory = KnownResources(tuple(self.found.values()))
        for resource in self.found.values():
            self.resources += 1
            self.relations += len(list(service.relations(resource, directory)))
        if not self.transport.asked:
            yield from self._settings(service)

    def _settings(self, service: Service) -> Iterator[bool]:
        """The reads that a plan is checked by, of one resource of each type, as it was read or as events name it."""
        shown: dict[str, Resource] = {}
        for resource in [*self.found.values(), *(stub(arn) for arn in _examples(service))]:
            shown.setdefault(resource.type, resource)
        for setting in service.settings:
            if setting.type in shown:
                read = setting.read(shown[setting.type])
                try:
                    answer = self.reader.ask(read.service, read.operation, region=REGION, **read.parameters)
                except OpsleuthError as error:
                    yield isinstance(error, Refused)
                    continue
                find(setting.query, answer.data)
                yield False


def _needed(one: Recorded) -> Json:
    """What the operation requires, made up."""
    shape = wire.operation_model(one.client, one.operation).input_shape
    return {} if shape is None else {name: _made_up(shape.members[name]) for name in shape.required_members}


def _made_up(shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return {name: _made_up(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [_made_up(shape.member)]
    if kind == "map":
        return {}
    if kind == "timestamp":
        return NOW
    words = {"boolean": False, "integer": 1, "long": 1, "float": 1.0, "double": 1.0}
    return words.get(
        kind, (getattr(shape, "enum", None) or ["example-1".ljust(shape.metadata.get("min", 1), "0")])[0]
    )


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
                "direct": one.direct,
                "unfit": one.unfit,
                "errors": one.errors,
                "absent": one.absent,
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
    head = (
        f"{'service':<22}{'recordings':>11}{'raised':>8}{'errors':>8}{'absent':>8}{'silent':>8}{'direct':>8}"
    )
    head += f"{'resources':>11}"
    lines = [head]
    for name, one in sorted(counts.items()):
        lines.append(
            f"{name:<22}{one.recordings:>11}{len(one.raised):>8}{one.errors:>8}{one.absent:>8}{len(one.silent):>8}"
            f"{one.direct:>8}{one.resources:>11}"
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
