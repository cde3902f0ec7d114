"""Run cases over seeds through the same door as everybody, and compare each report with its world."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import lru_cache
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import yaml

from evals.baselines import NOTHING, Guess, guess_for
from evals.cases import Case, find
from evals.claims import false_claims
from evals.score import Score, score
from evals.truth import resolve
from graph import Context, Report, Trigger, stream
from tools.errors import BadInput, OpsleuthError
from tools.models import Json
from tools.parameters import validate

if TYPE_CHECKING:
    from evals.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case with one seed. `error` is set when the run gave no report."""

    case: str
    seed: int
    score: Score
    false_claims: tuple[str, ...] = ()
    baseline: Guess = NOTHING
    baseline_right: bool = False
    revisions: int = 0
    calls: int = 0
    misses: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""

    @property
    def right(self) -> bool:
        return not self.error and self.score.right


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """All outcomes, by case and seed."""

    outcomes: tuple[Outcome, ...]

    @property
    def right(self) -> int:
        return sum(outcome.right for outcome in self.outcomes)

    @property
    def false_claims(self) -> int:
        return sum(len(outcome.false_claims) for outcome in self.outcomes)

    def passed(self, floor: float = 1.0) -> bool:
        """Whether at least this share of all runs is right and no claim anywhere is false."""
        return bool(self.outcomes) and self.right >= floor * len(self.outcomes) and not self.false_claims

    def exit_code(self, floor: float = 1.0) -> int:
        return 0 if self.passed(floor) else 1

    def as_json(self) -> dict[str, Any]:
        """Plain data, the same in every run: durations are left out."""
        rows = []
        for outcome in self.outcomes:
            row = asdict(outcome)
            del row["seconds"]
            moment = outcome.baseline.time
            row["baseline"]["time"] = moment.isoformat() if moment else None
            rows.append({**row, "right": outcome.right})
        return {"runs": len(rows), "right": self.right, "false_claims": self.false_claims, "outcomes": rows}


def run_suite(
    incidents: Path | None = None,
    seeds: Sequence[int] = (1,),
    *,
    only: Sequence[str] = (),
    processes: int | None = 1,
) -> SuiteResult:
    """Every case in `incidents` (default: those that come with opsleuth) with every seed, in order.

    Cases are validated before the first run. `processes`: how many run side by side; None: as many as there are
    cores. Raises BadInput. A run that fails is an outcome with `error`.
    """
    jobs = [(case, seed) for case in find(incidents, only) for seed in seeds]
    together = min(len(jobs), _cores() if processes is None else processes)
    if together <= 1:
        return SuiteResult(outcomes=tuple(run_case(case, seed) for case, seed in jobs))
    with ProcessPoolExecutor(together, mp_context=_context()) as pool:
        return SuiteResult(outcomes=tuple(pool.map(run_case, *zip(*jobs, strict=True))))


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context() -> BaseContext:
    """New processes without this one's threads and locks; where the system can, they share what they import."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["evals.suite", "evals.world"])
    return context


def run_case(case: Case, seed: int) -> Outcome:
    """Investigate one case with one seed and judge every revision of the report."""
    began = time.perf_counter()
    source = f"{case.folder}?seed={seed}"
    world = open_world(source)
    try:
        reports = asyncio.run(_reports(world, Context(source=f"world:{source}", region=world.region)))
    except OpsleuthError as error:
        failed = score((), resolve(case.truth, facts_of(world), case.name), validate)
        return Outcome(case=case.name, seed=seed, score=failed, error=f"{type(error).__name__}: {error}")
    judgement, false = judge(case, world, reports)
    guess = guess_for(world)
    return Outcome(
        case=case.name,
        seed=seed,
        score=judgement,
        false_claims=false,
        baseline=guess,
        baseline_right=_guessed_right(guess, case, world),
        revisions=len(reports),
        calls=sum(reports[-1].statistics.calls.values()) if reports else 0,
        misses=tuple(sorted(world.coverage_misses)),
        seconds=time.perf_counter() - began,
    )


def judge(case: Case, world: World, reports: Sequence[Report]) -> tuple[Score, tuple[str, ...]]:
    """The score of one run's reports and what they say that is not so, by the world that they are about."""
    truth = resolve(case.truth, facts_of(world), case.name)
    false = tuple(claim.sentence for report in reports for claim in false_claims(report, world))
    return score(reports, truth, validate, false), false


