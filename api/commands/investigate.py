"""opsleuth investigate"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api import options
from api.asked import Asked
from api.asked import asked as with_asked

if TYPE_CHECKING:
    from datetime import datetime


@click.command(
    "investigate", short_help="Find the cause of an alarm, a failing resource, or what you describe."
)
@with_asked
@click.option(
    "--recording", default="", type=click.Path(), metavar="FILE", help="Read a recording instead of AWS."
)
@options.output
@click.option(
    "--no-wait", is_flag=True, help="End with the first look, even when CloudTrail has not delivered yet."
)
@click.option(
    "--record-to", default="", type=click.Path(), metavar="FILE", help="Keep a recording of all AWS answers."
)
def command(
    asked: Asked,
    recording: str,
    form: str | None,
    out: str,
    timeline: bool,
    no_wait: bool,
    record_to: str,
) -> None:
    """Find out what broke, who changed it, what it was before, and how to put it back. Reads only.

    \b
    opsleuth investigate --alarm orders-writes-throttled --profile prod --region ap-northeast-1
    opsleuth investigate --resource arn:aws:sqs:eu-west-1:111122223333:jobs --now 2026-03-14T02:40
    opsleuth investigate --text "orders fails since 2 am" --profile prod

    While CloudTrail has not delivered yet the answer is NOT YET; the command waits and looks again.
    """
    import sys

    from api.drive import Manner, drive

    place = options.reader_zone(asked.tz)
    source, as_of = _read_from(recording, asked.now, place)
    _check_free(record_to)

    context = asked.context(
        source,
        as_of,
        place,
        wait=not no_wait,
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
        record_to=record_to,
    )
    drive(
        asked.trigger(), context, Manner(form=options.form(form, out), out=out, timeline=timeline, tz=place)
    )


def _read_from(recording: str, now: str, place: str) -> tuple[str, datetime | None]:
    """What is read, and the moment that is looked at; None: the source's own."""
    if now and recording:
        raise click.UsageError("A recording has its own time. Leave out --now or --recording.")
    source = options.source(recording)
    return source, options.when(now, place, live=source == "live")


def _check_free(record_to: str) -> None:
    """Raise BadInput before the run when its recording could not be written."""
    if record_to:
        from pathlib import Path

        from api.files import check_writable

        check_writable(Path(record_to))
