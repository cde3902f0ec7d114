"""The tables of runs.db, made on first use."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tools.errors import CannotInvestigate

VERSION = 1
BUSY_SECONDS = 30

_TABLES = """
CREATE TABLE investigations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'queued',
    starts INTEGER NOT NULL DEFAULT 0,
    trigger TEXT NOT NULL,
    context TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    verdict TEXT NOT NULL DEFAULT '',
    report TEXT NOT NULL DEFAULT '',
    question TEXT,
    answer TEXT NOT NULL DEFAULT '',
    error TEXT,
    key TEXT UNIQUE,
    digest TEXT NOT NULL
);
CREATE INDEX investigations_status ON investigations (status, number);
CREATE TABLE events (
    investigation TEXT NOT NULL REFERENCES investigations (id),
    sequence INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (investigation, sequence),
    UNIQUE (investigation, key)
) WITHOUT ROWID;
CREATE TABLE reports (
    investigation TEXT NOT NULL REFERENCES investigations (id),
    revision INTEGER NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (investigation, revision)
) WITHOUT ROWID;
"""

INVESTIGATION = """
SELECT *, CASE status WHEN 'queued' THEN
    (SELECT count(*) FROM investigations AS other
     WHERE other.status = 'queued' AND other.number <= investigations.number) END AS position
FROM investigations
"""


def prepare(path: Path) -> sqlite3.Connection:
    """Open the file, private to its owner, with its tables. Raises CannotInvestigate and sqlite3.Error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # before SQLite does: its -wal and -shm take over the mode
    except OSError as error:
        raise CannotInvestigate(
            f"Investigations cannot be kept in {path.parent}: {error.strerror}. Set OPSLEUTH_HOME to a folder."
        ) from error
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise CannotInvestigate(
                f"{path} was made by a newer opsleuth. Upgrade, or set OPSLEUTH_HOME to another folder."
            )
        if version == 0:
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
