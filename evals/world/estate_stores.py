"""Stores of the rest of the account: keys, buckets, parameters. The trail tells of some of them every day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world.kinds import kinds
from evals.world.kinds._kind import Wish
from evals.world.workshop import Workshop

_STORES: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("key", "application-secrets", {}, {"id": "kms-key"}),
    ("key", "queues", {}, {"id": "kms-key-2"}),
    ("bucket", "media-uploads", {}, {"request_metrics": True}),
    ("bucket", "audit-reports", {"Versioning": "Enabled"}, {}),
    ("parameter", "/catalog/page-size", {"Value": "40"}, {}),
    ("parameter", "/partners/import/url", {"Value": "https://files.example.com/partners"}, {}),
    ("parameter", "/loyalty/points-per-order", {"Value": "12"}, {}),
)


def build(shop: Workshop, moment: datetime) -> None:
    """Add them."""
    world = shop.world
    for kind, name, settings, options in _STORES:
        age = timedelta(days=world.seed.integer(f"age:{name}", 90, 700), minutes=len(name) * 37)
        held = dict(options)
        if "id" in held:
            held["id"] = world.seed.uuid(held["id"])
        if kind == "bucket":
            name = f"{name}-{world.account}" if name != "media-uploads" else name
        wish = Wish(
            id=f"{kind} {name}",
            kind=kind,
            name=name,
            created=moment - age,
            settings=settings,
            tags={},
            options=held,
        )
        thing = shop.made[wish.id] = kinds()[kind].make(shop, wish)
        metrics = kinds()[kind].metrics
        if metrics is not None:
            world.telemetry.add(*metrics(thing, None))
