"""How fast log lines become patterns and changes are ranked, how much memory that takes, and how both grow.

Everything is made in this process, by seed; `opsleuth bench speed` needs no data. Lines go the graph's whole way:
joining of stack traces, `tools.entities`, masks, templates; beside it, in the same run, drain3 alone, which remembers
1,000 clusters (without a bound it slows down with each). Changes go through `graph.changes.listing`. Seconds are of the
processor, and belong to the machine.
"""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import islice
from time import process_time

from drain3.drain import Drain

from evals.benchmarks import BenchResult
from evals.benchmarks.made_changes import records
from evals.benchmarks.made_logs import lines, systems
from graph.changes import listing
from graph.undoing.known import Known
from tools.cloudtrail import parse
from tools.log_lines import LogLine, joined
from tools.patterns import Miner

LINES, EVENTS = 1_000_000, 100_000
_CHUNK = 20_000
_CLUSTERS = 1_000
_START = datetime(2026, 3, 13, tzinfo=UTC)
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measured amount. `memory`: the most that the whole process held since it began, in MiB."""

    count: int
    seconds: float
    memory: float
    found: int

    @property
    def rate(self) -> float:
        """Things a second."""
        return self.count / max(self.seconds, 1e-9)


def run(count: int = LINES, events: int = EVENTS) -> BenchResult:
    """Measure `count` lines and `events` changes, and a tenth of each before."""
    mined = [_mined(count // 10), _mined(count)]
    drained = [_drained(count // 10), _drained(count)]
    listing((), Known())
    _ranked(min(200, events))  # reads the service files
    ranked = [_ranked(events // 10), _ranked(events)]
    figures: dict[str, object] = {
        name: {"tenth": _shown(small), "whole": _shown(large), "growth": round(_growth(small, large), 2)}
        for name, (small, large) in (("opsleuth", mined), ("drain3", drained), ("changes", ranked))
    }
    figures["beside_drain3"] = round(mined[1].rate / drained[1].rate, 2)
    return BenchResult(name="speed", figures=figures, text=_text(mined, drained, ranked))


def log_lines(count: int, seed: int = 1) -> Iterator[LogLine]:
    """`count` lines of all invented systems, mixed, ten a second, now and then with a stack trace; by time."""
    luck = random.Random(seed)
    names = systems()
    makers = {name: lines(name, count, seed) for name in names}
    for number in range(count):
        name = luck.choice(names)
        moment = _START + timedelta(milliseconds=100 * number)
        if number % 1000 == 999:
            yield LogLine(moment, f"    at shop.Order.pay(Order.java:{number % 97})", name)
        else:
            yield LogLine(moment, next(makers[name]).text, name)


def _mined(count: int) -> Run:
    miner = Miner(_START + timedelta(milliseconds=50 * count))

    def add(chunk: list[LogLine]) -> None:
        for line in joined(chunk):
            miner.add(line)

    seconds = _fed(count, add)
    begun = process_time()
    found = sum(1 for _ in miner.patterns())
    return Run(count=count, seconds=seconds + process_time() - begun, memory=_memory(), found=found)


def _drained(count: int) -> Run:
    tree = Drain(max_clusters=_CLUSTERS)

    def add(chunk: list[LogLine]) -> None:
        for line in chunk:
            tree.add_log_message(line.text)

    return Run(count=count, seconds=_fed(count, add), memory=_memory(), found=len(tree.clusters))


def _fed(count: int, add: Callable[[list[LogLine]], None]) -> float:
    """Seconds in `add`, given the lines in pieces; making them does not count."""
    source, seconds = log_lines(count), 0.0
    while chunk := list(islice(source, _CHUNK)):
        begun = process_time()
        add(chunk)
        seconds += process_time() - begun
    return seconds


def _ranked(count: int) -> Run:
    events = tuple(map(parse, records(count)))
    begun = process_time()
    found = listing(events, Known(events=events))
    return Run(count=len(events), seconds=process_time() - begun, memory=_memory(), found=len(found.lines))


def _memory() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / _MIB if sys.platform == "darwin" else most / 1024  # bytes there, KiB elsewhere


def _growth(small: Run, large: Run) -> float:
    """How many times the time of the tenth the whole took; 10 is in step with the amount."""
    return large.seconds / max(small.seconds, 1e-9)


def _shown(one: Run) -> dict[str, object]:
    return {key: round(value, 3) for key, value in asdict(one).items()} | {"rate": round(one.rate)}


def _text(mined: list[Run], drained: list[Run], ranked: list[Run]) -> str:
    rows = [
        f"Speed: opsleuth {version('opsleuth')}, drain3-improved {version('drain3-improved')}, "
        f"Python {sys.version.split()[0]}, {datetime.now(UTC):%Y-%m-%d}",
        "",
        f"{'':<28}{'amount':>10}{'seconds':>10}{'a second':>10}{'found':>8}{'peak MiB':>10}{'growth':>8}",
    ]
    for name, (small, large) in (
        ("log lines, opsleuth", mined),
        ("log lines, drain3 alone", drained),
        ("changes ranked", ranked),
    ):
        for one in (small, large):
            growth = f"{_growth(small, large):.1f}" if one is large else ""
            rows.append(
                f"{name:<28}{one.count:>10,}{one.seconds:>10.2f}{one.rate:>10,.0f}{one.found:>8,}"
                f"{one.memory:>10.0f}{growth:>8}"
            )
    rows += [
        "",
        f"lines a second beside drain3 alone: {mined[1].rate / drained[1].rate:.2f} times",
        "found: patterns, and lines of the listing. growth: seconds of the whole over those of the tenth. "
        "peak: of the process so far",
    ]
    return "\n".join(rows) + "\n"
