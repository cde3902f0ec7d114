"""What cron started on a machine before a moment, and whether its CPU rose each time.

AWS sources: FilterLogEvents on the machine's system log, which cron writes to; GetMetricData for CPUUtilization.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from tools.clock import floor
from tools.metrics import series
from tools.models import Metric, Series, Window
from tools.redact import redact

if TYPE_CHECKING:
    from tools.aws import Reader

BACK = timedelta(hours=3)
"""How far back runs are looked for: enough to see an hourly job thrice."""
_SYSTEM = re.compile(r"messages|syslog|cron", re.IGNORECASE)
_LINE = re.compile(r"\bCROND?(?:\[\d+\])?: \([^)\s]+\) CMD \((?P<command>.+)\)\s*$")
_TERM = "CMD"
_PAGES = 4
_AFTER = timedelta(minutes=10)  # of a run, in which the CPU is looked at
_ROSE = 1.1  # times what it was, and by some percent at least
_PERCENT = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command that cron started on a machine. `rose`: after how many of the `earlier` runs the CPU rose as well."""

    resource: str  # ARN of the machine
    log_group: str
    command: str
    started: datetime  # the newest start
    earlier: tuple[datetime, ...] = ()
    rose: int | None = None  # None: not measured
    evidence: tuple[str, ...] = ()

    @property
    def every(self) -> timedelta:
        """The usual time between runs, or the whole of what was looked through when it ran once."""
        runs = [*self.earlier, self.started]
        gaps = [(after - before).total_seconds() for before, after in pairwise(runs)]
        return timedelta(seconds=statistics.median(gaps)) if gaps else BACK


def is_system_log(name: str) -> bool:
    """Whether cron may write to a log group of this name."""
    return _SYSTEM.search(name) is not None


def jobs(reader: Reader, resource: str, groups: Sequence[str], until: datetime) -> tuple[Job, ...]:
    """The commands that cron started on a machine in the hours before `until`, newest start first.

    A group that may not be read is a gap. What the commands were given is redacted.
    """
    found: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    evidence: list[str] = []
    for group in groups:
        with reader.seeing(f"scheduled jobs in {group}", "what cron started on the machine"):
            for moment, text in _lines(reader, group, Window(start=until - BACK, end=until), evidence):
                told = _LINE.search(text)
                if told is not None:
                    found[group, redact(told["command"])].append(moment)
    made = [
        Job(
            resource=resource,
            log_group=group,
            command=command,
            started=max(moments),
            earlier=tuple(sorted(moments)[:-1]),
            evidence=tuple(evidence),
        )
        for (group, command), moments in found.items()
    ]
    return tuple(sorted(made, key=lambda one: (-one.started.timestamp(), one.command)))


def _lines(reader: Reader, group: str, span: Window, evidence: list[str]) -> Iterable[tuple[datetime, str]]:
    following: dict[str, str] = {}
    for _ in range(_PAGES):
        answer = reader.ask(
            "logs",
            "FilterLogEvents",
            logGroupName=group,
            startTime=int(span.start.timestamp() * 1000),
            endTime=int(span.end.timestamp() * 1000) - 1,
            filterPattern=_TERM,
            limit=1000,
            **following,
        )
        for event in answer.data.get("events") or []:
            yield datetime.fromtimestamp(event["timestamp"] / 1000, UTC), str(event["message"])
        if answer.data.get("events"):
            evidence.append(answer.evidence)
        if not answer.data.get("nextToken"):
            return
        following = {"nextToken": str(answer.data["nextToken"])}


def with_cpu(reader: Reader, job: Job, metric: Metric) -> Job:
    """The job with after how many of its earlier runs the CPU of its machine rose."""
    if not job.earlier:
        return job
    fine = replace(metric, period=60)
    window = Window(start=floor(job.earlier[0] - _AFTER, 300), end=floor(job.started, 60))
    with reader.seeing("CPU at earlier runs of the job", "whether the job always takes CPU"):
        shown = series(reader, [fine], window).get(fine)
        if shown is not None and shown.points:
            return replace(job, rose=sum(_rose(shown, run) for run in job.earlier))
    return job


def _rose(shown: Series, run: datetime) -> bool:
    begin = floor(run, 60)
    before = [value for moment, value in shown.points if begin - _AFTER <= moment < begin]
    after = [value for moment, value in shown.points if begin <= moment < begin + _AFTER]
    if not before or not after:
        return False
    low, high = statistics.fmean(before), statistics.fmean(after)
    return high > _ROSE * low and high > low + _PERCENT
