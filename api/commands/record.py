"""opsleuth record"""

from __future__ import annotations

from pathlib import Path

import click

from api import options


@click.command("record", short_help="Investigate and keep all AWS answers, so that the run can be replayed.")
@options.subject
@options.account
@options.reading
@options.zone
@options.output
@click.option(
    "--to", "target", default="", type=click.Path(), metavar="FILE", help="Default: in the data folder."
)
def command(
    alarm: str,
    resource: str,
    text: str,
    profile: str,
    region: str,
    role_arn: str,
    now: str,
    model: str,
    max_calls: int | None,
    tz: str,
    form: str | None,
    out: str,
    timeline: bool,
    target: str,
) -> None:
    """Investigate as `opsleuth investigate` does, and write all AWS answers to a file, scrubbed of secrets.

    Replay it offline: opsleuth investigate --recording FILE with the same --alarm, --resource or --text.
    """
    options.one_subject(alarm, resource, text)
    from api.drive import Manner, drive
    from api.files import check_writable
    from graph import Trigger
    from graph.words import say

    place = options.reader_zone(tz)
    as_of = options.when(now, place, live=True)
    path = Path(target) if target else _free_name()
    check_writable(path)
    context = options.context(
        region=options.place(region, alarm, resource),
        profile=profile,
        role_arn=role_arn,
        as_of=as_of,
        model=model,
        tz=place,
        max_calls=max_calls,
        record_to=str(path),
    )
    trigger = Trigger(alarm=alarm.strip(), resource=resource.strip(), text=text.strip())
    drive(trigger, context, Manner(form=options.form(form, out), out=out, timeline=timeline, tz=place))
    click.echo(say("Recorded in {path}", path=path), err=True)


def _free_name() -> Path:
    from api.shelf import home
    from tools.clock import LiveClock

    folder = home() / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    stem = LiveClock().now().strftime("%Y%m%dT%H%M%SZ")
    return folder / f"{stem}.yaml"
