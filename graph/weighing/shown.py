"""How sure a report may be of a hypothesis, whatever its tests add up to."""

from __future__ import annotations

from graph.models import Hypothesis
from graph.weights import MOST_BY_CIRCUMSTANCE, MOST_SHOWN, MOST_UNSEEN

_PROOFS = frozenset({"alarm", "condition", "dose", "logs", "traffic"})


def most_shown(item: Hypothesis) -> float:
    """The most that is shown: circumstances alone prove no change. Error texts, a limit below the demand and the
    setting's own metric say more."""
    if item.kind == "outside":
        return MOST_UNSEEN
    proved = item.kind != "change" or any(one.test in _PROOFS and one.weight > 0 for one in item.tests)
    return MOST_SHOWN if proved else MOST_BY_CIRCUMSTANCE
