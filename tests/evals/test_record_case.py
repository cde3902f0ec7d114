"""An investigation of a real-looking account becomes a case: scrubbed, replayed the same, and asked new questions.

The account is a world whose invented values were exchanged for real-looking ones on the wire, in both directions.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.snapshot import Made, make_case, trigger_of
from evals.snapshot_case import rerun
from evals.snapshot_file import NAME, read
from evals.snapshot_gather import Reach
from evals.suite import run_suite
from evals.summary import render
from evals.truth import load_template
from evals.world.from_snapshot import SnapshotTransport, from_snapshot
from evals.worlds import open_world
from graph import Context, Report, Trigger, investigate
from graph.session import register
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput, BadRecording, NotRecorded
from tools.evidence import MemoryStore
from tools.scrub import Scrubber, kept
from tools.scrub_check import LooksReal
from tools.transport import Transport, WireAnswer, WireRequest

ACCOUNT = "7319" + "0456" + "2218"
CASE, SEED = "dynamodb-max-write", 3
REAL = {  # invented -> real-looking, put together so that this file holds none
    "203.0.113.": ".".join(("54", "18", "201", "")),
    "198.51.100.": ".".join(("54", "18", "202", "")),
    "192.0.2.": ".".join(("54", "18", "203", "")),
    "@example.com": "@" + "shop-and-go.co.jp",
}

REACH = Reach(fine=timedelta(hours=5), coarse=timedelta(hours=8), changes=timedelta(hours=6), line_pages=1)


@cache
def _pairs() -> dict[str, str]:
    return REAL | {open_world(f"{CASE}?seed={SEED}").account: ACCOUNT}


def _exchanged(value: Any, back: bool = False) -> Any:
    if isinstance(value, dict):
        return {_exchanged(key, back): _exchanged(item, back) for key, item in value.items()}
    if isinstance(value, list):
        return [_exchanged(item, back) for item in value]
    if isinstance(value, str):
        for invented, real in _pairs().items():
            value = value.replace(real, invented) if back else value.replace(invented, real)
    return value


@dataclass
class Disguised:
    """A transport to a world in which accounts, addresses and mail look real."""

    inner: Transport
    region: str
    virtual: bool = True

    def start(self) -> datetime | None:
        return self.inner.start()

    def send(self, request: WireRequest) -> WireAnswer:
        account, parameters = (_exchanged(one, back=True) for one in (request.account, request.parameters))
        asked = replace(request, account=account, parameters=parameters)
        answer = self.inner.send(asked)
        return replace(answer, body=_exchanged(answer.body.decode()).encode())

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class Recorded:
    report: Report
    made: Made
    raw: Path


def _disguise(_: str) -> Transport:
    world = open_world(f"{CASE}?seed={SEED}")
    return Disguised(world.transport(), world.region)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    register("disguised", _disguise)
    context = Context(source="disguised:", record_to=str(folder / "raw.yaml"))
    world = open_world(f"{CASE}?seed={SEED}")
    report = asyncio.run(investigate(Trigger(**world.trigger), context))
    return Recorded(
        report, make_case(folder / "raw.yaml", report, context, folder / "case"), folder / "raw.yaml"
    )


def files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        yield path.name, (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def essence(report: Report, scrubber: Scrubber | None = None) -> str:
    """All of a report but statistics, digests of whole answers, and excerpts, which are cut by length."""
    held = json.loads(report.without_statistics())
    for shown in held["evidence"]:
        del shown["evidence"]["sha256"], shown["evidence"]["excerpt"]
    text = json.dumps(held, ensure_ascii=False, sort_keys=True)
    return scrubber(text) if scrubber else text


def replay(folder: Path, trigger: Trigger) -> Report:
    return asyncio.run(investigate(trigger, Context(source=f"recording:{folder / 'recording.yaml'}")))


def test_a_case_holds_four_files_and_no_real_value(recorded: Recorded) -> None:
    cause = recorded.report.root_cause
    assert cause is not None
    assert cause.actor is not None
    real = [*_pairs().values(), cause.actor.name, cause.actor.access_key_id]
    assert any(ACCOUNT in text for text in recorded.raw.read_text().splitlines())
    found = dict(files(recorded.made.folder))
    assert set(found) == {"recording.yaml", "snapshot.jsonl.gz", "trigger.yaml", "truth.yaml"}
    assert [(name, value) for name, text in found.items() for value in real if value in text] == []
    assert {"account", "address", "id", "name"} <= set(recorded.made.replaced)


def test_the_originals_are_kept_beside_the_case_for_its_owner_only(recorded: Recorded) -> None:
    beside = recorded.made.originals
    assert beside.parent == recorded.made.folder.parent
    assert stat.S_IMODE(beside.stat().st_mode) == 0o600
    assert json.loads(beside.read_text())["originals"]["account"] == {ACCOUNT: "111111112222"}


def test_the_header_tells_what_was_investigated(recorded: Recorded) -> None:
    header = yaml.safe_load((recorded.made.folder / "recording.yaml").read_text())["opsleuth"]
    assert header["trigger"] == recorded.made.trigger == {"alarm": recorded.report.trigger.alarm}
    assert header["account"] == "111111112222"
    assert trigger_of(recorded.made.folder) == Trigger(**recorded.made.trigger)


def test_the_replay_says_the_same_with_other_names(recorded: Recorded, tmp_path: Path) -> None:
    """With the originals at hand the real names may be asked for; without them the replaced ones."""
    scrubber = kept(recorded.made.folder / "recording.yaml")
    assert scrubber is not None
    handed_on = tmp_path / "case"
    shutil.copytree(recorded.made.folder, handed_on)
    assert kept(handed_on / "recording.yaml") is None
    own, theirs = (
        replay(recorded.made.folder, recorded.report.trigger),
        replay(handed_on, trigger_of(handed_on)),
    )
    assert own.without_statistics() == theirs.without_statistics()
    assert essence(theirs) == essence(recorded.report, scrubber)
    assert theirs.root_cause is not None
    assert theirs.root_cause.actor is not None
    assert theirs.root_cause.actor.name.startswith("person")
    assert theirs.root_cause.actor.source_ip.startswith(("203.0.113.", "198.51.100.", "192.0.2."))


def test_a_run_that_needs_nothing_new_is_the_same_from_the_case(recorded: Recorded) -> None:
    again = rerun(recorded.made.folder)
    assert (again.status, again.misses) == ("unconfirmed", ())
    own = replay(recorded.made.folder, trigger_of(recorded.made.folder))
    assert [report.without_statistics() for report in again.reports] == [own.without_statistics()]


def test_a_truth_is_scored_once_somebody_confirmed_it(recorded: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(recorded.made.folder, folder)
    text = (folder / "truth.yaml").read_text()
    with pytest.raises(BadInput, match="verdict"):
        load_template(folder / "truth.yaml")
    said = yaml.safe_load("\n".join(line[3:] for line in text.splitlines() if line.startswith("#? ")))
    (folder / "truth.yaml").write_text(yaml.safe_dump(said))
    assert rerun(folder).status == "right"
    (folder / "truth.yaml").write_text(yaml.safe_dump(said | {"verdict": "no_incident", "cause": None}))
    assert rerun(folder).status == "wrong"


def test_the_suite_runs_recorded_cases_too(recorded: Recorded, tmp_path: Path) -> None:
    shutil.copytree(recorded.made.folder, tmp_path / "open")
    shutil.copytree(recorded.made.folder, tmp_path / "confirmed")
    text = (tmp_path / "confirmed" / "truth.yaml").read_text()
    said = "\n".join(line[3:] for line in text.splitlines() if line.startswith("#? "))
    (tmp_path / "confirmed" / "truth.yaml").write_text(said)
    found = run_suite(tmp_path, (1, 2), vary="noisy", unseen=("text",), processes=1, logs=tmp_path / "out")
    assert [(one.case, one.right) for one in found.outcomes] == [("confirmed", True)]
    assert found.unconfirmed == ("open",)
    assert found.passed()
    assert "not run, since nobody has filled in its truth.yaml: open" in render(found)
    assert (found.varied, found.unseen) == ((), ())
    assert "confirmed" in render(found)


def test_a_case_that_lacks_what_is_asked_for_is_stale(recorded: Recorded, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(recorded.made.folder, folder)
    document = yaml.safe_load((folder / "recording.yaml").read_text())
    kept_items = [
        item for item in document["interactions"] if item["opsleuth"]["operation"] != "DescribeTable"
    ]
    assert len(kept_items) < len(document["interactions"])
    (folder / "recording.yaml").write_text(
        yaml.safe_dump({**document, "interactions": kept_items}, sort_keys=False)
    )
    again = rerun(folder)
    assert again.status == "stale"
    assert any(miss.startswith("dynamodb:DescribeTable") for miss in again.misses)


# -- new questions -----------------------------------------------------------------------------------


def client(folder: Path) -> tuple[Aws, SnapshotTransport]:
    transport = from_snapshot(folder)
    start = transport.start()
    assert start is not None
    budget = Budget(Limits(calls=1000))
    made = Aws(
        Account(region=transport.region),
        transport,
        VirtualClock(start),
        budget,
        MemoryStore(),
        own_account="111111112222",
    )
    made.as_of = start
    return made, transport


def asked(aws: Aws, service: str, operation: str, **parameters: Any) -> Any:
    return aws.ask(service, operation, aws.region, parameters)


def test_new_questions_about_changes_are_answered_whole_or_not_at_all(recorded: Recorded) -> None:
    aws, transport = client(recorded.made.folder)
    held = read(recorded.made.folder / NAME)
    changes = [event for event in held.events[aws.region] if event["ReadOnly"] == "false"]
    name = changes[0]["EventName"]
    start = aws.as_of - timedelta(hours=3, minutes=7)
    found = asked(
        aws,
        "cloudtrail",
        "LookupEvents",
        StartTime=start,
        EndTime=aws.as_of - timedelta(minutes=1),
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
        MaxResults=7,
    )
    wanted = [
        event["EventId"]
        for event in held.events[aws.region]
        if event["EventName"] == name and start <= event["EventTime"] <= aws.as_of - timedelta(minutes=1)
    ]
    assert [event["EventId"] for event in found["Events"]] == wanted[:7]
    with pytest.raises(NotRecorded, match="does not hold it either"):
        asked(
            aws,
            "cloudtrail",
            "LookupEvents",
            StartTime=start,
            EndTime=aws.as_of,
            LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "person-99"}],
        )
    assert sum(transport.coverage_misses.values()) == 1


def test_new_periods_and_statistics_come_from_the_whole_series(recorded: Recorded) -> None:
    aws, _ = client(recorded.made.folder)
    held = read(recorded.made.folder / NAME)
    series, points = next(
        (series, held_points["Sum", 60])
        for series, held_points in held.points.items()
        if series[0] == aws.region and len(held_points.get(("Sum", 60), [])) > 250
    )
    count = dict(held.points[series]["SampleCount", 60])
    metric = {
        "Namespace": series[1],
        "MetricName": series[2],
        "Dimensions": [{"Name": key, "Value": value} for key, value in series[3]],
    }
    end = aws.as_of.replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=2)
    begin, stop = int(start.timestamp()), int(end.timestamp())

    def query(stat: str, period: int = 420) -> Any:
        what = {
            "Id": "q",
            "MetricStat": {"Metric": metric, "Period": period, "Stat": stat},
            "ReturnData": True,
        }
        answer = asked(
            aws, "cloudwatch", "GetMetricData", MetricDataQueries=[what], StartTime=start, EndTime=end
        )
        (result,) = answer["MetricDataResults"]
        return {
            int(moment.timestamp()): value
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True)
        }

    sums: dict[int, float] = {}
    counts: dict[int, float] = {}
    for second, value in points:
        slot = second // 420 * 420
        sums[slot] = sums.get(slot, 0) + value
        counts[slot] = counts.get(slot, 0) + count[second]
    inside = [slot for slot in sums if begin <= slot < stop]
    assert len(inside) >= 16
    assert query("Sum") == pytest.approx({slot: sums[slot] for slot in inside})
    assert query("Average") == pytest.approx({slot: sums[slot] / counts[slot] for slot in inside})
    with pytest.raises(NotRecorded, match="p99"):
        query("p99")
    with pytest.raises(NotRecorded, match="every 45 s"):
        query("Sum", 45)
    statistics = asked(
        aws,
        "cloudwatch",
        "GetMetricStatistics",
        **metric,
        StartTime=start,
        EndTime=end,
        Period=420,
        Statistics=["Sum"],
    )
    assert {int(one["Timestamp"].timestamp()): one["Sum"] for one in statistics["Datapoints"]} == query("Sum")


def test_new_searches_run_over_whole_lines(recorded: Recorded) -> None:
    aws, _ = client(recorded.made.folder)
    held = read(recorded.made.folder / NAME)
    (region, group), lines = max(held.lines.items(), key=lambda item: len(item[1]))
    assert region == aws.region
    (span,) = [span for span in held.spans if span.what == "lines" and span.key == (region, group)]
    word = next(part for part in lines[0]["message"].split() if part.isalpha() and len(part) > 3)
    begin = int(span.start.timestamp() * 1000)
    end = min(int(span.end.timestamp() * 1000), begin + 30_000) - 1
    found = asked(
        aws,
        "logs",
        "FilterLogEvents",
        logGroupName=group,
        startTime=begin,
        endTime=end,
        filterPattern=word,
        limit=9,
    )
    wanted = [line["eventId"] for line in lines if word in line["message"] and line["timestamp"] <= end]
    assert [line["eventId"] for line in found["events"]] == wanted[:9]
    with pytest.raises(NotRecorded, match="of that time"):
        asked(aws, "logs", "FilterLogEvents", logGroupName=group, startTime=begin - 1, endTime=end)
    stream = lines[0]["logStreamName"]
    shown = asked(
        aws,
        "logs",
        "GetLogEvents",
        logGroupName=group,
        logStreamName=stream,
        startTime=begin,
        endTime=end,
        startFromHead=True,
    )
    assert [line["message"] for line in shown["events"]] == [
        line["message"] for line in lines if line["logStreamName"] == stream and line["timestamp"] < end
    ]


def test_new_questions_about_alarms_are_answered(recorded: Recorded) -> None:
    aws, _ = client(recorded.made.folder)
    name = recorded.made.trigger["alarm"]
    found = asked(
        aws, "cloudwatch", "DescribeAlarms", AlarmNamePrefix=name[:3], StateValue="ALARM", MaxRecords=50
    )
    assert name in [alarm["AlarmName"] for alarm in found["MetricAlarms"]]
    items = asked(
        aws,
        "cloudwatch",
        "DescribeAlarmHistory",
        AlarmName=name,
        StartDate=aws.as_of - timedelta(hours=5),
        EndDate=aws.as_of,
        HistoryItemType="StateUpdate",
        MaxRecords=3,
    )
    assert [item["AlarmName"] for item in items["AlarmHistoryItems"]] == [name] * len(
        items["AlarmHistoryItems"]
    )
    assert items["AlarmHistoryItems"]


def test_what_a_snapshot_cannot_answer_is_a_miss_and_never_empty(recorded: Recorded) -> None:
    aws, transport = client(recorded.made.folder)
    with pytest.raises(NotRecorded):
        asked(aws, "dynamodb", "DescribeTable", TableName="never-heard-of")
    with pytest.raises(NotRecorded):
        asked(aws, "cloudwatch", "DescribeAlarms", ActionPrefix="arn:aws:sns")
    assert sorted(transport.coverage_misses) == [
        "cloudwatch:DescribeAlarms ActionPrefix",
        "dynamodb:DescribeTable operation",
    ]


# -- writing -----------------------------------------------------------------------------------------


def test_nothing_is_written_when_something_real_would_be_left(recorded: Recorded, tmp_path: Path) -> None:
    """A number that is no account anywhere in the recording, hidden where no rule looks: in base64."""
    import base64

    raw = tmp_path / "raw.yaml"
    hidden = base64.b64encode(f"owner {ACCOUNT} of all".encode()).decode()
    raw.write_text(recorded.raw.read_text().replace("DeletionProtectionEnabled", hidden, 1))
    with pytest.raises(
        LooksReal, match=rf"an account id inside base64 \({ACCOUNT}\) in answer \d+ \(\w+:\w+\)"
    ):
        make_case(raw, recorded.report, Context(source="disguised:"), tmp_path / "case", reach=REACH)
    assert [path.name for path in tmp_path.iterdir()] == ["raw.yaml"]


def test_a_folder_that_is_taken_is_refused_before_anything_is_asked(
    tmp_path: Path, recorded: Recorded
) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        make_case(recorded.raw, recorded.report, Context(source="nowhere:"), tmp_path / "case")
    with pytest.raises(BadInput, match="does not exist"):
        make_case(recorded.raw, recorded.report, Context(source="nowhere:"), tmp_path / "no" / "case")


@pytest.mark.parametrize("damage", ["cut", "no gzip", "other"])
def test_a_damaged_snapshot_is_told(damage: str, recorded: Recorded, tmp_path: Path) -> None:
    content = (recorded.made.folder / NAME).read_bytes()
    lines = gzip.decompress(content).splitlines(keepends=True)
    made = {
        "cut": gzip.compress(b"".join(lines[:-1])),
        "no gzip": b"snapshot",
        "other": gzip.compress(b"{}\n"),
    }
    (tmp_path / NAME).write_bytes(made[damage])
    with pytest.raises(BadRecording, match="opsleuth record"):
        read(tmp_path / NAME)
