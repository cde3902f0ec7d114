"""Where maps are kept between commands: `<home>/maps/<hash of what was asked>.json`, readable by their owner only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from api.files import write_whole
from api.mapping import Mapped
from api.shelf import home
from tools.errors import BadInput

_VERSION = 1
LONGEST = timedelta(days=1)
"""Older maps are read anew: what depends on what changes slowly, alarms do not."""
_MOST_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a map is of. Equal keys share a map."""

    source: str
    profile: str
    role_arn: str
    region: str
    start: str
    radius: int
    spaces: tuple[str, ...] = ()  # as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMap:
    """A map and when it was read."""

    version: int
    read_at: datetime
    mapped: Mapped


def find(key: Key, now: datetime) -> KeptMap | None:
    """The kept map of this key, at most `LONGEST` old; None when there is none, or it cannot be read."""
    try:
        found = _adapter().validate_json(_path(key).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.version == _VERSION and timedelta(0) <= now - found.read_at <= LONGEST else None


def keep(key: Key, mapped: Mapped, now: datetime) -> None:
    """Keep the map; where nothing can be written it is not kept. The oldest beyond twenty go."""
    folder = _path(key).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        data = _adapter().dump_json(KeptMap(version=_VERSION, read_at=now, mapped=mapped))
        write_whole(_path(key), data.decode())
        for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-_MOST_KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, BadInput):
        return


def _path(key: Key) -> Path:
    name = hashlib.sha256(json.dumps(asdict(key), sort_keys=True).encode()).hexdigest()[:24]
    return home() / "maps" / f"{name}.json"


def _adapter() -> TypeAdapter[KeptMap]:
    return TypeAdapter(KeptMap)
