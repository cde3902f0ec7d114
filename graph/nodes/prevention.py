"""At least one measure for every incident, human error too, tried on what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from langgraph.runtime import Runtime

from graph.backtest import DAYS, History, alarm_of, needs_days, tried, window_of
from graph.backtest_alarm import COARSE, Trial
from graph.backtest_rules import CannotTry
from graph.context import Context
from graph.desk import Desk, desk
from graph.facts import Facts
from graph.models import Mitigation, Prevention, RootCause
from graph.prevent import measures, proposals
from graph.state import Lesson, State
from tools.clock import floor
from tools.metrics import series
from tools.models import Metric, Series, Window


def prevention(state: State, *, runtime: Runtime[Context]) -> Lesson:
    """Measures with artefacts. Alarms are tried on their metric: finely around the incident, by the hour before."""
    with desk(state, runtime, "prevention") as work:
        cause = RootCause.model_validate(state["root_cause"]) if state.get("root_cause") else None
        plan = Mitigation.model_validate(state["mitigation"]) if state.get("mitigation") else None
        facts = Facts.of(state)
        made = proposals(facts, cause)
        tested = [*tried(facts, cause, made, plan, _histories(work, facts, cause, made))]
        for other in (RootCause.model_validate(one) for one in state.get("also") or ()):
            more = [one for one in measures(facts, other) if one not in made]
            tested += tried(facts, other, more, plan, _histories(work, facts, other, more))
        for item in tested:
            work.tell("prevention", "{title}", title=item.title)
        return Lesson(prevention=[item.model_dump(mode="json") for item in tested], **work.findings())


def _histories(
    work: Desk, facts: Facts, cause: RootCause | None, made: Sequence[Prevention]
) -> dict[int, History]:
    """The history of each alarm's metric, by the measure's place; without what could not be read."""
    found: dict[int, History] = {}
    for place, measure in enumerate(made):
        alarm, window = alarm_of(measure), window_of(facts, cause, measure)
        if alarm is None or window is None:
            continue
        fine = _read(work, alarm.metric, window)
        if fine is not None and fine.metric.period == alarm.metric.period:
            coarse = _days_before(work, facts, alarm) if needs_days(facts, measure) else None
            found[place] = History(fine=fine, coarse=coarse)
    return found


def _days_before(work: Desk, facts: Facts, alarm: Trial) -> Series | None:
    end = floor(facts.as_of, COARSE)
    try:
        return _read(work, alarm.coarse(), Window(start=end - timedelta(days=DAYS), end=end))
    except CannotTry:
        return None


def _read(work: Desk, metric: Metric, window: Window) -> Series | None:
    read: dict[Metric, Series] = {}
    with work.reader.seeing("the metric of a proposed alarm", "when that alarm would have fired"):
        read = series(work.reader, [metric], window)
    return read.get(metric)
