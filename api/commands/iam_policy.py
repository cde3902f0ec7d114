"""opsleuth iam-policy"""

from __future__ import annotations

import click


@click.command("iam-policy", short_help="Print the least IAM policy that opsleuth needs.")
def command() -> None:
    """Print the IAM policy with every read that opsleuth makes, and nothing else, as JSON."""
    import json

    from tools.needs import iam_policy

    click.echo(json.dumps(iam_policy(), indent=2))
