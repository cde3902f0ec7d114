"""Worlds as a run meets them: through botocore, with AWS's limits, delays and refusals."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, insights, load_case, patterns
from evals.world.asking import Refusal
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import Denied, NotRecorded, NotThere, Refused
from tools.evidence import MemoryStore
from tools.models import Json
from tools.transport import WireRequest

MINUTE = timedelta(minutes=1)


@cache
def world(case: str = "dynamodb-max-write", seed: int = 1) -> World:
    return load_case(case, seed)


def reader(made: World, at: datetime | None = None) -> Reader:
    aws = Aws(
        Account(region=made.region),
        made.transport(),
        VirtualClock(at or made.start),
        Budget(Limits(calls=5000)),
        MemoryStore(),
    )
    return Reader(aws, "T")


def query(name: str, metric: str, dimensions: dict[str, str], stat: str = "Sum", period: int = 60) -> Json:
    namespace, _, short = metric.rpartition("/")
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    what = {"Namespace": namespace, "MetricName": short, "Dimensions": pairs}
    return {"Id": name, "MetricStat": {"Metric": what, "Period": period, "Stat": stat}}


def points(
    made: World, one: Json, start: datetime, end: datetime, at: datetime | None = None
) -> dict[Any, float]:
    data = (
        reader(made, at)
        .ask("cloudwatch", "GetMetricData", MetricDataQueries=[one], StartTime=start, EndTime=end)
        .data
    )
    result = data["MetricDataResults"][0]
    return dict(zip(result["Timestamps"], result["Values"], strict=True))


# -- CloudTrail ---------------------------------------------------------------------------------------


def test_events_come_newest_first_in_pages_of_fifty_with_the_record_as_text() -> None:
    made = world()
    pages = reader(made).pages(
        "cloudtrail",
        "LookupEvents",
        "Events",
        limit=3,
        StartTime=made.start - timedelta(hours=24),
        EndTime=made.start,
    )
    times = [item["EventTime"] for item in pages.items]
    assert len(times) == 150
    assert times == sorted(times, reverse=True)
    for item in pages.items:
        assert json.loads(item["CloudTrailEvent"])["eventID"] == item["EventId"]


@pytest.mark.parametrize("seed", range(1, 4))
def test_an_event_is_read_by_each_attribute_that_fits_it(seed: int) -> None:
    made = world(seed=seed)
    event = made.facts["change.event_id"]
    table = made.things[made.facts["table.arn"]]
    listed = table.arn if table.fixed["listed_by"] == "arn" else table.name
    other = table.name if table.fixed["listed_by"] == "arn" else table.arn
    attributes = {
        "EventId": event,
        "EventName": "UpdateTable",
        "EventSource": "dynamodb.amazonaws.com",
        "Username": made.facts["change.actor.name"],
        "ReadOnly": "false",
        "ResourceType": "AWS::DynamoDB::Table",
        "ResourceName": listed,
    }

    def found(key: str, value: str) -> set[str]:
        asked = [{"AttributeKey": key, "AttributeValue": value}]
        window: dict[str, Any] = {"StartTime": made.start - timedelta(hours=1), "EndTime": made.start}
        got = reader(made).pages(
            "cloudtrail", "LookupEvents", "Events", LookupAttributes=asked, limit=40, **window
        )
        return {item["EventId"] for item in got.items}

    for key, value in attributes.items():
        assert event in found(key, value), key
    assert event not in found("ResourceName", other)


def test_two_attributes_are_refused() -> None:
    asked = [{"AttributeKey": "EventName", "AttributeValue": name} for name in ("UpdateTable", "CreateTable")]
    with pytest.raises(Refused, match="one lookup attribute"):
        reader(world()).ask("cloudtrail", "LookupEvents", LookupAttributes=asked)


def test_an_event_appears_when_it_is_delivered() -> None:
    made = world("late-cloudtrail")
    facts = made.facts
    asked = [{"AttributeKey": "EventId", "AttributeValue": facts["change.event_id"]}]

    def there(at: datetime) -> int:
        return len(reader(made, at).ask("cloudtrail", "LookupEvents", LookupAttributes=asked).data["Events"])

    assert facts["change.delivered"] - facts["change.time"] == 11 * MINUTE
    assert made.start - facts["onset"] == 3 * MINUTE
    assert [
        there(made.start),
        there(facts["change.delivered"] - MINUTE / 60),
        there(facts["change.delivered"]),
    ] == [0, 0, 1]


def test_more_than_two_look_ups_in_a_second_are_throttled() -> None:
    made = world()
    transport = made.transport()

    def send(now: datetime) -> int:
        return transport.send(
            WireRequest(
                account="",
                region=made.region,
                service="cloudtrail",
                operation="LookupEvents",
                parameters={"MaxResults": 1},
                protocol="json",
                as_of=made.start,
                now=now,
                method="POST",
                url="",
                headers={},
                body=b"",
            )
        ).status

    assert [send(made.start) for _ in range(3)] == [200, 200, 400]
    assert send(made.start + MINUTE / 60) == 200


def test_a_missing_permission_is_said_in_the_words_of_aws() -> None:
    made = world("cloudtrail-denied")
    with pytest.raises(Denied) as refused:
        reader(made).ask("cloudtrail", "LookupEvents")
    assert refused.value.code == "AccessDeniedException"
    assert "cloudtrail:LookupEvents" in json.dumps(refused.value.gap.statement)
    assert reader(made).ask("dynamodb", "ListTables").data["TableNames"]


# -- metrics and alarms -------------------------------------------------------------------------------


def test_metrics_agree_with_the_ledger_and_namespaces_stay_apart() -> None:
    made = world()
    facts = made.facts
    table = {"TableName": facts["table.name"]}
    start, end = facts["onset"].replace(second=0), facts["onset"].replace(second=0) + 10 * MINUTE
    seen = points(made, query("a", "AWS/DynamoDB/WriteThrottleEvents", table), start, end)
    assert sum(seen.values()) == made.ledger.metric(
        facts["table.arn"], "AWS/DynamoDB/WriteThrottleEvents/Sum", "sum", start, end
    )
    five = points(made, query("a", "AWS/DynamoDB/ConsumedWriteCapacityUnits", table, period=300), start, end)
    one = points(made, query("a", "AWS/DynamoDB/ConsumedWriteCapacityUnits", table), start, end)
    inside = {
        moment: value for moment, value in five.items() if moment >= start and moment + 5 * MINUTE <= end
    }
    for moment, value in inside.items():
        assert value == sum(v for at, v in one.items() if moment <= at < moment + 5 * MINUTE)
    assert inside
    for strange in (
        query("a", "AWS/Lambda/WriteThrottleEvents", table),
        query("a", "AWS/DynamoDB/WriteThrottleEvents", {}),
    ):
        assert points(made, strange, start, end) == {}


def test_error_counts_are_absent_while_nothing_goes_wrong_and_zero_where_lambda_emits_zero() -> None:
    made = world()
    facts = made.facts
    end = facts["change.time"].replace(second=0)
    quiet = (end - 10 * MINUTE, end)
    table, function = {"TableName": facts["table.name"]}, {"FunctionName": facts["function.name"]}
    assert points(made, query("a", "AWS/DynamoDB/WriteThrottleEvents", table), *quiet) == {}
    assert set(points(made, query("a", "AWS/Lambda/Errors", function), *quiet).values()) == {0.0}


def test_the_current_minute_is_not_published_yet() -> None:
    made = world()
    function = {"FunctionName": made.facts["function.name"]}
    now = made.start
    seen = points(made, query("a", "AWS/Lambda/Invocations", function), now - 10 * MINUTE, now + MINUTE)
    newest = max(seen)
    assert timedelta(minutes=2) <= now - newest <= timedelta(minutes=4)


def test_the_maximum_as_a_metric_steps_within_five_minutes_of_the_change() -> None:
    made = world("cloudtrail-denied")
    facts = made.facts
    one = query(
        "a", "AWS/DynamoDB/OnDemandMaxWriteRequestUnits", {"TableName": facts["table.name"]}, "Maximum", 300
    )
    seen = sorted(points(made, one, made.start - timedelta(hours=1), made.start).items())
    assert {value for _, value in seen} == {250.0, 2.0}
    last_old = max(moment for moment, value in seen if value == 250)
    assert last_old <= facts["change.time"] + MINUTE < last_old + 6 * MINUTE


def test_paging_gives_every_point_once() -> None:
    made = world()
    function = {"FunctionName": made.facts["function.name"]}
    queries = [query(name, "AWS/Lambda/Invocations", function) for name in "abc"]
    end = made.start.replace(second=0) - 5 * MINUTE
    collected: dict[str, list[Any]] = {}
    more: Json = {}
    for _ in range(20):
        data = (
            reader(made)
            .ask(
                "cloudwatch",
                "GetMetricData",
                MetricDataQueries=queries,
                StartTime=end - 10 * MINUTE,
                EndTime=end,
                MaxDatapoints=7,
                **more,
            )
            .data
        )
        for result in data["MetricDataResults"]:
            collected.setdefault(result["Id"], []).extend(result["Timestamps"])
        if not data.get("NextToken"):
            break
        more = {"NextToken": data["NextToken"]}
    assert [len(times) for times in collected.values()] == [10, 10, 10]
    assert all(len(set(times)) == 10 for times in collected.values())


def test_the_alarm_went_red_after_three_bad_minutes_and_history_says_so() -> None:
    made = world()
    items = (
        reader(made)
        .ask("cloudwatch", "DescribeAlarmHistory", AlarmName=made.trigger["alarm"])
        .data["AlarmHistoryItems"]
    )
    change = next(item for item in items if item["HistoryItemType"] == "StateUpdate")
    data = json.loads(change["HistoryData"])
    assert (data["oldState"]["stateValue"], data["newState"]["stateValue"]) == ("OK", "ALARM")
    assert len(data["newState"]["stateReasonData"]["recentDatapoints"]) == 3
    assert 3 * MINUTE <= change["Timestamp"] - made.facts["onset"].replace(second=0) <= 6 * MINUTE


def test_an_alarm_on_a_dynamodb_metric_stays_red_long_after_the_burst() -> None:
    made = world("stale-dynamodb-alarm")
    shown = (
        reader(made)
        .ask("cloudwatch", "DescribeAlarms", AlarmNames=[made.trigger["alarm"]])
        .data["MetricAlarms"][0]
    )
    assert shown["StateValue"] == "ALARM"
    assert made.start - made.facts["ended"] > timedelta(hours=5)
    assert made.start - shown["StateTransitionedTimestamp"] > timedelta(hours=5)


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_lowered_threshold_shows_in_event_and_history(seed: int) -> None:
    made = world("alarm-threshold-lowered", seed)
    facts = made.facts
    items = (
        reader(made)
        .ask(
            "cloudwatch",
            "DescribeAlarmHistory",
            AlarmName=made.trigger["alarm"],
            HistoryItemType="ConfigurationUpdate",
        )
        .data["AlarmHistoryItems"]
    )
    updated = json.loads(items[0]["HistoryData"])["updatedAlarm"]
    assert updated["threshold"] == facts["threshold.after"] < facts["threshold.before"]
    event = json.loads(made.trail.by_id[facts["change.event_id"]].text)
    assert event["requestParameters"]["threshold"] == facts["threshold.after"]
    assert (
        made.ledger.alarm(facts["alarm.arn"], "threshold", facts["change.time"] - MINUTE)
        == facts["threshold.before"]
    )
    assert "onset" not in facts


# -- logs ---------------------------------------------------------------------------------------------


def rows(made: World, text: str, start: datetime, end: datetime) -> list[dict[str, str]]:
    one = reader(made)
    group = f"/aws/lambda/{made.facts['function.name']}"
    started = one.ask(
        "logs",
        "StartQuery",
        logGroupNames=[group],
        queryString=text,
        startTime=int(start.timestamp()),
        endTime=int(end.timestamp()),
    ).data["queryId"]
    first = one.ask("logs", "GetQueryResults", queryId=started).data
    second = one.ask("logs", "GetQueryResults", queryId=started).data
    assert (first["status"], second["status"]) == ("Running", "Complete")
    return [{cell["field"]: cell["value"] for cell in row} for row in second["results"]]


def test_counted_and_listed_lines_agree_with_the_ledger() -> None:
    made = world()
    start = made.facts["onset"].replace(second=0) - MINUTE
    end = start + 3 * MINUTE
    truth = made.ledger.log_lines(
        f"/aws/lambda/{made.facts['function.name']}", "ThrottlingException", start, end
    )
    counted = rows(made, "filter @message like /Throttling/ | stats count(*) as n by bin(1m)", start, end)
    assert sum(int(row["n"]) for row in counted) == truth
    first = rows(
        made,
        'fields @timestamp, @message | filter @message like "Throttling" | sort @timestamp asc | limit 2',
        start,
        end,
    )
    assert len(first) == 2
    assert made.facts["table.arn"] in first[0]["@message"]
    assert first[0]["@timestamp"].startswith(f"{made.facts['onset']:%Y-%m-%d %H:%M:%S}")


@pytest.mark.parametrize(
    "text",
    [
        'parse @message "x*" as y, z',
        "stats median(@duration)",
        "fields strlen(@message)",
        "fields @nothing",
        "filter @message like",
        "limit 100000",
        "dedup @message | sort @timestamp",
        "pattern @message",
        "|",
    ],
)
def test_a_query_outside_the_subset_is_malformed(text: str) -> None:
    with pytest.raises(Refused, match="MalformedQueryException"):
        rows(world(), text, world().start - MINUTE, world().start)


def test_filter_patterns_choose_lines() -> None:
    made = world()
    end = made.facts["onset"].replace(second=0) + 2 * MINUTE
    window: dict[str, Any] = {
        "startTime": int((end - MINUTE).timestamp() * 1000),
        "endTime": int(end.timestamp() * 1000) - 1,
    }
    group = f"/aws/lambda/{made.facts['function.name']}"

    def found(pattern: str) -> list[str]:
        got = reader(made).pages(
            "logs",
            "FilterLogEvents",
            "events",
            token=("nextToken", "nextToken"),
            logGroupName=group,
            filterPattern=pattern,
            limit=40,
            **window,
        )
        return [event["message"] for event in got.items]

    failures = made.ledger.log_lines(group, "ThrottlingException", end - MINUTE, end)
    assert len(found("ThrottlingException")) == failures
    assert len(found('?ThrottlingException ?"put_item failed"')) == failures
    assert all("REPORT" in text for text in found('"REPORT RequestId"'))
    assert found('"REPORT RequestId" -Duration') == []
    assert found("{ $.level = 1 }") == []
    assert len(found("%Throttling[A-Z][a-z]+%")) == failures
    for pattern in ("{ $.level == 1 }", "%(a|b)%", "[", "Throttling.Exception"):
        with pytest.raises(Refused, match="InvalidParameterException"):
            found(pattern)


@given(st.one_of(st.text(max_size=60), st.text(alphabet='{}[]$.=<>!&|%()"*?-ab1 ,', max_size=40)))
def test_any_filter_pattern_is_understood_or_refused(text: str) -> None:
    codes, answers = set(), set()
    try:
        found = patterns.parse(text)
        answers = {found.matches(one) for one in ("", "a b 1", '{"a": [1, null, true]}')}
    except Refusal as refusal:
        codes.add(refusal.code)
    assert codes <= {"InvalidParameterException"}
    assert answers <= {True, False}


@given(st.text(alphabet="fieldstrcounby@()*/,|= 5m\"'message", max_size=60))
def test_any_query_is_understood_or_malformed(text: str) -> None:
    codes = set()
    try:
        insights.parse(text)
    except Refusal as refusal:
        codes.add(refusal.code)
    assert codes <= {"MalformedQueryException"}


# -- what is not known --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ec2", "DescribeRegions", {}),
        ("cloudwatch", "DescribeAlarmContributors", {"AlarmName": "any"}),
        ("cloudtrail", "LookupEvents", {"EventCategory": "insight"}),
        ("lambda", "ListFunctions", {"MasterRegion": "ALL"}),
    ],
)
def test_what_a_world_does_not_know_is_refused_and_counted(
    service: str, operation: str, parameters: Json
) -> None:
    made = load_case("cloudtrail-denied", 2) if service != "cloudtrail" else world()
    before = sum(made.coverage_misses.values())
    with pytest.raises(NotRecorded):
        reader(made).ask(service, operation, **parameters)
    assert sum(made.coverage_misses.values()) == before + 1


def test_statistics_and_periods_that_worlds_do_not_have_are_misses() -> None:
    made = world()
    start, end = made.start - 10 * MINUTE, made.start
    held = {"FunctionName": made.facts["function.name"]}
    for one in (
        query("a", "AWS/Lambda/Errors", held, "tm90"),
        query("a", "AWS/Lambda/Errors", held, "IQM"),
        query("a", "AWS/Lambda/Errors", held, period=30),
    ):
        with pytest.raises(NotRecorded):
            points(made, one, start, end)


def test_other_regions_are_empty_and_missing_things_are_not_there() -> None:
    made = world()
    one = reader(made)
    assert one.ask("dynamodb", "ListTables", region="eu-south-1").data["TableNames"] == []
    assert one.ask("cloudwatch", "DescribeAlarms", region="eu-south-1").data["MetricAlarms"] == []
    for service, operation, parameters in (
        ("dynamodb", "DescribeTable", {"TableName": "nothing"}),
        ("lambda", "GetFunctionConfiguration", {"FunctionName": "nothing"}),
        ("iam", "GetRole", {"RoleName": "nothing"}),
        ("sqs", "GetQueueUrl", {"QueueName": "nothing"}),
    ):
        with pytest.raises(NotThere):
            one.ask(service, operation, **parameters)
