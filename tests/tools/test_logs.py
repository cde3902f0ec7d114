from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools import logs
from tools.models import Window

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=30)
WINDOW = Window(start=NOW - timedelta(hours=2), end=NOW)
BASELINE = Window(start=NOW - timedelta(hours=4), end=ONSET)
REASON = "TableWriteMaxOnDemandThroughputExceeded"
THROTTLED = f"[ERROR] put failed: An error occurred (ThrottlingException) when calling the PutItem operation: {REASON}"
Lines = list[tuple[datetime, str]]


class Groups:
    """Log groups that answer the few queries opsleuth sends, and FilterLogEvents."""

    def __init__(self, refuse: Any, **groups: Lines) -> None:
        self.refuse = refuse
        self.groups = {name: sorted(lines) for name, lines in groups.items()}
        self.queries: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, int] = {}
        self.texts: list[str] = []
        self.no_insights = ""
        self.final = "Complete"

    def __call__(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        return dict(getattr(self, operation)(asked))

    def lines(self, name: str) -> Lines:
        if name not in self.groups:
            raise self.refuse("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[name]

    def StartQuery(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.no_insights:
            denied = "is not authorized to perform: logs:StartQuery"
            raise self.refuse(self.no_insights, denied if "Denied" in self.no_insights else "no")
        self.lines(asked["logGroupName"])
        name = f"q{len(self.queries)}"
        self.queries[name] = asked
        self.texts.append(asked["queryString"])
        return {"queryId": name}

    def StopQuery(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"success": True}

    def GetQueryResults(self, asked: dict[str, Any]) -> dict[str, Any]:
        polls = self.polls[asked["queryId"]] = self.polls.get(asked["queryId"], 0) + 1
        if polls < 3:
            return {"status": "Running", "results": []}
        return {"status": self.final, "results": self.run(self.queries[asked["queryId"]])}

    def run(self, query: dict[str, Any]) -> list[list[dict[str, str]]]:
        text = query["queryString"]
        # The end of a range is included, as in AWS.
        span = [line for line in self.lines(query["logGroupName"])
                if query["startTime"] <= line[0].timestamp() <= query["endTime"]]  # fmt: skip
        for condition in re.findall(r"filter @message like /(.*?)/ \|", text):
            span = [line for line in span if re.search(condition, line[1])]
        for literal in re.findall(r'filter @message like "(.*?)" \|', text):
            span = [line for line in span if literal in line[1]]
        for literal in re.findall(r'filter @message not like "(.*?)" \|', text):
            span = [line for line in span if literal not in line[1]]
        if "stats" in text:
            minutes: dict[str, int] = {}
            for moment, _ in span:
                minutes[f"{moment:%Y-%m-%d %H:%M}:00.000"] = (
                    minutes.get(f"{moment:%Y-%m-%d %H:%M}:00.000", 0) + 1
                )
            return [[cell("minute", minute), cell("n", str(n))] for minute, n in minutes.items()]
        span.sort(key=lambda line: line[0], reverse=" desc " in text)
        limit = int(text.rsplit("limit ", 1)[1])
        return [
            [
                cell("@timestamp", f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"),
                cell("@message", message),
                cell("@logStream", "s"),
            ]
            for moment, message in span[:limit]
        ]

    def FilterLogEvents(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = []
        terms = [term.strip('?"') for term in re.findall(r'\?"[^"]+"|\?\S+', asked.get("filterPattern", ""))]
        for number, (moment, message) in enumerate(self.lines(asked["logGroupName"])):
            stamp = int(moment.timestamp() * 1000)
            if asked["startTime"] <= stamp <= asked["endTime"] and (
                not terms or any(t in message for t in terms)
            ):
                found.append(
                    {
                        "timestamp": stamp,
                        "message": message + "\n",
                        "logStreamName": "s",
                        "eventId": str(number),
                    }
                )
        start = int(asked.get("nextToken", 0))
        page = found[start : start + asked["limit"]]
        more = start + len(page) < len(found)
        return {"events": page} | ({"nextToken": str(start + len(page))} if more else {})


def cell(name: str, value: str) -> dict[str, str]:
    return {"field": name, "value": value}


def every(seconds: float, start: datetime, end: datetime, text: str) -> Lines:
    count = int((end - start).total_seconds() / seconds)
    return [(start + timedelta(seconds=n * seconds), text) for n in range(count)]


def sample(errors: float = 10) -> Lines:
    return [
        *every(20, NOW - timedelta(hours=5), NOW, "[INFO] stored"),
        *every(600, NOW - timedelta(hours=5), NOW, "[ERROR] ValueError: bad quantity"),
        *every(errors, ONSET, NOW, THROTTLED),
    ]


def find(asking: Any, groups: Groups, *names: str) -> tuple[logs.LogFindings, Any]:
    reader, _ = asking(groups, NOW)
    return logs.patterns(reader, names or tuple(groups.groups), WINDOW, ONSET, BASELINE), reader


def test_patterns_and_exact_counts_when_every_line_was_read(asking: Any, refuse: Any) -> None:
    found, reader = find(asking, Groups(refuse, app=sample()))
    # 28 settled minutes since onset, 3.5 hours before it; the range's end does not count.
    assert [(one.error_code, one.before, one.after, one.is_new) for one in found.patterns] == [
        ("ThrottlingException", 0, 168, True),
        ("ValueError", 21, 3, False),
    ]
    assert {(one.literal, one.before, one.after, one.exact) for one in found.counts} == {
        ("ThrottlingException", 0, 168, True),
        (REASON, 0, 168, True),
        ("ValueError", 21, 3, True),
    }
    assert not found.sampled
    assert found.groups_seen == ("app",)
    assert found.after == Window(start=ONSET, end=NOW - timedelta(minutes=2))
    assert reader.gaps == []
    cited = {one.id: one for one in reader.evidence}
    assert THROTTLED in cited[found.patterns[0].evidence[0]].excerpt
    assert all(len(count.evidence) == 1 and count.evidence[0] in cited for count in found.counts)


def test_totals_come_from_aws_when_there_are_too_many_lines(asking: Any, refuse: Any) -> None:
    groups = Groups(refuse, app=sample(errors=0.1))
    found, _ = find(asking, groups)
    assert found.sampled
    # The first of the flood, the three of the other kind since onset, those before it.
    assert found.lines_read == logs._FIRST + 3 + 21
    counted = {one.literal: (one.before, one.after, one.exact) for one in found.counts}
    assert counted[REASON] == (0, 16_800, True)
    (pattern,) = [one for one in found.patterns if one.reason == REASON]
    assert (pattern.before, pattern.after) == (0, 16_800)
    assert all("limit" in text for text in groups.texts)


def test_a_sample_tells_which_share_of_the_lines_it_is(asking: Any, refuse: Any) -> None:
    failed = [*every(10, ONSET - timedelta(hours=1), ONSET, "rename failed for a.txt"),
              *every(10, ONSET, NOW, "rename failed for b.txt")]  # fmt: skip
    found, _ = find(asking, Groups(refuse, app=failed))
    (pattern,) = found.patterns
    assert (pattern.before, pattern.after) == (39, 168)
    assert pattern.read_before == pytest.approx(39 / 360)
    assert pattern.read_after == 1.0


def test_what_appears_late_is_in_the_sample(asking: Any, refuse: Any) -> None:
    late = every(30, NOW - timedelta(minutes=5), NOW, "java.lang.OutOfMemoryError: Java heap space")
    found, _ = find(asking, Groups(refuse, app=[*sample(errors=0.5), *late]))
    assert "OutOfMemoryError" in {one.error_code for one in found.patterns}


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "MalformedQueryException", "InvalidParameterException"]
)
def test_filter_log_events_stands_in_for_insights(asking: Any, refuse: Any, code: str) -> None:
    groups = Groups(refuse, app=sample(), other=sample())
    groups.no_insights = code
    found, reader = find(asking, groups)
    assert found.groups_seen == ("app", "other")
    assert [one.error_code for one in found.patterns][:2] == ["ThrottlingException"] * 2
    assert [one.after for one in found.patterns][:2] == [168, 168]
    assert found.sampled  # of the time before only the last hour was read
    assert {gap.what for gap in reader.gaps} == {"Logs Insights"}
    assert len(reader.gaps) == (1 if code == "AccessDeniedException" else 2)
    assert not any(count.exact for count in found.counts)


def test_a_query_that_fails_or_never_ends_is_not_an_empty_answer(asking: Any, refuse: Any) -> None:
    for final in ("Failed", "Running"):
        groups = Groups(refuse, app=sample())
        groups.final = final
        found, reader = find(asking, groups)
        assert [one.error_code for one in found.patterns] == ["ThrottlingException", "ValueError"]
        assert [gap.what for gap in reader.gaps] == ["Logs Insights"]


def test_a_missing_group_is_a_gap(asking: Any, refuse: Any) -> None:
    found, reader = find(asking, Groups(refuse, app=sample()), "gone", "app")
    assert found.groups_seen == ("app",)
    assert [(gap.what, gap.code) for gap in reader.gaps] == [("log group gone", "NotThere")]


@pytest.mark.parametrize("insights", [True, False])
def test_silence_is_told_apart_from_health(asking: Any, refuse: Any, insights: bool) -> None:
    healthy = every(20, NOW - timedelta(hours=5), NOW, "[INFO] stored")
    throttled = every(20, NOW - timedelta(hours=5), ONSET, "[INFO] stored")
    groups = Groups(refuse, healthy=healthy, throttled=throttled, unused=[])
    groups.no_insights = "" if insights else "AccessDeniedException"
    found, _ = find(asking, groups)
    assert found.patterns == ()
    assert found.groups_seen == ("healthy", "throttled", "unused")
    assert found.quiet == ("throttled",)
    assert found.empty == ("unused",)


def test_secrets_do_not_reach_patterns_or_evidence(asking: Any, refuse: Any) -> None:
    secret = "hunter" + "2hunter2"
    found, reader = find(
        asking, Groups(refuse, app=every(60, ONSET, NOW, f"[ERROR] password={secret} was refused"))
    )
    assert found.patterns[0].after == 28
    assert secret not in found.patterns[0].sample
    assert not any(secret in one.excerpt for one in reader.evidence)


def test_reports_of_failed_invocations_are_facts(asking: Any, refuse: Any) -> None:
    report = (
        "REPORT RequestId: 0a1b2c3d-0000-4000-8000-0123456789ab\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory"
    )
    found, _ = find(asking, Groups(refuse, app=[(ONSET, report)]))
    assert [one.out_of_memory for one in found.reports] == [True]
    assert found.patterns == ()


def test_a_spent_budget_is_a_gap(asking: Any, refuse: Any) -> None:
    reader, _ = asking(Groups(refuse, app=sample()), NOW, calls=3)
    found = logs.patterns(reader, ["app"], WINDOW, ONSET, BASELINE)
    assert found.groups_seen == ()
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]


def test_no_more_groups_are_read_than_promised(asking: Any, refuse: Any) -> None:
    names = {f"g{n}": every(60, ONSET, NOW, "[ERROR] KeyError: 'A'") for n in range(logs.MOST_GROUPS + 2)}
    found, reader = find(asking, Groups(refuse, **names))
    assert len(found.groups_seen) == logs.MOST_GROUPS
    assert [gap.code for gap in reader.gaps] == ["TooMuch"]
    assert "g20, g21" in reader.gaps[0].why
