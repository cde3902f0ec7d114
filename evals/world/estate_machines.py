"""The rest of the account, on machines: a wiki and the database behind it, which have nothing to do with the case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world.flow import Flow
from evals.world.kinds import kinds
from evals.world.kinds._kind import Wish
from evals.world.systems import emit, lay
from evals.world.traffic import Demand
from evals.world.workshop import Workshop
from evals.world.world import Thing

_BACKUP = {"share": 0.3, "hour": 2, "minute": 20, "minutes": 14, "command": "/opt/scripts/backup.sh"}


def build(shop: Workshop, moment: datetime) -> None:
    """Add the machines and their traffic to a world."""
    world, seed = shop.world, shop.world.seed
    created = moment - timedelta(
        days=seed.integer("age:machines", 150, 600), minutes=seed.integer("wiki", 0, 900)
    )
    visitors = {"Ingress.office": {"protocol": "tcp", "port": 80, "from": "10.0.0.0/8"}}
    front = _make(shop, "security-group", "wiki-web", created, visitors)
    inner = {"Ingress.wiki": {"protocol": "tcp", "port": 3306, "from": front.arn}}
    _make(shop, "security-group", "wiki-db", created, inner)
    web = _make(
        shop,
        "instance",
        "wiki-web",
        created + timedelta(minutes=9),
        {"InstanceType": "t3.medium"},
        {
            "runs": ["nginx", "tomcat"],
            "guarded_by": "security-group wiki-web",
            "request": "GET /pages",
            "own_error": "com.example.wiki.NotAllowed: page is restricted",
        },
    )
    database = _make(
        shop,
        "instance",
        "wiki-db",
        created + timedelta(minutes=4),
        {"InstanceType": "t3.medium", "_cron_cpu": _BACKUP},
        {"runs": ["mysql"], "guarded_by": "security-group wiki-db"},
    )
    link = kinds()["instance"].link
    assert link is not None
    link(shop, web, database)
    demand = Demand(
        rate=seed.between("rate:wiki", 0.8, 4),
        anchor=moment.timestamp(),
        salt=seed.salt("flow:wiki"),
        noise=0.1,
    )
    flow = world.flows["wiki"] = Flow(name="wiki", demand=demand, base_ms=seed.integer("base:wiki", 60, 180))
    lay(world, flow, [(web, {"background": seed.integer("background:wiki", 10, 60)}), (database, {})])
    emit(shop, flow)


def _make(
    shop: Workshop,
    kind: str,
    name: str,
    created: datetime,
    settings: dict[str, Any],
    options: dict[str, Any] | None = None,
) -> Thing:
    key = f"{kind} {name}"
    tags = {"team": "it"} if kind == "instance" else {}
    wish = Wish(
        id=key, kind=kind, name=name, created=created, settings=settings, tags=tags, options=options or {}
    )
    thing = shop.made[key] = kinds()[kind].make(shop, wish)
    return thing
