"""Compare the reports of one run with the truth. Pure; every item passes or fails with a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from evals.comparing import Item, differs, item, same
from evals.score_also import also_item
from evals.score_plan import Check, harmful_calls, plan_item
from evals.truth import Look, TrueActor, TrueDecoy, TrueGap, Truth
from graph.models import Hypothesis, Report, RootCause
from graph.weights import MOST_SHOWN, MOST_UNSEEN
from tools.models import Gap, Json, Onset

_NO_CULPRIT = {"stale_alarm", "traffic", "outside"}

Stance = Literal["right", "abstained", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Which parts of the true cause a report names. None: the truth has no such part."""

    resource: bool | None = None
    field: bool | None = None
    event: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """All comparisons of one run.

    `onset_error`: seconds from the true onset to the interval told. `stance`: what the answer about the cause is
    worth. `predicted`: the probability that the report gives to that answer (see `evals.calibration`). `harmful`:
    harmful calls of the plan.
    """

    items: tuple[Item, ...]
    onset_error: float | None = None
    named: Named = Named()
    stance: Stance = "abstained"
    predicted: float | None = None
    harmful: int = 0

    @property
    def right(self) -> bool:
        return all(item.ok for item in self.items)

    @property
    def failed(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not item.ok)

    @property
    def points(self) -> int:
        """1 for the right answer, 0 for none, -1 for a wrong one: finding nothing beats a wrong name."""
        return {"right": 1, "abstained": 0, "wrong": -1}[self.stance]

    def ok(self, name: str) -> bool:
        """Whether the item of this name passed; False when there is none."""
        return any(one.ok for one in self.items if one.name == name)


def score(
    reports: Sequence[Report],
    truth: Truth,
    check: Check,
    false_claims: Sequence[str] = (),
    rehearsal: Sequence[str] = (),
    prevention: Sequence[str] = (),
) -> Score:
    """Compare all revisions, oldest first, with the truth. The last one carries the answer.

    `rehearsal`, `prevention`: what went wrong when the plan and the ready preventions were tried out.
    """
    if not reports:
        return Score(items=(Item(name="verdict", ok=False, why="there is no report"),))
    last = reports[-1]
    harm = harmful_calls(last.mitigation, truth.harmful)
    items = (
        _verdict(last, truth),
        _cause(last, truth),
        also_item(last, truth),
        _prior(last.root_cause, truth),
        _actor(last.root_cause, truth),
        plan_item(last, truth, check, rehearsal),
        item("harmless", harm, "no harmful call"),
        _gaps(last.gaps, truth.gaps),
        _decoys(last, truth.ruled_out),
        _onset(last.incident.onset, truth),
        _prevention(last, truth, prevention),
        _revisions(reports, truth),
        _claims(false_claims),
    )
    return Score(
        items=items,
        onset_error=onset_error(last.incident.onset, truth.onset),
        named=_named(last.root_cause, truth),
        stance=stance(last, truth),
        predicted=predicted(last),
        harmful=len(harm),
    )


def stance(report: Report, truth: Truth) -> Stance:
    """right: the true cause is named, or rightly none. abstained: nothing is claimed to be known. Else wrong.

    "Recovered" and "no incident" are claims: said of what is going on they are wrong, not silent.
    """
    told = report.root_cause
    if told is not None and (truth.cause is not None or _culprit(told)):
        named = truth.cause is not None and _cause(report, truth).ok
        return "right" if named and len(report.also) <= len(truth.also) else "wrong"
    if truth.cause is None and report.verdict == truth.verdict:
        return "right"
    return "abstained" if report.verdict in ("not_found", "not_yet") else "wrong"


def predicted(report: Report) -> float:
    """The probability that a report gives to its own answer about the cause, from 0 to 1."""
    if report.root_cause is not None:
        return report.root_cause.confidence
    culprits = [one.probability for one in report.hypotheses if one.kind not in _NO_CULPRIT]
    most = MOST_UNSEEN if report.verdict in ("not_found", "not_yet") else MOST_SHOWN
    return min(most, 1 - max(culprits, default=0.0))


def _named(told: RootCause | None, truth: Truth) -> Named:
    true = truth.cause
    if true is None:
        return Named()
    return Named(
        resource=told is not None and told.resource == true.resource,
        field=(told is not None and told.field == true.field) if true.field else None,
        event=(told is not None and told.event is not None and told.event.id == true.event)
        if true.event
        else None,
    )


