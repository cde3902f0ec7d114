"""Case folders: `case.yaml` describes the world, `truth.yaml` the answer. Data only, never code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import yaml

from evals.truth import load_template
from tools.errors import BadInput
from tools.models import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case folder. `truth` is unresolved: its references wait for a world's facts."""

    name: str
    folder: Path
    truth: Json


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
    places = [root] if (root / "case.yaml").is_file() else sorted(_case_folders(root))
    cases = tuple(_read(place) for place in places if not only or place.name in only)
    missing = sorted(set(only) - {case.name for case in cases})
    if missing:
        known = ", ".join(place.name for place in places) or "none"
        raise BadInput(f"No such case in {root}: {', '.join(missing)}. Known: {known}")
    if not cases:
        raise BadInput(f"{root} holds no case. A case is a folder with case.yaml and truth.yaml.")
    return cases


def trigger(case: Case) -> Json:
    """What starts an investigation of the case's recording: its trigger.yaml. Raises BadInput without one."""
    path = case.folder / "trigger.yaml"
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if not isinstance(said, dict):
        raise BadInput(f"{path} must hold a mapping such as `alarm: NAME`.")
    return said


def _case_folders(root: Path) -> list[Path]:
    return [
        place
        for place in root.iterdir()
        if place.is_dir() and any((place / name).exists() for name in ("case.yaml", "truth.yaml"))
    ]


def _read(folder: Path) -> Case:
    for name in ("case.yaml", "truth.yaml"):
        if not (folder / name).is_file():
            raise BadInput(f"{folder} has no {name}. A case is a folder with case.yaml and truth.yaml.")
    return Case(
        name=folder.resolve().name,
        folder=folder,
        truth=load_template(folder / "truth.yaml"),
    )
