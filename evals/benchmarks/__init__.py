"""Measurements on public data. Each takes a folder and gives a `BenchResult`; none needs AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """One measurement: figures for programs, a text for people."""

    name: str
    figures: Mapping[str, object]  # JSON values
    text: str
    ok: bool = True  # False when something that must hold does not
    notes: tuple[str, ...] = field(default=())
