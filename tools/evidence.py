"""Whole answers, kept by their sha256, so that state and reports can stay small."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

EXCERPT_BYTES = 2000


class EvidenceStore(Protocol):
    """Content-addressed texts. Writing the same text twice is one entry. Safe for threads."""

    def put(self, text: str) -> str:
        """Keep `text`; its sha256 in hex."""
        ...

    def get(self, sha256: str) -> str | None: ...

    def close(self) -> None: ...


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: object) -> str:
    """JSON with sorted keys; times as ISO 8601 in UTC, bytes as hex."""

    def plain(item: Any) -> Any:
        if isinstance(item, datetime):
            return item.astimezone(UTC).isoformat()
        if isinstance(item, bytes | bytearray):
            return item.hex()
        if isinstance(item, set | frozenset | tuple):
            return sorted(item) if isinstance(item, set | frozenset) else list(item)
        raise TypeError(f"{type(item).__name__} is not JSON")

    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=plain)


def plain(parameters: Mapping[str, Any], scrub: Callable[[str], str]) -> dict[str, Any]:
    """Parameters as JSON values, times in UTC; `scrub` takes out of them what must not be kept."""
    value: dict[str, Any] = json.loads(scrub(canonical(parameters)))
    return value


def excerpt(text: str, limit: int = EXCERPT_BYTES) -> str:
    """The first `limit` bytes of `text`, cut at a character, with a mark where it was cut."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    mark = f" … (cut, {len(raw)} bytes)"
    return raw[: limit - len(mark.encode())].decode(errors="ignore") + mark


class MemoryStore:
    """Keeps everything in the process."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def put(self, text: str) -> str:
        key = digest(text)
        self._texts.setdefault(key, text)
        return key

    def get(self, sha256: str) -> str | None:
        return self._texts.get(sha256)

    def close(self) -> None:
        pass


class SqliteStore:
    """Keeps everything in one SQLite file (WAL), shared by processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # it holds names and addresses of people
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, timeout=30)
        with self._lock, self._db:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS evidence (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL)"
            )

    def put(self, text: str) -> str:
        key = digest(text)
        with self._lock, self._db:
            self._db.execute("INSERT OR IGNORE INTO evidence VALUES (?, ?)", (key, text))
        return key

    def get(self, sha256: str) -> str | None:
        with self._lock:
            row = self._db.execute("SELECT text FROM evidence WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        with self._lock:
            self._db.close()
