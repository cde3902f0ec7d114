"""Turns a recorded investigation into a case: its recording, its snapshot and a truth for a person to confirm.

Everything is scrubbed with one set of replacements and looked through once more before a single file is written. The
originals stay on this machine, beside the folder and never in it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from evals.folders import RECORDING, TRIGGER, TRUTH
from evals.snapshot_file import NAME, VALUES, packed, rows
from evals.snapshot_gather import Reach, gather
from evals.snapshot_truth import skeleton
from graph.context import Context
from graph.models import Report, Trigger
from graph.session import close, session
from tools.aws import Reader
from tools.cassette import Cassette, read, write
from tools.errors import BadInput
from tools.evidence import canonical
from tools.models import Json
from tools.scrub import SUFFIX, Scrubber, keep
from tools.scrub_cassette import scrubbed, texts
from tools.scrub_check import check

_CALLS = 3000
_NUMBERS = f'{{"kind":"{VALUES}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A case folder that was written. `missing`: parts that could not be gathered, each as a sentence."""

    folder: Path
    originals: Path
    sizes: dict[str, int]
    replaced: dict[str, int]
    trigger: Json
    missing: tuple[str, ...] = ()


def free(folder: Path) -> None:
    """Raise BadInput now when a case could not be written to `folder` at the end of a long run."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is there already and not empty. Name a new folder with --out.")
    parent = folder.absolute().parent
    if not parent.is_dir():
        raise BadInput(f"The folder {parent} does not exist. Make it first.")
    if not os.access(parent, os.W_OK):
        raise BadInput(f"The folder {parent} cannot be written to.")


def make_case(
    recording: Path,
    report: Report,
    context: Context,
    folder: Path,
    hide: Sequence[str] = (),
    reach: Reach | None = None,
) -> Made:
    """Write the case of the run whose answers are in `recording` and whose last report is `report`.

    Asks the account for what new questions will need. Raises LooksReal when something that looks real would be
    written; then nothing is.
    """
    free(folder)
    cassette = read(recording)
    lines = _snapshot(cassette, report, context, reach or Reach())
    trigger = report.trigger.model_dump(mode="json", exclude_defaults=True)
    truth = skeleton(report)
    scrubber = Scrubber(hide=hide)
    worded = [line for line in lines if not line.startswith(_NUMBERS)]
    held = [text for _, text in texts(cassette) if isinstance(text, str)]
    scrubber.learn([*held, *worded, canonical(trigger), truth])
    clean = scrubbed(cassette, scrubber)
    clean_lines = [line if line.startswith(_NUMBERS) else scrubber(line) for line in lines]
    clean_trigger = scrubber(yaml.safe_dump(trigger, sort_keys=True, allow_unicode=True, width=1000))
    clean_truth = scrubber(truth)
    told = [*texts(clean), *_worded(clean_lines), (TRIGGER, clean_trigger), (TRUTH, clean_truth)]
    check(told, scrubber)
    contents = {NAME: packed(clean_lines), TRIGGER: clean_trigger.encode(), TRUTH: clean_truth.encode()}
    originals = folder.absolute().with_name(folder.absolute().name + SUFFIX)
    with _whole(folder) as place:
        write(place / RECORDING, clean)
        for name, content in contents.items():
            (place / name).write_bytes(content)
        sizes = {item.name: item.stat().st_size for item in sorted(place.iterdir())}
        keep(originals, scrubber)
    return Made(
        folder=folder,
        originals=originals,
        sizes=sizes,
        replaced={kind: len(found) for kind, found in sorted(scrubber.originals.items())},
        trigger=yaml.safe_load(clean_trigger) or {},
        missing=_missing(clean_lines),
    )


def _worded(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Lines that hold words, each with where it stands."""
    for number, line in enumerate(lines, 1):
        if not line.startswith(_NUMBERS):
            yield f"line {number} of the snapshot", line


class _whole:
    """A folder that appears with everything in it, or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def __enter__(self) -> Path:
        self._place = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}.", dir=self._folder.parent))
        return self._place

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            os.chmod(self._place, 0o755)
            if self._folder.exists():
                self._folder.rmdir()
            self._place.rename(self._folder)
        else:
            shutil.rmtree(self._place, ignore_errors=True)


def _snapshot(cassette: Cassette, report: Report, context: Context, reach: Reach) -> list[str]:
    """The lines of the snapshot, asked for in a session of its own as of the moment of the report."""
    run = f"snapshot-{uuid.uuid4().hex}"
    again = context.model_copy(
        update={
            "record_to": "",
            "data_dir": "",
            "as_of": None if context.source != "live" else report.as_of,
            "max_calls": max(context.max_calls, _CALLS),
        }
    )
    try:
        aws = session(run, again).aws
        aws.as_of = report.as_of
        aws.identify(Reader(aws=aws, letter="S"))
        onset = report.incident.onset
        held = gather(cassette, aws, onset.earliest if onset else None, reach)
    finally:
        close(run)
    return [canonical(row) for row in rows(held)]


def _missing(lines: Sequence[str]) -> tuple[str, ...]:
    told = {
        "events": "No whole list of changes: questions about other changes will be misses.",
        "points": "No whole series: questions about other periods will be misses.",
        "lines": "No whole log lines: other searches will be misses.",
        "alarms": "No whole list of alarms.",
    }
    held = {word for line in lines for word in told if '"kind":"span"' in line and f'"what":"{word}"' in line}
    return tuple(sentence for word, sentence in told.items() if word not in held) + _short(lines)


def _short(lines: Sequence[str]) -> tuple[str, ...]:
    """Log groups whose lines were too many to take all."""
    taken = json.loads(lines[0])["taken"]
    spans = [json.loads(line) for line in lines if '"kind":"span"' in line and '"what":"lines"' in line]
    return tuple(
        f"Lines of {span['key'][1]} are held until {span['end'][:19]}Z only: there were too many."
        for span in spans
        if span["end"] < taken
    )


def trigger_of(folder: Path) -> Trigger:
    """What starts an investigation of a case folder. Raises BadInput."""
    path = folder / TRIGGER
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Trigger.model_validate(said)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
