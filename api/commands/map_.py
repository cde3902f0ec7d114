"""opsleuth map"""

from __future__ import annotations

import click

from api import options


@click.command("map", short_help="Draw what depends on what: around a symptom, or a whole account.")
@click.option(
    "--around", "resource", default="", metavar="RESOURCE", help="ARN or name of a resource to start at."
)
@click.option("--alarm", default="", metavar="NAME", help="Start at what this CloudWatch alarm watches.")
@click.option("--whole-account", is_flag=True, help="Read everything that opsleuth knows how to list.")
@click.option(
    "--level",
    type=click.Choice(["system", "container", "component", "all"]),
    default=None,
    help="Default: container; system for a whole account.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "graphml", "mermaid", "dot", "svg"]),
    default=None,
    help="Default: text, or by the ending of --out.",
)
@click.option(
    "--out", default="", type=click.Path(), metavar="FILE", help="Write the map to FILE, whole or not at all."
)
@click.option(
    "--cause", default="", metavar="RESOURCE", help="Also show the way of a fault from there to the symptom."
)
@click.option(
    "--radius", type=click.IntRange(1, 6), default=3, help="How many relations outward. Default: 3."
)
@click.option(
    "--space",
    "spaces",
    multiple=True,
    metavar="NAME",
    help="With --whole-account: an account of spaces.toml, or all. May be repeated.",
)
@click.option(
    "--refresh", is_flag=True, help="Read anew, although the same map was kept within the last day."
)
@options.account
@click.option(
    "--source", default="live", metavar="SOURCE", help="live, recording:PATH, or world:CASE?seed=N."
)
@click.option(
    "--max-calls", type=click.IntRange(1), default=None, help="Most AWS calls. Default: 1000; whole: 30000."
)
def command(
    resource: str,
    alarm: str,
    whole_account: bool,
    level: str | None,
    form: str | None,
    out: str,
    cause: str,
    radius: int,
    spaces: tuple[str, ...],
    refresh: bool,
    profile: str,
    region: str,
    role_arn: str,
    source: str,
    max_calls: int | None,
) -> None:
    """Draw resources and relations from configuration alone, and say why each line is there. Reads only.

    \b
    opsleuth map --alarm orders-writes-throttled --profile prod --out orders.svg
    opsleuth map --around orders --level component
    opsleuth map --whole-account --region eu-west-1 --format json --out account.json
    opsleuth map --whole-account --space all --out estate.svg

    Levels: system (what belongs together, and why), container (what runs or stores), component (its parts), all.
    """
    _one_start(resource, alarm, whole_account, cause)
    _only_spaces(spaces, whole_account, profile, role_arn, region)
    from api.draw_map import Wanted, draw

    draw(
        Wanted(
            resource=resource.strip(),
            alarm=alarm.strip(),
            whole=whole_account,
            level=level or ("system" if whole_account else "container"),
            form=form,
            out=out,
            cause=cause.strip(),
            radius=radius,
            spaces=spaces,
            refresh=refresh,
            profile=profile,
            region=options.place(region, alarm, resource),
            role_arn=role_arn,
            source=source,
            max_calls=max_calls,
        )
    )


def _one_start(resource: str, alarm: str, whole_account: bool, cause: str) -> None:
    """Raise UsageError unless exactly one place to start at is named, and a symptom when a cause is."""
    given = [bool(resource.strip()), bool(alarm.strip()), whole_account]
    if sum(given) != 1:
        raise click.UsageError(
            "Say where to start: --around RESOURCE or --alarm NAME; or --whole-account. Exactly one of them."
        )
    if cause and whole_account:
        raise click.UsageError("--cause needs a symptom: --around RESOURCE or --alarm NAME.")


def _only_spaces(spaces: tuple[str, ...], whole_account: bool, *places: str) -> None:
    """Raise UsageError when spaces are named beside another place."""
    if spaces and (not whole_account or any(places)):
        raise click.UsageError(
            "--space goes with --whole-account and says where to look: leave out --profile, --region and --role-arn."
        )
