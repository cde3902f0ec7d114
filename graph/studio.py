"""The graph as LangGraph Studio loads it: no checkpointer of its own, every context field defaulted."""

from __future__ import annotations

from graph.build import build

graph = build()
