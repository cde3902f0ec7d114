"""opsleuth record"""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import click

from api import options
from api.asked import Asked
from api.asked import asked as with_asked

_MOST_BYTES = 500_000


@click.command(
    "record", short_help="Investigate and make a case of it: scrubbed, replayable, for your own evals."
)
@with_asked
@click.option(
    "--source",
    default="live",
    metavar="SOURCE",
    help="live (default), recording:FILE, or world:CASE?seed=N.",
)
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The case folder to make. It must not be there yet.",
)
@click.option(
    "--hide",
    multiple=True,
    metavar="WORD",
    help="Also replace this word everywhere, such as a company's name; may be repeated.",
)
@click.option("--no-wait", is_flag=True, help="End with the first look.")
def command(asked: Asked, source: str, folder: Path, hide: tuple[str, ...], no_wait: bool) -> None:
    """Investigate as `opsleuth investigate` does, and write a case folder that replays it offline.

    \b
    recording.yaml      all answers of AWS to this run
    snapshot.jsonl.gz   changes, whole series and log lines, for questions that this run did not ask
    trigger.yaml        what was asked
    truth.yaml          to be filled in by you: what really happened

    Accounts, keys, addresses, mail and names are replaced by invented ones, the same everywhere. If anything that
    looks real is left, nothing is written. The originals stay on this machine, beside DIR and never in it.
    """
    if any(not word.strip() for word in hide):
        raise click.UsageError("--hide needs a word.")
    import evals
    from api.drive import Manner, drive

    place = options.reader_zone(asked.tz)
    as_of = _moment(asked.now, source, place)
    evals.check_free(folder)
    evals.register()
    with _private() as kept:
        run = kept / "run.yaml"
        context = asked.context(source, as_of, place, wait=not no_wait, record_to=str(run))
        shown = drive(asked.trigger(), context, Manner(tz=place))
        made = evals.make_case(run, shown.report, context, folder, hide)
    click.echo(_told(folder, made.originals, made.sizes, made.replaced, made.trigger))
    for sentence in made.missing:
        click.echo(f"  !  {sentence}")


def _moment(now: str, source: str, place: str) -> datetime | None:
    if now and source != "live":
        raise click.UsageError("A recording and a world have their own time. Leave out --now or --source.")
    return options.when(now, place, live=True)


class _private:
    """A folder for the answers with their real names, which only this user can read and which does not stay."""

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="opsleuth-record-"))
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _told(
    folder: Path, originals: Path, sizes: dict[str, int], replaced: dict[str, int], trigger: dict[str, str]
) -> str:
    from graph.words import say

    lines = ["", say("Recorded as a case in {folder}", folder=folder), ""]
    lines += [f"  {name:<20}{size / 1000:>9,.1f} kB" for name, size in sizes.items()]
    if sizes["recording.yaml"] > _MOST_BYTES:
        lines += ["", say("The recording has more than 500 kB: do not put it into git.")]
    counts = ", ".join(f"{count} {kind}" for kind, count in replaced.items()) or say("nothing was found")
    lines += ["", say("Replaced: {what}.", what=counts)]
    lines += [say("What stood there is in {file}. It is yours alone: never hand it on.", file=originals)]
    name, value = next(iter(trigger.items()), ("alarm", "NAME"))
    lines += [
        "",
        say("What to do next:"),
        f"  1  {say('Read recording.yaml and truth.yaml yourself. No program knows every secret.')}",
        f"  2  {say('Fill in truth.yaml: lines with #? are what the report said, to be confirmed by you.')}",
        f"  3  {say('Replay it:')} opsleuth investigate --{name} '{value}' --recording {folder}/recording.yaml",
    ]
    return "\n".join(lines)
