"""Everything that a report says, compared with the world's ledger, which knows what happened.

Nothing here looks at the run's evidence: a report that misread an answer, mixed up two resources or rounded
too far disagrees with the ledger. Claims are compared in `evals.checking`, the words around them in
`evals.backing`, what stands outside sentences in `evals.fields`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evals.backing import Pool, pool, unbacked, unbacked_text
from evals.checking import Ledger, wrong
from evals.fields import false_fields
from graph.models import Mitigation, Report
from tools.models import Statement, Value

if TYPE_CHECKING:
    from evals.world.world import World


_NAMELESS = {"stage", "mapping"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseClaim:
    """Something a report says that is not so. `where` is the place in the report."""

    where: str
    kind: Literal["claim", "field", "text"]
    sentence: str


def false_claims(report: Report, world: World) -> tuple[FalseClaim, ...]:
    """All that `report` says and that is not so in `world`."""
    ledger, names = world.ledger, names_of(world)
    fields = (
        FalseClaim(where=where, kind="field", sentence=f"{where}: {problem}")
        for where, problem in false_fields(report, world)
    )
    called = {arn: thing.name for arn, thing in world.things.items()}
    return (*false_statements(report, ledger, names, called), *false_headline(report, names), *fields)


def names_of(world: World) -> frozenset[str]:
    """Names of people and resources that must not be mixed up; plain words only where the case uses them."""
    found = {thing.name for thing in world.things.values() if thing.kind not in _NAMELESS}
    found |= {record.actor.name for record in world.trail.records}
    own = {str(value) for key, value in world.facts.items() if key.endswith(".name")}
    return frozenset(name for name in found | own if len(name) > 2 and (name in own or not name.isalpha()))


def statements(report: Report) -> Iterator[tuple[str, Statement]]:
    """Every statement of a report with its place."""
    yield "broken", report.broken
    yield "why", report.why
    if report.decider is not None:
        yield "decider", report.decider
    for number, one in enumerate(report.impact.statements):
        yield f"impact.{number}", one
    if report.impact.data_loss:
        yield "impact.data_loss", report.impact.data_loss
    if report.root_cause:
        yield "root_cause", report.root_cause.statement
    for number, cause in enumerate(report.also):
        yield f"also.{number}", cause.statement
    for name in ("contributing", "findings"):
        for number, one in enumerate(getattr(report, name)):
            yield f"{name}.{number}", one
    for hypothesis in report.hypotheses:
        for test in hypothesis.tests:
            yield f"hypotheses.{hypothesis.id}.{test.test}", test.statement
    yield from _plan_statements(report.mitigation)


def _plan_statements(plan: Mitigation | None) -> Iterator[tuple[str, Statement]]:
    if plan is None:
        return
    for part in ("prepare", "pre_validate", "apply", "post_validate", "rollback", "stays_red", "afterwards"):
        for number, step in enumerate(getattr(plan, part)):
            for one in step.provenance:
                yield f"mitigation.{part}.{number}", one
    for number, one in enumerate(plan.mind):
        yield f"mitigation.mind.{number}", one


def false_statements(
    report: Report, ledger: Ledger, names: Iterable[str], called: Mapping[str, str] | None = None
) -> Iterator[FalseClaim]:
    """False claims of statements, and what their sentences say beyond their claims.

    `called`: names by ARN, for an API's ARN does not hold its name.
    """
    known = frozenset(names)
    given = pool(
        (), times=[moment for moment in (report.as_of, report.next_look, report.complete_until) if moment]
    )
    for where, statement in statements(report):
        for claim in statement.claims:
            why = wrong(claim, ledger)
            if why:
                told = f"{claim.kind} {claim.subject} {claim.field}"
                yield FalseClaim(
                    where=where, kind="claim", sentence=f"{where}: {told} {why}: {statement.text}"
                )
        arns = [arn for claim in statement.claims for arn in (claim.subject, str(claim.value))]
        own = frozenset((called or {}).get(arn, "") for arn in arns)
        counts = tuple((float(one), 0.0) for one in _versions(statement, ledger))
        for problem in unbacked(statement, known, given + Pool(words=own, numbers=counts)):
            yield FalseClaim(where=where, kind="text", sentence=f"{where}: {problem}")


def _versions(statement: Statement, ledger: Ledger) -> Iterator[int]:
    """How many values a setting had had by the moment at which a claim says that it was set: a version's number."""
    for claim in statement.claims:
        if claim.kind == "setting" and claim.start is not None:
            history = [since for since, _ in ledger.settings_history(claim.subject, claim.field)]
            if claim.start in history:
                yield history.index(claim.start) + 1


def false_headline(report: Report, names: Iterable[str]) -> Iterator[FalseClaim]:
    """Numbers, times and names of the headline that no statement of the report claims."""
    claims = [claim for _, statement in statements(report) for claim in statement.claims]
    sure = [hypothesis.probability for hypothesis in report.hypotheses]
    sure += [one.confidence for one in (report.root_cause, *report.also) if one is not None]
    place: list[Value] = [report.incident.account, report.incident.region, report.incident.resource]
    backing = pool(claims, times=[report.as_of], values=[*sure, *place])
    for problem in unbacked_text(report.headline, backing, frozenset(names)):
        yield FalseClaim(where="headline", kind="text", sentence=f"headline: {problem}")
