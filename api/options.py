"""Options that several commands share, and what they mean for the graph's context."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from datetime import datetime

    from graph import Context

F = TypeVar("F", bound=Callable[..., Any])


def account(command: F) -> F:
    """--profile, --region, --role-arn."""
    command = click.option("--role-arn", default="", metavar="ARN", help="Role to assume for reading.")(
        command
    )
    command = click.option("--region", default="", help="AWS region. Default: the profile's.")(command)
    return click.option("--profile", default="", help="AWS profile. Default: the default credentials.")(
        command
    )


def spaces(command: F) -> F:
    """--space: which other accounts may be looked into."""
    return click.option(
        "--space",
        "--spaces",
        "spaces",
        multiple=True,
        metavar="NAME",
        help="Another account of spaces.toml that may be looked into. May be repeated. Default: all.",
    )(command)


def other_accounts(names: tuple[str, ...], source: str) -> list[dict[str, object]] | None:
    """The accounts that may be looked into besides the run's own; worlds and recordings say so themselves.

    Raises BadInput.
    """
    if source != "live" and not names:
        return None
    from api.shelf import home
    from api.spaces import around

    return around(names, home() / "spaces.toml")


def zone(command: F) -> F:
    return click.option(
        "--tz",
        default="",
        metavar="ZONE",
        help="Zone of printed and typed times, e.g. Asia/Tokyo. Default: this machine's.",
    )(command)


def subject(command: F) -> F:
    """--alarm, --resource, --text: exactly one."""
    command = click.option(
        "--text", default="", metavar="WORDS", help="What is wrong, in words; English or Japanese."
    )(command)
    command = click.option(
        "--resource", default="", metavar="ARN", help="ARN of a resource that misbehaves."
    )(command)
    return click.option("--alarm", default="", metavar="NAME", help="Name or ARN of a CloudWatch alarm.")(
        command
    )


def reading(command: F) -> F:
    """How to look: --now, --model, --max-calls."""
    command = click.option(
        "--max-calls", type=click.IntRange(1), default=None, help="Most AWS calls. Default: 1000."
    )(command)
    command = click.option(
        "--model", default="none", help="Model id, or none (default: no model, no model cost)."
    )(command)
    return click.option(
        "--now",
        default="",
        metavar="TIME",
        help="Look as of this time: ISO, in --tz unless it has an offset.",
    )(command)


def output(command: F) -> F:
    """--format, --out, --timeline."""
    command = click.option("--timeline", is_flag=True, help="Show every step as it happens (on stderr).")(
        command
    )
    command = click.option(
        "--out",
        default="",
        type=click.Path(),
        metavar="FILE",
        help="Write the report to FILE, whole or not at all.",
    )(command)
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "md", "json"]),
        default=None,
        help="Default: text, or by the ending of --out.",
    )(command)


def one_subject(alarm: str, resource: str, text: str) -> None:
    """Raise a usage error unless exactly one was given; an ARN must look like one."""
    given = [
        name
        for name, value in (("--alarm", alarm), ("--resource", resource), ("--text", text))
        if value.strip()
    ]
    if not given:
        raise click.UsageError(
            'Say what to investigate: --alarm NAME, --resource ARN or --text "what is wrong". '
            "Without an account: opsleuth demo"
        )
    if len(given) > 1:
        raise click.UsageError(
            f"Only one of --alarm, --resource and --text, please; got {' and '.join(given)}."
        )
    if resource:
        known(resource)
    if alarm.strip().startswith("arn:"):
        known_alarm(alarm.strip())


def known_alarm(alarm: str) -> None:
    """Raise BadInput when an ARN is none, or not one of a CloudWatch alarm."""
    from tools.arn import parse
    from tools.errors import BadInput

    arn = parse(alarm)
    if (arn.service, arn.type) != ("cloudwatch", "alarm"):
        raise BadInput(f"{alarm} is not a CloudWatch alarm. Name a resource with --resource ARN.")


def known(resource: str) -> None:
    """Raise BadInput when `resource` is no ARN, or one of a service that opsleuth does not know."""
    from tools.arn import parse
    from tools.catalogue import service_of
    from tools.errors import BadInput

    arn = parse(resource)
    if service_of(str(arn)) is None:
        raise BadInput(
            f'opsleuth does not know this kind of resource yet ({arn.service}, "{arn.resource}"). '
            "Name the alarm that fired instead."
        )


def place(region: str, alarm: str, resource: str) -> str:
    """The region to look at: the one that was named, else the one inside the ARN, else "" (the profile's)."""
    from tools.arn import is_arn, parse

    subject = (resource or alarm).strip()
    return region or (parse(subject).region if is_arn(subject) else "")


def form(wanted: str | None, out: str) -> str:
    """The form of the report: the wanted one, else by the ending of the file, else text.

    Raises a usage error for an ending that means another form: a text called x.pdf opens nowhere.
    """
    from pathlib import Path

    endings = {".md": "md", ".markdown": "md", ".json": "json", ".txt": "text", ".text": "text", "": "text"}
    ending = Path(out).suffix.lower()
    if wanted is None and ending not in endings:
        known = ", ".join(one for one in endings if one)
        raise click.UsageError(
            f"--out {out}: a report has no form for the ending {ending}. Known: {known}. "
            "With --format text, md or json any name will do."
        )
    return wanted or endings[ending]


def when(now: str, tz: str, *, live: bool) -> datetime | None:
    """The moment of --now, or None. Raises BadInput when it is no time, or a live account's future."""
    from api.zone import moment
    from tools.clock import LiveClock

    if not now:
        return None
    return moment(now, tz, LiveClock().now() if live else None)


def reader_zone(tz: str) -> str:
    """The zone that the reader named, checked, or this machine's."""
    from api.zone import own_zone

    if not tz:
        return own_zone()
    from graph.words import zone as known

    known(tz)
    return tz


def source(recording: str) -> str:
    """The context's source: live, or a recording that exists. Raises BadRecording."""
    if not recording:
        return "live"
    from pathlib import Path

    from tools.errors import BadRecording

    if not Path(recording).is_file():
        raise BadRecording(f"There is no recording at {recording}. Make one with: opsleuth record")
    return f"recording:{recording}"


def context(**fields: object) -> Context:
    """A context of the fields that were given; None leaves the default."""
    from graph import Context

    return Context.model_validate({name: value for name, value in fields.items() if value is not None})
