"""opsleuth undo"""

from __future__ import annotations

import click

from api import options


@click.command("undo", short_help="The plan that puts back what one CloudTrail event changed. Runs nothing.")
@click.argument("event_id")
@click.option(
    "--region", "regions", multiple=True, help="AWS region of the event. Default: the profile's and global."
)
@click.option("--profile", default="", help="AWS profile. Default: the default credentials.")
@click.option("--role-arn", default="", metavar="ARN", help="Role to assume for reading.")
@click.option("--source", default="live", metavar="SOURCE", help="live or world:CASE?seed=N.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@options.zone
def command(
    event_id: str,
    regions: tuple[str, ...],
    profile: str,
    role_arn: str,
    source: str,
    as_json: bool,
    tz: str,
) -> None:
    """Say how to put back what EVENT_ID changed. opsleuth changes prints the ids. Reads only, runs nothing.

    \b
    EXACT             commands that restore every value
    PARTIAL           what is not known is named
    NOTHING TO UNDO   it was refused, changed nothing, or is back already
    SUPERSEDED        a later change would be lost; it is shown
    CANNOT BE UNDONE  what is lost, and the nearest way
    """
    from api.changes import Wanted, show_undo

    wanted = Wanted(
        profiles=(profile,), regions=regions, role_arn=role_arn, source=source, tz=options.reader_zone(tz)
    )
    show_undo(event_id, wanted, as_json=as_json)
