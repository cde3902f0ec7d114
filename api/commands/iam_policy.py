"""opsleuth iam-policy"""

from __future__ import annotations

from pathlib import Path

import click

from tools.models import Json


@click.command("iam-policy", short_help="Print the least IAM policy that opsleuth needs.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write it as managed policies, each short enough for IAM, and print the commands that attach them.",
)
def command(out: Path | None) -> None:
    """Print the IAM policy with every read that opsleuth makes, and nothing else, as JSON.

    As one document it fits a role as inline policy only: aws iam put-role-policy. A managed policy may hold 6,144
    characters: see --out.
    """
    import json

    from tools import needs

    if out is None:
        click.echo(json.dumps(needs.iam_policy(), indent=2))
        return
    for line in _written(out, needs.managed_policies()):
        click.echo(line)


def _written(folder: Path, policies: list[Json]) -> list[str]:
    """The commands for what was written. Raises BadInput where it cannot be."""
    import json
    import shlex

    from tools.errors import BadInput

    lines = ["# by somebody who may change IAM; put your names in place of ROLE and ACCOUNT"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, policy in enumerate(policies, 1):
            name = f"opsleuth-{number}"
            place = folder / f"{name}.json"
            place.write_text(json.dumps(policy, separators=(",", ":")) + "\n", encoding="utf-8")
            lines += [
                f"aws iam create-policy --policy-name {name} --policy-document {shlex.quote(f'file://{place}')}",
                f"aws iam attach-role-policy --role-name ROLE --policy-arn arn:aws:iam::ACCOUNT:policy/{name}",
            ]
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}. Name a folder that can be.") from error
    return lines
