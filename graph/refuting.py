"""What would tell the leader from the runner-up and was not read yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from graph.facts import Facts
from graph.models import Hypothesis, Model
from graph.places import away
from graph.tell_apart import candidates
from tools.models import Resource

CLOSE = 0.05
"""A runner-up that is less likely than this is no rival."""
_MOST = 6


class Question(Model):
    """Evidence that would speak for one of two causes and against the other."""

    between: tuple[str, str]  # their titles
    resources: tuple[str, ...] = ()  # ARNs whose events of 90 days were not read yet
    log_groups: tuple[str, ...] = ()  # of them and of who calls them

    @property
    def tasks(self) -> list[Literal["forensics", "logs"]]:
        wanted: list[Literal["forensics", "logs"]] = ["forensics"] if self.resources else []
        return [*wanted, "logs"] if self.log_groups else wanted


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
    )
    return asked if asked.tasks else None


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
