"""Log lines of Lambda functions, made on demand from the rows of a flow.

Counts come from the row alone; a mark says that there is a line, of which kind and when; texts are made only for
lines that somebody reads. Every line of a request lies in the minute of the request, so that lines per minute agree
with the metrics.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from evals.world.flow import Flow
from evals.world.invocations import KEY_REASON, MAX_REASON, Request, by_second, failed
from evals.world.seed import mix, uuid

_KEPT = 60_000  # requests, and ids of requests, that a group keeps
_NEVER = 2**60
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


class Mark(NamedTuple):
    """That there is a line. `number` is its request's, or the warning's; warnings belong to no request."""

    stamp: int
    kind: str
    number: int
    request: Request | None


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
    _requests: dict[int, list[Request]] = field(default_factory=dict)
    _held: int = 0
    _ids: dict[tuple[int, int], str] = field(default_factory=dict)
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
            return self._warned(minute, row.requests)
        return failed(row, kind)

    def _warned(self, minute: int, requests: int) -> int:
        return (requests * self.warnings + mix(self.salt, minute, 11) % 10_000) // 10_000

    def requests(self, minute: int) -> list[Request]:
        """The requests of a minute, oldest first."""
        found = self._requests.get(minute)
        if found is None:
            if self._held > _KEPT:
                self._requests, self._held = {}, 0
            found = self._requests[minute] = [one for part in by_second(self.flow, minute) for one in part]
            self._held += len(found)
        return found

    def _first_requests(self, minute: int, before: int) -> Iterable[Request]:
        """The requests of a minute that came before an epoch millisecond, and some more."""
        if minute in self._requests or before >= (minute + 1) * 60_000:
            return self.requests(minute)
        seconds = -(-(before - minute * 60_000) // 1000)
        return (one for part in islice(by_second(self.flow, minute), max(0, seconds)) for one in part)

    def marks(self, minute: int, kinds: Collection[str] = KINDS, before: int = _NEVER) -> list[Mark]:
        """The lines of some kinds in a minute, sorted by time; all of those before an epoch millisecond."""
        last = minute * 60_000 + 59_999
        start, end, report = "start" in kinds, "end" in kinds, "report" in kinds
        found = []
        if set(kinds) - {"warn"}:
            for request in self._first_requests(minute, before):
                number, stamp, duration, reason, _ = request
                kind, over = reason or "info", min(stamp + duration, last)
                if start:
                    found.append(Mark(stamp, "start", number, request))
                if kind in kinds:
                    found.append(Mark(over, kind, number, request))
                if end:
                    found.append(Mark(over, "end", number, request))
                if report:
                    found.append(Mark(over, "report", number, request))
        if "warn" in kinds:
            found += self._warnings(minute)
        found.sort(key=_stamp)
        return found

    def _warnings(self, minute: int) -> list[Mark]:
        count = self._warned(minute, self.flow.minute(minute).requests)
        return [
            Mark(minute * 60_000 + mix(self.salt, minute, step, 17) % 59_000, "warn", step, None)
            for step in range(count)
        ]

    def lines(self, minute: int) -> list[Line]:
        """All lines of a minute, sorted by time."""
        return [self.line(minute, mark) for mark in self.marks(minute)]

    def some(self, kind: str, minute: int, most: int) -> list[Line]:
        """Up to `most` lines of one kind, to see what such a line looks like."""
        if kind == "warn":
            return [self.line(minute, mark) for mark in self._warnings(minute)[:most]]
        found: list[Line] = []
        requests = self._requests.get(minute) or (
            one for part in by_second(self.flow, minute) for one in part
        )
        for request in requests:
            if kind in ("start", "end", "report") or (request.reason or "info") == kind:
                over = min(request.stamp + request.duration, minute * 60_000 + 59_999)
                stamp = request.stamp if kind == "start" else over
                found.append(self.line(minute, Mark(stamp, kind, request.number, request)))
                if len(found) >= most:
                    break
        return found

    def line(self, minute: int, mark: Mark) -> Line:
        """The line that a mark of this minute stands for."""
        rid = self.request_id(minute, mark.number)
        text = (
            self._text(minute, mark, mark.request, rid) if mark.request else self._warning(minute, mark, rid)
        )
        return Line(mark.stamp, mark.kind, self.stream(minute, mark.number), text)

    def _text(self, minute: int, mark: Mark, request: Request, rid: str) -> str:
        if mark.kind == "start":
            return f"START RequestId: {rid} Version: $LATEST"
        if mark.kind == "end":
            return f"END RequestId: {rid}"
        if mark.kind == "report":
            return (
                f"REPORT RequestId: {rid}\tDuration: {request.duration}.{request.number % 90 + 10} ms\t"
                f"Billed Duration: {request.duration + 1} ms\tMemory Size: {self.memory} MB\t"
                f"Max Memory Used: {self.memory // 2 + request.number % 7} MB\t"
            )
        return self._body(minute, mark.stamp, request, rid)

    def _warning(self, minute: int, mark: Mark, rid: str) -> str:
        slow = 180 + mix(self.salt, minute, mark.number) % 400
        return f"[WARNING]\t{iso(mark.stamp)}\t{rid}\tslow response from address lookup: {slow} ms"

    def _body(self, minute: int, end: int, request: Request, rid: str) -> str:
        tenant = self._tenant(minute, request)
        who = f" tenant={tenant}" if tenant else ""
        if not request.reason:
            return f"[INFO]\t{iso(end)}\t{rid}\tstored id={rid[:8]}{who} ms={request.duration}"
        if request.reason == "own":
            return f"[ERROR]\t{iso(end)}\t{rid}\t{self.own_error}{who}"
        return self._throttled(request.reason, rid, end, who)

    def _tenant(self, minute: int, request: Request) -> str:
        key = self.flow.hot_key
        if request.hot and key is not None:
            return key.name
        if not self.tenants:
            return ""
        return self.tenants[mix(self.salt, minute, request.number, 13) % len(self.tenants)]

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

    def request_id(self, minute: int, number: int) -> str:
        found = self._ids.get((minute, number))
        if found is None:
            if len(self._ids) > _KEPT:
                self._ids = {}
            bits = mix(self.salt, minute, number) << 64 | mix(self.salt, minute, number, 1)
            found = self._ids[minute, number] = uuid(bits)
        return found

    def stream(self, minute: int, number: int) -> str:
        key = (minute // 1440, number % 9)
        found = self._streams.get(key)
        if found is None:
            day = datetime.fromtimestamp(minute * 60, UTC).strftime("%Y/%m/%d")
            which = mix(self.salt, *key)
            found = self._streams[key] = f"{day}/[$LATEST]{which:016x}{mix(which):016x}"
        return found


_stamp = itemgetter(0)


def iso(stamp_ms: int) -> str:
    return f"{_second(stamp_ms // 1000)}.{stamp_ms % 1000:03d}Z"


@lru_cache(maxsize=256)
def _second(stamp: int) -> str:
    return f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%S}"
