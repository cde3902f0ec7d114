"""Log patterns: lines that differ only in ids and numbers become one template with counts. Pure.

The template miner is drain3, one configuration for all systems. Its merging goes by similarity and would join
lines whose error code alone differs; so code, reason and ARNs split the lines before it sees them.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from drain3.drain import Drain

from tools.entities import Entities, read
from tools.evidence import canonical, digest
from tools.models import LogPattern

MOST_LINES = 100_000
_MOST_BUCKETS = 300
_MOST_CLUSTERS = 200  # that one tree remembers
_MOST_SEEN = 1_000  # that are counted apart, per tree
_MOST_NAMES = 20
_MOST_WORDS = 120
_SAMPLE = 2_000


class LogLine(NamedTuple):
    """One log event."""

    time: datetime
    text: str
    stream: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaReport:
    """What Lambda says of one invocation in its REPORT line or platform.report record."""

    time: datetime
    request_id: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    used_mb: int
    status: str = ""  # "", error, timeout; "" when the line says none, which is success
    error_type: str = ""
    init_ms: float | None = None

    @property
    def out_of_memory(self) -> bool:
        """Whether memory ran out, as far as the report tells."""
        return self.error_type == "Runtime.OutOfMemory" or (
            bool(self.status) and self.used_mb >= self.memory_mb
        )


_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)?(?: UTC)?"
_MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (rf"\b\d{{4}}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?{_ZONE}", "<time>"),
        (rf"\b{_DAY} {_MONTH} +\d+ \d\d:\d\d:\d\d [A-Z]{{3,4}} \d{{4}}\b", "<time>"),
        (rf"\b{_MONTH} +\d{{1,2}},?(?: \d{{4}})? \d\d?:\d\d:\d\d(?: [AP]M)?", "<time>"),
        (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<id>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<ip>"),
        (r"\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{0,4}\b", "<ip>"),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b", "<id>"),
        (r"\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{16,}\b", "<id>"),
        (r"\b\d+(?:\.\d+)? ?(?:ms|milliseconds|seconds|minutes|s)\b", "<duration>"),
        (r"(?<![A-Za-z])[-+]?\d+(?:[.,]\d+)*%?", "<n>"),
    )
)
_PLATFORM = re.compile(
    r"^(?:START|END|REPORT) RequestId: |^(?:INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\b"
    r"|^(?:EXTENSION|TELEMETRY)\tName: |^XRAY TraceId: "
)
_REPORT = re.compile(
    r"^REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<duration>[\d.]+) ms\s+"
    r"Billed Duration: (?P<billed>[\d.]+) ms\s+Memory Size: (?P<memory>\d+) MB\s+"
    r"Max Memory Used: (?P<used>\d+) MB"
)
_INIT = re.compile(r"\bInit Duration: ([\d.]+) ms")
_STATUS = re.compile(r"\bStatus: (\w+)")
_ERROR_TYPE = re.compile(r"\bError Type: ([\w.]+)")
_CONTINUED = re.compile(
    r"^(?:\s+\S|Traceback \(most recent|Caused by: |During handling of "
    r"|The above exception |\s*$|\.\.\. \d+ more)"
)
_TRACE_END = re.compile(r"^[\w.$]*[A-Z]\w*(?:Error|Exception|Exit|Warning|Interrupt)\b")


def lambda_report(line: LogLine) -> LambdaReport | None:
    """The report of an invocation, when the line is one."""
    found = _REPORT.match(line.text)
    if found:
        init, status, kind = (one.search(line.text) for one in (_INIT, _STATUS, _ERROR_TYPE))
        return LambdaReport(
            time=line.time,
            request_id=found["id"],
            duration_ms=float(found["duration"]),
            billed_ms=float(found["billed"]),
            memory_mb=int(found["memory"]),
            used_mb=int(found["used"]),
            status=status.group(1).lower() if status else "",
            error_type=kind.group(1) if kind else "",
            init_ms=float(init.group(1)) if init else None,
        )
    return _platform_report(line)


def _platform_report(line: LogLine) -> LambdaReport | None:
    """Lambda's JSON log format: {"type": "platform.report", "record": {"metrics": {...}, "status": ...}}."""
    if '"platform.report"' not in line.text:
        return None
    try:
        record = json.loads(line.text).get("record") or {}
    except (json.JSONDecodeError, AttributeError):
        return None
    numbers = record.get("metrics") or {}
    status = str(record.get("status", ""))
    init = numbers.get("initDurationMs")
    return LambdaReport(
        time=line.time,
        request_id=str(record.get("requestId", "")),
        duration_ms=float(numbers.get("durationMs", 0)),
        billed_ms=float(numbers.get("billedDurationMs", 0)),
        memory_mb=int(numbers.get("memorySizeMB", 0)),
        used_mb=int(numbers.get("maxMemoryUsedMB", 0)),
        status="" if status == "success" else status,
        error_type=str(record.get("errorType", "")),
        init_ms=None if init is None else float(init),
    )


