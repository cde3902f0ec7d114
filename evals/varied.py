"""What the runs of variants came to, variant by variant. They count in none of the suite's shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evals.results import Outcome, SuiteResult

HEADS = ("variant", "runs", "right", "cause", "false claims", "harmful steps")
_WIDTH = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """One variant over all cases and seeds: runs, those all right, those whose answer about the cause is right."""

    name: str
    runs: int
    right: int
    cause: int
    false_claims: int
    harmful: int


def variants(result: SuiteResult) -> tuple[VariantRow, ...]:
    """A row for each variant, in the order in which they ran, and one for all of them; none without variants."""
    runs: dict[str, list[Outcome]] = {}
    for one in result.varied:
        runs.setdefault(one.variant, []).append(one)
    rows = tuple(_row(name, found) for name, found in runs.items())
    return (*rows, _row("all variants", result.varied)) if rows else ()


def _row(name: str, runs: Sequence[Outcome]) -> VariantRow:
    return VariantRow(
        name=name,
        runs=len(runs),
        right=sum(one.right for one in runs),
        cause=sum(one.score.ok("cause") for one in runs),
        false_claims=sum(len(one.false_claims) for one in runs),
        harmful=sum(one.score.harmful for one in runs),
    )


def cells(result: SuiteResult) -> list[tuple[str, ...]]:
    """The rows as texts, under `HEADS`."""
    return [
        (one.name, *(str(n) for n in (one.runs, one.right, one.cause, one.false_claims, one.harmful)))
        for one in variants(result)
    ]


def lines(result: SuiteResult) -> list[str]:
    """The rows as a plain text table; a last empty line when there are any."""
    rows = cells(result)
    if not rows:
        return []
    found = []
    for name, *counts in (HEADS, *rows):
        told = (f"{count:>{len(head)}}" for head, count in zip(HEADS[1:], counts, strict=True))
        found.append("  ".join([f"{name:<{_WIDTH}}", *told]))
    return [*found, ""]
