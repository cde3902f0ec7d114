"""The service files that a process goes by: all of them, or for evals without what they know of one change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

from tools.services import services as _all_services
from tools.services._spec import Service, Signature

_left: Mapping[str, Service] | None = None  # set within `without` only


def services() -> Mapping[str, Service]:
    """Every service by the name of its file, sorted."""
    return _all_services() if _left is None else _left


@contextmanager
def without(
    source: str, operation: str, setting: str = "", *, signatures: bool = False
) -> Iterator[tuple[str, ...]]:
    """Within the block no service file knows `operation` of the event source `source`, nor the setting of that path.

    For evals: does opsleuth find a cause that nobody told it about? What goes: the operation's `Change` with its
    undo, the `Setting` with its effects, what other settings say of the operation, and with `signatures` the error
    texts that point to either, or, without a setting, to a part that no setting stands for (policies). Yields regular
    expressions of those texts, gone or not. The whole process forgets, threads too, so nothing else may run
    meanwhile; blocks do not nest.
    """
    global _left
    if _left is not None:
        raise RuntimeError("a part of the catalogue is hidden already")
    pointed = tuple(
        one
        for service in _all_services().values()
        for one in service.signatures
        if source in service.event_sources and _points(one, service, operation, setting)
    )
    pointed += _from_afar({one.points_to for one in pointed}, source)
    gone = pointed if signatures else ()
    _left = MappingProxyType(
        {
            name: _lessened(service, operation, setting, gone)
            if source in service.event_sources
            else _silent(service, gone)
            for name, service in _all_services().items()
        }
    )
    try:
        yield tuple(text for one in pointed for text in (one.match, re.escape(one.reason)) if text)
    finally:
        _left = None


def _from_afar(keys: set[str], source: str) -> tuple[Signature, ...]:
    """Error texts of other services that point to the same part: what a stream says of the role that it uses."""
    return tuple(
        one
        for service in _all_services().values()
        for one in service.signatures
        if source not in service.event_sources and one.points_to in keys - _own(service)
    )


def _silent(service: Service, gone: tuple[Signature, ...]) -> Service:
    kept = tuple(one for one in service.signatures if one not in gone)
    return service if len(kept) == len(service.signatures) else replace(service, signatures=kept)


def _own(service: Service) -> set[str]:
    known = {one.path for one in service.settings} | {one.key for one in service.conditions}
    return known | {one.operation for one in service.changes}


def _points(signature: Signature, service: Service, operation: str, setting: str) -> bool:
    part = not setting and signature.points_to not in _own(service)
    return part or signature.points_to in {operation, setting or operation}


def _lessened(service: Service, operation: str, setting: str, gone: tuple[Signature, ...]) -> Service:
    kept = (one for one in service.settings if not setting or one.path != setting)
    return replace(
        service,
        changes=tuple(one for one in service.changes if one.operation != operation),
        settings=tuple(
            replace(one, requests={name: path for name, path in one.requests.items() if name != operation})
            for one in kept
        ),
        signatures=tuple(one for one in service.signatures if one not in gone),
    )
