"""When a replay is refused, and when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.replayed import OtherRun, check_own, other_run
from graph import Context, Report, Trigger
from tools.errors import BadInput, NotRecorded
from tools.models import Gap

RECORDING = Path(__file__).parents[2] / "evals" / "incidents" / "dynamodb-max-write" / "recording.yaml"
CONTEXT = Context(source=f"recording:{RECORDING}")
LOST = Gap(
    what="sqs:ListQueues", why="not held", lift="Record the run again: opsleuth record", code="NotRecorded"
)
OWN = Trigger(alarm="orders-writes-throttled")


def blind(report: Report, gap: Gap, count: int) -> Report:
    return report.model_copy(update={"gaps": (gap,) * count})


def test_a_report_on_nothing_is_refused(reports: dict[str, Report]) -> None:
    with pytest.raises(OtherRun, match="made for alarm orders-writes-throttled in ap-northeast-1"):
        check_own(blind(reports["not_found"], LOST, 3), CONTEXT)


def test_reports_that_stand_are_shown(reports: dict[str, Report]) -> None:
    simulated = Gap(what=LOST.what, why=LOST.why, lift="", code="NotRecorded")
    check_own(blind(reports["not_found"], LOST, 2), CONTEXT)
    check_own(blind(reports["not_found"], simulated, 9), CONTEXT)
    check_own(blind(reports["proven"], LOST, 9), CONTEXT)
    check_own(blind(reports["not_found"], LOST, 9), Context())
    own = blind(reports["not_found"], LOST, 9).model_copy(update={"trigger": OWN})
    check_own(own, CONTEXT)


def test_errors_of_other_kinds_sources_and_the_own_run_are_left_alone() -> None:
    refused, wrong = NotRecorded(LOST, "NotRecorded"), BadInput("no")
    assert isinstance(other_run(refused, Trigger(alarm="x"), CONTEXT), OtherRun)
    assert other_run(refused, OWN, CONTEXT) is refused
    assert other_run(refused, Trigger(alarm="x"), Context()) is refused
    assert other_run(wrong, Trigger(alarm="x"), CONTEXT) is wrong