def onset_error(told: Onset | None, true: datetime | None) -> float | None:
    """Seconds from the true onset to the interval told; 0 inside it; None when either is missing."""
    if told is None or true is None:
        return None
    return max(0.0, (told.earliest - true).total_seconds(), (true - told.latest).total_seconds())


def _verdict(report: Report, truth: Truth) -> Item:
    wrong = report.verdict != truth.verdict
    return item(
        "verdict", [f"expected {truth.verdict}, got {report.verdict}"] if wrong else [], truth.verdict
    )


def _cause(report: Report, truth: Truth) -> Item:
    told, true = report.root_cause, truth.cause
    if true is None:
        return item("cause", _culprit(told), "no culprit is named")
    if told is None:
        return item("cause", [f"no root cause; expected {true.kind} of {true.resource}"], "")
    problems = [
        differs("kind", true.kind, told.kind),
        differs("resource", true.resource, told.resource),
        differs("field", true.field, told.field) if true.field else "",
        differs("bad value", true.bad, told.bad_value) if "bad" in true.model_fields_set else "",
        differs("event", true.event, told.event.id if told.event else ""),
        *_when(told, truth),
    ]
    return item("cause", problems, f"{true.kind} of {true.resource}")


def _culprit(told: RootCause | None) -> list[str]:
    if told is None:
        return []
    problems = [] if told.kind in _NO_CULPRIT else [f"names a cause of kind {told.kind} where there is none"]
    if told.event is not None:
        problems.append(f"blames event {told.event.id}")
    return problems


def _when(told: RootCause, truth: Truth) -> list[str]:
    if truth.interval is None:
        return []
    if told.earliest is None or told.latest is None:
        return ["does not say when the cause happened"]
    at, widest = truth.interval.at, truth.interval.widest_seconds
    problems = (
        [] if told.earliest <= at <= told.latest else [f"{at} is outside {told.earliest} to {told.latest}"]
    )
    width = (told.latest - told.earliest).total_seconds()
    return problems + (
        [f"the interval is {width:.0f} s wide, allowed {widest:.0f}"] if width > widest else []
    )


def _prior(told: RootCause | None, truth: Truth) -> Item:
    true = truth.cause
    if true is None or "prior" not in true.model_fields_set:
        claimed = told is not None and told.prior_known
        return item(
            "prior",
            ["claims a prior value where there is none"] if claimed else [],
            "no prior value is told",
            asked=False,
        )
    if told is None or not told.prior_known:
        return item("prior", [f"no prior value; expected {true.prior!r}"], "")
    agreeing = {source.kind for source in told.prior_sources if same(source.value, true.prior)}
    problems = [differs("prior value", true.prior, told.prior_value)]
    problems += [
        f"no source of kind {kind} tells {true.prior!r}" for kind in true.sources if kind not in agreeing
    ]
    return item("prior", problems, f"{true.prior!r} by {', '.join(sorted(agreeing)) or 'no source'}")


def _actor(told: RootCause | None, truth: Truth) -> Item:
    actor = told.actor if told else None
    true = truth.actor
    if true is None:
        return item(
            "actor",
            [f"names {actor.name} where nobody may be named"] if actor else [],
            "nobody is named",
            asked=False,
        )
    if actor is None:
        return item("actor", [f"nobody is named; expected {true.name}"], "")
    return item("actor", _person(true, actor), f"{true.name} ({true.kind}, {true.how})")


def _person(true: TrueActor, told: Any) -> list[str]:
    named = [(field, getattr(true, field), getattr(told, field)) for field in ("kind", "name", "how")]
    named += [("source IP", true.source_ip, told.source_ip)] if true.source_ip else []
    named += [("MFA", true.mfa, told.mfa)] if "mfa" in true.model_fields_set else []
    return [differs(*row) for row in named]


def _gaps(told: Sequence[Gap], true: Sequence[TrueGap]) -> Item:
    problems = [
        f"no gap tells {' '.join((gap.code, gap.action, *gap.holds)).strip()}"
        for gap in true
        if not any(_lifts(item, gap) for item in told)
    ]
    return item("gaps", problems, f"{len(true)} expected gaps are told", asked=bool(true))


def _lifts(told: Gap, true: TrueGap) -> bool:
    said = f"{told.what} {told.why} {told.would_show} {told.lift}"
    if told.code != true.code or any(one not in said for one in true.holds):
        return False
    return not true.action or true.action in _actions(told.statement)


