"""Further accounts and regions of a world: what is made there, and what each of them sees.

A world is built as one: everything that exists is in `World.things`, so that physics reach across accounts. What a
request is shown is the account and the region that it asks: its own resources, events, metrics, logs and alarms.

Of a shared VPC the participants see the VPC, the subnets, their route tables and network ACLs, without the owner's
tags; gateways and the events are the owner's alone (VPC user guide, "Responsibilities and permissions for owners and
participants").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from evals.world.lines import LogGroup
from evals.world.steps import Settings
from evals.world.telemetry import Telemetry
from evals.world.trail import Trail
from tools.arn import is_arn, parse

if TYPE_CHECKING:
    from evals.world.world import Thing, World

_SHARED = ("vpc", "subnet", "route-table", "network-acl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another account. `known`: it is among the spaces of a run; `deny`: IAM actions that the reader lacks there."""

    name: str
    account: str
    known: bool = True
    deny: tuple[str, ...] = ()


@dataclass
class Place:
    """What one account emits in one region."""

    telemetry: Telemetry = field(default_factory=Telemetry)
    log_groups: dict[str, LogGroup] = field(default_factory=dict)


@contextmanager
def inside(world: World, account: str = "", region: str = "") -> Iterator[None]:
    """Make, change and emit in an account and a region; by default the world's own ones."""
    home = (world.account, world.region, world.cast, world.telemetry, world.log_groups)
    where = (account or home[0], region or home[1])
    if where == home[:2]:
        yield
        return
    world.places.setdefault(home[:2], Place(world.telemetry, world.log_groups))
    own = world.places.setdefault(where, Place())
    world.account, world.region = where
    world.cast = replace(world.cast, account=where[0], region=where[1])
    world.telemetry, world.log_groups = own.telemetry, own.log_groups
    try:
        yield
    finally:
        world.account, world.region, world.cast, world.telemetry, world.log_groups = home


@contextmanager
def around(world: World, thing: Thing) -> Iterator[None]:
    """Where a resource is: its account, and its region when it has one."""
    with inside(world, thing.account, thing.region):
        yield


def seen(world: World, account: str, region: str) -> World:
    """What a request to a region of an account is shown. The world itself when it has no other places."""
    where = (account or world.account, region or world.region)
    if not world.places and not world.neighbours:
        return world
    home = where[0] == world.account
    if home and where not in world.places:
        where = (world.account, world.region)
    own = world.places.get(where) or (Place(world.telemetry, world.log_groups) if home else Place())
    telemetry = own.telemetry
    if home and where[1] != world.region:  # of services whose metrics are in this region only
        there = {key: one for key, one in world.telemetry.sources.items() if one.region == where[1]}
        telemetry = Telemetry(there | telemetry.sources)
    neighbour = next((one for one in world.neighbours.values() if one.account == where[0]), None)
    deny = world.switches.deny if neighbour is None else neighbour.deny
    return replace(
        world,
        account=where[0],
        region=where[1],
        cast=replace(world.cast, account=where[0], region=where[1]),
        switches=world.switches.model_copy(update={"deny": deny}),
        things=_things(world, where[0]),
        telemetry=telemetry,
        log_groups=own.log_groups,
        trail=_trail(world, where[0]),
        alarms={name: one for name, one in world.alarms.items() if _of(one.arn, where[0])},
        composites={name: one for name, one in world.composites.items() if home},
        happenings=[one for one in world.happenings if _of(one.resource, where[0])],
    )


def _of(arn: str, account: str) -> bool:
    return not is_arn(arn) or parse(arn).account in ("", account)


def _things(world: World, account: str) -> dict[str, Thing]:
    found = {}
    for arn, thing in world.things.items():
        if thing.account in ("", account):
            found[arn] = thing
        elif thing.kind in _SHARED and world.network_account == thing.account and account == world.account:
            found[arn] = replace(thing, settings=_untagged(thing.settings))
    return found


def _untagged(settings: Settings) -> Settings:
    return Settings({path: one for path, one in settings.steps.items() if not path.startswith("tags.")})


def _trail(world: World, account: str) -> Trail:
    own = [one for one in world.trail.records if one.body["recipientAccountId"] == account]
    return Trail(own, {one.id: one for one in own})
