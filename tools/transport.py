"""How a request leaves the process. Live, recording, replay and worlds are four of these behind one door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tools.models import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """A request as botocore has prepared and signed it, with what it means.

    `as_of` is the end of what the run looks at: a world shows what had been delivered by then. `protocol`
    is the protocol that the client speaks (json, rest-json, query, ec2, rest-xml).
    """

    account: str
    region: str
    service: str  # boto3 client name
    operation: str  # PascalCase
    parameters: Json
    protocol: str
    as_of: datetime
    now: datetime
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAnswer:
    """An HTTP answer in AWS's wire format of `protocol`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    protocol: str


class Transport(Protocol):
    """Answers wire requests. Must be safe to call from several threads."""

    virtual: bool
    """True when nothing outside is asked: the run then lives on virtual time and needs no credentials."""

    def start(self) -> datetime | None:
        """The moment at which the run begins (worlds, recordings), or None for the present."""
        ...

    def send(self, request: WireRequest) -> WireAnswer:
        """The answer. Raises tools.errors.NotRecorded when it has none for this request."""
        ...

    def close(self) -> None: ...


class SupportsRead(Protocol):
    """What botocore wants of a raw body."""

    def read(self, *args: Any) -> bytes: ...
