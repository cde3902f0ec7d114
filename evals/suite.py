"""Run cases over seeds through the same door as everybody, and compare each report with its world."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evals import first_runs
from evals.baselines import judged, scene_of
from evals.cases import Case, find
from evals.cases import incidents as builtin
from evals.claims import false_claims
from evals.prevention_check import PreventionCheck, check
from evals.recorded_runs import SEED, run_recorded
from evals.rehearsal import Rehearsal, rehearse
from evals.results import Outcome, SuiteResult, Unseen, write_log
from evals.score import Score, score
from evals.side_by_side import Job, Progress, all_of
from evals.story import story
from evals.truth import Truth
from evals.unseen import MODES, run_unseen
from evals.validate import refuse
from evals.variation import Variation, chosen, fits
from evals.variation import judge as judge_varied
from evals.variation import source as variant_of
from evals.world.variants import REMOVED
from evals.worlds import begin, facts_of, make_recording, open_world, told, truth_of
from graph import Context, Report
from tools.errors import BadInput, OpsleuthError
from tools.parameters import validate

if TYPE_CHECKING:
    from evals.world.world import World

__all__ = ["begin", "facts_of", "judge", "make_recording", "open_world", "run_case", "run_suite", "truth_of"]


def run_suite(
    incidents: Path | None = None,
    seeds: Sequence[int] = (1,),
    *,
    only: Sequence[str] = (),
    processes: int | None = None,
    unseen: Sequence[str] = (),
    logs: Path | None = None,
    vary: str = "",
    progress: Progress | None = None,
) -> SuiteResult:
    """Every case in `incidents` (default: those that come with opsleuth) with every seed, in order.

    Cases are validated before the first run. Recorded cases are run once, whatever the seeds. `processes`: how many
    run side by side; None: as many as there are cores. `unseen`: run every change case again without what is known of
    it ("mechanism", "text"). `logs`: a folder for one JSON file per run. `vary`: run every case also in these variants:
    "all", or names as of `evals.variation.chosen`. Raises BadInput. A run that fails is an outcome with `error`.
    """
    variations = chosen(vary)
    strange = sorted(set(unseen) - set(MODES))
    if strange:
        raise BadInput(f"Unknown way of not seeing: {', '.join(strange)}. Known: {', '.join(MODES)}")
    refuse(incidents or builtin(), only)
    every = find(incidents, only)
    cases = tuple(one for one in every if one.truth or not one.recorded)
    if logs is not None:
        _make(logs)
    jobs = _jobs(cases, seeds, variations, unseen, logs)
    done = all_of(jobs, processes, progress)
    runs = [one for one in done if isinstance(one, Outcome)]
    return SuiteResult(
        outcomes=tuple(one for one in runs if not one.variant),
        varied=tuple(one for one in runs if one.variant),
        unseen=tuple(one for one in done if isinstance(one, Unseen)),
        first_runs=first_runs.read(first_runs.place(incidents)),
        whole=incidents is None and not only,
        unconfirmed=tuple(one.name for one in every if one not in cases),
    )


def _jobs(
    cases: Sequence[Case],
    seeds: Sequence[int],
    variations: Sequence[Variation],
    unseen: Sequence[str],
    logs: Path | None,
) -> list[Job[Outcome | Unseen | None]]:
    """Every run: the cases as they are, recorded ones, variants, and cases of which something is not known."""
    declared = [case for case in cases if not case.recorded]
    jobs: list[Job[Outcome | Unseen | None]] = [
        Job(partial(run_case, case, seed, logs), partial(_lost, case, seed))
        for case in declared
        for seed in seeds
    ]
    jobs += [
        Job(partial(run_recorded, case, logs), partial(_lost, case, SEED)) for case in cases if case.recorded
    ]
    jobs += [
        Job(partial(run_case, case, seed, logs, one), partial(_lost, case, seed, variant=one.name))
        for case in declared
        for one in variations
        if fits(one, case.truth)
        for seed in seeds
    ]
    jobs += [
        Job(partial(run_unseen, case, seed, how), partial(_not_told, case, seed, how))
        for how in unseen
        for case in declared
        for seed in seeds
    ]
    return jobs


def _make(folder: Path) -> None:
    """Before the first run, so that no run is in vain."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder} cannot be made: {error}") from error


def _lost(case: Case, seed: int, why: str, variant: str = "") -> Outcome:
    return Outcome(case=case.name, seed=seed, variant=variant, score=Score(items=()), error=why)


