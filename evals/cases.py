"""Case folders: `case.yaml` describes the world, `truth.yaml` the answer. Data only, never code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

import yaml

from evals.folders import CASE, TRIGGER, TRUTH, is_case, is_recorded, unconfirmed
from evals.truth import load_template
from tools.errors import BadInput
from tools.models import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case folder. `truth` is unresolved: its references wait for a world's facts.

    `recorded`: made by `opsleuth record`, without a world; its `truth` is empty until somebody has confirmed it.
    """

    name: str
    folder: Path
    truth: Json
    recorded: bool = False


def incidents() -> Path:
    """The folder of the cases that come with opsleuth."""
    return Path(str(files("evals"))) / "incidents"


def find(folder: Path | None = None, only: Sequence[str] = ()) -> tuple[Case, ...]:
    """All cases in `folder` (default: those that come with opsleuth), or those named in `only`, by name.

    `folder` may itself be a case. Raises BadInput when there is no case, or one is incomplete or invalid.
    """
    root = folder or incidents()
    if not root.is_dir():
        raise BadInput(f"{root} is not a folder. Give a folder of cases, each with case.yaml and truth.yaml.")
    places = [root] if is_case(root) else sorted(one for one in root.iterdir() if _candidate(one))
    cases = tuple(_read(place) for place in places if not only or place.name in only)
    missing = sorted(set(only) - {case.name for case in cases})
    if missing:
        raise BadInput(f"No such case in {root}: {', '.join(missing)}. {_like(missing, places)}")
    if not cases:
        raise BadInput(f"{root} holds no case. A case is a folder with case.yaml and truth.yaml.")
    return cases


def _like(missing: Sequence[str], places: Sequence[Path]) -> str:
    """What may have been meant, else all names."""
    names = [place.name for place in places]
    close = [like for name in missing for like in get_close_matches(name, names, 3)]
    return f"Did you mean {' or '.join(close)}?" if close else f"Known: {', '.join(names) or 'none'}"


def trigger(case: Case) -> Json:
    """What starts an investigation of the case's recording: its trigger.yaml. Raises BadInput without one."""
    path = case.folder / TRIGGER
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if not isinstance(said, dict):
        raise BadInput(f"{path} must hold a mapping such as `alarm: NAME`.")
    return said


def _candidate(folder: Path) -> bool:
    """A case, or a folder with a truth alone: that something is missing there must be told."""
    return folder.is_dir() and (is_case(folder) or (folder / TRUTH).exists())


def _read(folder: Path) -> Case:
    if is_recorded(folder) and not (folder / CASE).is_file():
        truth = {} if unconfirmed(folder) else load_template(folder / TRUTH)
        return Case(name=folder.resolve().name, folder=folder, truth=truth, recorded=True)
    for name in (CASE, TRUTH):
        if not (folder / name).is_file():
            raise BadInput(f"{folder} has no {name}. A case is a folder with case.yaml and truth.yaml.")
    return Case(
        name=folder.resolve().name,
        folder=folder,
        truth=load_template(folder / TRUTH),
    )
