"""The rest of the account, in containers: two services behind load balancers that have nothing to do with the case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.world.flow import Flow
from evals.world.kinds import kinds
from evals.world.kinds._kind import Wish
from evals.world.systems import emit, lay
from evals.world.traffic import Demand
from evals.world.workshop import Workshop
from evals.world.world import Thing


class Containers(NamedTuple):
    """One service with its load balancer, and how busy it is."""

    name: str
    tasks: int
    rate: tuple[float, float]
    error: str
    path: str


SERVICES = (
    Containers("storefront", 4, (15, 45), "KeyError: 'sessionId'", "/health"),
    Containers("accounts", 2, (3, 9), "ValueError: e-mail address is already in use", "/status"),
)


def build(shop: Workshop, moment: datetime) -> None:
    """Add the services and their traffic to a world."""
    age = timedelta(days=shop.world.seed.integer("age:containers", 200, 700))
    cluster = _make(shop, "cluster", "platform", moment - age, {"settings.containerInsights": "enabled"})
    for number, one in enumerate(SERVICES):
        _service(shop, cluster, one, moment, moment - age + timedelta(days=3 + number, minutes=41 * number))


def _make(
    shop: Workshop,
    kind: str,
    name: str,
    created: datetime,
    settings: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Thing:
    key = f"{kind} {name}"
    wish = Wish(
        id=key,
        kind=kind,
        name=name,
        created=created,
        settings=settings or {},
        tags={"team": "web"} if kind in ("ecs-service", "load-balancer") else {},
        options=options or {},
    )
    thing = shop.made[key] = kinds()[kind].make(shop, wish)
    return thing


def _service(shop: Workshop, cluster: Thing, one: Containers, moment: datetime, created: datetime) -> None:
    world, seed = shop.world, shop.world.seed
    balancer = _make(shop, "load-balancer", f"{one.name}-lb", created)
    group = _make(shop, "target-group", one.name, created, {"HealthCheckPath": one.path})
    options = {"container": "web", "revision": seed.integer(f"revision:{one.name}", 90, 140)}
    _make(shop, "task-definition", one.name, created, None, options)
    runs = {
        "cluster": f"cluster {cluster.name}",
        "definition": f"task-definition {one.name}",
        "own_error": one.error,
        "cpu_ms": 9,
    }
    service = _make(shop, "ecs-service", one.name, created, {"desiredCount": one.tasks}, runs)
    for source, target in ((balancer, group), (group, service)):
        link = kinds()[source.kind].link
        assert link is not None
        link(shop, source, target)
    demand = Demand(
        rate=seed.between(f"rate:{one.name}", *one.rate),
        anchor=moment.timestamp(),
        salt=seed.salt(f"flow:{one.name}"),
        noise=0.06,
    )
    flow = world.flows[one.name] = Flow(
        name=one.name, demand=demand, base_ms=seed.integer(f"base:{one.name}", 25, 90)
    )
    background = seed.integer(f"background:{one.name}", 4, 25)
    lay(world, flow, [(balancer, {}), (group, {}), (service, {"background": background})])
    emit(shop, flow)
