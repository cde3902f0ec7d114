"""Explains every mistake in case folders, with file and line. Nothing of a case is executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.folders import UNCONFIRMED, is_recorded, unconfirmed
from evals.mistakes import case as cases
from evals.mistakes import truth as truths
from evals.mistakes import world as worlds
from evals.mistakes.sheet import Mistake, Sheet
from tools.errors import BadInput

__all__ = ["SEEDS", "Mistake", "Validation", "refuse", "validate"]

SEEDS = (1, 2, 3)
"""Seeds with which the worlds of cases are built to see whether they can be."""

_FILES = ("case.yaml", "truth.yaml", "recording.yaml")


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found in a folder of cases. `cases`: names of all that were looked at; `unconfirmed`: those that are
    recorded and that nobody has confirmed."""

    cases: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    unconfirmed: tuple[str, ...] = ()

    def render(self) -> str:
        """One mistake per line, or one line that all is well."""
        if self.mistakes:
            return "".join(f"{one}\n" for one in self.mistakes)
        said = f"OK: {len(self.cases)} case{'' if len(self.cases) == 1 else 's'}\n"
        if self.unconfirmed:
            said += f"Not confirmed, so not scored (fill in truth.yaml): {', '.join(self.unconfirmed)}\n"
        return said


def validate(folder: Path, only: Sequence[str] = (), seeds: Sequence[int] = SEEDS) -> Validation:
    """Look at every case in `folder` (or at `folder`, when it is one), or at those named in `only`.

    With `seeds` the world of each case without mistakes so far is built, to find what cannot happen in it.
    """
    found: set[Mistake] = set()
    if not folder.is_dir():
        return Validation((), (Mistake(str(folder), 1, "there is no such folder."),))
    places = [place for place in _places(folder) if not only or place.resolve().name in only]
    for place in places:
        found |= _mistakes(place, seeds)
    if not places:
        text = "no case is here. A case is a folder with case.yaml and truth.yaml."
        found.add(Mistake(str(folder), 1, text))
    open_ = tuple(place.resolve().name for place in places if is_recorded(place) and unconfirmed(place))
    return Validation(tuple(place.resolve().name for place in places), tuple(sorted(found)), open_)


def refuse(folder: Path, only: Sequence[str] = ()) -> None:
    """Raise BadInput with every mistake that can be found without building a world. Quick."""
    if folder.is_dir() and any(not only or one.resolve().name in only for one in _places(folder)):
        found = validate(folder, only, ())
        if found.mistakes:
            raise BadInput(f"Mistakes in the cases: {len(found.mistakes)}\n{found.render().rstrip()}")


def _places(folder: Path) -> list[Path]:
    if any((folder / name).is_file() for name in _FILES):
        return [folder]
    inner = sorted(one for one in folder.iterdir() if one.is_dir())
    return [one for one in inner if any((one / name).is_file() for name in _FILES)]


def _mistakes(place: Path, seeds: Sequence[int]) -> set[Mistake]:
    recorded = is_recorded(place) and not (place / "case.yaml").is_file()
    wanted = ("truth.yaml",) if recorded else ("case.yaml", "truth.yaml")
    missing = [name for name in wanted if not (place / name).is_file()]
    found = {
        Mistake(
            str(place / name), 1, f"there is no {name}. A case is a folder with case.yaml and truth.yaml."
        )
        for name in missing
    }
    truth = truths.read(place / "truth.yaml") if "truth.yaml" not in missing else Sheet([])
    if recorded:
        return found | (set() if truth.value.get("verdict") == UNCONFIRMED else truth.found)
    if "case.yaml" not in missing:
        case = cases.read(place / "case.yaml")
        asked = bool(case.sound and seeds) and worlds.check(case, truth, place.resolve().name, seeds)
        if not asked and case.value.get("resources"):  # else what is wrong there would be told again here
            truths.guess(truth, case)
        found |= case.found
    return found | truth.found
