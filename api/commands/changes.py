"""opsleuth changes"""

from __future__ import annotations

import click

from api import options


@click.command("changes", short_help="What was changed since when, riskiest first; reads and noise counted.")
@click.option(
    "--since",
    default="24h",
    metavar="SPAN",
    help="30m, 24h, 7d back from now (from --until where that is an ISO time), or an ISO time. Default: 24h.",
)
@click.option(
    "--until", default="", metavar="TIME", help="End of the time: a span back or an ISO time. Default: now."
)
@click.option("--near", default="", metavar="ARN", help="Only changes of this resource and its neighbours.")
@click.option("--profile", "profiles", multiple=True, help="AWS profile; give it again for more accounts.")
@click.option("--region", "regions", multiple=True, help="AWS region; give it again for more regions.")
@click.option("--role-arn", default="", metavar="ARN", help="Role to assume for reading.")
@click.option(
    "--space",
    "spaces",
    multiple=True,
    metavar="NAME",
    help="An account of spaces.toml, or all. May be repeated.",
)
@click.option("--source", default="live", metavar="SOURCE", help="live or world:CASE?seed=N.")
@click.option(
    "--max-calls", type=click.IntRange(1), default=None, help="Most AWS calls per account. Default: 1000."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@options.zone
def command(
    since: str,
    until: str,
    near: str,
    profiles: tuple[str, ...],
    regions: tuple[str, ...],
    role_arn: str,
    spaces: tuple[str, ...],
    source: str,
    max_calls: int | None,
    as_json: bool,
    tz: str,
) -> None:
    """List every effective change of a time, riskiest first: field, before, after, who, how, still in force or not.

    \b
    opsleuth changes --since 24h --profile prod --region eu-west-1 --region us-east-1
    opsleuth changes --since 24h --space all
    opsleuth changes --since 2h --near arn:aws:sqs:eu-west-1:111122223333:jobs

    Reads, no-ops and reactions of services are folded and counted. No alarm and no model is needed. Reads only.
    """
    if spaces and (profiles or regions or role_arn):
        raise click.UsageError("--space says where to look: leave out --profile, --region and --role-arn.")
    from api.changes import Wanted, show_changes

    show_changes(
        Wanted(
            since=since,
            until=until,
            near=near.strip(),
            profiles=profiles or ("",),
            spaces=spaces,
            regions=regions,
            role_arn=role_arn,
            source=source,
            max_calls=max_calls,
            tz=options.reader_zone(tz),
        ),
        as_json=as_json,
    )
