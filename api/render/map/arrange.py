"""Where boxes go: layers from left to right along the links, few crossings, no overlaps. Deterministic.

Sugiyama's four steps, kept simple: break cycles, layer by longest way, order by the middle of the neighbours, place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_SWEEPS = 6
_BETWEEN, _ROW_GAP = 92.0, 18.0
_WIDEST = 4  # layers that any picture may have, besides two for each row of a square
_MOST_BENDS = 4000  # beyond, long links are drawn straight


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A box's left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """Boxes by id, bends of long links by (source, target) both ways, and the size of it all."""

    places: Mapping[str, Place]
    bends: Mapping[tuple[str, str], tuple[tuple[float, float], ...]]
    width: float
    height: float


def arrange(sizes: Mapping[str, tuple[float, float]], links: Iterable[tuple[str, str]]) -> Arranged:
    """Place boxes of these sizes. Links to unknown boxes are left out. Boxes without a link go below, in rows."""
    pairs = sorted({(a, b) for a, b in links if a in sizes and b in sizes and a != b})
    joined = {id for pair in pairs for id in pair}
    loose = [id for id in sizes if id not in joined]
    down = _acyclic(sorted(joined), pairs)
    layer = _layers(sorted(joined), down)
    if max(layer.values(), default=0) > _WIDEST + 2 * len(layer) ** 0.5:
        layer = _steps_from_callers(sorted(joined), down)
        down = sorted({(a, b) if layer[a] <= layer[b] else (b, a) for a, b in down})
    chains, ring = _with_bends(down, layer)
    order = _ordered(layer, ring)
    known = {id: sizes.get(id, (0.0, 14.0)) for id in layer}
    places, width, height = _placed(order, ring, known)
    bends: dict[tuple[str, str], tuple[tuple[float, float], ...]] = {}
    for (a, b), chain in chains.items():
        points = tuple((places[id].x, places[id].y + places[id].height / 2) for id in chain)
        bends[a, b], bends[b, a] = points, points[::-1]
    real = {id: place for id, place in places.items() if id in sizes}
    return _with_loose(real, bends, width, height, loose, sizes)


def _acyclic(ids: Sequence[str], pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The links with those that close a cycle turned round."""
    onward: defaultdict[str, list[str]] = defaultdict(list)
    callers: defaultdict[str, int] = defaultdict(int)
    for a, b in pairs:
        onward[a].append(b)
        callers[b] += 1
    state: dict[str, int] = {}
    turned: set[tuple[str, str]] = set()
    for start in sorted(ids, key=lambda id: (callers[id], id)):
        stack = [(start, iter(onward[start]))] if start not in state else []
        if stack:
            state[start] = 1
        while stack:
            id, rest = stack[-1]
            for other in rest:
                if state.get(other) == 1:
                    turned.add((id, other))
                elif other not in state:
                    state[other] = 1
                    stack.append((other, iter(onward[other])))
                    break
            else:
                state[id] = 2
                stack.pop()
    return sorted({pair[::-1] if pair in turned else pair for pair in pairs})


