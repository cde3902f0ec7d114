"""At least one measure for every incident, human error too."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import desk
from graph.facts import Facts
from graph.models import RootCause
from graph.prevent import preventions
from graph.state import Lesson, State


def prevention(state: State, *, runtime: Runtime[Context]) -> Lesson:
    """Measures with artefacts, tried on the events at hand."""
    with desk(state, runtime, "prevention") as work:
        cause = RootCause.model_validate(state["root_cause"]) if state.get("root_cause") else None
        made = preventions(Facts.of(state), cause)
        for item in made:
            work.tell("prevention", "{title}", title=item.title)
        return Lesson(prevention=[item.model_dump(mode="json") for item in made], **work.findings())
