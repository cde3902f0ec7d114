"""Is a cause found that no service file tells of? Change cases are run again without the entry of that very change.

- "mechanism": the catalogue knows neither the operation of the true event nor the setting that it changed.
- "text": besides, error texts that point to it are unknown, and log lines with such a text are shown without it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from evals.cases import Case
from evals.results import Unseen
from evals.score import predicted
from evals.truth import Truth
from evals.worlds import open_world, told, truth_of
from graph import Context, Report
from graph.session import register
from tools.errors import OpsleuthError
from tools.service_files import without
from tools.transport import Transport, WireAnswer, WireRequest

MODES = ("mechanism", "text")
MASK = "[ERROR] the request failed"


def run_unseen(case: Case, seed: int, how: str) -> Unseen | None:
    """Investigate a case without what is known of its cause. None when its cause is no change with an event."""
    source = f"{case.folder}?seed={seed}"
    world = open_world(source)
    truth = truth_of(case, world)
    true = world.ledger.event(truth.cause.event) if truth.cause and truth.cause.kind == "change" else None
    if true is None or truth.cause is None:
        return None
    hidden = without(str(true["source"]), str(true["operation"]), truth.cause.field, signatures=how == "text")
    with hidden as texts:
        masked = texts if how == "text" else ()
        register("unseen", lambda text: Masked(open_world(text).transport(), masked))
        try:
            reports = asyncio.run(told(world, Context(source=f"unseen:{source}", region=world.asked_in)))
        except OpsleuthError as error:
            said = f"{type(error).__name__}: {error}"
            return Unseen(case=case.name, seed=seed, how=how, named=False, told=said)
    return Unseen(
        case=case.name,
        seed=seed,
        how=how,
        named=bool(reports) and _named(reports[-1], truth),
        told=_said(reports[-1]) if reports else "",
        predicted=predicted(reports[-1]) if reports else None,
    )


def _said(report: Report) -> str:
    """The headline and the two likeliest hypotheses."""
    likely = "; ".join(f"{one.title} {one.probability:.0%}" for one in report.hypotheses[:2])
    return f"{report.headline} ({likely})" if likely else report.headline


def _named(report: Report, truth: Truth) -> bool:
    """Whether the true resource and the true event are named."""
    cause, true = report.root_cause, truth.cause
    if cause is None or true is None or cause.event is None:
        return False
    return (cause.resource, cause.event.id) == (true.resource, true.event)


class Masked:
    """A world whose log lines do not say certain texts: whole lines that match are shown as a plain failure.

    Lines are still counted as AWS counts them; only their words are gone.
    """

    virtual = True

    def __init__(self, inner: Transport, texts: Sequence[str]) -> None:
        self._inner = inner
        self._texts = tuple(re.compile(text) for text in texts)

    @property
    def region(self) -> str:
        return str(getattr(self._inner, "region", ""))

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(getattr(self._inner, "accounts", ()))

    def start(self) -> datetime | None:
        return self._inner.start()

    def close(self) -> None:
        self._inner.close()

    def send(self, request: WireRequest) -> WireAnswer:
        """The world's answer; answers of CloudWatch Logs (protocol json) without the texts."""
        answer = self._inner.send(request)
        if not self._texts or request.service != "logs" or answer.status != 200:
            return answer
        body = json.dumps(self._without(json.loads(answer.body))).encode()
        headers = {
            name: str(len(body)) if name.lower() == "content-length" else value
            for name, value in answer.headers.items()
        }
        return replace(answer, body=body, headers=headers)

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            return MASK if any(text.search(value) for text in self._texts) else value
        if isinstance(value, list):
            return [self._without(one) for one in value]
        if isinstance(value, dict):
            return {name: self._without(one) for name, one in value.items()}
        return value
