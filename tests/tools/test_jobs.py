"""What cron started: lines read into jobs, how often they run, and whether the CPU rose each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools.jobs import BACK, Job, _rose, is_system_log, jobs
from tools.models import Metric, Series, Window

UNTIL = datetime(2026, 3, 13, 17, 42, tzinfo=UTC)
MACHINE = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718"
GROUP = "/ec2/web/messages"


def line(minutes: float, command: str, daemon: str = "CROND[21001]") -> dict[str, Any]:
    moment = UNTIL - timedelta(minutes=minutes)
    text = f"{moment:%b %d %H:%M:%S} ip-10-0-1-20 {daemon}: (root) CMD ({command})"
    return {"timestamp": int(moment.timestamp() * 1000), "message": text}


def read(*events: dict[str, Any]) -> tuple[Job, ...]:
    account = FakeAws({("logs", "FilterLogEvents"): {"events": list(events)}})
    return jobs(account.reader(), MACHINE, [GROUP], UNTIL)


def test_runs_of_a_command_are_one_job_newest_start_first() -> None:
    hourly, often = "/opt/reports/build.sh", "/usr/bin/check (all)"
    found = read(
        *(line(at, hourly) for at in (121, 61, 1)), *(line(at, often, "CRON[7]") for at in (12, 7, 2))
    )
    assert [(one.command, one.started) for one in found] == [
        (hourly, UNTIL - timedelta(minutes=1)),
        (often, UNTIL - timedelta(minutes=2)),
    ]
    assert found[0].every == timedelta(hours=1)
    assert found[1].every == timedelta(minutes=5)
    assert found[0].earlier == (UNTIL - timedelta(minutes=121), UNTIL - timedelta(minutes=61))
    assert found[0].evidence


def test_a_job_that_ran_once_is_as_rare_as_what_was_looked_through() -> None:
    (found,) = read(line(3, "/opt/backup.sh"))
    assert (found.every, found.earlier, found.rose) == (BACK, (), None)


@pytest.mark.parametrize(
    "text",
    [
        "ip-10-0-1-20 systemd[1]: Started Session 41 of user root.",
        'app[7]: ran CMD ("x")',
        "ip-10-0-1-20 CROND[7]: (root) CMDEND (/opt/x.sh)",
    ],
)
def test_other_lines_are_no_jobs(text: str) -> None:
    assert read({"timestamp": int(UNTIL.timestamp() * 1000), "message": text}) == ()


def test_what_is_handed_to_a_command_is_redacted() -> None:
    (found,) = read(line(3, "/opt/export.sh --password=hunter2hunter2"))
    assert "hunter2" not in found.command


def test_refused_logs_are_a_gap() -> None:
    reader = FakeAws({}, denied=frozenset({"logs:FilterLogEvents"})).reader()
    assert jobs(reader, MACHINE, [GROUP], UNTIL) == ()
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]


@pytest.mark.parametrize(
    ("name", "is_one"), [("/ec2/web/messages", True), ("web-syslog", True), ("web-nginx", False)]
)
def test_system_logs_are_known_by_name(name: str, is_one: bool) -> None:
    assert is_system_log(name) is is_one


@given(st.lists(st.floats(0, 100), min_size=10, max_size=10))
def test_the_cpu_rose_only_if_it_is_well_above_what_it_was(values: list[float]) -> None:
    start = UNTIL - timedelta(minutes=20)
    metric = Metric(namespace="AWS/EC2", name="CPUUtilization", dimensions=(), stat="Average", period=60)

    def after(extra: float) -> bool:
        level = [*values, *(value + extra for value in values)]
        points = tuple((start + timedelta(minutes=n), value) for n, value in enumerate(level))
        shown = Series(metric=metric, window=Window(start=start, end=UNTIL), points=points)
        return _rose(shown, start + timedelta(minutes=10))

    assert after(20)
    assert not after(0)
    assert not after(2)
