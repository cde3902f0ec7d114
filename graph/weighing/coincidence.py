"""Coincidence: where no mechanism is known, how likely is it that such a change only happened to come before the onset?

People change little. If the resources around the symptom saw two changes in an hour, that one of them falls into the
minute before the onset by chance is unlikely; that it falls into the last half hour is not.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from graph.claims import event_claims, statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weighing.mechanism import effects, moves_nothing
from graph.weighing.moves import event_of
from graph.weighing.when import onset_claims, span
from graph.weighing.where import bears
from graph.weights import WEIGHTS
from tools.cloudtrail import is_noise

_SLACK = 60.0
"""Seconds added to a lag: no onset is known better than that."""


def coincidence(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Speaks for a change near the symptom, of unknown effect, that came shortly before it, where changes are rare."""
    event, onset = event_of(facts, hypothesis), facts.onset
    if event is None or onset is None or hypothesis.kind != "change" or event.time > onset.latest:
        return None
    # The effects of a setting are known, also when it has none.
    if hypothesis.setting or moves_nothing(event) or effects(facts, hypothesis):
        return None
    if not bears(facts, hypothesis.resource):
        return None
    lag = max(0.0, (onset.earliest - event.time).total_seconds())
    chance = by_chance(changes_per_hour(facts), lag)
    weight = min(WEIGHTS["coincidence.most"], WEIGHTS["coincidence.scale"] * -math.log(chance))
    if weight < 0.1:
        return None
    said = statement(
        "changes around here are rare, and this one came within {lag} before the onset",
        evidence=event.evidence,
        claims=(*event_claims(event)[1:2], *onset_claims(facts, onset)),
        lag=span((onset.latest - event.time).total_seconds()),
    )
    return TestResult(test="coincidence", weight=round(weight, 4), statement=said)


def by_chance(per_hour: float, lag_seconds: float) -> float:
    """The chance that at least one of changes at this rate falls into the lag (a Poisson process), above 0."""
    return max(1e-6, 1.0 - math.exp(-per_hour * (lag_seconds + _SLACK) / 3600.0))


def changes_per_hour(facts: Facts) -> float:
    """How often the known resources are changed, by what is seen of the window before the onset; one at least.

    Calls that move nothing, such as tagging, are no candidates and do not count.
    """
    begin = _began(facts) - timedelta(hours=facts.lookback)
    seen = [
        event
        for event in facts.changes
        if begin <= event.time <= _began(facts)
        and not event.error_code
        and not is_noise(event)
        and not moves_nothing(event)
    ]
    return max(1, len(seen)) / max(1, facts.lookback)


def _began(facts: Facts) -> datetime:
    return facts.onset.latest if facts.onset else facts.as_of
