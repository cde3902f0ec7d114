"""What goes on in a world's other accounts and regions besides the case: reads, and few writes."""

from __future__ import annotations

from datetime import timedelta

from evals.world.names import PEOPLE
from evals.world.noise import AFTER, BEFORE
from evals.world.places import inside
from evals.world.trail import Deed, record
from evals.world.world import World

_EACH = 160
_READ = (
    ("ec2", "DescribeRouteTables"),
    ("ec2", "DescribeVpcs"),
    ("kms", "ListAliases"),
    ("kms", "ListKeys"),
    ("dynamodb", "ListTables"),
    ("cloudtrail", "LookupEvents"),
    ("tagging", "GetResources"),
)


def add(world: World) -> None:
    """Add unrelated records of the last 30 hours, and of the next 90 minutes, to every other place of a world."""
    home = (world.account, world.region)
    places = {where for where in world.places if where != home}
    places |= {(one.account, world.region) for one in world.neighbours.values()}
    span = (BEFORE + AFTER).total_seconds()
    for account, region in sorted(places):
        with inside(world, account, region):
            for number in range(_EACH):
                offset = (number + world.seed.between(f"elsewhere:{account}:{region}:{number}", 0, 1)) * span
                _one(world, number, offset / _EACH)


def _one(world: World, number: int, offset: float) -> None:
    seed, key = world.seed, f"noise:{world.account}:{world.region}:{number}"
    moment = world.start - BEFORE + timedelta(seconds=offset)
    name = seed.pick(f"{key}:who", PEOPLE[5:9])
    who = world.cast.sso(
        "ReadOnlyAccess", name, f"203.0.113.{seed.integer(f'{name}:address', 180, 220)}", True
    )
    source, operation = seed.pick(f"{key}:what", _READ)
    deed = Deed(source=source, name=operation, read_only=True)
    if number % 40 == 39:
        request = {"dashboardName": "overview", "dashboardBody": "HIDDEN_DUE_TO_SECURITY_REASONS"}
        deed = Deed(source="monitoring", name="PutDashboard", request=request)
    world.trail.add(record(seed, key, moment, 240, world.region, world.account, who, deed))
