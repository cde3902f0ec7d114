"""Published versions of resources: facts about values before a change, from things that never change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from tools.catalogue import services
from tools.models import Resource, Version
from tools.setting_values import as_value, search

if TYPE_CHECKING:
    from tools.aws import Reader

__all__ = ["before"]


def before(reader: Reader, resource: Resource, moments: Iterable[datetime]) -> tuple[Version, ...]:
    """The newest version made before each of these moments, oldest first, each cited.

    Without a service file that knows versions nothing is read. What AWS refuses becomes a gap of the reader.
    """
    service = services().get(resource.service)
    if service is None or service.versions is None:
        return ()
    settings = [one for one in service.settings if one.type == resource.type and one.versioned]
    found = []
    with reader.seeing(f"earlier versions of {resource.name}", "the values before the change"):
        found = sorted(service.versions(reader, resource), key=lambda one: (one[1], _number(one[0])))
    wanted = {newest for moment in moments if (newest := _last(found, moment)) is not None}
    made = []
    for index in sorted(wanted):
        name, when, shown, evidence = found[index]
        values = {one.path: as_value(search(one.query, shown)) for one in settings}
        cited = reader.cite(evidence, {"Version": name, "made": when, **values}, when)
        made.append(Version(resource=resource.arn, name=name, made=when, values=values, evidence=(cited,)))
    return tuple(made)


def _last(found: list[tuple[str, datetime, dict[str, object], str]], moment: datetime) -> int | None:
    older = [index for index, (_, when, *_) in enumerate(found) if when < moment]
    return older[-1] if older else None


def _number(name: str) -> tuple[int, str]:
    """Versions of the same moment in the order of their numbers."""
    return (int(name) if name.isdigit() else 0, name)
