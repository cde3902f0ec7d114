"""`opsleuth map`: reads or finds the kept map, draws it, says on stderr what it does and how old the map is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click

from api.files import check_writable, write_whole
from api.map_shelf import Key, find, keep
from api.mapping import Mapped, level_of, read_around, read_spaces, read_whole, sheet
from api.options import context
from api.render.map import form_of, rendered
from api.shelf import home
from api.sources import resolved
from api.spaces import Space, chosen, load
from graph import Context
from graph.words import say
from tools.aws import check_region
from tools.clock import LiveClock

_CALLS_WHOLE = 30_000
_SECONDS_WHOLE = 4 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line said."""

    resource: str
    alarm: str
    whole: bool
    level: str
    form: str | None
    out: str
    cause: str
    radius: int
    spaces: tuple[str, ...]
    refresh: bool
    profile: str
    region: str
    role_arn: str
    source: str
    max_calls: int | None


def draw(wanted: Wanted) -> None:
    """Print the map or write it to its file. Raises BadInput, CannotInvestigate."""
    if wanted.region:
        check_region(wanted.region)
    form = form_of(wanted.form, wanted.out)
    if wanted.out:
        check_writable(Path(wanted.out))
    level = level_of(wanted.level)
    mapped = _mapped(wanted, LiveClock().now())
    told = rendered(sheet(mapped, level, wanted.cause), form)
    if not wanted.out:
        click.echo(told, nl=False)
        return
    write_whole(Path(wanted.out), told)
    _say(say("Written to {path}.", path=wanted.out))


def _mapped(wanted: Wanted, now: datetime) -> Mapped:
    spaces = chosen(load(home() / "spaces.toml"), wanted.spaces) if wanted.spaces else ()
    key = _key(wanted, spaces)
    if not wanted.refresh and (kept := find(key, now)) is not None:
        age = _age(now - kept.read_at)
        _say(say("This map was read {age} ago; --refresh reads it anew.", age=age))
        return kept.mapped
    found = _read(wanted, spaces)
    _say(say("{count} AWS calls; {gaps} gaps.", count=found.calls, gaps=len(found.gaps)))
    if not any(one.code in _PASSING for one in found.gaps):
        keep(key, found, now)
    return found


_PASSING = frozenset(
    {"BudgetSpent", "Network", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
"""What a second try may read: a map with such gaps is not kept."""


def _read(wanted: Wanted, spaces: tuple[Space, ...]) -> Mapped:
    where = _context(wanted)
    if not wanted.whole:
        return read_around(where, resource=wanted.resource, alarm=wanted.alarm, radius=wanted.radius)
    with _Steps() as steps:
        return read_spaces(where, spaces, steps.tell) if spaces else read_whole(where, tell=steps.tell)


def _context(wanted: Wanted) -> Context:
    return context(
        source=resolved(wanted.source, home()),
        region=wanted.region,
        profile=wanted.profile,
        role_arn=wanted.role_arn,
        max_calls=wanted.max_calls or (_CALLS_WHOLE if wanted.whole else None),
        max_seconds=_SECONDS_WHOLE if wanted.whole else None,
        max_bytes=4_000_000_000 if wanted.whole else None,
    )


def _key(wanted: Wanted, spaces: tuple[Space, ...]) -> Key:
    return Key(
        source=wanted.source,
        profile=wanted.profile,
        role_arn=wanted.role_arn,
        region=wanted.region,
        start="*"
        if wanted.whole
        else f"resource {wanted.resource}"
        if wanted.resource
        else f"alarm {wanted.alarm}",
        radius=0 if wanted.whole else wanted.radius,
        spaces=tuple(one.model_dump_json() for one in spaces),
    )


class _Steps:
    """Progress on stderr: one line that moves on a terminal, else one line per kind of step."""

    def __init__(self) -> None:
        self._moving = sys.stderr.isatty()
        self._last = ""

    def __enter__(self) -> _Steps:
        return self

    def __exit__(self, *_: object) -> None:
        if self._moving:
            click.echo("\r\033[K", err=True, nl=False)

    def tell(self, what: str, done: int, total: int) -> None:
        if self._moving:
            click.echo(f"\r\033[K{what}: {done} of {total}"[:100], err=True, nl=False)
        elif what.split(" ", maxsplit=1)[0] != self._last:
            self._last = what.split(" ", maxsplit=1)[0]
            click.echo(f"{self._last}: {total}", err=True)


def _say(told: str) -> None:
    click.echo(told, err=True)


def _age(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return say("less than a minute")
    if minutes < 120:
        return say("{count} minutes", count=minutes) if minutes > 1 else say("1 minute")
    return say("{count} hours", count=minutes // 60)
