"""Lines of log groups: what Lambda itself says, and stack traces in several lines joined into one event. Pure."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

MOST_LINES = 100_000
_MOST_OPEN = 1_000  # streams whose last event may still go on


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
_OPENING = frozenset(("", "T", "C", "D", "."))  # what such a line begins with
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
    return iter(sorted(joined(_ordered(list(lines)))))


def joined(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Events of lines that come by time, each as soon as it is known to be whole; few are held back at a time."""
    open_: dict[str, list[LogLine]] = {}
    for line in lines:
        parts = open_.get(line.stream)
        if parts is None:
            if len(open_) >= _MOST_OPEN:
                yield _joined(open_.pop(next(iter(open_))))
            open_[line.stream] = [line]
        elif (len(parts) > 1 or line.text[:1] in _OPENING or line.text[:1].isspace()) and _goes_on(
            parts, line
        ):
            parts.append(line)
        else:
            yield _joined(parts)
            open_[line.stream] = [line]
    yield from (_joined(parts) for parts in open_.values())


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
    if len(parts) == 1 and not parts[0].text.endswith("\n"):
        return parts[0]
    text = "\n".join(part.text.rstrip("\n") for part in parts)
    return LogLine(parts[0].time, text, parts[0].stream)
