"""Log lines of Lambda functions, made on demand from the rows of a flow.

Counts come from the row alone; texts are made only for lines that somebody reads. Every line of a request lies in
the minute of the request, so that lines per minute agree with the metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from evals.world.flow import Flow, Minute
from evals.world.seed import mix, uuid

MAX_REASON = "TableWriteMaxOnDemandThroughputExceeded"
KEY_REASON = "TableWriteKeyRangeThroughputExceeded"
_TEXTS = {
    MAX_REASON: "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
    KEY_REASON: (
        "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your "
        "table or index so please try again shortly. If exceptions persist, check if you have a hot key: "
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
    ),
}


class Line(NamedTuple):
    """One log event. `stamp` is in epoch milliseconds."""

    stamp: int
    kind: str
    stream: str
    text: str


class Request(NamedTuple):
    """One invocation: when (epoch ms), how long, how it ended."""

    number: int
    stamp: int
    duration: int
    reason: str  # "" when it went well, else why it failed: a throttling reason or "own"
    tenant: str


@dataclass
class LogGroup:
    """The log group of one function and the flow whose requests it logs."""

    name: str
    arn: str
    flow: Flow
    function: str
    memory: int
    salt: int
    created: datetime
    delay: int  # seconds from a line's time until it can be read
    retention: int | None
    table_arn: str = ""
    wording: int = 0  # which of two code styles the function has
    own_error: str = "ValidationError: field quantity must be positive"
    tenants: tuple[str, ...] = ()
    warnings: int = 37  # of 10,000 requests, those that log a warning
    _minutes: dict[int, list[Line]] = field(default_factory=dict)
    _streams: dict[tuple[int, int], str] = field(default_factory=dict)

    KINDS = ("start", "info", "warn", MAX_REASON, KEY_REASON, "own", "end", "report")

    def count(self, kind: str, minute: int) -> int:
        """Lines of one kind in a minute."""
        row = self.flow.minute(minute)
        if kind in ("start", "end", "report"):
            return row.requests
        if kind == "info":
            return row.successes
        if kind == "warn":
            return self._warned(minute, row)
        return _failures(row)[kind]

    def _warned(self, minute: int, row: Minute) -> int:
        return (row.requests * self.warnings + mix(self.salt, minute, 11) % 10_000) // 10_000

    def requests(self, minute: int) -> Iterator[Request]:
        """The requests of a minute, oldest first."""
        row = self.flow.minute(minute)
        wanted = (
            [s.requests for s in row.seconds] if row.seconds else _spread(row.requests, minute, self.flow)
        )
        number = 0
        for second, count in enumerate(wanted):
            reasons, waits = self._second(row, second, count, number)
            for index in range(count):
                stamp = (minute * 60 + second) * 1000 + (index * 1000) // max(1, count)
                duration = row.base_ms + waits[index] * self.flow.retry_ms
                hot = (
                    row.seconds[second].hot if row.seconds else round(count * row.hot / max(1, row.requests))
                )
                yield Request(
                    number, stamp, duration, reasons[index], self._tenant(minute, number, index < hot)
                )
                number += 1

    def _second(self, row: Minute, second: int, count: int, number: int) -> tuple[list[str], list[int]]:
        """For each request of a second: why it failed ("" if not), how many attempts were refused."""
        reasons, waits = [""] * count, [0] * count
        if row.seconds is None:
            for index in range(count):
                if row.failures and ((number + index) * row.failures) % row.requests < row.failures:
                    reasons[index] = "own"
            return reasons, waits
        what = row.seconds[second]
        for failed, among, offset, reason in (
            (what.hot_failures, what.hot, 0, KEY_REASON),
            (what.failures - what.hot_failures, count, 0, MAX_REASON),
        ):
            for step in range(failed):
                index = offset + step * among // failed
                while reasons[index]:
                    index = (index + 1) % count
                reasons[index] = reason
                waits[index] = self.flow.attempts
        rest = what.max_throttles + what.key_throttles - what.failures * self.flow.attempts
        calm = [index for index in range(count) if not reasons[index]]
        for step in range(rest if calm else 0):
            waits[calm[step % len(calm)]] += 1
        return reasons, waits

    def _tenant(self, minute: int, number: int, hot: bool) -> str:
        key = self.flow.hot_key
        if hot and key is not None:
            return key.name
        return self.tenants[mix(self.salt, minute, number, 13) % len(self.tenants)] if self.tenants else ""

    def lines(self, minute: int) -> list[Line]:
        """All lines of a minute, sorted by time."""
        found = self._minutes.get(minute)
        if found is None:
            found = [line for request in self.requests(minute) for line in self._of(minute, request)]
            found.extend(self._warn_lines(minute))
            found.sort(key=lambda line: line.stamp)
            if sum(map(len, self._minutes.values())) > 60_000:
                self._minutes.clear()
            self._minutes[minute] = found
        return found

    def of_kinds(self, minute: int, kinds: tuple[str, ...]) -> list[Line]:
        """The lines of some kinds in a minute, sorted by time."""
        if minute in self._minutes or {"start", "end", "report", "info"} & set(kinds):
            return [line for line in self.lines(minute) if line.kind in kinds]
        found = self._warn_lines(minute) if "warn" in kinds else []
        if set(kinds) - {"warn"}:
            for request in self.requests(minute):
                if request.reason in kinds:
                    found.append(self._of(minute, request)[1])
        return sorted(found, key=lambda line: line.stamp)

    def some(self, kind: str, minute: int, most: int) -> list[Line]:
        """Up to `most` lines of one kind, to see what such a line looks like."""
        if kind == "warn":
            return self._warn_lines(minute)[:most]
        found: list[Line] = []
        for request in self.requests(minute):
            if kind in ("start", "end", "report") or (request.reason or "info") == kind:
                found.extend(line for line in self._of(minute, request) if line.kind == kind)
                if len(found) >= most:
                    break
        return found[:most]

    def _of(self, minute: int, request: Request) -> list[Line]:
        rid = self.request_id(minute, request.number)
        stream = self.stream(minute, request.number)
        end = min(request.stamp + request.duration, minute * 60_000 + 59_999)
        kind, text = self._body(request, rid, end)
        report = (
            f"REPORT RequestId: {rid}\tDuration: {request.duration}.{request.number % 90 + 10} ms\t"
            f"Billed Duration: {request.duration + 1} ms\tMemory Size: {self.memory} MB\t"
            f"Max Memory Used: {self.memory // 2 + request.number % 7} MB\t"
        )
        return [
            Line(request.stamp, "start", stream, f"START RequestId: {rid} Version: $LATEST"),
            Line(end, kind, stream, text),
            Line(end, "end", stream, f"END RequestId: {rid}"),
            Line(end, "report", stream, report),
        ]

    def _body(self, request: Request, rid: str, end: int) -> tuple[str, str]:
        who = f" tenant={request.tenant}" if request.tenant else ""
        if not request.reason:
            return "info", f"[INFO]\t{iso(end)}\t{rid}\tstored id={rid[:8]}{who} ms={request.duration}"
        if request.reason == "own":
            return "own", f"[ERROR]\t{iso(end)}\t{rid}\t{self.own_error}{who}"
        return request.reason, self._throttled(request.reason, rid, end, who)

    def _throttled(self, reason: str, rid: str, end: int, who: str) -> str:
        said = (
            "An error occurred (ThrottlingException) when calling the PutItem operation "
            f"(reached max retries: {self.flow.attempts - 1}): {_TEXTS[reason]}"
        )
        reasons = f'[{{"reason": "{reason}", "resource": "{self.table_arn}"}}]'
        if self.wording == 0:
            return f"[ERROR]\t{iso(end)}\t{rid}\tput_item failed{who}: {said} ThrottlingReasons: {reasons}"
        return (
            f"[ERROR] ThrottlingException: {said} ThrottlingReasons={reasons}{who}\n"
            'Traceback (most recent call last):\n  File "/var/task/app.py", line 48, in handler\n'
            "    table.put_item(Item=item)"
        )

    def _warn_lines(self, minute: int) -> list[Line]:
        row = self.flow.minute(minute)
        found = []
        for step in range(self._warned(minute, row)):
            stamp = minute * 60_000 + mix(self.salt, minute, step, 17) % 59_000
            rid = self.request_id(minute, step)
            slow = 180 + mix(self.salt, minute, step) % 400
            text = f"[WARNING]\t{iso(stamp)}\t{rid}\tslow response from address lookup: {slow} ms"
            found.append(Line(stamp, "warn", self.stream(minute, step), text))
        return found

    def request_id(self, minute: int, number: int) -> str:
        return uuid(mix(self.salt, minute, number) << 64 | mix(self.salt, minute, number, 1))

    def stream(self, minute: int, number: int) -> str:
        key = (minute // 1440, number % 9)
        found = self._streams.get(key)
        if found is None:
            day = datetime.fromtimestamp(minute * 60, UTC).strftime("%Y/%m/%d")
            which = mix(self.salt, *key)
            found = self._streams[key] = f"{day}/[$LATEST]{which:016x}{mix(which):016x}"
        return found


def _failures(row: Minute) -> dict[str, int]:
    if row.seconds is None:
        return {MAX_REASON: 0, KEY_REASON: 0, "own": row.failures}
    by_key = sum(second.hot_failures for second in row.seconds)
    return {MAX_REASON: row.failures - by_key, KEY_REASON: by_key, "own": 0}


def _spread(requests: int, minute: int, flow: Flow) -> list[int]:
    counts = flow.demand.seconds(minute)
    if sum(counts) == requests:
        return counts
    base, rest = divmod(requests, 60)
    return [base + (1 if second < rest else 0) for second in range(60)]


def iso(stamp_ms: int) -> str:
    return f"{_second(stamp_ms // 1000)}.{stamp_ms % 1000:03d}Z"


@lru_cache(maxsize=256)
def _second(stamp: int) -> str:
    return f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%S}"
