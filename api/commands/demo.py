"""opsleuth demo"""

from __future__ import annotations

import click

from api import options


@click.command("demo", short_help="Solve a recorded incident, offline: no account, no network, no cost.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=None,
    help="Make another account of the same kind (needs the extra `evals`).",
)
@options.zone
@options.output
def command(seed: int | None, tz: str, form: str | None, out: str, timeline: bool) -> None:
    """Investigate a recorded incident: writes to a DynamoDB table fail since somebody changed a setting.

    Nothing leaves this machine. With --seed names, people, times and values are others each time.
    """
    from api.drive import Manner, drive
    from evals import demo

    place = options.reader_zone(tz)
    trigger, context = demo(seed)
    context = context.model_copy(update={"tz": place})
    drive(trigger, context, Manner(form=options.form(form, out), out=out, timeline=timeline, tz=place))
