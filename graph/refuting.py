"""What would tell the leader from the runner-up and was not read yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from graph.facts import Facts
from graph.models import Hypothesis, Model
from graph.places import away
from graph.tell_apart import candidates
from graph.weighing.moves import event_of
from tools.models import Resource

CLOSE = 0.05
"""A runner-up that is less likely than this is no rival."""
_MOST = 6
MINUTE = 60
FINER = "metric:60"
"""Stands for the symptom's own metric with a datapoint a minute, among what was asked for."""


class Question(Model):
    """Evidence that would speak for one of two causes and against the other."""

    between: tuple[str, str]  # their titles
    resources: tuple[str, ...] = ()  # ARNs whose events of 90 days were not read yet
    log_groups: tuple[str, ...] = ()  # of them and of who calls them
    finer: tuple[str, ...] = ()  # FINER when the symptom's metric is to be read by the minute

    @property
    def tasks(self) -> list[Literal["forensics", "logs", "metrics"]]:
        wanted: list[Literal["forensics", "logs", "metrics"]] = ["forensics"] if self.resources else []
        wanted += ["logs"] if self.log_groups else []
        return [*wanted, "metrics"] if self.finer else wanted

    @property
    def asks(self) -> tuple[str, ...]:
        """All that it asks for, which is never asked for again."""
        return (*self.resources, *self.log_groups, *self.finer)


def question(facts: Facts, ranked: tuple[Hypothesis, ...]) -> Question | None:
    """What to read next; None where there is no rival, or nothing unread that would decide."""
    rivals = candidates(ranked)
    if len(rivals) < 2 or rivals[1].probability < CLOSE:
        return None
    known = [one for rival in rivals for one in _known(facts, rival)]
    read = facts.histories | facts.log_groups | facts.questioned
    asked = Question(
        between=(rivals[0].title, rivals[1].title),
        resources=_first(
            one.arn
            for one in known
            if facts.trail_visible and one.arn not in read and away(facts, one) is None
        ),
        log_groups=_first(group for one in known for group in _groups(facts, one) if group not in read),
        finer=() if FINER in read or not _by_minutes(facts, rivals) else (FINER,),
    )
    return asked if asked.tasks else None


def _by_minutes(facts: Facts, rivals: tuple[Hypothesis, ...]) -> bool:
    """Whether one of them was changed while, as far as is known, the symptom may have begun, and the other at another
    time: a shorter interval may tell that it came too late."""
    metric, onset = facts.incident.metric, facts.onset
    if metric is None or onset is None or metric.period <= MINUTE:
        return False
    times = {event.time for one in rivals if (event := event_of(facts, one)) is not None}
    return len(times) > 1 and any(onset.earliest < time <= onset.latest for time in times)


def _first(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:_MOST]


def _known(facts: Facts, rival: Hypothesis) -> Iterator[Resource]:
    for arn in dict.fromkeys((rival.resource, facts.holder(rival.resource))):
        if (found := facts.resource(arn)) is not None:
            yield found


def _groups(facts: Facts, resource: Resource) -> Iterator[str]:
    """Where the resource itself logs, and those next to it that fail when it does."""
    for arn in (resource.arn, *facts.callers(resource.arn)[:3]):
        found = facts.resource(arn)
        service = facts.service(found) if found is not None else None
        if found is not None and service is not None and service.log_groups is not None:
            yield from service.log_groups(found)
