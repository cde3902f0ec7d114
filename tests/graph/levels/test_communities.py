"""Communities are those that networkx's Louvain finds: the same steps, at less cost."""

from __future__ import annotations

import networkx
from hypothesis import given
from hypothesis import strategies as st
from networkx.algorithms.community import louvain_communities, modularity

from graph.levels.communities import communities

Edges = dict[tuple[int, int], float]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str, float]]]:
    """Nodes in groups of six, most edges within a group, weights as relations have them."""
    count = draw(st.integers(1, 40))
    place = st.integers(0, count - 1)
    found: Edges = {}
    for a, b, near, weight in draw(
        st.lists(
            st.tuples(place, place, st.booleans(), st.sampled_from([0.5, 0.6, 0.85, 0.97, 1.0, 2.57])),
            max_size=90,
        )
    ):
        other = min(count - 1, a // 6 * 6 + b % 6) if near else b
        if a != other:
            found[min(a, other), max(a, other)] = weight
    nodes = [f"node-{number:02}" for number in range(count)]
    return nodes, [(nodes[a], nodes[b], weight) for (a, b), weight in sorted(found.items())]


@given(graphs())
def test_the_same_as_networkx(made: tuple[list[str], list[tuple[str, str, float]]]) -> None:
    nodes, edges = made
    graph: networkx.Graph[str] = networkx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_weighted_edges_from(edges)
    found, reached = communities(nodes, edges)
    known = louvain_communities(graph, weight="weight", seed=1)
    assert sorted(map(sorted, found)) == sorted(map(sorted, known))
    if edges:
        assert abs(reached - modularity(graph, map(set, found), weight="weight")) < 1e-9


def test_two_rings_with_a_bridge_are_two() -> None:
    rings = [[f"{ring}{number}" for number in range(6)] for ring in "ab"]
    edges = [(ring[here], ring[(here + 1) % 6], 1.0) for ring in rings for here in range(6)]
    found, reached = communities([*rings[0], *rings[1]], [*edges, ("a0", "b0", 0.5)])
    assert sorted(map(sorted, found)) == rings
    assert reached > 0.4


def test_without_edges_each_is_alone() -> None:
    assert communities(["a", "b"], []) == ([["a"], ["b"]], 0.0)
