"""What a report must say when its case was changed by a variant of `evals.world.variants`. Pure.

The same incident under other conditions: the case's truth. Its cause removed: no incident, recovered or not found,
and no culprit. CloudTrail late: nobody is named before the change is delivered, the truth at a look after it; who stops
waiting before that may say what the configuration shows, but not who did it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from evals.comparing import item
from evals.score import Score, score, silence
from evals.score_plan import Check
from evals.truth import Look, TrueCause, TruePlan, Truth
from evals.world.variants import DELAYED, NAMES, REMOVED
from graph.models import Report
from tools.errors import BadInput
from tools.models import Json
from tools.walk import texts

ALL = "all"
CALM = ("not_found", "no_incident", "recovered")
"""Verdicts that are right when nothing has caused anything."""

_EVENT = re.compile(r"^\$([A-Za-z_][\w-]*)\.event_id$")
_NAMING = ("cause", "also")
_KEPT = ("verdict", "cause", "prior", "actor", "plan", "harmless", "claims")
"""What is asked when the cause is removed: there is no onset, decoy or prevention to tell of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One way to run a case again. `patience`: minutes that the run waits at most; None: as by default."""

    name: str
    world: str
    patience: int | None = None


IMPATIENT = Variation(name="delayed-85-impatient", world="delayed-85", patience=30)
VARIATIONS = {name: Variation(name=name, world=name) for name in NAMES} | {IMPATIENT.name: IMPATIENT}


def chosen(text: str) -> tuple[Variation, ...]:
    """The variations of "all" or of a list such as "noisy,removed", in order; none for "". Raises BadInput."""
    if text == ALL:
        return tuple(VARIATIONS.values())
    names = dict.fromkeys(part.strip() for part in text.split(",") if part.strip())
    strange = [name for name in names if name not in VARIATIONS]
    if strange:
        raise BadInput(
            f"Unknown variant: {', '.join(strange)}. Known: {ALL}, {', '.join(VARIATIONS)}. Write --vary noisy,removed"
        )
    return tuple(VARIATIONS[name] for name in names)


def causes(template: Json) -> tuple[str, ...]:
    """Ids of the case's events that an unresolved truth names as what caused it: `$change.event_id` is "change"."""
    found = (_EVENT.match(text) for part in _NAMING for text in texts(template.get(part)))
    return tuple(dict.fromkeys(match[1] for match in found if match))


def fits(variation: Variation, template: Json) -> bool:
    """Whether a case can be varied so: only a change that its truth knows by its event can be seen late."""
    if variation.world not in DELAYED:
        return True
    cause = template.get("cause")
    return isinstance(cause, dict) and cause.get("kind") == "change" and bool(cause.get("event"))


def source(folder: object, seed: int, variation: Variation, template: Json) -> str:
    """What `evals.worlds.open_world` opens for a variation of the case in `folder`."""
    asked = [("seed", str(seed)), ("vary", variation.world)]
    if variation.world == REMOVED:
        asked += [("drop", event) for event in causes(template)]
    return f"{folder}?{urlencode(asked)}"


def judge(
    variation: Variation,
    reports: Sequence[Report],
    truth: Truth,
    start: datetime,
    delivered: Mapping[str, datetime],
    check: Check,
    false_claims: Sequence[str] = (),
    rehearsal: Sequence[str] = (),
    prevention: Sequence[str] = (),
) -> Score:
    """The score of one run of a variant; the other arguments as of `evals.score.score`.

    `truth`: of the varied world; without its cause, anything. `start`: the first look. `delivered`: when CloudTrail
    shows each event that the truth names: from the first on somebody may be named, in the end all that are there.
    """
    asked = expected(variation, reports, truth, start, delivered)
    found = score(reports, asked, check, false_claims, rehearsal, prevention)
    if variation.world == REMOVED:
        return replace(found, items=tuple(one for one in found.items if one.name in _KEPT))
    if variation.world not in DELAYED or not delivered or not reports:
        return found
    early = [report for report in reports if report.as_of < min(delivered.values())]
    told = [problem for report in early for problem in silence(report, truth)]
    quiet = item("silence", told, f"nobody is named in {len(early)} early revisions", asked=bool(early))
    return replace(found, items=(*found.items, quiet))


def expected(
    variation: Variation,
    reports: Sequence[Report],
    truth: Truth,
    start: datetime,
    delivered: Mapping[str, datetime],
) -> Truth:
    """The truth by which the reports of a variant are judged."""
    last = reports[-1] if reports else None
    if variation.world == REMOVED:
        return Truth(verdict=last.verdict if last and last.verdict in CALM else "not_found")
    if variation.world not in DELAYED or not delivered or last is None:
        return truth
    first = min(delivered.values())
    if max(delivered.values()) <= start:
        return truth.model_copy(update={"revisions": ()})
    late = _without_metric(_seen(truth, last, delivered))
    if last.as_of < first and variation.patience is not None:
        late = _given_up(truth, last)
    *before, _ = reports
    looks = [_early(report, first) for report in before]
    return late.model_copy(update={"revisions": (*looks, Look(verdict=late.verdict))})


def _early(report: Report, delivered: datetime) -> Look:
    return Look(verdict="not_yet" if report.as_of < delivered else report.verdict)


def _seen(truth: Truth, last: Report, delivered: Mapping[str, datetime]) -> Truth:
    """The truth without further causes that CloudTrail had not delivered by the last look."""
    kept = tuple(
        one for one in truth.also if not one.event or delivered.get(one.event, last.as_of) <= last.as_of
    )
    if kept == truth.also or truth.cause is None:
        return truth
    return truth.model_copy(update={"also": kept, "plan": _plan_of(truth.plan, [truth.cause, *kept])})


def _plan_of(plan: TruePlan, causes: Sequence[TrueCause]) -> TruePlan:
    """The calls of a plan that name the resources of these causes, by ARN, name or URL."""
    names = {_last(cause.resource) for cause in causes}
    return plan.model_copy(
        update={
            part: tuple(one for one in getattr(plan, part) if names & set(map(_last, texts(one.parameters))))
            for part in ("apply", "rollback")
        }
    )


def _last(name: str) -> str:
    return re.split("[:/]", name)[-1]


def _without_metric(truth: Truth) -> Truth:
    """A setting's own metric may not be published yet when the look is this early."""
    cause = truth.cause
    if cause is None:
        return truth
    sources = tuple(kind for kind in cause.sources if kind != "metric")
    return truth.model_copy(update={"cause": cause.model_copy(update={"sources": sources})})


def _given_up(truth: Truth, last: Report) -> Truth:
    """Not yet, not found, or the setting as it now is: where it came from is not visible."""
    told = last.root_cause
    if told is None or told.kind != "setting" or truth.cause is None:
        verdict = last.verdict if last.verdict in ("not_yet", "not_found") else "not_yet"
        return Truth(verdict=verdict, harmful=truth.harmful)
    known = {name: getattr(truth.cause, name) for name in truth.cause.model_fields_set - {"event", "sources"}}
    if not told.prior_known:
        known.pop("prior", None)
    setting = TrueCause.model_validate({**known, "kind": "setting"})
    plan = (_plan_of(truth.plan, [setting]) if truth.also else truth.plan) if told.prior_known else TruePlan()
    return Truth(verdict=truth.verdict, cause=setting, plan=plan, harmful=truth.harmful)
