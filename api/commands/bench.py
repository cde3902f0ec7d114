"""opsleuth bench"""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("bench", short_help="Measure parts of opsleuth on public data.")
@click.argument("name")
@click.option(
    "--data",
    default=None,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Folder or file with the data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, name: str, data: Path | None, as_json: bool) -> None:
    """Run the benchmark NAME over data that you have. Known: cloudmapper (an account's folder of CloudMapper, read
    whole), cloudtrail (CloudTrail events as JSON), estates (relations of a made account, also with half of the reads
    denied: needs no data),
    grouping (labelled log lines, as loghub has them: SYSTEM_2k.log_structured.csv),
    nab (a copy of NAB: metrics with labelled anomalies),
    needle (CloudTrail events as JSON, among which changes that break something are planted),
    onset (beginnings of made troubles: needs no data),
    petshop (metrics and dependencies of an application with faults), responses (recorded answers of AWS, one file
    each), speed (log lines and changes made here: needs no data), undo (CloudTrail events as JSON: what would put each
    back; and opsleuth's own examples, rehearsed)."""
    if data is not None and not data.exists():
        raise click.UsageError(f"There is nothing at {data}.")
    from evals import bench

    if sys.stderr.isatty():
        click.echo("Measuring. This can take minutes.", err=True)
    result = bench(name, data)
    if as_json:
        import json

        click.echo(json.dumps(dict(result.figures), indent=2))
    else:
        click.echo("\n".join([result.text.rstrip("\n"), *result.notes]))
    if not result.ok:
        ctx.exit(1)
