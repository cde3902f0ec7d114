"""How right a map of a whole account is: an estate read by the product, compared with what its configuration implies.

Prints by kind: facts of the truth and how many of them were found, relations drawn and how many of them are right; then
what was missed and what was wrong. Once more with half of the operations denied: then nothing wrong may be drawn, and
every denied operation must be a gap.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass

from evals.benchmarks import BenchResult
from evals.estates import Estate, estate
from evals.estates.doors import EDGE
from evals.estates.judge import Judgement, Score, judge
from evals.estates.transport import EstateTransport
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.models import Relation
from tools.whole import Account as Read
from tools.whole import whole

PRECISION, RECALL = 0.95, 0.90
_INSTEAD = {"iam:GetAccountAuthorizationDetails": "iam:GetRole"}
"""What tells of many at once: where it is denied each is asked for by itself, and nothing is missing."""
_FEW = 5
"""A kind of so few facts or relations is told, and not held to the floors by itself."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One reading of an estate."""

    things: int
    read: Read
    judged: Judgement
    asked: int  # requests on the wire
    denied: frozenset[str]  # operations that were asked for and refused
    unseen: frozenset[str]  # of these, those that no gap speaks of


def measure(of: Estate, refuse: int = 0) -> Measured:
    """Read an estate whole and judge what was drawn. `refuse`: a seed, by which half of the operations are denied."""
    denied: set[str] = set()

    def refuses(service: str, operation: str) -> bool:
        name = f"{service}:{operation}"
        no = bool(refuse) and service != "sts" and zlib.crc32(f"{refuse} {name}".encode()) % 2 == 0
        if no:
            denied.add(name)
        return no

    transport = EstateTransport(of, refuses)
    clock, budget = VirtualClock(transport.begun), Budget(Limits(calls=10**9, seconds=10**9))
    aws = Aws(Account(region=of.region), transport, clock, budget, MemoryStore())
    aws.identify(Reader(aws=aws, letter="T"))
    read = whole(aws, (of.region, EDGE))
    told = " ".join(f"{gap.what} {gap.why} {gap.lift} {gap.statement}" for gap in read.gaps).lower()
    needed = {name for name in denied if name not in _INSTEAD or not transport.asked.get(_INSTEAD[name])}
    return Measured(
        things=len(of.things),
        read=read,
        judged=judge(of, read.topology.relations),
        asked=sum(transport.asked.values()),
        denied=frozenset(denied),
        unseen=frozenset(name for name in needed if name.lower() not in told),
    )


def run() -> BenchResult:
    """One estate, with all permissions and with half of them denied."""
    open_, closed = measured(), measured(refuse=1)
    return BenchResult(
        name="estates",
        figures={"open": dict(open_.figures), "half_denied": dict(closed.figures)},
        text=f"{open_.text}\n\n{closed.text}",
        ok=open_.ok and closed.ok,
    )


def measured(seed: int = 1, size: float = 1.0, refuse: int = 0) -> BenchResult:
    """An estate's figures. Ok when all floors hold; with `refuse`, when nothing wrong is drawn and all is told."""
    with estate(seed, size) as of:
        one = measure(of, refuse)
    judged, pooled = one.judged, one.judged.pooled
    title = f"estate {seed}: {one.things} things"
    if refuse:
        title += f", {len(one.denied)} of its operations denied (seed {refuse})"
    rows = [title, *_facts(judged), *_relations(judged)]
    rows.append(
        f"pooled: {pooled.right} of {pooled.drawn} relations right ({pooled.precision:.3f}), "
        f"{pooled.found} of {pooled.truth} facts found ({pooled.recall:.3f})"
    )
    each = 1000 * one.asked / len(one.read.topology.resources)
    rows.append(
        f"{one.asked} AWS calls for {len(one.read.topology.resources)} resources: {each:.0f} per 1,000; "
        f"{len(one.read.gaps)} gaps"
    )
    rows += _said(one.read.topology.relations)
    rows += (
        [f"missed: {fact.source} {fact.kind} {fact.target}" for fact in judged.missed] if not refuse else []
    )
    rows += [f"wrong: {_told(bad)}" for bad in judged.wrong]
    rows += [f"denied, and told by no gap: {name}" for name in sorted(one.unseen)]
    figures: dict[str, object] = {
        "things": one.things,
        "precision": round(pooled.precision, 4),
        "recall": round(pooled.recall, 4),
        "wrong": len(judged.wrong),
        "missed": len(judged.missed),
        "calls_per_1000": round(each),
        "unseen": len(one.unseen),
    }
    ok = not judged.wrong and not one.unseen if refuse else not below(judged)
    return BenchResult(name="estates", figures=figures, text="\n".join(rows), ok=ok)


def below(judged: Judgement) -> list[str]:
    """What is below its floor, pooled or by kind; kinds of fewer than five are told alone."""
    found = []
    if judged.pooled.precision < PRECISION or judged.pooled.recall < RECALL:
        found.append("pooled")
    found += [kind for kind, one in judged.facts.items() if one.truth >= _FEW and one.recall < RECALL]
    found += [
        word for word, one in judged.relations.items() if one.drawn >= _FEW and one.precision < PRECISION
    ]
    return found


def _facts(judged: Judgement) -> list[str]:
    rows = [
        f"  {kind:<16} {one.found:>4} of {one.truth:>4}   {one.recall:.2f}"
        for kind, one in judged.facts.items()
    ]
    return ["facts found, by kind:", *rows]


def _relations(judged: Judgement) -> list[str]:
    def row(word: str, one: Score) -> str:
        return f"  {word:<16} {one.right:>4} of {one.drawn:>4}   {one.precision:.2f}"

    return ["relations right, by kind:", *(row(word, one) for word, one in judged.relations.items())]


def _said(relations: tuple[Relation, ...]) -> list[str]:
    """How many relations say why they are there, and how sure they are."""
    sure = Counter(round(one.confidence, 2) for one in relations)
    told = sum(bool(one.provenance) for one in relations)
    levels = ", ".join(f"{many} at {level}" for level, many in sorted(sure.items(), reverse=True))
    return [f"{told} of {len(relations)} relations with provenance; confidence: {levels}"]


def _told(one: Relation) -> str:
    return f"{one.source} {one.kind} {one.target} ({one.provenance}, {one.confidence})"
