"""Every command that a report of any case prints is understood by the real AWS CLI, or by opsleuth itself."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import evals
from api.cli import cli
from api.render.markdown import markdown
from api.render.text import plain_text
from api.render.view import View
from api.shelf import artefacts
from graph import Report, stream
from graph.models import REPORT_ID, Step
from tests.tools import cli_stub
from tools.models import Json
from tools.parameters import validate

CASES = [
    "alarm-threshold-lowered",
    "cloudtrail-denied",
    "database-rule-revoked",
    "dynamodb-hot-partition",
    "dynamodb-max-write",
    "late-cloudtrail",
    "private-route-deleted",
    "role-permission-removed",
    "stale-dynamodb-alarm",
    "two-limits-cut",
]
"""Each kind of plan once: a run of every case would take minutes."""
PROFILE = "prod"
needs_awscli = pytest.mark.skipif(not cli_stub.interpreter(), reason="awscli is not installed: make awscli")


def investigated(case: str, seed: int) -> list[str]:
    """Every report of a run, as JSON: this runs in a process of its own."""
    from evals.suite import begin

    evals.register()
    trigger, context = begin(case, seed)

    async def reports() -> list[str]:
        updates = stream(trigger, f"parse-{case}-{seed}", context)
        return [one.model_dump_json() async for one in updates if isinstance(one, Report)]

    return asyncio.run(reports())


def all_cases(seed: int) -> dict[str, list[Report]]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(investigated, CASES, [seed] * len(CASES)))
    return {
        case: [Report.model_validate_json(text) for text in texts]
        for case, texts in zip(CASES, found, strict=True)
    }


@pytest.fixture(scope="session")
def first() -> dict[str, list[Report]]:
    return all_cases(1)


def view(report: Report) -> View:
    return View(tz="Asia/Tokyo", profile=PROFILE, short="7f3a", files=tuple(artefacts(report)))


def printed(report: Report) -> Iterator[str]:
    """The commands as a reader copies them: from terminals of two widths, and from Markdown."""
    for width in (60, 100):
        yield from commands_in(plain_text(report, view(report), width))
    yield from commands_in(markdown(report, view(report)))


def commands_in(shown: str) -> Iterator[str]:
    joined = re.sub(r" \\\n *", " ", shown)
    for line in joined.splitlines():
        if re.match(r"\s*(?:aws|opsleuth|\S*python\S* -m api) ", line):
            yield line.strip()


def parsed(cases: dict[str, list[Report]]) -> dict[str, cli_stub.Parsed]:
    """What awscli makes of all commands of these cases: one start of it for all."""
    every = [one for reports in cases.values() for report in reports for one in printed(report)]
    aws = [one for one in dict.fromkeys(every) if one.startswith("aws ")]
    return dict(zip(aws, cli_stub.parse(aws, [PROFILE]), strict=True))


@pytest.fixture(scope="session")
def first_parsed(first: dict[str, list[Report]]) -> dict[str, cli_stub.Parsed]:
    return parsed(first)


def check(reports: list[Report], known: dict[str, cli_stub.Parsed]) -> int:
    """Compare what the commands of these reports mean with the calls that they stand for; how many there were."""
    count = 0
    for report in reports:
        commands = list(dict.fromkeys(printed(report)))
        for command in commands:
            assert "…" not in command
            assert "<" not in command
        found = [known[command] for command in commands if command.startswith("aws ")]
        assert {one.profile for one in found} <= {PROFILE}
        assert all(one.region for one in found)
        planned = [call for step in _steps(report) for call in step.calls]
        assert {_meant(one.service, one.operation, one.parameters) for one in found} == {
            _meant(call.service, call.operation, call.parameters) for call in planned
        }
        assert all(validate(call) == () for call in planned)
        for own in commands:
            if own.startswith("opsleuth "):
                name, *arguments = shlex.split(own)[1:]
                cli.commands[name].make_context(name, arguments)
        count += len(commands)
    return count


def _steps(report: Report) -> list[Step]:
    todo = report.mitigation
    if todo is None:
        return []
    parts = (todo.prepare, todo.pre_validate, todo.apply, todo.post_validate, todo.rollback, todo.stays_red)
    return [step for part in parts for step in part]


def _meant(service: str, operation: str, parameters: Json) -> str:
    sent = json.dumps(parameters, sort_keys=True, default=str).replace(REPORT_ID, "7f3a")
    return f"{service} {operation} {sent}"


@needs_awscli
@pytest.mark.parametrize("case", CASES)
def test_every_printed_command_parses(
    case: str, first: dict[str, list[Report]], first_parsed: dict[str, cli_stub.Parsed]
) -> None:
    assert check(first[case], first_parsed) > 0


@needs_awscli
@pytest.mark.slow
def test_every_printed_command_parses_with_another_seed() -> None:
    cases = all_cases(2)
    known = parsed(cases)
    for case, reports in cases.items():
        assert check(reports, known) > 0, case


@pytest.mark.parametrize("case", CASES)
def test_a_plan_that_changes_something_checks_the_account_first(
    case: str, first: dict[str, list[Report]]
) -> None:
    for report in first[case]:
        todo = report.mitigation
        if todo is not None and (todo.apply or todo.stays_red):
            (call,) = todo.prepare[0].calls
            assert (call.operation, todo.prepare[0].expect) == (
                "GetCallerIdentity",
                (report.incident.account,),
            )
