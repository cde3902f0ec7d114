"""What a request may read: AWS itself, a recording on this machine, or a simulated world."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from graph import Context
from tools.errors import BadInput

_RECORDING, _WORLD = "recording:", "world:"
_HEADER = 4096  # bytes in which a recording says what it is


def resolved(source: str, home: Path) -> str:
    """The source as it is kept: a recording by its whole path. Raises BadInput with what to write instead."""
    if source == "live":
        return source
    if source.startswith(_RECORDING):
        return _RECORDING + str(_recording(source.removeprefix(_RECORDING), home))
    if source.startswith(_WORLD):
        if find_spec("moto") is None:
            raise BadInput(
                "Simulated accounts need the extra `evals`. In a clone, run: "
                '.venv/bin/pip install -e ".[evals]"'
            )
        return source
    raise BadInput(f'"{source}" is no source. Known: live, recording:PATH, world:CASE?seed=N')


def ready(context: Context) -> None:
    """Make the context's source known to the graph. Worlds are loaded when one is asked for, not before."""
    if context.source.startswith(_WORLD):
        from evals import register

        register()


def _recording(name: str, home: Path) -> Path:
    """A file as given, or one that `opsleuth record` left in the data folder."""
    if not name:
        raise BadInput("Name the recording's file: recording:PATH")
    kept = home / "recordings" / name
    for path in (Path(name), kept, kept.with_name(f"{kept.name}.yaml")):
        if path.is_file():
            _check_header(path)
            return path.resolve()
    raise BadInput(f"There is no recording at {name}. Make one with: opsleuth record")


def _check_header(path: Path) -> None:
    """Raise BadInput when a file does not begin as recordings do. The rest is checked when it is read."""
    try:
        with path.open("rb") as file:
            begins = file.read(_HEADER)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error
    if b"\nopsleuth:" not in b"\n" + begins:
        raise BadInput(f"{path} is not a recording. Make one with: opsleuth record")