def _not_told(case: Case, seed: int, how: str, why: str) -> Unseen:
    return Unseen(case=case.name, seed=seed, how=how, named=False, told=why)


def run_case(case: Case, seed: int, logs: Path | None = None, variation: Variation | None = None) -> Outcome:
    """Investigate one case with one seed and judge every revision of the report. `logs`: where its log is written.

    A world that cannot be built with this seed, or whose truth cannot be told, is an outcome with `error`.
    """
    try:
        return _run_case(case, seed, logs, variation)
    except BadInput as error:
        where = f"see: opsleuth eval --validate {case.folder}"
        return _lost(case, seed, f"{error} ({where})", variation.name if variation else "")


def _run_case(case: Case, seed: int, logs: Path | None, variation: Variation | None) -> Outcome:
    source = (
        variant_of(case.folder, seed, variation, case.truth) if variation else f"{case.folder}?seed={seed}"
    )
    world = open_world(source)
    began = time.perf_counter()
    reports: list[Report] = []
    said = ""
    try:
        reports = asyncio.run(told(world, _begun(source, world.asked_in, variation)))
    except OpsleuthError as error:
        said = f"{type(error).__name__}: {error}"
    seconds, misses = time.perf_counter() - began, tuple(sorted(world.coverage_misses))
    last = reports[-1] if reports else None
    truth = truth_in(case, world, variation)
    event = truth.cause.event if truth.cause else ""
    tried = rehearse(last, world) if last else None
    kept = check(last, world, event, [one.event for one in truth.also if one.event]) if last else None
    judgement, false = judge(case, world, reports, tried, kept, variation)
    scene = scene_of(world, last.as_of if last else world.start, last.incident.resource if last else "")
    right = not said and judgement.right
    outcome = Outcome(
        case=case.name,
        seed=seed,
        variant=variation.name if variation else "",
        score=judgement,
        false_claims=false,
        baselines=() if variation else judged(scene, event, innocent=truth.cause is None),
        quiet=truth.cause is None,
        verdict=last.verdict if last else "",
        rehearsal=tried.status if tried else "",
        prevention=kept,
        revisions=len(reports),
        calls=sum(last.statistics.calls.values()) if last else 0,
        misses=misses,
        seconds=seconds,
        error=said,
        story=None if right else story(world, truth, last, scene.changes),
    )
    if logs is not None:
        write_log(logs, outcome, reports)
    return outcome


def _begun(source: str, region: str, variation: Variation | None) -> Context:
    context = Context(source=f"world:{source}", region=region)
    if variation is None or variation.patience is None:
        return context
    return context.model_copy(update={"max_wait_minutes": variation.patience})


def judge(
    case: Case,
    world: World,
    reports: Sequence[Report],
    rehearsal: Rehearsal | None = None,
    prevention: PreventionCheck | None = None,
    variation: Variation | None = None,
) -> tuple[Score, tuple[str, ...]]:
    """The score of one run's reports and what they say that is not so, by the world that they are about."""
    false = tuple(claim.sentence for report in reports for claim in false_claims(report, world))
    failed = rehearsal.problems if rehearsal is not None and rehearsal.status == "failed" else ()
    found = prevention.problems if prevention is not None else ()
    truth = truth_in(case, world, variation)
    if variation is None:
        return score(reports, truth, validate, false, rehearsal=failed, prevention=found), false
    blamed = [one.event for one in (truth.cause, *truth.also) if one is not None]
    delivered = {event: world.trail.by_id[event].delivered for event in blamed if event in world.trail.by_id}
    truth = _shown_by_then(truth, world, reports)
    varied = judge_varied(
        variation, reports, truth, world.start, delivered, validate, false, rehearsal=failed, prevention=found
    )
    return varied, false


def _shown_by_then(truth: Truth, world: World, reports: Sequence[Report]) -> Truth:
    """The truth without decoys that CloudTrail had not delivered by the last look: nobody can rule them out."""
    last = reports[-1].as_of if reports else world.start
    late = {event for event, made in world.trail.by_id.items() if made.delivered > last}
    kept = tuple(one for one in truth.ruled_out if one.event not in late)
    return truth.model_copy(update={"ruled_out": kept})


def truth_in(case: Case, world: World, variation: Variation | None) -> Truth:
    """The case's truth in this world; a world without the cause has none of the facts that it refers to."""
    if variation is not None and variation.world == REMOVED:
        return Truth(verdict="not_found")
    return truth_of(case, world)
