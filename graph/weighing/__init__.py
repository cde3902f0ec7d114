"""Competing hypotheses, weighed by small independent tests. Pure: typed facts in, hypotheses out."""

from __future__ import annotations

from graph.weighing.generate import hypotheses
from graph.weighing.normalise import decide, weigh

__all__ = ["decide", "hypotheses", "weigh"]
