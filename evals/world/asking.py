"""What a handler gets: the parameters of one request, each to be taken, and what is known at that moment."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evals.world.world import World
from tools.models import Json


class Refusal(Exception):
    """AWS answers with an error. `missed`: AWS itself would answer; the run counts a coverage miss."""

    def __init__(self, code: str, message: str, status: int = 400, *, missed: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.missed = missed
        self.code = code
        self.message = message
        self.status = status


class NotModelled(Exception):
    """The world does not know how AWS would answer; the request is counted as a miss."""


IN_ORDER = frozenset(
    {
        "DescribeAlarmHistory",
        "DescribeEvents",
        "DescribeStackEvents",
        "FilterLogEvents",
        "GetLogEvents",
        "GetExecutionHistory",
        "GetMetricData",
        "GetQueryResults",
        "GetResourceConfigHistory",
        "ListExecutions",
        "ListVersionsByFunction",
        "LookupEvents",
    }
)
"""Operations whose answers come in an order that AWS documents."""


@dataclass
class Session:
    """What one run has open: log queries, and when it called throttled operations."""

    queries: dict[str, Json] = field(default_factory=dict)
    polls: dict[str, int] = field(default_factory=dict)
    calls: dict[str, list[datetime]] = field(default_factory=dict)


@dataclass
class Ask:
    """One request. Every parameter must be taken; what is left over is refused, never ignored."""

    world: World
    service: str
    operation: str
    region: str
    as_of: datetime
    now: datetime
    session: Session
    left: Json

    def take(self, name: str, default: Any = None) -> Any:
        return self.left.pop(name, default)

    def need(self, name: str) -> Any:
        if name not in self.left:
            raise Refusal("ValidationException", f"{name} is required")
        return self.left.pop(name)

    def only(self, name: str, *allowed: Any) -> Any:
        """A parameter that the world understands with some values only."""
        value = self.left.pop(name, None)
        if value is not None and value not in allowed:
            raise NotModelled(f"{name}={value!r}")
        return value

    def page(self, items: list[Any], size: int, token: Any) -> tuple[list[Any], str | None]:
        """One page of `items` and the token of the next."""
        if self.world.switches.shuffle and self.operation not in IN_ORDER:
            items, size = list(items), min(size, 3)
            self.world.seed.random(f"order:{self.service}:{self.operation}").shuffle(items)
        start = 0 if token is None else self.position(token)
        following = start + size
        return items[start:following], (self.token(following) if following < len(items) else None)

    def token(self, position: int) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.operation, position]).encode()).decode()

    def position(self, token: Any) -> int:
        try:
            operation, position = json.loads(base64.urlsafe_b64decode(str(token)))
        except ValueError as error:
            raise Refusal("InvalidNextTokenException", "The specified token is not valid.") from error
        if operation != self.operation:
            raise Refusal("InvalidNextTokenException", "The specified token is not valid.")
        return int(position)


Handler = Callable[[Ask], Json]
HANDLERS: dict[tuple[str, str], Handler] = {}


def handles(service: str, operation: str) -> Callable[[Handler], Handler]:
    """Register the answer to one operation. Two different ones for an operation are a mistake: ValueError."""

    def keep(handler: Handler) -> Handler:
        held = HANDLERS.get((service, operation), handler)
        if (held.__module__, held.__qualname__) != (handler.__module__, handler.__qualname__):
            raise ValueError(f"{service}:{operation} is answered twice")
        HANDLERS[(service, operation)] = handler
        return handler

    return keep
