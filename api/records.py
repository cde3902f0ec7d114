"""What the store keeps of an investigation."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from graph import Context, Question, Trigger
from tools.errors import BadInput

Status = Literal["queued", "running", "waiting", "done", "failed"]
STATUSES: tuple[Status, ...] = get_args(Status)
EntryKind = Literal["timeline", "question", "report", "done"]


class KeyReused(BadInput):
    """An idempotency key came again with another request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an investigation ended without an answer; `detail` says what to do."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation:
    """One row. `position` counts from 1 and is None unless queued; `starts` counts how often a runner took it."""

    number: int
    id: str
    created: datetime
    updated: datetime
    status: Status
    position: int | None
    starts: int
    trigger: Trigger
    context: Context
    revision: int
    verdict: str
    report: str  # the report's own id, as `opsleuth check` takes it
    question: Question | None
    answer: str
    error: Failure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an investigation's story. `data` is JSON."""

    sequence: int
    kind: EntryKind
    data: str


def investigation_of(row: sqlite3.Row) -> Investigation:
    """A row of `store_schema.INVESTIGATION`."""
    question = json.loads(row["question"]) if row["question"] else None
    error = json.loads(row["error"]) if row["error"] else None
    return Investigation(
        number=row["number"],
        id=row["id"],
        created=datetime.fromisoformat(row["created"]),
        updated=datetime.fromisoformat(row["updated"]),
        status=row["status"],
        position=row["position"],
        starts=row["starts"],
        trigger=Trigger.model_validate_json(row["trigger"]),
        context=Context.model_validate_json(row["context"]),
        revision=row["revision"],
        verdict=row["verdict"],
        report=row["report"],
        question=Question(text=question["text"], choices=tuple(question["choices"])) if question else None,
        answer=row["answer"],
        error=Failure(kind=error["kind"], detail=error["detail"]) if error else None,
    )
