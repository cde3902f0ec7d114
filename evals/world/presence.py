"""What a world has of each AWS service, by any sign of it: resources, ARNs in settings, what the trail names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from evals.world.trail import Record
from evals.world.world import World

_SAME: Mapping[str, str] = {
    "apigatewayv2": "apigateway",
    "docdb": "rds",
    "dynamodbstreams": "dynamodb",
    "ecr": "ecr",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "es": "opensearch",
    "monitoring": "cloudwatch",
    "neptune": "rds",
    "s3control": "s3",
    "sesv2": "ses",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "execute-api": "apigateway",
}
"""Names under which clients, ARNs and event sources speak of one service."""


def plain(service: str) -> str:
    """One name for a service, whichever name a client, an ARN or an event source gives it."""
    return _SAME.get(service, service)


def present(world: World) -> frozenset[str]:
    """Services of which a world has something, by any sign of it."""
    return _present(_Key(world, len(world.things), len(world.trail.records), len(world.alarms)))


class _Key:
    """A world at one size: worlds grow while they are built, not while they are asked."""

    def __init__(self, world: World, *sizes: int) -> None:
        self.world = world
        self.sizes = (id(world), *sizes)

    def __hash__(self) -> int:
        return hash(self.sizes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.world is other.world and self.sizes == other.sizes


@lru_cache(maxsize=8)
def _present(key: _Key) -> frozenset[str]:
    world = key.world
    found: set[str] = set()
    for thing in world.things.values():
        values = [thing.arn, thing.fixed, [steps.values for steps in thing.settings.steps.values()]]
        found |= {plain(service) for service in _arns(values)}
    for alarm in world.alarms.values():
        found |= {plain(service) for service in _arns(alarm.actions)}
    for happening in world.happenings:
        found |= {plain(happening.service)} | {plain(service) for service in _arns(happening.resource)}
    for record in world.trail.records:
        found |= _told(record)
    return frozenset(found)


def _arns(value: Any) -> Iterator[str]:
    """The services of all ARNs in a value."""
    if isinstance(value, str):
        if value.startswith("arn:") and value.count(":") >= 5:
            yield value.split(":")[2]
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _arns(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _arns(one)


def _told(record: Record) -> set[str]:
    """The services that an event shows to be used: what it changed, listed or named."""
    found = {plain(kind.split("::")[1].lower()) for kind, _ in record.listed if kind.count("::") == 2}
    source = plain(str(record.body["eventSource"]).split(".", maxsplit=1)[0])
    request = record.body.get("requestParameters")
    if not record.read_only or _named(request):
        found.add(source)
    return found


def _named(value: Any) -> bool:
    """Whether a request names something."""
    if isinstance(value, Mapping):
        return any(
            (isinstance(one, str) and bool(one) and key != "Host") or _named(one)
            for key, one in value.items()
        )
    if isinstance(value, (list, tuple)):
        return any(isinstance(one, str) or _named(one) for one in value)
    return False
