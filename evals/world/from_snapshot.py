"""A recorded account as a `Transport`: its recording first, then new questions from the snapshot beside it.

Questions of the recorded run get the answers of that run. Other questions are answered from whole series, log lines,
events and alarms, as far as the snapshot says that it holds all of them. Everything else is NotRecorded, never an
empty list: the run then has a gap, and the case is stale.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from pathlib import Path

from evals.snapshot_file import NAME, read
from evals.world import snapshot_answers, wire
from evals.world.asking import NotModelled, Refusal
from tools.errors import NotRecorded
from tools.evidence import plain
from tools.models import Gap
from tools.recording import Player
from tools.redact import redact
from tools.scrub import kept
from tools.transport import WireAnswer, WireRequest

_ID = "00000000-0000-4000-8000-000000000000"


def from_snapshot(folder: Path, resumed_at: datetime | None = None) -> SnapshotTransport:
    """The account that a case folder of `opsleuth record` holds. Raises BadRecording."""
    return SnapshotTransport(folder, resumed_at)


class SnapshotTransport:
    """Answers from a case folder, in virtual time. `coverage_misses` counts what it could not answer."""

    virtual = True

    def __init__(self, folder: Path, resumed_at: datetime | None = None) -> None:
        self._player = Player(folder / "recording.yaml", resumed_at)
        self._snapshot = read(folder / NAME)
        self._scrub = kept(folder / "recording.yaml") or redact
        self._lock = threading.Lock()
        self.coverage_misses: Counter[str] = Counter()

    @property
    def region(self) -> str:
        """The region that the recorded run looked at."""
        return self._player.region

    def start(self) -> datetime | None:
        return self._player.start()

    def close(self) -> None:
        self._player.close()

    def send(self, request: WireRequest) -> WireAnswer:
        """The recorded answer, else one from the snapshot. Raises NotRecorded."""
        try:
            return self._player.send(request)
        except NotRecorded as missing:
            return self._new(request, missing)

    def _new(self, request: WireRequest, missing: NotRecorded) -> WireAnswer:
        parameters = plain(request.parameters, self._scrub)
        try:
            result = snapshot_answers.answer(self._snapshot, request, parameters)
        except Refusal as refusal:
            return wire.error(request.protocol, refusal.code, refusal.message, refusal.status, _ID)
        except NotModelled as unknown:
            asked = f"{request.service}:{request.operation}"
            with self._lock:
                self.coverage_misses[f"{asked} {unknown}".strip()] += 1
            gap = Gap(
                what=missing.gap.what,
                why=f"{missing.gap.why} The snapshot does not hold it either ({unknown}).",
                would_show=missing.gap.would_show,
                lift=missing.gap.lift,
                code="NotRecorded",
            )
            raise NotRecorded(gap, "NotRecorded") from missing
        return wire.answer(request.service, request.operation, request.protocol, result, _ID)
