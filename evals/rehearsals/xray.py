"""Groups and sampling rules need nothing before them."""

from __future__ import annotations

from evals.rehearsals._ground import Ground

GROUNDS = (Ground(service="xray", lay=lambda lay: None),)
