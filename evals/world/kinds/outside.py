"""Hosts outside AWS that requests depend on: a partner's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.world.flow import Load
from evals.world.kinds._kind import Kind, Wish
from evals.world.stage import Stage
from evals.world.workshop import Workshop
from evals.world.world import Thing, World


class HostStage(Stage):
    """A call to a host outside. It is up, slow, or answers with errors."""

    reasons = ("partner",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.share = float(self.uses.get("share", 1.0))

    def enter(self, load: Load) -> None:
        before, asked = load.alive, round(load.alive * self.share)
        if not load.calm:
            load.ms += int(self.at("_slower_ms", load.second) or 0)
            down = float(self.at("_down", load.second) or 0.0)
            load.end(
                self.index,
                "partner",
                round(asked * down),
                load.ms + int(self.at("_timeout_ms", load.second) or 0),
            )
        self.close(load, before)

    def text(self, reason: str) -> str:
        host = self.thing.fixed["host"]
        return str(
            self.at("_says", 2**40) or f"503 Server Error: Service Unavailable for url: https://{host}/"
        )


def _make(shop: Workshop, wish: Wish) -> Thing:
    host = str(wish.options.get("host") or f"{wish.name}.example.com")
    return shop.settle(shop.add(f"host:{host}", wish, {"host": host}), wish)


KINDS = (
    Kind(
        name="host",
        options={"host": "its name in the DNS"},
        settings={
            "_down": "nature: share of calls that fail, 0 to 1",
            "_slower_ms": "nature: how much longer each call takes",
            "_timeout_ms": "nature: how long a failing call takes",
            "_says": "nature: the error text",
        },
        make=_make,
        stage=HostStage,
    ),
)
