"""opsleuth doctor"""

from __future__ import annotations

import click

from api import options


@click.command("doctor", short_help="Can it work here? Credentials, region, and each permission.")
@options.account
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(profile: str, region: str, role_arn: str, as_json: bool) -> None:
    """Check credentials, region and every read that opsleuth makes: allowed, or what to add.

    Asks IAM when it may, else tries each read on a thing that does not exist. Changes nothing.
    """
    from api.doctor import examine

    found = examine(options.context(profile=profile, region=region, role_arn=role_arn))
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps({**asdict(found), "add": found.statement()}, indent=2))
        return
    from api.render.doctor import show

    show(found)
