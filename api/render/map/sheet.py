"""What is drawn: one level of a map, what it is a map of, and what could not be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from api.render.layout import clean
from graph.levels import Blast, Link, Node, Step, View
from graph.words import say
from tools.models import Gap

_LONGEST = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`names`: what every resource is called, by ARN, also those without a box on this level. `focus`: ARNs."""

    view: View
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    as_of: datetime
    resources: int
    relations: int
    focus: tuple[str, ...] = ()
    blast: Blast | None = None
    path: tuple[Step, ...] | None = None  # from the cause that was named; None: none was named
    gaps: tuple[Gap, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    truncated: bool = False


def plain(text: str) -> str:
    """Text from outside on one line, without letters that terminals and programs obey."""
    return " ".join(clean(text).split())


def name_of(sheet: Sheet, arn: str) -> str:
    """ "table orders", or the ARN where nothing is known."""
    return plain(sheet.names.get(arn, arn))


def label(node: Node) -> str:
    """A box's name in one short line: long ones lose their middle."""
    name = plain(node.name)
    if len(name) <= _LONGEST:
        return name
    head = (_LONGEST - 1) // 2
    return f"{name[:head]}…{name[-(_LONGEST - 1 - head) :]}"


def kind_of(node: Node) -> str:
    """What a box is, in words: "dynamodb table", "system of 7"."""
    if node.kind == "system":
        return say("system of {count}", count=len(node.members))
    return plain(f"{node.service} {node.kind}".strip())


def verbs(link: Link) -> str:
    """ "reads, writes (3)": the kinds of a link's relations, with how many there are when one says not all."""
    told = ", ".join(kind for kind, _ in link.kinds)
    return plain(told if link.count == len(link.kinds) else f"{told} ({link.count})")


def title(sheet: Sheet) -> str:
    """What this is a map of, in one line."""
    return say(
        "Map of {account}, {region}: {resources} resources, {relations} relations, level {level}",
        account=", ".join(sheet.accounts) or "?",
        region=", ".join(sheet.regions) or "?",
        resources=sheet.resources,
        relations=sheet.relations,
        level=sheet.view.level,
    )
