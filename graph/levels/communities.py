"""Louvain communities, as networkx finds them, over plain lists: on a large map the search is most of the drawing.

Every step is networkx's, in its order and with its random numbers, so that the communities are the same (a test
compares them).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from random import Random

_Near = list[dict[int, float]]
"""For each node its neighbours with the weights of the edges; itself among them when it stands for several nodes."""

_LEAST_GAIN = 1e-7  # of modularity, below which another round is not worth it


def communities(
    nodes: Sequence[str], edges: Iterable[tuple[str, str, float]], seed: int = 1
) -> tuple[list[list[str]], float]:
    """Nodes that have more to do with each other than with others, and the modularity of this partition.

    `edges`: each pair once, both ends different and among `nodes`. The same order gives the same communities.
    """
    place = {node: number for number, node in enumerate(nodes)}
    near: _Near = [{} for _ in nodes]
    for a, b, weight in edges:
        near[place[a]][place[b]] = weight
        near[place[b]][place[a]] = weight
    found = [[node] for node in nodes]
    if not any(near):
        return found, 0.0
    degrees = _degrees(near)
    size = sum(degrees) / 2
    before = _modularity(near, degrees, range(len(near)))
    random = Random(seed)
    of, moved = _moved(near, degrees, size, random)
    while True:
        reached = _modularity(near, degrees, of)
        found = _together(found, of)
        if not moved or reached - before <= _LEAST_GAIN:
            return found, reached
        before = reached
        near = _lumped(near, of)
        degrees = _degrees(near)
        of, moved = _moved(near, degrees, size, random)


def _degrees(near: _Near) -> list[float]:
    """Each node's weights in all; an edge to itself has two ends there."""
    return [sum(around.values()) + around.get(node, 0) for node, around in enumerate(near)]


def _modularity(near: _Near, degrees: Sequence[float], of: Sequence[int]) -> float:
    inside: defaultdict[int, float] = defaultdict(float)
    ends: defaultdict[int, float] = defaultdict(float)
    for node, around in enumerate(near):
        own = of[node]
        ends[own] += degrees[node]
        for other, weight in around.items():
            if other >= node and of[other] == own:
                inside[own] += weight
    every = sum(degrees)
    return sum(inside[one] / (every / 2) - (ends[one] / every) ** 2 for one in ends)


def _moved(near: _Near, degrees: Sequence[float], size: float, random: Random) -> tuple[list[int], bool]:
    """Each node's community after nodes went, one by one, where modularity gains most, until none does."""
    of, total = list(range(len(near))), list(degrees)
    order = list(of)
    random.shuffle(order)
    others = [[(v, weight) for v, weight in around.items() if v != u] for u, around in enumerate(near)]
    square = 2 * size**2
    moved, moves = False, True
    while moves:
        moves = False
        for node in order:
            own, degree = of[node], degrees[node]
            weights: defaultdict[int, float] = defaultdict(float)
            for other, weight in others[node]:
                weights[of[other]] += weight
            total[own] -= degree
            leaving = -weights[own] / size + (total[own] * degree) / square
            best, most = own, 0.0
            for one, weight in weights.items():
                gain = leaving + weight / size - (total[one] * degree) / square
                if gain > most:
                    best, most = one, gain
            total[best] += degree
            if best != own:
                of[node] = best
                moved = moves = True
    number = {one: count for count, one in enumerate(sorted(set(of)))}
    return [number[one] for one in of], moved


def _together(found: Sequence[list[str]], of: Sequence[int]) -> list[list[str]]:
    made: list[list[str]] = [[] for _ in range(max(of) + 1)]
    for members, one in zip(found, of, strict=True):
        made[one] += members
    return made


def _lumped(near: _Near, of: Sequence[int]) -> _Near:
    """The graph whose nodes are communities."""
    made: _Near = [{} for _ in range(max(of) + 1)]
    for node, around in enumerate(near):
        for other, weight in around.items():
            if other >= node:
                a, b = of[node], of[other]
                made[a][b] = made[b][a] = weight + made[a].get(b, 0)
    return made
