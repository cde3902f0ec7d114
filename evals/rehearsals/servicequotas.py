"""Quotas are there without being made."""

from __future__ import annotations

from evals.rehearsals._ground import Ground

GROUNDS = (Ground(service="servicequotas", lay=lambda lay: None),)