def _actions(statement: Json | None) -> list[str]:
    listed = (statement or {}).get("Action", [])
    return [listed] if isinstance(listed, str) else list(listed)


def _decoys(report: Report, true: Sequence[TrueDecoy]) -> Item:
    """Ruled out as a hypothesis, or, for an attempt that AWS refused, told as refused among the findings."""
    out = [hypothesis for hypothesis in report.hypotheses if hypothesis.status == "ruled_out"]
    refused = {
        claim.subject
        for statement in report.findings
        for claim in statement.claims
        if (claim.kind, claim.field) == ("event", "error_code") and claim.value
    }
    problems = [
        f"{decoy.event or decoy.condition or decoy.kind} is not among the ruled out"
        for decoy in true
        if decoy.event not in refused and not any(_is(hypothesis, decoy) for hypothesis in out)
    ]
    return item("ruled out", problems, f"{len(true)} decoys are ruled out", asked=bool(true))


def _is(told: Hypothesis, true: TrueDecoy) -> bool:
    return (
        (not true.event or told.event == true.event)
        and (not true.condition or told.condition == true.condition)
        and (true.kind is None or told.kind == true.kind)
    )


def _onset(told: Onset | None, truth: Truth) -> Item:
    if truth.onset is None:
        return Item(name="onset", ok=True, why="no onset to compare", asked=False)
    error = onset_error(told, truth.onset)
    if told is None or error is None:
        return item("onset", ["no onset is told"], "")
    width = (told.latest - told.earliest).total_seconds()
    problems = [f"{error:.0f} s away from {truth.onset}"] if error > truth.onset_within else []
    problems += [f"the interval is {width:.0f} s wide"] if width > 2 * truth.onset_within + 300 else []
    return item("onset", problems, f"{error:.0f} s away")


def _prevention(report: Report, truth: Truth, tried: Sequence[str]) -> Item:
    kinds = {measure.kind for measure in report.prevention}
    problems = [f"no measure of kind {kind}" for kind in truth.prevention if kind not in kinds]
    problems += [f"tried again: {problem}" for problem in tried]
    problems += [
        f'"{item.title}" has no artefact or reason' for item in report.prevention if not _whole(item)
    ]
    return item(
        "prevention", [] if kinds and not problems else problems or ["none"], ", ".join(sorted(kinds))
    )


def _whole(measure: Any) -> bool:
    return bool(measure.why and measure.artefact and measure.artefact_name)


def _revisions(reports: Sequence[Report], truth: Truth) -> Item:
    numbers = [report.revision for report in reports]
    problems = [] if numbers == list(range(1, len(reports) + 1)) else [f"revisions are numbered {numbers}"]
    if truth.revisions and len(reports) != len(truth.revisions):
        problems.append(f"expected {len(truth.revisions)} revisions, got {len(reports)}")
    for report, look in zip(reports, truth.revisions, strict=False):
        problems += _look(report, look, truth)
    return item("revisions", problems, f"{len(reports)} as expected", asked=bool(truth.revisions))


def _look(report: Report, look: Look, truth: Truth) -> list[str]:
    problems = [differs(f"revision {report.revision} verdict", look.verdict, report.verdict)]
    return problems + (silence(report, truth) if look.silent else [])


def silence(report: Report, truth: Truth) -> list[str]:
    """What a report tells of who or what changed something while that may not be told."""
    name, cause = f"revision {report.revision}", report.root_cause
    problems = []
    if any(
        one.event is not None or one.actor is not None for one in (cause, *report.also) if one is not None
    ):
        problems.append(f"{name} names somebody or an event")
    apart = {"evidence", "topology", "statistics"}
    events = [one.event for one in (truth.cause, *truth.also) if one is not None]
    people = [one.name for one in (truth.actor, *(also.actor for also in truth.also)) if one is not None]
    whole = report.model_dump_json(exclude=apart)
    # Who gives up tells what was looked at, also other changes by the same person; who waits tells of nobody.
    waits = report.verdict == "not_yet"
    blamed = whole if waits else report.model_dump_json(exclude={*apart, "timeline"})
    told = [word for word in events if word and _told(word, whole)]
    told += [word for word in people if word and _told(word, blamed)]
    return problems + [f"{name} tells {word}" for word in told]


def _told(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _claims(false: Sequence[str]) -> Item:
    shown = "; ".join(false[:3]) + (f"; and {len(false) - 3} more" if len(false) > 3 else "")
    return Item(name="claims", ok=not false, why=f"{len(false)} false: {shown}" if false else "0 false")
