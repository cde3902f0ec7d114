"""What lies in a case folder: a declared world, or what `opsleuth record` made of a real investigation."""

from __future__ import annotations

from pathlib import Path

import yaml

from tools.errors import BadInput

CASE = "case.yaml"
RECORDING, TRIGGER, TRUTH = "recording.yaml", "trigger.yaml", "truth.yaml"
SNAPSHOT = "snapshot.jsonl.gz"
UNCONFIRMED = "to be confirmed"
"""The verdict in a recorded case's truth until somebody has filled it in."""


def is_recorded(folder: Path) -> bool:
    """Whether a folder is a case of `opsleuth record`."""
    return (folder / RECORDING).is_file() and (folder / SNAPSHOT).is_file()


def is_case(folder: Path) -> bool:
    """Whether a folder is a case that can be run."""
    return (folder / CASE).is_file() or is_recorded(folder)


def unconfirmed(folder: Path) -> bool:
    """Whether nobody has filled in a recorded case's truth yet. Raises BadInput when it cannot be read."""
    path = folder / TRUTH
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    return isinstance(said, dict) and said.get("verdict") == UNCONFIRMED
