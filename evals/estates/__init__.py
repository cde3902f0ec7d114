"""Estates: hand-grown accounts of several teams, without a stack or a tag, and what their configuration implies.

An estate is made by calls on an emulated account; each maker declares beside its call what that call says of other
things. The truth so made knows nothing of how opsleuth finds relations, and no name in it is the same for two seeds
where a name could help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from evals.emulation import emulation
from evals.estates import billing, common, internal, leftovers, own, pipeline, shop
from evals.estates.ground import KINDS, Fact, Ground, Thing
from evals.estates.table import Table

__all__ = ["KINDS", "Estate", "Fact", "Thing", "estate"]

ACCOUNT, REGION = "111122223333", "eu-west-1"


@dataclass(frozen=True, slots=True)
class Estate:
    """An account and the truth of it. `wholes`: what a part is a part of. Ends with its `with` block."""

    account: str
    region: str
    things: Mapping[str, Thing]
    facts: tuple[Fact, ...]
    wholes: Mapping[str, str]
    table: Table


@contextmanager
def estate(seed: int = 1, size: float = 1.0) -> Iterator[Estate]:
    """The estate of a seed; `size` 0.3 is a small one. One at a time in a process."""
    from moto.moto_api._internal import mock_random

    with emulation(ACCOUNT, REGION) as account:
        mock_random.seed(seed)  # ids are equal for equal seeds, but for the times that some hold
        ground = Ground(account, seed, size)
        shared = common.make(ground)
        sells = shop.make(ground, shared)
        bills = billing.make(ground, shared, sells)
        pipeline.make(ground, shared, sells, bills)
        internal.make(ground, shared, sells)
        leftovers.make(ground, shared, sells)
        own.settle(ground)
        facts = tuple(ground.facts.values())
        yield Estate(ACCOUNT, REGION, ground.things, facts, ground.wholes, ground.table)
