"""Nothing must be there before a rule group or a set of addresses is made."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    lay.words["scope"] = "REGIONAL"


GROUNDS = (Ground(service="wafv2", lay=_lay),)
