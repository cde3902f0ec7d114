"""How opsleuth is measured. Light: worlds and their libraries are imported when one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from graph.context import Context
from graph.models import Trigger
from tools.errors import BadInput

if TYPE_CHECKING:
    from evals.benchmarks import BenchResult
    from evals.results import SuiteResult
    from evals.snapshot import Made
    from graph.models import Report
    from tools.transport import Transport

__all__ = [
    "bench",
    "compare_results",
    "demo",
    "keep_first_runs",
    "register",
    "render",
    "run_suite",
    "validate_cases",
    "write_scoreboard",
]

DEMO = "dynamodb-max-write"
BENCHMARKS = (
    "cloudmapper",
    "cloudtrail",
    "estates",
    "grouping",
    "nab",
    "needle",
    "onset",
    "petshop",
    "responses",
    "speed",
    "undo",
)
WITHOUT_DATA = ("estates", "onset", "speed")


def register() -> None:
    """Make `Context(source="world:CASE?seed=N")` open a simulated account. CASE is a name or a folder."""
    from graph.session import register as add

    add("world", _world)
    add("snapshot", _snapshot)


def demo(seed: int | None = None) -> tuple[Trigger, Context]:
    """What `opsleuth demo` investigates: the committed recording, or with a seed the world of that case.

    Without a seed nothing of the extra `evals` is needed; with one, raises BadInput if it is
    missing.
    """
    if seed is None:
        from evals.cases import find, trigger

        (case,) = find(only=[DEMO])
        return Trigger(**trigger(case)), Context(source=f"recording:{case.folder / 'recording.yaml'}")
    _need_worlds()
    from evals.worlds import begin

    register()
    return begin(DEMO, seed)


def run_suite(
    incidents: Path | None = None,
    seeds: Sequence[int] = (1,),
    only: Sequence[str] = (),
    processes: int | None = None,
    unseen: Sequence[str] = (),
    out: Path | None = None,
    vary: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> SuiteResult:
    """Investigate every case with every seed and compare each report with the world's truth and ledger.

    `processes`: how many run side by side; None: one per core. `unseen`: run the change cases again without what is
    known of the change ("mechanism", "text"). `out`: a folder for one JSON log per run. `vary`: run every case also in
    these variants: "all" or names such as "noisy,removed". `progress`: told after every run how many of how many are
    done.
    """
    _need_worlds()
    from evals.suite import run_suite as run

    logs = out / "runs" if out is not None else None
    return run(
        incidents,
        seeds,
        only=only,
        processes=processes,
        unseen=unseen,
        logs=logs,
        vary=vary,
        progress=progress,
    )


def validate_cases(folder: Path) -> tuple[str, bool]:
    """Every mistake in the cases of a folder, one `path:line: text` per line, and whether there is none."""
    _need_worlds()
    from evals.validate import validate

    found = validate(folder)
    return found.render(), not found.mistakes


def render(result: SuiteResult) -> str:
    """The suite's result as a plain text table, with what failed and why."""
    from evals.summary import render as show

    return show(result)


def write_scoreboard(result: SuiteResult, folder: Path) -> tuple[Path, ...]:
    """Write scoreboard.md, scoreboard.html and results.json into `folder`. Raises BadInput when it cannot."""
    from evals.scoreboard import write

    return write(result, folder)


def compare_results(first: Path, second: Path) -> str:
    """What got better or worse between two results that `opsleuth eval --json` or `--out` wrote, as text."""
    from evals.compare import compare as both

    return both(first, second).render()


def keep_first_runs(
    result: SuiteResult, incidents: Path | None = None
) -> tuple[SuiteResult, tuple[str, ...]]:
    """Keep the score of cases that were never run before; older scores stay as they are.

    Returns the result with all first scores, and the names of the cases whose score is new.
    """
    from evals.first_runs import keep

    return keep(result, incidents)


def bench(name: str, path: Path | None = None) -> BenchResult:
    """Run the benchmark `name` ("cloudtrail") over the data at `path`, which those `WITHOUT_DATA` do not take.

    Raises BadInput.
    """
    if name not in BENCHMARKS:
        raise BadInput(f'"{name}" is no benchmark. Known: {", ".join(BENCHMARKS)}')
    if name not in WITHOUT_DATA and path is None:
        raise BadInput(f'The benchmark "{name}" needs data: --data PATH')
    try:
        module = import_module(f"evals.benchmarks.{name}")
        result: BenchResult = module.run() if name in WITHOUT_DATA else module.run(path)
    except ModuleNotFoundError as error:
        raise BadInput(
            f'The benchmark "{name}" needs {error.name}, of the extra `evals`. '
            'In a clone, run: .venv/bin/pip install -e ".[evals]"'
        ) from error
    return result


def make_case(
    recording: Path, report: Report, context: Context, folder: Path, hide: Sequence[str] = ()
) -> Made:
    """Write a recorded investigation as a case folder, scrubbed. See `evals.snapshot.make_case`."""
    from evals.snapshot import make_case as make

    return make(recording, report, context, folder, hide)


def check_free(folder: Path) -> None:
    """Raise BadInput when no case could be written to `folder`."""
    from evals.snapshot import free

    free(folder)


def _world(text: str) -> Transport:
    """The transport of "CASE?seed=N&...": the string after "world:"."""
    _need_worlds()
    from evals.worlds import open_world

    return open_world(text).transport()


def _snapshot(text: str) -> Transport:
    """The transport of a case folder of `opsleuth record`: the string after "snapshot:"."""
    _need_worlds()
    from evals.world.from_snapshot import from_snapshot

    return from_snapshot(Path(text))


def _need_worlds() -> None:
    if find_spec("moto") is None:
        raise BadInput(
            'Simulated accounts need the extra `evals`. In a clone, run: .venv/bin/pip install -e ".[evals]"'
        )
