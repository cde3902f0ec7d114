"""Where a fault travels: failures go back to those who call, silence goes on to those who are fed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from graph.levels.shapes import Atlas
from tools.models import Relation

How = Literal["fails", "starves"]
_NOT_REQUESTS = frozenset({"watches", "alerts"})
_NOT_NEEDED = frozenset({"watches", "alerts", "logs to"})
"""Relations whose target may fail without their source noticing."""
_WAYS = frozenset({"in", "routed by", "filtered by", "routes to", "served by", "set up by", "guarded by"})
"""Relations of a network: what fails in them fails for all who lie in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A resource that a fault reaches, over how many relations, and from which resource it comes there."""

    arn: str
    steps: int
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """What a fault of `arn` can break. `fails`: it calls or relies on it; `starves`: it is fed by it."""

    arn: str
    fails: tuple[Reached, ...]  # nearest first
    starves: tuple[Reached, ...]
    systems: tuple[str, ...]  # ids of the systems of all of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a fault from `before` to `after`, along which relation, and how it shows there."""

    before: str
    after: str
    how: How
    relation: Relation


def blast_radius(atlas: Atlas, arn: str) -> Blast:
    """Everything that a fault of a resource can reach, each by its shortest way. Empty for an unknown ARN."""
    fails = _spread(arn, _steps(atlas, "fails")) if arn in atlas.resources else {}
    starves = _spread(arn, _steps(atlas, "starves")) if arn in atlas.resources else {}
    reached = {other for other in (*fails, *starves) if other != arn}
    return Blast(
        arn=arn,
        fails=_reached(fails, arn),
        starves=tuple(one for one in _reached(starves, arn) if one.arn not in fails),
        systems=tuple(sorted({atlas.system_of[other] for other in reached if other in atlas.system_of})),
    )


def failure_path(atlas: Atlas, cause: str, symptom: str) -> tuple[Step, ...]:
    """The shortest way of a fault from cause to symptom: as failure, else as silence. Empty when there is none."""
    if cause not in atlas.resources or symptom not in atlas.resources or cause == symptom:
        return ()
    ways: tuple[How, ...] = ("fails", "starves")
    for how in ways:
        steps = _steps(atlas, how)
        found = _spread(cause, steps, until=symptom)
        if symptom not in found:
            continue
        path = [symptom]
        while path[-1] != cause:
            path.append(found[path[-1]][1])
        path.reverse()
        told = []
        for before, after in pairwise(path):
            relation = next(one for other, one in steps[before] if other == after)
            told.append(Step(before=before, after=after, how=how, relation=relation))
        return tuple(told)
    return ()


def _steps(atlas: Atlas, how: How) -> Mapping[str, list[tuple[str, Relation]]]:
    """ARN -> where a fault goes next and along which relation, surest first."""
    found: defaultdict[str, list[tuple[str, Relation]]] = defaultdict(list)
    for one in atlas.relations:
        source, target = atlas.rank[one.source] == "other", atlas.rank[one.target] == "other"
        if how == "fails" and one.kind not in _NOT_NEEDED:
            # A role does not fail with what it may use, nor those who share it.
            if not source or target or one.kind in _WAYS:
                found[one.target].append((one.source, one))
        elif how == "starves" and one.kind not in _NOT_REQUESTS and not source and not target:
            found[one.source].append((one.target, one))
    for steps in found.values():
        steps.sort(key=lambda step: (-step[1].confidence, step[0], step[1].kind))
    return found


def _spread(
    start: str, steps: Mapping[str, Iterable[tuple[str, Relation]]], until: str = ""
) -> dict[str, tuple[int, str]]:
    """Everything reached -> how far, from where; breadth first, so each way is a shortest one."""
    found, ring, far = {start: (0, "")}, [start], 0
    while ring and until not in found:
        far += 1
        following: list[str] = []
        for arn in ring:
            for other, _ in steps.get(arn, ()):
                if other not in found:
                    found[other] = (far, arn)
                    following.append(other)
        ring = following
    return found


def _reached(found: Mapping[str, tuple[int, str]], start: str) -> tuple[Reached, ...]:
    made = (Reached(arn=arn, steps=far, via=via) for arn, (far, via) in found.items() if arn != start)
    return tuple(sorted(made, key=lambda one: (one.steps, one.arn)))
