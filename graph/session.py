"""The one process-level registry: run id -> `Aws`. Made on first use, made anew on resume, closed at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graph.context import Context
from tools.aws import Account, Aws, region_of
from tools.budget import Budget, Limits
from tools.clock import Clock, LiveClock, VirtualClock, floor
from tools.errors import BadInput
from tools.evidence import EvidenceStore, MemoryStore, SqliteStore
from tools.recording import LiveTransport, Player, RecordingTransport
from tools.spaces import Space
from tools.transport import Transport

Factory = Callable[[str], Transport]

_lock = threading.Lock()
_factories: dict[str, Factory] = {}
_sessions: dict[str, Session] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run's way to AWS. `start` is the moment that the first look ends at."""

    aws: Aws
    start: datetime


def register(scheme: str, factory: Factory) -> None:
    """Make `Context.source = "<scheme>:<rest>"` open `factory(rest)`. Worlds come this way."""
    with _lock:
        _factories[scheme] = factory


def session(
    run: str,
    context: Context,
    resumed_at: datetime | None = None,
    trigger: Mapping[str, Any] | None = None,
) -> Session:
    """The session of this run. `resumed_at`: the look that a resumed run was at, when the session is made anew.

    `trigger`: what is investigated; a recording tells it.
    """
    with _lock:
        found = _sessions.get(run)
        if found is None:
            found = _open(context, resumed_at, trigger or {})
            _sessions[run] = found
        return found


def close(run: str) -> None:
    """End the session of this run; a recording is written now. Nothing happens when there is none."""
    with _lock:
        found = _sessions.pop(run, None)
    if found is not None:
        found.aws.close()
        found.aws.store.close()


def _open(context: Context, resumed_at: datetime | None, trigger: Mapping[str, Any]) -> Session:
    transport = _transport(context, resumed_at, trigger)
    start = _start(context, transport)
    clock: Clock = VirtualClock(resumed_at or start) if transport.virtual else LiveClock()
    region = context.region or _region(transport) or region_of(context.profile)
    aws = Aws(
        Account(region=region, profile=context.profile, role_arn=context.role_arn),
        transport,
        clock,
        Budget(Limits(calls=context.max_calls, bytes=context.max_bytes, seconds=context.max_seconds)),
        _store(context),
        spaces=[one.way() for one in context.spaces] or _open_to(transport),
    )
    return Session(aws=aws, start=start)


def _start(context: Context, transport: Transport) -> datetime:
    begun = transport.start()
    if begun is not None:
        return begun
    now = LiveClock().now()
    if context.as_of is not None and context.as_of > now:
        raise BadInput("The moment given by --now lies in the future. Leave it out to look as of now.")
    return floor((context.as_of or now).astimezone(UTC), 60)


def _transport(context: Context, resumed_at: datetime | None, trigger: Mapping[str, Any]) -> Transport:
    scheme, _, rest = context.source.partition(":")
    inner: Transport
    if scheme == "live":
        inner = LiveTransport()
    elif scheme == "recording":
        inner = Player(Path(rest), resumed_at=resumed_at)
    elif scheme in _factories:
        inner = _factories[scheme](rest)
    else:
        known = ", ".join(["live", "recording:PATH", *(f"{name}:…" for name in sorted(_factories))])
        raise BadInput(f'"{context.source}" is not a source. Known: {known}')
    if context.record_to:
        asked = {name: value for name, value in trigger.items() if value}
        return RecordingTransport(inner, Path(context.record_to), context={"trigger": asked} if asked else {})
    return inner


def _open_to(transport: Transport) -> list[Space]:
    """The other accounts for which a world or recording has answers: what was read may be read again."""
    return [Space(account=one) for one in getattr(transport, "accounts", ())]


def _region(transport: Transport) -> str:
    return str(getattr(transport, "region", "") or "")


def _store(context: Context) -> EvidenceStore:
    return SqliteStore(Path(context.data_dir) / "evidence.db") if context.data_dir else MemoryStore()
