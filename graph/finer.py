"""When did the symptom begin, by the minute? Read once, where the order of a change and the symptom hangs on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from graph.desk import Desk
from graph.facts import Facts
from graph.models import Incident
from graph.refuting import MINUTE
from graph.weighing.mechanism import specs
from graph.words import stamp
from tools.clock import ceil, floor
from tools.metrics import cite_series, series
from tools.models import Onset, Series, Window
from tools.onset import onset
from tools.services._spec import Missing

BEFORE, AFTER = timedelta(hours=2), timedelta(minutes=30)
"""So much around the onset is read. A minute is the finest period of AWS's own metrics; where a service publishes every
five minutes only, the answer tells nothing new."""


def finer(work: Desk, facts: Facts) -> Incident | None:
    """The incident with a shorter onset interval, from its own metric by the minute; None when that tells no more."""
    metric, began = facts.incident.metric, facts.onset
    if metric is None or began is None or metric.period <= MINUTE:
        return None
    asked = replace(metric, period=MINUTE)
    window = Window(
        start=floor(began.earliest - BEFORE, metric.period),
        end=min(facts.as_of, ceil(began.latest + AFTER, metric.period)),
    )
    sooner: Incident | None = None
    with work.reader.seeing("the symptom's metric by the minute", "in which minute it began"):
        shown = series(work.reader, [asked], window).get(asked)
        found = narrowed(facts.incident, shown, _missing(facts)) if shown is not None else None
        if shown is not None and found is not None:
            work.tell(
                "observation",
                "By the minute, the symptom began between {a} and {b}.",
                a=stamp(found.earliest), b=stamp(found.latest), time=found.earliest,
                evidence=[cite_series(work.reader, shown)],
            )  # fmt: skip
            sooner = facts.incident.model_copy(update={"onset": found})
    return sooner


def narrowed(incident: Incident, shown: Series, missing: Missing) -> Onset | None:
    """The part of the onset interval that a finer series leaves; None where it is no shorter, or does not agree."""
    began, metric = incident.onset, incident.metric
    if began is None or metric is None or not _is_finer(shown, metric.period):
        return None
    coarse = timedelta(seconds=metric.period)
    around = Window(start=max(shown.window.start, began.earliest - 2 * coarse), end=shown.window.end)
    found = onset(shown, around, bad=incident.bad, missing=missing)
    if found is None or found.shape == "none":
        return None
    earliest, latest = max(found.earliest, began.earliest), min(found.latest, began.latest)
    if not earliest <= latest or latest - earliest >= began.latest - began.earliest:
        return None
    return replace(began, earliest=earliest, latest=latest)


def _is_finer(shown: Series, period: int) -> bool:
    """Whether datapoints came more often than the coarser period already tells, and not by one chance pair alone."""
    close = sum(
        (later - earlier).total_seconds() < period for (earlier, _), (later, _) in pairwise(shown.points)
    )
    return shown.metric.period < period and close >= 3


def _missing(facts: Facts) -> Missing:
    resource, metric = facts.resource(facts.incident.resource), facts.incident.metric
    known = specs(resource) if resource is not None else ()
    return next((one.missing for one in known if metric and one.name == metric.name), "unknown")