def _guessed_right(guess: Guess, case: Case, world: World) -> bool:
    """Whoever blames a change says that there is an incident; whoever blames none finds no cause."""
    truth = resolve(case.truth, facts_of(world), case.name)
    if truth.verdict != "root_cause" or truth.cause is None:
        return not guess.event and truth.cause is None
    return bool(guess.event) and guess.event == truth.cause.event


def facts_of(world: World) -> dict[str, Any]:
    """The world's facts, and for each change of an alarm the calls that set it to the value before and after."""
    found = dict(world.facts)
    for name, arn in world.facts.items():
        event, _, kind = name.rpartition(".")
        thing = world.things.get(arn) if kind == "resource" and isinstance(arn, str) else None
        if thing is None or thing.kind != "alarm":
            continue
        when, alarm = world.facts.get(f"{event}.time"), world.alarms[thing.name]
        if when is not None:
            found[f"{event}.call_before"] = _put_alarm(alarm.request(when - timedelta(seconds=1)))
            found[f"{event}.call_after"] = _put_alarm(alarm.request(when))
    return found


def _put_alarm(request: Json) -> Json:
    """PutMetricAlarm replaces the whole alarm: all that is not empty and not a default must be sent."""
    everything = {name[0].upper() + name[1:]: value for name, value in request.items()}
    everything["Dimensions"] = [
        {"Name": pair["name"], "Value": pair["value"]} for pair in everything.get("Dimensions", [])
    ]
    default = {"ActionsEnabled": True, "TreatMissingData": "missing"}
    optional = {name: value for name, value in everything.items() if not value or default.get(name) == value}
    optional.pop("Threshold", None)
    parameters = {name: value for name, value in everything.items() if name not in optional}
    return {
        "service": "cloudwatch",
        "operation": "PutMetricAlarm",
        "parameters": parameters,
        "optional": optional,
    }


async def _reports(world: World, context: Context) -> list[Report]:
    """All revisions, oldest first, each as it was last told."""
    from evals import register

    register()
    trigger = Trigger(**world.trigger)
    thread = f"eval-{world.case}-{world.seed.number}"
    latest: dict[int, Report] = {}
    async for update in stream(trigger, thread, context):
        if isinstance(update, Report):
            latest[update.revision] = update
    return [latest[number] for number in sorted(latest)]


def make_recording(case: Case, seed: int) -> Path:
    """Investigate a case and keep what was read as its recording.yaml, with the trigger beside it."""
    path = case.folder / "recording.yaml"
    source = f"{case.folder}?seed={seed}"
    world = open_world(source)
    asyncio.run(_reports(world, Context(source=f"world:{source}", region=world.region, record_to=str(path))))
    said = yaml.safe_dump(dict(world.trigger), sort_keys=True)
    (case.folder / "trigger.yaml").write_text(said, encoding="utf-8")
    return path


def begin(case: str, seed: int) -> tuple[Trigger, Context]:
    """What starts an investigation of this case's world."""
    world = open_world(f"{case}?seed={seed}")
    return Trigger(**world.trigger), Context(source=f"world:{case}?seed={seed}", region=world.region)


@lru_cache(maxsize=4)
def open_world(text: str) -> World:
    """The world of "CASE?seed=N"; CASE is the name of a case that comes with opsleuth, or a case folder."""
    from evals.world import load_case

    name, _, query = text.partition("?")
    asked = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    strange = sorted(set(asked) - {"seed"})
    if strange:
        raise BadInput(f'"{text}": unknown option {", ".join(strange)}. Write world:CASE?seed=1')
    number = asked.get("seed", ["1"])[-1]
    if not number.isdecimal():
        raise BadInput(f'"{text}": the seed must be a whole number, such as seed=1')
    return load_case(name, int(number))
