"""The traffic of a case: what requests pass, how many they are, when they first fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from evals.world.casefile import TrafficSpec
from evals.world.draft import RECENT, Draft
from evals.world.flow import Flow, HotKey, first_trouble
from evals.world.kinds import kinds
from evals.world.places import around
from evals.world.systems import emit, lay
from evals.world.traffic import Demand, Pulse
from evals.world.world import Thing
from tools.errors import BadInput


def lay_flows(draft: Draft) -> dict[str, Flow]:
    """Let requests flow, and emit the metrics of all that they pass and of all else."""
    tenants = tuple(f"t-{draft.seed.integer(f'tenant:{i}', 100, 999)}" for i in range(12))
    found = {}
    for name, spec in {"case": draft.case.traffic, **draft.case.flows}.items():
        flow = found[name] = _flow(draft, name, spec)
        draft.world.flows[name] = flow
        lay(draft.world, flow, _path(draft, name, spec))
        flow.settle((draft.moment - RECENT).timestamp())
        for stage in flow.stages:
            if stage.thing.kind == "function":
                stage.thing.settings.set("Environment.MAX_ATTEMPTS", stage.thing.created, flow.attempts)
                stage.thing.fixed.setdefault("tenants", tenants)
    passed: set[str] = set()
    for flow in found.values():
        emit(draft.shop, flow, passed)
    for thing in draft.things.values():
        kind = kinds().get(thing.kind)
        if thing.arn not in passed and kind is not None and kind.metrics is not None:
            with around(draft.world, thing):
                draft.world.telemetry.add(*kind.metrics(thing, None))
    return found


def _path(draft: Draft, name: str, spec: TrafficSpec) -> list[tuple[Thing, dict[str, Any]]]:
    """The resources that requests pass, in order, and what one request does at each."""
    first = spec.enters or _entry(draft, name)
    uses: dict[str, Any] = {"units": draft.values.resolve(spec.write_units), "read_units": spec.read_units}
    path: list[tuple[Thing, dict[str, Any]]] = []
    seen: set[str] = set()

    def walk(key: str, also: dict[str, Any]) -> None:
        if key in seen:
            return
        seen.add(key)
        background = {"background": int(draft.number(spec.background))}
        given = {one: draft.values.resolve(value) for one, value in also.items()}
        path.append((draft.shop.find(key, f"traffic {name}"), {**uses, **background, **given}))
        spec_of = draft.case.resources.get(key)
        for called, more in (spec_of.called() if spec_of else {}).items():
            walk(called, more)

    walk(first, {})
    return path


def _entry(draft: Draft, name: str) -> str:
    called = {one for spec in draft.case.resources.values() for one in spec.called()}
    free = [
        key
        for key, spec in draft.case.resources.items()
        if key not in called and draft.kind(spec.kind, key).stage is not None
    ]
    if not free:
        raise BadInput(f"traffic {name}: say with `enters` which resource the requests meet first.")
    return next((key for key in free if draft.case.resources[key].calls), free[0])


def _flow(draft: Draft, name: str, spec: TrafficSpec) -> Flow:
    anchor = draft.moment.timestamp()
    pulses = tuple(
        Pulse(
            start=anchor + 60 * draft.number(pulse.start),
            end=anchor + 60 * (draft.number(pulse.start) + draft.number(pulse.minutes)),
            factor=draft.number(pulse.factor),
            ramp=draft.number(pulse.ramp_seconds),
        )
        for pulse in spec.pulses
    )
    hot = None
    if spec.hot_key is not None:
        hot = HotKey(
            name=draft.text(spec.hot_key.name),
            before=spec.hot_key.before,
            share=draft.number(spec.hot_key.share),
            start=anchor + 60 * draft.number(spec.hot_key.start),
            end=anchor + 30 * 86_400,
            ramp=draft.number(spec.hot_key.ramp_seconds),
        )
    demand = Demand(
        rate=draft.number(spec.per_second),
        anchor=anchor,
        salt=draft.seed.salt("flow" if name == "case" else f"flow of case:{name}"),
        amplitude=spec.amplitude,
        pulses=pulses,
    )
    return Flow(
        name=name,
        demand=demand,
        attempts=int(draft.number(spec.attempts)),
        base_ms=int(draft.number(spec.duration_ms)),
        retry_ms=int(draft.number(spec.retry_ms)),
        hot_key=hot,
    )


def onset_of(draft: Draft, flow: Flow) -> datetime:
    """When requests are first refused. Raises BadInput when none ever is."""
    found = first_trouble(flow, int((draft.moment + timedelta(hours=2)).timestamp()))
    if found is None:
        raise BadInput(f"In case {draft.name} nothing is ever refused, so there is no onset.")
    return datetime.fromtimestamp(found, UTC)
