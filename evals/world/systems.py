"""Lays a flow over its resources, and lets them emit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from evals.world.flow import Flow
from evals.world.kinds import kinds
from evals.world.kinds.vpc import no_way_out
from evals.world.metrics import source
from evals.world.places import around
from evals.world.stage import Stage
from evals.world.telemetry import Sample, counted
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
        with around(shop.world, thing):
            if kind.metrics is not None:
                shop.world.telemetry.add(*kind.metrics(thing, flow))
            if kind.logs is not None:
                for group in kind.logs(shop, thing, flow):
                    shop.world.log_groups[group.name] = group
        dead = shop.world.things.get(str(thing.fixed.get("dead_letter") or ""))
        if dead is not None and dead.arn not in done:
            from evals.world.kinds.sqs import dead_letters

            done.add(dead.arn)
            with around(shop.world, dead):
                shop.world.telemetry.add(*dead_letters(dead, thing, flow))


def emit_network(world: World) -> None:
    """What NAT gateways emit: the bytes of all flows whose callers lie in private subnets, while there is a route."""
    for gateway in world.of("nat-gateway"):
        callers = [
            (flow, index)
            for flow in world.flows.values()
            for index, stage in enumerate(flow.stages)
            if stage.thing.fixed.get("subnets")
            and stage.thing.kind in ("function", "ecs-service", "instance")
        ]
        held = {"NatGatewayId": str(gateway.fixed["id"])}
        for name, unit, each in (
            ("BytesOutToDestination", "Bytes", 2100.0),
            ("BytesInFromDestination", "Bytes", 5400.0),
            ("ActiveConnectionCount", "Count", 0.02),
        ):
            emitted = _through(world, callers, each)
            with around(world, gateway):
                world.telemetry.add(source(gateway, "AWS/NATGateway", name, held, unit, emitted))


def _through(world: World, callers: list[tuple[Flow, int]], each: float) -> Callable[[int], Sample | None]:
    def emit_one(minute: int) -> Sample | None:
        total = 0.0
        for flow, index in callers:
            thing = flow.stages[index].thing
            if no_way_out(world, thing, minute * 60) is None:
                total += each * flow.minute(minute).passages[index].arrived
        return counted(total)

    return emit_one
