"""Competing hypotheses weighed by evidence for and against; decides whether the run goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from langgraph.runtime import Runtime

from graph.cause import root_cause
from graph.context import Context
from graph.desk import Desk, desk
from graph.facts import Facts
from graph.models import EventKind, Hypothesis
from graph.nodes.planner import LOOKBACK_HOURS, next_look
from graph.refuting import question
from graph.state import State, Weighed
from graph.weighing import decide, in_time, leading, weigh
from graph.weighing.unexplained import may_come
from graph.words import say

USUAL = timedelta(minutes=15)
"""After so long CloudTrail has delivered nearly everything."""


def diagnosis(state: State, *, runtime: Runtime[Context]) -> Weighed:
    """Weigh, decide, and say when the next look is due if CloudTrail may still deliver the cause."""
    with desk(state, runtime, "diagnosis") as work:
        facts = Facts.of(state)
        ranked = weigh(facts)
        began, patience = datetime.fromisoformat(state["started"]), _patience(work.context)
        due = next_look(began, facts.as_of, patience)
        widest = state["furthest"] >= LOOKBACK_HOURS[-1]
        decision = decide(facts, ranked, may_wait=due is not None, widest=widest)
        if decision.verdict == "root_cause" and due is not None and may_come(facts, leading(ranked)):
            decision = replace(decision, settled=False)
        if widest:  # what CloudTrail usually delivers is there: looks at everything once more are few
            due = next_look(began, max(facts.as_of, began + USUAL), patience) or due
        asked = question(facts, ranked) if decision.verdict in ("root_cause", "not_found") else None
        _tell(work, ranked)
        causes = [
            root_cause(facts, one) for one in in_time(facts, leading(ranked)) if decision.leader is not None
        ]
        for cause in causes:
            work.tell("root_cause", "{text}", text=cause.statement.text, evidence=cause.statement.evidence)
        return Weighed(
            hypotheses=[item.model_dump(mode="json") for item in ranked],
            verdict=decision.verdict,
            settled=decision.settled,
            next_look=due.isoformat() if due and not decision.settled else None,
            question=asked.model_dump(mode="json") if asked else None,
            root_cause=causes[0].model_dump(mode="json") if causes else None,
            also=[cause.model_dump(mode="json") for cause in causes[1:]],
            **work.findings(),
        )


def _patience(context: Context) -> int:
    return context.max_wait_minutes if context.wait else 2


def _tell(work: Desk, ranked: tuple[Hypothesis, ...]) -> None:
    for item in ranked[:4]:
        kind: EventKind = "ruled_out" if item.status == "ruled_out" else "hypothesis"
        work.tell(
            kind,
            "{percent}: {title}",
            percent=say("{n} %", n=round(100 * item.probability))
            if item.probability >= 0.01
            else say("under 1 %"),
            title=item.title,
            evidence=[one for test in item.tests for one in test.statement.evidence][:4],
        )


def after_diagnosis(state: State) -> Literal["planner", "mitigation"]:
    """Read what tells two rivals apart; widen while nothing explains the symptom; else go on to the plan."""
    if state.get("question"):
        return "planner"
    can_widen = state["furthest"] < LOOKBACK_HOURS[-1] and state.get("trail_visible", True)
    return "planner" if state["verdict"] == "not_found" and can_widen else "mitigation"
