"""The smallest reversal of the very cause."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.afterwards import afterwards
from graph.context import Context
from graph.desk import Desk, desk
from graph.drift import drift
from graph.facts import Facts
from graph.models import RootCause
from graph.plan_several import plan_for
from graph.state import Remedy, State
from tools.models import Statement


def mitigation(state: State, *, runtime: Runtime[Context]) -> Remedy:
    """Plan as calls; opsleuth never runs them."""
    with desk(state, runtime, "mitigation") as work:
        facts = Facts.of(state)
        cause = RootCause.model_validate(state["root_cause"]) if state.get("root_cause") else None
        also = tuple(RootCause.model_validate(one) for one in state.get("also") or ())
        made = plan_for(facts, cause, also, recovered=state["verdict"] == "recovered")
        if made is not None and (drifts := _drifts(work, facts, (cause, *also))):
            made = made.model_copy(update={"mind": (*made.mind, *drifts)})
        if made is not None and cause is not None:
            made = made.model_copy(update={"afterwards": afterwards(facts, cause)})
        if made is not None:
            work.tell("mitigation", "{summary}", summary=made.summary)
        return Remedy(mitigation=made.model_dump(mode="json") if made else None, **work.findings())


def _drifts(work: Desk, facts: Facts, causes: tuple[RootCause | None, ...]) -> tuple[Statement, ...]:
    """Where templates declare something else than what is put back."""
    found = []
    for cause in causes:
        resource = facts.resource(cause.resource) if cause is not None else None
        setting = facts.setting(cause.resource, cause.field) if cause is not None else None
        if cause is not None and cause.prior_known and resource is not None and setting is not None:
            with work.reader.seeing(
                f"templates of account {resource.account}", f"what declares {resource.name}"
            ):
                found.append(drift(work.reader.at(resource.account), resource, setting, cause.prior_value))
    return tuple(one for one in found if one is not None)
