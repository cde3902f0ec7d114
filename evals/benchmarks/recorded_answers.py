"""Recorded answers as the placebo package keeps them, and a `Transport` that gives them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from evals.world import wire
from tools.errors import BadInput
from tools.models import Json
from tools.parameters import operations
from tools.transport import WireAnswer, WireRequest

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_CLIENTS = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "elasticloadbalancing": ("elbv2", "elb"),
    "monitoring": ("cloudwatch",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
"""Endpoint prefixes that are not the client's name, or that two generations of a service share."""
_DATE = frozenset({"year", "month", "day"})
_TIME = frozenset({"hour", "minute", "second", "microsecond"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One recording. `error`: the code of a recorded refusal."""

    name: str
    client: str  # boto3 client name
    operation: str
    status: int
    data: Json
    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """All recordings of a folder."""

    all: tuple[Recorded, ...]

    def companions(self, one: Recorded, turn: int = 0) -> tuple[Recorded, ...]:
        """A good recording of every other operation of the same client; each turn has others, as far as there are."""
        found: dict[str, list[Recorded]] = {}
        for other in self.all:
            if other.client == one.client and other.operation != one.operation and not other.error:
                found.setdefault(other.operation, []).append(other)
        return tuple(some[turn % len(some)] for some in found.values())

    def turns(self, one: Recorded) -> int:
        """How many different sets of companions there are."""
        counts = Counter(
            other.operation
            for other in self.all
            if other.client == one.client and other.operation != one.operation and not other.error
        )
        return max(counts.values(), default=1)


def load(path: Path) -> Held:
    """All recordings under `path`. Raises BadInput when there are none."""
    if not path.is_dir():
        raise BadInput(f"{path} is not a folder. Give a folder of recorded answers: --data PATH")
    made = [one for file in sorted(path.rglob("*.json")) if (one := _read(file)) is not None]
    if not made:
        raise BadInput(
            f"No recorded answer was found in {path}. Files are named <service>.<Operation>_<n>.json."
        )
    return Held(tuple(made))


def _read(file: Path) -> Recorded | None:
    prefix, _, rest = file.name.removesuffix(".json").partition(".")
    operation = rest.rpartition("_")[0]
    said = json.loads(file.read_text(encoding="utf-8"), object_hook=_moment)
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        return None
    data = {name: value for name, value in said["data"].items() if name not in ("ResponseMetadata", "Error")}
    client = _client(prefix, operation, frozenset(data)) if operation else ""
    if not client:
        return None
    wrong = said["data"].get("Error") or {}
    status = int(said.get("status_code") or 200)
    return Recorded(
        name=file.name,
        client=client,
        operation=operation,
        status=status if status >= 400 else (400 if wrong else 200),
        data=data,
        error=str(wrong.get("Code") or ("" if status < 400 else "UnknownError")),
        message=str(wrong.get("Message") or ""),
    )


def _moment(found: Json) -> Any:
    bare = _DATE <= found.keys() <= _DATE | _TIME  # some recordings have lost the word that says what it is
    if found.get("__class__") != "datetime" and not bare:
        return found
    year, month, day = (int(found.get(name) or 1) for name in ("year", "month", "day"))
    hour, minute, second = (int(found.get(name) or 0) for name in ("hour", "minute", "second"))
    return datetime(year, month, day, hour, minute, second, int(found.get("microsecond") or 0), tzinfo=UTC)


@cache
def _client(prefix: str, operation: str, members: frozenset[str]) -> str:
    """The client that has the operation, of two generations the one whose answer has these members; "" when none."""
    having = []
    for name in _CLIENTS.get(prefix, (prefix,)):
        with suppress(BadInput):
            if operation in operations(name):
                having.append(name)
    fitting = [name for name in having if members <= _members(name, operation)]
    return next(iter(fitting or having), "")


def _members(client: str, operation: str) -> frozenset[str]:
    shape = wire.operation_model(client, operation).output_shape
    return frozenset(getattr(shape, "members", ()))


class RecordedTransport:
    """Answers one operation with one recording, the others with companions, all else with a refusal."""

    virtual = True

    def __init__(self, subject: Recorded, others: tuple[Recorded, ...]) -> None:
        self._known: dict[str, Recorded] = {one.operation: one for one in others}
        self._known[subject.operation] = subject
        self._client = subject.client
        self._subject = subject
        self._given: dict[str, int] = defaultdict(int)
        self._seen = 0

    @property
    def asked(self) -> bool:
        """Whether the subject was asked for."""
        return self._given[self._subject.operation] > 0

    def newly_asked(self) -> bool:
        """Whether the subject was asked for since this was called last."""
        before, self._seen = self._seen, self._given[self._subject.operation]
        return self._seen > before

    @property
    def fits(self) -> bool:
        """Whether AWS's own model can hold the recording."""
        if self._subject.error:
            return True
        try:
            wire.check(_output(self._subject), self._subject.data, self._subject.name, words=False)
        except wire.WrongShape:
            return False
        return True

    def start(self) -> datetime:
        return NOW

    def close(self) -> None:
        """Nothing is held."""

    def send(self, request: WireRequest) -> WireAnswer:
        """The recording, page after page the last one; AccessDenied for what was not recorded."""
        found = self._known.get(request.operation) if request.service == self._client else None
        if found is None:
            said = f"User is not authorized to perform: {request.service}:{request.operation}"
            return wire.error(request.protocol, "AccessDenied", said, 403, "r")
        self._given[request.operation] += 1
        if found.error:
            return wire.error(request.protocol, found.error, found.message, found.status, "r")
        try:
            page = _last_page(found)
            return wire.answer(request.service, request.operation, request.protocol, page, "r", words=False)
        except wire.WrongShape as wrong:
            return wire.error(request.protocol, "AccessDenied", f"not recorded: {wrong}", 403, "r")


def _output(one: Recorded) -> Any:
    return wire.operation_model(one.client, one.operation).output_shape


_TOKENS = ("NextToken", "nextToken", "Marker", "NextMarker", "PaginationToken", "position", "NextPageToken")


def _last_page(one: Recorded) -> Json:
    """Without the token of a next page, which would be asked for again and again."""
    flags = {"IsTruncated": False, "HasMoreResults": False}
    kept = {name: value for name, value in one.data.items() if name not in _TOKENS}
    return kept | {name: value for name, value in flags.items() if name in kept}
