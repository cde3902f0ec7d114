"""The smallest reversal of the very cause."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import desk
from graph.facts import Facts
from graph.models import RootCause
from graph.plan_several import plan_for
from graph.state import Remedy, State


def mitigation(state: State, *, runtime: Runtime[Context]) -> Remedy:
    """Plan as calls; opsleuth never runs them."""
    with desk(state, runtime, "mitigation") as work:
        facts = Facts.of(state)
        cause = RootCause.model_validate(state["root_cause"]) if state.get("root_cause") else None
        also = tuple(RootCause.model_validate(one) for one in state.get("also") or ())
        made = plan_for(facts, cause, also, recovered=state["verdict"] == "recovered")
        if made is not None:
            work.tell("mitigation", "{summary}", summary=made.summary)
        return Remedy(mitigation=made.model_dump(mode="json") if made else None, **work.findings())
