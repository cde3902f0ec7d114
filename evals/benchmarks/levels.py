"""How the cost of a map grows: places, systems and all four levels of made accounts, ten times larger each.

`python -m evals.benchmarks.levels [SMALL] [LARGE]` prints a table. Steps (function calls, and lines of `graph.levels`)
are the same everywhere and tell the growth; seconds and memory belong to the machine. With `--read` the accounts are
also read, whole, from answers made beforehand: what a map costs beside the latency of AWS.
"""

from __future__ import annotations

import random
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from math import log
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import Any

import graph.levels
from evals.benchmarks import BenchResult
from evals.estates.crowd import CrowdTransport
from graph.levels import LEVELS, blast_radius, chart, failure_path, view
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.models import Relation, Resource
from tools.whole import whole

_AT = "eu-west-1:111122223333"
_KINDS = (
    # how often of a hundred, type, service, ARN
    (30, "function", "lambda", f"arn:aws:lambda:{_AT}:function:"),
    (15, "table", "dynamodb", f"arn:aws:dynamodb:{_AT}:table/"),
    (15, "queue", "sqs", f"arn:aws:sqs:{_AT}:"),
    (5, "event-source-mapping", "lambda", f"arn:aws:lambda:{_AT}:event-source-mapping:"),
    (15, "role", "iam", "arn:aws:iam::111122223333:role/"),
    (10, "alarm", "cloudwatch", f"arn:aws:cloudwatch:{_AT}:alarm:"),
    (10, "log-group", "logs", f"arn:aws:logs:{_AT}:log-group:"),
)
_A_SYSTEM = 25
_HERE = str(Path(graph.levels.__file__).parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """One size. `steps`: function calls, and lines of `graph.levels`; `seconds`: of CPU."""

    resources: int
    relations: int
    systems: int
    steps: int
    seconds: float
    megabytes: float


def run(small: int = 500, large: int = 5000) -> BenchResult:
    """Both sizes with four relations per resource. Not ok when steps grow faster than n log n."""
    _work(*account(50))  # libraries are loaded now, and not counted
    first, last = _measured(small), _measured(large)
    ratio = last.steps / first.steps
    allowed = large * log(large) / (small * log(small))
    rows = [
        f"{one.resources:>6} resources {one.relations:>6} relations {one.systems:>4} systems"
        f" {one.steps:>9} steps {one.seconds:>6.2f} s of CPU {one.megabytes:>6.1f} MB"
        for one in (first, last)
    ]
    rows.append(
        f"steps grow {ratio:.1f} times, seconds {last.seconds / first.seconds:.1f}; n log n would {allowed:.1f}"
    )
    figures: dict[str, object] = {str(one.resources): asdict(one) for one in (first, last)}
    figures |= {"steps_ratio": round(ratio, 2), "n_log_n_ratio": round(allowed, 2)}
    return BenchResult(name="levels", figures=figures, text="\n".join(rows), ok=ratio <= allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One account read whole and drawn. `calls`: requests on the wire; seconds of CPU, megabytes of the process."""

    resources: int
    relations: int
    calls: int
    reading: float
    drawing: float
    megabytes: float


def read(size: int) -> Reading:
    """Read a made account of about this size through the product, then draw all four levels of it."""
    transport = CrowdTransport(size)
    limits = Limits(calls=10**9, seconds=10**9, bytes=10**12)
    clock = VirtualClock(transport.begun)
    aws = Aws(Account(region=transport.region), transport, clock, Budget(limits), MemoryStore())
    aws.identify(Reader(aws=aws, letter="T"))
    begun = process_time()
    found = whole(aws, (transport.region,)).topology
    middle = process_time()
    _work(list(found.resources), list(found.relations))
    return Reading(
        resources=len(found.resources),
        relations=len(found.relations),
        calls=sum(transport.asked.values()),
        reading=round(middle - begun, 2),
        drawing=round(process_time() - middle, 2),
        megabytes=round(getrusage(RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def run_read(small: int = 500, large: int = 5000) -> BenchResult:
    """Both sizes. Not ok when calls grow faster than resources: seconds belong to the machine."""
    read(50)  # clients and libraries are made now, and not counted
    first, last = read(small), read(large)
    rows = [
        f"{one.resources:>6} resources {one.relations:>6} relations {one.calls:>6} AWS calls"
        f" ({1000 * one.calls / one.resources:.0f} per 1,000)"
        f" {one.reading:>6.2f} s of CPU read {one.drawing:>6.2f} s drawn {one.megabytes:>7.1f} MB"
        for one in (first, last)
    ]
    times, calls = last.resources / first.resources, last.calls / first.calls
    seconds = (last.reading + last.drawing) / (first.reading + first.drawing)
    rows.append(
        f"{times:.1f} times the resources: {calls:.1f} times the calls, {seconds:.1f} times the seconds"
    )
    figures: dict[str, object] = {str(size): asdict(one) for size, one in ((small, first), (large, last))}
    figures |= {"calls_ratio": round(calls, 2), "seconds_ratio": round(seconds, 2)}
    return BenchResult(name="levels", figures=figures, text="\n".join(rows), ok=calls <= times * 1.05)


def _measured(size: int) -> _Measured:
    resources, relations = account(size)
    begun = process_time()
    systems = _work(resources, relations)
    seconds = process_time() - begun
    steps = _steps(partial(_work, resources, relations))
    tracemalloc.start()
    _work(resources, relations)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return _Measured(
        resources=len(resources),
        relations=len(relations),
        systems=systems,
        steps=steps,
        seconds=round(seconds, 2),
        megabytes=round(most / 1e6, 1),
    )


def account(size: int, seed: int = 1) -> tuple[list[Resource], list[Relation]]:
    """A made account: systems of 25 things without tags, four relations per resource, a twentieth of them across."""
    draw = random.Random(seed)
    resources = [_thing(number, draw) for number in range(size)]
    relations: dict[tuple[str, str, str], Relation] = {}
    while len(relations) < 4 * size:
        here = draw.randrange(size)
        start = here - here % _A_SYSTEM
        there = (
            draw.randrange(size) if draw.random() < 0.05 else min(size - 1, start + draw.randrange(_A_SYSTEM))
        )
        if here == there:
            continue
        a, b = resources[here], resources[there]
        kind = (
            "watches"
            if a.type == "alarm"
            else "runs as"
            if b.type == "role"
            else draw.choice(("uses", "reads"))
        )
        made = Relation(
            source=a.arn,
            target=b.arn,
            kind=kind,
            provenance=f"read:Get{a.type} field{draw.randrange(9)}",
            confidence=0.9,
        )
        relations[a.arn, b.arn, kind if here % 3 else f"{kind} {draw.randrange(3)}"] = made
    return resources, list(relations.values())


def _thing(number: int, draw: random.Random) -> Resource:
    _, type, service, arn = draw.choices(_KINDS, weights=[one[0] for one in _KINDS])[0]
    system = number // _A_SYSTEM
    word = "".join(chr(97 + system // 26**power % 26) for power in range(3))
    name = f"{word}q-{type[:3]}-{number}"
    return Resource(
        arn=arn + name,
        service=service,
        type=type,
        name=name,
        account="111122223333",
        region="eu-west-1",
        config={"StateValue": "OK"} if type == "alarm" else {},
    )


def _work(resources: list[Resource], relations: list[Relation]) -> int:
    atlas = chart(resources, relations)
    for level in LEVELS:
        view(atlas, level)
    arns = list(atlas.resources)
    blast_radius(atlas, arns[0])
    failure_path(atlas, arns[0], arns[-1])
    return len(atlas.systems)


def _steps(work: Callable[[], object]) -> int:
    """How many functions are called anywhere, and lines run in `graph.levels`: turns of its loops count too."""
    count = 0

    def called(_: Any, event: str, __: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    def line(_: Any, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    def entered(frame: Any, _: str, __: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(_HERE) else None

    before = sys.gettrace()
    sys.setprofile(called)
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
        sys.setprofile(None)
    return count


if __name__ == "__main__":
    sizes = [int(one) for one in sys.argv[1:] if one.isdigit()]
    print(run_read(*sizes).text if "--read" in sys.argv else run(*sizes).text)
