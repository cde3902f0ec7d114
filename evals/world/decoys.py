"""Innocent changes of the case's own resources, by people who have nothing to do with it.

The first comes between the moment and the alarm, the next before the moment, and so on in turn, so that neither the
latest nor the nearest change is the cause by its place alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from evals.world import deeds
from evals.world.identities import Identity
from evals.world.kinds import kinds
from evals.world.kinds._kind import Act
from evals.world.names import PEOPLE
from evals.world.places import around
from evals.world.trail import Deed, Record, place, record
from evals.world.world import Thing, World

_TAGS = (("cost-center", "4711"), ("reviewed", "yes"), ("data-class", "internal"), ("owner-team", "platform"))


def add(world: World, things: list[Thing], known: set[str], moment: datetime) -> None:
    """Add as many decoys as the world's switches say. `known`: names of people that the case itself uses."""
    open_to = [thing for thing in things if _ways(thing)]
    strangers = [name for name in PEOPLE if name not in known]
    if not open_to or not strangers:
        return
    for number in range(world.switches.decoys):
        seed, key = world.seed, f"decoy:{number}"
        thing = seed.pick(f"{key}:thing", open_to)
        at = _moment(world, key, number, moment)
        with around(world, thing):
            who = _somebody(world, key, strangers)
            deed, path, before, after = _deed(world, key, thing, at)
            delay = 60 * seed.between(f"{key}:delivery", 3, 6)
            region = place(deed, world.region, world.global_region)
            made = record(seed, key, at, delay, region, world.account, who, deed)
            world.trail.add(_about(made, thing, path, before, after))


def _moment(world: World, key: str, number: int, moment: datetime) -> datetime:
    if number % 2:
        return moment - timedelta(seconds=world.seed.integer(f"{key}:before", 120, 3000))
    return moment + timedelta(seconds=world.seed.integer(f"{key}:after", 12, 150))


def _somebody(world: World, key: str, strangers: list[str]) -> Identity:
    name = world.seed.pick(f"{key}:who", strangers)
    address = f"203.0.113.{world.seed.integer(f'{key}:address', 130, 180)}"
    if world.seed.integer(f"{key}:way", 0, 1):
        return world.cast.user_console(name, address)
    return world.cast.sso("PowerUserAccess", name, address, True)


def _ways(thing: Thing) -> list[tuple[str, Any]]:
    """What can innocently be done to a resource: ("tag", pair) or (path, value)."""
    kind = kinds().get(thing.kind)
    if kind is None:
        return []
    tags = [("tag", pair) for pair in _TAGS] if kind.tag is not None else []
    return [*tags[:2], *kind.innocent]


def _deed(world: World, key: str, thing: Thing, moment: datetime) -> tuple[Deed, str, Any, Any]:
    ways = [way for way in _ways(thing) if way[0] == "tag" or thing.at(way[0], moment) != way[1]]
    path, value = world.seed.pick(f"{key}:way of it", ways or _ways(thing))
    if path == "tag":
        name, text = value
        thing.settings.set(f"tags.{name}", moment, text)
        return deeds.tag(world, thing, {name: text}), "tags", None, None
    before = thing.at(path, moment)
    thing.settings.set(path, moment, value)
    act = Act(thing=thing, path=path, before=before, after=value, moment=moment)
    return deeds.change(world, act), path, before, value


def _about(made: Record, thing: Thing, path: str, before: Any, after: Any) -> Record:
    return replace(made, arn=thing.arn, field=path, before=before, after=after)
