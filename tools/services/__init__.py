"""What opsleuth knows of AWS services, one file each. A file dropped in here is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from tools.services._spec import Service


@cache
def services() -> Mapping[str, Service]:
    """Every `SERVICE` of this package by its name, sorted. The files are imported on the first call."""
    found: dict[str, Service] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        service: Service = importlib.import_module(f"{__name__}.{module.name}").SERVICE
        found[service.name] = service
    return MappingProxyType(dict(sorted(found.items())))
