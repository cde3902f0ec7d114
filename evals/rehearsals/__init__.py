"""Seeders by kind of resource. Each module beside this one exports `SEEDERS`; dropping it in registers it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from evals.rehearsals._ground import Ground, Lay, matched
from evals.rehearsals._spec import Item, Scene, Seeder, identifiers, named, names

__all__ = [
    "Ground",
    "Item",
    "Lay",
    "Scene",
    "Seeder",
    "grounds",
    "identifiers",
    "matched",
    "named",
    "names",
    "seeders",
]


@cache
def seeders() -> Mapping[str, Seeder]:
    """All seeders, by kind."""
    found: dict[str, Seeder] = {}
    for module in sorted(one.name for one in iter_modules(__path__)):
        if not module.startswith("_"):
            for seeder in getattr(import_module(f"{__name__}.{module}"), "SEEDERS", ()):
                found[seeder.kind] = seeder
    return found


@cache
def grounds() -> Mapping[str, Ground]:
    """All grounds, by the name of the service file whose events they are for."""
    found: dict[str, Ground] = {}
    for module in sorted(one.name for one in iter_modules(__path__)):
        if not module.startswith("_"):
            for ground in getattr(import_module(f"{__name__}.{module}"), "GROUNDS", ()):
                found[ground.service] = ground
    return found
