"""A reader whose account is one function: (operation, parameters) in, an answer or `Refuse` out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.transport import WireAnswer, WireRequest


class Refuse(Exception):
    """What the account says instead of an answer."""

    def __init__(self, code: str, message: str = "no", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class JsonAccount:
    """A Transport for services of the JSON protocol (cloudwatch, logs)."""

    answer: Callable[[str, dict[str, Any]], dict[str, Any]]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    virtual: bool = True

    def start(self) -> datetime | None:
        return None

    def send(self, request: WireRequest) -> WireAnswer:
        assert request.protocol == "json"
        self.asked.append((request.operation, request.parameters | {"region": request.region}))
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        try:
            status, body = (
                200,
                self.answer(request.operation, request.parameters | {"region": request.region}),
            )
        except Refuse as refusal:
            status, body = refusal.status, {"__type": refusal.code, "message": refusal.message}
        raw = json.dumps(body, default=lambda moment: moment.timestamp()).encode()
        return WireAnswer(status=status, headers=headers, body=raw, protocol="json")

    def close(self) -> None:
        pass


Asking = Callable[..., tuple[Reader, JsonAccount]]


@pytest.fixture
def asking() -> Asking:
    """`asking(answer, now)`: a reader at `now` over a function, and the account that notes what was asked."""

    def make(
        answer: Callable[[str, dict[str, Any]], dict[str, Any]],
        now: datetime = datetime(2026, 3, 13, 18, tzinfo=UTC),
        calls: int = 600,
    ) -> tuple[Reader, JsonAccount]:
        account = JsonAccount(answer)
        aws = Aws(
            Account(region="eu-west-1"),
            account,
            VirtualClock(now),
            Budget(Limits(calls=calls)),
            MemoryStore(),
            own_account="111122223333",
        )
        return Reader(aws, "M"), account

    return make


@pytest.fixture
def refuse() -> type[Refuse]:
    return Refuse
