"""opsleuth check"""

from __future__ import annotations

import click

from api import options

_PAUSE = 60


@click.command("check", short_help="Has it recovered? Looks again, reads only.")
@click.argument("id")
@click.option("--watch", is_flag=True, help="Look every minute until the answer is not NOT YET.")
@click.option("--profile", default="", help="AWS profile. Default: the one of the investigation.")
@click.option("--role-arn", default="", metavar="ARN", help="Role to assume for reading.")
@options.zone
def command(id: str, watch: bool, profile: str, role_arn: str, tz: str) -> None:
    """Look again at what report ID is about. The plan shows the id; its first four letters will do.

    \b
    RECOVERED       the setting is back and the symptom is gone
    NOT YET         and what is missing
    WORSE           go back
    CHANGED AGAIN   and by whom
    """
    from api.check import judge
    from api.drive import print_judgement
    from api.look import look
    from api.shelf import find
    from tools.clock import LiveClock

    place = options.reader_zone(tz)
    kept = find(id)
    clock = LiveClock()
    while True:
        judgement = judge(look(kept, profile=profile, role_arn=role_arn))
        print_judgement(judgement, kept, place)
        if judgement.settled or not watch or not kept.context.source.startswith("live"):
            return
        clock.sleep(_PAUSE)