def lambda_reports(lines: Iterable[LogLine]) -> tuple[LambdaReport, ...]:
    """The reports among the lines, oldest first."""
    found = [report for report in map(lambda_report, lines) if report is not None]
    return tuple(sorted(found, key=lambda report: (report.time, report.request_id)))


def is_platform(text: str) -> bool:
    """Whether Lambda itself wrote the line."""
    return _PLATFORM.match(text) is not None or ('"type":"platform.' in text[:200].replace(" ", ""))


def events(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Lines by time, with a stack trace that came as several lines of one stream joined into one event."""
    open_: dict[str, list[LogLine]] = {}
    done: list[LogLine] = []
    for line in _ordered(list(lines)):
        parts = open_.get(line.stream)
        if parts and _goes_on(parts, line):
            parts.append(line)
            continue
        if parts:
            done.append(_joined(parts))
        open_[line.stream] = [line]
    done.extend(_joined(parts) for parts in open_.values())
    return iter(sorted(done))


def _ordered(lines: list[LogLine]) -> list[LogLine]:
    """By time, ties by text; but the lines of a trace that share one moment stay as they came."""
    if len(lines) > MOST_LINES:
        lines = heapq.nsmallest(MOST_LINES, lines)
    traced = {(line.time, line.stream) for line in lines if _CONTINUED.match(line.text)}

    def place(numbered: tuple[int, LogLine]) -> tuple[datetime, str, int, str]:
        number, line = numbered
        stays = (line.time, line.stream) in traced
        return line.time, line.stream, number if stays else 0, "" if stays else line.text

    return [line for _, line in sorted(enumerate(lines), key=place)]


def _goes_on(parts: list[LogLine], line: LogLine) -> bool:
    if line.time - parts[-1].time > timedelta(seconds=1) or len(parts) >= 200:
        return False
    if _CONTINUED.match(line.text):
        return True
    # A Python traceback ends with the one line that is not indented.
    traced = any(part.text.startswith("Traceback (most recent") for part in parts)
    return traced and parts[-1].text.startswith(" ") and _TRACE_END.match(line.text) is not None


def _joined(parts: list[LogLine]) -> LogLine:
    text = "\n".join(part.text.rstrip("\n") for part in parts)
    return LogLine(parts[0].time, text, parts[0].stream)


def masked(text: str) -> str:
    """`text` with times, ids, addresses, durations and numbers replaced by what they are."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def _told(said: Entities, text: str) -> str:
    """What the template is made of: the first line of an event and the one that names its innermost error."""
    lines = [line for line in said.message.splitlines() if line.strip()]
    if len(lines) < 2:
        return said.message
    ends = [line for line in lines[1:] if not line[0].isspace() and not line.startswith("Traceback")]
    return f"{lines[0]} {ends[-1]}" if ends else lines[0]


def _same_arn(arn: str) -> str:
    """The ARN without run ids, versions and stream names, so that a million executions are one."""
    parts = arn.split(":", 5)
    return ":".join([*parts[:5], masked(parts[5])]) if len(parts) == 6 else arn


@dataclass(slots=True)
class _Seen:
    """What the lines of one cluster have in common."""

    cluster: Any
    first: datetime
    last: datetime
    sample: str
    sample_after: bool
    before: int = 0
    after: int = 0
    names: dict[str, None] = field(default_factory=dict)
    operations: dict[str, None] = field(default_factory=dict)

    def add(self, line: LogLine, said: Entities, since: bool) -> None:
        if since and not self.sample_after:
            self.sample, self.sample_after = line.text[:_SAMPLE], True
        self.before += not since
        self.after += since
        self.first, self.last = min(self.first, line.time), max(self.last, line.time)
        for name in (*said.arns, *said.names, *said.hosts):
            if len(self.names) < _MOST_NAMES:
                self.names.setdefault(name)
        for operation in said.operations:
            if len(self.operations) < _MOST_NAMES:
                self.operations.setdefault(operation)


Bucket = tuple[str, str, tuple[str, ...]]


class _Miner:
    """One drain tree for each error code, reason and set of ARNs."""

    def __init__(self, onset: datetime) -> None:
        self._onset = onset
        self._trees: dict[Bucket, Drain] = {}
        self._seen: dict[Bucket, dict[int, _Seen]] = {}

    def add(self, line: LogLine) -> None:
        said = read(line.text)
        bucket: Bucket = (said.code, said.reason, tuple(sorted({_same_arn(arn) for arn in said.arns})[:5]))
        if bucket not in self._trees:
            if len(self._trees) >= _MOST_BUCKETS:
                bucket = (said.code, said.reason, ())
            if len(self._trees) >= 2 * _MOST_BUCKETS and bucket not in self._trees:
                bucket = ("", "", ())
            self._trees.setdefault(bucket, Drain(depth=4, sim_th=0.5, max_clusters=_MOST_CLUSTERS))
        words = masked(_told(said, line.text)).split()[:_MOST_WORDS]
        cluster, _ = self._trees[bucket].add_log_message(" ".join(words))
        since = line.time >= self._onset
        known = self._seen.setdefault(bucket, {})
        seen = known.get(cluster.cluster_id)
        if seen is None and len(known) >= _MOST_SEEN:
            seen = next(iter(known.values()))  # beyond any use as a template, but counted
        if seen is None:
            seen = known[cluster.cluster_id] = _Seen(
                cluster, line.time, line.time, line.text[:_SAMPLE], since
            )
        seen.add(line, said, since)

    def found(self) -> Iterator[tuple[Bucket, str, _Seen]]:
        for bucket, clusters in self._seen.items():
            for seen in clusters.values():
                yield bucket, seen.cluster.get_template(), seen


def mine(
    lines: Iterable[LogLine], group: str, onset: datetime, evidence: tuple[str, ...] = ()
) -> tuple[LogPattern, ...]:
    """The patterns of the lines of one log group: new ones first, then by how often since `onset`.

    `before` and `after` count lines before and since onset. Lambda's own lines (START, END, REPORT) are left
    out. The order of the lines does not matter. Texts must be redacted already.
    """
    miner = _Miner(onset)
    for line in events(line for line in lines if not is_platform(line.text)):
        miner.add(line)
    joined: dict[str, LogPattern] = {}
    for (code, reason, arns), template, seen in miner.found():
        key = digest(canonical([group, template, code, reason, arns]))[:16]
        made = LogPattern(
            key=key,
            log_group=group,
            template=template,
            sample=seen.sample,
            before=seen.before,
            after=seen.after,
            first=seen.first,
            last=seen.last,
            error_code=code,
            reason=reason,
            names=tuple(seen.names),
            operations=tuple(seen.operations),
            evidence=evidence,
        )
        joined[key] = _both(joined[key], made) if key in joined else made
    return tuple(sorted(joined.values(), key=lambda one: (not one.is_new, -one.after, -one.before, one.key)))


def _both(one: LogPattern, other: LogPattern) -> LogPattern:
    """Two clusters that ended with the same template."""
    first, second = sorted((one, other), key=lambda pattern: (pattern.first, pattern.sample))
    return LogPattern(
        key=first.key,
        log_group=first.log_group,
        template=first.template,
        sample=first.sample if first.after or not second.after else second.sample,
        before=first.before + second.before,
        after=first.after + second.after,
        first=first.first,
        last=max(first.last, second.last),
        error_code=first.error_code,
        reason=first.reason,
        names=tuple(dict.fromkeys(first.names + second.names))[:_MOST_NAMES],
        operations=tuple(dict.fromkeys(first.operations + second.operations))[:_MOST_NAMES],
        evidence=first.evidence,
    )
