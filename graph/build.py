"""Nodes and edges, nothing else."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.context import Context
from graph.nodes.diagnosis import after_diagnosis, diagnosis
from graph.nodes.forensics import forensics
from graph.nodes.intake import intake
from graph.nodes.logs import logs
from graph.nodes.metrics import metrics
from graph.nodes.mitigation import mitigation
from graph.nodes.planner import planner
from graph.nodes.prevention import prevention
from graph.nodes.report import report
from graph.nodes.topology import topology
from graph.state import Request, State

Compiled = CompiledStateGraph[State, Context, Any, Any]


def after_report(state: State) -> Literal["planner", "__end__"]:
    """Wait and look again while the verdict is provisional and somebody waits for it."""
    return "planner" if state.get("next_look") and not state["settled"] else "__end__"


def build(saver: BaseCheckpointSaver[Any] | None = None) -> Compiled:
    """The graph of an investigation. Without a saver (Studio brings its own) it cannot be resumed."""
    graph = StateGraph(State, context_schema=Context, input_schema=Request)
    graph.add_node("intake", intake)
    graph.add_node("planner", planner)
    graph.add_node("topology", topology)
    graph.add_node("forensics", forensics)
    graph.add_node("logs", logs)
    graph.add_node("metrics", metrics)
    graph.add_node("diagnosis", diagnosis)
    graph.add_node("mitigation", mitigation)
    graph.add_node("prevention", prevention)
    graph.add_node("report", report)
    graph.add_edge(START, "intake")
    graph.add_edge("intake", "planner")
    graph.add_edge("planner", "topology")
    for collector in ("forensics", "logs", "metrics"):
        graph.add_edge("topology", collector)
    graph.add_edge(["forensics", "logs", "metrics"], "diagnosis")  # join before routing
    graph.add_conditional_edges("diagnosis", after_diagnosis)
    graph.add_edge("mitigation", "prevention")
    graph.add_edge("prevention", "report")
    graph.add_conditional_edges("report", after_report, {"planner": "planner", "__end__": END})
    return graph.compile(checkpointer=saver, name="investigation")
