"""Where reports are kept between commands: one folder per report, found by the head of its id.

`<home>/reports/<id>/report.json` holds the report and its context; beside it lie the files of its prevention.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.files import write_whole
from tools.errors import BadInput

if TYPE_CHECKING:
    from graph import Context, Report

SHORTEST = 4
_LONG = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A report and where it was made. `short` is what people type; no folder when it could not be kept."""

    short: str
    folder: Path | None
    report: Report
    context: Context


def home() -> Path:
    """OPSLEUTH_HOME, else opsleuth in XDG_DATA_HOME, else ~/.local/share/opsleuth."""
    own = os.environ.get("OPSLEUTH_HOME", "")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_DATA_HOME", "") or Path.home() / ".local" / "share") / "opsleuth"


def identity(report: Report) -> str:
    """The report's id: equal for equal runs, whatever they cost."""
    return hashlib.sha256(report.without_statistics().encode()).hexdigest()[:_LONG]


def keep(report: Report, context: Context) -> Kept:
    """Put the report on the shelf. Keeping it again changes nothing but where it was made."""
    whole = identity(report)
    folder = _reports() / whole
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _reports().chmod(0o700)  # excerpts of the account's logs lie here
    except OSError as error:
        raise BadInput(
            f"Reports cannot be kept in {home()}: {error.strerror}. Set OPSLEUTH_HOME to a folder."
        ) from error
    for name, artefact in artefacts(report).items():
        write_whole(folder / name, artefact)
    where = context.model_dump(mode="json")
    whole_text = json.dumps(
        {"context": where, "report": report.model_dump(mode="json")}, indent=1, ensure_ascii=False
    )
    write_whole(folder / "report.json", whole_text)
    return Kept(short=_short(whole), folder=folder, report=report, context=context)


def unkept(report: Report, context: Context) -> Kept:
    """The report where no shelf can be written."""
    return Kept(short=identity(report)[:SHORTEST], folder=None, report=report, context=context)


def find(text: str) -> Kept:
    """The report whose id begins with `text`. Raises BadInput when there is none, or more than one."""
    from graph import Context, Report

    head = text.strip().lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},}}", head):
        raise BadInput(
            f'"{text}" is not the id of a report. It is {SHORTEST} or more of 0-9 and a-f, as in: check 7f3a'
        )
    fitting = [name for name in _ids() if name.startswith(head)]
    if not fitting:
        raise BadInput(f"No report {head} is kept in {home()}. {_known()}")
    if len(fitting) > 1:
        raise BadInput(f"Several reports begin with {head}: {', '.join(_short(name) for name in fitting)}.")
    folder = _reports() / fitting[0]
    try:
        data = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        report, context = Report.model_validate(data["report"]), Context.model_validate(data["context"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"The kept report {folder / 'report.json'} cannot be read. Investigate again."
        ) from error
    return Kept(short=_short(fitting[0]), folder=folder, report=report, context=context)


def artefacts(report: Report) -> dict[str, str]:
    """File name -> text of each prevention's artefact; equal names are numbered."""
    made: dict[str, str] = {}
    for item in report.prevention:
        text = (
            item.artefact
            if isinstance(item.artefact, str)
            else json.dumps(item.artefact, indent=2, ensure_ascii=False)
        )
        made[artefact_name(made, item.artefact_name)] = text.rstrip("\n") + "\n"
    return made


def artefact_name(taken: dict[str, str], wanted: str) -> str:
    """A safe file name near `wanted` that is not taken and is not the report's own."""
    safe = re.sub(r"[^\w.-]+", "-", wanted).strip(".-") or "artefact.txt"
    stem, dot, ending = safe.rpartition(".")
    name, number = safe, 2
    while name in taken or name == "report.json":
        name = f"{stem}-{number}{dot}{ending}" if dot else f"{safe}-{number}"
        number += 1
    return name


def _reports() -> Path:
    return home() / "reports"


def _ids() -> list[str]:
    folder = _reports()
    if not folder.is_dir():
        return []
    return sorted(item.name for item in folder.iterdir() if (item / "report.json").is_file())


def _short(whole: str) -> str:
    """The shortest head of at least four letters that no other kept report begins with."""
    others = [name for name in _ids() if name != whole]
    for length in range(SHORTEST, len(whole)):
        if not any(name.startswith(whole[:length]) for name in others):
            return whole[:length]
    return whole


def _known() -> str:
    newest = sorted(
        _ids(), key=lambda name: (_reports() / name / "report.json").stat().st_mtime, reverse=True
    )[:5]
    if not newest:
        return "Investigate first: opsleuth investigate --alarm NAME"
    return f"Newest: {', '.join(_short(name) for name in newest)}."
