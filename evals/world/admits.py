"""Whether security groups let a connection through: the groups of the one that is called, by their ingress rules.

VPC user guide, "Security group rules": rules only allow; a resource with several groups admits what any of them
admits; the source of a rule is a CIDR block or another group, whose members are meant; groups are stateful.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from evals.world.stage import moment
from evals.world.world import Thing, World

OUTSIDE = "203.0.113.10"
"""An address of a client on the internet."""
_LAG = 3


def guards(world: World, thing: Thing) -> list[Thing]:
    """The security groups of a resource that the world holds."""
    held = thing.fixed.get("security_groups", ())
    return [world.things[arn] for arn in held if arn in world.things]


def admits(world: World, source: Thing | str, target: Thing, port: int, second: float) -> bool:
    """Whether `target` admits a connection from a resource or an address on a TCP port at an epoch second.

    A target without security groups admits everything.
    """
    groups = guards(world, target)
    if not groups:
        return True
    members = set()
    if isinstance(source, Thing):
        for one in guards(world, source):
            members |= {one.arn, one.name, str(one.fixed.get("id", ""))}
    when = moment(second - _LAG)
    return any(
        _allows(world, rule, source, members, port)
        for group in groups
        for rule in group.settings.under("Ingress", when).values()
    )


def _allows(world: World, rule: Any, source: Thing | str, members: set[str], port: int) -> bool:
    if str(rule.get("protocol", "tcp")) not in ("tcp", "-1", "all", "6") or not _covers(
        rule.get("port"), port
    ):
        return False
    given = str(rule.get("from", ""))
    if "/" in given and not given.startswith("arn:"):
        address = source if isinstance(source, str) else str(source.fixed.get("address", "10.0.16.10"))
        return ip_address(address) in ip_network(given, strict=False)
    return given in members


def _covers(ports: Any, port: int) -> bool:
    """`ports`: a number, a pair, "8000-8100", or nothing for all."""
    if isinstance(ports, list | tuple):
        return int(ports[0]) <= port <= int(ports[1])
    if ports in (None, "", -1, "-1", "all"):
        return True
    low, _, high = str(ports).partition("-")
    return int(low) <= port <= int(high or low)
