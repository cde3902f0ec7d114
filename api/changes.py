"""`opsleuth changes` and `opsleuth undo`: what was asked for, read and printed. Reads only."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import timedelta

import click

from api.render.changes import changes_json, changes_text
from api.render.undo import undo_json, undo_text
from api.shelf import home
from api.sources import ready, resolved
from api.spaces import chosen, load
from api.spans import span
from graph import Context
from graph.undoing import door
from tools.aws import check_region


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where to look and for which time, as typed."""

    since: str = "24h"
    until: str = ""
    near: str = ""
    profiles: tuple[str, ...] = ("",)
    spaces: tuple[str, ...] = ()  # of spaces.toml, by name; instead of profiles, regions and role
    regions: tuple[str, ...] = ()
    role_arn: str = ""
    source: str = "live"
    max_calls: int | None = None
    tz: str = "UTC"


def show_changes(wanted: Wanted, *, as_json: bool) -> None:
    """Print the changes. Raises BadInput for times that are none, CannotInvestigate when no trail can be read."""
    since = span(wanted.since, wanted.tz)
    until = span(wanted.until, wanted.tz, "--until") if wanted.until else timedelta(0)
    _check(wanted)
    found = door.changes(_places(wanted), since, until, wanted.near, wanted.regions)
    if as_json:
        click.echo(json.dumps(changes_json(found), indent=2, ensure_ascii=False))
    else:
        click.echo(changes_text(found, wanted.tz, shutil.get_terminal_size((100, 24)).columns))


def show_undo(event_id: str, wanted: Wanted, *, as_json: bool) -> None:
    """Print the restore plan of one event. Raises BadInput when there is no such event."""
    _check(wanted)
    (context,) = _contexts(wanted)
    made, gaps = door.undo(context, event_id, wanted.regions)
    if as_json:
        click.echo(json.dumps(undo_json(made, gaps), indent=2, ensure_ascii=False))
    else:
        click.echo(undo_text(made, gaps, tz=wanted.tz, profile=wanted.profiles[0]))


def _check(wanted: Wanted) -> None:
    """A world has nothing of a region that there is not, which must not read as if nothing happened in it."""
    for region in wanted.regions:
        check_region(region)


def _places(wanted: Wanted) -> list[door.Place]:
    if not wanted.spaces:
        return [door.Place(context=one, regions=wanted.regions) for one in _contexts(wanted)]
    return [
        door.Place(
            context=_context(wanted, space.profile, space.regions[0], space.role_arn),
            regions=space.regions,
            account=space.account,
            name=space.name,
        )
        for space in chosen(load(home() / "spaces.toml"), wanted.spaces)
    ]


def _contexts(wanted: Wanted) -> list[Context]:
    """One per account. Only a live source has more than one."""
    region = wanted.regions[0] if wanted.regions else ""
    profiles = wanted.profiles if wanted.source == "live" else wanted.profiles[:1]
    return [_context(wanted, profile, region, wanted.role_arn) for profile in profiles]


def _context(wanted: Wanted, profile: str, region: str, role_arn: str) -> Context:
    more = {"max_calls": wanted.max_calls} if wanted.max_calls is not None else {}
    told = {
        "source": resolved(wanted.source, home()),
        "profile": profile,
        "region": region,
        "role_arn": role_arn,
    }
    made = Context.model_validate({**told, **more})
    ready(made)
    return made
