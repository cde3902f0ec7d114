"""Time: a cause precedes its symptom, by about as long as its mechanism takes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from graph.claims import event_claims, setting_claim, statement
from graph.facts import Facts, SettingStep
from graph.models import Hypothesis, TestResult
from graph.weighing.mechanism import matching_effects
from graph.weighing.moves import event_of, step_of, whole
from graph.weights import WEIGHTS
from graph.words import stamp
from tools.models import Claim, Onset

_MOMENT = 60.0
"""Seconds: no effect is known to come sooner than within a minute."""
_HOURS = 7200.0


def span(seconds: float) -> str:
    """A duration for people: `29 s`, `4 min`, `26 h`."""
    seconds = max(0.0, seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


def onset_claims(facts: Facts, onset: Onset) -> tuple[Claim, ...]:
    """The onset interval as a claim on the symptom's metric."""
    return _moment_claim(facts, "onset", onset.earliest, onset.latest)


def end_claims(facts: Facts, onset: Onset) -> tuple[Claim, ...]:
    """The end of the symptom, known to one period."""
    metric = facts.incident.metric
    if onset.ended is None or metric is None:
        return ()
    return _moment_claim(facts, "end", onset.ended - timedelta(seconds=metric.period), onset.ended)


def _moment_claim(facts: Facts, how: str, start: datetime, end: datetime) -> tuple[Claim, ...]:
    metric = facts.incident.metric
    if metric is None:
        return ()
    return (
        Claim(
            kind="metric",
            subject=facts.incident.resource,
            field=f"{metric.namespace}/{metric.name}/{metric.stat}",
            value=end.isoformat(),
            start=start,
            end=end,
            how=how,
            dimensions=metric.dimensions,
        ),
    )


def time(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Did it come before the onset, and does the lag fit?"""
    event, step = event_of(facts, hypothesis), step_of(facts, hypothesis)
    if event is None and step is None:
        return None
    evidence = event.evidence if event else step.step.evidence if step else ()
    if facts.onset is None:
        said = statement(
            "the symptom's metric shows no beginning that a change could have caused", evidence=evidence
        )
        return TestResult(test="time", weight=WEIGHTS["time.no_onset"], statement=said)
    if event is not None:
        return _event_time(facts, hypothesis, event.time, evidence, event_claims(event)[1:2])
    assert step is not None
    return _step_time(facts, step, evidence)


def _event_time(
    facts: Facts,
    hypothesis: Hypothesis,
    moment: datetime,
    evidence: tuple[str, ...],
    claims: tuple[Claim, ...],
) -> TestResult:
    onset = facts.onset
    assert onset is not None
    least, most = (onset.earliest - moment).total_seconds(), (onset.latest - moment).total_seconds()
    about = (*claims, *onset_claims(facts, onset))
    if most < 0:
        said = statement(
            "made at {time}, {after} after the symptom began", evidence=evidence, claims=about,
            time=stamp(moment), after=span(-most),
        )  # fmt: skip
        return TestResult(test="time", weight=WEIGHTS["time.after_onset"], statement=said)
    said = statement(
        "{least} to {most} before the onset",
        evidence=evidence,
        claims=about,
        least=span(least),
        most=span(most),
    )
    return TestResult(
        test="time", weight=_lag_weight(facts, hypothesis, max(0.0, least), most), statement=said
    )


def _lag_weight(facts: Facts, hypothesis: Hypothesis, least: float, most: float) -> float:
    windows = [effect.after for effect in matching_effects(facts, hypothesis)]
    if windows:
        if any(low <= most and least <= high for low, high in windows):
            return WEIGHTS["time.fits_mechanism"]
        if all(least > high for _, high in windows):
            return _slower(least, max(_MOMENT, *(high for _, high in windows)))
        return WEIGHTS["time.same_hours"]
    if least <= 900:
        return WEIGHTS["time.soon"]
    if least <= _HOURS:
        return WEIGHTS["time.same_hours"]
    return WEIGHTS["time.same_day"] if least <= 86400 else WEIGHTS["time.long_before"]


def _slower(lag: float, most: float) -> float:
    """For a lag of more seconds than the mechanism takes at most: caches, pools, demand and retries delay effects, so
    that such a lag speaks ever less for it, by each doubling. Within hours it is no proof against it."""
    doublings = math.log2(max(1.0, lag / most))
    late = WEIGHTS["time.fits_mechanism"] + WEIGHTS["time.each_doubling_slower"] * doublings
    least = "time.much_slower" if lag <= _HOURS else "time.hours_slower"
    return round(max(WEIGHTS[least], late), 4)


def _step_time(facts: Facts, found: SettingStep, evidence: tuple[str, ...]) -> TestResult:
    onset, step = facts.onset, found.step
    assert onset is not None
    values = (
        setting_claim(found.resource, found.setting, whole(step.before), step.earliest),
        setting_claim(found.resource, found.setting, whole(step.after), step.latest),
    )
    late = step.earliest > onset.latest
    soon = (onset.earliest - step.latest).total_seconds() <= 3600
    said = statement(
        "its own metric stepped between {earliest} and {latest}, after the symptom began"
        if late
        else "its own metric stepped between {earliest} and {latest}",
        evidence=evidence,
        claims=(*values, *onset_claims(facts, onset)),
        earliest=stamp(step.earliest),
        latest=stamp(step.latest),
    )
    key = "time.after_onset" if late else "time.step_before_onset" if soon else "time.same_day"
    return TestResult(test="time", weight=WEIGHTS[key], statement=said)
