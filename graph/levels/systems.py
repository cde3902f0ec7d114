"""Which containers make one system, and why: by tag or stack, else by who talks to whom and by names."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graph.levels import tags as marks
from graph.levels.communities import communities
from graph.levels.names import common, shown, words
from graph.levels.shapes import System
from tools.models import Relation, Resource

_SMALL = 12
"""A connected part of at most so many containers is one system; larger ones are searched for communities."""
_CLEAR = 0.35
"""Modularity from which on a part of a part is worth a system of its own (0.3 is the usual sign of communities)."""
_ALONE = "on their own"
_TOLD = ("watches", "alerts")
"""Who looks at something, and who hears of it, need not belong together with it."""


@dataclass(slots=True)
class _Group:
    """A system in the making."""

    name: str
    why: dict[str, str] = field(default_factory=dict)  # container -> reason


def systems_of(
    resources: Mapping[str, Resource], relations: Iterable[Relation], home: Mapping[str, str]
) -> tuple[dict[str, System], dict[str, str]]:
    """Systems by id, and ARN -> system id. Every container and component is in one; others with their neighbours."""
    relations = tuple(relations)
    containers = sorted(set(home.values()))
    weights = _weights(relations, home)
    groups = _by_tags(resources, containers)
    placed = {arn: group.name for group in groups.values() for arn in group.why}
    rest = [arn for arn in containers if arn not in placed]
    near = _near(weights)
    alone: list[str] = []
    for members, found in _communities(rest, weights, resources):
        if len(members) == 1 and members[0] not in near:
            alone += members
            continue
        name, reason = _joined(members, near, placed) or found
        group = groups.setdefault(name.lower(), _Group(name))
        group.why.update(dict.fromkeys(members, reason))
    _place_alone(alone, groups, resources)
    return _finished(groups, resources, relations, home)


def _weights(relations: Iterable[Relation], home: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """How much each two containers have to do with each other: the surest relation of each kind, summed."""
    best: dict[tuple[str, str, str], float] = {}
    for one in relations:
        a, b = home.get(one.source), home.get(one.target)
        if a is None or b is None or a == b or one.kind in _TOLD:
            continue
        key = (min(a, b), max(a, b), one.kind)
        best[key] = max(best.get(key, 0.0), one.confidence)
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for a, b, kind in sorted(best):
        found[a, b] += best[a, b, kind]
    return dict(found)


def _near(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for a, b in pairs:
        found[a].append(b)
        found[b].append(a)
    return dict(found)


def _by_tags(resources: Mapping[str, Resource], containers: Iterable[str]) -> dict[str, _Group]:
    """Groups by what tags say, split by environment where one name stands for several."""
    told: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    spelled: dict[str, str] = {}
    for arn in containers:
        tags = resources[arn].tags
        name, reason = marks.system_tag(tags)
        if name:
            spelled[name.lower()] = min(name, spelled.get(name.lower(), name))
            told[name.lower()].append((arn, reason, marks.environment(tags)))
    groups: dict[str, _Group] = {}
    for key, members in sorted(told.items()):
        several = len({where for _, _, where in members if where}) > 1
        for arn, reason, where in members:
            name = f"{spelled[key]} ({where})" if several and where else spelled[key]
            group = groups.setdefault(name.lower(), _Group(name))
            group.why[arn] = f"{reason}, environment {where}" if several and where else reason
    return groups


def _communities(
    rest: list[str], weights: Mapping[tuple[str, str], float], resources: Mapping[str, Resource]
) -> list[tuple[tuple[str, ...], tuple[str, str]]]:
    """Members of each community among the untagged, with the name and reason that it would have by itself."""
    import networkx

    graph: networkx.Graph[str] = networkx.Graph()
    graph.add_nodes_from(rest)
    near: dict[str, dict[str, float]] = {arn: {} for arn in rest}
    team = {arn: marks.owner_tag(resources[arn].tags)[0] for arn in rest}
    head = {arn: words(shown(resources[arn]))[:1] for arn in rest}
    for (a, b), weight in sorted(weights.items()):
        # A relation from one team's thing to another's joins no system.
        if a in near and b in near and (not team[a] or not team[b] or team[a] == team[b]):
            graph.add_edge(a, b)
            near[a][b] = near[b][a] = weight * (2.0 if head[a] == head[b] != () else 1.0)
    found = []
    for connected in sorted(map(sorted, networkx.connected_components(graph))):
        if len(connected) <= _SMALL:
            found.append(tuple(connected))
            continue
        found += _cut(near, connected)
    degree: Counter[str] = Counter()
    inside: Counter[tuple[str, ...]] = Counter()
    where = {arn: members for members in found for arn in members}
    for a, b in graph.edges():
        degree.update((a, b))
        if where[a] == where[b]:
            inside[where[a]] += 1
    return [(members, _described(members, resources, degree, inside[members])) for members in found]


def _cut(near: Mapping[str, Mapping[str, float]], members: Sequence[str]) -> list[tuple[str, ...]]:
    """Communities of a connected part, and those within large ones, which modularity alone would leave joined."""
    done: list[tuple[str, ...]] = []
    todo = [sorted(members)]
    while todo:
        here = todo.pop()
        inside = set(here)
        edges = ((a, b, near[a][b]) for a in here for b in sorted(near[a]) if a < b and b in inside)
        cut, modularity = communities(here, edges)
        if len(cut) == 1 or (len(here) < len(members) and modularity < _CLEAR):
            done.append(tuple(here))
            continue
        todo += [sorted(one) for one in cut if len(one) > _SMALL]
        done += [tuple(sorted(one)) for one in cut if len(one) <= _SMALL]
    return sorted(done)


def _described(
    members: tuple[str, ...], resources: Mapping[str, Resource], degree: Mapping[str, int], links: int
) -> tuple[str, str]:
    names = [shown(resources[arn]) for arn in members]
    prefix, sharing = common(names)
    hub = min(members, key=lambda arn: (-degree[arn], shown(resources[arn]), arn))
    said = f"no tag and no stack; {_many(len(members), 'part')} related by {_many(links, 'relation')}"
    owner = marks.owner_tag(resources[members[0]].tags)[1] if members else ""
    if owner and all(marks.owner_tag(resources[arn].tags)[1] == owner for arn in members):
        said += f", all with {owner}"
    if prefix:
        return prefix, f'{said}; {sharing} of {len(names)} names begin with "{prefix}"'
    return shown(resources[hub]), f"{said}; named after the part with most relations"


def _joined(
    members: tuple[str, ...], near: Mapping[str, Iterable[str]], placed: Mapping[str, str]
) -> tuple[str, str] | None:
    """The one tagged system that a community has to do with, if it is one."""
    found = {placed[other] for arn in members for other in near.get(arn, ()) if other in placed}
    if len(found) != 1:
        return None
    (name,) = found
    return name, f"no tag of its own; related to no other system than {name}"


def _place_alone(alone: Iterable[str], groups: dict[str, _Group], resources: Mapping[str, Resource]) -> None:
    """What is related to nothing goes by its name, then by its team, then to the others of its kind."""
    heads: defaultdict[str, list[str]] = defaultdict(list)
    known = {words(group.name): key for key, group in sorted(groups.items()) if words(group.name)}
    for arn in sorted(alone):
        own = words(shown(resources[arn]))
        fits = [own[:size] for size in range(len(own), 0, -1) if own[:size] in known]
        if fits:
            group = groups[known[fits[0]]]
            group.why[arn] = f'no tag, no stack, no relation; its name begins with "{"-".join(fits[0])}"'
        else:
            heads[own[0] if own else ""].append(arn)
    for head, members in sorted(heads.items()):
        for arn in members:
            owner, tag = marks.owner_tag(resources[arn].tags)
            if head and len(members) > 1:
                name, why = head, f'no tag, no stack, no relation; {len(members)} names begin with "{head}"'
            elif owner:
                name, why = owner, f"no relation; {tag}"
            else:
                name, why = _ALONE, "no tag, no stack, no relation and no shared name"
            groups.setdefault(name.lower(), _Group(name)).why[arn] = why


def _finished(
    groups: Mapping[str, _Group],
    resources: Mapping[str, Resource],
    relations: Iterable[Relation],
    home: Mapping[str, str],
) -> tuple[dict[str, System], dict[str, str]]:
    ids = _ids(groups)
    of_home = {arn: ids[key] for key, group in groups.items() for arn in group.why}
    system_of = {arn: of_home[where] for arn, where in home.items()}
    near: defaultdict[str, set[str]] = defaultdict(set)
    for one in relations:
        if one.kind == "alerts":
            continue
        for arn, other in ((one.source, one.target), (one.target, one.source)):
            if arn not in home and other in home:
                near[arn].add(system_of[other])
    system_of.update({arn: next(iter(found)) for arn, found in near.items() if len(found) == 1})
    members: defaultdict[str, list[str]] = defaultdict(list)
    for arn in resources:
        if arn in system_of:
            members[system_of[arn]].append(arn)
    made = {
        ids[key]: System(
            id=ids[key],
            name=group.name,
            reason=_summary(group.why.values()),
            members=tuple(sorted(members[ids[key]])),
            why=dict(sorted(group.why.items())),
        )
        for key, group in groups.items()
    }
    return {id: made[id] for id in sorted(made)}, dict(sorted(system_of.items()))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _ids(groups: Mapping[str, _Group]) -> dict[str, str]:
    """An id of plain letters for each group; equal ones are numbered in the order of the keys."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for key in sorted(groups):
        plain = re.sub(r"[^a-z0-9]+", "-", key).strip("-") or "system"
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name)
        found[key] = f"system:{name}"
    return found


def _summary(reasons: Iterable[str]) -> str:
    """All distinct reasons with how many parts each holds for, most first."""
    counts = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    if len(counts) == 1:
        return counts[0][0]
    return "; ".join(f"{reason} ({many})" for reason, many in counts)
