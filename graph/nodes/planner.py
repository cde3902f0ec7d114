"""What to look at, how far, how wide, why; stops the loop."""

from __future__ import annotations

from datetime import datetime, timedelta

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import Desk, desk
from graph.models import Incident
from graph.refuting import Question
from graph.state import Course, State, load
from graph.words import say, stamp

COLLECTORS = ("forensics", "logs", "metrics")
LOOKBACK_HOURS = (2, 24, 72, 336)
"""How many hours before the onset all changes are read, wider each time that nothing explains the symptom. Two weeks
are for what waits: a certificate that was not renewed, a limit that traffic grew into, a credential that runs out."""
RADIUS, WIDEST_RADIUS = 3, 4
"""Relations from the symptom that count as near; with the last look back the further ones do too."""


def planner(state: State, *, runtime: Runtime[Context]) -> Course:
    """Open the next round: the first look, a wider one, or a later one."""
    with desk(state, runtime, "planner") as work:
        done = state.get("round") or 0
        work.round = done + 1
        if not done:
            return _first(work, state)
        if state.get("question"):
            return _refuting(work, state, load(Question, state["question"]))
        due = state.get("next_look")
        return _later(work, state, datetime.fromisoformat(due)) if due else _wider(work, state)


def _first(work: Desk, state: State) -> Course:
    incident = Incident.model_validate(state["incident"])
    work.tell(
        "planning",
        "Look at {name} and what it relies on; at changes since {hours} h before the onset; at logs and metrics.",
        name=incident.resource.rsplit(":", 1)[-1],
        hours=LOOKBACK_HOURS[0],
    )
    return _course(work, state, work.aws.as_of, LOOKBACK_HOURS[0], list(COLLECTORS))


def _refuting(work: Desk, state: State, asked: Question) -> Course:
    work.tell(
        "planning",
        "Two causes are left: {one}; {other}. Before either is named: read {what}.",
        one=asked.between[0],
        other=asked.between[1],
        what=", ".join(
            (
                *(arn.rsplit(":", 1)[-1] for arn in asked.resources),
                *asked.log_groups,
                *([say("the symptom by the minute")] if asked.finer else ()),
            )
        ),
    )
    return _course(
        work,
        state,
        work.aws.as_of,
        state["lookback"],
        list(asked.tasks),
        asked.asks,
    )


def _wider(work: Desk, state: State) -> Course:
    hours = next((item for item in LOOKBACK_HOURS if item > state["lookback"]), LOOKBACK_HOURS[-1])
    if hours == LOOKBACK_HOURS[-1]:
        work.tell(
            "planning",
            "Nothing explains the symptom yet: look at all changes since {days} days before, and one relation further.",
            days=hours // 24,
        )
        return _course(work, state, work.aws.as_of, hours, list(COLLECTORS))
    work.tell(
        "planning",
        "Nothing explains the symptom yet: look at all changes since {hours} h before.",
        hours=hours,
    )
    return _course(work, state, work.aws.as_of, hours, ["forensics"])


def _later(work: Desk, state: State, due: datetime) -> Course:
    """Wait on the run's clock, then look again at what can have changed."""
    work.tell("planning", "CloudTrail is not complete yet. Next look {due}.", due=stamp(due))
    work.aws.clock.sleep_until(due)
    work.aws.as_of = due
    # Lines may have been late for the first look; later new ones come only as the incident goes on.
    again = due - datetime.fromisoformat(state["started"]) in map(_minutes, LOG_LOOKS)
    tasks = list(COLLECTORS) if again else ["forensics", "metrics"]
    # What came late is recent: two weeks are read once only.
    return _course(work, state, due, min(state["lookback"], LOOKBACK_HOURS[-2]), tasks)


def _course(
    work: Desk,
    state: State,
    as_of: datetime,
    lookback: int,
    tasks: list[str],
    questioned: tuple[str, ...] = (),
) -> Course:
    furthest = max(lookback, state.get("furthest") or 0)
    return Course(
        round=work.round,
        as_of=as_of.isoformat(),
        lookback=lookback,
        furthest=furthest,
        radius=WIDEST_RADIUS if furthest >= LOOKBACK_HOURS[-1] else RADIUS,
        questioned=[*(state.get("questioned") or ()), *questioned],
        tasks=tasks,
        notes=state.get("notes") or [],
        **work.findings(),
    )


LOOKS = (2, 5, 10, 15, 25, 40, 60, 90)
"""Minutes after the first look at which the run looks again while CloudTrail may still deliver."""

LOG_LOOKS = (2, 25, 90)
"""Those of LOOKS that read the logs again: what broke since has written lines of its own. It costs many calls."""


def _minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def next_look(started: datetime, as_of: datetime, most_minutes: int) -> datetime | None:
    """The next look after `as_of`, or None when the patience of the run is used up."""
    for minutes in LOOKS:
        due = started + timedelta(minutes=minutes)
        if due > as_of and minutes <= most_minutes:
            return due
    return None
