"""Log lines made on demand from the rows of a flow.

Counts come from the row alone; a mark says that there is a line, of which kind and when; texts are made only for
lines that somebody reads. Every line of a request lies in the minute of the request, so that lines per minute agree
with the metrics. What the lines look like is the voice's business (`evals.world.voices`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from evals.world.flow import Flow
from evals.world.invocations import Request, by_slice
from evals.world.seed import mix, uuid

if TYPE_CHECKING:
    from evals.world.voices import Voice

_KEPT = 60_000  # requests, and ids of requests, that a group keeps
_NEVER = 2**60


class Line(NamedTuple):
    """One log event. `stamp` is in epoch milliseconds."""

    stamp: int
    kind: str
    stream: str
    text: str


class Mark(NamedTuple):
    """That there is a line. `number` is its request's, or its own; lines besides requests have no request."""

    stamp: int
    kind: str
    number: int
    request: Request | None


@dataclass
class LogGroup:
    """A log group and the stage of a flow whose requests it logs."""

    name: str
    arn: str
    flow: Flow
    stage: int
    salt: int
    created: datetime
    delay: int  # seconds from a line's time until it can be read
    retention: int | None
    voice: Voice
    tenants: tuple[str, ...] = ()
    _requests: dict[int, list[Request]] = field(default_factory=dict)
    _held: int = 0
    _ids: dict[tuple[int, int], str] = field(default_factory=dict)
    _streams: dict[tuple[int, int], str] = field(default_factory=dict)

    @cached_property
    def KINDS(self) -> tuple[str, ...]:
        """Kinds of lines that the group may hold."""
        voice = self.voice
        reasons = [one for one in self.flow.reasons(self.stage) if voice.tells(one)]
        good = (voice.body,) if voice.body else ()
        return (*voice.before, *good, *voice.beside_kinds, *reasons, *voice.after)

    @cached_property
    def _beside(self) -> frozenset[str]:
        return frozenset(self.voice.beside_kinds)

    def count(self, kind: str, minute: int) -> int:
        """Lines of one kind in a minute."""
        row = self.flow.minute(minute)
        if kind in self.voice.before or kind in self.voice.after:
            return row.seen(self.stage)
        if kind == self.voice.body:
            return row.alive
        if kind in self._beside:
            return sum(one.kind == kind for one in self._besides(minute))
        return row.ended(since=self.stage, reason=kind, seen_by=self.stage)

    def _besides(self, minute: int) -> list[Mark]:
        """Lines that belong to no request."""
        return [
            Mark(minute * 60_000 + offset, kind, number, None)
            for number, (offset, kind) in enumerate(self.voice.beside(self, minute))
        ]

    def requests(self, minute: int) -> list[Request]:
        """The requests of a minute, oldest first."""
        found = self._requests.get(minute)
        if found is None:
            if self._held > _KEPT:
                self._requests, self._held = {}, 0
            found = self._requests[minute] = [one for part in self._parts(minute) for one in part]
            self._held += len(found)
        return found

    def _parts(self, minute: int) -> Iterator[list[Request]]:
        return by_slice(self.flow, self.stage, minute)

    def _first_requests(self, minute: int, before: int) -> Iterable[Request]:
        """The requests of a minute that came before an epoch millisecond, and some more."""
        if minute in self._requests or before >= (minute + 1) * 60_000:
            return self.requests(minute)
        found: list[Request] = []
        for part in self._parts(minute):
            if part and part[0].stamp >= before:
                break
            found += part
        return found

    def marks(self, minute: int, kinds: Collection[str] | None = None, before: int = _NEVER) -> list[Mark]:
        """The lines of some kinds in a minute, sorted by time; all of those before an epoch millisecond."""
        kinds = self.KINDS if kinds is None else kinds
        last, voice = minute * 60_000 + 59_999, self.voice
        early = [kind for kind in voice.before if kind in kinds]
        late = [kind for kind in voice.after if kind in kinds]
        found = []
        if set(kinds) - self._beside:
            for request in self._first_requests(minute, before):
                number, stamp, duration, reason = request[:4]
                kind, over = reason or voice.body, min(stamp + duration, last)
                found += [Mark(stamp, one, number, request) for one in early]
                if kind in kinds:
                    found.append(Mark(over, kind, number, request))
                found += [Mark(over, one, number, request) for one in late]
        if self._beside & set(kinds):
            found += [mark for mark in self._besides(minute) if mark.kind in kinds]
        found.sort(key=_stamp)
        return found

    def lines(self, minute: int) -> list[Line]:
        """All lines of a minute, sorted by time."""
        return [self.line(minute, mark) for mark in self.marks(minute)]

    def some(self, kind: str, minute: int, most: int) -> list[Line]:
        """Up to `most` lines of one kind, to see what such a line looks like."""
        if kind in self._beside:
            return [self.line(minute, mark) for mark in self._besides(minute) if mark.kind == kind][:most]
        found: list[Line] = []
        framing = kind in self.voice.before or kind in self.voice.after
        requests = self._requests.get(minute) or (one for part in self._parts(minute) for one in part)
        for request in requests:
            if framing or (request.reason or self.voice.body) == kind:
                over = min(request.stamp + request.duration, minute * 60_000 + 59_999)
                stamp = request.stamp if kind in self.voice.before else over
                found.append(self.line(minute, Mark(stamp, kind, request.number, request)))
                if len(found) >= most:
                    break
        return found

    def line(self, minute: int, mark: Mark) -> Line:
        """The line that a mark of this minute stands for."""
        text = self.voice.text(self, minute, mark)
        return Line(mark.stamp, mark.kind, self.stream(minute, mark.number), text)

    def tenant(self, minute: int, request: Request) -> str:
        """Whose request it is; "" when the code does not say."""
        key = self.flow.hot_key
        if request.hot and key is not None:
            return key.name
        if not self.tenants:
            return ""
        return self.tenants[mix(self.salt, minute, request.number, 13) % len(self.tenants)]

    def request_id(self, minute: int, number: int) -> str:
        found = self._ids.get((minute, number))
        if found is None:
            if len(self._ids) > _KEPT:
                self._ids = {}
            bits = mix(self.salt, minute, number) << 64 | mix(self.salt, minute, number, 1)
            found = self._ids[minute, number] = uuid(bits)
        return found

    def stream(self, minute: int, number: int) -> str:
        key = (minute // 1440, number % self.voice.streams)
        found = self._streams.get(key)
        if found is None:
            found = self._streams[key] = self.voice.stream(self, *key)
        return found


_stamp = itemgetter(0)
