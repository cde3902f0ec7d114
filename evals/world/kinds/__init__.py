"""The kinds of resources that worlds are made of: one file per AWS service, each exporting `KINDS`.

Dropping a file here registers it. The physics in it come from AWS's documentation and from measured facts, never from
the knowledge that is measured on worlds.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from evals.world.kinds._kind import Kind


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by name."""
    found: dict[str, Kind] = {}
    for module in sorted(one.name for one in iter_modules(__path__) if not one.name.startswith("_")):
        for kind in import_module(f"{__name__}.{module}").KINDS:
            if kind.name in found:
                raise ValueError(f"two kinds are called {kind.name}")
            found[kind.name] = kind
    return found
