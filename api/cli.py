"""The command line. Light: what a command needs is imported when it runs, so that help and typos are instant.

Exit codes: 0 answered, 1 eval below its floor, 2 bad usage, 3 could not investigate, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from api.commands import (
    bench,
    changes,
    check,
    demo,
    doctor,
    eval_,
    iam_policy,
    investigate,
    map_,
    record,
    schema,
    serve,
    undo,
)
from tools.errors import BadInput, BadRecording, OpsleuthError, Refused

ANSWERED, BELOW_FLOOR, BAD_USAGE, NOT_INVESTIGATED, STOPPED = 0, 1, 2, 3, 130


class _InOrder(click.Group):
    """Lists the commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("opsleuth")
    except PackageNotFoundError:
        found = "unknown (not installed)"
    click.echo(f"opsleuth {found}")
    ctx.exit()


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def cli() -> None:
    """Find out why an AWS service broke: who changed what, what it was before, and how to put it back.

    opsleuth only reads. It prints the commands that repair; you run them.

    \b
    Try it without an account:   opsleuth demo
    A real alarm:                opsleuth investigate --alarm NAME --profile PROFILE --region REGION
    What it may and cannot see:  opsleuth doctor --profile PROFILE

    \b
    Exit codes: 0 answered, 1 eval below its floor, 2 bad usage, 3 could not investigate.
    """


_COMMANDS = (
    *(demo, investigate, check, changes, undo, map_, doctor),
    *(iam_policy, record, schema, serve, eval_, bench),
)
for _command in _COMMANDS:
    cli.add_command(_command.command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. Every failure is a sentence on stderr."""
    try:
        result = cli.main(args=arguments, prog_name="opsleuth", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else ANSWERED
    except click.ClickException as error:
        error.show()
        return BAD_USAGE
    except (click.Abort, KeyboardInterrupt):
        _stop()
    except BrokenPipeError:
        # The reader of stdout has gone (`| head`); Python's own flush at exit would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ANSWERED
    except OpsleuthError as error:
        if _debug():
            raise
        click.echo(f"opsleuth: {_told(error)}", err=True)
        return BAD_USAGE if isinstance(error, BadInput | BadRecording) else NOT_INVESTIGATED
    except Exception as error:  # the edge of the process: a person reads this, not a traceback
        if _debug():
            raise
        first = str(error).strip().splitlines()
        click.echo(
            f"opsleuth: a defect in opsleuth: {type(error).__name__}{': ' + first[0] if first else ''}",
            err=True,
        )
        click.echo("Set OPSLEUTH_DEBUG=1 and repeat the command to see where it happened.", err=True)
        return NOT_INVESTIGATED
    return STOPPED


def _told(error: OpsleuthError) -> str:
    """The error's sentence, with what lifts it where AWS refused."""
    lift = error.gap.lift if isinstance(error, Refused) else ""
    return f"{error} {lift}".strip()


def _debug() -> bool:
    return os.environ.get("OPSLEUTH_DEBUG", "") not in ("", "0")


def _stop() -> None:
    """End at once: threads that still read AWS change nothing, and joining them could take minutes."""
    click.echo("\nStopped. Nothing was changed and no file was left half-written.", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(STOPPED)
