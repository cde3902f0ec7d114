"""opsleuth eval"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click


@click.command("eval", short_help="Measure opsleuth on simulated incidents whose truth is known.")
@click.option(
    "--incidents",
    default=None,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Default: the built-in cases.",
)
@click.option("--case", "only", multiple=True, metavar="NAME", help="Only this case; may be repeated.")
@click.option("--seeds", default="1", show_default=True, metavar="LIST", help="For example 1-5 or 1,3,7.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--floor",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Exit 1 when less than this share is right, a claim is false or a step does harm.",
)
@click.option(
    "--processes", type=click.IntRange(1), default=None, help="Runs side by side. Default: one per core."
)
@click.option(
    "--unseen",
    multiple=True,
    type=click.Choice(["mechanism", "text"]),
    help="Run the change cases again without what is known of that change; may be repeated.",
)
@click.option(
    "--vary",
    is_flag=False,
    flag_value="all",
    default="",
    metavar="[LIST]",
    help="Run the cases also in variants: all (11 more runs per case and seed), or for example noisy,removed.",
)
@click.option(
    "--out",
    default=None,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write scoreboard.html, scoreboard.md, results.json and a log per run.",
)
@click.option("--first-run", is_flag=True, help="Keep the score of cases that were never run before.")
@click.option(
    "--compare",
    nargs=2,
    default=None,
    type=click.Path(path_type=Path, exists=True),
    metavar="A B",
    help="Run nothing; tell what two results have got better and worse.",
)
@click.option(
    "--validate",
    default=None,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run nothing; tell every mistake in these cases with file and line. Exit 2 when there is one.",
)
@click.pass_context
def command(
    ctx: click.Context,
    incidents: Path | None,
    only: tuple[str, ...],
    seeds: str,
    as_json: bool,
    floor: float,
    processes: int | None,
    unseen: tuple[str, ...],
    vary: str,
    out: Path | None,
    first_run: bool,
    compare: tuple[Path, Path] | None,
    validate: Path | None,
) -> None:
    """Investigate simulated accounts and compare each report with the truth of the simulation. Offline."""
    import evals

    if compare is not None:
        click.echo(evals.compare_results(*compare), nl=False)
        return
    if validate is not None:
        text, sound = evals.validate_cases(validate)
        click.echo(text, nl=False)
        ctx.exit(0 if sound else 2)
    numbers = parse_seeds(seeds)
    if incidents is not None and not incidents.is_dir():
        raise click.UsageError(f"{incidents} is not a folder with cases.")
    result = evals.run_suite(incidents, numbers, only, processes, unseen, out, vary, _progress())
    if first_run:
        result, kept = evals.keep_first_runs(result, incidents)
        click.echo(f"First scores kept: {', '.join(kept) or 'none, every case has one'}", err=True)
    if as_json:
        click.echo(json.dumps(result.as_json(), indent=2))
    else:
        click.echo(evals.render(result), nl=False)
    for path in evals.write_scoreboard(result, out) if out is not None else ():
        click.echo(f"Wrote {path}", err=True)
    if not result.passed(floor):
        ctx.exit(1)


def _progress() -> Callable[[int, int], None] | None:
    """Counts runs on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, total: int) -> None:
        click.echo(f"\r{done} of {total} runs" + ("\n" if done == total else ""), nl=False, err=True)

    return tell


def parse_seeds(text: str) -> tuple[int, ...]:
    """`1-5`, `1,3,7` or a mixture as numbers, in order, each once. Raises a usage error with an example."""
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdigit()) or (dash and not (last.isascii() and last.isdigit())):
            raise click.UsageError(f'"{text}" is not a list of seeds. Write 1-5 or 1,3,7.')
        low, high = int(first), int(last or first)
        if high < low or high - low > 10_000:
            raise click.UsageError(
                f'"{part.strip()}" is not a range of seeds. Write the smaller number first, as in 1-5.'
            )
        found.update(dict.fromkeys(range(low, high + 1)))
    return tuple(found)
