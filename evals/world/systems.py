"""Lays a flow over its resources, and lets them emit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from evals.world.flow import Flow
from evals.world.kinds import kinds
from evals.world.stage import Stage
from evals.world.workshop import Workshop
from evals.world.world import Thing, World


def lay(world: World, flow: Flow, path: Iterable[tuple[Thing, dict[str, Any]]]) -> None:
    """Make the stages of a flow, in the order in which requests pass them."""
    for thing, uses in path:
        kind = kinds().get(thing.kind)
        if kind is not None and kind.stage is not None:
            kind.stage(world, thing, uses).join(flow)
        elif kind is None:
            Stage(world, thing, uses).join(flow)


def emit(shop: Workshop, flow: Flow, passed: set[str] | None = None) -> None:
    """Register the metrics and log groups of all resources on a flow; those in `passed` emit for another one."""
    done = set() if passed is None else passed
    for stage in flow.stages:
        thing, kind = stage.thing, kinds().get(stage.thing.kind)
        if kind is None or thing.arn in done:
            continue
        done.add(thing.arn)
        if kind.metrics is not None:
            shop.world.telemetry.add(*kind.metrics(thing, flow))
        if kind.logs is not None:
            for group in kind.logs(shop, thing, flow):
                shop.world.log_groups[group.name] = group
        dead = shop.world.things.get(str(thing.fixed.get("dead_letter") or ""))
        if dead is not None and dead.arn not in done:
            from evals.world.kinds.sqs import dead_letters

            done.add(dead.arn)
            shop.world.telemetry.add(*dead_letters(dead, thing, flow))
