"""Log queries answer as if every line were there, and make few of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from evals.world import World, insights, load_case
from evals.world.insights_run import Search, run
from evals.world.lines import Line, LogGroup, Mark
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore

WORDS = (
    "ThrottlingException",
    "TableWriteMaxOnDemandThroughputExceeded",
    "REPORT RequestId",
    "WARNING",
    "(?i)(error|exception|exceed)",
    "stored id=[0-9a-f]{4}",
    "tenant=TENANT",
    "never said",
)


@cache
def world() -> World:
    return load_case("dynamodb-max-write", 1)


def group(name: str) -> LogGroup:
    return world().log_groups[f"/aws/lambda/{name}"]


def search(found: LogGroup, text: str, start: int, end: int) -> tuple[Search, insights.Query]:
    query = insights.parse(text)
    return Search(found, query, start, end, world().account), query


def onset(found: LogGroup) -> int:
    """A minute in which the case's requests are being refused."""
    return int(world().start.timestamp()) // 60 - 5 if found.flow.disturbed_from else 29_600_000


def reader() -> Reader:
    account = Account(region=world().region)
    clock = VirtualClock(world().start)
    return Reader(Aws(account, world().transport(), clock, Budget(Limits()), MemoryStore()), "T")


def pick(name: str) -> LogGroup:
    return group(world().facts["function.name"] if name == "case" else name)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", ["case", "loyalty-points", "invoice-writer"])
def test_counts_are_those_of_the_lines(name: str, word: str) -> None:
    found = pick(name)
    word = word.replace("TENANT", found.tenants[0] if found.tenants else "none")
    first = onset(found)
    start, end = first * 60_000 + 20_123, (first + 2) * 60_000 + 1
    one, query = search(found, f"filter @message like /{word}/ | stats count(*) as n", start, end)
    every = [line for minute in range(first, first + 3) for line in found.lines(minute)]
    expected = [line for line in every if start <= line.stamp < end and query.wants({"@message": line.text})]
    assert one.total() == len(expected)
    (row,) = run([one], query, 10)
    assert row == [{"field": "n", "value": str(len(expected))}]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("name", ["case", "loyalty-points"])
def test_rows_are_those_of_the_lines_in_order(name: str, order: str) -> None:
    found = pick(name)
    first = onset(found)
    start, end = first * 60_000 + 500, (first + 3) * 60_000 + 1
    text = f"fields @message | filter @message not like /START/ | sort @timestamp {order} | limit 10000"
    one, query = search(found, text, start, end)
    rows = [cells[0]["value"] for cells in run([one], query, 10_000)]
    every = [line for minute in range(first, first + 4) for line in found.lines(minute)]
    kept = [line for line in every if start <= line.stamp < end and "START" not in line.text]
    if order == "desc":
        kept.sort(key=lambda line: line.stamp, reverse=True)
    assert rows == [line.text for line in kept][:10_000]


def test_a_limit_and_a_count_make_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    found = pick("case")
    made: list[Mark] = []
    original = LogGroup.line

    def noting(self: LogGroup, minute: int, mark: Mark) -> Line:
        made.append(mark)
        return original(self, minute, mark)

    monkeypatch.setattr(LogGroup, "line", noting)
    first = onset(found)
    assert sum(one.many for one in found.flow.minute(first).endings) > 3000
    span = (first * 60_000, (first + 4) * 60_000 + 1)
    for text, most in (
        ("fields @message | filter @message like /Throttl/ | sort @timestamp asc | limit 50", 150),
        ("fields @message | filter @message like /REPORT/ | sort @timestamp desc | limit 50", 150),
        ("filter @message like /Throttl/ | stats count(*) as n by bin(1m)", 100),
        ("stats min(@timestamp) as first, count(*) as n by @logStream", 100),
    ):
        made.clear()
        one, query = search(found, text, *span)
        assert run([one], query, 10_000)
        assert len(made) <= most, text


def test_pages_of_filtered_events_are_those_of_the_lines() -> None:
    """FilterLogEvents skips kinds that cannot match; tokens and ids still count every line."""
    found = pick("case")
    first = onset(found)
    start, end = first * 60_000, (first + 1) * 60_000 - 1
    given: dict[str, Any] = {"logGroupName": found.name, "startTime": start, "endTime": end}
    token: dict[str, str] = {}
    texts: list[str] = []
    ids: list[str] = []
    for _ in range(20):
        answer = reader().ask(
            "logs", "FilterLogEvents", filterPattern="?Throttl ?WARN", limit=900, **given, **token
        )
        texts += [event["message"].rstrip("\n") for event in answer.data["events"]]
        ids += [event["eventId"] for event in answer.data["events"]]
        if "nextToken" not in answer.data:
            break
        token = {"nextToken": answer.data["nextToken"]}
    expected = [line.text for line in found.lines(first) if "Throttl" in line.text or "WARN" in line.text]
    assert texts == expected
    assert len(set(ids)) == len(ids)


BESIDE_WORDS = (
    r"(?i)(error|status(code)?\W{1,4}5\d\d)",
    r"status\W2\d\d",
    r"duration_ms=2\d\d",
    r"(?i)timed out after [0-9]{2}",
    r" 20\d ",
)


@pytest.mark.parametrize("word", BESIDE_WORDS)
@pytest.mark.parametrize("case", ["release-without-tasks", "tomcat-heap-exhausted", "dynamodb-max-write"])
def test_what_stands_beside_a_word_is_counted_right_in_every_group(case: str, word: str) -> None:
    here = load_case(case, 3)
    query = insights.parse(f"filter @message like /{word}/ | stats count(*) as n")
    first = int(here.start.timestamp()) // 60 - 6
    for found in list(here.log_groups.values())[:14]:
        one = Search(found, query, first * 60_000, (first + 2) * 60_000, here.account)
        lines = [line for minute in (first, first + 1) for line in found.lines(minute)]
        expected = sum(query.wants({"@message": line.text}) for line in lines)
        assert one.total() == expected, found.name
