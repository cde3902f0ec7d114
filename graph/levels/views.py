"""From facts to levels: every resource gets its place once, then each level is a count over relations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from graph.levels.names import shown
from graph.levels.placing import homes, rank_of
from graph.levels.shapes import Atlas, Level, Link, Node, View, Watch
from graph.levels.systems import systems_of
from tools.kit import OFF
from tools.models import Relation, Resource

_TOLD = ("watches", "alerts")  # what alarms look at, and whom they tell
_MOST_PROVENANCE = 10


def chart(resources: Iterable[Resource], relations: Iterable[Relation]) -> Atlas:
    """Every resource with its place. Relations to what is no known resource are left out and counted."""
    known = {one.arn: one for one in sorted(resources, key=lambda one: one.arn)}
    every = sorted(
        relations, key=lambda one: (one.source, one.target, one.kind, one.provenance, one.confidence)
    )
    kept = tuple(one for one in every if one.source in known and one.target in known)
    rank = {arn: rank_of(one) for arn, one in known.items()}
    home = homes(known, kept, rank)
    systems, system_of = systems_of(known, kept, home)
    return Atlas(
        resources=known,
        relations=kept,
        rank=rank,
        home=home,
        systems=systems,
        system_of=system_of,
        alarms=_alarms(known, kept),
        unknown_ends=len(every) - len(kept),
    )


def view(atlas: Atlas, level: Level) -> View:
    """One level of the map. Alarms are boxes among all resources only; elsewhere they mark what they watch."""
    box = _boxes(atlas, level)
    members: defaultdict[str, list[str]] = defaultdict(list)
    for arn, id in box.items():
        members[id].append(arn)
    nodes = tuple(_node(atlas, level, id, sorted(members[id])) for id in sorted(members))
    shown = {one.system for one in nodes if one.system}
    return View(
        level=level,
        nodes=nodes,
        links=_links(atlas.relations, box, watches=level == "all"),
        systems=tuple(one for id, one in atlas.systems.items() if id in shown),
        hidden=len(atlas.resources) - len(box),
    )


def around_only(atlas: Atlas, arns: Iterable[str]) -> Atlas:
    """The atlas of these resources alone, with the systems that the whole one gave them."""
    kept = set(arns) & atlas.resources.keys()
    return Atlas(
        resources={arn: one for arn, one in atlas.resources.items() if arn in kept},
        relations=tuple(one for one in atlas.relations if one.source in kept and one.target in kept),
        rank={arn: one for arn, one in atlas.rank.items() if arn in kept},
        home={arn: one if one in kept else arn for arn, one in atlas.home.items() if arn in kept},
        systems=atlas.systems,
        system_of={arn: one for arn, one in atlas.system_of.items() if arn in kept},
        alarms={arn: one for arn, one in atlas.alarms.items() if arn in kept},
        unknown_ends=atlas.unknown_ends,
    )


def _boxes(atlas: Atlas, level: Level) -> Mapping[str, str]:
    """ARN -> id of the box that stands for it on this level."""
    if level == "all":
        return {arn: arn for arn in atlas.resources}
    if level == "component":
        return {arn: arn for arn, rank in atlas.rank.items() if rank != "other"}
    return atlas.home if level == "container" else atlas.system_of


def _node(atlas: Atlas, level: Level, id: str, members: list[str]) -> Node:
    alarms = sorted(
        {one for arn in members for one in atlas.alarms.get(arn, ())}, key=lambda one: (one.name, one.arn)
    )
    if level == "system":
        system = atlas.systems[id]
        places = {(atlas.resources[arn].account, atlas.resources[arn].region) for arn in members}
        return Node(
            id=id,
            name=system.name,
            kind="system",
            service="",
            account=_one(account for account, _ in places),
            region=_one(region for _, region in places),
            members=tuple(members),
            system=id,
            alarms=tuple(alarms),
            reason=system.reason,
        )
    own = atlas.resources[id]
    return Node(
        id=id,
        name=shown(own),
        kind=own.type,
        service=own.service,
        account=own.account,
        region=own.region,
        members=tuple(members),
        system=atlas.system_of.get(id, ""),
        alarms=tuple(alarms),
    )


def _one(values: Iterable[str]) -> str:
    """The only value there is, else all of them, joined."""
    return ", ".join(sorted({value for value in values if value}))


def _links(relations: Iterable[Relation], box: Mapping[str, str], *, watches: bool) -> tuple[Link, ...]:
    found: defaultdict[tuple[str, str], list[Relation]] = defaultdict(list)
    for one in relations:
        a, b = box.get(one.source), box.get(one.target)
        if a is not None and b is not None and a != b and (watches or one.kind not in _TOLD):
            found[a, b].append(one)
    return tuple(_link(pair, found[pair]) for pair in sorted(found))


def _link(pair: tuple[str, str], relations: list[Relation]) -> Link:
    if len(relations) == 1:  # as most are
        (one,) = relations
        return Link(
            source=pair[0],
            target=pair[1],
            count=1,
            kinds=((_verb(one), 1),),
            provenance=(one.provenance,),
            confidence=one.confidence,
        )
    said = list(dict.fromkeys(one.provenance for one in relations))
    return Link(
        source=pair[0],
        target=pair[1],
        count=len(relations),
        kinds=tuple(sorted(Counter(_verb(one) for one in relations).items())),
        provenance=tuple(said[:_MOST_PROVENANCE]),
        confidence=max(one.confidence for one in relations),
    )


def _alarms(resources: Mapping[str, Resource], relations: Iterable[Relation]) -> dict[str, tuple[Watch, ...]]:
    """ARN -> alarms that watch it, also through other alarms (composite ones)."""
    watched: defaultdict[str, list[str]] = defaultdict(list)
    for one in relations:
        if one.kind == "watches":
            watched[one.source].append(one.target)
    found: defaultdict[str, list[Watch]] = defaultdict(list)
    for arn in sorted(watched):
        alarm = resources[arn]
        mark = Watch(arn=arn, name=alarm.name, state=str(alarm.config.get("StateValue") or ""))
        seen, todo = {arn}, [arn]
        while todo:
            for target in watched.get(todo.pop(), ()):
                if target in seen:
                    continue
                seen.add(target)
                if target in watched:
                    todo.append(target)
                found[target].append(mark)
    return {arn: tuple(found[arn]) for arn in sorted(found)}


def _verb(one: Relation) -> str:
    """The kind of a relation; one that is configured and switched off says so."""
    return f"{one.kind} (off)" if one.provenance.endswith(OFF) else one.kind
