"""opsleuth bench"""

from __future__ import annotations

from pathlib import Path

import click


@click.command("bench", short_help="Measure parts of opsleuth on public data.")
@click.argument("name")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Folder or file with the data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str, data: Path, as_json: bool) -> None:
    """Run the benchmark NAME over data that you have. Known: cloudtrail (CloudTrail events as JSON)."""
    if not data.exists():
        raise click.UsageError(f"There is nothing at {data}.")
    from evals import bench

    result = bench(name, data)
    click.echo(result.as_json() if as_json else result.as_text())
