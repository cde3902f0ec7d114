"""What a rehearsal plays on: the resources that a plan touches, before and after the change, by the world's word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from evals.rehearsals import Item, Scene, named, seeders
from graph.models import Report, RootCause
from tools.errors import OpsleuthError
from tools.models import Call, Json

if TYPE_CHECKING:
    from evals.world.world import Thing, World

_AROUND = timedelta(minutes=2)
"""How far a change without a visible event may lie outside of the interval that a report tells."""


class NotStaged(OpsleuthError):
    """The world cannot tell what was before and after."""


def scene(report: Report, world: World, calls: Sequence[Call]) -> Scene:
    """Before and after the changes that the report blames, all else as it is when the report looks.

    Raises NotStaged.
    """
    states: dict[str, tuple[Item, Item]] = {}
    for cause in (report.root_cause, *report.also):
        arn = cause.resource if cause else ""
        states[arn] = _states(world, cause, report.as_of, states.get(arn))
    targets = [world.things[arn] for arn in states]
    others = tuple(item(world, thing, report.as_of) for thing in _beside(world, targets, calls))
    return Scene(
        account=world.account,
        region=world.region,
        target=targets[0].arn,
        prior=(*(prior for prior, _ in states.values()), *others),
        bad=(*(bad for _, bad in states.values()), *others),
    )


def _states(
    world: World, cause: RootCause | None, as_of: datetime, known: tuple[Item, Item] | None
) -> tuple[Item, Item]:
    """What a cause changed as it was before and after; `known`: the same by an earlier cause on this resource."""
    target = world.things.get(cause.resource) if cause else None
    if cause is None or target is None:
        raise NotStaged("no resource of the world is blamed")
    if target.kind not in seeders():
        raise NotStaged(f"no {target.kind} can be made in the emulated account")
    moment = _moment(cause, target, world)
    base = item(world, target, as_of)
    before, after = (item(world, target, at) for at in (moment - timedelta(microseconds=1), moment))
    changed = _changed(base, before, after)
    unknown = [path for path in changed if not seeders()[target.kind].knows(path)]
    if unknown:
        raise NotStaged(f"{', '.join(unknown)} of a {target.kind} is not emulated")
    prior, bad = known or (base, base)
    return _mixed(prior, before, changed), _mixed(bad, after, changed)


def item(world: World, thing: Thing, moment: datetime) -> Item:
    """A thing as plain data, as it was at `moment`."""
    region = thing.region or world.global_region
    return Item(
        kind=thing.kind,
        name=thing.name,
        arn=thing.arn,
        region=region,
        values=_values(world, thing, moment),
        fixed=dict(thing.fixed),
    )


def _values(world: World, thing: Thing, moment: datetime) -> Json:
    if thing.kind == "alarm" and thing.name in world.alarms:
        shown = world.alarms[thing.name].request(moment)
        values = {key[0].upper() + key[1:]: value for key, value in shown.items()}
        values["Dimensions"] = [
            {"Name": pair["name"], "Value": pair["value"]} for pair in values.get("Dimensions", [])
        ]
        return values
    if thing.kind in _RULES:
        return _described(world, thing, moment)
    return {
        path: steps.at(moment)
        for path, steps in thing.settings.steps.items()
        if path != "tags" and not path.startswith(("tags.", "_"))
    }


_RULES = {
    "security-group": ("DescribeSecurityGroups", "GroupIds", "SecurityGroups"),
    "network-acl": ("DescribeNetworkAcls", "NetworkAclIds", "NetworkAcls"),
    "route-table": ("DescribeRouteTables", "RouteTableIds", "RouteTables"),
}
"""Lists of rules, which a world keeps one by one under labels of its own: what it answers when it is asked is taken."""
_LISTS = ("IpPermissions", "IpPermissionsEgress", "Entries", "Routes", "VpcId")


def _described(world: World, thing: Thing, moment: datetime) -> Json:
    from evals.world import answers
    from evals.world.asking import HANDLERS, Ask, Session

    answers.load()
    operation, parameter, key = _RULES[thing.kind]
    ask = Ask(
        world=world, service="ec2", operation=operation, region=thing.region, as_of=moment, now=moment,
        session=Session(), left={parameter: [thing.fixed["id"]]},
    )  # fmt: skip
    shown = HANDLERS[("ec2", operation)](ask)[key][0]
    return {name: shown[name] for name in _LISTS if name in shown}


def _moment(cause: RootCause, target: Thing, world: World) -> datetime:
    """When the change happened: the event's time, or that of the setting's step in the report's interval."""
    if cause.event is not None:
        made = world.trail.by_id.get(cause.event.id)
        if made is None:
            raise NotStaged("the event that is blamed never happened")
        return made.time
    steps = target.settings.steps.get(cause.field)
    if steps is None or cause.earliest is None or cause.latest is None:
        raise NotStaged(f"the world keeps no history of {cause.field or 'it'}")
    near = [at for at in steps.since if cause.earliest - _AROUND <= at <= cause.latest + _AROUND]
    if not near:
        raise NotStaged(f"{cause.field} did not change when the report says")
    return near[-1]


def _changed(base: Item, before: Item, after: Item) -> list[str]:
    paths = [path for path in base.values if before.values.get(path) != after.values.get(path)]
    if not paths:
        raise NotStaged(f"the world keeps no value of {base.name} that the change set")
    return paths


def _mixed(base: Item, at: Item, paths: Iterable[str]) -> Item:
    return replace(base, values={**base.values, **{path: at.values.get(path) for path in paths}})


def _beside(world: World, targets: Sequence[Thing], calls: Sequence[Call]) -> list[Thing]:
    """Other resources that the calls name, of services that the calls go to."""
    known, asked = seeders(), {call.service for call in calls}
    found = [
        thing
        for thing in world.things.values()
        if thing not in targets and thing.kind in known and known[thing.kind].service in asked
    ]
    return [
        thing
        for thing in found
        if any(named(call, Item(kind=thing.kind, name=thing.name, arn=thing.arn, region="", fixed=thing.fixed))
               for call in calls)
    ]  # fmt: skip
