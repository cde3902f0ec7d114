"""opsleuth schema"""

from __future__ import annotations

import click


@click.command("schema", short_help="Print the JSON schema of a report.")
def command() -> None:
    """Print the JSON schema of what `--format json` gives."""
    import json

    from graph import Report

    click.echo(json.dumps(Report.model_json_schema(), indent=2))
