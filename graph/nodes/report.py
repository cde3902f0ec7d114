"""The account, from the pieces that the other nodes made."""

from __future__ import annotations

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import Desk, desk, run_id
from graph.facts import Facts
from graph.models import Statistics
from graph.reporting import compose
from graph.session import session
from graph.state import Account, State
from tools.models import Json


def report(state: State, *, runtime: Runtime[Context]) -> Account:
    """Compose the report; its revision grows only when the verdict or the cause is another one."""
    with desk(state, runtime, "report") as work:
        facts = Facts.of(state)
        revision = _revision(state)
        work.tell(
            "done" if state["settled"] else "observation",
            "{verdict}",
            verdict=state["verdict"].replace("_", " "),
        )
        found = work.findings()
        made = compose(facts, state, {**(state.get("timeline") or {}), **found["timeline"]}, revision)
        tokens = int((state.get("reading") or {}).get("tokens", 0))
        made = made.model_copy(update={"statistics": _statistics(work, run_id(runtime), tokens)})
        return Account(report=made.model_dump(mode="json"), revision=revision, **found)


def _revision(state: State) -> int:
    before = state.get("report")
    if not before:
        return 1
    cause = state.get("root_cause") or {}
    now = [cause, *(state.get("also") or [])]
    told = [before.get("root_cause") or {}, *before.get("also", [])]
    same = before["verdict"] == state["verdict"] and _events(told) == _events(now)
    return int(before["revision"]) + (0 if same else 1)


def _events(causes: list[Json]) -> list[str]:
    return [(cause.get("event") or {}).get("id", "") for cause in causes]


def _statistics(work: Desk, run: str, tokens: int) -> Statistics:
    opened = session(run, work.context)
    budget = opened.aws.budget
    return Statistics(
        seconds=round((work.aws.clock.now() - opened.start).total_seconds(), 3),
        calls=budget.calls,
        bytes=budget.bytes,
        model=work.context.model,
        tokens=tokens,
        aws_usd=round(
            sum(n for key, n in budget.calls.items() if key.endswith("GetMetricData")) * 0.00001, 6
        ),
        finished=work.aws.clock.now(),
    )
