"""Resources around the symptom and their relations, from configuration."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import desk
from graph.models import Incident
from graph.state import State, Surroundings, dump_all
from tools.topology import around


def topology(state: State, *, runtime: Runtime[Context]) -> Surroundings | dict[str, object]:
    """Walk outward from the symptom. A later look goes by the same map, unless it is to look further."""
    if state.get("resources") and state["radius"] <= state.get("walked", 0):
        return {}
    with desk(state, runtime, "topology") as work:
        incident = Incident.model_validate(state["incident"])
        start = [incident.resource]
        if incident.alarm is not None and incident.alarm.arn != incident.resource:
            start.append(incident.alarm.arn)
        found = around(work.reader, start, radius=state["radius"])
        if len(found.resources) < len(state.get("resources") or ()):
            # Over budget: what an earlier look saw stays.
            return {"walked": state["radius"], **work.findings()}
        work.tell(
            "observation",
            "{resources} resources and {relations} relations around {name}.",
            resources=len(found.resources),
            relations=len(found.relations),
            name=incident.resource.rsplit(":", 1)[-1],
        )
        return Surroundings(
            resources=dump_all(found.resources),
            relations=dump_all(found.relations),
            topology_truncated=found.truncated,
            walked=state["radius"],
            **work.findings(),
        )