def _layers(ids: Sequence[str], down: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The longest way from a box that nobody calls; then each as near to what it calls as it can be."""
    onward: defaultdict[str, list[str]] = defaultdict(list)
    waiting: defaultdict[str, int] = defaultdict(int)
    for a, b in down:
        onward[a].append(b)
        waiting[b] += 1
    found = dict.fromkeys(ids, 0)
    ready = [id for id in ids if not waiting[id]]
    done: list[str] = []
    while ready:
        id = ready.pop()
        done.append(id)
        for other in onward[id]:
            found[other] = max(found[other], found[id] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    for id in reversed(done):
        if onward[id]:
            found[id] = max(found[id], min(found[other] for other in onward[id]) - 1)
    return found


def _steps_from_callers(ids: Sequence[str], down: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The shortest way from a box that nobody calls. For dense circles, whose longest ways would be one long row."""
    near: defaultdict[str, list[str]] = defaultdict(list)
    called = set()
    for a, b in down:
        near[a].append(b)
        called.add(b)
    found: dict[str, int] = {}
    for start in [id for id in ids if id not in called]:
        found[start] = 0
    ring = list(found)
    while ring:
        following = []
        for id in ring:
            for other in near[id]:
                if other not in found:
                    found[other] = found[id] + 1
                    following.append(other)
        ring = following
    return found


def _with_bends(
    down: Sequence[tuple[str, str]], layer: dict[str, int]
) -> tuple[dict[tuple[str, str], list[str]], list[tuple[str, str]]]:
    """Links over several layers get a point in each; `layer` learns those points."""
    chains: dict[tuple[str, str], list[str]] = {}
    ring: list[tuple[str, str]] = []
    total = sum(max(0, layer[b] - layer[a] - 1) for a, b in down)
    for number, (a, b) in enumerate(down):
        if layer[b] - layer[a] < 2 or total > _MOST_BENDS:
            ring.append((a, b))
            continue
        chain = [f"\0{number}.{step}" for step in range(layer[a] + 1, layer[b])]
        for step, id in enumerate(chain, start=layer[a] + 1):
            layer[id] = step
        chains[a, b] = chain
        ring += list(zip([a, *chain], [*chain, b], strict=True))
    return chains, ring


def _ordered(layer: Mapping[str, int], ring: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Ids per layer from top to bottom."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    after: defaultdict[str, list[str]] = defaultdict(list)
    for a, b in ring:
        after[a].append(b)
        before[b].append(a)
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for id in sorted(layer):
        rows[layer[id]].append(id)
    at = {id: float(place) for row in rows for place, id in enumerate(row)}
    for sweep in range(_SWEEPS):
        near = before if sweep % 2 == 0 else after
        for row in rows if sweep % 2 == 0 else reversed(rows):
            middle = {id: _mean([at[other] for other in near[id]], at[id]) for id in row}
            row.sort(key=lambda id: (middle[id], at[id]))
            at.update({id: float(place) for place, id in enumerate(row)})
    return rows


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _placed(
    rows: Sequence[Sequence[str]], ring: Iterable[tuple[str, str]], sizes: Mapping[str, tuple[float, float]]
) -> tuple[dict[str, Place], float, float]:
    near: defaultdict[str, list[str]] = defaultdict(list)
    for a, b in ring:
        near[a].append(b)
        near[b].append(a)
    top: dict[str, float] = {}
    for row in rows:
        y = 0.0
        for id in row:
            top[id] = y
            y += sizes[id][1] + _ROW_GAP
    for _ in range(_SWEEPS):
        for row in rows:
            _settle(row, near, top, sizes)
    least = min(top.values(), default=0.0)
    places, x = {}, 0.0
    for row in rows:
        wide = max((sizes[id][0] for id in row), default=0.0)
        for id in row:
            width, height = sizes[id]
            # Points of long links pass in the middle of the column.
            left = x + (wide - width) / 2
            places[id] = Place(x=left, y=top[id] - least, width=width, height=height)
        x += wide + _BETWEEN
    high = max((place.y + place.height for place in places.values()), default=0.0)
    return places, max(0.0, x - _BETWEEN), high


def _settle(
    row: Sequence[str],
    near: Mapping[str, Sequence[str]],
    top: dict[str, float],
    sizes: Mapping[str, tuple[float, float]],
) -> None:
    """Move a layer's boxes towards the middle of their neighbours, in their order and without overlap."""
    wish = []
    for id in row:
        half = sizes[id][1] / 2
        middles = [top[other] + sizes[other][1] / 2 for other in near.get(id, ())]
        wish.append(_mean(middles, top[id] + half) - half)
    # Boxes that would overlap are pushed apart around the mean of what they wish (pool adjacent violators).
    blocks: list[tuple[float, float, list[str], float]] = []  # offset sum, count, ids, height
    for id, want in zip(row, wish, strict=True):
        block = (want, 1.0, [id], sizes[id][1] + _ROW_GAP)
        while blocks and blocks[-1][0] / blocks[-1][1] + blocks[-1][3] > block[0] / block[1]:
            total, count, ids, height = blocks.pop()
            block = (
                total + block[0] - height * block[1],
                count + block[1],
                [*ids, *block[2]],
                height + block[3],
            )
        blocks.append(block)
    for total, count, ids, _ in blocks:
        y = total / count
        for id in ids:
            top[id] = y
            y += sizes[id][1] + _ROW_GAP


def _with_loose(
    places: dict[str, Place],
    bends: Mapping[tuple[str, str], tuple[tuple[float, float], ...]],
    width: float,
    height: float,
    loose: Sequence[str],
    sizes: Mapping[str, tuple[float, float]],
) -> Arranged:
    """Boxes without links, in rows below the others, about as wide as they are."""
    if not loose:
        return Arranged(places=places, bends=bends, width=width, height=height)
    area = sum((sizes[id][0] + _ROW_GAP) * (sizes[id][1] + _ROW_GAP) for id in loose)
    most = max(width, (area * 2.2) ** 0.5, max(sizes[id][0] for id in loose))
    x, y, high, right = 0.0, height + (_ROW_GAP if places else 0.0), 0.0, width
    for id in loose:
        wide, tall = sizes[id]
        if x and x + wide > most:
            x, y, high = 0.0, y + high + _ROW_GAP, 0.0
        places[id] = Place(x=x, y=y, width=wide, height=tall)
        x, high, right = x + wide + _ROW_GAP, max(high, tall), max(right, x + wide)
    return Arranged(places=places, bends=bends, width=right, height=y + high)
