"""All tests over all hypotheses, sums to probabilities, probabilities to a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from graph.claims import statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult, Verdict
from graph.weighing import special
from graph.weighing.coincidence import coincidence
from graph.weighing.concerns import concerns
from graph.weighing.dose import below_demand, dose
from graph.weighing.generate import hypotheses
from graph.weighing.mechanism import explains, mechanism, together
from graph.weighing.moves import event_of, step_of
from graph.weighing.program import program
from graph.weighing.season import season
from graph.weighing.shown import most_shown
from graph.weighing.source import source
from graph.weighing.undone import undone
from graph.weighing.when import time
from graph.weighing.where import path, topology
from graph.weighing.witness import companions, logs
from graph.weights import LIKELY, PROVEN, RULED_OUT, WEIGHTS
from tools.catalogue import change_of

GIVE_UP = timedelta(minutes=90)
"""How long after the onset a change is still awaited in CloudTrail when other evidence proves it, or when nothing else
explains the symptom. One project measured an event that was absent after 25 minutes and present by 85."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the weighing comes to. `settled` is False while CloudTrail may still deliver the cause."""

    verdict: Verdict
    leader: Hypothesis | None
    settled: bool


def weigh(facts: Facts) -> tuple[Hypothesis, ...]:
    """The hypotheses of these facts with tests and probabilities, likeliest first."""
    weighed = [
        item.model_copy(
            update={"tests": tuple(_tests(facts, item)), "path": path(facts, item) if item.resource else ()}
        )
        for item in hypotheses(facts)
    ]
    scores = [WEIGHTS[_start(item)] + item.weight for item in weighed]
    top = max(scores)
    shares = [math.exp(score - top) for score in scores]
    total = sum(shares)
    ranked = sorted(
        _folded(facts, list(zip(weighed, shares, strict=True))), key=lambda pair: (-pair[1], pair[0].id)
    )
    return tuple(
        item.model_copy(
            update={
                "probability": round(min(most_shown(item), share / total), 4),
                "status": _status(place, item, share / total),
            }
        )
        for place, (item, share) in enumerate(ranked)
    )


def _folded(facts: Facts, pairs: list[tuple[Hypothesis, float]]) -> list[tuple[Hypothesis, float]]:
    """Settings that one event moved together, and that explain the symptom alike, are one hypothesis: the strongest.

    Apart they would share the event's probability and none of them would be sure.
    """
    kept: list[tuple[Hypothesis, float]] = []
    for item, share in sorted(pairs, key=lambda pair: (-pair[1], pair[0].id)):
        same = next((n for n, (other, _) in enumerate(kept) if _goes_with(facts, other, item)), None)
        if same is None:
            kept.append((item, share))
        else:
            kept[same] = (kept[same][0], kept[same][1] + share)
    return kept


def _goes_with(facts: Facts, leader: Hypothesis, item: Hypothesis) -> bool:
    alike = (leader.kind, leader.event, leader.resource) == (item.kind, item.event, item.resource)
    return (
        alike
        and bool(item.event)
        and explains(facts, leader)
        and item.setting in {what.setting.path for what in together(facts, leader)}
    )


def _status(place: int, item: Hypothesis, share: float) -> Literal["leading", "possible", "ruled_out"]:
    if place == 0:
        return "leading"
    # What cannot be seen is never ruled out.
    return "ruled_out" if share < RULED_OUT and item.kind != "outside" else "possible"


def _start(hypothesis: Hypothesis) -> str:
    return f"start.{hypothesis.kind}" if f"start.{hypothesis.kind}" in WEIGHTS else "start.change"


