"""Security groups that a balancer or a service has when a case gives it none."""

from __future__ import annotations

from typing import Any

from evals.world.admits import guards
from evals.world.kinds import kinds
from evals.world.kinds._kind import Wish
from evals.world.workshop import Workshop
from evals.world.world import Thing


def own_group(shop: Workshop, wish: Wish, name: str, rules: dict[str, Any]) -> Thing:
    """A group of one resource, under its id in the case and "_group". `rules`: Ingress by label."""
    asked = Wish(
        id=f"{wish.id}_group",
        kind="security-group",
        name=name,
        created=wish.created,
        settings={},
        tags={},
        options={},
    )
    made = shop.made[asked.id] = kinds()["security-group"].make(shop, asked)
    for label, rule in rules.items():
        made.settings.set(f"Ingress.{label}", made.created, {"protocol": "tcp", **rule})
    return made


def let_in(shop: Workshop, target: Thing, source: Thing, port: int) -> None:
    """Let a balancer in to a target that has a group of its own."""
    if not target.fixed.get("own_group"):
        return
    for guard in guards(shop.world, target):
        for allowed in guards(shop.world, source):
            rule = {"protocol": "tcp", "port": port, "from": allowed.arn}
            guard.settings.set("Ingress.from-balancer", guard.created, rule)
            shop.world.relate(allowed.arn, "may connect to", guard.arn)
