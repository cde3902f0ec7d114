"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tools.errors import BadInput


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that a reader sees the old file or the new one, never a part.

    A path that is no plain file (/dev/stdout, a pipe) is written to. Raises BadInput when that fails.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        target = path.resolve()  # a symbolic link stays one
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error


def check_writable(path: Path) -> None:
    """Raise BadInput now when `path` could not be written at the end of a long run."""
    parent = path.resolve().parent
    if path.is_dir():
        raise BadInput(f"{path} is a folder. Name a file in it.")
    if not parent.is_dir():
        raise BadInput(f"The folder {parent} does not exist. Make it first.")
    if not os.access(parent, os.W_OK):
        raise BadInput(f"The folder {parent} cannot be written to.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
