"""The four levels of a map: systems, containers, components, all resources. Pure: facts in, views out.

`chart(resources, relations)` places every resource once; `view(atlas, level)` lifts the relations to one level;
`blast_radius` and `failure_path` follow a fault. Equal facts in any order give equal results.
"""

from __future__ import annotations

from graph.levels.placing import rank_of
from graph.levels.reach import Blast, Reached, Step, blast_radius, failure_path
from graph.levels.shapes import LEVELS, Atlas, Level, Link, Node, System, View, Watch, worst
from graph.levels.views import around_only, chart, view

__all__ = [
    "LEVELS",
    "Atlas",
    "Blast",
    "Level",
    "Link",
    "Node",
    "Reached",
    "Step",
    "System",
    "View",
    "Watch",
    "around_only",
    "blast_radius",
    "chart",
    "failure_path",
    "rank_of",
    "view",
    "worst",
]