def _tests(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    if hypothesis.kind == "outside":
        yield from special.outside(facts)
        return
    if hypothesis.kind == "alarm_changed":
        yield from special.alarm_changed(facts, hypothesis)
        yield from special.actor(facts, hypothesis)
        return
    if hypothesis.kind == "traffic":
        yield from special.traffic(facts, hypothesis)
        return
    for single in (time, topology, source, mechanism, coincidence, logs, program):
        result = single(facts, hypothesis)
        if result is not None:
            yield result
    yield from companions(facts, hypothesis)
    if hypothesis.kind == "condition":
        yield from special.condition(facts, hypothesis)
        yield from season(facts, hypothesis)
        yield from _no_symptom(facts)
        return
    yield from dose(facts, hypothesis)
    yield from special.reverted(facts, hypothesis)
    yield from undone(facts, hypothesis)
    yield from concerns(facts, hypothesis)
    yield from (
        special.actor(facts, hypothesis) if hypothesis.kind == "change" else special.unseen(facts, hypothesis)
    )


def _no_symptom(facts: Facts) -> Iterator[TestResult]:
    if facts.onset is None:
        yield TestResult(
            test="time",
            weight=WEIGHTS["time.no_onset"],
            statement=statement("the symptom's metric shows no beginning"),
        )


def decide(facts: Facts, ranked: tuple[Hypothesis, ...], *, may_wait: bool, widest: bool = False) -> Decision:
    """The verdict of a ranking. `may_wait` is False when no further look is allowed.

    `widest`: there is nothing further back to look at, so that only waiting can help now.
    """
    leader = ranked[0] if ranked and ranked[0].kind != "outside" else None
    strong = leader is not None and leader.probability >= LIKELY and not _only_reached(facts, leader)
    if facts.incident.quiet_since is not None:
        return Decision(verdict="recovered", leader=leader if strong else None, settled=True)
    if strong and leader is not None and leader.kind == "alarm_changed":
        return Decision(verdict="no_incident", leader=leader, settled=True)
    if _all_quiet(facts):
        return Decision(verdict="no_incident", leader=None, settled=True)
    awaited = _awaited(facts, leader if strong else None)
    strong = strong and not (awaited and _asker_unseen(facts, leader))
    if awaited and may_wait:
        return Decision(verdict="not_yet", leader=None, settled=False)
    if strong:
        return Decision(verdict="root_cause", leader=leader, settled=True)
    if may_wait and widest and _overdue(facts):
        return Decision(verdict="not_yet", leader=None, settled=False)
    return Decision(verdict="not_yet" if awaited else "not_found", leader=None, settled=not awaited)


def _only_reached(facts: Facts, leader: Hypothesis) -> bool:
    """A limit that an error text names was reached. That anybody moved it is a guess while nothing shows it: neither
    its own metric, nor that it now refuses what was served before.
    """
    return leader.kind == "setting" and step_of(facts, leader) is None and not below_demand(facts, leader)


def _all_quiet(facts: Facts) -> bool:
    """The alarm that was asked about is not red, and its metric shows no beginning of anything."""
    alarm = facts.incident.alarm
    return alarm is not None and alarm.state == "OK" and facts.onset is None


def _awaited(facts: Facts, leader: Hypothesis | None) -> bool:
    """May CloudTrail still deliver an event that would change the answer?"""
    if not facts.trail_visible or facts.complete_until is None or facts.onset is None:
        return False
    if leader is not None and (leader.kind == "setting" or _asker_unseen(facts, leader)):
        return facts.as_of < facts.onset.latest + GIVE_UP
    proven = leader is not None and leader.probability >= min(PROVEN, most_shown(leader))
    return not proven and facts.complete_until < facts.onset.latest


def _asker_unseen(facts: Facts, leader: Hypothesis | None) -> bool:
    """Whether it is a step of what somebody must have asked for, and no event says who: its actor is not to blame."""
    event = event_of(facts, leader) if leader is not None else None
    resource = facts.resource(leader.resource) if leader is not None else None
    known = change_of(event) if event is not None else None
    if event is None or resource is None or known is None or known.asked is None:
        return False
    return known.asked(event, resource)


def _overdue(facts: Facts) -> bool:
    """May an event still come that CloudTrail usually would have delivered by now?"""
    onset = facts.onset
    return facts.trail_visible and onset is not None and facts.as_of < onset.latest + GIVE_UP
