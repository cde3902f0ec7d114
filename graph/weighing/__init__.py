"""Competing hypotheses, weighed by small independent tests. Pure: typed facts in, hypotheses out."""

from __future__ import annotations

from graph.facts import Facts
from graph.models import Hypothesis
from graph.weighing import normalise
from graph.weighing.generate import hypotheses
from graph.weighing.normalise import decide
from graph.weighing.second import beside, in_time, leading

__all__ = ["decide", "hypotheses", "in_time", "leading", "weigh"]


def weigh(facts: Facts) -> tuple[Hypothesis, ...]:
    """The hypotheses with tests and probabilities, likeliest first; several lead where several are true causes."""
    return beside(facts, normalise.weigh(facts))
